//! Owns the other inert files that model folders hold: documents, tables of data,
//! tokenizers, weights as plain data. Each is recognised by its structure up to
//! its end. Leaves pictures and sounds to `media`.

use crate::found::{Defect, Found, Stop};
use crate::proto::{self, Value};
use crate::rules;
use crate::source::{Cursor, Source};

/// How much of a file's end is searched, or of a file of zeros read.
const MAX_FOOTER: u64 = 16 * 1024 * 1024;
/// How much of a file's start is searched for its schema.
const MAX_SCHEMA: u64 = 1024 * 1024;
/// How deep MessagePack may nest.
const MAX_DEPTH: usize = 128;
/// The name of a type that pyarrow before 14.0.1 unpickles, plain and as base64
/// spells it at each place.
const PICKLED: [&[u8]; 4] = [
    b"arrow.py_extension_type",
    b"YXJyb3cucHlfZXh0ZW5zaW9uX3R5cG",
    b"Fycm93LnB5X2V4dGVuc2lvbl90eXBl",
    b"hcnJvdy5weV9leHRlbnNpb25fdHlwZ",
];

fn broken<T>() -> Result<T, Stop> {
    Err(Stop::NotOurs("the structure does not hold to the end".to_owned()))
}

/// Reads the last `length` bytes, or all.
fn tail(source: &dyn Source, length: u64) -> Result<Vec<u8>, Stop> {
    let length = length.min(source.size());
    let start = source.size() - length;
    Ok(source.read_at(start, usize::try_from(length).unwrap_or(0))?)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Tells whether a file that begins with `head` is PDF.
pub fn is_pdf(head: &[u8]) -> bool {
    head.starts_with(b"%PDF-1.") || head.starts_with(b"%PDF-2.")
}

/// Looks for PDF's end.
pub fn pdf(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let tail = tail(source, 2048)?;
    if contains(&tail, b"startxref") && contains(&tail, b"%%EOF") { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is Parquet.
pub fn is_parquet(head: &[u8]) -> bool {
    head.starts_with(b"PAR1")
}

/// Looks at Parquet's footer.
pub fn parquet(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    footer(source, b"PAR1", 4, found)
}

/// Tells whether a file that begins with `head` is Arrow.
pub fn is_arrow(head: &[u8]) -> bool {
    head.starts_with(b"ARROW1\0\0")
}

/// Looks at Arrow's schema and footer.
pub fn arrow(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let length = source.size().min(MAX_SCHEMA);
    let head = source.read_at(0, usize::try_from(length).unwrap_or(0))?;
    // The footer repeats the schema, unless someone had it say otherwise.
    let mut in_head = Found::default();
    search(&head, &mut in_head);
    footer(source, b"ARROW1", 8, found)?;
    if !found.has_high() {
        in_head.into_defects().into_iter().for_each(|defect| found.push(defect));
    }
    Ok(())
}

/// Looks at a footer whose length stands before the magic at the end.
fn footer(source: &dyn Source, magic: &[u8], head: u64, found: &mut Found) -> Result<(), Stop> {
    let end = magic.len() as u64 + 4;
    let last = tail(source, end)?;
    let Some((length, sign)) = last.split_first_chunk::<4>() else {
        return broken();
    };
    let length = u64::from(u32::from_le_bytes(*length));
    if sign != magic || length == 0 || length + end + head > source.size() {
        return broken();
    }
    if length > MAX_FOOTER {
        return Err(Stop::Unsupported(format!("a footer of {length} bytes")));
    }
    search(&tail(source, length + end)?, found);
    Ok(())
}

/// Tells whether a file that begins with `head` is a stream of Arrow: the mark of a
/// message, its length, and the place of a flatbuffer's root.
pub fn is_arrow_stream(head: &[u8]) -> bool {
    head.starts_with(&[0xff; 4])
        && matches!(head.get(4..12), Some([_, _, _, 0, root, 0, 0, 0]) if *root >= 4)
}

/// Walks the messages, of which the first is the schema.
pub fn arrow_stream(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    let mut first = true;
    while cursor.left() > 0 {
        let (mark, length) = (cursor.u32("a mark")?, cursor.u32("a length")?);
        if mark != u32::MAX {
            return broken();
        }
        if length == 0 {
            break;
        }
        if u64::from(length) > MAX_SCHEMA {
            return Err(Stop::Unsupported(format!("a message of {length} bytes")));
        }
        // At most MAX_SCHEMA, so it fits.
        let message = cursor.take(usize::try_from(length).unwrap_or(0), "a message")?;
        if first {
            search(&message, found);
            first = false;
        }
        let Some(body) = body_length(&message) else {
            return broken();
        };
        cursor.skip(body, "a message's data")?;
    }
    if cursor.left() == 0 && !first { Ok(()) } else { broken() }
}

/// Returns the length of the data that follow a message: its fourth field.
fn body_length(message: &[u8]) -> Option<u64> {
    let number = |at: usize| {
        let bytes = message.get(at..)?.first_chunk::<4>()?;
        Some(i32::from_le_bytes(*bytes))
    };
    let short = |at: usize| {
        let bytes = message.get(at..)?.first_chunk::<2>()?;
        Some(u16::from_le_bytes(*bytes))
    };
    let table = usize::try_from(number(0)?).ok()?;
    let back = isize::try_from(number(table)?).ok()?;
    let fields = table.checked_add_signed(back.checked_neg()?)?;
    let last = 4 + 2 * 3;
    if usize::from(short(fields)?) < last + 2 {
        return Some(0);
    }
    match short(fields.checked_add(last)?)? {
        0 => Some(0),
        place => {
            let place = table.checked_add(place.into())?;
            Some(u64::from_le_bytes(*message.get(place..)?.first_chunk()?))
        }
    }
}

fn search(bytes: &[u8], found: &mut Found) {
    if PICKLED.iter().any(|name| contains(bytes, name)) {
        let message = "a column's type holds a pickle, which pyarrow before 14.0.1 runs";
        found.push(Defect::new(rules::PICKLED_TYPE, message));
    }
}

/// Tells whether a file that begins with `head` is a sentencepiece model: a piece
/// with a score.
pub fn is_sentencepiece(head: &[u8]) -> bool {
    let head = head.to_vec();
    let mut cursor = Cursor::new(&head, 0);
    let opens = |cursor: &mut Cursor<'_>| -> Option<u64> {
        (cursor.u8("a tag").ok()? == 0x0a).then_some(())?;
        proto::number(cursor).ok()
    };
    let piece = opens(&mut cursor);
    let text = opens(&mut cursor);
    let (Some(piece), Some(text)) = (piece, text) else {
        return false;
    };
    text < piece && cursor.skip(text, "a text").is_ok() && matches!(cursor.u8("a tag"), Ok(0x15))
}

/// Walks a sentencepiece model.
pub fn sentencepiece(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    let mut trained = false;
    proto::each(
        &mut cursor,
        source.size(),
        &mut |cursor, field| match (field.number, field.value) {
            (1, Value::Bytes { end }) => {
                proto::each(cursor, end, &mut |_, field| match (field.number, field.value) {
                    (1, Value::Bytes { .. }) | (2, Value::Fixed) | (3, Value::Number(_)) => Ok(()),
                    _ => broken(),
                })
            }
            (2, Value::Bytes { .. }) => {
                trained = true;
                Ok(())
            }
            (3..=5, Value::Bytes { .. }) => Ok(()),
            _ => broken(),
        },
    )?;
    if trained { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is MessagePack: a map whose first
/// key is a text, or an empty one and nothing else.
pub fn is_msgpack(head: &[u8]) -> bool {
    let key = match head.first() {
        Some(0x80) => return head.len() == 1,
        Some(0x81..=0x8f) => 1,
        Some(0xde) => 3,
        Some(0xdf) => 5,
        _ => return false,
    };
    matches!(head.get(key), Some(0xa1..=0xbf | 0xc4..=0xc6 | 0xd9..=0xdb))
}

/// Walks MessagePack to its end.
pub fn msgpack(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    // How many items are still to come, at each depth.
    let mut open = vec![1_u64];
    let mut before = [0; 4];
    while let Some(left) = open.last_mut() {
        let Some(rest) = left.checked_sub(1) else {
            open.pop();
            continue;
        };
        *left = rest;
        let (items, short) = item(&mut cursor)?;
        if before == *b"kind" && short == *b"O\0\0\0" {
            found.add(rules::PICKLED_TYPE, None, || {
                let message = "an array of objects, which msgpack-numpy unpickles";
                Defect::new(rules::PICKLED_TYPE, message).offset(cursor.at())
            });
        }
        before = short;
        if items > 0 {
            if items > cursor.left() || open.len() > MAX_DEPTH {
                return broken();
            }
            open.push(items);
        }
    }
    if cursor.left() == 0 { Ok(()) } else { broken() }
}

/// Passes over one item; returns how many more are within it, and its bytes where
/// it is a text of at most four.
fn item(cursor: &mut Cursor<'_>) -> Result<(u64, [u8; 4]), Stop> {
    const NONE: [u8; 4] = [0; 4];
    let byte = cursor.u8("an item")?;
    let mut big = |width: u8| -> Result<u64, Stop> {
        Ok(match width {
            1 => cursor.u8("a length")?.into(),
            2 => u16::from_be_bytes(cursor.array("a length")?).into(),
            _ => u32::from_be_bytes(cursor.array("a length")?).into(),
        })
    };
    let skipped = match byte {
        0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => 0,
        0x80..=0x8f => return Ok((u64::from(byte & 15) * 2, NONE)),
        0x90..=0x9f => return Ok((u64::from(byte & 15), NONE)),
        0xa0..=0xbf => u64::from(byte & 31),
        0xc4 | 0xd9 => big(1)?,
        0xc5 | 0xda => big(2)?,
        0xc6 | 0xdb => big(4)?,
        0xc7 => big(1)? + 1,
        0xc8 => big(2)? + 1,
        0xc9 => big(4)? + 1,
        0xcc | 0xd0 => 1,
        0xcd | 0xd1 | 0xd4 => 2,
        0xca | 0xce | 0xd2 => 4,
        0xcb | 0xcf | 0xd3 => 8,
        0xd5 => 3,
        0xd6 => 5,
        0xd7 => 9,
        0xd8 => 17,
        0xdc => return Ok((big(2)?, NONE)),
        0xdd => return Ok((big(4)?, NONE)),
        0xde => return Ok((big(2)? * 2, NONE)),
        0xdf => return Ok((big(4)? * 2, NONE)),
        0xc1 => return broken(),
    };
    let mut short = NONE;
    if matches!(byte, 0xa1..=0xa4 | 0xc4 | 0xd9) && skipped <= 4 {
        for byte in short.iter_mut().take(usize::try_from(skipped).unwrap_or(0)) {
            *byte = cursor.u8("a text")?;
        }
    } else {
        cursor.skip(skipped, "an item")?;
    }
    Ok((0, short))
}

/// Tells whether a file that begins with `head` may be the index of a TensorFlow
/// checkpoint: an empty key, then a header.
pub fn is_index(head: &[u8]) -> bool {
    head.starts_with(&[0, 0]) && head.get(3) == Some(&0x08)
}

/// Looks at the index's footer.
pub fn index(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let Some(start) = source.size().checked_sub(48) else {
        return broken();
    };
    let mut cursor = Cursor::new(source, start);
    for _ in 0..2 {
        let (offset, length) = (proto::number(&mut cursor)?, proto::number(&mut cursor)?);
        if offset.checked_add(length).is_none_or(|end| end > start) {
            return broken();
        }
    }
    cursor.seek(source.size() - 8);
    if cursor.u64("a magic")? == 0xdb47_7524_8b80_fb57 { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` may be of zeros alone.
pub fn is_zeros(head: &[u8]) -> bool {
    !head.is_empty() && head.iter().all(|byte| *byte == 0)
}

/// Reads a file of zeros to its end: it holds nothing.
pub fn zeros(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    if source.size() > MAX_FOOTER {
        return broken();
    }
    let bytes = source.read_at(0, usize::try_from(source.size()).unwrap_or(0))?;
    if bytes.iter().all(|byte| *byte == 0) { Ok(()) } else { broken() }
}
