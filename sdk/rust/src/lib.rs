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

mod answer;
mod check;
mod file;
mod finding;
mod model;
mod reader;

pub use answer::{Answer, Fact, Failure, MAX_FACTS, MAX_FINDINGS, Observations};
pub use check::Check;
pub use file::{Algorithm, Document, File, MAX_READ, ReadError};
pub use finding::{Confidence, Finding, Location, MAX_MEMBER, MAX_NAME, MAX_TEXT, Rule, Severity};
pub use model::{Datetime, Definition, Level, LockEntry, LockedFile, Model};
pub use reader::Reader;
