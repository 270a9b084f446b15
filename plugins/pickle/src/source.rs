//! Where bytes come from: random access to a file, a part of one, or memory.
//!
//! What the bytes mean is for the parsers; `lib.rs` joins a file of the model to [`Source`].

use std::cell::RefCell;

/// Says why bytes could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The host could not read the file: nothing can be said of it.
    Unreadable(String),
    /// The bytes are there, but their encoding (a compressed stream, say) is broken.
    Corrupt(String),
    /// Reading on would need more memory or work than one file may take.
    TooLarge(String),
}

/// Gives random access to bytes.
pub trait Source {
    /// Returns how many bytes there are.
    fn size(&self) -> u64;

    /// Reads into `buffer` from `offset` and returns how much was read: less than asked only at the end.
    ///
    /// # Errors
    /// When the bytes can't be had.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Fault>;

    /// Reads exactly `length` bytes from `offset`, or `None` where the source ends before.
    ///
    /// # Errors
    /// When the bytes can't be had.
    fn bytes(&self, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Fault> {
        let end = offset.checked_add(length as u64);
        if end.is_none_or(|end| end > self.size()) {
            return Ok(None);
        }
        let mut buffer = vec![0; length];
        let mut done = 0;
        while done < length {
            match self.read_at(offset + done as u64, &mut buffer[done..])? {
                0 => return Ok(None),
                n => done += n,
            }
        }
        Ok(Some(buffer))
    }

    /// Reads up to `length` bytes from `offset`, fewer at the end.
    ///
    /// # Errors
    /// When the bytes can't be had.
    fn up_to(&self, offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let left = self.size().saturating_sub(offset);
        let length = usize::try_from(left).map_or(length, |left| left.min(length));
        Ok(self.bytes(offset, length)?.unwrap_or_default())
    }
}

impl Source for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Fault> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
}

impl Source for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Fault> {
        self.as_slice().read_at(offset, buffer)
    }
}

/// Bytes held in memory in blocks, so that they grow without being moved.
#[derive(Debug, Default)]
pub struct Blocks {
    blocks: Vec<Vec<u8>>,
    size: usize,
}

/// The size of one block.
const BLOCK: usize = 256 * 1024;

impl Blocks {
    /// Adds bytes at the end.
    pub fn extend(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.size == self.blocks.len() * BLOCK {
                // The first block holds what most members need.
                let room = if self.blocks.is_empty() { rest.len().min(BLOCK) } else { BLOCK };
                self.blocks.push(Vec::with_capacity(room));
            }
            let room = BLOCK - self.size % BLOCK;
            let (now, later) = rest.split_at(rest.len().min(room));
            if let Some(block) = self.blocks.last_mut() {
                block.extend_from_slice(now);
            }
            self.size += now.len();
            rest = later;
        }
    }

    /// Returns how many bytes are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.size
    }
}

impl Source for Blocks {
    fn size(&self) -> u64 {
        self.size as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Fault> {
        let Ok(offset) = usize::try_from(offset) else {
            return Ok(0);
        };
        let Some(block) = self.blocks.get(offset / BLOCK) else {
            return Ok(0);
        };
        block.as_slice().read_at((offset % BLOCK) as u64, buffer)
    }
}

/// A part of another source, seen as a source of its own.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    inner: &'a dyn Source,
    start: u64,
    length: u64,
}

impl<'a> Window<'a> {
    /// Looks at `length` bytes of `inner` from `start`, cut where `inner` ends.
    #[must_use]
    pub fn new(inner: &'a dyn Source, start: u64, length: u64) -> Self {
        let start = start.min(inner.size());
        Self { inner, start, length: length.min(inner.size() - start) }
    }
}

impl Source for Window<'_> {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Fault> {
        let left = self.length.saturating_sub(offset);
        let n = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if n == 0 {
            return Ok(0);
        }
        self.inner.read_at(self.start + offset, &mut buffer[..n])
    }
}

/// Serves small reads from the last block read: headers of small members lie close together. A small file is one block.
pub struct Cached<S> {
    inner: S,
    /// How long a block is.
    most: usize,
    block: RefCell<(u64, Vec<u8>)>,
}

/// Small against a storage, large against a header.
const CACHED: usize = 4096;
/// Up to here a file is read at once: it is looked at from its start and from its end.
const WHOLE: u64 = 64 * 1024;

impl<S: Source> Cached<S> {
    /// Wraps `inner`.
    #[must_use]
    pub fn new(inner: S) -> Self {
        let size = inner.size();
        let whole = usize::try_from(size).ok().filter(|_| size <= WHOLE);
        let most = whole.map_or(CACHED, |whole| whole.max(CACHED));
        Self { inner, most, block: RefCell::new((0, Vec::new())) }
    }
}

impl<S: Source> Source for Cached<S> {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Fault> {
        let whole = self.inner.size() <= self.most as u64;
        if buffer.len() >= self.most && !whole {
            return self.inner.read_at(offset, buffer);
        }
        let (start, block) = &mut *self.block.borrow_mut();
        let within = |start: u64, block: &[u8]| {
            let at = usize::try_from(offset.checked_sub(start)?).ok()?;
            block.get(at..at.checked_add(buffer.len())?).map(|_| at)
        };
        if within(*start, block).is_none() {
            let from = if whole { 0 } else { offset };
            block.resize(self.most, 0);
            let n = self.inner.read_at(from, block)?;
            block.truncate(n);
            *start = from;
        }
        let rest = usize::try_from(offset - *start).ok().and_then(|at| block.get(at..));
        let rest = rest.unwrap_or_default();
        let n = buffer.len().min(rest.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_read_as_one() {
        let data: Vec<u8> = (0..600_000u32).map(|n| (n % 251) as u8).collect();
        let mut blocks = Blocks::default();
        for piece in data.chunks(7_001) {
            blocks.extend(piece);
        }
        assert_eq!(blocks.bytes(0, data.len()), Ok(Some(data.clone())));
        assert_eq!(blocks.bytes(262_140, 10), Ok(Some(data[262_140..262_150].to_vec())));
        assert_eq!(blocks.up_to(599_999, 10), Ok(data[599_999..].to_vec()));
        assert_eq!(blocks.read_at(600_000, &mut [0; 4]), Ok(0));
    }

    #[test]
    fn cached_reads_are_those_of_the_source() {
        for length in [0usize, 1, 4095, 4096, 4097, 65_536, 65_537, 80_000] {
            let data: Vec<u8> = (0..=250).cycle().take(length).collect();
            let cached = Cached::new(data.as_slice().to_vec());
            for at in [0u64, 1, 4094, 4096, 65_530, 65_536, 79_999, 80_000, u64::MAX] {
                for count in [0, 1, 10, 4095, 4096, 70_000] {
                    let (mut ours, mut plain) = (vec![0; count], vec![0; count]);
                    let n = cached.read_at(at, &mut ours).expect("memory can be read");
                    let most = data.as_slice().read_at(at, &mut plain).expect("memory can be read");
                    assert_eq!((n, &ours[..n]), (most, &plain[..most]), "{length} {at} {count}");
                }
            }
        }
    }

    #[test]
    fn windows_stay_inside() {
        let data: Vec<u8> = (0..10).collect();
        let window = Window::new(&data, 4, 3);
        assert_eq!(window.size(), 3);
        assert_eq!(window.bytes(1, 2), Ok(Some(vec![5, 6])));
        assert_eq!(window.bytes(1, 3), Ok(None));
        assert_eq!(window.bytes(u64::MAX, 3), Ok(None));
        assert_eq!(window.up_to(2, 100), Ok(vec![6]));
        assert_eq!(Window::new(&data, 20, 3).size(), 0);
        assert_eq!(Window::new(&data, 8, u64::MAX).size(), 2);
    }
}
