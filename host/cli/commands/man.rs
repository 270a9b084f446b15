//! `modelhost man`: the manual page.

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::exit::Exit;

pub(crate) fn run() -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    super::print(&page)
}
