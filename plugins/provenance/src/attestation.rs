//! Attestations other than model signing's own statement: in-toto statements whose
//! subjects are files by name and digest, such as SLSA provenance.
//!
//! It leaves to others: whether the signature holds (`verify`), and what the predicate
//! says (`slsa`).

use std::collections::BTreeMap;

use modelhost_check::Algorithm;
use serde::Deserialize;

use crate::path;
use crate::statement::{Refusal, STATEMENT_TYPES, Signed, Statement, malformed, unhex};

/// The algorithms of subjects' digests that are compared, as in-toto names them. Any
/// other digest of a subject is left alone, but one of these there has to be.
const ALGORITHMS: [(&str, Algorithm, usize); 4] = [
    ("sha256", Algorithm::Sha256, 32),
    ("sha512", Algorithm::Sha512, 64),
    ("blake2b", Algorithm::Blake2b512, 64),
    ("blake3", Algorithm::Blake3, 32),
];

/// How many folders of a subject's name are looked at to find a file under the rest.
const MAX_FOLDERS: usize = 16;

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    digest: BTreeMap<String, String>,
}

/// What the types of a SLSA verification summary start with.
const SUMMARY: &str = "https://slsa.dev/verification_summary/";

#[derive(Deserialize)]
struct SummaryBody {
    predicate: Summary,
}

#[derive(Deserialize)]
struct Summary {
    /// Before version 1 it was spelled the other way.
    #[serde(rename = "verificationResult", alias = "verification_result")]
    result: String,
}

/// Returns what a verification summary of that type says that came of it, unless the
/// model passed; none for a statement of another type.
///
/// # Errors
/// Says why it can't be used.
pub fn refused(predicate: &str, payload: &[u8]) -> Result<Option<String>, Refusal> {
    if !predicate.starts_with(SUMMARY) {
        return Ok(None);
    }
    let body: SummaryBody = serde_json::from_slice(payload)
        .map_err(|error| Refusal::Malformed(format!("its summary can't be read: {error}")))?;
    Ok(Some(body.predicate.result).filter(|result| result != "PASSED"))
}

/// The digests of one subject.
type Digests = Vec<(Algorithm, Vec<u8>)>;

/// The subjects of an attestation, by name.
#[derive(Debug, PartialEq, Eq)]
pub struct Subjects(BTreeMap<String, Digests>);

/// Reads the subjects of a statement that was found to be JSON without names twice.
///
/// # Errors
/// Says why it can't be used.
pub fn parse(payload: &[u8]) -> Result<Subjects, Refusal> {
    let body: Body = serde_json::from_slice(payload)
        .map_err(|error| Refusal::Malformed(format!("it can't be read: {error}")))?;
    if !STATEMENT_TYPES.contains(&body.kind.as_str()) {
        return malformed(format!("it is a `{}`, not a `{}`", body.kind, STATEMENT_TYPES[0]));
    }
    let mut subjects = BTreeMap::new();
    for Subject { name, digest } in body.subject {
        let plain = name.strip_prefix("./").unwrap_or(&name);
        if !path::is_plain(plain) {
            return Err(Refusal::UnsafePath(name));
        }
        let digests = digests(&name, &digest)?;
        if subjects.insert(plain.to_owned(), digests).is_some() {
            return Err(Refusal::Duplicate(name));
        }
    }
    match subjects.is_empty() {
        true => malformed("it has no subject"),
        false => Ok(Subjects(subjects)),
    }
}

fn digests(name: &str, texts: &BTreeMap<String, String>) -> Result<Digests, Refusal> {
    let mut digests = Vec::new();
    for (algorithm, kind, length) in ALGORITHMS {
        if let Some(text) = texts.get(algorithm) {
            match unhex(text).filter(|digest| digest.len() == length) {
                Some(digest) => digests.push((kind, digest)),
                None => {
                    return malformed(format!("the digest of `{name}` is none of `{algorithm}`"));
                }
            }
        }
    }
    match digests.is_empty() {
        true => malformed(format!("`{name}` has no digest that can be compared, such as `sha256`")),
        false => Ok(digests),
    }
}

impl Subjects {
    /// Finds which subject is which file of the model, and returns them as a statement
    /// about these. `paths` are in raw bytes.
    ///
    /// A subject is the file of its name. Builders name files by where they were built,
    /// or by their last part alone, so a name that ends like the path of one file, or
    /// the path of one that ends like the name, means that file too.
    ///
    /// # Errors
    /// Names a subject that stands for a file for which another one stands too.
    pub fn for_files(self, paths: &[Vec<u8>]) -> Result<Statement, Refusal> {
        let mut by_end: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in self.0.keys() {
            let ends = name.rmatch_indices('/').take(MAX_FOLDERS);
            for end in ends.filter_map(|(at, _)| name.get(at + 1..)) {
                by_end.entry(end).or_default().push(name);
            }
        }
        let mut files = BTreeMap::new();
        for raw in paths {
            let Ok(path) = str::from_utf8(raw) else {
                continue;
            };
            let digests = match self.0.get(path) {
                Some(digests) => Some(digests),
                None => self.by_end(path, &by_end)?,
            };
            if let Some(digests) = digests {
                files.insert(raw.clone(), Signed::Whole(digests.clone()));
            }
        }
        Ok(Statement {
            algorithm: Algorithm::Sha256,
            follows_links: false,
            ignored: path::Paths::default(),
            files,
        })
    }

    fn by_end(
        &self,
        path: &str,
        by_end: &BTreeMap<&str, Vec<&str>>,
    ) -> Result<Option<&Digests>, Refusal> {
        let ends = path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..));
        let shorter =
            ends.filter_map(|end| self.0.get_key_value(end).map(|(name, _)| name.as_str()));
        let longer = by_end.get(path).into_iter().flatten().copied();
        let mut names = shorter.chain(longer);
        let Some(first) = names.next() else {
            return Ok(None);
        };
        let digests = self.0.get(first);
        match names.find(|other| self.0.get(*other) != digests) {
            Some(other) => Err(Refusal::Duplicate(other.to_owned())),
            None => Ok(digests),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::key::hex;

    fn statement(subjects: &[(&str, Value)]) -> String {
        let subjects: Vec<_> = subjects
            .iter()
            .map(|(name, digest)| json!({ "name": name, "digest": digest }))
            .collect();
        json!({ "_type": STATEMENT_TYPES[0], "subject": subjects, "predicateType": "x" })
            .to_string()
    }

    fn sha256(byte: u8) -> Value {
        json!({ "sha256": hex(&[byte; 32]) })
    }

    /// Shows each file with the first byte of what was attested, or the refusal.
    fn show(payload: &str, paths: &[&str]) -> String {
        let paths: Vec<_> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
        match parse(payload.as_bytes()).and_then(|subjects| subjects.for_files(&paths)) {
            Ok(statement) => {
                let show = |(path, signed): (&Vec<u8>, &Signed)| match signed {
                    Signed::Whole(digests) => {
                        let digests: Vec<_> = digests
                            .iter()
                            .map(|(kind, digest)| format!("{kind:?}{}", digest[0]))
                            .collect();
                        format!("{}={}", String::from_utf8_lossy(path), digests.join("+"))
                    }
                    Signed::Parts(_) => "parts".into(),
                };
                statement.files.iter().map(show).collect::<Vec<_>>().join(" ")
            }
            Err(Refusal::Malformed(why)) => format!("malformed: {why}"),
            Err(Refusal::UnsafePath(name)) => format!("unsafe: {name}"),
            Err(Refusal::Duplicate(name)) => format!("twice: {name}"),
        }
    }

    #[test]
    fn subjects() {
        let both = json!({ "sha256": hex(&[1; 32]), "sha512": hex(&[2; 64]), "sha1": "?" });
        let rows: [(String, &[&str], &str); 20] = [
            (statement(&[("a", sha256(1))]), &["a", "b"], "a=Sha2561"),
            (statement(&[("./a", sha256(1))]), &["a"], "a=Sha2561"),
            (statement(&[("a", both)]), &["a"], "a=Sha2561+Sha5122"),
            (statement(&[("a", sha256(1)), ("c", sha256(3))]), &["a", "b"], "a=Sha2561"),
            // By the ends of names.
            (statement(&[("a", sha256(1))]), &["x/a", "x/ba"], "x/a=Sha2561"),
            (statement(&[("dist/x/a", sha256(1))]), &["x/a", "a"], "a=Sha2561 x/a=Sha2561"),
            (
                statement(&[("a", sha256(1)), ("x/a", sha256(2))]),
                &["a", "x/a"],
                "a=Sha2561 x/a=Sha2562",
            ),
            (statement(&[("x/a", sha256(1)), ("y/a", sha256(1))]), &["a"], "a=Sha2561"),
            (statement(&[("x/a", sha256(1)), ("y/a", sha256(2))]), &["a"], "twice: y/a"),
            (statement(&[("a", sha256(1)), ("z/x/a", sha256(2))]), &["x/a"], "twice: z/x/a"),
            (statement(&[("a", sha256(1)), ("a", sha256(1))]), &["a"], "twice: a"),
            (statement(&[("a", sha256(1)), ("./a", sha256(2))]), &["a"], "twice: ./a"),
            // Odd ones.
            (statement(&[]), &["a"], "malformed: it has no subject"),
            (statement(&[("", sha256(1))]), &["a"], "unsafe: "),
            (statement(&[("../a", sha256(1))]), &["a"], "unsafe: ../a"),
            (statement(&[("/a", sha256(1))]), &["a"], "unsafe: /a"),
            (statement(&[("a", json!({}))]), &["a"], "malformed: `a` has no digest"),
            (statement(&[("a", json!({ "sha1": "00" }))]), &["a"], "malformed: `a` has no digest"),
            (
                statement(&[("a", json!({ "sha256": "00" }))]),
                &["a"],
                "malformed: the digest of `a`",
            ),
            (statement(&[("a", sha256(1))]).replace("/v1", "/v2"), &["a"], "malformed: it is a `"),
        ];
        for (payload, paths, expected) in rows {
            let shown = show(&payload, paths);
            assert!(shown.starts_with(expected), "{payload}: {shown}");
        }
    }

    #[test]
    fn summaries() {
        let v1 = "https://slsa.dev/verification_summary/v1";
        let old = "https://slsa.dev/verification_summary/v0.2";
        let svr = "https://in-toto.io/attestation/svr/v0.1";
        let result = |name: &str, result: Value| json!({ "predicate": { name: result } });
        let rows = [
            (v1, result("verificationResult", json!("PASSED")), Ok(None)),
            (v1, result("verificationResult", json!("FAILED")), Ok(Some("FAILED"))),
            (v1, result("verificationResult", json!("passed")), Ok(Some("passed"))),
            (v1, result("verificationResult", json!("")), Ok(Some(""))),
            (old, result("verification_result", json!("PASSED")), Ok(None)),
            (old, result("verification_result", json!("FAILED")), Ok(Some("FAILED"))),
            (v1, result("verificationResult", json!(true)), Err(())),
            (v1, result("result", json!("PASSED")), Err(())),
            (v1, json!({}), Err(())),
            (svr, json!({}), Ok(None)),
        ];
        for (predicate, payload, expected) in rows {
            let found = refused(predicate, payload.to_string().as_bytes()).map_err(|_| ());
            let expected = expected.map(|result: Option<&str>| result.map(str::to_owned));
            assert_eq!(found, expected, "{predicate}: {payload}");
        }
    }

    #[test]
    fn many_subjects_of_one_end_take_a_bounded_time() {
        let names: Vec<_> = (0..2000).map(|at| format!("{at}/{}a", "x/".repeat(500))).collect();
        let subjects: Vec<_> = names.iter().map(|name| (name.as_str(), sha256(1))).collect();
        assert_eq!(show(&statement(&subjects), &["x/a", "y/a"]), "x/a=Sha2561");
    }
}
