//! Entries that contradict each other: found before a model is compared with any
//! of them.
//!
//! Leaves what is wrong in one entry alone to `entry`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::model::ModelName;
use crate::domain::registry::{RegistryEntry, Standing};

type Entry = (SourceFile, Arc<RegistryEntry>);

/// Finds what contradicts itself in `entries`, sorted by name.
pub(super) fn find(entries: &[Entry]) -> Vec<Diagnostic> {
    let mut mistakes = Vec::new();
    for [first, second] in entries.array_windows() {
        if first.1.name == second.1.name {
            let message = format!("`{}` is the name of {} as well", second.1.name, first.0.path);
            mistakes.push(at(second, "name", message));
        }
    }
    let mut by_tree: BTreeMap<_, Vec<&Entry>> = BTreeMap::new();
    let mut by_source: BTreeMap<_, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        if let Some(tree) = entry.1.tree {
            by_tree.entry(tree).or_default().push(entry);
        }
        if let (Some(source), Some(revision)) = (&entry.1.source, &entry.1.revision) {
            by_source.entry((source, revision)).or_default().push(entry);
        }
    }
    for group in by_tree.values().chain(by_source.values()) {
        // The first is what the others are held to: a pair is told once.
        let Some((first, others)) = group.split_first() else { continue };
        for other in others {
            if first.1.standing != other.1.standing {
                let message = format!(
                    "it is {} here, and {} in {}, for the same {}",
                    other.1.standing.word(),
                    first.1.standing.word(),
                    first.0.path,
                    same(&first.1, &other.1),
                );
                mistakes.push(at(other, "status", message));
            } else if first.1.standing == Standing::Approved && differ(&first.1, &other.1) {
                let message = format!(
                    "it approves other bytes than {} does, for the same source and revision",
                    first.0.path
                );
                mistakes.push(at(other, "tree", message));
            }
        }
    }
    mistakes.extend(entries.iter().filter_map(|entry| successor(entry, entries)));
    // Entries of one tree digest and one source are in both groups.
    mistakes.dedup();
    mistakes
}

fn same(a: &RegistryEntry, b: &RegistryEntry) -> &'static str {
    if a.tree.is_some() && a.tree == b.tree { "tree digest" } else { "source and revision" }
}

/// Tells whether no model can be what both approve.
fn differ(a: &RegistryEntry, b: &RegistryEntry) -> bool {
    if let (Some(a), Some(b)) = (a.tree, b.tree) {
        return a != b;
    }
    let listed = |entry: &RegistryEntry| {
        entry.files.iter().map(|file| (file.path.clone(), file.digest)).collect::<BTreeMap<_, _>>()
    };
    let (a, b) = (listed(a), listed(b));
    !a.is_empty() && !b.is_empty() && a != b
}

/// Finds what is wrong with the successor of an entry: that there is none, or that
/// following them leads in a circle.
fn successor(entry: &Entry, entries: &[Entry]) -> Option<Diagnostic> {
    let named = |name: &ModelName| {
        let at = entries.binary_search_by(|(_, other)| other.name.cmp(name)).ok()?;
        Some(&entries[at].1)
    };
    let by = entry.1.superseded_by.as_ref()?;
    let wrong = |message: String| Some(at(entry, "superseded-by", message));
    let Some(mut next) = named(by) else {
        return wrong(format!("there is no entry `{by}` that could take its place"));
    };
    if next.standing == Standing::Revoked {
        return wrong(format!("`{by}`, which is to take its place, is revoked"));
    }
    for _ in entries {
        if next.name == entry.1.name {
            return wrong("entries take each other's place in a circle".to_owned());
        }
        next = next.superseded_by.as_ref().and_then(&named)?;
    }
    None
}

/// Makes a mistake in an entry, at the line of `key`.
fn at((file, _): &Entry, key: &str, message: String) -> Diagnostic {
    let mut start = 0;
    for line in file.text.split_inclusive('\n') {
        let rest = line.strip_prefix(key).map(str::trim_start);
        if rest.is_some_and(|rest| rest.starts_with('=')) {
            return Diagnostic::new(file, start..start + line.trim_end().len(), message);
        }
        start += line.len();
    }
    Diagnostic::new(file, 0..0, message)
}
