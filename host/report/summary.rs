//! A report in a few numbers: [`Summary`].
//!
//! Leaves showing them to the formats.

use std::collections::BTreeSet;

use crate::domain::decision::ReasonKind;
use crate::domain::finding::Severity;
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::report::{Cause, Judged, Report};
use crate::domain::text::GuestText;
use crate::domain::verdict::Verdict;
use crate::domain::waiver::Exception;

/// A report in a few numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Findings that deny.
    pub denied: usize,
    /// Findings that neither deny nor block, those of mere `info` and those with
    /// an exception left out.
    pub warnings: usize,
    /// Files, and checks on whole models, that should have been judged and
    /// were not. One file counts once, whatever kept it from being judged.
    pub not_judged: usize,
    /// Tasks of advisory plugins that ended in an error.
    pub not_judged_advisory: usize,
    /// Findings that a waiver covers.
    pub waived: usize,
    /// Findings that the baseline covers.
    pub in_baseline: usize,
    /// Models.
    pub models: usize,
    /// Files of all models.
    pub files: usize,
    /// Plugins.
    pub plugins: usize,
    /// Tasks.
    pub tasks: usize,
}

impl Summary {
    /// Counts what stands in `report`.
    pub fn of(report: &Report) -> Self {
        let advisory: BTreeSet<&PluginId> = report
            .plugins
            .iter()
            .filter(|plugin| plugin.advisory)
            .map(|plugin| &plugin.plugin.manifest.id)
            .collect();
        let of_tasks = report.tasks.iter().flat_map(|task| &task.findings);
        let findings =
            || of_tasks.clone().chain(report.models.iter().flat_map(|model| &model.findings));
        let is_error = |verdict| verdict == Verdict::Error;
        Self {
            denied: findings().filter(|judged| judged.denies).count(),
            warnings: findings().filter(|judged| warns(judged)).count(),
            not_judged: not_judged(report),
            not_judged_advisory: report
                .tasks
                .iter()
                .filter(|task| is_error(task.verdict) && advisory.contains(&task.plugin))
                .count(),
            waived: findings()
                .filter(|judged| matches!(judged.exception, Some(Exception::Waived(_))))
                .count(),
            in_baseline: findings()
                .filter(|judged| matches!(judged.exception, Some(Exception::Baseline)))
                .count(),
            models: report.models.len(),
            files: report.models.iter().map(|model| model.files.len()).sum(),
            plugins: report.plugins.len(),
            tasks: report.tasks.len(),
        }
    }

    /// Returns the summary of `report` in one line, as it follows the decision.
    pub(super) fn words(&self, report: &Report) -> String {
        let things = |number: usize, thing: &str| {
            format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
        };
        let mut parts = vec![
            format!("{} denied", count(self.denied)),
            things(self.warnings, "warning"),
            format!("{} not judged", count(self.not_judged)),
        ];
        if self.not_judged_advisory > 0 {
            parts.push(format!("{} not judged (advisory)", count(self.not_judged_advisory)));
        }
        if self.waived > 0 {
            let in_use = report.waivers.iter().filter(|waiver| waiver.covers > 0);
            let first = in_use.map(|waiver| waiver.waiver.expires).min();
            let until = first.map(|first| format!(" (expires {first})"));
            parts.push(format!("{} waived{}", count(self.waived), until.unwrap_or_default()));
        }
        if self.in_baseline > 0 {
            parts.push(format!("{} in the baseline", count(self.in_baseline)));
        }
        if report.scan_only.is_some() {
            parts.push("no digests".to_owned());
        }
        if report.reasons.iter().any(|reason| reason.kind == ReasonKind::Interrupted) {
            parts.push("interrupted".to_owned());
        }
        if report.not_run.iter().any(|why| why.cause != Cause::Nothing) {
            parts.push("nothing ran".to_owned());
        }
        let models = match &report.part {
            Some(part) => format!(
                "{} of {} changed since {}",
                count(self.models),
                things(self.models.saturating_add(part.unchanged), "model"),
                GuestText::capped(&part.base)
            ),
            None => things(self.models, "model"),
        };
        format!("{} | {models}, {}", parts.join(", "), things(self.plugins, "plugin"))
    }
}

/// Writes a number in groups of three digits.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns whether `judged` is a warning.
pub(super) fn warns(judged: &Judged) -> bool {
    !judged.denies
        && !judged.blocks
        && judged.exception.is_none()
        && judged.finding.severity > Severity::Info
}

/// What could not be judged: a file, or one plugin's word on a model.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Unjudged<'a> {
    Model,
    File(&'a FilePath),
    Check(&'a PluginId),
}

fn not_judged(report: &Report) -> usize {
    let mut unjudged: BTreeSet<(&ModelName, Unjudged<'_>)> = BTreeSet::new();
    let mut failed: BTreeSet<(&ModelName, &PluginId)> = BTreeSet::new();
    let mut unsatisfied = Vec::new();
    for reason in &report.reasons {
        // Reasons on the whole run count nothing; the formats tell them apart.
        let Some(model) = &reason.model else { continue };
        let what = match &reason.kind {
            ReasonKind::Failed { .. }
            | ReasonKind::Gate { .. }
            | ReasonKind::Interrupted
            | ReasonKind::Nothing
            | ReasonKind::NotRun => {
                continue;
            }
            ReasonKind::Error { plugin, file, .. } => {
                failed.insert((model, plugin));
                file.as_ref().map_or(Unjudged::Check(plugin), Unjudged::File)
            }
            ReasonKind::Unsatisfied { plugin } => {
                unsatisfied.push((model, plugin));
                continue;
            }
            ReasonKind::Empty => Unjudged::Model,
            ReasonKind::NotJudged { file }
            | ReasonKind::Unreadable { file }
            | ReasonKind::Changed { file } => Unjudged::File(file),
        };
        unjudged.insert((model, what));
    }
    // A required check that failed is counted by its failure.
    unsatisfied.retain(|check| !failed.contains(check));
    unjudged.len() + unsatisfied.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_groups_of_three() {
        let rows =
            [(0, "0"), (999, "999"), (1000, "1,000"), (1_000_000, "1,000,000"), (12_345, "12,345")];
        for (number, expected) in rows {
            assert_eq!(count(number), expected);
        }
    }
}
