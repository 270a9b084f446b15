//! 7z archives: where the files of each folder lie, and the coders that pack them.
//!
//! What the files hold is for `scan.rs`. The format: 7zFormat.txt of the LZMA SDK.
//!
//! # Invariants
//! Counts are checked against the bytes that are left before anything is set aside; what is unpacked is bounded.

use crate::compressed::{self, Method};
use crate::rare;
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
/// Coders of one folder: a filter or two, and a compression.
const CODERS: u64 = 4;

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
    coders: Vec<Coder>,
    /// The coders from the last to be undone to the first.
    order: Vec<usize>,
    crc: Option<u32>,
}

#[derive(Debug, Default, Clone)]
struct Coder {
    id: Vec<u8>,
    properties: Vec<u8>,
    size: u64,
}

fn wrong() -> Fault {
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

struct Parser<'a> {
    rest: &'a [u8],
}

impl Parser<'_> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let (&byte, rest) = self.rest.split_first().ok_or_else(wrong)?;
        self.rest = rest;
        Ok(byte)
    }

    fn bytes(&mut self, count: u64) -> Result<&[u8], Fault> {
        let count = usize::try_from(count).map_err(|_| wrong())?;
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(wrong)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Reads a number: the first byte's leading ones say how many bytes follow.
    fn number(&mut self) -> Result<u64, Fault> {
        let first = self.byte()?;
        let (mut value, mut mask) = (0u64, 0x80u8);
        for n in 0..8 {
            if first & mask == 0 {
                let high = u64::from(first & mask.wrapping_sub(1));
                return Ok(value | high << (8 * n));
            }
            value |= u64::from(self.byte()?) << (8 * n);
            mask >>= 1;
        }
        Ok(value)
    }

    /// Reads a count of things that each take a byte or more, or a bit.
    fn count(&mut self) -> Result<usize, Fault> {
        let count = usize::try_from(self.number()?).map_err(|_| wrong())?;
        if count > self.rest.len().saturating_mul(8) { Err(wrong()) } else { Ok(count) }
    }

    fn bits(&mut self, count: usize) -> Result<Vec<bool>, Fault> {
        let bytes = self.bytes(count.div_ceil(8) as u64)?;
        Ok((0..count).map(|n| bytes[n / 8] >> (7 - n % 8) & 1 == 1).collect())
    }

    fn sums(&mut self, count: usize) -> Result<Vec<Option<u32>>, Fault> {
        let known = if self.byte()? == 1 { vec![true; count] } else { self.bits(count)? };
        let mut sums = Vec::with_capacity(count);
        for known in known {
            sums.push(if known {
                let bytes = self.bytes(4)?;
                Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            } else {
                None
            });
        }
        Ok(sums)
    }

    /// The archive's own header: what is packed where, then the files.
    fn header(&mut self) -> Result<Vec<Folder>, Fault> {
        let mut folders = Vec::new();
        loop {
            match self.byte()? {
                0 => return Ok(folders),
                2 => {
                    // Properties of the archive: a type, a size, so many bytes.
                    while self.byte()? != 0 {
                        let size = self.number()?;
                        self.bytes(size)?;
                    }
                }
                4 => folders = self.streams()?,
                5 => self.files(&mut folders)?,
                _ => return Err(wrong()),
            }
        }
    }

    /// Where the packed streams are, how they are packed, and the sizes of files within.
    fn streams(&mut self) -> Result<Vec<Folder>, Fault> {
        let (mut folders, mut packed, mut start): (Vec<Folder>, Vec<u64>, u64) =
            (Vec::new(), Vec::new(), 0);
        let mut counts: Option<Vec<usize>> = None;
        let mut sizes = Vec::new();
        loop {
            match self.byte()? {
                0 => break,
                6 => (start, packed) = self.packed()?,
                7 => folders = self.folders()?,
                8 => (counts, sizes) = self.files_within(&folders)?,
                _ => return Err(wrong()),
            }
        }
        if packed.len() != folders.len() {
            // Folders of several streams are made by coders (BCJ2) that are not known here.
            return Err(Fault::Corrupt("it splits code into several streams".to_owned()));
        }
        let mut at = start.checked_add(32).ok_or_else(wrong)?;
        let mut sizes = sizes.into_iter();
        for (n, (folder, packed)) in folders.iter_mut().zip(packed).enumerate() {
            (folder.start, folder.packed) = (at, packed);
            at = at.checked_add(packed).ok_or_else(wrong)?;
            let count = counts.as_ref().map_or(1, |counts| counts.get(n).copied().unwrap_or(0));
            let mut left = folder.size;
            for file in 0..count {
                let size = if file + 1 == count { left } else { sizes.next().ok_or_else(wrong)? };
                left = left.checked_sub(size).ok_or_else(wrong)?;
                folder.files.push(File { name: String::new(), size });
            }
        }
        Ok(folders)
    }

    fn packed(&mut self) -> Result<(u64, Vec<u64>), Fault> {
        let start = self.number()?;
        let count = self.count()?;
        let mut sizes = Vec::new();
        loop {
            match self.byte()? {
                0 => return Ok((start, sizes)),
                9 => sizes = (0..count).map(|_| self.number()).collect::<Result<_, _>>()?,
                0x0a => drop(self.sums(count)?),
                _ => return Err(wrong()),
            }
        }
    }

    fn folders(&mut self) -> Result<Vec<Folder>, Fault> {
        if self.byte()? != 0x0b {
            return Err(wrong());
        }
        let count = self.count()?;
        if self.byte()? != 0 {
            return Err(wrong());
        }
        let mut folders = Vec::new();
        for _ in 0..count {
            folders.push(self.folder()?);
        }
        if self.byte()? != 0x0c {
            return Err(wrong());
        }
        for folder in &mut folders {
            for coder in &mut folder.coders {
                coder.size = self.number()?;
            }
            folder.size = folder.order.first().map_or(0, |&last| folder.coders[last].size);
        }
        loop {
            match self.byte()? {
                0 => return Ok(folders),
                0x0a => {
                    for (folder, sum) in folders.iter_mut().zip(self.sums(count)?) {
                        folder.crc = sum;
                    }
                }
                _ => return Err(wrong()),
            }
        }
    }

    fn folder(&mut self) -> Result<Folder, Fault> {
        let count = self.number()?;
        if count == 0 || count > CODERS {
            return Err(wrong());
        }
        let mut folder = Folder::default();
        for _ in 0..count {
            let flags = self.byte()?;
            let id = self.bytes(u64::from(flags & 0xf))?.to_vec();
            if flags & 0x10 != 0 {
                return Err(Fault::Corrupt(format!("its coder {id:02x?} can't be read here")));
            }
            let mut properties = Vec::new();
            if flags & 0x20 != 0 {
                let size = self.number()?;
                properties = self.bytes(size)?.to_vec();
            }
            folder.coders.push(Coder { id, properties, size: 0 });
        }
        // Whose output each coder's input is; the one that nobody takes from gives the content.
        let mut from = vec![None; folder.coders.len()];
        for _ in 1..count {
            let index = |n: u64| usize::try_from(n).map_err(|_| wrong());
            let (to, of) = (index(self.number()?)?, index(self.number()?)?);
            if of >= from.len() {
                return Err(wrong());
            }
            *from.get_mut(to).ok_or_else(wrong)? = Some(of);
        }
        let mut at = (0..from.len()).find(|&n| !from.contains(&Some(n)));
        while let Some(coder) = at.filter(|_| folder.order.len() < folder.coders.len()) {
            folder.order.push(coder);
            at = from[coder];
        }
        if folder.order.len() != folder.coders.len() {
            return Err(wrong());
        }
        Ok(folder)
    }

    /// How many files each folder holds, and the sizes of all but the last of each.
    fn files_within(
        &mut self,
        folders: &[Folder],
    ) -> Result<(Option<Vec<usize>>, Vec<u64>), Fault> {
        let mut counts: Option<Vec<usize>> = None;
        let mut sizes = Vec::new();
        loop {
            let of = |counts: &Option<Vec<usize>>| -> Vec<usize> {
                counts.clone().unwrap_or_else(|| vec![1; folders.len()])
            };
            match self.byte()? {
                0 => return Ok((counts, sizes)),
                0x0d => {
                    let listed = folders.iter().map(|_| self.count());
                    counts = Some(listed.collect::<Result<_, _>>()?);
                }
                9 => {
                    for count in of(&counts) {
                        for _ in 1..count {
                            sizes.push(self.number()?);
                        }
                    }
                }
                0x0a => {
                    let counts = of(&counts);
                    let unknown = counts
                        .iter()
                        .zip(folders)
                        .filter(|(count, folder)| **count != 1 || folder.crc.is_none());
                    let count =
                        unknown.map(|(count, _)| *count).fold(0usize, usize::saturating_add);
                    if count > self.rest.len().saturating_mul(8) {
                        return Err(wrong());
                    }
                    drop(self.sums(count)?);
                }
                _ => return Err(wrong()),
            }
        }
    }

    /// Gives the files their names.
    fn files(&mut self, folders: &mut [Folder]) -> Result<(), Fault> {
        let count = self.count()?;
        let (mut names, mut empty) = (Vec::new(), vec![false; count]);
        loop {
            let kind = self.byte()?;
            if kind == 0 {
                break;
            }
            let size = self.number()?;
            let body = self.bytes(size)?;
            match kind {
                0x0e => empty = Parser { rest: body }.bits(count)?,
                0x11 => {
                    let units: Vec<u16> = body
                        .get(1..)
                        .unwrap_or_default()
                        .chunks_exact(2)
                        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                        .collect();
                    names = units.split(|&unit| unit == 0).map(String::from_utf16_lossy).collect();
                }
                _ => {}
            }
        }
        let mut full = (0..count).filter(|&n| !empty[n]);
        for file in folders.iter_mut().flat_map(|folder| &mut folder.files) {
            let n = full.next().ok_or_else(wrong)?;
            file.name = names.get(n).cloned().unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (bytes, value) in [
            (&[0x7f][..], 0x7f),
            (&[0x80, 0x80], 0x80),
            (&[0xa1, 0x34], 0x2134),
            (&[0xf0, 1, 2, 3, 4], 0x0403_0201),
            (&[0xff, 1, 2, 3, 4, 5, 6, 7, 8], 0x0807_0605_0403_0201),
        ] {
            assert_eq!(Parser { rest: bytes }.number(), Ok(value), "{bytes:x?}");
        }
        assert!(Parser { rest: &[0xff, 1] }.number().is_err());
    }
}
