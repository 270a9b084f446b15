//! Owns the serialization of R, plain or packed by gzip: which values it holds.
//! Promises and byte code are what runs when the value is used (CVE-2024-27322). Leaves
//! the other packings, and the text form, unjudged.

use crate::found::{Defect, Found, Stop};
use crate::rules;
use crate::source::{Cursor, Source};

/// How large a packed file may be unpacked.
const MAX_UNPACKED: usize = 32 * 1024 * 1024;
/// How many values are read; each takes four bytes at least.
const MAX_VALUES: u64 = 8 * 1024 * 1024;
/// How deep values may nest that are not in a chain: R's own stack ends there, too.
const MAX_DEPTH: usize = 100;
/// What a serialization begins with, and what files of several values have before.
const MAGIC: &[u8] = b"X\n\0\0\0";
const SEVERAL: [&[u8]; 2] = [b"RDX2\nX\n\0\0\0", b"RDX3\nX\n\0\0\0"];

/// Tells whether a file that begins with `head` is R's, as far as it is not packed, or
/// its packed start says so.
pub fn recognise(head: &[u8]) -> bool {
    let plain = |head: &[u8]| {
        head.starts_with(MAGIC) || SEVERAL.iter().any(|magic| head.starts_with(magic))
    };
    plain(head)
        || gzip_body(head).is_some_and(|body| {
            let unpacked = miniz_oxide::inflate::decompress_to_vec_with_limit(body, 4096);
            plain(&unpacked.unwrap_or_else(|error| error.output))
        })
}

/// Returns what follows gzip's header.
fn gzip_body(bytes: &[u8]) -> Option<&[u8]> {
    let (header, rest) = bytes.split_first_chunk::<10>()?;
    if header[..3] != *b"\x1f\x8b\x08" || header[3] & !8 != 0 {
        return None;
    }
    match header[3] {
        0 => Some(rest),
        _ => rest.iter().position(|byte| *byte == 0).and_then(|end| rest.get(end + 1..)),
    }
}

/// Walks the values.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let head = source.read_at(0, 2)?;
    if head != b"\x1f\x8b" {
        return Values { cursor: Cursor::new(source, 0), found, left: MAX_VALUES, symbols: 0 }
            .file();
    }
    if source.size() > MAX_UNPACKED as u64 {
        return Err(Stop::Unsupported("a packed value that is too large".to_owned()));
    }
    // At most MAX_UNPACKED, so it fits.
    let packed = source.read_at(0, usize::try_from(source.size()).unwrap_or(0))?;
    let body = gzip_body(&packed).ok_or_else(|| Stop::malformed(0, "no gzip header"))?;
    let unpacked =
        miniz_oxide::inflate::decompress_to_vec_with_limit(body, MAX_UNPACKED).map_err(|_| {
            Stop::Unsupported("a value that can't be unpacked, or is too large".to_owned())
        })?;
    Values { cursor: Cursor::new(&unpacked, 0), found, left: MAX_VALUES, symbols: 0 }.file()
}

struct Values<'a, 'f> {
    cursor: Cursor<'a>,
    found: &'f mut Found,
    left: u64,
    symbols: u64,
}

impl Values<'_, '_> {
    fn file(mut self) -> Result<(), Stop> {
        if self.cursor.array::<2>("a magic")? == *b"RD" {
            self.cursor.skip(3, "a magic")?;
            self.cursor.skip(2, "a magic")?;
        }
        self.cursor.big_endian();
        let version = self.cursor.u32("a version")?;
        self.cursor.skip(8, "versions")?;
        match version {
            2 => {}
            3 => {
                let length = self.cursor.u32("a length")?;
                self.cursor.skip(length.into(), "an encoding")?;
            }
            _ => return Err(Stop::Unsupported(format!("version {version}"))),
        }
        self.value(0)?;
        if self.cursor.left() > 0 {
            return Err(Stop::malformed(self.cursor.at(), "bytes after the value"));
        }
        Ok(())
    }

    /// Reads one value. What is chained, as in a list, is read in a loop.
    fn value(&mut self, depth: usize) -> Result<(), Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::Unsupported("values nested too deep".to_owned()));
        }
        loop {
            let at = self.cursor.at();
            self.left = self
                .left
                .checked_sub(1)
                .ok_or_else(|| Stop::Unsupported(format!("more than {MAX_VALUES} values")))?;
            let flags = self.cursor.u32("a value")?;
            let (kind, attributes, tagged) = (flags & 0xff, flags & 0x200 != 0, flags & 0x400 != 0);
            match kind {
                // A symbol, and its name.
                1 => {
                    self.symbols += 1;
                    continue;
                }
                // Pairs, closures, environments' frames, promises, calls.
                2 | 3 | 5 | 6 | 17 => {
                    if attributes {
                        self.value(depth + 1)?;
                    }
                    if kind == 5 {
                        self.runs(at, "a promise, whose expression R runs when the value is used");
                    }
                    if tagged {
                        self.value(depth + 1)?;
                    }
                    self.value(depth + 1)?;
                    continue;
                }
                4 => {
                    self.cursor.skip(4, "a lock")?;
                    (0..3).try_for_each(|_| self.value(depth + 1))?;
                    continue;
                }
                7 | 8 => self.counted(1)?,
                9 => match self.cursor.u32("a length")? {
                    u32::MAX => {}
                    length => self.cursor.skip(length.into(), "a text")?,
                },
                10 | 13 => self.counted(4)?,
                14 => self.counted(8)?,
                15 => self.counted(16)?,
                24 => self.counted(1)?,
                16 | 19 | 20 => {
                    let count = self.count()?;
                    if u64::from(count).saturating_mul(4) > self.cursor.left() {
                        return Err(Stop::malformed(at, "more values than there are bytes"));
                    }
                    (0..count).try_for_each(|_| self.value(depth + 1))?;
                }
                25 => {
                    if attributes {
                        continue;
                    }
                    return Ok(());
                }
                // A value that is kept in a shorter way: how, and what it is made of.
                238 => {
                    (0..2).try_for_each(|_| self.value(depth + 1))?;
                    continue;
                }
                // References, and values that stand for themselves.
                255 => {
                    if flags >> 8 == 0 {
                        self.cursor.skip(4, "a reference")?;
                    }
                    return Ok(());
                }
                241..=243 | 247 | 251..=254 => return Ok(()),
                21 => {
                    self.runs(at, "byte code, which nobody can read");
                    return Err(Stop::Unsupported("byte code of R".to_owned()));
                }
                other => return Err(Stop::Unsupported(format!("a value of R's type {other}"))),
            }
            // The attributes follow what they are of.
            if !attributes || kind == 9 {
                return Ok(());
            }
        }
    }

    fn runs(&mut self, at: u64, what: &str) {
        self.found.add(rules::PICKLED_TYPE, None, || {
            let message = format!("the value holds {what} (CVE-2024-27322)");
            Defect::new(rules::PICKLED_TYPE, message).offset(at)
        });
    }

    fn count(&mut self) -> Result<u32, Stop> {
        match self.cursor.u32("a count")? {
            u32::MAX => Err(Stop::Unsupported("a vector of more than 32 bits".to_owned())),
            count => Ok(count),
        }
    }

    fn counted(&mut self, width: u64) -> Result<(), Stop> {
        let count = self.count()?;
        self.cursor.skip(u64::from(count) * width, "numbers")
    }
}
