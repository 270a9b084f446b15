//! Attestations: what the gate said of a model, in a form that others can hold the
//! model against later and elsewhere.
//!
//! A run says two things of each model, each in an in-toto statement of its own:
//! a SLSA verification summary (VSA) and a simple verification result (SVR). The
//! unsigned statements repeat byte for byte; signed, each is a DSSE envelope in a
//! Sigstore bundle. Several stand in one file as JSON Lines, a model's summary
//! before its result.
//!
//! Leaves what a run found to `report`, keys in files and the environment to `cli`,
//! and reading a model's files to `model`.
//!
//! # Invariants
//! - Of a payload nothing is read before its signature was verified.
//! - A signature is made over bytes that were made here; nothing signs bytes that
//!   came from elsewhere.

pub mod envelope;
pub mod key;
mod predicate;
pub mod sign;
pub mod statement;
#[cfg(test)]
mod testing;
pub mod verify;

pub use key::{PublicKey, PublicKeyError};
pub use sign::{KeyError, SigningKey};
pub use statement::{AttestError, Kind, Request, Statement, Uri, statements};
pub use verify::{Difference, Expected, Refusal, Verified, verify};

/// Returns `statements` as the lines of a file: signed with `key` in a bundle each,
/// or without a key as they are.
pub fn lines(statements: &[Statement], key: Option<&SigningKey>) -> Vec<u8> {
    let mut out = Vec::new();
    for statement in statements {
        match key {
            None => out.extend_from_slice(&statement.bytes),
            Some(key) => envelope::seal(&statement.bytes, key, &mut out),
        }
        out.push(b'\n');
    }
    out
}
