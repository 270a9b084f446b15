//! How a task ended ([`Outcome`]) and what the policy makes of it
//! ([`Verdict`]).
//!
//! Leaves the run's decision to `decision`.

use super::finding::{Fact, Finding};
use super::limits::Limit;
use super::model::FilePath;
use super::text::GuestText;

/// What a plugin returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It did its work.
    Checked {
        /// What it observed.
        findings: Vec<Finding>,
        /// What it established.
        facts: Vec<Fact>,
    },
    /// The content is nothing it has a say on, and why.
    NotApplicable(GuestText),
}

/// How a task ended, as the host saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The plugin answered within its bounds.
    Answered(Answer),
    /// It was refused before its first instruction.
    Refused(Failure),
    /// It did not give an answer that can be used.
    Failed(Failure),
}

/// Why a task has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it was.
    pub code: FailureCode,
    /// What happened, in a sentence.
    pub message: GuestText,
    /// The way out, such as the policy line that grants more.
    pub help: Option<String>,
}

impl Failure {
    /// Makes a failure without help.
    pub fn new(code: FailureCode, message: &str) -> Self {
        Self { code, message: GuestText::capped(message), help: None }
    }

    /// Adds the way out.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The kinds of failure, each with a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureCode {
    /// It asks for a capability that it isn't granted, or that doesn't exist.
    Refused,
    /// It could not be compiled.
    Compile,
    /// It trapped.
    Trap,
    /// It came to a limit. The wall deadline and the limits on compiling are the
    /// ones where this may not repeat.
    Limit(Limit),
    /// Its answers in the whole run are too large together.
    Answers,
    /// Its answer breaks the contract.
    BadAnswer,
    /// It did not read what its manifest promises.
    NotRead,
    /// A file changed while the run was on.
    Changed,
    /// It says that its settings can't be used.
    InvalidSettings,
    /// It says that a file could not be read.
    Unreadable,
    /// It says that the content is beyond it.
    Unsupported,
    /// It says that it failed.
    Internal,
    /// The process that ran it ended, or broke the rules of talking to the gate.
    Worker,
    /// The run was interrupted before it was done.
    Interrupted,
}

impl FailureCode {
    /// Returns the stable code.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Compile => "compile",
            Self::Trap => "trap",
            Self::Limit(limit) => limit.code(),
            Self::Answers => "limit/answers",
            Self::BadAnswer => "bad-answer",
            Self::NotRead => "not-read",
            Self::Changed => "changed",
            Self::InvalidSettings => "invalid-settings",
            Self::Unreadable => "unreadable",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
            Self::Worker => "worker",
            Self::Interrupted => "interrupted",
        }
    }

    /// Returns whether the same run may end otherwise the next time.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Limit(Limit::Deadline | Limit::CompileTime | Limit::CompileMemory)
                | Self::Interrupted
                | Self::Changed
                | Self::Worker
        )
    }
}

/// What the policy makes of one outcome, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Checked, and nothing to say of it.
    Pass,
    /// Not applicable.
    Skip,
    /// Findings below the bar.
    Warn,
    /// No usable answer.
    Error,
    /// A finding at or above the bar.
    Fail,
}

impl Verdict {
    /// Returns the verdict's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}

/// How much of one file a task looked at, as the host counted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The file.
    pub file: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// How many of its bytes were read or digested, each counted once.
    pub read: u64,
}

/// What a task used: the figures that repeat exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Fuel.
    pub fuel: u64,
    /// Peak bytes over all linear memories.
    pub memory: u64,
    /// Peak elements over all tables.
    pub table_elements: u64,
    /// Calls into the host.
    pub host_calls: u64,
    /// The most handles alive at once.
    pub handles: u32,
    /// Bytes read or digested, counted each time.
    pub bytes_read: u64,
    /// Findings in what it returned.
    pub findings: u32,
    /// Facts in what it returned.
    pub facts: u32,
    /// Bytes of the longest text in what it returned.
    pub text: u32,
    /// Log lines, those that were dropped among them.
    pub log_lines: u64,
}
