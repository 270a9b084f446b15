//! The custom section, the form of a manifest that travels in its component:
//! JSON, `{"plugin": {…}, "version": 1}`, keys sorted, so that one manifest has
//! one form.

use serde::{Deserialize, Serialize};

use super::check::{self, Mistake, Step};
use super::shape::Text;
use crate::domain::plugin::Manifest;
use crate::domain::text::GuestText;

/// The most bytes of the section: a thousand rules with a few sentences of help
/// each. It is parsed before anything is known of the plugin.
pub const MAX_SECTION: usize = 256 << 10;
/// The version of the section's form.
const VERSION: u32 = 1;
/// The most bytes of a message about a hostile section.
const MAX_MESSAGE: usize = 512;

/// Why a section can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectionError {
    /// It has too many bytes.
    #[error("it has {0} bytes, and a manifest has at most {MAX_SECTION}")]
    TooLong(usize),
    /// It is of a form that this modelhost does not know.
    #[error("it is of version {0}, and this modelhost reads version {VERSION}")]
    Version(u64),
    /// It is not of the form.
    #[error("{0}")]
    Form(GuestText),
    /// It breaks a rule of manifests.
    #[error("{place}: {message}")]
    Rule {
        /// Where, as in `rule[3].id`.
        place: String,
        /// What is wrong.
        message: GuestText,
    },
}

impl SectionError {
    /// Returns what a person can do about it.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "shorten the help of its rules, and pack it again",
            Self::Version(_) => "take a newer modelhost, or a plugin that was packed for this one",
            Self::Form(_) | Self::Rule { .. } => {
                "pack the plugin again by `modelhost plugin pack`, which writes no such manifest"
            }
        }
    }
}

#[derive(Serialize)]
struct Section {
    plugin: Text,
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictSection {
    plugin: Text,
    #[serde(rename = "version")]
    _version: u32,
}

/// As much of a section as every version of it has.
#[derive(Deserialize)]
struct AnySection {
    version: u64,
}

/// Writes `manifest` as the content of the custom section.
///
/// # Errors
/// It has too many bytes.
pub fn to_section(manifest: &Manifest) -> Result<Vec<u8>, SectionError> {
    let section = Section {
        plugin: Text::from(manifest),
        version: VERSION,
    };
    let mut value = serde_json::to_value(section).map_err(form)?;
    // Sorted here, whatever the map that serde_json was built with.
    value.sort_all_objects();
    let bytes = serde_json::to_vec(&value).map_err(form)?;
    if bytes.len() > MAX_SECTION {
        return Err(SectionError::TooLong(bytes.len()));
    }
    Ok(bytes)
}

/// Reads a manifest from the content of the custom section.
///
/// # Errors
/// Says what is wrong with it: it may be anything.
pub fn from_section(bytes: &[u8]) -> Result<Manifest, SectionError> {
    if bytes.len() > MAX_SECTION {
        return Err(SectionError::TooLong(bytes.len()));
    }
    let any: AnySection = serde_json::from_slice(bytes).map_err(form)?;
    if any.version != u64::from(VERSION) {
        return Err(SectionError::Version(any.version));
    }
    let section: StrictSection = serde_json::from_slice(bytes).map_err(form)?;
    check::check(&section.plugin, false).map_err(|mistakes| match mistakes.first() {
        Some(mistake) => SectionError::Rule {
            place: place(mistake),
            message: GuestText::new(&mistake.message, MAX_MESSAGE),
        },
        None => SectionError::Form(GuestText::capped("it breaks a rule of manifests")),
    })
}

fn form(error: serde_json::Error) -> SectionError {
    SectionError::Form(GuestText::new(&error.to_string(), MAX_MESSAGE))
}

fn place(mistake: &Mistake<'_>) -> String {
    let mut out = String::new();
    for step in &mistake.path {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => out.extend([".", key]),
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}
