//! The process wall: compiling and running happen in child processes, each of
//! which serves one plugin and can do nothing but compute and read what it is
//! handed.
//!
//! Leaves which plugins run on which models to `runner`, and what runs inside of
//! a worker to `engine`.
//!
//! # Invariants
//! - A worker is locked in before it reads a byte of a plugin.
//! - The parent takes a worker's answers for hostile: bounded, of one form, and
//!   checked as a guest's are.

mod channel;
pub mod child;
pub mod isolation;
pub mod parent;
pub mod process;
mod protocol;
mod sealed;
mod translate;
mod trust;
mod wall;

pub use isolation::Isolation;
pub use parent::{Plugin, Slot, SlotTask, Workers};
pub use process::Program;
pub use wall::{LANDLOCK_USED, landlock_here};

/// Reads `body` as the gate and as a worker would read the body of a frame, and
/// returns whether either takes it. For fuzzing alone.
#[doc(hidden)]
pub fn take_frame(body: &[u8]) -> bool {
    protocol::decode::<protocol::ToWorker>(body).is_ok() || trust::take_frame(body)
}
