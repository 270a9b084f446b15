//! From a reference in the policy to the bytes of a component one may run, and
//! from what a build made to such a component.
//!
//! Leaves running them to `engine`. Nothing here executes a byte of a plugin.

pub mod component;
mod contract;
pub mod description;
mod error;
pub mod globs;
pub mod manifest;
pub mod pack;
pub mod resolve;
pub mod settings;
mod sniff;
pub mod source;
#[cfg(test)]
mod testing;
mod validate;

pub use error::PluginError;
