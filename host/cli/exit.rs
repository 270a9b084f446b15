//! Every exit code, by name.

use std::process::ExitCode;

/// What a process ends with; the same in every output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// The decision is `allow`, or the command did its work.
    Allow = 0,
    /// The decision is `deny`.
    Deny = 1,
    /// Usage, configuration or lock-file mistake; nothing ran.
    Usage = 2,
    /// The decision is `incomplete`.
    Incomplete = 3,
    /// There was nothing to check.
    Nothing = 4,
    /// A fault of modelhost or of its surroundings.
    Fault = 70,
    /// Interrupted; what was found so far is written.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
