//! `modelhost model add`, and definitions as a run takes them.

use crate::support::command::Place;
use crate::support::model;

const COMMIT: &str = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";

#[test]
fn a_model_is_defined_locked_and_gated() {
    let place = Place::new();
    place.write("models/bert/model.safetensors", model::safetensors(8));
    let said = place.modelhost(&[
        "model",
        "add",
        "models/bert",
        "--source",
        "hf:org/bert",
        "--revision",
        COMMIT,
        "--license",
        "Apache-2.0",
        "--owner",
        "@ml",
        "--purpose",
        "Sorts \"reviews\"",
    ]);
    said.code(0).says("wrote modelhost.toml").says("modelhost lock");
    assert_eq!(said.stdout, "");
    let written = place.read("modelhost.toml");
    let expected = format!(
        "version = 1\n\n[[model]]\nname = \"bert\"\npath = \"models/bert\"\nsource = \
         \"hf:org/bert\"\nrevision = \"{COMMIT}\"\npurpose = 'Sorts \"reviews\"'\nlicense = \
         \"Apache-2.0\"\nowner = \"@ml\"\n"
    );
    assert_eq!(written, expected);
    place.modelhost(&["lock"]).code(0).says("+ model bert: 1 file");
    place.modelhost(&["run", "--locked"]).code(0);
    // A second time is a duplicate, and nothing is written.
    place
        .modelhost(&["model", "add", "models/bert"])
        .code(2)
        .says("model `bert` is defined twice")
        .says("modelhost.toml:");
    assert_eq!(place.read("modelhost.toml"), expected);
}

#[test]
fn comments_and_formatting_stay() {
    let place = Place::new();
    let ours = "# ours\nversion   = 1   # one\n\n[gate]\nfail-on='high'";
    place.write("modelhost.toml", ours).write("m/model.safetensors", model::safetensors(8));
    place.modelhost(&["model", "add", "m/model.safetensors", "--name", "m"]).code(0);
    let written = place.read("modelhost.toml");
    assert!(written.starts_with(ours));
    assert!(written.ends_with("\n\n[[model]]\nname = \"m\"\npath = \"m/model.safetensors\"\n"));
    // From a folder below, paths are those of the configuration.
    place.write("m/n/model.safetensors", model::safetensors(9));
    let output = place.command(&["model", "add", "n"]).current_dir(place.path().join("m")).output();
    place.said(&output.expect("modelhost starts")).code(0);
    assert!(place.read("modelhost.toml").ends_with("name = \"n\"\npath = \"m/n\"\n"));
    place.write("o/model.safetensors", model::safetensors(10));
    place.modelhost(&["model", "add", "o", "--file", "models.d/o.toml"]).code(0);
    assert_eq!(place.read("models.d/o.toml"), "[[model]]\nname = \"o\"\npath = \"o\"\n");
}

#[test]
fn a_snapshot_of_the_hub_says_what_it_is() {
    let place = Place::new();
    let snapshot = format!("hub/models--org--bert/snapshots/{COMMIT}");
    place.write("hub/models--org--bert/blobs/x", model::safetensors(8));
    std::fs::create_dir_all(place.path().join(&snapshot)).expect("folders");
    std::os::unix::fs::symlink(
        "../../blobs/x",
        place.path().join(&snapshot).join("model.safetensors"),
    )
    .expect("a link");
    place.modelhost(&["model", "add", &snapshot]).code(0);
    let expected = format!(
        "version = 1\n\n[[model]]\nname = \"bert\"\npath = \"{snapshot}\"\nsource = \
         \"hf:org/bert\"\nrevision = \"{COMMIT}\"\n"
    );
    assert_eq!(place.read("modelhost.toml"), expected);
    place.modelhost(&["lock"]).code(0);
    place.modelhost(&["run", "--locked"]).code(0);
    // A snapshot that is named by a branch is of no revision.
    place.write("hub/models--org--other/snapshots/main/model.safetensors", model::safetensors(9));
    place
        .modelhost(&["model", "add", "hub/models--org--other/snapshots/main"])
        .code(2)
        .says("`main` is not an immutable revision");
}

#[test]
fn what_can_not_be_defined_says_what_to_do() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    let outside = place.path().parent().expect("a parent").join("outside");
    std::fs::create_dir_all(&outside).expect("a folder");
    std::os::unix::fs::symlink(&outside, place.path().join("link")).expect("a link");
    let rows: [(&[&str], &str, &str); 10] = [
        (&["hf:org/name"], "is a source, and modelhost fetches nothing", "hf download org/name"),
        (&["oci:host/name"], "is a source", "oras pull host/name@sha256:"),
        (&["https://host/m.gguf"], "is a source", "curl -fLO https://host/m.gguf"),
        (&["nowhere"], "there is nothing at nowhere", "name the model's folder or file"),
        (&["../outside"], "is outside of [work]", "put the model there"),
        (&["link"], "is outside of [work]", "put the model there"),
        (
            &["m", "--source", "hf:org/m", "--revision", "v1.2"],
            "is not an immutable revision",
            "moved",
        ),
        (&["m", "--revision", "86f7e43"], "is not a whole revision", "moved"),
        (&["m", "--license", "whatever it is"], "license", "SPDX"),
        (&["m", "--file", "../x.toml"], "no run reads definitions from ../x.toml", "models.d"),
    ];
    for (args, message, help) in rows {
        let args: Vec<&str> = ["model", "add"].iter().chain(args).copied().collect();
        place.modelhost(&args).code(2).says(message).says(help);
        assert!(!place.path().join("modelhost.toml").exists(), "{args:?}");
    }
}

#[test]
fn a_models_own_checks_are_required() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    let defined = |checks: &str| {
        place.write(
            "modelhost.toml",
            format!("version = 1\n[[model]]\nname = \"m\"\npath = \"m\"\nchecks = [{checks}]\n"),
        );
        place.modelhost(&["run", "-o", "json"])
    };
    defined("").code(0);
    // It has no license: worth a word, and more where it is required to have one.
    let said = defined("\"license\"");
    said.code(1);
    assert_eq!(said.json()["models"][0]["checks"], serde_json::json!(["license"]));
    defined("\"none-such\"").code(2).says("modelhost.toml:5").says("is not in this run");
}
