//! The engine and its settings, each with its reason.
//!
//! Leaves compiling to `compile` and running to `call`.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{
    Config, EngineWeak, InstanceAllocationStrategy, OptLevel, Strategy, WasmBacktraceDetails,
    WasmFeatures,
};

use crate::domain::capability::Limit;
use crate::plugin::component;

/// How often running guests look at the clock.
const TICK: Duration = Duration::from_millis(10);

/// The stack of a guest in bytes where its limits say nothing else. Threads that
/// run guests have at least [`THREAD_STACK`], so that an overflow is the guest's
/// trap and never ours.
const GUEST_STACK: u64 = Limit::Stack.default();

/// The stack of a thread that runs guests or compiles them.
pub const THREAD_STACK: usize = 8 << 20;

/// Why the engine could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// wasmtime refused the settings on this machine.
    #[error("the WebAssembly engine can't be set up: {0}")]
    Setup(String),
    /// The bytes are no component of the features that plugins may use.
    #[error("{0}")]
    Invalid(String),
    /// The component is valid but could not be compiled.
    #[error("{0}")]
    Compile(String),
}

/// A WebAssembly engine for plugins, and the clock that its guests look at.
#[derive(Debug)]
pub struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    stack: u64,
    clock: Arc<Ticking>,
}

/// One thread that ticks for every engine of a family; none of them may start
/// another once a worker is locked in.
#[derive(Default)]
struct Clock {
    stop: AtomicBool,
    engines: Mutex<Vec<EngineWeak>>,
}

impl Clock {
    /// Ticks until it is told to stop.
    fn run(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
            let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
            engines.retain(|engine| {
                let engine = engine.upgrade();
                engine.inspect(wasmtime::Engine::increment_epoch).is_some()
            });
        }
    }

    fn add(&self, engine: &wasmtime::Engine) {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        engines.push(engine.weak());
    }
}

/// Stops the clock when the last engine of the family is gone.
struct Ticking(Arc<Clock>);

impl fmt::Debug for Ticking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticking").finish_non_exhaustive()
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// Sets up an engine.
    ///
    /// # Errors
    /// Says why wasmtime refused.
    pub fn new() -> Result<Self, EngineError> {
        let wasmtime = set_up(GUEST_STACK)?;
        let clock = Arc::new(Clock::default());
        clock.add(&wasmtime);
        let ticking = Arc::clone(&clock);
        std::thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || ticking.run())
            .map_err(|error| EngineError::Setup(format!("no thread for the clock: {error}")))?;
        Ok(Self { wasmtime, stack: GUEST_STACK, clock: Arc::new(Ticking(clock)) })
    }

    /// Returns an engine whose guests have a stack of `stack` bytes: this one
    /// where it is of that kind, else another, which shares its clock and takes
    /// the same compiled code.
    ///
    /// # Errors
    /// Says why wasmtime refused.
    pub fn with_stack(self: &Arc<Self>, stack: u64) -> Result<Arc<Self>, EngineError> {
        if stack == self.stack {
            return Ok(Arc::clone(self));
        }
        let wasmtime = set_up(stack)?;
        self.clock.0.add(&wasmtime);
        Ok(Arc::new(Self { wasmtime, stack, clock: Arc::clone(&self.clock) }))
    }
}

fn set_up(stack: u64) -> Result<wasmtime::Engine, EngineError> {
    let setup = |error: wasmtime::Error| EngineError::Setup(format!("{error:#}"));
    let mut config = config();
    config.max_wasm_stack(usize::try_from(stack).unwrap_or(THREAD_STACK / 2));
    wasmtime::Engine::new(&config).map_err(setup)
}

fn config() -> Config {
    let mut config = Config::new();
    // Cranelift alone: Winch had four advisories in 2026, one an escape.
    config.strategy(Strategy::Cranelift);
    // Compiling is what a run without a cache waits for, which is every run in
    // CI: half the time and half the code for checks that read little.
    config.cranelift_opt_level(OptLevel::None);
    // Fuel decides, the same on each machine; epochs carry the wall clock and
    // the interrupt.
    config.consume_fuel(true);
    config.epoch_interruption(true);
    // The pooling allocator had four advisories, and one process runs few guests.
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    // Everything off, then what guests may use. Several memories are on for
    // wasmtime's own adapters between nested components, without which it
    // panics; guests that use them are refused before by our own validation.
    config.wasm_features(WasmFeatures::all(), false);
    config.wasm_features(component::features() | WasmFeatures::MULTI_MEMORY, true);
    // Else the bits of a NaN, and with them a verdict, differ by machine.
    config.cranelift_nan_canonicalization(true);
    // Guard pages instead of explicit bounds checks; memories never move.
    config.memory_reservation(4 << 30);
    config.memory_guard_size(32 << 20);
    config.guard_before_linear_memory(true);
    config.memory_may_move(false);
    // A guest's initial memory is mapped and not copied: half the cost of a task on
    // a small file. It is written once, to a memfd, which is why a worker may make
    // one until it has loaded its plugin (`worker::wall`).
    config.memory_init_cow(true);
    // The default reads an environment variable.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    // No component-model async, streams or futures.
    config.concurrency_support(false);
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_up() {
        let engine = Arc::new(Engine::new().expect("an engine"));
        let same = engine.with_stack(GUEST_STACK).expect("an engine");
        assert!(Arc::ptr_eq(&engine, &same));
        for stack in [*Limit::Stack.bounds().start(), *Limit::Stack.bounds().end()] {
            engine.with_stack(stack).expect("an engine");
        }
    }

    #[test]
    fn the_clock_stops_with_the_last_of_its_engines() {
        let engine = Arc::new(Engine::new().expect("an engine"));
        let clock = Arc::downgrade(&engine.clock.0);
        let other = engine.with_stack(1 << 20).expect("an engine");
        drop(engine);
        let clock = clock.upgrade().expect("it ticks for the other");
        assert!(!clock.stop.load(Ordering::Relaxed));
        drop(clock);
        let clock = Arc::downgrade(&other.clock.0);
        drop(other);
        while clock.strong_count() > 0 {
            std::thread::sleep(TICK);
        }
    }
}
