//! The statement of an OpenSSF model signature, to be signed: an in-toto statement
//! over the digests of whole files.
//!
//! Source: OpenSSF Model Signing 1.0, sections 5 and 6. Leaves signing it, and the
//! envelope around it, to others.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{ExportError, Exported, Format, json, utf8};
use crate::domain::digest::Digest;

/// What a signature never speaks of, by the specification: git's own files at the
/// model's top, and the signature.
const IGNORED: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// Where a model's signature is, by convention.
const SIGNATURE: &str = "model.sig";

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: [Subject<'a>; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: Predicate,
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'a str,
    digest: SubjectDigest,
}

#[derive(Serialize)]
struct SubjectDigest {
    sha256: String,
}

#[derive(Serialize)]
struct Predicate {
    serialization: Serialization,
    resources: Vec<Resource>,
}

#[derive(Serialize)]
struct Serialization {
    method: &'static str,
    hash_type: &'static str,
    allow_symlinks: bool,
    ignore_paths: Vec<&'static str>,
}

#[derive(Serialize)]
struct Resource {
    name: String,
    algorithm: &'static str,
    digest: String,
}

/// Writes the statement over `model`.
///
/// # Errors
/// Says that a file's name is no UTF-8, or that there is no file to sign.
pub(super) fn write(model: &Exported<'_>) -> Result<Vec<u8>, ExportError> {
    let format = Format::Oms;
    let mut files = Vec::with_capacity(model.entry.files.len());
    for file in &model.entry.files {
        let name = utf8(format, &file.path)?;
        let top = name.split('/').next().unwrap_or(&name);
        if !IGNORED.contains(&top) && name != SIGNATURE {
            files.push((name, file.digest));
        }
    }
    if files.is_empty() {
        return Err(ExportError::NoFiles { format, model: model.name.clone() });
    }
    // By code points, which is the order of UTF-8's bytes.
    files.sort();
    let mut root = Sha256::new();
    files.iter().for_each(|(_, digest)| root.update(digest.as_bytes()));
    let root = Digest::from_bytes(root.finalize().into());
    let name = model.place.rsplit('/').next().filter(|name| !matches!(*name, "" | "."));
    let resource = |(name, digest): (String, Digest)| Resource {
        name,
        algorithm: "sha256",
        digest: digest.hex(),
    };
    Ok(json(&Statement {
        kind: "https://in-toto.io/Statement/v1",
        subject: [Subject {
            name: name.unwrap_or(model.name.as_str()),
            digest: SubjectDigest { sha256: root.hex() },
        }],
        predicate_type: "https://model_signing/signature/v1.0",
        predicate: Predicate {
            serialization: Serialization {
                method: "files",
                hash_type: "sha256",
                allow_symlinks: false,
                ignore_paths: IGNORED.into_iter().chain([SIGNATURE]).collect(),
            },
            resources: files.into_iter().map(resource).collect(),
        },
    }))
}
