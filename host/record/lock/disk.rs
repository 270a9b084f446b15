//! The lock file on disk: read whole under a bound, and replaced whole.
//!
//! Leaves what is in it to `parse` and `render`.

use std::io;
use std::path::{Path, PathBuf};

use super::LockFile;
use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::record::disk::{is_absent, read_bounded, replace};

/// The most bytes a lock file may have: some two million files. It is read
/// whole, so without a bound whoever changes it could exhaust the memory.
pub const MAX_LOCK: u64 = 256 << 20;

/// Why a lock file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It is there and can't be read.
    #[error("can't read {}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is, or would be, larger than [`MAX_LOCK`].
    #[error("{} has more than {MAX_LOCK} bytes", path.display())]
    TooLarge {
        /// Its path.
        path: PathBuf,
    },
    /// It has mistakes in it; at least one.
    #[error("{} has mistakes in it", path.display())]
    Mistakes {
        /// Its path.
        path: PathBuf,
        /// The mistakes.
        mistakes: Vec<Diagnostic>,
    },
    /// It could not be written; what was there before is still there.
    #[error("can't write {}", path.display())]
    NotWritten {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Reads the lock file at `path`, with its text for messages that point into
/// it; none where there is no such file.
///
/// # Errors
/// Fails where it can't be read whole, or has a mistake in it.
pub fn read(path: &Path) -> Result<Option<(SourceFile, LockFile)>, LockError> {
    let bytes = match read_bounded(path, MAX_LOCK) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            return Err(LockError::TooLarge { path: path.to_owned() });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_absent(path) => {
            return Ok(None);
        }
        Err(source) => {
            return Err(LockError::Unreadable { path: path.to_owned(), source });
        }
    };
    let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let (text, valid) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(valid))
        }
    };
    let file = SourceFile { path: shown.into(), text: text.into() };
    let mistakes = match valid {
        Some(at) => vec![Diagnostic::new(&file, at..at, "the lock file is not UTF-8")],
        None => match LockFile::parse(&file) {
            Ok(lock) => return Ok(Some((file, lock))),
            Err(mistakes) => mistakes,
        },
    };
    Err(LockError::Mistakes { path: path.to_owned(), mistakes })
}

/// Replaces the lock file at `path` by `lock`, at once: whoever reads it, or
/// finds it after a crash, has the old one or the new one. Returns whether
/// there was anything to change.
///
/// # Errors
/// Fails where it would be larger than [`MAX_LOCK`] or can't be written; what
/// was there before is then still there.
pub fn write(path: &Path, lock: &LockFile) -> Result<bool, LockError> {
    let text = lock.render();
    if text.len() as u64 > MAX_LOCK {
        return Err(LockError::TooLarge { path: path.to_owned() });
    }
    if matches!(read_bounded(path, MAX_LOCK), Ok(Some(old)) if old == text.as_bytes()) {
        return Ok(false);
    }
    let not_written = |source| LockError::NotWritten { path: path.to_owned(), source };
    replace(path, text.as_bytes(), ".modelhost.lock.").map_err(not_written)?;
    Ok(true)
}
