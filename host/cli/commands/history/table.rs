//! A history for a person: a line for each change, its files and decisions below it; then
//! what was decided of files that no change pinned.

use std::fmt::Write as _;

use modelhost::domain::moment;
use modelhost::record::audit::record::Word;
use modelhost::record::history::{DecisionRow, History, NotPinned, Place, Recorded, Row};

use crate::commands::audit::show::{of_pin, short, short_name, word};

/// How many files of one change are shown.
const FILES: usize = 8;

/// How many sets of files that no change pinned are shown.
const NOT_PINNED: usize = 10;

/// How wide names of people are at least.
const NAME: usize = 20;

/// Returns `history` as text.
pub(super) fn render(history: &History) -> String {
    let mut out = String::new();
    for row in &history.rows {
        render_row(row, &mut out).expect("writing to a String can't fail");
    }
    if history.rows.is_empty() {
        out.push_str("nothing is known of when it was pinned\n");
    }
    render_not_pinned(&history.not_pinned, &mut out).expect("writing to a String can't fail");
    out
}

fn render_not_pinned(not_pinned: &[NotPinned], out: &mut String) -> std::fmt::Result {
    for other in not_pinned.iter().take(NOT_PINNED) {
        writeln!(out, "never pinned: {}", short(other.tree))?;
        render_decisions(&other.decisions, other.more_decisions, out)?;
    }
    match not_pinned.len().saturating_sub(NOT_PINNED) {
        0 => Ok(()),
        more => writeln!(out, "never pinned: {more} more that something was decided of"),
    }
}

fn render_row(row: &Row, out: &mut String) -> std::fmt::Result {
    let (when, commit, who) = match &row.place {
        Place::Commit { id, author, time, .. } => {
            (moment::rfc3339(*time), id.chars().take(12).collect(), author.to_string())
        }
        Place::Uncommitted => ("not committed".to_owned(), String::new(), String::new()),
        Place::Log(recorded) => {
            (moment::rfc3339(recorded.time), "audit log".to_owned(), actor(recorded))
        }
    };
    let what = match &row.change {
        Ok(pin) => of_pin(pin),
        Err(why) => format!("the lock file can't be read: {why}"),
    };
    writeln!(out, "{when:<20}  {commit:<12}  {who:<NAME$}  {what}")?;
    if let Some(before) = &row.before {
        writeln!(out, "    before this, the lock file can't be read: {before}")?;
    }
    if let Some(renamed) = &row.renamed {
        writeln!(out, "    renamed from {renamed}")?;
    }
    if let Ok(pin) = &row.change {
        for file in pin.files.iter().take(FILES) {
            let path = file.path.shown();
            match (&file.old, &file.new) {
                (None, Some(new)) => writeln!(out, "    + {path}  {}", short(new.0))?,
                (Some(old), None) => writeln!(out, "    - {path}  {}", short(old.0))?,
                (Some(old), Some(new)) => {
                    writeln!(out, "    ~ {path}  {} -> {}", short(old.0), short(new.0))?;
                }
                (None, None) => {}
            }
        }
        let more = pin.files.len().saturating_sub(FILES) as u64 + pin.not_listed;
        if more > 0 {
            writeln!(out, "    and {more} more files")?;
        }
    }
    if let Some(recorded) = &row.recorded {
        let when = moment::rfc3339(recorded.time);
        writeln!(out, "    pinned {when} by {}", actor(recorded))?;
    }
    render_decisions(&row.decisions, row.more_decisions, out)
}

fn render_decisions(decisions: &[DecisionRow], more: u64, out: &mut String) -> std::fmt::Result {
    let words = [Word::Allow, Word::Incomplete, Word::Deny];
    let counts = words.map(|wanted| {
        (wanted, decisions.iter().filter(move |decision| decision.decision == wanted))
    });
    for (wanted, mut found) in counts {
        let count = found.clone().count();
        let Some(last) = found.next_back() else { continue };
        let (when, who) = (moment::rfc3339(last.recorded.time), actor(&last.recorded));
        let on = last.recorded.commit.as_ref();
        let on = on.map(|commit| format!(" on {}", short_name(commit)));
        let times = if count == 1 { String::new() } else { format!(" {count} times, last") };
        writeln!(out, "    {}{times} {when} by {who}{}", word(wanted), on.unwrap_or_default())?;
    }
    if more > 0 {
        writeln!(out, "    and {more} more decisions")?;
    }
    Ok(())
}

fn actor(recorded: &Recorded) -> String {
    recorded.actor.as_ref().map_or_else(|| "somebody".to_owned(), ToString::to_string)
}
