//! `modelhost lock` and `run --locked`.

use crate::support::command::Place;
use crate::support::component::{self, Guest};
use crate::support::model;

fn place() -> Place {
    let place = Place::new();
    place
        .write("models/a/model.safetensors", model::safetensors(8))
        .write("models/a/README.md", "# A\n");
    place.write("models/b/model.safetensors", model::safetensors(9));
    place.write(
        "modelhost.toml",
        "version = 1\n[[model]]\nname = \"a\"\npath = \"models/a\"\n[[model]]\nname = \"b\"\npath = \"models/b\"\n",
    );
    place
}

#[test]
fn locking_is_reproducible_and_checks_itself() {
    let place = place();
    place.modelhost(&["lock", "--check"]).code(1);
    place.modelhost(&["lock"]).code(0).says("2 models");
    let first = place.read("modelhost.lock");
    place.modelhost(&["lock"]).code(0).says("up to date");
    assert_eq!(first, place.read("modelhost.lock"));
    place.modelhost(&["lock", "--check"]).code(0);
    place.modelhost(&["run", "--locked"]).code(0);
}

#[test]
fn one_changed_file_changes_at_most_four_lines() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    let before = place.read("modelhost.lock");
    place.write("models/a/model.safetensors", model::safetensors(10));
    place.modelhost(&["lock", "--check"]).code(1).says("model a: model.safetensors differs");
    place.modelhost(&["lock", "models/a"]).code(0);
    let after = place.read("modelhost.lock");
    let changed = before.lines().filter(|line| !after.lines().any(|other| other == *line)).count();
    let added = after.lines().filter(|line| !before.lines().any(|other| other == *line)).count();
    assert!((1..=4).contains(&(changed + added)), "{before}\n{after}");
}

#[test]
fn a_changed_model_is_denied_with_its_line() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    place.write("models/a/model.safetensors", {
        let mut bytes = model::safetensors(8);
        *bytes.last_mut().expect("a byte") ^= 1;
        bytes
    });
    let said = place.modelhost(&["run", "--locked"]);
    said.code(1)
        .says("high[checksum/digest-mismatch]")
        .says("--> modelhost.lock:")
        .says("models/a/model.safetensors");
    place.write("models/a/extra.txt", "more");
    place.modelhost(&["run", "--locked"]).code(1).says("checksum/extra-file");
    std::fs::remove_file(place.path().join("models/b/model.safetensors")).expect("removed");
    place.write("models/b/README.md", "# B\n");
    place.modelhost(&["run", "--locked", "models/b"]).code(1).says("checksum/missing-file");
}

#[test]
fn drift_of_a_plugin_is_a_mistake_before_anything_runs() {
    let place = place();
    component::write(&place.path().join("plugins"), "guest", &Guest::read("honest-pass").plugin);
    let run = |more: &[&str]| {
        let args: Vec<&str> =
            ["run", "--locked", "--plugins", "plugins"].iter().chain(more).copied().collect();
        place.modelhost(&args)
    };
    place.modelhost(&["lock"]).code(0);
    let said = run(&[]);
    said.code(2).says("honest-pass").says("not locked");
    assert_eq!(said.stdout, "");
    place.modelhost(&["lock", "--plugins", "plugins"]).code(0);
    run(&[]).code(0);
    let other = component::manifest("honest-pass", "model", "none", false);
    let core = wat::parse_str(
        std::fs::read_to_string(crate::support::root().join("tests/guests/asks-documents.wat"))
            .expect("text"),
    );
    component::write(
        &place.path().join("plugins"),
        "guest",
        &component::plugin(&core.expect("a module"), &other),
    );
    run(&[]).code(2).says("modelhost.lock:").says("documents");
}

#[test]
fn a_lock_file_that_can_not_be_read_is_a_mistake() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    let good = place.read("modelhost.lock");
    let digest = good.split("sha256:").nth(1).expect("a digest")[..64].to_owned();
    let rows = [
        ("syntax", format!("{good}\n[[model")),
        ("unknown field", good.replacen("version = 1", "version = 1\nextra = 2", 1)),
        ("short digest", good.replacen(&digest, &digest[..60], 1)),
        ("wrong algorithm", good.replacen("sha256:", "md5:", 1)),
        ("wrong version", good.replacen("version = 1", "version = 99", 1)),
    ];
    for (what, text) in rows {
        place.write("modelhost.lock", &text);
        for args in [&["run"][..], &["run", "--locked"], &["lock", "--check"]] {
            let said = place.modelhost(args);
            said.code(2).says("modelhost.lock:");
            assert_eq!(said.stdout, "", "{what}");
        }
    }
}

#[test]
fn ci_locks_by_itself_where_there_is_a_lock_file() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    component::write(&place.path().join("plugins"), "guest", &Guest::read("honest-pass").plugin);
    let run = |ci: Option<&str>, more: &[&str]| {
        let args: Vec<&str> = ["run", "--plugins", "plugins"].iter().chain(more).copied().collect();
        let mut command = place.command(&args);
        if let Some(value) = ci {
            command.env("CI", value);
        }
        place.said(&command.output().expect("modelhost starts"))
    };
    run(None, &[]).code(0);
    run(Some("true"), &[]).code(2).says("honest-pass");
    run(Some("true"), &["--no-locked"]).code(0);
    run(Some("false"), &[]).code(0);
}
