//! What a plugin is known by and says of itself: [`PluginId`], [`Manifest`].
//!
//! Leaves reading it out of a component to `plugin` one floor up, and running
//! it to `engine`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::capability::LimitsAsked;
use super::digest::Digest;
use super::finding::Severity;

/// The name of a plugin: `[a-z][a-z0-9-]*`, at most 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(Arc<str>);

impl PluginId {
    /// Takes `text` for an id.
    ///
    /// # Errors
    /// Says why it can't be one.
    pub fn new(text: &str) -> Result<Self, PluginIdError> {
        if text == "gate" {
            return Err(PluginIdError::Reserved);
        }
        if !is_kebab(text) {
            return Err(PluginIdError::Form);
        }
        Ok(Self(text.into()))
    }

    /// Returns the reserved id of the gate's own findings.
    pub fn gate() -> Self {
        Self("gate".into())
    }

    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no plugin id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginIdError {
    /// It is `gate`.
    #[error("`gate` is reserved for the host's own findings")]
    Reserved,
    /// It is not of the form.
    #[error("a plugin id is 1 to 64 of a-z, 0-9 and `-`, and starts with a letter")]
    Form,
}

/// Whether `text` is kebab case: 1 to 64 of a-z, 0-9 and `-`, a letter first,
/// words parted by one `-` each.
pub fn is_kebab(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// What a plugin says of itself, in a custom section of its component.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The plugin's id.
    pub id: PluginId,
    /// Its version.
    pub version: semver::Version,
    /// A few words.
    pub title: String,
    /// A few sentences.
    pub description: String,
    /// The license of the plugin itself, an SPDX expression.
    pub license: Option<String>,
    /// Where to read more.
    pub homepage: Option<String>,
    /// What it can find, sorted by name.
    pub rules: Vec<Rule>,
    /// Globs over file paths: what it wants to see.
    pub files: Vec<String>,
    /// What one task of it sees.
    pub scope: Scope,
    /// How much it promises to read of each file it answers `checked` for.
    pub reads: Reads,
    /// Whether a file that it answers `checked` for is judged.
    pub judges: bool,
    /// The JSON Schema of its settings, as JSON text; none for no settings.
    pub settings: Option<String>,
    /// What it asks of the limits.
    pub limits: LimitsAsked,
}

impl Manifest {
    /// Returns the rule called `name`.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

/// One thing a plugin can find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its kebab-case name, without the plugin's id.
    pub name: String,
    /// A few words.
    pub title: String,
    /// How bad it usually is.
    pub severity: Severity,
    /// What it means and what to do, in Markdown.
    pub help: String,
    /// Whether it says that something is missing, so that it denies when its
    /// plugin is required.
    pub missing: bool,
}

/// What one task sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One matching file.
    File,
    /// All matching files of a model.
    Model,
}

impl Scope {
    /// Returns the scope's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Model => "model",
        }
    }
}

/// How much of each file a `checked` answer promises to have read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Every byte, read or digested.
    Whole,
    /// Something of each file that is not empty.
    Parts,
    /// Nothing; such a plugin never judges.
    None,
}

impl Reads {
    /// Returns the word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Parts => "parts",
            Self::None => "none",
        }
    }
}

/// Where a plugin's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginRef {
    /// One that is part of modelhost.
    Bundled(PluginId),
    /// A file.
    File(PathBuf),
}

/// A plugin whose bytes have been read and whose manifest is known; nothing of
/// it has run.
#[derive(Clone, Debug)]
pub struct ResolvedPlugin {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its component.
    pub bytes: Arc<[u8]>,
    /// Where the bytes came from.
    pub origin: PluginRef,
    /// The WIT line it speaks and the capabilities it asks for, by its imports.
    pub imports: Imports,
}

/// What a component imports, read from its type without running it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imports {
    /// Interfaces of the contract, sorted by name.
    pub capabilities: Vec<super::capability::Capability>,
    /// Everything else it asks for, which no grant can give.
    pub unknown: Vec<String>,
    /// The version of the contract it was built against, such as `0.1.0`; none
    /// where it exports no check.
    pub contract: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_form() {
        for good in ["a", "license", "acme-scan-2"] {
            assert!(PluginId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "2a", "-a", "a-", "a--b", "A", "a_b", "a/b", "é", &"a".repeat(65)] {
            assert_eq!(PluginId::new(bad), Err(PluginIdError::Form), "{bad}");
        }
        assert_eq!(PluginId::new("gate"), Err(PluginIdError::Reserved));
    }
}
