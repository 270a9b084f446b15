//! The command line's grammar.

use clap::{Parser, Subcommand};

/// Gates machine-learning models in CI: runs checks as sandboxed WebAssembly
/// components over the files of a model, and decides allow, deny or incomplete.
#[derive(Debug, Parser)]
#[command(name = "modelhost", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Pack, inspect and list plugins.
    #[command(subcommand)]
    Plugin(crate::commands::plugin::PluginCommand),
}
