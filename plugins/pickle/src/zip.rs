//! Zip archives, read by the central directory as loaders do and by local headers as other readers do.
//!
//! Where the two views differ stands in the log; what the members hold is for `scan.rs`.
//!
//! # Invariants
//! Time is linear in the directory's size; offsets and lengths are checked before use; what is kept of a
//! directory is bounded by `ENTRIES` and `DIRECTORY`.

use std::collections::BTreeMap;

use crate::compressed;
use crate::log::{self, Log};
use crate::source::{Fault, Source};
use crate::text;
use crate::zip_end::{End, directory_start, end_record, u16_at, u32_at, u64_at};
use crate::zip_local::{gaps, locate, salvage};

/// Members looked at; the largest checkpoints have some ten thousand.
pub(crate) const ENTRIES: usize = 200_000;
/// Bytes of a central directory.
const DIRECTORY: u64 = 32 << 20;
/// One member.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name in the central directory, or in the local header where only that exists.
    pub name: String,
    /// Where its data begins.
    pub data: u64,
    /// Bytes of its data as stored.
    pub packed: u64,
    /// Bytes of its content, as declared.
    pub size: u64,
    /// The compression method.
    pub method: u16,
    /// The declared checksum.
    pub crc: u32,
    /// Whether no directory lists it.
    pub hidden: bool,
}

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Archive {
    /// The members, in the order of their data.
    pub entries: Vec<Entry>,
    /// Bytes before the archive that are none of it.
    pub prefix: u64,
    /// Whether the directory was read to its end.
    pub whole: bool,
    /// Where the end record ends, and with it the archive but for its comment.
    pub end: u64,
}

/// One record of the central directory.
pub(crate) struct Listed {
    pub(crate) name: String,
    /// The name's bytes where they are no UTF-8: two such names may look alike.
    pub(crate) raw: Option<Vec<u8>>,
    pub(crate) name_length: usize,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
    pub(crate) attributes: u32,
    pub(crate) system: u8,
}

/// Finds where the end record of a zip archive stands, if the bytes end in one, whatever they begin with.
///
/// # Errors
/// When the bytes can't be had.
pub fn ends_in_archive(source: &dyn Source) -> Result<Option<u64>, Fault> {
    let end = end_record(source)?.0;
    Ok(end.filter(|end| directory_start(end).is_some()).map(|end| end.at))
}

/// Reads an archive, logging where readers would see it differently; `None` if there is no end record.
///
/// # Errors
/// When the bytes can't be had.
pub fn read(source: &dyn Source, member: &str, log: &mut Log) -> Result<Option<Archive>, Fault> {
    let (end, several) = end_record(source)?;
    let Some(end) = end else { return Ok(None) };
    let mut archive = Archive { end: end.tail, ..Archive::default() };
    if compressed::behind(source, end.tail.saturating_add(end.comment))?.is_some() {
        log.add(
            log::ARCHIVE_MISMATCH,
            member,
            end.tail + end.comment,
            "bytes follow the zip archive: readers that start at the end see another file, or none",
        );
    }
    if several {
        log.add(
            log::ARCHIVE_MISMATCH,
            member,
            end.at,
            "several end records: readers disagree on which directory is the archive's",
        );
    }
    let Some(start) = directory_start(&end) else {
        log.add(
            log::MALFORMED,
            member,
            end.at,
            "the zip directory does not fit before its end record",
        );
        salvage(source, &mut archive, 0, source.size(), member, log)?;
        return Ok(Some(archive));
    };
    archive.prefix = start - end.offset;
    let listed = directory(source, &end, start, member, log)?;
    archive.whole = listed.len() as u64 == end.count;
    if !archive.whole {
        let message =
            format!("the zip directory counts {} members and lists {}", end.count, listed.len());
        log.add(log::ARCHIVE_MISMATCH, member, end.at, message);
    }
    names(&listed, start, member, log);
    let mut spans = Vec::with_capacity(listed.len());
    for listed in listed {
        if let Some((entry, span)) = locate(source, &listed, archive.prefix, start, member, log)? {
            spans.push(span);
            archive.entries.push(entry);
        }
    }
    spans.sort_unstable();
    gaps(source, &spans, start, &mut archive, member, log)?;
    archive.entries.sort_unstable_by(|a, b| (a.data, &a.name).cmp(&(b.data, &b.name)));
    Ok(Some(archive))
}

/// Reads the members of an archive whose directory is missing: only local headers tell of them.
///
/// # Errors
/// When the bytes can't be had.
pub fn read_headless(source: &dyn Source, member: &str, log: &mut Log) -> Result<Archive, Fault> {
    log.add(
        log::MALFORMED,
        member,
        source.size(),
        "a zip archive without its directory: it is cut, or only some readers can open it",
    );
    let mut archive = Archive::default();
    salvage(source, &mut archive, 0, source.size(), member, log)?;
    Ok(archive)
}

fn directory(
    source: &dyn Source,
    end: &End,
    start: u64,
    member: &str,
    log: &mut Log,
) -> Result<Vec<Listed>, Fault> {
    if end.size > DIRECTORY {
        log.add(log::OVER_LIMIT, member, start, format!("a zip directory of {} bytes", end.size));
    }
    let bytes = source.up_to(start, usize::try_from(end.size.min(DIRECTORY)).unwrap_or(0))?;
    let mut listed = Vec::new();
    let mut at = 0;
    while bytes.len() - at >= 46 && bytes[at..].starts_with(b"PK\x01\x02") {
        if listed.len() >= ENTRIES {
            log.add(log::OVER_LIMIT, member, start, format!("more than {ENTRIES} members"));
            break;
        }
        let record = &bytes[at..];
        let (name, extra, comment) = (
            usize::from(u16_at(record, 28)),
            usize::from(u16_at(record, 30)),
            usize::from(u16_at(record, 32)),
        );
        let length = 46 + name + extra + comment;
        if record.len() < length {
            log.add(
                log::MALFORMED,
                member,
                start + at as u64,
                "a record of the zip directory is cut",
            );
            break;
        }
        let raw = &record[46..46 + name];
        let mut one = Listed {
            name: String::from_utf8_lossy(raw).into_owned(),
            raw: std::str::from_utf8(raw).is_err().then(|| raw.to_vec()),
            name_length: name,
            flags: u16_at(record, 8),
            method: u16_at(record, 10),
            crc: u32_at(record, 16),
            packed: u64::from(u32_at(record, 20)),
            size: u64::from(u32_at(record, 24)),
            offset: u64::from(u32_at(record, 42)),
            attributes: u32_at(record, 38),
            system: record[5],
        };
        let mut wide = zip64(&record[46 + name..46 + name + extra]);
        for field in [&mut one.size, &mut one.packed, &mut one.offset] {
            if *field == 0xffff_ffff
                && let Some((value, rest)) = wide.split_at_checked(8)
            {
                *field = u64_at(value, 0);
                wide = rest;
            }
        }
        listed.push(one);
        at += length;
    }
    if at < bytes.len() && end.size <= DIRECTORY && listed.len() < ENTRIES {
        log.add(
            log::ARCHIVE_MISMATCH,
            member,
            start + at as u64,
            "the zip directory holds bytes that are no record",
        );
    }
    Ok(listed)
}

/// Returns the zip64 part of an extra field.
fn zip64(extra: &[u8]) -> &[u8] {
    let mut rest = extra;
    while rest.len() >= 4 {
        let (id, length) = (u16_at(rest, 0), usize::from(u16_at(rest, 2)));
        let Some(body) = rest.get(4..4 + length) else {
            return &[];
        };
        if id == 1 {
            return body;
        }
        rest = &rest[4 + length..];
    }
    &[]
}

/// Looks for names that lead elsewhere, and for names that mean the same member.
fn names(listed: &[Listed], start: u64, member: &str, log: &mut Log) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for one in listed {
        if let Some(why) = leads_elsewhere(&one.name) {
            log.add(log::ARCHIVE_PATH, member, start, format!("member {} {why}", shown(&one.name)));
        }
        // The upper half of the attributes is the Unix mode, where the system is Unix; 0xa is a symbolic link.
        if one.attributes >> 28 == 0xa && matches!(one.system, 3 | 19) {
            log.add(
                log::ARCHIVE_PATH,
                member,
                start,
                format!("member {} is a symbolic link", shown(&one.name)),
            );
        }
        if one.name.contains('\0') {
            let message = format!(
                "member {} has a zero byte in its name, where some readers end it",
                shown(&one.name)
            );
            log.add(log::ARCHIVE_MISMATCH, member, start, message);
        }
        let folded = one.name.to_ascii_lowercase();
        match seen.get(&folded) {
            Some(first) if *first == one.name => {
                log.add(
                    log::ARCHIVE_MISMATCH,
                    member,
                    start,
                    format!(
                        "two members are called {}: readers take one or the other",
                        shown(&one.name)
                    ),
                );
            }
            // PyTorch looks for its members without regard to case.
            Some(first) if folded.ends_with(".pkl") || folded.ends_with("version") => {
                let message = format!(
                    "members {} and {} differ in case only: readers take one or the other",
                    shown(first),
                    shown(&one.name)
                );
                log.add(log::ARCHIVE_MISMATCH, member, start, message);
            }
            _ => drop(seen.insert(folded, &one.name)),
        }
    }
}

/// Says why a name would be unpacked outside the folder, if it would.
#[must_use]
pub fn leads_elsewhere(name: &str) -> Option<&'static str> {
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Some("leaves the folder it is unpacked into");
    }
    if name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':') {
        return Some("has an absolute path");
    }
    None
}

pub(crate) fn shown(name: &str) -> String {
    text::quote(name.as_bytes(), true, 200)
}
