//! Owns the finding of a zip's end record and directory as tolerant readers find
//! them: behind other content, before other content, with a comment, of zip64.
//! Leaves the strict reading to `zip`.

use crate::found::Stop;
use crate::source::{Cursor, Source};

/// The end record and the longest comment after it: where readers look.
const TAIL: u64 = 22 + 65_535;
/// The length of an end record without a comment.
const RECORD: usize = 22;
/// The length of a member's entry in the directory, without its name.
const ENTRY: u64 = 46;
/// The lengths of zip64's locator and end record.
const LOCATOR: u64 = 20;
const RECORD64: u64 = 56;
/// How much of a directory is read.
const MAX_DIRECTORY: u64 = 16 * 1024 * 1024;

/// Where an archive ends, and where its directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Where the end record stands.
    pub at: u64,
    directory: u64,
    length: u64,
}

impl End {
    /// Returns the directory's bytes.
    pub fn directory(self, source: &dyn Source) -> Result<Vec<u8>, Stop> {
        if self.length > MAX_DIRECTORY {
            let message = format!("an archive with a directory of {} bytes", self.length);
            return Err(Stop::Unsupported(message));
        }
        // At most MAX_DIRECTORY, so it fits.
        Ok(source.read_at(self.directory, usize::try_from(self.length).unwrap_or(0))?)
    }
}

/// Returns the last end record that leads to a directory.
pub fn find(source: &dyn Source) -> Result<Option<End>, Stop> {
    let length = source.size().min(TAIL);
    let start = source.size() - length;
    // At most TAIL, so it fits.
    let tail = source.read_at(start, usize::try_from(length).unwrap_or(0))?;
    let starts = tail.get(..(tail.len() + 1).saturating_sub(RECORD)).unwrap_or_default();
    // One byte is looked for first: most of a small model is looked through here, for nothing.
    for at in memchr::memrchr_iter(b'P', starts) {
        if tail[at..].starts_with(b"PK\x05\x06")
            && let Some(end) = follow(source, start + at as u64)?
        {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// Follows the end record at `at` to the directory: before it, by its size, as
/// readers that allow for a prefix reckon, or where it says.
fn follow(source: &dyn Source, at: u64) -> Result<Option<End>, Stop> {
    let mut cursor = Cursor::with_block(source, at + 12, RECORD);
    let length = u64::from(cursor.u32("a size")?);
    let stated = u64::from(cursor.u32("an offset")?);
    if let Some(end) = follow64(source, at)? {
        return Ok(Some(end));
    }
    for directory in [at.checked_sub(length), Some(stated)].into_iter().flatten() {
        if length >= ENTRY && has(source, directory, b"PK\x01\x02", length)? {
            return Ok(Some(End { at, directory, length }));
        }
    }
    Ok(None)
}

/// Follows zip64's end record, which stands before its locator.
fn follow64(source: &dyn Source, at: u64) -> Result<Option<End>, Stop> {
    let Some(locator) = at.checked_sub(LOCATOR) else {
        return Ok(None);
    };
    let Some(record) = locator.checked_sub(RECORD64) else {
        return Ok(None);
    };
    if !has(source, locator, b"PK\x06\x07", LOCATOR)? {
        return Ok(None);
    }
    let mut cursor = Cursor::with_block(source, record + 40, RECORD);
    let length = cursor.u64("a size")?;
    Ok(Some(match record.checked_sub(length) {
        Some(directory) if has(source, record, b"PK\x06\x06", RECORD64)? => {
            End { at, directory, length }
        }
        // It stands elsewhere; so does its directory.
        _ => End {
            at,
            directory: record - record.min(MAX_DIRECTORY),
            length: record.min(MAX_DIRECTORY),
        },
    }))
}

/// Tells whether `length` bytes that begin with `sign` stand at `at`.
fn has(source: &dyn Source, at: u64, sign: &[u8], length: u64) -> Result<bool, Stop> {
    if at.checked_add(length).is_none_or(|end| end > source.size()) {
        return Ok(false);
    }
    Ok(source.read_at(at, sign.len())? == sign)
}
