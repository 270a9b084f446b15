//! The data of one store: what the task may see ([`View`]), and what it has
//! used so far.
//!
//! Leaves the host functions to `capability`.

#![expect(clippy::disallowed_methods, reason = "a deadline is held against the monotonic clock")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use wasmtime::component::ResourceTable;

use super::limits::{Meter, Stop};
use crate::domain::capability::{Limit, Limits};
use crate::domain::event::LogLevel;
use crate::domain::lineage::Base;
use crate::domain::model::{Definition, LockEntry};
use crate::domain::registry::Registered;
use crate::domain::text::GuestText;
use crate::domain::verdict::FailureCode;
use crate::model::reader::ChunkReader;
use crate::model::{ChunkKey, FileHandle};

/// What one task may see: a pure value but for the bytes behind the handles.
#[derive(Clone, Debug)]
pub struct View {
    /// The model's name.
    pub name: Arc<str>,
    /// The files, sorted by path.
    pub files: Arc<[Arc<FileHandle>]>,
    /// What the policy says the model should be.
    pub definition: Option<Definition>,
    /// The model's entry in the lock file.
    pub lock: Option<Arc<LockEntry>>,
    /// What the model was made from, and those from what.
    pub lineage: Arc<[Base]>,
    /// What the trusted registry says that may be about it; none where the policy
    /// names no registry.
    pub registered: Option<Arc<Registered>>,
    /// The granted documents, by name.
    pub documents: Arc<BTreeMap<String, Arc<[u8]>>>,
    /// The run's one fixed time, seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// What the chunks of files that are read for it are digested under.
    pub key: ChunkKey,
}

impl View {
    /// Returns the bytes of all files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size()).sum()
    }
}

/// A file of the view, as the guest holds it: its place in the list.
#[derive(Clone, Copy, Debug)]
pub struct ViewFile(pub(super) usize);

/// The model, as the guest holds it.
#[derive(Clone, Copy, Debug)]
pub struct ViewModel;

/// A document, as the guest holds it.
#[derive(Clone, Debug)]
pub struct ViewDocument(pub(super) Arc<[u8]>);

/// Which bytes of a file were looked at: disjoint ranges, start → end.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(BTreeMap<u64, u64>);

impl Seen {
    /// Notes that `start..end` was looked at.
    pub(super) fn add(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        // Take in every range that overlaps or touches, from the last that
        // starts at or before `end` backwards.
        while let Some((&other_start, &other_end)) = self.0.range(..=end).next_back() {
            if other_end < start {
                break;
            }
            self.0.remove(&other_start);
            start = start.min(other_start);
            end = end.max(other_end);
        }
        self.0.insert(start, end);
    }

    /// Returns how many bytes were looked at, each counted once.
    pub(super) fn bytes(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// Returns whether the first byte was.
    pub(super) fn start(&self) -> bool {
        self.0.contains_key(&0)
    }
}

/// The data of one store.
pub(super) struct State {
    pub(super) table: ResourceTable,
    pub(super) meter: Meter,
    pub(super) view: View,
    pub(super) limits: Limits,
    pub(super) deadline: Instant,
    pub(super) interrupted: Arc<AtomicBool>,
    pub(super) reader: ChunkReader,
    pub(super) seen: Vec<Seen>,
    pub(super) calls: u64,
    pub(super) max_calls: u64,
    pub(super) bytes_read: u64,
    pub(super) max_bytes_read: u64,
    pub(super) handles: u32,
    pub(super) most_handles: u32,
    pub(super) log: Vec<(LogLevel, GuestText)>,
    pub(super) log_dropped: u64,
}

impl State {
    /// Counts one call into the host, and stops the guest where it was one too
    /// many or its time is up.
    pub(super) fn enter(&mut self) -> wasmtime::Result<()> {
        self.calls += 1;
        if self.calls > self.max_calls {
            return Err(Stop::at(
                Limit::HostCalls,
                format!("it called the host more than {} times", self.max_calls),
            ));
        }
        self.check_clock()
    }

    /// Stops the guest where its time is up or the run was interrupted.
    pub(super) fn check_clock(&self) -> wasmtime::Result<()> {
        self.clock().check()
    }

    /// Returns what the guest's time is told by.
    pub(super) fn clock(&self) -> Clock {
        Clock { deadline: self.deadline, interrupted: Arc::clone(&self.interrupted) }
    }

    /// Counts `bytes` that are about to be read or digested, and stops the guest
    /// where it is more than it may.
    pub(super) fn reads(&mut self, bytes: u64) -> wasmtime::Result<()> {
        let sum = self.bytes_read.saturating_add(bytes);
        if sum > self.max_bytes_read {
            return Err(Stop::at(
                Limit::BytesRead,
                format!("it reads more than {} bytes", self.max_bytes_read),
            ));
        }
        self.bytes_read = sum;
        Ok(())
    }

    /// Hands `value` to the guest as a handle, within the bound on handles.
    pub(super) fn hand_out<T: Send + 'static>(
        &mut self,
        value: T,
    ) -> wasmtime::Result<wasmtime::component::Resource<T>> {
        let handle = self.table.push(value).map_err(|_| {
            Stop::at(Limit::Handles, format!("it holds more than {} handles", self.limits.handles))
        })?;
        self.handles += 1;
        self.most_handles = self.most_handles.max(self.handles);
        Ok(handle)
    }

    /// Takes a handle back from the guest.
    pub(super) fn take_back<T: Send + 'static>(
        &mut self,
        handle: wasmtime::component::Resource<T>,
    ) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        self.handles = self.handles.saturating_sub(1);
        Ok(())
    }
}

/// What a guest's time is told by.
pub(super) struct Clock {
    deadline: Instant,
    interrupted: Arc<AtomicBool>,
}

impl Clock {
    /// Stops the guest where its time is up or the run was interrupted.
    pub(super) fn check(&self) -> wasmtime::Result<()> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Stop::error(FailureCode::Interrupted, "the run was interrupted"));
        }
        if Instant::now() >= self.deadline {
            return Err(Stop::at(Limit::Deadline, "it ran past its wall deadline"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_byte_once() {
        let mut seen = Seen::default();
        seen.add(10, 20);
        seen.add(30, 40);
        assert!(!seen.start());
        seen.add(15, 30);
        assert_eq!(seen.bytes(), 30);
        seen.add(0, 5);
        assert_eq!((seen.bytes(), seen.0.len(), seen.start()), (35, 2, true));
        seen.add(5, 10);
        assert_eq!((seen.bytes(), seen.0.len()), (40, 1));
        seen.add(7, 7);
        seen.add(0, 100);
        assert_eq!((seen.bytes(), seen.0.len()), (100, 1));
    }
}
