//! The trusted registry: its commands, and runs that are held to it.

use crate::support::command::Place;
use crate::support::model;

/// For nothing but these tests.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfWVBF8ercdqA5zlt
qda7XG4z7/4COCO9fmD8+vliBX6hRANCAASXTwwjIrcXUwSJa/r7HcZGmYoL+D7K
HY/Ayba2qQJohpb0An0YPtcDvyCyZ399ZUcwz1cuUf1CZKSPKZw1j/Hl
-----END PRIVATE KEY-----
";

/// The public half.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEl08MIyK3F1MEiWv6+x3GRpmKC/g+
yh2PwMm2tqkCaIaW9AJ9GD7XA78gsmd/fWVHMM9XLlH9QmSkjymcNY/x5Q==
-----END PUBLIC KEY-----
";

fn policy(registry: &str) -> String {
    format!(
        "version = 1\n[registry]\npath = \"registry/\"\n{registry}\n[[model]]\nname = \"a\"\npath = \"models/a\"\nsource = \"hf:org/a\"\nrevision = \"{}\"\nlicense = \"MIT\"\n",
        "1".repeat(40)
    )
}

fn place() -> Place {
    let place = Place::new();
    place
        .write("models/a/model.safetensors", model::safetensors(8))
        .write("models/a/README.md", "# A\n")
        .write("modelhost.toml", policy(""));
    place
}

/// A place whose model was approved.
fn approved() -> Place {
    let place = place();
    let said = place.modelhost(&["registry", "add", "a", "--reviewer", "@sec", "--now", NOW]);
    said.code(0).says("a: approved by @sec").says("sequence 0 -> 1");
    place
}

const NOW: &str = "2026-07-24T00:00:00Z";

fn run(place: &Place) -> crate::support::command::Said {
    place.modelhost(&["run", "--only", "registry", "--only", "formats"])
}

#[test]
fn an_approved_model_passes_and_a_changed_one_is_denied() {
    let place = approved();
    let entry = place.read("registry/a.toml");
    assert!(
        entry.contains("date = 2026-07-24\n") && entry.contains("license = \"MIT\"\n"),
        "{entry}"
    );
    run(&place).code(0);
    let report =
        place.modelhost(&["run", "--only", "registry", "--only", "formats", "-o", "json"]).json();
    let facts = report.to_string();
    assert!(facts.contains("approved") && facts.contains("@sec"), "{facts}");
    let mut bytes = model::safetensors(8);
    *bytes.last_mut().expect("a byte") ^= 1;
    place.write("models/a/model.safetensors", bytes);
    run(&place)
        .code(1)
        .says("high[registry/differs]")
        .says("models/a/model.safetensors")
        .says("the approved entry a lists sha256:");
    place.write("models/a/model.safetensors", model::safetensors(8));
    run(&place).code(0);
    place.write("models/a/extra.txt", "more");
    run(&place).code(1).says("nobody reviewed it");
}

#[test]
fn what_was_revoked_is_denied_under_any_name() {
    let place = approved();
    place
        .write("copies/b/model.safetensors", model::safetensors(8))
        .write("copies/b/README.md", "# A\n");
    let copy = || place.modelhost(&["run", "--only", "registry", "--only", "formats", "copies/b"]);
    copy().code(0);
    let revoke = ["registry", "revoke", "a", "--reason", "its \u{1b}[2Jweights lie", "--now", NOW];
    place.modelhost(&revoke).code(2).says("holds what can't be seen");
    let revoke = ["registry", "revoke", "a", "--reason", "its weights lie", "--now", NOW];
    place.modelhost(&revoke).code(0).says("a: approved -> revoked (its weights lie)");
    for said in [run(&place), copy()] {
        said.code(1).says("critical[registry/revoked]").says("its weights lie");
    }
    let again = ["registry", "add", "a", "--reviewer", "@sec"];
    place.modelhost(&again).code(2).says("--replace");
    place.modelhost(&[&again[..], &["--replace"]].concat()).code(0).says("a: was revoked");
    run(&place).code(0);
}

#[test]
fn a_superseded_model_is_a_warning_and_an_unknown_one_denies_where_required() {
    let place = approved();
    place.write("copies/b/model.safetensors", model::safetensors(9));
    place
        .modelhost(&["registry", "add", "copies/b", "--name", "a-2", "--reviewer", "@sec"])
        .code(0);
    let by = ["registry", "revoke", "a", "--superseded-by", "a-2", "--reason", "it is old"];
    place.modelhost(&by).code(0).says("a: approved -> superseded by a-2");
    run(&place).code(0).says("medium[registry/superseded]").says("move to a-2");
    place.write("copies/c/model.safetensors", model::safetensors(10));
    let unknown =
        || place.modelhost(&["run", "--only", "registry", "--only", "formats", "copies/c"]);
    unknown().code(0).says("registry/unknown");
    place.write("modelhost.toml", format!("{}[gate]\nrequire = [\"registry\"]\n", policy("")));
    unknown().code(1).says("registry/unknown");
}

#[test]
fn without_a_registry_nothing_changes() {
    let place = place();
    place.write("modelhost.toml", "version = 1\n");
    run(&place).code(0);
    place.modelhost(&["registry", "verify"]).code(2).says("names no registry");
}

#[test]
fn mistakes_are_told_with_their_line() {
    let place = approved();
    let good = place.read("registry/a.toml");
    place.write("registry/a.toml", good.replace("approved", "fine"));
    run(&place).code(2).says("registry/registry.toml:5").says("is not the listed one");
    place
        .modelhost(&["registry", "seal"])
        .code(2)
        .says("there is no status `fine`")
        .says("registry/a.toml:6");
    place.write("registry/a.toml", &good);
    place.write("registry/b.toml", &good);
    run(&place).code(2).says("registry/b.toml").says("`a` is the name of registry/a.toml as well");
    std::fs::remove_file(place.path().join("registry/b.toml")).expect("removed");
    run(&place).code(0);
    let set = place.read("registry/registry.toml");
    place.write("registry/registry.toml", set.replace("version = 1", "version = 7"));
    run(&place).code(2).says("registry/registry.toml:2").says("reads version 1");
    std::fs::remove_dir_all(place.path().join("registry")).expect("removed");
    let said = run(&place);
    said.code(2).says("registry");
    assert_eq!(said.stdout, "");
}

#[test]
fn a_signed_set_is_held_to_the_pinned_key() {
    let place = approved();
    place.write("keys/registry.key", KEY).write("keys/registry.pem", PUBLIC);
    let digest = sha256(PUBLIC.as_bytes());
    place.write(
        "modelhost.toml",
        policy(&format!("key = {{ path = \"keys/registry.pem\", digest = \"sha256:{digest}\" }}")),
    );
    run(&place).code(2).says("modelhost.toml:3").says("it is not signed");
    place.modelhost(&["registry", "verify"]).code(2).says("it is not signed");
    place
        .modelhost(&["registry", "sign", "--key", "keys/registry.key"])
        .code(0)
        .says("signed by sha256:");
    run(&place).code(0);
    place
        .modelhost(&["registry", "verify"])
        .code(0)
        .says("signed by a pinned key")
        .says("1 entries, 1 approved");
    place
        .modelhost(&["registry", "revoke", "a", "--reason", "r"])
        .code(0)
        .says("the signature is gone");
    run(&place).code(2);
    place
        .modelhost(&["registry", "sign", "--key", "keys/registry.pem"])
        .code(2)
        .says("no private key");
    place.modelhost(&["registry", "seal", "--key", "keys/registry.key"]).code(0);
    run(&place).code(1).says("registry/revoked");
    place.write("keys/registry.pem", "another");
    run(&place).code(2).says("not the one that is pinned");
}

#[test]
fn a_rollback_is_refused_unless_it_is_meant() {
    let place = approved();
    let old = (place.read("registry/registry.toml"), place.read("registry/a.toml"));
    place
        .modelhost(&["registry", "revoke", "a", "--reason", "r", "--now", NOW])
        .code(0)
        .says("sequence 1 -> 2");
    place.modelhost(&["lock"]).code(0).says("registry: sequence 2");
    assert!(place.read("modelhost.lock").contains("\n[registry]\nsequence = 2\n"));
    place.modelhost(&["lock", "--check"]).code(0);
    let locked = || place.modelhost(&["run", "--locked"]);
    locked().code(1).says("registry/revoked");
    place.write("registry/registry.toml", &old.0).write("registry/a.toml", &old.1);
    let said = locked();
    said.code(2).says("modelhost.lock:").says("its sequence is 1, and 2 is locked");
    assert_eq!(said.stdout, "");
    place.modelhost(&["lock"]).code(2).says("--allow-registry-rollback");
    place.modelhost(&["lock", "--allow-registry-rollback"]).code(0);
    locked().code(0);
    // The same sequence, and another set.
    place.modelhost(&["registry", "revoke", "a", "--reason", "other", "--now", NOW]).code(0);
    let set = place.read("registry/registry.toml").replace("sequence = 2", "sequence = 1");
    place.write("registry/registry.toml", set);
    locked().code(2).says("another one of the same sequence 1");
    place.write("modelhost.toml", policy("min-sequence = 5"));
    run(&place).code(2).says("the policy asks for 5 at least");
}

#[test]
fn plugins_in_this_process_see_the_same() {
    let place = approved();
    place.modelhost(&["registry", "revoke", "a", "--reason", "r"]).code(0);
    let here = ["run", "--only", "registry", "--only", "formats", "--isolation", "in-process"];
    place.modelhost(&here).code(1).says("critical[registry/revoked]");
}

fn sha256(bytes: &[u8]) -> String {
    modelhost::domain::digest::Digest::of(bytes).hex()
}

#[test]
fn a_change_of_the_registry_is_about_every_model() {
    let place = approved();
    let git = crate::support::git::Repository::new(&place);
    git.commit("approve it");
    let run = || place.modelhost(&["run", "--only", "registry", "--changed=main"]);
    run().code(0).says("0 of 1 model changed since main");
    let revoke = ["registry", "revoke", "a", "--reason", "leaked", "--reviewer", "@sec"];
    place.modelhost(&revoke).code(0);
    run().code(1).says("looks at all models: registry").says("critical[registry/revoked]");
}
