//! What a plugin, or the gate itself, observed: [`Finding`], [`Fact`], and
//! where: [`Location`].
//!
//! Leaves what follows from them to `policy`.

use std::fmt;
use std::str::FromStr;

use super::model::FilePath;
use super::plugin::{PluginId, is_kebab};
use super::text::GuestText;

/// How bad it is if a finding is true, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never changes a verdict.
    Info,
    /// A weakness, or something missing that a stricter policy would ask for.
    Low,
    /// Likely to matter; a person should look.
    Medium,
    /// Unsafe, forbidden, or can't be shown safe.
    High,
    /// Does harm.
    Critical,
}

impl Severity {
    /// All severities, least first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the severity's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|severity| severity.name() == text).ok_or_else(|| {
            format!("there is no severity `{text}`; there are info, low, medium, high, critical")
        })
    }
}

/// How sure a check is that a finding is true, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess.
    Low,
    /// Probable.
    Medium,
    /// Seen.
    High,
}

impl Confidence {
    /// Returns the confidence's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A rule, `<plugin>/<kebab-name>`. The gate's own rules bear the plugin id
/// `gate`, which no plugin can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    plugin: PluginId,
    name: String,
}

impl RuleId {
    /// Makes the id of rule `name` of `plugin`; none where `name` is not kebab
    /// case of at most 64 bytes.
    pub fn new(plugin: PluginId, name: &str) -> Option<Self> {
        is_kebab(name).then(|| Self { plugin, name: name.to_owned() })
    }

    /// Makes the id of one of the gate's own rules.
    pub fn gate(name: &'static str) -> Self {
        debug_assert!(is_kebab(name));
        Self { plugin: PluginId::gate(), name: name.to_owned() }
    }

    /// Returns whose rule it is.
    pub const fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// Returns the name without the plugin's id.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.plugin, self.name)
    }
}

/// Where in a model something is. All absent: the model as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file, in the model or in its lock entry.
    pub file: Option<FilePath>,
    /// What within the file: an archive member, a tensor, a key.
    pub member: Option<GuestText>,
    /// A byte offset from the start of the member, else of the file.
    pub offset: Option<u64>,
    /// A line of a text file, from 1.
    pub line: Option<u32>,
}

impl Location {
    /// Returns the location of a whole file.
    pub fn file(path: FilePath) -> Self {
        Self { file: Some(path), ..Self::default() }
    }
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule it is a case of.
    pub rule: RuleId,
    /// How bad it is.
    pub severity: Severity,
    /// How sure the check is.
    pub confidence: Confidence,
    /// What was seen.
    pub message: GuestText,
    /// Where it was seen.
    pub location: Location,
    /// What to do about it.
    pub help: Option<GuestText>,
}

/// One thing a plugin established.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// A kebab-case name, unique in an answer.
    pub key: String,
    /// Its value.
    pub value: GuestText,
}
