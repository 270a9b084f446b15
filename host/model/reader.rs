//! Reads files for one task, in whole chunks, and keeps the digest of each:
//! `ChunkReader`.
//!
//! Leaves holding what one task read against what others did to `chunk`.
//!
//! # Invariants
//! - What a guest gets, or what a digest is computed of, comes from a buffer
//!   whose chunks were digested in that buffer.
//! - Nothing is mapped: a file that is cut short is an error, not a signal.

use std::collections::{BTreeMap, VecDeque};

use super::chunk::{ChunkDigest, ChunkKey, chunk_size};
use super::digest::{CHUNK, Unfinished};
use super::handle::{FileHandle, ReadError};

/// How many chunks are kept that a guest reads on in: at most 8 MiB.
const HELD: usize = 8;

/// What a task read: for each file of its view, by its place, and each chunk
/// the digest; none where it was not the same twice, or could not be had whole.
pub(crate) type ChunkLog = BTreeMap<(u32, u64), Option<ChunkDigest>>;

/// Reads files for one task.
#[derive(Debug)]
pub(crate) struct ChunkReader {
    key: ChunkKey,
    held: VecDeque<Held>,
    log: ChunkLog,
}

/// A chunk that was read.
#[derive(Debug)]
struct Held {
    file: u32,
    chunk: u64,
    bytes: Vec<u8>,
}

impl ChunkReader {
    /// Makes a reader that digests under `key`.
    pub(crate) const fn new(key: ChunkKey) -> Self {
        Self { key, held: VecDeque::new(), log: ChunkLog::new() }
    }

    /// Returns what was read.
    pub(crate) fn into_log(self) -> ChunkLog {
        self.log
    }

    /// Reads `length` bytes from `offset` of `file`, the one at `place` in the
    /// view, or as many as it has from there. The caller bounds `length`.
    ///
    /// # Errors
    /// Says that the file changed or can't be read.
    pub(crate) fn read(
        &mut self,
        place: u32,
        file: &FileHandle,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, ReadError> {
        let left = usize::try_from(file.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(left);
        let end = offset.checked_add(length as u64).ok_or(ReadError::OutOfRange)?;
        if end > file.size() {
            return Err(ReadError::OutOfRange);
        }
        if length == 0 {
            return Ok(Vec::new());
        }
        let size = chunk_size(file.size());
        let (first, last) = (offset / size, (end - 1) / size);
        let start = first * size;
        let skip = within(offset - start);
        if first == last
            && let Some(bytes) = self.held(place, first)
        {
            return Ok(bytes[skip..skip + length].to_vec());
        }
        let stop = (last * size).saturating_add(size).min(file.size());
        let mut bytes = vec![0; within(stop - start)];
        self.take_in(place, file, first, &mut bytes)?;
        if end < stop || first == last {
            // The guest is likely to read on in it.
            self.hold(place, last, &bytes[within(last * size - start)..]);
        }
        bytes.truncate(skip + length);
        bytes.drain(..skip);
        Ok(bytes)
    }

    /// Hands `length` bytes from `offset` of `file`, the one at `place` in the
    /// view, to `take`, in order, until it says stop.
    ///
    /// # Errors
    /// Says that the range is not in the file, that the bytes could not be had,
    /// or that `take` said stop.
    pub(crate) fn each(
        &mut self,
        place: u32,
        file: &FileHandle,
        offset: u64,
        length: u64,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), Unfinished> {
        let end = offset.checked_add(length).ok_or(ReadError::OutOfRange)?;
        if end > file.size() {
            return Err(ReadError::OutOfRange.into());
        }
        if length == 0 {
            return Ok(());
        }
        let size = chunk_size(file.size());
        let step = size.max(CHUNK as u64);
        let mut start = offset / size * size;
        let mut buffer = Vec::new();
        while start < end {
            // To the end of the last chunk that is touched, not to `end`.
            let wanted = start.saturating_add(step).min(end.next_multiple_of(size));
            let stop = wanted.min(file.size());
            buffer.resize(within(stop - start), 0);
            self.take_in(place, file, start / size, &mut buffer)?;
            let (from, to) = (offset.max(start), end.min(stop));
            if !take(&buffer[within(from - start)..within(to - start)]) {
                return Err(Unfinished::Stopped);
            }
            start = stop;
        }
        Ok(())
    }

    /// Fills `bytes` with whole chunks from `first` on, and notes each.
    fn take_in(
        &mut self,
        place: u32,
        file: &FileHandle,
        first: u64,
        bytes: &mut [u8],
    ) -> Result<(), ReadError> {
        let size = chunk_size(file.size());
        match file.read_exact(first * size, bytes) {
            Ok(()) => {}
            Err(ReadError::Changed) => {
                self.log.insert((place, first), None);
                return Err(ReadError::Changed);
            }
            Err(error) => return Err(error),
        }
        let mut same = true;
        for (chunk, bytes) in (first..).zip(bytes.chunks(within(size))) {
            let digest = Some(self.key.digest(bytes));
            let noted = self.log.entry((place, chunk)).or_insert(digest);
            if *noted != digest {
                *noted = None;
                same = false;
            }
        }
        if same { Ok(()) } else { Err(ReadError::Changed) }
    }

    fn held(&self, file: u32, chunk: u64) -> Option<&[u8]> {
        let held = self.held.iter().find(|held| (held.file, held.chunk) == (file, chunk))?;
        Some(&held.bytes)
    }

    fn hold(&mut self, file: u32, chunk: u64, bytes: &[u8]) {
        let oldest = if self.held.len() >= HELD { self.held.pop_front() } else { None };
        let mut buffer = oldest.map(|held| held.bytes).unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        self.held.push_back(Held { file, chunk, bytes: buffer });
    }
}

/// Takes a length within one read for a length in memory.
fn within(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::os::unix::fs::FileExt as _;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::model::FilePath;
    use crate::model::Descriptors;

    #[derive(Debug)]
    struct One(Arc<File>);

    impl Descriptors for One {
        fn descriptor(&self, _: u32) -> Result<Arc<File>, ReadError> {
            Ok(Arc::clone(&self.0))
        }
    }

    /// A file that is a few chunks long, its handle, and its bytes.
    fn file(size: usize) -> (Arc<File>, FileHandle, Vec<u8>) {
        let bytes: Vec<u8> =
            (0..size).map(|at| u8::try_from(at * 31 % 251).expect("small")).collect();
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&bytes).expect("written");
        let file = Arc::new(file);
        let from: Arc<dyn Descriptors> = Arc::new(One(Arc::clone(&file)));
        let handle = FileHandle::handed(&from, 0, FilePath::from_bytes(b"f"), size as u64);
        (file, handle, bytes)
    }

    fn reader() -> ChunkReader {
        ChunkReader::new(ChunkKey::from_bytes([3; 16]))
    }

    const SIZE: usize = (200 << 10) + 17;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn reads_what_is_there(reads in prop::collection::vec((0..SIZE as u64 + 9, 0..SIZE + 9), 1..20)) {
            let (_file, handle, bytes) = file(SIZE);
            let mut reader = reader();
            for (offset, length) in reads {
                let read = reader.read(0, &handle, offset, length);
                if offset > SIZE as u64 {
                    prop_assert_eq!(read, Err(ReadError::OutOfRange));
                } else {
                    let start = usize::try_from(offset).expect("small");
                    prop_assert_eq!(read.expect("read"), &bytes[start..SIZE.min(start + length)]);
                }
                let whole = SIZE as u64;
                let mut got = Vec::new();
                let walked = reader.each(0, &handle, offset, length as u64, &mut |part| {
                    got.extend_from_slice(part);
                    true
                });
                if offset + length as u64 > whole {
                    prop_assert_eq!(walked, Err(Unfinished::Read(ReadError::OutOfRange)));
                } else {
                    prop_assert_eq!(walked, Ok(()));
                    let start = usize::try_from(offset).expect("small");
                    prop_assert_eq!(&got, &bytes[start..start + length]);
                }
            }
            let key = ChunkKey::from_bytes([3; 16]);
            for ((_, chunk), digest) in reader.into_log() {
                let start = usize::try_from(chunk).expect("small") << 16;
                let end = SIZE.min(start + (1 << 16));
                prop_assert_eq!(digest, Some(key.digest(&bytes[start..end])));
            }
        }
    }

    #[test]
    fn one_chunk_read_twice_is_one_chunk_or_has_changed() {
        let (file, handle, bytes) = file(SIZE);
        let mut reader = reader();
        assert_eq!(reader.read(0, &handle, 5, 10).expect("read"), &bytes[5..15]);
        file.write_all_at(b"another", 5).expect("written");
        // What is held is what was digested.
        assert_eq!(reader.read(0, &handle, 5, 10).expect("read"), &bytes[5..15]);
        // Read again, it is another.
        assert_eq!(reader.read(0, &handle, 0, 1 << 17), Err(ReadError::Changed));
        let log = reader.into_log();
        assert_eq!(log[&(0, 0)], None);
        assert!(log[&(0, 1)].is_some());
    }

    #[test]
    fn a_file_cut_short_has_changed() {
        let (file, handle, _) = file(SIZE);
        let mut reader = reader();
        file.set_len(70_000).expect("cut");
        assert!(reader.read(0, &handle, 0, 9).is_ok());
        assert_eq!(reader.read(0, &handle, 66_000, 9), Err(ReadError::Changed));
        assert_eq!(reader.into_log()[&(0, 1)], None);
    }
}
