//! The bundled check `license`: concludes under which license a model comes, from
//! the policy, the model card and the license files, and compares it with the
//! licenses that the operator allows. Owns the glue to the SDK; leaves the rest to
//! the modules below.

use modelhost_check::{Answer, Check, Failure, Model};

pub mod card;
pub mod claim;
pub mod conclude;
pub mod ids;
pub mod rules;
pub mod text;
pub mod words;

/// The settings.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The licenses that the operator allows; none: all are reported, none denied.
    #[serde(default)]
    allow: Vec<String>,
}

/// The check.
pub struct License;

impl Check for License {
    type Settings = Settings;

    fn check(model: &Model<'_>, settings: Settings) -> Result<Answer, Failure> {
        let allowed = conclude::allowed(&settings.allow)?;
        Ok(conclude::conclude(claim::Claims::of(model)?, &allowed).into())
    }
}

modelhost_check::export_check!(License);
