//! The host's stand-in: the same functions as `guest` offers, over a model in memory,
//! remembering what was read.
//!
//! How such a model is built, and what is refused in an answer, is `testing`'s.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::digest;
use crate::file::{Algorithm, MAX_READ, ReadError};
use crate::model::{Base, Datetime, Definition, Level, LockEntry, LockedFile, LockedParts};
use crate::registry::{RegisteredFile, Registry};

/// How many handles the host lends at a time, the model's own among them.
const MAX_HANDLES: usize = 1_024;

/// What is wrong with a file, for a test of the error paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unreadable,
    Changed,
}

/// A file of the model in memory.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) size: u64,
    /// What stands at which offset, in order and apart; zeros between.
    pub(crate) pieces: Arc<[(u64, Vec<u8>)]>,
    pub(crate) fault: Option<Fault>,
}

impl Content {
    pub(crate) fn new(size: u64, pieces: Vec<(u64, Vec<u8>)>) -> Self {
        Self { size, pieces: pieces.into(), fault: None }
    }

    /// Returns the bytes from `start` to `end`, which lie within the file.
    fn bytes(&self, start: u64, end: u64) -> Vec<u8> {
        let length = usize::try_from(end - start).expect("a block fits in memory");
        let mut bytes = vec![0; length];
        for (at, piece) in self.pieces.iter() {
            let from = start.max(*at);
            let to = end.min(at + piece.len() as u64);
            if from < to {
                let source = &piece[index(from - at)..index(to - at)];
                bytes[index(from - start)..index(to - start)].copy_from_slice(source);
            }
        }
        bytes
    }

    fn check_fault(&self) -> Result<(), ReadError> {
        match self.fault {
            None => Ok(()),
            Some(Fault::Changed) => Err(ReadError::Changed),
            Some(Fault::Unreadable) => Err(ReadError::Io("input/output error".to_owned())),
        }
    }

    fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        if length > MAX_READ {
            return Err(ReadError::OutOfRange);
        }
        self.check_fault()?;
        let end = offset.saturating_add(u64::from(length)).min(self.size);
        Ok(if offset < end { self.bytes(offset, end) } else { Vec::new() })
    }

    pub(crate) fn digest(&self, algorithm: Algorithm, start: u64, end: u64) -> Vec<u8> {
        let step = u64::from(MAX_READ);
        let blocks = (start..end).step_by(index(step));
        let blocks = blocks.map(|at| self.bytes(at, end.min(at.saturating_add(step))));
        digest::compute(algorithm, end - start, blocks)
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("an offset within a block or piece in memory")
}

/// Distinct ranges of bytes: start and end of each, apart from each other.
#[derive(Debug, Default)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    pub(crate) fn insert(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        while let Some((&from, &to)) = self.0.range(..=end).next_back() {
            if to < start {
                break;
            }
            start = start.min(from);
            end = end.max(to);
            self.0.remove(&from);
        }
        self.0.insert(start, end);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|(&start, &end)| (start, end))
    }
}

/// What a check did with the model.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) read: BTreeMap<String, Ranges>,
    pub(crate) log: Vec<(Level, String)>,
}

/// What handles share: the record, and how many of them there are.
#[derive(Default)]
pub(crate) struct Shared {
    record: Mutex<Record>,
    live: AtomicUsize,
}

impl Shared {
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle that counts as long as it lives.
struct Live(Arc<Shared>);

impl Live {
    fn new(shared: &Arc<Shared>) -> Self {
        // The model's own handle is one of them.
        let live = shared.live.fetch_add(1, Ordering::Relaxed) + 2;
        let handle = Self(Arc::clone(shared));
        assert!(
            live <= MAX_HANDLES,
            "the host lends {MAX_HANDLES} handles at a time: drop files before opening more"
        );
        handle
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Copy)]
pub(crate) struct ModelHandle<'a>(pub(crate) &'a super::Model);

impl ModelHandle<'_> {
    pub(crate) fn name(self) -> String {
        self.0.name.clone()
    }

    pub(crate) fn count(self) -> u32 {
        u32::try_from(self.0.files.len()).expect("a model in memory has fewer files")
    }

    pub(crate) fn file(self, index: u32) -> FileHandle {
        let (path, content) =
            self.0.files.iter().nth(index as usize).expect("the host traps past the count");
        FileHandle { path: path.clone(), content: content.clone(), live: Live::new(&self.0.shared) }
    }

    pub(crate) fn definition(self) -> Option<Definition> {
        self.0.definition.clone()
    }

    pub(crate) fn lock(self) -> Option<LockEntry> {
        self.0.lock.clone()
    }

    pub(crate) fn lineage(self) -> Vec<Base> {
        self.0.lineage.clone()
    }

    pub(crate) fn registry(self) -> Option<Registry> {
        self.0.registry.clone()
    }

    pub(crate) fn document(self, name: &str) -> Option<DocumentHandle> {
        let content = self.0.documents.get(name)?.clone();
        Some(DocumentHandle { content, _live: Live::new(&self.0.shared) })
    }

    pub(crate) fn now(self) -> Datetime {
        self.0.now
    }

    pub(crate) fn log(self, level: Level, message: &str) {
        self.0.shared.record().log.push((level, message.to_owned()));
    }
}

pub(crate) struct FileHandle {
    path: String,
    content: Content,
    live: Live,
}

impl FileHandle {
    pub(crate) fn path(&self) -> String {
        self.path.clone()
    }

    pub(crate) fn size(&self) -> u64 {
        self.content.size
    }

    pub(crate) fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        let bytes = self.content.read(offset, length)?;
        self.note(offset, offset.saturating_add(bytes.len() as u64));
        Ok(bytes)
    }

    pub(crate) fn digest(
        &self,
        algorithm: Algorithm,
        range: Option<(u64, u64)>,
    ) -> Result<Vec<u8>, ReadError> {
        let (start, length) = range.unwrap_or((0, self.content.size));
        let end = start.checked_add(length).filter(|end| *end <= self.content.size);
        let end = end.ok_or(ReadError::OutOfRange)?;
        self.content.check_fault()?;
        self.note(start, end);
        Ok(self.content.digest(algorithm, start, end))
    }

    fn note(&self, start: u64, end: u64) {
        self.live.0.record().read.entry(self.path.clone()).or_default().insert(start, end);
    }
}

pub(crate) struct DocumentHandle {
    content: Content,
    _live: Live,
}

impl DocumentHandle {
    pub(crate) fn size(&self) -> u64 {
        self.content.size
    }

    pub(crate) fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        self.content.read(offset, length)
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LockHandle {
    pub(crate) files: Arc<[LockedFile]>,
    /// For each file.
    pub(crate) parts: Arc<[Option<LockedParts>]>,
}

impl LockHandle {
    pub(crate) fn file(&self, index: u32) -> LockedFile {
        self.files.get(index as usize).expect("the host traps past the count").clone()
    }

    pub(crate) fn parts(&self, index: u32) -> Option<LockedParts> {
        self.parts.get(index as usize).expect("the host traps past the count").clone()
    }
}

/// The files of each entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegistryHandle(pub(crate) Arc<[Vec<RegisteredFile>]>);

impl RegistryHandle {
    pub(crate) fn file(&self, entry: u32, index: u32) -> RegisteredFile {
        let files = self.0.get(entry as usize).expect("the host traps past the entries");
        files.get(index as usize).expect("the host traps past the count").clone()
    }
}

impl fmt::Debug for LockHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.files.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Model, bytes_read, ranges_read};

    proptest! {
        #[test]
        fn ranges_are_distinct_and_apart(
            inserted in proptest::collection::vec((0..60_u64, 0..12_u64), 0..30),
        ) {
            let mut ranges = Ranges::default();
            let mut bytes = BTreeSet::new();
            for (start, length) in inserted {
                ranges.insert(start, start + length);
                bytes.extend(start..start + length);
            }
            let found: Vec<_> = ranges.iter().collect();
            prop_assert!(found.iter().all(|(start, end)| start < end));
            prop_assert!(found.windows(2).all(|pair| pair[0].1 < pair[1].0));
            prop_assert!(found.into_iter().flat_map(|(start, end)| start..end).eq(bytes));
        }

        #[test]
        fn sparse_files_read_as_full_ones(
            gaps in proptest::collection::vec((0..9_u64, proptest::collection::vec(1..9_u8, 0..9)), 0..6),
            tail in 0..9_u64,
            offset in 0..120_u64,
            length in 0..120_u32,
        ) {
            let (mut full, mut pieces) = (Vec::new(), Vec::new());
            for (gap, piece) in gaps {
                full.resize(full.len() + usize::try_from(gap).unwrap(), 0);
                pieces.push((full.len() as u64, piece.clone()));
                full.extend(piece);
            }
            full.resize(full.len() + usize::try_from(tail).unwrap(), 0);
            let model = Model::new("m").sparse_file("sparse", full.len() as u64, pieces).file("full", full);
            let (sparse, full) = (model.open("sparse"), model.open("full"));
            prop_assert_eq!(sparse.read(offset, length), full.read(offset, length));
            prop_assert_eq!(sparse.digest(Algorithm::Sha256), full.digest(Algorithm::Sha256));
        }
    }

    #[test]
    fn reads_keep_to_the_contract() {
        let model = Model::new("m").file("f", b"hello");
        let file = model.open("f");
        for (offset, length, expected) in [
            (0, 0, Ok("")),
            (0, 5, Ok("hello")),
            (3, 5, Ok("lo")),
            (5, 5, Ok("")),
            (u64::MAX, MAX_READ, Ok("")),
            (0, MAX_READ, Ok("hello")),
            (0, MAX_READ + 1, Err(ReadError::OutOfRange)),
        ] {
            let expected = expected.map(|text| text.as_bytes().to_vec());
            assert_eq!(file.read(offset, length), expected, "{offset} {length}");
        }
    }

    #[test]
    fn digests_keep_to_the_contract() {
        let model = Model::new("m").file("f", b"hello").file("empty", b"");
        let file = model.open("f");
        let whole = file.digest(Algorithm::Sha256);
        assert_eq!(file.digest_range(Algorithm::Sha256, 0, 5), whole);
        assert_eq!(
            file.digest_range(Algorithm::Sha256, 5, 0),
            model.open("empty").digest(Algorithm::Sha256)
        );
        for (offset, length) in [(0, 6), (6, 0), (5, 1), (u64::MAX, 1), (1, u64::MAX)] {
            let digest = file.digest_range(Algorithm::Sha256, offset, length);
            assert_eq!(digest, Err(ReadError::OutOfRange), "{offset} {length}");
        }
    }

    #[test]
    fn reading_and_digesting_count_once() {
        let model = Model::new("m").file("f", b"hello world").file("g", b"x");
        let file = model.open("f");
        file.read(2, 2).unwrap();
        file.read(2, 3).unwrap();
        file.digest_range(Algorithm::Blake3, 8, 1).unwrap();
        file.read(99, 1).unwrap();
        assert_eq!(ranges_read(&model, "f"), [(2, 5), (8, 9)]);
        assert_eq!(bytes_read(&model, "f"), 4);
        file.digest(Algorithm::GitBlobSha1).unwrap();
        assert_eq!(ranges_read(&model, "f"), [(0, 11)]);
        assert_eq!(bytes_read(&model, "g"), 0);
    }

    #[test]
    fn faults_fail_each_read_and_count_nothing() {
        let model = Model::new("m").file("u", "1").file("c", "2").document("d", "3");
        let model = model.unreadable("u").changed("c").unreadable_document("d");
        let io = ReadError::Io("input/output error".to_owned());
        for (path, error) in [("u", io.clone()), ("c", ReadError::Changed)] {
            let file = model.open(path);
            assert_eq!(file.read(0, 1), Err(error.clone()));
            assert_eq!(file.read_all(9), Err(error.clone()));
            assert_eq!(file.digest(Algorithm::Sha256), Err(error.clone()));
            assert_eq!(file.digest_range(Algorithm::Sha256, 0, 1), Err(error));
            assert_eq!((file.size(), bytes_read(&model, path)), (1, 0));
        }
        assert_eq!(model.view().document("d").unwrap().read(0, 1), Err(io));
    }

    #[test]
    fn handles_are_lent_up_to_a_bound() {
        let model = (0..1_100).fold(Model::new("m"), |model, n| model.file(format!("{n}"), ""));
        assert_eq!(model.view().files().filter(|file| file.size() == 0).count(), 1_100);
        let held: Vec<_> = model.view().files().take(MAX_HANDLES - 1).collect();
        let model = std::panic::AssertUnwindSafe(&model);
        assert!(std::panic::catch_unwind(|| drop(model.open("0"))).is_err());
        drop(held);
        drop(model.open("0"));
    }
}
