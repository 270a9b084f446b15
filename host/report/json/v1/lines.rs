//! The format `jsonl`: a line of JSON for each thing that a run found out, for
//! log pipelines and tools that read by line. The first line says what ran, the
//! last one the decision: without it, the rest was cut off.
//!
//! Leaves the parts that it shares with the format `json` to their files.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::model::Finding;
use super::task::{Failure, Word};
use super::words::{Decision, Severity, Verdict};
use super::{Inputs, NotRun, Summary, inert, waiver};
use crate::domain::moment;
use crate::domain::report::{Ending, ModelReport, PluginReport, Report, TaskReport};
use crate::report::json::layout;
use crate::report::summary;

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-events/v1";

/// One line of what a run of modelhost found out. The same inputs, policy and time
/// give the same lines.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[schemars(title = "modelhost events, version 1")]
enum Line<'a> {
    /// The first line: what ran, and on what.
    Run(Run<'a>),
    /// One thing that kept the run from starting.
    NotRun(NotRun<'a>),
    /// A plugin that took part.
    Plugin(Plugin<'a>),
    /// A model that was looked at.
    Model(Model<'a>),
    /// A finding.
    Finding(Found<'a>),
    /// A waiver of the policy, and what became of it.
    Waiver(waiver::Waiver<'a>),
    /// What the policy makes of one task.
    Verdict(Task<'a>),
    /// The last line: what the gate says.
    Decision(Decided),
}

/// What ran, and on what.
#[derive(Serialize, JsonSchema)]
struct Run<'a> {
    /// `modelhost-events/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// The run's one fixed time, in UTC.
    now: String,
    /// The operator's files that the run was held to.
    inputs: Inputs<'a>,
    /// The findings at or above this deny.
    fail_on: Severity,
    /// Whether the run computed no digests.
    scan_only: bool,
}

/// A plugin that took part.
#[derive(Serialize, JsonSchema)]
struct Plugin<'a> {
    /// Its id.
    plugin: &'a str,
    /// Its version.
    version: String,
    /// The digest of its component, `sha256:<hex>`.
    digest: String,
    /// Whether it only advises.
    advisory: bool,
    /// Whether it is required.
    required: bool,
}

/// A model that was looked at.
#[derive(Serialize, JsonSchema)]
struct Model<'a> {
    /// Its name.
    model: &'a str,
    /// Its path, as it was named or found.
    path: String,
    /// The digest over all its files, `sha256:<hex>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<String>,
    /// How many files it has.
    files: usize,
    /// Whether the lock file has an entry for it.
    locked: bool,
}

/// A finding.
#[derive(Serialize, JsonSchema)]
struct Found<'a> {
    /// The name of the model.
    model: &'a str,
    /// The id of the plugin, `gate` for the gate itself.
    plugin: &'a str,
    /// What was found.
    finding: Finding<'a>,
}

/// What the policy makes of one task.
#[derive(Serialize, JsonSchema)]
struct Task<'a> {
    /// The name of the model.
    model: &'a str,
    /// The id of the plugin.
    plugin: &'a str,
    /// The path of the file, for a task on one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// What the policy makes of it.
    verdict: Verdict,
    /// How it ended.
    ending: Word,
    /// Why there is no usable answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure<'a>>,
}

/// What the gate says.
#[derive(Serialize, JsonSchema)]
struct Decided {
    /// What it says; only `allow` lets through.
    decision: Decision,
    /// The report in a few numbers.
    summary: Summary,
}

/// Writes `report` to `out`.
pub(in crate::report) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = |line: Line<'_>| {
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    };
    line(Line::Run(Run {
        schema: SCHEMA,
        modelhost: env!("CARGO_PKG_VERSION"),
        now: moment::rfc3339(report.now),
        inputs: Inputs::from(&report.inputs),
        fail_on: report.fail_on.into(),
        scan_only: report.scan_only.is_some(),
    }))?;
    for why in &report.not_run {
        line(Line::NotRun(why.into()))?;
    }
    for plugin in &report.plugins {
        line(Line::Plugin(Plugin::new(report, plugin)))?;
    }
    for model in &report.models {
        line(Line::Model(model.into()))?;
        for judged in &model.findings {
            let (model, plugin) = (model.name.as_str(), "gate");
            line(Line::Finding(Found { model, plugin, finding: judged.into() }))?;
        }
    }
    for task in &report.tasks {
        let (model, plugin) = (task.model.as_str(), task.plugin.as_str());
        for judged in &task.findings {
            line(Line::Finding(Found { model, plugin, finding: judged.into() }))?;
        }
        line(Line::Verdict(task.into()))?;
    }
    for waiver in &report.waivers {
        line(Line::Waiver(waiver.into()))?;
    }
    line(Line::Decision(Decided {
        decision: report.decision.into(),
        summary: summary::Summary::of(report).into(),
    }))
}

/// Returns the JSON Schema of a line of this format.
pub(in crate::report) fn json_schema() -> serde_json::Value {
    layout::schema::<Line<'static>>()
}

impl<'a> Plugin<'a> {
    fn new(report: &Report, plugin: &'a PluginReport) -> Self {
        let id = &plugin.plugin.manifest.id;
        Self {
            plugin: id.as_str(),
            version: plugin.plugin.manifest.version.to_string(),
            digest: plugin.plugin.digest.to_string(),
            advisory: plugin.advisory,
            required: report.required.contains(id),
        }
    }
}

impl<'a> From<&'a ModelReport> for Model<'a> {
    fn from(model: &'a ModelReport) -> Self {
        Self {
            model: model.name.as_str(),
            path: inert(&model.path),
            tree: model.tree.map(|tree| tree.to_string()),
            files: model.files.len(),
            locked: model.locked,
        }
    }
}

impl<'a> From<&'a TaskReport> for Task<'a> {
    fn from(task: &'a TaskReport) -> Self {
        let failure = match &task.ending {
            Ending::Checked(_) | Ending::NotApplicable(_) => None,
            Ending::Refused(failure) | Ending::Failed(failure) => Some(failure.into()),
        };
        Self {
            model: task.model.as_str(),
            plugin: task.plugin.as_str(),
            file: task.file.as_ref().map(|file| file.as_str()),
            verdict: task.verdict.into(),
            ending: (&task.ending).into(),
            failure,
        }
    }
}
