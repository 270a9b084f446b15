//! `modelhost completions`: what a shell needs to complete the command line.

use clap::{Command, CommandFactory as _};

use crate::args::Cli;
use crate::exit::Exit;

pub(crate) fn run(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown(), "modelhost", &mut script);
    super::print(&script)
}

/// Returns the command line without what is hidden in its help: the generators complete
/// that as well.
fn shown() -> Command {
    let all = Cli::command();
    let commands = all.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new("modelhost")
        .args(all.get_arguments().cloned())
        .subcommands(commands.cloned())
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
}
