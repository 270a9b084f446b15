//! What is written down about models: the lock file.
//!
//! Leaves comparing it with a model to the `checksum` plugin.

pub mod lock;
