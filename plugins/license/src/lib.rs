//! The bundled check `license`: concludes under which license a model comes, from
//! what the policy, the card, metadata, license files and bases say, and judges it
//! by the operator's lists. Owns the glue to the SDK; leaves the rest to the modules
//! below.

use modelhost_check::{Answer, Check, Datetime, Failure, Model};

pub mod allow;
pub mod beside;
pub mod bill_xml;
pub mod card;
pub mod claim;
pub mod collect;
pub mod conclude;
pub mod facts;
pub mod fingerprint;
pub mod gguf;
pub mod ids;
pub mod json;
pub mod judge;
pub mod license_files;
pub mod lineage;
pub mod links;
#[cfg(not(target_family = "wasm"))]
pub mod make;
pub mod pattern;
pub mod pins;
pub mod places;
pub mod policy;
pub mod rules;
pub mod tensors;
pub mod text;
pub mod words;
pub mod yaml;

/// The check.
pub struct License;

impl Check for License {
    type Settings = policy::Settings;

    fn check(model: &Model<'_>, settings: policy::Settings) -> Result<Answer, Failure> {
        let policy = policy::Policy::of(settings)?;
        let claims = collect::Claims::of(model, &policy)?;
        // What no exception hangs on is the same on every day.
        let dated = !policy.exceptions.is_empty();
        let now = if dated { model.now() } else { Datetime { seconds: 0, nanoseconds: 0 } };
        Ok(conclude::conclude(claims, &policy, &model.name(), now).into())
    }
}

modelhost_check::export_check!(License);
