//! One task: instantiate, check, outcome.
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

use super::abi::v0_1;
use super::engine::Engine;
use super::limits::{Meter, Stop};
use super::link::Linked;
use super::state::{Seen, State, View, ViewModel};
use crate::domain::capability::Limits;
use crate::domain::event::LogLevel;
use crate::domain::evidence::FileCoverage;
use crate::domain::plugin::Manifest;
use crate::domain::text::GuestText;
use crate::domain::verdict::{Coverage, Failure, FailureCode, Outcome, Usage};

/// How many bytes a guest may hand to the host in one call: all that an answer
/// within its bounds can be, many times over, and far below what hurts.
const HOSTCALL_BYTES: usize = 8 << 20;

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

impl Engine {
    /// Runs one task to its end.
    pub fn call(&self, task: Task<'_>) -> Called {
        let started = Instant::now();
        let size = task.view.size();
        let fuel = task.limits.task_fuel(size);
        let mut store = self.store(task, started, fuel, size);
        let mut instantiated = started;
        let returned = task.linked.pre.instantiate(&mut store).and_then(|plugin| {
            instantiated = Instant::now();
            let model = store.data_mut().hand_out(ViewModel)?;
            plugin.modelhost_check_model_check().call_check(&mut store, model, task.settings)
        });
        let outcome = match returned {
            Ok(answer) => v0_1::outcome(answer, task.manifest, task.view, task.limits),
            Err(error) => Outcome::Failed(failure(&error, task.manifest, task.limits)),
        };
        let fuel = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let state = store.into_data();
        Called {
            outcome,
            coverage: coverage(&state),
            usage: Usage {
                fuel,
                memory: state.meter.peak(),
                host_calls: state.calls,
                bytes_read: state.bytes_read,
            },
            log: state.log,
            log_dropped: state.log_dropped,
            instantiate: instantiated.duration_since(started),
            check: instantiated.elapsed(),
        }
    }

    fn store(&self, task: Task<'_>, started: Instant, fuel: u64, size: u64) -> Store<State> {
        let limits = task.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles as usize);
        let state = State {
            table,
            meter: Meter::new(limits),
            view: task.view.clone(),
            limits: limits.clone(),
            deadline: started + limits.task_deadline(size),
            interrupted: Arc::clone(task.interrupted),
            seen: vec![Seen::default(); task.view.files.len()],
            calls: 0,
            max_calls: limits.task_host_calls(size, task.view.files.len() as u64),
            bytes_read: 0,
            log: Vec::new(),
            log_dropped: 0,
        };
        let mut store = Store::new(&self.wasmtime, state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(HOSTCALL_BYTES);
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

fn coverage(state: &State) -> Vec<FileCoverage> {
    let files = state.view.files.iter().zip(&state.seen);
    files
        .map(|(file, seen)| FileCoverage {
            coverage: Coverage { file: file.path().clone(), size: file.size(), read: seen.bytes() },
            start: seen.start(),
        })
        .collect()
}

/// Says why a guest did not return.
fn failure(error: &wasmtime::Error, manifest: &Manifest, limits: &Limits) -> Failure {
    let id = &manifest.id;
    if let Some(stop) = error.downcast_ref::<Stop>() {
        let help = match stop.code {
            FailureCode::LimitMemory => Some(more(id, "memory", &format!("\"{}MiB\"", (limits.memory >> 20) * 2))),
            FailureCode::LimitTable => Some(more(id, "table-elements", &(limits.table_elements * 2).to_string())),
            FailureCode::LimitHostCalls => Some(more(id, "host-calls", &(limits.host_calls * 2).to_string())),
            FailureCode::LimitHandles => Some(more(id, "handles", &(u64::from(limits.handles) * 2).to_string())),
            FailureCode::LimitDeadline => Some(more(id, "deadline", &format!("\"{}s\"", limits.deadline.as_secs() * 2))),
            _ => None,
        };
        return Failure { code: stop.code, message: GuestText::capped(&stop.message), help };
    }
    let text = format!("{error:#}");
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Failure::new(FailureCode::LimitFuel, "it used up its fuel")
            .with_help(more(id, "fuel", &(limits.fuel * 2).to_string())),
        Some(Trap::StackOverflow) => Failure::new(FailureCode::LimitStack, "it overran its stack"),
        Some(trap) => Failure::new(FailureCode::Trap, &trap.to_string())
            .with_help("the plugin crashed: report it to whoever makes it, with this model"),
        None if text.contains("fuel allocated for hostcalls") => {
            Failure::new(FailureCode::LimitAnswer, "it handed over more in one call than a whole answer may have")
        }
        None if text.contains("resource table") || text.contains("handle") && text.contains("limit") => {
            Failure::new(FailureCode::LimitHandles, &text).with_help(more(id, "handles", &(u64::from(limits.handles) * 2).to_string()))
        }
        None if text.contains("instance count too high") || text.contains("count too high") => {
            Failure::new(FailureCode::LimitInstances, &text).with_help(more(id, "instances", &(u64::from(limits.instances) * 2).to_string()))
        }
        None => Failure::new(FailureCode::Trap, &text),
    }
}

fn more(id: &crate::domain::plugin::PluginId, limit: &str, value: &str) -> String {
    format!("if the plugin is right to need more, add to modelhost.toml: [plugin.{id}] limits = {{ {limit} = {value} }}")
}
