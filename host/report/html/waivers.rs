//! Who lets what pass, until when and why: the waivers of the policy, and the baseline.
//!
//! Leaves the findings themselves to `section`.

use maud::{Markup, html};

use crate::domain::report::Report;
use crate::domain::waiver::{WaiverReport, WaiverState};
use crate::report::summary::{Summary, count};

/// Returns the section; nothing where there are none.
pub(super) fn section(report: &Report) -> Markup {
    let baseline = report.baseline;
    if !has_some(report) {
        return html! {};
    }
    // What a reader should act on stands first.
    let mut waivers: Vec<&WaiverReport> = report.waivers.iter().collect();
    waivers.sort_by_key(|waiver| (order(waiver.state), waiver.waiver.expires));
    html! {
        section {
            h2 #waivers { "Waivers " small { (count(waivers.len())) } }
            @if !waivers.is_empty() {
                p.note { "What somebody lets pass for a time, on the bytes they looked at. After its last day a waiver covers nothing." }
                div.scroll {
                    table {
                        thead { tr {
                            th { "State" } th { "Until" } th { "Owner" } th { "Reason" } th { "What" } th.number { "Findings" }
                        } }
                        tbody { @for waiver in waivers { (row(waiver)) } }
                    }
                }
            }
            @if baseline.entries > 0 {
                p.note {
                    "The baseline, of findings that were there when the gate was set up, covers " (count(baseline.covers))
                    " of " (count(baseline.entries)) " that it names"
                    @if baseline.gone > 0 { "; " (count(baseline.gone)) " are gone, or on other bytes" }
                    "."
                }
            }
        }
    }
}

/// Returns how many findings exceptions cover, which stands with the decision: it says
/// that nothing denies. None where they cover none.
pub(super) fn in_short(report: &Report) -> Option<String> {
    let Summary { waived, in_baseline, .. } = Summary::of(report);
    let part = |number, what: &str| (number > 0).then(|| format!("{} {what}", count(number)));
    let parts = [part(waived, "waived"), part(in_baseline, "in the baseline")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty())
        .then(|| format!("Not counted: findings that are let pass, {}.", parts.join(", ")))
}

/// Whether there is anything to show.
pub(super) fn has_some(report: &Report) -> bool {
    !report.waivers.is_empty() || report.baseline.entries > 0
}

fn row(report: &WaiverReport) -> Markup {
    let WaiverReport { waiver, state, covers } = report;
    let covers_nothing = *covers == 0;
    html! {
        tr {
            td.error[covers_nothing] { (word(*state)) }
            td.day { (waiver.expires) }
            td { (waiver.owner) }
            td { (waiver.reason) }
            td {
                code { (waiver.rule) } " in " (waiver.model)
                @if let Some(file) = &waiver.file { ", " code { (file) } }
                " (modelhost.toml:" (waiver.line) ")"
            }
            td.number { (count(*covers)) }
        }
    }
}

/// Returns the state in words for people.
const fn word(state: WaiverState) -> &'static str {
    match state {
        WaiverState::InUse => "in use",
        WaiverState::Expiring => "ends soon",
        WaiverState::Expired => "over: covers nothing",
        WaiverState::Early => "not begun: covers nothing",
        WaiverState::Stale => "other bytes: covers nothing",
        WaiverState::Unused => "unused: the finding is gone",
        WaiverState::NotTold => "not looked at in this run",
    }
}

/// Returns where a state stands: what ends first, then what is in use, then the rest.
const fn order(state: WaiverState) -> u8 {
    match state {
        WaiverState::Expired | WaiverState::Early | WaiverState::Stale => 0,
        WaiverState::Expiring => 1,
        WaiverState::InUse => 2,
        WaiverState::Unused => 3,
        WaiverState::NotTold => 4,
    }
}
