//! A CycloneDX 1.6 bill of materials: each model a `machine-learning-model` with
//! its files below it.
//!
//! The serial number is derived from the content, and no time stands in it unless
//! one is given, so the same lock makes the same bytes. Source: CycloneDX 1.6,
//! `bom-1.6.schema.json`; purl-spec, `types/huggingface`.

use serde::Serialize;
use sha1::{Digest as _, Sha1};

use super::{ExportError, Exported, Format, json, utf8};
use crate::domain::model::LockedFile;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    bom_format: &'static str,
    spec_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    tools: Tools,
}

#[derive(Serialize)]
struct Tools {
    components: [Component; 1],
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pedigree: Option<Pedigree>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Self>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

/// An expression, or a license by its name.
#[derive(Default, Serialize)]
struct LicenseChoice {
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledgement: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<License>,
}

#[derive(Serialize)]
struct License {
    name: String,
    acknowledgement: &'static str,
}

#[derive(Serialize)]
struct Pedigree {
    ancestors: Vec<Component>,
}

#[derive(Serialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

/// Writes the bill of materials of `models`, of the time `when`, where one is
/// given.
///
/// # Errors
/// Says that a file's name is no UTF-8.
pub(super) fn write(models: &[Exported<'_>], when: Option<&str>) -> Result<Vec<u8>, ExportError> {
    let tool = Component {
        kind: "application",
        name: "modelhost".to_owned(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..Component::default()
    };
    let mut bom = Bom {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: None,
        version: 1,
        metadata: Metadata {
            timestamp: when.map(str::to_owned),
            tools: Tools { components: [tool] },
        },
        components: models.iter().map(component).collect::<Result<_, _>>()?,
    };
    bom.serial_number = Some(serial_number(&json(&bom)));
    Ok(json(&bom))
}

/// Derives a serial number from what is numbered: a UUID of version 5 (RFC 9562),
/// named by `content` in the namespace of URLs.
fn serial_number(content: &[u8]) -> String {
    const URLS: [u8; 16] = [
        0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30,
        0xc8,
    ];
    let mut state = Sha1::new();
    state.update(URLS);
    state.update(content);
    let digest: [u8; 20] = state.finalize().into();
    let mut hex = String::with_capacity(45);
    for (index, byte) in digest.iter().take(16).enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x50,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            hex.push('-');
        }
        use std::fmt::Write as _;
        write!(hex, "{byte:02x}").expect("writing to a String can't fail");
    }
    format!("urn:uuid:{hex}")
}

fn component(model: &Exported<'_>) -> Result<Component, ExportError> {
    let Exported { name, entry, .. } = model;
    let notes = &entry.notes;
    let files = entry.files.iter().map(|file| file_of(model, file)).collect::<Result<_, _>>()?;
    let base: Vec<Component> = notes.base.iter().map(|base| ancestor(&base.to_string())).collect();
    let mut properties = vec![Property { name: "modelhost:tree", value: entry.tree.to_string() }];
    let more = [
        ("modelhost:requested", &notes.requested),
        ("modelhost:signer", &notes.signer),
        ("modelhost:tensors", &notes.tensors),
    ];
    for (name, value) in more {
        properties.extend(value.as_ref().map(|value| Property { name, value: value.to_string() }));
    }
    let source = entry.source.as_deref();
    let purl = source.and_then(|source| purl(source, entry.revision.as_deref()));
    let reference = source
        .filter(|_| purl.is_none())
        .map(|source| Reference { kind: "distribution", url: url(source) });
    Ok(Component {
        kind: "machine-learning-model",
        reference: Some(format!("model:{}", encode(name.as_str(), b"-._~/"))),
        name: name.to_string(),
        version: entry.revision.clone(),
        licenses: licenses(model.license, notes.license.as_deref()),
        purl,
        pedigree: (!base.is_empty()).then_some(Pedigree { ancestors: base }),
        external_references: reference.into_iter().collect(),
        components: files,
        properties,
        ..Component::default()
    })
}

fn file_of(model: &Exported<'_>, file: &LockedFile) -> Result<Component, ExportError> {
    let mut hashes = vec![Hash { alg: "SHA-256", content: file.digest.hex() }];
    hashes.extend(file.blake3.map(|blake3| Hash { alg: "BLAKE3", content: blake3.to_string() }));
    let mut properties = vec![Property { name: "modelhost:size", value: file.size.to_string() }];
    properties.extend(
        file.upstream
            .map(|claim| Property { name: "modelhost:upstream", value: claim.to_string() }),
    );
    Ok(Component {
        kind: "file",
        reference: Some(format!(
            "file:{}#{}",
            encode(model.name.as_str(), b"-._~/"),
            encode(file.path.as_str(), b"-._~/")
        )),
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

/// Returns the package URL of a model of the Hugging Face Hub; other sources have
/// no type of their own.
fn purl(source: &str, revision: Option<&str>) -> Option<String> {
    let id = source.strip_prefix("hf:")?;
    let revision = revision.map(|revision| format!("@{revision}")).unwrap_or_default();
    Some(format!("pkg:huggingface/{}{revision}", url(id)))
}

/// Writes what has no place in a URL as `%XX`.
fn url(text: &str) -> String {
    encode(text, b"-._~:/@+%")
}

/// Writes each byte that is no letter, no digit and none of `kept` as `%XX`.
fn encode(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            write!(out, "%{byte:02X}").expect("writing to a String can't fail");
        }
    }
    out
}

/// Returns the licenses that are declared and concluded. One alone, or both
/// alike, is an expression; an expression stands alone by the schema, so two are
/// named.
fn licenses(declared: Option<&str>, concluded: Option<&str>) -> Vec<LicenseChoice> {
    let named = |name: &str, acknowledgement| LicenseChoice {
        license: Some(License { name: name.to_owned(), acknowledgement }),
        ..LicenseChoice::default()
    };
    let alone = |text: &str, acknowledgement| LicenseChoice {
        expression: Some(text.to_owned()),
        acknowledgement: Some(acknowledgement),
        license: None,
    };
    match (declared, concluded) {
        (None, None) => Vec::new(),
        (Some(declared), None) => vec![alone(declared, "declared")],
        (None, Some(concluded)) => vec![alone(concluded, "concluded")],
        (Some(declared), Some(concluded)) if declared == concluded => {
            vec![alone(concluded, "concluded")]
        }
        (Some(declared), Some(concluded)) => {
            vec![named(declared, "declared"), named(concluded, "concluded")]
        }
    }
}
