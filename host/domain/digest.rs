//! [`Digest`], the SHA-256 of a file or component, [`TreeDigest`], the one over
//! all files of a model, and [`Blake3`], a second digest of a file.
//!
//! Leaves reading files to `model`, and other algorithms to the `digest`
//! capability.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::model::FilePath;

/// The SHA-256 of some bytes, written `sha256:<64 lower-case hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Computes the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps a digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the 64 hex digits without the `sha256:` before them.
    pub fn hex(&self) -> String {
        to_hex(&self.0)
    }

    /// Parses 64 lower-case hex digits.
    ///
    /// # Errors
    /// Says what is wrong with the text: its length or its characters.
    pub fn from_hex(hex: &str) -> Result<Self, DigestError> {
        if hex.len() != 64 {
            return Err(DigestError::Length(hex.len()));
        }
        from_hex(hex).map(Self).ok_or(DigestError::Character)
    }
}

/// Writes `bytes` as lower-case hex digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Reads `N` bytes from twice as many lower-case hex digits; none for any other
/// text.
pub(crate) fn from_hex<const N: usize>(hex: &str) -> Option<[u8; N]> {
    const fn nibble(digit: u8) -> Option<u8> {
        match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        }
    }
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let mut bytes = [0; N];
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::from_hex(text.strip_prefix("sha256:").ok_or(DigestError::Algorithm)?)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It does not start with `sha256:`.
    #[error("a digest starts with `sha256:`; no other algorithm is taken")]
    Algorithm,
    /// It has another number of digits.
    #[error("a SHA-256 digest has 64 hex digits, this one has {0}")]
    Length(usize),
    /// It has a character that is no lower-case hex digit.
    #[error("a digest is written in lower-case hex digits")]
    Character,
}

/// The BLAKE3 of a file's bytes, written as 64 lower-case hex digits: a second
/// digest beside the SHA-256, for those who compare with a fast one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blake3([u8; 32]);

impl Blake3 {
    /// Wraps a digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Parses 64 lower-case hex digits; none for any other text.
    pub fn from_hex(hex: &str) -> Option<Self> {
        from_hex(hex).map(Self)
    }
}

impl fmt::Display for Blake3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for Blake3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The digest over all files of a model, with their names: SHA-256 over one
/// line `file <size> <sha256 hex> <path>\n` for each file, in the order of the
/// paths' bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeDigest(Digest);

impl TreeDigest {
    /// Computes the tree digest of `files`, which must be sorted by path.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a FilePath, u64, Digest)>) -> Self {
        let mut state = Sha256::new();
        for (path, size, digest) in files {
            state.update(format!("file {size} {} {path}\n", digest.hex()));
        }
        Self(Digest(state.finalize().into()))
    }

    /// Wraps a tree digest that was read from a lock file.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// Returns it as a digest.
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for TreeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_refuses() {
        let digest = Digest::of(b"abc");
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        let rows = [
            ("md5:00", DigestError::Algorithm),
            ("sha256:00", DigestError::Length(2)),
            (&text.to_uppercase().replace("SHA", "sha"), DigestError::Character),
            (&format!("{text}0"), DigestError::Length(65)),
        ];
        for (text, error) in rows {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }
}
