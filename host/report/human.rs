//! The format `human`: what a person in front of a terminal or a CI log must
//! know, worst first, and the decision in the last line.
//!
//! Leaves folding what is told to `fold`, what `-v` adds to `overview`, and
//! colors to `paint`.

mod fold;
mod overview;
mod paint;

use std::io;

use self::fold::Block;
use self::paint::Paint;
use super::format::{Style, Verbosity};
use super::notice::{self, Rank};
use super::summary::{Summary, count};
use crate::domain::date::Date;
use crate::domain::decision::Decision;
use crate::domain::evidence::{ScanOnly, TrustStat};
use crate::domain::report::{Report, Timings};

/// How many days the waiver that a report offers lasts: a quarter of a year, after
/// which somebody looks again.
const WAIVER_DAYS: u64 = 90;

/// Writes `report` to `out`, with the whole time it took from `timings`.
pub(super) fn write(
    report: &Report,
    timings: &Timings,
    out: &mut dyn io::Write,
    style: &Style,
) -> io::Result<()> {
    let mut paint = Paint::new(out, style.color);
    if style.verbosity > Verbosity::Quiet {
        let verbose = style.verbosity == Verbosity::Verbose;
        let mut told = notice::told(report);
        told.retain(|told| verbose || told.notice.rank < Rank::Informs);
        let notices = told.into_iter().map(|told| (told.notice, told.place)).collect();
        for block in fold::fold(notices, verbose) {
            write_block(&block, report.now, &mut paint)?;
        }
        if verbose {
            overview::write(report, &mut paint)?;
        }
        if let Some(scan_only) = &report.scan_only {
            paint.line(&unbound(scan_only))?;
            paint.end()?;
        }
        if let Some(trust_stat) = report.trust_stat {
            paint.line(&trusting(trust_stat))?;
            paint.end()?;
        }
    }
    last_line(report, timings, &mut paint)
}

fn write_block(block: &Block<'_>, now: u64, paint: &mut Paint<'_>) -> io::Result<()> {
    let first = &block.first;
    paint.label(first.label, &format!("{}[{}]", first.label.word(), first.code))?;
    paint.strong(&format!(": {}", first.text()))?;
    paint.end()?;
    for place in &block.places {
        paint.edge("  -->")?;
        paint.line(&format!(" {place}"))?;
    }
    if block.more > 0 {
        paint.line(&format!(
            "      and {} more {} (-v shows all)",
            count(block.more),
            block.unit(block.more)
        ))?;
    }
    for note in first.notes() {
        paint.edge("   =")?;
        paint.line(&format!(" note: {note}"))?;
    }
    if let Some(help) = first.help() {
        paint.edge("   =")?;
        paint.line(&format!(" help: {help}"))?;
    }
    if let Some(command) = waive(block, now) {
        paint.edge("   =")?;
        paint.line(&format!(" waive: {command}"))?;
    }
    if block.alike > 0 {
        paint.line(&format!(
            "   ... and {} more {}[{}] (-v shows all)",
            count(block.alike),
            first.label.word(),
            first.code
        ))?;
    }
    paint.end()
}

/// Returns the command that lets pass what denies in `block`, for somebody who
/// answers for it: with the fingerprints of the places that are told.
fn waive(block: &Block<'_>, now: u64) -> Option<String> {
    let is_waivable = block.first.rank == Rank::Denies && block.first.is_of_plugin();
    let fingerprints: Vec<String> = block
        .places
        .iter()
        .filter_map(|place| place.fingerprint)
        .map(|fingerprint| fingerprint.to_string())
        .collect();
    (is_waivable && !fingerprints.is_empty()).then(|| {
        format!(
            "modelhost waiver add {} --reason \"...\" --owner \"...\" --expires {}",
            fingerprints.join(" "),
            Date::of(now).after(WAIVER_DAYS)
        )
    })
}

/// Says what a run without digests went without.
fn unbound(scan_only: &ScanOnly) -> String {
    let left_out: Vec<&str> = scan_only.left_out.iter().map(|plugin| plugin.as_str()).collect();
    let left_out = match left_out.as_slice() {
        [] => String::new(),
        plugins => format!("; left out, since they ask for digests: {}", plugins.join(", ")),
    };
    format!("note: scan only: this report is bound to no digest of any file{left_out}")
}

/// Says what a run did not read that trusts what the system says of files.
fn trusting(TrustStat { not_hashed }: TrustStat) -> String {
    let (files, them) = if not_hashed == 1 { ("file", "it") } else { ("files", "they") };
    format!(
        "note: --trust-stat: {} {files} not read for the digest, since {them} look{} unchanged \
         since an earlier run computed it",
        count(not_hashed),
        if not_hashed == 1 { "s" } else { "" }
    )
}

/// Writes the one line that says it all.
fn last_line(report: &Report, timings: &Timings, paint: &mut Paint<'_>) -> io::Result<()> {
    let summary = Summary::of(report);
    paint.decision(
        report.decision,
        match report.decision {
            Decision::Allow => "ALLOW",
            Decision::Incomplete => "INCOMPLETE",
            Decision::Deny => "DENY",
        },
    )?;
    paint.line(&format!("  {}, {:.1} s", summary.words(report), timings.total.as_secs_f64()))
}

#[cfg(test)]
mod tests;
