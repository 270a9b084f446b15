//! `checksum`: every file of a model against its lock entry and against the
//! checksum lists that came with the model. This file asks the host for what
//! there is, and hands it on.
//!
//! It leaves to others: the lists ([`sums`]), the comparison ([`compare`]), the
//! words ([`report`]).

pub mod compare;
pub mod judge;
pub mod report;
pub mod sums;

use compare::{Entry, MAX_POINTER};
use modelhost_check::{Algorithm, Answer, Check, Failure, File, Model, export_check};
use sums::MAX_LIST;

/// Stands for the check.
pub struct Checksum;

export_check!(Checksum);

impl Check for Checksum {
    type Settings = ();

    fn check(model: &Model<'_>, (): ()) -> Result<Answer, Failure> {
        let mut view = judge::View::default();
        for file in model.files() {
            let entry = Entry { path: file.path(), size: file.size(), sha256: sha256(&file)? };
            if let Some(kind) = sums::kind(&entry.path) {
                let content = (entry.size <= MAX_LIST).then(|| file.read_all(MAX_LIST)).transpose();
                view.add_list(&entry, kind, content.map_err(|error| error.in_file(&file))?);
            }
            view.files.push(entry);
        }
        let is_pointer = |path: &str, size: u64| {
            let file = model.file(path).filter(|_| size <= MAX_POINTER);
            file.and_then(|file| file.read_all(MAX_POINTER).ok())
                .is_some_and(|content| compare::is_pointer(&content))
        };
        Ok(view.judge(model.lock(), model.definition(), &is_pointer).into())
    }
}

fn sha256(file: &File) -> Result<compare::Digest, Failure> {
    let digest = file.digest(Algorithm::Sha256);
    let digest = digest.map_err(|error| error.in_file(file))?;
    let odd = |_| Failure::Internal("the host's SHA-256 digest has not 32 bytes".into());
    digest.try_into().map_err(odd)
}
