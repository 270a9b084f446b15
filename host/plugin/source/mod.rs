//! Where the bytes of a plugin come from, one module a kind of source.

pub mod bundled;
pub mod file;
