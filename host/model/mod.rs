//! The files of a model: opened once, listed, read in bounds, hashed once.
//!
//! Leaves what they mean to plugins and policy.
//!
//! # Invariants
//! - One ambient open a model, in `open`; from there on everything is relative
//!   to that folder's descriptor and can't leave it.
//! - Only regular files are read, and only while they are the file that was
//!   listed: same device, inode, size and time of last change.
//! - Who reads for a plugin tells the keyed digest of each chunk it read; two
//!   that differ, or one that differs from the digest pass's, make it changed.

pub mod chunk;
pub mod content;
pub mod digest;
pub mod find;
pub(crate) mod fit;
pub mod handle;
pub mod known;
pub mod open;
pub mod reader;
pub(crate) mod second;
pub(crate) mod spread;
pub mod tensors;
#[cfg(test)]
mod testing;
pub mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::finding::Finding;
use crate::domain::lineage::Base;
use crate::domain::model::{DefinedAt, Definition, FilePath, LockEntry, ModelName};
use crate::domain::registry::Registered;

pub use chunk::ChunkKey;
pub(crate) use handle::Descriptors;
pub use handle::{FileHandle, Pool, ReadError};
pub use known::Known;

/// One model with its files, ready to be read.
#[derive(Debug)]
pub struct Model {
    /// Its name, unique in the run.
    pub name: ModelName,
    /// Its path as shown to a person.
    pub path: String,
    /// What the policy says it should be.
    pub definition: Option<Definition>,
    /// Where the policy says so.
    pub defined_at: Option<DefinedAt>,
    /// Its entry in the lock file.
    pub lock: Option<Arc<LockEntry>>,
    /// What it was made from, and those from what, as the lock file tells.
    pub lineage: Arc<[Base]>,
    /// What the trusted registry says of its name, and of its source and revision;
    /// none where the policy names no registry.
    pub registered: Option<Arc<Registered>>,
    /// Its files, sorted by path.
    pub files: Vec<Arc<FileHandle>>,
    /// What listing it found: links that lead outside, special files.
    pub findings: Vec<Finding>,
    /// Files that are there but can't be opened, sorted.
    pub unreadable: Vec<FilePath>,
}

impl Model {
    /// Returns the bytes of all files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size()).sum()
    }
}

/// Opens the model at `path` and lists its files, to be read through `pool`: at
/// most `most` entries.
///
/// # Errors
/// Says that it isn't there, can't be listed, or is no model.
pub fn open(
    path: &Path,
    name: ModelName,
    shown: &str,
    pool: &Arc<Pool>,
    most: usize,
) -> Result<Model, ModelError> {
    let root = Arc::new(open::Root::open(path)?);
    let listing = walk::list(&root, pool, path, most)?;
    Ok(Model {
        name,
        path: shown.to_owned(),
        definition: None,
        defined_at: None,
        lock: None,
        lineage: Arc::new([]),
        registered: None,
        files: listing.files,
        findings: listing.findings,
        unreadable: listing.unreadable,
    })
}

/// Reads the one file at `path` wholly: a document of the operator's.
///
/// # Errors
/// Says that it isn't there, is no regular file, can't be read, or has more
/// than `max` bytes.
pub fn read_document(path: &Path, max: u64) -> Result<Vec<u8>, ModelError> {
    let failed = |source| ModelError::Open { path: path.to_owned(), source };
    let root = Arc::new(open::Root::open(path)?);
    let listing = walk::list(&root, &Arc::new(Pool::default()), path, 1)?;
    let [file] = listing.files.as_slice() else {
        return Err(ModelError::NotAModel(path.to_owned()));
    };
    if !root.is_file || file.size() > max {
        return Err(failed(std::io::Error::other(format!(
            "a document is one file of at most {max} bytes"
        ))));
    }
    let size = usize::try_from(file.size()).unwrap_or(usize::MAX);
    file.read(0, size).map_err(|error| failed(std::io::Error::other(error.to_string())))
}

/// Why a model could not be opened or listed.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is nothing at that path, or it can't be opened.
    #[error("can't open {}", path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is neither a folder nor a regular file.
    #[error("{} is neither a folder nor a regular file", .0.display())]
    NotAModel(PathBuf),
    /// It has more entries than are to be listed.
    #[error("{} has more than {most} entries", path.display())]
    TooMany {
        /// The path.
        path: PathBuf,
        /// How many are.
        most: usize,
    },
}
