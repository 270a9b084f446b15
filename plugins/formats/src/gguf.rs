//! Owns GGUF: counts, lengths, types and alignment of the metadata, and the place
//! of each tensor. Leaves what the metadata say (chat templates) to the check
//! `code`, and the weights unread.

use std::collections::BTreeSet;

use crate::cover::{self, Data, Stretch};
use crate::found::{Defect, Found, Stop};
use crate::rules;
use crate::source::{Cursor, Source};

/// What a GGUF file begins with.
const MAGIC: &[u8] = b"GGUF";
/// The versions whose layout is known: 1 had 32-bit lengths and is not loaded any
/// more.
const VERSIONS: [u32; 2] = [2, 3];
/// How many keys a file may hold for this check to keep their names in memory;
/// known files have below a hundred.
const MAX_KEYS: u64 = 65_536;
/// How many tensors, for the same reason; known files have below ten thousand.
const MAX_TENSORS: u64 = 262_144;
/// The longest key that the format allows.
const MAX_KEY: u64 = 65_535;
/// The longest tensor name that loaders allow.
const MAX_NAME: u64 = 64;
/// The most dimensions that loaders allow.
const MAX_DIMENSIONS: u32 = 4;
/// The alignment of a file that names none.
const ALIGNMENT: u32 = 32;
/// The least bytes of a key with its value, and of a tensor's entry.
const LEAST: (u64, u64) = (8 + 4 + 1, 8 + 4 + 4 + 8);

/// Tells whether a file that begins with `head` is GGUF.
pub fn recognise(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Walks the metadata and the tensors' entries.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, MAGIC.len() as u64);
    let mut version = cursor.u32("the version")?;
    // Machines that are big-endian write their files so.
    if VERSIONS.iter().any(|known| known.swap_bytes() == version) {
        version = version.swap_bytes();
        cursor.big_endian();
    }
    if !VERSIONS.contains(&version) {
        return Err(Stop::Unsupported(format!("version {version}")));
    }
    let tensors = cursor.u64("the number of tensors")?;
    let keys = cursor.u64("the number of keys")?;
    check_count(&cursor, "tensors", tensors, LEAST.1, MAX_TENSORS)?;
    check_count(&cursor, "keys", keys, LEAST.0, MAX_KEYS)?;
    let alignment = walk_keys(&mut cursor, keys, found)?;
    let mut entries = Vec::new();
    for _ in 0..tensors {
        entries.push(entry(&mut cursor)?);
    }
    check_tensors(&entries, cursor.at(), source.size(), alignment, found);
    Ok(())
}

fn check_count(
    cursor: &Cursor<'_>,
    what: &str,
    count: u64,
    least: u64,
    most: u64,
) -> Result<(), Stop> {
    if count.checked_mul(least).is_none_or(|bytes| bytes > cursor.left()) {
        let message = format!("{count} {what} do not fit into {} bytes", cursor.left());
        return Err(Stop::malformed(cursor.at(), message));
    }
    if count > most {
        return Err(Stop::Unsupported(format!("{count} {what}; at most {most} can be checked")));
    }
    Ok(())
}

/// Walks the keys and returns the alignment that they name.
fn walk_keys(cursor: &mut Cursor<'_>, keys: u64, found: &mut Found) -> Result<u64, Stop> {
    let mut seen = BTreeSet::new();
    let mut alignment = ALIGNMENT;
    for _ in 0..keys {
        let at = cursor.at();
        let key = text(cursor, "a key", MAX_KEY)?;
        let kind = cursor.u32("a value's type")?;
        if key == "general.alignment" {
            if kind != kinds::U32 {
                return Err(Stop::malformed(at, "`general.alignment` is no 32-bit number"));
            }
            let at = cursor.at();
            alignment = cursor.u32("the alignment")?;
            if !alignment.is_power_of_two() {
                let message = format!("an alignment of {alignment} is no power of two");
                return Err(Stop::malformed(at, message));
            }
        } else {
            skip_value(cursor, kind)?;
        }
        if !seen.insert(key.clone()) {
            let message = "the key stands twice; loaders keep one of the two or refuse the file";
            found.push(Defect::new(rules::DUPLICATE_KEY, message).member(key));
        }
    }
    Ok(u64::from(alignment))
}

/// The types of metadata values.
mod kinds {
    pub(super) const U32: u32 = 4;
    pub(super) const BOOL: u32 = 7;
    pub(super) const STRING: u32 = 8;
    pub(super) const ARRAY: u32 = 9;

    /// Returns the width of a number or truth value.
    pub(super) fn width(kind: u32) -> Option<u64> {
        match kind {
            0 | 1 | BOOL => Some(1),
            2 | 3 => Some(2),
            U32..=6 => Some(4),
            10..=12 => Some(8),
            _ => None,
        }
    }
}

fn skip_value(cursor: &mut Cursor<'_>, kind: u32) -> Result<(), Stop> {
    let at = cursor.at();
    match kind {
        kinds::BOOL => match cursor.u8("a truth value")? {
            0 | 1 => Ok(()),
            other => Err(Stop::malformed(at, format!("{other} is no truth value"))),
        },
        kinds::STRING => skip_text(cursor),
        kinds::ARRAY => {
            let of = cursor.u32("an array's type")?;
            let count = cursor.u64("an array's length")?;
            if let Some(width) = kinds::width(of) {
                let bytes = count.saturating_mul(width);
                return cursor.skip(bytes, "an array");
            }
            if of != kinds::STRING {
                let message = format!("an array of type {of}, which loaders refuse");
                return Err(Stop::malformed(at, message));
            }
            check_count(cursor, "strings", count, 8, u64::MAX)?;
            (0..count).try_for_each(|_| skip_text(cursor))
        }
        _ => match kinds::width(kind) {
            Some(width) => cursor.skip(width, "a value"),
            None => Err(Stop::malformed(at, format!("{kind} is no type of a value"))),
        },
    }
}

fn skip_text(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    let length = cursor.u64("a string's length")?;
    cursor.skip(length, "a string")
}

fn text(cursor: &mut Cursor<'_>, what: &str, most: u64) -> Result<String, Stop> {
    let at = cursor.at();
    let length = cursor.u64("a string's length")?;
    if length > most {
        let message = format!("{what} of {length} bytes; at most {most} are allowed");
        return Err(Stop::malformed(at, message));
    }
    // At most MAX_KEY, so it fits.
    let bytes = cursor.take(usize::try_from(length).unwrap_or(0), what)?;
    String::from_utf8(bytes).map_err(|_| Stop::malformed(at, format!("{what} is not UTF-8")))
}

/// A tensor's entry.
struct Tensor {
    name: String,
    dimensions: Vec<u64>,
    kind: u32,
    offset: u64,
    /// Where the entry stands in the file.
    at: u64,
}

fn entry(cursor: &mut Cursor<'_>) -> Result<Tensor, Stop> {
    let at = cursor.at();
    let name = text(cursor, "a tensor's name", MAX_NAME)?;
    let count = cursor.u32("the number of dimensions")?;
    if count > MAX_DIMENSIONS {
        let message = format!("{count} dimensions; loaders allow {MAX_DIMENSIONS}");
        return Err(Stop::malformed(at, message));
    }
    let dimensions = (0..count).map(|_| cursor.u64("a dimension")).collect::<Result<_, _>>()?;
    let kind = cursor.u32("a tensor's type")?;
    let offset = cursor.u64("a tensor's offset")?;
    Ok(Tensor { name, dimensions, kind, offset, at })
}

fn check_tensors(entries: &[Tensor], end: u64, size: u64, align: u64, found: &mut Found) {
    // No more than the alignment past the end of a file that is there.
    let start = end.checked_next_multiple_of(align).unwrap_or(u64::MAX);
    let length = size.saturating_sub(start);
    let mut names = BTreeSet::new();
    let mut stretches = Vec::with_capacity(entries.len());
    for tensor in entries {
        let Tensor { name, offset, at, .. } = tensor;
        let place =
            |rule, message: String| Defect::new(rule, message).member(name.as_str()).offset(*at);
        if !names.insert(name.as_str()) {
            found.push(place(rules::DUPLICATE_KEY, "two tensors have this name".to_owned()));
        }
        let Some(layout) = layout(tensor.kind) else {
            let message = format!("{} is no type of a tensor", tensor.kind);
            found.push(place(rules::UNKNOWN_DTYPE, message));
            continue;
        };
        let bytes = match byte_size(&tensor.dimensions, layout) {
            Ok(bytes) => bytes,
            Err(message) => {
                found.push(place(rules::SIZE_MISMATCH, message));
                continue;
            }
        };
        if offset % align != 0 {
            let message = format!("the offset {offset} is not aligned to {align}");
            found.push(place(rules::MALFORMED, message));
        }
        match offset.checked_add(bytes).filter(|end| *end <= length) {
            Some(end) => stretches.push(Stretch { name, begin: *offset, end }),
            None => {
                let message =
                    format!("{bytes} bytes from {offset} lie outside of {length} bytes of data");
                found.push(place(rules::OUT_OF_BOUNDS, message));
            }
        }
    }
    // Of a tensor without a size it is not known what it covers.
    if stretches.len() == entries.len() {
        cover::check(stretches, Data { start, length, align }, found);
    }
}

/// How a type of tensors is stored: so many elements in so many bytes.
type Layout = (u64, u64);

/// Returns the layout of a tensor type, as of ggml's list of November 2026.
fn layout(kind: u32) -> Option<Layout> {
    Some(match kind {
        24 => (1, 1),
        1 | 25 | 30 => (1, 2),
        0 | 26 => (1, 4),
        27 | 28 => (1, 8),
        2 | 20 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        9 => (32, 40),
        39 => (32, 17),
        40 => (64, 36),
        41 => (128, 18),
        10 => (256, 84),
        11 | 21 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        15 => (256, 292),
        16 | 35 => (256, 66),
        17 => (256, 74),
        18 => (256, 98),
        19 => (256, 50),
        22 => (256, 82),
        23 => (256, 136),
        29 => (256, 56),
        34 => (256, 54),
        _ => return None,
    })
}

/// Returns how many bytes a tensor takes.
fn byte_size(dimensions: &[u64], (block, bytes): Layout) -> Result<u64, String> {
    let row = dimensions.first().copied().unwrap_or(1);
    if row % block != 0 {
        return Err(format!("rows of {row} elements are no multiple of blocks of {block}"));
    }
    // Loaders count in signed 64 bits.
    let count = dimensions.iter().try_fold(1_u64, |count, size| count.checked_mul(*size));
    let total = count.and_then(|count| (count / block).checked_mul(bytes));
    total
        .filter(|_| count.is_some_and(|count| i64::try_from(count).is_ok()))
        .ok_or_else(|| format!("the dimensions {dimensions:?} overflow"))
}
