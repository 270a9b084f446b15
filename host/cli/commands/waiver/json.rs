//! Waivers as JSON for other programs: version 1 of `modelhost waiver list --json`.
//!
//! Frozen: fields are only ever added.

use modelhost::domain::date::Date;
use modelhost::domain::text::GuestText;
use modelhost::domain::waiver::WaiverReport;
use schemars::JsonSchema;
use serde::Serialize;

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-waivers/v1";

/// The waivers of the policy, and what became of each.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost waivers, version 1")]
pub(super) struct Document {
    /// `modelhost-waivers/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// The day that was judged by, UTC: `2026-12-31`.
    today: String,
    /// The waivers, in the order of the policy.
    waivers: Vec<Row>,
}

/// One waiver.
#[derive(Serialize, JsonSchema)]
struct Row {
    /// `in-use`, `expiring`, `expired`, `early`, `stale`, `unused` or `not-told`.
    state: &'static str,
    /// How many findings it covers.
    covers: u64,
    /// The rule, `<plugin>/<name>`.
    rule: String,
    /// The name of the model.
    model: String,
    /// The path of the file, where only findings on it are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The finding, where only this one is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// The digest of the file, or of the model's tree, that it is bound to.
    digest: String,
    /// Why.
    reason: String,
    /// Who answers for it.
    owner: String,
    /// The day it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<String>,
    /// Its last day, UTC.
    expires: String,
    /// How many days are left; 0 once it is over.
    days_left: u64,
    /// The line of the policy it stands on, from 1.
    line: u32,
}

/// Describes `waivers` on the day `today`.
pub(super) fn document(waivers: &[WaiverReport], today: Date) -> Document {
    let row = |report: &WaiverReport| {
        let waiver = &report.waiver;
        let text = |text: &str| GuestText::capped(text).to_string();
        Row {
            state: report.state.name(),
            covers: u64::try_from(report.covers).unwrap_or(u64::MAX),
            rule: waiver.rule.to_string(),
            model: waiver.model.to_string(),
            file: waiver.file.as_ref().map(ToString::to_string),
            fingerprint: waiver.fingerprint.map(|fingerprint| fingerprint.to_string()),
            digest: waiver.digest.to_string(),
            reason: text(&waiver.reason),
            owner: text(&waiver.owner),
            added: waiver.added.map(|day| day.to_string()),
            expires: waiver.expires.to_string(),
            days_left: today.days_until(waiver.expires),
            line: waiver.line,
        }
    };
    Document {
        schema: SCHEMA,
        modelhost: env!("CARGO_PKG_VERSION"),
        today: today.to_string(),
        waivers: waivers.iter().map(row).collect(),
    }
}

/// Returns the schema of what `--json` prints.
pub(crate) fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}
