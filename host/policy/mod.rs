//! How outcomes become verdicts and a decision: what the operator wants, and
//! pure functions over it.
//!
//! Leaves reading `modelhost.toml` to `config`.

pub mod believe;
pub mod decide;
mod exceptions;
mod gate;
mod judge;
mod judgement;
#[expect(clippy::module_inception, reason = "the policy itself, beside what is done with it")]
pub mod policy;
#[cfg(test)]
mod testing;
mod way_out;

pub use decide::decide;
pub use exceptions::is_coverable;
pub use policy::{Mode, NotJudged, PluginPolicy, Policy};
