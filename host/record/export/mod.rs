//! What is locked of models, written in the forms of other tools.
//!
//! Owns the list of forms and what they are made from; each has a file of its
//! own. From the lock file alone: no model is read. Leaves where it goes to
//! whoever calls.

mod cyclonedx;
mod oms;
mod sha256sums;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::domain::model::{FilePath, LockEntry, ModelName};

/// A form to write in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What `sha256sum` writes and checks.
    Sha256Sums,
    /// A CycloneDX 1.6 bill of materials, in JSON.
    CycloneDx,
    /// The statement of an OpenSSF model signature, to be signed.
    Oms,
}

impl Format {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Sha256Sums, Self::CycloneDx, Self::Oms];

    /// Returns its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256Sums => "sha256sums",
            Self::CycloneDx => "cyclonedx",
            Self::Oms => "oms",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no form of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format `{0}`: write sha256sums, cyclonedx or oms")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// One model that is exported.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'a> {
    /// Its name.
    pub name: &'a ModelName,
    /// Where it is, relative to the lock file.
    pub place: &'a str,
    /// What is locked of it.
    pub entry: &'a LockEntry,
    /// The license that the policy declares.
    pub license: Option<&'a str>,
}

/// Why models can't be written in a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The form is of one model.
    #[error("{format} is of one model, and {count} were asked for")]
    NotOne {
        /// The form.
        format: Format,
        /// How many models were asked for.
        count: usize,
    },
    /// The form can't name a file.
    #[error("{format} names files in UTF-8, and `{path}` is none")]
    Name {
        /// The form.
        format: Format,
        /// The file.
        path: FilePath,
    },
    /// Nothing is left to be written.
    #[error("{format} would list no file of {model}")]
    NoFiles {
        /// The form.
        format: Format,
        /// The model.
        model: ModelName,
    },
}

/// Writes `models` in `format`: the same bytes for the same locks. `when` is the
/// time that a bill of materials states, as RFC 3339 writes it; none to state
/// none.
///
/// # Errors
/// Says what the form has no way to say.
pub fn write(
    format: Format,
    models: &[Exported<'_>],
    when: Option<&str>,
) -> Result<Vec<u8>, ExportError> {
    match (format, models) {
        (Format::Sha256Sums, models) => Ok(sha256sums::write(models)),
        (Format::CycloneDx, models) => cyclonedx::write(models, when),
        (Format::Oms, [model]) => oms::write(model),
        (Format::Oms, models) => Err(ExportError::NotOne { format, count: models.len() }),
    }
}

/// Returns the name of a file in UTF-8, without the escapes of the lock file.
fn utf8(format: Format, path: &FilePath) -> Result<String, ExportError> {
    String::from_utf8(path.to_bytes()).map_err(|_| ExportError::Name { format, path: path.clone() })
}

/// Writes `value` as JSON, two spaces a level, and a line feed.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("values without keys that are no text");
    bytes.push(b'\n');
    bytes
}
