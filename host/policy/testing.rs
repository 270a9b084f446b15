//! Builds evidence for the tests of this folder.

use std::sync::Arc;

use crate::domain::capability::{Grants, Limits, LimitsAsked};
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::evidence::{
    ChangedFile, Content, Evidence, FileCoverage, FileEvidence, ModelEvidence, PluginEvidence,
    TaskEvidence,
};
use crate::domain::finding::{Confidence, Finding, Location, RuleId, Severity};
use crate::domain::model::{Definition, FileEntry, FilePath, LockEntry, LockedFile, ModelName};
use crate::domain::plugin::{
    Imports, Manifest, PluginId, PluginRef, Reads, ResolvedPlugin, Rule, Scope,
};
use crate::domain::text::GuestText;
use crate::domain::verdict::{Answer, Coverage, Failure, FailureCode, Outcome, Usage};

/// The size of every file that isn't empty.
pub(super) const SIZE: u64 = 100;

pub(super) fn id(id: &str) -> PluginId {
    PluginId::new(id).expect("a plugin id")
}

pub(super) fn path(path: &str) -> FilePath {
    FilePath::from_bytes(path.as_bytes())
}

/// A plugin that sees whole models and judges nothing, with the rules `bad`,
/// and `lack` for what is missing.
pub(super) fn manifest(plugin: &str) -> Manifest {
    let rule = |name: &str, missing| Rule {
        name: name.to_owned(),
        title: name.to_owned(),
        severity: Severity::Low,
        help: String::new(),
        missing,
    };
    Manifest {
        id: id(plugin),
        version: semver::Version::new(1, 0, 0),
        title: plugin.to_owned(),
        description: String::new(),
        license: None,
        homepage: None,
        rules: vec![rule("bad", false), rule("lack", true)],
        files: vec!["**".to_owned()],
        scope: Scope::Model,
        reads: Reads::Whole,
        judges: false,
        settings: None,
        limits: LimitsAsked::default(),
    }
}

/// A plugin that judges single files.
pub(super) fn scanner(plugin: &str) -> Manifest {
    Manifest { scope: Scope::File, judges: true, ..manifest(plugin) }
}

pub(super) fn task(
    plugin: &str,
    model: &str,
    file: Option<&str>,
    outcome: Outcome,
) -> TaskEvidence {
    TaskEvidence {
        plugin: id(plugin),
        model: ModelName::new(model),
        file: file.map(path),
        outcome,
        coverage: Vec::new(),
        usage: Usage::default(),
    }
}

pub(super) fn finding(rule: RuleId, severity: Severity, file: Option<&str>) -> Finding {
    Finding {
        rule,
        severity,
        confidence: Confidence::High,
        message: GuestText::capped("found"),
        location: file.map(path).map(Location::file).unwrap_or_default(),
        help: None,
    }
}

/// `checked`, with one finding of rule `bad` for each severity.
pub(super) fn found(plugin: &str, severities: &[Severity]) -> Outcome {
    answered(plugin, "bad", severities)
}

/// `checked`, with one finding of the rule `lack`.
pub(super) fn lacking(plugin: &str) -> Outcome {
    answered(plugin, "lack", &[Severity::Low])
}

fn answered(plugin: &str, rule: &str, severities: &[Severity]) -> Outcome {
    let rule = RuleId::new(id(plugin), rule).expect("a rule");
    let findings =
        severities.iter().map(|severity| finding(rule.clone(), *severity, None)).collect();
    Outcome::Answered(Answer::Checked { findings, facts: Vec::new() })
}

pub(super) fn clean() -> Outcome {
    found("any", &[])
}

pub(super) fn skipped() -> Outcome {
    Outcome::Answered(Answer::NotApplicable(GuestText::capped("another format")))
}

pub(super) fn failed() -> Outcome {
    Outcome::Failed(Failure::new(FailureCode::Trap, "unreachable"))
}

pub(super) fn refused() -> Outcome {
    Outcome::Refused(Failure::new(FailureCode::Refused, "it asks for documents"))
}

/// Evidence that grows by one call a fact.
#[derive(Clone, Debug, Default)]
pub(super) struct Run(pub(super) Evidence);

impl Run {
    /// Adds `plugin`.
    pub(super) fn plugin(mut self, manifest: Manifest) -> Self {
        self.0.plugins.push(PluginEvidence {
            plugin: ResolvedPlugin {
                digest: Digest::of(manifest.id.as_str().as_bytes()),
                origin: PluginRef::Bundled(manifest.id.clone()),
                manifest,
                bytes: Arc::from([]),
                imports: Imports::default(),
            },
            grants: Grants::default(),
            limits: Limits::default(),
        });
        self
    }

    /// Adds the model `name`; files and findings that follow are its own.
    pub(super) fn model(mut self, name: &str) -> Self {
        self.0.models.push(ModelEvidence {
            name: ModelName::new(name),
            path: format!("models/{name}"),
            definition: None,
            defined_at: None,
            lock: None,
            exempt: Default::default(),
            files: Vec::new(),
            findings: Vec::new(),
            changed: Vec::new(),
            unreadable: Vec::new(),
        });
        self
    }

    fn last(&mut self) -> &mut ModelEvidence {
        self.0.models.last_mut().expect("a model comes first")
    }

    /// Adds a file to the last model.
    pub(super) fn file(mut self, name: &str, content: Content) -> Self {
        let size = if content == Content::Empty { 0 } else { SIZE };
        let entry = FileEntry { path: path(name), size, digest: Some(Digest::of(name.as_bytes())) };
        self.last().files.push(FileEvidence { entry, content });
        self
    }

    /// Defines the last model to require these plugins.
    pub(super) fn checks(mut self, checks: &[&str]) -> Self {
        let checks = checks.iter().map(|check| id(check)).collect();
        self.last().definition = Some(Definition { checks, ..Definition::default() });
        self
    }

    /// Adds a finding of the gate's own to the last model.
    pub(super) fn gate(
        mut self,
        rule: &'static str,
        severity: Severity,
        file: Option<&str>,
    ) -> Self {
        self.last().findings.push(finding(RuleId::gate(rule), severity, file));
        self
    }

    /// Says that a file of the last model changed.
    pub(super) fn changed(mut self, file: &str) -> Self {
        self.last().changed.push(ChangedFile { path: path(file), bytes: None });
        self
    }

    /// Says that a file of the last model can't be read.
    pub(super) fn unreadable(mut self, file: &str) -> Self {
        self.last().unreadable.push(path(file));
        self
    }

    /// Gives the last model a lock entry from line 10 on.
    pub(super) fn locked(mut self, files: &[&str]) -> Self {
        let files = (11..).zip(files).map(|(line, file)| LockedFile {
            line,
            ..LockedFile::new(path(file), SIZE, Digest::of(b""))
        });
        self.last().lock = Some(LockEntry {
            source: None,
            revision: None,
            tree: TreeDigest::from_digest(Digest::of(b"")),
            line: 10,
            notes: Default::default(),
            files: files.collect(),
        });
        self
    }

    /// Adds a task on `model` (or one file of it) that read all of its view.
    pub(super) fn task(
        self,
        plugin: &str,
        model: &str,
        file: Option<&str>,
        outcome: Outcome,
    ) -> Self {
        self.task_reading(plugin, model, file, outcome, SIZE)
    }

    /// Adds a task that read up to `read` bytes of each file of its view.
    pub(super) fn task_reading(
        mut self,
        plugin: &str,
        model: &str,
        file: Option<&str>,
        outcome: Outcome,
        read: u64,
    ) -> Self {
        let mut task = task(plugin, model, file, outcome);
        let files = self.0.models.iter().filter(|m| m.name == task.model).flat_map(|m| &m.files);
        task.coverage = files
            .filter(|f| task.file.as_ref().is_none_or(|file| *file == f.entry.path))
            .map(|f| FileCoverage {
                coverage: Coverage {
                    file: f.entry.path.clone(),
                    size: f.entry.size,
                    read: read.min(f.entry.size),
                },
                start: read > 0,
            })
            .collect();
        self.0.tasks.push(task);
        self
    }

    /// Says that the run was interrupted.
    pub(super) fn interrupted(mut self) -> Self {
        self.0.interrupted = true;
        self
    }
}
