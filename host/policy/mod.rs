//! How outcomes become verdicts and a decision: what the operator wants, and
//! pure functions over it.
//!
//! Leaves reading `modelhost.toml` to `config`.

pub mod decide;
#[expect(clippy::module_inception, reason = "the policy itself, beside what is done with it")]
pub mod policy;

pub use policy::{LimitsSet, Mode, NotJudged, PluginPolicy, Policy};
