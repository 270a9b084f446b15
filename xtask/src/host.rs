//! Building the `modelhost` binary.
//!
//! Its build script embeds what lies in `target/plugins`; putting it there is left to
//! `plugins.rs`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command;
use crate::workspace::Workspace;

/// Builds the host with whatever plugins are packed by now, and returns its path.
///
/// # Errors
/// When it does not build.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut build = command::cargo();
    build.current_dir(&workspace.root).args(["build", "--release", "--bin", "modelhost"]);
    command::run(&mut build).context("the host does not build")?;
    Ok(workspace.host_binary())
}
