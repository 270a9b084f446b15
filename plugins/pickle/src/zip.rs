//! Zip archives, read by the central directory as loaders do and by local headers as other readers do.
//!
//! Where the two views differ stands in the log; what the members hold is for `scan.rs`.
//!
//! # Invariants
//! Time is linear in the directory's size; offsets and lengths are checked before use; what is kept of a
//! directory is bounded by [`ENTRIES`] and [`DIRECTORY`].

use std::collections::BTreeMap;

use crate::log::{self, Log};
use crate::source::{Fault, Source};
use crate::text;

/// Members looked at; the largest checkpoints have some ten thousand.
const ENTRIES: usize = 200_000;
/// Bytes of a central directory.
const DIRECTORY: u64 = 32 << 20;
/// How far from the end the end record may be: its own 22 bytes and a comment.
const TAIL: usize = 22 + 0xffff;

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
}

/// One record of the central directory.
struct Listed {
    name: String,
    /// The name's bytes where they are no UTF-8: two such names may look alike.
    raw: Option<Vec<u8>>,
    name_length: usize,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    offset: u64,
    attributes: u32,
    system: u8,
}

/// The end record: where the directory is.
struct End {
    at: u64,
    count: u64,
    size: u64,
    offset: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..at + 2)
        .map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Finds where the end record of a zip archive stands, if the bytes end in one, whatever they begin with.
///
/// # Errors
/// When the bytes can't be had.
pub fn ends_in_archive(source: &dyn Source) -> Result<Option<u64>, Fault> {
    let end = end_record(source)?.0;
    Ok(end
        .filter(|end| directory_start(end).is_some())
        .map(|end| end.at))
}

/// Finds the last end record whose comment fits, and says whether another one could be meant.
fn end_record(source: &dyn Source) -> Result<(Option<End>, bool), Fault> {
    let size = source.size();
    let tail_length = usize::try_from(size).map_or(TAIL, |size| size.min(TAIL));
    let tail_at = size - tail_length as u64;
    let tail = source.up_to(tail_at, tail_length)?;
    let mut found: Option<usize> = None;
    let mut several = false;
    let mut exact = false;
    for at in (0..tail.len().saturating_sub(21)).rev() {
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
    let mut end = End {
        at: tail_at + at as u64,
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
                count: u64_at(&record, 32),
                size: u64_at(&record, 40),
                offset: u64_at(&record, 48),
            };
        }
    }
    Ok((Some(end), several))
}

/// Returns where the directory begins: right before the end record, as Python and others find it.
fn directory_start(end: &End) -> Option<u64> {
    end.at
        .checked_sub(end.size)
        .filter(|&start| start >= end.offset)
}

/// Reads an archive, logging where readers would see it differently; `None` if there is no end record.
///
/// # Errors
/// When the bytes can't be had.
pub fn read(source: &dyn Source, member: &str, log: &mut Log) -> Result<Option<Archive>, Fault> {
    let (end, several) = end_record(source)?;
    let Some(end) = end else { return Ok(None) };
    let mut archive = Archive::default();
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
        let message = format!(
            "the zip directory counts {} members and lists {}",
            end.count,
            listed.len()
        );
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
    archive
        .entries
        .sort_unstable_by(|a, b| (a.data, &a.name).cmp(&(b.data, &b.name)));
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
        log.add(
            log::OVER_LIMIT,
            member,
            start,
            format!("a zip directory of {} bytes", end.size),
        );
    }
    let bytes = source.up_to(start, usize::try_from(end.size.min(DIRECTORY)).unwrap_or(0))?;
    let mut listed = Vec::new();
    let mut at = 0;
    while bytes.len() - at >= 46 && bytes[at..].starts_with(b"PK\x01\x02") {
        if listed.len() >= ENTRIES {
            log.add(
                log::OVER_LIMIT,
                member,
                start,
                format!("more than {ENTRIES} members"),
            );
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
            log.add(
                log::ARCHIVE_PATH,
                member,
                start,
                format!("member {} {why}", shown(&one.name)),
            );
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

fn shown(name: &str) -> String {
    text::quote(name.as_bytes(), true, 200)
}

/// A member, and where all of its bytes begin and end.
type Located = Option<(Entry, (u64, u64))>;

/// Finds a listed member's data and compares its local header; the span is all of its bytes.
fn locate(
    source: &dyn Source,
    listed: &Listed,
    prefix: u64,
    directory: u64,
    member: &str,
    log: &mut Log,
) -> Result<Located, Fault> {
    let name = shown(&listed.name);
    let at = listed.offset.checked_add(prefix);
    let header = match at {
        Some(at) => source.up_to(at, 30 + listed.name_length + 64)?,
        None => Vec::new(),
    };
    let (Some(at), true) = (at, header.len() >= 30 && header.starts_with(b"PK\x03\x04")) else {
        log.add(
            log::ARCHIVE_MISMATCH,
            member,
            listed.offset,
            format!("member {name} has no local header where the directory says"),
        );
        return Ok(None);
    };
    let (name_length, extra_length) = (
        u64::from(u16_at(&header, 26)),
        u64::from(u16_at(&header, 28)),
    );
    let local_name = source.up_to(at + 30, usize::try_from(name_length).unwrap_or(0))?;
    let mut differ = |what: &str, listed: &str, local: &str| {
        let message =
            format!("member {name}: the directory says {what} {listed}, the local header {local}");
        log.add(log::ARCHIVE_MISMATCH, member, at, message);
    };
    if local_name != listed.raw.as_deref().unwrap_or(listed.name.as_bytes()) {
        differ("name", &name, &text::quote(&local_name, true, 200));
    }
    let (flags, method) = (u16_at(&header, 6), u16_at(&header, 8));
    if method != listed.method {
        differ("method", &listed.method.to_string(), &method.to_string());
    }
    // Bits that change what a reader does: encryption, sizes after the data, patches, strong encryption, hidden headers.
    const TELLING: u16 = 1 | 8 | 0x20 | 0x40 | 0x2000;
    if (flags ^ listed.flags) & TELLING != 0 {
        differ(
            "flags",
            &format!("{:#06x}", listed.flags),
            &format!("{flags:#06x}"),
        );
    }
    let later = flags & 8 != 0;
    let (crc, packed, size) = (
        u32_at(&header, 14),
        u32_at(&header, 18),
        u32_at(&header, 22),
    );
    if crc != listed.crc && !(later && crc == 0) {
        differ(
            "checksum",
            &format!("{:08x}", listed.crc),
            &format!("{crc:08x}"),
        );
    }
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    for (what, local, listed) in [
        ("packed size", packed, listed.packed),
        ("size", size, listed.size),
    ] {
        let elsewhere = local == u32::MAX || (later && local == 0);
        if local != narrow(listed) && !elsewhere {
            differ(what, &listed.to_string(), &local.to_string());
        }
    }
    if (flags | listed.flags) & 0x41 != 0 {
        let message = format!(
            "member {name} is marked as encrypted: readers that heed the mark can't see it, PyTorch ignores it"
        );
        log.add(log::ARCHIVE_MISMATCH, member, at, message);
    }
    let data = at + 30 + name_length + extra_length;
    let end = data.saturating_add(listed.packed);
    if end > directory {
        log.add(
            log::ARCHIVE_MISMATCH,
            member,
            at,
            format!("member {name} reaches into or past the zip directory"),
        );
    }
    let entry = Entry {
        name: listed.name.clone(),
        data,
        packed: listed.packed.min(source.size().saturating_sub(data)),
        size: listed.size,
        method: listed.method,
        crc: listed.crc,
        hidden: false,
    };
    Ok(Some((entry, (at, end))))
}

/// Looks between the members: for bytes two of them share, and for members that no directory lists.
fn gaps(
    source: &dyn Source,
    spans: &[(u64, u64)],
    directory: u64,
    archive: &mut Archive,
    member: &str,
    log: &mut Log,
) -> Result<(), Fault> {
    let mut at = archive.prefix;
    let mut overlapping = 0u32;
    for &(start, end) in spans.iter().chain([&(directory, directory)]) {
        if start < at {
            overlapping += 1;
        } else if start - at >= 30 {
            salvage(source, archive, at, start, member, log)?;
        }
        at = at.max(end);
    }
    if overlapping > 0 {
        let message = format!(
            "{overlapping} members share bytes with others: a bomb, or two readings of the same bytes"
        );
        log.add(log::ARCHIVE_MISMATCH, member, archive.prefix, message);
    }
    Ok(())
}

/// Finds local headers that no directory lists.
fn salvage(
    source: &dyn Source,
    archive: &mut Archive,
    start: u64,
    end: u64,
    member: &str,
    log: &mut Log,
) -> Result<(), Fault> {
    const STEP: usize = 64 * 1024;
    let (mut at, mut base, mut block) = (start, start, Vec::new());
    // A member whose header does not know its size goes on to the next header.
    let mut open: Option<usize> = None;
    let close = |archive: &mut Archive, open: Option<usize>, at: u64| {
        if let Some(entry) = open.and_then(|open| archive.entries.get_mut(open)) {
            entry.packed = at.saturating_sub(entry.data);
        }
    };
    while at.saturating_add(30) <= end && archive.entries.len() < ENTRIES {
        // A block serves for all headers within it: headers may stand as close as they are long.
        if at < base || at + 30 > base + block.len() as u64 {
            block = source.up_to(
                at,
                usize::try_from(end - at).map_or(STEP, |left| left.min(STEP)),
            )?;
            base = at;
            if block.len() < 30 {
                break;
            }
        }
        let rest = &block[usize::try_from(at - base).unwrap_or(block.len())..];
        let Some(found) = rest.windows(4).position(|window| window == b"PK\x03\x04") else {
            at = base + block.len() as u64 - 3;
            continue;
        };
        let Some(header) = rest.get(found..found + 30) else {
            at += found as u64;
            continue;
        };
        at += found as u64;
        close(archive, open.take(), at);
        let (name_length, extra) = (u16_at(header, 26), u16_at(header, 28));
        let data = at + 30 + u64::from(name_length) + u64::from(extra);
        let declared = u64::from(u32_at(header, 18));
        let packed = declared.min(end.saturating_sub(data));
        let (method, crc, size) = (
            u16_at(header, 8),
            u32_at(header, 14),
            u64::from(u32_at(header, 22)),
        );
        let name =
            String::from_utf8_lossy(&source.up_to(at + 30, usize::from(name_length))?).into_owned();
        if archive.whole {
            log.add(
                log::ARCHIVE_MISMATCH,
                member,
                at,
                format!(
                    "member {} is listed in no directory: only some readers see it",
                    shown(&name)
                ),
            );
        }
        archive.entries.push(Entry {
            name,
            data,
            packed,
            size,
            method,
            crc,
            hidden: true,
        });
        if declared == 0 {
            open = Some(archive.entries.len() - 1);
        }
        at = (data + packed).min(end).max(at + 4);
    }
    close(archive, open, end);
    Ok(())
}
