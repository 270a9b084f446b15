//! `modelhost completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::exit::Exit;

pub(crate) fn run(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "modelhost", &mut script);
    super::print(&script)
}
