//! From what a run established to what the gate says of it: [`decide`].
//!
//! Leaves single tasks to `judge`, single models to `judgement`, and the exit
//! code to `cli`.

use std::collections::BTreeMap;

use super::Policy;
use super::exceptions::{Ended, Exceptions};
use super::judge::{self, Known, Parties};
use super::judgement;
use crate::domain::decision::{Decision, Reason, ReasonKind};
use crate::domain::evidence::Evidence;
use crate::domain::model::ModelName;
use crate::domain::report::{Ending, Report, TaskReport};
use crate::domain::verdict::{FailureCode, Verdict};

/// Judges `evidence` by `policy`, at the run's one time `now` (seconds since
/// 1970-01-01T00:00:00Z).
///
/// Denies if any verdict is `fail` or the gate itself found something at or
/// above the bar; else is incomplete if anything required, any file or any
/// check that counts gave no verdict, or the run was cut short; else allows.
/// A run without models allows nothing, unless there are some and none of them changed
/// since the base it is held against.
pub fn decide(policy: &Policy, evidence: Evidence, now: u64) -> Report {
    let Evidence {
        mut models,
        plugins,
        mut tasks,
        interrupted,
        scan_only,
        trust_stat,
        inputs,
        part,
    } = evidence;
    // Sorted as promised already, most often; a report must not depend on it.
    models.sort_by(|a, b| a.name.cmp(&b.name));
    tasks.sort_by(|a, b| (&a.model, &a.plugin, &a.file).cmp(&(&b.model, &b.plugin, &b.file)));
    let plugins = judge::plugins(policy, plugins);
    let parties = Parties::new(policy, &plugins, interrupted);
    let is_hashed = scan_only.is_none();

    let known: BTreeMap<&ModelName, Known<'_>> = models
        .iter()
        .map(|model| {
            let known = Known {
                lock: model.lock.as_ref(),
                changed: model.changed.iter().map(|file| file.path.clone()).collect(),
                checks: model.definition.as_ref().map(|definition| &definition.checks),
            };
            (&model.name, known)
        })
        .collect();
    let nothing = Known::default();
    let mut exceptions = Exceptions::new(policy, &models, now);
    let tasks: Vec<TaskReport> = tasks
        .into_iter()
        .map(|task| {
            let known = known.get(&task.model).unwrap_or(&nothing);
            parties.judge(task, known, &mut exceptions)
        })
        .collect();

    let Ended { waivers, baseline, mut notes } = exceptions.ended(&tasks, interrupted);

    let mut reasons: Vec<Reason> = tasks.iter().filter_map(|task| reason(&parties, task)).collect();
    let mut reports = Vec::with_capacity(models.len());
    for model in models {
        let first = tasks.partition_point(|task| task.model < model.name);
        let past = tasks.partition_point(|task| task.model <= model.name);
        let own = tasks.get(first..past).unwrap_or_default();
        let notes = notes.remove(&model.name).unwrap_or_default();
        reports.push(judgement::judge(&parties, model, own, is_hashed, notes, &mut reasons));
    }
    let whole = |kind| Reason { decision: Decision::Incomplete, model: None, kind };
    // Where models were left out since they did not change, there is nothing to look at.
    if reports.is_empty() && part.as_ref().is_none_or(|part| part.unchanged == 0) {
        reasons.push(whole(ReasonKind::Nothing));
    }
    if interrupted {
        reasons.push(whole(ReasonKind::Interrupted));
    }
    reasons.sort_by(|a, b| (b.decision, &a.model).cmp(&(a.decision, &b.model)));
    Report {
        decision: reasons.first().map_or(Decision::Allow, |worst| worst.decision),
        reasons,
        now,
        inputs,
        fail_on: policy.fail_on,
        required: policy.require.iter().cloned().collect(),
        waivers,
        baseline,
        not_run: Vec::new(),
        part,
        scan_only,
        trust_stat,
        models: reports,
        plugins,
        tasks,
    }
}

/// Returns what `task` has against allowing: that it fails, or that it has no
/// verdict though its plugin counts.
fn reason(parties: &Parties<'_>, task: &TaskReport) -> Option<Reason> {
    let (plugin, file) = (task.plugin.clone(), task.file.clone());
    let (decision, kind) = match task.verdict {
        Verdict::Pass | Verdict::Skip | Verdict::Warn => return None,
        Verdict::Error if parties.is_advisory(&plugin) => return None,
        Verdict::Error => {
            (Decision::Incomplete, ReasonKind::Error { plugin, file, code: code(&task.ending) })
        }
        Verdict::Fail => (Decision::Deny, ReasonKind::Failed { plugin, file }),
    };
    Some(Reason { decision, model: Some(task.model.clone()), kind })
}

const fn code(ending: &Ending) -> FailureCode {
    match ending {
        Ending::Refused(failure) | Ending::Failed(failure) => failure.code,
        Ending::Checked(_) | Ending::NotApplicable(_) => FailureCode::Internal,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
