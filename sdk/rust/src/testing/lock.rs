//! A lock entry for a test, with the tree digest that the host would compute.
//!
//! How it is shown to a check is `double`'s.

use std::collections::BTreeMap;

use super::digest::{compute, hex};
use super::double::LockHandle;
use crate::file::Algorithm;
use crate::model::{LockEntry, LockedFile, LockedParts};

/// Builds a [`LockEntry`] file by file.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    source: Option<String>,
    revision: Option<String>,
    tree: Option<[u8; 32]>,
    license: Option<String>,
    signer: Option<String>,
    files: BTreeMap<String, (u64, [u8; 32])>,
    blake3: BTreeMap<String, [u8; 32]>,
    parts: BTreeMap<String, LockedParts>,
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

    /// Locks a file as it is with these bytes, with the digests of its parts of
    /// `part_size` bytes each.
    ///
    /// # Panics
    ///
    /// If parts are to have no bytes.
    #[must_use]
    #[track_caller]
    pub fn parts(mut self, path: impl Into<String>, bytes: &[u8], part_size: usize) -> Self {
        assert!(part_size > 0, "a part has at least one byte");
        let path = path.into();
        let digests = bytes.chunks(part_size).map(part).collect();
        let parts = LockedParts { size: part_size as u64, digests };
        self.parts.insert(path.clone(), parts);
        self.bytes(path, bytes)
    }

    /// Sets the BLAKE3 digest of a file.
    #[must_use]
    pub fn blake3(mut self, path: impl Into<String>, blake3: [u8; 32]) -> Self {
        self.blake3.insert(path.into(), blake3);
        self
    }

    /// Sets the license that was concluded.
    #[must_use]
    pub fn license(mut self, license: impl Into<String>) -> Self {
        self.license = Some(license.into());
        self
    }

    /// Sets whose signature was verified.
    #[must_use]
    pub fn signer(mut self, signer: impl Into<String>) -> Self {
        self.signer = Some(signer.into());
        self
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
            .map(|(path, (size, sha256))| {
                let blake3 = self.blake3.get(&path).copied();
                LockedFile { path, size, sha256, blake3 }
            })
            .collect();
        let mut parts = self.parts;
        let parts = files.iter().map(|file| parts.remove(&file.path)).collect();
        LockEntry {
            source: self.source,
            revision: self.revision,
            tree: self.tree.unwrap_or_else(|| tree(&files)),
            count: u32::try_from(files.len()).expect("a lock entry in memory has fewer files"),
            license: self.license,
            signer: self.signer,
            handle: LockHandle { files: files.into(), parts },
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

/// Computes what a lock file has of a part with these bytes.
fn part(bytes: &[u8]) -> [u8; 8] {
    let digest = compute(Algorithm::Blake3, bytes.len() as u64, std::iter::once(bytes.to_vec()));
    digest.first_chunk().copied().expect("BLAKE3 has 32 bytes")
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = compute(Algorithm::Sha256, bytes.len() as u64, std::iter::once(bytes.to_vec()));
    digest.try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_digest_is_that_of_the_lines() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let entry = Lock::new().bytes("z", b"hello").bytes("a/b", b"").build();
        let lines = format!("file 0 {empty} a/b\nfile 5 {hello} z\n");
        assert_eq!(entry.tree, sha256(lines.as_bytes()));
        assert_eq!(hex(&entry.tree), TREE);
        assert_eq!(entry.count, 2);
        let paths: Vec<_> = entry.files().map(|file| file.path).collect();
        assert_eq!(paths, ["a/b", "z"]);
        assert_eq!(entry.file("z").map(|file| hex(&file.sha256)).as_deref(), Some(hello));
        assert_eq!(entry.file("a"), None);
    }

    /// What `sha256sum` says of the two lines.
    const TREE: &str = "4c05fca487e0032759fa4e387a2b967efaa409357bab5c2fb691b287bb02d6d6";

    #[test]
    fn a_lock_says_what_it_was_given() {
        let entry = Lock::new().source("hf:a/b").revision("r").tree([7; 32]).build();
        assert_eq!(entry.source.as_deref(), Some("hf:a/b"));
        assert_eq!(entry.revision.as_deref(), Some("r"));
        assert_eq!((entry.tree, entry.count), ([7; 32], 0));
        let entry = Lock::new().bytes("a", b"1").file("a", 9, [1; 32]).build();
        let file = LockedFile { path: "a".into(), size: 9, sha256: [1; 32], blake3: None };
        assert_eq!(entry.files().collect::<Vec<_>>(), [file]);
    }

    #[test]
    fn parts_are_found_by_path() {
        let lock = Lock::new().bytes("a", b"1").parts("b", b"12345", 2).parts("c", b"", 2);
        let entry = lock.blake3("a", [3; 32]).license("MIT").signer("s").build();
        assert_eq!((entry.parts("a"), entry.parts("x")), (None, None));
        let parts = entry.parts("b").expect("it has parts");
        assert_eq!(parts.size, 2);
        assert_eq!(parts.digests, [part(b"12"), part(b"34"), part(b"5")]);
        assert_eq!(entry.parts("c").map(|parts| parts.digests.len()), Some(0));
        assert_eq!(entry.file("a").and_then(|file| file.blake3), Some([3; 32]));
        assert_eq!((entry.license.as_deref(), entry.signer.as_deref()), (Some("MIT"), Some("s")));
    }
}
