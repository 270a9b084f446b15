//! The formats a report can be written in: [`Format`], [`write()`].
//!
//! Leaves each format to its own file, and where it is written to `output`.

use std::fmt;
use std::io;
use std::str::FromStr;

use super::{human, json, timings};
use crate::domain::report::{Report, Timings};

/// A format that a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people, in a terminal or a log.
    Human,
    /// For programs: versioned, with a JSON Schema, and the same bytes for the
    /// same run.
    Json,
    /// What does not repeat: times and cache hits.
    Timings,
}

impl Format {
    /// All formats, sorted by name.
    pub const ALL: [Self; 3] = [Self::Human, Self::Json, Self::Timings];

    /// Returns the name, as it stands before `=` in `-o FORMAT=PATH`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Timings => "timings",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format `{0}`; there are human, json, timings")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// How a report for people looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether it may hold colors, that is, ANSI escapes.
    pub color: bool,
    /// How much it tells.
    pub verbosity: Verbosity,
}

/// How much a report for people tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// The last line alone.
    Quiet,
    /// What a reader must know; what repeats is folded.
    #[default]
    Normal,
    /// Everything: nothing folded, and the facts.
    Verbose,
}

/// Writes `report` to `out` in `format`. What does not repeat comes from
/// `timings`, and goes into the formats for people alone; `style` is theirs,
/// too.
///
/// # Errors
/// Returns the error of `out`.
pub fn write(
    format: Format,
    report: &Report,
    timings: &Timings,
    out: &mut dyn io::Write,
    style: &Style,
) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, timings, out, style),
        Format::Json => json::write(report, out),
        Format::Timings => timings::write(timings, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml".parse::<Format>().expect_err("no such format").to_string();
        assert!(Format::ALL.iter().all(|format| error.contains(format.name())), "{error}");
        assert!("JSON".parse::<Format>().is_err());
    }
}
