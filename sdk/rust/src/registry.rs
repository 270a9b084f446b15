//! What the trusted registry says that may be about the model.
//!
//! In a component this is the host's, natively it is what a test hands to `testing`'s
//! model: which of the two, `backend` alone knows.

use crate::backend::RegistryHandle;

/// Is the set of trusted entries that the run is held to, as far as it may be about the
/// model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registry {
    /// Which edition of the set it is; it only grows.
    pub sequence: u64,
    /// The digest of the set.
    pub digest: [u8; 32],
    /// Whether a key that the policy pins has signed it.
    pub signed: bool,
    /// The entries that may be about the model, sorted by name: the one of its name,
    /// those of its source and revision, and, for a check that takes digests and sees
    /// all files, those of its tree digest.
    pub entries: Vec<RegistryEntry>,
    pub(crate) handle: RegistryHandle,
}

impl Registry {
    /// Returns the files that the entry at `entry` lists, in the order of their paths'
    /// bytes; none for an entry of a tree digest alone.
    pub fn files(
        &self,
        entry: usize,
    ) -> impl DoubleEndedIterator<Item = RegisteredFile> + ExactSizeIterator {
        let count = self.entries.get(entry).map_or(0, |entry| entry.count);
        let entry = u32::try_from(entry).unwrap_or(u32::MAX);
        (0..count).map(move |index| self.handle.file(entry, index))
    }
}

/// Says what the reviewers say of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It may be used.
    #[default]
    Approved,
    /// It must not be used.
    Revoked,
    /// Another one is to be used in its place.
    Superseded,
}

/// Is one entry of the trusted registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryEntry {
    /// The name of the entry, unique in the set.
    pub name: String,
    /// Where the model comes from, such as `hf:org/name`.
    pub source: Option<String>,
    /// The immutable revision of that source.
    pub revision: Option<String>,
    /// The tree digest.
    pub tree: Option<[u8; 32]>,
    /// The license, an SPDX expression.
    pub license: Option<String>,
    /// What the reviewers say.
    pub standing: Standing,
    /// Why it is revoked or superseded.
    pub reason: Option<String>,
    /// The name of the entry that takes its place.
    pub superseded_by: Option<String>,
    /// The day of the last change, such as `2026-07-24`.
    pub date: String,
    /// Who reviewed it.
    pub reviewer: String,
    /// The digest of the entry itself.
    pub digest: [u8; 32],
    /// How many files it lists.
    pub count: u32,
}

/// Is one file that an entry of the trusted registry lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredFile {
    /// The path, in the form of [`File::path`](crate::File::path).
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The digest.
    pub sha256: [u8; 32],
}
