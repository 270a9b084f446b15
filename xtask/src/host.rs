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
    // With the features that the whole workspace asks of the dependencies: the tests, which are
    // built for the workspace too, then find everything built already.
    build.current_dir(&workspace.root).args([
        "build",
        "--release",
        "--workspace",
        "--bin",
        "modelhost",
    ]);
    command::run(&mut build).context("the host does not build")?;
    Ok(workspace.host_binary())
}
