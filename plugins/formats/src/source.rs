//! Owns bounded reading: bytes at an offset, and a cursor that walks forward with
//! checked arithmetic. Leaves what the bytes mean to the formats.

use modelhost_check::{File, ReadError};

use crate::found::Stop;

/// How much a cursor fetches at once: enough for most headers in one host call,
/// little enough that a file of many small headers is not copied for nothing.
const BLOCK: usize = 64 * 1024;

/// Bytes that can be read at any offset: a file, a part of one, or memory.
pub trait Source {
    /// Returns the number of bytes.
    fn size(&self) -> u64;

    /// Reads exactly `length` bytes from `offset`.
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] where the source ends before that.
    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError>;
}

impl Source for File {
    fn size(&self) -> u64 {
        Self::size(self)
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        self.read_exact_at(offset, length)
    }
}

impl Source for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let start = usize::try_from(offset).map_err(|_| ReadError::OutOfRange)?;
        let end = start.checked_add(length).ok_or(ReadError::OutOfRange)?;
        self.get(start..end).map(<[u8]>::to_vec).ok_or(ReadError::OutOfRange)
    }
}

/// Up to here a file is read whole, and at once: looking at it from several sides takes
/// more calls to the host than it has kilobytes.
const WHOLE: u64 = 64 * 1024;
/// How much of the start of a longer one is kept: what its format is told by.
const FRONT: u64 = 4096;

/// A file whose size is asked for once and whose start is read once: each call is one to
/// the host.
pub struct Held<'a> {
    source: &'a dyn Source,
    size: u64,
    front: Vec<u8>,
}

impl<'a> Held<'a> {
    /// Reads the start of `source`, or all of it where it is short.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn new(source: &'a dyn Source) -> Result<Self, ReadError> {
        let size = source.size();
        let length = if size <= WHOLE { size } else { FRONT };
        let front = source.read_at(0, usize::try_from(length).unwrap_or(0))?;
        Ok(Self { source, size, front })
    }
}

impl Source for Held<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        self.front.read_at(offset, length).or_else(|_| self.source.read_at(offset, length))
    }
}

/// A stretch of another source, such as a member of an archive.
pub struct Part<'a> {
    source: &'a dyn Source,
    start: u64,
    length: u64,
}

impl<'a> Part<'a> {
    /// Returns the stretch of `length` bytes from `start`; none where it does not
    /// lie within `source`.
    pub fn new(source: &'a dyn Source, start: u64, length: u64) -> Option<Self> {
        let end = start.checked_add(length)?;
        (end <= source.size()).then_some(Self { source, start, length })
    }
}

impl Source for Part<'_> {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let end = offset.checked_add(length as u64).ok_or(ReadError::OutOfRange)?;
        if end > self.length {
            return Err(ReadError::OutOfRange);
        }
        self.source.read_at(self.start + offset, length)
    }
}

/// Walks forward over a source, a block at a time.
pub struct Cursor<'a> {
    source: &'a dyn Source,
    /// The source's size, which is asked for once.
    size: u64,
    at: u64,
    /// How much is fetched at once.
    most: usize,
    block: Vec<u8>,
    block_at: u64,
    /// Whether numbers are big-endian.
    big: bool,
}

impl<'a> Cursor<'a> {
    /// Returns a cursor that stands at `offset`.
    pub fn new(source: &'a dyn Source, offset: u64) -> Self {
        Self::with_block(source, offset, BLOCK)
    }

    /// Returns a cursor that fetches `most` bytes at once, for files that are read
    /// here and there.
    pub fn with_block(source: &'a dyn Source, offset: u64, most: usize) -> Self {
        let block = Vec::new();
        Self { source, size: source.size(), at: offset, most, block, block_at: offset, big: false }
    }

    /// Has numbers read as big-endian from here on.
    pub fn big_endian(&mut self) {
        self.big = true;
    }

    /// Returns the offset of the next byte.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Returns how many bytes are left.
    pub fn left(&self) -> u64 {
        self.size.saturating_sub(self.at)
    }

    /// Returns the next `length` bytes, `what` naming them in the message that
    /// the file ends early.
    pub fn take(&mut self, length: usize, what: &str) -> Result<Vec<u8>, Stop> {
        if length > self.most {
            self.need(length as u64, what)?;
            let bytes = self.source.read_at(self.at, length)?;
            self.at += length as u64;
            return Ok(bytes);
        }
        let start = self.hold(length, what)?;
        self.at += length as u64;
        Ok(self.block[start..start + length].to_vec())
    }

    /// Returns the next `N` bytes.
    pub fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Stop> {
        let start = self.hold(N, what)?;
        self.at += N as u64;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.block[start..start + N]);
        Ok(bytes)
    }

    /// Returns the next byte.
    pub fn u8(&mut self, what: &str) -> Result<u8, Stop> {
        Ok(self.array::<1>(what)?[0])
    }

    /// Returns the next two bytes as a number, little-endian unless told otherwise.
    pub fn u16(&mut self, what: &str) -> Result<u16, Stop> {
        let bytes = self.array(what)?;
        Ok(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    /// Returns the next four bytes as a number, little-endian unless told otherwise.
    pub fn u32(&mut self, what: &str) -> Result<u32, Stop> {
        let bytes = self.array(what)?;
        Ok(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// Returns the next eight bytes as a number, little-endian unless told otherwise.
    pub fn u64(&mut self, what: &str) -> Result<u64, Stop> {
        let bytes = self.array(what)?;
        Ok(if self.big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    /// Passes over `length` bytes, which must be there.
    pub fn skip(&mut self, length: u64, what: &str) -> Result<(), Stop> {
        self.need(length, what)?;
        self.at += length;
        Ok(())
    }

    /// Goes on at `offset`, which may lie past the end.
    pub fn seek(&mut self, offset: u64) {
        self.at = offset;
    }

    fn need(&self, length: u64, what: &str) -> Result<(), Stop> {
        if length > self.left() {
            return Err(Stop::malformed(
                self.at,
                format!("{what} needs {length} bytes, but only {} are left", self.left()),
            ));
        }
        Ok(())
    }

    /// Makes the block hold the next `length` bytes, and returns where in it.
    fn hold(&mut self, length: usize, what: &str) -> Result<usize, Stop> {
        if let Some(start) = self.held(length) {
            return Ok(start);
        }
        self.need(length as u64, what)?;
        // At most `most`, so it fits.
        let want = usize::try_from(self.left().min(self.most as u64)).unwrap_or(0);
        self.block = self.source.read_at(self.at, want.max(length))?;
        self.block_at = self.at;
        Ok(0)
    }

    fn held(&self, length: usize) -> Option<usize> {
        let start = usize::try_from(self.at.checked_sub(self.block_at)?).ok()?;
        let end = start.checked_add(length)?;
        (end <= self.block.len()).then_some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_walks_over_block_borders_and_stops_at_the_end() {
        let bytes: Vec<u8> = (0..=250).cycle().take(BLOCK + 10).collect();
        let mut cursor = Cursor::new(&bytes, 0);
        cursor.skip(BLOCK as u64 - 3, "start").unwrap();
        let expected = u64::from_le_bytes(bytes[BLOCK - 3..BLOCK + 5].try_into().unwrap());
        assert_eq!(cursor.u64("eight").unwrap(), expected);
        assert_eq!(cursor.left(), 5);
        assert!(matches!(cursor.u64("more"), Err(Stop::Malformed { .. })));
        assert!(matches!(cursor.skip(u64::MAX, "more"), Err(Stop::Malformed { .. })));
        assert_eq!(cursor.take(5, "rest").unwrap(), bytes[BLOCK + 5..]);
        let mut cursor = Cursor::new(&bytes, u64::MAX);
        assert_eq!(cursor.left(), 0);
        assert!(cursor.u8("past").is_err());
    }

    #[test]
    fn what_is_held_is_what_the_source_has() {
        for length in [0, 1, 4096, 65_536, 65_537, 70_000] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let held = Held::new(&bytes).unwrap();
            assert_eq!(held.size(), bytes.size());
            for (at, count) in [(0, 4), (4090, 10), (65_530, 6), (65_530, 20), (length as u64, 0)] {
                assert_eq!(held.read_at(at, count), bytes.read_at(at, count), "{length} {at}");
            }
            assert!(held.read_at(u64::MAX, 1).is_err());
        }
    }

    #[test]
    fn a_part_does_not_reach_outside_itself() {
        let bytes = vec![1, 2, 3, 4, 5];
        let part = Part::new(&bytes, 1, 3).unwrap();
        assert_eq!(part.read_at(0, 3).unwrap(), [2, 3, 4]);
        assert!(part.read_at(1, 3).is_err());
        assert!(part.read_at(u64::MAX, 1).is_err());
        assert!(Part::new(&bytes, 3, 3).is_none());
        assert!(Part::new(&bytes, u64::MAX, 3).is_none());
    }
}
