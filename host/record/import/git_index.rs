//! Git's index (`.git/index`): which blob git has for each path.
//!
//! Read so that no git is needed: it is a plain file, while the objects are
//! packed. Source: git, `Documentation/gitformat-index.txt`, versions 2 to 4.
//! Leaves what the blobs are worth to `git_lfs`.

use sha1::{Digest as _, Sha1};

/// One path in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The path, raw bytes.
    pub(super) path: Vec<u8>,
    /// What it is: git's mode, such as `0o100644`.
    pub(super) mode: u32,
    /// The id of its blob.
    pub(super) id: [u8; 20],
}

/// The bytes of an entry before its flags: ten numbers, a mode among them, and
/// the id.
const FIXED: usize = 60;

/// Whether an index is one at all.
pub(super) fn is_index(start: &[u8]) -> bool {
    start.starts_with(b"DIRC")
}

/// Reads all entries of an index.
///
/// # Errors
/// Says why it can't be read: damage, a form that is not known, or a merge that
/// is not done.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let cut = || "it is cut short".to_owned();
    let (content, sum) = bytes.split_last_chunk::<20>().ok_or_else(cut)?;
    // All zero where git was told not to compute it (`index.skipHash`).
    if *sum != [0; 20] && Sha1::digest(content).as_slice() != sum {
        return Err("its own digest is wrong: it is damaged, or of a repository that uses SHA-256"
            .to_owned());
    }
    let number = |at: usize| {
        let bytes = content.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    };
    let version = number(4).ok_or_else(cut)?;
    let count = number(8).ok_or_else(cut)?;
    if !is_index(content) || !(2..=4).contains(&version) {
        return Err("it is no index of version 2 to 4".to_owned());
    }
    let mut entries = Vec::new();
    let mut at = 12;
    let mut path: Vec<u8> = Vec::new();
    for _ in 0..count {
        let start = at;
        let mode = number(at + 24).ok_or_else(cut)?;
        let id = *content.get(at + 40..).and_then(<[u8]>::first_chunk::<20>).ok_or_else(cut)?;
        let flags = *content.get(at + FIXED..).and_then(<[u8]>::first_chunk).ok_or_else(cut)?;
        let flags = u16::from_be_bytes(flags);
        at += FIXED + 2;
        if flags & 0x4000 != 0 && version >= 3 {
            at += 2;
        }
        if flags & 0x3000 != 0 {
            return Err("a merge is not done: finish it first".to_owned());
        }
        if version == 4 {
            let (strip, after) = varint(content, at).ok_or_else(cut)?;
            at = after;
            let keep = path.len().checked_sub(strip).ok_or("a path in it is damaged")?;
            path.truncate(keep);
        } else {
            path.clear();
        }
        let rest = content.get(at..).ok_or_else(cut)?;
        let length = rest.iter().position(|byte| *byte == 0).ok_or_else(cut)?;
        path.extend_from_slice(rest.get(..length).ok_or_else(cut)?);
        if path.len() > 4096 {
            return Err("a path in it has more than 4096 bytes".to_owned());
        }
        at += length + 1;
        if version < 4 {
            // Filled up to a multiple of eight, by one byte at least.
            at = start + (at - start).next_multiple_of(8);
        }
        entries.push(Entry { path: path.clone(), mode, id });
    }
    if content.get(at..).is_some_and(|rest| has_extension(rest, b"link")) {
        return Err("it is split: run `git update-index --no-split-index`".to_owned());
    }
    Ok(entries)
}

/// Reads a number as version 4 writes it; returns it, and where it ends.
fn varint(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *bytes.get(at)?;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *bytes.get(at)?;
        value = value.checked_add(1)?.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
    }
    Some((value, at + 1))
}

/// Whether an extension of that name is among `rest`.
fn has_extension(mut rest: &[u8], name: &[u8; 4]) -> bool {
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, size @ ..] = *head;
        if [a, b, c, d] == *name {
            return true;
        }
        let size = usize::try_from(u32::from_be_bytes(size)).unwrap_or(usize::MAX);
        let Some(next) = after.get(size..) else { return false };
        rest = next;
    }
    false
}
