//! What a plugin may reach ([`Capability`], [`Grants`]) and how much of the
//! machine it may use ([`Limits`]).
//!
//! Leaves enforcing both to `engine`, and deciding them to `policy`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

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

/// How much of the machine the tasks of one plugin may use. Every bound holds
/// for one task; sums go over all memories, tables and calls of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fuel, roughly one unit an instruction, whatever the view.
    pub fuel: u64,
    /// Fuel added for each byte of the view.
    pub fuel_per_byte: u64,
    /// Wall time, whatever the view.
    pub deadline: Duration,
    /// Wall time added for each GiB of the view.
    pub deadline_per_gib: Duration,
    /// Bytes over all linear memories.
    pub memory: u64,
    /// Elements over all tables.
    pub table_elements: u64,
    /// Core and component instances.
    pub instances: u32,
    /// Bytes of the component's file.
    pub component_size: u64,
    /// Calls into the host, whatever the view; a view adds one for each 4 KiB
    /// and 16 for each file.
    pub host_calls: u64,
    /// Handles alive at once.
    pub handles: u32,
    /// Findings in the answer.
    pub findings: u32,
    /// Bytes of one text in the answer.
    pub text: u32,
    /// Facts in the answer.
    pub facts: u32,
    /// Log lines; those past it are counted and dropped.
    pub log_lines: u32,
}

/// How many times its default a plugin's manifest may ask of a limit; beyond
/// it the policy must say so.
pub const MAX_ASK: u64 = 10;

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 5_000_000_000,
            fuel_per_byte: 100,
            deadline: Duration::from_secs(30),
            deadline_per_gib: Duration::from_secs(10),
            memory: 256 << 20,
            table_elements: 100_000,
            instances: 64,
            component_size: 64 << 20,
            host_calls: 1_000_000,
            handles: 1024,
            findings: 1000,
            text: 4096,
            facts: 256,
            log_lines: 1000,
        }
    }
}

impl Limits {
    /// Returns the fuel of a task whose view has `size` bytes.
    pub const fn task_fuel(&self, size: u64) -> u64 {
        self.fuel.saturating_add(self.fuel_per_byte.saturating_mul(size))
    }

    /// Returns the wall time of a task whose view has `size` bytes.
    pub fn task_deadline(&self, size: u64) -> Duration {
        let per_mib = self.deadline_per_gib / 1024;
        let mib = u32::try_from(size >> 20).unwrap_or(u32::MAX);
        self.deadline.saturating_add(per_mib.saturating_mul(mib))
    }

    /// Returns the host calls of a task whose view has `files` files of `size`
    /// bytes together.
    pub const fn task_host_calls(&self, size: u64, files: u64) -> u64 {
        self.host_calls.saturating_add(size / 4096).saturating_add(files.saturating_mul(16))
    }
}

/// What a manifest asks of the limits; absent means the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsAsked {
    /// Fuel, whatever the view.
    pub fuel: Option<u64>,
    /// Fuel for each byte of the view.
    pub fuel_per_byte: Option<u64>,
    /// Bytes over all linear memories.
    pub memory: Option<u64>,
    /// Wall time, whatever the view.
    pub deadline: Option<Duration>,
}

impl LimitsAsked {
    /// Returns the first limit that is asked for beyond [`MAX_ASK`] times its
    /// default, which only the policy may give.
    pub fn excess(&self) -> Option<&'static str> {
        let default = Limits::default();
        let over = |asked: Option<u64>, default: u64| {
            asked.is_some_and(|asked| asked > default.saturating_mul(MAX_ASK))
        };
        if over(self.fuel, default.fuel) {
            Some("fuel")
        } else if over(self.fuel_per_byte, default.fuel_per_byte) {
            Some("fuel-per-byte")
        } else if over(self.memory, default.memory) {
            Some("memory")
        } else if over(self.deadline.map(|d| d.as_secs()), default.deadline.as_secs()) {
            Some("deadline")
        } else {
            None
        }
    }

    /// Sets what is asked for in `limits`.
    pub fn apply(&self, limits: &mut Limits) {
        limits.fuel = self.fuel.unwrap_or(limits.fuel);
        limits.fuel_per_byte = self.fuel_per_byte.unwrap_or(limits.fuel_per_byte);
        limits.memory = self.memory.unwrap_or(limits.memory);
        limits.deadline = self.deadline.unwrap_or(limits.deadline);
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

    #[test]
    fn limits_grow_with_the_view_and_saturate() {
        let limits = Limits::default();
        assert_eq!(limits.task_fuel(1 << 30), 5_000_000_000 + 100 * (1 << 30));
        assert_eq!(limits.task_fuel(u64::MAX), u64::MAX);
        assert_eq!(limits.task_deadline(0), Duration::from_secs(30));
        assert!(limits.task_deadline(1 << 30) >= Duration::from_millis(39_990));
        assert_eq!(limits.task_host_calls(8192, 2), 1_000_034);
    }
}
