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
        Self { file, position: 0, block: DEFAULT_BLOCK, buffer: Vec::new(), start: 0 }
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
        f.debug_struct("Reader").field("position", &self.position).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::file::ReadError;
    use crate::testing::{self, Model};

    #[derive(Clone, Debug)]
    enum Step {
        Read(usize),
        ReadExact(usize),
        FillAndConsume(usize),
        ReadUntil(u8),
        Start(u64),
        Current(i64),
        End(i64),
        ToEnd,
    }

    fn step() -> impl Strategy<Value = Step> {
        let near = -40..40_i64;
        let far = prop_oneof![Just(i64::MIN), Just(i64::MAX), near.clone()];
        prop_oneof![
            4 => (0..50_usize).prop_map(Step::Read),
            2 => (0..50_usize).prop_map(Step::ReadExact),
            2 => (0..50_usize).prop_map(Step::FillAndConsume),
            1 => (0..4_u8).prop_map(Step::ReadUntil),
            2 => prop_oneof![0..60_u64, Just(u64::MAX)].prop_map(Step::Start),
            3 => near.prop_map(Step::Current),
            1 => far.prop_map(Step::End),
            1 => Just(Step::ToEnd),
        ]
    }

    /// What a reader should do, on all the bytes.
    struct Plain {
        bytes: Vec<u8>,
        at: u64,
    }

    impl Plain {
        fn rest(&self) -> &[u8] {
            usize::try_from(self.at).ok().and_then(|at| self.bytes.get(at..)).unwrap_or_default()
        }

        fn seek(&mut self, from: u64, by: i64) -> Option<u64> {
            self.at = u64::try_from(i128::from(from) + i128::from(by)).ok()?;
            Some(self.at)
        }
    }

    proptest! {
        #[test]
        fn reads_as_from_an_array(
            bytes in proptest::collection::vec(0..4_u8, 0..50),
            block in 0..20_u32,
            steps in proptest::collection::vec(step(), 1..40),
        ) {
            let model = Model::new("m").file("f", bytes.clone());
            let file = model.open("f");
            let mut reader = file.reader().with_block(block);
            let mut plain = Plain { bytes, at: 0 };
            for step in steps {
                match step {
                    Step::Read(length) => {
                        let mut into = vec![9; length];
                        let read = reader.read(&mut into).unwrap();
                        prop_assert!(read <= length);
                        prop_assert_eq!(&into[..read], &plain.rest()[..read]);
                        prop_assert_eq!(read == 0, length == 0 || plain.rest().is_empty());
                        plain.at += read as u64;
                    }
                    Step::ReadExact(length) => {
                        let mut into = vec![9; length];
                        match reader.read_exact(&mut into) {
                            Ok(()) => {
                                prop_assert_eq!(&into[..], &plain.rest()[..length]);
                                plain.at += length as u64;
                            }
                            Err(error) => {
                                prop_assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
                                prop_assert!(plain.rest().len() < length);
                                plain.at += plain.rest().len() as u64;
                            }
                        }
                    }
                    Step::FillAndConsume(amount) => {
                        let filled = reader.fill_buf().unwrap();
                        let length = filled.len();
                        prop_assert_eq!(filled, &plain.rest()[..length]);
                        prop_assert_eq!(length == 0, plain.rest().is_empty());
                        reader.consume(amount);
                        plain.at += amount.min(length) as u64;
                    }
                    Step::ReadUntil(byte) => {
                        let mut into = Vec::new();
                        reader.read_until(byte, &mut into).unwrap();
                        let rest = plain.rest();
                        let end = rest.iter().position(|it| *it == byte).map_or(rest.len(), |at| at + 1);
                        prop_assert_eq!(&into[..], &rest[..end]);
                        plain.at += end as u64;
                    }
                    Step::ToEnd => {
                        let mut into = Vec::new();
                        reader.read_to_end(&mut into).unwrap();
                        prop_assert_eq!(&into[..], plain.rest());
                        plain.at += into.len() as u64;
                    }
                    Step::Start(to) => {
                        prop_assert_eq!(reader.seek(SeekFrom::Start(to)).unwrap(), to);
                        plain.at = to;
                    }
                    Step::Current(by) => {
                        let expected = plain.seek(plain.at, by);
                        prop_assert_eq!(reader.seek(SeekFrom::Current(by)).ok(), expected);
                    }
                    Step::End(by) => {
                        let expected = plain.seek(plain.bytes.len() as u64, by);
                        prop_assert_eq!(reader.seek(SeekFrom::End(by)).ok(), expected);
                    }
                }
                prop_assert_eq!(reader.position(), plain.at);
                prop_assert_eq!(reader.stream_position().unwrap(), plain.at);
            }
        }
    }

    #[test]
    fn a_seek_before_the_start_keeps_the_position() {
        let model = Model::new("m").file("f", b"hello");
        let file = model.open("f");
        let mut reader = file.reader();
        reader.seek(SeekFrom::Start(3)).unwrap();
        for to in [SeekFrom::Current(-4), SeekFrom::End(-6), SeekFrom::End(i64::MIN)] {
            assert_eq!(reader.seek(to).unwrap_err().kind(), io::ErrorKind::InvalidInput);
            assert_eq!(reader.position(), 3);
        }
        assert_eq!(reader.seek(SeekFrom::Start(u64::MAX)).unwrap(), u64::MAX);
        assert!(reader.fill_buf().unwrap().is_empty());
        assert!(reader.seek(SeekFrom::Current(1)).is_err());
    }

    #[test]
    fn a_block_is_read_once() {
        let model = Model::new("m").file("f", vec![7; 100]);
        let file = model.open("f");
        let mut reader = file.reader().with_block(10);
        reader.seek(SeekFrom::Start(45)).unwrap();
        reader.read_exact(&mut [0; 3]).unwrap();
        reader.seek(SeekFrom::Current(-2)).unwrap();
        reader.read_exact(&mut [0; 5]).unwrap();
        assert_eq!(testing::ranges_read(&model, "f"), [(45, 55)]);
        assert_eq!(reader.file().size(), 100);
    }

    #[test]
    fn a_block_is_within_what_the_host_reads_at_once() {
        let model = Model::new("m").sparse_file("f", 1 << 40, [(1 << 39, "x")]);
        let file = model.open("f");
        let mut reader = file.reader().with_block(u32::MAX);
        assert_eq!(reader.fill_buf().unwrap().len(), MAX_READ as usize);
        reader.seek(SeekFrom::Start(1 << 39)).unwrap();
        assert_eq!(reader.fill_buf().unwrap()[0], b'x');
        reader = file.reader().with_block(0);
        assert_eq!(reader.fill_buf().unwrap().len(), 1);
    }

    #[test]
    fn read_errors_come_through() {
        let model = Model::new("m").file("f", b"hello").changed("f");
        let file = model.open("f");
        let error = file.reader().read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(ReadError::from_io(error).unwrap(), ReadError::Changed);
    }
}
