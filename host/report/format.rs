//! The formats a report can be written in: [`Format`], [`write()`].
//!
//! Leaves each format to its own file, and where it is written to `output`.

use std::fmt;
use std::io;
use std::str::FromStr;

use super::{cyclonedx, github, gitlab, html, human, json, jsonl, junit, markdown, sarif, timings};
use crate::domain::report::{Report, Timings};

/// A format that a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// A bill of materials of the models, for inventories: CycloneDX 1.6.
    Cyclonedx,
    /// Workflow commands of GitHub: they become annotations on a pull request.
    Github,
    /// A report of GitLab's on code quality.
    Gitlab,
    /// One page for people who were not there: no network, no script needed.
    Html,
    /// For people, in a terminal or a log.
    Human,
    /// For programs: versioned, with a JSON Schema, and the same bytes for the
    /// same run.
    Json,
    /// The same, a finding, a failure or a verdict a line.
    Jsonl,
    /// A test report: a suite for each model, a case for each plugin.
    Junit,
    /// For a comment, a job's summary, a wiki.
    Markdown,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// What does not repeat: times and cache hits.
    Timings,
}

impl Format {
    /// All formats, sorted by name.
    pub const ALL: [Self; 11] = [
        Self::Cyclonedx,
        Self::Github,
        Self::Gitlab,
        Self::Html,
        Self::Human,
        Self::Json,
        Self::Jsonl,
        Self::Junit,
        Self::Markdown,
        Self::Sarif,
        Self::Timings,
    ];

    /// Returns the name, as it stands before `=` in `-o FORMAT=PATH`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cyclonedx => "cyclonedx",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Html => "html",
            Self::Human => "human",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Sarif => "sarif",
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
#[error("there is no format `{0}`; there are {names}", names = Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// How a report looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether one for people may hold colors, that is, ANSI escapes.
    pub color: bool,
    /// How much one for people tells.
    pub verbosity: Verbosity,
    /// Where its paths start, for formats that point into a repository.
    pub roots: Roots,
    /// How the pins of its models changed, for formats that have a place for it.
    pub history: Vec<ModelHistory>,
}

/// How the pins of one model changed, as far as its lock file's history and audit logs
/// tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelHistory {
    /// The model's name.
    pub model: String,
    /// What `modelhost history` shows of it: lines of plain text, newest change first.
    pub text: String,
}

/// Where the paths in a report start: what formats that point at files of a
/// repository put in front of them. `/`-separated, without one at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    /// The repository's top as an absolute path, to tell what is below it; none
    /// where there is none.
    pub top: Option<String>,
    /// The folder of the policy and the lock file, from there; empty for the top.
    pub policy: String,
    /// The folder the run began in, likewise.
    pub working: String,
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
/// `timings`, and goes into `human` and `timings` alone: in every other format
/// the same run is the same bytes.
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
    let roots = &style.roots;
    match format {
        Format::Cyclonedx => cyclonedx::write(report, out),
        Format::Github => github::write(report, roots, out),
        Format::Gitlab => gitlab::write(report, roots, out),
        Format::Html => html::write(report, &style.history, out),
        Format::Human => human::write(report, timings, out, style),
        Format::Json => json::write(report, out),
        Format::Jsonl => jsonl::write(report, out),
        Format::Junit => junit::write(report, out),
        Format::Markdown => markdown::write(report, out),
        Format::Sarif => sarif::write(report, roots, out),
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
        assert!(Format::ALL.is_sorted_by_key(|format| format.name()));
        let error = "xml".parse::<Format>().expect_err("no such format").to_string();
        assert!(Format::ALL.iter().all(|format| error.contains(format.name())), "{error}");
        assert!("JSON".parse::<Format>().is_err());
    }
}
