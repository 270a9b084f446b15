//! What a plugin says of itself, in its two forms: `plugin.toml`, which its
//! author writes ([`from_toml`]), and the custom section of its component
//! ([`to_section`], [`from_section`]), which is read without running it.
//!
//! Leaves the schema of its settings to `settings`, and finding the section to
//! `component`.
//!
//! # Invariants
//! Both forms pass the same checks (`check`), and every text in a [`Manifest`]
//! is inert: whoever wrote it, it can't act on a terminal.

mod author;
mod check;
mod section;
mod shape;

pub use author::from_toml;
pub use check::{MAX_HELP, MAX_RULES};
pub use section::{MAX_SECTION, SectionError, from_section, to_section};

#[cfg(doc)]
use crate::domain::plugin::Manifest;
