//! DVC: `.dvc` files and `dvc.lock`, which name files by MD5 and size.
//!
//! A folder is the MD5 of a list of its files, which DVC keeps in its cache, as
//! `.dvc/cache/files/md5/XX/YYY.dir`. MD5 does not stand up to an attacker, which
//! the notes say. Source: dvc 3, `dvc/output.py`; dvc-data, `hashfile/tree.py`.
//! Leaves whether the files are those to `check`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use md5::Digest as _;
use serde::Deserialize;

use super::claims::{Algorithm, ClaimedDigest, Claims};
use super::folder::{Folder, Kind};
use super::yaml::{self, Yaml};
use super::{ImportError, Request, join};

/// The most bytes of a `.dvc` file or `dvc.lock`.
const MAX_FILE: u64 = 8 << 20;

/// The most bytes of the list of a folder: a million files.
const MAX_LIST: u64 = 256 << 20;

/// One file in the list of a folder.
#[derive(Deserialize)]
struct Listed {
    md5: String,
    relpath: String,
}

fn is_dvc(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "dvc")
        || path.file_name().is_some_and(|name| name == "dvc.lock")
}

/// Folders that are none of a working tree's own.
fn skipped(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == ".git" || name == ".dvc")
}

pub(super) fn is(folder: &Folder<'_>, within: &Path) -> bool {
    if within.as_os_str().is_empty() {
        return !files(folder).unwrap_or_default().is_empty();
    }
    is_dvc(within) && folder.has_file(within)
}

/// Returns the files that DVC keeps in the working tree at `folder`.
fn files(folder: &Folder<'_>) -> Result<Vec<PathBuf>, ImportError> {
    let found = folder.walk(Path::new(""), &skipped)?.into_iter();
    let found = found.filter(|(path, kind)| *kind == Kind::File && is_dvc(path));
    Ok(found.map(|(path, _)| path).collect())
}

pub(super) fn read(folder: &Folder<'_>, request: &Request<'_>) -> Result<Claims, ImportError> {
    let files = match folder.has_file(request.within) {
        true => vec![request.within.to_owned()],
        false => files(folder)?,
    };
    let mut claims = Claims::default();
    let mut outs = Vec::new();
    for path in &files {
        claims.add_beside(path);
        // DVC has git leave its outputs out.
        claims.add_beside(&path.with_file_name(".gitignore"));
        let text = folder.text(path, MAX_FILE)?;
        let root = yaml::parse(&text).map_err(|(line, why)| ImportError::line(path, line, why))?;
        let Some(root) = root else { continue };
        let parent = path.parent().unwrap_or(Path::new(""));
        if path.file_name().is_some_and(|name| name == "dvc.lock") {
            let Some(Yaml::Map(stages)) = root.get("stages") else { continue };
            for out in stages.values().flat_map(|stage| stage.list("outs")) {
                outs.extend(self::out(folder, path, parent, out, &mut claims)?);
            }
        } else {
            let wdir = Path::new(root.text("wdir").unwrap_or("."));
            let below = join(parent, wdir)
                .ok_or_else(|| ImportError::malformed(path, "its `wdir` leads out"))?;
            for out in root.list("outs") {
                outs.extend(self::out(folder, path, &below, out, &mut claims)?);
            }
        }
    }
    if let [Out { path, is_folder: true }] = &outs[..] {
        claims.model.clone_from(path);
    }
    claims.sort(files.first().map_or(Path::new("."), PathBuf::as_path))?;
    Ok(claims)
}

/// An output, and whether it is a folder.
struct Out {
    path: PathBuf,
    is_folder: bool,
}

/// Adds the claims of one output of the file at `place`; none where DVC keeps no
/// digest of it.
fn out(
    folder: &Folder<'_>,
    place: &Path,
    below: &Path,
    out: &Yaml,
    claims: &mut Claims,
) -> Result<Option<Out>, ImportError> {
    let malformed = |why: String| ImportError::malformed(place, why);
    let named = out.text("path").ok_or_else(|| malformed("an output has no path".to_owned()))?;
    let path = join(below, Path::new(named))
        .ok_or_else(|| malformed(format!("the output `{named}` is outside of the folder")))?;
    let Some(md5) = out.text("md5") else {
        if out.text("cache") == Some("false") {
            return Ok(None);
        }
        return Err(malformed(format!("no MD5 is kept of the output `{named}`"))
            .with_help("run `dvc commit`, so that DVC notes it"));
    };
    if let Some(list) = md5.strip_suffix(".dir") {
        for Listed { md5, relpath } in listed(folder, place, named, list)? {
            let digest = digest(&md5)
                .ok_or_else(|| malformed(format!("the MD5 of `{relpath}` in `{named}` is none")))?;
            let mut full = path.as_os_str().as_bytes().to_vec();
            full.push(b'/');
            full.extend_from_slice(relpath.as_bytes());
            claims.add(&full, None, vec![digest], place)?;
        }
        return Ok(Some(Out { path, is_folder: true }));
    }
    let digest =
        digest(md5).ok_or_else(|| malformed(format!("the MD5 of the output `{named}` is none")))?;
    let size = match out.text("size") {
        Some(size) => Some(size.parse().map_err(|_| {
            malformed(format!("the size of the output `{named}` is no number: {size}"))
        })?),
        None => None,
    };
    claims.add(path.as_os_str().as_bytes(), size, vec![digest], place)?;
    Ok(Some(Out { path, is_folder: false }))
}

fn digest(hex: &str) -> Option<ClaimedDigest> {
    let algorithm = Algorithm::Md5;
    Some(ClaimedDigest { algorithm, range: None, value: algorithm.parse(hex)? })
}

/// Reads the list of the folder `named`, whose MD5 is `hex`, from DVC's cache.
fn listed(
    folder: &Folder<'_>,
    place: &Path,
    named: &str,
    hex: &str,
) -> Result<Vec<Listed>, ImportError> {
    let malformed = |why: String| ImportError::malformed(place, why);
    let value = Algorithm::Md5
        .parse(hex)
        .ok_or_else(|| malformed(format!("the MD5 of the output `{named}` is none")))?;
    let (start, rest) = hex.split_at_checked(2).unwrap_or((hex, ""));
    // Where DVC 3 keeps it, and where 2 did.
    let paths = [".dvc/cache/files/md5", ".dvc/cache"];
    let paths = paths.map(|cache| Path::new(cache).join(start).join(format!("{rest}.dir")));
    let Some(path) = paths.iter().find(|path| folder.has_file(path)) else {
        return Err(malformed(format!(
            "`{named}` is a folder, and the list of its files is not in .dvc/cache"
        ))
        .with_help("name the repository's root, and run `dvc fetch` there before"));
    };
    let bytes = folder.read(path, MAX_LIST)?;
    if md5::Md5::digest(&bytes).as_slice() != value {
        return Err(ImportError::malformed(path, "its content is not of the MD5 it is named by")
            .with_help("remove it and run `dvc fetch`"));
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| ImportError::malformed(path, format!("it is no list: {error}")))
}
