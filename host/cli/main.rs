//! The command line: arguments in, one library call, exit code out.
//!
//! Leaves everything else to the library.

mod args;
mod audit_log;
mod changed;
mod commands;
mod context;
mod exit;
mod git;
mod github;
mod origin;
mod progress;
mod render;
mod say;

use std::process::ExitCode;

use clap::Parser as _;
use tracing::level_filters::LevelFilter;

use crate::args::{Cli, Command, GlobalArgs};

fn main() -> ExitCode {
    let Cli { command, global } = Cli::parse();
    log(&global);
    let done = match command {
        Command::Run(args) => commands::run::run(args, &global),
        Command::Lock(args) => commands::lock::run(args, &global),
        Command::Attest(args) => commands::attest::run(args),
        Command::Verify(args) => commands::verify::run(&args, &global),
        Command::Waiver(command) => commands::waiver::run(command, &global),
        Command::Baseline(command) => commands::baseline::run(command, &global),
        Command::Export(args) => commands::export::run(&args),
        Command::Model(command) => commands::model::run(command, &global),
        Command::Compare(args) => commands::compare::run(&args, &global),
        Command::Explain(args) => commands::explain::run(&args, &global),
        Command::Init(args) => commands::init::run(&args, &global),
        Command::Doctor(args) => commands::doctor::run(&args, &global),
        Command::Plugin(command) => commands::plugin::run(command, &global),
        Command::Registry(command) => commands::registry::run(command, &global),
        Command::Cache(command) => commands::cache::run(&command, &global),
        Command::Audit(command) => commands::audit::run(&command),
        Command::History(args) => commands::history::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Man(args) => commands::man::run(&args),
        Command::Worker => return modelhost::worker::child::serve(),
    };
    done.unwrap_or_else(|error| say::error(&error, &global)).into()
}

/// Sends what modelhost logs to stderr.
fn log(global: &GlobalArgs) {
    let level = match global.verbose {
        _ if global.quiet => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let color = say::has_color(global, &std::io::stderr());
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(color)
        .with_target(false)
        .without_time()
        .init();
}
