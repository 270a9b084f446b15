//! A progress bar on a terminal, for what takes more than half a second; and
//! what plugins log.
//!
//! Leaves the run itself to the library.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use modelhost::domain::event::{Event, EventSink, LogLevel};

use crate::context;

/// Shorter work needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Shows how far a run is.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    shown: bool,
    tasks: usize,
    finished: usize,
    hashed: u64,
}

impl Progress {
    /// Makes a bar that is hidden for now, and for ever where `wanted` is false,
    /// stderr is no terminal, or one that can't go back in a line.
    #[expect(clippy::disallowed_methods, reason = "a bar is for what takes long")]
    pub(crate) fn new(wanted: bool) -> Self {
        let is_dumb = context::variable("TERM").is_none_or(|term| term == "dumb");
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let style =
            ProgressStyle::with_template("{spinner} {bytes}/{total_bytes} hashed {wide_bar} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            started: Instant::now(),
            state: Mutex::new(State { shown: !wanted || is_dumb, ..State::default() }),
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl EventSink for Progress {
    fn event(&self, event: &Event) {
        match event {
            Event::Listed { bytes, .. } => self.bar.inc_length(*bytes),
            Event::Hashed { bytes } => self.bar.inc(*bytes),
            Event::Compiled { plugin, cached, took } => {
                let how = if *cached { "loaded" } else { "compiled" };
                tracing::debug!("{how} {plugin} in {took:.1?}");
            }
            Event::Logged { plugin, level, message } => match level {
                LogLevel::Trace => tracing::trace!(target: "plugin", "{plugin}: {message}"),
                LogLevel::Debug => tracing::debug!(target: "plugin", "{plugin}: {message}"),
                LogLevel::Info => tracing::info!(target: "plugin", "{plugin}: {message}"),
                LogLevel::Warn => tracing::warn!(target: "plugin", "{plugin}: {message}"),
                LogLevel::Error => tracing::error!(target: "plugin", "{plugin}: {message}"),
            },
            Event::Planned { .. } | Event::Finished { .. } => {}
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Planned { tasks } => state.tasks = *tasks,
            Event::Finished { .. } => state.finished += 1,
            Event::Hashed { bytes } => state.hashed += bytes,
            _ => {}
        }
        if !state.shown && self.started.elapsed() > PATIENCE {
            state.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if matches!(event, Event::Planned { .. } | Event::Finished { .. }) {
            self.bar.set_message(format!("{}/{} tasks", state.finished, state.tasks));
        }
    }
}
