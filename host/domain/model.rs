//! What is gated: a model, its files as the run lists them, and what the
//! operator's repository says of it.
//!
//! Leaves opening and reading to `model` one floor up.

use std::fmt;

use super::digest::{Digest, TreeDigest};
use super::text::{self, Backslash};

/// The name of a model, unique in a run: from its definition, or the path it
/// was found at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName(String);

impl ModelName {
    /// Makes a name, with characters that could act written out, at most 255
    /// bytes of it.
    pub fn new(raw: &str) -> Self {
        let mut name = text::escape(raw, Backslash::Kept);
        let mut end = name.len().min(255);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        Self(name)
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of a file relative to its model, `/`-separated, always printable:
/// bytes that are not UTF-8 and control characters are written `\xHH`, invisible
/// characters `\u{…}`, a backslash `\\`. So no two files of a model share one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

impl FilePath {
    /// Makes a path from the raw bytes of its names, joined by `/`.
    pub fn from_bytes(raw: &[u8]) -> Self {
        let mut out = String::with_capacity(raw.len());
        for chunk in raw.utf8_chunks() {
            out.push_str(&text::escape(chunk.valid(), Backslash::Doubled));
            for byte in chunk.invalid() {
                text::push_byte(&mut out, u32::from(*byte));
            }
        }
        Self(out)
    }

    /// Takes a path in the form that [`FilePath`] writes.
    pub fn from_written(written: String) -> Self {
        Self(written)
    }

    /// Returns the path in its written form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One regular file of a model, as listed and hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Where it is in the model.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}

/// What the policy says a model should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Where it comes from, such as `hf:org/name`.
    pub source: Option<String>,
    /// The immutable revision of that source.
    pub revision: Option<String>,
    /// The license the operator states, an SPDX expression.
    pub license: Option<String>,
}

/// The entry of one model in the lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockEntry {
    /// Where the model came from when it was locked.
    pub source: Option<String>,
    /// The revision of that source.
    pub revision: Option<String>,
    /// The digest over all files.
    pub tree: TreeDigest,
    /// The line of the lock file the entry starts at, from 1.
    pub line: u32,
    /// The files, sorted by path.
    pub files: Vec<LockedFile>,
}

impl LockEntry {
    /// Returns the locked file at `path`.
    pub fn file(&self, path: &FilePath) -> Option<&LockedFile> {
        let index = self.files.binary_search_by(|file| file.path.cmp(path)).ok()?;
        self.files.get(index)
    }
}

/// One file in a lock entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedFile {
    /// Where it is in the model.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
    /// The line of the lock file it stands on, from 1.
    pub line: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_printable_and_distinct() {
        let rows: [(&[u8], &str); 6] = [
            (b"a/b.bin", "a/b.bin"),
            (b"a\xff", "a\\xff"),
            (b"a\\xff", "a\\\\xff"),
            (b"a\nb", "a\\nb"),
            (b"\x1b[2J", "\\x1b[2J"),
            ("é\u{202e}".as_bytes(), "é\\u{202e}"),
        ];
        for (raw, expected) in rows {
            assert_eq!(FilePath::from_bytes(raw).as_str(), expected);
        }
    }
}
