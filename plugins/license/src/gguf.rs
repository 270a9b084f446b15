//! Owns finding what GGUF's metadata say of the license, the bases and the data.
//! Leaves whether the rest is well formed to the check `formats`.

use modelhost_check::{File, ReadError};

use crate::card::{Card, Value};

/// What a GGUF file begins with.
pub const MAGIC: &[u8] = b"GGUF";
/// How far metadata may reach: the longest known vocabularies take some 10 MiB.
const MAX_METADATA: u64 = 128 * 1024 * 1024;
/// How much is fetched at once.
const BLOCK: u64 = 64 * 1024;
/// How deep lists may nest; those that are known hold no lists.
const MAX_NESTED: u32 = 4;
/// The longest key that the format allows.
const MAX_KEY: u64 = 65_535;
/// How long a text may be that names a license or a model.
const MAX_TEXT: u64 = 4096;
/// How many bases and how many data sets are looked at: merges have a dozen.
const MAX_NAMED: usize = 64;

/// Why the metadata could not be read to their end.
#[derive(Debug, PartialEq)]
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

/// Returns what the metadata say.
///
/// # Errors
/// Where the metadata end early or break the format.
pub fn read(file: &File) -> Result<Card, Stop> {
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
    let mut said = Said::default();
    for _ in 0..keys {
        let length = cursor.length()?;
        if length > MAX_KEY {
            return cursor.malformed("a key is too long");
        }
        let key = cursor.text(length)?;
        let kind = cursor.u32()?;
        if kind == STRING && key.starts_with("general.") {
            let length = cursor.length()?;
            if length > MAX_TEXT {
                cursor.skip(length)?;
            } else {
                let text = cursor.text(length)?;
                if !said.take(&key, text) {
                    return cursor.malformed("a key stands twice");
                }
            }
        } else {
            cursor.skip_value(kind, 0)?;
        }
    }
    Ok(said.card())
}

/// What was met: keys and texts, in order.
#[derive(Default)]
struct Said {
    license: [Option<String>; 3],
    models: Vec<(String, String)>,
}

/// The keys about the license.
const LICENSE: [&str; 3] = ["general.license", "general.license.name", "general.license.link"];

impl Said {
    /// Takes a key that matters; tells false where it came before.
    fn take(&mut self, key: &str, text: String) -> bool {
        if let Some(place) = LICENSE.iter().position(|known| *known == key) {
            return self.license[place].replace(text).is_none();
        }
        let named = key.starts_with("general.base_model.") || key.starts_with("general.dataset.");
        if named && self.models.len() < MAX_NAMED * 8 {
            if self.models.iter().any(|(known, _)| known == key) {
                return false;
            }
            self.models.push((key.to_owned(), text));
        }
        true
    }

    fn card(self) -> Card {
        let value = |text: String| Value { text, line: 0 };
        let [license, name, link] = self.license;
        let of = |kind: &str| {
            let named = (0..MAX_NAMED).filter_map(|number| {
                let get = |field: &str| {
                    let key = format!("general.{kind}.{number}.{field}");
                    self.models.iter().find(|(known, _)| *known == key).map(|(_, text)| text.trim())
                };
                let slug = |text: &str| text.to_lowercase().replace(' ', "-");
                let name = match (get("repo_url"), get("organization"), get("name")) {
                    (Some(address), ..) if !address.is_empty() => address.to_owned(),
                    (_, Some(owner), Some(name)) => format!("{}/{}", slug(owner), slug(name)),
                    (_, _, Some(name)) => slug(name),
                    _ => return None,
                };
                Some(Value { text: name, line: 0 })
            });
            named.collect()
        };
        let (bases, datasets) = (of("base_model"), of("dataset"));
        Card {
            licenses: license.map(value).into_iter().collect(),
            name: name.map(value),
            link: link.map(value),
            bases,
            datasets,
        }
    }
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

    fn skip_value(&mut self, kind: u32, depth: u32) -> Result<(), Stop> {
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
        if depth >= MAX_NESTED {
            return self.malformed("lists nest too deep");
        }
        let of = self.u32()?;
        let count = self.length()?;
        if let Some(width) = width(of) {
            return self.skip(count.saturating_mul(width));
        }
        // Each takes its length, or its type and length, at least.
        let least = if self.short { 4 } else { 8 };
        self.need(count.saturating_mul(least))?;
        for _ in 0..count {
            self.skip_value(of, depth + 1)?;
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
