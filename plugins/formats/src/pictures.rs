//! Owns further pictures, fonts and films as model folders hold them: icons, bitmaps,
//! TIFF, TrueType, OpenType, WOFF, Matroska. Each is recognised by its structure up to
//! its end. Leaves the common ones to `media`, and what they show alone.

use crate::found::{Found, Stop};
use crate::source::{Cursor, Source};

/// How many lists of TIFF's entries are followed.
const MAX_LISTS: usize = 1_000;

fn broken<T>() -> Result<T, Stop> {
    Err(Stop::NotOurs("the structure does not hold to the end".to_owned()))
}

/// Tells whether a file that begins with `head` is an icon.
pub fn is_icon(head: &[u8]) -> bool {
    matches!(head, [0, 0, 1 | 2, 0, count, 0, ..] if (1..=64).contains(count))
}

/// Looks where the icon's pictures lie: the last ends the file.
pub fn icon(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 4, 1024);
    let count = cursor.u16("a count")?;
    let mut last = 0;
    for _ in 0..count {
        cursor.skip(8, "a picture")?;
        let (length, start) = (cursor.u32("a length")?, cursor.u32("an offset")?);
        if u64::from(start) < 6 + 16 * u64::from(count) {
            return broken();
        }
        last = last.max(u64::from(start) + u64::from(length));
    }
    if last == source.size() { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is a bitmap: its reserved bytes are
/// zero.
pub fn is_bitmap(head: &[u8]) -> bool {
    head.starts_with(b"BM") && head.get(6..10) == Some(&[0; 4])
}

/// Compares the stated length with the file.
pub fn bitmap(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 2, 64);
    let length = u64::from(cursor.u32("a length")?);
    cursor.skip(4, "nothing")?;
    let (start, header) = (u64::from(cursor.u32("an offset")?), cursor.u32("a header")?);
    let right = length == source.size() && start <= length && matches!(header, 12 | 40..=124);
    if right { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is TIFF.
pub fn is_tiff(head: &[u8]) -> bool {
    head.starts_with(b"II*\0") || head.starts_with(b"MM\0*")
}

/// Follows TIFF's lists of entries.
pub fn tiff(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 4, 512);
    if source.read_at(0, 1)? == b"M" {
        cursor.big_endian();
    }
    for _ in 0..MAX_LISTS {
        let at = cursor.u32("an offset")?;
        if at == 0 {
            return Ok(());
        }
        cursor.seek(at.into());
        let count = cursor.u16("a count")?;
        cursor.skip(u64::from(count) * 12, "entries")?;
    }
    broken()
}

/// Tells whether a file that begins with `head` is a font of TrueType or OpenType.
pub fn is_font(head: &[u8]) -> bool {
    let sign =
        head.starts_with(b"\0\x01\0\0") || head.starts_with(b"OTTO") || head.starts_with(b"true");
    // The first table's name.
    let name = head.get(12..16);
    let tables = head.get(4..6).is_some_and(|count| count != [0, 0]);
    sign && tables
        && name.is_some_and(|name| name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' '))
}

/// Looks where the font's tables lie: the last ends the file.
pub fn font(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 4, 4096);
    cursor.big_endian();
    let count = cursor.u16("a count")?;
    cursor.skip(6, "a search")?;
    let mut last = 12 + 16 * u64::from(count);
    for _ in 0..count {
        cursor.skip(8, "a name")?;
        let (start, length) = (cursor.u32("an offset")?, cursor.u32("a length")?);
        last = last.max(u64::from(start) + u64::from(length));
    }
    let padded = last.next_multiple_of(4);
    if (last..=padded).contains(&source.size()) { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is WOFF.
pub fn is_woff(head: &[u8]) -> bool {
    head.starts_with(b"wOFF") || head.starts_with(b"wOF2")
}

/// Compares the stated length with the file.
pub fn woff(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 8, 64);
    cursor.big_endian();
    if u64::from(cursor.u32("a length")?) == source.size() { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is Matroska or WebM.
pub fn is_matroska(head: &[u8]) -> bool {
    head.starts_with(b"\x1a\x45\xdf\xa3")
}

/// Walks the outermost elements.
pub fn matroska(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 0, 512);
    while cursor.left() > 0 {
        let sign = cursor.u8("an element")?;
        cursor.skip(sign.leading_zeros().into(), "an element")?;
        let first = cursor.u8("a length")?;
        let more = first.leading_zeros();
        if sign == 0 || more > 7 {
            return broken();
        }
        let mut length = u64::from(first) & (0x7f >> more);
        let mut unknown = length == 0x7f >> more;
        for _ in 0..more {
            let byte = cursor.u8("a length")?;
            unknown &= byte == 0xff;
            length = length << 8 | u64::from(byte);
        }
        // What is sent as it is made does not know its length.
        if unknown {
            return Ok(());
        }
        cursor.skip(length, "an element")?;
    }
    Ok(())
}
