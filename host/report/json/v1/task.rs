//! A task in the report.

use schemars::JsonSchema;
use serde::Serialize;

use super::inert;
use super::model::Finding;
use super::words::Verdict;
use crate::domain::capability;
use crate::domain::finding;
use crate::domain::report::{Ending, Report, TaskReport};
use crate::domain::verdict::{self, FailureCode};
use crate::report::json::layout::Each;

/// One check of one model, or of one file of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Task<'a> {
    /// The id of the plugin.
    plugin: &'a str,
    /// The name of the model.
    model: &'a str,
    /// The path of the file, for a task on one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// What the policy makes of it.
    verdict: Verdict,
    /// How it ended.
    ending: Word,
    /// Why the content is not applicable.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// Why there is no usable answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure<'a>>,
    /// What was found, worst first.
    findings: Each<'a, Finding<'a>>,
    /// What was established.
    facts: Each<'a, Fact<'a>>,
    /// What was looked at: each file of the view, sorted by path.
    coverage: Each<'a, Coverage<'a>>,
    /// What was used.
    usage: Usage,
    /// What might have been used, given the size of the view: where the task ended
    /// at a limit. Elsewhere it follows from the limits of the plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
}

/// How a task ended.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Word {
    /// The plugin did its work.
    Checked,
    /// The content is nothing it has a say on.
    NotApplicable,
    /// It was refused before its first instruction.
    Refused,
    /// It gave no answer that can be used.
    Failed,
}

/// Why a task has no usable answer.
#[derive(Serialize, JsonSchema)]
pub(super) struct Failure<'a> {
    /// What kind of failure it was, such as `trap` or `limit/fuel`.
    code: &'static str,
    /// What happened.
    message: &'a str,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// Whether the same run may end otherwise the next time. Where it may, this
    /// task's figures don't repeat either.
    retryable: bool,
}

/// One thing a plugin established.
#[derive(Serialize, JsonSchema)]
struct Fact<'a> {
    /// Its name, unique in the task.
    key: &'a str,
    /// Its value.
    value: &'a str,
}

/// How much of one file was looked at.
#[derive(Serialize, JsonSchema)]
struct Coverage<'a> {
    /// The path of the file.
    file: &'a str,
    /// Its size in bytes.
    size: u64,
    /// How many of its bytes were read or digested, each counted once.
    read: u64,
}

/// What a task used. A figure that is absent is 0.
#[derive(Serialize, JsonSchema)]
struct Usage {
    /// Fuel, roughly one unit an instruction.
    fuel: u64,
    /// Peak bytes over all linear memories.
    memory: u64,
    /// Peak elements over all tables.
    #[serde(skip_serializing_if = "is_none")]
    table_elements: u64,
    /// Calls into the host.
    host_calls: u64,
    /// The most handles alive at once.
    #[serde(skip_serializing_if = "is_none")]
    handles: u64,
    /// Bytes read or digested, counted each time.
    bytes_read: u64,
    /// Findings in what it returned, whether or not they were taken.
    #[serde(skip_serializing_if = "is_none")]
    findings: u64,
    /// Facts in what it returned, likewise.
    #[serde(skip_serializing_if = "is_none")]
    facts: u64,
    /// Bytes of the longest text in what it returned.
    #[serde(skip_serializing_if = "is_none")]
    text: u64,
    /// Log lines, those that were dropped among them.
    #[serde(skip_serializing_if = "is_none")]
    log_lines: u64,
}

/// What a task might have used, given the size of its view.
#[derive(Serialize, JsonSchema)]
struct Limits {
    /// Fuel.
    fuel: u64,
    /// Bytes over all linear memories.
    memory: u64,
    /// Elements over all tables.
    table_elements: u64,
    /// Calls into the host.
    host_calls: u64,
    /// Handles alive at once.
    handles: u32,
    /// Bytes read or digested.
    bytes_read: u64,
    /// Findings in an answer.
    findings: u32,
    /// Facts in an answer.
    facts: u32,
    /// Bytes of one text in an answer.
    text: u32,
    /// Log lines; those past it are dropped.
    log_lines: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl<'a> Task<'a> {
    /// Tells of `task`, one of the tasks of `report`.
    pub(super) fn new(report: &'a Report, task: &'a TaskReport) -> Self {
        let nothing: &[finding::Fact] = &[];
        let (facts, reason, failure) = match &task.ending {
            Ending::Checked(facts) => (facts.as_slice(), None, None),
            Ending::NotApplicable(reason) => (nothing, Some(reason.as_str()), None),
            Ending::Refused(failure) | Ending::Failed(failure) => {
                (nothing, None, Some(failure.into()))
            }
        };
        let plugin = report
            .plugins
            .binary_search_by(|plugin| plugin.plugin.manifest.id.cmp(&task.plugin))
            .ok();
        let limits = plugin
            .filter(|_| is_at_limit(&task.ending))
            .and_then(|index| report.plugins.get(index))
            .map(|plugin| &plugin.limits);
        Self {
            plugin: task.plugin.as_str(),
            model: task.model.as_str(),
            file: task.file.as_ref().map(|file| file.as_str()),
            verdict: task.verdict.into(),
            ending: (&task.ending).into(),
            reason,
            failure,
            findings: Each::of(&task.findings),
            facts: Each::of(facts),
            coverage: Each::of(&task.coverage),
            usage: task.usage.into(),
            limits: limits.map(|limits| Limits::new(limits, &task.coverage)),
        }
    }
}

impl From<&Ending> for Word {
    fn from(ending: &Ending) -> Self {
        match ending {
            Ending::Checked(_) => Self::Checked,
            Ending::NotApplicable(_) => Self::NotApplicable,
            Ending::Refused(_) => Self::Refused,
            Ending::Failed(_) => Self::Failed,
        }
    }
}

fn is_at_limit(ending: &Ending) -> bool {
    matches!(ending, Ending::Failed(failure) if matches!(failure.code, FailureCode::Limit(_)))
}

impl<'a> From<&'a verdict::Failure> for Failure<'a> {
    fn from(failure: &'a verdict::Failure) -> Self {
        Self {
            code: failure.code.name(),
            message: failure.message.as_str(),
            help: failure.help.as_deref().map(inert),
            retryable: failure.code.is_retryable(),
        }
    }
}

impl<'a> From<&'a finding::Fact> for Fact<'a> {
    fn from(fact: &'a finding::Fact) -> Self {
        Self { key: &fact.key, value: fact.value.as_str() }
    }
}

impl<'a> From<&'a verdict::Coverage> for Coverage<'a> {
    fn from(coverage: &'a verdict::Coverage) -> Self {
        Self { file: coverage.file.as_str(), size: coverage.size, read: coverage.read }
    }
}

impl From<verdict::Usage> for Usage {
    fn from(usage: verdict::Usage) -> Self {
        let verdict::Usage {
            fuel,
            memory,
            table_elements,
            host_calls,
            handles,
            bytes_read,
            findings,
            facts,
            text,
            log_lines,
        } = usage;
        Self {
            fuel,
            memory,
            table_elements,
            host_calls,
            handles: handles.into(),
            bytes_read,
            findings: findings.into(),
            facts: facts.into(),
            text: text.into(),
            log_lines,
        }
    }
}

impl Limits {
    fn new(limits: &capability::Limits, view: &[verdict::Coverage]) -> Self {
        let size = view.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        let files = u64::try_from(view.len()).unwrap_or(u64::MAX);
        Self {
            fuel: limits.task_fuel(size),
            memory: limits.memory,
            table_elements: limits.table_elements,
            host_calls: limits.task_host_calls(size, files),
            handles: limits.handles,
            bytes_read: limits.task_bytes_read(size),
            findings: limits.findings,
            facts: limits.facts,
            text: limits.text,
            log_lines: limits.log_lines,
        }
    }
}
