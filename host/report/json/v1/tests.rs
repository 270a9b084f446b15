//! The format is held by its schema and by a frozen fixture.

use serde_json::Value;

use super::*;
use crate::report::json::{json_schema, write};
use crate::report::testing;

fn written(report: &Report) -> String {
    let mut out = Vec::new();
    write(report, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn reports() -> [Report; 6] {
    let mut bare = testing::report(&[], Vec::new(), Vec::new());
    bare.reasons = vec![
        decision::Reason {
            decision: decision::Decision::Incomplete,
            model: None,
            kind: ReasonKind::Nothing,
        },
        decision::Reason {
            decision: decision::Decision::Incomplete,
            model: None,
            kind: ReasonKind::Interrupted,
        },
    ];
    [
        testing::zero_configuration(),
        testing::scan_only(),
        testing::trust_stat(),
        testing::everything(),
        testing::hostile(),
        bare,
    ]
}

/// Forbids in `schema` what it doesn't name, so that a field that is written
/// and not described is found.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn what_is_written_fits_the_schema() {
    let mut schema = json_schema();
    jsonschema::meta::validate(&schema).expect("it is a schema");
    close(&mut schema);
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    for report in reports() {
        let value: Value = serde_json::from_str(&written(&report)).expect("it is JSON");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_is_none() {
    let validator = jsonschema::validator_for(&json_schema()).expect("it is a schema");
    let good: Value = serde_json::from_str(&written(&testing::everything())).expect("it is JSON");
    assert!(validator.is_valid(&good));
    let rows: [(&str, Value); 5] = [
        ("/schema", "modelhost-report/v2".into()),
        ("/decision", "maybe".into()),
        ("/tasks/0/verdict", Value::Null),
        ("/models/0/files/0/size", (-1).into()),
        ("/tasks/0/usage", Value::Null),
    ];
    for (pointer, value) in rows {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect("it is there") = value;
        assert!(!validator.is_valid(&bad), "{pointer}");
    }
}

/// Frozen: what version 1 once wrote it writes for ever. A change here is a new
/// field, or a mistake.
#[test]
fn the_format_is_frozen() {
    let version = format!("\"modelhost\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let text = written(&testing::everything());
    assert!(text.contains(&version));
    insta::assert_snapshot!("report-v1", text.replace(&version, "\"modelhost\": \"0.0.0\""));
    insta::assert_snapshot!(
        "report-v1-schema",
        serde_json::to_string_pretty(&json_schema()).expect("it is JSON")
    );
}

#[test]
fn text_is_inert_and_the_last_line_ends() {
    for report in reports() {
        let text = written(&report);
        assert!(text.ends_with("}\n"));
        assert!(!text.contains(|c: char| c != '\n' && c.is_control()), "{text}");
        // Not even behind an escape of JSON's own.
        assert!(!text.contains("\\u00") && !text.contains('\u{202e}'), "{text}");
        assert_eq!(text, written(&report));
    }
}

#[test]
fn the_summary_counts_a_file_once() {
    use crate::domain::verdict::FailureCode;
    let mut report = testing::everything();
    let summary = |report: &Report| summary::Summary::of(report);
    let before = summary(&report);
    assert_eq!(
        (before.denied, before.warnings, before.not_judged, before.not_judged_advisory),
        (3, 2, 7, 1)
    );
    assert_eq!((before.models, before.files, before.plugins, before.tasks), (2, 8, 4, 5));
    let incomplete = |kind| testing::reason(decision::Decision::Incomplete, "big", kind);
    let file = Some(testing::path("shard-0.bin"));
    // One more reason on a file that is counted, on a check that is counted,
    // and on the run.
    report.reasons.push(incomplete(ReasonKind::Error {
        plugin: testing::id("x"),
        file,
        code: FailureCode::Trap,
    }));
    report.reasons.push(incomplete(ReasonKind::Unsatisfied { plugin: testing::id("x") }));
    report.reasons.push(incomplete(ReasonKind::Interrupted));
    assert_eq!(summary(&report), before);
    report.reasons.push(incomplete(ReasonKind::Unsatisfied { plugin: testing::id("y") }));
    report.reasons.push(incomplete(ReasonKind::Empty));
    assert_eq!(summary(&report).not_judged, before.not_judged + 2);
}

/// A million tasks are written without a million values in memory.
#[test]
fn tasks_are_written_one_by_one() {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            if self.0 > 100_000 { Err(std::io::Error::other("full")) } else { Ok(bytes.len()) }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let tasks =
        (0..2000).map(|_| testing::task("a", "m", None, testing::checked(), Vec::new())).collect();
    let report = testing::report(&["a"], Vec::new(), tasks);
    let mut out = Count(0);
    let error = write(&report, &mut out).expect_err("it is full");
    assert_eq!(error.to_string(), "full");
    assert!(out.0 < 101_000, "it stopped at the first error");
}
