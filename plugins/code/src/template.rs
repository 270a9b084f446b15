//! Owns the findings about one template: what its ways out mean for whoever loads
//! it. Leaves the template's grammar to `jinja`.

use modelhost_check::{Confidence, Finding, Location, Severity};

use crate::jinja::{self, Escape, Kind};
use crate::rules;

/// How long a template may be, in bytes: ten times the longest known.
pub const MAX_TEMPLATE: usize = 1024 * 1024;
/// How many names of a kind a message lists.
const MAX_NAMED: usize = 6;

/// What a text is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Chats are written with it when the model is used.
    Chat,
    /// A template, but nothing here says that it is used.
    Some,
    /// A text that has a template's marks.
    Text,
}

/// Says whether a text may be a template at all.
#[must_use]
pub fn may_be(text: &str) -> bool {
    jinja::is_template(text)
}

/// Judges a template that stands at `place`.
#[must_use]
pub fn judge(text: &str, role: Role, place: &Location) -> Vec<Finding> {
    if text.len() > MAX_TEMPLATE {
        let message = format!(
            "a template of {} bytes is too long to be judged; at most {MAX_TEMPLATE} can be",
            text.len()
        );
        return vec![rules::NOT_READABLE.finding(place.clone(), message)];
    }
    if !jinja::is_template(text) {
        return Vec::new();
    }
    let reading = jinja::read(text);
    let mut findings = Vec::new();
    for kind in [Kind::Internals, Kind::Format, Kind::MadeUp, Kind::Other] {
        let of_kind = reading.escapes.iter().filter(|escape| escape.kind == kind);
        let escapes: Vec<&Escape> = of_kind.collect();
        findings.extend(finding(kind, &escapes, role, place));
    }
    if let Some(broken) = reading.broken.filter(|_| role != Role::Text) {
        let message = format!(
            "the template can't be read as Jinja from its line {} on ({}), so what it does can't be told",
            broken.line, broken.why
        );
        let severity = if role == Role::Chat { Severity::High } else { Severity::Low };
        let finding = rules::NOT_READABLE.finding(at(place, broken.line), message);
        findings.push(finding.severity(severity).confidence(Confidence::Medium));
    }
    findings
}

/// Points at a line of the template, where that is the whole file.
fn at(place: &Location, line: u32) -> Location {
    if place.member.is_none() {
        return place.clone().line(line);
    }
    place.clone()
}

fn finding(kind: Kind, escapes: &[&Escape], role: Role, place: &Location) -> Option<Finding> {
    let first = escapes.first()?;
    let mut named: Vec<&str> = Vec::new();
    for escape in escapes {
        if !named.contains(&escape.what.as_str()) {
            named.push(&escape.what);
        }
    }
    let more = named.len().saturating_sub(MAX_NAMED);
    let named: Vec<String> =
        named.iter().take(MAX_NAMED).map(|name| format!("`{}`", shown(name))).collect();
    let mut list = named.join(", ");
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    let line = first.line;
    let (severity, confidence, message) = match kind {
        Kind::Internals => (
            Severity::Critical,
            Confidence::High,
            format!(
                "the template reaches for Python's internals in line {line}: {list}; a loader that does not sandbox it runs whatever command it names"
            ),
        ),
        Kind::Format => (
            Severity::Critical,
            Confidence::High,
            format!(
                "the template uses `str.format` in line {line} to reach into objects past the sandbox: {list}"
            ),
        ),
        Kind::MadeUp => (
            Severity::High,
            Confidence::Medium,
            format!(
                "the template uses a name that only running it makes up, in line {line}: {}; that hides what is called, and chat templates need no such thing",
                plain(&named, more)
            ),
        ),
        Kind::Other if role == Role::Chat => (
            Severity::High,
            Confidence::Medium,
            format!(
                "the template takes in another one in line {line} ({list}), which a chat template has no place to take from"
            ),
        ),
        Kind::Other => return None,
    };
    let finding = rules::TEMPLATE_ESCAPE.finding(at(place, line), message);
    Some(finding.severity(severity).confidence(confidence))
}

/// Lists what is described in words.
fn plain(named: &[String], more: usize) -> String {
    let mut list = named.iter().map(|name| name.trim_matches('`')).collect::<Vec<_>>().join("; ");
    if more > 0 {
        list.push_str(&format!("; and {more} more"));
    }
    list
}

/// Shows a name of which parts are not known.
fn shown(name: &str) -> String {
    name.replace(jinja::UNKNOWN, "…")
}
