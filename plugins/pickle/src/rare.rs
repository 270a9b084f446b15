//! The rarer compressions: bzip2, LZMA in its three containers, lz4.
//!
//! LZMA's decoder writes rather than reads, so that what it makes is held in memory, up to `HELD`.

use std::io::{BufRead, Cursor, Read, Write};

use crate::source::{Fault, Source};
use crate::stream::Feed;

/// How much decoded LZMA is held: enough for compressed estimators, a fraction of the memory a check has.
const HELD: usize = 32 << 20;

/// Decodes bzip2.
pub fn bzip2<R: Read>(reader: R) -> impl Read {
    bzip2_rs::DecoderReader::new(reader)
}

/// Decodes lz4 frames.
pub fn lz4<R: Read>(reader: R) -> impl Read {
    lz4_flex::frame::FrameDecoder::new(reader)
}

/// Feeds what is held.
pub struct Held(Cursor<Vec<u8>>);

impl Feed for Held {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        self.0.read(buffer).map_err(|error| Fault::Corrupt(error.to_string()))
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

fn hold(
    decode: impl FnOnce(&mut Bounded) -> Result<(), lzma_rs::error::Error>,
) -> Result<Held, Fault> {
    let mut bounded = Bounded { out: Vec::new(), full: false };
    match decode(&mut bounded) {
        Ok(()) => Ok(Held(Cursor::new(bounded.out))),
        Err(_) if bounded.full => Err(Fault::TooLarge(format!("more than {HELD} bytes of LZMA"))),
        // What was decoded before the break may hold a whole pickle: it is judged, and its end found missing.
        Err(_) if !bounded.out.is_empty() => Ok(Held(Cursor::new(bounded.out))),
        Err(error) => Err(Fault::Corrupt(format!("the compressed data is broken: {error}"))),
    }
}

/// Decodes xz.
///
/// # Errors
/// When it is broken or too large.
pub fn xz<R: BufRead>(reader: &mut R) -> Result<Held, Fault> {
    hold(|out| lzma_rs::xz_decompress(reader, out))
}

/// Decodes LZMA's older container.
///
/// # Errors
/// When it is broken or too large.
pub fn lzma<R: BufRead>(reader: &mut R) -> Result<Held, Fault> {
    let options = lzma_rs::decompress::Options { memlimit: Some(HELD), ..Default::default() };
    hold(|out| lzma_rs::lzma_decompress_with_options(reader, out, &options))
}

/// Decodes LZMA as zip members have it: a version, the length of the properties, the properties.
///
/// # Errors
/// When it is broken or too large.
pub fn zip_lzma(source: &dyn Source) -> Result<Held, Fault> {
    let head = source.bytes(0, 9)?.filter(|head| head[2] == 5 && head[3] == 0);
    let head = head.ok_or_else(|| Fault::Corrupt("no LZMA properties".to_owned()))?;
    // The older container is the same but for its header, where a size of all ones means "up to the end mark".
    let mut reader =
        Cursor::new(head[4..9].to_vec()).chain(std::io::BufReader::new(Rest { source, at: 9 }));
    let options = lzma_rs::decompress::Options {
        memlimit: Some(HELD),
        unpacked_size: lzma_rs::decompress::UnpackedSize::UseProvided(None),
        ..Default::default()
    };
    hold(|out| lzma_rs::lzma_decompress_with_options(&mut reader, out, &options))
}

struct Rest<'a> {
    source: &'a dyn Source,
    at: u64,
}

impl Read for Rest<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self
            .source
            .read_at(self.at, buffer)
            .map_err(|fault| std::io::Error::other(format!("{fault:?}")))?;
        self.at += n as u64;
        Ok(n)
    }
}
