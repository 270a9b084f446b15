//! The findings of a report, as those who write exceptions from them, or look one
//! up, need them: from a run, or of a report that was read back.
//!
//! Leaves reading it to `json`, and what is written of them to `cli`.

use super::json::document::{self, Document};
use crate::domain::digest::Digest;
use crate::domain::finding::{Finding, Fingerprint, RuleId, Severity};
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::report::{Judged, ModelReport, Report};
use crate::domain::text::GuestText;
use crate::domain::waiver::Exception;

/// A finding as a report names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// Its rule; none for one of the gate's own, which no exception covers.
    pub rule: Option<RuleId>,
    /// Its rule as it is written.
    pub code: String,
    /// The model it is in.
    pub model: ModelName,
    /// The file it is on.
    pub file: Option<FilePath>,
    /// What within the file it is on: an archive member, a tensor, a key.
    pub member: Option<GuestText>,
    /// A byte offset from the start of the member, else of the file.
    pub offset: Option<u64>,
    /// A line of the file, from 1.
    pub line: Option<u32>,
    /// The line of the lock file that speaks of it, from 1.
    pub lock_line: Option<u32>,
    /// The digest that an exception from it is bound to: of its file, or of the
    /// model's tree. None where the run computed none.
    pub digest: Option<Digest>,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    pub message: GuestText,
    /// Whether it denies.
    pub denies: bool,
    /// Who answers for the waiver that covers it, why, and until when; none where none
    /// does.
    pub waiver: Option<Words>,
    /// Whether the baseline covers it.
    pub in_baseline: bool,
}

/// What a waiver says beside what it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Why.
    pub reason: GuestText,
    /// Who answers for it.
    pub owner: GuestText,
    /// Its last day.
    pub expires: GuestText,
}

/// Returns the findings of `report`, in its order.
pub fn of(report: &Report) -> Vec<Reported> {
    let mut found = Vec::new();
    for model in &report.models {
        found.extend(model.findings.iter().map(|judged| reported(model, judged, None)));
    }
    for task in &report.tasks {
        let place = report.models.binary_search_by(|model| model.name.cmp(&task.model));
        let Some(model) = place.ok().and_then(|place| report.models.get(place)) else { continue };
        let file = task.file.as_ref();
        found.extend(task.findings.iter().map(|judged| reported(model, judged, file)));
    }
    found
}

fn reported(model: &ModelReport, judged: &Judged, file: Option<&FilePath>) -> Reported {
    let Finding { rule, severity, message, location, .. } = &judged.finding;
    let waiver = match &judged.exception {
        Some(Exception::Waived(waiver)) => Some(Words {
            reason: GuestText::capped(&waiver.reason),
            owner: GuestText::capped(&waiver.owner),
            expires: GuestText::capped(&waiver.expires.to_string()),
        }),
        _ => None,
    };
    // A task on a file is about that file, where the finding names none.
    let file = location.file.as_ref().or(file);
    Reported {
        fingerprint: judged.fingerprint,
        rule: (*rule.plugin() != PluginId::gate()).then(|| rule.clone()),
        code: rule.to_string(),
        model: model.name.clone(),
        file: file.cloned(),
        member: location.member.clone(),
        offset: location.offset,
        line: location.line,
        lock_line: judged.lock_line,
        digest: model.bound_digest(file),
        severity: *severity,
        message: message.clone(),
        denies: judged.denies,
        waiver,
        in_baseline: matches!(judged.exception, Some(Exception::Baseline)),
    }
}

/// Returns the findings of a report that was read back, in its order.
pub fn read(document: &Document) -> Vec<Reported> {
    let report = &document.report;
    let mut found = Vec::new();
    for model in &report.models {
        found.extend(model.findings.iter().map(|finding| read_finding(model, finding, None)));
    }
    for task in &report.tasks {
        let Some(model) = report.model(task.model.0.as_str()) else { continue };
        let file = task.file.as_ref().map(|file| &file.0);
        found.extend(task.findings.iter().map(|finding| read_finding(model, finding, file)));
    }
    found
}

fn read_finding(
    model: &document::Model,
    finding: &document::Finding,
    task: Option<&FilePath>,
) -> Reported {
    let file = finding.location.file.as_ref().map(|file| &file.0).or(task);
    let listed = file.and_then(|named| {
        let place = model.files.binary_search_by(|file| file.path.0.cmp(named)).ok()?;
        model.files.get(place)
    });
    let digest = match listed {
        Some(file) => &file.digest,
        None => &model.tree,
    };
    Reported {
        fingerprint: finding.fingerprint.0,
        rule: finding.rule.0.rule.clone(),
        code: finding.rule.0.text.to_string(),
        model: model.name.0.clone(),
        file: file.cloned(),
        member: finding.location.member.as_ref().map(|member| member.0.clone()),
        offset: finding.location.offset,
        line: finding.location.line,
        lock_line: finding.lock_line,
        digest: digest.as_ref().map(|digest| digest.0),
        severity: finding.severity.0,
        message: finding.message.0.clone(),
        denies: finding.denies,
        waiver: finding.waived.as_ref().map(|waived| Words {
            reason: GuestText::capped(&waived.reason),
            owner: GuestText::capped(&waived.owner),
            expires: GuestText::capped(&waived.expires),
        }),
        in_baseline: finding.in_baseline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, Style, testing, write};

    fn json(report: &Report) -> Vec<u8> {
        let mut out = Vec::new();
        write(Format::Json, report, &Default::default(), &mut out, &Style::default())
            .expect("a Vec takes it");
        out
    }

    #[test]
    fn a_report_read_back_tells_of_the_same_findings() {
        let mut report = testing::everything();
        let exceptions = [Exception::Baseline, Exception::Waived(testing::waiver("a/b", "bert"))];
        let findings = report.tasks.iter_mut().flat_map(|task| &mut task.findings);
        for (judged, exception) in findings.zip(exceptions) {
            *judged = judged.clone().excepted(exception);
        }
        let found = of(&report);
        assert!(
            found.iter().any(|found| found.waiver.is_some())
                && found.iter().any(|found| found.in_baseline)
        );
        assert!(found.iter().any(|found| found.rule.is_none()));
        let document = crate::report::json::read(&json(&report)).expect("it is one");
        assert_eq!(read(&document), found);
    }
}
