//! 7z archives: finding their header and unpacking their folders.
//!
//! What the header says is read in `sevenz_header.rs`; what the files hold is for `scan.rs`. The format: 7zFormat.txt
//! of the LZMA SDK. What is unpacked is bounded.

use crate::compressed::{self, Method};
use crate::rare;
use crate::sevenz_header::Parser;
use crate::source::{Fault, Source, Window};
use crate::stream::Feed;
use crate::zip_end::u64_at;

/// What opens the format.
pub const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// Bytes of a header, unpacked: names of some 100,000 files.
const HEADER: u64 = 16 << 20;
/// Bytes of a folder, unpacked: within what a check may hold.
const FOLDER: u64 = 32 << 20;
/// Headers that are packed within packed headers.
const PACKED: u32 = 4;

/// One file within a folder.
#[derive(Debug)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Bytes of its content.
    pub size: u64,
}

/// Files that are packed as one stream.
#[derive(Debug, Default)]
pub struct Folder {
    /// Where the packed bytes begin.
    pub start: u64,
    /// How many packed bytes there are.
    pub packed: u64,
    /// How many bytes they are unpacked.
    pub size: u64,
    /// The files, one after another.
    pub files: Vec<File>,
    pub(crate) coders: Vec<Coder>,
    /// The coders from the last to be undone to the first.
    pub(crate) order: Vec<usize>,
    pub(crate) crc: Option<u32>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Coder {
    pub(crate) id: Vec<u8>,
    pub(crate) properties: Vec<u8>,
    pub(crate) size: u64,
}

pub(crate) fn wrong() -> Fault {
    Fault::Corrupt("its header makes no sense".to_owned())
}

/// Returns where an archive ends, if its first bytes tell.
///
/// # Errors
/// When the bytes can't be had.
pub fn end(source: &dyn Source) -> Result<Option<u64>, Fault> {
    let start = source.bytes(12, 16)?;
    Ok(start.and_then(|start| {
        let (offset, size) = (u64_at(&start, 0), u64_at(&start, 8));
        offset.checked_add(size)?.checked_add(32).filter(|&end| end <= source.size())
    }))
}

/// Reads the header; `most` says how much may be unpacked for it.
///
/// # Errors
/// When it makes no sense, is encrypted, or can't be had.
pub fn read(source: &dyn Source, most: &mut dyn FnMut(u64) -> u64) -> Result<Vec<Folder>, Fault> {
    let start = source.bytes(0, 32)?.ok_or_else(wrong)?;
    let (offset, size) = (u64_at(&start, 12), u64_at(&start, 20));
    if size > HEADER {
        return Err(Fault::TooLarge("its header is too large".to_owned()));
    }
    let header_at = offset.checked_add(32).ok_or_else(wrong)?;
    let size = usize::try_from(size).map_err(|_| wrong())?;
    let mut header = source.bytes(header_at, size)?.ok_or_else(wrong)?;
    for _ in 0..PACKED {
        let mut parser = Parser { rest: &header };
        match parser.byte()? {
            1 => return parser.header(),
            0x17 => {
                let mut folders = parser.streams()?;
                let folder = folders.pop().filter(|_| folders.is_empty()).ok_or_else(wrong)?;
                if folder.size > most(HEADER).min(HEADER) {
                    return Err(Fault::TooLarge("its header is too large".to_owned()));
                }
                header = unpack(source, &folder)?;
            }
            _ => return Err(wrong()),
        }
    }
    Err(wrong())
}

/// Unpacks a folder.
///
/// # Errors
/// When a coder is not known, the bytes are broken, or there are too many.
pub fn unpack(source: &dyn Source, folder: &Folder) -> Result<Vec<u8>, Fault> {
    if folder.coders.iter().any(|coder| coder.size > FOLDER) {
        return Err(Fault::TooLarge(format!("more than {FOLDER} bytes are packed as one")));
    }
    let mut bytes: Option<Vec<u8>> = None;
    for coder in folder.order.iter().rev().map(|&n| &folder.coders[n]) {
        let window = Window::new(source, folder.start, folder.packed);
        let input: &dyn Source = match &bytes {
            Some(bytes) => bytes,
            None => &window,
        };
        bytes = Some(decode(input, coder)?);
    }
    let bytes = bytes.ok_or_else(wrong)?;
    if bytes.len() as u64 != folder.size
        || folder.crc.is_some_and(|crc| crc32fast::hash(&bytes) != crc)
    {
        return Err(Fault::Corrupt("the content does not fit its checksum or size".to_owned()));
    }
    Ok(bytes)
}

fn decode(input: &dyn Source, coder: &Coder) -> Result<Vec<u8>, Fault> {
    let mut feed: Box<dyn Feed> = match (coder.id.as_slice(), coder.properties.as_slice()) {
        ([0], _) => return input.up_to(0, usize::try_from(coder.size).map_err(|_| wrong())?),
        ([3, 1, 1], properties @ [_, _, _, _, _]) => {
            Box::new(rare::bare_lzma(properties, input, 0, Some(coder.size))?)
        }
        ([0x21], _) => Box::new(rare::lzma2(input)?),
        ([4, 1, 8], _) => compressed::open(input, Method::Deflate)?,
        ([4, 2, 2], _) => compressed::open(input, Method::Bzip2)?,
        ([3, 3, 1, 3] | [4], _) => {
            let mut bytes = input.up_to(0, usize::try_from(coder.size).map_err(|_| wrong())?)?;
            branches(&mut bytes);
            return Ok(bytes);
        }
        ([3], [distance]) => {
            let mut bytes = input.up_to(0, usize::try_from(coder.size).map_err(|_| wrong())?)?;
            let distance = usize::from(*distance) + 1;
            for at in distance..bytes.len() {
                bytes[at] = bytes[at].wrapping_add(bytes[at - distance]);
            }
            return Ok(bytes);
        }
        ([6, 0xf1, 7, 1], _) => return Err(Fault::Corrupt("it is encrypted".to_owned())),
        (id, _) => {
            return Err(Fault::Corrupt(format!("its coder {id:02x?} can't be read here")));
        }
    };
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while (bytes.len() as u64) < coder.size {
        match feed.fill(&mut buffer)? {
            0 => break,
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    bytes.truncate(usize::try_from(coder.size).map_err(|_| wrong())?);
    Ok(bytes)
}

/// Undoes the filter for x86 code, which turns the relative targets of calls and jumps into absolute ones (Bra86.c).
fn branches(bytes: &mut [u8]) {
    const ALLOWED: [bool; 8] = [true, true, true, false, true, false, false, false];
    const PLACE: [u32; 8] = [0, 1, 2, 2, 3, 3, 3, 3];
    let edge = |byte: u8| matches!(byte, 0 | 0xff);
    let (mut previous, mut mask, mut at) = (usize::MAX, 0u32, 0usize);
    while at + 4 < bytes.len() {
        if bytes[at] & 0xfe != 0xe8 {
            at += 1;
            continue;
        }
        let distance = at.wrapping_sub(previous);
        previous = at;
        if distance > 3 {
            mask = 0;
        } else {
            mask = (mask << (distance - 1)) & 7;
            if mask != 0 {
                let within = bytes[at + 4 - PLACE[mask as usize] as usize];
                if !ALLOWED[mask as usize] || edge(within) {
                    mask = (mask << 1) & 7 | 1;
                    at += 1;
                    continue;
                }
            }
        }
        if !edge(bytes[at + 4]) {
            mask = (mask << 1) & 7 | 1;
            at += 1;
            continue;
        }
        let mut source =
            u32::from_le_bytes([bytes[at + 1], bytes[at + 2], bytes[at + 3], bytes[at + 4]]);
        #[expect(clippy::cast_possible_truncation, reason = "addresses wrap at 32 bits")]
        let here = (at as u32).wrapping_add(5);
        let target = loop {
            let target = source.wrapping_sub(here);
            if mask == 0 {
                break target;
            }
            let place = PLACE[mask as usize] * 8;
            if !edge(target.to_be_bytes()[(place / 8) as usize]) {
                break target;
            }
            source = target ^ (1u32 << (32 - place)).wrapping_sub(1);
        };
        let sign = if target >> 24 & 1 == 1 { 0xff } else { 0 };
        let [a, b, c, _] = target.to_le_bytes();
        bytes[at + 1..at + 5].copy_from_slice(&[a, b, c, sign]);
        at += 5;
        previous = at - 1;
        mask = 0;
    }
}
