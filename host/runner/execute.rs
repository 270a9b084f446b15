//! [`Plan`] → what came of each task: compiling, hashing and running, side by
//! side on a bounded number of threads.
//!
//! Leaves what follows from it to `policy`.
//!
//! # Invariants
//! - What came of a task stands at its place in the plan, whatever the order in
//!   which tasks ran.
//! - A task whose component asks for `digest` starts once the digests of its
//!   files are there, so that no hashing runs inside its deadline.
//! - After an interrupt nothing new starts, and what runs is stopped at its
//!   next look at the clock.

#![expect(clippy::disallowed_methods, reason = "how long things took goes to the timings")]

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answers::{self, Answers};
use super::plan::{Candidate, Plan, PlannedTask};
use crate::domain::digest::TreeDigest;
use crate::domain::event::{Event, EventSink};
use crate::domain::registry::{Registered, Registry};
use crate::domain::text::GuestText;
use crate::domain::verdict::{Answer, Failure, FailureCode, Outcome};
use crate::engine::engine::THREAD_STACK;
use crate::engine::{Cache, Called, Engine, EngineError, Linked, Task, View};
use crate::model::{ChunkKey, FileHandle, Model, digest};
use crate::worker::{Plugin, Slot, SlotTask, Workers};

/// How many bytes of small files one thread hashes before it looks for other
/// work.
const BATCH: u64 = 4 << 20;

/// Everything that a run's tasks need, shared by its threads.
pub struct Work {
    /// Runs the guests, or knows what its twins in the workers run.
    pub engine: Arc<Engine>,
    /// Compile and run in processes of their own; none to do it in this one.
    pub workers: Option<Arc<Workers>>,
    /// Keeps compiled components; none to compile each time.
    pub cache: Option<Cache>,
    /// The models, sorted by name.
    pub models: Vec<Model>,
    /// The plugins, sorted by id.
    pub candidates: Vec<Candidate>,
    /// The tasks.
    pub plan: Plan,
    /// The trusted registry; none where the policy names none.
    pub registry: Option<Arc<Registry>>,
    /// Whether each file's digest is computed; without, no task may ask for one.
    pub digests: bool,
    /// How many threads work at once; at least one.
    pub jobs: usize,
    /// The run's one fixed time, seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// Is told what happens.
    pub sink: Arc<dyn EventSink>,
    /// Set from outside to end the run early.
    pub interrupted: Arc<AtomicBool>,
}

/// What came of a run's tasks.
#[derive(Debug, Default)]
pub struct Executed {
    /// For each task of the plan, how it ended.
    pub tasks: Vec<Ended>,
    /// What making each plugin ready took, in the order of the plugins.
    pub compiled: Vec<Made>,
    /// From the first byte hashed to the last.
    pub hash: Duration,
    /// Whether the run was interrupted before all tasks were done.
    pub interrupted: bool,
}

/// What making one plugin ready to run took.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// The plugin, by its place.
    pub plugin: usize,
    /// Whether the cache had it.
    pub cached: bool,
    /// How long it took.
    pub took: Duration,
    /// The most memory in bytes of the process that compiled it; none where none
    /// did, or the system does not tell.
    pub compile_rss: Option<u64>,
    /// The most memory in bytes of a process that ran it, likewise.
    pub rss: Option<u64>,
}

/// How one task ended.
#[derive(Debug)]
pub enum Ended {
    /// Guest code ran.
    Ran(Box<Called>),
    /// None did, and why.
    Not(Box<Outcome>),
}

/// Runs all tasks of `work`.
///
/// # Errors
/// Says that a thread of modelhost itself failed.
pub fn execute(work: &Work) -> Result<Executed, ExecuteError> {
    let scheduler = Scheduler::new(work, ChunkKey::random().map_err(ExecuteError::Random)?);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..work.jobs.max(1))
            .map(|_| {
                std::thread::Builder::new()
                    .name("worker".to_owned())
                    .stack_size(THREAD_STACK)
                    .spawn_scoped(scope, || scheduler.work())
            })
            .collect::<Result<_, _>>()
            .map_err(ExecuteError::Thread)?;
        for thread in threads {
            thread.join().map_err(|_| ExecuteError::Panicked)?;
        }
        Ok(())
    })?;
    scheduler.finish()
}

/// Why the tasks could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The system gave no thread.
    #[error("no thread to work on")]
    Thread(#[source] std::io::Error),
    /// The system gave no randomness.
    #[error("no key to digest what is read under")]
    Random(#[source] std::io::Error),
    /// A bug in modelhost.
    #[error("a thread of modelhost failed; this is a bug")]
    Panicked,
}

/// A plugin that is ready to run, here or in workers.
enum Runnable {
    Here(Linked),
    Apart(Box<Slot>),
}

/// One thing to do.
enum Item {
    Compile(usize),
    Hash(Vec<Arc<FileHandle>>),
    Task(usize),
}

/// What is to do and what was done, under one lock.
#[derive(Default)]
struct Board {
    compile: VecDeque<usize>,
    hash: VecDeque<Arc<FileHandle>>,
    ready: VecDeque<usize>,
    /// For each task, how many things it still waits for.
    waits: Vec<usize>,
    /// Items taken and not given back.
    running: usize,
    ended: Vec<Option<Ended>>,
    /// How much plugins said.
    answers: Answers,
    /// For each plugin, why a file was last nothing for it.
    reasons: HashMap<usize, GuestText>,
    runnable: Vec<Option<Arc<Runnable>>>,
    compiled: Vec<Made>,
    hash_started: Option<Instant>,
    hash_ended: Option<Instant>,
    panicked: bool,
}

struct Scheduler<'a> {
    work: &'a Work,
    board: Mutex<Board>,
    changed: Condvar,
    /// Tasks that wait for a file's digest, by the address of its handle, which
    /// `work` keeps where it is.
    by_file: HashMap<usize, Vec<usize>>,
    /// Tasks of a plugin, by its place.
    by_plugin: Vec<Vec<usize>>,
    /// What is read for tasks is held together by.
    key: ChunkKey,
}

impl<'a> Scheduler<'a> {
    fn new(work: &'a Work, key: ChunkKey) -> Self {
        let tasks = &work.plan.tasks;
        let mut board = Board { waits: vec![0; tasks.len()], ..Board::default() };
        board.answers = Answers::of(work.candidates.len());
        board.runnable.resize_with(work.candidates.len(), || None);
        board.ended.resize_with(tasks.len(), || None);
        let mut by_file: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut by_plugin = vec![Vec::new(); work.candidates.len()];
        for (index, task) in tasks.iter().enumerate() {
            if let Some(failure) = &task.refused {
                let outcome = Outcome::Refused(Failure::clone(failure));
                board.ended[index] = Some(Ended::Not(Box::new(outcome)));
                continue;
            }
            by_plugin[task.plugin].push(index);
            board.waits[index] = 1;
            if task.needs_digests {
                board.waits[index] += task.files.len();
                for file in &*task.files {
                    by_file.entry(address(file)).or_default().push(index);
                }
            }
        }
        let mut compile = work.plan.plugins();
        compile
            .sort_by_key(|plugin| std::cmp::Reverse(work.candidates[*plugin].plugin.bytes.len()));
        board.compile = compile.into();
        let mut hash: Vec<_> =
            work.models.iter().flat_map(|model| model.files.iter().cloned()).collect();
        hash.sort_by_key(|file| std::cmp::Reverse(file.size()));
        board.hash = hash.into();
        let changed = Condvar::new();
        Self { work, board: Mutex::new(board), changed, by_file, by_plugin, key }
    }

    /// Takes items and does them until none is left.
    fn work(&self) {
        while let Some(item) = self.take() {
            let done = catch_unwind(AssertUnwindSafe(|| match &item {
                Item::Compile(plugin) => self.compile(*plugin),
                Item::Hash(files) => files.iter().for_each(|file| self.hash(file)),
                Item::Task(task) => self.task(*task),
            }));
            let mut board = self.lock();
            board.running -= 1;
            board.panicked |= done.is_err();
            drop(board);
            self.changed.notify_all();
        }
    }

    fn take(&self) -> Option<Item> {
        let mut board = self.lock();
        loop {
            if board.panicked || self.is_interrupted() {
                return None;
            }
            let item = if let Some(plugin) = board.compile.pop_front() {
                Some(Item::Compile(plugin))
            } else if !board.hash.is_empty() {
                board.hash_started.get_or_insert_with(Instant::now);
                Some(Item::Hash(batch(&mut board.hash)))
            } else {
                board.ready.pop_front().map(Item::Task)
            };
            if item.is_some() {
                board.running += 1;
                return item;
            }
            if board.running == 0 {
                return None;
            }
            board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn compile(&self, plugin: usize) {
        let started = Instant::now();
        let candidate = &self.work.candidates[plugin];
        let (runnable, cached) = match &self.work.workers {
            Some(workers) => self.compile_apart(workers, candidate),
            None => self.compile_here(candidate),
        };
        let took = started.elapsed();
        self.work.sink.event(&Event::Compiled { plugin: candidate.id().clone(), cached, took });
        let mut board = self.lock();
        let compile_rss = match &runnable {
            Ok(Runnable::Apart(slot)) => slot.compile_rss(),
            _ => None,
        };
        board.compiled.push(Made { plugin, cached, took, compile_rss, rss: None });
        match runnable {
            Ok(runnable) => {
                board.runnable[plugin] = Some(Arc::new(runnable));
                board.arrived(&self.by_plugin[plugin]);
            }
            Err(failure) => {
                for &task in &self.by_plugin[plugin] {
                    let outcome = Outcome::Refused(failure.clone());
                    board.ended[task] = Some(Ended::Not(Box::new(outcome)));
                }
            }
        }
    }

    fn compile_here(&self, candidate: &Candidate) -> (Result<Runnable, Failure>, bool) {
        let Work { engine, cache, .. } = self.work;
        let limits = candidate.limits.clone().unwrap_or_default();
        let failed = |error: EngineError| {
            Failure::new(FailureCode::Compile, &format!("it can't be compiled: {error}"))
        };
        let engine = match engine.with_stack(limits.stack) {
            Ok(engine) => engine,
            Err(error) => return (Err(failed(error)), false),
        };
        match engine.compile(&candidate.plugin.bytes, candidate.plugin.digest, cache.as_ref()) {
            Ok(compiled) => {
                (engine.link(&compiled, &candidate.grants).map(Runnable::Here), compiled.cached)
            }
            Err(error) => (Err(failed(error)), false),
        }
    }

    fn compile_apart(
        &self,
        workers: &Workers,
        candidate: &Candidate,
    ) -> (Result<Runnable, Failure>, bool) {
        let plugin = Plugin {
            bytes: &candidate.plugin.bytes,
            digest: candidate.plugin.digest,
            grants: &candidate.grants,
            documents: &candidate.documents,
            settings: &candidate.settings,
            limits: &candidate.limits.clone().unwrap_or_default(),
        };
        let Work { engine, cache, interrupted, .. } = self.work;
        let (slot, cached) = workers.compile(plugin, engine, cache.as_ref(), interrupted);
        (slot.map(|slot| Runnable::Apart(Box::new(slot))), cached)
    }

    fn hash(&self, file: &Arc<FileHandle>) {
        let progress = |bytes| {
            self.work.sink.event(&Event::Hashed { bytes });
            !self.is_interrupted()
        };
        if self.work.digests {
            // Without tasks nobody is to be held against it.
            let key = Some(&self.key).filter(|_| !self.work.plan.tasks.is_empty());
            digest::hash(file, key, &progress);
        } else {
            digest::look(file, &progress);
        }
        let mut board = self.lock();
        board.hash_ended = Some(Instant::now());
        if let Some(tasks) = self.by_file.get(&address(file)) {
            board.arrived(tasks);
        }
        drop(board);
        self.changed.notify_all();
    }

    fn task(&self, index: usize) {
        let task = &self.work.plan.tasks[index];
        let candidate = &self.work.candidates[task.plugin];
        let runnable = self.lock().runnable[task.plugin].clone();
        let (Some(runnable), Ok(limits)) = (runnable, &candidate.limits) else {
            // Neither is so for a task that is ready; without them it has no answer.
            return;
        };
        let view = self.view(task, candidate);
        let (manifest, interrupted) = (&candidate.plugin.manifest, &self.work.interrupted);
        let mut called = match (&*runnable, &self.work.workers) {
            (Runnable::Here(linked), _) => {
                let settings = &candidate.settings;
                self.work.engine.call(Task {
                    linked,
                    manifest,
                    view: &view,
                    settings,
                    limits,
                    interrupted,
                })
            }
            (Runnable::Apart(slot), Some(workers)) => {
                workers.call(slot, SlotTask { manifest, view: &view, interrupted })
            }
            // Without workers there is no slot; without them it has no answer.
            (Runnable::Apart(_), None) => return,
        };
        for (level, message) in std::mem::take(&mut called.log) {
            let plugin = candidate.id().clone();
            self.work.sink.event(&Event::Logged { plugin, level, message });
        }
        self.work.sink.event(&Event::Finished {
            plugin: candidate.id().clone(),
            model: self.work.models[task.model].name.clone(),
            file: task.file.clone(),
        });
        let mut board = self.lock();
        board.share_reason(task.plugin, &mut called.outcome);
        if board.answers.add(task.plugin, &called.outcome) {
            called.outcome = too_much(self.work);
        }
        board.ended[index] = Some(Ended::Ran(Box::new(called)));
    }

    fn view(&self, task: &PlannedTask, candidate: &Candidate) -> View {
        let model = &self.work.models[task.model];
        View {
            name: model.name.as_str().into(),
            files: Arc::clone(&task.files),
            definition: model.definition.clone(),
            lock: model.lock.clone(),
            lineage: Arc::clone(&model.lineage),
            registered: self.registered(task, model),
            documents: Arc::clone(&candidate.documents),
            now: self.work.now,
            key: self.key,
        }
    }

    /// Returns what the trusted registry says that may be about `model`: where the
    /// task waited for the digests of all its files, of its tree digest as well.
    fn registered(&self, task: &PlannedTask, model: &Model) -> Option<Arc<Registered>> {
        let registry = self.work.registry.as_ref()?;
        if !task.needs_digests || task.files.len() != model.files.len() {
            return model.registered.clone();
        }
        let files = model.files.iter().map(|file| match file.hashed() {
            Some(Ok((digest, _))) => Some((file.path(), file.size(), *digest)),
            _ => None,
        });
        let Some(files) = files.collect::<Option<Vec<_>>>() else {
            return model.registered.clone();
        };
        let (definition, lock) = (model.definition.as_ref(), model.lock.as_deref());
        let tree = Some(TreeDigest::of(files));
        Some(Arc::new(registry.about(&model.name, definition, lock, tree)))
    }

    fn finish(self) -> Result<Executed, ExecuteError> {
        let interrupted = self.is_interrupted();
        let mut board = self.board.into_inner().unwrap_or_else(PoisonError::into_inner);
        if board.panicked {
            return Err(ExecuteError::Panicked);
        }
        for plugin in board.answers.past_the_bound() {
            // Whichever of its tasks came first, they all end alike.
            for &task in &self.by_plugin[plugin] {
                if let Some(Ended::Ran(called)) = &mut board.ended[task]
                    && answers::size(&called.outcome) > 0
                {
                    called.outcome = too_much(self.work);
                }
            }
        }
        let undone = || {
            let failure = Failure::new(
                FailureCode::Interrupted,
                "the run was interrupted before it was done",
            );
            Ended::Not(Box::new(Outcome::Failed(failure)))
        };
        let mut compiled = board.compiled;
        compiled.sort_by_key(|made| made.plugin);
        if let Some(workers) = &self.work.workers {
            for made in &mut compiled {
                if let Some(Runnable::Apart(slot)) = board.runnable[made.plugin].as_deref() {
                    made.rss = workers.rss(slot);
                }
            }
        }
        Ok(Executed {
            tasks: board.ended.into_iter().map(|ended| ended.unwrap_or_else(undone)).collect(),
            compiled,
            hash: match (board.hash_started, board.hash_ended) {
                (Some(started), Some(ended)) => ended.duration_since(started),
                _ => Duration::ZERO,
            },
            interrupted,
        })
    }

    fn is_interrupted(&self) -> bool {
        self.work.interrupted.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    /// Most files are nothing for a plugin, for one reason: its text is kept once.
    fn share_reason(&mut self, plugin: usize, outcome: &mut Outcome) {
        let Outcome::Answered(Answer::NotApplicable(reason)) = outcome else { return };
        match self.reasons.entry(plugin) {
            Entry::Occupied(last) if last.get() == reason => *reason = last.get().clone(),
            entry => {
                entry.insert_entry(reason.clone());
            }
        }
    }

    /// Notes that one thing came that each of `tasks` waits for.
    fn arrived(&mut self, tasks: &[usize]) {
        for &task in tasks {
            self.waits[task] = self.waits[task].saturating_sub(1);
            if self.waits[task] == 0 && self.ended[task].is_none() {
                self.ready.push_back(task);
            }
        }
    }
}

/// Says that a plugin's answers are too large together.
fn too_much(work: &Work) -> Outcome {
    let bound = answers::bound(work.candidates.len());
    let message = format!("what it says of all files together has more than {bound} bytes");
    Outcome::Failed(Failure::new(FailureCode::Answers, &message))
}

/// Takes one large file, or small ones up to [`BATCH`] bytes.
fn batch(files: &mut VecDeque<Arc<FileHandle>>) -> Vec<Arc<FileHandle>> {
    let mut taken = Vec::new();
    let mut bytes = 0;
    while let Some(file) = files.front() {
        if !taken.is_empty() && bytes + file.size() > BATCH {
            break;
        }
        bytes += file.size();
        taken.extend(files.pop_front());
    }
    taken
}

fn address(file: &Arc<FileHandle>) -> usize {
    Arc::as_ptr(file).addr()
}
