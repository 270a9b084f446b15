//! What a lock entry notes beside the digests that every file has: a second
//! digest, digests of parts, what upstream claimed, the digest over the tensors.
//!
//! Each is kept for a file that is as it was, and made anew only where it is
//! asked for or the file is another: every note costs a further reading.

use std::sync::Arc;

use super::Also;
use crate::domain::digest::{Blake3, TreeDigest};
use crate::domain::model::{LockEntry, LockedFile};
use crate::domain::parts::Parts;
use crate::domain::tensor::TensorDigest;
use crate::model::{FileHandle, Model, second, spread, tensors};

/// Completes `files`, which are those of `model` in its order.
///
/// # Errors
/// Names the file whose bytes could not be had.
pub(super) fn files(
    model: &Model,
    before: Option<&LockEntry>,
    also: Also,
    jobs: usize,
    files: &mut [LockedFile],
) -> Result<(), String> {
    let had =
        |has: fn(&LockedFile) -> bool| before.is_some_and(|entry| entry.files.iter().any(has));
    let blake3 = also.blake3 || had(|file| file.blake3.is_some());
    let parts = also.parts || had(|file| file.parts.is_some());
    for file in files.iter_mut() {
        let same = before
            .and_then(|entry| entry.file(&file.path))
            .filter(|old| (old.size, old.digest) == (file.size, file.digest));
        if let Some(old) = same {
            file.blake3 = old.blake3;
            file.upstream = old.upstream;
            file.parts.clone_from(&old.parts);
        }
    }
    let pairs: Vec<(&LockedFile, &Arc<FileHandle>)> = files.iter().zip(&model.files).collect();
    let made = spread::each(
        &pairs,
        jobs,
        |(file, _)| file.size,
        |(file, handle)| {
            second::digests(handle, blake3 && file.blake3.is_none(), parts && file.parts.is_none())
                .map_err(|error| format!("{}: {error}", file.path))
        },
    );
    let made: Vec<(Option<Blake3>, Option<Parts>)> = made.into_iter().collect::<Result<_, _>>()?;
    for (file, (blake3, parts)) in files.iter_mut().zip(made) {
        file.blake3 = file.blake3.or(blake3);
        file.parts = file.parts.take().or(parts);
    }
    Ok(())
}

/// Returns the digest over the tensors of `model`, whose files have the digest
/// `tree`; none where nobody asked for one, now or before.
///
/// # Errors
/// Says why there is none though it was asked for.
pub(super) fn tensors(
    model: &Model,
    before: Option<&LockEntry>,
    tree: TreeDigest,
    also: Also,
    jobs: usize,
) -> Result<Option<String>, String> {
    let had = before.and_then(|entry| Some((entry.notes.tensors.clone()?, entry.tree)));
    match had {
        None if !also.tensors => return Ok(None),
        Some((tensors, at)) if at == tree && !also.tensors => return Ok(Some(tensors)),
        _ => {}
    }
    let mut found = Vec::new();
    for file in &model.files {
        let tensors = tensors::find(file).map_err(|error| format!("{}: {error}", file.path()))?;
        found.extend(tensors);
    }
    if found.is_empty() {
        return Err("it has no file of safetensors or GGUF".to_owned());
    }
    let tensors = tensors::digests(&found, jobs).map_err(|error| error.to_string())?;
    Ok(Some(TensorDigest::of(&tensors).to_string()))
}
