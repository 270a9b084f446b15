//! Owns stores of data that are framed by lengths and hold nothing that is run:
//! records of TensorBoard, SQLite, Core ML's weights, CatBoost, faiss's flat index, and
//! UBJSON as XGBoost writes it. Each is followed to its end. Leaves what they hold.

use crate::found::{Found, Stop};
use crate::source::{Cursor, Source};

/// How deep UBJSON may nest.
const MAX_DEPTH: usize = 128;

fn broken<T>() -> Result<T, Stop> {
    Err(Stop::NotOurs("the structure does not hold to the end".to_owned()))
}

fn ends(cursor: &Cursor<'_>) -> Result<(), Stop> {
    if cursor.left() == 0 { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is a list of TensorFlow's records: a
/// length and the sum of it.
pub fn is_records(head: &[u8]) -> bool {
    let Some((length, rest)) = head.split_first_chunk::<8>() else {
        return false;
    };
    rest.first_chunk().is_some_and(|sum| u32::from_le_bytes(*sum) == masked_sum(length))
}

/// Walks the records by their lengths, of which each has its sum.
pub fn records(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    while cursor.left() > 0 {
        let length = cursor.array::<8>("a length")?;
        if cursor.u32("a sum")? != masked_sum(&length) {
            return broken();
        }
        cursor.skip(u64::from_le_bytes(length), "a record")?;
        cursor.skip(4, "a sum")?;
    }
    Ok(())
}

/// Returns CRC-32C as TensorFlow masks it.
fn masked_sum(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 0 { 0 } else { 0x82f6_3b78 }
        })
    });
    (!sum).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Tells whether a file that begins with `head` is a database of SQLite.
pub fn is_sqlite(head: &[u8]) -> bool {
    head.starts_with(b"SQLite format 3\0")
}

/// Compares the pages that the header counts with the file.
pub fn sqlite(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 16, 128);
    let size = match u16::from_be_bytes(cursor.array("a page's size")?) {
        1 => 65_536,
        size => u64::from(size),
    };
    cursor.seek(28);
    let pages = u64::from(u32::from_be_bytes(cursor.array("the pages")?));
    let right = size >= 512 && size.is_power_of_two() && pages > 0;
    if right && size * pages == source.size() { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is Core ML's weights: a count, version
/// 2, and zeros up to the first entry.
pub fn is_coreml_weights(head: &[u8]) -> bool {
    head.get(4..64).is_some_and(|rest| {
        let (version, rest) = rest.split_at(4);
        version == 2_u32.to_le_bytes() && rest.iter().all(|byte| *byte == 0)
    }) && head.get(64..68).is_none_or(|sign| sign == 0xdead_beef_u32.to_le_bytes())
}

/// Walks the entries, each at a multiple of 64 with its data behind it.
pub fn coreml_weights(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 0, 64);
    let count = cursor.u32("a count")?;
    let mut at = 64;
    for _ in 0..count {
        cursor.seek(at);
        if cursor.u32("an entry")? != 0xdead_beef {
            return broken();
        }
        cursor.skip(4, "a type")?;
        let (size, offset) = (cursor.u64("a size")?, cursor.u64("an offset")?);
        let Some(end) = offset.checked_add(size).filter(|end| offset > at && *end <= source.size())
        else {
            return broken();
        };
        at = end.next_multiple_of(64);
    }
    if source.size() <= at { Ok(()) } else { broken() }
}

/// Tells whether a file that begins with `head` is a model of CatBoost.
pub fn is_catboost(head: &[u8]) -> bool {
    head.starts_with(b"CBM1")
}

/// Compares the length of the flatbuffer with the file, and looks for its root.
pub fn catboost(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 4, 64);
    let length = u64::from(cursor.u32("a length")?);
    let root = u64::from(cursor.u32("the root's offset")?);
    if length < 8 || length + 8 > source.size() || root < 4 || root + 4 > length {
        return broken();
    }
    cursor.seek(8 + root);
    let back = i64::from(i32::from_le_bytes(cursor.array("the root")?));
    let fields = root.checked_add_signed(-back).filter(|fields| *fields + 4 <= length);
    if fields.is_none_or(|fields| fields < 4) {
        return broken();
    }
    // Models of texts and embeddings have further parts.
    if length + 8 == source.size() {
        return Ok(());
    }
    Err(Stop::Unsupported("a model with parts behind its trees".to_owned()))
}

/// Tells whether a file that begins with `head` is a flat index of faiss.
pub fn is_faiss(head: &[u8]) -> bool {
    head.starts_with(b"IxFI") || head.starts_with(b"IxF2")
}

/// Compares the count of vectors with the file.
pub fn faiss(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::with_block(source, 4, 64);
    let dimensions = u64::from(cursor.u32("the dimensions")?);
    let count = cursor.u64("a count")?;
    // Two constants, whether it is trained, and the metric.
    cursor.skip(8 + 8 + 1 + 4, "settings")?;
    let stored = cursor.u64("a length")?;
    if dimensions.checked_mul(count) != Some(stored) {
        return broken();
    }
    cursor.skip(stored.saturating_mul(4), "vectors")?;
    ends(&cursor)
}

/// Tells whether a file that begins with `head` is UBJSON: an object, with the length
/// of its first key.
pub fn is_ubjson(head: &[u8]) -> bool {
    matches!(
        head,
        [b'{', b'L' | b'l' | b'i' | b'U' | b'I', 0, ..]
            | [b'{', b'i' | b'U', 1..=64, b'_' | b'a'..=b'z', ..]
    )
}

/// Walks UBJSON to its end.
pub fn ubjson(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 1);
    // Of each container its kind, and how many items are left where it says so.
    let mut open: Vec<(u8, Option<u64>)> = vec![(b'{', None)];
    while let Some((container, left)) = open.last_mut() {
        let object = *container == b'{';
        if *left == Some(0) {
            open.pop();
            continue;
        }
        let mut kind = cursor.u8("a type")?;
        match left {
            Some(left) => *left -= 1,
            None if kind == (if object { b'}' } else { b']' }) => {
                open.pop();
                continue;
            }
            None => {}
        }
        if object {
            let length = ubjson_length(&mut cursor, kind)?;
            cursor.skip(length, "a key")?;
            kind = cursor.u8("a type")?;
        }
        match kind {
            b'{' | b'[' => open.extend(ubjson_opened(&mut cursor, kind)?),
            b'S' | b'H' => {
                let kind = cursor.u8("a type")?;
                let length = ubjson_length(&mut cursor, kind)?;
                cursor.skip(length, "a text")?;
            }
            kind => match ubjson_width(kind) {
                Some(width) => cursor.skip(width, "a value")?,
                None => return broken(),
            },
        }
        if open.len() > MAX_DEPTH {
            return broken();
        }
    }
    ends(&cursor)
}

/// Reads what a list or object says of its items, and passes over a list of numbers;
/// returns what is still to be walked.
fn ubjson_opened(cursor: &mut Cursor<'_>, kind: u8) -> Result<Option<(u8, Option<u64>)>, Stop> {
    let start = cursor.at();
    let width = match cursor.u8("a type")? {
        b'$' => Some(ubjson_width(cursor.u8("a type")?).map_or_else(broken, Ok)?),
        b'#' => None,
        _ => {
            cursor.seek(start);
            return Ok(Some((kind, None)));
        }
    };
    if width.is_some() && cursor.u8("a count")? != b'#' {
        return broken();
    }
    let of = cursor.u8("a type")?;
    let count = ubjson_length(cursor, of)?;
    match width {
        Some(width) if kind == b'[' => {
            cursor.skip(count.saturating_mul(width), "numbers")?;
            Ok(None)
        }
        // Each item takes a byte at least.
        None if count <= cursor.left() => Ok(Some((kind, Some(count)))),
        _ => broken(),
    }
}

fn ubjson_width(kind: u8) -> Option<u64> {
    Some(match kind {
        b'Z' | b'N' | b'T' | b'F' => 0,
        b'i' | b'U' | b'C' => 1,
        b'I' => 2,
        b'l' | b'd' => 4,
        b'L' | b'D' => 8,
        _ => return None,
    })
}

fn ubjson_length(cursor: &mut Cursor<'_>, kind: u8) -> Result<u64, Stop> {
    let length = match kind {
        b'i' => i64::from(i8::from_be_bytes(cursor.array("a length")?)),
        b'U' => i64::from(cursor.u8("a length")?),
        b'I' => i64::from(i16::from_be_bytes(cursor.array("a length")?)),
        b'l' => i64::from(i32::from_be_bytes(cursor.array("a length")?)),
        b'L' => i64::from_be_bytes(cursor.array("a length")?),
        _ => return broken(),
    };
    u64::try_from(length).or_else(|_| broken())
}
