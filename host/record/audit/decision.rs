//! What a log says of a run: its report as a record of a decision.
//!
//! Leaves the digest of the report to who renders it.

use super::fields::{Digest, Moment, Text};
use super::record::{Decision, Entry, InputFile, Model, Part, Plugin, Waiver};
use crate::domain::decision::Decision as Said;
use crate::domain::report::{ModelReport, Report};
use crate::domain::text::GuestText;
use crate::domain::waiver::WaiverReport;
use crate::domain::{digest, evidence};

/// The most models in one record: their names, of at most 255 bytes each, fit a
/// line. A run of more has several records.
const MAX_MODELS: usize = 1000;

/// The most plugins, and the most files of the policy, in one record: names and
/// versions of usual length fit a line many times over.
const MAX_LISTED: usize = 256;

/// The most waivers in one record, and the most bytes of the reason and the owner of
/// each: people may write some sentences, and a line has room for them.
const MAX_WAIVERS: usize = 100;
const MAX_REASON: usize = 300;

/// Returns what is to be recorded of a run: its `report`, which rendered as JSON
/// has the digest `rendered`. Several records where the run has many models.
pub fn of(report: &Report, rendered: digest::Digest) -> Vec<Entry<'_>> {
    let count = report.models.len().div_ceil(MAX_MODELS).max(1);
    (0..count)
        .map(|index| {
            let models = report.models.iter().skip(index * MAX_MODELS).take(MAX_MODELS);
            let (number, of) = (index as u64 + 1, count as u64);
            let part = (count > 1).then_some(Part { number, of });
            Entry::Decision(record(report, rendered, part, models))
        })
        .collect()
}

fn record<'a>(
    report: &'a Report,
    rendered: digest::Digest,
    part: Option<Part>,
    models: impl Iterator<Item = &'a ModelReport>,
) -> Decision<'a> {
    let models: Vec<&ModelReport> = models.collect();
    let is_used = |waiver: &&WaiverReport| {
        waiver.covers > 0 && models.iter().any(|model| model.name == waiver.waiver.model)
    };
    let used: Vec<&WaiverReport> = report.waivers.iter().filter(is_used).collect();
    let plugins = report.plugins.iter().map(|plugin| &plugin.plugin);
    let not_listed = [report.plugins.len(), report.inputs.policy.len()]
        .map(|count| count.saturating_sub(MAX_LISTED) as u64);
    let waivers_not_listed = used.len().saturating_sub(MAX_WAIVERS) as u64;
    Decision {
        decision: report.decision.into(),
        now: Moment(report.now),
        report: Digest(rendered),
        part,
        models: models.into_iter().map(|model| of_model(report, model)).collect(),
        plugins: plugins
            .take(MAX_LISTED)
            .map(|plugin| Plugin {
                id: Text::new(plugin.manifest.id.as_str()),
                version: Text::new(plugin.manifest.version.to_string()),
                digest: Digest(plugin.digest),
            })
            .collect(),
        policy: report.inputs.policy.iter().take(MAX_LISTED).map(file).collect(),
        not_listed: not_listed.iter().sum::<u64>().saturating_add(waivers_not_listed),
        lock: report.inputs.lock.as_ref().map(file),
        waivers: used.into_iter().take(MAX_WAIVERS).map(|used| waiver(used)).collect(),
    }
}

fn waiver(used: &WaiverReport) -> Waiver<'_> {
    let waiver = &used.waiver;
    let text = |text: &str| Some(Text::new(GuestText::new(text, MAX_REASON).to_string()));
    Waiver {
        rule: Text::new(waiver.rule.to_string()),
        model: Some(Text::new(waiver.model.as_str())),
        digest: Some(Digest(waiver.digest)),
        reason: text(&waiver.reason),
        owner: text(&waiver.owner),
        expires: Some(Text::new(waiver.expires.to_string())),
    }
}

fn file(file: &evidence::InputFile) -> InputFile<'_> {
    InputFile { path: Text::new(file.path.as_str()), digest: Digest(file.digest) }
}

/// What the run says of one model: the worst of what keeps it, or the whole run,
/// from `allow`.
fn of_model<'a>(report: &Report, model: &'a ModelReport) -> Model<'a> {
    let reasons = report.reasons.iter();
    let own = reasons.filter(|reason| reason.model.as_ref().is_none_or(|name| *name == model.name));
    let decision = own.map(|reason| reason.decision).max().unwrap_or(Said::Allow);
    Model {
        name: Text::new(model.name.as_str()),
        tree: model.tree.map(|tree| Digest(tree.digest())),
        decision: decision.into(),
    }
}
