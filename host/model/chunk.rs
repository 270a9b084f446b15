//! Chunks of a file and their keyed digests: what shows that all who read a
//! file read the same bytes.
//!
//! A SHA-256 says what the digest pass read, and nothing of what a plugin was
//! handed a moment later. So whoever reads for a plugin reads whole chunks,
//! digests each as it came, and tells the digests; `Ledger` holds them
//! against each other and against those of the digest pass.
//!
//! The digest is POLYVAL under a random key: for two chunks that differ, chosen
//! by whoever does not know the key, it is the same with a probability of at
//! most 2^-112 (RFC 8452, appendix A: the number of blocks, 2^16, over 2^128).
//! Measured on two cores of an AMD EPYC, over chunks of 64 KiB: POLYVAL
//! 5.7 GiB/s, BLAKE3 2.7, Poly1305 3.3, XXH3-128 23; the last has collisions
//! whatever the seed.
//!
//! Leaves reading to `reader` and `digest`.
//!
//! # Invariants
//! - The key is never handed to a guest, nor is a digest under it: a guest that
//!   knew them could tell a writer which bytes to write.

use std::collections::BTreeMap;
use std::fmt;

use polyval::Polyval;
use polyval::universal_hash::UniversalHash as _;

/// The smallest chunk: one read of a few bytes costs no more than this.
const MIN_CHUNK: u64 = 64 << 10;

/// The largest chunk: as much as a guest reads at once.
const MAX_CHUNK: u64 = 1 << 20;

/// How many chunks a file has until chunks have grown to the largest: 256 KiB
/// of digests.
const CHUNKS: u64 = 16384;

/// Returns the length of the chunks of a file of `size` bytes: a power of two.
/// The last chunk may be shorter.
pub(crate) fn chunk_size(size: u64) -> u64 {
    (size / CHUNKS).clamp(MIN_CHUNK, MAX_CHUNK).next_power_of_two()
}

/// Returns how many chunks a file of `size` bytes has.
pub(crate) fn chunks(size: u64) -> u64 {
    size.div_ceil(chunk_size(size))
}

/// What chunks are digested under: random, and of one run.
#[derive(Clone, Copy)]
pub struct ChunkKey([u8; 16]);

impl ChunkKey {
    /// Makes a key.
    ///
    /// # Errors
    /// Says that the system gave no randomness.
    pub fn random() -> std::io::Result<Self> {
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self(key))
    }

    /// Takes a key that another process made.
    pub(crate) const fn from_bytes(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// Returns the key, for another process.
    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Digests one whole chunk. Chunks of one place in one file have one length,
    /// so that padding makes no two of them alike.
    pub(crate) fn digest(&self, chunk: &[u8]) -> ChunkDigest {
        let mut state = Polyval::new(&self.0.into());
        state.update_padded(chunk);
        ChunkDigest(state.finalize().into())
    }
}

impl fmt::Debug for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkKey")
    }
}

/// The digest of a chunk under the run's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkDigest(pub(crate) [u8; 16]);

/// What was read of one file, by whoever read it: the first digest of each chunk
/// that was told, and the first chunk of which another was told.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    noted: Noted,
    differs: Option<u64>,
}

/// The first digests told.
#[derive(Debug, Default)]
enum Noted {
    #[default]
    Nothing,
    /// Of a file that is one chunk.
    Only(ChunkDigest),
    /// Of some chunks.
    Some(BTreeMap<u64, ChunkDigest>),
    /// Of all of them, by the digest pass.
    All(Box<[ChunkDigest]>),
}

impl Ledger {
    /// Returns the lowest chunk that was not the same for all who read it.
    pub(super) const fn differs(&self) -> Option<u64> {
        self.differs
    }

    /// Takes in that somebody read `chunk`, one of `chunks`, and what they read;
    /// none where it was not the same twice, or could not be had whole.
    pub(super) fn note(&mut self, chunks: u64, chunk: u64, digest: Option<ChunkDigest>) {
        let Some(digest) = digest else { return self.differ(chunk) };
        let known = match &mut self.noted {
            noted @ Noted::Nothing if chunks == 1 => {
                *noted = Noted::Only(digest);
                digest
            }
            noted @ Noted::Nothing => {
                *noted = Noted::Some(BTreeMap::from([(chunk, digest)]));
                digest
            }
            Noted::Only(known) => *known,
            Noted::Some(some) => *some.entry(chunk).or_insert(digest),
            Noted::All(all) => {
                let known = usize::try_from(chunk).ok().and_then(|chunk| all.get(chunk));
                // A chunk past the last is none of this file.
                let Some(known) = known else { return self.differ(chunk) };
                *known
            }
        };
        if known != digest {
            self.differ(chunk);
        }
    }

    /// Takes in that somebody read the whole file, one digest a chunk.
    pub(super) fn note_all(&mut self, all: Vec<ChunkDigest>) {
        let noted = match <[ChunkDigest; 1]>::try_from(all) {
            Ok([only]) => Noted::Only(only),
            Err(all) => Noted::All(all.into()),
        };
        let before = std::mem::replace(&mut self.noted, noted);
        let chunks = match &self.noted {
            Noted::All(all) => all.len() as u64,
            _ => 1,
        };
        match before {
            Noted::Nothing => {}
            Noted::Only(digest) => self.note(chunks, 0, Some(digest)),
            Noted::Some(some) => {
                some.into_iter().for_each(|(chunk, digest)| self.note(chunks, chunk, Some(digest)));
            }
            Noted::All(all) => {
                for (chunk, digest) in (0..).zip(all) {
                    self.note(chunks, chunk, Some(digest));
                }
            }
        }
    }

    fn differ(&mut self, chunk: u64) {
        self.differs = Some(self.differs.map_or(chunk, |lowest| lowest.min(chunk)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> ChunkDigest {
        ChunkDigest([byte; 16])
    }

    #[test]
    fn chunks_grow_with_the_file_within_bounds() {
        let (kib, mib, gib) = (1_u64 << 10, 1_u64 << 20, 1_u64 << 30);
        let rows = [
            (0, 64 * kib, 0),
            (1, 64 * kib, 1),
            (64 * kib, 64 * kib, 1),
            (64 * kib + 1, 64 * kib, 2),
            (gib, 64 * kib, 16384),
            (gib + 16384, 128 * kib, 8193),
            (3 * gib, 256 * kib, 12288),
            (16 * gib, mib, 16384),
            (1 << 40, mib, 1 << 20),
            (u64::MAX, mib, 1 << 44),
        ];
        for (size, length, count) in rows {
            assert_eq!((chunk_size(size), chunks(size)), (length, count), "{size}");
        }
    }

    #[test]
    fn digests_differ_with_the_bytes_and_the_key() {
        let (one, two) = (ChunkKey([1; 16]), ChunkKey([2; 16]));
        assert_eq!(one.digest(b"abc"), one.digest(b"abc"));
        assert_ne!(one.digest(b"abc"), one.digest(b"abd"));
        assert_ne!(one.digest(b"abc"), two.digest(b"abc"));
        let mut long = vec![7; 1 << 16];
        let before = one.digest(&long);
        for at in [0, 1, 15, 16, 40_000, (1 << 16) - 1] {
            long[at] ^= 1;
            assert_ne!(one.digest(&long), before, "{at}");
            long[at] ^= 1;
        }
        assert_eq!(format!("{one:?}"), "ChunkKey", "the key is not shown");
    }

    /// RFC 8452, appendix A: the key and the result of the worked example.
    #[test]
    fn is_polyval() {
        let from_hex = |text: &str| -> [u8; 16] {
            std::array::from_fn(|at| {
                u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex")
            })
        };
        let key = ChunkKey(from_hex("25629347589242761d31f826ba4b757b"));
        let blocks = [
            from_hex("4f4f95668c83dfb6401762bb2d01a262"),
            from_hex("d1a24ddd2721d006bbe45f20d3c9f362"),
        ];
        let expected = ChunkDigest(from_hex("f7a3b47b846119fae5b7866cf5e5b77e"));
        assert_eq!(key.digest(&blocks.concat()), expected);
    }

    #[test]
    fn any_order_of_readers_tells_a_difference() {
        let all = || (0..3).map(digest).collect::<Vec<_>>();
        // Tasks, then the digest pass.
        let mut ledger = Ledger::default();
        ledger.note(3, 2, Some(digest(2)));
        ledger.note(3, 1, Some(digest(9)));
        assert_eq!(ledger.differs(), None);
        ledger.note_all(all());
        assert_eq!(ledger.differs(), Some(1));
        // The digest pass, then tasks.
        let mut ledger = Ledger::default();
        ledger.note_all(all());
        ledger.note(3, 0, Some(digest(0)));
        assert_eq!(ledger.differs(), None);
        ledger.note(3, 2, Some(digest(0)));
        ledger.note(3, 0, Some(digest(9)));
        assert_eq!(ledger.differs(), Some(0), "the lowest");
        // Two tasks, no digest pass.
        let mut ledger = Ledger::default();
        ledger.note(3, 1, Some(digest(1)));
        ledger.note(3, 1, Some(digest(1)));
        assert_eq!(ledger.differs(), None);
        ledger.note(3, 1, Some(digest(2)));
        assert_eq!(ledger.differs(), Some(1));
        // One that could not be had whole.
        let mut ledger = Ledger::default();
        ledger.note(3, 1, None);
        assert_eq!(ledger.differs(), Some(1));
    }

    #[test]
    fn one_chunk_is_enough() {
        for pass_first in [true, false] {
            for same in [true, false] {
                let mut ledger = Ledger::default();
                let other = digest(if same { 1 } else { 2 });
                if pass_first {
                    ledger.note_all(vec![digest(1)]);
                    ledger.note(1, 0, Some(other));
                } else {
                    ledger.note(1, 0, Some(other));
                    ledger.note_all(vec![digest(1)]);
                }
                assert_eq!(ledger.differs(), (!same).then_some(0));
            }
        }
        let mut ledger = Ledger::default();
        ledger.note_all(Vec::new());
        assert_eq!(ledger.differs(), None);
        ledger.note(0, 5, Some(digest(1)));
        assert_eq!(ledger.differs(), Some(5), "an empty file has no chunk");
    }
}
