//! `cargo xtask ci`: what CI asks of every change, from the quickest to the slowest.
//!
//! It leaves running the tests to `test.rs`.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::term::Steps;
use crate::workspace::{Workspace, cargo_home};
use crate::{command, test, tools, wasm};

/// One cargo call that must succeed.
struct Check {
    title: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

/// The checks of the host's own target. They share one build of the dependencies' metadata.
const CHECKS: [Check; 4] = [
    Check { title: "Formatting", arguments: &["fmt", "--all", "--check"], environment: &[] },
    Check {
        title: "Lints",
        arguments: &["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"],
        environment: &[],
    },
    Check {
        title: "Documentation",
        arguments: &["doc", "--release", "--workspace", "--no-deps"],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Check {
        title: "The library without its features",
        arguments: &["check", "--release", "--package", "modelhost", "--no-default-features"],
        environment: &[],
    },
];

/// Runs `cargo xtask ci`.
///
/// # Errors
/// When something is not as it should be.
pub(crate) fn command(workspace: &Workspace, skip_tests: bool) -> Result<()> {
    let mut steps = Steps::new(CHECKS.len() + 2);
    for check in &CHECKS {
        steps.next(check.title);
        let mut cargo = command::cargo();
        cargo.current_dir(&workspace.root).args(check.arguments);
        cargo.envs(check.environment.iter().copied());
        command::run(&mut cargo).with_context(|| format!("{}: not clean", check.title))?;
    }
    steps.next("Lints of what is compiled for wasm alone");
    lint_wasm(workspace)?;
    steps.next("What the dependencies may be");
    deny(workspace)?;
    if skip_tests {
        return Ok(());
    }
    test::command(workspace, false, &[])
}

/// Lints the plugins and the SDK for their real target: their bindings exist there only.
fn lint_wasm(workspace: &Workspace) -> Result<()> {
    let toolchain = wasm::ensure(workspace)?;
    if !toolchain.is_in_use() {
        crate::term::note("skipped: clippy here is of another Rust than the wasm library");
        return Ok(());
    }
    let mut clippy = command::cargo();
    clippy.current_dir(&workspace.root).args(["clippy", "--profile", "plugin", "--lib"]);
    clippy.args(["--target", wasm::TARGET]).arg("--target-dir").arg(workspace.wasm_target());
    clippy.args(["--package", "modelhost-check"]);
    for plugin in &workspace.plugins {
        clippy.args(["--package", &plugin.package]);
    }
    command::run(clippy.args(["--", "-D", "warnings"])).context("wasm lints: not clean")
}

/// Checks the dependencies' licenses and sources; their advisories where the database is here,
/// since it is a repository and no package.
fn deny(workspace: &Workspace) -> Result<()> {
    let tool = tools::ensure(workspace, tools::CARGO_DENY)?;
    let mut deny = Command::new(tool);
    deny.current_dir(&workspace.root).args(["--offline", "--log-level", "error", "check"]);
    deny.args(["bans", "licenses", "sources"]);
    if cargo_home()?.join("advisory-dbs").is_dir() {
        deny.arg("advisories");
    } else {
        crate::term::note("skipped: advisories, for their database is not here");
    }
    command::run(&mut deny).context("cargo deny: not clean")
}
