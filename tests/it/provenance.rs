//! The signed models of the provenance vectors through the host: the bundled
//! plugin, its key handed over as a granted document.

use std::path::Path;

use serde_json::Value;

use crate::support::command::Place;
use crate::support::shared;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Runs one case; returns how it ended against its label, none where it ended
/// well.
fn wrong(folder: &Path, case: &Value) -> Option<String> {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let place = Place::new();
    let model = place.path().join("model");
    copy(&folder.join(text("model")), &model);
    std::fs::copy(folder.join(text("signature")), model.join("model.sig")).expect("the signature");
    let key = folder.join(case["trust"]["public_key"].as_str().expect("a key"));
    let key = std::fs::read(key).expect("the key");
    let digest = modelhost::domain::digest::Digest::of(&key);
    place.write("key.pem", key);
    place.write(
        "modelhost.toml",
        format!(
            "version = 1\n[gate]\nrequire = [\"provenance\"]\nnot-judged = \"warn\"\n\
             [[model]]\nname = \"model\"\npath = \"model\"\n\
             [plugin.provenance]\ngrants = [\"documents:key\"]\nsettings = {{ key = \"key\" }}\n\
             [documents]\nkey = {{ path = \"key.pem\", digest = \"{digest}\" }}\n"
        ),
    );
    let said = place.modelhost(&["run", "--only", "provenance", "--now", "2026-01-01"]);
    // Where a gate is to be stricter than the standard, the stricter label holds.
    let label = case["strict"]["verify"].as_str().unwrap_or(text("verify"));
    let right = if label == "ok" { said.code == 0 } else { matches!(said.code, 1 | 3) };
    (!right).then(|| {
        format!(
            "{} must be {label}: exit code {}\n{}{}",
            text("id"),
            said.code,
            said.stdout,
            said.stderr
        )
    })
}

#[test]
fn signed_models_are_verified_as_labelled() {
    let Some(folder) = shared("provenance-vectors") else { return };
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).expect("the labels");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let cases = manifest["cases"].as_array().expect("cases");
    // Steps and options are the business of the plugin's own tests.
    let plain = |case: &&Value| {
        case["method"] == "key"
            && case["setup"].as_array().is_none_or(Vec::is_empty)
            && case["options"].as_object().is_none_or(serde_json::Map::is_empty)
            && folder.join(case["model"].as_str().unwrap_or_default()).is_dir()
    };
    let plain: Vec<&Value> = cases.iter().filter(plain).collect();
    assert!(plain.len() > 40, "only {} cases", plain.len());
    let wrong: Vec<String> = plain.iter().filter_map(|case| wrong(&folder, case)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), plain.len(), wrong.join("\n"));
}
