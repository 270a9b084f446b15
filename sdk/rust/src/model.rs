//! What a check is shown: the model, its files, the definition and the lock entry, the
//! operator's documents, the date.
//!
//! In a component these are handles to the host's, natively they stand on
//! `testing`'s model in memory; which of the two it is stays in `backend`. Streams over
//! a file are in `reader`.

use std::{fmt, io};

use crate::backend::{DocumentHandle, FileHandle, LockHandle, ModelHandle};
use crate::finding::Failure;
use crate::reader::Reader;

/// How many bytes one read may ask for, as the contract says: 1 MiB.
pub const MAX_READ: u32 = 1_048_576;

/// Is the model that is checked, lent for the length of the call.
///
/// It shows the files that this task may see: all that match the manifest's globs for
/// scope "model", one of them for scope "file".
#[derive(Clone, Copy)]
pub struct Model<'a> {
    handle: ModelHandle<'a>,
}

impl<'a> Model<'a> {
    pub(crate) fn new(handle: ModelHandle<'a>) -> Self {
        Self { handle }
    }
}

impl Model<'_> {
    /// Returns the model's name in the policy, or else the name of its folder or file.
    #[must_use]
    pub fn name(&self) -> String {
        self.handle.name()
    }

    /// Returns the files, in the order of their paths' bytes.
    ///
    /// Each is opened as the iterator gets there. The host lends 1,024 handles at a time,
    /// so look at one file after the other rather than collect them.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = File> + ExactSizeIterator {
        let handle = self.handle;
        // A range of `u32` is exact where `usize` has 32 bits or more.
        (0..handle.count()).map(move |index| File {
            handle: handle.file(index),
        })
    }

    /// Returns the file of that path, if this task sees it. It takes some twenty calls
    /// for a million files.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<File> {
        let (mut low, mut high) = (0, self.handle.count());
        while low < high {
            let middle = low + (high - low) / 2;
            let file = File {
                handle: self.handle.file(middle),
            };
            match file.path().as_str().cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(file),
            }
        }
        None
    }

    /// Returns how many files there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.handle.count()
    }

    /// Says whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the model's definition in the policy; none for a model that the policy
    /// does not define.
    #[must_use]
    pub fn definition(&self) -> Option<Definition> {
        self.handle.definition()
    }

    /// Returns the model's entry in the lock file; none for a model that is not locked.
    /// A task that sees one file still gets the entry of the whole model.
    #[must_use]
    pub fn lock(&self) -> Option<LockEntry> {
        self.handle.lock()
    }

    /// Returns the operator's document of that name; none where the policy grants this
    /// plugin no document of that name, whether or not there is one.
    #[must_use]
    pub fn document(&self, name: &str) -> Option<Document> {
        self.handle.document(name).map(|handle| Document { handle })
    }

    /// Returns the run's one fixed time, the same at each call.
    #[must_use]
    pub fn now(&self) -> Datetime {
        self.handle.now()
    }

    /// Logs one line for whoever debugs the plugin; it is no part of the report. The
    /// host cuts it at 1,024 bytes, and drops lines past the first 1,000.
    pub fn log(&self, level: Level, message: &str) {
        self.handle.log(level, message);
    }
}

impl fmt::Debug for Model<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

/// Is one regular file of the model, open for reading.
pub struct File {
    handle: FileHandle,
}

impl File {
    /// Returns the path relative to the model, `/`-separated, without `.` or `..`. A
    /// name that is not UTF-8 or holds control characters has those bytes escaped as
    /// `\xHH`, and a backslash as `\\`.
    #[must_use]
    pub fn path(&self) -> String {
        self.handle.path()
    }

    /// Returns the size in bytes, fixed for the run.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// Reads up to `length` bytes from `offset`, in one call to the host. The result is
    /// shorter only at the end of the file, and empty from there on.
    ///
    /// # Errors
    ///
    /// [`ReadError::OutOfRange`] where `length` is above [`MAX_READ`], else what kept the
    /// host from reading.
    pub fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        self.handle.read(offset, length)
    }

    /// Reads exactly `length` bytes from `offset`, in as many calls as it takes.
    ///
    /// Nothing is allocated beyond what the file has, but what it has may be much: a
    /// length that comes from the file needs a bound of the caller's.
    ///
    /// # Errors
    ///
    /// [`ReadError::OutOfRange`] where the file ends before that, else what kept the host
    /// from reading.
    pub fn read_exact_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        read_exact_at(self.size(), offset, length, |offset, length| {
            self.read(offset, length)
        })
    }

    /// Reads the whole file, if it is no larger than `max` bytes.
    ///
    /// # Errors
    ///
    /// [`ReadError::OutOfRange`] where the file is larger than `max`, else what kept the
    /// host from reading.
    pub fn read_all(&self, max: u64) -> Result<Vec<u8>, ReadError> {
        read_all(self.size(), max, |offset, length| self.read(offset, length))
    }

    /// Computes the digest of the whole file, at the host's speed. It counts as having
    /// read the file.
    ///
    /// # Errors
    ///
    /// What kept the host from reading.
    pub fn digest(&self, algorithm: Algorithm) -> Result<Vec<u8>, ReadError> {
        self.handle.digest(algorithm, None)
    }

    /// Computes the digest of `length` bytes from `offset`. It counts as having read
    /// them.
    ///
    /// # Errors
    ///
    /// [`ReadError::OutOfRange`] where the range does not lie within the file, else what
    /// kept the host from reading.
    pub fn digest_range(
        &self,
        algorithm: Algorithm,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ReadError> {
        self.handle.digest(algorithm, Some((offset, length)))
    }

    /// Returns a stream over the file, at its start.
    #[must_use]
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").finish_non_exhaustive()
    }
}

/// Is one document that the operator hands to this plugin by name.
pub struct Document {
    handle: DocumentHandle,
}

impl Document {
    /// Returns the size in bytes, at most 16 MiB.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// Reads as [`File::read`] does, with the same bounds.
    ///
    /// # Errors
    ///
    /// As [`File::read`].
    pub fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        self.handle.read(offset, length)
    }

    /// Reads the whole document, if it is no larger than `max` bytes.
    ///
    /// # Errors
    ///
    /// As [`File::read_all`].
    pub fn read_all(&self, max: u64) -> Result<Vec<u8>, ReadError> {
        read_all(self.size(), max, |offset, length| self.read(offset, length))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").finish_non_exhaustive()
    }
}

type ReadCall<'a> = &'a dyn Fn(u64, u32) -> Result<Vec<u8>, ReadError>;

fn read_all(
    size: u64,
    max: u64,
    read: impl Fn(u64, u32) -> Result<Vec<u8>, ReadError>,
) -> Result<Vec<u8>, ReadError> {
    match usize::try_from(size) {
        Ok(length) if size <= max => read_exact_at(size, 0, length, read),
        _ => Err(ReadError::OutOfRange),
    }
}

fn read_exact_at(
    size: u64,
    offset: u64,
    length: usize,
    read: impl Fn(u64, u32) -> Result<Vec<u8>, ReadError>,
) -> Result<Vec<u8>, ReadError> {
    read_blocks(size, offset, length, &read)
}

fn read_blocks(
    size: u64,
    offset: u64,
    length: usize,
    read: ReadCall<'_>,
) -> Result<Vec<u8>, ReadError> {
    let end = offset.checked_add(length as u64).filter(|end| *end <= size);
    let end = end.ok_or(ReadError::OutOfRange)?;
    let mut bytes = Vec::new();
    let mut at = offset;
    while at < end {
        let wanted = u32::try_from(end - at).map_or(MAX_READ, |left| left.min(MAX_READ));
        let block = read(at, wanted)?;
        if block.is_empty() {
            return Err(ReadError::OutOfRange);
        }
        at += block.len() as u64;
        if bytes.is_empty() && at == end {
            return Ok(block);
        }
        bytes.reserve_exact(length - bytes.len());
        bytes.extend_from_slice(&block);
    }
    Ok(bytes)
}

/// Is the model's definition in the policy: what the operator says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Where it comes from, such as `hf:org/name`.
    pub source: Option<String>,
    /// The immutable revision of that source, such as a 40-digit commit.
    pub revision: Option<String>,
    /// The license the operator states, an SPDX expression.
    pub license: Option<String>,
}

/// Is the model's entry in the lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockEntry {
    /// Where the model was locked from.
    pub source: Option<String>,
    /// The revision of that source.
    pub revision: Option<String>,
    /// The tree digest: SHA-256 over type, size, digest and path of all files.
    pub tree: [u8; 32],
    /// How many files are locked.
    pub count: u32,
    pub(crate) handle: LockHandle,
}

impl LockEntry {
    /// Returns the locked files, in the order of their paths' bytes.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = LockedFile> + ExactSizeIterator {
        (0..self.count).map(|index| self.handle.file(index))
    }

    /// Returns the locked file of that path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<LockedFile> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let file = self.handle.file(middle);
            match file.path.as_str().cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(file),
            }
        }
        None
    }
}

/// Is one file in the lock entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedFile {
    /// The path, in the form of [`File::path`].
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The digest.
    pub sha256: [u8; 32],
}

/// Is a point in time, UTC, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datetime {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: u64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

/// Says how much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Each step.
    Trace,
    /// What helps to find a mistake.
    Debug,
    /// What a person may want to know.
    Info,
    /// What looks wrong.
    Warn,
    /// What is wrong.
    Error,
}

/// Names the digests that the host computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// FIPS 180-4, 32 bytes; usually known before the check starts.
    Sha256,
    /// FIPS 180-4, 64 bytes.
    Sha512,
    /// RFC 7693, unkeyed, 64 bytes.
    Blake2b512,
    /// BLAKE3, default mode, 32 bytes.
    Blake3,
    /// SHA-1 over `blob <size>\0` and the content, 20 bytes: git's object id for a file.
    /// Identifies, but does not protect against collisions.
    GitBlobSha1,
}

/// Is why bytes could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The range asked for does not lie within what may be asked.
    OutOfRange,
    /// The file is not the one that was opened: it changed during the run. The run ends
    /// as changed whatever the check answers.
    Changed,
    /// The system could not read the file.
    Io(String),
}

impl ReadError {
    /// Makes the failure to answer with, which names the file.
    #[must_use]
    pub fn in_file(self, file: &File) -> Failure {
        let mut text = file.path();
        text.push_str(": ");
        text.push_str(self.text());
        Failure::Unreadable(text)
    }

    /// Gets back the error that a [`Reader`] hid in an [`io::Error`].
    ///
    /// # Errors
    ///
    /// The same error, where none is in it: it came from whoever read the stream, such
    /// as one that ended too early.
    pub fn from_io(error: io::Error) -> Result<Self, io::Error> {
        error.downcast()
    }

    fn text(&self) -> &str {
        match self {
            Self::OutOfRange => "the range asked for is not in the file",
            Self::Changed => "the file changed during the run",
            Self::Io(text) => text,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for ReadError {}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        Self::other(error)
    }
}
