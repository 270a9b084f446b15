//! Owns finding the templates in the metadata of GGUF, reading no further than
//! these. Leaves whether the rest is well formed to the check `formats`.

use modelhost_check::{File, ReadError};

/// What a GGUF file begins with.
pub const MAGIC: &[u8] = b"GGUF";
/// How far metadata may reach: the longest known vocabularies take some 10 MiB.
const MAX_METADATA: u64 = 128 * 1024 * 1024;
/// How much is fetched at once.
const BLOCK: u64 = 64 * 1024;
/// The longest key that the format allows.
const MAX_KEY: u64 = 65_535;
/// How long a text may be that is read: a template's bound.
const MAX_TEXT: u64 = crate::template::MAX_TEMPLATE as u64;

/// Why the metadata could not be read to their end.
#[derive(Debug)]
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

/// Shows each text of the metadata: its key, where it stands, and the text.
///
/// # Errors
/// Where the metadata end early or break the format.
pub fn walk(file: &File, see: &mut dyn FnMut(&str, u64, &str)) -> Result<(), Stop> {
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
    cursor.length()?;
    let keys = cursor.length()?;
    for _ in 0..keys {
        let length = cursor.length()?;
        if length > MAX_KEY {
            return cursor.malformed("a key is too long");
        }
        let key = cursor.text(length)?;
        let kind = cursor.u32()?;
        if kind == STRING {
            let length = cursor.length()?;
            let at = cursor.at;
            if length > MAX_TEXT && is_chat_template(&key) {
                return cursor.malformed("a chat template is too long to be judged");
            }
            if length > MAX_TEXT {
                cursor.skip(length)?;
            } else {
                let text = cursor.text(length)?;
                see(&key, at, &text);
            }
        } else if is_chat_template(&key) {
            return cursor.malformed("a chat template is no text");
        } else {
            cursor.skip_value(kind)?;
        }
    }
    Ok(())
}

/// Says whether a key holds a template that chats are written with.
#[must_use]
pub fn is_chat_template(key: &str) -> bool {
    key.contains("chat_template")
}

const STRING: u32 = 8;
const ARRAY: u32 = 9;

struct Cursor<'a> {
    file: &'a File,
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

    fn skip_value(&mut self, kind: u32) -> Result<(), Stop> {
        if kind != ARRAY {
            return match width(kind) {
                Some(width) => self.skip(width),
                None => self.malformed("a value's type is unknown"),
            };
        }
        let of = self.u32()?;
        let count = self.length()?;
        if of == STRING {
            // Each takes its length at least.
            let least = if self.short { 4 } else { 8 };
            self.need(count.saturating_mul(least))?;
            for _ in 0..count {
                let length = self.length()?;
                self.skip(length)?;
            }
            return Ok(());
        }
        match width(of) {
            Some(width) => self.skip(count.saturating_mul(width)),
            None => self.malformed("a list's type is unknown"),
        }
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
