//! The bundled check `code`: what makes a model repository run code, by way of its
//! configuration, its templates, or files that have no business beside weights.
//! Owns the glue to the SDK; leaves the rest to the modules below.

use modelhost_check::{Answer, Check, Failure, Model};

pub mod config;
pub mod files;
pub mod gguf;
pub mod jinja;
pub mod json;
pub mod lines;
pub mod rules;
pub mod survey;
pub mod target;
pub mod template;

/// The check.
pub struct Code;

impl Check for Code {
    type Settings = ();

    fn check(model: &Model<'_>, (): ()) -> Result<Answer, Failure> {
        survey::survey(model).map(Answer::from)
    }
}

modelhost_check::export_check!(Code);
