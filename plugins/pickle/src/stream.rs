//! Reading forward through bytes: a small window, skips that don't read, lines of any length.
//!
//! Where the bytes come from is a [`Feed`]: a source here, a decoder in `compressed.rs`.

use crate::source::{Fault, Source};

/// The window's size: long enough that host calls don't count, small beside the memory limit.
pub const BLOCK: usize = 64 * 1024;

/// What the first refill asks for.
const FIRST: usize = 2048;

/// Gives bytes in order.
pub trait Feed {
    /// Fills the start of `buffer` and returns how much; 0 only at the end.
    ///
    /// # Errors
    /// When the bytes can't be had.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault>;

    /// Passes over `count` bytes and returns how many there were.
    ///
    /// # Errors
    /// When the bytes can't be had.
    fn skip(&mut self, count: u64) -> Result<u64, Fault> {
        let mut scratch = [0; 4096];
        let mut left = count;
        while left > 0 {
            let want = usize::try_from(left).map_or(scratch.len(), |left| left.min(scratch.len()));
            match self.fill(&mut scratch[..want])? {
                0 => break,
                n => left -= n as u64,
            }
        }
        Ok(count - left)
    }

    /// Returns how many bytes are left, where that is known.
    fn left(&self) -> Option<u64> {
        None
    }
}

impl Feed for Box<dyn Feed + '_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        (**self).fill(buffer)
    }

    fn skip(&mut self, count: u64) -> Result<u64, Fault> {
        (**self).skip(count)
    }

    fn left(&self) -> Option<u64> {
        (**self).left()
    }
}

/// Feeds a source from an offset to its end.
pub struct SourceFeed<'a> {
    source: &'a dyn Source,
    at: u64,
}

impl<'a> SourceFeed<'a> {
    /// Starts at `at`.
    #[must_use]
    pub fn new(source: &'a dyn Source, at: u64) -> Self {
        Self { source, at }
    }
}

impl Feed for SourceFeed<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let n = self.source.read_at(self.at, buffer)?;
        self.at += n as u64;
        Ok(n)
    }

    fn skip(&mut self, count: u64) -> Result<u64, Fault> {
        let n = count.min(self.source.size().saturating_sub(self.at));
        self.at += n;
        Ok(n)
    }

    fn left(&self) -> Option<u64> {
        Some(self.source.size().saturating_sub(self.at))
    }
}

/// What [`Stream::line`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The line's length without its newline.
    pub length: u64,
    /// The last byte before the newline.
    pub last: Option<u8>,
    /// Whether a newline ended it, rather than the end of the bytes.
    pub ended: bool,
}

/// Reads forward with a window over a [`Feed`].
pub struct Stream<'a> {
    feed: Box<dyn Feed + 'a>,
    window: Vec<u8>,
    at: usize,
    end: usize,
    /// The stream's offset of the window's first byte.
    base: u64,
    /// How much the next refill asks for: little at first, since most members are only looked at.
    step: usize,
    /// What ended the bytes, where it was no plain end: told once all before it has been read.
    fault: Option<Fault>,
}

impl<'a> Stream<'a> {
    /// Reads `feed`, whose first byte is at `base`.
    #[must_use]
    pub fn new(feed: impl Feed + 'a, base: u64) -> Self {
        Self {
            feed: Box::new(feed),
            window: Vec::new(),
            at: 0,
            end: 0,
            base,
            step: FIRST,
            fault: None,
        }
    }

    /// Reads `source` from `offset` on.
    #[must_use]
    pub fn over(source: &'a dyn Source, offset: u64) -> Self {
        Self::new(SourceFeed::new(source, offset), offset)
    }

    /// Returns the offset of the next byte.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Returns how many bytes are left, where that is known.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        self.feed.left().map(|left| left + (self.end - self.at) as u64)
    }

    /// Makes at least `want` bytes (at most [`BLOCK`]) available where there are so many; returns the count.
    fn ensure(&mut self, want: usize) -> Result<usize, Fault> {
        if self.end - self.at >= want {
            return Ok(self.end - self.at);
        }
        self.window.copy_within(self.at..self.end, 0);
        self.base += self.at as u64;
        self.end -= self.at;
        self.at = 0;
        // A tiny member must not cost a whole block: there may be a million of them.
        let left = self.feed.left().and_then(|left| usize::try_from(left).ok()).unwrap_or(BLOCK);
        let room = self.end.saturating_add(left).min(want.max(self.step)).min(BLOCK);
        self.step = (self.step * 4).min(BLOCK);
        if self.window.len() < room {
            self.window.resize(room, 0);
        }
        while self.end < want && self.end < self.window.len() && self.fault.is_none() {
            match self.feed.fill(&mut self.window[self.end..]) {
                Ok(0) => break,
                Ok(n) => self.end += n,
                Err(fault) => self.fault = Some(fault),
            }
        }
        match &self.fault {
            Some(fault) if self.end == self.at || matches!(fault, Fault::Unreadable(_)) => {
                Err(fault.clone())
            }
            _ => Ok(self.end - self.at),
        }
    }

    /// Returns the next bytes without passing them: `want` of them (at most [`BLOCK`]), fewer at the end.
    ///
    /// # Errors
    /// When the bytes can't be had.
    pub fn peek(&mut self, want: usize) -> Result<&[u8], Fault> {
        let n = self.ensure(want.min(BLOCK))?.min(want);
        Ok(&self.window[self.at..self.at + n])
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// When the bytes can't be had.
    #[inline]
    pub fn byte(&mut self) -> Result<Option<u8>, Fault> {
        if self.at == self.end && self.ensure(1)? == 0 {
            return Ok(None);
        }
        let byte = self.window[self.at];
        self.at += 1;
        Ok(Some(byte))
    }

    /// Reads `N` bytes, or `None` (passing nothing) where fewer are left.
    ///
    /// # Errors
    /// When the bytes can't be had.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Fault> {
        if self.ensure(N)? < N {
            return Ok(None);
        }
        let mut array = [0; N];
        array.copy_from_slice(&self.window[self.at..self.at + N]);
        self.at += N;
        Ok(Some(array))
    }

    /// Returns the next bytes of the window, at least one unless the stream has ended, at most `limit`.
    ///
    /// # Errors
    /// When the bytes can't be had.
    pub fn chunk(&mut self, limit: u64) -> Result<&[u8], Fault> {
        let n = self.ensure(1)?;
        let n = usize::try_from(limit).map_or(n, |limit| n.min(limit));
        let start = self.at;
        self.at += n;
        Ok(&self.window[start..start + n])
    }

    /// Passes over `count` bytes; false where the stream ends before.
    ///
    /// # Errors
    /// When the bytes can't be had.
    pub fn skip(&mut self, count: u64) -> Result<bool, Fault> {
        let here = usize::try_from(count)
            .map_or(self.end - self.at, |count| count.min(self.end - self.at));
        self.at += here;
        let rest = count - here as u64;
        if rest == 0 {
            return Ok(true);
        }
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let skipped = self.feed.skip(rest)?;
        self.base += self.at as u64 + skipped;
        self.at = 0;
        self.end = 0;
        Ok(skipped == rest)
    }

    /// Reads to the next newline, keeping the first `keep_up_to` bytes in `keep`.
    ///
    /// # Errors
    /// When the bytes can't be had.
    pub fn line(&mut self, keep: &mut Vec<u8>, keep_up_to: usize) -> Result<Line, Fault> {
        keep.clear();
        let mut line = Line { length: 0, last: None, ended: false };
        loop {
            if self.ensure(1)? == 0 {
                return Ok(line);
            }
            let rest = &self.window[self.at..self.end];
            let newline = rest.iter().position(|&b| b == b'\n');
            let text = &rest[..newline.unwrap_or(rest.len())];
            let room = keep_up_to.saturating_sub(keep.len());
            keep.extend_from_slice(&text[..text.len().min(room)]);
            line.length += text.len() as u64;
            line.last = text.last().copied().or(line.last);
            self.at += text.len();
            if newline.is_some() {
                self.at += 1;
                line.ended = true;
                return Ok(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_skips_and_counts() {
        let data: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        let mut stream = Stream::over(&data, 0);
        assert_eq!(stream.byte(), Ok(Some(0)));
        assert_eq!(stream.skip(149_999), Ok(true));
        assert_eq!(stream.position(), 150_000);
        assert_eq!(stream.byte(), Ok(Some((150_000 % 251) as u8)));
        assert_eq!(stream.left(), Some(49_999));
        assert_eq!(stream.array::<4>().map(|a| a.is_some()), Ok(true));
        assert_eq!(stream.skip(u64::MAX), Ok(false));
        assert_eq!(stream.byte(), Ok(None));
        assert_eq!(stream.array::<1>(), Ok(None));
    }

    #[test]
    fn lines_of_any_length() {
        let mut data = vec![b'a'; 150_000];
        data.extend_from_slice(b"z\nshort\nrest");
        let mut stream = Stream::over(&data, 0);
        let mut keep = Vec::new();
        assert_eq!(
            stream.line(&mut keep, 10),
            Ok(Line { length: 150_001, last: Some(b'z'), ended: true })
        );
        assert_eq!(keep, b"aaaaaaaaaa");
        assert_eq!(
            stream.line(&mut keep, 10),
            Ok(Line { length: 5, last: Some(b't'), ended: true })
        );
        assert_eq!(
            stream.line(&mut keep, 10),
            Ok(Line { length: 4, last: Some(b't'), ended: false })
        );
        assert_eq!(stream.position(), data.len() as u64);
    }
}
