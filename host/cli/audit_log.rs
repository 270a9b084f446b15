//! The audit log of a command: where it is, and what stands in each record of it.
//!
//! Leaves what is recorded to the commands, and the log to the library.

use std::path::{Path, PathBuf};

use modelhost::domain::digest::Digest;
use modelhost::record::audit::{self, AppendError, Entry, Origin, Stamp};

use crate::args::AuditArgs;
use crate::context::{self, Context};
use crate::origin;

/// The log that a command appends to.
pub(crate) struct AuditLog {
    path: PathBuf,
    origin: Origin,
    continues: Option<Digest>,
}

impl AuditLog {
    /// Returns the log that the command line names, or else the policy; none where
    /// neither does.
    pub(crate) fn of(args: &AuditArgs, context: &Context) -> Option<Self> {
        let named = args.audit_log.as_ref().map(|path| context.working_dir.join(path));
        let config = context.config.as_ref();
        let path = named.or_else(|| config.and_then(|c| Some(c.root.join(c.audit.as_ref()?))))?;
        let origin = origin::origin(args.actor.as_deref(), &context.working_dir);
        Some(Self { path, origin, continues: args.audit_continues })
    }

    /// Returns where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Says whether something could be appended.
    pub(crate) fn check(&self) -> Result<(), AppendError> {
        audit::check(&self.path)
    }

    /// Appends a record for each of `entries`. Returns the digest of the newest; none
    /// where there are none.
    pub(crate) fn append(&self, entries: Vec<Entry<'_>>) -> Result<Option<Digest>, AppendError> {
        if entries.is_empty() {
            return Ok(None);
        }
        let mut chain = [0; 16];
        getrandom::fill(&mut chain)
            .map_err(|error| AppendError::Io { path: self.path.clone(), source: error.into() })?;
        let (origin, continues) = (self.origin.clone(), self.continues);
        let stamp = Stamp { time: context::now(), origin, chain, continues };
        audit::append(&self.path, &stamp, entries).map(|head| Some(head.digest))
    }
}
