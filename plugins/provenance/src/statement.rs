//! What was signed: an in-toto statement that lists a model's files with their
//! digests (OpenSSF Model Signing 1.0, sections 5 and 6).
//!
//! This file holds what each form of it comes to. It leaves to others: the forms
//! (`signing`, with its `parts`; `old`), whether the signature over it holds (`verify`),
//! and whether the files are those (`inventory`).

mod old;
mod parts;
mod signing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use modelhost_check::Algorithm;
use serde::Deserialize;

pub use self::old::parse_old;
pub use self::signing::parse;
use crate::json;
use crate::path::{self, Paths};

/// The payload type of an in-toto statement.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The types of in-toto statements. Model signing has the first one alone.
pub const STATEMENT_TYPES: [&str; 2] =
    ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// What a statement of OpenSSF Model Signing 1.0 says.
pub const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";
/// What one of before 2025 says, whose subjects are the files.
pub const OLD_PREDICATE_TYPE: &str = "https://model_signing/Digests/v0.1";

/// The name of the only file of a model, as the reference tool writes it.
pub const ONLY_FILE: &str = ".";

/// What was signed.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// The algorithm of the digests of parts.
    pub algorithm: Algorithm,
    /// Whether the signer followed symbolic links.
    pub follows_links: bool,
    /// The paths that the signer left out.
    pub ignored: Paths,
    /// The signed files by path, in raw bytes.
    pub files: BTreeMap<Vec<u8>, Signed>,
}

/// What was signed of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Digests of the whole file, all of which have to be right.
    Whole(Vec<(Algorithm, Vec<u8>)>),
    /// The digests of its parts, from the front, without gaps.
    Parts(Vec<Part>),
}

/// One signed part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it starts.
    pub start: u64,
    /// Where it ends; there the next one starts.
    pub end: u64,
    /// The digest of what is between.
    pub digest: Vec<u8>,
}

/// Why a statement can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not what the specification asks for. The text is a clause about it.
    Malformed(String),
    /// It names a file by a path that is not a plain one within the model.
    UnsafePath(String),
    /// It names a file, or a part of one, twice.
    Duplicate(String),
}

/// Refuses a statement as malformed.
///
/// # Errors
/// Always.
pub fn malformed<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Malformed(text.into()))
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha256: String,
}

/// Reads which kind of statement a payload is, by its predicate's type.
///
/// # Errors
/// Says why it is none that can be read.
pub fn predicate_type(payload_type: &str, payload: &[u8]) -> Result<String, Refusal> {
    if payload_type != PAYLOAD_TYPE {
        return malformed(format!("it is signed as `{payload_type}`, not as `{PAYLOAD_TYPE}`"));
    }
    let head: Head = json::parse(payload).map_err(unreadable)?;
    Ok(head.predicate_type)
}

fn unreadable(error: serde_json::Error) -> Refusal {
    Refusal::Malformed(format!("it can't be read: {error}"))
}

fn check_kind(kind: &str) -> Result<(), Refusal> {
    match kind == STATEMENT_TYPES[0] {
        true => Ok(()),
        false => malformed(format!("it is a `{kind}`, not a `{}`", STATEMENT_TYPES[0])),
    }
}

/// Names the algorithm, and the length of its digests in bytes.
fn algorithm(name: &str) -> Result<(Algorithm, usize), Refusal> {
    match name {
        "sha256" => Ok((Algorithm::Sha256, 32)),
        "blake2b" => Ok((Algorithm::Blake2b512, 64)),
        "blake3" => Ok((Algorithm::Blake3, 32)),
        _ => malformed(format!("its digests are of `{name}`, none of sha256, blake2b and blake3")),
    }
}

/// Reads bytes from lower-case hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

/// Takes a name as a path in the model.
fn safe(name: &str) -> Result<Vec<u8>, Refusal> {
    match path::is_plain(name) || name == ONLY_FILE {
        true => Ok(name.as_bytes().to_owned()),
        false => Err(Refusal::UnsafePath(name.to_owned())),
    }
}

/// Adds a whole file.
fn whole_file(
    files: &mut BTreeMap<Vec<u8>, Signed>,
    name: String,
    digest: (Algorithm, Vec<u8>),
) -> Result<(), Refusal> {
    match files.insert(safe(&name)?, Signed::Whole(vec![digest])) {
        Some(_) => Err(Refusal::Duplicate(name)),
        None => Ok(()),
    }
}
