//! A mistake in a file of the operator's (policy, lock file), with the place in
//! its text: [`Diagnostic`].
//!
//! Leaves drawing it to `cli`.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::text::GuestText;

/// A text file of the operator's, kept so that a mistake can be shown in it.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path as shown to a person.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

impl SourceFile {
    /// Returns the line, from 1, that the byte `offset` stands on. Walks the
    /// text: for many offsets there is [`Lines`].
    pub fn line_of(&self, offset: usize) -> u32 {
        let before = self.text.as_bytes().iter().take(offset);
        line_number(before.filter(|byte| **byte == b'\n').count())
    }

    /// Returns where the line `line`, counted from 1, stands in the text,
    /// without its end; the end of the text for a line it does not have.
    pub fn line_span(&self, line: u32) -> Range<usize> {
        let skipped = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let end = self.text.len();
        let mut lines = self.text.split_inclusive('\n').scan(0, |start, line| {
            let span = *start..*start + line.trim_end_matches(['\n', '\r']).len();
            *start += line.len();
            Some(span)
        });
        lines.nth(skipped).unwrap_or(end..end)
    }
}

fn line_number(newlines_before: usize) -> u32 {
    u32::try_from(newlines_before).unwrap_or(u32::MAX - 1).saturating_add(1)
}

/// Where the lines of a text end, for asking many times.
#[derive(Clone, Debug)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// Finds the lines of `text`.
    pub fn of(text: &str) -> Self {
        Self(
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect(),
        )
    }

    /// Returns the line, from 1, that the byte `offset` stands on.
    pub fn line_of(&self, offset: usize) -> u32 {
        line_number(self.0.partition_point(|newline| *newline < offset))
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({}, {} bytes)", self.path, self.text.len())
    }
}

/// One mistake: what is wrong, where, and the way out. Its texts quote the file
/// and are made inert; the file itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, without a full stop.
    pub message: String,
    /// The file it is in.
    pub file: SourceFile,
    /// The places, the main one first, each with a few words of its own, which
    /// may be empty. Byte ranges of the text; at least one.
    pub labels: Vec<(Range<usize>, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Makes a diagnostic with one place.
    pub fn new(file: &SourceFile, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: inert(message),
            file: file.clone(),
            labels: vec![(span, String::new())],
            help: None,
        }
    }

    /// Sets the words at the main place.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.1 = inert(label);
        }
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn with_place(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.labels.push((span, inert(label)));
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(inert(help));
        self
    }

    /// Returns the line of the main place, from 1.
    pub fn line(&self) -> u32 {
        self.labels.first().map_or(1, |(span, _)| self.file.line_of(span.start))
    }
}

fn inert(text: impl Into<String>) -> String {
    GuestText::capped(&text.into()).to_string()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.path, self.line(), self.message)
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_the_same_both_ways() {
        let file = SourceFile { path: "x".into(), text: "a\nbc\r\n\nd".into() };
        let lines = Lines::of(&file.text);
        let expected = [1, 1, 2, 2, 2, 2, 3, 4, 4, 4, 4];
        for (offset, line) in expected.into_iter().enumerate() {
            assert_eq!(file.line_of(offset), line, "{offset}");
            assert_eq!(lines.line_of(offset), line, "{offset}");
        }
        let spans = [(0, 0..1), (1, 0..1), (2, 2..4), (3, 6..6), (4, 7..8), (5, 8..8)];
        for (line, span) in spans {
            assert_eq!(file.line_span(line), span, "{line}");
        }
    }

    #[test]
    fn quotes_are_inert() {
        let file = SourceFile { path: "x".into(), text: "".into() };
        let mistake = Diagnostic::new(&file, 0..0, "\u{1b}[2J")
            .with_label("a\nb")
            .with_place(0..0, "\u{202e}")
            .with_help("::error::");
        assert_eq!(mistake.to_string(), "x:1: \\x1b[2J");
        let labels: Vec<_> = mistake.labels.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["a\\nb", "\\u{202e}"]);
        assert_eq!(mistake.help.as_deref(), Some("\\x3a:error::"));
    }
}
