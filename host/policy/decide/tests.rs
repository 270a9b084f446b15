//! A row for each sentence of the design on how outcomes become a decision.

use super::*;
use crate::domain::evidence::Content::{self, Empty, LfsPointer, Other, Text};
use crate::domain::finding::Severity::{self, Critical, High, Info, Low, Medium};
use crate::domain::model::FilePath;
use crate::domain::plugin::{Manifest, Reads, Scope};
use crate::domain::report::Judgement;
use crate::domain::verdict::Outcome;
use crate::policy::testing::*;
use crate::policy::{Mode, NotJudged, PluginPolicy};

const NOW: u64 = 1_790_000_000;
const COMPANION: &str = "README: Companion";
const UNSATISFIED: &str = "incomplete: m unsatisfied c";

/// The sentence, the policy, the evidence, the decision, and what the report
/// says in short: reasons, verdicts, the gate's findings, judgements.
type Row = (&'static str, Policy, Run, Decision, &'static [&'static str]);

fn policy() -> Policy {
    Policy::default()
}

fn fail_on(fail_on: Severity) -> Policy {
    Policy { fail_on, ..policy() }
}

fn require(plugins: &[&str]) -> Policy {
    Policy { require: plugins.iter().map(|plugin| id(plugin)).collect(), ..policy() }
}

fn advise(plugins: &[&str]) -> Policy {
    let advise = PluginPolicy { mode: Mode::Advise, ..PluginPolicy::default() };
    Policy {
        plugins: plugins.iter().map(|plugin| (id(plugin), advise.clone())).collect(),
        ..policy()
    }
}

fn warn() -> Policy {
    Policy { not_judged: NotJudged::Warn, ..policy() }
}

/// A model `m` with a README, which no plugin needs to judge, and one check.
fn checked(outcome: Outcome) -> Run {
    Run::default()
        .plugin(manifest("c"))
        .model("m")
        .file("README", Text)
        .task("c", "m", None, outcome)
}

/// A model `m` with one file and one scanner.
fn scanned(content: Content, outcome: Outcome) -> Run {
    Run::default().plugin(scanner("s")).model("m").file("a", content).task(
        "s",
        "m",
        Some("a"),
        outcome,
    )
}

/// Tells a report in short lines.
fn short(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for reason in &report.reasons {
        let model = reason.model.as_ref().map_or("-", |model| model.as_str());
        let kind = match &reason.kind {
            ReasonKind::Failed { plugin, file } => format!("failed {plugin}{}", of(file.as_ref())),
            ReasonKind::Error { plugin, file, code } => {
                format!("error {plugin}{} {}", of(file.as_ref()), code.name())
            }
            ReasonKind::Unsatisfied { plugin } => format!("unsatisfied {plugin}"),
            ReasonKind::Empty => "empty".to_owned(),
            ReasonKind::NotJudged { file } => format!("not-judged {file}"),
            ReasonKind::Gate { rule, file } => format!("gate {rule}{}", of(file.as_ref())),
            ReasonKind::Unreadable { file } => format!("unreadable {file}"),
            ReasonKind::Changed { file } => format!("changed {file}"),
            ReasonKind::Interrupted => "interrupted".to_owned(),
            ReasonKind::Nothing => "nothing".to_owned(),
            ReasonKind::NotRun => "not-run".to_owned(),
        };
        lines.push(format!("{}: {model} {kind}", reason.decision.name()));
    }
    for task in &report.tasks {
        lines.push(format!("{} {}", task.plugin, task.verdict.name()));
    }
    for model in &report.models {
        for judged in &model.findings {
            let mark = if judged.denies {
                " denies"
            } else if judged.blocks {
                " blocks"
            } else {
                ""
            };
            lines.push(format!("{}{mark}", judged.finding.rule));
        }
        for file in &model.files {
            let word = match &file.judged {
                Judgement::By(plugins) => {
                    plugins.iter().map(|p| p.as_str()).collect::<Vec<_>>().join("+")
                }
                other => format!("{other:?}"),
            };
            lines.push(format!("{}: {word}", file.path));
        }
    }
    lines
}

fn of(file: Option<&FilePath>) -> String {
    file.map(|file| format!(" {file}")).unwrap_or_default()
}

fn check(rows: Vec<Row>) {
    for (sentence, policy, run, decision, expected) in rows {
        let report = decide(&policy, run.0, NOW);
        assert_eq!(short(&report), expected, "{sentence}");
        assert_eq!(report.decision, decision, "{sentence}");
        assert_eq!(report.now, NOW);
    }
}

#[test]
fn a_finding_at_or_above_the_bar_fails() {
    let deny: &[&str] = &["deny: m failed c", "c fail", COMPANION];
    let warn: &[&str] = &["c warn", COMPANION];
    let pass: &[&str] = &["c pass", COMPANION];
    let rows = [
        (High, vec![High], deny),
        (High, vec![Critical], deny),
        (High, vec![Info, Low, High], deny),
        (High, vec![Medium], warn),
        (High, vec![Low], warn),
        (High, vec![Info, Low], warn),
        (High, vec![Info], pass),
        (High, vec![], pass),
        (Critical, vec![High], warn),
        (Critical, vec![Critical], deny),
        (Medium, vec![Medium], deny),
        (Low, vec![Low], deny),
        (Low, vec![Info], pass),
        // The operator's word stands, even here.
        (Info, vec![Info], deny),
    ];
    let decision = |lines: &[&str]| {
        if lines == deny { Decision::Deny } else { Decision::Allow }
    };
    check(
        rows.into_iter()
            .map(|(bar, found_at, expected)| {
                let run = checked(found("c", &found_at));
                ("the bar", fail_on(bar), run, decision(expected), expected)
            })
            .collect(),
    );
}

#[test]
fn every_file_must_be_judged() {
    use Decision::{Allow, Incomplete};
    check(vec![
        (
            "a file is judged when a plugin that judges answered `checked`",
            policy(),
            scanned(Other, clean()),
            Allow,
            &["s pass", "a: s"],
        ),
        (
            "by each of them",
            policy(),
            scanned(Other, clean()).plugin(scanner("r")).task(
                "r",
                "m",
                Some("a"),
                found("r", &[Low]),
            ),
            Allow,
            &["r warn", "s pass", "a: r+s"],
        ),
        (
            "it is judged, too, where the judge says no",
            policy(),
            scanned(Other, found("s", &[High])),
            Decision::Deny,
            &["deny: m failed s a", "s fail", "a: s"],
        ),
        (
            "not applicable does not judge",
            policy(),
            scanned(Other, skipped()),
            Incomplete,
            &["incomplete: m not-judged a", "s skip", "gate/not-judged blocks", "a: No"],
        ),
        (
            "a judging task that ended in an error leaves the file not judged by it",
            policy(),
            scanned(Other, failed()),
            Incomplete,
            &[
                "incomplete: m error s a trap",
                "incomplete: m not-judged a",
                "s error",
                "gate/not-judged blocks",
                "a: No",
            ],
        ),
        (
            "the error of one stays, where another judged the file",
            policy(),
            scanned(Other, failed()).plugin(scanner("r")).task("r", "m", Some("a"), clean()),
            Incomplete,
            &["incomplete: m error s a trap", "r pass", "s error", "a: r"],
        ),
        (
            "a plugin that does not judge judges nothing",
            policy(),
            Run::default()
                .plugin(Manifest { judges: false, ..scanner("s") })
                .model("m")
                .file("a", Other)
                .task("s", "m", Some("a"), clean()),
            Incomplete,
            &["incomplete: m not-judged a", "s pass", "gate/not-judged blocks", "a: No"],
        ),
        (
            "one that reads nothing never judges",
            policy(),
            Run::default()
                .plugin(Manifest { reads: Reads::None, ..scanner("s") })
                .model("m")
                .file("a", Other)
                .task("s", "m", Some("a"), clean()),
            Incomplete,
            &["incomplete: m not-judged a", "s pass", "gate/not-judged blocks", "a: No"],
        ),
        (
            "nor does one that sees whole models",
            policy(),
            Run::default()
                .plugin(Manifest { scope: Scope::Model, ..scanner("s") })
                .model("m")
                .file("a", Other)
                .task("s", "m", None, clean()),
            Incomplete,
            &["incomplete: m not-judged a", "s pass", "gate/not-judged blocks", "a: No"],
        ),
        (
            "no task at all leaves a file not judged",
            policy(),
            Run::default().model("m").file("a", Other),
            Incomplete,
            &["incomplete: m not-judged a", "gate/not-judged blocks", "a: No"],
        ),
        (
            "plain text that no scanner claims is a companion",
            policy(),
            scanned(Text, skipped()),
            Allow,
            &["s skip", "a: Companion"],
        ),
        (
            "text that one claims is judged by it",
            policy(),
            scanned(Text, clean()),
            Allow,
            &["s pass", "a: s"],
        ),
        (
            "text on which a scanner failed may be one it would have claimed",
            policy(),
            scanned(Text, failed()),
            Incomplete,
            &[
                "incomplete: m error s a trap",
                "incomplete: m not-judged a",
                "s error",
                "gate/not-judged blocks",
                "a: No",
            ],
        ),
        (
            "a file of one model is not judged by the tasks of another",
            policy(),
            scanned(Other, clean()).model("n").file("a", Other),
            Incomplete,
            &["incomplete: n not-judged a", "s pass", "a: s", "gate/not-judged blocks", "a: No"],
        ),
        (
            "a git-lfs pointer is not judged, whatever a scanner says",
            policy(),
            scanned(LfsPointer, clean()),
            Incomplete,
            &["incomplete: m not-judged a", "s pass", "gate/lfs-pointer blocks", "a: LfsPointer"],
        ),
        (
            "an empty file beside others has nothing to judge",
            policy(),
            scanned(Other, clean()).file("b", Empty),
            Allow,
            &["s pass", "a: s", "b: Empty"],
        ),
        (
            "`not-judged = \"warn\"` says it, and lets through",
            warn(),
            scanned(Other, skipped()).file("b", LfsPointer),
            Allow,
            &["s skip", "gate/lfs-pointer", "gate/not-judged", "a: No", "b: LfsPointer"],
        ),
        (
            "but an error still blocks",
            warn(),
            scanned(Other, failed()),
            Incomplete,
            &["incomplete: m error s a trap", "s error", "gate/not-judged", "a: No"],
        ),
        (
            "a bar of medium doesn't make not-judged a denial",
            fail_on(Low),
            scanned(Other, skipped()),
            Incomplete,
            &["incomplete: m not-judged a", "s skip", "gate/not-judged blocks", "a: No"],
        ),
    ]);
}

#[test]
fn there_must_be_something_to_judge() {
    use Decision::{Allow, Incomplete};
    check(vec![
        ("no models", policy(), Run::default(), Incomplete, &["incomplete: - nothing"]),
        (
            "a model without files",
            policy(),
            Run::default().model("m"),
            Incomplete,
            &["incomplete: m empty", "gate/empty-model blocks"],
        ),
        (
            "a model of empty files, even where a scanner is content with them",
            warn(),
            scanned(Empty, clean()),
            Incomplete,
            &["incomplete: m empty", "s pass", "gate/empty-model blocks", "a: Empty"],
        ),
        (
            "one model beside an empty one",
            policy(),
            scanned(Other, clean()).model("n"),
            Incomplete,
            &["incomplete: n empty", "s pass", "a: s", "gate/empty-model blocks"],
        ),
        (
            "an info finding of the gate's doesn't fill a model",
            policy(),
            Run::default().model("m").gate("note", Info, None),
            Incomplete,
            &["incomplete: m empty", "gate/empty-model blocks", "gate/note"],
        ),
        (
            "a model of companions alone",
            policy(),
            checked(clean()),
            Allow,
            &["c pass", "README: Companion"],
        ),
    ]);
}

#[test]
fn a_models_own_checks_count_as_required_ones() {
    use Decision::{Allow, Deny, Incomplete};
    let of = |outcome| checked(outcome).checks(&["c"]);
    check(vec![
        ("pass satisfies", Policy::default(), of(clean()), Allow, &["c pass", COMPANION]),
        (
            "skip does not",
            Policy::default(),
            of(skipped()),
            Incomplete,
            &[UNSATISFIED, "c skip", "gate/not-satisfied blocks", COMPANION],
        ),
        (
            "named in both places it is missed once",
            require(&["c"]),
            of(skipped()),
            Incomplete,
            &[UNSATISFIED, "c skip", "gate/not-satisfied blocks", COMPANION],
        ),
        (
            "other models don't need it",
            Policy::default(),
            of(clean()).model("n").file("README", Text),
            Allow,
            &["c pass", COMPANION, COMPANION],
        ),
        (
            "what it misses denies",
            Policy::default(),
            of(lacking("c")),
            Deny,
            &["deny: m failed c", "c fail", COMPANION],
        ),
        (
            "and only where it is required",
            Policy::default(),
            checked(lacking("c")),
            Allow,
            &["c warn", COMPANION],
        ),
    ]);
}

#[test]
fn a_required_check_must_give_a_verdict() {
    use Decision::{Allow, Deny, Incomplete};
    check(vec![
        ("pass satisfies", require(&["c"]), checked(clean()), Allow, &["c pass", COMPANION]),
        (
            "warn satisfies",
            require(&["c"]),
            checked(found("c", &[Low])),
            Allow,
            &["c warn", COMPANION],
        ),
        (
            "fail satisfies, and denies",
            require(&["c"]),
            checked(found("c", &[High])),
            Deny,
            &["deny: m failed c", "c fail", COMPANION],
        ),
        (
            "skip does not",
            require(&["c"]),
            checked(skipped()),
            Incomplete,
            &[UNSATISFIED, "c skip", "gate/not-satisfied blocks", COMPANION],
        ),
        (
            "error does not",
            require(&["c"]),
            checked(failed()),
            Incomplete,
            &[
                "incomplete: m error c trap",
                UNSATISFIED,
                "c error",
                "gate/not-satisfied blocks",
                COMPANION,
            ],
        ),
        (
            "refused does not",
            require(&["c"]),
            checked(refused()),
            Incomplete,
            &[
                "incomplete: m error c refused",
                UNSATISFIED,
                "c error",
                "gate/not-satisfied blocks",
                COMPANION,
            ],
        ),
        (
            "no task does not",
            require(&["c"]),
            Run::default().plugin(manifest("c")).model("m").file("README", Text),
            Incomplete,
            &[UNSATISFIED, "gate/not-satisfied blocks", COMPANION],
        ),
        (
            "nor a plugin that isn't there",
            require(&["c"]),
            Run::default().model("m").file("README", Text),
            Incomplete,
            &[UNSATISFIED, "gate/not-satisfied blocks", COMPANION],
        ),
        (
            "nor a task of a plugin that takes no part",
            require(&["c"]),
            Run::default().model("m").file("README", Text).task("c", "m", None, clean()),
            Incomplete,
            &[
                "incomplete: m error c internal",
                UNSATISFIED,
                "c error",
                "gate/not-satisfied blocks",
                COMPANION,
            ],
        ),
        (
            "it is required of each model",
            require(&["c"]),
            checked(clean()).model("n").file("README", Text),
            Incomplete,
            &[
                "incomplete: n unsatisfied c",
                "c pass",
                COMPANION,
                "gate/not-satisfied blocks",
                COMPANION,
            ],
        ),
        (
            "of the tasks on single files one is enough, where none is in error",
            require(&["s"]),
            scanned(Other, clean()).file("b", Text).task("s", "m", Some("b"), skipped()),
            Allow,
            &["s pass", "s skip", "a: s", "b: Companion"],
        ),
        (
            "it satisfies `require` and still denies otherwise: deny outranks incomplete",
            require(&["c", "d"]),
            checked(found("c", &[Critical])),
            Deny,
            &[
                "deny: m failed c",
                "incomplete: m unsatisfied d",
                "c fail",
                "gate/not-satisfied blocks",
                COMPANION,
            ],
        ),
        ("what is missing is low", policy(), checked(lacking("c")), Allow, &["c warn", COMPANION]),
        (
            "and denies when its plugin is required",
            require(&["c"]),
            checked(lacking("c")),
            Deny,
            &["deny: m failed c", "c fail", COMPANION],
        ),
        (
            "a low finding of another rule does not",
            require(&["c"]),
            checked(found("c", &[Low])),
            Allow,
            &["c warn", COMPANION],
        ),
        (
            "nor what a plugin misses because another is required",
            require(&["d"]),
            checked(lacking("c")).plugin(manifest("d")).task("d", "m", None, clean()),
            Allow,
            &["c warn", "d pass", COMPANION],
        ),
    ]);
}

#[test]
fn advice_neither_denies_nor_blocks_nor_judges() {
    use Decision::{Allow, Deny, Incomplete};
    let both = Policy { require: require(&["c"]).require, ..advise(&["c"]) };
    check(vec![
        (
            "findings never deny",
            advise(&["c"]),
            checked(found("c", &[Critical])),
            Allow,
            &["c warn", COMPANION],
        ),
        (
            "an error never blocks",
            advise(&["c"]),
            checked(failed()),
            Allow,
            &["c error", COMPANION],
        ),
        ("nor does a refusal", advise(&["c"]), checked(refused()), Allow, &["c error", COMPANION]),
        (
            "what it checked is not judged by it",
            advise(&["s"]),
            scanned(Other, clean()),
            Incomplete,
            &["incomplete: m not-judged a", "s pass", "gate/not-judged blocks", "a: No"],
        ),
        (
            "it claims no text",
            advise(&["s"]),
            scanned(Text, clean()),
            Allow,
            &["s pass", "a: Companion"],
        ),
        (
            "nor does its error",
            advise(&["s"]),
            scanned(Text, failed()),
            Allow,
            &["s error", "a: Companion"],
        ),
        (
            "others are not touched by it",
            advise(&["x"]),
            checked(found("c", &[High])),
            Deny,
            &["deny: m failed c", "c fail", COMPANION],
        ),
        (
            "required and advisory is a mistake: what is required counts",
            both,
            checked(found("c", &[High])),
            Deny,
            &["deny: m failed c", "c fail", COMPANION],
        ),
    ]);
}

#[test]
fn an_error_is_not_judged() {
    use Decision::{Deny, Incomplete};
    check(vec![
        (
            "a trap",
            policy(),
            checked(failed()),
            Incomplete,
            &["incomplete: m error c trap", "c error", COMPANION],
        ),
        (
            "an ungranted import",
            policy(),
            checked(refused()),
            Incomplete,
            &["incomplete: m error c refused", "c error", COMPANION],
        ),
        (
            "an answer beyond what was read",
            policy(),
            Run::default().plugin(manifest("c")).model("m").file("README", Text).task_reading(
                "c",
                "m",
                None,
                clean(),
                SIZE - 1,
            ),
            Incomplete,
            &["incomplete: m error c not-read", "c error", COMPANION],
        ),
        (
            "what is not believed does not deny either",
            policy(),
            Run::default().plugin(manifest("c")).model("m").file("README", Text).task_reading(
                "c",
                "m",
                None,
                found("c", &[Critical]),
                1,
            ),
            Incomplete,
            &["incomplete: m error c not-read", "c error", COMPANION],
        ),
        (
            "a judge that skips a file unseen",
            policy(),
            Run::default().plugin(scanner("s")).model("m").file("a", Text).task_reading(
                "s",
                "m",
                Some("a"),
                skipped(),
                0,
            ),
            Incomplete,
            &[
                "incomplete: m error s a not-read",
                "incomplete: m not-judged a",
                "s error",
                "gate/not-judged blocks",
                "a: No",
            ],
        ),
        (
            "deny outranks it",
            policy(),
            checked(found("c", &[High])).plugin(manifest("d")).task("d", "m", None, failed()),
            Deny,
            &["deny: m failed c", "incomplete: m error d trap", "c fail", "d error", COMPANION],
        ),
    ]);
}

#[test]
fn what_the_gate_itself_found_counts() {
    use Decision::{Allow, Deny, Incomplete};
    let whole = || scanned(Other, clean());
    check(vec![
        (
            "a link that leaves the model denies",
            policy(),
            whole().gate("link-outside", High, Some("b")),
            Deny,
            &["deny: m gate link-outside b", "s pass", "gate/link-outside denies", "a: s"],
        ),
        (
            "below the bar, it is still an entry that nobody judged",
            fail_on(Critical),
            whole().gate("link-outside", High, Some("b")),
            Incomplete,
            &["incomplete: m not-judged b", "s pass", "gate/link-outside blocks", "a: s"],
        ),
        (
            "which the policy may let through with a warning",
            Policy { fail_on: Critical, ..warn() },
            whole().gate("link-outside", High, Some("b")),
            Allow,
            &["s pass", "gate/link-outside", "a: s"],
        ),
        (
            "on a file that was judged, it is a warning",
            policy(),
            whole().gate("odd", Medium, Some("a")),
            Allow,
            &["s pass", "gate/odd", "a: s"],
        ),
        (
            "on the model, likewise",
            policy(),
            whole().gate("odd", Medium, None),
            Allow,
            &["s pass", "gate/odd", "a: s"],
        ),
        (
            "a special file denies where nothing else is there",
            policy(),
            Run::default().model("m").gate("special-file", High, Some("pipe")),
            Deny,
            &["deny: m gate special-file pipe", "gate/special-file denies"],
        ),
        (
            "an unreadable file is incomplete, whatever the bar and the leniency",
            Policy { fail_on: Low, ..warn() },
            whole().gate("unreadable", Medium, Some("b")).unreadable("b"),
            Incomplete,
            &["incomplete: m unreadable b", "s pass", "gate/unreadable blocks", "a: s"],
        ),
        (
            "also where nothing was said of it",
            policy(),
            Run::default().model("m").unreadable("b"),
            Incomplete,
            &["incomplete: m unreadable b", "gate/unreadable blocks"],
        ),
        (
            "another finding on it is judged by its severity",
            policy(),
            whole().gate("link-outside", High, Some("b")).unreadable("b"),
            Deny,
            &[
                "deny: m gate link-outside b",
                "incomplete: m unreadable b",
                "s pass",
                "gate/link-outside denies",
                "gate/unreadable blocks",
                "a: s",
            ],
        ),
    ]);
}

#[test]
fn a_run_that_was_disturbed_allows_nothing() {
    use Decision::{Deny, Incomplete};
    check(vec![
        (
            "a file that changed takes the ground from under its answers",
            warn(),
            scanned(Other, clean())
                .file("b", Other)
                .task("s", "m", Some("b"), clean())
                .changed("a"),
            Incomplete,
            &[
                "incomplete: m error s a changed",
                "incomplete: m changed a",
                "s error",
                "s pass",
                "gate/changed blocks",
                "a: No",
                "b: s",
            ],
        ),
        (
            "and from under those on the whole model",
            policy(),
            checked(skipped()).changed("README"),
            Incomplete,
            &[
                "incomplete: m error c changed",
                "incomplete: m changed README",
                "c error",
                "gate/changed blocks",
                "README: No",
            ],
        ),
        (
            "but a no stays a no",
            policy(),
            scanned(Other, found("s", &[High])).changed("a"),
            Deny,
            &[
                "deny: m failed s a",
                "incomplete: m changed a",
                "s fail",
                "gate/changed blocks",
                "a: No",
            ],
        ),
        (
            "a file that changed and isn't listed any more",
            policy(),
            scanned(Other, clean()).changed("gone"),
            Incomplete,
            &["incomplete: m changed gone", "s pass", "gate/changed blocks", "a: s"],
        ),
        (
            "files that were not even hashed by then are not there, which makes no model empty",
            policy(),
            Run::default().model("m").interrupted(),
            Incomplete,
            &["incomplete: - interrupted"],
        ),
        (
            "interrupted",
            policy(),
            scanned(Other, clean()).interrupted(),
            Incomplete,
            &["incomplete: - interrupted", "s pass", "a: s"],
        ),
        (
            "interrupted after a no",
            policy(),
            scanned(Other, found("s", &[High])).interrupted(),
            Deny,
            &["deny: m failed s a", "incomplete: - interrupted", "s fail", "a: s"],
        ),
    ]);
}

/// A lone weights file that the scanners find clean, without any configuration.
#[test]
fn without_configuration_a_clean_file_is_allowed() {
    let run = scanned(Other, clean()).plugin(manifest("c")).task("c", "m", None, lacking("c"));
    check(vec![(
        "zero configuration",
        policy(),
        run,
        Decision::Allow,
        &["c warn", "s pass", "a: s"],
    )]);
}

#[test]
fn five_verdicts_of_up_to_four_checks() {
    type Outcomes = [(Verdict, fn(&str) -> Outcome); 5];
    let outcomes: Outcomes = [
        (Verdict::Pass, |_| clean()),
        (Verdict::Skip, |_| skipped()),
        (Verdict::Warn, |plugin| found(plugin, &[Medium])),
        (Verdict::Error, |_| failed()),
        (Verdict::Fail, |plugin| found(plugin, &[High])),
    ];
    let names = ["c0", "c1", "c2", "c3"];
    let mut cases = 0;
    for checks in 0..=4 {
        for code in 0..5_usize.pow(checks) {
            let picks: Vec<usize> =
                (0..checks).map(|check| code / 5_usize.pow(check) % 5).collect();
            // Each set of required and each of advisory checks; the last bit of
            // `required` stands for one that isn't in the run.
            for required in 0..1_usize << (checks + 1) {
                let mut policy = require(&[]);
                let mut run = Run::default().model("m").file("README", Text);
                let mut expected = Decision::Allow;
                for (index, pick) in picks.iter().enumerate() {
                    let (verdict, outcome) = outcomes[*pick];
                    run = run.plugin(manifest(names[index])).task(
                        names[index],
                        "m",
                        None,
                        outcome(names[index]),
                    );
                    let is_required = required & (1 << index) != 0;
                    if is_required {
                        policy.require.insert(id(names[index]));
                    }
                    expected = expected.max(match verdict {
                        Verdict::Fail => Decision::Deny,
                        Verdict::Error => Decision::Incomplete,
                        Verdict::Skip if is_required => Decision::Incomplete,
                        _ => Decision::Allow,
                    });
                }
                if required & (1 << checks) != 0 {
                    policy.require.insert(id("absent"));
                    expected = expected.max(Decision::Incomplete);
                }
                let report = decide(&policy, run.0, NOW);
                let verdicts: Vec<Verdict> = report.tasks.iter().map(|task| task.verdict).collect();
                assert_eq!(
                    verdicts,
                    picks.iter().map(|pick| outcomes[*pick].0).collect::<Vec<_>>()
                );
                assert_eq!(report.decision, expected, "{picks:?} {required:b}");
                assert_eq!(report.decision == Decision::Allow, report.reasons.is_empty());
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 2 + 5 * 4 + 25 * 8 + 125 * 16 + 625 * 32);
}

#[test]
fn findings_stand_worst_first_with_their_lock_line() {
    let run = checked(found("c", &[Low, Critical, Info, High]));
    let mut run =
        run.gate("odd", Low, Some("README")).gate("odd", Medium, None).locked(&["README"]);
    let gone = finding(crate::domain::finding::RuleId::gate("odd"), Info, Some("gone"));
    run.0.models[0].findings.push(gone);
    let report = decide(&warn(), run.0, NOW);
    let severities: Vec<_> =
        report.tasks[0].findings.iter().map(|judged| judged.finding.severity).collect();
    assert_eq!(severities, [Critical, High, Low, Info]);
    assert!(report.tasks[0].findings.iter().all(|judged| judged.lock_line == Some(10)));
    let lines: Vec<_> = report.models[0].findings.iter().map(|judged| judged.lock_line).collect();
    assert_eq!(lines, [Some(10), Some(11), Some(10)]);
    assert!(report.models[0].locked);
    assert_eq!(report.models[0].files[0].lock_line, Some(11));
}

#[test]
fn a_failure_names_a_way_out() {
    for outcome in [failed(), refused()] {
        let report = decide(&policy(), checked(outcome).0, NOW);
        let (Ending::Failed(failure) | Ending::Refused(failure)) = &report.tasks[0].ending else {
            panic!("it failed");
        };
        assert!(failure.help.is_some());
    }
}

#[test]
fn the_order_of_evidence_does_not_matter() {
    let run = scanned(Other, clean())
        .plugin(manifest("c"))
        .task("c", "m", None, found("c", &[Low]))
        .model("a")
        .file("b", Other)
        .file("a", Text)
        .task("s", "a", Some("b"), failed());
    let mut reversed = run.0.clone();
    reversed.models.reverse();
    reversed.tasks.reverse();
    reversed.plugins.reverse();
    reversed.models.iter_mut().for_each(|model| model.files.reverse());
    let (a, b) = (decide(&policy(), run.0, NOW), decide(&policy(), reversed, NOW));
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}
