//! The contract's lines, and which one a component speaks.
//!
//! Leaves each line's types to its own file.

pub(crate) mod border;
pub(crate) mod raw;
pub mod v0_1;

/// A run of semver-compatible versions of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// `modelhost:check@0.1`.
    V0_1,
}

impl Line {
    /// Returns the line's name, as the folder in `wit/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0_1 => "v0.1",
        }
    }
}
