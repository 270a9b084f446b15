//! A lock entry for a test, with the tree digest that the host would compute.
//!
//! How it is shown to a check is `double`'s.

use std::collections::BTreeMap;

use super::digest::{compute, hex};
use super::double::LockHandle;
use crate::file::Algorithm;
use crate::model::{LockEntry, LockedFile};

/// Builds a [`LockEntry`] file by file.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    source: Option<String>,
    revision: Option<String>,
    tree: Option<[u8; 32]>,
    files: BTreeMap<String, (u64, [u8; 32])>,
}

impl Lock {
    /// Makes an entry without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets where the model was locked from.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the revision of the source.
    #[must_use]
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// Locks a file by its size and SHA-256; of two with one path the later one counts.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, size: u64, sha256: [u8; 32]) -> Self {
        self.files.insert(path.into(), (size, sha256));
        self
    }

    /// Locks a file as it is with these bytes.
    #[must_use]
    pub fn bytes(self, path: impl Into<String>, bytes: &[u8]) -> Self {
        self.file(path, bytes.len() as u64, sha256(bytes))
    }

    /// Sets a tree digest other than that of the files.
    #[must_use]
    pub fn tree(mut self, tree: [u8; 32]) -> Self {
        self.tree = Some(tree);
        self
    }

    /// Makes the entry.
    #[must_use]
    pub fn build(self) -> LockEntry {
        let files: Vec<_> = self
            .files
            .into_iter()
            .map(|(path, (size, sha256))| LockedFile { path, size, sha256 })
            .collect();
        LockEntry {
            source: self.source,
            revision: self.revision,
            tree: self.tree.unwrap_or_else(|| tree(&files)),
            count: u32::try_from(files.len()).expect("a lock entry in memory has fewer files"),
            handle: LockHandle(files.into()),
        }
    }
}

impl From<Lock> for LockEntry {
    fn from(lock: Lock) -> Self {
        lock.build()
    }
}

/// Computes the tree digest: SHA-256 over a line `file SIZE HEX PATH` for each file, in
/// the order of their paths.
fn tree(files: &[LockedFile]) -> [u8; 32] {
    let mut lines = String::new();
    for file in files {
        lines += &format!("file {} {} {}\n", file.size, hex(&file.sha256), file.path);
    }
    sha256(lines.as_bytes())
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = compute(
        Algorithm::Sha256,
        bytes.len() as u64,
        std::iter::once(bytes.to_vec()),
    );
    digest.try_into().expect("SHA-256 has 32 bytes")
}
