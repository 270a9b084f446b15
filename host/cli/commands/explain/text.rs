//! Rules and findings for a person, and as a page of Markdown to be published.
//!
//! Leaves what is said to `page`, and help texts to `prose`.

use std::fmt::Write as _;

use modelhost::domain::text::GuestText;
use modelhost::report::reported::Reported;

use super::page::{self, Effect, Here, Page};
use super::prose::{code, escape, inert, plain, wrap};

/// How wide a terminal's text is.
const WIDTH: usize = 80;

/// Returns `page` for a person; `way` is the command that waives it, where there is one.
pub(super) fn page(page: &Page, way: Option<&str>) -> String {
    let described = &page.described;
    let from = match &page.plugin {
        Some(plugin) => format!("plugin {} {} ({})", plugin.id, plugin.version, plugin.origin),
        None => "one of the gate's own rules".to_owned(),
    };
    let mut out = format!(
        "{}: {}\n{} by default; {from}\n\n",
        described.id, described.title, described.severity
    );
    out.push_str(&plain(&described.help, WIDTH));
    out.push('\n');
    let here = here(page);
    for said in &here {
        out.push_str(&wrap(said, "here:  ", "       ", WIDTH));
    }
    match way {
        Some(way) => {
            let _ = writeln!(out, "waive: {way}");
            if !here.is_empty() {
                out.push_str(&wrap(WAIVED, "       ", "       ", WIDTH));
            }
        }
        None => out.push_str(&wrap(NEVER_WAIVED, "waive: ", "       ", WIDTH)),
    }
    out
}

const WAIVED: &str = "the fingerprint stands below each finding of a report; a waiver is bound to the file's bytes, and ends";
const NEVER_WAIVED: &str = "not possible: what the gate itself finds can't be waived";

/// Says what the policy makes of the rule, a sentence each.
fn here(page: &Page) -> Vec<String> {
    let (Some(here), Some(plugin)) = (&page.here, &page.plugin) else { return Vec::new() };
    let Here { severity, fail_on, .. } = here;
    let set = if here.is_set { ", as the policy makes it" } else { "" };
    let mut out = vec![match here.effect {
        Effect::Denies if severity >= fail_on => {
            format!("it denies: {severity}{set}, and `fail-on` is {fail_on}")
        }
        Effect::Denies => format!(
            "it denies although it is {severity}{set}: it says that something is missing, and {} is required",
            plugin.id
        ),
        Effect::Warns => {
            format!("it warns: {severity}{set}, below `fail-on`, which is {fail_on}")
        }
        Effect::Told if here.advisory => {
            format!("it never denies: {} only advises (`mode = \"advise\"`)", plugin.id)
        }
        Effect::Told => format!("it is shown and changes nothing: {severity}{set}"),
    }];
    if page.missing && here.effect == Effect::Warns {
        out.push(format!("where {} is required, it denies", plugin.id));
    }
    if here.required {
        out.push(format!(
            "{} is required: without its verdict on a model, the run is incomplete",
            plugin.id
        ));
    } else if !here.required_by.is_empty() {
        out.push(format!("{} is required by {}", plugin.id, list(&here.required_by)));
    }
    if !here.applies_to.is_empty() {
        let globs: Vec<String> =
            here.applies_to.iter().map(|glob| GuestText::capped(glob).to_string()).collect();
        out.push(format!("{} looks at these models alone: {}", plugin.id, list(&globs)));
    }
    for (model, until) in &here.waivers {
        out.push(format!("there is a waiver for {model}, until {until}"));
    }
    out
}

/// Names the first of `names`.
fn list(names: &[String]) -> String {
    const MOST: usize = 5;
    let mut out = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(out, " and {} more", names.len() - MOST);
    }
    out
}

/// Tells of one finding.
pub(super) fn finding(finding: &Reported) -> String {
    let mut out = format!("{}[{}]: {}\n", finding.severity, finding.code, finding.message);
    for (name, text) in facts(finding) {
        let _ = writeln!(out, "  {name:12}{text}");
    }
    out
}

/// Returns what is known of `finding`, each with its name.
fn facts(finding: &Reported) -> Vec<(&'static str, String)> {
    let mut out = vec![("model", finding.model.to_string())];
    out.extend(finding.file.as_ref().map(|file| ("file", file.to_string())));
    out.extend(finding.member.as_ref().map(|member| ("in", member.to_string())));
    out.extend(finding.line.map(|line| ("line", line.to_string())));
    out.extend(finding.offset.map(|offset| ("at byte", offset.to_string())));
    out.extend(finding.lock_line.map(|line| ("lock", format!("modelhost.lock:{line}"))));
    out.extend(finding.digest.map(|digest| ("digest", digest.to_string())));
    let waiver = finding.waiver.as_ref().map(|waiver| {
        format!("waived until {} by {}: {}", waiver.expires, waiver.owner, waiver.reason)
    });
    out.push(("state", waiver.unwrap_or_else(|| state(finding).replace('-', " "))));
    out.push(("fingerprint", finding.fingerprint.to_string()));
    out
}

/// Returns the word for what comes of `finding`.
pub(super) const fn state(finding: &Reported) -> &'static str {
    match () {
        () if finding.waiver.is_some() => "waived",
        () if finding.in_baseline => "in-the-baseline",
        () if finding.denies => "denies",
        () => "does-not-deny",
    }
}

/// Returns `page` as a section of Markdown.
pub(super) fn section(page: &Page, way: Option<&str>) -> String {
    let described = &page.described;
    let mut out = format!(
        "### {}: {}\n\n**Severity:** {} by default",
        escape(&described.id),
        escape(&described.title),
        described.severity
    );
    if page.missing {
        out.push_str("; says that something is missing, and denies where its plugin is required");
    }
    let _ = write!(out, "\n\n{}", inert(&described.help));
    let here: String =
        here(page).iter().map(|said| format!("- {}\n", inert(said).trim())).collect();
    if !here.is_empty() {
        let _ = write!(out, "\n**Under this policy:**\n\n{here}");
    }
    let way = match way {
        Some(way) => code(way),
        None => "not possible: what the gate itself finds can't be waived".to_owned(),
    };
    let _ = write!(out, "\n**To waive it:** {way}\n");
    out
}

/// Returns `finding` as a section of Markdown.
pub(super) fn finding_section(finding: &Reported) -> String {
    let mut out = format!(
        "## {} in {}\n\n{}\n\n",
        escape(&finding.code),
        code(finding.model.as_str()),
        escape(finding.message.as_str())
    );
    for (name, text) in facts(finding) {
        let _ = writeln!(out, "- {name}: {}", code(&text));
    }
    out
}

/// Returns a rule in a list of rules.
pub(super) fn row(page: &Page) -> String {
    let described = &page.described;
    let severity = page.here.as_ref().map_or(described.severity, |here| here.severity);
    let effect = page.here.as_ref().map_or("", |here| here.effect.name());
    format!("{:8}  {effect:6}  {}  {}\n", severity.name(), described.id, described.title)
}

/// Returns what a reference of `pages` begins with.
pub(super) fn reference(pages: &[Page]) -> String {
    let mut out = format!(
        "# Rules\n\nWritten by `modelhost explain --all --format markdown`, modelhost {}. \
         What the policy makes of each is that of the folder it was written in.\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut last = None;
    for page in pages {
        let id = page.plugin.as_ref().map_or("gate", |plugin| plugin.id.as_str());
        if last != Some(id) {
            let version =
                page.plugin.as_ref().map_or(String::new(), |plugin| format!(" {}", plugin.version));
            let _ = write!(out, "\n## {}{}\n", escape(id), escape(&version));
            last = Some(id);
        }
        let way = page.waive("FINGERPRINT", None);
        let _ = write!(out, "\n{}", section(page, way.as_deref()));
    }
    out
}

/// Returns the command that waives `finding`; none where it can't be.
pub(super) fn way(finding: &Reported, report: Option<&str>) -> Option<String> {
    let can = finding.rule.is_some() && finding.waiver.is_none();
    can.then(|| page::waive(&finding.fingerprint.to_string(), report))
}
