//! What two states of a model say of its weights: whether they are the same, and
//! which tensors differ.
//!
//! The tensors decide where both sides have them, else the digest over them. Else
//! all that is known is which files changed: files that hold no weights by their
//! names leave the weights as they are.

use std::collections::BTreeMap;

use super::{Fate, FileChange, ModelState};
use crate::domain::tensor::Tensor;

/// What can be said of a model's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weights {
    /// They are the same.
    Same,
    /// They are the same tensors, in other files.
    Moved,
    /// These tensors of so many differ, sorted by name.
    Differ {
        /// Those that do.
        tensors: Vec<TensorChange>,
        /// How many there are, of both sides together.
        total: usize,
    },
    /// The digest over the tensors differs; which, it does not tell.
    Other,
    /// Nothing: files that may hold weights differ, and no tensors are known.
    Unknown,
}

/// One tensor that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorChange {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// What it was: type and shape.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

/// Says what `old` and `new` tell of the weights, which differ by `files`.
pub(super) fn weights(old: &ModelState, new: &ModelState, files: &[FileChange]) -> Weights {
    let changed = || files.iter().filter(|change| change.is_content());
    let touches = changed().any(|change| {
        let renamed = match change {
            FileChange::Renamed { from, .. } => may_hold_weights(from),
            _ => false,
        };
        renamed || may_hold_weights(change.path())
    });
    let moved = || if touches { Weights::Moved } else { Weights::Same };
    if let (Some(before), Some(after)) = (&old.tensors, &new.tensors) {
        // Files in no format that is known here may hold weights as well.
        let all_known = !before.own.is_empty() || !after.own.is_empty() || before.shared > 0;
        let tensors = tensors(&before.own, &after.own);
        let total = before.shared + names(&before.own, &after.own);
        return match (tensors.is_empty(), all_known) {
            (true, true) => moved(),
            (true, false) if touches => Weights::Unknown,
            (true, false) => Weights::Same,
            (false, _) => Weights::Differ { tensors, total },
        };
    }
    match (old.values.get("tensors"), new.values.get("tensors")) {
        (Some(before), Some(after)) if before == after => moved(),
        (Some(_), Some(_)) => Weights::Other,
        _ if touches => Weights::Unknown,
        _ => Weights::Same,
    }
}

/// Whether a file may hold weights, by its name: all may but those whose ending
/// says that they are text.
fn may_hold_weights(path: &str) -> bool {
    const TEXTS: [&str; 14] = [
        "cff", "csv", "html", "jinja", "json", "lock", "md", "py", "rst", "toml", "tsv", "txt",
        "yaml", "yml",
    ];
    const NAMES: [&str; 7] =
        [".gitattributes", ".gitignore", "COPYING", "LICENCE", "LICENSE", "NOTICE", "README"];
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_text = name
        .rsplit_once('.')
        .is_some_and(|(_, ending)| TEXTS.iter().any(|text| ending.eq_ignore_ascii_case(text)));
    !is_text && !NAMES.contains(&name)
}

type ByName<'t> = BTreeMap<&'t str, Vec<&'t Tensor>>;

/// Returns the tensors by name; each may stand in several files.
fn by_name(tensors: &[Tensor]) -> ByName<'_> {
    let mut by_name = ByName::new();
    let mut sorted: Vec<&Tensor> = tensors.iter().collect();
    sorted.sort();
    for tensor in sorted {
        by_name.entry(&tensor.name).or_default().push(tensor);
    }
    by_name
}

/// Returns how many names both sides have together.
fn names(old: &[Tensor], new: &[Tensor]) -> usize {
    let all: std::collections::BTreeSet<&str> =
        old.iter().chain(new).map(|tensor| tensor.name.as_str()).collect();
    all.len()
}

fn tensors(old: &[Tensor], new: &[Tensor]) -> Vec<TensorChange> {
    let (old, new) = (by_name(old), by_name(new));
    let names: std::collections::BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let mut changes = Vec::new();
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        let fate = match (before, after) {
            (None, _) => Fate::Added,
            (_, None) => Fate::Removed,
            (Some(before), Some(after)) if before == after => continue,
            _ => Fate::Changed,
        };
        let name = name.to_owned();
        changes.push(TensorChange { name, fate, old: before.map(said), new: after.map(said) });
    }
    changes
}

/// Says what type and shape tensors have.
fn said(tensors: &Vec<&Tensor>) -> String {
    let one = |tensor: &&Tensor| {
        let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
        format!("{} [{}]", tensor.dtype, shape.join(", "))
    };
    tensors.iter().map(one).collect::<Vec<_>>().join(" and ")
}
