//! All that a run found out, as one value: [`Report`], and beside it what does
//! not repeat: [`Timings`].
//!
//! Leaves rendering to `report` one floor up.

use std::time::Duration;

use super::capability::{Grants, Limits};
use super::decision::{Decision, Reason};
use super::digest::{Digest, TreeDigest};
use super::evidence::{Inputs, Part, ScanOnly, TrustStat};
use super::finding::{Fact, Finding, Fingerprint, Severity};
use super::model::{DefinedAt, Definition, FilePath, ModelName};
use super::plugin::{PluginId, ResolvedPlugin};
use super::text::GuestText;
use super::verdict::{Coverage, Failure, Usage, Verdict};
use super::waiver::{BaselineReport, Exception, WaiverReport};

/// The result of a run. Same inputs, same policy, same time: the same value.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the gate says.
    pub decision: Decision,
    /// Why it doesn't say `allow`; empty where it does.
    pub reasons: Vec<Reason>,
    /// The run's one fixed time, seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// The operator's files that the run was held to.
    pub inputs: Inputs,
    /// The findings at or above this deny.
    pub fail_on: Severity,
    /// Plugins without whose verdict the run is incomplete, sorted.
    pub required: Vec<PluginId>,
    /// The waivers of the policy, in the order they are written, and what became
    /// of each.
    pub waivers: Vec<WaiverReport>,
    /// What became of the baseline.
    pub baseline: BaselineReport,
    /// Why nothing ran; empty where something did, or had no need to.
    pub not_run: Vec<NotRun>,
    /// Set where only a part of the models was looked at, and why.
    pub part: Option<Part>,
    /// Set where the run computed no digests: the report then holds for no
    /// particular bytes.
    pub scan_only: Option<ScanOnly>,
    /// Set where the run may have taken digests from the cache: the report then holds
    /// as far as the system tells which files changed since.
    pub trust_stat: Option<TrustStat>,
    /// The models, sorted by name.
    pub models: Vec<ModelReport>,
    /// The plugins, sorted by id.
    pub plugins: Vec<PluginReport>,
    /// The tasks, sorted by model, plugin, file.
    pub tasks: Vec<TaskReport>,
}

impl Report {
    /// Returns the tasks on `model`, sorted by plugin and file.
    pub fn tasks_of(&self, model: &ModelName) -> &[TaskReport] {
        let first = self.tasks.partition_point(|task| task.model < *model);
        let past = self.tasks.partition_point(|task| task.model <= *model);
        self.tasks.get(first..past).unwrap_or_default()
    }
}

/// One thing that kept a run from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRun {
    /// What kind of thing it is.
    pub cause: Cause,
    /// What it is, without a full stop.
    pub message: GuestText,
    /// The line of the operator's file that it is in: the file's path relative to the
    /// policy's folder, and the line from 1.
    pub at: Option<(GuestText, u32)>,
    /// The way out.
    pub help: Option<GuestText>,
}

/// What kept a run from starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// There is no model to look at.
    Nothing,
    /// Usage, configuration or the lock file.
    Mistake,
    /// modelhost itself, or its surroundings.
    Fault,
}

impl Cause {
    /// Returns the name of the gate's rule that tells of it.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Nothing => "gate/nothing",
            Self::Mistake => "gate/mistake",
            Self::Fault => "gate/fault",
        }
    }
}

/// One model of a run.
#[derive(Clone, Debug)]
pub struct ModelReport {
    /// Its name.
    pub name: ModelName,
    /// Its path as shown to a person, relative to where the run began.
    pub path: String,
    /// The digest over all its files; none in a run that computes none.
    pub tree: Option<TreeDigest>,
    /// What the policy says it should be; none for a model it does not define.
    pub definition: Option<Definition>,
    /// Where the policy says so.
    pub defined_at: Option<DefinedAt>,
    /// Whether the lock file has an entry for it.
    pub locked: bool,
    /// The line of the lock file its entry starts at, from 1.
    pub lock_line: Option<u32>,
    /// Its files, sorted by path.
    pub files: Vec<FileReport>,
    /// What the gate itself found in it.
    pub findings: Vec<Judged>,
}

impl ModelReport {
    /// Returns the digest that an exception from a finding on `file` is bound to:
    /// of the file; of the whole tree where it is on none, or on one that is not
    /// there. None in a run that computes none.
    pub fn bound_digest(&self, file: Option<&FilePath>) -> Option<Digest> {
        let place =
            file.and_then(|path| self.files.binary_search_by(|file| file.path.cmp(path)).ok());
        match place.and_then(|place| self.files.get(place)) {
            Some(file) => file.digest,
            None => self.tree.map(|tree| tree.digest()),
        }
    }
}

/// One file of a model.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// Where it is in the model.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest; none in a run that computes none.
    pub digest: Option<Digest>,
    /// What made it judged, or that nothing did.
    pub judged: Judgement,
    /// The line of the lock file that pins it, from 1.
    pub lock_line: Option<u32>,
}

/// What a file's being judged rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// These plugins judge, and answered `checked` for it.
    By(Vec<PluginId>),
    /// It is plain text that no scanner claims.
    Companion,
    /// It is empty.
    Empty,
    /// It is a git-lfs pointer: its content is not here.
    LfsPointer,
    /// Nothing judged it.
    No,
}

/// One plugin of a run.
#[derive(Clone, Debug)]
pub struct PluginReport {
    /// The plugin, with its manifest and digest.
    pub plugin: ResolvedPlugin,
    /// What it is granted.
    pub grants: Grants,
    /// Its limits.
    pub limits: Limits,
    /// Whether it only advises.
    pub advisory: bool,
    /// Its findings at or above this deny.
    pub fail_on: Severity,
}

/// One task of a run.
#[derive(Clone, Debug)]
pub struct TaskReport {
    /// Whose task.
    pub plugin: PluginId,
    /// On which model.
    pub model: ModelName,
    /// On which file, for a task on one file.
    pub file: Option<FilePath>,
    /// How it ended.
    pub ending: Ending,
    /// What the policy makes of it.
    pub verdict: Verdict,
    /// Its findings, worst first.
    pub findings: Vec<Judged>,
    /// What it looked at.
    pub coverage: Vec<Coverage>,
    /// What it used.
    pub usage: Usage,
}

/// An outcome as the report tells it: its findings stand apart, with what the
/// policy makes of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The plugin did its work, and established this.
    Checked(Vec<Fact>),
    /// The content is nothing it has a say on, and why.
    NotApplicable(GuestText),
    /// It was refused before its first instruction.
    Refused(Failure),
    /// It did not give an answer that can be used.
    Failed(Failure),
}

/// A finding, and what the policy makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// What it is known by from run to run.
    pub fingerprint: Fingerprint,
    /// Whether it denies.
    pub denies: bool,
    /// Whether it says that something could not be judged, and so leaves the
    /// run incomplete.
    pub blocks: bool,
    /// The line of the lock file that speaks of its file or model, from 1.
    pub lock_line: Option<u32>,
    /// Why it does not deny, though its severity says so.
    pub exception: Option<Exception>,
    /// How bad the plugin says it is, where the policy says otherwise.
    pub original: Option<Severity>,
}

/// What does not repeat: times, cache hits. For people, never for the report.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// What ran the guests, such as `process`, or `process, without seccomp`;
    /// empty where none ran.
    pub isolation: String,
    /// From start to decision.
    pub total: Duration,
    /// Listing and opening the models.
    pub open: Duration,
    /// Reading and validating the plugins.
    pub resolve: Duration,
    /// Compiling the plugins, or loading them.
    pub compile: Duration,
    /// Hashing, beside the tasks.
    pub hash: Duration,
    /// Running the tasks.
    pub execute: Duration,
    /// Each plugin's compiling.
    pub plugins: Vec<PluginTiming>,
    /// Each task, in the order of the report's tasks.
    pub tasks: Vec<TaskTiming>,
}

/// How long a plugin took to compile, or to load.
#[derive(Clone, Debug)]
pub struct PluginTiming {
    /// The plugin.
    pub plugin: PluginId,
    /// Whether the cache had it.
    pub cached: bool,
    /// How long it took.
    pub took: Duration,
    /// The most memory in bytes of the process that compiled it; none where none
    /// did, or the system does not tell.
    pub compile_rss: Option<u64>,
    /// The most memory in bytes of a process that ran it, likewise.
    pub rss: Option<u64>,
    /// The limits that both were held to.
    pub limits: Limits,
}

/// How long a task took.
#[derive(Clone, Debug)]
pub struct TaskTiming {
    /// Whose task.
    pub plugin: PluginId,
    /// On which model.
    pub model: ModelName,
    /// On which file, for a task on one file.
    pub file: Option<FilePath>,
    /// Making the instance.
    pub instantiate: Duration,
    /// The call.
    pub check: Duration,
    /// The wall deadline it was held to.
    pub deadline: Duration,
}
