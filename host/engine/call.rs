//! One task: instantiate, check, outcome.
//!
//! Running a guest (`Engine::run`) and judging what came of it (`Ran::judge`)
//! are two steps, since they may stand in two processes.
//!
//! Leaves which tasks there are to `runner`.
//!
//! # Invariants
//! - One budget of fuel and one deadline hold over instantiating, checking and
//!   what the component does after returning.
//! - The store is used for this task alone and dropped.

#![expect(clippy::disallowed_methods, reason = "a deadline is held against the monotonic clock")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use wasmtime::component::ResourceTable;
use wasmtime::{Store, Trap, UpdateDeadline};

use super::abi::raw::{RawAnswer, RawFailure};
use super::abi::{border, v0_1};
use super::engine::Engine;
use super::limits::{Meter, Stop};
use super::link::Linked;
use super::state::{Seen, State, View, ViewModel};
use crate::domain::capability::{Limit, Limits};
use crate::domain::event::LogLevel;
use crate::domain::evidence::FileCoverage;
use crate::domain::plugin::Manifest;
use crate::domain::text::GuestText;
use crate::domain::verdict::{Coverage, Failure, FailureCode, Outcome, Usage};
use crate::model::reader::{ChunkLog, ChunkReader};

/// One task: what runs, on what, and how far.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The component.
    pub linked: &'a Linked,
    /// What it says of itself.
    pub manifest: &'a Manifest,
    /// What it sees.
    pub view: &'a View,
    /// Its settings, a JSON object as text.
    pub settings: &'a str,
    /// How far it may go.
    pub limits: &'a Limits,
    /// Set when the run is interrupted.
    pub interrupted: &'a Arc<AtomicBool>,
}

/// What came of a task.
#[derive(Debug)]
pub struct Called {
    /// How it ended.
    pub outcome: Outcome,
    /// What it looked at, one entry a file of the view.
    pub coverage: Vec<FileCoverage>,
    /// What it used.
    pub usage: Usage,
    /// What it logged.
    pub log: Vec<(LogLevel, GuestText)>,
    /// How many lines more it would have logged.
    pub log_dropped: u64,
    /// How long instantiating took.
    pub instantiate: Duration,
    /// How long the check took.
    pub check: Duration,
}

/// The part of a task that is needed to run its guest.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) linked: &'a Linked,
    pub(crate) view: &'a View,
    pub(crate) settings: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) interrupted: &'a Arc<AtomicBool>,
}

/// How a guest ended, nothing of it checked against its manifest.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    /// For each file of the view, how many bytes it looked at, and whether the
    /// first was among them.
    pub(crate) seen: Vec<(u64, bool)>,
    /// The chunks that were read for it.
    pub(crate) chunks: ChunkLog,
    pub(crate) usage: Usage,
    pub(crate) log: Vec<(LogLevel, GuestText)>,
    pub(crate) log_dropped: u64,
    pub(crate) instantiate: Duration,
    pub(crate) check: Duration,
}

/// The ways in which a guest ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It returned.
    Returned(Result<RawAnswer, RawFailure>),
    /// It did not.
    Stopped(Cause),
}

/// Why a guest did not return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) code: FailureCode,
    pub(crate) message: String,
    /// Whether it came to grief by itself, rather than at a limit.
    pub(crate) crashed: bool,
}

impl Engine {
    /// Runs one task to its end.
    pub fn call(&self, task: Task<'_>) -> Called {
        let Task { linked, manifest, view, settings, limits, interrupted } = task;
        let ran = self.run(Run { linked, view, settings, limits, interrupted });
        for ((file, chunk), digest) in &ran.chunks {
            if let Some(file) = view.files.get(*file as usize) {
                file.note_chunk(*chunk, *digest);
            }
        }
        ran.judge(manifest, view, limits)
    }

    /// Runs the guest of one task to its end.
    pub(crate) fn run(&self, run: Run<'_>) -> Ran {
        let started = Instant::now();
        let size = run.view.size();
        let fuel = run.limits.task_fuel(size);
        let mut store = Self::store(run, started, fuel, size);
        let mut instantiated = started;
        let returned = run.linked.pre.instantiate(&mut store).and_then(|plugin| {
            instantiated = Instant::now();
            let model = store.data_mut().hand_out(ViewModel)?;
            plugin.modelhost_check_model_check().call_check(&mut store, model, run.settings)
        });
        let ending = match returned {
            Ok(answer) => Ending::Returned(v0_1::raw(answer)),
            Err(error) => Ending::Stopped(cause(&error)),
        };
        let fuel = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let state = store.into_data();
        let returned = Returned::of(&ending);
        Ran {
            ending,
            seen: state.seen.iter().map(|seen| (seen.bytes(), seen.start())).collect(),
            chunks: state.reader.into_log(),
            usage: Usage {
                fuel,
                memory: state.meter.peak(),
                table_elements: state.meter.elements(),
                host_calls: state.calls,
                handles: state.most_handles,
                bytes_read: state.bytes_read,
                findings: returned.findings,
                facts: returned.facts,
                text: returned.text,
                log_lines: (state.log.len() as u64).saturating_add(state.log_dropped),
            },
            log: state.log,
            log_dropped: state.log_dropped,
            instantiate: instantiated.duration_since(started),
            check: instantiated.elapsed(),
        }
    }

    fn store(run: Run<'_>, started: Instant, fuel: u64, size: u64) -> Store<State> {
        let limits = run.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles as usize);
        let state = State {
            table,
            meter: Meter::new(limits),
            view: run.view.clone(),
            limits: limits.clone(),
            deadline: started + limits.task_deadline(size),
            interrupted: Arc::clone(run.interrupted),
            reader: ChunkReader::new(run.view.key),
            seen: vec![Seen::default(); run.view.files.len()],
            calls: 0,
            max_calls: limits.task_host_calls(size, run.view.files.len() as u64),
            bytes_read: 0,
            max_bytes_read: limits.task_bytes_read(size),
            handles: 0,
            most_handles: 0,
            log: Vec::new(),
            log_dropped: 0,
        };
        let mut store = Store::new(run.linked.pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(usize::try_from(limits.call_bytes).unwrap_or(usize::MAX));
        store.set_max_component_handles(limits.handles as usize);
        store.set_fuel(fuel).expect("the engine's settings have fuel on");
        store.epoch_deadline_callback(|store| {
            store.data().check_clock()?;
            Ok(UpdateDeadline::Continue(1))
        });
        store.set_epoch_deadline(1);
        store
    }
}

impl Ran {
    /// Checks what the guest returned, and says how its task ended.
    pub(crate) fn judge(self, manifest: &Manifest, view: &View, limits: &Limits) -> Called {
        let outcome = match self.ending {
            Ending::Returned(returned) => border::outcome(returned, manifest, view, limits),
            Ending::Stopped(cause) => Outcome::Failed(cause.failure()),
        };
        Called {
            outcome,
            coverage: coverage(view, &self.seen),
            usage: self.usage,
            log: self.log,
            log_dropped: self.log_dropped,
            instantiate: self.instantiate,
            check: self.check,
        }
    }
}

fn coverage(view: &View, seen: &[(u64, bool)]) -> Vec<FileCoverage> {
    let files = view.files.iter().zip(seen);
    files
        .map(|(file, (read, start))| FileCoverage {
            coverage: Coverage { file: file.path().clone(), size: file.size(), read: *read },
            start: *start,
        })
        .collect()
}

/// How much a guest returned, whatever is made of it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Returned {
    pub(crate) findings: u32,
    pub(crate) facts: u32,
    /// Bytes of the longest text.
    pub(crate) text: u32,
}

impl Returned {
    pub(crate) fn of(ending: &Ending) -> Self {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (findings, facts, text) = match ending {
            Ending::Stopped(_) => (0, 0, 0),
            Ending::Returned(Ok(RawAnswer::NotApplicable(reason))) => (0, 0, reason.len()),
            Ending::Returned(Err(failure)) => (0, 0, failure.said.len()),
            Ending::Returned(Ok(RawAnswer::Checked { findings, facts })) => {
                let texts = findings.iter().flat_map(|finding| {
                    [finding.message.len(), finding.help.as_ref().map_or(0, String::len)]
                });
                let texts = texts.chain(facts.iter().map(|fact| fact.value.len()));
                (findings.len(), facts.len(), texts.max().unwrap_or(0))
            }
        };
        Self { findings: count(findings), facts: count(facts), text: count(text) }
    }
}

/// Says why a guest did not return.
fn cause(error: &wasmtime::Error) -> Cause {
    let cause = |code, message: &str| Cause { code, message: message.to_owned(), crashed: false };
    let at = |limit, message: &str| cause(FailureCode::Limit(limit), message);
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return cause(stop.code, &stop.message);
    }
    let text = format!("{error:#}");
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => at(Limit::Fuel, "it used up its fuel"),
        Some(Trap::StackOverflow) => at(Limit::Stack, "it overran its stack"),
        Some(trap) => Cause { code: FailureCode::Trap, message: trap.to_string(), crashed: true },
        None if text.contains("fuel allocated for hostcalls") => {
            at(Limit::CallBytes, "it handed over more in one call than it may")
        }
        None if text.contains("resource table")
            || text.contains("handle") && text.contains("limit") =>
        {
            at(Limit::Handles, &text)
        }
        None if text.contains("count too high") => at(Limit::Instances, &text),
        None => cause(FailureCode::Trap, &text),
    }
}

impl Cause {
    /// Returns it as a failure. The way out of a limit is the policy's to name.
    pub(crate) fn failure(self) -> Failure {
        let help = (self.code == FailureCode::Trap && self.crashed).then(|| {
            "the plugin crashed: report it to whoever makes it, with this model".to_owned()
        });
        Failure { code: self.code, message: GuestText::capped(&self.message), help }
    }
}
