//! A trusted registry for a test.
//!
//! How it is shown to a check is `double`'s.

use std::collections::BTreeMap;

use super::double::RegistryHandle;
use super::lock::sha256;
use crate::registry::{RegisteredFile, Registry, RegistryEntry};

/// Builds a [`Registry`] entry by entry.
#[derive(Clone, Debug, Default)]
pub struct RegistrySet {
    sequence: u64,
    signed: bool,
    entries: BTreeMap<String, (RegistryEntry, Vec<RegisteredFile>)>,
}

impl RegistrySet {
    /// Makes a set without entries that may be about the model.
    #[must_use]
    pub fn new() -> Self {
        Self { sequence: 1, ..Self::default() }
    }

    /// Sets which edition it is.
    #[must_use]
    pub fn sequence(mut self, sequence: u64) -> Self {
        self.sequence = sequence;
        self
    }

    /// Says that a pinned key has signed it.
    #[must_use]
    pub fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    /// Adds an entry with the files that it lists, each with its path and its bytes; its
    /// count is theirs. Of two with one name the later one counts.
    #[must_use]
    pub fn entry<'a>(
        mut self,
        mut entry: RegistryEntry,
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let listed = |(path, bytes): (&str, &[u8])| RegisteredFile {
            path: path.to_owned(),
            size: bytes.len() as u64,
            sha256: sha256(bytes),
        };
        let mut files: Vec<_> = files.into_iter().map(listed).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        entry.count = u32::try_from(files.len()).expect("an entry in memory has fewer files");
        self.entries.insert(entry.name.clone(), (entry, files));
        self
    }

    /// Makes the set.
    #[must_use]
    pub fn build(self) -> Registry {
        let (entries, files): (Vec<_>, Vec<_>) = self.entries.into_values().unzip();
        Registry {
            sequence: self.sequence,
            digest: sha256(&self.sequence.to_be_bytes()),
            signed: self.signed,
            entries,
            handle: RegistryHandle(files.into()),
        }
    }
}

impl From<RegistrySet> for Registry {
    fn from(set: RegistrySet) -> Self {
        set.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Base;
    use crate::testing::Model;

    #[test]
    fn a_set_says_what_it_was_given() {
        let named = |name: &str| RegistryEntry { name: name.into(), ..RegistryEntry::default() };
        let set = RegistrySet::new().sequence(7).signed().entry(named("b"), []);
        let set = set.entry(named("a"), [("z", &b"1"[..]), ("c", b"22")]);
        let model = Model::new("m").registry(set);
        let registry = model.view().registry().expect("it was given one");
        assert_eq!((registry.sequence, registry.signed), (7, true));
        let names: Vec<_> = registry.entries.iter().map(|entry| &*entry.name).collect();
        assert_eq!(names, ["a", "b"]);
        let files: Vec<_> = registry.files(0).map(|file| (file.path, file.size)).collect();
        assert_eq!(files, [("c".to_owned(), 2), ("z".to_owned(), 1)]);
        assert_eq!((registry.files(1).len(), registry.files(2).len()), (0, 0));
        assert_eq!(Model::new("m").view().registry(), None);
    }

    #[test]
    fn bases_stand_in_order() {
        let base =
            |source: &str, below| Base { source: source.to_owned(), below, ..Base::default() };
        let model = Model::new("m").base(base("hf:o/a", None)).base(base("hf:o/b", Some(0)));
        assert_eq!(model.view().lineage(), [base("hf:o/a", None), base("hf:o/b", Some(0))]);
        let wrong = || Model::new("m").base(base("hf:o/a", Some(0)));
        assert!(std::panic::catch_unwind(wrong).is_err());
    }
}
