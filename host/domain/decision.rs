//! What the gate says of a run: [`Decision`], with its [`Reason`]s.
//!
//! Leaves coming to it to `policy`, and the exit code to `cli`.

use super::model::{FilePath, ModelName};
use super::plugin::PluginId;
use super::verdict::FailureCode;

/// What the gate says; only `Allow` lets through. Worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Everything was judged and nothing denies.
    Allow,
    /// Something could not be judged, and nothing denies.
    Incomplete,
    /// A finding, or the policy, says no.
    Deny,
}

impl Decision {
    /// Returns the decision's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Incomplete => "incomplete",
            Self::Deny => "deny",
        }
    }
}

/// One thing that keeps a run from `Allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which decision it calls for: `Deny` or `Incomplete`.
    pub decision: Decision,
    /// The model it is about; none where it is about the whole run.
    pub model: Option<ModelName>,
    /// What it is.
    pub kind: ReasonKind,
}

/// The kinds of reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonKind {
    /// A plugin's verdict is `fail`.
    Failed {
        /// The plugin.
        plugin: PluginId,
        /// The file, for a task on one file.
        file: Option<FilePath>,
    },
    /// A plugin that isn't advisory gave no usable answer.
    Error {
        /// The plugin.
        plugin: PluginId,
        /// The file, for a task on one file.
        file: Option<FilePath>,
        /// How it failed.
        code: FailureCode,
    },
    /// A required plugin gave no verdict on the model.
    Unsatisfied {
        /// The plugin.
        plugin: PluginId,
    },
    /// A model has no content that could be judged.
    Empty,
    /// A file was judged by no plugin.
    NotJudged {
        /// The file.
        file: FilePath,
    },
    /// The gate itself found something that denies.
    Gate {
        /// The name of the gate's rule.
        rule: String,
        /// The file, if it is about one.
        file: Option<FilePath>,
    },
    /// A file could not be opened or read.
    Unreadable {
        /// The file.
        file: FilePath,
    },
    /// A file changed while the run was on.
    Changed {
        /// The file.
        file: FilePath,
    },
    /// The run was interrupted.
    Interrupted,
    /// There was no model to look at.
    Nothing,
    /// Nothing ran: a mistake or a fault came first.
    NotRun,
}
