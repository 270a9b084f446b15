//! Cargo's tools that the build steps need: installed from the package registry into `target/tools`.
//!
//! It leaves running them to its callers.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command;
use crate::workspace::Workspace;

/// A tool, and the version of it that is used here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Builds fuzz targets.
pub(crate) const CARGO_FUZZ: Tool = Tool { name: "cargo-fuzz", version: "0.13.2" };

/// Checks the dependencies against `deny.toml`.
pub(crate) const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };

/// Returns the program of `tool`, after installing it where it is not there.
///
/// # Errors
/// When it can't be built.
pub(crate) fn ensure(workspace: &Workspace, tool: Tool) -> Result<PathBuf> {
    // A folder for each version, so that another one is not taken for it.
    let root = workspace.root.join("target/tools").join(tool.version);
    let program = root.join("bin").join(format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let mut install = command::cargo();
        install.args(["install", tool.name, "--locked", "--version", tool.version]);
        install.arg("--root").arg(&root);
        command::run(&mut install).with_context(|| format!("{} is not installed", tool.name))?;
    }
    Ok(program)
}
