//! `provenance`: is the model signed, by whom the policy trusts, and is it what was
//! signed? Signatures are those of OpenSSF Model Signing 1.0, made with a key or
//! a certificate.
//!
//! This file holds the settings; it leaves the rest to [`check`] and the modules it
//! goes through.

pub mod bundle;
pub mod certificate;
pub mod chain;
pub mod check;
pub mod der;
pub mod inventory;
pub mod json;
pub mod key;
pub mod path;
pub mod pem;
pub mod report;
pub mod statement;
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
    identity: Option<String>,
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
