//! The trusted registry on disk: a folder of entries, a file each, and the set
//! that lists them with their digests.
//!
//! Owns reading one ([`read`]), holding it to what the policy asks ([`Demands`]),
//! and changing it ([`edit`]). Its files are read and written in `disk`, an entry's
//! text in `entry`, the set's in `set`, and what contradicts itself is found in
//! `contradict`. Leaves comparing models with it to the `registry` plugin.

mod contradict;
mod disk;
pub mod edit;
mod entry;
mod set;
mod signature;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::digest::Digest;
use crate::domain::registry::{Registry, RegistryEntry, RegistrySet};

pub use super::signing::{Key, KeyError, Signer};

/// The name of the file that lists the entries.
pub const SET: &str = "registry.toml";

/// The name of the file with the signatures over it.
pub const SIGNATURE: &str = "registry.toml.sig";

/// The most entries of a set. Each is read whole at every run.
pub const MAX_ENTRIES: usize = 10_000;

/// The most bytes of one file: an entry that lists some 30,000 files.
pub const MAX_FILE: u64 = 4 << 20;

/// The most bytes of all files together: they are held in memory as a whole.
pub const MAX_ALL: u64 = 32 << 20;

/// The most mistakes that are told of one registry.
const MAX_MISTAKES: usize = 50;

/// Why a registry can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A part of it is not there, or can't be read.
    #[error("can't read {}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A part of it, or all of it, is larger than its bound.
    #[error("{} has more than {max} bytes", path.display())]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// The bound.
        max: u64,
    },
    /// It has more entries than [`MAX_ENTRIES`].
    #[error("the registry {} has more than {MAX_ENTRIES} entries", .0.display())]
    TooMany(PathBuf),
    /// It has mistakes in it; at least one.
    #[error("the registry {} has mistakes in it", path.display())]
    Mistakes {
        /// The folder.
        path: PathBuf,
        /// The mistakes, each in the file it is in.
        mistakes: Vec<Diagnostic>,
    },
    /// Its signature is not what is asked for.
    #[error("the registry {} is not trusted: {why}", path.display())]
    NotTrusted {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A part of it could not be written; what was there before is still there.
    #[error("can't write {}", path.display())]
    NotWritten {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A change asks for what can't be.
    #[error("{0}")]
    Change(String),
}

/// A registry as it was read, without any mistake in it.
#[derive(Clone, Debug)]
pub struct OnDisk {
    /// The folder.
    pub path: PathBuf,
    /// The set's own text.
    pub file: SourceFile,
    /// The number of the edition.
    pub sequence: u64,
    /// The entries, each with its text, sorted by name.
    pub entries: Vec<(SourceFile, Arc<RegistryEntry>)>,
    /// The signatures, as they were read.
    signatures: Option<Vec<u8>>,
}

/// What a policy asks of a registry.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The digest that the set must have.
    pub pin: Option<Digest>,
    /// The least number of its edition.
    pub min_sequence: Option<u64>,
    /// The keys of which one must have signed it; none where no signature is asked
    /// for.
    pub keys: Vec<Key>,
}

/// Reads the registry in the folder `path`, shown to a person as `shown`.
///
/// # Errors
/// Fails where a part of it can't be read or is past its bound, and with every
/// mistake in it: in the form of a file, in how the set and its entries fit
/// together, and in entries that contradict each other.
pub fn read(path: &Path, shown: &str) -> Result<OnDisk, RegistryError> {
    read_as(path, shown, Sealed::Yes)
}

/// Whether entries are to be those that the set lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sealed {
    Yes,
    /// They are about to be listed as they are.
    NotYet,
}

fn read_as(path: &Path, shown: &str, sealed: Sealed) -> Result<OnDisk, RegistryError> {
    let mut files = disk::Files::open(path, shown)?;
    let (file, set) = match files.read(SET)? {
        Some(file) => {
            let set = set::parse(&file).map_err(|mistakes| wrong(path, mistakes))?;
            (file, set)
        }
        None if sealed == Sealed::NotYet => {
            let file = SourceFile { path: files.shown(SET).into(), text: "".into() };
            (file, set::Set::default())
        }
        None => {
            let source = io::ErrorKind::NotFound.into();
            return Err(RegistryError::Unreadable { path: path.join(SET), source });
        }
    };
    let listing: BTreeMap<&str, &set::Listed> =
        set.entries.iter().map(|listed| (listed.file.as_str(), listed)).collect();
    let mut mistakes = Vec::new();
    let mut entries = Vec::new();
    for name in files.entries() {
        let Some(text) = files.read(&name)? else { continue };
        let listed = listing.get(name.as_str());
        let digest = Digest::of(text.text.as_bytes());
        match listed {
            _ if sealed == Sealed::NotYet => {}
            Some(listed) if listed.digest == digest => {}
            Some(listed) => mistakes.push(
                Diagnostic::new(&file, listed.span.clone(), format!("`{name}` is not the listed one: it is {digest}"))
                    .with_help("it was changed without the set; look at what changed, then run `modelhost registry seal`"),
            ),
            None => mistakes.push(
                Diagnostic::new(&text, 0..0, "the set does not list this entry")
                    .with_help("remove it, or take it in with `modelhost registry seal`"),
            ),
        }
        match entry::parse(&text, digest) {
            Ok(entry) => entries.push((text, Arc::new(entry))),
            Err(found) => mistakes.extend(found),
        }
    }
    if sealed == Sealed::Yes {
        let is_there = |name: &str| files.has(name);
        for listed in listing.values().filter(|listed| !is_there(&listed.file)) {
            let message = format!("the entry `{}` is not there", listed.file);
            mistakes.push(Diagnostic::new(&file, listed.span.clone(), message));
        }
    }
    entries.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    mistakes.extend(contradict::find(&entries));
    if !mistakes.is_empty() {
        return Err(wrong(path, mistakes));
    }
    let signatures = files.read_bytes(SIGNATURE)?;
    Ok(OnDisk { path: path.to_owned(), file, sequence: set.sequence, entries, signatures })
}

fn wrong(path: &Path, mut mistakes: Vec<Diagnostic>) -> RegistryError {
    mistakes.truncate(MAX_MISTAKES);
    RegistryError::Mistakes { path: path.to_owned(), mistakes }
}

impl OnDisk {
    /// Returns the digest of the set.
    pub fn digest(&self) -> Digest {
        Digest::of(self.file.text.as_bytes())
    }

    /// Returns the fingerprints of the keys that the set says it is signed by.
    ///
    /// # Errors
    /// Says that the file with the signatures can't be read.
    pub fn signed_by(&self) -> Result<Vec<String>, RegistryError> {
        let Some(signatures) = &self.signatures else { return Ok(Vec::new()) };
        signature::key_ids(signatures).map_err(|why| self.not_trusted(why))
    }

    /// Holds the registry to what a policy asks.
    ///
    /// # Errors
    /// Says what it is not: signed by one of the keys, the pinned one, or new enough.
    pub fn hold_to(self, demands: &Demands) -> Result<Registry, RegistryError> {
        let digest = self.digest();
        if let Some(pin) = demands.pin.filter(|pin| *pin != digest) {
            return Err(self.not_trusted(format!("the set is {digest}, and {pin} is pinned")));
        }
        if let Some(least) = demands.min_sequence.filter(|least| *least > self.sequence) {
            let why = format!(
                "its sequence is {}, and the policy asks for {least} at least",
                self.sequence
            );
            return Err(self.not_trusted(why));
        }
        if !demands.keys.is_empty() {
            let Some(signatures) = &self.signatures else {
                let why =
                    format!("it is not signed: there is no {SIGNATURE}, and the policy pins a key");
                return Err(self.not_trusted(why));
            };
            signature::verify(self.file.text.as_bytes(), signatures, &demands.keys)
                .map_err(|why| self.not_trusted(why))?;
        }
        let signed = !demands.keys.is_empty();
        let set = RegistrySet { sequence: self.sequence, digest, signed };
        Ok(Registry { set, entries: self.entries.into_iter().map(|(_, entry)| entry).collect() })
    }

    fn not_trusted(&self, why: impl Into<String>) -> RegistryError {
        RegistryError::NotTrusted { path: self.path.clone(), why: why.into() }
    }
}
