//! Looking through the folder of compiled components, and clearing it: [`stat`]
//! and [`prune`].
//!
//! Leaves what entries are, and whether one is sound, to its parent.
//!
//! # Invariants
//! - No link is followed, and no folder below is entered: what is counted and
//!   removed are regular files of this user's, by their names in the one folder
//!   that was opened.
//! - What has no name of the cache's is left alone.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, open, statat, unlinkat};
use rustix::io::Errno;

use super::{BUILD, CacheError, ENDING, UNFINISHED, build, build_name, sealed};
use crate::engine::engine::Engine;

/// How old an unfinished entry must be, in seconds, to be nobody's: compiling
/// and writing one takes minutes at most.
const UNFINISHED_AGE: u64 = 3600;

/// Some files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// How many.
    pub count: u64,
    /// Their bytes together.
    pub bytes: u64,
}

impl Files {
    const fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// What is in the folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Compiled components.
    pub entries: Files,
    /// Those of them that this build of modelhost could use.
    pub of_this_build: Files,
    /// When the oldest of them was written, in seconds since
    /// 1970-01-01T00:00:00Z.
    pub oldest: Option<u64>,
    /// Entries that were not written to their end.
    pub unfinished: Files,
    /// What is none of the cache's; it is left alone.
    pub others: u64,
}

/// What is to be removed, beside what other builds compiled and what was left
/// unfinished.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prune {
    /// Every entry.
    pub all: bool,
    /// Entries that were written longer ago than this.
    pub older_than: Option<Duration>,
    /// Nothing is removed, only counted.
    pub dry_run: bool,
}

/// What was removed, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Removed entries.
    pub entries: Files,
    /// Removed unfinished entries.
    pub unfinished: Files,
    /// Entries that are left.
    pub kept: Files,
}

/// Looks through the cache in `folder`. One that is missing is empty.
///
/// # Errors
/// Says that it can't be read, or belongs to somebody else.
pub fn stat(folder: &Path, engine: &Engine) -> Result<Stat, CacheError> {
    let mut stat = Stat::default();
    let Some(shelf) = Shelf::open(folder, engine)? else { return Ok(stat) };
    shelf.each(&mut |_, found| {
        match found {
            Found::Entry { own, bytes, written } => {
                stat.entries.add(bytes);
                if own {
                    stat.of_this_build.add(bytes);
                }
                stat.oldest = Some(stat.oldest.map_or(written, |oldest| oldest.min(written)));
            }
            Found::Unfinished { bytes, .. } => stat.unfinished.add(bytes),
            Found::Sealed { .. } => {}
            Found::Other => stat.others += 1,
        }
        Ok(())
    })?;
    Ok(stat)
}

/// Clears the cache in `folder` of what `prune` says, at the time `now` in
/// seconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// Says that it can't be read or written, or belongs to somebody else.
pub fn prune(folder: &Path, engine: &Engine, prune: Prune, now: u64) -> Result<Pruned, CacheError> {
    let mut pruned = Pruned::default();
    let Some(shelf) = Shelf::open(folder, engine)? else { return Ok(pruned) };
    let is_old = |written: u64| {
        let age = Duration::from_secs(now.saturating_sub(written));
        prune.older_than.is_some_and(|bound| age > bound)
    };
    shelf.each(&mut |name, found| {
        let remove = || if prune.dry_run { Ok(()) } else { shelf.remove(name) };
        match found {
            Found::Entry { own, bytes, written } if prune.all || !own || is_old(written) => {
                remove()?;
                pruned.entries.add(bytes);
            }
            Found::Entry { bytes, .. } => pruned.kept.add(bytes),
            Found::Unfinished { bytes, written }
                if prune.all || now.saturating_sub(written) > UNFINISHED_AGE =>
            {
                remove()?;
                pruned.unfinished.add(bytes);
            }
            // No compiled component, and so not counted among them.
            Found::Sealed { written } if prune.all || is_old(written) => remove()?,
            Found::Unfinished { .. } | Found::Sealed { .. } | Found::Other => {}
        }
        Ok(())
    })?;
    Ok(pruned)
}

/// One thing in the folder.
enum Found {
    Entry { own: bool, bytes: u64, written: u64 },
    Unfinished { bytes: u64, written: u64 },
    Sealed { written: u64 },
    Other,
}

/// The opened folder.
struct Shelf<'a> {
    path: &'a Path,
    folder: OwnedFd,
    build: String,
}

impl<'a> Shelf<'a> {
    /// Opens the folder; none where there is none.
    fn open(path: &'a Path, engine: &Engine) -> Result<Option<Self>, CacheError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = match open(path, flags, Mode::empty()) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(failed(path, error)),
        };
        let stat = rustix::fs::fstat(&folder).map_err(|error| failed(path, error))?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(CacheError::Exposed { what: WHAT, path: path.to_owned() });
        }
        Ok(Some(Self { path, folder, build: build_name(&build(engine)) }))
    }

    /// Tells `take` of each thing in the folder.
    fn each(
        &self,
        take: &mut dyn FnMut(&CStr, Found) -> Result<(), CacheError>,
    ) -> Result<(), CacheError> {
        let listing = Dir::read_from(&self.folder).map_err(|error| failed(self.path, error))?;
        // Listed whole before anything is removed: what a listing says of a
        // folder that changes under it is nobody's promise.
        let names: Result<Vec<CString>, Errno> =
            listing.map(|entry| Ok(entry?.file_name().to_owned())).collect();
        for name in names.map_err(|error| failed(self.path, error))? {
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            match self.look(&name) {
                Ok(found) => take(&name, found)?,
                // Another run removed it meanwhile.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(failed(self.path, error)),
            }
        }
        Ok(())
    }

    fn look(&self, name: &CStr) -> Result<Found, Errno> {
        let stat = statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_ours = FileType::from_raw_mode(stat.st_mode).is_file()
            && stat.st_uid == rustix::process::geteuid().as_raw();
        let Some(name) = name.to_str().ok().filter(|_| is_ours) else { return Ok(Found::Other) };
        let bytes = u64::try_from(stat.st_size).unwrap_or(0);
        let written = u64::try_from(stat.st_mtime).unwrap_or(0);
        if name.starts_with(UNFINISHED) {
            return Ok(Found::Unfinished { bytes, written });
        }
        if name.ends_with(sealed::ENDING) {
            return Ok(Found::Sealed { written });
        }
        Ok(match entry_build(name) {
            Some(build) => Found::Entry { own: build == self.build, bytes, written },
            None => Found::Other,
        })
    }

    fn remove(&self, name: &CStr) -> Result<(), CacheError> {
        match unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(failed(self.path, error)),
        }
    }
}

const WHAT: &str = "the cache folder";

fn failed(path: &Path, error: Errno) -> CacheError {
    CacheError::Io { what: WHAT, path: path.to_owned(), source: error.into() }
}

/// Returns the build that an entry's name starts with; none where it is no
/// entry's name.
fn entry_build(name: &str) -> Option<&str> {
    let (build, entry) = name.strip_suffix(ENDING)?.split_once('-')?;
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    (is_hex(build, BUILD) && is_hex(entry, 64)).then_some(build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_by_their_names() {
        let (build, entry) = ("0123456789abcdef", "0".repeat(64));
        assert_eq!(entry_build(&format!("{build}-{entry}.code")), Some(build));
        for name in [
            String::new(),
            ".code".to_owned(),
            "-.code".to_owned(),
            format!("{build}-{entry}"),
            format!("{build}{entry}.code"),
            format!("{build}-{entry}0.code"),
            format!("0{build}-{entry}.code"),
            format!("{build}-{}.code", "A".repeat(64)),
            format!("{build}-../{entry}.code"),
        ] {
            assert_eq!(entry_build(&name), None, "{name}");
        }
    }
}
