//! `modelhost plugin`: pack, inspect, list.
//!
//! Leaves what a plugin is to the library. Nothing of a plugin is run.

mod pack;

use std::io::{self, Write as _};

use clap::Subcommand;
use modelhost::domain::diagnostic::Diagnostic;
use modelhost::plugin::PluginError;

use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    Pack(pack::PackArgs),
}

pub(crate) fn run(command: PluginCommand) -> anyhow::Result<Exit> {
    match command {
        PluginCommand::Pack(args) => pack::run(&args),
    }
}

/// Says on stderr what is wrong and the way out.
fn refuse(error: &dyn std::error::Error, help: Option<&str>) -> Exit {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    say(&format!("error: {message}"));
    if let Some(help) = help {
        say(&format!("  = help: {help}"));
    }
    Exit::Usage
}

/// Says on stderr why a reference leads to no plugin.
fn refuse_plugin(error: &PluginError) -> Exit {
    refuse(error, error.help().as_deref())
}

/// Says on stderr what is wrong with a file of the author's.
fn refuse_text(mistakes: &[Diagnostic]) -> Exit {
    for mistake in mistakes {
        say(&format!(
            "error: {}\n --> {}:{}",
            mistake.message,
            mistake.file.path,
            mistake.line()
        ));
        if let Some(help) = &mistake.help {
            say(&format!("  = help: {help}"));
        }
    }
    Exit::Usage
}

/// Writes one line to stderr; where nobody reads it, there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Writes `text` to stdout. A reader that has seen enough is no error.
fn print(text: &str) -> anyhow::Result<Exit> {
    let mut stdout = anstream::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => Ok(Exit::Allow),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Allow),
        Err(error) => {
            say(&format!("error: can't write to stdout: {error}"));
            Ok(Exit::Fault)
        }
    }
}
