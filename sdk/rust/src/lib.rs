//! Write a check for modelhost.

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;
#[cfg(target_family = "wasm")]
use guest as backend;

#[cfg(not(target_family = "wasm"))]
pub mod testing;
#[cfg(not(target_family = "wasm"))]
use testing::double as backend;

mod check;
mod finding;
mod model;
mod reader;

pub use check::Check;
pub use finding::{
    Answer, Confidence, Fact, Failure, Finding, Location, MAX_FACTS, MAX_FINDINGS, MAX_MEMBER,
    MAX_NAME, MAX_TEXT, Observations, Rule, Severity,
};
pub use model::{
    Algorithm, Datetime, Definition, Document, File, Level, LockEntry, LockedFile, MAX_READ, Model,
    ReadError,
};
pub use reader::Reader;
