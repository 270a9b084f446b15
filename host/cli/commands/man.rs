//! `modelhost man`: manual pages, of modelhost and of each of its commands.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use modelhost::domain::text::GuestText;
use modelhost::record::disk::replace;

use crate::args::Cli;
use crate::exit::Exit;

const HELP: &str = "\
Examples:
  modelhost man | man -l -              read the page of modelhost
  modelhost man waiver add | man -l -   that of a command
  modelhost man --out man1              write modelhost.1, modelhost-run.1, ...

Exit codes: 0 done, 2 there is no such command, or a page could not be written.";

/// Print a manual page, in roff, or write them all.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ManArgs {
    /// The command whose page it is. Without it: modelhost itself.
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Vec<String>,

    /// Write a page for modelhost and for each command into this folder, which is
    /// made where it is missing.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> anyhow::Result<Exit> {
    let mut top = Cli::command();
    top.build();
    if let Some(folder) = &args.out {
        make(folder).with_context(|| format!("can't make the folder {}", folder.display()))?;
        write(&top, folder)?;
        return Ok(Exit::Allow);
    }
    let mut command = &top;
    for name in &args.command {
        let below: Vec<_> =
            command.get_subcommands().filter(|below| !below.is_hide_set()).collect();
        let Some(found) = below.iter().find(|below| below.get_name() == name) else {
            let names: Vec<&str> = below.iter().map(|below| below.get_name()).collect();
            anyhow::bail!(
                "`{}` has no command `{}`; there are: {}",
                command.get_name(),
                GuestText::new(name, 60),
                names.join(", ")
            );
        };
        command = found;
    }
    super::print(&page(command)?)
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name(command))
        .source(concat!("modelhost ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    Ok(page)
}

/// Returns the name of the page of `command`: `modelhost-waiver-add`.
fn name(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// Writes the page of `command`, and those of the commands below it.
fn write(command: &clap::Command, folder: &Path) -> anyhow::Result<()> {
    let name = format!("{}.1", name(command));
    replace(&folder.join(&name), &page(command)?, ".modelhost-man.")
        .with_context(|| format!("can't write {name}"))?;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        if below.get_name() != "help" {
            write(below, folder)?;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the folder of the pages is the operator's")]
fn make(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}
