//! What exceptions cover, and that they cover nothing else.

use proptest::prelude::*;

use super::*;
use crate::domain::decision::Decision;
use crate::domain::evidence::Content::{self, Other, Text};
use crate::domain::finding::Fingerprints;
use crate::domain::report::Report;
use crate::domain::verdict::{Answer, Outcome, Verdict};
use crate::domain::waiver::BaselineEntry;
use crate::policy::testing::*;
use crate::policy::{Mode, NotJudged, PluginPolicy, decide};

/// 2026-11-24, noon.
const NOW: u64 = 1_795_521_600;

fn day(text: &str) -> Date {
    Date::parse(text).expect("a day")
}

fn bad(severity: Severity, file: Option<&str>) -> Finding {
    finding(RuleId::new(id("c"), "bad").expect("a rule"), severity, file)
}

/// A model `m` with a README and weights, and a check that found `findings`.
fn found(findings: Vec<Finding>) -> Run {
    let answer = Outcome::Answered(Answer::Checked { findings, facts: Vec::new() });
    Run::default()
        .plugin(manifest("c"))
        .plugin(scanner("s"))
        .model("m")
        .file("README", Text)
        .file("weights", Other)
        .task("c", "m", None, answer)
        .task("s", "m", Some("weights"), clean())
}

/// The digest of the file `weights` in every run of `found`.
fn weights() -> Digest {
    Digest::of(b"weights")
}

fn tree() -> Digest {
    let report = decide(&Policy::default(), found(Vec::new()).0, NOW);
    report.models[0].tree.expect("a tree").digest()
}

fn waiver() -> Waiver {
    Waiver {
        rule: RuleId::new(id("c"), "bad").expect("a rule"),
        model: ModelName::new("m"),
        digest: weights(),
        file: None,
        fingerprint: None,
        reason: "looked at".to_owned(),
        owner: "@ml".to_owned(),
        added: Some(day("2026-11-01")),
        expires: day("2027-02-01"),
        line: 7,
    }
}

fn waived(waiver: Waiver) -> Policy {
    Policy { waivers: vec![Arc::new(waiver)], ..Policy::default() }
}

fn fingerprint(finding: &Finding) -> Fingerprint {
    Fingerprints::new(&ModelName::new("m"), None).next(finding)
}

fn baseline(findings: &[(&Finding, Digest)]) -> Policy {
    let entry = |(finding, digest): &(&Finding, Digest)| {
        let entry = BaselineEntry {
            rule: finding.rule.clone(),
            model: ModelName::new("m"),
            file: finding.location.file.clone(),
            digest: *digest,
        };
        (fingerprint(finding), entry)
    };
    let baseline = Baseline { entries: findings.iter().map(entry).collect() };
    Policy { baseline, ..Policy::default() }
}

/// The gate's own rules that a report tells of the model, sorted.
fn notes(report: &Report) -> Vec<&str> {
    let mut notes: Vec<_> =
        report.models[0].findings.iter().map(|judged| judged.finding.rule.name()).collect();
    notes.sort_unstable();
    notes
}

#[test]
fn a_waiver_covers_what_it_is_bound_to_until_its_last_day_is_over() {
    let high = |file| bad(Severity::High, file);
    let on_weights = || high(Some("weights"));
    let last = day("2027-02-01");
    type Row = (&'static str, Waiver, Finding, u64, WaiverState, &'static [&'static str]);
    let rows: Vec<Row> = vec![
        ("in force", waiver(), on_weights(), NOW, WaiverState::InUse, &[]),
        (
            "15 days left",
            waiver(),
            on_weights(),
            day("2027-01-17").last_second(),
            WaiverState::InUse,
            &[],
        ),
        (
            "14 days left",
            waiver(),
            on_weights(),
            day("2027-01-18").last_second(),
            WaiverState::Expiring,
            &["waiver-expiring"],
        ),
        (
            "a day before",
            waiver(),
            on_weights(),
            last.last_second() - 86_400,
            WaiverState::Expiring,
            &["waiver-expiring"],
        ),
        (
            "its last second",
            waiver(),
            on_weights(),
            last.last_second(),
            WaiverState::Expiring,
            &["waiver-expiring"],
        ),
        (
            "a second after",
            waiver(),
            on_weights(),
            last.last_second() + 1,
            WaiverState::Expired,
            &["waiver-expired"],
        ),
        (
            "a day after",
            waiver(),
            on_weights(),
            last.last_second() + 86_400,
            WaiverState::Expired,
            &["waiver-expired"],
        ),
        (
            "clock set back",
            waiver(),
            on_weights(),
            day("2026-10-31").last_second(),
            WaiverState::Early,
            &["waiver-early"],
        ),
        (
            "the day it was added",
            waiver(),
            on_weights(),
            day("2026-10-31").last_second() + 1,
            WaiverState::InUse,
            &[],
        ),
        (
            "without that day",
            Waiver { added: None, ..waiver() },
            on_weights(),
            0,
            WaiverState::InUse,
            &[],
        ),
        (
            "other bytes",
            Waiver { digest: Digest::of(b"old"), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::Stale,
            &["waiver-stale"],
        ),
        (
            "the tree, for a file",
            Waiver { digest: tree(), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::Stale,
            &["waiver-stale"],
        ),
        (
            "the tree, for the model",
            Waiver { digest: tree(), ..waiver() },
            high(None),
            NOW,
            WaiverState::InUse,
            &[],
        ),
        (
            "the tree, for a file that is gone",
            Waiver { digest: tree(), ..waiver() },
            high(Some("gone")),
            NOW,
            WaiverState::InUse,
            &[],
        ),
        (
            "its file",
            Waiver { file: Some(path("weights")), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::InUse,
            &[],
        ),
        (
            "another file",
            Waiver { file: Some(path("README")), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::Unused,
            &["waiver-unused"],
        ),
        (
            "its finding",
            Waiver { fingerprint: Some(fingerprint(&on_weights())), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::InUse,
            &[],
        ),
        (
            "another finding",
            Waiver { fingerprint: Some(fingerprint(&high(None))), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::Unused,
            &["waiver-unused"],
        ),
        (
            "another rule",
            Waiver { rule: RuleId::new(id("c"), "lack").expect("a rule"), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::Unused,
            &["waiver-unused"],
        ),
        (
            "another plugin's rule",
            Waiver { rule: RuleId::new(id("s"), "bad").expect("a rule"), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::Unused,
            &["waiver-unused"],
        ),
        (
            "a plugin that isn't here",
            Waiver { rule: RuleId::new(id("x"), "bad").expect("a rule"), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::NotTold,
            &[],
        ),
        (
            "another model",
            Waiver { model: ModelName::new("n"), ..waiver() },
            on_weights(),
            NOW,
            WaiverState::NotTold,
            &[],
        ),
    ];
    for (what, waiver, finding, now, state, expected) in rows {
        let report = decide(&waived(waiver), found(vec![finding]).0, now);
        let covers = matches!(state, WaiverState::InUse | WaiverState::Expiring);
        assert_eq!(report.waivers[0].state, state, "{what}");
        assert_eq!(report.waivers[0].covers, usize::from(covers), "{what}");
        let decision = if covers { Decision::Allow } else { Decision::Deny };
        assert_eq!(report.decision, decision, "{what}");
        assert_eq!(notes(&report), expected, "{what}");
        let task = &report.tasks[0];
        assert_eq!(task.verdict, if covers { Verdict::Warn } else { Verdict::Fail }, "{what}");
        assert_eq!(task.findings[0].exception.is_some(), covers, "{what}");
        assert_eq!(task.findings[0].denies, !covers, "{what}");
    }
}

#[test]
fn a_task_on_a_file_is_about_that_file() {
    let unnamed = finding(RuleId::new(id("s"), "bad").expect("a rule"), Severity::High, None);
    let answer = Outcome::Answered(Answer::Checked { findings: vec![unnamed], facts: Vec::new() });
    let mut run = found(Vec::new());
    run.0.tasks[1].outcome = answer;
    let rule = RuleId::new(id("s"), "bad").expect("a rule");
    let of = |digest, file: &str| {
        let waiver = Waiver { rule: rule.clone(), digest, file: Some(path(file)), ..waiver() };
        decide(&waived(waiver), run.0.clone(), NOW).decision
    };
    assert_eq!(of(weights(), "weights"), Decision::Allow);
    assert_eq!(of(tree(), "weights"), Decision::Deny);
    assert_eq!(of(weights(), "README"), Decision::Deny);
}

#[test]
fn notes_on_waivers_never_change_the_decision() {
    let strict = Policy { fail_on: Severity::Low, ..waived(Waiver { digest: tree(), ..waiver() }) };
    let report = decide(&strict, found(Vec::new()).0, NOW);
    assert_eq!((report.decision, notes(&report)), (Decision::Allow, vec!["waiver-unused"]));
}

#[test]
fn a_run_that_can_not_tell_calls_no_waiver_unused() {
    let unused = || waived(Waiver { file: Some(path("README")), ..waiver() });
    let of = |run: Run| decide(&unused(), run.0, NOW).waivers[0].state;
    assert_eq!(of(found(Vec::new())), WaiverState::Unused);
    assert_eq!(of(found(Vec::new()).interrupted()), WaiverState::NotTold);
    assert_eq!(of(found(Vec::new()).changed("weights")), WaiverState::NotTold);
    let mut failed_run = found(Vec::new());
    failed_run.0.tasks[0].outcome = failed();
    assert_eq!(of(failed_run), WaiverState::NotTold);
    let mut unhashed = found(vec![bad(Severity::High, None)]);
    unhashed.0.models[0].files.iter_mut().for_each(|file| file.entry.digest = None);
    assert_eq!(of(unhashed), WaiverState::NotTold);
}

#[test]
fn what_a_required_plugin_misses_can_be_waived() {
    let lack = RuleId::new(id("c"), "lack").expect("a rule");
    let policy = Policy {
        require: [id("c")].into(),
        ..waived(Waiver { rule: lack.clone(), digest: tree(), ..waiver() })
    };
    let run = found(vec![finding(lack, Severity::Low, None)]);
    assert_eq!(decide(&policy, run.0.clone(), NOW).decision, Decision::Allow);
    let without = Policy { waivers: Vec::new(), ..policy };
    assert_eq!(decide(&without, run.0, NOW).decision, Decision::Deny);
}

#[test]
fn the_baseline_covers_its_findings_and_not_one_more() {
    let (a, b) = (bad(Severity::High, Some("weights")), bad(Severity::High, Some("README")));
    let worst = bad(Severity::Critical, Some("weights"));
    let readme = Digest::of(b"README");
    let of = |policy: Policy, findings: Vec<Finding>| {
        let report = decide(&policy, found(findings).0, NOW);
        let shrinks = notes(&report) == ["baseline-shrinks"];
        assert_eq!(shrinks, report.baseline.gone > 0);
        (report.decision, report.baseline.covers, report.baseline.gone)
    };
    let both = || baseline(&[(&a, weights()), (&b, readme)]);
    assert_eq!(of(both(), vec![a.clone(), b.clone()]), (Decision::Allow, 2, 0));
    assert_eq!(of(both(), vec![a.clone()]), (Decision::Allow, 1, 1));
    assert_eq!(of(both(), Vec::new()), (Decision::Allow, 0, 2));
    // One more of the kind is one more finding.
    let one = || baseline(&[(&a, weights())]);
    assert_eq!(of(one(), vec![a.clone(), a.clone()]), (Decision::Deny, 1, 0));
    assert_eq!(of(one(), vec![a.clone(), b.clone()]), (Decision::Deny, 1, 0));
    // Bound to its bytes, and never for what does harm.
    assert_eq!(of(baseline(&[(&a, tree())]), vec![a.clone()]), (Decision::Deny, 0, 1));
    assert_eq!(of(baseline(&[(&worst, weights())]), vec![worst.clone()]), (Decision::Deny, 0, 0));
    // What does not deny is there, and needs no cover.
    let low = bad(Severity::Low, Some("weights"));
    assert_eq!(of(baseline(&[(&low, weights())]), vec![low.clone()]), (Decision::Allow, 0, 0));
}

#[test]
fn a_waiver_comes_before_the_baseline() {
    let a = bad(Severity::High, Some("weights"));
    let policy = Policy { waivers: vec![Arc::new(waiver())], ..baseline(&[(&a, weights())]) };
    let report = decide(&policy, found(vec![a]).0, NOW);
    assert_eq!(report.decision, Decision::Allow);
    assert_eq!((report.waivers[0].covers, report.baseline.covers, report.baseline.gone), (1, 0, 0));
}

#[test]
fn severities_are_the_policy_s_and_the_plugin_s_word_stays() {
    let say = |rule: &str, severity| PluginPolicy {
        severity: [(rule.to_owned(), severity)].into(),
        ..PluginPolicy::default()
    };
    let rows = [
        ("lowered", "bad", Severity::Low, Severity::High, Decision::Allow, Some(Severity::High)),
        ("raised", "bad", Severity::High, Severity::Low, Decision::Deny, Some(Severity::Low)),
        ("as it is", "bad", Severity::High, Severity::High, Decision::Deny, None),
        ("another rule", "lack", Severity::Low, Severity::High, Decision::Deny, None),
    ];
    for (what, rule, said, found_as, decision, original) in rows {
        let policy = Policy { plugins: [(id("c"), say(rule, said))].into(), ..Policy::default() };
        let report = decide(&policy, found(vec![bad(found_as, None)]).0, NOW);
        assert_eq!(report.decision, decision, "{what}");
        assert_eq!(report.tasks[0].findings[0].original, original, "{what}");
    }
    // What a required plugin misses denies, however bad it is said to be.
    let policy = Policy {
        require: [id("c")].into(),
        plugins: [(id("c"), say("lack", Severity::Info))].into(),
        ..Policy::default()
    };
    let lack = finding(RuleId::new(id("c"), "lack").expect("a rule"), Severity::Low, None);
    assert_eq!(decide(&policy, found(vec![lack]).0, NOW).decision, Decision::Deny);
}

#[test]
fn a_plugin_can_have_a_bar_of_its_own() {
    let bar = |fail_on| PluginPolicy { fail_on: Some(fail_on), ..PluginPolicy::default() };
    let of = |policy: Policy, severity| {
        let report = decide(&policy, found(vec![bad(severity, None)]).0, NOW);
        (report.decision, report.plugins[0].fail_on)
    };
    let policy =
        |fail_on| Policy { plugins: [(id("c"), bar(fail_on))].into(), ..Policy::default() };
    assert_eq!(of(policy(Severity::Low), Severity::Low), (Decision::Deny, Severity::Low));
    assert_eq!(
        of(policy(Severity::Critical), Severity::High),
        (Decision::Allow, Severity::Critical)
    );
    assert_eq!(of(Policy::default(), Severity::High), (Decision::Deny, Severity::High));
}

#[test]
fn a_required_plugin_that_does_not_apply_is_not_required_there() {
    let policy = Policy { require: [id("c")].into(), ..Policy::default() };
    let mut run = found(Vec::new());
    run.0.tasks.retain(|task| task.plugin != id("c"));
    let report = decide(&policy, run.0.clone(), NOW);
    assert_eq!((report.decision, notes(&report)), (Decision::Incomplete, vec!["not-satisfied"]));
    run.0.models[0].exempt = [id("c")].into();
    let report = decide(&policy, run.0.clone(), NOW);
    assert_eq!((report.decision, notes(&report)), (Decision::Allow, vec!["not-required"]));
    // Another one is.
    let policy = Policy { require: [id("c"), id("x")].into(), ..Policy::default() };
    assert_eq!(decide(&policy, run.0, NOW).decision, Decision::Incomplete);
}

/// A policy that excepts every finding that a run may have, in force for ever.
fn excepts_all(run: &Run, fail_on: Severity) -> Policy {
    let bare = decide(&Policy { fail_on, ..Policy::default() }, run.0.clone(), NOW);
    let mut policy = Policy { fail_on, ..Policy::default() };
    for task in &bare.tasks {
        let model = bare.models.iter().find(|model| model.name == task.model).expect("its model");
        for judged in &task.findings {
            let file = judged.finding.location.file.clone().or_else(|| task.file.clone());
            let Some(digest) = model.bound_digest(file.as_ref()) else {
                continue;
            };
            let rule = judged.finding.rule.clone();
            let entry =
                BaselineEntry { rule: rule.clone(), model: task.model.clone(), file, digest };
            policy.baseline.entries.insert(judged.fingerprint, entry);
            policy.waivers.push(Arc::new(Waiver {
                rule,
                model: task.model.clone(),
                digest,
                added: None,
                expires: day("9999-12-31"),
                ..waiver()
            }));
        }
    }
    policy
}

/// Outcomes that are no answer, or none that is believed.
fn trouble() -> impl Strategy<Value = u8> {
    0..6_u8
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is excepted: an error, a lost required check and a file that
    /// nobody judged never become `allow`.
    #[test]
    fn exceptions_never_help_what_is_no_finding(
        trouble in trouble(),
        severity in prop::sample::select(Severity::ALL.to_vec()),
        fail_on in prop::sample::select(Severity::ALL.to_vec()),
        file in prop::sample::select(vec![None, Some("README"), Some("weights"), Some("gone")]),
    ) {
        let mut run = found(vec![bad(severity, file)]);
        // What everything is excepted in, before the trouble and after it.
        let mut policy = excepts_all(&run, fail_on);
        policy.require = [id("c")].into();
        prop_assert_eq!(decide(&policy, run.0.clone(), NOW).decision, Decision::Allow);
        match trouble {
            0 => run.0.tasks[0].outcome = failed(),
            1 => run.0.tasks[1].outcome = refused(),
            2 => { run.0.tasks.remove(0); }
            3 => { run.0.tasks.remove(1); }
            4 => run = run.changed("weights"),
            _ => run = run.file("late", Content::LfsPointer),
        }
        let again = excepts_all(&run, fail_on);
        let waivers = policy.waivers.iter().chain(&again.waivers).cloned().collect();
        let entries = policy.baseline.entries.clone().into_iter().chain(again.baseline.entries).collect();
        let policy = Policy { waivers, baseline: Baseline { entries }, ..policy };
        prop_assert_ne!(decide(&policy, run.0, NOW).decision, Decision::Allow);
    }

    /// An exception changes the decision by what it covers alone: with every
    /// finding excepted, a run is at least as bad as without any finding.
    #[test]
    fn exceptions_are_no_better_than_no_finding(
        severities in prop::collection::vec(prop::sample::select(Severity::ALL.to_vec()), 0..3),
        advise in any::<bool>(),
        warn in any::<bool>(),
    ) {
        let run = found(severities.iter().map(|severity| bad(*severity, Some("weights"))).collect());
        let mut policy = excepts_all(&run, Severity::Info);
        if advise {
            policy.plugins.insert(id("s"), PluginPolicy { mode: Mode::Advise, ..PluginPolicy::default() });
        }
        if warn {
            policy.not_judged = NotJudged::Warn;
        }
        let with = decide(&policy, run.0, NOW).decision;
        let without = decide(&policy, found(Vec::new()).0, NOW).decision;
        prop_assert_eq!(with, without);
    }
}
