//! What holds for every run: nothing that goes wrong helps a model through.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::domain::capability::Limit;
use crate::domain::evidence::Content;
use crate::domain::finding::{RuleId, Severity};
use crate::domain::plugin::{Manifest, Reads, Scope};
use crate::domain::verdict::{Answer, Failure, Outcome};
use crate::policy::testing::*;
use crate::policy::{Mode, NotJudged, PluginPolicy};

const PLUGINS: [&str; 4] = ["p0", "p1", "p2", "p3"];
const MODELS: [&str; 2] = ["m0", "m1"];
const FILES: [&str; 3] = ["f0", "f1", "f2"];

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

fn content() -> impl Strategy<Value = Content> {
    prop::sample::select(vec![
        Content::Empty,
        Content::Text,
        Content::LfsPointer,
        Content::Other,
        Content::Other,
    ])
}

fn outcome(plugin: &'static str) -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => prop::collection::vec(severity(), 0..3).prop_map(move |severities| found(plugin, &severities)),
        2 => Just(skipped()),
        1 => Just(lacking(plugin)),
        1 => Just(failed()),
        1 => Just(refused()),
    ]
}

fn any_manifest(plugin: &'static str) -> impl Strategy<Value = Manifest> {
    let reads = prop::sample::select(vec![Reads::Whole, Reads::Parts, Reads::None]);
    (any::<bool>(), any::<bool>(), reads).prop_map(move |(judges, single, reads)| Manifest {
        judges,
        scope: if single { Scope::File } else { Scope::Model },
        reads,
        ..manifest(plugin)
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let plugins = prop::collection::vec((any::<bool>(), prop::bool::weighted(0.3)), PLUGINS.len());
    (severity(), prop::bool::weighted(0.2), plugins).prop_map(|(fail_on, warn, plugins)| {
        let mut policy = Policy { fail_on, ..Policy::default() };
        if warn {
            policy.not_judged = NotJudged::Warn;
        }
        for (plugin, (required, advisory)) in PLUGINS.iter().zip(plugins) {
            if advisory {
                let advise = PluginPolicy { mode: Mode::Advise, ..PluginPolicy::default() };
                policy.plugins.insert(id(plugin), advise);
            } else if required {
                policy.require.insert(id(plugin));
            }
        }
        policy
    })
}

/// A run of one or two models with one to three files each, and plugins with
/// the tasks that a plan gives them, a few of them lost.
fn run() -> impl Strategy<Value = Run> {
    let models =
        prop::collection::vec(prop::collection::vec(content(), 1..=FILES.len()), 1..=MODELS.len());
    let plugins = PLUGINS.map(any_manifest);
    let reads = prop::sample::select(vec![0, 1, SIZE, SIZE, SIZE, SIZE]);
    let outcomes = PLUGINS.map(|plugin| {
        prop::collection::vec((outcome(plugin), reads.clone(), prop::bool::weighted(0.9)), 6)
    });
    let trouble = (
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.1),
        severity(),
    );
    (models, plugins, 0..=PLUGINS.len(), outcomes, trouble).prop_map(
        |(models, plugins, count, outcomes, trouble)| {
            let (interrupted, changed, entry, entry_severity) = trouble;
            let mut run = Run::default();
            for (model, files) in MODELS.iter().zip(&models) {
                run = run.model(model);
                for (file, content) in FILES.iter().zip(files) {
                    run = run.file(file, *content);
                }
            }
            if changed {
                run = run.changed(FILES[0]);
            }
            if entry {
                run = run.gate("link-outside", entry_severity, Some("link"));
            }
            for ((manifest, outcomes), plugin) in
                plugins.into_iter().zip(outcomes).zip(PLUGINS).take(count)
            {
                let scope = manifest.scope;
                run = run.plugin(manifest);
                let mut outcomes = outcomes.into_iter();
                for (model, files) in MODELS.iter().zip(&models) {
                    let views = match scope {
                        Scope::Model => vec![None],
                        Scope::File => {
                            FILES.iter().zip(files).map(|(file, _)| Some(*file)).collect()
                        }
                    };
                    for view in views {
                        let (outcome, read, planned) =
                            outcomes.next().expect("six are enough for two models of three files");
                        if planned {
                            run = run.task_reading(plugin, model, view, outcome, read);
                        }
                    }
                }
            }
            if interrupted { run.interrupted() } else { run }
        },
    )
}

fn decision(policy: &Policy, run: &Run) -> Decision {
    decide(policy, run.0.clone(), 0).decision
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, max_global_rejects: 1_000_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A failure in place of an outcome never lets through what was held back.
    #[test]
    fn a_failure_never_helps(policy in policy(), run in run(), pick in any::<Index>(), refuse in any::<bool>()) {
        prop_assume!(!run.0.tasks.is_empty());
        let before = decision(&policy, &run);
        let mut worse = run;
        let task = pick.index(worse.0.tasks.len());
        let plugin = worse.0.tasks[task].plugin.clone();
        worse.0.tasks[task].outcome = if refuse { refused() } else { failed() };
        let after = decision(&policy, &worse);
        prop_assert!(before == Decision::Allow || after != Decision::Allow);
        // And where the plugin counts, nothing is let through at all.
        prop_assert!(policy.is_advisory(&plugin) || after != Decision::Allow);
    }

    /// A required plugin whose tasks are lost never lets anything through.
    #[test]
    fn a_lost_check_never_helps(policy in policy(), run in run(), pick in any::<Index>()) {
        prop_assume!(!policy.require.is_empty());
        let required: Vec<_> = policy.require.iter().cloned().collect();
        let plugin = pick.get(&required);
        let mut worse = run;
        worse.0.tasks.retain(|task| task.plugin != *plugin);
        prop_assert_ne!(decision(&policy, &worse), Decision::Allow);
    }

    /// A plugin that reads less never lets through what was held back.
    #[test]
    fn reading_less_never_helps(policy in policy(), run in run(), pick in any::<Index>()) {
        prop_assume!(!run.0.tasks.is_empty());
        let before = decision(&policy, &run);
        let mut worse = run;
        let task = pick.index(worse.0.tasks.len());
        for seen in &mut worse.0.tasks[task].coverage {
            seen.coverage.read = 0;
            seen.start = false;
        }
        prop_assert!(before == Decision::Allow || decision(&policy, &worse) != Decision::Allow);
    }

    /// One finding more never makes a decision milder.
    #[test]
    fn a_finding_never_helps(policy in policy(), run in run(), pick in any::<Index>(), severity in severity()) {
        prop_assume!(!run.0.tasks.is_empty());
        let before = decision(&policy, &run);
        let mut worse = run;
        let task = pick.index(worse.0.tasks.len());
        let rule = RuleId::new(worse.0.tasks[task].plugin.clone(), "bad").expect("a rule");
        if let Outcome::Answered(Answer::Checked { findings, .. }) = &mut worse.0.tasks[task].outcome {
            findings.push(finding(rule, severity, None));
        }
        prop_assert!(decision(&policy, &worse) >= before);
    }

    /// Plugins that only advise have no say in the decision.
    #[test]
    fn advice_changes_nothing(policy in policy(), run in run()) {
        let mut without = run.clone();
        without.0.tasks.retain(|task| !policy.is_advisory(&task.plugin));
        prop_assert_eq!(decision(&policy, &run), decision(&policy, &without));
    }

    /// Nothing that disturbs a run lets anything through.
    #[test]
    fn a_disturbed_run_allows_nothing(policy in policy(), run in run(), interrupted in any::<bool>()) {
        let disturbed = if interrupted { run.interrupted() } else { run.changed(FILES[0]) };
        prop_assert_ne!(decision(&policy, &disturbed), Decision::Allow);
    }

    /// A stricter bar never makes a decision milder.
    #[test]
    fn a_lower_bar_is_stricter(policy in policy(), run in run(), other in severity()) {
        let (lower, higher) = (policy.fail_on.min(other), policy.fail_on.max(other));
        let at = |fail_on| decision(&Policy { fail_on, ..policy.clone() }, &run);
        prop_assert!(at(lower) >= at(higher));
    }

    /// What allows has no reasons, and what doesn't has them, worst first.
    #[test]
    fn a_decision_has_its_reasons(policy in policy(), run in run()) {
        let report = decide(&policy, run.0, 0);
        prop_assert_eq!(report.decision == Decision::Allow, report.reasons.is_empty());
        prop_assert!(report.reasons.is_sorted_by(|a, b| a.decision >= b.decision));
        prop_assert!(report.reasons.iter().all(|reason| reason.decision != Decision::Allow));
    }
}

/// The generator reaches every decision, so that the properties say something.
#[test]
fn the_generated_runs_reach_every_decision() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeMap::new();
    for _ in 0..2000 {
        let (policy, run) = (policy(), run()).new_tree(&mut runner).expect("a run").current();
        *seen.entry(decision(&policy, &run).name()).or_insert(0) += 1;
    }
    assert!(seen.len() == 3 && seen.values().all(|count| *count >= 20), "{seen:?}");
}

/// Failures of every kind block alike: no code is milder than another.
#[test]
fn no_failure_code_is_milder() {
    let codes = [
        FailureCode::Refused,
        FailureCode::Compile,
        FailureCode::Trap,
        FailureCode::BadAnswer,
        FailureCode::NotRead,
        FailureCode::Changed,
        FailureCode::InvalidSettings,
        FailureCode::Unreadable,
        FailureCode::Unsupported,
        FailureCode::Internal,
        FailureCode::Interrupted,
        FailureCode::Worker,
    ];
    let limits = Limit::ALL.map(FailureCode::Limit);
    for code in codes.into_iter().chain(limits) {
        let failure = Failure::new(code, "x");
        for outcome in [Outcome::Failed(failure.clone()), Outcome::Refused(failure)] {
            let run = Run::default()
                .plugin(manifest("c"))
                .model("m")
                .file("README", Content::Text)
                .task("c", "m", None, outcome);
            assert_eq!(decision(&Policy::default(), &run), Decision::Incomplete, "{code:?}");
        }
    }
}
