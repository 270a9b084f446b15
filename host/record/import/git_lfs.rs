//! Git and git-lfs: a working tree, with the files or with the pointers to them.
//!
//! Where git's index is there, each file is held against what git has for its
//! path: the blob itself or, where git-lfs keeps the file, the pointer to it, which
//! its SHA-256 and size make up. Without one, the pointers in the tree say what
//! the files are. Source: git-lfs, `docs/spec.md`. Leaves whether the files are
//! those to `check`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};

use super::claims::{Algorithm, ClaimedDigest, Claims};
use super::folder::{Folder, Kind};
use super::git_index;
use super::hub_cache::is_commit;
use super::{ImportError, Request};

/// The most bytes of an index: some 600,000 files.
const MAX_INDEX: u64 = 96 << 20;

/// The most bytes of git's small files.
const MAX_SMALL: u64 = 1 << 20;

/// The most bytes of refs that are packed in one file.
const MAX_REFS: u64 = 64 << 20;

/// The largest pointer, by its specification.
const MAX_POINTER: u64 = 1024;

/// How git-lfs makes a pointer: the one form it writes.
pub(super) fn pointer(sha256: &str, size: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n")
}

/// Reads a pointer: the digest and the size of the file it stands for.
fn parse(text: &str) -> Option<(&str, u64)> {
    let rest = text.strip_prefix("version https://git-lfs.github.com/spec/v1\n")?;
    let value = |key: &str| rest.lines().find_map(|line| line.strip_prefix(key));
    Some((value("oid sha256:")?, value("size ")?.parse().ok()?))
}

pub(super) fn is(folder: &Folder<'_>, within: &Path) -> bool {
    if !within.as_os_str().is_empty() {
        return false;
    }
    if folder.has_file(Path::new(".git/index")) {
        let attributes = folder.text(Path::new(".gitattributes"), MAX_SMALL);
        return folder.has_folder(Path::new(".git/lfs"))
            || attributes.is_ok_and(|text| text.contains("filter=lfs"));
    }
    let files = folder.walk(Path::new(""), &|path| path == Path::new(".git")).unwrap_or_default();
    files.iter().any(|(path, kind)| *kind == Kind::File && read_pointer(folder, path).is_some())
}

/// Reads the pointer at `path`; none where there is none.
fn read_pointer(folder: &Folder<'_>, path: &Path) -> Option<(Vec<u8>, u64)> {
    if folder.size(path)? > MAX_POINTER {
        return None;
    }
    let text = folder.text(path, MAX_POINTER).ok()?;
    let (hex, size) = parse(&text)?;
    Some((Algorithm::Sha256.parse(hex)?, size))
}

pub(super) fn read(folder: &Folder<'_>, _: &Request<'_>) -> Result<Claims, ImportError> {
    let index = Path::new(".git/index");
    let mut claims = Claims::default();
    if folder.has_file(index) {
        by_index(folder, index, &mut claims)?;
    } else {
        by_pointers(folder, &mut claims)?;
    }
    head(folder, &mut claims)?;
    claims.sort(index)?;
    Ok(claims)
}

/// Claims what git has for each path.
fn by_index(folder: &Folder<'_>, path: &Path, claims: &mut Claims) -> Result<(), ImportError> {
    let bytes = folder.read(path, MAX_INDEX)?;
    let entries = git_index::parse(&bytes).map_err(|why| ImportError::malformed(path, why))?;
    let mut others = 0usize;
    for entry in entries {
        if entry.mode & 0o170_000 != 0o100_000 {
            others += 1;
            continue;
        }
        // Where the pointer is still there, it says more than its own digest does.
        let file = Path::new(std::ffi::OsStr::from_bytes(&entry.path));
        if let Some((value, size)) = read_pointer(folder, file)
            && git_blob(folder, file)? == entry.id
        {
            let digest = ClaimedDigest { algorithm: Algorithm::Sha256, range: None, value };
            claims.add(&entry.path, Some(size), vec![digest], path)?;
            continue;
        }
        let digest = ClaimedDigest {
            algorithm: Algorithm::GitBlobOrPointer,
            range: None,
            value: entry.id.to_vec(),
        };
        claims.add(&entry.path, None, vec![digest], path)?;
    }
    claims.notes.push(
        "files were held against git's index, which is ahead of the revision where something is \
         staged"
            .to_owned(),
    );
    if others > 0 {
        claims.notes.push(format!(
            "{others} paths are links or other repositories, of which git keeps no content"
        ));
    }
    Ok(())
}

/// Claims what the pointers say, and what the other files beside them are.
fn by_pointers(folder: &Folder<'_>, claims: &mut Claims) -> Result<(), ImportError> {
    for (path, kind) in folder.walk(Path::new(""), &|path| path == Path::new(".git"))? {
        if kind != Kind::File {
            continue;
        }
        let (size, digest) = match read_pointer(folder, &path) {
            Some((value, size)) => {
                (size, ClaimedDigest { algorithm: Algorithm::Sha256, range: None, value })
            }
            None => {
                let value = git_blob(folder, &path)?.to_vec();
                let digest = ClaimedDigest { algorithm: Algorithm::GitBlob, range: None, value };
                (folder.size(&path).unwrap_or_default(), digest)
            }
        };
        claims.add(path.as_os_str().as_bytes(), Some(size), vec![digest], &path)?;
    }
    Ok(())
}

/// Computes the id that git gives the file at `path`.
fn git_blob(folder: &Folder<'_>, path: &Path) -> Result<[u8; 20], ImportError> {
    let mut state = Sha1::new();
    state.update(format!("blob {}\0", folder.size(path).unwrap_or_default()));
    folder.each(path, &mut |bytes| state.update(bytes))?;
    Ok(state.finalize().into())
}

/// Notes the commit that is checked out, the branch, and where it is from.
fn head(folder: &Folder<'_>, claims: &mut Claims) -> Result<(), ImportError> {
    let path = Path::new(".git/HEAD");
    if !folder.has_file(path) {
        return Ok(());
    }
    let text = folder.text(path, MAX_SMALL)?;
    let text = text.trim();
    let commit = match text.strip_prefix("ref: ") {
        None => Some(text.to_owned()),
        Some(name) => {
            let short = name.strip_prefix("refs/heads/").unwrap_or(name);
            claims.requested = Some(short.to_owned()).filter(|name| is_name(name));
            reference(folder, name)?
        }
    };
    claims.revision = commit.filter(|commit| is_commit(commit));
    if claims.revision.is_none() {
        claims.requested = None;
    }
    let config = Path::new(".git/config");
    if folder.has_file(config) {
        claims.source = source(&folder.text(config, MAX_SMALL)?);
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    !name.is_empty() && name.len() <= 255 && name.bytes().all(is_plain)
}

/// Returns the commit that the ref `name` stands at.
fn reference(folder: &Folder<'_>, name: &str) -> Result<Option<String>, ImportError> {
    let is_ref = name.starts_with("refs/") && is_name(name);
    let plain = super::join(Path::new(".git"), Path::new(name));
    let Some(path) = plain.filter(|path| is_ref && path.starts_with(".git/refs")) else {
        let path = PathBuf::from(".git/HEAD");
        return Err(ImportError::malformed(&path, "it names no ref of this repository"));
    };
    if folder.has_file(&path) {
        return Ok(Some(folder.text(&path, MAX_SMALL)?.trim().to_owned()));
    }
    let packed = Path::new(".git/packed-refs");
    if !folder.has_file(packed) {
        return Ok(None);
    }
    let text = folder.text(packed, MAX_REFS)?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs.find(|(_, found)| *found == name).map(|(commit, _)| commit.to_owned()))
}

/// Returns the source that git's configuration tells: where `origin` is, without
/// the name and password that may stand in it.
fn source(config: &str) -> Option<String> {
    let mut is_origin = false;
    let url = config.lines().map(str::trim).find_map(|line| {
        if line.starts_with('[') {
            is_origin = line == "[remote \"origin\"]";
        }
        let url = line.strip_prefix("url").filter(|_| is_origin)?;
        Some(url.trim_start().strip_prefix('=')?.trim().to_owned())
    })?;
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let host = host.rsplit('@').next()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./~%:".contains(&b);
    if host.is_empty() || path.is_empty() || !host.bytes().chain(path.bytes()).all(is_plain) {
        return None;
    }
    let path = path.trim_end_matches('/');
    match host {
        "huggingface.co" if path.split('/').count() <= 2 => {
            Some(format!("hf:{}", path.strip_suffix(".git").unwrap_or(path)))
        }
        _ => Some(format!("git+https://{host}/{path}")),
    }
}
