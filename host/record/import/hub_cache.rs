//! A model's folder in the cache of the Hugging Face Hub's client:
//! `models--ORG--NAME/{refs,snapshots,blobs}`.
//!
//! A snapshot's files are links to blobs, each named by what the Hub claims of
//! it: its SHA-256 where git-lfs keeps it, else its git blob id. Source:
//! huggingface_hub 2.4, `docs/source/en/guides/manage-cache.md`. Leaves whether
//! the blobs are what they are named to `check`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::claims::{Algorithm, ClaimedDigest, Claims};
use super::folder::{Folder, Kind};
use super::{ImportError, Request, join};

/// The most bytes of a ref: a commit's id and white space.
const MAX_REF: u64 = 256;

/// The most refs that are looked at.
const MAX_REFS: usize = 10_000;

pub(super) fn is(folder: &Folder<'_>, within: &Path) -> bool {
    let is_whole = within.as_os_str().is_empty() || within.starts_with("snapshots");
    is_whole
        && folder.has_folder(Path::new("snapshots"))
        && (folder.has_folder(Path::new("refs")) || folder.has_folder(Path::new("blobs")))
}

pub(super) fn read(folder: &Folder<'_>, request: &Request<'_>) -> Result<Claims, ImportError> {
    let refs = refs(folder)?;
    let revision = snapshot(folder, request.within, &refs)?;
    let base = Path::new("snapshots").join(&revision);
    let mut claims = Claims {
        source: request.folder.and_then(source),
        requested: refs
            .iter()
            .find(|(_, commit)| *commit == revision)
            .map(|(name, _)| name.clone()),
        revision: Some(revision),
        base: base.clone(),
        model: base.clone(),
        ..Claims::default()
    };
    let mut copies = 0usize;
    for (path, kind) in folder.walk(&base, &|_| false)? {
        let name = path.strip_prefix(&base).unwrap_or(&path);
        match kind {
            Kind::Link => {
                let digest = digest(folder, &path)?;
                claims.add(name.as_os_str().as_bytes(), None, vec![digest], &path)?;
            }
            Kind::File => copies += 1,
            _ => return Err(ImportError::malformed(&path, "it is neither a link nor a file")),
        }
    }
    if copies > 0 {
        claims.notes.push(format!(
            "{copies} files of the snapshot are no links to `blobs`, so nothing is claimed of them"
        ));
    }
    claims.sort(&base)?;
    Ok(claims)
}

/// Returns what is claimed of the file that the link at `path` leads to.
fn digest(folder: &Folder<'_>, path: &Path) -> Result<ClaimedDigest, ImportError> {
    let target = folder.link(path)?;
    let parent = path.parent().unwrap_or(Path::new(""));
    let blob = join(parent, &target).filter(|blob| blob.parent() == Some(Path::new("blobs")));
    let Some(blob) = blob else {
        let message =
            format!("this link leads to {}, and not to a file in `blobs`", target.display());
        return Err(ImportError::malformed(path, message));
    };
    let name = blob.file_name().unwrap_or_default().to_string_lossy();
    claimed(&name).ok_or_else(|| {
        let message =
            format!("`{name}` names no digest: 64 hex digits for git-lfs, 40 for a git blob");
        ImportError::malformed(path, message)
            .with_help("fetch the model again: a download may not have come to its end")
    })
}

/// Returns what the Hub claims of a file by the name of its blob, its ETag.
pub(super) fn claimed(etag: &str) -> Option<ClaimedDigest> {
    let algorithm = match etag.len() {
        64 => Algorithm::Sha256,
        40 => Algorithm::GitBlob,
        _ => return None,
    };
    Some(ClaimedDigest { algorithm, range: None, value: algorithm.parse(etag)? })
}

/// Whether `text` is the id of a git commit.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns the names of refs, each with the commit it stood at; `main` first.
fn refs(folder: &Folder<'_>) -> Result<Vec<(String, String)>, ImportError> {
    let top = Path::new("refs");
    let mut refs = Vec::new();
    if !folder.has_folder(top) {
        return Ok(refs);
    }
    for (path, kind) in folder.walk(top, &|_| false)?.into_iter().take(MAX_REFS) {
        if kind == Kind::File {
            let commit = folder.text(&path, MAX_REF)?.trim().to_owned();
            let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().into_owned();
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
            if name.bytes().all(is_plain) {
                refs.push((name, commit));
            }
        }
    }
    refs.sort_by_key(|(name, _)| name != "main");
    Ok(refs)
}

/// Returns the revision of the snapshot that is meant: the one that is named, or
/// else the only one.
fn snapshot(
    folder: &Folder<'_>,
    within: &Path,
    refs: &[(String, String)],
) -> Result<String, ImportError> {
    let top = Path::new("snapshots");
    let named = within.strip_prefix(top).ok().and_then(|rest| rest.components().next());
    let name = match named {
        Some(name) => name.as_os_str().to_string_lossy().into_owned(),
        None => {
            let all = folder.list(top)?;
            let names: Vec<String> =
                all.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
            match &names[..] {
                [name] => name.clone(),
                [] => return Err(ImportError::malformed(top, "there is no snapshot in it")),
                several => {
                    let show = |name: &String| {
                        let called = refs.iter().find(|(_, commit)| commit == name);
                        let called = called.map(|(called, _)| format!(" ({called})"));
                        format!("snapshots/{name}{}", called.unwrap_or_default())
                    };
                    let choices: Vec<String> = several.iter().take(5).map(show).collect();
                    let choices = choices.join(", ");
                    return Err(ImportError::Ambiguous { what: "snapshots", choices });
                }
            }
        }
    };
    if !is_commit(&name) {
        let path: PathBuf = top.join(&name);
        return Err(ImportError::malformed(
            &path,
            "a snapshot is named by a commit: 40 hex digits",
        ));
    }
    Ok(name)
}

/// Returns the source that the folder's name tells: `models--ORG--NAME`.
fn source(folder: &str) -> Option<String> {
    let id = folder.strip_prefix("models--")?.replace("--", "/");
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let parts = id.split('/').count();
    (parts <= 2 && id.split('/').all(is_plain)).then(|| format!("hf:{id}"))
}
