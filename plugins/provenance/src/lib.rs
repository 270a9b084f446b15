//! `provenance`: is the model signed, by whom the policy trusts, and is it what was
//! signed? Signatures are those of OpenSSF Model Signing 1.0, made with a key, a
//! certificate or keyless, and attestations of in-toto such as SLSA provenance.
//!
//! This file holds the settings; it leaves the rest to [`check`] and the modules it
//! goes through.

pub mod any_key;
pub mod attestation;
pub mod bundle;
pub mod certificate;
pub mod chain;
pub mod check;
pub mod checkpoint;
pub mod der;
pub mod dsse;
pub mod entry;
pub mod extensions;
#[cfg(test)]
mod forge;
pub mod inventory;
pub mod json;
pub mod key;
pub mod keyless;
pub mod material;
pub mod merkle;
pub mod path;
pub mod pem;
pub mod policy;
pub mod report;
pub mod sct;
pub mod shapes;
pub mod slsa;
pub mod statement;
pub mod time;
pub mod timestamp;
pub mod trust_root;
pub mod verify;

use modelhost_check::{Answer, Check, Failure, Model, export_check};
use serde::Deserialize;

/// Stands for the check.
pub struct Provenance;

export_check!(Provenance);

/// What the policy says; `plugin.toml` describes each setting.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    signature: Option<String>,
    key: Option<String>,
    certificates: Option<String>,
    trusted_root: Option<String>,
    identity: Option<String>,
    identity_provider: Option<String>,
    unlogged: bool,
    predicates: Vec<String>,
    slsa: Option<slsa::Expected>,
    ignore_paths: Vec<String>,
    ignore_git_paths: Option<bool>,
    ignore_unsigned_files: bool,
    allow_symlinks: bool,
}

impl Check for Provenance {
    type Settings = Settings;

    fn check(model: &Model<'_>, settings: Settings) -> Result<Answer, Failure> {
        check::check(model, &settings)
    }
}
