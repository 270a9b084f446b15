//! Writes text, with colors where they are wanted.
//!
//! Leaves what is written to others, who hand in nothing but inert text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::notice::Label;
use crate::domain::decision::Decision;
use crate::domain::finding::Severity;

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
const BLUE: Style = AnsiColor::Blue.on_default().bold();
const BOLD: Style = Style::new().bold();

/// Writes text, with colors where they are wanted.
pub(super) struct Paint<'a> {
    out: &'a mut dyn Write,
    color: bool,
}

impl<'a> Paint<'a> {
    pub(super) fn new(out: &'a mut dyn Write, color: bool) -> Self {
        Self { out, color }
    }

    fn styled(&mut self, style: Style, text: &str) -> io::Result<()> {
        if self.color {
            write!(self.out, "{style}{text}{style:#}")
        } else {
            self.out.write_all(text.as_bytes())
        }
    }

    pub(super) fn label(&mut self, label: Label, text: &str) -> io::Result<()> {
        let style = match label {
            Label::Error | Label::Severity(Severity::Critical | Severity::High) => RED,
            Label::Severity(Severity::Medium) => YELLOW,
            Label::Severity(Severity::Low) => CYAN,
            Label::Severity(Severity::Info) => BLUE,
        };
        self.styled(style, text)
    }

    pub(super) fn decision(&mut self, decision: Decision, text: &str) -> io::Result<()> {
        let style = match decision {
            Decision::Allow => GREEN,
            Decision::Incomplete => YELLOW,
            Decision::Deny => RED,
        };
        self.styled(style, text)
    }

    pub(super) fn strong(&mut self, text: &str) -> io::Result<()> {
        self.styled(BOLD, text)
    }

    /// Writes what frames the text: arrows and the like.
    pub(super) fn edge(&mut self, text: &str) -> io::Result<()> {
        self.styled(BLUE, text)
    }

    /// Writes `text` and ends the line.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Ends the line.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.line("")
    }
}
