//! What a plugin may reach: [`Capability`], [`Grants`].
//!
//! Leaves how much of the machine it may use to `limits`, enforcing both to
//! `engine`, and deciding them to `policy`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use super::limits::{Limit, Limits, LimitsAsked, MAX_ASK};
pub use super::unit::Unit;

/// A kind of access: one WIT interface, one key in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// The run's one fixed time.
    Clock,
    /// What the repository says of the model: definition and lock entry.
    Definition,
    /// Digests at the host's speed.
    Digest,
    /// Documents that the operator grants by name.
    Documents,
    /// The files of the model being checked, read-only.
    Files,
    /// Capped log lines.
    Log,
}

impl Capability {
    /// All capabilities, sorted by name.
    pub const ALL: [Self; 6] =
        [Self::Clock, Self::Definition, Self::Digest, Self::Documents, Self::Files, Self::Log];

    /// Returns the name: of the WIT interface and of the key in the policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Definition => "definition",
            Self::Digest => "digest",
            Self::Documents => "documents",
            Self::Files => "files",
            Self::Log => "log",
        }
    }

    /// Whether every plugin has it unless the policy takes it away: true for
    /// what reaches nothing but the model being checked and one fixed date.
    pub const fn is_default(self) -> bool {
        match self {
            Self::Clock | Self::Definition | Self::Digest | Self::Files | Self::Log => true,
            Self::Documents => false,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Capability {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.name() == text)
            .ok_or_else(|| GrantError::Unknown(text.to_owned()))
    }
}

/// One grant as the policy writes it: a capability, or `documents:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// A whole capability.
    Capability(Capability),
    /// One document, and with it the `documents` capability.
    Document(String),
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        match text.split_once(':') {
            Some(("documents", "")) => Err(GrantError::NamelessDocument),
            Some(("documents", name)) => Ok(Self::Document(name.to_owned())),
            _ => text.parse().map(Self::Capability),
        }
    }
}

/// Why a text is no grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// There is no such capability.
    #[error(
        "there is no capability `{0}`; there are clock, definition, digest, documents:NAME, files, log"
    )]
    Unknown(String),
    /// `documents:` names no document.
    #[error("`documents:` names no document; write documents:NAME")]
    NamelessDocument,
}

/// What one plugin is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    capabilities: BTreeSet<Capability>,
    documents: BTreeSet<String>,
}

impl Default for Grants {
    /// Returns the capabilities that every plugin has.
    fn default() -> Self {
        Self {
            capabilities: Capability::ALL.into_iter().filter(|c| c.is_default()).collect(),
            documents: BTreeSet::new(),
        }
    }
}

impl Grants {
    /// Adds `grant`; a document brings its capability with it.
    pub fn add(&mut self, grant: Grant) {
        match grant {
            Grant::Capability(capability) => {
                self.capabilities.insert(capability);
            }
            Grant::Document(name) => {
                self.capabilities.insert(Capability::Documents);
                self.documents.insert(name);
            }
        }
    }

    /// Takes `grant` away; without its capability no document is left.
    pub fn remove(&mut self, grant: &Grant) {
        match grant {
            Grant::Capability(capability) => {
                self.capabilities.remove(capability);
                if *capability == Capability::Documents {
                    self.documents.clear();
                }
            }
            Grant::Document(name) => {
                self.documents.remove(name);
            }
        }
    }

    /// Returns whether `capability` is granted.
    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Returns the granted capabilities, sorted.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.capabilities.iter().copied()
    }

    /// Returns the names of the granted documents, sorted.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.documents.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_add_and_take_away() {
        let mut grants = Grants::default();
        assert!(!grants.has(Capability::Documents));
        grants.add("documents:key".parse().expect("a grant"));
        assert!(grants.has(Capability::Documents));
        assert_eq!(grants.documents().collect::<Vec<_>>(), ["key"]);
        grants.remove(&Grant::Capability(Capability::Documents));
        assert!(!grants.has(Capability::Documents));
        assert_eq!(grants.documents().count(), 0);
        assert_eq!("net".parse::<Grant>(), Err(GrantError::Unknown("net".to_owned())));
        assert_eq!("documents:".parse::<Grant>(), Err(GrantError::NamelessDocument));
    }
}
