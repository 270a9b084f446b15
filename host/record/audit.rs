//! The audit log: what was decided and what was pinned, when, on what and by whom,
//! as lines of JSON that each name the digest of the line before.
//!
//! Owns the form of a record ([`Record`]), appending ([`append()`]) and reading
//! ([`read()`]). Leaves what a chain proves to whoever keeps its head: a log that was
//! written anew from its first record on is told by a [`checkpoint`] alone.

pub mod append;
pub mod chain;
pub mod checkpoint;
pub mod decision;
pub mod fields;
pub mod line;
pub mod pins;
pub mod read;
pub mod record;
pub mod segments;
pub mod select;

pub use append::{AppendError, CiOrigin, Origin, Stamp, append, check};
pub use chain::{Broken, Head, Note, Walked};
pub use line::Line;
pub use read::{is_there, read, walk};
pub use record::{Entry, Kind, Record, json_schema};

/// The name of the log, where none is given.
pub const NAME: &str = "modelhost-audit.jsonl";

#[cfg(test)]
mod tests;
