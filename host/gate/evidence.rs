//! What a run's tasks and hashing came to, as one value for the policy; and the
//! last look at the files: are they still what they were?
//!
//! Leaves judging it to `policy`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::evidence::{
    ChangedFile, Evidence, FileEvidence, Inputs, ModelEvidence, PluginEvidence, TaskEvidence,
};
use crate::domain::finding::{Confidence, Finding, Location, RuleId, Severity};
use crate::domain::model::{FileEntry, FilePath};
use crate::domain::report::{PluginTiming, TaskTiming, Timings};
use crate::domain::text::GuestText;
use crate::domain::verdict::Usage;
use crate::model::{FileHandle, Model, ReadError};
use crate::runner::{Ended, Executed, Work};

/// Collects what `work` came to, and its times into `timings`.
pub(super) fn collect(work: Work, executed: Executed, timings: &mut Timings) -> Evidence {
    timings.hash = executed.hash;
    timings.compile = executed.compiled.iter().map(|made| made.took).sum();
    timings.plugins = executed
        .compiled
        .iter()
        .map(|made| PluginTiming {
            plugin: work.candidates[made.plugin].id().clone(),
            cached: made.cached,
            took: made.took,
            compile_rss: made.compile_rss,
            rss: made.rss,
            limits: work.candidates[made.plugin].limits.clone().unwrap_or_default(),
        })
        .collect();
    let mut tasks = Vec::with_capacity(executed.tasks.len());
    for (planned, ended) in work.plan.tasks.iter().zip(executed.tasks) {
        let candidate = &work.candidates[planned.plugin];
        let model = &work.models[planned.model];
        let (outcome, coverage, usage, instantiate, check) = match ended {
            Ended::Ran(called) => {
                (called.outcome, called.coverage, called.usage, called.instantiate, called.check)
            }
            Ended::Not(outcome) => {
                (*outcome, Vec::new(), Usage::default(), Duration::ZERO, Duration::ZERO)
            }
        };
        let limits = candidate.limits.as_ref();
        timings.tasks.push(TaskTiming {
            plugin: candidate.id().clone(),
            model: model.name.clone(),
            file: planned.file.clone(),
            instantiate,
            check,
            deadline: limits.map_or(Duration::ZERO, |limits| limits.task_deadline(planned.size())),
        });
        tasks.push(TaskEvidence {
            plugin: candidate.id().clone(),
            model: model.name.clone(),
            file: planned.file.clone(),
            outcome,
            coverage,
            usage,
        });
    }
    Evidence {
        models: work
            .models
            .into_iter()
            .map(|model| {
                let mut evidence = model_evidence(model, executed.interrupted);
                let exempt = work.candidates.iter().filter(|c| c.exempt.contains(&evidence.name));
                evidence.exempt = exempt.map(|candidate| candidate.id().clone()).collect();
                evidence
            })
            .collect(),
        plugins: work
            .candidates
            .into_iter()
            .map(|candidate| PluginEvidence {
                plugin: (*candidate.plugin).clone(),
                grants: candidate.grants,
                limits: candidate.limits.unwrap_or_default(),
            })
            .collect(),
        tasks,
        interrupted: executed.interrupted,
        scan_only: None,
        trust_stat: None,
        inputs: Inputs::default(),
        part: None,
    }
}

fn model_evidence(model: Model, interrupted: bool) -> ModelEvidence {
    let mut evidence = ModelEvidence {
        name: model.name,
        path: model.path,
        definition: model.definition,
        defined_at: model.defined_at,
        lock: model.lock.map(std::sync::Arc::unwrap_or_clone),
        exempt: BTreeSet::new(),
        files: Vec::with_capacity(model.files.len()),
        findings: model.findings,
        changed: Vec::new(),
        unreadable: model.unreadable,
    };
    for file in &model.files {
        let verified = file.verify();
        match file.seen() {
            Some(Ok((digest, content))) if verified.is_ok() && !file.is_changed() => {
                evidence.files.push(FileEvidence {
                    entry: FileEntry { path: file.path().clone(), size: file.size(), digest },
                    content,
                })
            }
            Some(Err(error @ (ReadError::Io(_) | ReadError::OutOfRange))) => {
                evidence.findings.push(unreadable(file, error));
                evidence.unreadable.push(file.path().clone());
            }
            None if interrupted => {}
            _ => {
                let (path, bytes) = (file.path().clone(), file.differs());
                evidence.changed.push(ChangedFile { path, bytes });
            }
        }
    }
    evidence.unreadable.sort();
    evidence
}

fn unreadable(file: &FileHandle, error: &ReadError) -> Finding {
    let path: FilePath = file.path().clone();
    Finding {
        rule: RuleId::gate("unreadable"),
        severity: Severity::Medium,
        confidence: Confidence::High,
        message: GuestText::capped(&error.to_string()),
        location: Location::file(path),
        help: Some(GuestText::capped("make it readable for whoever runs the gate, or remove it")),
    }
}
