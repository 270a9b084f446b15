//! Exceptions from a policy: [`Waiver`], one dated and reasoned, and
//! [`Baseline`], the findings that were there when a gate was set up.
//!
//! Leaves what they cover to `policy`, and reading them to `config` and `record`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::date::Date;
use super::digest::Digest;
use super::finding::{Fingerprint, RuleId};
use super::model::{FilePath, ModelName};

/// A finding that somebody lets pass, for a time, on the bytes they looked at.
/// Its texts are checked when it is read: each is one line without control
/// characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiver {
    /// The rule, never one of the gate's own.
    pub rule: RuleId,
    /// The model.
    pub model: ModelName,
    /// The digest of the file that the finding is on; of the model's tree where
    /// it is on the model as a whole, or on a file that is not there.
    pub digest: Digest,
    /// The file, where only findings on it are meant.
    pub file: Option<FilePath>,
    /// The finding, where only this one is meant.
    pub fingerprint: Option<Fingerprint>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The day it was written. Before that day it covers nothing: the clock was
    /// set back.
    pub added: Option<Date>,
    /// The last day it covers anything.
    pub expires: Date,
    /// The line of the policy it stands on, from 1.
    pub line: u32,
}

/// What became of a waiver in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiverReport {
    /// The waiver.
    pub waiver: Arc<Waiver>,
    /// What became of it.
    pub state: WaiverState,
    /// How many findings it covers; 0 unless it is in use.
    pub covers: usize,
}

/// What may become of a waiver in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaiverState {
    /// It covers a finding.
    InUse,
    /// It covers a finding, and soon no longer.
    Expiring,
    /// Its last day is over: it covers nothing.
    Expired,
    /// The run's time lies before the day it was written: it covers nothing.
    Early,
    /// The finding is there, on other bytes: it covers nothing.
    Stale,
    /// The finding is gone.
    Unused,
    /// The run can't tell: it did not look at the model, or got no answer of the
    /// plugin.
    NotTold,
}

impl WaiverState {
    /// Returns the state's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InUse => "in-use",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Early => "early",
            Self::Stale => "stale",
            Self::Unused => "unused",
            Self::NotTold => "not-told",
        }
    }
}

/// Why a finding that would deny does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Exception {
    /// It is waived.
    Waived(Arc<Waiver>),
    /// It was there when the baseline was written.
    Baseline,
}

/// The findings that were accepted on a day, by fingerprint. Findings that are
/// alike have fingerprints of their own, so that one more of them is one more
/// entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The entries.
    pub entries: BTreeMap<Fingerprint, BaselineEntry>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineEntry {
    /// Its rule.
    pub rule: RuleId,
    /// The model it is in.
    pub model: ModelName,
    /// The file it is on.
    pub file: Option<FilePath>,
    /// The digest of that file, or of the model's tree, as for a waiver.
    pub digest: Digest,
}

/// What a run made of the baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BaselineReport {
    /// How many entries it has.
    pub entries: usize,
    /// How many findings it covers.
    pub covers: usize,
    /// How many entries are of findings that are gone, or on other bytes.
    pub gone: usize,
}
