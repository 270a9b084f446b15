//! Owns the question whether a file of another format can be unpickled as well, so
//! that what was walked is not all that it is. Leaves pickles to the check `pickle`.

use crate::found::Stop;
use crate::source::{Cursor, Source};

/// How many opcodes are followed: a payload comes early, or behind padding that a
/// file of another format has no room for.
const MAX_OPCODES: usize = 100_000;
/// How much is fetched at once: most files are told after a few bytes.
const BLOCK: usize = 4096;
/// The longest name of a module or of what is in it.
const MAX_NAME: u64 = 1024;

/// Returns where an unpickler that reads the file from its start would import
/// something; none where it stops before that.
pub fn import(source: &dyn Source) -> Result<Option<u64>, Stop> {
    let mut cursor = Cursor::with_block(source, 0, BLOCK);
    match follow(&mut cursor) {
        Err(Stop::Unreadable(error)) => Err(error.into()),
        // Bytes that no unpickler follows.
        Err(_) => Ok(None),
        Ok(place) => Ok(place),
    }
}

fn follow(cursor: &mut Cursor<'_>) -> Result<Option<u64>, Stop> {
    let mut texts = 0_u32;
    for number in 0..MAX_OPCODES {
        let at = cursor.at();
        let opcode = cursor.u8("an opcode")?;
        match opcode {
            b'c' | b'i' => return Ok((name(cursor)? && name(cursor)?).then_some(at)),
            0x93 => return Ok((texts >= 2).then_some(at)),
            b'S' | b'V' => {
                line(cursor)?;
                texts += 1;
            }
            b'I' | b'L' | b'F' | b'g' | b'p' => line(cursor).map(drop)?,
            b'U' | 0x8c => {
                counted(cursor, 1)?;
                texts += 1;
            }
            b'T' | b'X' => {
                counted(cursor, 4)?;
                texts += 1;
            }
            0x8d => {
                counted(cursor, 8)?;
                texts += 1;
            }
            b'C' | 0x8a => counted(cursor, 1)?,
            b'B' | 0x8b => counted(cursor, 4)?,
            0x8e | 0x96 => counted(cursor, 8)?,
            b'K' | b'h' | b'q' | 0x80 => cursor.skip(1, "an argument")?,
            b'M' => cursor.skip(2, "an argument")?,
            b'J' | b'j' | b'r' => cursor.skip(4, "an argument")?,
            b'G' | 0x95 => cursor.skip(8, "an argument")?,
            // These push, or mark.
            b'(' | b')' | b'N' | b']' | b'}' | 0x88 | 0x89 | 0x8f => {}
            // These need something to work on.
            b'0'
            | b'1'
            | b'2'
            | b'R'
            | b'a'
            | b'b'
            | b'd'
            | b'e'
            | b'l'
            | b'o'
            | b's'
            | b't'
            | b'u'
            | 0x81
            | 0x85..=0x87
            | 0x90..=0x92
            | 0x94
            | 0x97
            | 0x98
                if number > 0 => {}
            // The end, what asks the loader, and what is no opcode.
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Passes over a line; returns it where it is short.
fn line(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, Stop> {
    let mut line = Vec::new();
    while (line.len() as u64) < MAX_NAME {
        match cursor.u8("a line")? {
            b'\n' => return Ok(line),
            byte => line.push(byte),
        }
    }
    Err(Stop::malformed(cursor.at(), "a line without an end"))
}

/// Tells whether the next line can be a name.
fn name(cursor: &mut Cursor<'_>) -> Result<bool, Stop> {
    let line = line(cursor)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.".contains(byte) || *byte >= 0x80;
    Ok(!line.is_empty() && line.iter().all(plain))
}

/// Passes over bytes whose count stands in `width` bytes.
fn counted(cursor: &mut Cursor<'_>, width: u8) -> Result<(), Stop> {
    let length = match width {
        1 => cursor.u8("a length")?.into(),
        4 => cursor.u32("a length")?.into(),
        _ => cursor.u64("a length")?,
    };
    cursor.skip(length, "a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_and_other_content_is_let_be() {
        let rows: [(&[u8], Option<u64>); 10] = [
            (b"cos\nsystem\n(S'echo'\ntR.", Some(0)),
            (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93.", Some(16)),
            (b"GIF89a\x04\0\x02cos\nsystem\n", Some(9)),
            (b"U\x06\0\0\0\0\0\0(cos\nsystem\n", Some(9)),
            (b"\x80\x04N.cos\nsystem\n", None),
            (b"GIF89a\x04\0\x02\0", None),
            (b"\x89PNG\r\n\x1a\n", None),
            (b"\x93NUMPY", None),
            (b"c", None),
            (b"", None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(import(&bytes.to_vec()).unwrap(), expected, "{bytes:?}");
        }
    }
}
