//! [`Folder`]: bounded reads of an opened folder whose content nobody vouches
//! for.
//!
//! Leaves what the files say to the formats.
//!
//! # Invariants
//! - Nothing outside of the opened folder is reached, by path or by link.
//! - A walk follows no link, so it ends; every read, list and walk has a bound.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cap_std::fs::{Dir, FileType, OpenOptions, OpenOptionsExt as _};

use super::ImportError;

/// How many entries of folders are looked at in all: as many as claims may name,
/// and what stands beside them.
const MAX_ENTRIES: usize = 2_000_000;

/// How deep a walk goes.
const MAX_DEPTH: usize = 64;

/// An opened folder.
pub(super) struct Folder<'a> {
    dir: &'a Dir,
}

/// What stands under a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    Other,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_symlink() {
            Self::Link
        } else {
            Self::Other
        }
    }
}

impl<'a> Folder<'a> {
    pub(super) const fn new(dir: &'a Dir) -> Self {
        Self { dir }
    }

    /// Whether a file is at `path`, or at the end of links that stay inside.
    pub(super) fn has_file(&self, path: &Path) -> bool {
        self.dir.metadata(path).is_ok_and(|metadata| metadata.is_file())
    }

    /// Whether a folder is at `path`.
    pub(super) fn has_folder(&self, path: &Path) -> bool {
        if path.as_os_str().is_empty() {
            return true;
        }
        self.dir.metadata(path).is_ok_and(|metadata| metadata.is_dir())
    }

    /// Returns where the link at `path` says that it leads.
    pub(super) fn link(&self, path: &Path) -> Result<PathBuf, ImportError> {
        self.dir.read_link_contents(path).map_err(|error| unreadable(path, error))
    }

    /// Reads the file at `path` wholly.
    ///
    /// # Errors
    /// Says that it can't be read, or has more than `most` bytes.
    pub(super) fn read(&self, path: &Path, most: u64) -> Result<Vec<u8>, ImportError> {
        let file = self.open(path).map_err(|error| unreadable(path, error))?;
        let mut bytes = Vec::new();
        let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(path, error))?;
        if bytes.len() as u64 > most {
            return Err(ImportError::TooMuch { path: path.to_owned(), most, what: "bytes" });
        }
        Ok(bytes)
    }

    /// Reads the text at `path` wholly.
    ///
    /// # Errors
    /// As [`Folder::read`]; or says that it is no text.
    pub(super) fn text(&self, path: &Path, most: u64) -> Result<String, ImportError> {
        let bytes = self.read(path, most)?;
        String::from_utf8(bytes).map_err(|_| ImportError::malformed(path, "it is no UTF-8 text"))
    }

    /// Hands the bytes of the file at `path` to `take`, a piece at a time.
    ///
    /// # Errors
    /// Says that it can't be read.
    pub(super) fn each(&self, path: &Path, take: &mut dyn FnMut(&[u8])) -> Result<(), ImportError> {
        let mut file = self.open(path).map_err(|error| unreadable(path, error))?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => take(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(path, error)),
            }
        }
    }

    /// Opens the regular file at `path`, without waiting for the other end of a
    /// pipe.
    fn open(&self, path: &Path) -> io::Result<cap_std::fs::File> {
        let mut options = OpenOptions::new();
        options.read(true);
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        let file = self.dir.open_with(path, &options)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(file)
    }

    /// Returns the size of the file at `path` in bytes; none where none is there.
    pub(super) fn size(&self, path: &Path) -> Option<u64> {
        let metadata = self.dir.metadata(path).ok().filter(cap_std::fs::Metadata::is_file)?;
        Some(metadata.len())
    }

    /// Returns the entries of the folder at `path`, sorted by name.
    ///
    /// # Errors
    /// Says that it can't be listed, or has too many.
    pub(super) fn list(&self, path: &Path) -> Result<Vec<(OsString, Kind)>, ImportError> {
        let failed = |error| unreadable(path, error);
        let dir = match path.as_os_str().is_empty() {
            true => self.dir.try_clone(),
            false => self.dir.open_dir(path),
        };
        let mut entries = Vec::new();
        for entry in dir.and_then(|dir| dir.entries()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            entries.push((entry.file_name(), entry.file_type().map_err(failed)?.into()));
            if entries.len() > MAX_ENTRIES {
                return Err(too_many(path));
            }
        }
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(entries)
    }

    /// Returns what is below the folder at `path` and no folder, sorted, relative
    /// to the opened folder. Folders for which `skip` says so are not gone into.
    ///
    /// # Errors
    /// Says what can't be listed, or that there is too much.
    pub(super) fn walk(
        &self,
        path: &Path,
        skip: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<(PathBuf, Kind)>, ImportError> {
        let mut found = Vec::new();
        let mut pending = vec![(path.to_owned(), 0)];
        let mut seen = 0usize;
        while let Some((folder, depth)) = pending.pop() {
            for (name, kind) in self.list(&folder)? {
                seen = seen.saturating_add(1);
                if seen > MAX_ENTRIES {
                    return Err(too_many(path));
                }
                let path = folder.join(name);
                match kind {
                    Kind::Folder if skip(&path) => {}
                    Kind::Folder if depth >= MAX_DEPTH => {
                        let message = "folders nest too deep here";
                        return Err(ImportError::malformed(&path, message));
                    }
                    Kind::Folder => pending.push((path, depth + 1)),
                    kind => found.push((path, kind)),
                }
            }
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }
}

fn unreadable(path: &Path, source: io::Error) -> ImportError {
    ImportError::Unreadable { path: path.to_owned(), source }
}

fn too_many(path: &Path) -> ImportError {
    ImportError::TooMuch { path: path.to_owned(), most: MAX_ENTRIES as u64, what: "entries" }
}
