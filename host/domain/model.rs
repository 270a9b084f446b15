//! What is gated: a model, its files as the run lists them, and what the
//! operator's repository says of it.
//!
//! Leaves opening and reading to `model` one floor up.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::digest::{Blake3, Digest, TreeDigest};
use super::parts::Parts;
use super::plugin::PluginId;
use super::text::{self, Backslash};
use super::upstream::Upstream;

/// The name of a model, unique in a run: from its definition, or the path it
/// was found at. Shared by all who name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName(Arc<str>);

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
        Self(name.into())
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
/// Its text is shared by all who name the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Arc<str>);

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
        Self(out.into())
    }

    /// Takes a path in the form that [`FilePath`] writes.
    pub fn from_written(written: String) -> Self {
        Self(written.into())
    }

    /// Takes `written` for a path, if it is in the form that [`FilePath`]
    /// writes and names a file below its model: relative, no empty part, no
    /// `.` and no `..`.
    pub fn parse(written: &str) -> Option<Self> {
        let is_below = written.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let path = Self::from_bytes(&unescape(written)?);
        (is_below && *path.0 == *written).then_some(path)
    }

    /// Returns the raw bytes of the path, as the system knows it.
    pub fn to_bytes(&self) -> Vec<u8> {
        unescape(&self.0).unwrap_or_else(|| self.0.as_bytes().to_vec())
    }

    /// Returns the path in its written form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Undoes what [`FilePath::from_bytes`] writes; none for an escape it does not
/// write.
fn unescape(written: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(written.len());
    let mut rest = written;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.extend_from_slice(plain.as_bytes());
        let mut chars = escape.chars();
        match chars.next()? {
            '\\' => out.push(b'\\'),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'x' => {
                out.push(u8::from_str_radix(escape.get(1..3)?, 16).ok()?);
                chars = escape.get(3..)?.chars();
            }
            'u' => {
                let (hex, after) = escape.strip_prefix("u{")?.split_once('}')?;
                let c = char::from_u32(u32::from_str_radix(hex, 16).ok()?)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                chars = after.chars();
            }
            _ => return None,
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One regular file of a model, as listed and, unless the run is scan-only, hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Where it is in the model.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest; none in a run that computes none.
    pub digest: Option<Digest>,
}

/// What the policy says a model should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Where it comes from, such as `hf:org/name`.
    pub source: Option<String>,
    /// The immutable revision of that source.
    pub revision: Option<String>,
    /// What a person asked for, which may move, such as a tag.
    pub requested: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// The license the operator states, an SPDX expression.
    pub license: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The plugins that must come to a verdict on it, beside those that the
    /// policy requires of every model.
    pub checks: BTreeSet<PluginId>,
    /// The models it was made from, each with its revision: `hf:org/base@<commit>`.
    pub base: Vec<String>,
}

/// Where the policy defines a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinedAt {
    /// The file: `modelhost.toml`, or one of definitions beside it. Its path as
    /// shown to a person, as among the report's inputs.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

/// The entry of one model in the lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockEntry {
    /// Where the model came from when it was locked.
    pub source: Option<String>,
    /// The revision of that source.
    pub revision: Option<String>,
    /// What else is noted of it; no check depends on it.
    pub notes: LockNotes,
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

/// What a lock entry may hold beside the digests: read, and kept when the lock
/// file is written again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockNotes {
    /// What a person asked for, which may move, such as a tag.
    pub requested: Option<String>,
    /// A digest over the tensors alone, whatever file they are in.
    pub tensors: Option<String>,
    /// The license that was concluded.
    pub license: Option<String>,
    /// Whose signature was verified.
    pub signer: Option<String>,
    /// The models it was made from, each with its revision.
    pub base: Vec<String>,
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
    /// A second digest of it, if one was asked for.
    pub blake3: Option<Blake3>,
    /// What its source says of it, if the file was held against that when it
    /// was locked, and agreed.
    pub upstream: Option<Upstream>,
    /// Digests of equal parts of it, if they were asked for.
    pub parts: Option<Parts>,
    /// The line of the lock file it stands on, from 1; 0 for a file that was
    /// not read from one.
    pub line: u32,
}

impl LockedFile {
    /// Makes the locked file at `path`, with its size in bytes and its digest
    /// and nothing else noted of it.
    pub const fn new(path: FilePath, size: u64, digest: Digest) -> Self {
        Self { path, size, digest, blake3: None, upstream: None, parts: None, line: 0 }
    }
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
            assert_eq!(FilePath::parse(expected), Some(FilePath::from_bytes(raw)));
            assert_eq!(FilePath::from_bytes(raw).to_bytes(), raw);
        }
    }

    #[test]
    fn written_paths_have_one_form_and_stay_below() {
        let rows = [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "./a",
            "a/./b",
            "..",
            "../a",
            "a/..",
            "a/../b",
            "a\n",
            "a\u{1b}b",
            "a\\",
            "a\\q",
            "a\\x",
            "a\\x4",
            "a\\xé",
            "a\\x41",
            "a\\x1B",
            "a\\u{41}",
            "a\\u{",
            "a\\u{d800}",
            "a\\u{202E}",
            "a\\u",
            "##[x",
        ];
        for row in rows {
            assert_eq!(FilePath::parse(row), None, "{row:?}");
        }
        for good in ["a", "...", "a/..b", "é/漢.bin", "\\x23#[x"] {
            assert_eq!(FilePath::parse(good).map(|path| path.0), Some(good.into()));
        }
    }
}
