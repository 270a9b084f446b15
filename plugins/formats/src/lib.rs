//! The bundled check `formats`: walks the structure of model files that carry
//! data and no code by design, and reports where it is broken or reaches outside.
//! Owns the glue to the SDK; leaves the formats to the modules below, and all
//! that carries pickle to the check `pickle`.
#![allow(unreachable_pub, missing_docs, reason = "a component exports its check, not its modules")]

use modelhost_check::{Answer, Check, Failure, Model};

pub mod archive;
pub mod companions;
pub mod cover;
pub mod found;
pub mod gguf;
pub mod hdf5;
pub mod hdf5_attribute;
pub mod hdf5_object;
pub mod judge;
pub mod keras;
pub mod literal;
pub mod media;
pub mod messages;
pub mod npy;
pub mod numbers;
pub mod object_graph;
pub mod onnx;
pub mod pickled;
pub mod pictures;
pub mod polyglot;
pub mod proto;
pub mod rds;
pub mod rules;
pub mod safetensors;
pub mod source;
pub mod stores;
pub mod table;
pub mod tensorflow;
pub mod text;
pub mod tflite;
pub mod zip;
pub mod zip_end;

/// The settings: there are none.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The check.
pub struct Formats;

impl Check for Formats {
    type Settings = Settings;

    fn check(model: &Model<'_>, _: Settings) -> Result<Answer, Failure> {
        match model.files().next() {
            Some(file) => judge::answer(&file),
            None => Ok(Answer::not_applicable("there is no file to look at")),
        }
    }
}

modelhost_check::export_check!(Formats);
