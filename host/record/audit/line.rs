//! One line of an audit log: a record with its own digest at the end, so that a
//! line that was changed is told by itself, the last one too.
//!
//! Leaves what follows what to `chain`.

use std::fmt;

use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use super::fields::{Digest as DigestField, digest_of_hex};
use super::record::{Record, SCHEMA};
use crate::domain::digest::Digest;

/// The most bytes of a line, without its newline. A record of a thousand models,
/// or of the change of a thousand files, fits with room to spare; whoever reads a
/// log holds no more of one line than this.
pub const MAX_LINE: usize = 1 << 20;

/// What stands before the digest at the end of each line.
const BEFORE: &str = r#","digest":"sha256:"#;

/// What stands after it.
const AFTER: &str = r#""}"#;

/// The hex digits of a digest.
const HEX: usize = 64;

/// How many bytes at the end of a line its own digest does not cover.
const SEAL: usize = BEFORE.len() + HEX + AFTER.len();

/// What is wrong with one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has more than [`MAX_LINE`] bytes.
    TooLong,
    /// It is no JSON.
    NotJson,
    /// Its bytes are not those whose digest it names.
    Digest,
    /// It is of another version.
    Version,
    /// It is JSON and not a record.
    Form,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "it has more than {MAX_LINE} bytes"),
            Self::NotJson => write!(f, "it is not JSON"),
            Self::Digest => write!(f, "its digest is not that of its bytes: it was changed"),
            Self::Version => write!(f, "it is not of the form `{SCHEMA}`"),
            Self::Form => write!(f, "it is JSON, and not a record"),
        }
    }
}

/// A line that is a record.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// The record.
    pub record: Record<'a>,
    /// The digest of the line, all of it: what the next one names as the one before.
    pub digest: Digest,
    /// The line, without its newline.
    pub bytes: &'a [u8],
}

/// Writes `record` as a line, without its newline, with its digest in place of
/// whatever it names; also returns the digest of that line. None where it would be
/// longer than [`MAX_LINE`].
pub(super) fn seal(record: &Record<'_>) -> Option<(Vec<u8>, Digest)> {
    let mut line = serde_json::to_vec(record).expect("texts and numbers are JSON");
    if line.len() > MAX_LINE {
        return None;
    }
    let covered = line.len() - SEAL;
    let hex = Digest::of(&line[..covered]).hex();
    let at = covered + BEFORE.len();
    line[at..at + HEX].copy_from_slice(hex.as_bytes());
    let digest = Digest::of(&line);
    Some((line, digest))
}

/// Reads a line, without its newline.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn open(bytes: &[u8]) -> Result<Line<'_>, Fault> {
    if bytes.len() > MAX_LINE {
        return Err(Fault::TooLong);
    }
    // Looked at once, instead of text by text.
    let text = str::from_utf8(bytes).map_err(|_| Fault::NotJson)?;
    let Some(digest) = sealed(bytes) else {
        return Err(match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Fault::Digest,
            Err(_) => Fault::NotJson,
        });
    };
    match serde_json::from_str::<Record<'_>>(text) {
        Ok(record) if record.schema.as_str() == SCHEMA => Ok(Line { record, digest, bytes }),
        Ok(_) => Err(Fault::Version),
        Err(error) if error.is_data() => Err(version(bytes)),
        Err(_) => Err(Fault::NotJson),
    }
}

/// Says what is wrong with a line that is JSON and does not fit a record: that it
/// is of another version, where it says so.
fn version(bytes: &[u8]) -> Fault {
    #[derive(serde::Deserialize)]
    struct Version<'a> {
        #[serde(borrow)]
        schema: super::fields::Text<'a>,
    }
    match serde_json::from_slice::<Version<'_>>(bytes) {
        Ok(version) if version.schema.as_str() != SCHEMA => Fault::Version,
        _ => Fault::Form,
    }
}

/// Returns the digest of the line, if it ends in that of the bytes before.
fn sealed(bytes: &[u8]) -> Option<Digest> {
    let covered = bytes.len().checked_sub(SEAL)?;
    let (covered, seal) = bytes.split_at(covered);
    let hex = seal.strip_prefix(BEFORE.as_bytes())?.strip_suffix(AFTER.as_bytes())?;
    let named = digest_of_hex(hex)?;
    // The bytes are hashed once for both: the line is what is covered, and more.
    let mut state = Sha256::new_with_prefix(covered);
    let found = Digest::from_bytes(state.clone().finalize().into());
    state.update(seal);
    (found == named).then(|| Digest::from_bytes(state.finalize().into()))
}

/// Stands in a record for its digest until [`seal`] has computed that.
pub(super) const UNSEALED: DigestField = DigestField(Digest::from_bytes([0; 32]));
