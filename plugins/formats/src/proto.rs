//! Owns the walk over protobuf messages in place: field by field, without copying
//! what is not asked for, to a bounded depth. Leaves the meaning of the fields to
//! `onnx`, `tensorflow` and others.

use crate::found::Stop;
use crate::source::Cursor;

/// How deep messages may nest: protobuf's own readers refuse more.
pub const MAX_DEPTH: usize = 100;

/// One field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A number of variable length.
    Number(u64),
    /// Four or eight bytes.
    Fixed,
    /// Bytes: a text, a message, packed numbers. The cursor stands at the first.
    Bytes {
        /// The offset after the last one.
        end: u64,
    },
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its number.
    pub number: u64,
    /// Its value.
    pub value: Value,
    /// Where it begins.
    pub at: u64,
}

/// Calls `visit` for each field up to `end`. What the visitor leaves unread of a
/// field is passed over.
pub fn each(
    cursor: &mut Cursor<'_>,
    end: u64,
    visit: &mut dyn FnMut(&mut Cursor<'_>, Field) -> Result<(), Stop>,
) -> Result<(), Stop> {
    while cursor.at() < end {
        let field = next(cursor, end)?;
        let after = match field.value {
            Value::Bytes { end } => end,
            Value::Number(_) | Value::Fixed => cursor.at(),
        };
        visit(cursor, field)?;
        cursor.seek(after);
    }
    Ok(())
}

/// Reads the next field of a message that ends at `end`.
pub fn next(cursor: &mut Cursor<'_>, end: u64) -> Result<Field, Stop> {
    let at = cursor.at();
    let tag = number(cursor)?;
    let value = match tag & 7 {
        0 => Value::Number(number(cursor)?),
        1 => {
            cursor.skip(8, "a field of eight bytes")?;
            Value::Fixed
        }
        2 => {
            let length = number(cursor)?;
            let left = end.saturating_sub(cursor.at());
            if length > left {
                let message = format!("a field of {length} bytes, but only {left} are left");
                return Err(Stop::malformed(at, message));
            }
            Value::Bytes { end: cursor.at() + length }
        }
        5 => {
            cursor.skip(4, "a field of four bytes")?;
            Value::Fixed
        }
        other => {
            return Err(Stop::malformed(at, format!("{other} is no kind of a field")));
        }
    };
    let number = tag >> 3;
    if number == 0 || number > 0x1fff_ffff {
        return Err(Stop::malformed(at, format!("{number} is no number of a field")));
    }
    if cursor.at() > end {
        return Err(Stop::malformed(at, "a field reaches past its message"));
    }
    Ok(Field { number, value, at })
}

/// Reads a number of variable length.
pub fn number(cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
    let at = cursor.at();
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let byte = cursor.u8("a number")?;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            break;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Stop::malformed(at, "a number over 64 bits"))
}

/// Reads a text of at most `most` bytes that ends at `end`. Bytes that are not
/// UTF-8 are replaced.
pub fn text(cursor: &mut Cursor<'_>, end: u64, most: u64) -> Result<String, Stop> {
    let at = cursor.at();
    let length = end.saturating_sub(at);
    if length > most {
        let message = format!("a text of {length} bytes where at most {most} make sense");
        return Err(Stop::malformed(at, message));
    }
    // At most `most`, which is small.
    let bytes = cursor.take(usize::try_from(length).unwrap_or(0), "a text")?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Refuses messages that nest deeper than protobuf's readers go.
pub fn deeper(depth: usize, at: u64) -> Result<usize, Stop> {
    if depth >= MAX_DEPTH {
        return Err(Stop::malformed(at, "messages nested deeper than loaders go"));
    }
    Ok(depth + 1)
}
