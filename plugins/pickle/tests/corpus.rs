//! The labelled corpus beside the repository: every case of the formats that this check reads.
#![expect(clippy::disallowed_methods, reason = "the corpus lies in files")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use modelhost_check::Severity;
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

#[test]
fn labelled_cases() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/generate.py");
    if !corpus.exists() {
        println!("skipped: ../shared not present");
        return;
    }
    let out = std::env::temp_dir().join(format!("modelhost-pickle-corpus-{}", std::process::id()));
    let made = Command::new("python3").arg(&corpus).arg(&out).output();
    assert!(made.is_ok_and(|made| made.status.success()), "python3 generate.py");
    let manifest = std::fs::read_to_string(out.join("manifest.json")).expect("the manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let mut counts: BTreeMap<(String, bool), (u32, u32)> = BTreeMap::new();
    let mut wrong = String::new();
    for case in manifest["cases"].as_array().expect("cases") {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let (label, ours) = (text("label"), OURS.contains(&text("format").as_str()));
        let mut all = Vec::new();
        let mut failed = false;
        for path in files(&out.join(text("path"))) {
            let bytes = std::fs::read(&path).expect("a case");
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            match run_named(&name, &bytes) {
                Err(_) => failed = true,
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
    }
    drop(std::fs::remove_dir_all(&out));
    for ((label, ours), (right, all)) in counts {
        println!(
            "{label} ({}): {right} of {all}",
            if ours { "formats of this check" } else { "other formats" }
        );
    }
    assert!(wrong.is_empty(), "{wrong}");
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
