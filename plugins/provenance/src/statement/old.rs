//! The statement of before 2025, whose subjects are the files themselves.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Refusal, Statement, SubjectDigest, algorithm, check_kind, malformed, unhex, unreadable,
    whole_file,
};
use crate::path::Paths;

/// The digests of the old form, as it names them.
const OLD_DIGEST: &str = "file-sha256";

#[derive(Deserialize)]
struct OldBody {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<OldSubject>,
}

#[derive(Deserialize)]
struct OldSubject {
    name: String,
    digest: SubjectDigest,
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Annotations {
    actual_hash_algorithm: Option<String>,
}

/// Reads a statement of the form of before 2025 that was found to be JSON without names
/// twice.
///
/// # Errors
/// Says why it can't be used.
pub fn parse_old(payload: &[u8]) -> Result<Statement, Refusal> {
    let body: OldBody = serde_json::from_slice(payload).map_err(unreadable)?;
    check_kind(&body.kind)?;
    let (algorithm, length) = algorithm("sha256")?;
    let mut files = BTreeMap::new();
    for OldSubject { name, digest, annotations } in body.subject {
        let kind = annotations.and_then(|annotations| annotations.actual_hash_algorithm);
        if let Some(kind) = kind.filter(|kind| kind != OLD_DIGEST) {
            return malformed(format!("the digest of `{name}` is of `{kind}`"));
        }
        match unhex(&digest.sha256).filter(|digest| digest.len() == length) {
            Some(digest) => whole_file(&mut files, name, (algorithm, digest))?,
            None => return malformed(format!("the digest of `{name}` is none of `sha256`")),
        }
    }
    if files.is_empty() {
        return malformed("it lists no file");
    }
    Ok(Statement { algorithm, follows_links: false, ignored: Paths::default(), files })
}
