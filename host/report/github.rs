//! The format `github`: workflow commands that the runner of GitHub Actions makes
//! annotations of; and what else a step there gets: its [`outputs`].
//!
//! Leaves the job's summary to `markdown`, and where a finding is to `address`.
//!
//! # Invariants
//! - A line is one command, and starts no other: what ends a command or a property
//!   is escaped (actions/toolkit, `command.ts`).
//! - A step shows ten annotations of each type and drops the rest without a word:
//!   never more are written, and the last one says how many are left out.

use std::io;

use super::address;
use super::format::Roots;
use super::notice::{Rank, Told, most_urgent_first};
use super::summary::{Summary, count};
use crate::domain::report::Report;
use crate::domain::text::GuestText;

/// The most annotations of one type in a step.
const MAX_ANNOTATIONS: usize = 10;

/// The most bytes of one text: an annotation shows a few lines.
const MAX_TEXT: usize = 1024;

/// The types of annotation, most urgent first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Error,
    Warning,
    Notice,
}

impl Type {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    /// Returns how many of this type findings may take: the last line is a notice, too.
    const fn room(self) -> usize {
        match self {
            Self::Error | Self::Warning => MAX_ANNOTATIONS,
            Self::Notice => MAX_ANNOTATIONS - 1,
        }
    }

    /// Returns the type of what is told; none for what is merely worth knowing,
    /// which the job's summary counts.
    const fn of(told: &Told<'_>) -> Option<Self> {
        match told.notice.rank {
            Rank::Denies | Rank::Blocks => Some(Self::Error),
            Rank::Warns | Rank::Advises => Some(Self::Warning),
            Rank::Waived => Some(Self::Notice),
            Rank::Informs => None,
        }
    }
}

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, roots: &Roots, out: &mut dyn io::Write) -> io::Result<()> {
    let told = most_urgent_first(report);
    for of in Type::ALL {
        let of_type: Vec<&Told<'_>> =
            told.iter().filter(|told| Type::of(told) == Some(of)).collect();
        let room = of.room();
        let shown = if of_type.len() > room { room - 1 } else { of_type.len() };
        for told in of_type.iter().take(shown) {
            annotate(of, report, roots, told, out)?;
        }
        let more = of_type.len() - shown;
        if more > 0 {
            let name = of.name();
            let words = "GitHub shows no more in one step; the job's summary has them";
            writeln!(out, "::{name} title=modelhost::and {} more: {words}", count(more))?;
        }
    }
    let (decision, words) = (report.decision.name(), Summary::of(report).words(report));
    writeln!(out, "::notice title=modelhost::{}", data(&format!("{decision}: {words}")))
}

fn annotate(
    of: Type,
    report: &Report,
    roots: &Roots,
    told: &Told<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let address = address::anchor(report, roots, told);
    let mut message = told.notice.text().into_owned();
    if let Some(place) = &told.place {
        message = format!("{message} ({place})");
    }
    match (told.notice.excepted(), told.notice.help()) {
        (Some(why), _) => message = format!("{why} | {message}"),
        (None, Some(help)) => message = format!("{message}; help: {help}"),
        (None, None) => {}
    }
    writeln!(
        out,
        "::{} file={},line={},title={}::{}",
        of.name(),
        property(address.shown().as_str()),
        address.line.unwrap_or(1),
        property(&told.notice.rule()),
        data(&message),
    )
}

/// Escapes what follows the second `::`.
fn data(text: &str) -> String {
    let text = GuestText::new(text, MAX_TEXT).to_string();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns what a step outputs, `name=value` a line: the decision, the exit code
/// and the counts.
pub fn outputs(report: &Report, exit_code: u8) -> String {
    let summary = Summary::of(report);
    let rows = [
        ("decision", report.decision.name().to_owned()),
        ("exit-code", exit_code.to_string()),
        ("denied", summary.denied.to_string()),
        ("warnings", summary.warnings.to_string()),
        ("not-judged", summary.not_judged.to_string()),
        ("waived", summary.waived.to_string()),
        ("baseline", summary.in_baseline.to_string()),
        ("models", summary.models.to_string()),
    ];
    rows.into_iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}
