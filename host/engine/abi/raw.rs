//! What a guest returned, before anything of it is checked: the values that all
//! lines of the contract have in common.
//!
//! Leaves checking them to `border`.

use crate::domain::finding::{Confidence, Severity};
use crate::domain::verdict::FailureCode;

/// An answer that nobody has checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RawAnswer {
    /// It says that it did its work.
    Checked {
        /// What it says it observed.
        findings: Vec<RawFinding>,
        /// What it says it established.
        facts: Vec<RawFact>,
    },
    /// It says that it has no say, and why.
    NotApplicable(String),
}

/// A finding that nobody has checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawFinding {
    pub(crate) rule: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) message: String,
    pub(crate) location: RawLocation,
    pub(crate) help: Option<String>,
}

/// A place that nobody has checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawLocation {
    pub(crate) file: Option<String>,
    pub(crate) member: Option<String>,
    pub(crate) offset: Option<u64>,
    pub(crate) line: Option<u32>,
}

/// A fact that nobody has checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawFact {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// What a guest says of why it has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawFailure {
    /// One of the kinds that a guest may name.
    pub(crate) code: FailureCode,
    pub(crate) said: String,
}
