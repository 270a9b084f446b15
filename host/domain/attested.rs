//! What of a report an attestation says: [`Attested`], the same whether it comes
//! from the run itself or is read back from its JSON report.
//!
//! Leaves making it to `report`, and the statements to `attest`.

use std::collections::BTreeMap;

use super::decision::Decision;
use super::digest::{Digest, TreeDigest};
use super::evidence::Inputs;
use super::finding::Severity;
use super::model::{FilePath, ModelName};
use super::plugin::PluginId;
use super::verdict::Verdict;

/// The facts that an attestation repeats, by their plugin and key.
pub const FACTS: [(&str, &str); 3] =
    [("license", "concluded"), ("provenance", "signature"), ("provenance", "signer")];

/// A report, as far as an attestation speaks of it. Each digest in it is of bytes
/// that the run itself read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// The version of modelhost that ran.
    pub modelhost: String,
    /// The digest of the JSON report.
    pub report: Digest,
    /// What the gate said.
    pub decision: Decision,
    /// The run's one time, as RFC 3339 writes it, in UTC and whole seconds.
    pub now: String,
    /// The operator's files that the run was held to.
    pub inputs: Inputs,
    /// The findings at or above this denied.
    pub fail_on: Severity,
    /// The plugins without whose verdict the run was incomplete, sorted.
    pub required: Vec<PluginId>,
    /// The plugins that took part, sorted by id.
    pub plugins: Vec<AttestedPlugin>,
    /// The models, sorted by name.
    pub models: Vec<AttestedModel>,
}

/// A plugin that took part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedPlugin {
    /// Its id.
    pub id: PluginId,
    /// Its version.
    pub version: String,
    /// The digest of its component.
    pub digest: Digest,
    /// Whether it is part of modelhost.
    pub bundled: bool,
    /// Whether it only advises.
    pub advisory: bool,
}

/// A model, and what came of each check on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedModel {
    /// Its name.
    pub name: ModelName,
    /// The digest over all its files.
    pub tree: TreeDigest,
    /// Where the policy says it comes from.
    pub source: Option<String>,
    /// The immutable revision of that source.
    pub revision: Option<String>,
    /// Whether the lock file has an entry for it.
    pub locked: bool,
    /// Its files, sorted by path.
    pub files: Vec<AttestedFile>,
    /// What the gate itself found, by severity.
    pub findings: Counts,
    /// What came of each plugin's tasks on it, sorted by plugin.
    pub checks: BTreeMap<PluginId, AttestedCheck>,
}

/// A file of a model: what it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedFile {
    /// Where it is in the model.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}

/// How many findings there are of each severity, least first, as in
/// [`Severity::ALL`].
pub type Counts = [u64; Severity::ALL.len()];

/// What came of one plugin's tasks on one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedCheck {
    /// The worst verdict of its tasks.
    pub verdict: Verdict,
    /// How many tasks.
    pub tasks: u64,
    /// Its findings, by severity.
    pub findings: Counts,
    /// Those of [`FACTS`] that it established.
    pub facts: BTreeMap<String, String>,
}

impl Default for AttestedCheck {
    fn default() -> Self {
        Self {
            verdict: Verdict::Pass,
            tasks: 0,
            findings: Counts::default(),
            facts: BTreeMap::new(),
        }
    }
}

impl AttestedCheck {
    /// Takes in one task: its verdict, its findings, and its facts as keys and
    /// values.
    pub fn add<'a>(
        &mut self,
        plugin: &PluginId,
        verdict: Verdict,
        findings: impl IntoIterator<Item = Severity>,
        facts: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        self.verdict = self.verdict.max(verdict);
        self.tasks += 1;
        count(&mut self.findings, findings);
        for (key, value) in facts {
            if FACTS.contains(&(plugin.as_str(), key)) {
                self.facts.insert(key.to_owned(), value.to_owned());
            }
        }
    }
}

/// Counts `findings` by severity.
pub fn count(counts: &mut Counts, findings: impl IntoIterator<Item = Severity>) {
    for severity in findings {
        let place = Severity::ALL.iter().position(|other| *other == severity);
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
}

/// Tells whether `text` has the form in which modelhost writes a time:
/// `2026-01-31T12:00:00Z`. Of that form, the earlier time is the lesser text.
pub fn is_time(text: &str) -> bool {
    let form = "dddd-dd-ddTdd:dd:ddZ";
    let fits = |(byte, form): (u8, u8)| match form {
        b'd' => byte.is_ascii_digit(),
        form => byte == form,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}
