//! `modelhost compare`: reports, lock files and folders.

use crate::support::command::Place;
use crate::support::model;

/// A safetensors file of these tensors, each of 4 bytes.
fn tensors(values: &[(&str, u8)]) -> Vec<u8> {
    let entry = |(index, (name, _)): (usize, &(&str, u8))| {
        let (from, to) = (index * 4, index * 4 + 4);
        format!(r#""{name}":{{"dtype":"U8","shape":[2,2],"data_offsets":[{from},{to}]}}"#)
    };
    let entries: Vec<String> = values.iter().enumerate().map(entry).collect();
    let header = format!("{{{}}}", entries.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend(values.iter().flat_map(|(_, value)| [*value; 4]));
    file
}

#[test]
fn folders_are_told_by_their_tensors() {
    let place = Place::new();
    let all: Vec<(String, u8)> = (0..291).map(|n| (format!("layer.{n:03}"), 7)).collect();
    let all: Vec<(&str, u8)> = all.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let write = |folder: &str, readme: &str, parts: &[&[(&str, u8)]]| {
        place.write(&format!("{folder}/README.md"), readme);
        for (index, part) in parts.iter().enumerate() {
            place.write(&format!("{folder}/model-{index}.safetensors"), tensors(part));
        }
    };
    write("one", "# M", &[&all[..100], &all[100..]]);
    write("same", "# M", &[&all[..100], &all[100..]]);
    write("card", "# N", &[&all[..100], &all[100..]]);
    write("divided", "# M", &[&all[..50], &all[50..200], &all[200..]]);
    let mut other = all.clone();
    for index in [5, 150, 290] {
        other[index].1 = 8;
    }
    write("tuned", "# M", &[&other[..100], &other[100..]]);
    place.modelhost(&["compare", "one", "same"]).code(0).says("same");
    place
        .modelhost(&["compare", "one", "card"])
        .code(1)
        .says("~ model: same weights, README.md changed");
    place
        .modelhost(&["compare", "one", "divided"])
        .code(1)
        .says("~ model: same weights in other files");
    let said = place.modelhost(&["compare", "one", "tuned"]);
    said.code(1).says("~ model: 3 of 291 tensors differ: layer.005, layer.150, layer.290");
    let lines: Vec<&str> =
        said.stdout.lines().filter(|line| line.contains(" tensor ")).map(str::trim).collect();
    let expected = ["005", "150", "290"]
        .map(|layer| format!("~ tensor layer.{layer}  U8 [2, 2], other values"));
    assert_eq!(lines, expected);
    assert_eq!(place.modelhost(&["compare", "one", "tuned"]).stdout, said.stdout);
    let json = place.modelhost(&["compare", "one", "tuned", "--json"]);
    let json = json.code(1).json();
    assert_eq!(json["models"][0]["tensor_count"], 291);
    assert_eq!(json["models"][0]["weights"], "differ");
    place.modelhost(&["compare", "one/README.md", "card/README.md"]).code(1);
    // A file that can't be read as what it claims leaves the files to tell.
    place.write("tuned/model-1.safetensors", "no header");
    place
        .modelhost(&["compare", "one", "tuned"])
        .code(1)
        .says("tuned: model-1.safetensors: no tensors: its header claims")
        .says("~ model: model-0.safetensors, model-1.safetensors changed");
}

fn two_models() -> Place {
    let place = Place::new();
    place.write("models/a/model.safetensors", tensors(&[("x", 1), ("y", 2)]));
    place.write("models/a/README.md", "# A\n");
    place.write("models/b/model.safetensors", model::safetensors(9));
    place.write(
        "modelhost.toml",
        "version = 1\n[[model]]\nname = \"a\"\npath = \"models/a\"\n[[model]]\nname = \"b\"\npath = \"models/b\"\n",
    );
    place
}

#[test]
fn locks_are_told_by_file_and_fingerprint() {
    let place = two_models();
    place.modelhost(&["lock", "--tensors"]).code(0);
    place.write("old.lock", place.read("modelhost.lock"));
    place.modelhost(&["compare", "old.lock", "modelhost.lock"]).code(0).says("same: 2 models");
    place.write("models/a/README.md", "# Another\n");
    place.modelhost(&["lock"]).code(0);
    place
        .modelhost(&["compare", "old.lock", "modelhost.lock"])
        .code(1)
        .says("~ model a: same weights, README.md changed");
    place.write("models/a/model.safetensors", tensors(&[("x", 1), ("y", 3)]));
    place.modelhost(&["lock"]).code(0);
    place
        .modelhost(&["compare", "old.lock", "modelhost.lock"])
        .code(1)
        .says("~ model a: other weights, README.md, model.safetensors changed");
    place.modelhost(&["compare", "old.lock", "modelhost.lock", "--model", "b"]).code(0);
    // With a folder.
    place.modelhost(&["compare", "modelhost.lock", "models/a", "--model", "a"]).code(0);
    place.modelhost(&["compare", "models/b", "modelhost.lock", "--model", "b"]).code(0);
    place
        .modelhost(&["compare", "old.lock", "models/a", "--model", "a"])
        .code(1)
        .says("~ model a: other weights");
    place
        .modelhost(&["compare", "old.lock", "models/a"])
        .code(2)
        .says("has 2 models")
        .says("--model");
    place
        .modelhost(&["compare", "old.lock", "models/a", "--model", "c"])
        .code(2)
        .says("has no model `c`");
}

#[test]
fn staging_shows_that_it_runs_what_was_tested() {
    let place = two_models();
    place.modelhost(&["lock"]).code(0);
    let run = |report: &str, more: &[&str]| {
        let output = format!("json={report}");
        let args: Vec<&str> =
            ["run", "--locked", "-o", &output].iter().chain(more).copied().collect();
        place.modelhost(&args)
    };
    run("tested.json", &["--now", "2026-01-01"]).code(0);
    run("staging.json", &["--now", "2026-02-01", "--jobs", "1"]).code(0);
    place.modelhost(&["compare", "tested.json", "staging.json"]).code(0).says("same: 2 models");
    let json = place.modelhost(&["compare", "tested.json", "staging.json", "--json"]);
    assert_eq!(json.code(0).json()["same"], true);
    // What was tested is what is locked and what lies here.
    place.modelhost(&["compare", "tested.json", "modelhost.lock"]).code(0);
    place.modelhost(&["compare", "tested.json", "models/a", "--model", "a"]).code(0);
    // Another bar, another lock, another model: each is told.
    let policy = place
        .read("modelhost.toml")
        .replace("version = 1", "version = 1\ngate.fail-on = \"medium\"");
    place.write("modelhost.toml", policy);
    place.write("models/a/model.safetensors", tensors(&[("x", 1), ("y", 3)]));
    place.modelhost(&["lock"]).code(0);
    run("other.json", &["--now", "2026-01-01"]).code(0);
    place
        .modelhost(&["compare", "tested.json", "other.json"])
        .code(1)
        .says("~ fail_on  high -> medium")
        .says("~ policy modelhost.toml  sha256:")
        .says("~ lock  sha256:")
        .says("~ model a: model.safetensors changed");
    place.modelhost(&["compare", "tested.json", "modelhost.lock"]).code(1);
    place.modelhost(&["run", "--no-locked", "--no-digests", "-o", "json=unbound.json"]);
    place
        .modelhost(&["compare", "tested.json", "unbound.json"])
        .code(2)
        .says("computed no digests");
}

#[test]
fn what_can_not_be_compared_is_misuse() {
    let place = two_models();
    place.write("cut.json", "{\"schema\": \"modelhost-report/v1\", ");
    place.write("later.json", "{\"schema\": \"modelhost-report/v9\"}");
    place.write("later.lock", "version = 2\n");
    for (path, says) in [
        ("nowhere", "nowhere"),
        ("cut.json", "it was cut off"),
        ("later.json", "modelhost-report/v9"),
        ("later.lock", "the lock file's version must be 1"),
    ] {
        for args in [["compare", path, "models/a"], ["compare", "models/a", path]] {
            let said = place.modelhost(&args);
            said.code(2).says(says);
            assert_eq!(said.stdout, "");
        }
    }
    place.modelhost(&["compare", "models/a"]).code(2);
    // What a lock file holds no digest of is not passed over.
    place.modelhost(&["lock", "models/a"]).code(0);
    std::os::unix::fs::symlink("/etc/passwd", place.path().join("models/a/link")).expect("a link");
    place
        .modelhost(&["compare", "modelhost.lock", "models/a"])
        .code(2)
        .says("models/a holds more than files: link: ");
    place.modelhost(&["compare", "models/a", "models/b"]).code(1).says("gate/link-outside link");
}
