//! The whole check on models in memory, and its rules against the manifest.

use modelhost_check::testing::{self, Lock, Model};
use modelhost_check::{Answer, Definition, Failure, Finding, MAX_FINDINGS};
use modelhost_plugin_checksum::{Checksum, report};
use serde_json::json;
use sha2::{Digest as _, Sha256};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n";

fn hex(content: &str) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn run(model: &Model) -> Answer {
    let answer = testing::check::<Checksum>(model, json!({})).expect("the check did its work");
    testing::manifest(include_str!("../plugin.toml")).assert_kept(model, &answer);
    answer
}

/// Shows the findings as `rule path:line`, with `(lfs)` where the help says to pull.
fn findings(model: &Model) -> String {
    let show = |finding: &Finding| {
        let place = finding.location.file.as_deref().unwrap_or("-");
        let line = finding.location.line.map(|line| format!(":{line}")).unwrap_or_default();
        let help = finding.help.as_deref().unwrap_or_default();
        let pull = if help.contains("git lfs pull") { " (lfs)" } else { "" };
        format!("{} {place}{line}{pull}", finding.rule.name())
    };
    run(model).findings().iter().map(show).collect::<Vec<_>>().join(", ")
}

fn facts(model: &Model) -> String {
    let Answer::Checked(observations) = run(model) else { panic!("not checked") };
    let facts: Vec<_> =
        observations.facts().iter().map(|fact| format!("{}={}", fact.key, fact.value)).collect();
    facts.join(" ")
}

fn model() -> Model {
    Model::new("bert").file("a.bin", "aaaa").file("sub/b.bin", "bb").file("sub/empty", "")
}

#[test]
fn rules_are_documented() {
    let manifest = testing::manifest(include_str!("../plugin.toml"));
    manifest.assert_rules(&report::RULES);
    manifest.assert_documented(include_str!("../RULES.md"));
}

#[test]
fn against_the_lock() {
    let locked = || model().lock_as_is();
    let revision = |revision: &str| Definition {
        source: Some("hf:org/bert".into()),
        revision: Some(revision.into()),
        ..Definition::default()
    };
    let rows = [
        (locked(), ""),
        (model(), "not-locked -"),
        (Model::new("none"), "not-locked -"),
        (Model::new("none").lock_as_is(), ""),
        (locked().replace("a.bin", "aaab"), "digest-mismatch a.bin"),
        (locked().replace("a.bin", "aaaaa"), "size-mismatch a.bin"),
        (locked().replace("a.bin", ""), "size-mismatch a.bin"),
        (locked().replace("a.bin", POINTER), "size-mismatch a.bin (lfs)"),
        (locked().without("sub/b.bin"), "missing-file sub/b.bin"),
        (locked().file("sub/c.py", "x"), "extra-file sub/c.py"),
        (locked().file("SHA256SUMS", ""), "extra-file SHA256SUMS"),
        (locked().without("a.bin").file("A.bin", "aaaa"), "extra-file A.bin, missing-file a.bin"),
        (
            locked().replace("a.bin", "bb").replace("sub/b.bin", "aaaa"),
            "size-mismatch a.bin, size-mismatch sub/b.bin",
        ),
        (
            model().lock(Lock::new().bytes("a.bin", b"aaaa").tree([7; 32])),
            "lock-edited -, extra-file sub/b.bin, extra-file sub/empty",
        ),
        (model().definition(revision("1")).lock_as_is().definition(revision("1")), ""),
        (model().definition(revision("1")).lock_as_is().definition(revision("2")), "lock-stale -"),
        (locked().definition(revision("1")), "lock-stale -, lock-stale -"),
        (model().definition(revision("1")).lock_as_is().definition(Definition::default()), ""),
    ];
    for (model, expected) in rows {
        assert_eq!(findings(&model), expected, "{model:?}");
    }
}

#[test]
fn against_lists() {
    let sums = |content: String| model().file("SHA256SUMS", content).lock_as_is();
    let (a, b) = (hex("aaaa"), hex("bb"));
    let rows = [
        (sums(format!("{a}  a.bin\n{b} *sub/b.bin\nSHA256 (sub/empty) = {}\n", hex(""))), ""),
        (sums(format!("{b}  a.bin\n")), "sidecar-mismatch a.bin"),
        (sums(format!("{a}  a.bin\n\n{a}  gone.bin\n")), "sidecar-missing-file SHA256SUMS:3"),
        (sums(format!("{a}  ../a.bin\nwhat\n")), "sidecar-malformed SHA256SUMS:1"),
        (
            sums(format!("{}  a.bin\nwhat\n", &a[..32])),
            "sidecar-malformed SHA256SUMS:2, sidecar-unsupported SHA256SUMS:1",
        ),
        (sums(format!("{a}  a.bin\n{b}  a.bin\n")), "sidecar-mismatch a.bin"),
        (sums(String::new()), ""),
        (sums("\0\u{1}\u{7f}".into()), "sidecar-malformed SHA256SUMS:1"),
        (model().file("sub/b.bin.sha256", b.clone()).lock_as_is(), ""),
        (model().file("sub/b.bin.sha256", a.clone()).lock_as_is(), "sidecar-mismatch sub/b.bin"),
        (model().file("c.sha256", a.clone()).lock_as_is(), "sidecar-missing-file c.sha256:1"),
        (model().file("sub/CHECKSUMS", format!("{b}  b.bin\n{a}  ../a.bin\n")).lock_as_is(), ""),
        (
            sums(format!("{a}  a.bin\n")).replace("a.bin", POINTER).lock_as_is(),
            "sidecar-mismatch a.bin (lfs)",
        ),
        (
            model()
                .file("x\\\\y", "x")
                .file("SHA256SUMS", format!("\\{}  x\\\\y\n", hex("x")))
                .lock_as_is(),
            "",
        ),
        (
            model().sparse_file::<&str>("SHA256SUMS", (4 << 20) + 1, []).lock_as_is(),
            "sidecar-malformed SHA256SUMS",
        ),
    ];
    for (model, expected) in rows {
        assert_eq!(findings(&model), expected, "{model:?}");
    }
}

#[test]
fn states_facts() {
    assert_eq!(facts(&model()), "files=3");
    // The tree digest of the lock that `testing` makes is its own computation.
    let lock = model().lock_as_is().view().lock().expect("it was locked");
    let tree: String = lock.tree.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(facts(&model().lock_as_is()), format!("files=3 locked-files=3 tree=sha256:{tree}"));
    assert_eq!(facts(&model().lock_as_is().without("a.bin")), "files=2 locked-files=3");
    let listed = model().file("SHA256SUMS", format!("{}  a.bin\n{}  x\n", hex("aaaa"), hex("x")));
    assert_eq!(facts(&listed), "files=4 sidecar-files=1");
}

#[test]
fn an_unreadable_file_is_no_answer() {
    for model in [model().unreadable("a.bin"), model().file("SHA256SUMS", "").changed("SHA256SUMS")]
    {
        let failure = testing::check::<Checksum>(&model, json!({})).expect_err("it can't be read");
        assert!(matches!(failure, Failure::Unreadable(_)), "{failure}");
    }
    let failure = testing::check::<Checksum>(&model(), json!({ "x": 1 })).expect_err("no such key");
    assert!(matches!(failure, Failure::InvalidSettings(_)), "{failure}");
}

#[test]
fn a_flood_of_findings_stays_within_the_bounds_and_shows_the_worst() {
    let lines: String = (0..5000).map(|n| format!("{}  gone{n}\n", hex("x"))).collect();
    let model = model().file("SHA256SUMS", lines + &format!("{}  a.bin\n", hex("x")));
    let answer = run(&model);
    assert_eq!(answer.findings().len(), MAX_FINDINGS);
    assert!(answer.findings().iter().any(|finding| finding.rule.name() == "sidecar-mismatch"));
}
