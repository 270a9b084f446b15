//! Owns images, sounds and films as model folders hold them beside the model: each
//! is recognised by its structure up to its end. Leaves pixels and samples alone.

use crate::found::{Defect, Found, Stop};
use crate::rules;
use crate::source::{Cursor, Source};

use modelhost_check::Severity;

/// How far from the end a picture's last marker may stand.
const TAIL: u64 = 64 * 1024;

fn broken<T>() -> Result<T, Stop> {
    Err(Stop::NotOurs("the structure does not hold to the end".to_owned()))
}

fn be32(cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
    Ok(u32::from_be_bytes(cursor.array("a length")?).into())
}

/// Reports bytes after the end, which do no harm by themselves.
fn finish(cursor: &Cursor<'_>, found: &mut Found) -> Result<(), Stop> {
    if cursor.left() > 0 {
        let message = format!("{} bytes follow the end", cursor.left());
        let defect = Defect::new(rules::TRAILING_DATA, message).severity(Severity::Low);
        found.push(defect.offset(cursor.at()));
    }
    Ok(())
}

/// Tells whether a file that begins with `head` is PNG.
pub fn is_png(head: &[u8]) -> bool {
    head.starts_with(b"\x89PNG\r\n\x1a\n")
}

/// Walks PNG's chunks.
pub fn png(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 8, 512);
    loop {
        let length = be32(&mut cursor)?;
        let kind = cursor.array::<4>("a chunk")?;
        cursor.skip(length + 4, "a chunk")?;
        match &kind {
            b"IEND" => return finish(&cursor, found),
            kind if kind.iter().all(u8::is_ascii_alphabetic) => {}
            _ => return broken(),
        }
    }
}

/// Tells whether a file that begins with `head` is JPEG.
pub fn is_jpeg(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xd8\xff")
}

/// Walks JPEG's segments up to the picture, and looks for its end.
pub fn jpeg(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 2);
    loop {
        let [sign, kind] = cursor.array::<2>("a marker")?;
        match (sign, kind) {
            (0xff, 0xff) => cursor.seek(cursor.at() - 1),
            (0xff, 0x01 | 0xd0..=0xd7) => {}
            (0xff, 0xc0..=0xfe) => {
                let length = u16::from_be_bytes(cursor.array("a length")?);
                let Some(rest) = length.checked_sub(2) else {
                    return broken();
                };
                cursor.skip(rest.into(), "a segment")?;
                if kind == 0xda {
                    break;
                }
            }
            _ => return broken(),
        }
    }
    let tail = cursor.left().min(TAIL);
    let start = source.size() - tail;
    let bytes = source.read_at(start, usize::try_from(tail).unwrap_or(0))?;
    let Some(end) = bytes.windows(2).rposition(|pair| pair == b"\xff\xd9") else {
        return broken();
    };
    cursor.seek(start + end as u64 + 2);
    finish(&cursor, found)
}

/// Tells whether a file that begins with `head` is GIF.
pub fn is_gif(head: &[u8]) -> bool {
    head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a")
}

/// Walks GIF's blocks.
pub fn gif(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 10);
    let flags = cursor.u8("flags")?;
    cursor.skip(2 + colors(flags), "colors")?;
    loop {
        match cursor.u8("a block")? {
            0x21 => cursor.skip(1, "a label")?,
            0x2c => {
                cursor.skip(8, "a place")?;
                let flags = cursor.u8("flags")?;
                cursor.skip(colors(flags) + 1, "colors")?;
            }
            0x3b => return finish(&cursor, found),
            _ => return broken(),
        }
        loop {
            match cursor.u8("a length")? {
                0 => break,
                length => cursor.skip(length.into(), "a block")?,
            }
        }
    }
}

/// Returns the length of the table of colors that the flags announce.
fn colors(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Tells whether a file that begins with `head` is WebP, WAV or AVI.
pub fn is_riff(head: &[u8]) -> bool {
    head.starts_with(b"RIFF") && matches!(head.get(8..12), Some(b"WEBP" | b"WAVE" | b"AVI "))
}

/// Walks the chunks of WebP, WAV and AVI.
pub fn riff(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 4, 512);
    let end = 8 + u64::from(cursor.u32("a length")?);
    if end > source.size() {
        return broken();
    }
    cursor.skip(4, "a kind")?;
    while cursor.at() + 8 <= end {
        let kind = cursor.array::<4>("a chunk")?;
        let length = u64::from(cursor.u32("a length")?);
        if !kind.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return broken();
        }
        // The last one's padding is left out by some writers.
        cursor.skip(length.next_multiple_of(2).min(cursor.left().max(length)), "a chunk")?;
    }
    cursor.seek(cursor.at().max(end));
    finish(&cursor, found)
}

/// Tells whether a file that begins with `head` is FLAC.
pub fn is_flac(head: &[u8]) -> bool {
    head.starts_with(b"fLaC")
}

/// Walks FLAC's metadata up to the first frame.
pub fn flac(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 4, 512);
    loop {
        let head = be32(&mut cursor)?;
        cursor.skip(head & 0x00ff_ffff, "metadata")?;
        if head & 0x8000_0000 != 0 {
            break;
        }
    }
    match cursor.array::<2>("a frame")? {
        [0xff, 0xf8 | 0xf9] => Ok(()),
        _ => broken(),
    }
}

/// Tells whether a file that begins with `head` is Ogg.
pub fn is_ogg(head: &[u8]) -> bool {
    head.starts_with(b"OggS\0")
}

/// Walks Ogg's pages.
pub fn ogg(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    while cursor.left() > 0 {
        if cursor.array::<4>("a page")? != *b"OggS" {
            return broken();
        }
        cursor.skip(22, "a page")?;
        let count = cursor.u8("a count")?;
        let lengths = cursor.take(count.into(), "lengths")?;
        cursor.skip(lengths.iter().map(|length| u64::from(*length)).sum(), "a page")?;
    }
    Ok(())
}

/// Tells whether a file that begins with `head` is MP4, MOV, HEIC or AVIF.
pub fn is_mp4(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}

/// Walks MP4's boxes.
pub fn mp4(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 0, 512);
    while cursor.left() > 0 {
        let at = cursor.at();
        let short = be32(&mut cursor)?;
        let kind = cursor.array::<4>("a box")?;
        if !kind.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | 0xa9)) {
            return broken();
        }
        let length = match short {
            0 => source.size() - at,
            1 => u64::from_be_bytes(cursor.array("a length")?),
            _ => short,
        };
        let Some(rest) = length.checked_sub(cursor.at() - at) else {
            return broken();
        };
        cursor.skip(rest, "a box")?;
    }
    Ok(())
}

/// Tells whether a file that begins with `head` is MP3: a tag, or a frame.
pub fn is_mp3(head: &[u8]) -> bool {
    head.starts_with(b"ID3") || head.first_chunk().is_some_and(|head| frame(*head).is_some())
}

/// Walks MP3's frames.
pub fn mp3(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    if source.read_at(0, 3)? == b"ID3" {
        cursor.skip(6, "a tag")?;
        let length = cursor.array::<4>("a tag")?;
        if length.iter().any(|byte| *byte > 0x7f) {
            return broken();
        }
        let length = length.iter().fold(0, |length, byte| length << 7 | u64::from(*byte));
        cursor.skip(length, "a tag")?;
    }
    let mut frames = 0_u64;
    while cursor.left() >= 4 {
        let at = cursor.at();
        let head = cursor.array::<4>("a frame")?;
        cursor.seek(at);
        let Some(length) = frame(head) else {
            match &head {
                // Padding between a tag and the sound.
                [0, ..] if frames == 0 => {
                    cursor.skip(1, "padding")?;
                    continue;
                }
                [b'T', b'A', b'G', _] if cursor.left() == 128 => return Ok(()),
                b"APET" | b"LYRI" => return Ok(()),
                _ if frames >= 3 => return finish(&cursor, found),
                _ => return broken(),
            }
        };
        frames += 1;
        // The last frame may be cut.
        cursor.skip(length.min(cursor.left()), "a frame")?;
    }
    if frames >= 3 { Ok(()) } else { broken() }
}

/// Returns the length of an MP3 frame of this head.
fn frame(head: [u8; 4]) -> Option<u64> {
    const FIRST: [u64; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const SECOND: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let [sign, version, rates, _] = head;
    if sign != 0xff || version & 0xe6 != 0xe2 || version & 0x18 == 0x08 {
        return None;
    }
    let halves = u32::from(version & 0x18 != 0x18) + u32::from(version & 0x18 == 0);
    let sampling = [44_100_u64, 48_000, 32_000].get(usize::from(rates >> 2 & 3))? >> halves;
    let (table, samples) = if halves == 0 { (FIRST, 144_000) } else { (SECOND, 72_000) };
    let rate = table.get(usize::from(rates >> 4)).filter(|rate| **rate > 0)?;
    Some(samples * rate / sampling + u64::from(rates >> 1 & 1))
}
