//! The format `cyclonedx`: a bill of materials of the models that a run looked at,
//! CycloneDX 1.6 in JSON: each model a `machine-learning-model` with its files, and
//! what checked them as the tools.
//!
//! Leaves findings to the other formats: they are no property of a model, but of a
//! model under a policy.

use std::io;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::json::layout;
use crate::domain::digest::Digest;
use crate::domain::model::Definition;
use crate::domain::moment;
use crate::domain::report::{Ending, FileReport, Judgement, ModelReport, PluginReport, Report};
use crate::domain::text::GuestText;

/// The prefix of a source on the Hugging Face Hub.
const HUB: &str = "hf:";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Metadata {
    timestamp: String,
    tools: Tools,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

/// One model, file or tool.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    bom_ref: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_card: Option<ModelCard>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct LicenseChoice {
    license: License,
}

/// A license by its text: whether that is one of SPDX's ids is not known here.
#[derive(Serialize)]
struct License {
    name: String,
    acknowledgement: &'static str,
}

#[derive(Serialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

#[derive(Serialize)]
struct ModelCard {
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

impl Property {
    fn new(name: &str, value: impl ToString) -> Self {
        Self { name: format!("modelhost:{name}"), value: inert(&value.to_string()) }
    }
}

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut tools = vec![Component {
        kind: "application",
        name: "modelhost".to_owned(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..Component::default()
    }];
    tools.extend(report.plugins.iter().map(tool));
    let models = report.models.iter().enumerate();
    let document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial_number(report),
        version: 1,
        metadata: Metadata {
            timestamp: moment::rfc3339(report.now),
            tools: Tools { components: tools },
            properties: vec![Property::new("decision", report.decision.name())],
        },
        components: models.map(|(index, model)| component(report, index, model)).collect(),
    };
    layout::write(&document, out)
}

fn tool(plugin: &PluginReport) -> Component {
    let manifest = &plugin.plugin.manifest;
    Component {
        kind: "application",
        name: manifest.id.to_string(),
        version: Some(manifest.version.to_string()),
        description: Some(inert(&manifest.title)).filter(|title| !title.is_empty()),
        hashes: vec![hash(plugin.plugin.digest)],
        ..Component::default()
    }
}

fn component(report: &Report, index: usize, model: &ModelReport) -> Component {
    let bom_ref = format!("model-{}", index + 1);
    let facts = facts(report, model);
    let concluded = facts.iter().find(|fact| fact.name == "modelhost:fact:license/concluded");
    let stated = model.definition.as_ref().and_then(|definition| definition.license.as_deref());
    let license = |name: &str, acknowledgement| LicenseChoice {
        license: License { name: inert(name), acknowledgement },
    };
    let mut licenses: Vec<LicenseChoice> =
        stated.map(|stated| license(stated, "declared")).into_iter().collect();
    licenses.extend(concluded.map(|fact| license(&fact.value, "concluded")));
    let mut properties =
        vec![Property::new("path", &model.path), Property::new("locked", model.locked)];
    properties.extend(model.tree.map(|tree| Property::new("tree", tree)));
    let definition = model.definition.as_ref();
    let source = definition.and_then(|definition| definition.source.as_deref());
    properties.extend(source.map(|source| Property::new("source", source)));
    Component {
        kind: "machine-learning-model",
        name: model.name.to_string(),
        version: definition.and_then(|definition| definition.revision.as_deref()).map(inert),
        licenses,
        purl: definition.and_then(purl),
        external_references: source.and_then(reference).into_iter().collect(),
        properties,
        components: model
            .files
            .iter()
            .enumerate()
            .map(|(index, of)| file(format!("{bom_ref}/file-{}", index + 1), of))
            .collect(),
        model_card: (!facts.is_empty()).then_some(ModelCard { properties: facts }),
        bom_ref: Some(bom_ref),
        ..Component::default()
    }
}

fn file(bom_ref: String, file: &FileReport) -> Component {
    let judged = match &file.judged {
        Judgement::By(_) => "judged",
        Judgement::Companion => "companion",
        Judgement::Empty => "empty",
        Judgement::LfsPointer | Judgement::No => "not-judged",
    };
    Component {
        kind: "file",
        bom_ref: Some(bom_ref),
        name: file.path.to_string(),
        hashes: file.digest.map(hash).into_iter().collect(),
        properties: vec![Property::new("size", file.size), Property::new("judgement", judged)],
        ..Component::default()
    }
}

/// Returns what the plugins established of `model` as a whole.
fn facts(report: &Report, model: &ModelReport) -> Vec<Property> {
    let tasks = report.tasks_of(&model.name).iter().filter(|task| task.file.is_none());
    tasks
        .flat_map(|task| {
            let facts = match &task.ending {
                Ending::Checked(facts) => facts.as_slice(),
                Ending::NotApplicable(_) | Ending::Refused(_) | Ending::Failed(_) => &[],
            };
            facts.iter().map(|fact| {
                Property::new(&format!("fact:{}/{}", task.plugin, fact.key), &fact.value)
            })
        })
        .collect()
}

fn hash(digest: Digest) -> Hash {
    Hash { alg: "SHA-256", content: digest.hex() }
}

/// Returns the package URL of a model on the Hugging Face Hub
/// (package-url/purl-spec, type `huggingface`).
fn purl(definition: &Definition) -> Option<String> {
    let name = definition.source.as_deref()?.strip_prefix(HUB)?;
    let name = hub_path(name);
    let revision = definition.revision.as_deref().map(|revision| format!("@{}", part(revision)));
    Some(format!("pkg:huggingface/{name}{}", revision.unwrap_or_default()))
}

/// Returns where a source is on the web, if it says so.
fn reference(source: &str) -> Option<Reference> {
    let url = format!("https://huggingface.co/{}", hub_path(source.strip_prefix(HUB)?));
    Some(Reference { kind: "distribution", url })
}

fn hub_path(name: &str) -> String {
    name.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn part(text: &str) -> String {
    const PART: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, PART).to_string()
}

/// Returns a number of the document: the same for the same run, of version 8
/// (RFC 9562).
fn serial_number(report: &Report) -> String {
    let mut text = format!("{}\n", report.now);
    for model in &report.models {
        let tree = model.tree.map(|tree| tree.to_string()).unwrap_or_default();
        text.push_str(&format!("{} {tree}\n", model.name));
    }
    let hex = Digest::of(text.as_bytes()).hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30)
    )
}

fn inert(text: &str) -> String {
    GuestText::capped(text).to_string()
}
