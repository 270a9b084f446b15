//! The statement of OpenSSF Model Signing 1.0: one subject, and the files as resources
//! (sections 5 and 6).

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    Refusal, Statement, SubjectDigest, algorithm, check_kind, malformed, parts, unhex, unreadable,
    whole_file,
};
use crate::key::hex;

/// Up to here, every whole number has an exact value as a JSON number anywhere.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
struct Serialization {
    method: String,
    hash_type: String,
    allow_symlinks: bool,
    shard_size: Option<serde_json::Number>,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

/// Reads a statement of OpenSSF Model Signing 1.0 that was found to be JSON without
/// names twice.
///
/// # Errors
/// Says why it can't be used.
pub fn parse(payload: &[u8]) -> Result<Statement, Refusal> {
    let body: Body = serde_json::from_slice(payload).map_err(unreadable)?;
    check_kind(&body.kind)?;
    let [subject] = &body.subject[..] else {
        return malformed(format!("it has {} subjects, and not exactly one", body.subject.len()));
    };
    if subject.name.is_empty() {
        return malformed("its subject has no name");
    }
    let Predicate { resources, serialization } = body.predicate;
    let (algorithm, length) = algorithm(&serialization.hash_type)?;
    let shard = shard_size(&serialization)?;
    let mut root = Sha256::new();
    let mut files = BTreeMap::new();
    for resource in resources {
        let digest = digest(&resource, &serialization.hash_type, length, shard)?;
        root.update(&digest);
        match shard {
            Some(shard) => parts::add(&mut files, &resource.name, digest, shard)?,
            None => whole_file(&mut files, resource.name, (algorithm, digest))?,
        }
    }
    if files.is_empty() {
        return malformed("it lists no file");
    }
    if subject.digest.sha256 != hex(&root.finalize()) {
        return malformed("its root digest is not that of the files it lists");
    }
    if let Some(shard) = shard {
        for (path, signed) in &mut files {
            parts::complete(path, signed, shard)?;
        }
    }
    Ok(Statement {
        algorithm,
        follows_links: serialization.allow_symlinks,
        ignored: serialization.ignore_paths.iter().map(String::as_str).collect(),
        files,
    })
}

/// Returns the size of the parts that files were cut into. None: they were not.
fn shard_size(serialization: &Serialization) -> Result<Option<u64>, Refusal> {
    match (serialization.method.as_str(), &serialization.shard_size) {
        ("files", None) => Ok(None),
        ("files", Some(_)) => malformed("it speaks of whole files and gives a shard size"),
        ("shards", Some(size)) => match whole(size) {
            Some(size) if size > 0 => Ok(Some(size)),
            _ => malformed(format!("its shard size is {size}")),
        },
        ("shards", None) => malformed("it speaks of shards and gives no shard size"),
        (method, _) => malformed(format!("its method is `{method}`, neither files nor shards")),
    }
}

/// Reads a whole number. The reference tool writes `256.0` for 256.
fn whole(number: &serde_json::Number) -> Option<u64> {
    let float = |number: f64| {
        let fits = number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&number);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the number was found to be whole and in range"
        )]
        fits.then_some(number as u64)
    };
    number.as_u64().or_else(|| number.as_f64().and_then(float))
}

/// Reads the digest of a resource, which has to be of the statement's algorithm.
fn digest(
    resource: &Resource,
    hash_type: &str,
    length: usize,
    shard: Option<u64>,
) -> Result<Vec<u8>, Refusal> {
    let stated = resource.algorithm.as_str();
    // The reference tool adds the shard size to the algorithm's name.
    let sharded = shard.map(|shard| format!("{hash_type}-sharded-{shard}"));
    if stated != hash_type && Some(stated) != sharded.as_deref() {
        return malformed(format!(
            "a digest of it is of `{stated}`, and the others of `{hash_type}`"
        ));
    }
    match unhex(&resource.digest) {
        Some(digest) if digest.len() == length => Ok(digest),
        _ => malformed(format!("the digest of `{}` is none of `{hash_type}`", resource.name)),
    }
}
