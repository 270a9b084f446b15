//! What people see, held in snapshots, and what they never may see.

use super::*;
use crate::domain::decision::ReasonKind;
use crate::domain::finding::Severity;
use crate::domain::report::Ending;
use crate::domain::report::Judgement;
use crate::domain::verdict::{Failure, FailureCode};
use crate::report::testing;

fn written(report: &Report, style: Style) -> String {
    let mut out = Vec::new();
    write(report, &testing::timings(), &mut out, &style).expect("a Vec takes everything");
    String::from_utf8(out).expect("it is UTF-8")
}

fn plain(report: &Report) -> String {
    written(report, Style::default())
}

fn verbose(report: &Report) -> String {
    written(report, Style { verbosity: Verbosity::Verbose, ..Style::default() })
}

#[test]
fn a_run_without_configuration_says_what_it_would_take() {
    insta::assert_snapshot!(plain(&testing::zero_configuration()));
}

#[test]
fn a_run_without_digests_says_what_it_is_not_bound_to() {
    let text = plain(&testing::scan_only());
    assert!(text.contains(
        "\nnote: scan only: this report is bound to no digest of any file; left out, since they ask for digests: checksum, provenance\n"
    ), "{text}");
    let quiet = Style { verbosity: Verbosity::Quiet, ..Style::default() };
    assert!(written(&testing::scan_only(), quiet).contains("not judged, no digests | "), "{text}");
}

#[test]
fn a_run_with_something_of_everything() {
    insta::assert_snapshot!(plain(&testing::everything()));
}

#[test]
fn a_run_with_something_of_everything_told_at_length() {
    insta::assert_snapshot!(verbose(&testing::everything()));
}

#[test]
fn a_run_in_color() {
    let style = Style { color: true, ..Style::default() };
    let text = written(&testing::zero_configuration(), style);
    insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
    assert_eq!(anstream_free(&text), plain(&testing::zero_configuration()));
}

/// Takes the color escapes out.
fn anstream_free(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').expect("an escape ends in m").1;
    }
    out + rest
}

#[test]
fn names_that_would_act_are_shown() {
    let report = testing::hostile();
    insta::assert_snapshot!(plain(&report));
    for text in [plain(&report), verbose(&report)] {
        let acts = |c: char| c != '\n' && (c.is_control() || ['\u{202e}', '\u{2028}'].contains(&c));
        assert!(!text.contains(acts), "{text}");
        let decisions = text.lines().filter(|line| line.contains(" denied, ")).count();
        assert_eq!(decisions, 1, "{text}");
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
        }
    }
}

#[test]
fn quiet_is_the_last_line() {
    for report in [testing::zero_configuration(), testing::everything(), testing::hostile()] {
        let quiet = written(&report, Style { verbosity: Verbosity::Quiet, ..Style::default() });
        assert_eq!(quiet.lines().count(), 1);
        assert!(plain(&report).ends_with(&quiet));
        assert!(verbose(&report).ends_with(&quiet));
    }
}

#[test]
fn an_interrupted_run_says_so() {
    let mut report = testing::zero_configuration();
    report.decision = Decision::Incomplete;
    report.reasons = vec![crate::domain::decision::Reason {
        decision: Decision::Incomplete,
        model: None,
        kind: ReasonKind::Interrupted,
    }];
    report.tasks.clear();
    insta::assert_snapshot!(plain(&report));
}

#[test]
fn an_empty_run_says_so() {
    let mut report = testing::report(&[], Vec::new(), Vec::new());
    report.decision = Decision::Incomplete;
    report.reasons = vec![crate::domain::decision::Reason {
        decision: Decision::Incomplete,
        model: None,
        kind: ReasonKind::Nothing,
    }];
    insta::assert_snapshot!(plain(&report));
}

/// Many files, each with a finding and an error of its own, stay a short report.
#[test]
fn a_report_on_many_files_is_short() {
    let files: Vec<_> =
        (0..5000).map(|n| testing::file(format!("f{n:04}"), 1, Judgement::No)).collect();
    let mut model = testing::model("m", files);
    model.findings = model
        .files
        .iter()
        .map(|file| {
            testing::finding(
                "gate/not-judged",
                Severity::Medium,
                "no plugin judges this file",
                Some(file.path.clone()),
            )
            .blocking()
        })
        .collect();
    let mut tasks = Vec::new();
    for file in &model.files {
        let changed = testing::finding(
            "checksum/changed",
            Severity::High,
            &format!("{} changed", file.path),
            Some(file.path.clone()),
        );
        tasks.push(testing::task(
            "checksum",
            "m",
            Some(file.path.as_str()),
            testing::checked(),
            vec![changed],
        ));
    }
    for file in &model.files {
        let trap = Failure::new(FailureCode::Trap, &format!("unreachable at {}", file.path));
        tasks.push(testing::task(
            "pickle",
            "m",
            Some(file.path.as_str()),
            Ending::Failed(trap),
            Vec::new(),
        ));
    }
    let mut report = testing::report(&["checksum", "pickle"], vec![model], tasks);
    report.decision = Decision::Deny;
    let not_judged = |file: &crate::domain::report::FileReport| {
        testing::reason(
            Decision::Incomplete,
            "m",
            ReasonKind::NotJudged { file: file.path.clone() },
        )
    };
    report.reasons = report.models[0].files.iter().map(not_judged).collect();
    let text = plain(&report);
    insta::assert_snapshot!(text);
    assert!(text.lines().count() < 60);
    let all = verbose(&report);
    assert!(report.models[0].files.iter().all(|file| all.matches(file.path.as_str()).count() >= 3));
}

/// What is said of a few places names each of them.
#[test]
fn four_places_are_named_and_five_are_folded() {
    for (number, expected) in [(1, 0), (3, 0), (4, 0), (5, 2), (40, 37)] {
        let files: Vec<_> =
            (0..number).map(|n| testing::file(format!("f{n}"), 1, Judgement::No)).collect();
        let findings: Vec<_> = files
            .iter()
            .map(|f| testing::finding("a/b", Severity::Low, "odd", Some(f.path.clone())))
            .collect();
        let tasks = vec![testing::task("a", "m", None, testing::checked(), findings)];
        let text = plain(&testing::report(&["a"], vec![testing::model("m", files)], tasks));
        assert_eq!(text.contains(&format!("and {expected} more files")), expected > 0, "{text}");
        assert_eq!(text.matches("-->").count(), number - expected, "{text}");
    }
}

#[test]
fn paths_are_shown_as_a_person_would_type_them() {
    let rows = [
        ("models/m", "a.bin", "models/m/a.bin"),
        ("models/m/", "a.bin", "models/m/a.bin"),
        ("models/a.bin", "a.bin", "models/a.bin"),
        ("a.bin", "a.bin", "a.bin"),
        (".", "a.bin", "a.bin"),
        ("", "a.bin", "a.bin"),
        ("/", "a.bin", "/a.bin"),
        ("m\n", "a.bin", "m\\n/a.bin"),
    ];
    for (folder, file, expected) in rows {
        let files = vec![testing::file(file, 1, Judgement::No)];
        let findings =
            vec![testing::finding("a/b", Severity::Low, "odd", Some(testing::path(file)))];
        let tasks = vec![testing::task("a", "m", None, testing::checked(), findings)];
        let mut model = testing::model("m", files);
        model.path = folder.to_owned();
        let text = plain(&testing::report(&["a"], vec![model], tasks));
        assert!(text.contains(&format!("--> {expected}\n")), "{text}");
    }
}

/// At length, too, a reason that many files share is told once.
#[test]
fn reasons_to_skip_are_told_once() {
    let skip = |plugin, file, reason| {
        let ending = Ending::NotApplicable(crate::domain::text::GuestText::capped(reason));
        testing::task(plugin, "m", file, ending, Vec::new())
    };
    let tasks = vec![
        skip("a", Some("x"), "another format"),
        skip("a", Some("y"), "another format"),
        skip("a", Some("z"), "too old"),
        skip("b", None, "no card"),
    ];
    let text = verbose(&testing::report(&["a", "b"], vec![testing::model("m", Vec::new())], tasks));
    for expected in ["another format (2 files)\n", "too old (z)\n", "no card\n"] {
        assert_eq!(text.matches(&format!("    not applicable: {expected}")).count(), 1, "{text}");
    }
}
