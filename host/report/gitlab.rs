//! The format `gitlab`: a report of GitLab's on code quality, which it shows in a
//! merge request (docs.gitlab.com, "Code Quality", "Custom tool").
//!
//! Leaves where a finding is to `address`.

use std::io;

use serde::Serialize;

use super::address;
use super::format::Roots;
use super::json::layout;
use super::notice::{Rank, Told, most_urgent_first};
use crate::domain::finding::Severity;
use crate::domain::report::Report;
use crate::domain::text::GuestText;

/// The most bytes of one description: it is shown in a list.
const MAX_TEXT: usize = 1024;

/// One finding.
#[derive(Serialize)]
struct Finding {
    description: String,
    check_name: String,
    /// Findings of one fingerprint are shown as one; ours are unique.
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, roots: &Roots, out: &mut dyn io::Write) -> io::Result<()> {
    let told = most_urgent_first(report);
    let findings = told.iter().map(|told| finding(report, roots, told));
    layout::write(&findings.collect::<Vec<_>>(), out)
}

fn finding(report: &Report, roots: &Roots, told: &Told<'_>) -> Finding {
    let address = address::anchor(report, roots, told);
    let mut description = told.notice.text().into_owned();
    if let Some(place) = &told.place {
        description = format!("{description} ({place})");
    }
    // First, since a list shows the start of it.
    if let Some(why) = told.notice.excepted() {
        description = format!("{why} | {description}");
    }
    Finding {
        description: GuestText::new(&description, MAX_TEXT).to_string(),
        check_name: told.notice.rule(),
        fingerprint: told.fingerprint.to_string(),
        severity: severity(told),
        location: Location {
            path: address.shown().to_string(),
            lines: Lines { begin: address.line.unwrap_or(1) },
        },
    }
}

/// Returns the severity in GitLab's words. What denies or blocks is never below
/// `critical`, so that it stands out from what does neither; what an exception covers
/// is `info`, however bad it would be.
fn severity(told: &Told<'_>) -> &'static str {
    let own = match told.notice.severity() {
        Severity::Info => "info",
        Severity::Low => "minor",
        Severity::Medium => "major",
        Severity::High => "critical",
        Severity::Critical => "blocker",
    };
    match told.notice.rank {
        Rank::Denies | Rank::Blocks if own != "blocker" => "critical",
        _ if told.notice.exception().is_some() => "info",
        Rank::Denies
        | Rank::Blocks
        | Rank::Warns
        | Rank::Advises
        | Rank::Waived
        | Rank::Informs => own,
    }
}
