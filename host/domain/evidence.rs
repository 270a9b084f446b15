//! All that a run established before the policy has spoken: [`Evidence`].
//!
//! Leaves collecting it to `gate`, and judging it to `policy`.

use std::collections::BTreeSet;

use super::capability::{Grants, Limits};
use super::diagnostic::SourceFile;
use super::digest::Digest;
use super::finding::Finding;
use super::model::{DefinedAt, Definition, FileEntry, FilePath, LockEntry, ModelName};
use super::plugin::{PluginId, ResolvedPlugin};
use super::verdict::{Coverage, Outcome, Usage};

/// What a run established.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The models, sorted by name.
    pub models: Vec<ModelEvidence>,
    /// The plugins, sorted by id.
    pub plugins: Vec<PluginEvidence>,
    /// The tasks, sorted by model, plugin, file.
    pub tasks: Vec<TaskEvidence>,
    /// Whether the run was interrupted before all tasks were done.
    pub interrupted: bool,
    /// Set where the run computes no digests.
    pub scan_only: Option<ScanOnly>,
    /// Set where the run may take digests from the cache.
    pub trust_stat: Option<TrustStat>,
    /// The operator's files that the run was held to.
    pub inputs: Inputs,
    /// Set where only a part of the models was looked at, and why.
    pub part: Option<Part>,
}

/// The part of the models that a run looked at: those that differ from a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The base, as it was named or found.
    pub base: String,
    /// The commit it is.
    pub commit: String,
    /// How many models were left out, since nothing of theirs changed.
    pub unchanged: usize,
}

/// The operator's files that a run was held to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The policy and the files of definitions beside it, in the order they are
    /// read; empty for the built-in policy.
    pub policy: Vec<InputFile>,
    /// The lock file.
    pub lock: Option<InputFile>,
    /// The baseline.
    pub baseline: Option<InputFile>,
}

/// One file of the operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its path as shown to a person, relative to the policy's folder.
    pub path: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

impl InputFile {
    /// Returns what a report says of `file`.
    pub fn of(file: &SourceFile) -> Self {
        Self { path: file.path.to_string(), digest: Digest::of(file.text.as_bytes()) }
    }
}

/// What a run that computes no digests went without: its report is bound to no
/// bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanOnly {
    /// The plugins that ask for digests and were left out for it, sorted.
    pub left_out: Vec<PluginId>,
}

/// What a run did not read that trusts what the system says of files: their digests
/// are those that an earlier run computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrustStat {
    /// How many files were not read for their digest.
    pub not_hashed: usize,
}

/// What was established of one model.
#[derive(Clone, Debug)]
pub struct ModelEvidence {
    /// Its name.
    pub name: ModelName,
    /// Its path as shown to a person.
    pub path: String,
    /// What the policy says it should be.
    pub definition: Option<Definition>,
    /// Where the policy says so.
    pub defined_at: Option<DefinedAt>,
    /// Its entry in the lock file.
    pub lock: Option<LockEntry>,
    /// The plugins that the policy says do not apply to it.
    pub exempt: BTreeSet<PluginId>,
    /// Its files, sorted by path.
    pub files: Vec<FileEvidence>,
    /// What the host itself found: links that leave the model, files that are
    /// no regular files, files that could not be read.
    pub findings: Vec<Finding>,
    /// Files that changed while the run was on, sorted.
    pub changed: Vec<ChangedFile>,
    /// Files that could not be opened or read, sorted; each has a finding.
    pub unreadable: Vec<FilePath>,
}

/// A file that changed while the run was on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedFile {
    /// Its path.
    pub path: FilePath,
    /// The first bytes, from and to, that were not the same for all who read
    /// them; none where what the system says of the file changed.
    pub bytes: Option<(u64, u64)>,
}

/// What was established of one file.
#[derive(Clone, Debug)]
pub struct FileEvidence {
    /// Its path, size and digest.
    pub entry: FileEntry,
    /// What kind of content it has, as far as the host itself tells.
    pub content: Content,
}

/// Kinds of content that the host itself tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// No bytes at all.
    Empty,
    /// UTF-8 text without control characters, at most 10 MiB.
    Text,
    /// A git-lfs pointer: the content is not here.
    LfsPointer,
    /// Anything else: it takes a plugin to judge it.
    Other,
}

/// A plugin that took part.
#[derive(Clone, Debug)]
pub struct PluginEvidence {
    /// The plugin.
    pub plugin: ResolvedPlugin,
    /// What it was granted.
    pub grants: Grants,
    /// The limits it was held to.
    pub limits: Limits,
}

/// How one task ended.
#[derive(Clone, Debug)]
pub struct TaskEvidence {
    /// Whose task.
    pub plugin: PluginId,
    /// On which model.
    pub model: ModelName,
    /// On which file, for a task on one file.
    pub file: Option<FilePath>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it looked at: one entry for each file of its view, sorted by path.
    pub coverage: Vec<FileCoverage>,
    /// What it used.
    pub usage: Usage,
}

/// What a task looked at of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCoverage {
    /// How many bytes, each counted once.
    pub coverage: Coverage,
    /// Whether the first bytes were among them.
    pub start: bool,
}
