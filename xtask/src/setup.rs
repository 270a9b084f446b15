//! Everything that must be there before a model can be gated, built in the right order.
//!
//! The plugins are packed by the host, and the host embeds the packed plugins, so one of the two
//! is built twice when it is new. This file owns that order; the steps are left to `wasm.rs`,
//! `plugins.rs` and `host.rs`.

use std::path::PathBuf;

use anyhow::Result;

use crate::term::{self, Steps};
use crate::workspace::Workspace;
use crate::{host, plugins, wasm};

/// How many steps [`run`] takes.
pub(crate) const STEPS: usize = 4;

/// What is there after the set-up.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The host, with the plugins in it.
    pub(crate) host: PathBuf,
}

/// Sets up what is missing and builds the plugins and the host.
///
/// # Errors
/// When a step fails.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps) -> Result<Ready> {
    steps.next(&format!("Finding a Rust that builds for {}", wasm::TARGET));
    let toolchain = wasm::ensure(workspace)?;

    steps.next(&format!("Building {} plugins for the sandbox", workspace.plugins.len()));
    let cores = plugins::build(workspace, &toolchain)?;

    steps.next("Building the host (the first time, wasmtime takes 5 to 10 minutes)");
    // A host from an earlier build most often packs what the new one would, and then the new one
    // embeds it at once. If there is none or it fails, the packing below is the one that counts.
    if workspace.host_binary().is_file() {
        let _ = plugins::pack(workspace, &workspace.host_binary(), &cores);
    }
    let host = host::build(workspace)?;

    steps.next("Packing the plugins into components, and embedding them in the host");
    if plugins::pack(workspace, &host, &cores)? {
        host::build(workspace)?;
    } else {
        term::note("unchanged: the host has them already");
    }
    Ok(Ready { host })
}
