//! A folder that the Hugging Face Hub's client downloaded into
//! (`hf download --local-dir`): it keeps `.cache/huggingface/download/PATH.metadata`
//! for each file, with the commit and the file's ETag.
//!
//! Source: huggingface_hub 2.4, `_local_folder.py`. Leaves whether the files are
//! those to `check`.

use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::claims::Claims;
use super::folder::{Folder, Kind};
use super::hub_cache::{claimed, is_commit};
use super::{ImportError, Request};

/// Where the client keeps its own files.
const OWN: &str = ".cache/huggingface";

/// The most bytes of one file's metadata: three short lines.
const MAX_METADATA: u64 = 4096;

pub(super) fn is(folder: &Folder<'_>, within: &Path) -> bool {
    within.as_os_str().is_empty() && folder.has_folder(&Path::new(OWN).join("download"))
}

pub(super) fn read(folder: &Folder<'_>, _: &Request<'_>) -> Result<Claims, ImportError> {
    let top = Path::new(OWN).join("download");
    let mut claims = Claims::default();
    for name in [".gitignore", "CACHEDIR.TAG"] {
        claims.add_beside(&Path::new(OWN).join(name));
    }
    for (path, kind) in folder.walk(&top, &|_| false)? {
        let name = path.strip_prefix(&top).unwrap_or(&path).as_os_str().as_bytes();
        if kind == Kind::File
            && let Some(file) = name.strip_suffix(b".metadata")
        {
            let (commit, etag) = metadata(&folder.text(&path, MAX_METADATA)?)
                .ok_or_else(|| malformed(&path, "it has no commit and ETag on its first lines"))?;
            let digest = claimed(&etag).ok_or_else(|| {
                malformed(&path, "its ETag is no digest: 64 hex digits, or 40 for a git blob")
            })?;
            match &claims.revision {
                Some(revision) if *revision != commit => {
                    let message = format!("it is of the commit {commit}, others of {revision}");
                    return Err(malformed(&path, &message));
                }
                _ => claims.revision = Some(commit),
            }
            claims.add(file, None, vec![digest], &path)?;
            claims.add_beside(&path);
            claims.add_beside(&lock_of(&top, file));
        } else if name.ends_with(b".incomplete") {
            return Err(malformed(&path, "a download has not come to its end"));
        }
    }
    claims.sort(&top)?;
    Ok(claims)
}

/// Returns where the client locks the metadata of `file`.
fn lock_of(top: &Path, file: &[u8]) -> PathBuf {
    let name = [file, b".lock"].concat();
    top.join(std::ffi::OsString::from_vec(name))
}

fn malformed(path: &Path, message: &str) -> ImportError {
    ImportError::malformed(path, message)
        .with_help("run `hf download` again: it fetches what is not of the revision asked for")
}

/// Reads the commit and the ETag.
fn metadata(text: &str) -> Option<(String, String)> {
    let mut lines = text.lines().map(str::trim);
    let (commit, etag) = (lines.next()?, lines.next()?);
    is_commit(commit).then(|| (commit.to_owned(), etag.to_owned()))
}
