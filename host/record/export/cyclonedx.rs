//! A CycloneDX 1.6 bill of materials: each model a `machine-learning-model` with
//! its files below it.
//!
//! No time stands in it unless one is given, so the same lock makes the same bytes.
//! Leaves the shapes, and how things are named in them, to `bom`.

use super::{ExportError, Exported, Format, json, utf8};
use crate::bom::{
    Bom, Component, Hash, Metadata, Pedigree, Property, Tools, file_ref, licenses, model_ref,
    modelhost, purl, reference,
};
use crate::domain::model::LockedFile;

/// Writes the bill of materials of `models`, of the time `when`, where one is
/// given.
///
/// # Errors
/// Says that a file's name is no UTF-8.
pub(super) fn write(models: &[Exported<'_>], when: Option<&str>) -> Result<Vec<u8>, ExportError> {
    let metadata = Metadata {
        timestamp: when.map(str::to_owned),
        tools: Tools { components: vec![modelhost()] },
        properties: Vec::new(),
    };
    let models = models.iter().map(component).collect::<Result<_, _>>()?;
    Ok(json(&Bom::new(metadata, models)))
}

fn component(model: &Exported<'_>) -> Result<Component, ExportError> {
    let Exported { name, entry, .. } = model;
    let notes = &entry.notes;
    let files = entry.files.iter().map(|file| file_of(model, file)).collect::<Result<_, _>>()?;
    let base: Vec<Component> = notes.base.iter().map(|base| ancestor(&base.to_string())).collect();
    let mut properties = vec![Property::new("tree", entry.tree)];
    let more =
        [("requested", &notes.requested), ("signer", &notes.signer), ("tensors", &notes.tensors)];
    for (name, value) in more {
        properties.extend(value.as_ref().map(|value| Property::new(name, value)));
    }
    let source = entry.source.as_deref();
    Ok(Component {
        kind: "machine-learning-model",
        bom_ref: Some(model_ref(name.as_str())),
        name: name.to_string(),
        version: entry.revision.clone(),
        licenses: licenses(model.license, notes.license.as_deref()),
        purl: source.and_then(|source| purl(source, entry.revision.as_deref())),
        pedigree: (!base.is_empty()).then_some(Pedigree { ancestors: base }),
        external_references: source.map(reference).into_iter().collect(),
        components: files,
        properties,
        ..Component::default()
    })
}

fn file_of(model: &Exported<'_>, file: &LockedFile) -> Result<Component, ExportError> {
    let mut hashes = vec![Hash { alg: "SHA-256", content: file.digest.hex() }];
    hashes.extend(file.blake3.map(|blake3| Hash { alg: "BLAKE3", content: blake3.to_string() }));
    let mut properties = vec![Property::new("size", file.size)];
    properties.extend(file.upstream.map(|claim| Property::new("upstream", claim)));
    Ok(Component {
        kind: "file",
        bom_ref: Some(file_ref(model.name.as_str(), file.path.as_str())),
        name: utf8(Format::CycloneDx, &file.path)?,
        hashes,
        properties,
        ..Component::default()
    })
}

/// Returns the model that a line of `base` names: a source, and after `@` its
/// revision.
fn ancestor(base: &str) -> Component {
    let (source, revision) = match base.rsplit_once('@') {
        Some((source, revision)) => (source, Some(revision)),
        None => (base, None),
    };
    Component {
        kind: "machine-learning-model",
        name: source.to_owned(),
        version: revision.map(str::to_owned),
        purl: purl(source, revision),
        ..Component::default()
    }
}
