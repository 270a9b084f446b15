//! What happens during a run, told as it happens: [`Event`], [`EventSink`].
//!
//! Leaves what is done with it (progress, a log) to whoever listens.

use std::time::Duration;

use super::model::{FilePath, ModelName};
use super::plugin::PluginId;
use super::text::GuestText;

/// One thing that happened. Events come in the order of time, which differs
/// from run to run; nothing in a report depends on it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A model's files have been listed.
    Listed {
        /// The model.
        model: ModelName,
        /// How many files it has.
        files: usize,
        /// Their bytes together.
        bytes: u64,
    },
    /// Some bytes have been hashed.
    Hashed {
        /// How many since the last such event.
        bytes: u64,
    },
    /// A plugin is being compiled, or loaded from the cache.
    Compiled {
        /// The plugin.
        plugin: PluginId,
        /// Whether the cache had it.
        cached: bool,
        /// How long it took.
        took: Duration,
    },
    /// The plan stands.
    Planned {
        /// How many tasks there are.
        tasks: usize,
    },
    /// A task is done.
    Finished {
        /// The plugin.
        plugin: PluginId,
        /// The model.
        model: ModelName,
        /// The file, for a task on one file.
        file: Option<FilePath>,
    },
    /// A plugin logged a line.
    Logged {
        /// The plugin.
        plugin: PluginId,
        /// How loud: `trace`, `debug`, `info`, `warn`, `error`.
        level: LogLevel,
        /// What it said.
        message: GuestText,
    },
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// For whoever debugs the plugin.
    Debug,
    /// Worth knowing.
    Info,
    /// Odd.
    Warn,
    /// Wrong.
    Error,
}

/// Listens to a run. Called from several threads at once, and must not block.
pub trait EventSink: Send + Sync {
    /// Takes note of `event`.
    fn event(&self, event: &Event);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl EventSink for Silent {
    fn event(&self, _event: &Event) {}
}
