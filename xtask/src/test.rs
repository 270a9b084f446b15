//! `cargo xtask test`: the set-up, then every test of the workspace, doctests included.
//!
//! It leaves the tests to the crates they test.

use anyhow::{Result, bail};

use crate::term::Steps;
use crate::workspace::Workspace;
use crate::{command, fuzz, setup, validate};

/// Runs `cargo xtask test`.
///
/// # Errors
/// When a step or a test fails.
pub(crate) fn command(workspace: &Workspace, long: bool, rest: &[String]) -> Result<()> {
    let fuzzes = long && fuzz::is_possible();
    let more = if long { validate::STEPS } else { 0 } + if fuzzes { fuzz::STEPS } else { 0 };
    let mut steps = Steps::new(setup::STEPS + 1 + more);
    let host = setup::run(workspace, &mut steps)?.host;
    steps.next(if long { "Running every test, the long ones too" } else { "Running every test" });
    let mut test = command::cargo();
    // The release profile is the one wasmtime is built with already. Every failure is shown, not
    // the first test binary's alone.
    test.current_dir(&workspace.root).args(["test", "--release", "--workspace", "--no-fail-fast"]);
    test.args(rest);
    if long {
        test.env("MODELHOST_LONG_TESTS", "1");
    }
    if !command::status(&mut test)?.success() {
        bail!("tests failed")
    }
    if long {
        validate::run(workspace, &host, &mut steps)?;
    }
    if fuzzes {
        return fuzz::run(workspace, &mut steps, &[], None);
    }
    if long {
        crate::term::note("skipped: the fuzz targets, for there is no nightly toolchain");
    }
    Ok(())
}
