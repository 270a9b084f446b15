//! Owns the run over the labelled corpus, where it is there.
#![expect(clippy::disallowed_methods, reason = "the corpus is made and read on disk")]

use std::path::{Path, PathBuf};
use std::process::Command;

use modelhost_check::Severity;
use modelhost_plugin_formats::judge::{Judgement, judge};

/// Formats that other bundled checks judge; this one may leave them alone, but
/// must not call them clean.
const OTHERS: &[&str] = &["hf-repo", "nemo", "torchserve-mar"];
/// Formats whose malicious cases this check must deny.
const OURS: &[&str] = &["safetensors", "onnx", "savedmodel", "keras-h5", "keras-zip"];
/// Formats whose malformed cases this check must not pass over.
const BROKEN: &[&str] = &["safetensors", "gguf", "npy", "onnx", "keras-h5"];

fn generated() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.is_dir() {
        return None;
    }
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    let status = Command::new("python3").arg(corpus.join("generate.py")).arg(&out).output();
    status.is_ok_and(|output| output.status.success()).then_some(out)
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).expect("the corpus was just made");
    entries.flat_map(|entry| files(&entry.expect("it can be listed").path())).collect()
}

#[test]
fn the_corpus_is_judged_as_labelled() {
    let Some(out) = generated() else {
        eprintln!("skipped: ../shared not present");
        return;
    };
    let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let mut wrong = Vec::new();
    for case in manifest["cases"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let (format, label) = (text("format"), text("label"));
        let (mut worst, mut failed, mut clean) = (None, false, Vec::new());
        for file in files(&out.join(text("path"))) {
            match judge(&std::fs::read(&file).unwrap()) {
                Judgement::NotOurs(_) => {}
                Judgement::Unsupported(_) | Judgement::Unreadable(_) => failed = true,
                Judgement::Walked(name, defects) => {
                    let severity = |defect: &modelhost_plugin_formats::found::Defect| {
                        defect.severity.unwrap_or(defect.rule.severity())
                    };
                    let here = defects.iter().map(severity).max();
                    if here.is_none_or(|severity| severity < Severity::High) {
                        clean.push(name);
                    }
                    worst = worst.max(here);
                }
            }
        }
        let denied = worst >= Some(Severity::High);
        let right = match label {
            "benign" => worst < Some(Severity::Medium) && !failed,
            "malicious" if OURS.contains(&format) => denied,
            "malicious" if OTHERS.contains(&format) || format == "gguf" => true,
            "malicious" => denied || clean.is_empty(),
            _ if BROKEN.contains(&format) => denied || failed,
            _ => denied || failed || clean.is_empty(),
        };
        if !right {
            wrong
                .push(format!("{}: worst {worst:?}, failed {failed}, clean {clean:?}", text("id")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
