//! A comparison as a person reads it: `+` for what is new, `-` for what is gone,
//! `~` for what differs, `>` for what has another name.
//!
//! Digests are cut to what tells them apart at a glance; `json` has them whole.

use std::fmt::Write as _;

use super::{Comparison, Fate, FileChange, ModelChange, PluginChange, ValueChange, Weights};
use crate::domain::digest::Digest;

/// How many files or tensors of one model are shown; the rest is counted.
const MAX_SHOWN: usize = 20;

/// How many names stand in one line.
const MAX_NAMES: usize = 3;

/// How many characters of a long value are shown.
const MAX_VALUE: usize = 60;

/// Tells `comparison` in lines; none where nothing differs.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    for change in &comparison.values {
        value(&mut out, "", change);
    }
    for change in &comparison.models {
        model(&mut out, change);
    }
    for change in &comparison.plugins {
        plugin(&mut out, change);
    }
    out
}

/// Adds a line. Writing to a String can't fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{text}");
}

const fn mark(fate: Fate) -> char {
    match fate {
        Fate::Added => '+',
        Fate::Removed => '-',
        Fate::Changed => '~',
    }
}

fn model(out: &mut String, change: &ModelChange) {
    let (mark, name) = (mark(change.fate), &change.name);
    let name = if name.is_empty() { String::new() } else { format!(" {name}") };
    let Some(weights) = &change.weights else {
        let files = counted(change.count, "file");
        line(out, format_args!("{mark} model{name}: {files}"));
        return;
    };
    line(out, format_args!("{mark} model{name}: {}", headline(weights, change)));
    for change in &change.values {
        value(out, "    ", change);
    }
    for change in change.files.iter().take(MAX_SHOWN) {
        file(out, change);
    }
    more(out, change.files.len(), "file");
    if let Weights::Differ { tensors, .. } = weights {
        for tensor in tensors.iter().take(MAX_SHOWN) {
            let what = match (&tensor.old, &tensor.new) {
                (Some(old), Some(new)) if old == new => format!("{old}, other values"),
                (Some(old), Some(new)) => format!("{old} -> {new}"),
                (Some(one), None) | (None, Some(one)) => one.clone(),
                (None, None) => String::new(),
            };
            let (mark, name) = (self::mark(tensor.fate), shown(&tensor.name));
            line(out, format_args!("    {mark} tensor {name}  {what}"));
        }
        more(out, tensors.len(), "tensor");
    }
}

/// Says in a few words what became of a model.
fn headline(weights: &Weights, change: &ModelChange) -> String {
    let content: Vec<&FileChange> = change.files.iter().filter(|file| file.is_content()).collect();
    let changed = || {
        let only = |want: fn(&FileChange) -> bool| content.iter().all(|file| want(file));
        let word = if only(|file| matches!(file, FileChange::Added { .. })) {
            "added"
        } else if only(|file| matches!(file, FileChange::Removed { .. })) {
            "removed"
        } else if only(|file| matches!(file, FileChange::Renamed { .. })) {
            "renamed"
        } else {
            "changed"
        };
        format!("{} {word}", names(content.iter().map(|file| file.path())))
    };
    match weights {
        _ if content.is_empty() && change.files.is_empty() => "same files".to_owned(),
        _ if content.is_empty() => "same files, other notes on them".to_owned(),
        Weights::Same => format!("same weights, {}", changed()),
        Weights::Moved => format!("same weights in other files, {}", changed()),
        Weights::Differ { tensors, total } => {
            let verb = if tensors.len() == 1 { "differs" } else { "differ" };
            let names = names(tensors.iter().map(|tensor| tensor.name.as_str()));
            let of = counted(*total, "tensor");
            format!("{} of {of} {verb}: {names}", tensors.len())
        }
        Weights::Other => format!("other weights, {}", changed()),
        Weights::Unknown => changed(),
    }
}

/// Lists the first names, and counts the others.
fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    let first: Vec<String> = names.take(MAX_NAMES).map(shown).collect();
    match count.saturating_sub(MAX_NAMES) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn file(out: &mut String, change: &FileChange) {
    match change {
        FileChange::Added { path, new } => line(
            out,
            format_args!("    + {}  {} bytes, {}", shown(path), new.size, short(&new.digest)),
        ),
        FileChange::Removed { path, old } => line(
            out,
            format_args!("    - {}  {} bytes, {}", shown(path), old.size, short(&old.digest)),
        ),
        FileChange::Renamed { from, path, .. } => {
            line(out, format_args!("    > {} -> {}", shown(from), shown(path)));
        }
        FileChange::Changed { path, old, new, values } => {
            let path = shown(path);
            if old.digest != new.digest || old.size != new.size {
                let size = match (old.size, new.size) {
                    (old, new) if old == new => format!("{new} bytes"),
                    (old, new) => format!("{old} -> {new} bytes"),
                };
                let (old, new) = (short(&old.digest), short(&new.digest));
                line(out, format_args!("    ~ {path}  {size}, {old} -> {new}"));
            } else {
                line(out, format_args!("    ~ {path}"));
            }
            for change in values {
                value(out, "        ", change);
            }
        }
    }
}

fn plugin(out: &mut String, change: &PluginChange) {
    let id = &change.id;
    let said = |key: &str| {
        let change = change.values.iter().find(|change| change.key == key)?;
        change.new.clone().or_else(|| change.old.clone())
    };
    match change.fate {
        Fate::Changed => {
            line(out, format_args!("~ plugin {id}"));
            for change in &change.values {
                value(out, "    ", change);
            }
        }
        fate => {
            let (mark, version) = (mark(fate), said("version").unwrap_or_default());
            line(out, format_args!("{mark} plugin {id} {version}"));
        }
    }
}

fn value(out: &mut String, indent: &str, change: &ValueChange) {
    let ValueChange { key, old, new } = change;
    let cut = |value: &String| {
        if value.chars().count() <= MAX_VALUE {
            return if value.is_empty() { "(nothing)".to_owned() } else { value.clone() };
        }
        // A digest is told by its first digits, as in the lines of files.
        let kept = value.rfind(':').map_or(MAX_VALUE, |colon| (colon + 13).min(MAX_VALUE));
        value.chars().take(kept).chain(['…']).collect()
    };
    match (old, new) {
        (Some(old), Some(new)) => {
            line(out, format_args!("{indent}~ {key}  {} -> {}", cut(old), cut(new)));
        }
        (None, Some(new)) => line(out, format_args!("{indent}+ {key}  {}", cut(new))),
        (Some(old), None) => line(out, format_args!("{indent}- {key}  {}", cut(old))),
        (None, None) => {}
    }
}

/// Counts what was not shown.
fn more(out: &mut String, count: usize, what: &str) {
    if count > MAX_SHOWN {
        let rest = counted(count - MAX_SHOWN, &format!("more {what}"));
        line(out, format_args!("      and {rest}"));
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Returns a path or name, cut where it is very long.
fn shown(name: &str) -> String {
    crate::domain::text::GuestText::new(name, 255).to_string()
}

fn short(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("sha256:{}…", hex.get(..12).unwrap_or(&hex))
}
