//! Which tasks a run has ([`plan()`]), and running them ([`execute()`]).
//!
//! Leaves what one task is to `engine`, and what follows to `policy`.

mod answers;
pub mod execute;
pub mod plan;

pub use execute::{Ended, ExecuteError, Executed, Made, Work, execute};
pub use plan::{Candidate, Plan, PlannedTask, plan};
