//! `modelhost plugin`: pack, inspect, list.

use clap::Subcommand;

use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
}

pub(crate) fn run(command: PluginCommand) -> anyhow::Result<Exit> {
    match command {}
}
