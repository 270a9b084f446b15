//! The members of a zip archive as their local headers tell of them, compared with the directory.
//!
//! The directory is read in `zip.rs`; what members hold is for `scan.rs`.

use crate::log::{self, Log};
use crate::source::{Fault, Source};
use crate::text;
use crate::zip::{Archive, ENTRIES, Entry, Listed, shown};
use crate::zip_end::{u16_at, u32_at};

/// A member, and where all of its bytes begin and end.
pub(crate) type Located = Option<(Entry, (u64, u64))>;

/// Finds a listed member's data and compares its local header; the span is all of its bytes.
pub(crate) fn locate(
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
    let (name_length, extra_length) =
        (u64::from(u16_at(&header, 26)), u64::from(u16_at(&header, 28)));
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
        differ("flags", &format!("{:#06x}", listed.flags), &format!("{flags:#06x}"));
    }
    let later = flags & 8 != 0;
    let (crc, packed, size) = (u32_at(&header, 14), u32_at(&header, 18), u32_at(&header, 22));
    if crc != listed.crc && !(later && crc == 0) {
        differ("checksum", &format!("{:08x}", listed.crc), &format!("{crc:08x}"));
    }
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    for (what, local, listed) in
        [("packed size", packed, listed.packed), ("size", size, listed.size)]
    {
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
pub(crate) fn gaps(
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
pub(crate) fn salvage(
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
            block =
                source.up_to(at, usize::try_from(end - at).map_or(STEP, |left| left.min(STEP)))?;
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
        let (method, crc, size) =
            (u16_at(header, 8), u32_at(header, 14), u64::from(u32_at(header, 22)));
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
        archive.entries.push(Entry { name, data, packed, size, method, crc, hidden: true });
        if declared == 0 {
            open = Some(archive.entries.len() - 1);
        }
        at = (data + packed).min(end).max(at + 4);
    }
    close(archive, open, end);
    Ok(())
}
