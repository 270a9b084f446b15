//! [`Gate::run`]: the whole journey from a request to a report, one call a
//! stage.
//!
//! Leaves arguments, files of reports and exit codes to `cli`.

#![expect(clippy::disallowed_methods, reason = "how long a stage took goes to the timings")]

mod candidates;
mod changed;
mod compared;
mod contents;
mod evidence;
mod fail_fast;
mod folder;
mod import;
mod pin;
mod registry;
mod select;
mod trusted;
mod unrun;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::config::Config;
use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::event::{Event, EventSink, Silent};
use crate::domain::evidence::{Evidence, InputFile, Inputs};
use crate::domain::finding::Severity;
use crate::domain::plugin::PluginId;
use crate::domain::report::{Report, Timings};
use crate::domain::text::GuestText;
use crate::domain::waiver::Baseline;
use crate::engine::{Cache, Engine, EngineError};
use crate::model::{Model, ModelError};
use crate::plugin::PluginError;
use crate::plugin::component::ComponentError;
use crate::policy::decide;
use crate::record::import::ImportError;
use crate::record::lock::LockFile;
use crate::record::registry::RegistryError;
use crate::runner::{self, ExecuteError, Work};
use crate::worker::{Isolation, Workers};

use trusted::Trusted;

pub use changed::Changed;
pub use compared::compared;
pub use contents::Contents;
pub use folder::Folder;
pub use import::{Import, Imported};
pub use pin::{Also, Pinned};
pub use registry::{demands, read_registry};
pub use select::Selected;
pub use unrun::unrun;

/// How many workers are started before it is known which plugins there are.
const EARLY_WORKERS: usize = 4;

/// How many tasks and files a run has together at most, unless more are allowed.
/// At this bound the gate's process stays below 256 MiB: a model of 100,000 files
/// under all bundled plugins takes 231.
pub const MAX_TASKS: usize = 410_000;

/// What to run, on what, and how.
pub struct Gate {
    /// The paths to gate; none: what the policy defines, or else what is found
    /// below `working_dir`.
    pub paths: Vec<PathBuf>,
    /// Look only at the models that differ from a base; none for all.
    pub changed: Option<Changed>,
    /// What relative paths are relative to.
    pub working_dir: PathBuf,
    /// The operator's policy; none for the built-in one.
    pub config: Option<Config>,
    /// The folder of the policy or the lock file: names of models that no
    /// policy defines are relative to it.
    pub root: PathBuf,
    /// The lock file.
    pub lock: Option<(SourceFile, LockFile)>,
    /// The baseline: findings that were accepted on a day.
    pub baseline: Option<(SourceFile, Baseline)>,
    /// Whether waivers and the baseline count: without, the run judges as if there
    /// were none.
    pub exceptions: bool,
    /// Whether plugins must be the locked ones, and models are held to the lock
    /// file.
    pub locked: bool,
    /// Whether the bundled plugins take part.
    pub bundled: bool,
    /// Folders whose `*.wasm` take part.
    pub folders: Vec<PathBuf>,
    /// Plugins that take part; empty for all.
    pub only: BTreeSet<PluginId>,
    /// Whether each file's digest is computed. Without, the report is bound to no
    /// bytes, plugins that ask for digests are left out, and nothing can be held
    /// to a lock file.
    pub digests: bool,
    /// Whether digests of files that look unchanged are taken from the cache, in place
    /// of reading them. The report says so.
    pub trust_stat: bool,
    /// Whether a locked model that has another size, a missing file or a git-lfs pointer
    /// ends the run before anything is hashed.
    pub fail_fast: bool,
    /// Findings at or above this deny, instead of what the policy says.
    pub fail_on: Option<Severity>,
    /// The run's one fixed time, seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// How many tasks and files a run may have together, such as [`MAX_TASKS`].
    pub max_tasks: usize,
    /// How many threads work at once.
    pub jobs: usize,
    /// Keeps compiled components; none to compile each time.
    pub cache: Option<Cache>,
    /// Compile and run plugins in processes of their own; none to do it in this
    /// one.
    pub workers: Option<Arc<Workers>>,
    /// Is told what happens.
    pub sink: Arc<dyn EventSink>,
    /// Set from outside to end the run early, with what was found so far.
    pub interrupted: Arc<AtomicBool>,
}

/// Why a run came to no report.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// There is nothing to check, and why.
    #[error("there is nothing to check: {0}")]
    Nothing(String),
    /// The request contradicts itself.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// The way out.
        help: Option<String>,
    },
    /// The policy or the lock file does not fit what is here.
    #[error("{} of the policy or the lock file {} what is here", .0.len(), if .0.len() == 1 { "entry does not fit" } else { "entries do not fit" })]
    Mistakes(Vec<Diagnostic>),
    /// A plugin can't be used.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// A plugin is no valid component.
    #[error("{plugin} is no valid component")]
    Component {
        /// The plugin, by its id and where it came from.
        plugin: String,
        /// What is wrong with it.
        #[source]
        source: ComponentError,
    },
    /// A model can't be opened.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What is claimed of a model can't be read; nothing was imported.
    #[error("nothing was imported from {from}")]
    Import {
        /// Where the claims are.
        from: GuestText,
        /// What is wrong.
        #[source]
        source: ImportError,
    },
    /// The engine can't be set up.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The trusted registry can't be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The tasks could not be run.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// This system lacks a part of the wall that was required.
    #[error("plugins can't be isolated as required: {0}")]
    Isolation(String),
}

impl Gate {
    /// Returns a request at `now` (seconds since 1970-01-01T00:00:00Z) about what is
    /// found below `folder`, under the built-in policy, with all bundled plugins in
    /// this process, one at a time, and without a cache.
    pub fn new(folder: PathBuf, now: u64) -> Self {
        Self {
            paths: Vec::new(),
            changed: None,
            root: folder.clone(),
            working_dir: folder,
            config: None,
            lock: None,
            baseline: None,
            exceptions: true,
            locked: false,
            bundled: true,
            folders: Vec::new(),
            only: BTreeSet::new(),
            digests: true,
            trust_stat: false,
            fail_fast: false,
            fail_on: None,
            now,
            max_tasks: MAX_TASKS,
            jobs: 1,
            cache: None,
            workers: None,
            sink: Arc::new(Silent),
            interrupted: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Runs the gate to a report, on a thread that may block.
    ///
    /// # Errors
    /// Says why nothing ran, or what part of modelhost failed.
    pub async fn run(self) -> Result<(Report, Timings), GateError> {
        let journey = tokio::task::spawn_blocking(move || self.journey());
        journey.await.unwrap_or(Err(GateError::Execute(ExecuteError::Panicked)))
    }

    fn journey(self) -> Result<(Report, Timings), GateError> {
        let mut timings = Timings::default();
        let started = Instant::now();
        self.check_digests()?;
        let inputs = self.inputs();
        if let Some(workers) = self.workers.clone() {
            // They lock themselves in while models are listed and plugins read.
            let count = self.jobs.min(EARLY_WORKERS);
            std::thread::spawn(move || workers.start(count));
        }
        let registry = self.registry()?;
        let (mut models, unchanged) = select::open(&self)?;
        if let Some(registry) = &registry {
            models.iter_mut().for_each(|model| registry::compare(registry, model));
        }
        let part = self.changed.as_ref().map(|changed| changed.part(unchanged));
        timings.open = started.elapsed();

        let resolving = Instant::now();
        let policy = self.policy();
        if models.is_empty() {
            // None of them changed: there is nothing to load plugins for.
            let report =
                decide(&policy, Evidence { inputs, part, ..Evidence::default() }, self.now);
            timings.total = started.elapsed();
            return Ok((report, timings));
        }
        let (candidates, scan_only) = self.candidates(&policy, &models)?;
        let engine = Arc::new(Engine::new()?);
        self.validate(&engine, &candidates)?;
        timings.resolve = resolving.elapsed();

        if let Some(workers) = &self.workers {
            workers.admit(&self.interrupted).map_err(GateError::Isolation)?;
        }
        let plan = runner::plan(&models, &candidates);
        let (tasks, files) =
            (plan.tasks.len(), models.iter().map(|model| model.files.len()).sum::<usize>());
        if tasks.saturating_add(files) > self.max_tasks {
            let most = self.max_tasks;
            return Err(select::too_many(format!(
                "this run has {files} files and {tasks} tasks, together more than {most}"
            )));
        }
        let ends_early = self.fail_fast && self.locked && fail_fast::look(&mut models);
        self.sink.event(&Event::Planned { tasks });
        let executing = Instant::now();
        let Self { cache, digests, trust_stat, jobs, now, workers, sink, mut interrupted, .. } =
            self;
        let trusted = (trust_stat && digests).then(|| Trusted::give(cache.as_ref(), &models));
        if ends_early {
            // Of its own: whoever waits for a signal is to hear of none.
            interrupted = Arc::new(AtomicBool::new(true));
        }
        let mut work = Work {
            engine,
            workers,
            cache,
            models,
            candidates,
            plan,
            registry,
            digests,
            jobs,
            now,
            sink,
            interrupted,
        };
        let executed = runner::execute(&work)?;
        timings.isolation = isolation(&work);
        // They end while the policy speaks; nobody waits for that.
        let workers = work.workers.take();
        std::thread::spawn(move || drop(workers));
        timings.execute = executing.elapsed();

        let trust_stat = trusted.map(|trusted| trusted.keep(work.cache.as_ref(), &work.models));
        let mut evidence = evidence::collect(work, executed, &mut timings);
        evidence.trust_stat = trust_stat;
        evidence.scan_only = scan_only;
        evidence.inputs = inputs;
        evidence.part = part;
        let report = decide(&policy, evidence, now);
        timings.total = started.elapsed();
        Ok((report, timings))
    }

    /// Opens the models that the request is about, without hashing or running
    /// anything.
    ///
    /// # Errors
    /// Says that there are none, or which can't be opened.
    pub fn open(&self) -> Result<Vec<Model>, GateError> {
        select::open(self).map(|(models, _)| models)
    }

    /// Returns the operator's files that the run is held to.
    fn inputs(&self) -> Inputs {
        let mut policy = Vec::new();
        if let Some(config) = &self.config {
            let mut files: Vec<&SourceFile> = vec![&config.file];
            for model in &config.models {
                // Those of one file stand together.
                if files.last().is_none_or(|last| **last != model.file) {
                    files.push(&model.file);
                }
            }
            policy = files.into_iter().map(InputFile::of).collect();
        }
        let baseline = self.baseline.as_ref().filter(|_| self.exceptions);
        Inputs {
            policy,
            lock: self.lock.as_ref().map(|(file, _)| InputFile::of(file)),
            baseline: baseline.map(|(file, _)| InputFile::of(file)),
        }
    }
}

/// Says what ran the guests of `work`.
fn isolation(work: &Work) -> String {
    match &work.workers {
        Some(workers) => workers.isolation().as_ref().map(Isolation::to_string).unwrap_or_default(),
        None if work.plan.plugins().is_empty() => String::new(),
        None => "in-process".to_owned(),
    }
}
