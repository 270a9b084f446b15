//! `modelhost.lock`: the digests of every file of every model, and of every
//! plugin, as they were when somebody said that they are right.
//!
//! Owns what the file says ([`LockFile`]) and how plugins differ from it
//! ([`Drift`]); its text is read in `parse` and written in `render`, the file
//! itself in `disk`. Leaves comparing models with it to the `checksum` plugin,
//! which also recomputes the tree digests.

mod disk;
mod fields;
mod parse;
mod render;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::domain::attested::{Attested, AttestedPlugin};
use crate::domain::capability::Capability;
use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::digest::Digest;
use crate::domain::model::{LockEntry, ModelName};
use crate::domain::plugin::{PluginId, ResolvedPlugin};
use crate::domain::verdict::Verdict;

pub use disk::{LockError, MAX_LOCK, read, write};

/// The name of the lock file, beside `modelhost.toml`.
pub const NAME: &str = "modelhost.lock";

/// What a lock file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    /// Which edition of the trusted registry was there; none where the policy named
    /// no registry.
    pub registry: Option<LockedRegistry>,
    /// The models, by name.
    pub models: BTreeMap<ModelName, LockEntry>,
    /// The plugins, by id.
    pub plugins: BTreeMap<PluginId, LockedPlugin>,
}

/// What a lock file says of the trusted registry: that none older is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockedRegistry {
    /// The number of the edition.
    pub sequence: u64,
    /// The digest of the set.
    pub digest: Digest,
    /// The line of the lock file it starts at, from 1; 0 for one that was not read
    /// from there.
    pub line: u32,
}

impl LockedRegistry {
    /// Says how the set of that sequence and digest is older than this one, or another
    /// of the same sequence; none where it is neither.
    pub fn rolled_back(&self, sequence: u64, digest: Digest) -> Option<String> {
        let locked = self.sequence;
        if sequence < locked {
            return Some(format!(
                "the registry was rolled back: its sequence is {sequence}, and {locked} is locked"
            ));
        }
        (sequence == locked && digest != self.digest).then(|| {
            format!(
                "the registry is another one of the same sequence {sequence}: it is {digest}, and {} is locked",
                self.digest
            )
        })
    }
}

/// What a lock file says of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedPlugin {
    /// Its version.
    pub version: semver::Version,
    /// The digest of its component.
    pub digest: Digest,
    /// The line of the contract it speaks, such as `v0.1`; none where it was
    /// not known.
    pub contract: Option<String>,
    /// The capabilities it asks for.
    pub capabilities: BTreeSet<Capability>,
    /// The line of the lock file the entry starts at, from 1; 0 for an entry
    /// that was not read from one.
    pub line: u32,
}

impl LockedPlugin {
    /// Returns what a lock file is to say of `plugin`.
    pub fn of(plugin: &ResolvedPlugin) -> Self {
        Self {
            version: plugin.manifest.version.clone(),
            digest: plugin.digest,
            contract: plugin.imports.contract.as_deref().and_then(contract_line),
            capabilities: plugin.imports.capabilities.iter().copied().collect(),
            line: 0,
        }
    }
}

/// Returns the line that version `version` of the contract belongs to: the
/// versions that semver calls compatible with it. None for what is no version.
fn contract_line(version: &str) -> Option<String> {
    let version = semver::Version::parse(version).ok()?;
    let line = match version.major {
        0 => format!("v0.{}", version.minor),
        major => format!("v{major}"),
    };
    parse::contract_line(&line).is_ok().then_some(line)
}

impl LockFile {
    /// Reads the text of a lock file. The order of entries is free; everything
    /// else is strict.
    ///
    /// # Errors
    /// Returns every mistake in it.
    pub fn parse(file: &SourceFile) -> Result<Self, Vec<Diagnostic>> {
        // The form that `render` writes is read without building a tree of the
        // text, which for a lock of many files is most of the time and memory.
        match render::read_canonical(&file.text) {
            Some(lock) => Ok(lock),
            None => parse::parse(file),
        }
    }

    /// Returns the one text that says this: sorted, the same for the same
    /// content, a line for each file.
    pub fn render(&self) -> String {
        let mut text = String::new();
        render::render(self, &mut text).expect("writing to a String can't fail");
        text
    }

    /// Notes what a run concluded of the models: the license, where none is noted, and
    /// who signed. Only what a bundled check that passed or warned established of the
    /// very files that are locked counts. Returns what was not noted, and why, a line
    /// each.
    pub fn conclude(&mut self, run: &Attested) -> Vec<String> {
        let mut remarks = Vec::new();
        for (name, entry) in &mut self.models {
            let place = run.models.binary_search_by(|model| model.name.cmp(name));
            let Some(model) = place.ok().and_then(|place| run.models.get(place)) else {
                remarks.push(format!("model {name}: not in the report"));
                continue;
            };
            if model.tree != entry.tree {
                remarks.push(format!("model {name}: the report is about other files"));
                continue;
            }
            let fact = |plugin: &str, key: &str| {
                let is_bundled =
                    |other: &&AttestedPlugin| other.bundled && other.id.as_str() == plugin;
                let own = run.plugins.iter().find(is_bundled)?;
                let check = model.checks.get(&own.id)?;
                let holds = matches!(check.verdict, Verdict::Pass | Verdict::Warn);
                check.facts.get(key).filter(|_| holds).cloned()
            };
            if let Some(license) = fact("license", "concluded") {
                match &entry.notes.license {
                    Some(stated) if *stated != license => remarks.push(format!(
                        "model {name}: the license {stated} is noted, and {license} was concluded"
                    )),
                    _ => entry.notes.license = Some(license),
                }
            }
            entry.notes.signer = fact("provenance", "signer").or(entry.notes.signer.take());
        }
        remarks
    }

    /// Returns whether `text` is what [`LockFile::render`] writes.
    pub fn is_canonical(&self, text: &str) -> bool {
        render::is_rendering(self, text)
    }

    /// Returns how `plugins` differ from what is locked, in their order. What
    /// is locked and not among them is no drift: it can't run.
    pub fn plugin_drift(&self, plugins: &[ResolvedPlugin]) -> Vec<Drift> {
        plugins.iter().flat_map(|plugin| self.drift_of(plugin)).collect()
    }

    fn drift_of(&self, plugin: &ResolvedPlugin) -> Vec<Drift> {
        let id = &plugin.manifest.id;
        let found = LockedPlugin::of(plugin);
        let Some(locked) = self.plugins.get(id) else {
            let kind = DriftKind::NotLocked;
            return vec![Drift { plugin: id.clone(), kind, line: None }];
        };
        let mut kinds = Vec::new();
        if locked.digest != found.digest {
            kinds.push(DriftKind::Digest { locked: locked.digest, found: found.digest });
        }
        if locked.version != found.version {
            kinds.push(DriftKind::Version { locked: locked.version.clone(), found: found.version });
        }
        if locked.contract != found.contract {
            kinds.push(DriftKind::Contract {
                locked: locked.contract.clone(),
                found: found.contract,
            });
        }
        let new = found.capabilities.difference(&locked.capabilities);
        kinds.extend(new.copied().map(DriftKind::Capability));
        let drift = |kind| Drift { plugin: id.clone(), kind, line: Some(locked.line) };
        kinds.into_iter().map(drift).collect()
    }
}

/// One way in which a plugin differs from what is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The plugin.
    pub plugin: PluginId,
    /// What differs.
    pub kind: DriftKind,
    /// The line of its entry in the lock file, from 1; none where it has none.
    pub line: Option<u32>,
}

/// The ways in which a plugin can differ from what is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriftKind {
    /// It has no entry.
    NotLocked,
    /// It is another component.
    Digest {
        /// The digest in the lock file.
        locked: Digest,
        /// The digest of what was found.
        found: Digest,
    },
    /// It says it is another version.
    Version {
        /// The version in the lock file.
        locked: semver::Version,
        /// The version of what was found.
        found: semver::Version,
    },
    /// It speaks another line of the contract.
    Contract {
        /// The line in the lock file.
        locked: Option<String>,
        /// The line of what was found.
        found: Option<String>,
    },
    /// It asks for a capability that it did not ask for when it was locked.
    Capability(Capability),
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugin = &self.plugin;
        let word = |line: &Option<String>| line.clone().unwrap_or_else(|| "none".to_owned());
        match &self.kind {
            DriftKind::NotLocked => write!(f, "plugin `{plugin}` is not locked"),
            DriftKind::Digest { locked, found } => {
                write!(f, "plugin `{plugin}` is {found}, and {locked} is locked")
            }
            DriftKind::Version { locked, found } => {
                write!(f, "plugin `{plugin}` is version {found}, and {locked} is locked")
            }
            DriftKind::Contract { locked, found } => {
                let (locked, found) = (word(locked), word(found));
                write!(f, "plugin `{plugin}` speaks contract {found}, and {locked} is locked")
            }
            DriftKind::Capability(capability) => {
                write!(f, "plugin `{plugin}` asks for `{capability}`, which is not locked")
            }
        }
    }
}

impl Drift {
    /// Returns it as a mistake in the lock file `lock`, at the plugin's entry.
    pub fn diagnostic(&self, lock: &SourceFile) -> Diagnostic {
        let span = lock.line_span(self.line.unwrap_or(1));
        let help = "look at what changed with `modelhost plugin inspect`; if it is meant, \
                    run `modelhost lock` and commit modelhost.lock";
        Diagnostic::new(lock, span, self.to_string()).with_help(help)
    }
}
