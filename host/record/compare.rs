//! How two states of models and plugins differ: two lock files, two reports, two
//! folders, or one of each.
//!
//! Owns the state that is compared ([`State`]) and what comes of it
//! ([`Comparison`]). The result is told in `text` and `json`; reports and folders
//! become states in `gate`.

mod json;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod weights;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::digest::Digest;
use crate::domain::tensor::Tensor;
use crate::record::lock::LockFile;

pub use json::{json, json_schema};
pub use source::{Kind, Unreadable, kind};
pub use text::text;
pub use weights::{TensorChange, Weights};

/// Single values by name, each shown as it is.
pub type Values = BTreeMap<String, String>;

/// What one side of a comparison is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// What is said of it as a whole: the decision, the policy's digest.
    pub values: Values,
    /// The models, by name.
    pub models: BTreeMap<String, ModelState>,
    /// What is said of each plugin, by id.
    pub plugins: BTreeMap<String, Values>,
}

/// One model in a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelState {
    /// What is said of it as a whole: source, revision, tree digest.
    pub values: Values,
    /// Its files, by path in its written form.
    pub files: BTreeMap<String, FileState>,
    /// Its tensors; none where they were not looked at.
    pub tensors: Option<Tensors>,
}

/// One file in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
    /// What else is noted of it.
    pub values: Values,
}

/// The tensors of a model, as far as they were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tensors {
    /// How many are in files that the other side has as well.
    pub shared: usize,
    /// Those in other files.
    pub own: Vec<Tensor>,
}

impl State {
    /// Returns the state that `lock` describes.
    pub fn of_lock(lock: &LockFile) -> Self {
        let text = |key: &str, value: &Option<String>| Some((key.to_owned(), value.clone()?));
        let mut state = Self::default();
        for (name, entry) in &lock.models {
            let notes = &entry.notes;
            let values = [
                text("source", &entry.source),
                text("revision", &entry.revision),
                text("requested", &notes.requested),
                text("tensors", &notes.tensors),
                text("license", &notes.license),
                text("signer", &notes.signer),
                (!notes.base.is_empty()).then(|| ("base".to_owned(), notes.base.join(", "))),
                Some(("tree".to_owned(), entry.tree.to_string())),
            ];
            let files = entry.files.iter().map(|file| {
                let note = |key: &str, value: Option<String>| Some((key.to_owned(), value?));
                let values = [
                    note("blake3", file.blake3.map(|digest| digest.to_string())),
                    note("upstream", file.upstream.map(|claim| claim.to_string())),
                    note("parts", file.parts.as_ref().map(ToString::to_string)),
                ];
                let values = values.into_iter().flatten().collect();
                let state = FileState { size: file.size, digest: file.digest, values };
                (file.path.to_string(), state)
            });
            let model = ModelState {
                values: values.into_iter().flatten().collect(),
                files: files.collect(),
                tensors: None,
            };
            state.models.insert(name.to_string(), model);
        }
        for (id, plugin) in &lock.plugins {
            // In the order in which a report has them.
            let mut asked: Vec<&str> = plugin.capabilities.iter().map(|c| c.name()).collect();
            asked.sort_unstable();
            let values = [
                Some(("version".to_owned(), plugin.version.to_string())),
                Some(("digest".to_owned(), plugin.digest.to_string())),
                text("contract", &plugin.contract),
                Some(("imports".to_owned(), asked.join(", "))),
            ];
            state.plugins.insert(id.to_string(), values.into_iter().flatten().collect());
        }
        state
    }

    /// Returns the state of one model alone, called `name`.
    pub fn of_model(name: &str, model: ModelState) -> Self {
        Self { models: BTreeMap::from([(name.to_owned(), model)]), ..Self::default() }
    }
}

impl ModelState {
    /// Returns the digests of its files.
    pub fn digests(&self) -> BTreeSet<Digest> {
        self.files.values().map(|file| file.digest).collect()
    }
}

/// How much of two states is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything: the two are of one kind, and what one of them lacks differs.
    All,
    /// What both speak of: the two are of different kinds.
    Common,
}

/// How one state differs from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What differs as a whole.
    pub values: Vec<ValueChange>,
    /// The models that differ, sorted by name.
    pub models: Vec<ModelChange>,
    /// The plugins that differ, sorted by id.
    pub plugins: Vec<PluginChange>,
    /// How many models both sides have.
    pub compared: usize,
}

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueChange {
    /// Its name.
    pub key: String,
    /// What it was; none where it is new.
    pub old: Option<String>,
    /// What it is; none where it is gone.
    pub new: Option<String>,
}

/// What became of a model, plugin or tensor that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

/// One model that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelChange {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// How many files it has, or had.
    pub count: usize,
    /// What differs of it as a whole.
    pub values: Vec<ValueChange>,
    /// The files that differ, sorted by path.
    pub files: Vec<FileChange>,
    /// What can be said of its weights; none for a model that is new or gone.
    pub weights: Option<Weights>,
}

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It is new.
    Added {
        /// Its path.
        path: String,
        /// What it is.
        new: FileState,
    },
    /// It is gone.
    Removed {
        /// Its path.
        path: String,
        /// What it was.
        old: FileState,
    },
    /// The same bytes have another name.
    Renamed {
        /// The path it had.
        from: String,
        /// The path it has.
        path: String,
        /// What it is.
        new: FileState,
    },
    /// It has other bytes, or other things are noted of it.
    Changed {
        /// Its path.
        path: String,
        /// What it was.
        old: FileState,
        /// What it is.
        new: FileState,
        /// What differs beside size and digest.
        values: Vec<ValueChange>,
    },
}

impl FileChange {
    /// Returns the path it has, or had.
    pub fn path(&self) -> &str {
        match self {
            Self::Added { path, .. }
            | Self::Removed { path, .. }
            | Self::Renamed { path, .. }
            | Self::Changed { path, .. } => path,
        }
    }

    /// Returns whether the model has other bytes or names for it.
    pub fn is_content(&self) -> bool {
        match self {
            Self::Changed { old, new, .. } => (old.size, old.digest) != (new.size, new.digest),
            Self::Added { .. } | Self::Removed { .. } | Self::Renamed { .. } => true,
        }
    }
}

/// One plugin that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginChange {
    /// Its id.
    pub id: String,
    /// What became of it.
    pub fate: Fate,
    /// What differs of it; what it is or was where it is new or gone.
    pub values: Vec<ValueChange>,
}

impl Comparison {
    /// Returns whether nothing differs.
    pub const fn is_same(&self) -> bool {
        self.values.is_empty() && self.models.is_empty() && self.plugins.is_empty()
    }
}

/// Compares `new` with `old`.
pub fn compare(old: &State, new: &State, extent: Extent) -> Comparison {
    let mut comparison =
        Comparison { values: values(&old.values, &new.values, extent), ..Comparison::default() };
    for name in keys(&old.models, &new.models) {
        let (before, after) = (old.models.get(name), new.models.get(name));
        comparison.compared += usize::from(before.is_some() && after.is_some());
        comparison.models.extend(model(name, before, after, extent));
    }
    for id in keys(&old.plugins, &new.plugins) {
        let (before, after) = (old.plugins.get(id), new.plugins.get(id));
        let fate = match (before, after) {
            (None, _) => Fate::Added,
            (_, None) => Fate::Removed,
            _ => Fate::Changed,
        };
        // A folder has no plugins to speak of.
        let silent = old.plugins.is_empty() || new.plugins.is_empty();
        if silent && extent == Extent::Common {
            break;
        }
        let nothing = Values::new();
        let values = values(before.unwrap_or(&nothing), after.unwrap_or(&nothing), extent);
        if fate != Fate::Changed || !values.is_empty() {
            comparison.plugins.push(PluginChange { id: id.clone(), fate, values });
        }
    }
    comparison
}

/// Returns the keys of both maps, sorted, each once.
fn keys<'a, V>(old: &'a BTreeMap<String, V>, new: &'a BTreeMap<String, V>) -> BTreeSet<&'a String> {
    old.keys().chain(new.keys()).collect()
}

fn values(old: &Values, new: &Values, extent: Extent) -> Vec<ValueChange> {
    let change = |key: &String| {
        let (old, new) = (old.get(key).cloned(), new.get(key).cloned());
        let one_sided = old.is_none() || new.is_none();
        let differs = old != new && !(one_sided && extent == Extent::Common);
        differs.then(|| ValueChange { key: key.clone(), old, new })
    };
    keys(old, new).into_iter().filter_map(change).collect()
}

fn model(
    name: &str,
    old: Option<&ModelState>,
    new: Option<&ModelState>,
    extent: Extent,
) -> Option<ModelChange> {
    let one = |fate, count| {
        Some(ModelChange {
            name: name.to_owned(),
            fate,
            count,
            values: Vec::new(),
            files: Vec::new(),
            weights: None,
        })
    };
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (None, Some(new)) => return one(Fate::Added, new.files.len()),
        (Some(old), None) => return one(Fate::Removed, old.files.len()),
        (None, None) => return None,
    };
    let values = values(&old.values, &new.values, extent);
    let files = files(&old.files, &new.files, extent);
    if values.is_empty() && files.is_empty() {
        return None;
    }
    let weights = weights::weights(old, new, &files);
    Some(ModelChange {
        weights: Some(weights),
        values,
        files,
        ..one(Fate::Changed, new.files.len())?
    })
}

fn files(
    old: &BTreeMap<String, FileState>,
    new: &BTreeMap<String, FileState>,
    extent: Extent,
) -> Vec<FileChange> {
    // Files that are gone, by what they were, in the order of their paths.
    let mut gone: BTreeMap<(Digest, u64), Vec<&String>> = BTreeMap::new();
    for (path, file) in old.iter().rev().filter(|(path, _)| !new.contains_key(*path)) {
        gone.entry((file.digest, file.size)).or_default().push(path);
    }
    let mut changes = Vec::new();
    for (path, file) in new {
        let path = path.clone();
        match old.get(&path) {
            Some(before) => {
                let values = values(&before.values, &file.values, extent);
                let same = (before.size, before.digest) == (file.size, file.digest);
                if !same || !values.is_empty() {
                    let (old, new) = (before.clone(), file.clone());
                    changes.push(FileChange::Changed { path, old, new, values });
                }
            }
            // All empty files are alike, so an empty one tells nothing.
            None => match gone.get_mut(&(file.digest, file.size)).and_then(Vec::pop) {
                Some(from) if file.size > 0 => {
                    let (from, new) = (from.clone(), file.clone());
                    changes.push(FileChange::Renamed { from, path, new });
                }
                other => {
                    // Not renamed after all: it stays among those that are gone.
                    if let Some(back) = other {
                        gone.entry((file.digest, file.size)).or_default().push(back);
                    }
                    changes.push(FileChange::Added { path, new: file.clone() });
                }
            },
        }
    }
    for path in gone.into_values().flatten() {
        if let Some(file) = old.get(path) {
            changes.push(FileChange::Removed { path: path.clone(), old: file.clone() });
        }
    }
    changes.sort_by(|a, b| a.path().cmp(b.path()));
    changes
}
