//! The labelled corpus of model files through the host and the bundled plugins:
//! malicious is denied, benign is allowed, malformed is never called clean.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::command::Place;
use crate::support::shared;

/// No case may take longer, tests side by side on a busy machine included.
const PATIENCE: Duration = Duration::from_secs(20);

/// Cases that no bundled plugin judges rightly yet, each with what is missing.
/// One that is judged rightly must leave this list.
const GAPS: [(&str, &str); 0] = [];

/// The project's own cases.
pub(crate) const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/generate.py");

/// Makes a corpus, and returns its cases.
pub(crate) fn corpus(generator: &Path, folder: &Path) -> Vec<Value> {
    // Without `-B`, Python would leave compiled modules beside the generator.
    let made =
        Command::new("python3").arg("-B").arg(generator).arg(folder).output().expect("python3");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).expect("the labels");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let cases = manifest["cases"].as_array().or_else(|| manifest.as_array()).expect("cases");
    cases.clone()
}

/// Returns how a case ended against its label; none where it ended well.
fn wrong(place: &Place, folder: &Path, case: &Value) -> Option<String> {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let path: PathBuf = folder.join(text("path"));
    let started = Instant::now();
    let said = place.modelhost(&["run", "-o", "json", path.to_str().expect("UTF-8")]);
    let took = started.elapsed();
    let right = match text("label") {
        "malicious" => said.code == 1,
        "benign" => said.code == 0 && !has_medium(&said.json()),
        "malformed" => matches!(said.code, 1 | 3),
        label => panic!("there is no label {label}"),
    };
    let slow = took > PATIENCE;
    (!right || slow).then(|| {
        format!(
            "{} ({}, {}): exit code {} after {took:.1?}",
            text("id"),
            text("label"),
            text("technique"),
            said.code
        )
    })
}

/// Whether a report has a finding of medium or above.
fn has_medium(report: &Value) -> bool {
    let worst = |finding: &Value| {
        matches!(finding["severity"].as_str(), Some("medium" | "high" | "critical"))
    };
    let holds =
        |of: &Value| of["findings"].as_array().is_some_and(|findings| findings.iter().any(worst));
    ["tasks", "models"]
        .iter()
        .any(|list| report[list].as_array().is_some_and(|list| list.iter().any(holds)))
}

#[test]
fn the_shared_corpus_is_judged_as_labelled() {
    let Some(shared) = shared("corpus") else { return };
    judge(&shared.join("generate.py"));
}

#[test]
fn the_own_corpus_is_judged_as_labelled() {
    judge(Path::new(OWN));
}

fn judge(generator: &Path) {
    let place = Place::new();
    let folder = place.path().join("corpus");
    let cases = corpus(generator, &folder);
    // Compiling the plugins is no part of judging a case.
    place.write("first.pkl", b"\x80\x04N.");
    assert_eq!(place.modelhost(&["run", "first.pkl"]).code, 0);
    let mut unexpected = Vec::new();
    let mut right = 0;
    for case in &cases {
        let gap = GAPS.iter().find(|(id, _)| case["id"] == *id);
        match (wrong(&place, &folder, case), gap) {
            (None, None) => right += 1,
            (None, Some((id, _))) => {
                unexpected.push(format!("{id} is judged rightly: take it off the list of gaps"))
            }
            (Some(_), Some((id, missing))) => eprintln!("gap: {id}: {missing}"),
            (Some(how), None) => unexpected.push(how),
        }
    }
    eprintln!("corpus: {right} of {} cases as labelled", cases.len());
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}
