//! Write a check for modelhost: a plugin that
//! looks at a machine-learning model and says what it found.
//!
//! A check is a type that implements [`Check`]. It is lent a [`Model`], looks at its
//! [`File`]s, and answers with [`Observations`]: findings of its [`Rule`]s, and facts. It
//! can't open a path, reach a network or read a clock, and it can't say "pass": it
//! reports, and the host judges by the operator's policy.
//!
//! ```
//! use modelhost_check::{Answer, Check, Failure, Location, Model, Observations, Rule, Severity};
//!
//! const PROGRAM: Rule = Rule::new("program", Severity::High);
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     #[serde(default)]
//!     allow: Vec<String>,
//! }
//!
//! struct Programs;
//!
//! impl Check for Programs {
//!     type Settings = Settings;
//!
//!     fn check(model: &Model<'_>, settings: Settings) -> Result<Answer, Failure> {
//!         let mut seen = Observations::new();
//!         for file in model.files() {
//!             let start = file.read(0, 4).map_err(|error| error.in_file(&file))?;
//!             if start == b"\x7fELF" && !settings.allow.contains(&file.path()) {
//!                 let finding = PROGRAM.finding(Location::file(&file), "the file is a program");
//!                 seen.push(finding.help("take it out of the model"));
//!             }
//!         }
//!         Ok(seen.into())
//!     }
//! }
//!
//! modelhost_check::export_check!(Programs);
//!
//! // A test of it: natively, on a model in memory.
//! use modelhost_check::testing::{self, json};
//!
//! let model = testing::Model::new("bert")
//!     .file("bin/convert", b"\x7fELF\x02\x01\x01")
//!     .file("weights.bin", [0; 64]);
//!
//! let answer = testing::check::<Programs>(&model, json!({})).unwrap();
//! assert_eq!(answer.findings().len(), 1);
//! assert_eq!(answer.findings()[0].location.file.as_deref(), Some("bin/convert"));
//! assert_eq!(testing::bytes_read(&model, "weights.bin"), 4);
//!
//! let answer = testing::check::<Programs>(&model, json!({ "allow": ["bin/convert"] })).unwrap();
//! assert!(answer.findings().is_empty());
//!
//! let model = model.unreadable("weights.bin");
//! let failure = testing::check::<Programs>(&model, json!({})).unwrap_err();
//! assert!(matches!(failure, Failure::Unreadable(_)));
//! ```
//!
//! # From a crate to a plugin
//!
//! The crate is a `cdylib` for the target `wasm32-unknown-unknown`, and an `rlib` so that
//! its tests can use it. Beside its `Cargo.toml` stands `plugin.toml`, which says what the
//! plugin is called, which files it wants to see and what its rules mean. `modelhost plugin
//! pack` makes a component of the two. What the check does not use is not in
//! the component, so that it asks for no more than it needs: only one that calls
//! [`Model::document`] imports `documents`.
//!
//! # What goes where
//!
//! - What is wrong with a model is a finding. That it could not be looked at is
//!   a [`Failure`]: it never lets the model through.
//! - That a file could not be read is a [`ReadError`], and a failure in the end. That it
//!   ends too early is a finding. Behind [`std::io`], [`ReadError::from_io`] tells them
//!   apart.
//! - All lengths and offsets in a file are the adversary's: bound them before reading.
//! - The answer depends on what the host shows, and nothing else: same inputs, same answer.

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;
#[cfg(target_family = "wasm")]
use guest as backend;

#[cfg(not(target_family = "wasm"))]
pub mod testing;
#[cfg(not(target_family = "wasm"))]
use testing::double as backend;

mod answer;
mod check;
mod file;
mod finding;
pub mod gguf;
mod model;
mod path;
mod reader;
mod registry;

pub use answer::{Answer, Fact, Failure, MAX_FACTS, MAX_FINDINGS, Observations};
pub use check::Check;
pub use file::{Algorithm, Document, File, MAX_READ, ReadError};
pub use finding::{Confidence, Finding, Location, MAX_MEMBER, MAX_NAME, MAX_TEXT, Rule, Severity};
pub use model::{
    Base, Datetime, Definition, Level, LockEntry, LockedBase, LockedFile, LockedParts, Model,
};
pub use path::raw_path;
pub use reader::Reader;
pub use registry::{RegisteredFile, Registry, RegistryEntry, Standing};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
