//! One module a subcommand.

pub(crate) mod attest;
pub(crate) mod audit;
pub(crate) mod baseline;
pub(crate) mod cache;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod findings;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod lock;
pub(crate) mod man;
pub(crate) mod model;
pub(crate) mod plugin;
pub(crate) mod registry;
mod report;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod verify;
pub(crate) mod waiver;

use std::io::{self, Write as _};

use crate::exit::Exit;

/// Prints what a command made. A reader that went away needs no more of it.
pub(crate) fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Exit::Allow),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Fault),
        Err(error) => Err(error.into()),
    }
}

/// Returns a JSON document for other programs as it is printed.
pub(crate) fn text_of(document: &impl serde::Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    Ok(text)
}
