//! The format `junit`: a test report, which every CI system shows. A suite for
//! each model, in it a case for each plugin and one for the gate itself; and a
//! suite of one case for the decision.
//!
//! What denies is a failure, what could not be judged an error; all else passes,
//! and is told in the suite's `system-out`. There is no one definition of the
//! format: this holds to what both the schema of Ant's reports (Windy Road) and
//! that of Jenkins take. Ant's knows no `skipped`, so what is waived passes, with who
//! waives it, until when and why in `system-out`, and in the suite's properties, which
//! more readers show. No times: they do not repeat.
//!
//! Leaves what is told to `notice`, and escaping to the library.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::escape::escape;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::notice::{Label, Rank, Told, most_urgent_first};
use super::summary::Summary;
use crate::domain::decision::Decision;
use crate::domain::model::ModelName;
use crate::domain::moment;
use crate::domain::plugin::PluginId;
use crate::domain::report::{Ending, ModelReport, Report};
use crate::domain::text::GuestText;
use crate::domain::waiver::{Waiver, WaiverReport};

/// The most findings told in one case: a page of a CI system shows it whole.
const MAX_FINDINGS: usize = 1_000;

/// The latest moment with a year of four digits, which the schemas ask for.
const LATEST: u64 = 253_402_300_799;

/// One case of a suite.
struct Case<'a> {
    name: String,
    class: String,
    /// The way it did not pass, and what is told of that, most urgent first.
    wrong: Option<(Wrong, Vec<String>)>,
    /// The word behind it: a rule, or the decision.
    kind: String,
    /// What is told besides.
    rest: Vec<&'a Told<'a>>,
}

/// A way of not passing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Failure,
    Error,
}

impl Wrong {
    const fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let told = most_urgent_first(report);
    let mut of: BTreeMap<(&ModelName, Option<&PluginId>), Vec<&Told<'_>>> = BTreeMap::new();
    for told in &told {
        if let Some(model) = told.model() {
            of.entry((&model.name, told.plugin)).or_default().push(told);
        }
    }
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.write_event(Event::Start(BytesStart::new("testsuites")))?;
    write_run(report, &told, &mut xml)?;
    for (index, model) in report.models.iter().enumerate() {
        let mut told_of = |plugin| of.remove(&(&model.name, plugin)).unwrap_or_default();
        let mut cases = vec![case(model, "gate", told_of(None))];
        let mut plugins: Vec<&PluginId> =
            report.tasks_of(&model.name).iter().map(|task| &task.plugin).collect();
        plugins.dedup();
        for plugin in plugins {
            cases.push(case(model, plugin.as_str(), told_of(Some(plugin))));
        }
        let id = index.saturating_add(1);
        write_suite(
            report,
            model.name.as_str(),
            id,
            &properties(report, model),
            &cases,
            &skipped(report, model),
            &mut xml,
        )?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    xml.get_mut().write_all(b"\n")
}

/// Writes the suite of the run as a whole: its decision, whatever it rests on.
fn write_run<W: Write>(report: &Report, told: &[Told<'_>], xml: &mut Writer<W>) -> io::Result<()> {
    let words = Summary::of(report).words(report);
    let mut lines = vec![format!("{}: {words}", report.decision.name())];
    lines.extend(told.iter().filter(|told| told.place.is_none()).map(line));
    let wrong = match report.decision {
        Decision::Allow => None,
        Decision::Incomplete => Some((Wrong::Error, lines)),
        Decision::Deny => Some((Wrong::Failure, lines)),
    };
    let case = Case {
        name: "decision".to_owned(),
        class: "modelhost".to_owned(),
        wrong,
        kind: report.decision.name().to_owned(),
        rest: Vec::new(),
    };
    let version = ("modelhost".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    write_suite(report, "modelhost", 0, &[version], &[case], &[], xml)
}

fn case<'a>(model: &ModelReport, name: &str, told: Vec<&'a Told<'a>>) -> Case<'a> {
    let (wrong, rest): (Vec<&Told<'_>>, Vec<&Told<'_>>) =
        told.into_iter().partition(|told| match told.notice.rank {
            Rank::Denies | Rank::Blocks => true,
            Rank::Warns | Rank::Advises | Rank::Waived | Rank::Informs => false,
        });
    let kind = wrong.first().map(|told| told.notice.rule()).unwrap_or_default();
    // Most urgent first: where one denies, the first does.
    let way = wrong.first().map(|told| match told.notice.rank {
        Rank::Denies => Wrong::Failure,
        Rank::Blocks | Rank::Warns | Rank::Advises | Rank::Waived | Rank::Informs => Wrong::Error,
    });
    Case {
        name: name.to_owned(),
        class: model.name.to_string(),
        wrong: way.map(|way| (way, lines(&wrong))),
        kind,
        rest,
    }
}

/// Returns what says what the model is. At least one: the schemas ask for it.
fn properties(report: &Report, model: &ModelReport) -> Vec<(String, String)> {
    let mut properties = vec![("path".to_owned(), model.path.clone())];
    let definition = model.definition.as_ref();
    let rows = [
        ("tree", model.tree.map(|tree| tree.to_string())),
        ("source", definition.and_then(|definition| definition.source.clone())),
        ("revision", definition.and_then(|definition| definition.revision.clone())),
        ("license", definition.and_then(|definition| definition.license.clone())),
    ];
    properties.extend(rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let waivers = report.waivers.iter().filter(|waiver| waiver.waiver.model == model.name);
    properties.extend(waivers.map(|WaiverReport { waiver, state, covers }| {
        let Waiver { rule, owner, expires, reason, .. } = &**waiver;
        let state = state.name();
        let text =
            format!("{state}: {rule}, covers {covers}, by {owner} until {expires}: {reason}");
        ("waiver".to_owned(), text)
    }));
    properties
}

/// Returns which plugins had no say on `model`, and why.
fn skipped(report: &Report, model: &ModelReport) -> Vec<String> {
    let tasks = report.tasks_of(&model.name).iter().filter(|task| task.file.is_none());
    tasks
        .filter_map(|task| match &task.ending {
            Ending::NotApplicable(reason) => {
                Some(format!("{}: not applicable: {reason}", task.plugin))
            }
            Ending::Checked(_) | Ending::Refused(_) | Ending::Failed(_) => None,
        })
        .collect()
}

fn lines(told: &[&Told<'_>]) -> Vec<String> {
    let mut lines: Vec<String> = told.iter().take(MAX_FINDINGS).copied().map(line).collect();
    if told.len() > MAX_FINDINGS {
        lines.push(format!("and {} more: see -o json", told.len() - MAX_FINDINGS));
    }
    lines
}

fn line(told: &Told<'_>) -> String {
    let notice = &told.notice;
    let label = match notice.label {
        Label::Error => "error",
        Label::Severity(severity) => severity.name(),
    };
    let mut line = format!("{label}[{}]: {}", notice.code, notice.text());
    if let Some(place) = &told.place {
        line.push_str(&format!(" --> {place}"));
    }
    for note in notice.notes() {
        line.push_str(&format!(" = note: {note}"));
    }
    if let Some(help) = notice.help() {
        line.push_str(&format!(" = help: {help}"));
    }
    line
}

fn write_suite<W: Write>(
    report: &Report,
    name: &str,
    id: usize,
    properties: &[(String, String)],
    cases: &[Case<'_>],
    skipped: &[String],
    xml: &mut Writer<W>,
) -> io::Result<()> {
    let count = |way| {
        let is = |case: &&Case<'_>| case.wrong.as_ref().is_some_and(|(wrong, _)| *wrong == way);
        cases.iter().filter(is).count().to_string()
    };
    let moment = moment::rfc3339(report.now.min(LATEST));
    let suite = element(
        "testsuite",
        &[
            ("name", named(name)),
            ("id", &id.to_string()),
            ("package", "modelhost"),
            ("timestamp", moment.trim_end_matches('Z')),
            ("hostname", "modelhost"),
            ("tests", &cases.len().to_string()),
            ("failures", &count(Wrong::Failure)),
            ("errors", &count(Wrong::Error)),
            ("time", "0"),
        ],
    );
    xml.write_event(Event::Start(suite))?;
    xml.write_event(Event::Start(BytesStart::new("properties")))?;
    for (name, value) in properties {
        let property = element("property", &[("name", name), ("value", value)]);
        xml.write_event(Event::Empty(property))?;
    }
    xml.write_event(Event::End(BytesEnd::new("properties")))?;
    for case in cases {
        let class = named(&case.class);
        let start =
            element("testcase", &[("name", &case.name), ("classname", class), ("time", "0")]);
        match &case.wrong {
            None => xml.write_event(Event::Empty(start))?,
            Some((wrong, lines)) => {
                xml.write_event(Event::Start(start))?;
                let message = lines.first().map_or("", String::as_str);
                let attributes = [("message", message), ("type", case.kind.as_str())];
                write_text(element(wrong.name(), &attributes), &lines.join("\n"), xml)?;
                xml.write_event(Event::End(BytesEnd::new("testcase")))?;
            }
        }
    }
    let rest: Vec<&Told<'_>> = cases.iter().flat_map(|case| &case.rest).copied().collect();
    let mut out = lines(&rest);
    out.extend_from_slice(skipped);
    write_text(BytesStart::new("system-out"), &out.join("\n"), xml)?;
    xml.write_event(Event::Empty(BytesStart::new("system-err")))?;
    xml.write_event(Event::End(BytesEnd::new("testsuite")))
}

/// Returns the name of a model, or a word for one that has none: the schemas ask for
/// more than spaces.
fn named(name: &str) -> &str {
    if name.trim().is_empty() { "model" } else { name }
}

/// Returns the start of an element; its attributes are made inert here.
fn element<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut element = BytesStart::new(name);
    for (name, value) in attributes {
        let value = legal(GuestText::capped(value).as_str());
        element.push_attribute((*name, value.as_str()));
    }
    element
}

fn write_text<W: Write>(start: BytesStart<'_>, text: &str, xml: &mut Writer<W>) -> io::Result<()> {
    let end = start.to_end().into_owned();
    xml.write_event(Event::Start(start))?;
    let text = legal(text);
    xml.write_event(Event::Text(BytesText::from_escaped(escape(text.as_str()))))?;
    xml.write_event(Event::End(end))
}

/// Replaces what XML 1.0 has no place for: texts hold no control characters, but
/// they may hold these two.
fn legal(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
