//! Lists a model's files: regular files only, links that stay inside followed,
//! everything else named in a finding.
//!
//! Leaves reading to `handle`, and what makes a file fit to be read to `fit`.
//!
//! # Invariants
//! - No entry is dropped silently: it is listed, or it has a finding, or it is
//!   the `.git` folder at the model's top, which no loader reads.
//! - The walk holds one open folder and no recursion, whatever the depth.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, FileType};

use super::ModelError;
use super::fit::{self, Unfit};
use super::handle::{FileHandle, Identity, Pool};
use super::open::Root;
use crate::domain::finding::{Confidence, Finding, Location, RuleId, Severity};
use crate::domain::model::FilePath;
use crate::domain::text::GuestText;

/// How deep folders are followed; deeper paths exceed what loaders can open.
const MAX_DEPTH: usize = 128;

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<Arc<FileHandle>>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) unreadable: Vec<FilePath>,
}

/// A folder yet to be listed: where it is, and which folders lead to it.
struct Pending {
    relative: PathBuf,
    ancestors: Vec<(u64, u64)>,
}

/// Lists the files of the model at `root`, to be read through `pool`: at most
/// `most` entries.
///
/// # Errors
/// Says that the model's own folder can't be read, or has too many entries.
pub(crate) fn list(
    root: &Arc<Root>,
    pool: &Arc<Pool>,
    shown: &Path,
    most: usize,
) -> Result<Listing, ModelError> {
    let failed = |source| ModelError::Open { path: shown.to_owned(), source };
    let mut walk =
        Walk { root, pool, listing: Listing::default(), entries: 0, most, names: HashMap::new() };
    if root.is_file {
        let name = root.base.file_name().unwrap_or(OsStr::new("file"));
        walk.file(&root.base, FilePath::from_bytes(name.as_bytes()), true);
    } else {
        let mut pending = vec![Pending { relative: PathBuf::new(), ancestors: Vec::new() }];
        while let Some(folder) = pending.pop() {
            let top = folder.relative.as_os_str().is_empty();
            match walk.folder(&folder, &mut pending) {
                Ok(()) if walk.entries <= most => {}
                Ok(()) => return Err(ModelError::TooMany { path: shown.to_owned(), most }),
                Err(error) if top => return Err(failed(error)),
                Err(error) => walk.unreadable(&path_of(&folder.relative), "folder", &error),
            }
        }
    }
    walk.named_elsewhere();
    let mut listing = walk.listing;
    listing.files.sort_by(|a, b| a.path().cmp(b.path()));
    listing.findings.sort_by(|a, b| a.location.cmp(&b.location));
    listing.unreadable.sort();
    Ok(listing)
}

struct Walk<'a> {
    root: &'a Arc<Root>,
    pool: &'a Arc<Pool>,
    listing: Listing,
    entries: usize,
    most: usize,
    /// Files of more than one name, by device and inode: how many names they
    /// have, and how many of them were listed; the first is told.
    names: HashMap<(u64, u64), Names>,
}

struct Names {
    all: u64,
    listed: u64,
    first: FilePath,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Pending, pending: &mut Vec<Pending>) -> io::Result<()> {
        let place = self.root.base.join(&folder.relative);
        let dir = if place.as_os_str().is_empty() {
            self.root.dir.try_clone()?
        } else {
            self.root.dir.open_dir(&place)?
        };
        let identity = folder_identity(&dir)?;
        let is_entered = folder.ancestors.last().is_none_or(|(device, _)| *device != identity.0);
        if is_entered && fit::is_of_the_kernel(&dir) {
            let top = folder.relative.as_os_str().is_empty();
            if top {
                return Err(io::Error::other(
                    "what is there is made up by the kernel as it is read",
                ));
            }
            self.special(path_of(&folder.relative));
            return Ok(());
        }
        if folder.ancestors.contains(&identity) || folder.ancestors.len() >= MAX_DEPTH {
            let path = path_of(&folder.relative);
            self.find(
                "link-loop",
                Severity::High,
                path,
                "this folder leads back into itself, or is nested too deeply to be listed",
                "remove the link; a model's folders must form a tree",
            );
            return Ok(());
        }
        let mut ancestors = folder.ancestors.clone();
        ancestors.push(identity);
        let mut seen: HashSet<OsString> = HashSet::new();
        for entry in dir.entries()? {
            let entry = entry?;
            self.entries += 1;
            if self.entries > self.most {
                return Ok(());
            }
            let name = entry.file_name();
            if folder.relative.as_os_str().is_empty() && name == ".git" {
                continue;
            }
            if !seen.insert(name.clone()) {
                continue; // a folder that is being changed may be told twice
            }
            let relative = folder.relative.join(&name);
            match entry.file_type() {
                Ok(kind) => self.entry(relative, kind, &ancestors, pending),
                Err(error) => self.unreadable(&path_of(&relative), "entry", &error),
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        relative: PathBuf,
        kind: FileType,
        ancestors: &[(u64, u64)],
        pending: &mut Vec<Pending>,
    ) {
        let path = path_of(&relative);
        let place = self.root.base.join(&relative);
        if kind.is_file() {
            self.file(&place, path, true);
        } else if kind.is_dir() {
            pending.push(Pending { relative, ancestors: ancestors.to_vec() });
        } else if kind.is_symlink() {
            // Resolved by the system below the opened folder: what leads out of
            // it fails here.
            match self.root.dir.metadata(&place) {
                Ok(target) if target.is_dir() => {
                    pending.push(Pending { relative, ancestors: ancestors.to_vec() })
                }
                Ok(target) if target.is_file() => self.file(&place, path, false),
                Ok(_) => self.special(path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.unreadable(&path, "link", &error)
                }
                Err(_) => self.outside(path, &place),
            }
        } else {
            self.special(path);
        }
    }

    /// Takes in the file at `place`, which is one of its names, or a link to one.
    fn file(&mut self, place: &Path, path: FilePath, is_name: bool) {
        match Identity::open(self.root, place) {
            Ok((file, identity)) => match fit::look(&file) {
                Ok(found) => {
                    if found.names > 1 {
                        let first = || Names { all: found.names, listed: 0, first: path.clone() };
                        let names = self.names.entry(identity.key()).or_insert_with(first);
                        names.listed += u64::from(is_name);
                    }
                    let handle = FileHandle::new(self.root, self.pool, place, path, identity, file);
                    self.listing.files.push(Arc::new(handle));
                }
                Err(Unfit::Sparse { size, stored }) => self.sparse(path, size, stored),
                Err(Unfit::Io(error)) => self.unreadable(&path, "file", &error),
            },
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => self.special(path),
            Err(error) => self.unreadable(&path, "file", &error),
        }
    }

    fn outside(&mut self, path: FilePath, place: &Path) {
        let target = self.root.dir.read_link_contents(place);
        let target =
            target.map(|target| FilePath::from_bytes(target.as_os_str().as_bytes()).to_string());
        let message = match target {
            Ok(target) => format!("this link leads out of the model, to {target}"),
            Err(_) => "this link leads out of the model".to_owned(),
        };
        self.find("link-outside", Severity::High, path, &message,
            "replace the link by the file it stands for: what lies outside of the model is not checked");
    }

    fn special(&mut self, path: FilePath) {
        self.find(
            "special-file",
            Severity::High,
            path,
            "this is no regular file (a pipe, a socket or a device)",
            "remove it: a model consists of regular files",
        );
    }

    fn sparse(&mut self, path: FilePath, size: u64, stored: u64) {
        self.find(
            "sparse-file",
            Severity::High,
            path,
            &format!("of the {size} bytes of this file {stored} are stored: the rest is holes, and was not read"),
            "fetch it again, or store it whole (`cp --sparse=never`): no model has such holes",
        );
    }

    /// Names that a file of the model has elsewhere are told once for all: whoever
    /// may write there can change the model, and what is there is read here.
    /// Caches and build systems make such names, so that they deny nothing.
    fn named_elsewhere(&mut self) {
        let elsewhere = self.names.drain().filter(|(_, names)| names.listed < names.all);
        let mut files: Vec<FilePath> = elsewhere.map(|(_, names)| names.first).collect();
        files.sort();
        let more = files.len().saturating_sub(1);
        let Some(first) = files.into_iter().next() else { return };
        let message = match more {
            0 => "this file has a name outside of the model too (a hard link)".to_owned(),
            more => format!(
                "this file and {more} more have names outside of the model too (hard links)"
            ),
        };
        self.find(
            "hard-link",
            Severity::Low,
            first,
            &message,
            "copy it, where somebody else may write to the other name (`cp --remove-destination` onto itself)",
        );
    }

    fn unreadable(&mut self, path: &FilePath, what: &str, error: &io::Error) {
        let reason = error.kind();
        self.find(
            "unreadable",
            Severity::Medium,
            path.clone(),
            &format!("this {what} can't be read: {reason}"),
            "make it readable for whoever runs the gate, or remove it",
        );
        self.listing.unreadable.push(path.clone());
    }

    fn find(
        &mut self,
        rule: &'static str,
        severity: Severity,
        path: FilePath,
        message: &str,
        help: &str,
    ) {
        self.listing.findings.push(Finding {
            rule: RuleId::gate(rule),
            severity,
            confidence: Confidence::High,
            message: GuestText::capped(message),
            location: Location::file(path),
            help: Some(GuestText::capped(help)),
        });
    }
}

fn path_of(relative: &Path) -> FilePath {
    FilePath::from_bytes(relative.as_os_str().as_bytes())
}

fn folder_identity(dir: &Dir) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::fstat(dir)?;
    Ok((stat.st_dev, stat.st_ino))
}
