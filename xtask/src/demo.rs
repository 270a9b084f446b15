//! `cargo xtask demo`: the set-up, then the example models through the gate, one after another.
//!
//! It owns what is expected of each example; making them is left to `examples.rs`, and every word
//! about a model to `modelhost`.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::term::{self, Steps};
use crate::workspace::Workspace;
use crate::{command, examples, setup};

/// An example and what the gate must say of it.
struct Case {
    /// The folder below `examples/`.
    folder: &'static str,
    /// What it shows.
    shows: &'static str,
    /// The exit code that it must end with.
    expected: i32,
    /// The word for that exit code.
    decision: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        folder: "clean-safetensors",
        shows: "safetensors weights as locked, with a card and an allowed license",
        expected: 0,
        decision: "allow",
    },
    Case {
        folder: "malicious-pickle",
        shows: "a pickle that runs a command when it is loaded",
        expected: 1,
        decision: "deny",
    },
    Case {
        folder: "changed-after-locking",
        shows: "weights that changed after they were locked",
        expected: 1,
        decision: "deny",
    },
];

/// Runs `cargo xtask demo`.
///
/// # Errors
/// When a step fails, or an example does not end as it must.
pub(crate) fn command(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::new(setup::STEPS + 1);
    let host = setup::run(workspace, &mut steps)?.host;
    steps.next(&format!("Gating the {} models under examples/", CASES.len()));
    if examples::ensure(workspace, &host)? {
        term::note("some of their files were missing: made anew");
    }
    let mut endings = Vec::new();
    for case in &CASES {
        endings.push((case, gate(workspace, &host, case)?));
    }
    summary(workspace, &host, &endings)
}

/// Gates one example the way a person in its folder would, and returns the exit code, or nothing
/// if a signal ended it.
fn gate(workspace: &Workspace, host: &Path, case: &Case) -> Result<Option<i32>> {
    let folder = workspace.root.join("examples").join(case.folder);
    term::heading(&format!("{}: {}", case.folder, case.shows));
    term::prompt(&format!("cd examples/{} && modelhost run", case.folder));
    let mut run = Command::new(host);
    run.arg("run").current_dir(&folder);
    // The demo shows what a person sees at home. In CI the plugins would be held to the lock file
    // too, and these pin the models alone.
    run.env_remove("CI");
    let code = command::status(&mut run)?.code();
    term::line(match code {
        Some(code) => format!("exit code {code}"),
        None => "ended by a signal".to_owned(),
    });
    Ok(code)
}

/// Says how each example ended and what to try next.
///
/// # Errors
/// When one ended otherwise than it must.
fn summary(workspace: &Workspace, host: &Path, endings: &[(&Case, Option<i32>)]) -> Result<()> {
    term::heading("What came out");
    let mut wrong = 0;
    for (case, code) in endings {
        let good = *code == Some(case.expected);
        wrong += usize::from(!good);
        let expected = format!("{} (exit code {})", case.decision, case.expected);
        let ending = match code {
            _ if good => expected,
            Some(code) => format!("exit code {code}, expected {expected}"),
            None => format!("ended by a signal, expected {expected}"),
        };
        term::judgement(good, &format!("{:<22} {ending}", case.folder));
    }
    if wrong > 0 {
        bail!("{wrong} of {} examples did not end as they must", endings.len());
    }
    let host = workspace.shown(host);
    term::heading("What to try next");
    for (command, why) in [
        (format!("{host} run PATH"), "gate a model of yours"),
        (format!("{host} lock"), "pin its files in modelhost.lock"),
        (format!("{host} plugin list"), "see the checks that are built in"),
        ("cargo xtask test".to_owned(), "run every test"),
    ] {
        term::line(format!("  {command:<40} {why}"));
    }
    Ok(())
}
