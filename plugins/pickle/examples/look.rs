//! Prints what the check finds in files and folders, without the host:
//!
//! ```text
//! cargo run --release -p modelhost-plugin-pickle --example look -- PATH…
//! ```
//!
//! A line for each file: the worst severity, the path; below it the findings. Folders are walked.

use std::path::{Path, PathBuf};

use modelhost_check::testing::{self, json};
use modelhost_check::{Answer, Severity};
use modelhost_plugin_pickle::Pickle;

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for whoever extends the check: paths in, findings out"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    for path in std::env::args().skip(1) {
        gather(Path::new(&path), &mut files)?;
    }
    files.sort();
    for path in files {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        let model = testing::Model::new("m").file(&name, std::fs::read(&path)?);
        let findings = match testing::check::<Pickle>(&model, json!({})) {
            Ok(Answer::Checked(observations)) => observations.findings().to_vec(),
            Ok(Answer::NotApplicable(_)) => {
                println!("not-applicable {}", path.display());
                continue;
            }
            Err(failure) => {
                println!("failed {} {failure:?}", path.display());
                continue;
            }
        };
        let worst: Option<Severity> = findings.iter().map(|finding| finding.severity).max();
        let worst = worst.map_or_else(|| "clean".to_owned(), |worst| format!("{worst:?}"));
        println!("{} {}", worst.to_lowercase(), path.display());
        for finding in findings {
            let member = finding.location.member.as_deref().unwrap_or("");
            println!(
                "  {:?}[{}] {member}@{} {}",
                finding.severity,
                finding.rule.name(),
                finding.location.offset.unwrap_or(0),
                finding.message
            );
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a tool that is told which paths to read")]
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            gather(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_path_buf());
    }
    Ok(())
}
