//! The build steps that are not the product: `cargo xtask --help` lists them.
//!
//! This file owns the command line and hands each command to the module of its name. It leaves
//! the steps themselves to those modules, and everything about models to `modelhost`.

#![expect(
    clippy::disallowed_methods,
    reason = "a build tool runs programs, reads its environment and writes files"
)]

mod bench;
mod ci;
mod command;
mod demo;
mod examples;
mod fuzz;
mod host;
mod peers;
mod plugins;
mod setup;
mod term;
mod test;
mod tools;
mod validate;
mod wasm;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// What the help says below the commands.
const ENVIRONMENT: &str = "\
Environment:
  MODELHOST_WASM_TOOLCHAIN  sysroot, rustup or debian: take this way alone to build for
                            wasm32-unknown-unknown. Without it, the first that works:
                            sysroot (the toolchain in use has the target), rustup (`rustup
                            target add`), debian (packages of a newer Rust, unpacked into
                            target/wasm-toolchain; nothing is installed)
  CARGO_TARGET_DIR          respected for the host; what this tool builds besides stays in
                            target/ of the workspace";

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Build, try, test and measure modelhost",
    after_help = ENVIRONMENT,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the bundled plugins into target/plugins, and the host that embeds them
    Plugins,
    /// Set up what is missing, build everything, and gate the models under examples/
    Demo,
    /// Set up what is missing, build everything, and run every test
    Test {
        /// Run the long tests too (sets MODELHOST_LONG_TESTS=1), the validators of reports, and
        /// the fuzz targets
        #[arg(long)]
        long: bool,
        /// Arguments for `cargo test`, after `--`
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Run what CI runs: formatting, lints, docs, feature sets, then every test
    Ci {
        /// Leave out the tests
        #[arg(long)]
        skip_tests: bool,
    },
    /// Measure the gate against its neighbours, and print a table of ratios
    Bench {
        /// Fewer rounds: figures to look at, not to publish
        #[arg(long)]
        quick: bool,
        /// Measure beside other scanners, installed from PyPI into target/bench, instead
        #[arg(long)]
        peers: bool,
        /// Write the figures as JSON to this file too
        #[arg(long, value_name = "PATH")]
        json: Option<PathBuf>,
        /// Measure this `modelhost` instead of building one
        #[arg(long, value_name = "PATH")]
        host: Option<PathBuf>,
    },
    /// Run the fuzz targets under AddressSanitizer (needs a nightly toolchain)
    Fuzz {
        /// The targets to run; all where none is named
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
        /// How long each of them runs; without it 60 s, parsers of model files 600 s
        #[arg(long)]
        seconds: Option<u32>,
    },
    /// Run modelhost and other scanners, installed from PyPI, on the labelled corpora, and
    /// print what each flags, blocks and misses
    Peers {
        /// Run this tool alone: modelhost, picklescan, modelscan, fickling or modelaudit. May be
        /// repeated
        #[arg(long, value_name = "TOOL")]
        only: Vec<String>,
        /// Write how each tool ended on each case as JSON to this file too
        #[arg(long, value_name = "PATH")]
        json: Option<PathBuf>,
        /// Run this `modelhost` instead of building one
        #[arg(long, value_name = "PATH")]
        host: Option<PathBuf>,
    },
    /// Write reports in every format and the files for CI, and have them validated by the tools of
    /// those who read them, installed from PyPI and npm; and opened in a browser, where there is one
    Validate {
        /// Run this `modelhost` instead of building one
        #[arg(long, value_name = "PATH")]
        host: Option<PathBuf>,
    },
    /// Write the example models under examples/ anew
    Examples {
        /// Change nothing: fail if a committed file differs from what would be written
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            term::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Runs one command.
fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    match command {
        Command::Plugins => plugins::command(&workspace),
        Command::Demo => demo::command(&workspace),
        Command::Test { long, rest } => test::command(&workspace, long, &rest),
        Command::Ci { skip_tests } => ci::command(&workspace, skip_tests),
        Command::Bench { quick, peers, json, host } => {
            bench::command(&workspace, bench::Request { quick, peers, json, host })
        }
        Command::Peers { only, json, host } => {
            peers::command(&workspace, &peers::Request { only, json, host })
        }
        Command::Fuzz { targets, seconds } => fuzz::command(&workspace, &targets, seconds),
        Command::Validate { host } => validate::command(&workspace, host.as_deref()),
        Command::Examples { check } => examples::command(&workspace, check),
    }
}
