//! Holding attestations against a model: who signed, what they say, and whether they
//! speak of exactly the files that are there.
//!
//! Leaves opening and hashing the model to its caller, and drawing to `cli`.
//!
//! # Invariants
//! - Every attestation in the file is signed by the pinned key, or none counts.
//! - The files are compared in full: one more, one fewer or one other is a refusal.
//! - Of several attestations on the model, one that says no outweighs the others.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::envelope::{self, Envelope, EnvelopeError, PAYLOAD_TYPE};
use super::key::PublicKey;
use super::predicate::VERIFIER;
use super::statement::{STATEMENT, SVR, VSA, is_tree_name, model_name};
use crate::domain::attested::{AttestedFile, is_time};
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::dsse;
use crate::domain::model::FilePath;
use crate::domain::text::GuestText;

/// Whose word counts, and on what.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The signer.
    pub key: &'a PublicKey,
    /// The id of the verifier; without it, modelhost of any version.
    pub verifier: Option<&'a str>,
    /// What the model is fetched or deployed as; without it, anything.
    pub resource: Option<&'a str>,
    /// The levels that each summary has to name.
    pub levels: &'a [String],
    /// The earliest time, as RFC 3339 writes it in UTC and whole seconds.
    pub not_before: Option<&'a str>,
    /// The latest time, likewise.
    pub not_after: &'a str,
}

/// What attestations say that were found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many there are on this model.
    pub count: usize,
    /// Who verified.
    pub verifier: GuestText,
    /// When, the latest of them.
    pub time: String,
    /// What the model was attested as.
    pub resource: GuestText,
    /// The levels that each summary names.
    pub levels: Vec<GuestText>,
}

/// Why attestations are not good for a model. Each text from them is inert.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// They can't be taken apart.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// One was signed by somebody else, or changed afterwards.
    #[error("attestation {number} is not signed by the key{}", hinted(*.hint_differs))]
    Signature {
        /// Which, from 1.
        number: usize,
        /// Whether it names another key.
        hint_differs: bool,
    },
    /// One is signed as something else than a statement.
    #[error("attestation {0} is signed as `{1}`, not as `{PAYLOAD_TYPE}`")]
    PayloadType(usize, GuestText),
    /// One can't be read, or is of a type that is not taken.
    #[error("the statement in attestation {0} can't be used: {1}")]
    Statement(usize, GuestText),
    /// They are about something else than what is there.
    #[error("no attestation is for this model as it is; the nearest is for `{nearest}`")]
    Files {
        /// The name of the model that the nearest of them is for.
        nearest: GuestText,
        /// How what is there differs from it, sorted by path.
        differences: Vec<Difference>,
    },
    /// There is a result, and no summary.
    #[error("no attestation on this model is a verification summary")]
    NoSummary,
    /// It is for another use.
    #[error("the model is attested as `{0}`")]
    Resource(GuestText),
    /// The gate did not let it through.
    #[error("the gate did not allow this model: the attestation's result is {0}")]
    NotPassed(GuestText),
    /// It was let through, and something else was not established.
    #[error("the attestation does not name the level {0}")]
    Level(GuestText),
    /// Somebody else verified.
    #[error("the verifier is `{0}`")]
    Verifier(GuestText),
    /// It is too old.
    #[error("the model was verified at {0}, which is too long ago")]
    Expired(GuestText),
    /// It is from the future.
    #[error("the model is said to have been verified at {0}, which has not come yet")]
    Future(GuestText),
}

const fn hinted(differs: bool) -> &'static str {
    if differs {
        ": it names another one"
    } else {
        ": it was changed afterwards, or somebody else signed"
    }
}

/// How one file differs from what was attested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It has other content.
    Changed(FilePath),
    /// It is not there.
    Missing(GuestText),
    /// It was not there.
    Added(FilePath),
    /// All files are as attested, and their digest as a whole is another: what was
    /// signed contradicts itself.
    Tree,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: DigestSet,
}

#[derive(Deserialize)]
struct DigestSet {
    sha256: String,
}

#[derive(Deserialize)]
struct Of<P> {
    predicate: P,
}

#[derive(Deserialize)]
struct Verifier {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    verifier: Verifier,
    time_verified: String,
    resource_uri: String,
    verification_result: String,
    verified_levels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultText {
    verifier: Verifier,
    time_created: String,
}

enum Predicate {
    Summary(Summary),
    Result(ResultText),
}

/// One statement whose signature was verified.
struct Signed {
    tree_name: String,
    tree: Digest,
    files: BTreeMap<String, Digest>,
    predicate: Predicate,
}

/// Holds the attestations in `bundles` against the model of which `files`, sorted by
/// path, are all that is there.
///
/// # Errors
/// Says why they are not good for it.
pub fn verify(
    bundles: &[u8],
    files: &[AttestedFile],
    expected: &Expected<'_>,
) -> Result<Verified, Refusal> {
    let envelopes = envelope::read(bundles)?;
    let mut signed = Vec::with_capacity(envelopes.len());
    for (place, envelope) in envelopes.into_iter().enumerate() {
        signed.push(open(place + 1, &envelope, expected.key)?);
    }
    let tree = TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest)));
    let mut own = Vec::new();
    for statement in &signed {
        if statement.tree == tree.digest() {
            if let Some(refusal) = differing(statement, files) {
                return Err(refusal);
            }
            own.push(statement);
        }
    }
    if own.is_empty() {
        let shared = |statement: &&Signed| {
            let is_same = |file: &&AttestedFile| {
                statement.files.get(file.path.as_str()) == Some(&file.digest)
            };
            files.iter().filter(is_same).count()
        };
        // Of equally near ones the first.
        let nearest = signed.iter().rev().max_by_key(shared);
        let refusal = nearest.and_then(|nearest| differing(nearest, files));
        return Err(refusal.unwrap_or(Refusal::NoSummary));
    }
    judge(&own, expected)
}

/// Judges what the statements on this model say.
fn judge(own: &[&Signed], expected: &Expected<'_>) -> Result<Verified, Refusal> {
    let mut verified: Option<Verified> = None;
    let mut elsewhere = None;
    let mut count = 0;
    let mut latest = String::new();
    for statement in own {
        let (verifier, time) = match &statement.predicate {
            Predicate::Summary(Summary { verifier, time_verified, resource_uri, .. }) => {
                if expected.resource.is_some_and(|resource| resource != resource_uri) {
                    elsewhere = Some(GuestText::capped(resource_uri));
                    continue;
                }
                (&verifier.id, time_verified)
            }
            Predicate::Result(ResultText { verifier, time_created }) => {
                (&verifier.id, time_created)
            }
        };
        let is_expected = match expected.verifier {
            Some(expected) => verifier == expected,
            None => verifier.starts_with(VERIFIER),
        };
        if !is_expected {
            return Err(Refusal::Verifier(GuestText::capped(verifier)));
        }
        if let Predicate::Summary(summary) = &statement.predicate {
            if summary.verification_result != "PASSED" {
                return Err(Refusal::NotPassed(GuestText::capped(&summary.verification_result)));
            }
            let absent = |level: &&String| !summary.verified_levels.contains(level);
            if let Some(level) = expected.levels.iter().find(absent) {
                return Err(Refusal::Level(GuestText::capped(level)));
            }
        }
        if expected.not_before.is_some_and(|earliest| time.as_str() < earliest) {
            return Err(Refusal::Expired(GuestText::capped(time)));
        }
        if time.as_str() > expected.not_after {
            return Err(Refusal::Future(GuestText::capped(time)));
        }
        count += 1;
        latest = latest.max(time.clone());
        if let Predicate::Summary(summary) = &statement.predicate {
            let levels = summary.verified_levels.iter().map(|level| GuestText::capped(level));
            match &mut verified {
                Some(verified) => {
                    let levels: Vec<GuestText> = levels.collect();
                    verified.levels.retain(|level| levels.contains(level));
                }
                None => {
                    verified = Some(Verified {
                        count: 0,
                        verifier: GuestText::capped(verifier),
                        time: String::new(),
                        resource: GuestText::capped(&summary.resource_uri),
                        levels: levels.collect(),
                    });
                }
            }
        }
    }
    match (verified, elsewhere) {
        (Some(verified), _) => Ok(Verified { count, time: latest, ..verified }),
        (None, Some(resource)) => Err(Refusal::Resource(resource)),
        (None, None) => Err(Refusal::NoSummary),
    }
}

/// Verifies the signature of an envelope, and only then reads what was signed.
fn open(number: usize, envelope: &Envelope, key: &PublicKey) -> Result<Signed, Refusal> {
    let Envelope { payload_type, payload, signature, hint } = envelope;
    if !key.verifies(&dsse::encode(payload_type, payload), signature) {
        let hint_differs = hint.as_ref().is_some_and(|hint| *hint != key.hint());
        return Err(Refusal::Signature { number, hint_differs });
    }
    if payload_type != PAYLOAD_TYPE {
        return Err(Refusal::PayloadType(number, GuestText::capped(payload_type)));
    }
    parse(payload).map_err(|why| Refusal::Statement(number, GuestText::capped(&why)))
}

/// Reads a statement. What is wrong with it is a clause about it.
fn parse(payload: &[u8]) -> Result<Signed, String> {
    fn of<'a, P: Deserialize<'a>>(payload: &'a [u8]) -> Result<P, String> {
        serde_json::from_slice(payload).map_err(|error| error.to_string())
    }
    let head: Head = of(payload)?;
    if head.kind != STATEMENT {
        return Err(format!("it is a `{}`, not a `{STATEMENT}`", head.kind));
    }
    let predicate = match head.predicate_type.as_str() {
        VSA => Predicate::Summary(of::<Of<Summary>>(payload)?.predicate),
        SVR => Predicate::Result(of::<Of<ResultText>>(payload)?.predicate),
        other => return Err(format!("it says `{other}`, neither `{VSA}` nor `{SVR}`")),
    };
    let time = match &predicate {
        Predicate::Summary(summary) => &summary.time_verified,
        Predicate::Result(result) => &result.time_created,
    };
    if !is_time(time) {
        return Err(format!("its time is `{time}`, and not one such as 2026-01-31T12:00:00Z"));
    }
    let mut subjects = head.subject.into_iter().map(|Subject { name, digest }| {
        match Digest::from_hex(&digest.sha256) {
            Ok(digest) => Ok((name, digest)),
            Err(error) => Err(format!("the digest of `{name}` is none: {error}")),
        }
    });
    let (tree_name, tree) = match subjects.next().transpose()? {
        Some((name, digest)) if is_tree_name(&name) => (name, digest),
        _ => return Err("its first subject is not the tree of a model".to_owned()),
    };
    let mut files = BTreeMap::new();
    for subject in subjects {
        let (name, digest) = subject?;
        if let Some(path) = files.insert(name.clone(), digest).map(|_| name) {
            return Err(format!("it lists `{path}` twice"));
        }
    }
    Ok(Signed { tree_name, tree, files, predicate })
}

/// Returns how `files` differ from those of a statement; none where they don't.
fn differing(statement: &Signed, files: &[AttestedFile]) -> Option<Refusal> {
    let mut differences: BTreeMap<&str, Difference> = BTreeMap::new();
    for file in files {
        let path = file.path.clone();
        match statement.files.get(path.as_str()) {
            Some(digest) if *digest == file.digest => continue,
            Some(_) => differences.insert(file.path.as_str(), Difference::Changed(path)),
            None => differences.insert(file.path.as_str(), Difference::Added(path)),
        };
    }
    for name in statement.files.keys() {
        if files.binary_search_by(|file| file.path.as_str().cmp(name)).is_err() {
            differences.insert(name, Difference::Missing(GuestText::capped(name)));
        }
    }
    let tree = TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest)));
    let mut differences: Vec<Difference> = differences.into_values().collect();
    if differences.is_empty() && tree.digest() != statement.tree {
        differences.push(Difference::Tree);
    }
    let nearest = GuestText::capped(model_name(&statement.tree_name));
    (!differences.is_empty()).then_some(Refusal::Files { nearest, differences })
}

#[cfg(test)]
mod tests;
