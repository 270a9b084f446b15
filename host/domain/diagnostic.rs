//! A mistake in a file of the operator's (policy, lock file), with the place in
//! its text: [`Diagnostic`].
//!
//! Leaves drawing it to `cli`.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text file of the operator's, kept so that a mistake can be shown in it.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path as shown to a person.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

impl SourceFile {
    /// Returns the line, from 1, that the byte `offset` stands on.
    pub fn line_of(&self, offset: usize) -> u32 {
        let before = self.text.as_bytes().iter().take(offset);
        let newlines = before.filter(|byte| **byte == b'\n').count();
        u32::try_from(newlines).unwrap_or(u32::MAX - 1) + 1
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({}, {} bytes)", self.path, self.text.len())
    }
}

/// One mistake: what is wrong, where, and the way out.
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
            message: message.into(),
            file: file.clone(),
            labels: vec![(span, String::new())],
            help: None,
        }
    }

    /// Sets the words at the main place.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.1 = label.into();
        }
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn with_place(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.labels.push((span, label.into()));
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the line of the main place, from 1.
    pub fn line(&self) -> u32 {
        self.labels.first().map_or(1, |(span, _)| self.file.line_of(span.start))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.path, self.line(), self.message)
    }
}

impl std::error::Error for Diagnostic {}
