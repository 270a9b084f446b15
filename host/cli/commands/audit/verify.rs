//! `modelhost audit verify`: whether nothing of a log was changed.
//!
//! Leaves walking along the log to the library.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use modelhost::domain::text::GuestText;
use modelhost::record::audit::checkpoint::{Checkpoint, MAX_SMALL};
use modelhost::record::audit::read;
use modelhost::record::audit::segments::{self, Held, Joint, Verified};

use super::shown;
use crate::commands::print;
use crate::context;
use crate::exit::Exit;

/// Verify that nothing of an audit log was changed, taken out or put in.
#[derive(Debug, Args)]
#[command(after_help = "\
Each line names the digest of the one before and its own, so a change is found
where it was made. Two things can only be told with a checkpoint that was signed
before (`modelhost audit checkpoint`): records cut off at the end, and a log that was
written anew as a whole.

Examples:
  modelhost audit verify                             the log that modelhost.toml names
  modelhost audit verify runs/*.jsonl                those of several runs of CI
  modelhost audit verify --checkpoint head.json --key key.pub audit.jsonl

Exit codes: 0 intact, 1 broken, 2 a log that can't be read.")]
pub(crate) struct VerifyArgs {
    /// Logs. Without any: the one that modelhost.toml names, or else
    /// modelhost-audit.jsonl.
    #[arg(value_name = "LOG")]
    logs: Vec<PathBuf>,

    /// A signed checkpoint of one of them, which must still have the record that it
    /// names.
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Option<PathBuf>,

    /// The public key that signed the checkpoint, in PEM.
    #[arg(long, value_name = "PUB", requires = "checkpoint")]
    key: Option<PathBuf>,
}

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let logs = super::logs(&args.logs)?;
    let checkpoint = match (&args.checkpoint, &args.key) {
        (Some(checkpoint), Some(key)) => {
            let unreadable = |path: &PathBuf| format!("can't read {}", shown(path));
            let text =
                read::small(checkpoint, MAX_SMALL).with_context(|| unreadable(checkpoint))?;
            let pem = read::small(key, MAX_SMALL).with_context(|| unreadable(key))?;
            match Checkpoint::verify(&text, &pem) {
                Ok(checkpoint) => Some(checkpoint),
                Err(error) => return Err(error).with_context(|| shown(checkpoint).to_string()),
            }
        }
        _ => None,
    };
    let (verified, held) = segments::verify(&logs, checkpoint.as_ref(), context::processors());
    let mut out = String::new();
    let mut worst = Exit::Allow;
    for log in &verified {
        worst = worst.max(tell(log, &logs, &mut out));
    }
    if let (Some(checkpoint), Some(held)) = (&checkpoint, held) {
        let sequence = checkpoint.sequence;
        let (exit, text) = match held {
            Held::Yes(log) => (
                Exit::Allow,
                format!("{}: has record {sequence} of the checkpoint", shown(&logs[log])),
            ),
            Held::Cut(log, last) => (
                Exit::Deny,
                format!(
                    "{}: cut: the checkpoint names record {sequence}, and the log ends with record {last}",
                    shown(&logs[log])
                ),
            ),
            Held::Other(log) => (
                Exit::Deny,
                format!(
                    "{}: written anew: record {sequence} is not the one that the checkpoint names",
                    shown(&logs[log])
                ),
            ),
            Held::NoLog => (
                Exit::Deny,
                format!(
                    "no log is of the chain that the checkpoint names, {}",
                    GuestText::capped(&checkpoint.chain)
                ),
            ),
        };
        writeln!(out, "{text}")?;
        worst = worst.max(exit);
    }
    print(out.as_bytes())?;
    Ok(worst)
}

/// Says what was found of one log.
fn tell(log: &Verified, logs: &[PathBuf], out: &mut String) -> Exit {
    let path = shown(&log.path);
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let walked = match &log.walked {
        Ok(walked) => walked,
        Err(error) => {
            line(format!("{path}: can't be read: {error}"));
            return Exit::Usage;
        }
    };
    for note in &walked.notes {
        line(format!("{path}:{}: note: {note}", note.line));
    }
    if walked.more_notes > 0 {
        line(format!("{path}: note: {} more", walked.more_notes));
    }
    match log.joint {
        Joint::None => {}
        Joint::Record { log, sequence, more } => {
            let on = if more > 0 {
                format!(", after which that goes on for {more}")
            } else {
                String::new()
            };
            line(format!("{path}: continues {} after record {sequence}{on}", shown(&logs[log])));
        }
        Joint::Missing(digest) => line(format!(
            "{path}: note: continues a log that is not among these, and ends in the line {digest}"
        )),
    }
    match (&walked.broken, &walked.head) {
        (Some(broken), _) => {
            line(format!("{path}:{}: broken: {broken}", broken.line));
            if walked.records > 0 {
                line(format!("{path}: {} before that are intact", records(walked.records)));
            }
            Exit::Deny
        }
        (None, Some(head)) => {
            let chain = GuestText::capped(&head.chain);
            line(format!(
                "{path}: intact: {}, chain {chain}, head {}",
                records(walked.records),
                head.digest
            ));
            Exit::Allow
        }
        (None, None) => Exit::Deny,
    }
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
