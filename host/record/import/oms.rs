//! The bundle of an OpenSSF model signature (`model.sig`): what its statement
//! says of the files.
//!
//! The signature is not verified here: that is the `provenance` plugin's, in
//! `modelhost run`, and the notes say so. Source: OpenSSF Model Signing 1.0.
//! Leaves whether the files are those to `check`.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::claims::{Algorithm, ClaimedDigest, Claims};
use super::folder::{Folder, Kind};
use super::{ImportError, Request};

/// The most bytes of a bundle: some 100,000 files.
const MAX_BUNDLE: u64 = 64 << 20;

/// What a statement of OpenSSF Model Signing 1.0 says.
const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Envelope,
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Option<Predicate>,
}

#[derive(Deserialize)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    digest: String,
}

#[derive(Deserialize)]
struct Serialization {
    method: String,
    hash_type: String,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

fn bundles(folder: &Folder<'_>) -> Vec<PathBuf> {
    let listed = folder.list(Path::new("")).unwrap_or_default().into_iter();
    let is_bundle = |(name, kind): &(std::ffi::OsString, Kind)| {
        *kind == Kind::File && name.as_bytes().ends_with(b".sig")
    };
    let bundles = listed.filter(is_bundle).map(|(name, _)| PathBuf::from(name));
    bundles.filter(|path| bundle(folder, path).is_ok()).collect()
}

fn bundle(folder: &Folder<'_>, path: &Path) -> Result<Bundle, ImportError> {
    let bytes = folder.read(path, MAX_BUNDLE)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ImportError::malformed(path, format!("it is no bundle: {error}")))
}

pub(super) fn is(folder: &Folder<'_>, within: &Path) -> bool {
    if within.as_os_str().is_empty() {
        return !bundles(folder).is_empty();
    }
    folder.has_file(within) && bundle(folder, within).is_ok()
}

pub(super) fn read(folder: &Folder<'_>, request: &Request<'_>) -> Result<Claims, ImportError> {
    let path = if folder.has_file(request.within) {
        request.within.to_owned()
    } else {
        let mut bundles = bundles(folder);
        match (bundles.pop(), bundles.len()) {
            (Some(bundle), 0) => bundle,
            (None, _) => return Err(ImportError::malformed(Path::new("."), "no bundle is in it")),
            (Some(last), _) => {
                let all = bundles.iter().chain([&last]).take(5);
                let choices: Vec<_> = all.map(|path| path.to_string_lossy()).collect();
                let choices = choices.join(", ");
                return Err(ImportError::Ambiguous { what: "signatures", choices });
            }
        }
    };
    let malformed = |message: String| ImportError::malformed(&path, message);
    let bundle = bundle(folder, &path)?;
    let payload = STANDARD.decode(&bundle.dsse_envelope.payload);
    let payload =
        payload.map_err(|error| malformed(format!("its payload is no base64: {error}")))?;
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|error| malformed(format!("its payload is no statement: {error}")))?;
    let Some(predicate) =
        statement.predicate.filter(|_| statement.predicate_type == PREDICATE_TYPE)
    else {
        let kind = statement.predicate_type;
        return Err(malformed(format!("its statement is a `{kind}`, not a `{PREDICATE_TYPE}`")));
    };
    let mut claims = claims(&path, predicate)?;
    claims.add_beside(&path);
    // What no signature of this kind speaks of, by its specification.
    for name in [".gitignore", ".gitattributes"] {
        claims.add_beside(Path::new(name));
    }
    claims.sort(&path)?;
    Ok(claims)
}

fn claims(path: &Path, predicate: Predicate) -> Result<Claims, ImportError> {
    let malformed = |message: String| ImportError::malformed(path, message);
    let Predicate { resources, serialization } = predicate;
    let algorithm = match serialization.hash_type.as_str() {
        "sha256" => Algorithm::Sha256,
        "blake2b" => Algorithm::Blake2b512,
        "blake3" => Algorithm::Blake3,
        other => {
            return Err(malformed(format!(
                "its digests are of `{other}`, none of sha256, blake2b and blake3"
            )));
        }
    };
    let mut files: BTreeMap<String, (Option<u64>, Vec<ClaimedDigest>)> = BTreeMap::new();
    for Resource { name, digest } in resources {
        let Some(value) = algorithm.parse(&digest) else {
            let kind = algorithm.name();
            return Err(malformed(format!("the digest of `{name}` is none of {kind}")));
        };
        if serialization.method != "shards" {
            let digest = ClaimedDigest { algorithm, range: None, value };
            if files.insert(name.clone(), (None, vec![digest])).is_some() {
                return Err(malformed(format!("something is claimed of `{name}` twice")));
            }
            continue;
        }
        // Names may hold colons: the last two are those of the part.
        let part = |text: &str| text.parse::<u64>().ok().filter(|_| !text.starts_with('+'));
        let read = || {
            let (rest, end) = name.rsplit_once(':')?;
            let (file, start) = rest.rsplit_once(':')?;
            Some((file.to_owned(), part(start)?, part(end)?))
        };
        let Some((file, start, end)) = read() else {
            return Err(malformed(format!("`{name}` names no part of a file")));
        };
        let (size, digests) = files.entry(file).or_default();
        // From the front and without gaps, so that no byte is unclaimed.
        if end <= start || size.unwrap_or(0) != start {
            return Err(malformed(format!("the part `{name}` does not follow the one before")));
        }
        *size = Some(end);
        digests.push(ClaimedDigest { algorithm, range: Some(start..end), value });
    }
    let mut claims = Claims::default();
    for (name, (size, digests)) in files {
        if name == "." {
            let message = "it is of a model of one file, whose name it does not say";
            return Err(malformed(message.to_owned())
                .with_help("lock that file by its path; `modelhost run` verifies the signature"));
        }
        claims.add(name.as_bytes(), size, digests, path)?;
    }
    claims.notes.push(format!(
        "the signature in {} was not verified here, so these are claims of whoever wrote it; \
         `modelhost run` verifies it, by the plugin `provenance`",
        crate::domain::text::GuestText::capped(&path.to_string_lossy())
    ));
    let mut ignored = serialization.ignore_paths;
    ignored.sort();
    ignored.truncate(5);
    if !ignored.is_empty() {
        let ignored = crate::domain::text::GuestText::capped(&ignored.join(", "));
        claims.notes.push(format!("it says nothing of what the signer left out: {ignored}"));
    }
    Ok(claims)
}
