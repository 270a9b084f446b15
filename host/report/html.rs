//! The format `html`: one page for people who were not there: what the gate says
//! and why, the models with their digests and licenses, every finding, what each
//! plugin looked at, and what all of it rests on.
//!
//! Leaves its sections to `section`, and escaping to the template library.
//!
//! # Invariants
//! - The page is one file that loads nothing: its policy (CSP) allows the style and
//!   the script in it, by their digests, and nothing else.
//! - Text from outside is text: it stands between tags or in quoted attributes,
//!   escaped by the library, and makes no link.
//! - It says the same without the script, which only filters.

mod section;
mod waivers;

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::format::ModelHistory;
use super::notice::most_urgent_first;
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::moment;
use crate::domain::report::Report;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/filter.js");

/// Writes `report` to `out`, with how its models' pins changed.
pub(super) fn write(
    report: &Report,
    history: &[ModelHistory],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    out.write_all(page(report, history).into_string().as_bytes())
}

fn page(report: &Report, history: &[ModelHistory]) -> Markup {
    let told = most_urgent_first(report);
    let (word, meaning) = words(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "modelhost: " (word) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    h1 { "modelhost report" }
                    p { "Judged at " (moment(report)) ", by modelhost " (env!("CARGO_PKG_VERSION")) }
                    div class={ "decision " (report.decision.name()) } {
                        strong { (word) }
                        p { (meaning) }
                        @if let Some(exceptions) = waivers::in_short(report) { p { (exceptions) } }
                    }
                    (section::tiles(report))
                    nav aria-label="Sections" {
                        a href="#findings" { "Findings" }
                        @if waivers::has_some(report) { a href="#waivers" { "Waivers" } }
                        a href="#models" { "Models" }
                        a href="#coverage" { "Coverage" }
                        @if !history.is_empty() { a href="#history" { "History" } }
                        a href="#inputs" { "What this rests on" }
                    }
                }
                main {
                    (section::findings(report, &told))
                    (waivers::section(report))
                    (section::models(report, &told))
                    (section::coverage(report))
                    (section::history(history))
                    (section::inputs(report))
                }
                footer {
                    p {
                        "The same models, policy, date and history give the same page. This is a rendering for people; "
                        "programs read " code { "-o json" } "."
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

const fn words(report: &Report) -> (&'static str, &'static str) {
    match report.decision {
        Decision::Incomplete if !report.not_run.is_empty() => (
            "Incomplete",
            "Nothing ran, so nothing is let through. The findings say what kept the run from starting.",
        ),
        Decision::Allow => (
            "Allow",
            "Every file was judged, every required check gave its verdict, and nothing found is severe enough to deny.",
        ),
        Decision::Incomplete => (
            "Incomplete",
            "Something could not be judged, so nothing is let through. Nothing that was judged denies.",
        ),
        Decision::Deny => (
            "Deny",
            "At least one finding is severe enough, under the policy, that these models may not be used.",
        ),
    }
}

fn moment(report: &Report) -> String {
    moment::rfc3339(report.now).replace('T', " ").replace('Z', " UTC")
}

/// Returns the page's policy: nothing but what stands in it.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Digest::of(text.as_bytes()).as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
