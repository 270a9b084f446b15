//! Decoders for compressed bytes, each a [`Feed`]: deflate here, the rarer ones behind `std::io::Read`.
//!
//! How much may be decoded is for the callers; a decoder holds its window and no more.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

use crate::source::{Fault, Source};
use crate::stream::Feed;

/// A way of compressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Bare deflate, as in zip.
    Deflate,
    /// Deflate in a zlib wrapper.
    Zlib,
    /// Deflate in a gzip wrapper.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// The older container of LZMA.
    Lzma,
    /// LZMA as zip has it.
    ZipLzma,
    /// lz4 frames.
    Lz4,
}

/// Recognises a compressed stream by its first bytes; bare deflate has none to be known by.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<Method> {
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Method::Gzip),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => Some(Method::Bzip2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Method::Xz),
        [4, 0x22, 0x4d, 0x18, ..] => Some(Method::Lz4),
        [0x5d, 0, 0, _, _, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, ..] => {
            Some(Method::Lzma)
        }
        [0x5d, 0, 0, _, _, _, _, _, _, _, 0, 0, 0, 0, ..] => Some(Method::Lzma),
        // The method is deflate, the window at most 32 KiB, no preset dictionary, and the check holds.
        [cmf, flags, ..]
            if cmf & 0xf == 8
                && cmf >> 4 <= 7
                && flags & 0x20 == 0
                && (u16::from(*cmf) * 256 + u16::from(*flags)).is_multiple_of(31) =>
        {
            Some(Method::Zlib)
        }
        _ => None,
    }
}

/// Names a packed format that can't be looked into, by its first bytes.
#[must_use]
pub fn opaque(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("a zstd stream"),
        // Both lz4 and zstd have such frames, which decoders pass over.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some("a skippable frame"),
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Some("a RAR archive"),
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => Some("a CAB archive"),
        [b'L', b'Z', b'I', b'P', 0 | 1, ..] => Some("an lzip stream"),
        [0x89, b'L', b'Z', b'O', 0, 13, 10, 26, 10, ..] => Some("an lzop stream"),
        [b'x', b'a', b'r', b'!', 0, _, 0, ..] => Some("a xar archive"),
        [0xff, 6, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y', ..] => Some("a snappy stream"),
        // compress: codes of 9 to 16 bits, two bits unused.
        [0x1f, 0x9d, flags, ..] if flags & 0x60 == 0 && (9..=16).contains(&(flags & 0x1f)) => {
            Some("a stream of `compress`")
        }
        _ => None,
    }
}

/// Decodes `source`.
///
/// # Errors
/// When the bytes can't be had or are no such stream.
pub fn open<'a>(source: &'a dyn Source, method: Method) -> Result<Box<dyn Feed + 'a>, Fault> {
    Ok(match method {
        Method::Deflate => Box::new(Inflate::new(source, 0, DataFormat::Raw, false)),
        Method::Zlib => Box::new(Inflate::new(source, 0, DataFormat::Zlib, false)),
        Method::Gzip => {
            Box::new(Inflate::new(source, gzip_header(source, 0)?, DataFormat::Raw, true))
        }
        Method::Bzip2 => Box::new(crate::bzip2::Bzip2::new(source)),
        Method::Lz4 => Box::new(crate::rare::Lz4::new(source)),
        Method::Xz => Box::new(crate::rare::xz(source)?),
        Method::Lzma => Box::new(crate::rare::lzma(source)?),
        Method::ZipLzma => Box::new(crate::rare::zip_lzma(source)?),
    })
}

/// Passes over a gzip header and returns where the deflate stream begins.
fn gzip_header(source: &dyn Source, start: u64) -> Result<u64, Fault> {
    let cut = || Fault::Corrupt("the gzip header is cut".to_owned());
    let head = source.bytes(start, 10)?.ok_or_else(cut)?;
    if head[..3] != [0x1f, 0x8b, 8] {
        return Err(Fault::Corrupt("no gzip header".to_owned()));
    }
    let flags = head[3];
    let mut at = start + 10;
    if flags & 4 != 0 {
        let length = source.bytes(at, 2)?.ok_or_else(cut)?;
        at += 2 + u64::from(u16::from_le_bytes([length[0], length[1]]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            // A file name or comment: 64 KiB hold any.
            let text = source.up_to(at, 64 * 1024)?;
            at += text.iter().position(|&byte| byte == 0).ok_or_else(cut)? as u64 + 1;
        }
    }
    Ok(if flags & 2 != 0 { at + 2 } else { at })
}

/// Looks behind a stream for what isn't padding, and returns where it begins.
///
/// # Errors
/// When the bytes can't be had.
pub(crate) fn behind(source: &dyn Source, start: u64) -> Result<Option<u64>, Fault> {
    let mut at = start;
    loop {
        let block = source.up_to(at, 16 * 1024)?;
        if let Some(found) = block.iter().position(|&byte| byte != 0) {
            return Ok(Some(at + found as u64));
        }
        if block.is_empty() {
            return Ok(None);
        }
        at += block.len() as u64;
    }
}

/// Tells what is wrong where something follows a compressed stream: tools see it, loaders end before it.
pub(crate) fn followed(at: u64) -> Fault {
    Fault::Corrupt(format!(
        "bytes that belong to no compressed stream follow the last one at offset {at}"
    ))
}

/// Decodes deflate.
struct Inflate<'a> {
    source: &'a dyn Source,
    state: Box<InflateState>,
    format: DataFormat,
    input: Vec<u8>,
    at: usize,
    next: u64,
    done: bool,
    /// Whether further gzip members may follow, whose content continues the first one's.
    members: bool,
    /// The checksum and length of what the gzip member at hand gave so far.
    sum: crc32fast::Hasher,
    length: u32,
    /// Whether a stream has ended, behind which is yet to be looked.
    ended: bool,
}

impl<'a> Inflate<'a> {
    fn new(source: &'a dyn Source, start: u64, format: DataFormat, members: bool) -> Self {
        Self {
            source,
            state: InflateState::new_boxed(format),
            format,
            input: Vec::new(),
            at: 0,
            next: start,
            done: false,
            members,
            sum: crc32fast::Hasher::new(),
            length: 0,
            ended: false,
        }
    }

    /// Goes to the next gzip member, if there is one, behind padding as Python's reader does.
    fn next_member(&mut self) -> Result<bool, Fault> {
        let end = self.next - (self.input.len() - self.at) as u64;
        let trailer = if self.members { 8 } else { 0 };
        if self.members {
            let sums = self.source.bytes(end, 8)?;
            let cut = || Fault::Corrupt("the compressed data is cut".to_owned());
            let (crc, length) =
                sums.as_deref().and_then(|sums| sums.split_at_checked(4)).ok_or_else(cut)?;
            let crc_holds = crc == std::mem::take(&mut self.sum).finalize().to_le_bytes();
            if !crc_holds || length != std::mem::take(&mut self.length).to_le_bytes() {
                return Err(Fault::Corrupt(
                    "the compressed data does not fit its checksum".to_owned(),
                ));
            }
        }
        let Some(next) = behind(self.source, end + trailer)? else {
            return Ok(false);
        };
        if !self.members || self.source.up_to(next, 3)? != [0x1f, 0x8b, 8] {
            return Err(followed(next));
        }
        self.next = gzip_header(self.source, next)?;
        self.input.clear();
        self.at = 0;
        self.state.reset(self.format);
        Ok(true)
    }
}

impl Feed for Inflate<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        while !self.done && !buffer.is_empty() {
            if std::mem::take(&mut self.ended) {
                self.done = !self.next_member()?;
                continue;
            }
            if self.at == self.input.len() {
                self.input = self.source.up_to(self.next, 16 * 1024)?;
                self.next += self.input.len() as u64;
                self.at = 0;
            }
            let ended = self.input.is_empty();
            let result = inflate(&mut self.state, &self.input[self.at..], buffer, MZFlush::None);
            self.at += result.bytes_consumed;
            if self.members {
                self.sum.update(&buffer[..result.bytes_written]);
                // gzip keeps the length modulo 2^32.
                #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 is meant")]
                let written = result.bytes_written as u32;
                self.length = self.length.wrapping_add(written);
            }
            match result.status {
                Ok(MZStatus::StreamEnd) => {
                    // What was decoded comes first; what is wrong behind it is told with the next call.
                    if result.bytes_written > 0 {
                        self.ended = true;
                        return Ok(result.bytes_written);
                    }
                    self.done = !self.next_member()?;
                }
                Ok(_) if result.bytes_written == 0 && result.bytes_consumed == 0 && ended => {
                    return Err(Fault::Corrupt("the compressed data is cut".to_owned()));
                }
                Err(miniz_oxide::MZError::Buf) if ended => {
                    return Err(Fault::Corrupt("the compressed data is cut".to_owned()));
                }
                Ok(_) | Err(miniz_oxide::MZError::Buf) => {}
                Err(_) => return Err(Fault::Corrupt("the compressed data is broken".to_owned())),
            }
            if result.bytes_written > 0 {
                return Ok(result.bytes_written);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(source: &dyn Source, method: Method) -> Result<Vec<u8>, Fault> {
        let mut feed = open(source, method)?;
        let mut out = Vec::new();
        let mut buffer = [0; 1000];
        loop {
            match feed.fill(&mut buffer)? {
                0 => return Ok(out),
                n => out.extend_from_slice(&buffer[..n]),
            }
        }
    }

    #[test]
    fn deflate_and_its_wrappers() {
        let plain: Vec<u8> = (0..100_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let raw = miniz_oxide::deflate::compress_to_vec(&plain, 6);
        let zlib = miniz_oxide::deflate::compress_to_vec_zlib(&plain, 6);
        assert_eq!(all(&raw, Method::Deflate).as_ref(), Ok(&plain));
        assert_eq!(all(&zlib, Method::Zlib).as_ref(), Ok(&plain));
        assert_eq!(recognise(&zlib), Some(Method::Zlib));
        let mut gzip = b"\x1f\x8b\x08\x1c\0\0\0\0\0\xff\x02\0xxname\0comment\0".to_vec();
        gzip.extend_from_slice(&raw);
        gzip.extend_from_slice(&crc32fast::hash(&plain).to_le_bytes());
        gzip.extend_from_slice(&u32::try_from(plain.len()).expect("small").to_le_bytes());
        let one = gzip.clone();
        assert_eq!(all(&one, Method::Gzip).as_ref(), Ok(&plain));
        gzip.extend_from_slice(&one);
        assert_eq!(all(&gzip, Method::Gzip).map(|out| out.len()), Ok(plain.len() * 2));
        for cut in [0, 1, 5, 11, 20, 100, raw.len() - 1] {
            assert!(all(&raw[..cut].to_vec(), Method::Deflate).is_err(), "{cut}");
            assert!(all(&one[..cut].to_vec(), Method::Gzip).is_err(), "{cut}");
        }
    }

    #[test]
    fn recognised_by_content() {
        for (head, method) in [
            (&b"\x1f\x8b\x08\0"[..], Some(Method::Gzip)),
            (b"BZh91AY", Some(Method::Bzip2)),
            (b"BZhello", None),
            (b"\xfd7zXZ\0", Some(Method::Xz)),
            (b"\x04\x22\x4d\x18", Some(Method::Lz4)),
            (b"\x78\x9c", Some(Method::Zlib)),
            (b"x^", Some(Method::Zlib)),
            (b"xy", None),
            (b"", None),
        ] {
            assert_eq!(recognise(head), method, "{head:?}");
        }
    }
}
