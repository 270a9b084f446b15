//! Renderings of one report.
//!
//! Leaves what stands in it to `policy`.

mod address;
mod cyclonedx;
pub mod format;
pub mod github;
mod gitlab;
mod html;
mod human;
pub mod json;
pub mod jsonl;
mod junit;
pub mod markdown;
mod notice;
pub mod output;
mod place;
pub mod reported;
pub mod rules;
mod sarif;
pub mod summary;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod timings;

pub use format::{Format, ModelHistory, Roots, Style, UnknownFormat, Verbosity, write};
pub use output::{Output, OutputError, replace};
pub use summary::Summary;
