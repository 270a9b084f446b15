//! `modelhost audit`: show, verify, checkpoint.
//!
//! Leaves what a log is to the library.

mod checkpoint;
pub(crate) mod show;
mod verify;

use std::path::PathBuf;

use clap::Subcommand;
use modelhost::config;
use modelhost::domain::model::FilePath;
use modelhost::record::audit;

use crate::context;
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    Show(show::ShowArgs),
    Verify(verify::VerifyArgs),
    Checkpoint(checkpoint::CheckpointArgs),
}

pub(crate) fn run(command: &AuditCommand) -> anyhow::Result<Exit> {
    match command {
        AuditCommand::Show(args) => show::run(args),
        AuditCommand::Verify(args) => verify::run(args),
        AuditCommand::Checkpoint(args) => checkpoint::run(args),
    }
}

/// Returns the logs that were named, or else the one that modelhost.toml names, or
/// else the one of the usual name beside it.
pub(crate) fn logs(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let working_dir = context::working_dir()?;
    let config = config::find(&working_dir, config::NAME)?;
    let config = config.map(|path| config::load(&path)).transpose()?;
    let root = config.as_ref().map_or(&working_dir, |config| &config.root);
    let path = config.as_ref().and_then(|config| config.audit.clone());
    Ok(vec![root.join(path.unwrap_or_else(|| audit::NAME.into()))])
}

/// Returns a path in a form that can be shown.
pub(crate) fn shown(path: &std::path::Path) -> FilePath {
    use std::os::unix::ffi::OsStrExt as _;
    FilePath::from_bytes(path.as_os_str().as_bytes())
}
