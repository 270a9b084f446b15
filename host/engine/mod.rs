//! Everything that knows wasmtime: bytes of a component become [`Compiled`],
//! and a task of it becomes an outcome.
//!
//! Leaves which plugins run on which models to `runner`, and what they may
//! reach to `policy`.
//!
//! # Invariants
//! - Bytes are validated under the restricted feature set before they are
//!   compiled.
//! - A component is linked against the contract's interfaces that it was
//!   granted, and nothing else; there is no WASI.
//! - Each task has a store of its own, which is not used again.

pub mod abi;
pub mod cache;
pub mod call;
pub mod capability;
pub mod compile;
#[expect(clippy::module_inception, reason = "the engine itself, beside what is done with it")]
pub mod engine;
pub mod limits;
pub mod link;
pub mod state;

pub use cache::Cache;
pub use call::{Called, Task};
pub(crate) use call::{Cause, Ending, Ran, Returned, Run};
pub use compile::Compiled;
pub use engine::{Engine, EngineError};
pub use link::Linked;
pub use state::View;
