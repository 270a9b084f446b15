//! [`Parts`]: digests of equal parts of a large file, by which a difference is
//! narrowed to a range of bytes.
//!
//! Owns how a file is divided and how the digests are written. They are
//! advisory: cut to 8 bytes each, they say where to look, never that a file is
//! the right one. Leaves computing them to `model`.

use std::fmt;
use std::ops::Range;

use super::digest;

/// The most parts of a file: some 1,000 characters of its line in the lock file.
pub const MAX_PARTS: u64 = 64;

/// The smallest size of a part, in bytes: a range any shorter tells nobody more.
const MIN_SIZE: u64 = 1 << 20;

/// How many bytes of each part's digest are kept.
const DIGEST: usize = 8;

/// The digests of all parts of a file: the first 8 bytes of the BLAKE3 of each.
/// Written `<bytes in a part>:<16 hex digits for each part>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parts {
    size: u64,
    digests: Box<[[u8; DIGEST]]>,
}

/// Why a text does not give the parts of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// It is not written as parts are.
    #[error("parts are written `<bytes in a part>:<16 lower-case hex digits for each part>`")]
    Form,
    /// The file is not divided so.
    #[error("a file of {file} bytes has {}", divided(*file))]
    Size {
        /// The file's size in bytes.
        file: u64,
    },
}

/// Says how a file of `file` bytes is divided.
fn divided(file: u64) -> String {
    Parts::size_for(file).map_or_else(
        || "no parts".to_owned(),
        |size| format!("{} parts of {size} bytes", file.div_ceil(size)),
    )
}

impl Parts {
    /// Returns how many bytes a part of a file of `file` bytes has: the smallest
    /// power of two, 1 MiB at least, that makes at most [`MAX_PARTS`]. None for a
    /// file that would be one part.
    pub fn size_for(file: u64) -> Option<u64> {
        if file <= MIN_SIZE {
            return None;
        }
        Some(file.div_ceil(MAX_PARTS).checked_next_power_of_two()?.max(MIN_SIZE))
    }

    /// Makes the parts of a file of `file` bytes from the BLAKE3 of each part, in
    /// order; none where these are not all parts of such a file.
    pub fn new(file: u64, digests: &[[u8; 32]]) -> Option<Self> {
        let size = Self::size_for(file)?;
        let cut = |digest: &[u8; 32]| digest.first_chunk().copied();
        let digests: Box<[_]> = digests.iter().filter_map(cut).collect();
        (digests.len() as u64 == file.div_ceil(size)).then_some(Self { size, digests })
    }

    /// Parses the parts of a file of `file` bytes.
    ///
    /// # Errors
    /// Says that the text is not written as parts are, or that such a file is not
    /// divided so.
    pub fn parse(text: &str, file: u64) -> Result<Self, PartsError> {
        let (size, hex) = text.split_once(':').ok_or(PartsError::Form)?;
        let is_number = !size.starts_with('0') && size.bytes().all(|b| b.is_ascii_digit());
        let size: u64 = size.parse().ok().filter(|_| is_number).ok_or(PartsError::Form)?;
        let (each, rest) = hex.as_bytes().as_chunks::<{ 2 * DIGEST }>();
        if !rest.is_empty() || each.is_empty() {
            return Err(PartsError::Form);
        }
        if Self::size_for(file) != Some(size) || each.len() as u64 != file.div_ceil(size) {
            return Err(PartsError::Size { file });
        }
        let read = |hex: &[u8; 2 * DIGEST]| digest::from_hex(std::str::from_utf8(hex).ok()?);
        let digests = each.iter().map(read).collect::<Option<_>>().ok_or(PartsError::Form)?;
        Ok(Self { size, digests })
    }

    /// Makes the parts of a file of `file` bytes from what is kept of each one's
    /// digest; none where these are not all parts of such a file.
    pub fn from_kept(file: u64, digests: Vec<[u8; DIGEST]>) -> Option<Self> {
        let size = Self::size_for(file)?;
        let is_all = digests.len() as u64 == file.div_ceil(size);
        is_all.then(|| Self { size, digests: digests.into() })
    }

    /// Returns what is kept of each part's digest, in order.
    pub fn kept(&self) -> &[[u8; DIGEST]] {
        &self.digests
    }

    /// Returns how many bytes a part has; the last may have fewer.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns how many parts there are.
    pub const fn count(&self) -> usize {
        self.digests.len()
    }

    /// Returns whether the BLAKE3 of the part at `index`, from 0, starts as the
    /// one of `bytes` does; false where there is no such part.
    pub fn matches(&self, index: usize, digest: &[u8; 32]) -> bool {
        self.digests.get(index).is_some_and(|part| digest.starts_with(part))
    }

    /// Returns the ranges of bytes, joined where they touch, in which a file with
    /// the parts `other` differs from one with these; none where the two are not
    /// divided alike, so that nothing can be said. The last range is one of a whole
    /// part, even where the file ends before.
    pub fn differing(&self, other: &Self) -> Option<Vec<Range<u64>>> {
        if self.size != other.size || self.digests.len() != other.digests.len() {
            return None;
        }
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let mut start = 0u64;
        for (a, b) in self.digests.iter().zip(&other.digests) {
            let end = start.saturating_add(self.size);
            if a != b {
                match ranges.last_mut() {
                    Some(last) if last.end == start => last.end = end,
                    _ => ranges.push(start..end),
                }
            }
            start = end;
        }
        Some(ranges)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.size, digest::to_hex(self.digests.as_flattened()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_divided_into_at_most_64_parts() {
        let rows = [
            (0, None),
            (1 << 20, None),
            ((1 << 20) + 1, Some(1 << 20)),
            (64 << 20, Some(1 << 20)),
            ((64 << 20) + 1, Some(2 << 20)),
            (10_000_000_000, Some(256 << 20)),
            (u64::MAX, Some(1 << 58)),
        ];
        for (file, size) in rows {
            assert_eq!(Parts::size_for(file), size, "{file}");
            if let Some(size) = size {
                assert!((2..=MAX_PARTS).contains(&file.div_ceil(size)), "{file}");
            }
        }
    }

    #[test]
    fn parts_have_one_written_form() {
        let file = (2 << 20) + 1;
        let parts = Parts::new(file, &[[1; 32], [2; 32], [0xab; 32]]).unwrap();
        let text = "1048576:01010101010101010202020202020202abababababababab";
        assert_eq!(parts.to_string(), text);
        assert_eq!(Parts::parse(text, file), Ok(parts.clone()));
        assert_eq!((parts.size(), parts.count()), (1 << 20, 3));
        assert!(parts.matches(2, &[0xab; 32]));
        assert!(!parts.matches(1, &[0xab; 32]) && !parts.matches(3, &[0xab; 32]));
        assert_eq!(Parts::new(file, &[[1; 32]; 2]), None);
        assert_eq!(Parts::new(9, &[]), None);
    }

    #[test]
    fn what_gives_no_parts_is_refused() {
        let hex = "01".repeat(24);
        let file = (2 << 20) + 1;
        let size = PartsError::Size { file };
        let rows = [
            (String::new(), PartsError::Form),
            (hex.clone(), PartsError::Form),
            (format!(":{hex}"), PartsError::Form),
            (format!("1048576:{}", &hex[1..]), PartsError::Form),
            ("1048576:".to_owned(), PartsError::Form),
            (format!("01048576:{hex}"), PartsError::Form),
            (format!("+1048576:{hex}"), PartsError::Form),
            (format!("18446744073709551616:{hex}"), PartsError::Form),
            (format!("1048576:{}", hex.replace("01", "0A")), PartsError::Form),
            (format!("1048576:{}", "é".repeat(24)), PartsError::Form),
            (format!("2097152:{hex}"), size.clone()),
            (format!("0:{hex}"), PartsError::Form),
            (format!("1048576:{}", &hex[16..]), size.clone()),
            (format!("1048576:{}", hex.repeat(9)), size),
        ];
        for (text, error) in rows {
            assert_eq!(Parts::parse(&text, file), Err(error), "{text}");
        }
        let small = Parts::parse(&format!("1048576:{hex}"), 5).unwrap_err();
        assert_eq!(small.to_string(), "a file of 5 bytes has no parts");
        let large = Parts::parse(&format!("1048576:{hex}"), 1 << 30).unwrap_err();
        assert_eq!(large.to_string(), "a file of 1073741824 bytes has 64 parts of 16777216 bytes");
    }

    #[test]
    fn differences_are_ranges() {
        let of = |fill: &[u8]| {
            let digests: Vec<_> = fill.iter().map(|byte| [*byte; 32]).collect();
            Parts::new((fill.len() as u64) << 20, &digests).unwrap()
        };
        let base = of(&[0, 0, 0, 0, 0]);
        let mib = 1u64 << 20;
        assert_eq!(base.differing(&base), Some(vec![]));
        let ranges = vec![mib..3 * mib, 4 * mib..5 * mib];
        assert_eq!(base.differing(&of(&[0, 1, 1, 0, 1])), Some(ranges));
        assert_eq!(base.differing(&of(&[0, 0])), None);
    }
}
