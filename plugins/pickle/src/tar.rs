//! Tar archives: their members, and those that would be unpacked elsewhere.
//!
//! What the members hold is for `scan.rs`.

use crate::log::{self, Log};
use crate::source::{Fault, Source};
use crate::text;
use crate::zip::leads_elsewhere;

/// Members looked at.
const ENTRIES: usize = 200_000;
/// Bytes of a long name or of extended headers that are read.
const LONG: u64 = 64 * 1024;
const BLOCK: u64 = 512;

/// One regular file of the archive.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where its content begins.
    pub data: u64,
    /// Bytes of its content.
    pub size: u64,
}

/// Says whether the first block is a tar header: its checksum holds.
#[must_use]
pub fn recognise(head: &[u8]) -> bool {
    head.get(..512).is_some_and(|header| {
        header[0] != 0 && checksum_holds(header) && number(&header[124..136]).is_some()
    })
}

fn checksum_holds(header: &[u8]) -> bool {
    // Most files are no archives, and are told here.
    let Some(declared) = number(&header[148..156]) else {
        return false;
    };
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(at, &byte)| u64::from(if (148..156).contains(&at) { b' ' } else { byte }))
        .sum();
    // Some old writers summed signed bytes.
    let signed: i64 = header
        .iter()
        .enumerate()
        .map(|(at, &byte)| {
            i64::from(if (148..156).contains(&at) { b' ' } else { byte }.cast_signed())
        })
        .sum();
    declared == sum || i64::try_from(declared) == Ok(signed)
}

/// Reads a number of a header: octal, or base 256 where the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (first, rest) = field.split_first()?;
        let mut value = u64::from(first & 0x7f);
        for &byte in rest {
            value = value.checked_mul(256)?.checked_add(u64::from(byte))?;
        }
        return Some(value);
    }
    let text = field
        .iter()
        .copied()
        .skip_while(|&byte| byte == b' ')
        .take_while(|byte| !matches!(byte, 0 | b' '));
    let mut value = 0u64;
    for byte in text {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit < 8)?;
        value = value.checked_mul(8)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

fn field(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// Reads the members of an archive, logging those that lead elsewhere; returns where it ends, too.
///
/// # Errors
/// When the bytes can't be had.
pub fn read(source: &dyn Source, member: &str, log: &mut Log) -> Result<(Vec<Entry>, u64), Fault> {
    let mut entries = Vec::new();
    let (mut at, mut long_name, mut long_size) = (0u64, None, None);
    while let Some(header) = source.bytes(at, 512)? {
        if header.iter().all(|&byte| byte == 0) {
            return Ok((entries, at));
        }
        if entries.len() >= ENTRIES {
            log.add(log::OVER_LIMIT, member, at, format!("more than {ENTRIES} members"));
            break;
        }
        let (true, Some(declared)) = (checksum_holds(&header), number(&header[124..136])) else {
            log.add(
                log::MALFORMED,
                member,
                at,
                "a header of the tar archive is broken: its members end here for some readers",
            );
            break;
        };
        let data = at + BLOCK;
        let kind = header[156];
        let size =
            if matches!(kind, b'1'..=b'6') { 0 } else { long_size.take().unwrap_or(declared) };
        if size > source.size() - data {
            log.add(log::MALFORMED, member, at, "a member of the tar archive goes past its end");
        }
        let next = size.checked_next_multiple_of(BLOCK).and_then(|size| data.checked_add(size));
        match kind {
            b'L' => {
                long_name =
                    Some(field(&source.up_to(data, usize::try_from(size.min(LONG)).unwrap_or(0))?))
            }
            b'x' => {
                let records = source.up_to(data, usize::try_from(size.min(LONG)).unwrap_or(0))?;
                long_name = pax(&records, "path").or(long_name);
                long_size = pax(&records, "size").and_then(|size| size.parse().ok());
            }
            b'K' | b'g' => {}
            _ => {
                let prefix = if header[257..262] == *b"ustar" {
                    field(&header[345..500])
                } else {
                    String::new()
                };
                let short = field(&header[..100]);
                let name = long_name.take().unwrap_or(if prefix.is_empty() {
                    short
                } else {
                    format!("{prefix}/{short}")
                });
                judge(&name, kind, &field(&header[157..257]), at, member, log);
                if kind == b'S' {
                    let message = "a sparse member of a tar archive can't be read here";
                    log.add(log::UNREADABLE_CONTENT, member, at, message);
                }
                // Readers take types they don't know for plain files.
                if !matches!(kind, b'1'..=b'6') && size > 0 {
                    entries.push(Entry { name, data, size: size.min(source.size() - data) });
                }
            }
        }
        match next {
            Some(next) if next <= source.size() => at = next,
            _ => break,
        }
    }
    Ok((entries, source.size()))
}

/// Says whether the byte at `at` is within a member.
///
/// # Errors
/// When the bytes can't be had.
pub fn covers(source: &dyn Source, at: u64) -> Result<bool, Fault> {
    let (entries, _) = read(source, "", &mut Log::new(""))?;
    Ok(entries.iter().any(|entry| (entry.data..entry.data + entry.size).contains(&at)))
}

fn judge(name: &str, kind: u8, target: &str, at: u64, member: &str, log: &mut Log) {
    let shown = text::quote(name.as_bytes(), true, 200);
    if let Some(why) = leads_elsewhere(name) {
        log.add(log::ARCHIVE_PATH, member, at, format!("member {shown} {why}"));
    }
    match kind {
        b'1' | b'2' if leads_elsewhere(target).is_some() => {
            let message = format!(
                "member {shown} is a link to {}",
                text::quote(target.as_bytes(), true, 200)
            );
            log.add(log::ARCHIVE_PATH, member, at, message);
        }
        b'3' | b'4' | b'6' => {
            log.add(log::ARCHIVE_PATH, member, at, format!("member {shown} is a device or pipe"))
        }
        _ => {}
    }
}

/// Returns a value of extended headers: records of `LENGTH KEY=VALUE\n`.
fn pax(records: &[u8], key: &str) -> Option<String> {
    let mut rest = records;
    let mut found = None;
    while !rest.is_empty() {
        let space = rest.iter().position(|&byte| byte == b' ')?;
        let length: usize = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        let record = rest.get(space + 1..length.checked_sub(1)?)?;
        if let Some(value) =
            record.strip_prefix(key.as_bytes()).and_then(|value| value.strip_prefix(b"="))
        {
            found = Some(String::from_utf8_lossy(value).into_owned());
        }
        rest = rest.get(length..)?;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_headers() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"    644 "), Some(0o644));
        assert_eq!(number(b"\x80\0\0\x01\0"), Some(256));
        assert_eq!(number(b"99"), None);
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    }

    #[test]
    fn extended_headers() {
        assert_eq!(pax(b"12 path=abc\n13 size=1234\n", "size"), Some("1234".to_owned()));
        assert_eq!(pax(b"12 path=abc\n", "path"), Some("abc".to_owned()));
        assert_eq!(pax(b"99 path=abc\n", "path"), None);
        assert_eq!(pax(b"x", "path"), None);
        assert_eq!(pax(b"0 \n", "path"), None);
    }
}
