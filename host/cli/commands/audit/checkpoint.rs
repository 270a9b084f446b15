//! `modelhost audit checkpoint`: signs up to where a log goes.
//!
//! Leaves signing to the library.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use modelhost::record::audit::checkpoint::{Checkpoint, MAX_SMALL};
use modelhost::record::audit::read;
use modelhost::report::output;

use super::shown;
use crate::args::timestamp;
use crate::commands::print;
use crate::context;
use crate::exit::Exit;

/// Sign up to where an audit log goes, so that it is told later where it was cut or
/// written anew.
#[derive(Debug, Args)]
#[command(after_help = "\
Keep the checkpoint where whoever can write to the log can't. A key is made by
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
  openssl pkey -in key.pem -pubout -out key.pub

Exit codes: 0 signed, 1 the log is broken and nothing was signed, 2 the log or the key
can't be read, 70 the checkpoint can't be written.")]
pub(crate) struct CheckpointArgs {
    /// The log.
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// The private key to sign with: P-256, in PKCS#8 and PEM.
    #[arg(long, value_name = "KEY")]
    key: PathBuf,

    /// Write it to this file, instead of printing it.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The time to note in it, instead of the clock's.
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    now: Option<u64>,
}

pub(crate) fn run(args: &CheckpointArgs) -> anyhow::Result<Exit> {
    let unreadable = |path: &PathBuf| format!("can't read {}", shown(path));
    let pem = read::small(&args.key, MAX_SMALL).with_context(|| unreadable(&args.key))?;
    let walked = read::read(&args.log, context::processors(), &mut |_, _| {});
    let walked = walked.with_context(|| unreadable(&args.log))?;
    if let Some(broken) = &walked.broken {
        crate::say::line(&format!("{}:{}: broken: {broken}", shown(&args.log), broken.line));
        crate::say::line("nothing was signed");
        return Ok(Exit::Deny);
    }
    let Some(head) = &walked.head else { bail!("{}: it holds no record", shown(&args.log)) };
    let checkpoint = Checkpoint::of(head, args.now.unwrap_or_else(context::now));
    let text = checkpoint.sign(&pem).with_context(|| shown(&args.key).to_string())?;
    let Some(path) = &args.output else { return print(text.as_bytes()) };
    if let Err(error) = output::replace(path, |out| out.write_all(text.as_bytes())) {
        crate::say::line(&format!("error: {} could not be written: {error}", shown(path)));
        return Ok(Exit::Fault);
    }
    Ok(Exit::Allow)
}
