//! What a report has to tell a person, one notice each, in the report's order.
//!
//! Leaves showing them to the formats, and where they are to `place`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::place::Place;
use crate::domain::decision::{Decision, ReasonKind};
use crate::domain::finding::{Confidence, Finding, Fingerprint, RuleId, Severity};
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::report::{Ending, Judged, ModelReport, PluginReport, Report, TaskReport};
use crate::domain::text::GuestText;
use crate::domain::verdict::{Failure, FailureCode};
use crate::domain::waiver::Exception;

/// The rule under which formats that know findings alone tell of a task without
/// an answer.
pub(super) const NO_ANSWER: &str = "gate/no-answer";

/// How urgent a notice is, most urgent first.
///
/// Formats match on it without a fallback: what a finding comes to besides these,
/// such as being waived, finds its place in each of them by not compiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rank {
    /// It denies.
    Denies,
    /// It leaves the run incomplete.
    Blocks,
    /// It is a warning.
    Warns,
    /// It is an error of a plugin that only advises.
    Advises,
    /// It would deny, and is waived.
    Waived,
    /// It is worth knowing.
    Informs,
}

impl Rank {
    /// All ranks, most urgent first.
    pub(super) const ALL: [Self; 6] =
        [Self::Denies, Self::Blocks, Self::Warns, Self::Advises, Self::Waived, Self::Informs];
}

/// The word in front of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Label {
    /// Something could not be judged.
    Error,
    /// Something was found.
    Severity(Severity),
}

impl Label {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Severity(severity) => severity.name(),
        }
    }
}

/// What a notice is a case of. Notices of one code stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Code<'a> {
    /// The run as a whole.
    Run(&'static str),
    /// A task without an answer.
    Failure(FailureCode, &'a PluginId),
    /// A finding.
    Rule(&'a RuleId),
}

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(code) => f.write_str(code),
            Self::Failure(code, _) => f.write_str(code.name()),
            Self::Rule(rule) => rule.fmt(f),
        }
    }
}

/// One thing to tell. Everything but the place: notices that are equal here are
/// told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Notice<'a> {
    pub(super) rank: Rank,
    pub(super) label: Label,
    pub(super) code: Code<'a>,
    message: &'a str,
    /// The line of the operator's file that the message is about.
    at: Option<(&'a GuestText, u32)>,
    help: Option<&'a str>,
    confidence: Confidence,
    /// The plugin only advises, and what it says would deny or block.
    advisory: bool,
    /// It denies though it is below the bar: a required plugin misses it.
    missing: bool,
    /// Its task has no answer that is believed.
    unbelieved: bool,
    /// The policy lets it pass.
    tolerated: bool,
    /// An exception covers it.
    exception: Option<&'a Exception>,
    /// How bad its plugin says it is, where the policy says otherwise.
    original: Option<Severity>,
}

impl Notice<'_> {
    /// Returns the rule it stands under in formats that know findings alone.
    pub(super) fn rule(&self) -> String {
        match self.code {
            Code::Run(code) => code.to_owned(),
            Code::Failure(..) => NO_ANSWER.to_owned(),
            Code::Rule(rule) => rule.to_string(),
        }
    }

    /// Returns what was found severe: a failure counts as `high`, since nothing
    /// is known of what it did not judge.
    pub(super) const fn severity(&self) -> Severity {
        match self.label {
            Label::Error => Severity::High,
            Label::Severity(severity) => severity,
        }
    }

    /// Returns the line of the operator's file that it is about: the file's path
    /// relative to the policy's folder.
    pub(super) const fn at(&self) -> Option<(&GuestText, u32)> {
        self.at
    }

    /// Returns how sure it is.
    pub(super) const fn confidence(&self) -> Confidence {
        self.confidence
    }

    /// Returns what stands behind the code.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self.code {
            Code::Failure(_, plugin) => format!("plugin {plugin}: {}", self.message).into(),
            Code::Run(_) | Code::Rule(_) => match self.at {
                Some((file, line)) => format!("{file}:{line}: {}", self.message).into(),
                None => self.message.into(),
            },
        }
    }

    /// Whether it is a finding of a plugin.
    pub(super) fn is_of_plugin(&self) -> bool {
        matches!(self.code, Code::Rule(rule) if *rule.plugin() != PluginId::gate())
    }

    /// Returns the way out. It may come from the host with text of a plugin's
    /// in it, so it is made inert here.
    pub(super) fn help(&self) -> Option<GuestText> {
        self.help.map(GuestText::capped)
    }

    /// Returns why it does not deny, where an exception covers it: who waives it,
    /// until when and why.
    pub(super) fn excepted(&self) -> Option<String> {
        self.exception.map(|exception| match exception {
            Exception::Waived(waiver) => format!(
                "waived by {} until {} (modelhost.toml:{}): {}",
                waiver.owner, waiver.expires, waiver.line, waiver.reason
            ),
            Exception::Baseline => "it is in the baseline".to_owned(),
        })
    }

    /// Returns the exception that covers it.
    pub(super) const fn exception(&self) -> Option<&Exception> {
        self.exception
    }

    /// Returns what the reader must know to understand the effect.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.confidence < Confidence::High {
            notes.push(format!("{} confidence", self.confidence.name()));
        }
        let plugin = match self.code {
            Code::Failure(_, plugin) => plugin.as_str(),
            Code::Rule(rule) => rule.plugin().as_str(),
            Code::Run(_) => "",
        };
        if self.missing {
            notes.push(format!("{plugin} is required, so what it misses denies"));
        }
        if self.advisory {
            notes.push(format!("{plugin} only advises: this neither denies nor blocks"));
        }
        if self.unbelieved {
            notes.push(format!(
                "{plugin} gave no answer that can be used (see its error), so this does not deny"
            ));
        }
        notes.extend(self.excepted());
        if let (Some(original), Code::Rule(rule)) = (self.original, self.code) {
            notes.push(format!(
                "{original} by itself; `severity` under [plugin.{}] makes it {}",
                rule.plugin(),
                self.label.word()
            ));
        }
        if self.tolerated {
            notes.push("the policy lets it pass: not-judged = \"warn\"".to_owned());
        }
        if matches!(self.code, Code::Failure(code, _) if code.is_retryable()) {
            notes.push("this may end otherwise the next time".to_owned());
        }
        notes
    }
}

/// One thing to tell, with where and of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) notice: Notice<'a>,
    /// Where it is; none for the run as a whole.
    pub(super) place: Option<Place<'a>>,
    /// What it is known by from run to run.
    pub(super) fingerprint: Fingerprint,
    /// The finding, if it is one.
    pub(super) judged: Option<&'a Judged>,
    /// The plugin whose task it comes from; none for the gate's own.
    pub(super) plugin: Option<&'a PluginId>,
}

impl<'a> Told<'a> {
    /// Returns the model it is about.
    pub(super) fn model(&self) -> Option<&'a ModelReport> {
        self.place.map(|place| place.model)
    }
}

/// Returns all that `report` has to tell, in its order.
pub(super) fn told(report: &Report) -> Vec<Told<'_>> {
    let models: BTreeMap<&ModelName, &ModelReport> =
        report.models.iter().map(|model| (&model.name, model)).collect();
    let plugins: BTreeMap<&PluginId, &PluginReport> =
        report.plugins.iter().map(|plugin| (&plugin.plugin.manifest.id, plugin)).collect();
    let mut all = whole(report);
    for model in &report.models {
        all.extend(model.findings.iter().map(|judged| Told {
            notice: own(judged),
            place: Some(Place::of(model, judged)),
            fingerprint: judged.fingerprint,
            judged: Some(judged),
            plugin: None,
        }));
    }
    for task in &report.tasks {
        let plugin = plugins.get(&task.plugin);
        let advisory = plugin.is_some_and(|plugin| plugin.advisory);
        let fail_on = plugin.map_or(report.fail_on, |plugin| plugin.fail_on);
        let model = models.get(&task.model).copied();
        if let Ending::Refused(failure) | Ending::Failed(failure) = &task.ending {
            let file = task.file.as_ref().map_or("", FilePath::as_str);
            let parts =
                [NO_ANSWER, task.model.as_str(), file, task.plugin.as_str(), failure.code.name()];
            all.push(Told {
                notice: failed(task, failure, advisory),
                place: model.map(|model| Place::file(model, task.file.as_ref())),
                fingerprint: Fingerprint::of(&parts),
                judged: None,
                plugin: Some(&task.plugin),
            });
        }
        all.extend(task.findings.iter().map(|judged| Told {
            notice: found(fail_on, task, judged, advisory),
            place: model.map(|model| Place::of(model, judged)),
            fingerprint: judged.fingerprint,
            judged: Some(judged),
            plugin: Some(&task.plugin),
        }));
    }
    all
}

/// Returns all that `report` has to tell, most urgent first, then worst, then by
/// code, then in the report's order.
pub(super) fn most_urgent_first(report: &Report) -> Vec<Told<'_>> {
    let mut told = told(report);
    told.sort_by(|a, b| order(&a.notice).cmp(&order(&b.notice)));
    told
}

/// The order of notices: most urgent first, then worst, then by code.
pub(super) fn order<'n>(notice: &'n Notice<'_>) -> (Rank, std::cmp::Reverse<Label>, &'n Code<'n>) {
    (notice.rank, std::cmp::Reverse(notice.label), &notice.code)
}

/// Returns what is to be told of the run as a whole.
fn whole(report: &Report) -> Vec<Told<'_>> {
    let plain = |code, message, help| (code, message, Some(help), None);
    let kinds = report.reasons.iter().map(|reason| &reason.kind);
    let reasons = kinds.filter_map(|kind| match kind {
        ReasonKind::Interrupted => Some(plain(
            "gate/interrupted",
            "the run was interrupted: this is what was found so far",
            "run it again to the end",
        )),
        ReasonKind::Nothing if report.not_run.is_empty() => Some(plain(
            "gate/nothing",
            "there is no model to check",
            "name the path of a model, or of a folder with models",
        )),
        _ => None,
    });
    let not_run = report.not_run.iter().map(|why| {
        let at = why.at.as_ref().map(|(file, line)| (file, *line));
        let help = why.help.as_ref().map(GuestText::as_str);
        (why.cause.rule(), why.message.as_str(), help, at)
    });
    // Where the run was told that there may be nothing, that is no error.
    let (rank, label) = match report.decision {
        Decision::Allow => (Rank::Informs, Label::Severity(Severity::Info)),
        Decision::Incomplete | Decision::Deny => (Rank::Blocks, Label::Error),
    };
    let told = |(index, (code, message, help, at)): (usize, (&'static str, _, _, _))| {
        let notice = Notice {
            rank,
            label,
            code: Code::Run(code),
            message,
            at,
            help,
            confidence: Confidence::High,
            advisory: false,
            missing: false,
            unbelieved: false,
            tolerated: false,
            exception: None,
            original: None,
        };
        let number = index.to_string();
        Told {
            notice,
            place: None,
            // Several mistakes are told apart by their number alone.
            fingerprint: Fingerprint::of(&[code, &number][..if index > 0 { 2 } else { 1 }]),
            judged: None,
            plugin: None,
        }
    };
    reasons.chain(not_run).enumerate().map(told).collect()
}

fn notice(judged: &Judged) -> Notice<'_> {
    let Judged { finding, denies, blocks, exception, original, .. } = judged;
    let Finding { rule, severity, confidence, message, help, .. } = finding;
    let (rank, label) = match (denies, blocks, severity) {
        _ if matches!(exception, Some(Exception::Waived(_))) => {
            (Rank::Waived, Label::Severity(*severity))
        }
        _ if exception.is_some() => (Rank::Informs, Label::Severity(*severity)),
        (true, ..) => (Rank::Denies, Label::Severity(*severity)),
        (false, true, _) => (Rank::Blocks, Label::Error),
        (false, false, Severity::Info) => (Rank::Informs, Label::Severity(*severity)),
        (false, false, _) => (Rank::Warns, Label::Severity(*severity)),
    };
    Notice {
        rank,
        label,
        code: Code::Rule(rule),
        message: message.as_str(),
        at: None,
        help: help.as_ref().map(GuestText::as_str),
        confidence: *confidence,
        advisory: false,
        missing: false,
        unbelieved: false,
        tolerated: false,
        exception: exception.as_ref(),
        original: *original,
    }
}

/// Returns a finding of the gate's own.
fn own(judged: &Judged) -> Notice<'_> {
    let tolerated = ["not-judged", "lfs-pointer"].contains(&judged.finding.rule.name());
    Notice { tolerated: tolerated && !judged.denies && !judged.blocks, ..notice(judged) }
}

fn found<'a>(
    fail_on: Severity,
    task: &TaskReport,
    judged: &'a Judged,
    advisory: bool,
) -> Notice<'a> {
    let is_bad = judged.finding.severity >= fail_on;
    let is_answer = matches!(task.ending, Ending::Checked(_));
    Notice {
        missing: judged.denies && !is_bad,
        advisory: advisory && is_bad,
        unbelieved: !is_answer && !advisory,
        ..notice(judged)
    }
}

fn failed<'a>(task: &'a TaskReport, failure: &'a Failure, advisory: bool) -> Notice<'a> {
    Notice {
        rank: if advisory { Rank::Advises } else { Rank::Blocks },
        label: Label::Error,
        code: Code::Failure(failure.code, &task.plugin),
        message: failure.message.as_str(),
        at: None,
        help: failure.help.as_deref(),
        confidence: Confidence::High,
        advisory,
        missing: false,
        unbelieved: false,
        tolerated: false,
        exception: None,
        original: None,
    }
}
