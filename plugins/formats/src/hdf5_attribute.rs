//! Owns HDF5's attributes that matter: the configuration of a Keras model, as text
//! of fixed or of variable length, and what PyTables unpickles. Leaves the
//! configuration to `keras`.

use crate::found::Stop;
use crate::hdf5::cursor;
use crate::hdf5_object::text;
use crate::keras::MAX_CONFIG;
use crate::pickled;
use crate::source::{Cursor, Source};

/// The attributes that are kept: the configuration of a Keras model.
const KEPT: &[&str] = &["model_config", "training_config"];

/// The attribute by which PyTables, and pandas through it, marks data as pickles.
const MARK: (&str, &[u8]) = ("PSEUDOATOM", b"object");

/// Modules that pandas's own attributes import from. They are not judged here, and
/// not called harmful either.
const ORDINARY: &[&[u8]] = &[b"copy_reg\n", b"copyreg\n", b"datetime\n", b"numpy.", b"pandas."];

/// An attribute that matters.
pub enum Attribute {
    /// The configuration of a Keras model, by its name.
    Config(String, Vec<u8>),
    /// A text that PyTables unpickles when it is read, and that imports.
    Pickle(String),
}

/// Reads an attribute; none where it does not matter.
pub fn attribute(
    source: &dyn Source,
    cursor: &mut Cursor<'_>,
    length: u64,
) -> Result<Option<Attribute>, Stop> {
    let at = cursor.at();
    let version = cursor.u8("a version")?;
    let flags = cursor.u8("flags")?;
    let sizes = [cursor.u16("a length")?, cursor.u16("a length")?, cursor.u16("a length")?];
    let [name, kind, space] = sizes.map(u64::from);
    // The first version pads, and has no flags.
    let padded = |size: u64| {
        if version == 1 { size.next_multiple_of(8) } else { size }
    };
    match version {
        1 | 2 => {}
        3 => cursor.skip(1, "an encoding")?,
        _ => {
            return Err(Stop::malformed(at, format!("an attribute of version {version}")));
        }
    }
    let start = cursor.at();
    let name_text = text(cursor, name)?;
    let kept = KEPT.contains(&name_text.as_str());
    cursor.seek(start + padded(name));
    let class = cursor.u8("a type")? & 15;
    let bits = cursor.array::<3>("a type")?;
    let width = cursor.u32("a type")?;
    cursor.seek(start + padded(name) + padded(kind) + padded(space));
    let left = (at + length).checked_sub(cursor.at());
    let left = left.ok_or_else(|| Stop::malformed(at, "an attribute reaches past its message"))?;
    let content = match (version > 1 && flags & 1 != 0, class) {
        (true, _) if !kept => return Ok(None),
        (true, _) => {
            return Err(Stop::Unsupported("an attribute of a shared type".to_owned()));
        }
        (false, 3) => {
            let length = u64::from(width).min(left);
            cursor.take(usize::try_from(length).unwrap_or(0), "an attribute")?
        }
        // A text of variable length, in a heap of its own.
        (false, 9) if kept && bits[0] & 15 == 1 && left >= 16 => {
            let length = cursor.u32("a length")?;
            let place = (cursor.u64("a heap")?, cursor.u32("an index")?);
            from_heap(source, place, length.into())?
        }
        (false, _) => return Ok(None),
    };
    let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let content = content[..end].to_vec();
    if kept {
        return Ok(Some(Attribute::Config(name_text, content)));
    }
    if (name_text.as_str(), content.as_slice()) == MARK {
        return Err(Stop::Unsupported("data that are pickles to PyTables".to_owned()));
    }
    // PyTables takes each text that ends in a pickle's last opcode for one.
    let import = match content.last() {
        Some(b'.') => pickled::import(&content)?,
        _ => None,
    };
    let Some(at) = import.and_then(|at| usize::try_from(at).ok()) else { return Ok(None) };
    let named = content.get(at + 1..).unwrap_or_default();
    if ORDINARY.iter().any(|module| named.starts_with(module)) {
        let what = format!("the attribute `{name_text}`, a pickle that can't be judged here");
        return Err(Stop::Unsupported(what));
    }
    Ok(Some(Attribute::Pickle(name_text)))
}

/// Returns the first `length` bytes of an object in a global heap.
fn from_heap(
    source: &dyn Source,
    (heap, wanted): (u64, u32),
    length: u64,
) -> Result<Vec<u8>, Stop> {
    if wanted == 0 || length == 0 {
        return Ok(Vec::new());
    }
    let mut cursor = cursor(source, heap);
    let broken = |why: &str| Stop::malformed(heap, format!("a heap of texts that {why}"));
    if cursor.array::<4>("a heap")? != *b"GCOL" {
        return Err(broken("is none"));
    }
    cursor.skip(4, "a version")?;
    let end = heap.checked_add(cursor.u64("a length")?);
    let end = end.filter(|end| *end <= source.size()).ok_or_else(|| broken("is too long"))?;
    while cursor.at() + 16 <= end {
        let index = cursor.u16("an index")?;
        cursor.skip(6, "a count")?;
        let size = cursor.u64("a length")?;
        if index == 0 || size > end - cursor.at() {
            break;
        }
        if u32::from(index) == wanted {
            let length = length.min(size);
            if length > MAX_CONFIG {
                return Err(Stop::Unsupported(format!("a text of {length} bytes")));
            }
            return cursor.take(usize::try_from(length).unwrap_or(0), "a text");
        }
        cursor.seek(cursor.at() + size.next_multiple_of(8));
    }
    Err(broken("lacks the one that is asked for"))
}
