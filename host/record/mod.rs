//! What is written down about models: the lock file and its history, the audit log,
//! the baseline, the trusted registry, what other tools wrote, and how two states of
//! models differ.
//!
//! Leaves comparing lock file and registry with a model to the plugins `checksum` and
//! `registry`, and what the baseline covers to `policy`.

pub mod audit;
pub mod baseline;
pub mod compare;
pub mod disk;
pub mod export;
pub mod history;
pub mod import;
pub mod lock;
pub mod registry;
mod signing;
