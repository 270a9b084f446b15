//! The end of a zip archive: where its directory is, as Python, PyTorch and others find it.
//!
//! What the directory holds is read in `zip.rs`.

use crate::source::{Fault, Source};

/// How far from the end the end record may be: its own 22 bytes and a comment.
const TAIL: usize = 22 + 0xffff;

/// The end record: where the directory is.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) at: u64,
    /// Where the record itself ends: a comment of so many bytes follows, and nothing else.
    pub(crate) tail: u64,
    pub(crate) comment: u64,
    pub(crate) count: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Finds the last end record whose comment fits, and says whether another one could be meant.
pub(crate) fn end_record(source: &dyn Source) -> Result<(Option<End>, bool), Fault> {
    let size = source.size();
    let tail_length = usize::try_from(size).map_or(TAIL, |size| size.min(TAIL));
    let tail_at = size - tail_length as u64;
    let tail = source.up_to(tail_at, tail_length)?;
    let mut found: Option<usize> = None;
    let mut several = false;
    let mut exact = false;
    let starts = &tail[..tail.len().saturating_sub(21)];
    // One byte is looked for first: most of a small model is looked through here, for nothing.
    for at in memchr::memrchr_iter(b'P', starts) {
        if tail[at..].starts_with(b"PK\x05\x06") {
            let fits = at + 22 + usize::from(u16_at(&tail, at + 20)) == tail.len();
            let before = u64::from(u32_at(&tail, at + 12)) <= tail_at + at as u64;
            match found {
                None => (found, exact) = (Some(at), fits),
                Some(_) if before && (fits || !exact) => several = true,
                Some(_) => {}
            }
        }
    }
    let Some(at) = found else {
        return Ok((None, false));
    };
    let record = &tail[at..];
    let (after, comment) = (tail_at + at as u64 + 22, u64::from(u16_at(record, 20)));
    let mut end = End {
        at: tail_at + at as u64,
        tail: after,
        comment,
        count: u64::from(u16_at(record, 10)),
        size: u64::from(u32_at(record, 12)),
        offset: u64::from(u32_at(record, 16)),
    };
    if let Some(locator_at) = end.at.checked_sub(20)
        && let Some(locator) = source.bytes(locator_at, 20)?
        && locator.starts_with(b"PK\x06\x07")
    {
        let record_at = u64_at(&locator, 8);
        let record = match source.bytes(record_at, 56)? {
            Some(record) if record.starts_with(b"PK\x06\x06") => Some((record_at, record)),
            // A prefix moves the record away from where it says it is.
            _ => match locator_at.checked_sub(56) {
                Some(near) => source
                    .bytes(near, 56)?
                    .filter(|record| record.starts_with(b"PK\x06\x06"))
                    .map(|record| (near, record)),
                None => None,
            },
        };
        if let Some((at, record)) = record {
            end = End {
                at,
                tail: after,
                comment,
                count: u64_at(&record, 32),
                size: u64_at(&record, 40),
                offset: u64_at(&record, 48),
            };
        }
    }
    Ok((Some(end), several))
}

/// Returns where the directory begins: right before the end record, as Python and others find it.
pub(crate) fn directory_start(end: &End) -> Option<u64> {
    end.at.checked_sub(end.size).filter(|&start| start >= end.offset)
}
