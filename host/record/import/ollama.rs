//! The folder that Ollama keeps models in: `manifests/HOST/NAMESPACE/NAME/TAG`
//! and `blobs/sha256-HEX`.
//!
//! A tag moves, so the manifest's own digest is the revision. Source: ollama,
//! `server/manifest.go`. Leaves whether the blobs are what they are named to
//! `check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::claims::{Algorithm, ClaimedDigest, Claims};
use super::folder::{Folder, Kind};
use super::{ImportError, Request};
use crate::domain::digest::Digest;

/// The most bytes of a manifest: registries take 4 MiB at most.
const MAX_MANIFEST: u64 = 4 << 20;

/// The most manifests that are read.
const MAX_MANIFESTS: usize = 10_000;

/// What Ollama leaves out of a name.
const DEFAULTS: [&str; 2] = ["registry.ollama.ai", "library"];

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    size: u64,
}

pub(super) fn is(folder: &Folder<'_>, within: &Path) -> bool {
    let is_whole = within.as_os_str().is_empty() || within.starts_with("manifests");
    is_whole && folder.has_folder(Path::new("manifests")) && folder.has_folder(Path::new("blobs"))
}

pub(super) fn read(folder: &Folder<'_>, request: &Request<'_>) -> Result<Claims, ImportError> {
    let manifests = if folder.has_file(request.within) {
        vec![request.within.to_owned()]
    } else {
        let top = match request.within.as_os_str().is_empty() {
            true => Path::new("manifests"),
            false => request.within,
        };
        let found = folder.walk(top, &|_| false)?.into_iter();
        found.filter(|(_, kind)| *kind == Kind::File).map(|(path, _)| path).collect()
    };
    if manifests.len() > MAX_MANIFESTS {
        let path = PathBuf::from("manifests");
        return Err(ImportError::TooMuch { path, most: MAX_MANIFESTS as u64, what: "manifests" });
    }
    let blobs = PathBuf::from("blobs");
    let mut claims = Claims { base: blobs.clone(), model: blobs, ..Claims::default() };
    let mut named: BTreeMap<Digest, u64> = BTreeMap::new();
    for path in &manifests {
        let bytes = folder.read(path, MAX_MANIFEST)?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| ImportError::malformed(path, format!("it is no manifest: {error}")))?;
        for part in manifest.layers.iter().chain([&manifest.config]) {
            note(path, part, &mut named)?;
        }
        if manifests.len() == 1 {
            claims.revision = Some(Digest::of(&bytes).to_string());
            name(path, &mut claims);
        }
    }
    if manifests.len() > 1 {
        claims.notes.push(format!(
            "{} models share these files, so no source and revision is noted; name one manifest \
             for that",
            manifests.len()
        ));
    }
    let place = Path::new("manifests");
    for (digest, size) in named {
        let value = digest.as_bytes().to_vec();
        let claim = ClaimedDigest { algorithm: Algorithm::Sha256, range: None, value };
        let path = format!("sha256-{}", digest.hex());
        claims.add(path.as_bytes(), Some(size), vec![claim], place)?;
    }
    claims.sort(place)?;
    Ok(claims)
}

fn note(
    path: &Path,
    part: &Descriptor,
    named: &mut BTreeMap<Digest, u64>,
) -> Result<(), ImportError> {
    let digest: Digest = part.digest.parse().map_err(|error| {
        ImportError::malformed(path, format!("`{}` is named in it: {error}", part.digest))
    })?;
    match named.insert(digest, part.size) {
        Some(size) if size != part.size => {
            let message = format!("`{digest}` has {size} bytes elsewhere, and {} here", part.size);
            Err(ImportError::malformed(path, message))
        }
        _ => Ok(()),
    }
}

/// Notes the source and the tag that a manifest's path tells.
fn name(path: &Path, claims: &mut Claims) {
    let Ok(rest) = path.strip_prefix("manifests") else { return };
    let parts: Option<Vec<&str>> = rest.iter().map(|part| part.to_str()).collect();
    let Some([host, namespace, model, tag]) = parts.as_deref() else { return };
    let is_plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    if ![host, namespace, model, tag].into_iter().all(is_plain) {
        return;
    }
    let source = match ([*host, *namespace] == DEFAULTS, *host == DEFAULTS[0]) {
        (true, _) => format!("ollama:{model}"),
        (false, true) => format!("ollama:{namespace}/{model}"),
        (false, false) => format!("ollama:{host}/{namespace}/{model}"),
    };
    claims.source = Some(source);
    claims.requested = Some((*tag).to_owned());
}
