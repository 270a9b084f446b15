//! The trusted registry: what reviewers say of models, as one set of entries.
//!
//! Leaves its files to `record`, and comparing models with it to the `registry`
//! plugin.

use std::sync::Arc;

use super::digest::{Digest, TreeDigest};
use super::model::{Definition, FilePath, LockEntry, ModelName};

/// A set of entries, each with a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// Which edition of which set it is.
    pub set: RegistrySet,
    /// The entries, sorted by name.
    pub entries: Vec<Arc<RegistryEntry>>,
}

/// Which edition of a set of entries it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrySet {
    /// The number of the edition; it only grows.
    pub sequence: u64,
    /// The digest of the file that lists the entries with their digests.
    pub digest: Digest,
    /// Whether a key that the policy pins has signed that file.
    pub signed: bool,
}

/// What a set says that may be about one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Of which set.
    pub set: RegistrySet,
    /// The entries, sorted by name.
    pub entries: Vec<Arc<RegistryEntry>>,
}

/// What the reviewers say of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be used.
    Approved,
    /// It must not be used.
    Revoked,
    /// Another one is to be used in its place.
    Superseded,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 3] = [Self::Approved, Self::Revoked, Self::Superseded];

    /// Returns the word that entries are written with.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
        }
    }
}

/// One entry of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryEntry {
    /// Its name, unique in the set.
    pub name: ModelName,
    /// Where the model comes from.
    pub source: Option<String>,
    /// The immutable revision of that source.
    pub revision: Option<String>,
    /// The digest over all files.
    pub tree: Option<TreeDigest>,
    /// The license, an SPDX expression.
    pub license: Option<String>,
    /// What the reviewers say.
    pub standing: Standing,
    /// Why it is revoked or superseded.
    pub reason: Option<String>,
    /// The name of the entry that takes its place.
    pub superseded_by: Option<ModelName>,
    /// The day of the last change, such as `2026-07-24`.
    pub date: String,
    /// Who reviewed it.
    pub reviewer: String,
    /// The digest of the entry's own file.
    pub digest: Digest,
    /// The files, sorted by path; none where the tree digest says it all.
    pub files: Vec<RegisteredFile>,
}

/// One file that an entry lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredFile {
    /// Where it is in the model.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}

impl Registry {
    /// Returns the entries that may be about a model: the one of its name, those of
    /// the source and revision of its definition or lock entry, and those of its
    /// tree digest where that is known.
    pub fn about(
        &self,
        name: &ModelName,
        definition: Option<&Definition>,
        lock: Option<&LockEntry>,
        tree: Option<TreeDigest>,
    ) -> Registered {
        let defined = definition.map(|said| (&said.source, &said.revision));
        let locked = lock.map(|said| (&said.source, &said.revision));
        let pairs = [defined, locked].into_iter().flatten();
        let pairs: Vec<(&str, &str)> = pairs
            .filter_map(|(source, revision)| Some((source.as_deref()?, revision.as_deref()?)))
            .collect();
        let is_about = |entry: &&Arc<RegistryEntry>| {
            entry.name == *name
                || entry.tree.is_some_and(|listed| Some(listed) == tree)
                || entry
                    .source
                    .as_deref()
                    .zip(entry.revision.as_deref())
                    .is_some_and(|pair| pairs.contains(&pair))
        };
        Registered {
            set: self.set,
            entries: self.entries.iter().filter(is_about).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, source: &str, tree: u8) -> Arc<RegistryEntry> {
        let said = source.split_once('@');
        Arc::new(RegistryEntry {
            name: ModelName::new(name),
            source: said.map(|(source, _)| source.to_owned()),
            revision: said.map(|(_, revision)| revision.to_owned()),
            tree: (tree > 0).then(|| TreeDigest::from_digest(Digest::from_bytes([tree; 32]))),
            license: None,
            standing: Standing::Approved,
            reason: None,
            superseded_by: None,
            date: "2026-07-24".to_owned(),
            reviewer: "r".to_owned(),
            digest: Digest::of(name.as_bytes()),
            files: Vec::new(),
        })
    }

    #[test]
    fn finds_entries_by_name_source_and_tree() {
        let set = RegistrySet { sequence: 1, digest: Digest::of(b""), signed: false };
        let entries = vec![
            entry("a", "hf:o/a@1", 1),
            entry("b", "hf:o/a@2", 2),
            entry("c", "hf:o/c@1", 1),
            entry("d", "", 0),
        ];
        let registry = Registry { set, entries };
        let rows = [
            ("a", "", 0, "a"),
            ("x", "", 0, ""),
            ("x", "hf:o/a@1", 0, "a"),
            ("x", "hf:o/a@3", 0, ""),
            ("x", "hf:o/a@3", 1, "a c"),
            ("b", "hf:o/c@1", 1, "a b c"),
            ("d", "hf:o/a@2", 0, "b d"),
        ];
        for (name, source, tree, expected) in rows {
            let of = entry(name, source, tree);
            let said = Definition {
                source: of.source.clone(),
                revision: of.revision.clone(),
                ..Definition::default()
            };
            let found = registry.about(&of.name, Some(&said), None, of.tree);
            let names: Vec<_> = found.entries.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(names.join(" "), expected, "{name} {source} {tree}");
        }
    }
}
