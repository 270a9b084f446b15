//! What is written is read back; what was changed, cut or made up is told.

use serde_json::{Value, json};

use super::*;
use crate::domain::report::Report;
use crate::report::json::{attested, digest, write};
use crate::report::testing;

fn written(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    write(report, &mut out).expect("a Vec takes everything");
    out
}

/// A report on names that would like to act, in the order in which a run has them.
fn hostile() -> Report {
    let mut report = testing::hostile();
    for model in &mut report.models {
        model.files.sort_by(|a, b| a.path.cmp(&b.path));
        let files = model.files.iter();
        model.tree = Some(TreeDigest::of(
            files.map(|file| (&file.path, file.size, file.digest.expect("a digest"))),
        ));
    }
    report
}

#[test]
fn what_is_written_is_read_back() {
    for report in [testing::zero_configuration(), testing::everything(), hostile()] {
        let bytes = written(&report);
        assert_eq!(digest(&report), Digest::of(&bytes));
        assert_eq!(
            read(&bytes).and_then(Document::attested).expect("it is one"),
            attested(&report).expect("it can be")
        );
    }
}

#[test]
fn what_is_bound_to_no_bytes_is_not_attested() {
    let nothing = testing::report(&[], Vec::new(), Vec::new());
    let mut cut = testing::zero_configuration();
    cut.models[0].files[0].digest = None;
    let none = Unattestable::NoDigest(cut.models[0].name.clone());
    let rows = [
        (testing::scan_only(), Unattestable::ScanOnly),
        (testing::trust_stat(), Unattestable::TrustStat),
        (nothing, Unattestable::Nothing),
        (cut, none),
    ];
    for (report, expected) in rows {
        assert_eq!(attested(&report), Err(expected.clone()));
        match read(&written(&report)).and_then(Document::attested) {
            Err(ReadError::Unattestable(found)) => assert_eq!(found, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn what_was_changed_is_told() {
    let good: Value = serde_json::from_slice(&written(&testing::everything())).expect("it is JSON");
    let zero: Value =
        serde_json::from_slice(&written(&testing::zero_configuration())).expect("it is JSON");
    let with = |report: &Value, pointer: &str, value: Value| {
        let mut report = report.clone();
        *report.pointer_mut(pointer).expect("a place") = value;
        report.to_string()
    };
    let twice = |pointer: &str| {
        let mut report = good.clone();
        let list = report.pointer_mut(pointer).and_then(Value::as_array_mut).expect("a list");
        list.push(list[0].clone());
        report.to_string()
    };
    let other = format!("sha256:{}", "0".repeat(64));
    let deep = "[".repeat(1_000_000);
    let rows = [
        (String::new(), "was cut off"),
        ("{}".to_owned(), "missing field `schema`"),
        ("[]".to_owned(), "no JSON report as"),
        ("no report".to_owned(), "no JSON, and so"),
        ("\u{1b}[2J".to_owned(), "no JSON, and so"),
        (deep.clone(), "no JSON report as"),
        (format!("{{\"schema\": \"modelhost-report/v1\", \"x\": {deep}"), "was cut off"),
        (format!("{{\"schema\": \"modelhost-report/v1\", \"models\": {deep}"), "was cut off"),
        (
            format!(
                "{{\"models\": {deep}{}, \"schema\": \"modelhost-report/v1\"}}",
                deep.replace('[', "]")
            ),
            "no JSON report as",
        ),
        (good.to_string().replacen('{', "{\"schema\": \"x\",", 1), "duplicate field"),
        (good.to_string() + "{}", "no JSON, and so"),
        (good.to_string()[..500].to_owned(), "was cut off"),
        (with(&good, "/schema", json!("modelhost-report/v2")), "its schema is"),
        (with(&good, "/schema", json!("v2\u{7}")), "its schema is `v2\\x07`"),
        (with(&good, "/modelhost", json!("one")), "`one`: "),
        (with(&good, "/now", json!("2026-01-31")), "no time"),
        (with(&good, "/decision", json!("allow")), "contradict each other"),
        (with(&good, "/decision", json!("maybe")), "`maybe`: it is none of allow, "),
        (with(&good, "/reasons", json!([])), "contradict each other"),
        (with(&zero, "/decision", json!("deny")), "contradict each other"),
        (with(&good, "/models", json!([])), "does not list"),
        (with(&good, "/models/1/tree", json!(other)), "tree digest of big"),
        (with(&good, "/models/1/files/0/digest", json!(other)), "tree digest of big"),
        (with(&good, "/models/1/files/0/size", json!(1)), "tree digest of big"),
        (with(&good, "/models/1/files/0/size", json!(-1)), "invalid value: integer `-1`"),
        (with(&good, "/models/1/files/0/path", json!("a")), "tree digest of big"),
        (with(&good, "/models/1/files/0/path", json!("../a")), "no path"),
        (with(&good, "/models/1/files/0/path", json!("/a")), "no path"),
        (with(&good, "/models/1/files/0/path", json!("a\u{1b}")), "no path"),
        (with(&good, "/models/1/files/0/path", json!("z")), "not sorted"),
        (with(&good, "/models/1/files/0/digest", json!("md5:00")), "starts with `sha256:`"),
        (with(&good, "/models/0/name", json!("\u{1b}")), "does not write it so"),
        (with(&good, "/models/0/name", json!("z")), "not sorted"),
        (with(&good, "/models/0/source", json!("a\nb")), "does not write it so"),
        (with(&good, "/inputs/lock/digest", json!("sha256:0")), "64 hex digits"),
        (with(&good, "/required/0", json!("no id")), "`no id`: "),
        (with(&good, "/fail_on", json!("never")), "none of info, low, "),
        (with(&good, "/plugins/0/id", json!("gate")), "`gate`: "),
        (with(&good, "/plugins/0/version", json!("new")), "`new`: "),
        (with(&good, "/plugins/0/id", json!("zzz")), "not sorted"),
        (with(&good, "/plugins/0/limits/fuel", json!([])), "expected u64"),
        (with(&good, "/tasks/0/plugin", json!("zzz")), "does not list"),
        (with(&good, "/tasks/0/model", json!("zzz")), "does not list"),
        (with(&good, "/tasks/0/verdict", json!("fine")), "none of pass, "),
        (with(&good, "/tasks/0/findings/0/fingerprint", json!("x")), "no fingerprint"),
        (with(&good, "/tasks/0/findings/0/rule", json!("Gate/x")), "`Gate/x`: it is no rule"),
        (with(&good, "/tasks/0/findings/0/rule", json!("x")), "`x`: it is no rule"),
        (with(&good, "/tasks/0/findings/0/severity", json!("huge")), "`huge`: it is none of "),
        (with(&good, "/tasks/0/findings/0/message", json!("\u{202e}")), "does not write it so"),
        (twice("/models"), "not sorted"),
        (twice("/plugins"), "not sorted"),
        (twice("/models/1/files"), "not sorted"),
    ];
    for (text, why) in rows {
        let error = read(text.as_bytes()).and_then(Document::attested).expect_err(why).to_string();
        let start: String = text.chars().take(80).collect();
        assert!(error.contains(why), "{start}: {error}");
        assert!(!error.contains(['\u{1b}', '\n']), "{error}");
    }
    // A field more is one of a later version that is read as this one.
    let more = good.to_string().replacen('{', "{\"more\": {\"a\": [1]},", 1);
    assert!(read(more.as_bytes()).is_ok());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>) {
        drop(read(&bytes));
        // Past the first brace, too.
        let start = br#"{"schema":"modelhost-report/v1","#;
        drop(read(&[start, bytes.as_slice()].concat()));
    }
}
