//! What is written down about models: the lock file and its history, the audit log,
//! and what other tools wrote.
//!
//! Leaves comparing it with a model to the `checksum` plugin.

pub mod audit;
pub mod export;
pub mod history;
pub mod import;
pub mod lock;
