//! The signed models of the provenance vectors through the host: the bundled
//! plugin, the signer's key, the roots or the trusted root handed over as a granted
//! document.

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

/// Whom the vectors' certificates are for, where they are for anyone.
const SIGNER: &str = "release@models.test";

/// Returns the settings that trust whom a case trusts, and the document they name.
fn trust(folder: &Path, case: &Value) -> (String, Vec<u8>) {
    let read = |path: &Value| {
        let path = folder.join(path.as_str().expect("a path"));
        std::fs::read(path).expect("a document of the vectors")
    };
    let trust = &case["trust"];
    match case["method"].as_str() {
        Some("key") => ("key = \"trusted\"".into(), read(&trust["public_key"])),
        Some("certificate") => {
            let chain = trust["certificate_chain"].as_array().expect("a chain");
            let identity = case["options"]["identity"].as_str().unwrap_or(SIGNER);
            let settings = format!("certificates = \"trusted\", identity = \"{identity}\"");
            (settings, chain.iter().flat_map(read).collect())
        }
        _ => {
            let text = |name: &str| trust[name].as_str().expect("a name");
            let settings = format!(
                "trusted-root = \"trusted\", identity = \"{}\", identity-provider = \"{}\"",
                text("identity"),
                text("identity_provider")
            );
            (settings, read(&trust["trusted_root"]))
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
    let (settings, document) = trust(folder, case);
    let digest = modelhost::domain::digest::Digest::of(&document);
    place.write("trusted.txt", document);
    place.write(
        "modelhost.toml",
        format!(
            "version = 1\n[gate]\nrequire = [\"provenance\"]\nnot-judged = \"warn\"\n\
             [[model]]\nname = \"model\"\npath = \"model\"\n\
             [plugin.provenance]\ngrants = [\"documents:trusted\"]\nsettings = {{ {settings} }}\n\
             [documents]\ntrusted = {{ path = \"trusted.txt\", digest = \"{digest}\" }}\n"
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
    // Steps, and options but a signer's name, are the business of the plugin's own
    // tests; so are good signatures by certificates without a name.
    let plain = |case: &&Value| {
        let options = case["options"].as_object().into_iter().flatten();
        let is_named = case["options"]["identity"].is_string();
        case["setup"].as_array().is_none_or(Vec::is_empty)
            && options.into_iter().all(|(name, _)| name == "identity")
            && (case["method"] != "certificate" || is_named || case["verify"] != "ok")
            && folder.join(case["model"].as_str().unwrap_or_default()).is_dir()
    };
    let plain: Vec<&Value> = cases.iter().filter(plain).collect();
    assert!(plain.len() > 100, "only {} cases", plain.len());
    let wrong: Vec<String> = plain.iter().filter_map(|case| wrong(&folder, case)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), plain.len(), wrong.join("\n"));
}
