//! The host's side of each capability: one interface of the contract a file.
//!
//! Leaves which of them a plugin gets to `link`.
//!
//! # Invariants
//! - Each function counts itself before it does anything, and does a bounded
//!   amount of work.
//! - Offsets and lengths are the guest's: arithmetic on them is checked.

mod clock;
mod definition;
mod digest;
mod documents;
mod files;
mod log;

use super::abi::v0_1::types;
use super::state::State;

/// Types alone: nothing to call.
impl types::Host for State {}
