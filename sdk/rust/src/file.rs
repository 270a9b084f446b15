//! One file of the model, or one document of the operator's: read, digested, and why
//! that failed.
//!
//! How a check gets at them is `model`'s; reading a file as a stream, `reader`'s.

use std::{fmt, io};

use crate::answer::Failure;
use crate::backend::{DocumentHandle, FileHandle};
use crate::reader::Reader;

/// How many bytes one read may ask for, as the contract says: 1 MiB.
pub const MAX_READ: u32 = 1_048_576;

/// Is one regular file of the model, open for reading.
pub struct File {
    handle: FileHandle,
}

impl File {
    pub(crate) fn new(handle: FileHandle) -> Self {
        Self { handle }
    }

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
        read_exact(self.size(), offset, length, &|offset, length| self.read(offset, length))
    }

    /// Reads the whole file, if it is no larger than `max` bytes.
    ///
    /// # Errors
    ///
    /// [`ReadError::OutOfRange`] where the file is larger than `max`, else what kept the
    /// host from reading.
    pub fn read_all(&self, max: u64) -> Result<Vec<u8>, ReadError> {
        read_all(self.size(), max, &|offset, length| self.read(offset, length))
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
    pub(crate) fn new(handle: DocumentHandle) -> Self {
        Self { handle }
    }

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
        read_all(self.size(), max, &|offset, length| self.read(offset, length))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").finish_non_exhaustive()
    }
}

type ReadCall<'a> = &'a dyn Fn(u64, u32) -> Result<Vec<u8>, ReadError>;

fn read_all(size: u64, max: u64, read: ReadCall<'_>) -> Result<Vec<u8>, ReadError> {
    match usize::try_from(size) {
        Ok(length) if size <= max => read_exact(size, 0, length, read),
        _ => Err(ReadError::OutOfRange),
    }
}

/// Reads a range of what has `size` bytes. It is checked before anything is allocated.
fn read_exact(
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
        if bytes.is_empty() {
            // As a rule one block is all, and then nothing is copied.
            bytes = block;
            bytes.reserve_exact(length.saturating_sub(bytes.len()));
        } else {
            bytes.extend_from_slice(&block);
        }
    }
    Ok(bytes)
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::testing::Model;

    const MIB: usize = MAX_READ as usize;

    #[test]
    fn exact_reads_take_as_few_calls_as_they_can() {
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * MIB + 5).collect();
        for (offset, length, calls) in [
            (0, 0, 0),
            (bytes.len(), 0, 0),
            (7, 1, 1),
            (0, MIB, 1),
            (1, MIB + 1, 2),
            (0, bytes.len(), 4),
            (bytes.len() - 1, 1, 1),
        ] {
            let made = RefCell::new(0);
            let read = |at: u64, length: u32| {
                *made.borrow_mut() += 1;
                assert!(length <= MAX_READ);
                let at = usize::try_from(at).unwrap();
                Ok(bytes[at..bytes.len().min(at + length as usize)].to_vec())
            };
            let read = read_exact(bytes.len() as u64, offset as u64, length, &read);
            assert_eq!(read.as_deref(), Ok(&bytes[offset..offset + length]));
            assert_eq!(*made.borrow(), calls, "{offset} {length}");
        }
    }

    #[test]
    fn exact_reads_past_the_end_ask_for_nothing() {
        let never = |_, _| panic!("nothing is read");
        for (offset, length) in [
            (0, 11),
            (10, 1),
            (11, 0),
            (5, usize::MAX),
            (u64::MAX, 1),
            (u64::MAX, 0),
            (u64::MAX, usize::MAX),
        ] {
            assert_eq!(read_exact(10, offset, length, &never), Err(ReadError::OutOfRange));
        }
    }

    #[test]
    fn exact_reads_end_where_the_host_gives_less() {
        // Never more than three bytes at once, then none: not what the contract says.
        let read =
            |at: u64, length: u32| Ok(vec![b'x'; if at < 6 { length.min(3) as usize } else { 0 }]);
        assert_eq!(read_exact(10, 0, 6, &read).as_deref(), Ok(&b"xxxxxx"[..]));
        assert_eq!(read_exact(10, 0, 10, &read), Err(ReadError::OutOfRange));
    }

    #[test]
    fn whole_files_are_read_up_to_a_bound() {
        let model = Model::new("m").file("a", b"hello").document("d", b"hello");
        let document = || model.view().document("d").unwrap();
        for (max, expected) in [
            (4, Err(ReadError::OutOfRange)),
            (5, Ok(b"hello".to_vec())),
            (u64::MAX, Ok(b"hello".to_vec())),
        ] {
            assert_eq!(model.open("a").read_all(max), expected);
            assert_eq!(document().read_all(max), expected);
        }
        assert_eq!(document().size(), 5);
        assert_eq!(document().read(3, 9).as_deref(), Ok(&b"lo"[..]));
        assert!(model.view().document("e").is_none());
    }

    #[test]
    fn errors_name_the_file_and_survive_a_stream() {
        let model = Model::new("m").file("a.bin", b"hello");
        let failure = ReadError::Io("disk on fire".into()).in_file(&model.open("a.bin"));
        assert_eq!(failure, Failure::Unreadable("a.bin: disk on fire".into()));
        let error = io::Error::from(ReadError::Changed);
        assert_eq!(ReadError::from_io(error).unwrap(), ReadError::Changed);
        let ended = io::Error::from(io::ErrorKind::UnexpectedEof);
        let ended = ReadError::from_io(ended).unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);
    }
}
