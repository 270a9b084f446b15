//! The findings of a report, as those who write exceptions from them, or look one
//! up, need them: from a run, or read back from its JSON.
//!
//! Leaves what is written of them to `cli`.

use std::collections::HashMap;

use serde::Deserialize;

use super::json::SCHEMA;
use crate::domain::digest::Digest;
use crate::domain::finding::{Finding, Fingerprint, RuleId, Severity};
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::report::{Judged, ModelReport, Report};
use crate::domain::text::GuestText;
use crate::domain::waiver::Exception;

/// The most bytes of a JSON report that are read: some hundred thousand tasks.
pub const MAX_REPORT: u64 = 256 << 20;

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
    /// The digest that an exception from it is bound to: of its file, or of the
    /// model's tree. None where the run computed none.
    pub digest: Option<Digest>,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    pub message: GuestText,
    /// Whether it denies.
    pub denies: bool,
    /// Whether a waiver covers it.
    pub waived: bool,
    /// Whether the baseline covers it.
    pub in_baseline: bool,
}

/// Why a text is no JSON report whose findings can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportedError {
    /// It is no such JSON.
    #[error("this is no JSON report of modelhost (`-o json=PATH` writes one): {0}")]
    Json(GuestText),
    /// It is a report of another version.
    #[error("this is a report of the form `{0}`; this version of modelhost reads `{SCHEMA}`")]
    Version(GuestText),
    /// A text in it is not what it should be.
    #[error("this report was not written by modelhost, or changed since: {0}")]
    Value(GuestText),
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
    // A task on a file is about that file, where the finding names none.
    let file = location.file.as_ref().or(file);
    Reported {
        fingerprint: judged.fingerprint,
        rule: (*rule.plugin() != PluginId::gate()).then(|| rule.clone()),
        code: rule.to_string(),
        model: model.name.clone(),
        file: file.cloned(),
        digest: model.bound_digest(file),
        severity: *severity,
        message: message.clone(),
        denies: judged.denies,
        waived: matches!(judged.exception, Some(Exception::Waived(_))),
        in_baseline: matches!(judged.exception, Some(Exception::Baseline)),
    }
}

/// Reads the findings of the JSON report in `bytes`.
///
/// # Errors
/// Says why it is no such report.
pub fn read(bytes: &[u8]) -> Result<Vec<Reported>, ReportedError> {
    let json =
        |error: serde_json::Error| ReportedError::Json(GuestText::capped(&error.to_string()));
    let version: Version = serde_json::from_slice(bytes).map_err(json)?;
    if version.schema != SCHEMA {
        return Err(ReportedError::Version(GuestText::capped(&version.schema)));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(json)?;
    let mut found = Vec::new();
    for model in &document.models {
        for finding in &model.findings {
            found.push(finding.reported(model, None)?);
        }
    }
    // There may be as many models as tasks. Of two with one name, the first counts.
    let models: HashMap<&str, &Model> =
        document.models.iter().rev().map(|model| (model.name.as_str(), model)).collect();
    for task in &document.tasks {
        let model = models.get(task.model.as_str());
        let model =
            model.ok_or_else(|| wrong("a task on a model that it does not have", &task.model))?;
        for finding in &task.findings {
            found.push(finding.reported(model, task.file.as_deref())?);
        }
    }
    Ok(found)
}

fn wrong(what: &str, text: &str) -> ReportedError {
    ReportedError::Value(GuestText::capped(&format!("{what}: {text}")))
}

#[derive(Deserialize)]
struct Version {
    schema: String,
}

/// As much of the report as is looked at. Fields may be added to it at any time.
#[derive(Deserialize)]
struct Document {
    models: Vec<Model>,
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    tree: Option<String>,
    files: Vec<File>,
    findings: Vec<Found>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Task {
    model: String,
    file: Option<String>,
    findings: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    rule: String,
    fingerprint: String,
    severity: String,
    message: String,
    location: Place,
    denies: bool,
    waived: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    in_baseline: bool,
}

#[derive(Deserialize)]
struct Place {
    file: Option<String>,
}

impl Found {
    fn reported(&self, model: &Model, task: Option<&str>) -> Result<Reported, ReportedError> {
        let (plugin, name) =
            self.rule.split_once('/').ok_or_else(|| wrong("no rule", &self.rule))?;
        let rule = match PluginId::new(plugin) {
            Ok(plugin) => {
                Some(RuleId::new(plugin, name).ok_or_else(|| wrong("no rule", &self.rule))?)
            }
            Err(_) if plugin == "gate" => None,
            Err(_) => return Err(wrong("no rule", &self.rule)),
        };
        let path = |text: &str| FilePath::parse(text).ok_or_else(|| wrong("no path", text));
        let named = self.location.file.as_deref().or(task);
        let file = named.map(path).transpose()?;
        let listed = named.and_then(|named| {
            // The report has them sorted; one that has not finds nothing.
            let place = model.files.binary_search_by(|file| file.path.as_str().cmp(named)).ok()?;
            model.files.get(place)
        });
        let digest = match listed {
            Some(file) => file.digest.as_deref(),
            None => model.tree.as_deref(),
        };
        let digest = digest.map(|text| text.parse().map_err(|_| wrong("no digest", text)));
        Ok(Reported {
            fingerprint: self
                .fingerprint
                .parse()
                .map_err(|_| wrong("no fingerprint", &self.fingerprint))?,
            rule,
            code: GuestText::capped(&self.rule).to_string(),
            model: ModelName::new(&model.name),
            file,
            digest: digest.transpose()?,
            severity: self.severity.parse().map_err(|_| wrong("no severity", &self.severity))?,
            message: GuestText::capped(&self.message),
            denies: self.denies,
            waived: self.waived.is_some(),
            in_baseline: self.in_baseline,
        })
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
            found.iter().any(|found| found.waived) && found.iter().any(|found| found.in_baseline)
        );
        assert!(found.iter().any(|found| found.rule.is_none()));
        assert_eq!(read(&json(&report)).expect("it is one"), found);
    }

    /// What is waived is told with who, why and until when, wherever there is room
    /// for words; the formats `github` and `gitlab` count it.
    #[test]
    fn every_format_tells_what_is_waived() {
        let mut report = testing::everything();
        let judged = &mut report.tasks[0].findings[0];
        let waiver = testing::waiver(&judged.finding.rule.to_string(), "bert");
        *judged = judged.clone().excepted(Exception::Waived(waiver));
        for format in Format::ALL {
            let mut out = Vec::new();
            write(format, &report, &Default::default(), &mut out, &Style::default())
                .expect("a Vec takes it");
            let text = String::from_utf8(out).expect("text");
            let expected: &[&str] = match format {
                Format::Human | Format::Json | Format::Jsonl | Format::Markdown => {
                    &["legal ticket 41", "@ml-legal", "2026-12-31"]
                }
                Format::Html | Format::Sarif | Format::Junit => &["legal ticket 41"],
                Format::Github => &["1 waived"],
                _ => &[],
            };
            for expected in expected {
                assert!(text.contains(expected), "{format}: {expected}\n{text}");
            }
        }
    }

    #[test]
    fn what_is_no_report_is_told() {
        let good = String::from_utf8(json(&testing::everything())).expect("text");
        let fingerprint = of(&testing::everything())[0].fingerprint.to_string();
        let rows = [
            ("".to_owned(), "no JSON report"),
            ("{}".to_owned(), "missing field `schema`"),
            (good.replace("report/v1", "report/v2"), "modelhost-report/v2"),
            (good.replace(&fingerprint, "x"), "no fingerprint: x"),
            (good.replace("\"rule\": \"gate/", "\"rule\": \"Gate/"), "no rule: Gate/"),
            (good.replace("\"digest\": \"sha256:", "\"digest\": \"sha1:"), "no digest"),
            (good.replace("\"severity\": \"high\"", "\"severity\": \"huge\""), "no severity: huge"),
        ];
        for (text, expected) in rows {
            let error = read(text.as_bytes()).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
