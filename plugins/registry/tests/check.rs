//! The whole check on models in memory, and its rules against the manifest.

use modelhost_check::testing::{self, Model, RegistrySet};
use modelhost_check::{Answer, Definition, Finding, MAX_FINDINGS, RegistryEntry, Standing};
use modelhost_plugin_registry::{Registry, report};
use serde_json::json;

fn run(model: &Model) -> Answer {
    let answer = testing::check::<Registry>(model, json!({})).expect("the check did its work");
    testing::manifest(include_str!("../plugin.toml")).assert_kept(model, &answer);
    answer
}

/// Shows the findings as `rule place: message`.
fn show(model: &Model) -> String {
    let show = |finding: &Finding| {
        let place = finding.location.file.as_deref().unwrap_or("-");
        format!("{} {place}: {}", finding.rule.name(), finding.message)
    };
    match run(model) {
        Answer::NotApplicable(reason) => reason,
        answer => answer.findings().iter().map(show).collect::<Vec<_>>().join("\n"),
    }
}

fn model() -> Model {
    Model::new("bert").file("a.bin", "aaaa").file("b.json", "{}").definition(defined("r1"))
}

fn defined(revision: &str) -> Definition {
    Definition {
        source: Some("hf:org/bert".into()),
        revision: Some(revision.into()),
        license: Some("MIT".into()),
    }
}

/// The tree digest of `model`.
fn tree() -> [u8; 32] {
    model().lock_as_is().view().lock().expect("it was locked").tree
}

fn entry(name: &str, tree: Option<[u8; 32]>, revision: &str) -> RegistryEntry {
    RegistryEntry {
        name: name.into(),
        source: Some("hf:org/bert".into()),
        revision: Some(revision.into()),
        tree,
        license: Some("MIT".into()),
        date: "2026-07-24".into(),
        reviewer: "@sec".into(),
        ..RegistryEntry::default()
    }
}

fn revoked(entry: RegistryEntry) -> RegistryEntry {
    RegistryEntry { standing: Standing::Revoked, reason: Some("it lies".into()), ..entry }
}

fn with(entries: impl IntoIterator<Item = RegistryEntry>) -> Model {
    model()
        .registry(entries.into_iter().fold(RegistrySet::new(), |set, entry| set.entry(entry, [])))
}

#[test]
fn rules_are_documented() {
    let manifest = testing::manifest(include_str!("../plugin.toml"));
    manifest.assert_rules(&report::RULES);
    manifest.assert_documented(include_str!("../RULES.md"));
}

#[test]
fn without_a_registry_it_has_no_say() {
    assert_eq!(show(&model()), "the policy names no trusted registry");
}

#[test]
fn an_entry_that_fits_is_no_finding() {
    let here = tree();
    for entries in [
        vec![entry("bert", Some(here), "r1")],
        vec![entry("other-name", Some(here), "r1")],
        vec![RegistryEntry {
            source: None,
            revision: None,
            license: None,
            ..entry("bert", Some(here), "")
        }],
        // The name of an older revision, and the entry of this one.
        vec![entry("bert", Some([1; 32]), "r0"), entry("bert-2", Some(here), "r1")],
        vec![revoked(entry("bert", Some([1; 32]), "r0")), entry("bert-2", Some(here), "r1")],
    ] {
        assert_eq!(show(&with(entries.clone())), "", "{entries:?}");
    }
    let listed = RegistrySet::new()
        .entry(entry("bert", None, "r1"), [("b.json", &b"{}"[..]), ("a.bin", b"aaaa")]);
    assert_eq!(show(&model().registry(listed)), "");
}

#[test]
fn differences_are_told_where_they_are() {
    let listed = |files: &[(&'static str, &'static [u8])]| {
        let set = RegistrySet::new().entry(entry("bert", None, "r1"), files.iter().copied());
        show(&model().registry(set))
    };
    let rows = [
        (
            show(&with([])),
            "unknown -: no entry of the trusted registry is about this model: nobody has said that it may be used",
        ),
        (
            show(&with([entry("bert", Some([0x11; 32]), "r1")])),
            "differs -: the model's files are not those of the approved entry bert, which has the tree digest sha256:1111111111111111111111111111111111111111111111111111111111111111",
        ),
        (
            show(&with([entry("bert", Some(tree()), "r2")])),
            "differs -: the revision is r1, and the approved entry bert has r2",
        ),
        (
            show(&with([RegistryEntry {
                source: Some("hf:evil/bert".into()),
                license: Some("GPL-3.0-only".into()),
                ..entry("bert", Some(tree()), "r1")
            }])),
            "differs -: the source is hf:org/bert, and the approved entry bert has hf:evil/bert\ndiffers -: the license is MIT, and the approved entry bert has GPL-3.0-only",
        ),
        (
            listed(&[("a.bin", b"aaab"), ("b.json", b"{} "), ("c.py", b"x")]),
            "differs a.bin: the file is sha256:61be55a8e2f6b4e172338bddf184d6dbee29c98853e0a0485ecee7f27b9af0b4, and the approved entry bert lists sha256:85e90f7f0e71079806469831895acd620133bbe0937cc5403562968bbc7d8d1e\n\
             differs b.json: the file has 2 bytes, and the approved entry bert lists it with 3\n\
             differs -: the approved entry bert lists c.py, and it is missing",
        ),
        (
            listed(&[("a.bin", b"aaaa")]),
            "differs b.json: the approved entry bert does not list the file: nobody reviewed it",
        ),
    ];
    for (found, expected) in rows {
        assert_eq!(found, expected);
    }
}

#[test]
fn what_is_revoked_is_told_under_any_name() {
    let here = tree();
    let rows = [
        (vec![revoked(entry("old", Some(here), "r9"))], "these very bytes"),
        (vec![revoked(entry("old", None, "r1"))], "this source and revision"),
        (vec![revoked(entry("bert", None, "r9"))], "the model of this name, with other bytes"),
        (
            vec![revoked(entry("old", None, "r1")), entry("bert", Some(here), "r1")],
            "this source and revision",
        ),
    ];
    for (entries, told) in rows {
        let name = if entries.iter().any(|entry| entry.name == "old") { "old" } else { "bert" };
        let expected =
            format!("revoked -: @sec revoked {told} on 2026-07-24 (entry {name}): it lies");
        assert_eq!(show(&with(entries.clone())), expected, "{entries:?}");
    }
}

#[test]
fn what_is_superseded_names_its_successor() {
    let old = RegistryEntry {
        standing: Standing::Superseded,
        reason: Some("it is old".into()),
        superseded_by: Some("bert-2".into()),
        ..entry("bert", Some(tree()), "r1")
    };
    let expected =
        "superseded -: bert-2 takes the place of the entry bert since 2026-07-24: it is old";
    assert_eq!(show(&with([old.clone()])), expected);
    let other = RegistryEntry { tree: Some([0x22; 32]), ..old };
    assert!(show(&with([other])).contains("\ndiffers -: "));
}

#[test]
fn a_locked_model_that_is_not_defined_is_found_by_its_lock_entry() {
    let set = RegistrySet::new().entry(revoked(entry("old", None, "r1")), []);
    let model = model().lock_as_is().definition(Definition::default()).registry(set);
    assert!(show(&model).starts_with("revoked -: @sec revoked this source and revision"));
}

#[test]
fn states_facts() {
    let model = with([entry("bert", Some(tree()), "r1")]);
    let Answer::Checked(said) = run(&model) else { panic!("not checked") };
    let facts: Vec<_> =
        said.facts().iter().map(|fact| format!("{}={}", fact.key, fact.value)).collect();
    let zeros = "0".repeat(64);
    assert_eq!(
        facts.join(" "),
        format!(
            "sequence=1 entry=bert entry-digest=sha256:{zeros} status=approved reviewer=@sec reviewed=2026-07-24"
        )
    );
}

#[test]
fn many_differences_stay_within_the_bounds() {
    let model = (0..3_000).fold(Model::new("m"), |model, n| model.file(format!("f{n}"), "x"));
    let one = RegistryEntry { name: "m".into(), ..entry("m", None, "r1") };
    let model = model.registry(RegistrySet::new().entry(one, [("only", &b"1"[..])]));
    let answer = run(&model);
    assert!(answer.findings().len() < MAX_FINDINGS);
    let last = answer.findings().last().map(|finding| finding.message.clone());
    assert_eq!(last.as_deref(), Some("2501 more files differ from the approved entry m"));
}

#[test]
fn a_file_that_can_not_be_read_is_no_answer() {
    let model = with([entry("bert", Some(tree()), "r1")]).unreadable("a.bin");
    testing::check::<Registry>(&model, json!({})).expect_err("it can't be read");
}
