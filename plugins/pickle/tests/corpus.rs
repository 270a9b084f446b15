//! The labelled corpora: every case of the formats that this check reads, in the one beside the repository and in the
//! project's own.
#![expect(clippy::disallowed_methods, reason = "the corpora lie in files")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use modelhost_check::{Answer, Finding, Severity};
use modelhost_plugin_pickle::log::{ALLOWED_BY_SETTINGS, RULES};
use support::{findings, run_named, shown, worst};

/// Formats that are this check's; others need only not be denied where they are benign.
const OURS: &[&str] = &[
    "pickle",
    "torch-zip",
    "torch-legacy",
    "joblib",
    "npy",
    "npz",
    "zip",
    "tar",
    "torchserve-mar",
    "nemo",
];
/// Groups of the project's own corpus that are this check's.
const GROUPS: &[&str] = &["pickle/", "container/"];
/// Cases of these groups whose harm is code beside the weights: the check `code` denies them.
const CODE: &[&str] = &["container/mlflow/loader"];

/// Makes a corpus, and judges each case; returns every finding, and how many cases were judged rightly.
fn judge(generator: &Path, ours: impl Fn(&serde_json::Value) -> bool) -> (Vec<Finding>, String) {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let out = std::env::temp_dir()
        .join(format!("modelhost-pickle-corpus-{}-{number}", std::process::id()));
    // Without `-B`, Python would leave compiled modules beside the generator.
    let made = Command::new("python3").arg("-B").arg(generator).arg(&out).output();
    assert!(made.is_ok_and(|made| made.status.success()), "python3 generate.py");
    let manifest = std::fs::read_to_string(out.join("manifest.json")).expect("the manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let mut counts: BTreeMap<(String, bool), (u32, u32)> = BTreeMap::new();
    let mut wrong = String::new();
    let mut every = Vec::new();
    for case in manifest["cases"].as_array().expect("cases") {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let (label, ours) = (text("label"), ours(case));
        let mut all = Vec::new();
        let mut failed = false;
        for path in files(&out.join(text("path"))) {
            let bytes = std::fs::read(&path).expect("a case");
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            match run_named(&name, &bytes) {
                // What no check judges is not called clean by the host.
                Err(_) => failed = true,
                Ok(Answer::NotApplicable(_)) if label == "malformed" => failed = true,
                answer => all.extend(findings(answer)),
            }
        }
        let worst = worst(&all);
        let right = match label.as_str() {
            "malicious" => worst >= Some(Severity::High),
            "benign" => worst < Some(Severity::Medium) && !failed,
            _ => failed || worst >= Some(Severity::High),
        };
        let count = counts.entry((label.clone(), ours)).or_default();
        count.0 += u32::from(right);
        count.1 += 1;
        if !right && (ours || label == "benign") {
            wrong.push_str(&format!("\n{} {}{}", label, text("id"), shown(&all)));
        }
        every.extend(all);
    }
    drop(std::fs::remove_dir_all(&out));
    let mut summary = String::new();
    for ((label, ours), (right, all)) in counts {
        let whose = if ours { "formats of this check" } else { "other formats" };
        summary.push_str(&format!("{label} ({whose}): {right} of {all}\n"));
    }
    assert!(wrong.is_empty(), "{summary}{wrong}");
    (every, summary)
}

#[test]
fn labelled_cases() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/generate.py");
    if !corpus.exists() {
        println!("skipped: ../shared not present");
        return;
    }
    let (_, summary) = judge(&corpus, |case| OURS.iter().any(|format| case["format"] == *format));
    println!("{summary}");
}

#[test]
fn own_cases_break_every_rule() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/generate.py");
    let (found, summary) = judge(&corpus, |case| {
        let id = case["id"].as_str().unwrap_or_default();
        GROUPS.iter().any(|group| id.starts_with(group)) && !CODE.contains(&id)
    });
    println!("{summary}");
    let broken: BTreeSet<&str> = found.iter().map(|finding| finding.rule.name()).collect();
    for rule in RULES.iter().filter(|&&rule| rule != ALLOWED_BY_SETTINGS) {
        assert!(broken.contains(rule.name()), "no case breaks {}", rule.name());
    }
    for finding in found {
        let cut = finding.message.ends_with("not shown");
        assert!(cut || finding.location.offset.is_some(), "{} has no place", finding.message);
        assert!(
            cut || finding.severity < Severity::Medium || finding.help.is_some(),
            "{} does not say what to do",
            finding.message
        );
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).expect("a folder") {
        found.extend(files(&entry.expect("an entry").path()));
    }
    found
}
