//! One task: its outcome → its verdict, and what each of its findings does.
//!
//! Leaves the run's decision to `decide`.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use super::believe::believe;
use super::exceptions::Exceptions;
use super::way_out::way_out;
use crate::domain::evidence::{PluginEvidence, TaskEvidence};
use crate::domain::finding::{Finding, Fingerprints, Severity};
use crate::domain::model::{FilePath, LockEntry};
use crate::domain::plugin::{Manifest, PluginId, Reads, Scope};
use crate::domain::report::{Ending, Judged, PluginReport, TaskReport};
use crate::domain::verdict::{Answer, Coverage, Failure, FailureCode, Outcome, Verdict};

/// The plugins of a run, and what the policy wants of each.
pub(super) struct Parties<'a> {
    pub(super) policy: &'a Policy,
    /// Whether the run was cut short: what is not there may only not have been
    /// reached.
    pub(super) interrupted: bool,
    plugins: BTreeMap<&'a PluginId, &'a PluginReport>,
}

/// What of a model its tasks are judged by.
#[derive(Clone, Debug, Default)]
pub(super) struct Known<'a> {
    /// Its entry in the lock file.
    pub(super) lock: Option<&'a LockEntry>,
    /// Its files that changed while the run was on.
    pub(super) changed: BTreeSet<FilePath>,
    /// The plugins that it requires beside the policy's.
    pub(super) checks: Option<&'a BTreeSet<PluginId>>,
}

/// Returns `plugins` as the report tells of them, sorted by id.
pub(super) fn plugins(policy: &Policy, plugins: Vec<PluginEvidence>) -> Vec<PluginReport> {
    let mut reports: Vec<PluginReport> = plugins
        .into_iter()
        .map(|PluginEvidence { plugin, grants, limits }| PluginReport {
            advisory: is_advisory(policy, &plugin.manifest.id),
            fail_on: policy.fail_on(&plugin.manifest.id),
            plugin,
            grants,
            limits,
        })
        .collect();
    reports.sort_by(|a, b| a.plugin.manifest.id.cmp(&b.plugin.manifest.id));
    reports
}

/// Whether `plugin` only advises. To require an advisory plugin is a mistake
/// that `config` refuses; should one get here, what is required counts.
fn is_advisory(policy: &Policy, plugin: &PluginId) -> bool {
    policy.is_advisory(plugin) && !policy.require.contains(plugin)
}

impl<'a> Parties<'a> {
    pub(super) fn new(policy: &'a Policy, plugins: &'a [PluginReport], interrupted: bool) -> Self {
        let plugins = plugins.iter().map(|report| (&report.plugin.manifest.id, report)).collect();
        Self { policy, interrupted, plugins }
    }

    pub(super) fn has(&self, plugin: &PluginId) -> bool {
        self.plugins.contains_key(plugin)
    }

    pub(super) fn is_advisory(&self, plugin: &PluginId) -> bool {
        is_advisory(self.policy, plugin)
    }

    /// Whether a `checked` of `plugin` on one file makes that file judged.
    pub(super) fn judges(&self, plugin: &PluginId) -> bool {
        self.plugins.get(plugin).is_some_and(|report| {
            let Manifest { judges, reads, scope, .. } = &report.plugin.manifest;
            *judges && *reads != Reads::None && *scope == Scope::File
        })
    }

    /// Whether `finding` of `plugin` denies: at or above the bar, or something
    /// missing that a plugin looks for which is required of the model. Advice
    /// never does.
    fn denies(&self, plugin: &PluginId, finding: &Finding, known: &Known<'_>) -> bool {
        if self.is_advisory(plugin) {
            return false;
        }
        let is_required = || {
            self.policy.require.contains(plugin)
                || known.checks.is_some_and(|checks| checks.contains(plugin))
        };
        let is_missing = || {
            is_required()
                && finding.rule.plugin() == plugin
                && self.plugins.get(plugin).is_some_and(|report| {
                    report
                        .plugin
                        .manifest
                        .rule(finding.rule.name())
                        .is_some_and(|rule| rule.missing)
                })
        };
        finding.severity >= self.policy.fail_on(plugin) || is_missing()
    }

    /// Gives `finding` the severity that the policy gives its rule; returns the
    /// one it had, where that is another.
    fn rate(&self, finding: &mut Finding) -> Option<Severity> {
        let severity = self.policy.severity(&finding.rule)?;
        let original = std::mem::replace(&mut finding.severity, severity);
        Some(original).filter(|original| *original != severity)
    }

    /// Judges `task`, on the model of which this is `known`; what `exceptions` cover
    /// does not deny.
    pub(super) fn judge(
        &self,
        task: TaskEvidence,
        known: &Known<'_>,
        exceptions: &mut Exceptions<'_>,
    ) -> TaskReport {
        let doubt = match self.plugins.get(&task.plugin) {
            Some(report) => believe(&report.plugin.manifest, &task),
            None => {
                Some(Failure::new(FailureCode::Internal, "this plugin takes no part in the run"))
            }
        };
        let stale = stale(&task, &known.changed);
        let TaskEvidence { plugin, model, file, outcome, coverage, usage } = task;
        let size = coverage.iter().fold(0_u64, |sum, seen| sum.saturating_add(seen.coverage.size));
        let (mut ending, findings) = match outcome {
            Outcome::Answered(Answer::Checked { findings, facts }) => {
                (Ending::Checked(facts), findings)
            }
            Outcome::Answered(Answer::NotApplicable(reason)) => {
                (Ending::NotApplicable(reason), Vec::new())
            }
            Outcome::Refused(failure) => {
                (Ending::Refused(self.with_way_out(&plugin, failure, size)), Vec::new())
            }
            Outcome::Failed(failure) => {
                (Ending::Failed(self.with_way_out(&plugin, failure, size)), Vec::new())
            }
        };
        // What is not believed keeps its findings for the reader: they don't
        // deny, but nothing that was seen is dropped.
        let is_answer = matches!(ending, Ending::Checked(_) | Ending::NotApplicable(_));
        if let Some(failure) = doubt.filter(|_| is_answer) {
            ending = Ending::Failed(self.with_way_out(&plugin, failure, size));
        }
        let is_believed = matches!(ending, Ending::Checked(_));
        // Twins are told apart by where they are, before how bad they are.
        let mut findings = findings;
        findings.sort_by(|a, b| a.location.cmp(&b.location));
        let mut fingerprints = Fingerprints::new(&model, file.as_ref());
        let mut findings: Vec<Judged> = findings
            .into_iter()
            .map(|mut finding| Judged {
                fingerprint: fingerprints.next(&finding),
                original: self.rate(&mut finding),
                denies: is_believed && self.denies(&plugin, &finding, known),
                blocks: false,
                lock_line: lock_line(known.lock, &finding),
                exception: None,
                finding,
            })
            .collect();
        if is_believed {
            findings.iter_mut().for_each(|judged| exceptions.apply(&model, file.as_ref(), judged));
        }
        findings.sort_by(|a, b| worst_first(&a.finding, &b.finding));
        let mut verdict = verdict(&ending, &findings);
        // A file that changed takes the ground from under every answer about
        // it but a "no".
        let is_answer = matches!(ending, Ending::Checked(_) | Ending::NotApplicable(_));
        if let Some(failure) = stale.filter(|_| is_answer && verdict != Verdict::Fail) {
            ending = Ending::Failed(self.with_way_out(&plugin, failure, size));
            verdict = Verdict::Error;
        }
        let coverage = coverage.into_iter().map(|seen| seen.coverage).collect::<Vec<Coverage>>();
        TaskReport { plugin, model, file, ending, verdict, findings, coverage, usage }
    }

    fn with_way_out(&self, plugin: &PluginId, failure: Failure, size: u64) -> Failure {
        match self.plugins.get(plugin) {
            Some(report) if failure.help.is_none() => {
                let help = way_out(plugin, failure.code, &report.limits, size);
                failure.with_help(help)
            }
            _ => failure,
        }
    }
}

fn verdict(ending: &Ending, findings: &[Judged]) -> Verdict {
    match ending {
        Ending::Refused(_) | Ending::Failed(_) => Verdict::Error,
        Ending::NotApplicable(_) => Verdict::Skip,
        Ending::Checked(_) if findings.iter().any(|judged| judged.denies) => Verdict::Fail,
        Ending::Checked(_)
            if findings.iter().any(|judged| judged.finding.severity > Severity::Info) =>
        {
            Verdict::Warn
        }
        Ending::Checked(_) => Verdict::Pass,
    }
}

fn stale(task: &TaskEvidence, changed: &BTreeSet<FilePath>) -> Option<Failure> {
    if changed.is_empty() {
        return None;
    }
    let seen = task.coverage.iter().map(|seen| &seen.coverage.file);
    let file = task.file.iter().chain(seen).find(|file| changed.contains(*file))?;
    Some(Failure::new(
        FailureCode::Changed,
        &format!("its answer is about bytes that changed meanwhile: {file}"),
    ))
}

/// Returns the line of the lock file that speaks of what `finding` is about:
/// of its file, else of the model.
pub(super) fn lock_line(lock: Option<&LockEntry>, finding: &Finding) -> Option<u32> {
    let lock = lock?;
    let file = finding.location.file.as_ref().and_then(|path| lock.file(path));
    Some(file.map_or(lock.line, |file| file.line))
}

/// Orders findings: worst first, then surest, then by rule, place and message,
/// so that a report doesn't depend on the order a plugin found them in.
pub(super) fn worst_first(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    (b.severity, b.confidence)
        .cmp(&(a.severity, a.confidence))
        .then_with(|| (&a.rule, &a.location, &a.message).cmp(&(&b.rule, &b.location, &b.message)))
}
