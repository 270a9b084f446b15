//! Plugins in files, and folders of them.
//!
//! Leaves what the bytes are to `component`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::domain::text::GuestText;
use crate::plugin::PluginError;

/// The most bytes a plugin may have: scripts bring their interpreter, some 20
/// MB, and nothing legitimate comes near it.
pub const MAX_SIZE: u64 = 64 << 20;
/// The most plugins one folder may hold: far more than anyone runs, and few
/// enough that a wrong folder is noticed before it is read.
pub const MAX_FOLDER: usize = 256;
/// What is said of a folder that stands where a file is wanted.
pub(in crate::plugin) const FOLDER: &str = "a folder";

/// Reads the plugin at `path`: a regular file of at most [`MAX_SIZE`] bytes.
///
/// # Errors
/// It isn't there, isn't a regular file, is too large or can't be read.
pub fn read(path: &Path) -> Result<Vec<u8>, PluginError> {
    let failed = |source| PluginError::Read { place: place(path), source };
    let file = open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { FOLDER } else { "a pipe, socket or device" };
        return Err(PluginError::NotAFile { place: place(path), what });
    }
    let too_large = |size| PluginError::TooLarge { place: place(path), size };
    if metadata.len() > MAX_SIZE {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // The file may have grown since.
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > MAX_SIZE {
        return Err(too_large(size));
    }
    Ok(bytes)
}

/// Returns the paths of the plugins in `folder`: `*.wasm`, sorted by name, not
/// of its sub-folders.
///
/// # Errors
/// It can't be listed, or holds no plugin, or too many.
#[expect(
    clippy::disallowed_methods,
    reason = "the operator names this folder; it is no part of a model"
)]
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let failed = |source| PluginError::Read { place: place(folder), source };
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        if paths.len() == MAX_FOLDER {
            return Err(PluginError::FullFolder { place: place(folder) });
        }
        paths.push(path);
    }
    if paths.is_empty() {
        return Err(PluginError::EmptyFolder { place: place(folder) });
    }
    paths.sort_unstable();
    Ok(paths)
}

/// Returns `path` as it is shown to a person.
pub(in crate::plugin) fn place(path: &Path) -> GuestText {
    GuestText::capped(&path.to_string_lossy())
}

/// Opens `path` without waiting: a pipe that nobody writes to would otherwise
/// hold the run up for ever.
#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "the operator names this file; it is no part of a model"
)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).map_err(|_| io::ErrorKind::Unsupported)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
#[expect(
    clippy::disallowed_methods,
    reason = "the operator names this file; it is no part of a model"
)]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that are read")]
mod tests {
    use super::*;

    #[test]
    fn reads_regular_files_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.wasm");
        std::fs::write(&path, b"bytes").expect("a file");
        assert_eq!(read(&path).expect("a file"), b"bytes");

        let error = read(&folder.path().join("none.wasm")).expect_err("not there");
        assert!(matches!(error, PluginError::Read { .. }), "{error}");
        let error = read(folder.path()).expect_err("a folder");
        assert!(error.help().expect("help").contains("--plugins DIR"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn does_not_wait_for_a_pipe() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe.wasm");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        let error = read(&path).expect_err("a pipe");
        assert!(matches!(error, PluginError::NotAFile { .. }), "{error}");
        let error = read(Path::new("/dev/null")).expect_err("a device");
        assert!(matches!(error, PluginError::NotAFile { .. }), "{error}");
    }

    #[test]
    fn refuses_what_no_plugin_is_as_large_as() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large.wasm");
        let file = File::create(&path).expect("a file");
        file.set_len(MAX_SIZE + 1).expect("a sparse file");
        let error = read(&path).expect_err("too large");
        assert!(
            matches!(error, PluginError::TooLarge { size, .. } if size == MAX_SIZE + 1),
            "{error}"
        );
        file.set_len(MAX_SIZE).expect("a sparse file");
        assert_eq!(read(&path).expect("as large as can be").len() as u64, MAX_SIZE);
    }

    #[test]
    fn lists_a_folder_sorted_and_flat() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = list(folder.path()).expect_err("empty");
        assert!(matches!(error, PluginError::EmptyFolder { .. }), "{error}");
        std::fs::create_dir(folder.path().join("sub")).expect("a folder");
        for name in ["b.wasm", "a.wasm", "notes.txt", "wasm", "sub/c.wasm", ".wasm"] {
            std::fs::write(folder.path().join(name), b"").expect("a file");
        }
        let found = list(folder.path()).expect("two");
        let names: Vec<_> = found.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["a.wasm", "b.wasm"]);
        assert!(list(&folder.path().join("none")).is_err());
        for index in 0..MAX_FOLDER {
            std::fs::write(folder.path().join(format!("{index}.wasm")), b"").expect("a file");
        }
        let error = list(folder.path()).expect_err("too many");
        assert!(matches!(error, PluginError::FullFolder { .. }), "{error}");
    }
}
