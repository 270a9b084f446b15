//! Compares a model with what the trusted registry says of it.
//!
//! Which entry counts and what differs is found in [`compare`]; the words are
//! [`report`]'s. The digests of files come from the host, which has computed them.

pub mod compare;
pub mod report;

use modelhost_check::{Algorithm, Answer, Check, Failure, Model, export_check};

use crate::compare::{Found, Seen};

/// Is the check.
pub struct Registry;

impl Check for Registry {
    type Settings = ();

    fn check(model: &Model<'_>, (): ()) -> Result<Answer, Failure> {
        let Some(registry) = model.registry() else {
            return Ok(Answer::not_applicable("the policy names no trusted registry"));
        };
        let mut files = Vec::with_capacity(model.len() as usize);
        for file in model.files() {
            let digest = file.digest(Algorithm::Sha256).map_err(|error| error.in_file(&file))?;
            let digest = digest.try_into().map_err(|_| {
                Failure::Internal("the host gave a SHA-256 that has not 32 bytes".to_owned())
            })?;
            files.push(Seen { path: file.path(), size: file.size(), sha256: digest });
        }
        let found = Found::of(model, files);
        Ok(report::observations(&registry, &compare::judge(&registry, &found)).into())
    }
}

export_check!(Registry);
