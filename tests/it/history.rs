//! `modelhost history`: real repositories, odd ones, and none.

use std::path::Path;
use std::process::Command;

use crate::support::command::{Place, Said};
use crate::support::model;

/// Runs git in `folder` as `author` at a fixed time; none where there is no git.
fn git(folder: &Path, author: &str, args: &[&str]) -> Option<()> {
    let mut command = Command::new("git");
    command.current_dir(folder).args([
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    ]);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), author);
        command.env(format!("GIT_{role}_EMAIL"), "someone@example.org");
        command.env(format!("GIT_{role}_DATE"), "2026-03-04T05:06:07Z");
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let Ok(output) = command.args(args).output() else {
        eprintln!("skipped: git is not installed");
        return None;
    };
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

fn commit(place: &Place, author: &str, message: &str) -> Option<()> {
    git(&place.path(), author, &["add", "-A"])?;
    git(&place.path(), author, &["commit", "-q", "--allow-empty-message", "-m", message])
}

/// Runs `modelhost ARGS` where git can be found.
fn with_git(place: &Place, args: &[&str]) -> Said {
    let path = std::env::var_os("PATH").expect("a PATH");
    place.said(&place.command(args).env("PATH", path).output().expect("modelhost starts"))
}

const RUN: [&str; 5] = ["run", "--only", "formats", "--only", "pickle"];

fn policy(name: &str) -> String {
    format!("version = 1\n[[model]]\nname = \"{name}\"\npath = \"m\"\n")
}

/// A repository in which the model `m` was pinned by Ann, and pinned anew by somebody
/// of a hostile name.
fn repository() -> Option<Place> {
    let place = Place::new();
    git(&place.path(), "Ann", &["init", "-q"])?;
    place.write("m/model.safetensors", model::safetensors(8)).write("m/README.md", "# M\n");
    place.write("modelhost.toml", policy("m"));
    place.modelhost(&["lock", "--no-bundled"]).code(0);
    commit(&place, "Ann", "Pin m")?;
    place.write("other", "of no interest");
    commit(&place, "Ann", "Something else")?;
    place.write("m/model.safetensors", model::safetensors(9));
    place.modelhost(&["lock", "--no-bundled"]).code(0);
    commit(&place, "Eve\u{1b}[31m\u{202e} ##[x", "::error::")?;
    Some(place)
}

#[test]
fn commits_and_decisions_are_joined() {
    let Some(place) = repository() else { return };
    let log = ["--audit-log", "modelhost-audit.jsonl", "--actor", "carol"];
    place.modelhost(&[&RUN[..], &log].concat()).code(0);
    place.write("m/model.pkl", model::malicious_pickle());
    place.modelhost(&[&["lock", "--no-bundled"][..], &log].concat()).code(0);
    place.modelhost(&[&RUN[..], &log].concat()).code(1);
    let said = with_git(&place, &["history", "m"]);
    said.code(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines[0].starts_with("not committed "), "{}", said.stdout);
    assert!(lines[1].starts_with("    + model.pkl  "), "{}", said.stdout);
    assert!(lines[2].starts_with("    pinned 20") && lines[2].ends_with("by carol"), "{lines:#?}");
    assert!(lines[3].starts_with("    deny 20") && lines[3].contains("by carol"), "{lines:#?}");
    assert!(lines[4].starts_with("2026-03-04T05:06:07Z  "), "{lines:#?}");
    assert!(lines[4].contains("  Eve\\x1b[31m\\u{202e} \\x23#[x  model m: "), "{lines:#?}");
    assert!(lines[5].starts_with("    ~ model.safetensors  "), "{lines:#?}");
    assert!(lines[6].starts_with("    allow 20"), "{lines:#?}");
    assert!(lines[7].contains("  Ann  ") && lines[7].contains("model m: new "), "{lines:#?}");
    assert_eq!(lines.len(), 10, "{lines:#?}");
    assert!(said.stdout.is_ascii(), "{}", said.stdout);

    let json = with_git(&place, &["history", "m", "--json"]).code(0).json();
    let changes = json["changes"].as_array().expect("a list");
    let places: Vec<&str> = changes.iter().filter_map(|change| change["place"].as_str()).collect();
    assert_eq!(places, ["uncommitted", "commit", "commit"]);
    assert_eq!(changes[0]["decisions"][0]["decision"], "deny");
    assert_eq!(changes[0]["change"]["digest"]["old"], changes[1]["change"]["digest"]["new"]);
    assert_eq!(changes[1]["subject"], "\\x3a:error::");
    assert_eq!(changes[2]["change"]["files"].as_array().map(Vec::len), Some(2));
    let schema = place.modelhost(&["schema", "history"]).code(0).json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&json), "{json:#}");
}

#[test]
fn a_history_is_followed_through_renames_and_what_can_not_be_read() {
    let Some(place) = repository() else { return };
    // The model gets another name, the lock file another folder.
    place.write("modelhost.toml", policy("n"));
    place.modelhost(&["lock", "--no-bundled"]).code(0);
    commit(&place, "Ann", "Rename m").expect("git");
    std::fs::create_dir(place.path().join("sub")).expect("a folder");
    git(&place.path(), "Ann", &["mv", "modelhost.lock", "modelhost.toml", "m", "sub"])
        .expect("git");
    commit(&place, "Ann", "Move it").expect("git");
    let good = place.read("sub/modelhost.lock");
    place.write("sub/modelhost.lock", good.replace("version = 1", "version = 1\n<<<<<<< HEAD"));
    commit(&place, "Bob", "Break it").expect("git");
    place.write("sub/modelhost.lock", &good);
    commit(&place, "Bob", "Mend it").expect("git");
    let said = with_git(&place, &["history", "n", "--lock", "sub/modelhost.lock"]);
    said.code(0).says("renamed from m").says("the lock file can't be read: line").says("  Ann  ");
    said.says("Eve").says("model m: new").says("before this, the lock file can't be read");
    // By its old name, as far as it had that.
    with_git(&place, &["history", "m", "--lock", "sub/modelhost.lock"])
        .code(0)
        .says("model m: gone");
    // Broken as it is, its history is still told.
    place.write("sub/modelhost.lock", "nonsense");
    let said = with_git(&place, &["history", "n", "--lock", "sub/modelhost.lock"]);
    said.code(0).says("not committed").says("the lock file can't be read").says("renamed from m");
    let said = with_git(&place, &["history", "nn", "--lock", "sub/modelhost.lock"]);
    assert!(said.code == 0 || said.code == 2, "{said:?}");
}

#[test]
fn what_is_missing_of_a_history_is_said() {
    let Some(place) = repository() else { return };
    // No git.
    let said = place.modelhost(&["history", "m"]);
    said.code(0).says("note: git is not installed").says("not committed");
    // No repository.
    let other = Place::new();
    other.write("modelhost.lock", place.read("modelhost.lock"));
    let said = with_git(&other, &["history", "m"]);
    said.code(0).says("note: nothing is known of commits: git says: fatal: not a git repository");
    // No commit.
    git(&other.path(), "Ann", &["init", "-q"]).expect("git");
    with_git(&other, &["history", "m"]).code(0).says("note: ");
    // No such model, but one like it.
    with_git(&place, &["history", "mm"]).code(2).says("no model `mm` is or was in");
    // A part of the history.
    let shallow = Place::new();
    let url = format!("file://{}", place.path().display());
    let clone = ["clone", "-q", "--depth", "1", &url, "clone"];
    git(&shallow.path(), "Ann", &clone).expect("git");
    let said = with_git(&shallow, &["history", "m", "--lock", "clone/modelhost.lock"]);
    said.code(0).says("note: this clone is shallow").says("model m: new");
    // A broken log: what comes before is used, and it is said.
    let log = ["--audit-log", "a.jsonl", "--actor", "x"];
    place.modelhost(&[&RUN[..], &log].concat()).code(0);
    let log = place.read("a.jsonl");
    place.write("a.jsonl", log.clone() + "junk\n{}\n");
    let said = with_git(&place, &["history", "m", "--audit-log", "a.jsonl"]);
    said.code(1).says("is broken at line 3").says("allow 20");
}

#[test]
fn nothing_that_a_repository_configures_is_run() {
    let Some(place) = repository() else { return };
    let mark = place.path().join("ran");
    let program = place.path().join("program");
    place.write("program", format!("#!/bin/sh\ntouch {}\ncat\n", mark.display()));
    let mut permissions = std::fs::metadata(&program).expect("a file").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(&program, permissions).expect("it may be run");
    let program = program.display().to_string();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "pager.log",
        "diff.external",
        "diff.x.textconv",
        "diff.x.command",
        "filter.x.smudge",
        "gpg.program",
        "core.sshCommand",
        "core.askPass",
        "credential.helper",
        "uploadpack.packObjectsHook",
    ] {
        git(&place.path(), "Ann", &["config", key, &program]).expect("git");
    }
    git(&place.path(), "Ann", &["config", "log.showSignature", "true"]).expect("git");
    git(&place.path(), "Ann", &["config", "alias.log", &format!("!{program}")]).expect("git");
    place.write(".gitattributes", "* diff=x filter=x\n");
    place.write(".git/info/attributes", "* diff=x filter=x\n");
    with_git(&place, &["history", "m"]).code(0).says("Ann").says("Eve");
    assert!(!mark.exists(), "a program of the repository was run");
    // Nor a git that lies in the repository.
    std::fs::copy(place.path().join("program"), place.path().join("git")).expect("copied");
    let mut command = place.command(&["history", "m"]);
    place.said(&command.env("PATH", ".:").output().expect("modelhost starts")).code(0);
    assert!(!mark.exists(), "a program of the repository was run");
}
