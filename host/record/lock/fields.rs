//! Taking a TOML table apart, key by key, and noting every mistake on the way.
//!
//! Leaves to `parse` which keys there are and what they mean.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::diagnostic::{Diagnostic, SourceFile};

/// The most mistakes that are reported of one file: more helps nobody, and a
/// file can hold millions.
const MAX_MISTAKES: usize = 50;

/// The mistakes found so far.
pub(super) struct Mistakes<'f> {
    file: &'f SourceFile,
    found: Vec<Diagnostic>,
}

impl<'f> Mistakes<'f> {
    pub(super) const fn new(file: &'f SourceFile) -> Self {
        Self { file, found: Vec::new() }
    }

    /// Notes a mistake at `span`.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.push(span, message, |mistake| mistake);
    }

    /// Notes a mistake that `more` completes.
    pub(super) fn push(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        more: impl FnOnce(Diagnostic) -> Diagnostic,
    ) {
        if self.found.len() < MAX_MISTAKES {
            self.found.push(more(Diagnostic::new(self.file, span, message)));
        }
    }

    /// Returns the mistakes in the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|mistake| mistake.labels.first().map(|(span, _)| span.start));
        self.found
    }
}

/// A table that is being taken apart.
pub(super) struct Fields<'m, 'f, 'i> {
    table: DeTable<'i>,
    span: Range<usize>,
    known: Vec<&'static str>,
    mistakes: &'m mut Mistakes<'f>,
}

impl<'m, 'f, 'i> Fields<'m, 'f, 'i> {
    /// Opens `value`, which must be a table.
    pub(super) fn open(
        value: Spanned<DeValue<'i>>,
        what: &str,
        mistakes: &'m mut Mistakes<'f>,
    ) -> Option<Self> {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Some(Self::new(table, span, mistakes)),
            other => {
                mistakes.add(span, format!("{what} must be a table, not {}", kind(&other)));
                None
            }
        }
    }

    pub(super) const fn new(
        table: DeTable<'i>,
        span: Range<usize>,
        mistakes: &'m mut Mistakes<'f>,
    ) -> Self {
        Self { table, span, known: Vec::new(), mistakes }
    }

    /// Returns where the table stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns where further mistakes of this table are noted.
    pub(super) const fn mistakes(&mut self) -> &mut Mistakes<'f> {
        self.mistakes
    }

    /// Takes the value of `key`.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// Takes the string at `key`, if it is there.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let value = self.take(key)?;
        let span = value.span();
        match value.into_inner() {
            DeValue::String(text) => Some(Spanned::new(span, text.into_owned())),
            other => {
                self.mistakes.add(span, format!("`{key}` must be a string, not {}", kind(&other)));
                None
            }
        }
    }

    /// Takes the string at `key` as what `parse` makes of it; that it is
    /// missing, or no such thing, is a mistake.
    pub(super) fn need<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Spanned<T>> {
        if !self.table.contains_key(key) {
            self.missing(key);
        }
        self.maybe(key, parse)
    }

    /// Takes the string at `key`, if it is there, as what `parse` makes of it;
    /// that it is no such thing is a mistake.
    pub(super) fn maybe<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Spanned<T>> {
        let text = self.text(key)?;
        match parse(text.get_ref()) {
            Ok(value) => Some(Spanned::new(text.span(), value)),
            Err(message) => {
                self.mistakes.add(text.span(), message);
                None
            }
        }
    }

    /// Takes the whole number at `key`; that it is missing is a mistake.
    pub(super) fn need_number(&mut self, key: &'static str) -> Option<u64> {
        let Some(value) = self.take(key) else {
            self.missing(key);
            return None;
        };
        let span = value.span();
        let message = match value.get_ref() {
            DeValue::Integer(number) => {
                match u64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => return Some(number),
                    Err(_) => format!("`{key}` must be a number from 0 to {}", u64::MAX),
                }
            }
            other => format!("`{key}` must be a whole number, not {}", kind(other)),
        };
        self.mistakes.add(span, message);
        None
    }

    /// Takes the items of the array at `key`, if it is there.
    pub(super) fn array(&mut self, key: &'static str) -> Option<Vec<Spanned<DeValue<'i>>>> {
        let value = self.take(key)?;
        let span = value.span();
        match value.into_inner() {
            DeValue::Array(items) => Some(items.into_iter().collect()),
            other => {
                self.mistakes.add(span, format!("`{key}` must be an array, not {}", kind(&other)));
                None
            }
        }
    }

    /// Takes the strings of the array at `key`; none if it is not there.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<Spanned<String>> {
        let mut texts = Vec::new();
        for item in self.array(key).unwrap_or_default() {
            let span = item.span();
            match item.into_inner() {
                DeValue::String(text) => texts.push(Spanned::new(span, text.into_owned())),
                other => {
                    let message = format!("`{key}` must hold strings, not {}", kind(&other));
                    self.mistakes.add(span, message);
                }
            }
        }
        texts
    }

    /// Takes the strings of the array at `key`; that it is missing is a mistake.
    pub(super) fn need_texts(&mut self, key: &'static str) -> Vec<Spanned<String>> {
        if !self.table.contains_key(key) {
            self.missing(key);
        }
        self.texts(key)
    }

    /// Notes that `key` is missing.
    pub(super) fn missing(&mut self, key: &str) {
        self.mistakes.add(self.span.clone(), format!("missing key `{key}`"));
    }

    /// Notes every key that was not taken.
    pub(super) fn finish(self) {
        let known = self.known.join(", ");
        for key in self.table.keys() {
            let message = format!("unknown key `{}`", key.get_ref());
            let help = format!("the keys here are {known}");
            self.mistakes.push(key.span(), message, |mistake| mistake.with_help(help));
        }
    }
}

/// Returns the kind of `value` with its article.
pub(super) const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a floating-point number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
