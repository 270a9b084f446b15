//! An OCI image layout that holds a model: ModelPack, KitOps.
//!
//! `index.json` names a manifest, the manifest its configuration and layers, each
//! by digest and size. Of a layout as it is, the blobs are the files that are
//! claimed. Of a model unpacked elsewhere, only layers that are the bare file say
//! anything: the digest of an archive is none of the files in it. Sources: OCI
//! image-spec 1.1, `image-layout.md`; CNCF model-spec, `docs/spec.md`. Leaves
//! whether the files are those to `check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::claims::{Algorithm, ClaimedDigest, Claims};
use super::folder::Folder;
use super::{ImportError, Request};
use crate::domain::digest::Digest;

/// The most bytes of an index or a manifest: registries take 4 MiB at most.
const MAX_MANIFEST: u64 = 4 << 20;

/// How deep an index may name an index.
const MAX_DEPTH: usize = 4;

/// Where a layer says which file it is, the newest first.
const PATHS: [&str; 3] =
    ["org.cncf.model.filepath", "org.cnai.model.filepath", "org.opencontainers.image.title"];

/// Where an index says what its manifest is called.
const REFERENCES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

pub(super) fn is(folder: &Folder<'_>, within: &Path) -> bool {
    let is_whole = within.as_os_str().is_empty() || within == Path::new("index.json");
    is_whole && folder.has_file(Path::new("oci-layout")) && folder.has_file(Path::new("index.json"))
}

pub(super) fn read(folder: &Folder<'_>, request: &Request<'_>) -> Result<Claims, ImportError> {
    let place = Path::new("index.json");
    let index: Index = parse(place, &folder.read(place, MAX_MANIFEST)?)?;
    let mut blobs: BTreeMap<Digest, u64> = BTreeMap::new();
    let (found, manifest) = manifest(folder, index, &mut blobs)?;
    let mut claims = Claims { revision: Some(found.digest.clone()), ..Claims::default() };
    name(&found, &mut claims);
    if request.is_elsewhere {
        unpacked(&manifest, &mut claims)?;
    } else {
        for part in manifest.layers.iter().chain([&manifest.config]) {
            note(part, &mut blobs)?;
        }
        for (digest, size) in blobs {
            let value = digest.as_bytes().to_vec();
            let claim = ClaimedDigest { algorithm: Algorithm::Sha256, range: None, value };
            let path = blob(&digest);
            claims.add(path.as_os_str().as_encoded_bytes(), Some(size), vec![claim], place)?;
        }
        claims.add_beside(place);
        claims.add_beside(Path::new("oci-layout"));
        let archives = manifest.layers.iter().filter(|layer| is_archive(layer)).count();
        if archives > 0 {
            claims.notes.push(format!(
                "{archives} layers are archives: what is locked is their digest, not that of the \
                 files in them"
            ));
        }
    }
    claims.sort(place)?;
    Ok(claims)
}

/// Finds the one manifest that `index` names, through other indexes where there
/// are any, and notes the blobs on the way.
fn manifest(
    folder: &Folder<'_>,
    mut index: Index,
    blobs: &mut BTreeMap<Digest, u64>,
) -> Result<(Descriptor, Manifest), ImportError> {
    let mut place = PathBuf::from("index.json");
    let mut annotations = BTreeMap::new();
    for _ in 0..MAX_DEPTH {
        let [descriptor] = &index.manifests[..] else {
            if index.manifests.is_empty() {
                return Err(ImportError::malformed(&place, "it names no manifest"));
            }
            let show = |part: &Descriptor| {
                let name = REFERENCES.iter().find_map(|key| part.annotations.get(*key));
                name.unwrap_or(&part.digest).clone()
            };
            let choices: Vec<String> = index.manifests.iter().take(5).map(show).collect();
            let message = format!("it names several manifests: {}", choices.join(", "));
            return Err(ImportError::malformed(&place, message)
                .with_help("export the one model into a layout of its own"));
        };
        annotations.extend(descriptor.annotations.clone());
        let digest = note(descriptor, blobs)?;
        place = blob(&digest);
        let bytes = folder.read(&place, MAX_MANIFEST)?;
        if Digest::of(&bytes) != digest {
            return Err(ImportError::malformed(&place, "its content is not of that digest"));
        }
        if descriptor.media_type.ends_with("image.index.v1+json")
            || descriptor.media_type.ends_with("manifest.list.v2+json")
        {
            index = parse(&place, &bytes)?;
            continue;
        }
        let found = Descriptor { annotations, ..descriptor.clone() };
        return Ok((found, parse(&place, &bytes)?));
    }
    Err(ImportError::malformed(&place, format!("more than {MAX_DEPTH} indexes name each other")))
}

fn parse<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, ImportError> {
    serde_json::from_slice(bytes)
        .map_err(|error| ImportError::malformed(path, format!("it can't be read: {error}")))
}

/// Notes the blob that `part` names, and returns its digest.
fn note(part: &Descriptor, blobs: &mut BTreeMap<Digest, u64>) -> Result<Digest, ImportError> {
    let place = Path::new("index.json");
    let digest: Digest = part.digest.parse().map_err(|error| {
        ImportError::malformed(place, format!("`{}` is named in it: {error}", part.digest))
    })?;
    match blobs.insert(digest, part.size) {
        Some(size) if size != part.size => {
            let message = format!("`{digest}` has {size} bytes in it, and {} too", part.size);
            Err(ImportError::malformed(place, message))
        }
        _ => Ok(digest),
    }
}

/// Returns where the blob of `digest` is in a layout.
fn blob(digest: &Digest) -> PathBuf {
    Path::new("blobs/sha256").join(digest.hex())
}

/// Whether a layer packs its files, so that its digest is none of theirs.
fn is_archive(layer: &Descriptor) -> bool {
    let kind = layer.media_type.as_str();
    [".tar", ".zip", "+gzip", "+zstd", "+tar"].iter().any(|ending| kind.ends_with(ending))
        || kind.contains(".tar+")
        || kind.contains(".tar.")
}

/// Claims the files of a model that was unpacked elsewhere.
fn unpacked(manifest: &Manifest, claims: &mut Claims) -> Result<(), ImportError> {
    let place = Path::new("index.json");
    let mut archives = Vec::new();
    for layer in &manifest.layers {
        let path = PATHS.iter().find_map(|key| layer.annotations.get(*key));
        let Some(path) = path.filter(|_| !is_archive(layer)) else {
            archives.push(layer.digest.as_str());
            continue;
        };
        let digest: Digest = layer.digest.parse().map_err(|error| {
            ImportError::malformed(place, format!("`{}` is named in it: {error}", layer.digest))
        })?;
        let value = digest.as_bytes().to_vec();
        let claim = ClaimedDigest { algorithm: Algorithm::Sha256, range: None, value };
        let path = path.strip_prefix("./").unwrap_or(path);
        claims.add(path.as_bytes(), Some(layer.size), vec![claim], place)?;
    }
    if !archives.is_empty() {
        if claims.files.is_empty() {
            let message = "all its layers are archives: it says nothing of a file in them";
            return Err(ImportError::malformed(place, message)
                .with_help("lock the layout itself: leave the model out, and name the layout"));
        }
        let count = archives.len();
        archives.truncate(3);
        claims.notes.push(format!(
            "{count} layers are archives, whose digest is none of the files in them, so nothing \
             is claimed of these: {}",
            crate::domain::text::GuestText::capped(&archives.join(", "))
        ));
    }
    Ok(())
}

/// Notes the source and the tag, where the layout says them.
fn name(found: &Descriptor, claims: &mut Claims) {
    let Some(name) = REFERENCES.iter().find_map(|key| found.annotations.get(*key)) else { return };
    let name = name.split('@').next().unwrap_or(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(is_plain) {
        return;
    }
    // The port of a host has a `/` after it, a tag has none.
    let (place, tag) = match name.rsplit_once(':') {
        Some((place, tag)) if !tag.contains('/') => (place, Some(tag)),
        _ => (name, None),
    };
    if place.contains('/') {
        claims.source = Some(format!("oci:{place}"));
        claims.requested = tag.map(str::to_owned);
    } else {
        claims.requested = Some(tag.unwrap_or(place).to_owned());
    }
}
