//! `modelhost audit show`: the records of a log, for a person or a program.
//!
//! Leaves reading them to the library.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use modelhost::domain::digest::Digest;
use modelhost::domain::moment;
use modelhost::domain::text::GuestText;
use modelhost::record::audit::fields::Text;
use modelhost::record::audit::record::{Change, Decision, Entry, Pin, Record, Subject, Word};
use modelhost::record::audit::select::Filter;
use modelhost::record::audit::{Kind, Line, read};

use super::shown;
use crate::args::timestamp;
use crate::context;
use crate::exit::Exit;
use crate::say;

/// How many names of one record are shown to a person.
const NAMES: usize = 4;

/// Show what an audit log holds.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  modelhost audit show                                   all of it
  modelhost audit show --model sentiment --since 2026-11-01
  modelhost audit show --decision deny --json runs/*.jsonl

Shows up to the first record that is broken, and then exits with 1.
Exit codes: 0 shown, 1 a log is broken, 2 a log that can't be read.")]
pub(crate) struct ShowArgs {
    /// Logs. Without any: the one that modelhost.toml names, or else
    /// modelhost-audit.jsonl.
    #[arg(value_name = "LOG")]
    logs: Vec<PathBuf>,

    /// Only what is about this model.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// Only what was recorded then or later: a time, or a date for its first moment.
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    since: Option<u64>,

    /// Only what was recorded before.
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    until: Option<u64>,

    /// Only decisions that say this: of the model where one is named, or else of the
    /// run.
    #[arg(long, value_name = "DECISION")]
    decision: Option<DecisionName>,

    /// Only records of this kind.
    #[arg(long, value_name = "KIND")]
    kind: Option<KindName>,

    /// Only what somebody did in whose name this stands.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,

    /// Print the records as they stand in the log, a line of JSON each.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DecisionName {
    Allow,
    Incomplete,
    Deny,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindName {
    Start,
    Decision,
    Pin,
    Recovered,
}

impl ShowArgs {
    fn filter(&self) -> Filter {
        Filter {
            model: self.model.clone(),
            since: self.since,
            until: self.until,
            decision: self.decision.map(|name| match name {
                DecisionName::Allow => Word::Allow,
                DecisionName::Incomplete => Word::Incomplete,
                DecisionName::Deny => Word::Deny,
            }),
            kind: self.kind.map(|name| match name {
                KindName::Start => Kind::Start,
                KindName::Decision => Kind::Decision,
                KindName::Pin => Kind::Pin,
                KindName::Recovered => Kind::Recovered,
            }),
            actor: self.actor.clone(),
        }
    }
}

pub(crate) fn run(args: &ShowArgs) -> anyhow::Result<Exit> {
    let logs = super::logs(&args.logs)?;
    let filter = args.filter();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    let mut exit = Exit::Allow;
    for path in &logs {
        let mut each = |line: &Line<'_>, _| {
            if written.is_ok() && filter.takes(&line.record) {
                written = if args.json {
                    writeln!(out, "{}", inert(line.bytes))
                } else {
                    writeln!(out, "{}", for_person(&line.record))
                };
            }
        };
        let walked = read(path, context::processors(), &mut each);
        match walked.map(|walked| walked.broken) {
            Ok(None) => {}
            Ok(Some(broken)) => {
                say::line(&format!("{}:{}: broken: {broken}", shown(path), broken.line));
                exit = exit.max(Exit::Deny);
            }
            Err(error) => {
                say::line(&format!("error: can't read {}: {error}", shown(path)));
                exit = exit.max(Exit::Usage);
            }
        }
    }
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(exit),
        // A reader that went away needs no more of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Fault),
        Err(error) => Err(error.into()),
    }
}

/// Returns a record as one line for a person.
fn for_person(record: &Record<'_>) -> String {
    let what = match &record.entry {
        Entry::Start(start) => match &start.continues {
            Some(digest) => format!("continues the log that ends in {}", short(digest.0)),
            None => "begins".to_owned(),
        },
        Entry::Decision(decision) => of_decision(decision),
        Entry::Pin(pin) => of_pin(pin),
        Entry::Recovered(recovered) => {
            format!("{} bytes before it are no record", recovered.length)
        }
    };
    let mut line = format!(
        "{}  {:>5}  {:<9}  {what}",
        moment::rfc3339(record.time.0),
        record.sequence,
        record.entry.kind().name()
    );
    if let Some(actor) = &record.actor {
        line.push_str(&format!("  by {}", actor.shown()));
    }
    if let Some(commit) = &record.commit {
        line.push_str(&format!("  on {}", short_name(&commit.shown())));
    }
    if record.clock_backwards.is_some() {
        line.push_str("  (clock-backwards)");
    }
    line
}

fn of_decision(decision: &Decision<'_>) -> String {
    let mut text = word(decision.decision).to_owned();
    let models = &decision.models;
    for (index, model) in models.iter().take(NAMES).enumerate() {
        text.push_str(if index == 0 { ": " } else { ", " });
        text.push_str(model.name.shown().as_str());
        if model.decision != decision.decision {
            text.push_str(&format!(" ({})", word(model.decision)));
        }
        if let Some(tree) = &model.tree {
            text.push_str(&format!(" {}", short(tree.0)));
        }
    }
    if models.len() > NAMES {
        text.push_str(&format!(" and {} more", models.len() - NAMES));
    }
    for waiver in decision.waivers.iter().take(NAMES) {
        text.push_str(&format!("; waived: {}", waiver.rule.shown()));
        let parts =
            [(" in ", &waiver.model), (" by ", &waiver.owner), (" until ", &waiver.expires)];
        for (before, part) in parts {
            let shown = part.as_ref().map(|part| format!("{before}{}", part.shown()));
            text.push_str(&shown.unwrap_or_default());
        }
    }
    if decision.waivers.len() > NAMES {
        text.push_str(&format!(" and {} more waivers", decision.waivers.len() - NAMES));
    }
    text
}

/// Says what a record says of a pin.
pub(crate) fn of_pin(pin: &Pin<'_>) -> String {
    let subject = match pin.subject {
        Subject::Model => "model",
        Subject::Plugin => "plugin",
    };
    let digest = Change {
        old: pin.digest.old.map(|digest| short(digest.0)),
        new: pin.digest.new.map(|digest| short(digest.0)),
    };
    let mut text = format!("{subject} {}: {}", pin.name.shown(), change(&digest));
    let texts = [("source", &pin.source), ("revision", &pin.revision), ("version", &pin.version)];
    for (what, value) in texts {
        if let Some(value) = value
            && value.old != value.new
        {
            let shown = |text: &Option<Text<'_>>| {
                text.as_ref().map(|text| GuestText::new(text.as_str(), 64).to_string())
            };
            let value = Change { old: shown(&value.old), new: shown(&value.new) };
            text.push_str(&format!(", {what} {}", change(&value)));
        }
    }
    let files = pin.files.len() as u64 + pin.not_listed;
    if files > 0 {
        text.push_str(&format!(", {files} file{}", if files == 1 { "" } else { "s" }));
    }
    text
}

fn change(change: &Change<String>) -> String {
    match (&change.old, &change.new) {
        (None, Some(new)) => format!("new {new}"),
        (Some(old), None) => format!("gone, was {old}"),
        (Some(old), Some(new)) if old == new => format!("still {new}"),
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (None, None) => "none".to_owned(),
    }
}

/// Returns the word of a decision.
pub(crate) const fn word(word: Word) -> &'static str {
    match word {
        Word::Allow => "allow",
        Word::Incomplete => "incomplete",
        Word::Deny => "deny",
    }
}

/// Returns the beginning of a digest, enough to tell it from others by eye.
pub(crate) fn short(digest: Digest) -> String {
    digest.hex().chars().take(12).collect()
}

/// Returns the beginning of a commit's name, as git shows it.
pub(crate) fn short_name(commit: &GuestText) -> String {
    commit.as_str().chars().take(12).collect()
}

/// Returns a line of JSON in which nothing acts on a terminal or a CI runner. What
/// could is written as JSON's own escape of it, so that it still says the same.
fn inert(line: &[u8]) -> Cow<'_, str> {
    let line = String::from_utf8_lossy(line);
    // A record is shown whole: only what escaping changes counts, not its length.
    if GuestText::new(&line, usize::MAX).as_str() == line {
        return line;
    }
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' | '\r' | '\n' => out.push(' '),
            '#' | '\u{7f}'.. => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_inert_and_say_the_same() {
        let rows = [
            (r#"{"a":"é 漢"}"#, r#"{"a":"é 漢"}"#),
            (r###"{"a":"##[error]x"}"###, r#"{"a":"\u0023\u0023[error]x"}"#),
            ("{\"a\":\"\u{202e}x\u{1f600}\"}", r#"{"a":"\u202ex\ud83d\ude00"}"#),
            ("{\t\"a\":\"\u{7f}\"}", r#"{ "a":"\u007f"}"#),
        ];
        for (line, expected) in rows {
            let inert = inert(line.as_bytes());
            assert_eq!(inert, expected);
            let value = |text| serde_json::from_str::<serde_json::Value>(text).expect("it is JSON");
            assert_eq!(value(line), value(&inert));
        }
    }
}
