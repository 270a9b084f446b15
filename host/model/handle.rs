//! Bounded reads of one file: [`FileHandle`], and the [`Pool`] of descriptors
//! behind all of them.
//!
//! Leaves hashing to `digest`.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use cap_std::fs::{OpenOptions, OpenOptionsExt as _};

use super::chunk::{self, ChunkDigest, Ledger};
use super::digest::Algorithm;
use super::known::Stat;
use super::open::Root;
use crate::domain::digest::Digest;
use crate::domain::evidence::Content;
use crate::domain::model::FilePath;

/// How many descriptors of model files are open at once. Below the usual bound
/// of 1,024 a process, and enough that a folder of some hundred files is opened
/// once.
const OPEN_FILES: usize = 640;

/// Why bytes of a file could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The range does not lie within the file.
    #[error("the range does not lie within the file")]
    OutOfRange,
    /// It is not the file that was listed any more.
    #[error("the file changed during the run")]
    Changed,
    /// The system could not read it.
    #[error("the file can't be read: {0}")]
    Io(String),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind().to_string())
    }
}

/// What makes a file the same file: compared whenever it is opened again, and
/// at the end of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds, and nanoseconds of one.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    /// Opens the regular file at `place` below `root`, without waiting for the
    /// other end of a pipe, and reads what it is.
    pub(super) fn open(root: &Root, place: &Path) -> io::Result<(File, Self)> {
        let mut options = OpenOptions::new();
        options.read(true);
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        let file = root.dir.open_with(place, &options)?.into_std();
        let stat = rustix::fs::fstat(&file)?;
        if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let identity = Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(i64::MAX)),
            changed: (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or(i64::MAX)),
        };
        Ok((file, identity))
    }

    pub(super) const fn key(&self) -> Key {
        (self.device, self.inode)
    }
}

/// Gives the descriptors of files that this process can't open itself.
pub(crate) trait Descriptors: fmt::Debug + Send + Sync {
    /// Returns the descriptor of the file at `index` in the view.
    fn descriptor(&self, index: u32) -> Result<Arc<File>, ReadError>;
}

/// Where the bytes of a file come from.
#[derive(Debug)]
enum Source {
    /// A folder that this process opened.
    Listed {
        root: Arc<Root>,
        pool: Arc<Pool>,
        /// Where it is below `root`; none where its path says so.
        place: Option<Box<Path>>,
    },
    /// Another process, which listed it.
    Handed { from: Arc<dyn Descriptors>, index: u32 },
}

/// A read-only handle to one regular file, which no path can be got from.
#[derive(Debug)]
pub struct FileHandle {
    source: Source,
    path: FilePath,
    identity: Identity,
    changed: OnceLock<()>,
    ledger: Mutex<Ledger>,
    pub(super) hashed: OnceLock<Result<(Digest, Content), ReadError>>,
    /// What `digest::look` found, in a run that computes no digests.
    pub(super) content: OnceLock<Result<Content, ReadError>>,
    pub(super) digests: Mutex<BTreeMap<Algorithm, Vec<u8>>>,
}

impl FileHandle {
    pub(super) fn new(
        root: &Arc<Root>,
        pool: &Arc<Pool>,
        place: &Path,
        path: FilePath,
        identity: Identity,
        file: File,
    ) -> Self {
        let told = root.base.join(path.as_str()) == place;
        let place = (!told).then(|| place.into());
        let source = Source::Listed { root: Arc::clone(root), pool: Arc::clone(pool), place };
        pool.put(identity.key(), Arc::new(file));
        Self::over(source, path, identity)
    }

    /// Makes a handle to the file at `index` in a view that another process
    /// listed, of `size` bytes, whose descriptor is had `from` there.
    pub(crate) fn handed(
        from: &Arc<dyn Descriptors>,
        index: u32,
        path: FilePath,
        size: u64,
    ) -> Self {
        let identity = Identity {
            device: 0,
            inode: u64::from(index),
            size,
            modified: (0, 0),
            changed: (0, 0),
        };
        Self::over(Source::Handed { from: Arc::clone(from), index }, path, identity)
    }

    fn over(source: Source, path: FilePath, identity: Identity) -> Self {
        Self {
            source,
            path,
            identity,
            changed: OnceLock::new(),
            ledger: Mutex::default(),
            hashed: OnceLock::new(),
            content: OnceLock::new(),
            digests: Mutex::new(BTreeMap::new()),
        }
    }

    /// Notes what another process found of the file's digest and content.
    pub(crate) fn note_hashed(&self, hashed: Result<(Digest, Content), ReadError>) {
        let _ = self.hashed.set(hashed);
    }

    /// Returns what the system said of it when it was listed.
    pub(super) fn stat(&self) -> Stat {
        let nanoseconds =
            |(seconds, more): (i64, i64)| i128::from(seconds) * 1_000_000_000 + i128::from(more);
        Stat {
            key: self.identity.key(),
            size: self.identity.size,
            modified: nanoseconds(self.identity.modified),
            changed: nanoseconds(self.identity.changed),
        }
    }

    /// Returns its path in the model.
    pub const fn path(&self) -> &FilePath {
        &self.path
    }

    /// Returns its size in bytes, fixed for the run.
    pub const fn size(&self) -> u64 {
        self.identity.size
    }

    /// Reads `length` bytes from `offset`, or as many as the file has from
    /// there. The caller bounds `length`. For a task, `reader` reads.
    ///
    /// # Errors
    /// Says that the file changed or can't be read.
    pub fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let left = usize::try_from(self.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(left)];
        self.read_exact(offset, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `bytes` from `offset`; the range must lie within the file.
    ///
    /// # Errors
    /// Says that it doesn't, that the file changed or can't be read.
    pub fn read_exact(&self, offset: u64, bytes: &mut [u8]) -> Result<(), ReadError> {
        let end = offset.checked_add(bytes.len() as u64).ok_or(ReadError::OutOfRange)?;
        if end > self.size() {
            return Err(ReadError::OutOfRange);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let file = self.file()?;
        match file.read_exact_at(bytes, offset) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.mark_changed()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that it has no byte beyond its size: it may have grown, or the
    /// system may not know its size.
    pub(super) fn ends(&self) -> Result<(), ReadError> {
        match self.file()?.read_at(&mut [0], self.size())? {
            0 => Ok(()),
            _ => Err(self.mark_changed()),
        }
    }

    /// Returns the digest and the kind of content, once `digest::hash` has run.
    pub fn hashed(&self) -> Option<&Result<(Digest, Content), ReadError>> {
        self.hashed.get()
    }

    /// Returns the kind of content, and the digest where it was computed, once
    /// `digest::hash` or `digest::look` has run.
    pub(crate) fn seen(&self) -> Option<Result<(Option<Digest>, Content), &ReadError>> {
        let hashed = self.hashed.get().map(|hashed| match hashed {
            Ok((digest, content)) => Ok((Some(*digest), *content)),
            Err(error) => Err(error),
        });
        hashed.or_else(|| {
            self.content.get().map(|content| match content {
                Ok(content) => Ok((None, *content)),
                Err(error) => Err(error),
            })
        })
    }

    /// Returns whether the file was found to be another than the one listed, or
    /// not the same for all who read it.
    pub fn is_changed(&self) -> bool {
        self.changed.get().is_some() || self.ledger().differs().is_some()
    }

    /// Returns the first bytes, from and to, that were not the same for all who
    /// read them.
    pub fn differs(&self) -> Option<(u64, u64)> {
        let length = chunk::chunk_size(self.size());
        let start = self.ledger().differs()?.saturating_mul(length);
        Some((start, start.saturating_add(length).min(self.size())))
    }

    /// Takes in that a task read `chunk`, and the digest of what it read; none
    /// where that was not the same twice, or could not be had whole.
    pub(crate) fn note_chunk(&self, chunk: u64, digest: Option<ChunkDigest>) {
        self.ledger().note(chunk::chunks(self.size()), chunk, digest);
    }

    /// Takes in that the digest pass read the whole file, one digest a chunk.
    pub(super) fn note_chunks(&self, all: Vec<ChunkDigest>) {
        self.ledger().note_all(all);
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the path again and compares what is there with what was listed.
    ///
    /// # Errors
    /// Says that it changed, or vanished.
    pub fn verify(&self) -> Result<(), ReadError> {
        let Source::Listed { root, place, .. } = &self.source else {
            return Ok(()); // whoever listed it verifies it
        };
        match Identity::open(root, &self.place(root, place)) {
            Ok((_, identity)) if identity == self.identity => Ok(()),
            _ => Err(self.mark_changed()),
        }
    }

    /// Returns a descriptor of the file as it was listed.
    pub(crate) fn file(&self) -> Result<Arc<File>, ReadError> {
        let (root, pool, place) = match &self.source {
            Source::Listed { root, pool, place } => (root, pool, place),
            Source::Handed { from, index } => return from.descriptor(*index),
        };
        let key = self.identity.key();
        if let Some(file) = pool.get(key) {
            return Ok(file);
        }
        match Identity::open(root, &self.place(root, place)) {
            Ok((file, identity)) if identity == self.identity => {
                let file = Arc::new(file);
                pool.put(key, Arc::clone(&file));
                Ok(file)
            }
            Ok(_) => Err(self.mark_changed()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.mark_changed()),
            Err(error) => Err(error.into()),
        }
    }

    fn place<'a>(&self, root: &Root, place: &'a Option<Box<Path>>) -> Cow<'a, Path> {
        match place {
            Some(place) => Cow::Borrowed(place),
            None => Cow::Owned(root.base.join(self.path.as_str())),
        }
    }

    fn mark_changed(&self) -> ReadError {
        let _ = self.changed.set(());
        ReadError::Changed
    }
}

/// The descriptors of model files that are open, a bounded number; the
/// one used longest ago is closed first.
#[derive(Debug, Default)]
pub struct Pool {
    open: Mutex<VecDeque<(Key, Arc<File>)>>,
}

/// What a file is known by in the pool: device and inode.
type Key = (u64, u64);

impl Pool {
    fn get(&self, key: Key) -> Option<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let index = open.iter().rposition(|(other, _)| *other == key)?;
        let entry = open.remove(index)?;
        let file = Arc::clone(&entry.1);
        open.push_back(entry);
        Some(file)
    }

    fn put(&self, key: Key, file: Arc<File>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while open.len() >= OPEN_FILES {
            open.pop_front();
        }
        open.push_back((key, file));
    }
}
