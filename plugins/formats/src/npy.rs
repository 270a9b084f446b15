//! Owns numpy's `.npy`: the header, and that the data are as long as it says.
//! Leaves arrays of Python objects, which are pickles, to the check `pickle`.

use crate::found::{Defect, Found, Stop};
use crate::literal::{self, Literal};
use crate::rules;
use crate::source::{Cursor, Source};

/// What an array begins with.
const MAGIC: &[u8] = b"\x93NUMPY";
/// How long a header may be: numpy itself refuses longer ones, since parsing them
/// was found to crash Python.
const MAX_HEADER: u32 = 10_000;
/// How many arrays may stand one after the other in a file.
const MAX_ARRAYS: usize = 10_000;
/// How many parts a structured type may have, those within parts included.
const MAX_PARTS: usize = 4_096;

/// Tells whether a file that begins with `head` is an array.
pub fn recognise(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Walks the array's header, and those of arrays saved after it.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    for _ in 0..MAX_ARRAYS {
        walk_array(&mut cursor)?;
        if cursor.left() == 0 {
            return Ok(());
        }
        let next = cursor.left().min(MAGIC.len() as u64);
        let head = source.read_at(cursor.at(), usize::try_from(next).unwrap_or(0))?;
        if head != MAGIC {
            let message = format!("{} bytes after the array belong to none", cursor.left());
            found.push(Defect::new(rules::TRAILING_DATA, message).offset(cursor.at()));
            return Ok(());
        }
    }
    Err(Stop::Unsupported(format!("more than {MAX_ARRAYS} arrays in a file")))
}

fn walk_array(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    let at = cursor.at();
    cursor.skip(MAGIC.len() as u64, "the magic")?;
    let version = cursor.array::<2>("the version")?;
    let length = match version {
        [1, 0] => u32::from(cursor.u16("the header's length")?),
        [2 | 3, 0] => cursor.u32("the header's length")?,
        [major, minor] => {
            return Err(Stop::Unsupported(format!("version {major}.{minor}")));
        }
    };
    if length > MAX_HEADER {
        let message = format!("a header of {length} bytes; numpy allows {MAX_HEADER}");
        return Err(Stop::malformed(at, message));
    }
    let start = cursor.at();
    // At most MAX_HEADER, so it fits.
    let header = cursor.take(usize::try_from(length).unwrap_or(0), "the header")?;
    let header = literal::parse(&header).map_err(|(at, why)| {
        Stop::malformed(start + at as u64, format!("the header holds {why}"))
    })?;
    let bytes = data_length(header).map_err(|wrong| match wrong {
        Wrong::Objects => Stop::NotOurs("an array of Python objects, which are pickled".to_owned()),
        Wrong::Header(message) => Stop::malformed(start, message),
    })?;
    cursor.skip(bytes, "the data")
}

/// Why a header gives no length.
enum Wrong {
    /// The array holds objects.
    Objects,
    /// The header is not one of numpy.
    Header(String),
}

fn wrong<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Header(message.into()))
}

fn data_length(header: Literal) -> Result<u64, Wrong> {
    let Literal::Dictionary(items) = header else {
        return wrong("the header is no dictionary");
    };
    let mut keys: Vec<&str> = items.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    if keys != ["descr", "fortran_order", "shape"] {
        return wrong("the header has other keys than descr, fortran_order and shape");
    }
    let (mut item, mut count) = (0, 0);
    for (key, value) in items {
        match (key.as_str(), value) {
            ("descr", value) => item = item_size(&value, &mut 0)?,
            ("shape", Literal::Sequence(shape)) => count = product(&shape)?,
            ("fortran_order", Literal::Truth(_)) => {}
            (key, _) => return wrong(format!("the header's `{key}` is of another type")),
        }
    }
    match item.checked_mul(count) {
        Some(bytes) => Ok(bytes),
        None => wrong("the size of the data overflows"),
    }
}

fn product(shape: &[Literal]) -> Result<u64, Wrong> {
    shape.iter().try_fold(1_u64, |product, size| match size {
        Literal::Number(size) => match product.checked_mul(*size) {
            Some(product) => Ok(product),
            None => wrong("the size of the data overflows"),
        },
        _ => wrong("the shape holds other things than numbers"),
    })
}

/// Returns the size of an element, of a plain type or of a structured one.
fn item_size(descr: &Literal, parts: &mut usize) -> Result<u64, Wrong> {
    *parts += 1;
    if *parts > MAX_PARTS {
        return wrong("a type of too many parts");
    }
    match descr {
        Literal::Text(name) => plain_size(name),
        Literal::Sequence(fields) => fields.iter().try_fold(0_u64, |total, field| {
            let size = field_size(field, parts)?;
            total.checked_add(size).map_or_else(|| wrong("the size of an element overflows"), Ok)
        }),
        _ => wrong("a type that is neither text nor a list"),
    }
}

/// Returns the size of one `(name, type)` or `(name, type, shape)`. Depth is
/// bounded by the literal's own.
fn field_size(field: &Literal, parts: &mut usize) -> Result<u64, Wrong> {
    let Literal::Sequence(field) = field else {
        return wrong("a field that is no tuple");
    };
    let (name, descr, shape) = match field.as_slice() {
        [name, descr] => (name, descr, 1),
        [name, descr, Literal::Sequence(shape)] => (name, descr, product(shape)?),
        [name, descr, Literal::Number(count)] => (name, descr, *count),
        _ => return wrong("a field that is no name with a type"),
    };
    // A name, or a title with a name.
    if !matches!(name, Literal::Text(_) | Literal::Sequence(_)) {
        return wrong("a field's name is no text");
    }
    let size = item_size(descr, parts)?;
    size.checked_mul(shape).map_or_else(|| wrong("the size of an element overflows"), Ok)
}

/// Returns the size of a type such as `<f4`. Only what numpy writes is known:
/// numpy reads many more spellings, some of which mean objects.
fn plain_size(name: &str) -> Result<u64, Wrong> {
    let bare = name.trim_start_matches(['<', '>', '|', '=']);
    let (kind, rest) = bare.split_at_checked(1).unwrap_or((bare, ""));
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, unit) = rest.split_at(digits);
    let width: Option<u64> = digits.parse().ok();
    let dated = unit.starts_with('[') && unit.ends_with(']');
    match (kind, width) {
        ("O", _) if unit.is_empty() => Err(Wrong::Objects),
        ("b", Some(1)) if unit.is_empty() => Ok(1),
        ("i" | "u", Some(width @ (1 | 2 | 4 | 8))) if unit.is_empty() => Ok(width),
        ("f", Some(width @ (2 | 4 | 8 | 12 | 16))) if unit.is_empty() => Ok(width),
        ("c", Some(width @ (8 | 16 | 24 | 32))) if unit.is_empty() => Ok(width),
        ("M" | "m", Some(8)) if unit.is_empty() || dated => Ok(8),
        ("S" | "a" | "V", Some(width)) if unit.is_empty() => Ok(width),
        ("U", Some(width)) if unit.is_empty() => match width.checked_mul(4) {
            Some(width) => Ok(width),
            None => wrong("the size of an element overflows"),
        },
        _ => wrong(format!("`{name}` is no type that numpy writes")),
    }
}
