//! The command line: arguments in, one library call, exit code out.
//!
//! Leaves everything else to the library.

mod args;
mod commands;
mod exit;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Plugin(args) => commands::plugin::run(args),
    };
    match result {
        Ok(code) => code.into(),
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            exit::Exit::Usage.into()
        }
    }
}
