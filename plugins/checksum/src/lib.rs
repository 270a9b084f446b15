//! `checksum`: every file of a model against its lock entry, against the checksum
//! lists that came with the model, and shards against their index. This file asks the
//! host for what there is, and hands it on.
//!
//! It leaves to others: the lists ([`sums`]), indexes ([`shards`]), names ([`names`]),
//! the comparison ([`compare`]), where a file differs ([`narrow`]), the words
//! ([`report`]).

pub mod compare;
pub mod judge;
pub mod names;
pub mod narrow;
pub mod report;
pub mod shards;
pub mod sums;

use std::collections::BTreeSet;

use compare::{Entry, MAX_POINTER};
use judge::Looks;
use modelhost_check::{Algorithm, Answer, Check, Failure, File, LockedParts, Model, export_check};
use shards::{Inconsistency, MAX_HEADER, MAX_INDEX, Shard};
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
        view.inconsistencies = inconsistencies(model, &view.files)?;
        Ok(view.judge(model.lock(), model.definition(), &Of(model))?.into())
    }
}

/// Looks at the files of a model.
struct Of<'m>(&'m Model<'m>);

impl Looks for Of<'_> {
    fn is_pointer(&self, path: &str, size: u64) -> bool {
        let file = self.0.file(path).filter(|_| size <= MAX_POINTER);
        file.and_then(|file| file.read_all(MAX_POINTER).ok())
            .is_some_and(|content| compare::is_pointer(&content))
    }

    fn narrow(&self, path: &str, parts: &LockedParts) -> Result<Option<narrow::Where>, Failure> {
        let Some(file) = self.0.file(path) else { return Ok(None) };
        narrow::narrow(&file, parts).map_err(|error| error.in_file(&file))
    }
}

fn sha256(file: &File) -> Result<compare::Digest, Failure> {
    let digest = file.digest(Algorithm::Sha256);
    let digest = digest.map_err(|error| error.in_file(file))?;
    let odd = |_| Failure::Internal("the host's SHA-256 digest has not 32 bytes".into());
    digest.try_into().map_err(odd)
}

/// Compares the shards of `model` with the indexes that are there.
fn inconsistencies(
    model: &Model<'_>,
    files: &[Entry],
) -> Result<Vec<(String, Inconsistency)>, Failure> {
    let mut found = Vec::new();
    for entry in files.iter().filter(|file| shards::is_index(&file.path)) {
        let Some(file) = model.file(&entry.path) else { continue };
        let content = (entry.size <= MAX_INDEX).then(|| file.read_all(MAX_INDEX)).transpose();
        let content = content.map_err(|error| error.in_file(&file))?;
        let Some(index) = content.as_deref().and_then(shards::parse) else {
            found.push((entry.path.clone(), Inconsistency::Unreadable));
            continue;
        };
        let folder = entry.path.rfind('/').map_or("", |end| &entry.path[..=end]);
        let names: BTreeSet<String> = files
            .iter()
            .filter_map(|file| file.path.strip_prefix(folder))
            .map(str::to_owned)
            .collect();
        let differ =
            shards::compare(&index, &names, |name| shard(model, &format!("{folder}{name}")))?;
        found.extend(differ.into_iter().map(|it| (entry.path.clone(), it)));
    }
    Ok(found)
}

/// Reads what the shard at `path` holds; none for what is no safetensors file.
fn shard(model: &Model<'_>, path: &str) -> Result<Option<Shard>, Failure> {
    let Some(file) = model.file(path).filter(|_| path.ends_with(".safetensors")) else {
        return Ok(None);
    };
    let start = file.read(0, 8).map_err(|error| error.in_file(&file))?;
    let Ok(length) = start.try_into().map(u64::from_le_bytes) else { return Ok(None) };
    if length > MAX_HEADER || length > file.size().saturating_sub(8) {
        return Ok(None);
    }
    let length = usize::try_from(length).unwrap_or(0);
    let header = file.read_exact_at(8, length).map_err(|error| error.in_file(&file))?;
    Ok(shards::header(&header))
}
