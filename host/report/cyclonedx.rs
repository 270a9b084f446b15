//! The format `cyclonedx`: a bill of materials of the models that a run looked at,
//! CycloneDX 1.6 in JSON: each model a `machine-learning-model` with its files, and
//! what checked them as the tools.
//!
//! Leaves the shapes, and how things are named in them, to `bom`; and findings to the other formats: they are no property of a model, but of a
//! model under a policy.

use std::io;

use super::json::layout;
use crate::bom::{
    Bom, Component, Hash, Metadata, ModelCard, Property, Tools, file_ref, licenses, model_ref,
    modelhost, purl, reference,
};
use crate::domain::digest::Digest;
use crate::domain::model::ModelName;
use crate::domain::moment;
use crate::domain::report::{Ending, FileReport, Judgement, ModelReport, PluginReport, Report};
use crate::domain::text::GuestText;
use crate::domain::waiver::{Waiver, WaiverReport};

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut tools = vec![modelhost()];
    tools.extend(report.plugins.iter().map(tool));
    let metadata = Metadata {
        timestamp: Some(moment::rfc3339(report.now)),
        tools: Tools { components: tools },
        properties: properties(report),
    };
    let models = report.models.iter().map(|model| component(report, model)).collect();
    layout::write(&Bom::new(metadata, models), out)
}

/// Returns what the run says of itself: its decision, and the waivers and the
/// baseline it rests on.
fn properties(report: &Report) -> Vec<Property> {
    let mut properties = vec![property("decision", report.decision.name())];
    for WaiverReport { waiver, state, covers } in &report.waivers {
        let Waiver { rule, model, owner, expires, reason, line, .. } = &**waiver;
        let file = waiver.file.as_ref().map(|file| format!("/{file}")).unwrap_or_default();
        properties.push(property(
            "waiver",
            format!(
                "{}: {rule} in {model}{file}, covers {covers}, by {owner} until {expires} (modelhost.toml:{line}): {reason}",
                state.name()
            ),
        ));
    }
    if report.baseline.covers > 0 {
        properties.push(property("in-baseline", report.baseline.covers));
    }
    properties
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

fn component(report: &Report, model: &ModelReport) -> Component {
    let facts = facts(report, model);
    let concluded = facts.iter().find_map(|fact| fact.of("fact:license/concluded"));
    let definition = model.definition.as_ref();
    let stated = |text: Option<&String>| text.map(|text| inert(text));
    let license = stated(definition.and_then(|definition| definition.license.as_ref()));
    let source = stated(definition.and_then(|definition| definition.source.as_ref()));
    let revision = stated(definition.and_then(|definition| definition.revision.as_ref()));
    let mut properties = vec![property("path", &model.path), property("locked", model.locked)];
    properties.extend(model.tree.map(|tree| property("tree", tree)));
    properties.extend(source.as_ref().map(|source| property("source", source)));
    Component {
        kind: "machine-learning-model",
        bom_ref: Some(model_ref(model.name.as_str())),
        name: model.name.to_string(),
        licenses: licenses(license.as_deref(), concluded),
        purl: source.as_deref().and_then(|source| purl(source, revision.as_deref())),
        external_references: source.as_deref().map(reference).into_iter().collect(),
        version: revision,
        properties,
        components: model.files.iter().map(|of| file(&model.name, of)).collect(),
        model_card: (!facts.is_empty()).then_some(ModelCard { properties: facts }),
        ..Component::default()
    }
}

fn file(model: &ModelName, file: &FileReport) -> Component {
    let judged = match &file.judged {
        Judgement::By(_) => "judged",
        Judgement::Companion => "companion",
        Judgement::Empty => "empty",
        Judgement::LfsPointer | Judgement::No => "not-judged",
    };
    Component {
        kind: "file",
        bom_ref: Some(file_ref(model.as_str(), file.path.as_str())),
        name: file.path.to_string(),
        hashes: file.digest.map(hash).into_iter().collect(),
        properties: vec![property("size", file.size), property("judgement", judged)],
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
            facts
                .iter()
                .map(|fact| property(&format!("fact:{}/{}", task.plugin, fact.key), &fact.value))
        })
        .collect()
}

fn hash(digest: Digest) -> Hash {
    Hash { alg: "SHA-256", content: digest.hex() }
}

/// Makes a property whose value may come from anywhere.
fn property(name: &str, value: impl ToString) -> Property {
    Property::new(name, inert(&value.to_string()))
}

fn inert(text: &str) -> String {
    GuestText::capped(text).to_string()
}
