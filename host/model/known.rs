//! Digests that an earlier run computed, by what the system says of a file: device,
//! inode, size, and the times of the last write and the last change, in nanoseconds.
//!
//! Whoever can write to a model's files as they like (over the block device, through
//! a mapping that stays open, with the clock set back) can keep all of these and
//! change the bytes: this is for whoever trusts the machine, and asks for it. Leaves
//! keeping them, and that nobody else wrote them, to `engine::Cache`.
//!
//! # Invariants
//! - A file whose times are less than two seconds before hashing began is not kept: it
//!   could be written again without its times moving.
//! - A digest is of bytes that some run read whole, of a file that was the same when
//!   it was listed and after the last byte was read.

use std::collections::{BTreeMap, HashSet};

use super::handle::FileHandle;
use crate::domain::digest::Digest;
use crate::domain::evidence::Content;

/// How old a file's times must be when hashing begins, in nanoseconds: more than the
/// coarsest that file systems keep them, which is two seconds.
const RACY: i128 = 2_000_000_000;

/// How many digests are kept, those of the latest runs: some 20 MiB of them.
const MAX_ENTRIES: usize = 1 << 18;

/// The bytes of an entry: five numbers, two of them times, a digest, a kind.
const ENTRY: usize = 3 * 8 + 2 * 16 + 32 + 1;

/// Starts the file; the digit is the version of this layout.
const MAGIC: &[u8; 8] = b"MHSTAT1\n";

/// The most bytes that are kept.
pub const MAX_BYTES: u64 = (MAGIC.len() + MAX_ENTRIES * ENTRY) as u64;

/// What the system says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Stat {
    /// Its device and inode.
    pub(super) key: (u64, u64),
    /// Its size in bytes.
    pub(super) size: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub(super) modified: i128,
    /// When it, or what is said of it, last changed, likewise.
    pub(super) changed: i128,
}

/// Digests by what the system says of their files.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Those of the latest runs first.
    entries: Vec<(Stat, Digest, Content)>,
    places: BTreeMap<Stat, usize>,
}

impl Known {
    /// Reads what [`Known::render`] wrote; none where it is something else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let entries = bytes.strip_prefix(MAGIC)?;
        let (entries, rest) = entries.as_chunks::<ENTRY>();
        if !rest.is_empty() || entries.len() > MAX_ENTRIES {
            return None;
        }
        let mut known = Self::default();
        for entry in entries {
            let (stat, digest, content) = parse(entry)?;
            known.add(stat, digest, content);
        }
        Some(known)
    }

    /// Writes the entries.
    pub fn render(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for (stat, digest, content) in self.entries.iter().take(MAX_ENTRIES) {
            for number in [stat.key.0, stat.key.1, stat.size] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            for time in [stat.modified, stat.changed] {
                out.extend_from_slice(&time.to_le_bytes());
            }
            out.extend_from_slice(digest.as_bytes());
            out.push(match content {
                Content::Empty => 0,
                Content::Text => 1,
                Content::LfsPointer => 2,
                Content::Other => 3,
            });
        }
        out
    }

    /// Gives `file` the digest that is known of it, so that it needn't be read for it;
    /// returns whether there is one.
    pub fn give(&self, file: &FileHandle) -> bool {
        let entry = self.places.get(&file.stat()).and_then(|place| self.entries.get(*place));
        match entry {
            Some((_, digest, content)) => {
                file.note_hashed(Ok((*digest, *content)));
                true
            }
            None => false,
        }
    }

    /// Returns what is known after a run that began to hash at `began`, nanoseconds
    /// since 1970: of each of its `files` that it holds a digest of and that is still
    /// what was listed; and what was known before of others.
    pub fn after<'a>(&self, files: impl IntoIterator<Item = &'a FileHandle>, began: i128) -> Self {
        let mut known = Self::default();
        // Of one file there is one entry: the latest.
        let mut seen: HashSet<(u64, u64)> = HashSet::new();
        for file in files {
            let stat = file.stat();
            seen.insert(stat.key);
            let is_racy = stat.modified.max(stat.changed) > began.saturating_sub(RACY);
            let Some(Ok((digest, content))) = file.hashed() else { continue };
            if !is_racy && !file.is_changed() && file.verify().is_ok() {
                known.add(stat, *digest, *content);
            }
        }
        for (stat, digest, content) in &self.entries {
            if !seen.contains(&stat.key) {
                known.add(*stat, *digest, *content);
            }
        }
        known
    }

    fn add(&mut self, stat: Stat, digest: Digest, content: Content) {
        if self.entries.len() < MAX_ENTRIES && !self.places.contains_key(&stat) {
            self.places.insert(stat, self.entries.len());
            self.entries.push((stat, digest, content));
        }
    }
}

fn parse(entry: &[u8; ENTRY]) -> Option<(Stat, Digest, Content)> {
    let number = |at: usize| Some(u64::from_le_bytes(entry.get(at..at + 8)?.try_into().ok()?));
    let time = |at: usize| Some(i128::from_le_bytes(entry.get(at..at + 16)?.try_into().ok()?));
    let stat = Stat {
        key: (number(0)?, number(8)?),
        size: number(16)?,
        modified: time(24)?,
        changed: time(40)?,
    };
    let digest = Digest::from_bytes(entry.get(56..88)?.try_into().ok()?);
    let content = match entry.get(88)? {
        0 => Content::Empty,
        1 => Content::Text,
        2 => Content::LfsPointer,
        3 => Content::Other,
        _ => return None,
    };
    Some((stat, digest, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> (Stat, Digest, Content) {
        let stat = Stat {
            key: (1, number),
            size: number,
            modified: i128::from(number) - 5,
            changed: 1 << 70,
        };
        (stat, Digest::of(&number.to_le_bytes()), Content::Other)
    }

    fn known(numbers: impl IntoIterator<Item = u64>) -> Known {
        let mut known = Known::default();
        for (stat, digest, content) in numbers.into_iter().map(entry) {
            known.add(stat, digest, content);
        }
        known
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        for count in [0, 1, 2, 100] {
            let bytes = known(0..count).render();
            let again = Known::parse(&bytes).expect("it is read");
            assert_eq!(again.entries, known(0..count).entries);
            assert_eq!(again.render(), bytes);
        }
        let good = known(0..2).render();
        let kind = good.len() - 1;
        let mut unknown = good.clone();
        unknown[kind] = 4;
        let rows: [&[u8]; 5] =
            [b"", &good[..kind], &[&good[..], b"x"].concat(), &good[1..], &unknown];
        for row in rows {
            assert!(Known::parse(row).is_none(), "{} bytes", row.len());
        }
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let many = known(0..MAX_ENTRIES as u64 + 10);
        assert_eq!(many.entries.len(), MAX_ENTRIES);
        assert!(many.render().len() as u64 <= MAX_BYTES);
        let more = [many.render(), vec![0; ENTRY]].concat();
        assert!(Known::parse(&more).is_none(), "more than are written");
    }
}
