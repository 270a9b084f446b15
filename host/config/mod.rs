//! `modelhost.toml`: its shape, finding and reading it, and its mistakes.
//!
//! Leaves what follows from it to `policy` and `gate`.
