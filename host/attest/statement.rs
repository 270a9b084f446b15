//! The statements: in-toto Statement v1 about each model, as bytes that repeat.
//!
//! Source: in-toto `spec/v1/statement.md`. Leaves what they say of the model to
//! `predicate`, signing to `envelope`, reading to `verify`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::predicate::Said;
use crate::domain::attested::{Attested, AttestedFile, AttestedModel};
use crate::domain::digest::Digest;
use crate::domain::model::ModelName;

/// What `_type` says.
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The predicate type of a SLSA verification summary.
pub const VSA: &str = "https://slsa.dev/verification_summary/v1";

/// The predicate type of a simple verification result.
pub const SVR: &str = "https://in-toto.io/attestation/svr/v0.1";

/// What the name of the first subject starts with: the model's name follows, and its
/// digest is the tree digest, over the names, sizes and digests of all files.
const TREE: &str = "tree:";

/// The longest URI that is taken; longer ones are no names.
const MAX_URI: usize = 2048;

/// A URI: a scheme, and characters that URIs have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri(pub(super) String);

/// Why a text is no URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a URI starts with a scheme, such as `https:`, and has no blanks, at most {MAX_URI} bytes")]
pub struct UriError;

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriError)?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let is_rest = !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
        match is_scheme && is_rest && text.len() <= MAX_URI {
            true => Ok(Self(text.to_owned())),
            false => Err(UriError),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an attestation says beside what the run found.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Who verified: without it, modelhost of the version that ran.
    pub verifier: Option<Uri>,
    /// What the model is fetched or deployed as; of one model alone. Without it, its
    /// name.
    pub resource: Option<Uri>,
    /// The digest of the last record of the audit log.
    pub audit_head: Option<Digest>,
    /// The one kind of statement that is wanted; without it, each.
    pub kind: Option<Kind>,
}

/// The kinds of statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A SLSA verification summary.
    Summary,
    /// A simple verification result.
    Result,
}

/// One statement about one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The model.
    pub model: ModelName,
    /// Its kind.
    pub kind: Kind,
    /// The statement, in JSON on one line.
    pub bytes: Vec<u8>,
}

/// Why there can be no statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestError {
    /// A URI was named for several models.
    #[error(
        "a resource URI names one model, and the report is about {0}: attest them one by one, or \
         without it"
    )]
    Resource(usize),
}

/// Returns what `attested` says of each of its models: a summary, then a result.
/// Unless the gate allowed, the summary says FAILED, and the result lists nothing.
///
/// # Errors
/// Says why that can't be said.
pub fn statements(attested: &Attested, request: &Request) -> Result<Vec<Statement>, AttestError> {
    if request.resource.is_some() && attested.models.len() != 1 {
        return Err(AttestError::Resource(attested.models.len()));
    }
    let mut statements = Vec::new();
    for model in &attested.models {
        let said = Said::new(attested, model, request);
        for kind in [Kind::Summary, Kind::Result] {
            if request.kind.is_some_and(|wanted| wanted != kind) {
                continue;
            }
            let bytes = match kind {
                Kind::Summary => bytes(VSA, model, said.summary()),
                Kind::Result => bytes(SVR, model, said.result()),
            };
            statements.push(Statement { model: model.name.clone(), kind, bytes });
        }
    }
    Ok(statements)
}

fn bytes(
    predicate_type: &'static str,
    model: &AttestedModel,
    predicate: impl Serialize,
) -> Vec<u8> {
    let mut subject = Vec::with_capacity(model.files.len() + 1);
    let name = tree_name(&model.name, &model.files);
    subject.push(Descriptor::named(&name, &model.tree.digest()));
    subject
        .extend(model.files.iter().map(|file| Descriptor::named(file.path.as_str(), &file.digest)));
    let statement = StatementText { kind: STATEMENT, subject, predicate_type, predicate };
    serde_json::to_vec(&statement).expect("texts, numbers and lists are always JSON")
}

/// Returns the name of the subject that stands for the whole model: one that none of
/// its files has.
fn tree_name(model: &ModelName, files: &[AttestedFile]) -> String {
    let mut name = format!("{TREE}{}", encoded(model.as_str()));
    while files.binary_search_by(|file| file.path.as_str().cmp(&name)).is_ok() {
        name.insert_str(0, TREE);
    }
    name
}

/// Tells whether `name` can be that of the subject that stands for the whole of a
/// model.
pub(super) fn is_tree_name(name: &str) -> bool {
    name.starts_with(TREE)
}

/// Returns the name of the model, percent-encoded, of which `name` is the whole.
pub(super) fn model_name(name: &str) -> &str {
    name.trim_start_matches(TREE)
}

/// Writes `text` so that it can be part of a URI and is one name, not a path.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            use fmt::Write as _;
            write!(out, "%{byte:02X}").expect("writing to a String can't fail");
        }
    }
    out
}

#[derive(Serialize)]
struct StatementText<'a, P> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Descriptor<'a>>,
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: P,
}

/// A resource descriptor, of in-toto: something with a name, a URI, a digest.
#[derive(Serialize)]
pub(super) struct Descriptor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<DigestSet>,
}

impl<'a> Descriptor<'a> {
    pub(super) fn named(name: &'a str, digest: &Digest) -> Self {
        Self { name: Some(name), uri: None, digest: Some(digest.into()) }
    }
}

#[derive(Serialize)]
pub(super) struct DigestSet {
    sha256: String,
}

impl From<&Digest> for DigestSet {
    fn from(digest: &Digest) -> Self {
        Self { sha256: digest.hex() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::testing;
    use crate::domain::attested::AttestedCheck;
    use crate::domain::decision::Decision;
    use crate::domain::verdict::Verdict;

    fn values(attested: &Attested, request: &Request) -> Vec<serde_json::Value> {
        let statements = statements(attested, request).expect("statements");
        statements
            .iter()
            .map(|statement| serde_json::from_slice(&statement.bytes).expect("JSON"))
            .collect()
    }

    /// The form is frozen: whoever verified one yesterday does so tomorrow.
    #[test]
    fn statements_are_of_one_form() {
        let attested = testing::attested(vec![testing::bert()]);
        let request = Request {
            verifier: Some("https://ci.example.org/gate".parse().expect("a URI")),
            resource: Some("oci:registry.example.org/bert".parse().expect("a URI")),
            audit_head: Some(Digest::of(b"head")),
            kind: None,
        };
        let statements = statements(&attested, &request).expect("statements");
        let text: Vec<&str> = statements
            .iter()
            .map(|statement| std::str::from_utf8(&statement.bytes).expect("UTF-8"))
            .collect();
        insta::assert_snapshot!(text.join("\n"));
        let again = super::statements(&attested, &request).expect("statements");
        assert_eq!(statements, again, "they repeat");
    }

    #[test]
    fn levels_are_what_verdicts_say() {
        type Change = fn(&mut Attested);
        let rows: [(&str, Change, &str); 9] = [
            ("all", |_| {}, "ALLOWED PINNED LICENSE_OK SIGNED"),
            ("not locked", |a| a.models[0].locked = false, "ALLOWED LICENSE_OK SIGNED"),
            (
                "a warning on the license",
                |a| verdict(a, "license", Verdict::Warn),
                "ALLOWED PINNED SIGNED",
            ),
            (
                "nothing signed",
                |a| verdict(a, "provenance", Verdict::Skip),
                "ALLOWED PINNED LICENSE_OK",
            ),
            (
                "nobody signed",
                |a| drop(check_of(a, "provenance").facts.remove("signer")),
                "ALLOWED PINNED LICENSE_OK",
            ),
            ("advisory", |a| a.plugins[0].advisory = true, "ALLOWED LICENSE_OK SIGNED"),
            (
                "another plugin of that id",
                |a| a.plugins[1].bundled = false,
                "ALLOWED PINNED SIGNED",
            ),
            ("denied", |a| a.decision = Decision::Deny, ""),
            ("incomplete", |a| a.decision = Decision::Incomplete, ""),
        ];
        for (what, change, expected) in rows {
            let mut attested = testing::attested(vec![testing::bert()]);
            change(&mut attested);
            let expected: Vec<String> =
                expected.split_whitespace().map(|level| format!("MODELHOST_{level}")).collect();
            let values = values(&attested, &Request::default());
            let (vsa, svr) = (&values[0]["predicate"], &values[1]["predicate"]);
            assert_eq!(svr["properties"], serde_json::json!(expected), "{what}");
            if attested.decision == Decision::Allow {
                assert_eq!(vsa["verificationResult"], "PASSED", "{what}");
                assert_eq!(vsa["verifiedLevels"], serde_json::json!(expected), "{what}");
            } else {
                assert_eq!(vsa["verificationResult"], "FAILED", "{what}");
                assert_eq!(vsa["verifiedLevels"], serde_json::json!(["FAILED"]), "{what}");
            }
        }
    }

    fn check_of<'a>(attested: &'a mut Attested, plugin: &str) -> &'a mut AttestedCheck {
        attested.models[0].checks.get_mut(&testing::id(plugin)).expect("a check")
    }

    fn verdict(attested: &mut Attested, plugin: &str, verdict: Verdict) {
        check_of(attested, plugin).verdict = verdict;
    }

    #[test]
    fn names_stand_for_one_thing() {
        // A file can have the name that would be the tree's.
        let mut model = testing::model("a/../b c", &["tree:a%2F..%2Fb%20c", "x"]);
        model.checks.clear();
        let values = values(&testing::attested(vec![model]), &Request::default());
        let subject = values[0]["subject"].as_array().expect("subjects");
        let names: Vec<&str> =
            subject.iter().filter_map(|subject| subject["name"].as_str()).collect();
        assert_eq!(names, ["tree:tree:a%2F..%2Fb%20c", "tree:a%2F..%2Fb%20c", "x"]);
        assert_eq!(values[0]["predicate"]["resourceUri"], "urn:modelhost:model:a%2F..%2Fb%20c");
    }

    #[test]
    fn a_uri_names_one_model() {
        let request =
            Request { resource: Some("oci:x".parse().expect("a URI")), ..Request::default() };
        let two = testing::attested(vec![testing::bert(), testing::model("other", &["a"])]);
        assert_eq!(statements(&two, &request), Err(AttestError::Resource(2)));
        for good in ["https://a.example/x@1?y=%20#z", "urn:a:b", "a+b-c.d:e"] {
            assert_eq!(good.parse::<Uri>().map(|uri| uri.to_string()), Ok(good.to_owned()));
        }
        let long = format!("a:{}", "b".repeat(MAX_URI));
        for bad in ["", "a", ":a", "a:", "1a:b", "a b:c", "a:b c", "a:\n", "a:\"", "a:é", &long] {
            assert_eq!(bad.parse::<Uri>(), Err(UriError), "{bad}");
        }
    }
}
