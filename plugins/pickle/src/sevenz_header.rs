//! The header of a 7z archive: where the files of each folder lie, and the coders that pack them.
//!
//! Where the header is and how folders are unpacked is in `sevenz.rs`.
//!
//! # Invariants
//! Counts are checked against the bytes that are left before anything is set aside.

use crate::sevenz::{Coder, File, Folder, wrong};
use crate::source::Fault;

/// Coders of one folder: a filter or two, and a compression.
const CODERS: u64 = 4;

/// Reads the header from its front.
pub(crate) struct Parser<'a> {
    pub(crate) rest: &'a [u8],
}

impl Parser<'_> {
    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
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
    pub(crate) fn header(&mut self) -> Result<Vec<Folder>, Fault> {
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
    pub(crate) fn streams(&mut self) -> Result<Vec<Folder>, Fault> {
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
