//! Owns the run over the labelled corpus, where it is there.
#![expect(clippy::disallowed_methods, reason = "the corpus is made and read on disk")]

use std::path::{Path, PathBuf};
use std::process::Command;

use modelhost_check::Severity;
use modelhost_check::testing::Model;

use crate::support::{check, worst};

/// Cases that this check is there for.
const OURS: &[&str] =
    &["mal-gguf-chat_template_ssti_gguf", "mal-repo-chat_template", "mal-repo-auto_map"];

fn generated() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.is_dir() {
        return None;
    }
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus-code");
    let made = Command::new("python3").arg(corpus.join("generate.py")).arg(&out).output();
    made.is_ok_and(|output| output.status.success()).then_some(out)
}

fn with_files(mut model: Model, root: &Path, at: &Path) -> Model {
    if at.is_file() {
        let path = at.strip_prefix(root).expect("it lies inside");
        let path = if path.as_os_str().is_empty() { Path::new("file") } else { path };
        let bytes = std::fs::read(at).expect("it can be read");
        return model.file(path.to_str().expect("UTF-8"), bytes);
    }
    for entry in std::fs::read_dir(at).expect("the corpus was just made") {
        model = with_files(model, root, &entry.expect("it can be listed").path());
    }
    model
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
    let mut ours = 0;
    for case in manifest["cases"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let root = out.join(text("path"));
        let answer = check(&with_files(Model::new("case"), &root, &root));
        let worst = worst(&answer);
        let is_ours = OURS.contains(&text("id"));
        ours += usize::from(is_ours);
        let right = match text("label") {
            "benign" => worst < Some(Severity::Medium),
            _ if is_ours => worst >= Some(Severity::High),
            _ => true,
        };
        if !right {
            wrong.push(format!("{}: {:#?}", text("id"), answer.findings()));
        }
    }
    assert_eq!(ours, OURS.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
