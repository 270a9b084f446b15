//! The format `sarif`: SARIF 2.1.0 (OASIS), for code scanning.
//!
//! Every finding is located at a line of text, since binary files have none: of
//! the lock file, of the definition, or at the model itself, whose file and
//! offset are a related location. What could not be judged is a finding here, and
//! a notification of the invocation besides, so that no reader takes it for
//! clean.
//!
//! What is waived, or in the baseline, is no result: GitHub reads no `suppressions`
//! (that is SARIF's word), and would show it as an open alert as severe as its rule.
//! It is told in notifications, which readers keep with the run, and by count and name
//! in the run's properties.
//!
//! Leaves the shape of the document to `shape`, and where a finding is to
//! `address`.
//!
//! # Invariants
//! - What GitHub takes (docs.github.com, "SARIF support for code scanning") is
//!   never exceeded: the most urgent findings stay, and one more says how many
//!   are left out.
//! - Texts from outside hold no link: brackets are escaped as SARIF's 3.11.6 says.

mod shape;

use std::collections::HashMap;
use std::io;

use serde::Serialize;

use self::shape::{
    Configuration, FileLocation, Finding, Fingerprints, Invocation, Level, Location, Log,
    LogicalLocation, Message, Notification, PhysicalLocation, Plugin, PluginProperties, Reference,
    Region, Rule, RuleProperties, Run, RunProperties, Text, Tool,
};
use super::address::{self, Address};
use super::format::Roots;
use super::json::layout;
use super::notice::{Rank, Told, most_urgent_first};
use super::rules::{Described, Rules, of_gate};
use super::summary::Summary;
use crate::domain::decision::Decision;
use crate::domain::finding::{Fingerprint, Severity};
use crate::domain::moment;
use crate::domain::report::{PluginReport, Report};
use crate::domain::text::GuestText;
use crate::domain::waiver::Exception;

/// The most findings: GitHub takes 25,000 of a run and shows 5,000 of them,
/// which ones it does not say.
const MAX_FINDINGS: usize = 5_000;

/// The most bytes of findings and rules. GitHub takes 10 MB, compressed; what is
/// less uncompressed is less for sure.
const MAX_BYTES: usize = 8 << 20;

/// The most bytes of one text: GitHub's most for a rule's full description.
const MAX_TEXT: usize = 1024;

/// The most notifications: each is a finding, too.
const MAX_NOTIFICATIONS: usize = 100;

/// The most plugins named: GitHub's most for extensions of a tool.
const MAX_PLUGINS: usize = 100;

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, roots: &Roots, out: &mut dyn io::Write) -> io::Result<()> {
    layout::write(&document(report, roots), out)
}

fn document(report: &Report, roots: &Roots) -> Log {
    let (excepted, told): (Vec<_>, Vec<_>) =
        most_urgent_first(report).into_iter().partition(|told| told.notice.exception().is_some());
    let rules = Rules::of(report);
    let most = if told.len() > MAX_FINDINGS { MAX_FINDINGS - 1 } else { told.len() };
    let mut content = Content::default();
    let taken = told
        .iter()
        .take(most)
        .take_while(|told| content.add(finding(report, roots, told), &rules.describe(&told.notice)))
        .count();
    if let Some(first) = told.get(taken) {
        content.say_cut(told.len() - taken, &address::anchor(report, roots, first));
    }
    Log::new(Run {
        tool: Tool { driver: driver(content.rules), extensions: plugins(report) },
        invocations: [invocation(report, &told, &excepted)],
        results: content.findings,
        column_kind: "unicodeCodePoints",
        properties: RunProperties {
            decision: report.decision.name(),
            summary: Summary::of(report).words(report),
            waived: excepted.iter().filter_map(waived).take(MAX_NOTIFICATIONS).collect(),
        },
    })
}

/// The findings and their rules, as far as there is room.
#[derive(Default)]
struct Content {
    findings: Vec<Finding>,
    rules: Vec<Rule>,
    known: HashMap<String, usize>,
    bytes: usize,
}

impl Content {
    /// Adds `finding`, whose rule is `described`; returns whether there was room.
    fn add(&mut self, mut finding: Finding, described: &Described) -> bool {
        let index = self.known.get(&described.id).copied();
        let new = index.is_none().then(|| rule(described));
        finding.rule_index = index.unwrap_or(self.rules.len());
        let bytes = size(&finding) + new.as_ref().map_or(0, size);
        if self.bytes + bytes > MAX_BYTES {
            return false;
        }
        self.bytes += bytes;
        if let Some(rule) = new {
            self.known.insert(rule.id.clone(), self.rules.len());
            self.rules.push(rule);
        }
        self.findings.push(finding);
        true
    }

    /// Says that `left_out` findings are left out, at the place of the first.
    fn say_cut(&mut self, left_out: usize, address: &Address) {
        let Some(described) = of_gate("gate/cut") else { return };
        self.findings.push(Finding {
            rule_id: described.id.clone(),
            rule_index: self.rules.len(),
            level: Level::Warning,
            message: text(&format!(
                "{left_out} more findings are left out here, the least urgent: code scanning takes no more. `-o json` and `-o html` tell of them"
            )),
            locations: [at(address)],
            related_locations: Vec::new(),
            partial_fingerprints: fingerprints(Fingerprint::of(&[&described.id])),
            properties: shape::FindingProperties::default(),
        });
        self.rules.push(rule(&described));
    }
}

/// Returns how many bytes `value` is written in, roughly: without line ends.
fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX >> 1, |bytes| bytes.len())
}

fn finding(report: &Report, roots: &Roots, told: &Told<'_>) -> Finding {
    let notice = &told.notice;
    let mut message = cut(&notice.text());
    for note in notice.notes() {
        message.push_str("\nNote: ");
        message.push_str(&cut(&note));
    }
    if let Some(help) = notice.help() {
        message.push_str("\nHelp: ");
        message.push_str(&cut(help.as_str()));
    }
    Finding {
        rule_id: notice.rule(),
        rule_index: 0,
        level: level(notice.rank),
        message: text(&message),
        locations: [at(&address::anchor(report, roots, told))],
        related_locations: related(roots, told).into_iter().collect(),
        partial_fingerprints: fingerprints(told.fingerprint),
        properties: shape::FindingProperties {
            severity: Some(notice.severity().name()),
            confidence: Some(notice.confidence().name()),
            denies: notice.rank == Rank::Denies,
            blocks: notice.rank == Rank::Blocks,
            model: told.model().map(|model| model.name.to_string()),
            plugin: told.plugin.map(ToString::to_string),
            offset: told.place.and_then(|place| place.offset()),
        },
    }
}

const fn level(rank: Rank) -> Level {
    match rank {
        Rank::Denies | Rank::Blocks => Level::Error,
        Rank::Warns | Rank::Advises => Level::Warning,
        Rank::Waived | Rank::Informs => Level::Note,
    }
}

fn fingerprints(fingerprint: Fingerprint) -> Fingerprints {
    // GitHub reads this key alone, whatever it is computed from.
    Fingerprints { primary_location_line_hash: fingerprint.to_string() }
}

/// Returns the location of a line. Which columns of it is not known: the first.
fn at(address: &Address) -> Location {
    let line = address.line.unwrap_or(1);
    Location {
        id: None,
        physical_location: PhysicalLocation {
            file: FileLocation { uri: address.uri() },
            region: Some(Region::line(line)),
        },
        logical_locations: Vec::new(),
        message: None,
    }
}

/// Returns where in the model it is.
fn related(roots: &Roots, told: &Told<'_>) -> Option<Location> {
    let place = told.place.as_ref()?;
    let itself = address::itself(roots, place);
    let member = place.member().filter(|member| !member.as_str().is_empty());
    let member = member.map(|member| LogicalLocation { name: cut(member.as_str()) });
    Some(Location {
        id: Some(1),
        physical_location: PhysicalLocation {
            file: FileLocation { uri: itself.uri() },
            region: itself.line.map(Region::line).or(place.offset().and_then(Region::byte)),
        },
        logical_locations: member.into_iter().collect(),
        message: Some(text(&cut(&place.to_string()))),
    })
}

/// Returns what a waiver lets pass, in words for people and apart for programs.
fn waived(told: &Told<'_>) -> Option<shape::Waived> {
    let Exception::Waived(waiver) = told.notice.exception()? else { return None };
    Some(shape::Waived {
        rule_id: told.notice.rule(),
        fingerprint: told.fingerprint.to_string(),
        place: told.place.map(|place| cut(&place.to_string())),
        severity: told.notice.severity().name(),
        owner: cut(&waiver.owner),
        expires: waiver.expires.to_string(),
        reason: cut(&waiver.reason),
    })
}

/// Returns what says of each finding that is waived who lets it pass, and how many
/// are in the baseline: none of these is a result.
fn exceptions(excepted: &[Told<'_>]) -> Vec<Notification> {
    let is_waived = |told: &&Told<'_>| matches!(told.notice.rank, Rank::Waived);
    let waived: Vec<_> = excepted.iter().filter(is_waived).collect();
    let note = |message: &str, id: String| Notification {
        level: Level::Note,
        message: text(message),
        descriptor: Reference { id },
    };
    let mut notes: Vec<_> = waived
        .iter()
        .take(MAX_NOTIFICATIONS)
        .map(|told| {
            let place = told.place.map(|place| format!(" --> {place}")).unwrap_or_default();
            let why = told.notice.excepted().unwrap_or_default();
            let message = format!("{} | {}{}", cut(&why), cut(&told.notice.text()), cut(&place));
            note(&message, told.notice.rule())
        })
        .collect();
    let more = waived.len().saturating_sub(MAX_NOTIFICATIONS);
    if more > 0 {
        let message = format!("{more} more findings are waived: `-o json` tells of them");
        notes.push(note(&message, "gate/cut".to_owned()));
    }
    let baseline = excepted.len() - waived.len();
    if baseline > 0 {
        let message = format!(
            "findings that are in the baseline, and so no results here: {baseline}. `-o json` tells of them"
        );
        notes.push(note(&message, "gate/cut".to_owned()));
    }
    notes
}

/// Returns what says how the run went: that something was not judged, and what; and
/// what would be a result but for an exception.
fn invocation(report: &Report, told: &[Told<'_>], excepted: &[Told<'_>]) -> Invocation {
    let blocks = || told.iter().filter(|told| told.notice.rank == Rank::Blocks);
    let mut notifications: Vec<Notification> = blocks()
        .take(MAX_NOTIFICATIONS)
        .map(|told| {
            let place = told.place.map(|place| format!("{place}: ")).unwrap_or_default();
            let message = format!("{}{}", cut(&place), cut(&told.notice.text()));
            Notification {
                level: Level::Error,
                message: text(&message),
                descriptor: Reference { id: told.notice.code.to_string() },
            }
        })
        .collect();
    let more = blocks().count().saturating_sub(MAX_NOTIFICATIONS);
    if more > 0 {
        notifications.push(Notification {
            level: Level::Error,
            message: text(&format!("{more} more could not be judged")),
            descriptor: Reference { id: "gate/cut".to_owned() },
        });
    }
    notifications.extend(exceptions(excepted));
    let is_incomplete = report.reasons.iter().any(|reason| reason.decision == Decision::Incomplete);
    Invocation {
        execution_successful: !is_incomplete,
        end_time_utc: moment::rfc3339(report.now),
        tool_execution_notifications: notifications,
    }
}

fn driver(rules: Vec<Rule>) -> shape::Driver {
    shape::Driver {
        name: "modelhost",
        full_name: concat!("modelhost ", env!("CARGO_PKG_VERSION")),
        version: env!("CARGO_PKG_VERSION"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        // Validators ask for it (SARIF2005). It is the address that the package names;
        // while it names none, none is made up.
        information_uri: Some(env!("CARGO_PKG_HOMEPAGE")).filter(|uri| !uri.is_empty()),
        rules,
    }
}

fn plugins(report: &Report) -> Vec<Plugin> {
    let plugin = |plugin: &PluginReport| {
        let manifest = &plugin.plugin.manifest;
        let title = cut(&manifest.title);
        Plugin {
            name: manifest.id.to_string(),
            full_name: if title.is_empty() { manifest.id.to_string() } else { title },
            version: manifest.version.to_string(),
            semantic_version: manifest.version.to_string(),
            properties: PluginProperties {
                digest: plugin.plugin.digest.to_string(),
                advisory: plugin.advisory,
            },
        }
    };
    report.plugins.iter().take(MAX_PLUGINS).map(plugin).collect()
}

fn rule(described: &Described) -> Rule {
    let lines: Vec<&str> = described.help.lines().map(str::trim).collect();
    Rule {
        id: described.id.clone(),
        short_description: Text { text: described.title.clone() },
        full_description: Text { text: cut(lines.join(" ").trim()) },
        help: shape::Markdown { text: described.help.clone(), markdown: described.help.clone() },
        default_configuration: Configuration {
            level: match described.severity {
                Severity::Critical | Severity::High => Level::Error,
                Severity::Medium | Severity::Low => Level::Warning,
                Severity::Info => Level::Note,
            },
        },
        properties: RuleProperties {
            tags: ["security"],
            security_severity: match described.severity {
                Severity::Critical => Some("9.5"),
                Severity::High => Some("8.0"),
                Severity::Medium => Some("5.5"),
                Severity::Low => Some("2.0"),
                Severity::Info => None,
            },
        },
    }
}

/// Makes `text` inert, and cuts it to what a reader wants to see in a list.
fn cut(text: &str) -> String {
    GuestText::new(text, MAX_TEXT).to_string()
}

/// Returns `text` as a message: without links, and never empty.
fn text(text: &str) -> Message {
    if text.is_empty() {
        return Message { text: "(no message)".to_owned() };
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    Message { text: escaped }
}
