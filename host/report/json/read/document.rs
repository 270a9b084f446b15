//! As much of a JSON report as anybody reads back of it, in types of the domain:
//! a text that is not what it should be is told with its line.
//!
//! Fields may be added to the format at any time, so others are passed over. How
//! the values fit together is left to `read`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::domain::attested;
use crate::domain::decision::Decision;
use crate::domain::digest::Digest;
use crate::domain::finding::{Fingerprint, RuleId, Severity};
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::text::GuestText;
use crate::domain::verdict::Verdict;

/// A JSON report. Models, files and plugins are sorted, each once; each task is of
/// a model and a plugin that it lists; a tree digest is that of the files listed.
#[derive(Debug)]
pub struct Document {
    /// The digest of its bytes.
    pub digest: Digest,
    /// What stands in it.
    pub report: Report,
}

/// What stands in a JSON report.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// The version of modelhost that wrote it.
    pub modelhost: Is<semver::Version>,
    /// What the gate said.
    pub decision: Is<Decision>,
    /// The run's one time, as RFC 3339 writes it.
    pub now: Is<Time>,
    /// The operator's files that the run was held to.
    pub inputs: Inputs,
    /// The findings at or above this denied.
    pub fail_on: Is<Severity>,
    /// The plugins without whose verdict the run was incomplete.
    pub required: Vec<Is<PluginId>>,
    /// Present where the run computed no digests.
    pub scan_only: Option<IgnoredAny>,
    /// Present where the run did not read all that it names a digest of.
    pub trust_stat: Option<IgnoredAny>,
    /// What kept the run from allowing.
    pub reasons: Vec<IgnoredAny>,
    /// The plugins that took part.
    pub plugins: Vec<Plugin>,
    /// The models.
    pub models: Vec<Model>,
    /// The tasks.
    pub tasks: Vec<Task>,
}

/// The operator's files that a run was held to.
#[derive(Debug, Deserialize)]
pub struct Inputs {
    /// The policy and the definitions beside it.
    pub policy: Vec<Input>,
    /// The lock file.
    pub lock: Option<Input>,
    /// The baseline.
    pub baseline: Option<Input>,
}

/// One file of the operator's.
#[derive(Debug, Deserialize)]
pub struct Input {
    /// Its path. The operator chose it, and it need not be inert.
    pub path: String,
    /// The digest of its bytes.
    pub digest: Is<Digest>,
}

/// A plugin that took part.
#[derive(Debug, Deserialize)]
pub struct Plugin {
    /// Its id.
    pub id: Is<PluginId>,
    /// Its version.
    pub version: Is<semver::Version>,
    /// The digest of its component.
    pub digest: Is<Digest>,
    /// Where its component came from.
    pub origin: Is<GuestText>,
    /// Whether its findings count.
    pub mode: Is<GuestText>,
    /// The version of the contract it was built against.
    pub contract: Option<Is<GuestText>>,
    /// The capabilities it asks for.
    pub imports: Vec<Is<GuestText>>,
    /// What it is granted.
    pub grants: Grants,
    /// What its tasks may use.
    pub limits: BTreeMap<String, u64>,
}

/// What a plugin is granted.
#[derive(Debug, Deserialize)]
pub struct Grants {
    /// The capabilities.
    pub capabilities: Vec<Is<GuestText>>,
    /// The names of the documents.
    pub documents: Vec<Is<GuestText>>,
}

/// A model.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// Its name.
    pub name: Is<ModelName>,
    /// The digest over all its files.
    pub tree: Option<Is<Digest>>,
    /// Where the policy says it comes from.
    pub source: Option<Is<GuestText>>,
    /// The immutable revision of that source.
    pub revision: Option<Is<GuestText>>,
    /// Whether the lock file has an entry for it.
    pub locked: bool,
    /// Its files.
    pub files: Vec<File>,
    /// What the gate itself found in it.
    pub findings: Vec<Finding>,
}

/// A file of a model.
#[derive(Debug, Deserialize)]
pub struct File {
    /// Where it is in the model.
    pub path: Is<FilePath>,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Option<Is<Digest>>,
}

/// A task.
#[derive(Debug, Deserialize)]
pub struct Task {
    /// The plugin.
    pub plugin: Is<PluginId>,
    /// The name of the model.
    pub model: Is<ModelName>,
    /// The file it was on.
    pub file: Option<Is<FilePath>>,
    /// What the policy made of it.
    pub verdict: Is<Verdict>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What was established.
    pub facts: Vec<Fact>,
}

/// One thing a plugin established.
#[derive(Debug, Deserialize)]
pub struct Fact {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Is<GuestText>,
}

/// A finding, and what the policy made of it.
#[derive(Debug, Deserialize)]
pub struct Finding {
    /// Its rule.
    pub rule: Is<Code>,
    /// What it is known by.
    pub fingerprint: Is<Fingerprint>,
    /// How bad it is.
    pub severity: Is<Severity>,
    /// What was seen.
    pub message: Is<GuestText>,
    /// Where.
    pub location: Location,
    /// Whether it denies.
    pub denies: bool,
    /// Present where a waiver covers it.
    pub waived: Option<Waived>,
    /// The line of the lock file that speaks of it, from 1.
    pub lock_line: Option<u32>,
    /// Whether the baseline covers it.
    #[serde(default)]
    pub in_baseline: bool,
}

/// Where a finding is.
#[derive(Debug, Deserialize)]
pub struct Location {
    /// The file.
    pub file: Option<Is<FilePath>>,
    /// What within the file: an archive member, a tensor, a key.
    pub member: Option<Is<GuestText>>,
    /// A byte offset from the start of the member, else of the file.
    pub offset: Option<u64>,
    /// A line of the file, from 1.
    pub line: Option<u32>,
}

/// What covers a finding.
#[derive(Debug, Deserialize)]
pub struct Waived {
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Its last day.
    pub expires: String,
}

/// The rule of a finding, as it is written.
#[derive(Debug)]
pub struct Code {
    /// The whole of it.
    pub text: GuestText,
    /// The rule of a plugin; none for one of the gate's own.
    pub rule: Option<RuleId>,
}

/// A time as modelhost writes it.
#[derive(Debug)]
pub struct Time(pub String);

/// A text that is a value of the domain: exactly as the report writes that value.
#[derive(Debug)]
pub struct Is<T>(pub T);

impl<'de, T: Written> Deserialize<'de> for Is<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match T::parse(&text) {
            Ok(value) => Ok(Self(value)),
            Err(why) => Err(D::Error::custom(format_args!("`{text}`: {why}"))),
        }
    }
}

/// A value that a report writes as text.
pub trait Written: Sized {
    /// Reads what a report writes.
    ///
    /// # Errors
    /// Says why `text` is none.
    fn parse(text: &str) -> Result<Self, String>;
}

fn from_str<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn one_of<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, String> {
    let names = || all.iter().map(|word| name(*word)).collect::<Vec<_>>().join(", ");
    let found = all.iter().copied().find(|word| name(*word) == text);
    found.ok_or_else(|| format!("it is none of {}", names()))
}

/// Says that a text is not what its writer makes of it.
fn unless<T>(value: T, same: bool) -> Result<T, String> {
    if same { Ok(value) } else { Err("a report does not write it so".to_owned()) }
}

impl Written for Digest {
    fn parse(text: &str) -> Result<Self, String> {
        from_str(text)
    }
}

impl Written for Fingerprint {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "it is no fingerprint of 32 hex digits".to_owned())
    }
}

impl Written for semver::Version {
    fn parse(text: &str) -> Result<Self, String> {
        from_str(text)
    }
}

impl Written for PluginId {
    fn parse(text: &str) -> Result<Self, String> {
        Self::new(text).map_err(|error| error.to_string())
    }
}

impl Written for Decision {
    fn parse(text: &str) -> Result<Self, String> {
        one_of(&[Self::Allow, Self::Incomplete, Self::Deny], Self::name, text)
    }
}

impl Written for Severity {
    fn parse(text: &str) -> Result<Self, String> {
        one_of(&Self::ALL, Self::name, text)
    }
}

impl Written for Verdict {
    fn parse(text: &str) -> Result<Self, String> {
        let all = [Self::Pass, Self::Skip, Self::Warn, Self::Error, Self::Fail];
        one_of(&all, Self::name, text)
    }
}

impl Written for ModelName {
    fn parse(text: &str) -> Result<Self, String> {
        let name = Self::new(text);
        let same = name.as_str() == text;
        unless(name, same)
    }
}

impl Written for FilePath {
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| "it is no path of a file in a model".to_owned())
    }
}

impl Written for GuestText {
    fn parse(text: &str) -> Result<Self, String> {
        // A plugin's limits may allow more than the usual length.
        let inert = Self::new(text, text.len());
        let same = inert.as_str() == text;
        unless(inert, same)
    }
}

impl Written for Code {
    fn parse(text: &str) -> Result<Self, String> {
        let none = || "it is no rule".to_owned();
        let (plugin, name) = text.split_once('/').ok_or_else(none)?;
        let rule = match PluginId::new(plugin) {
            Ok(plugin) => Some(RuleId::new(plugin, name).ok_or_else(none)?),
            Err(_) if plugin == PluginId::gate().as_str() => None,
            Err(_) => return Err(none()),
        };
        Ok(Self { text: Written::parse(text)?, rule })
    }
}

impl Written for Time {
    fn parse(text: &str) -> Result<Self, String> {
        match attested::is_time(text) {
            true => Ok(Self(text.to_owned())),
            false => Err("it is no time such as 2026-01-31T12:00:00Z".to_owned()),
        }
    }
}
