//! The one ambient open: a path becomes a [`Root`], and from here on nobody
//! uses an ambient path.
//!
//! Leaves listing to `walk` and reading to `handle`.

#![expect(clippy::disallowed_methods, reason = "the one ambient open")]

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::ModelError;

/// A folder that was opened, and where in it the model is.
#[derive(Debug)]
pub struct Root {
    /// The folder; nothing outside of it can be reached.
    pub(super) dir: Dir,
    /// The model's folder or file, relative to `dir`.
    pub(super) base: PathBuf,
    /// Whether the model is one file.
    pub(super) is_file: bool,
}

impl Root {
    /// Opens the model at `path`.
    ///
    /// A snapshot in a hub cache (`models--ORG--NAME/snapshots/REV`) is opened
    /// at its hub folder, so that its links to `blobs/` stay inside.
    ///
    /// # Errors
    /// Says that nothing is there, that it can't be opened, or that it is no
    /// folder and no regular file.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let failed = |source| ModelError::Open { path: path.to_owned(), source };
        let absolute = std::path::absolute(path).map_err(failed)?;
        let hub = absolute.ancestors().skip(2).find(|hub| is_hub_of(hub, &absolute));
        // One file that is itself named on the command line may be a link to
        // anywhere: the operator named it. So it is resolved here, ambiently.
        let (anchor, base) = if let Some(hub) = hub {
            (hub.to_owned(), relative(&absolute, hub))
        } else {
            let real = resolve(&absolute).map_err(failed)?;
            match (real.parent(), real.file_name()) {
                (Some(parent), Some(name)) => {
                    let dir = Dir::open_ambient_dir(parent, ambient_authority()).map_err(failed)?;
                    let metadata = dir.symlink_metadata(name).map_err(failed)?;
                    if metadata.is_dir() {
                        (real.clone(), PathBuf::new())
                    } else if metadata.is_file() {
                        return Ok(Self { dir, base: PathBuf::from(name), is_file: true });
                    } else {
                        return Err(ModelError::NotAModel(path.to_owned()));
                    }
                }
                _ => (real.clone(), PathBuf::new()),
            }
        };
        let dir = Dir::open_ambient_dir(&anchor, ambient_authority()).map_err(failed)?;
        let metadata =
            if base.as_os_str().is_empty() { dir.dir_metadata() } else { dir.metadata(&base) };
        let metadata = metadata.map_err(failed)?;
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(ModelError::NotAModel(path.to_owned()));
        }
        Ok(Self { dir, base, is_file: metadata.is_file() })
    }
}

/// Returns whether a folder is at `path`, or where a link at it leads.
///
/// # Errors
/// Says that nothing is there, or that it can't be told.
pub fn is_folder(path: &Path) -> Result<bool, ModelError> {
    let failed = |source| ModelError::Open { path: path.to_owned(), source };
    std::fs::metadata(path).map(|metadata| metadata.is_dir()).map_err(failed)
}

/// Opens the folder at `path`, whose content says something of a model.
///
/// # Errors
/// Says that it isn't there, or can't be opened.
pub fn folder(path: &Path) -> Result<Dir, ModelError> {
    let failed = |source| ModelError::Open { path: path.to_owned(), source };
    Dir::open_ambient_dir(path, ambient_authority()).map_err(failed)
}

/// Resolves the path that the operator named, once, before it is opened.
fn resolve(path: &Path) -> std::io::Result<PathBuf> {
    std::fs::canonicalize(path)
}

/// Whether `path` lies in a snapshot of the hub cache folder `hub`.
fn is_hub_of(hub: &Path, path: &Path) -> bool {
    let named =
        hub.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"models--"));
    let rest = relative(path, hub);
    named && rest.components().next() == Some(Component::Normal(OsStr::new("snapshots")))
}

fn relative(path: &Path, to: &Path) -> PathBuf {
    path.strip_prefix(to).map(Path::to_owned).unwrap_or_default()
}
