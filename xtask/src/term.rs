//! All that this tool prints: numbered steps, notes, progress bars, errors.
//!
//! What it is doing goes to stderr, what was asked for (a table, a transcript) to stdout.
//! Colours and their absence are `anstream`'s affair. It leaves what to say to its callers.

use std::fmt::Display;
use std::io::IsTerminal;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();

/// The numbered steps of one command: "step n of m" before each.
#[derive(Debug)]
pub(crate) struct Steps {
    done: usize,
    total: usize,
}

impl Steps {
    /// Returns a count that has `total` steps before it.
    pub(crate) fn new(total: usize) -> Self {
        Self { done: 0, total }
    }

    /// Says that the next step begins.
    pub(crate) fn next(&mut self, title: &str) {
        self.done += 1;
        let (done, total) = (self.done, self.total);
        anstream::eprintln!("{GREEN}[{done}/{total}]{GREEN:#} {BOLD}{title}{BOLD:#}");
    }
}

/// Says more about the step that is under way.
pub(crate) fn note(text: &str) {
    for line in text.lines() {
        anstream::eprintln!("      {line}");
    }
}

/// Prints one line of what was asked for.
pub(crate) fn line(text: impl Display) {
    anstream::println!("{text}");
}

/// Prints a heading within what was asked for.
pub(crate) fn heading(text: &str) {
    anstream::println!("\n{BOLD}{text}{BOLD:#}");
}

/// Prints a command line the way a person would type it.
pub(crate) fn prompt(text: &str) {
    anstream::println!("{DIM}$ {text}{DIM:#}");
}

/// Prints one line that says whether something came out as expected.
pub(crate) fn judgement(good: bool, text: &str) {
    let (style, word) = if good { (GREEN, "ok") } else { (RED, "WRONG") };
    anstream::println!("{style}{word}{style:#}  {text}");
}

/// Prints an error and its causes.
pub(crate) fn error(error: &anyhow::Error) {
    anstream::eprintln!("{RED}error{RED:#}: {error}");
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  because: {cause}");
    }
}

/// The progress of something long: a bar on a terminal, otherwise a line at each quarter.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    label: String,
    total: u64,
    done: u64,
}

impl Bar {
    /// Starts a bar over `total` units; `bytes` tells how to write them.
    pub(crate) fn new(label: &str, total: u64, bytes: bool) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let units = if bytes { "{bytes}/{total_bytes}" } else { "{pos}/{len}" };
            let style = ProgressStyle::with_template(&format!(
                "      {{msg}} {{wide_bar}} {units} {{elapsed}}"
            ));
            let bar = ProgressBar::new(total).with_message(label.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        if bar.is_none() {
            note(label);
        }
        Self { bar, label: label.to_owned(), total: total.max(1), done: 0 }
    }

    /// Says that `units` more are done.
    pub(crate) fn advance(&mut self, units: u64) {
        let before = quarter(self.done, self.total);
        self.done = self.done.saturating_add(units);
        let after = quarter(self.done, self.total);
        match &self.bar {
            Some(bar) => bar.inc(units),
            None if after > before => note(&format!("{}: {} %", self.label, after * 25)),
            None => {}
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Returns how many whole quarters of `total` are done, at most four.
fn quarter(done: u64, total: u64) -> u64 {
    (u128::from(done) * 4 / u128::from(total.max(1))).min(4).try_into().unwrap_or(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_are_whole_and_end_at_four() {
        for (done, total, expected) in [
            (0, 100, 0),
            (24, 100, 0),
            (25, 100, 1),
            (99, 100, 3),
            (100, 100, 4),
            (500, 100, 4),
            (u64::MAX, u64::MAX, 4),
            (5, 0, 4),
        ] {
            assert_eq!(quarter(done, total), expected, "{done} of {total}");
        }
    }
}
