//! Workers as a run uses them: [`Workers::compile`] and [`Workers::call`] do in
//! child processes what the engine does in this one.
//!
//! Leaves one process to `process`, and which tasks there are to `runner`.
//!
//! # Invariants
//! - A worker serves one plugin, one task at a time, and is killed when it is
//!   late, breaks a rule or is not needed any more.
//! - What a worker says is hostile until `trust` and the engine's border have
//!   checked it in this process.
//! - Code that a worker compiled is not loaded here: it goes to workers of the
//!   same plugin alone.

mod call;
mod compile;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::channel::{Broken, Patience};
use super::isolation::Isolation;
use super::process::{Process, Program, ending};
use super::protocol::{FromWorker, MAX_SMALL, ToWorker};
use super::sealed::Sealed;
use super::translate;
use crate::domain::capability::{Grants, Limits};
use crate::domain::digest::Digest;
use crate::domain::plugin::Manifest;
use crate::domain::verdict::{Failure, FailureCode};
use crate::engine::{Cache, Engine, View};

/// How long a worker may take to start, to load a plugin, to take in a view.
const START: Duration = Duration::from_secs(30);

/// How long after its deadline a task is given to end by itself: its own clock
/// ticks each 10 ms, and a busy machine is late.
const GRACE: Duration = Duration::from_millis(250);

/// Memory of a worker beside its guest's: the program, the engine.
const OVERHEAD: u64 = 64 << 20;

/// In how many forms an answer is in a worker's memory.
const FORMS: u64 = 4;

/// Memory of a worker for each element of its guest's tables.
const PER_ELEMENT: u64 = 16;

/// Memory of a worker for each file of a view, and for each locked one.
const PER_FILE: u64 = 768;

/// How many workers are kept that have nothing to do.
const IDLE: usize = 16;

/// A plugin, as far as workers need it.
#[derive(Clone, Copy)]
pub struct Plugin<'a> {
    /// Its component.
    pub bytes: &'a [u8],
    /// The digest of that.
    pub digest: Digest,
    /// What it is granted.
    pub grants: &'a Grants,
    /// The documents it was granted, by name.
    pub documents: &'a BTreeMap<String, Arc<[u8]>>,
    /// Its settings, a JSON object as text.
    pub settings: &'a str,
    /// How far each of its tasks may go.
    pub limits: &'a Limits,
}

/// A plugin that workers can run: its code, and what it gets.
#[derive(Debug)]
pub struct Slot {
    id: u64,
    code: Sealed,
    documents: Option<Sealed>,
    names: Vec<(String, u64)>,
    grants: Grants,
    settings: String,
    limits: Limits,
    compile_rss: Option<u64>,
}

/// One task of a plugin in a slot.
#[derive(Clone, Copy)]
pub struct SlotTask<'a> {
    /// What the plugin says of itself.
    pub manifest: &'a Manifest,
    /// What it sees.
    pub view: &'a View,
    /// Set when the run is interrupted.
    pub interrupted: &'a Arc<AtomicBool>,
}

/// The workers of a run.
#[derive(Debug)]
pub struct Workers {
    program: Program,
    whole: bool,
    fresh: Mutex<Vec<Process>>,
    idle: Mutex<VecDeque<Process>>,
    isolation: Mutex<Option<Isolation>>,
    slots: AtomicU64,
    /// For each slot, the most memory that one of its workers had.
    rss: Mutex<BTreeMap<u64, u64>>,
}

impl Workers {
    /// Makes workers of `program`, none of which runs yet.
    pub fn new(program: Program) -> Self {
        Self {
            program,
            whole: false,
            fresh: Mutex::default(),
            idle: Mutex::default(),
            isolation: Mutex::default(),
            slots: AtomicU64::new(0),
            rss: Mutex::default(),
        }
    }

    /// Hands nothing to a worker whose wall is not whole.
    #[must_use]
    pub const fn require_whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Starts `count` workers, so that they are ready when they are needed.
    /// Where that fails, it is tried again then.
    pub fn start(&self, count: usize) {
        for _ in 0..count {
            let Ok(process) = Process::start(&self.program) else { break };
            lock(&self.fresh).push(process);
        }
    }

    /// Makes sure that the wall is whole where it must be, before anything runs.
    ///
    /// # Errors
    /// Says which parts are missing, or that no worker starts.
    pub fn admit(&self, interrupted: &AtomicBool) -> Result<(), String> {
        if self.whole {
            let process =
                self.take_fresh(interrupted).map_err(|failure| failure.message.to_string())?;
            lock(&self.fresh).push(process);
        }
        Ok(())
    }

    /// Returns which parts of the wall all workers had so far; none before the
    /// first was ready.
    pub fn isolation(&self) -> Option<Isolation> {
        *lock(&self.isolation)
    }

    /// Returns the process ids of the workers that have nothing to do.
    pub fn idle(&self) -> Vec<u32> {
        lock(&self.idle).iter().map(Process::id).collect()
    }

    /// Compiles `plugin`, or takes from `cache` what an earlier run compiled,
    /// and has a worker load it. Says whether the cache had it.
    ///
    /// # Errors
    /// Says that it can't be compiled within the limits, or can't be linked.
    pub fn compile(
        &self,
        plugin: Plugin<'_>,
        engine: &Engine,
        cache: Option<&Cache>,
        interrupted: &AtomicBool,
    ) -> (Result<Slot, Failure>, bool) {
        let cached = cache.and_then(|cache| {
            let sealed = Sealed::fill(|file| Ok(cache.load_code(engine, plugin.digest, file)));
            sealed.ok().flatten()
        });
        let is_cached = cached.is_some();
        let (code, rss) = match cached {
            Some(code) => (code, None),
            None => match self.compile_anew(plugin.bytes, plugin.limits, interrupted) {
                Ok(compiled) => compiled,
                Err(failure) => return (Err(failure), false),
            },
        };
        if !is_cached && let Some(cache) = cache {
            cache.store_code(engine, plugin.digest, &mut code.reader(), code.length());
        }
        let slot = self.slot(plugin, code, interrupted);
        (slot.map(|slot| Slot { compile_rss: rss, ..slot }), is_cached)
    }

    /// Returns the most memory in bytes that a worker of `slot` had, as far as
    /// the system tells.
    pub fn rss(&self, slot: &Slot) -> Option<u64> {
        for process in lock(&self.idle).iter() {
            self.note_rss(process);
        }
        lock(&self.rss).get(&slot.id).copied()
    }

    fn note_rss(&self, process: &Process) {
        if let (Some(slot), Some(rss)) = (process.slot, process.rss()) {
            let mut noted = lock(&self.rss);
            let most = noted.entry(slot).or_default();
            *most = rss.max(*most);
        }
    }

    /// Puts a plugin into a slot: a worker that has loaded it is its proof.
    fn slot(
        &self,
        plugin: Plugin<'_>,
        code: Sealed,
        interrupted: &AtomicBool,
    ) -> Result<Slot, Failure> {
        let documents = if plugin.documents.is_empty() {
            None
        } else {
            let parts = plugin.documents.values().map(AsRef::as_ref);
            Some(Sealed::of(parts).map_err(|error| no_process(&error.to_string()))?)
        };
        let slot = Slot {
            id: self.slots.fetch_add(1, Ordering::Relaxed),
            code,
            documents,
            names: plugin
                .documents
                .iter()
                .map(|(name, bytes)| (name.clone(), bytes.len() as u64))
                .collect(),
            grants: plugin.grants.clone(),
            settings: plugin.settings.to_owned(),
            limits: plugin.limits.clone(),
            compile_rss: None,
        };
        let process = self.take(&slot, interrupted)?;
        self.put(process);
        Ok(slot)
    }

    /// Returns a worker that serves `slot`.
    fn take(&self, slot: &Slot, interrupted: &AtomicBool) -> Result<Process, Failure> {
        loop {
            let found = {
                let mut idle = lock(&self.idle);
                let place = idle.iter().rposition(|process| process.slot == Some(slot.id));
                place.and_then(|place| idle.remove(place))
            };
            let Some(mut process) = found else { break };
            if process.is_alive() {
                return Ok(process);
            }
        }
        let mut process = self.take_fresh(interrupted)?;
        let loaded = self.ask_to_load(&mut process, slot, interrupted);
        match loaded {
            Ok(Ok(())) => Ok(process),
            Ok(Err(failure)) => Err(failure),
            Err(Broken::Interrupted) => Err(interruption()),
            Err(Broken::Gone) => Err(Failure::new(FailureCode::Worker, &ending(process.end()))),
            Err(error) => Err(fault(&error.to_string())),
        }
    }

    fn ask_to_load(
        &self,
        process: &mut Process,
        slot: &Slot,
        interrupted: &AtomicBool,
    ) -> Result<Result<(), Failure>, Broken> {
        self.bound(process, slot.base_memory(), process.age() + START);
        let patience = within(START, interrupted);
        process.next_exchange();
        let load = translate::load(
            slot.code.length(),
            &slot.grants,
            &slot.names,
            &slot.settings,
            &slot.limits,
        );
        let descriptors = [Some(&slot.code), slot.documents.as_ref()];
        let descriptors: Vec<_> =
            descriptors.into_iter().flatten().map(Sealed::descriptor).collect();
        process.channel.send(&ToWorker::Load(Box::new(load)), &descriptors, patience)?;
        process.slot = Some(slot.id);
        match process.channel.receive(MAX_SMALL, patience)? {
            FromWorker::Loaded(Ok(())) => Ok(Ok(())),
            FromWorker::Loaded(Err(text)) => Ok(Err(Failure::new(FailureCode::Refused, &text))),
            FromWorker::Fault(text) => Ok(Err(fault(&text))),
            _ => Err(Broken::Rules("it did not say whether it loaded")),
        }
    }

    /// Returns a worker that serves nothing yet, locked in.
    fn take_fresh(&self, interrupted: &AtomicBool) -> Result<Process, Failure> {
        let (process, isolation) = loop {
            let waiting = lock(&self.fresh).pop();
            let was_waiting = waiting.is_some();
            let mut process = match waiting {
                Some(process) => process,
                None => {
                    Process::start(&self.program).map_err(|error| no_process(&error.to_string()))?
                }
            };
            match process.ready(within(START, interrupted)) {
                Ok(isolation) => break (process, isolation),
                Err(Broken::Interrupted) => return Err(interruption()),
                // One that waited too long for its work: the next may do better.
                Err(_) if was_waiting => {}
                Err(Broken::Gone) => return Err(no_process(&ending(process.end()))),
                Err(error) => return Err(no_process(&error.to_string())),
            }
        };
        self.note(isolation);
        if self.whole && !isolation.is_whole() {
            return Err(no_process(&format!(
                "its isolation is reduced: it lacks {}",
                isolation.missing().join(", ")
            )));
        }
        Ok(process)
    }

    /// Keeps a worker for the next task of its plugin.
    fn put(&self, process: Process) {
        let mut idle = lock(&self.idle);
        idle.push_back(process);
        let surplus = if idle.len() > IDLE { idle.pop_front() } else { None };
        drop(idle);
        if let Some(process) = surplus {
            self.note_rss(&process);
        }
    }

    fn bound(&self, process: &Process, memory: u64, time: Duration) {
        if !process.bound(memory, time) {
            self.note(Isolation { rlimits: false, ..process.isolation.unwrap_or_default() });
        }
    }

    fn note(&self, isolation: Isolation) {
        let mut noted = lock(&self.isolation);
        *noted = Some(noted.map_or(isolation, |before| before.and(isolation)));
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // All are told to end before the first is waited for.
        lock(&self.fresh).iter_mut().for_each(Process::kill);
        lock(&self.idle).iter_mut().for_each(Process::kill);
    }
}

impl Slot {
    /// Returns the most memory in bytes that compiling had, where it was compiled
    /// for this slot and the system tells.
    pub const fn compile_rss(&self) -> Option<u64> {
        self.compile_rss
    }

    fn base_memory(&self) -> u64 {
        let documents = self.documents.as_ref().map_or(0, Sealed::length);
        // Code is held twice while it is loaded.
        OVERHEAD + FORMS * self.limits.call_bytes + 2 * self.code.length() + 2 * documents
    }

    fn memory(&self, view: &View) -> u64 {
        let locked = view.lock.as_ref().map_or(0, |lock| lock.files.len());
        let files = (view.files.len() + locked) as u64;
        self.base_memory()
            .saturating_add(self.limits.memory)
            .saturating_add(self.limits.table_elements.saturating_mul(PER_ELEMENT))
            .saturating_add(files.saturating_mul(PER_FILE))
    }
}

#[expect(clippy::disallowed_methods, reason = "workers are held to this clock")]
fn within(time: Duration, interrupted: &AtomicBool) -> Patience<'_> {
    Patience { until: Instant::now().checked_add(time), interrupted: Some(interrupted) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn interruption() -> Failure {
    Failure::new(FailureCode::Interrupted, "the run was interrupted")
}

fn fault(message: &str) -> Failure {
    Failure::new(FailureCode::Worker, &format!("its process failed: {message}"))
}

fn no_process(why: &str) -> Failure {
    Failure::new(FailureCode::Worker, &format!("there is no process to run it in: {why}"))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "measures how long hostile workers are waited for")]
mod tests;
