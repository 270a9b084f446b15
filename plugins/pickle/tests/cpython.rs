//! What CPython's own unpickler names when it loads damaged pickles, the check must have seen.
#![expect(clippy::disallowed_methods, reason = "the cases lie in files")]

mod support;

use std::path::Path;
use std::process::Command;

use modelhost_check::{Answer, Severity};
use modelhost_plugin_pickle::globals::{Tier, judge};
use support::{findings, run, shown, worst};

/// Names as the script writes them: module and name in hex, joined by a colon.
fn names(field: &str) -> Vec<(String, String)> {
    let text = |hex: &str| {
        let bytes = (0..hex.len() / 2)
            .map(|n| u8::from_str_radix(&hex[n * 2..n * 2 + 2], 16).expect("hex"));
        String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
    };
    let pairs = field.split(',').filter_map(|pair| pair.split_once(':'));
    pairs.map(|(module, name)| (text(module), text(name))).collect()
}

#[test]
fn nothing_that_cpython_names_is_missed() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpython.py");
    let folder =
        std::env::temp_dir().join(format!("modelhost-pickle-cpython-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let made = Command::new("python3").arg(&script).arg(&folder).args(["1", "6000"]).output();
    let Ok(made) = made else {
        println!("skipped: no python3");
        return;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let cases = std::fs::read_to_string(folder.join("cases.txt")).expect("cases");
    let (mut counted, mut missed) = (0, String::new());
    for case in cases.lines() {
        let fields: Vec<&str> = case.split(' ').collect();
        let harmful = |field: &str| {
            let plain = |text: &str| {
                !text.is_empty()
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
            };
            let denied =
                |module: &str, name: &str| !matches!(judge(module, name), Tier::Allowed(_));
            names(field)
                .iter()
                .any(|(module, name)| plain(module) && plain(name) && denied(module, name))
        };
        let bytes = std::fs::read(folder.join(fields[0])).expect("a case");
        let answer = run(&bytes);
        // A text that names something and breaks before it calls it may remain a text.
        let claimed = matches!(answer, Ok(Answer::Checked(_)));
        if harmful(fields[2]) || (claimed && harmful(fields[1])) {
            counted += 1;
            let found = findings(answer);
            if worst(&found) < Some(Severity::High) {
                missed.push_str(&format!(
                    "\n{:?}{}",
                    String::from_utf8_lossy(&bytes),
                    shown(&found)
                ));
            }
        }
    }
    drop(std::fs::remove_dir_all(&folder));
    assert!(counted > 1000, "only {counted} cases name anything");
    assert!(missed.is_empty(), "{missed}");
}
