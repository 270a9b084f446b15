//! What a task may use of the machine, counted on sums: `Meter`.
//!
//! Leaves the figures to `domain::capability::Limits`, and time to `call`.
//!
//! # Invariants
//! - Growth past a limit traps. A guest never sees a failed growth and goes on
//!   without the memory it wanted, perhaps to a clean answer.

use wasmtime::ResourceLimiter;

use crate::domain::capability::{Limit, Limits};
use crate::domain::verdict::FailureCode;

/// Ends a guest from inside a host call or a growth.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Stop {
    pub(super) code: FailureCode,
    pub(super) message: String,
}

impl Stop {
    pub(super) fn error(code: FailureCode, message: impl Into<String>) -> wasmtime::Error {
        wasmtime::Error::new(Self { code, message: message.into() })
    }

    pub(super) fn at(limit: Limit, message: impl Into<String>) -> wasmtime::Error {
        Self::error(FailureCode::Limit(limit), message)
    }
}

/// Counts the memory and tables of one task.
#[derive(Debug)]
pub(super) struct Meter {
    memory: u64,
    peak: u64,
    elements: u64,
    max_memory: u64,
    max_elements: u64,
    max_instances: usize,
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory: 0,
            peak: 0,
            elements: 0,
            max_memory: limits.memory,
            max_elements: limits.table_elements,
            max_instances: limits.instances as usize,
        }
    }

    /// Returns the most bytes that all memories had together.
    pub(super) const fn peak(&self) -> u64 {
        self.peak
    }

    /// Returns how many elements all tables have together; none shrinks.
    pub(super) const fn elements(&self) -> u64 {
        self.elements
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = (desired as u64).saturating_sub(current as u64);
        let sum = self.memory.saturating_add(grown);
        if sum > self.max_memory {
            return Err(Stop::at(
                Limit::Memory,
                format!("it asked for {sum} bytes of memory, {} are allowed", self.max_memory),
            ));
        }
        self.memory = sum;
        self.peak = self.peak.max(sum);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Stop::at(Limit::Memory, format!("its memory could not grow: {error:#}")))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = (desired as u64).saturating_sub(current as u64);
        let sum = self.elements.saturating_add(grown);
        if sum > self.max_elements {
            return Err(Stop::at(
                Limit::TableElements,
                format!("it asked for {sum} table elements, {} are allowed", self.max_elements),
            ));
        }
        self.elements = sum;
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Stop::at(Limit::TableElements, format!("its table could not grow: {error:#}")))
    }

    fn instances(&self) -> usize {
        self.max_instances
    }

    fn tables(&self) -> usize {
        self.max_instances
    }

    fn memories(&self) -> usize {
        self.max_instances
    }
}
