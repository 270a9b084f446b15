//! Waivers and the baseline in the report.

use schemars::JsonSchema;
use serde::Serialize;

use super::words::WaiverState;
use crate::domain::waiver::{self, WaiverReport};

/// Who lets a finding pass, why, and until when.
#[derive(Serialize, JsonSchema)]
pub(super) struct Waived<'a> {
    /// Why.
    reason: &'a str,
    /// Who answers for it.
    owner: &'a str,
    /// Its last day, UTC: `2026-12-31`.
    expires: String,
    /// The line of the policy it stands on, from 1.
    line: u32,
}

/// A waiver of the policy, and what became of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Waiver<'a> {
    /// The rule, `<plugin>/<name>`.
    rule: String,
    /// The name of the model.
    model: &'a str,
    /// The digest it is bound to, `sha256:<hex>`: of a file, or of the model's tree.
    digest: String,
    /// The path of the file, where only findings on it are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// The finding, where only this one is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// Why.
    reason: &'a str,
    /// Who answers for it.
    owner: &'a str,
    /// The day it was written, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<String>,
    /// Its last day, UTC.
    expires: String,
    /// The line of the policy it stands on, from 1.
    line: u32,
    /// What became of it.
    state: WaiverState,
    /// How many findings it covers.
    covers: usize,
}

/// What became of the baseline.
#[derive(Serialize, JsonSchema)]
pub(super) struct Baseline {
    /// How many findings it names.
    entries: usize,
    /// How many findings it covers.
    covers: usize,
    /// How many of those it names are gone, or on other bytes.
    gone: usize,
}

impl<'a> From<&'a waiver::Waiver> for Waived<'a> {
    fn from(waiver: &'a waiver::Waiver) -> Self {
        Self {
            reason: &waiver.reason,
            owner: &waiver.owner,
            expires: waiver.expires.to_string(),
            line: waiver.line,
        }
    }
}

impl<'a> From<&'a WaiverReport> for Waiver<'a> {
    fn from(report: &'a WaiverReport) -> Self {
        let WaiverReport { waiver, state, covers } = report;
        let waiver::Waiver {
            rule,
            model,
            digest,
            file,
            fingerprint,
            reason,
            owner,
            added,
            expires,
            line,
        } = &**waiver;
        Self {
            rule: rule.to_string(),
            model: model.as_str(),
            digest: digest.to_string(),
            file: file.as_ref().map(|file| file.as_str()),
            fingerprint: fingerprint.map(|fingerprint| fingerprint.to_string()),
            reason,
            owner,
            added: added.map(|date| date.to_string()),
            expires: expires.to_string(),
            line: *line,
            state: (*state).into(),
            covers: *covers,
        }
    }
}

impl From<waiver::BaselineReport> for Baseline {
    fn from(report: waiver::BaselineReport) -> Self {
        let waiver::BaselineReport { entries, covers, gone } = report;
        Self { entries, covers, gone }
    }
}
