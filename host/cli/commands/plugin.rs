//! `modelhost plugin`: pack, inspect, list.
//!
//! Leaves what a plugin is to the library. Nothing of a plugin is run.

mod inspect;
mod list;
mod pack;

use clap::Subcommand;
use modelhost::domain::capability::Grants;
use modelhost::domain::plugin::{PluginRef, ResolvedPlugin};
use modelhost::policy::Policy;

use crate::args::GlobalArgs;
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    Pack(pack::PackArgs),
    Inspect(inspect::InspectArgs),
    List(list::ListArgs),
}

pub(crate) fn run(command: PluginCommand, global: &GlobalArgs) -> anyhow::Result<Exit> {
    match command {
        PluginCommand::Pack(args) => pack::run(&args, global),
        PluginCommand::Inspect(args) => inspect::run(&args),
        PluginCommand::List(args) => list::run(&args, global),
    }
}

/// Returns what the built-in policy grants `plugin`.
fn granted(plugin: &ResolvedPlugin) -> Grants {
    let is_bundled = matches!(plugin.origin, PluginRef::Bundled(_));
    Policy::default().grants(&plugin.manifest.id, is_bundled)
}
