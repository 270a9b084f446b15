//! `log`: capped lines for whoever debugs the plugin.

use crate::domain::event::LogLevel;
use crate::domain::text::GuestText;
use crate::engine::abi::v0_1::log::{Host, Level};
use crate::engine::state::State;

/// The most bytes of one line.
const MAX_LINE: usize = 1024;

impl Host for State {
    fn line(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.enter()?;
        if self.log.len() >= self.limits.log_lines as usize {
            self.log_dropped += 1;
            return Ok(());
        }
        let level = match level {
            Level::Trace => LogLevel::Trace,
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.log.push((level, GuestText::new(&message, MAX_LINE)));
        Ok(())
    }
}
