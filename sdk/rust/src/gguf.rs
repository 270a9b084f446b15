//! The metadata of a GGUF file, key by key: where checks look for templates, licenses
//! and other texts.
//!
//! It reads versions 1 to 3 in either byte order, as
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md> has them. What lies behind
//! the metadata, and whether a file is well formed, is left to checks of structure.

use crate::file::{File, ReadError};

/// What a GGUF file begins with.
pub const MAGIC: &[u8] = b"GGUF";
/// How far metadata may reach: the longest known vocabularies take some 10 MiB.
const MAX_METADATA: u64 = 128 * 1024 * 1024;
/// How much is fetched at once.
const BLOCK: u64 = 64 * 1024;
/// The longest key that the format allows.
const MAX_KEY: u64 = 65_535;
/// The kind of a number of 32 bits, without sign.
const U32: u32 = 4;
/// The kind of a text.
const STRING: u32 = 8;
/// The kind of a list.
const ARRAY: u32 = 9;

/// Why the metadata could not be read to their end.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// The host could not read the file.
    Read(ReadError),
    /// They are not what the format says: where, and what was met.
    Malformed(u64, &'static str),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Shows each entry of the metadata, and passes over what is left unread of it. Lists
/// may hold lists to a depth of `nested`.
///
/// # Errors
/// Where the metadata end early or break the format, and where `see` says so.
pub fn walk(
    file: &File,
    nested: u32,
    see: &mut dyn FnMut(&mut Entry<'_, '_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    walk_to_tensors(file, nested, see).map(drop)
}

/// Is one tensor of a GGUF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Where its bytes start in the file.
    pub start: u64,
}

/// Returns the tensors of a GGUF file, sorted by where their bytes start: those of one
/// end where the next one's start, or with the file. None where there are more than
/// `most`.
///
/// # Errors
/// Where the file ends early or breaks the format.
pub fn tensors(file: &File, most: u64) -> Result<Option<Vec<Tensor>>, Stop> {
    let mut alignment = 32;
    let (mut cursor, count) = walk_to_tensors(file, 1, &mut |entry| {
        if entry.key() == "general.alignment"
            && let Some(stated) = entry.number()?
        {
            alignment = stated;
        }
        Ok(())
    })?;
    if count > most {
        return Ok(None);
    }
    if alignment == 0 {
        return cursor.malformed("its tensors are aligned to nothing");
    }
    let mut tensors = Vec::new();
    for _ in 0..count {
        let length = cursor.length()?;
        if length > MAX_KEY {
            return cursor.malformed("a tensor's name is too long");
        }
        let name = cursor.text(length)?;
        let dimensions = cursor.u32()?;
        let width = if cursor.short { 4 } else { 8 };
        cursor.skip(u64::from(dimensions).saturating_mul(width))?;
        cursor.u32()?;
        let start = u64::from_le_bytes(cursor.take()?);
        let start = if cursor.big { start.swap_bytes() } else { start };
        tensors.push(Tensor { name, start });
    }
    let data = cursor.at.next_multiple_of(u64::from(alignment));
    for tensor in &mut tensors {
        match data.checked_add(tensor.start).filter(|start| *start <= file.size()) {
            Some(start) => tensor.start = start,
            None => return cursor.malformed("a tensor lies behind the file's end"),
        }
    }
    tensors.sort_by(|a, b| (a.start, &a.name).cmp(&(b.start, &b.name)));
    Ok(Some(tensors))
}

/// Shows each entry of the metadata; returns the cursor behind them, and how many
/// tensors there are.
fn walk_to_tensors<'f>(
    file: &'f File,
    nested: u32,
    see: &mut dyn FnMut(&mut Entry<'_, '_>) -> Result<(), Stop>,
) -> Result<(Cursor<'f>, u64), Stop> {
    let mut cursor = Cursor {
        file,
        end: file.size().min(MAX_METADATA),
        at: MAGIC.len() as u64,
        block: Vec::new(),
        block_at: 0,
        big: false,
        short: false,
    };
    let mut version = cursor.u32()?;
    if version & 0xffff == 0 {
        cursor.big = true;
        version = version.swap_bytes();
    }
    cursor.short = version == 1;
    if !(1..=3).contains(&version) {
        return cursor.malformed("its version is unknown");
    }
    let tensors = cursor.length()?;
    let keys = cursor.length()?;
    for _ in 0..keys {
        let length = cursor.length()?;
        if length > MAX_KEY {
            return cursor.malformed("a key is too long");
        }
        let key = cursor.text(length)?;
        let kind = cursor.u32()?;
        let mut entry = Entry { key, kind, left: Left::Value, cursor: &mut cursor };
        see(&mut entry)?;
        match entry.left {
            Left::Value => cursor.skip_value(kind, nested)?,
            Left::Bytes(length) => cursor.skip(length)?,
        }
    }
    Ok((cursor, tensors))
}

/// Is one key of the metadata, with its value ahead.
#[derive(Debug)]
pub struct Entry<'c, 'f> {
    key: String,
    kind: u32,
    left: Left,
    cursor: &'c mut Cursor<'f>,
}

/// What of a value was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// All of it.
    Value,
    /// So many bytes.
    Bytes(u64),
}

impl Entry<'_, '_> {
    /// Returns the key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Tells whether the value is a text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.kind == STRING
    }

    /// Reads a value that is a text: where it stands, and the text, with bytes that are not
    /// UTF-8 replaced. None where it has more than `most` bytes, is no text, or was read.
    ///
    /// # Errors
    /// Where it ends early, or can't be read.
    pub fn text(&mut self, most: u64) -> Result<Option<(u64, String)>, Stop> {
        if !self.is_text() || self.left != Left::Value {
            return Ok(None);
        }
        let length = self.cursor.length()?;
        self.left = Left::Bytes(length);
        if length > most {
            return Ok(None);
        }
        let at = self.cursor.at;
        let text = self.cursor.text(length)?;
        self.left = Left::Bytes(0);
        Ok(Some((at, text)))
    }

    /// Reads a value that is a number of 32 bits, without sign; none where it is something
    /// else, or was read.
    fn number(&mut self) -> Result<Option<u32>, Stop> {
        if self.kind != U32 || self.left != Left::Value {
            return Ok(None);
        }
        let number = self.cursor.u32()?;
        self.left = Left::Bytes(0);
        Ok(Some(number))
    }

    /// Says that the metadata are not as they should be, at what is read next.
    #[must_use]
    pub fn malformed(&self, why: &'static str) -> Stop {
        Stop::Malformed(self.cursor.at, why)
    }
}

#[derive(Debug)]
struct Cursor<'f> {
    file: &'f File,
    end: u64,
    at: u64,
    block: Vec<u8>,
    block_at: u64,
    /// Whether numbers are big-endian.
    big: bool,
    /// Whether lengths have 32 bits, as in version 1.
    short: bool,
}

impl Cursor<'_> {
    fn malformed<T>(&self, why: &'static str) -> Result<T, Stop> {
        Err(Stop::Malformed(self.at, why))
    }

    fn need(&self, length: u64) -> Result<u64, Stop> {
        match self.at.checked_add(length) {
            Some(end) if end <= self.end => Ok(end),
            _ => self.malformed("the metadata do not end where they should"),
        }
    }

    fn skip(&mut self, length: u64) -> Result<(), Stop> {
        self.at = self.need(length)?;
        Ok(())
    }

    /// Takes up to a block of bytes.
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let end = self.need(N as u64)?;
        let held = |cursor: &Self| {
            let start = usize::try_from(cursor.at.checked_sub(cursor.block_at)?).ok()?;
            cursor.block.get(start..start.checked_add(N)?)?.try_into().ok()
        };
        let bytes = match held(self) {
            Some(bytes) => Some(bytes),
            None => {
                let length = (self.end - self.at).min(BLOCK);
                // At most BLOCK, so it fits.
                let length = usize::try_from(length).unwrap_or(0);
                self.block = self.file.read_exact_at(self.at, length)?;
                self.block_at = self.at;
                held(self)
            }
        };
        let Some(bytes) = bytes else {
            return self.malformed("the file ends early");
        };
        self.at = end;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, Stop> {
        let bytes = self.take()?;
        Ok(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn length(&mut self) -> Result<u64, Stop> {
        if self.short {
            return self.u32().map(u64::from);
        }
        let bytes = self.take()?;
        Ok(if self.big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    fn text(&mut self, length: u64) -> Result<String, Stop> {
        let end = self.need(length)?;
        // Its callers bound it.
        let length = usize::try_from(length).unwrap_or(0);
        let bytes = self.file.read_exact_at(self.at, length)?;
        self.at = end;
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    fn skip_value(&mut self, kind: u32, nested: u32) -> Result<(), Stop> {
        if kind == STRING {
            let length = self.length()?;
            return self.skip(length);
        }
        if kind != ARRAY {
            return match width(kind) {
                Some(width) => self.skip(width),
                None => self.malformed("a value's type is unknown"),
            };
        }
        let of = self.u32()?;
        let count = self.length()?;
        if let Some(width) = width(of) {
            return self.skip(count.saturating_mul(width));
        }
        let nested = match of {
            STRING => nested,
            ARRAY if nested > 0 => nested - 1,
            _ => return self.malformed("a list's type is unknown"),
        };
        // Each takes its length, or its type and length, at least.
        let least = if self.short { 4 } else { 8 };
        self.need(count.saturating_mul(least))?;
        for _ in 0..count {
            self.skip_value(of, nested)?;
        }
        Ok(())
    }
}

/// Returns the width of a number or truth value.
fn width(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Model;

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
    }

    /// Metadata of three keys: a text, `between`, and a text.
    fn metadata(between: &[u8]) -> Vec<u8> {
        let string = STRING.to_le_bytes();
        [
            b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0".as_slice(),
            &[text("a"), string.to_vec(), text("one")].concat(),
            &[&text("b"), between].concat(),
            &[text("c"), string.to_vec(), text("three")].concat(),
        ]
        .concat()
    }

    fn texts(bytes: &[u8], nested: u32, most: u64) -> Result<Vec<String>, Stop> {
        let model = Model::new("m").file("m.gguf", bytes);
        let mut found = Vec::new();
        walk(&model.open("m.gguf"), nested, &mut |entry| {
            if let Some((_, text)) = entry.text(most)? {
                found.push(format!("{}={text}", entry.key()));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// A list of `count` values of a kind.
    fn list(kind: u32, count: u64, values: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes(), count.to_le_bytes().as_slice(), values].concat()
    }

    fn of_kind(kind: u32, value: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes(), value].concat()
    }

    #[test]
    fn passes_over_what_is_not_read() {
        let inner = list(4, 1, &[0; 4]);
        let values = [
            of_kind(4, &[0; 4]),
            of_kind(STRING, &text("longer than five")),
            of_kind(ARRAY, &list(STRING, 2, &[text("x"), text("")].concat())),
            of_kind(ARRAY, &list(ARRAY, 2, &[inner.clone(), inner].concat())),
        ];
        for value in values {
            let found = texts(&metadata(&value), 1, 5).expect("metadata");
            assert_eq!(found, ["a=one", "c=three"]);
        }
    }

    #[test]
    fn tensors_are_told_with_where_they_start() {
        let tensor = |name: &str, start: u64| {
            [
                text(name),
                2_u32.to_le_bytes().to_vec(),
                vec![0; 16],
                vec![0; 4],
                start.to_le_bytes().to_vec(),
            ]
            .concat()
        };
        let file = |alignment: u32, tensors: &[Vec<u8>], data: usize| {
            let head = [
                b"GGUF\x03\0\0\0".as_slice(),
                &(tensors.len() as u64).to_le_bytes(),
                &1_u64.to_le_bytes(),
                &text("general.alignment"),
                &of_kind(U32, &alignment.to_le_bytes()),
            ]
            .concat();
            let mut bytes = [head, tensors.concat()].concat();
            bytes.resize(bytes.len().next_multiple_of(64) + data, 0);
            Model::new("m").file("m.gguf", bytes)
        };
        let both = [tensor("b", 32), tensor("a", 0)];
        let model = file(64, &both, 64);
        let opened = model.open("m.gguf");
        let found = tensors(&opened, 9).expect("it is well formed").expect("two");
        let data = opened.size() - 64;
        let expected = [("a", data), ("b", data + 32)];
        assert_eq!(
            found.iter().map(|it| (it.name.as_str(), it.start)).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(tensors(&opened, 1), Ok(None));
        assert!(tensors(&file(0, &both, 64).open("m.gguf"), 9).is_err());
        assert!(tensors(&file(64, &[tensor("a", u64::MAX)], 64).open("m.gguf"), 9).is_err());
        assert!(tensors(&file(64, &[tensor("a", 999)], 64).open("m.gguf"), 9).is_err());
    }

    #[test]
    fn says_where_metadata_break() {
        let nested = metadata(&of_kind(ARRAY, &list(ARRAY, 1, &list(4, 1, &[0; 4]))));
        assert!(matches!(
            texts(&nested, 0, 5),
            Err(Stop::Malformed(_, "a list's type is unknown"))
        ));
        for broken in [of_kind(99, &[]), of_kind(STRING, &u64::MAX.to_le_bytes())] {
            assert!(matches!(texts(&metadata(&broken), 1, 5), Err(Stop::Malformed(..))));
        }
        let whole = metadata(&of_kind(4, &[0; 4]));
        for length in 4..whole.len() {
            assert!(texts(&whole[..length], 1, 5).is_err(), "cut at {length}");
        }
    }
}
