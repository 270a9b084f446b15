//! The files of a registry: listed, read under bounds, and replaced whole.
//!
//! Leaves what is in them to `set`, `entry` and `signature`.

#![expect(
    clippy::disallowed_methods,
    reason = "the registry is the operator's own, read and written by its path here alone"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{MAX_ALL, MAX_ENTRIES, MAX_FILE, RegistryError, SET};
use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::text::GuestText;
use crate::record::disk::{read_bounded, replace};

/// The files of one registry.
pub(super) struct Files {
    path: PathBuf,
    shown: String,
    /// The names of all entries.
    names: BTreeSet<String>,
    /// How many bytes may still be read.
    room: u64,
}

impl Files {
    /// Lists the folder `path`, shown to a person as `shown`.
    pub(super) fn open(path: &Path, shown: &str) -> Result<Self, RegistryError> {
        let unreadable = |source| RegistryError::Unreadable { path: path.to_owned(), source };
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            // What is no entry (a README, the keys, the signatures) is not looked at.
            let Some(name) = name.to_str().filter(|name| is_entry(name)) else { continue };
            names.insert(name.to_owned());
            if names.len() > MAX_ENTRIES {
                return Err(RegistryError::TooMany(path.to_owned()));
            }
        }
        let shown = shown.trim_end_matches('/').to_owned();
        Ok(Self { path: path.to_owned(), shown, names, room: MAX_ALL })
    }

    /// Returns the names of the entries' files, sorted.
    pub(super) fn entries(&self) -> Vec<String> {
        self.names.iter().cloned().collect()
    }

    /// Returns whether there is an entry's file of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Returns the path of the file `name` as it is shown to a person.
    pub(super) fn shown(&self, name: &str) -> String {
        GuestText::capped(&format!("{}/{name}", self.shown)).to_string()
    }

    /// Reads the text of the file `name`; none where there is no such file.
    pub(super) fn read(&mut self, name: &str) -> Result<Option<SourceFile>, RegistryError> {
        let Some(bytes) = self.read_bytes(name)? else { return Ok(None) };
        let path = self.shown(name).into();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(SourceFile { path, text: text.into() })),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned().into();
                let file = SourceFile { path, text };
                let mistake = Diagnostic::new(&file, at..at, "the file is not UTF-8");
                Err(super::wrong(&self.path, vec![mistake]))
            }
        }
    }

    /// Reads the file `name`; none where there is no such file.
    pub(super) fn read_bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = self.path.join(name);
        let too_large = |path: &Path, max| RegistryError::TooLarge { path: path.to_owned(), max };
        match read_bounded(&path, MAX_FILE) {
            Ok(None) => Err(too_large(&path, MAX_FILE)),
            Ok(Some(bytes)) => {
                let size = bytes.len() as u64;
                self.room =
                    self.room.checked_sub(size).ok_or_else(|| too_large(&self.path, MAX_ALL))?;
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RegistryError::Unreadable { path, source }),
        }
    }
}

/// Tells whether a file of that name is an entry.
fn is_entry(name: &str) -> bool {
    name.ends_with(".toml") && name != SET && !name.starts_with('.')
}

/// Replaces the file at `path` whole.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    replace(path, bytes, ".modelhost.registry.")
        .map_err(|source| RegistryError::NotWritten { path: path.to_owned(), source })
}

/// Makes the folder `path` where it isn't there.
pub(super) fn make(path: &Path) -> Result<(), RegistryError> {
    fs::create_dir_all(path)
        .map_err(|source| RegistryError::NotWritten { path: path.to_owned(), source })
}

/// Takes the file at `path` away, if it is there.
pub(super) fn remove(path: &Path) -> Result<bool, RegistryError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(RegistryError::NotWritten { path: path.to_owned(), source }),
    }
}

/// Tells whether there is a registry in the folder `path`.
pub(super) fn is_there(path: &Path) -> bool {
    path.join(SET).exists()
}
