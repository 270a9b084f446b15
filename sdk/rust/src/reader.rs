//! A file as a stream: `std::io::Read`, `BufRead` and `Seek` over the host's reads.
//!
//! What one read may ask for, and how it fails, is `file`'s.

use std::fmt;
use std::io::{self, BufRead, Read, Seek, SeekFrom};

use crate::file::{File, MAX_READ};

/// The block that a reader asks the host for: large enough that the call costs little
/// beside the bytes, small enough that a header costs little memory.
const DEFAULT_BLOCK: u32 = 64 * 1024;

/// Reads a file in blocks, from any position.
///
/// It asks the host for one block at a time and keeps that one alone. Seeking is free,
/// also past the end, where nothing is left to read; seeking within the block keeps it.
///
/// Its errors are those of [`File::read`], as [`std::io::Error`];
/// [`ReadError::from_io`](crate::ReadError::from_io) gets them back, which tells a file
/// that could not be read (a failure) from one that ends too early (a finding).
pub struct Reader<'f> {
    file: &'f File,
    position: u64,
    block: u32,
    /// What was read last, and where it starts.
    buffer: Vec<u8>,
    start: u64,
}

impl<'f> Reader<'f> {
    pub(crate) fn new(file: &'f File) -> Self {
        Self {
            file,
            position: 0,
            block: DEFAULT_BLOCK,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// Sets how many bytes to ask the host for at a time: 1 to [`MAX_READ`].
    #[must_use]
    pub fn with_block(mut self, bytes: u32) -> Self {
        self.block = bytes.clamp(1, MAX_READ);
        self
    }

    /// Returns the file that is read.
    #[must_use]
    pub fn file(&self) -> &'f File {
        self.file
    }

    /// Returns the offset in the file that the next read starts from.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns what the buffer holds from the position on.
    fn buffered(&self) -> &[u8] {
        self.position
            .checked_sub(self.start)
            .and_then(|skip| usize::try_from(skip).ok())
            .and_then(|skip| self.buffer.get(skip..))
            .unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        // No file is that long: the position stays within what was read.
        self.position = self.position.saturating_add(bytes as u64);
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let bytes = self.fill_buf()?;
        let length = bytes.len().min(into.len());
        into[..length].copy_from_slice(&bytes[..length]);
        self.advance(length);
        Ok(length)
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffered().is_empty() {
            self.buffer = self.file.read(self.position, self.block)?;
            self.start = self.position;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, amount: usize) {
        self.advance(amount.min(self.buffered().len()));
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.file.size().checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
