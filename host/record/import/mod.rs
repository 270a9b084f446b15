//! What other tools wrote down about a model's files, read into one form:
//! [`Claims`].
//!
//! Owns the list of formats and how one is recognised; each has a file of its
//! own, and `check` holds files against claims. Leaves opening the folder and
//! computing digests to whoever calls.
//!
//! # Invariants
//! - All that is read here is hostile: each read has a bound, no path leads out
//!   of the opened folder, and nothing is claimed of a path twice.
//! - A claim that can't be read is an error, never left out: what is imported is
//!   the whole claim.

mod check;
mod claims;
mod dvc;
mod error;
mod folder;
mod git_index;
mod git_lfs;
mod hub_cache;
mod hub_folder;
mod oci;
mod ollama;
mod oms;
mod place;
mod sums;
#[cfg(test)]
mod tests;
mod yaml;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cap_std::fs::Dir;

pub use check::{Difference, Digests, Found, Noted, check};
pub use claims::{Algorithm, Claim, ClaimedDigest, Claims};
pub use error::ImportError;
pub use place::anchor;

use folder::Folder;

/// A format that claims can be imported from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// A model's folder in the cache of the Hugging Face Hub's client.
    HubCache,
    /// A folder that the Hub's client downloaded into.
    HubFolder,
    /// A git working tree with git-lfs.
    GitLfs,
    /// `.dvc` files and `dvc.lock`.
    Dvc,
    /// `SHA256SUMS`, what `b3sum` writes, and their like.
    Sums,
    /// The bundle of an OpenSSF model signature.
    Oms,
    /// An OCI image layout: ModelPack, KitOps.
    Oci,
    /// The folder that Ollama keeps models in.
    Ollama,
}

/// What a format is and how it is read.
struct Reader {
    format: Format,
    name: &'static str,
    /// Whether the folder, or what is named in it, has this form.
    is: fn(&Folder<'_>, &Path) -> bool,
    read: fn(&Folder<'_>, &Request<'_>) -> Result<Claims, ImportError>,
}

/// All formats. A new one is a file beside this one, and a row here.
const READERS: [Reader; 8] = [
    Reader { format: Format::HubCache, name: "hf-cache", is: hub_cache::is, read: hub_cache::read },
    Reader {
        format: Format::HubFolder,
        name: "hf-folder",
        is: hub_folder::is,
        read: hub_folder::read,
    },
    Reader { format: Format::GitLfs, name: "git-lfs", is: git_lfs::is, read: git_lfs::read },
    Reader { format: Format::Dvc, name: "dvc", is: dvc::is, read: dvc::read },
    Reader { format: Format::Sums, name: "sums", is: sums::is, read: sums::read },
    Reader { format: Format::Oms, name: "oms", is: oms::is, read: oms::read },
    Reader { format: Format::Oci, name: "oci", is: oci::is, read: oci::read },
    Reader { format: Format::Ollama, name: "ollama", is: ollama::is, read: ollama::read },
];

impl Format {
    /// All formats.
    pub const ALL: [Self; 8] = [
        Self::HubCache,
        Self::HubFolder,
        Self::GitLfs,
        Self::Dvc,
        Self::Sums,
        Self::Oms,
        Self::Oci,
        Self::Ollama,
    ];

    fn reader(self) -> &'static Reader {
        let found = READERS.iter().find(|reader| reader.format == self);
        found.expect("a test finds a reader of each format")
    }

    /// Returns its name on the command line.
    pub fn name(self) -> &'static str {
        self.reader().name
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no format of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format `{0}`: write {list}", list = names(&Format::ALL))]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// Lists the names of formats.
fn names(formats: &[Format]) -> String {
    let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
    names.join(", ")
}

/// What is to be read, and how.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What is named within the opened folder; empty for the folder itself.
    pub within: &'a Path,
    /// The name of the opened folder, where it has one.
    pub folder: Option<&'a str>,
    /// Whether the model is somewhere else than in the opened folder: what the
    /// formats that pack files say is then wanted of the unpacked files.
    pub is_elsewhere: bool,
}

/// Reads the claims in `dir`, in the form of `format`, or else the one form that
/// it has.
///
/// # Errors
/// Says that it has no form that is known, or several; or what is wrong in it,
/// and where.
pub fn read(
    dir: &Dir,
    format: Option<Format>,
    request: &Request<'_>,
) -> Result<Claims, ImportError> {
    let folder = Folder::new(dir);
    let format = match format {
        Some(format) => format,
        None => match recognise(&folder, request.within)[..] {
            [format] => format,
            [] => return Err(ImportError::Unrecognised { known: names(&Format::ALL) }),
            ref several => return Err(ImportError::Several { formats: names(several) }),
        },
    };
    let mut claims = (format.reader().read)(&folder, request)?;
    if claims.files.is_empty() {
        return Err(ImportError::Nothing { format: format.name() });
    }
    claims.finish(format);
    Ok(claims)
}

/// Returns the formats that `folder` has the form of.
fn recognise(folder: &Folder<'_>, within: &Path) -> Vec<Format> {
    let is = |reader: &&Reader| (reader.is)(folder, within);
    READERS.iter().filter(is).map(|reader| reader.format).collect()
}

/// Joins a folder and a path in it, without asking any file system; none where
/// `..` leads out, or the path is absolute.
fn join(folder: &Path, path: &Path) -> Option<PathBuf> {
    use std::path::Component;
    let mut joined = folder.to_owned();
    for part in path.components() {
        match part {
            Component::Normal(name) => joined.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !joined.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(joined)
}
