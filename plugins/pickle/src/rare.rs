//! The rarer compressions: LZMA in its containers, lz4. bzip2 has a file of its own.
//!
//! LZMA's decoder writes rather than reads, so that what it makes is held in memory, up to `HELD`.

use std::io::{BufRead, BufReader, Cursor, Read, Write};

use crate::compressed::{behind, followed};
use crate::source::{Fault, Source};
use crate::stream::Feed;

/// How much decoded LZMA is held: enough for compressed estimators, a fraction of the memory a check has.
const HELD: usize = 32 << 20;

/// Decodes lz4 frames.
pub struct Lz4<'a>(lz4_flex::frame::FrameDecoder<BufReader<Bytes<'a>>>);

impl<'a> Lz4<'a> {
    /// Starts with the first frame.
    #[must_use]
    pub fn new(source: &'a dyn Source) -> Self {
        Self(lz4_flex::frame::FrameDecoder::new(reader(source)))
    }
}

impl Feed for Lz4<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        loop {
            let n = read(&mut self.0, buffer)?;
            // A frame has ended; the next read begins another.
            let more = n == 0 && !self.0.get_mut().fill_buf().map_err(fault)?.is_empty();
            if !more || buffer.is_empty() {
                return Ok(n);
            }
        }
    }
}

/// Gives a part of a source to decoders that read.
struct Bytes<'a> {
    source: &'a dyn Source,
    at: u64,
    end: u64,
}

impl<'a> Bytes<'a> {
    fn new(source: &'a dyn Source, at: u64, end: u64) -> Self {
        Self { source, at, end }
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let n = self.source.read_at(self.at, &mut buffer[..room]).map_err(|fault| match fault {
            Fault::Unreadable(text) => std::io::Error::other(Lost(text)),
            Fault::Corrupt(text) | Fault::TooLarge(text) => {
                std::io::Error::new(std::io::ErrorKind::InvalidData, text)
            }
        })?;
        self.at += n as u64;
        Ok(n)
    }
}

fn reader(source: &dyn Source) -> BufReader<Bytes<'_>> {
    BufReader::with_capacity(16 * 1024, Bytes::new(source, 0, source.size()))
}

fn read(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Fault> {
    reader.read(buffer).map_err(fault)
}

fn fault(error: std::io::Error) -> Fault {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Lost>()) {
        Some(Lost(text)) => Fault::Unreadable(text.clone()),
        None => Fault::Corrupt(format!("the compressed data is broken: {error}")),
    }
}

/// The source could not be read, which is no fault of the compressed data.
#[derive(Debug)]
struct Lost(String);

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Lost {}

/// Feeds what is held.
pub struct Held {
    bytes: Cursor<Vec<u8>>,
    /// What is wrong behind them.
    then: Option<Fault>,
}

impl Feed for Held {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let n = self.bytes.read(buffer).map_err(fault)?;
        match self.then.take_if(|_| n == 0 && !buffer.is_empty()) {
            Some(fault) => Err(fault),
            None => Ok(n),
        }
    }
}

/// Takes what is decoded until there is too much.
struct Bounded {
    out: Vec<u8>,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.out.len() + bytes.len() > HELD {
            self.full = true;
            return Err(std::io::Error::other("too large"));
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Bounded {
    fn new() -> Self {
        Self { out: Vec::new(), full: false }
    }

    /// Makes a feed of what was decoded and how that ended.
    fn held(self, end: Result<(), Fault>) -> Result<Held, Fault> {
        match end {
            Err(_) if self.full => Err(Fault::TooLarge(format!("more than {HELD} bytes of LZMA"))),
            Err(fault) if self.out.is_empty() => Err(fault),
            // What was decoded before the break may hold a whole pickle: it is judged all the same.
            end => Ok(Held { bytes: Cursor::new(self.out), then: end.err() }),
        }
    }
}

fn broken(error: &lzma_rs::error::Error) -> Fault {
    Fault::Corrupt(format!("the compressed data is broken: {error}"))
}

/// Decodes xz, stream after stream.
///
/// # Errors
/// When it is broken or too large.
pub fn xz(source: &dyn Source) -> Result<Held, Fault> {
    let mut bounded = Bounded::new();
    let mut start = 0;
    loop {
        let mut reader =
            BufReader::with_capacity(16 * 1024, Bytes::new(source, start, source.size()));
        let end = lzma_rs::xz_decompress(&mut reader, &mut bounded);
        let at = reader.get_ref().at - reader.buffer().len() as u64;
        // A whole stream ends in "YZ"; the decoder calls all that follows a mistake.
        let whole = at >= 2 && source.up_to(at - 2, 2)? == b"YZ";
        match end {
            Err(error) if !whole => return bounded.held(Err(broken(&error))),
            _ => {}
        }
        match behind(source, at)? {
            None => return bounded.held(Ok(())),
            Some(next) if source.up_to(next, 6)? == *b"\xfd7zXZ\0" && next > start => start = next,
            Some(next) => return bounded.held(Err(followed(next))),
        }
    }
}

/// Decodes LZMA's older container.
///
/// # Errors
/// When it is broken or too large.
pub fn lzma(source: &dyn Source) -> Result<Held, Fault> {
    let options = lzma_rs::decompress::Options { memlimit: Some(HELD), ..Default::default() };
    let mut bounded = Bounded::new();
    let mut reader = reader(source);
    let end = lzma_rs::lzma_decompress_with_options(&mut reader, &mut bounded, &options);
    let at = reader.get_ref().at - reader.buffer().len() as u64;
    let end = match (end, behind(source, at)?) {
        (Err(error), _) => Err(broken(&error)),
        (Ok(()), Some(next)) => Err(followed(next)),
        (Ok(()), None) => Ok(()),
    };
    bounded.held(end)
}

/// Decodes bare LZMA of these five bytes of properties, up to its end mark or the size that it has when decoded.
///
/// # Errors
/// When it is broken or too large.
pub fn bare_lzma(
    properties: &[u8],
    source: &dyn Source,
    start: u64,
    size: Option<u64>,
) -> Result<Held, Fault> {
    // The older container is the same but for its header, where a size of all ones means "up to the end mark".
    let rest = BufReader::new(Bytes::new(source, start, source.size()));
    let mut reader = Cursor::new(properties.to_vec()).chain(rest);
    let options = lzma_rs::decompress::Options {
        memlimit: Some(HELD),
        unpacked_size: lzma_rs::decompress::UnpackedSize::UseProvided(size),
        ..Default::default()
    };
    let mut bounded = Bounded::new();
    let end = lzma_rs::lzma_decompress_with_options(&mut reader, &mut bounded, &options);
    bounded.held(end.map_err(|error| broken(&error)))
}

/// Decodes bare LZMA2.
///
/// # Errors
/// When it is broken or too large.
pub fn lzma2(source: &dyn Source) -> Result<Held, Fault> {
    let mut bounded = Bounded::new();
    let end = lzma_rs::lzma2_decompress(&mut reader(source), &mut bounded);
    bounded.held(end.map_err(|error| broken(&error)))
}

/// Decodes LZMA as zip members have it: a version, the length of the properties, the properties.
///
/// # Errors
/// When it is broken or too large.
pub fn zip_lzma(source: &dyn Source) -> Result<Held, Fault> {
    let head = source.bytes(0, 9)?.filter(|head| head[2] == 5 && head[3] == 0);
    let head = head.ok_or_else(|| Fault::Corrupt("no LZMA properties".to_owned()))?;
    bare_lzma(&head[4..9], source, 9, None)
}
