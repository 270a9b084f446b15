//! The engine and its settings, each with its reason.
//!
//! Leaves compiling to `compile` and running to `call`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasmtime::{
    Config, InstanceAllocationStrategy, OptLevel, Strategy, WasmBacktraceDetails, WasmFeatures,
};

use crate::plugin::component;

/// How often running guests look at the clock.
const TICK: Duration = Duration::from_millis(10);

/// The stack of a guest in bytes. Threads that run guests have at least
/// [`THREAD_STACK`], so that an overflow is the guest's trap and never ours.
pub(crate) const GUEST_STACK: usize = 512 << 10;

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
    stop_ticking: Arc<AtomicBool>,
}

impl Engine {
    /// Sets up an engine.
    ///
    /// # Errors
    /// Says why wasmtime refused.
    pub fn new() -> Result<Self, EngineError> {
        let setup = |error: wasmtime::Error| EngineError::Setup(format!("{error:#}"));
        let wasmtime = wasmtime::Engine::new(&config()).map_err(setup)?;
        let stop_ticking = Arc::new(AtomicBool::new(false));
        let (weak, stop) = (wasmtime.weak(), Arc::clone(&stop_ticking));
        std::thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(TICK);
                    match weak.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => break,
                    }
                }
            })
            .map_err(|error| EngineError::Setup(format!("no thread for the clock: {error}")))?;
        Ok(Self { wasmtime, stop_ticking })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop_ticking.store(true, Ordering::Relaxed);
    }
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
    config.max_wasm_stack(GUEST_STACK);
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
    // Copy-on-write images are written to a memfd, which a worker without the
    // right to write files does not have.
    config.memory_init_cow(false);
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
        Engine::new().expect("an engine");
    }
}
