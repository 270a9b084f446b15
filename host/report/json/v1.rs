//! Version 1 of the JSON report: types of its own, so that the domain can
//! change while the format can't.
//!
//! Frozen: fields are only ever added. Only what repeats stands here; times and
//! the like are left to `timings`.

pub(in crate::report) mod lines;
mod model;
mod plugin;
mod task;
mod waiver;
mod words;

use schemars::JsonSchema;
use serde::Serialize;

use self::words::{Decision, Severity};
use super::layout::Each;
use crate::domain::decision::{self, ReasonKind};
use crate::domain::evidence;
use crate::domain::moment;
use crate::domain::report::{self, Report};
use crate::domain::text::GuestText;
use crate::report::summary;

/// What `schema` says in this version.
pub(in crate::report) const SCHEMA: &str = "modelhost-report/v1";

/// The result of a run of modelhost. The same inputs, policy and time give the
/// same bytes. Text that came from models and plugins has its control
/// characters written out.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost report, version 1")]
pub(super) struct Document<'a> {
    /// `modelhost-report/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// What the gate says; only `allow` lets through.
    decision: Decision,
    /// The run's one fixed time, in UTC: `2026-01-31T12:00:00Z`.
    now: String,
    /// The operator's files that the run was held to.
    inputs: Inputs<'a>,
    /// The findings at or above this deny.
    fail_on: Severity,
    /// The ids of the plugins without whose verdict on a model the run is
    /// incomplete, sorted.
    required: Vec<&'a str>,
    /// The waivers of the policy, and what became of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    waivers: Vec<waiver::Waiver<'a>>,
    /// What became of the baseline; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<waiver::Baseline>,
    /// Why nothing ran; absent where something did, or had no need to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    not_run: Vec<NotRun<'a>>,
    /// Present where only models that differ from a base were looked at
    /// (`--changed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Changed<'a>>,
    /// Present where the run computed no digests (`--no-digests`): the report
    /// then holds for no particular bytes, and models and files have no digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_only: Option<ScanOnly<'a>>,
    /// Present where the run trusted what the system says of files (`--trust-stat`):
    /// digests of files that look unchanged are then those that an earlier run
    /// computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_stat: Option<TrustStat>,
    /// The report in a few numbers.
    summary: Summary,
    /// What keeps the run from `allow`, worst first; empty where it allows.
    reasons: Each<'a, Reason<'a>>,
    /// The plugins that took part, sorted by id.
    plugins: Each<'a, plugin::Plugin<'a>>,
    /// The models, sorted by name.
    models: Each<'a, model::Model<'a>>,
    /// The tasks, sorted by model, plugin and file.
    tasks: Each<'a, task::Task<'a>>,
}

impl<'a> From<&'a Report> for Document<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            schema: SCHEMA,
            modelhost: env!("CARGO_PKG_VERSION"),
            decision: report.decision.into(),
            now: moment::rfc3339(report.now),
            inputs: Inputs::from(&report.inputs),
            fail_on: report.fail_on.into(),
            required: report.required.iter().map(|plugin| plugin.as_str()).collect(),
            waivers: report.waivers.iter().map(waiver::Waiver::from).collect(),
            baseline: (report.baseline.entries > 0).then(|| report.baseline.into()),
            not_run: report.not_run.iter().map(NotRun::from).collect(),
            changed: report.part.as_ref().map(Changed::from),
            scan_only: report.scan_only.as_ref().map(ScanOnly::from),
            trust_stat: report.trust_stat.map(TrustStat::from),
            summary: summary::Summary::of(report).into(),
            reasons: Each::of(&report.reasons),
            plugins: Each::of(&report.plugins),
            models: Each::of(&report.models),
            tasks: Each::new(move || {
                report.tasks.iter().map(move |task| task::Task::new(report, task))
            }),
        }
    }
}

/// One thing that kept a run from starting.
#[derive(Serialize, JsonSchema)]
struct NotRun<'a> {
    /// What kind of thing it is.
    cause: Cause,
    /// What it is.
    message: &'a str,
    /// The operator's file that it is in, relative to the policy's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// The line of that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

/// What kept a run from starting.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Cause {
    /// There is no model to look at.
    Nothing,
    /// Usage, configuration or the lock file.
    Mistake,
    /// modelhost itself, or its surroundings.
    Fault,
}

impl<'a> From<&'a report::NotRun> for NotRun<'a> {
    fn from(why: &'a report::NotRun) -> Self {
        let at = why.at.as_ref();
        Self {
            cause: match why.cause {
                report::Cause::Nothing => Cause::Nothing,
                report::Cause::Mistake => Cause::Mistake,
                report::Cause::Fault => Cause::Fault,
            },
            message: why.message.as_str(),
            file: at.map(|(file, _)| file.as_str()),
            line: at.map(|(_, line)| *line),
            help: why.help.as_ref().map(GuestText::as_str),
        }
    }
}

/// The base that models were compared with, and how many were left out for it.
#[derive(Serialize, JsonSchema)]
struct Changed<'a> {
    /// The base, as it was named or found.
    base: &'a str,
    /// The commit it is.
    commit: &'a str,
    /// How many models were left out: nothing of theirs differs from the base.
    unchanged: usize,
}

impl<'a> From<&'a evidence::Part> for Changed<'a> {
    fn from(part: &'a evidence::Part) -> Self {
        Self { base: &part.base, commit: &part.commit, unchanged: part.unchanged }
    }
}

/// The operator's files that a run was held to.
#[derive(Serialize, JsonSchema)]
struct Inputs<'a> {
    /// The policy and the definitions beside it; empty for the built-in policy.
    policy: Vec<InputFile<'a>>,
    /// The lock file.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<InputFile<'a>>,
    /// The baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<InputFile<'a>>,
}

impl<'a> From<&'a evidence::Inputs> for Inputs<'a> {
    fn from(inputs: &'a evidence::Inputs) -> Self {
        Self {
            policy: inputs.policy.iter().map(InputFile::from).collect(),
            lock: inputs.lock.as_ref().map(InputFile::from),
            baseline: inputs.baseline.as_ref().map(InputFile::from),
        }
    }
}

/// One file of the operator's.
#[derive(Serialize, JsonSchema)]
struct InputFile<'a> {
    /// Its path, relative to the policy's folder.
    path: &'a str,
    /// The digest of its bytes, `sha256:<hex>`.
    digest: String,
}

impl<'a> From<&'a evidence::InputFile> for InputFile<'a> {
    fn from(file: &'a evidence::InputFile) -> Self {
        Self { path: &file.path, digest: file.digest.to_string() }
    }
}

/// What a run that computes no digests went without.
#[derive(Serialize, JsonSchema)]
struct ScanOnly<'a> {
    /// The ids of the plugins that ask for digests and were left out, sorted.
    left_out: Vec<&'a str>,
}

impl<'a> From<&'a evidence::ScanOnly> for ScanOnly<'a> {
    fn from(scan_only: &'a evidence::ScanOnly) -> Self {
        Self { left_out: scan_only.left_out.iter().map(|plugin| plugin.as_str()).collect() }
    }
}

/// What a run did not read that trusts what the system says of files.
#[derive(Serialize, JsonSchema)]
struct TrustStat {
    /// How many files were not read for their digest.
    not_hashed: usize,
}

impl From<evidence::TrustStat> for TrustStat {
    fn from(trust_stat: evidence::TrustStat) -> Self {
        Self { not_hashed: trust_stat.not_hashed }
    }
}

/// A report in a few numbers.
#[derive(Serialize, JsonSchema)]
struct Summary {
    /// Findings that deny.
    denied: usize,
    /// Findings that neither deny nor block, those of mere `info` left out.
    warnings: usize,
    /// Files, and checks on whole models, that should have been judged and were
    /// not. A file counts once.
    not_judged: usize,
    /// Tasks of advisory plugins that ended in an error.
    not_judged_advisory: usize,
    /// Findings that a waiver covers.
    waived: usize,
    /// Findings that the baseline covers.
    in_baseline: usize,
    /// Models.
    models: usize,
    /// Files of all models.
    files: usize,
    /// Plugins.
    plugins: usize,
    /// Tasks.
    tasks: usize,
}

impl From<summary::Summary> for Summary {
    fn from(summary: summary::Summary) -> Self {
        let summary::Summary {
            denied,
            warnings,
            not_judged,
            not_judged_advisory,
            waived,
            in_baseline,
            models,
            files,
            plugins,
            tasks,
        } = summary;
        Self {
            denied,
            warnings,
            not_judged,
            not_judged_advisory,
            waived,
            in_baseline,
            models,
            files,
            plugins,
            tasks,
        }
    }
}

/// One thing that keeps the run from `allow`.
#[derive(Serialize, JsonSchema)]
struct Reason<'a> {
    /// Which decision it calls for.
    decision: Decision,
    /// What it is.
    kind: Kind,
    /// The name of the model it is about; absent where it is about the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    /// The id of the plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<&'a str>,
    /// The path of the file in the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// How the plugin failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// The rule of the gate's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

/// The kinds of reason.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// A plugin's verdict is `fail`.
    Failed,
    /// A plugin that isn't advisory gave no usable answer.
    Error,
    /// A required plugin gave no verdict on the model.
    Unsatisfied,
    /// A model has no content that could be judged.
    Empty,
    /// A file was judged by no plugin.
    NotJudged,
    /// The gate itself found something that denies.
    Gate,
    /// A file could not be opened or read.
    Unreadable,
    /// A file changed while the run was on.
    Changed,
    /// The run was interrupted.
    Interrupted,
    /// There was no model to look at.
    Nothing,
    /// Nothing ran: a mistake or a fault came first.
    NotRun,
}

impl<'a> From<&'a decision::Reason> for Reason<'a> {
    fn from(reason: &'a decision::Reason) -> Self {
        let (kind, plugin, file, code, rule) = match &reason.kind {
            ReasonKind::Failed { plugin, file } => {
                (Kind::Failed, Some(plugin), file.as_ref(), None, None)
            }
            ReasonKind::Error { plugin, file, code } => {
                (Kind::Error, Some(plugin), file.as_ref(), Some(code), None)
            }
            ReasonKind::Unsatisfied { plugin } => {
                (Kind::Unsatisfied, Some(plugin), None, None, None)
            }
            ReasonKind::Empty => (Kind::Empty, None, None, None, None),
            ReasonKind::NotJudged { file } => (Kind::NotJudged, None, Some(file), None, None),
            ReasonKind::Gate { rule, file } => (Kind::Gate, None, file.as_ref(), None, Some(rule)),
            ReasonKind::Unreadable { file } => (Kind::Unreadable, None, Some(file), None, None),
            ReasonKind::Changed { file } => (Kind::Changed, None, Some(file), None, None),
            ReasonKind::Interrupted => (Kind::Interrupted, None, None, None, None),
            ReasonKind::Nothing => (Kind::Nothing, None, None, None, None),
            ReasonKind::NotRun => (Kind::NotRun, None, None, None, None),
        };
        Self {
            decision: reason.decision.into(),
            kind,
            model: reason.model.as_ref().map(|model| model.as_str()),
            plugin: plugin.map(|plugin| plugin.as_str()),
            file: file.map(|file| file.as_str()),
            code: code.map(|code| code.name()),
            rule: rule.map(|rule| format!("gate/{rule}")),
        }
    }
}

/// Makes text inert that the domain keeps as it came.
fn inert(text: &str) -> String {
    GuestText::capped(text).to_string()
}

#[cfg(test)]
mod tests;
