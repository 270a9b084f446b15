//! The shapes of a CycloneDX 1.6 bill of materials, and how modelhost names models,
//! files, sources and licenses in one: the same from the lock file as from a run.
//!
//! What stands in one is `record::export`'s and `report`'s, which don't know each
//! other. Source: CycloneDX 1.6, `bom-1.6.schema.json`; purl-spec, type `huggingface`.

#[cfg(test)]
mod tests;

use std::io;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use sha1::{Digest as _, Sha1};

/// The prefix of a source on the Hugging Face Hub.
const HUB: &str = "hf:";

/// What is written as `%XX` in a part of a package URL or of a path: all but the
/// unreserved characters of RFC 3986.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is written as `%XX` of a path: the same, but for what separates its parts.
const PATH: &AsciiSet = &PART.remove(b'/');

/// What is written as `%XX` of a whole URL, in which parts may be so already.
const URL: &AsciiSet = &PATH.remove(b':').remove(b'@').remove(b'+').remove(b'%');

/// A bill of materials.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

/// What is said of the bill itself.
#[derive(Serialize)]
pub(crate) struct Metadata {
    /// When it was made, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp: Option<String>,
    /// What made it.
    pub(crate) tools: Tools,
    /// What else is known of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) properties: Vec<Property>,
}

/// What made a bill of materials.
#[derive(Serialize)]
pub(crate) struct Tools {
    /// modelhost, and its plugins.
    pub(crate) components: Vec<Component>,
}

/// One model, file or tool.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Component {
    /// What it is.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// What it is referred to by, unique in the bill.
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    pub(crate) bom_ref: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Its version; of a model, its revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// A few words on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Its digests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hashes: Vec<Hash>,
    /// Its licenses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) licenses: Vec<LicenseChoice>,
    /// Its package URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purl: Option<String>,
    /// What it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pedigree: Option<Pedigree>,
    /// Where more of it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) external_references: Vec<Reference>,
    /// What has no field of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) properties: Vec<Property>,
    /// What it consists of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) components: Vec<Self>,
    /// What was established of a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model_card: Option<ModelCard>,
}

/// A digest.
#[derive(Serialize)]
pub(crate) struct Hash {
    /// Its algorithm, by the names of CycloneDX.
    pub(crate) alg: &'static str,
    /// The digest in hex.
    pub(crate) content: String,
}

/// An expression, or a license by its name.
#[derive(Default, Serialize)]
pub(crate) struct LicenseChoice {
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

/// What a model was made from.
#[derive(Serialize)]
pub(crate) struct Pedigree {
    /// Its base models.
    pub(crate) ancestors: Vec<Component>,
}

/// Where more is.
#[derive(Serialize)]
pub(crate) struct Reference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

/// What was established of a model.
#[derive(Serialize)]
pub(crate) struct ModelCard {
    /// It, by name.
    pub(crate) properties: Vec<Property>,
}

/// What has no field of its own.
#[derive(Serialize)]
pub(crate) struct Property {
    name: String,
    value: String,
}

impl Property {
    /// Makes one of modelhost's own, `modelhost:<name>`.
    pub(crate) fn new(name: &str, value: impl ToString) -> Self {
        Self { name: format!("modelhost:{name}"), value: value.to_string() }
    }

    /// Returns its value, if it is called `modelhost:<name>`.
    pub(crate) fn of(&self, name: &str) -> Option<&str> {
        (self.name.strip_prefix("modelhost:") == Some(name)).then_some(self.value.as_str())
    }
}

impl Bom {
    /// Makes a bill of `components`. Its serial number is derived from all that
    /// stands in it: the same content has the same number, and other content another.
    pub(crate) fn new(metadata: Metadata, components: Vec<Component>) -> Self {
        let mut bom = Self {
            schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: None,
            version: 1,
            metadata,
            components,
        };
        bom.serial_number = Some(serial_number(&bom));
        bom
    }
}

/// Returns modelhost, as the tool.
pub(crate) fn modelhost() -> Component {
    Component {
        kind: "application",
        name: "modelhost".to_owned(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..Component::default()
    }
}

/// Returns what refers to a model in a bill.
pub(crate) fn model_ref(model: &str) -> String {
    format!("model:{}", utf8_percent_encode(model, PATH))
}

/// Returns what refers to a file of a model in a bill.
pub(crate) fn file_ref(model: &str, path: &str) -> String {
    format!("file:{}#{}", utf8_percent_encode(model, PATH), utf8_percent_encode(path, PATH))
}

/// Returns the package URL of a model of the Hugging Face Hub; other sources have no
/// type of their own.
pub(crate) fn purl(source: &str, revision: Option<&str>) -> Option<String> {
    let id = utf8_percent_encode(source.strip_prefix(HUB)?, PATH);
    let revision = revision.map(|revision| format!("@{}", utf8_percent_encode(revision, PART)));
    Some(format!("pkg:huggingface/{id}{}", revision.unwrap_or_default()))
}

/// Returns where a source is.
pub(crate) fn reference(source: &str) -> Reference {
    let url = match source.strip_prefix(HUB) {
        Some(id) => format!("https://huggingface.co/{}", utf8_percent_encode(id, PATH)),
        None => utf8_percent_encode(source, URL).to_string(),
    };
    Reference { kind: "distribution", url }
}

/// Returns the licenses that are declared and concluded. One alone, or both alike, is
/// an expression where it has the form of one; an expression stands alone by the
/// schema, so two are named.
pub(crate) fn licenses(declared: Option<&str>, concluded: Option<&str>) -> Vec<LicenseChoice> {
    let named = |name: &str, acknowledgement| LicenseChoice {
        license: Some(License { name: name.to_owned(), acknowledgement }),
        ..LicenseChoice::default()
    };
    let alone = |text: &str, acknowledgement| match is_expression(text) {
        false => vec![named(text, acknowledgement)],
        true => vec![LicenseChoice {
            expression: Some(text.to_owned()),
            acknowledgement: Some(acknowledgement),
            license: None,
        }],
    };
    match (declared, concluded) {
        (None, None) => Vec::new(),
        (Some(declared), None) => alone(declared, "declared"),
        (None, Some(concluded)) => alone(concluded, "concluded"),
        (Some(declared), Some(concluded)) if declared == concluded => alone(concluded, "concluded"),
        (Some(declared), Some(concluded)) => {
            vec![named(declared, "declared"), named(concluded, "concluded")]
        }
    }
}

/// Tells whether `text` has the form of an SPDX expression: names, with an operator
/// between each two, and brackets that match. Which names there are is not known here.
fn is_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let (mut depth, mut wants_name) = (0_usize, true);
    for token in spaced.split_whitespace() {
        let is_operator = matches!(token, "AND" | "OR" | "WITH");
        let is_name =
            token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+:".contains(&byte));
        match (token, wants_name) {
            ("(", true) => depth += 1,
            (")", false) if depth > 0 => depth -= 1,
            (_, false) if is_operator => wants_name = true,
            (_, true) if is_name && !is_operator => wants_name = false,
            _ => return false,
        }
    }
    depth == 0 && !wants_name
}

/// Derives a serial number from what is numbered: a UUID of version 5 (RFC 9562),
/// named by `content` as JSON in the namespace of URLs.
fn serial_number(content: &Bom) -> String {
    const URLS: [u8; 16] = [
        0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30,
        0xc8,
    ];
    struct Hashing(Sha1);
    impl io::Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(Sha1::new_with_prefix(URLS));
    serde_json::to_writer(&mut hashing, content).expect("texts and lists, and hashing can't fail");
    let digest: [u8; 20] = hashing.0.finalize().into();
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
