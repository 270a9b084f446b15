//! Renderings of one report.
//!
//! Leaves what stands in it to `policy`.

pub mod format;
mod human;
pub mod json;
pub mod output;
pub mod summary;
#[cfg(test)]
mod testing;
pub mod timings;

pub use format::{Format, Style, UnknownFormat, Verbosity, write};
pub use output::{Output, OutputError, replace};
pub use summary::Summary;
