//! Files of the operator's on disk: read whole under a bound, and replaced
//! whole.
//!
//! Leaves what is in them to each one's own module.

#![expect(
    clippy::disallowed_methods,
    reason = "these files are the operator's own, read and replaced by their paths here alone"
)]

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Reads the file at `path`; none where it has more than `max` bytes.
///
/// # Errors
/// Fails where it can't be read, or is no regular file.
pub fn read_bounded(path: &Path, max: u64) -> io::Result<Option<Vec<u8>>> {
    // Asked before opening, because opening a pipe waits for its other end.
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > max {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= max))
}

/// Returns whether nothing is at `path`, not even a link that leads nowhere.
pub fn is_absent(path: &Path) -> bool {
    matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// Puts `bytes` under `path`, at once: whoever reads it, or finds it after a
/// crash, has what was there before or the whole of it. `prefix` is what the
/// name of the temporary file beside it starts with.
///
/// # Errors
/// Fails where it can't be written; what was there before is then still there.
pub fn replace(path: &Path, bytes: &[u8], prefix: &str) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any file of a repository; the umask takes away what it takes away.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}
