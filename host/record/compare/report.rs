//! A JSON report → [`State`]: what the run was held to and on what, and what it
//! decided.
//!
//! The report's own shape is `report`'s. Only what is an input of the run is read
//! here, and the decision; times, findings and what tasks used are no inputs.

use serde::Deserialize;
use serde_json::Value;

use super::{FileState, ModelState, State, Values};
use crate::domain::digest::Digest;
use crate::domain::text::GuestText;

/// What `schema` says in the version that is read.
const SCHEMA: &str = "modelhost-report/v1";

/// Why a text is no report that can be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It is no JSON, or not of the report's shape.
    #[error("it is no report of modelhost: {0}")]
    Shape(String),
    /// It is of another version.
    #[error("it is a report of the version `{0}`, and this modelhost reads {SCHEMA}")]
    Version(GuestText),
    /// It is bound to no bytes.
    #[error("the run computed no digests (--no-digests), so its report is bound to no bytes")]
    Unbound,
    /// It says something twice.
    #[error("it has two entries of {0}")]
    Twice(GuestText),
}

#[derive(Deserialize)]
struct Schema {
    schema: String,
}

#[derive(Deserialize)]
struct Report {
    modelhost: String,
    decision: String,
    fail_on: String,
    required: Vec<String>,
    inputs: Inputs,
    scan_only: Option<serde::de::IgnoredAny>,
    models: Vec<Model>,
    plugins: Vec<Plugin>,
}

#[derive(Deserialize)]
struct Inputs {
    policy: Vec<Input>,
    lock: Option<Input>,
}

#[derive(Deserialize)]
struct Input {
    path: String,
    digest: String,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    tree: Option<String>,
    source: Option<String>,
    revision: Option<String>,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    size: u64,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Plugin {
    id: String,
    version: String,
    digest: String,
    mode: String,
    contract: Option<String>,
    imports: Vec<String>,
    grants: Grants,
    limits: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Grants {
    capabilities: Vec<String>,
    documents: Vec<String>,
}

/// Reads the report `text`. Nothing of it is trusted: it may have lain anywhere.
///
/// # Errors
/// Says why it is no report that can be compared.
pub fn read_report(text: &str) -> Result<State, ReportError> {
    let shape = |error: serde_json::Error| ReportError::Shape(error.to_string());
    let Schema { schema } = serde_json::from_str(text).map_err(shape)?;
    if schema != SCHEMA {
        return Err(ReportError::Version(GuestText::new(&schema, 64)));
    }
    let report: Report = serde_json::from_str(text).map_err(shape)?;
    if report.scan_only.is_some() {
        return Err(ReportError::Unbound);
    }
    let mut state = State::default();
    let values = &mut state.values;
    note(values, "modelhost", Some(&report.modelhost));
    note(values, "decision", Some(&report.decision));
    note(values, "fail_on", Some(&report.fail_on));
    note(values, "required", Some(&report.required.join(", ")));
    for input in report.inputs.policy {
        note(values, &format!("policy {}", inert(&input.path)), Some(&input.digest));
    }
    note(values, "lock", report.inputs.lock.as_ref().map(|lock| &lock.digest));
    for model in report.models {
        let name = inert(&model.name);
        let state_of_model = read_model(model)?;
        if state.models.insert(name.clone(), state_of_model).is_some() {
            return Err(ReportError::Twice(GuestText::capped(&format!("model {name}"))));
        }
    }
    for plugin in report.plugins {
        let id = inert(&plugin.id);
        let mut values = Values::new();
        note(&mut values, "version", Some(&plugin.version));
        note(&mut values, "digest", Some(&plugin.digest));
        note(&mut values, "mode", Some(&plugin.mode));
        note(&mut values, "built against", plugin.contract.as_ref());
        note(&mut values, "imports", Some(&plugin.imports.join(", ")));
        note(&mut values, "grants", Some(&plugin.grants.capabilities.join(", ")));
        note(&mut values, "documents", Some(&plugin.grants.documents.join(", ")));
        for (limit, value) in &plugin.limits {
            note(&mut values, &format!("limits.{}", inert(limit)), Some(&value.to_string()));
        }
        if state.plugins.insert(id.clone(), values).is_some() {
            return Err(ReportError::Twice(GuestText::capped(&format!("plugin {id}"))));
        }
    }
    Ok(state)
}

fn read_model(model: Model) -> Result<ModelState, ReportError> {
    let mut state = ModelState::default();
    note(&mut state.values, "source", model.source.as_ref());
    note(&mut state.values, "revision", model.revision.as_ref());
    note(&mut state.values, "tree", model.tree.as_ref());
    for file in model.files {
        let path = inert(&file.path);
        let digest = file.digest.ok_or(ReportError::Unbound)?;
        let digest: Digest = digest
            .parse()
            .map_err(|error| ReportError::Shape(format!("the digest of {path}: {error}")))?;
        let new = FileState { size: file.size, digest, values: Values::new() };
        if state.files.insert(path.clone(), new).is_some() {
            return Err(ReportError::Twice(GuestText::capped(&format!("file {path}"))));
        }
    }
    Ok(state)
}

fn note(values: &mut Values, key: &str, value: Option<&String>) {
    if let Some(value) = value {
        values.insert(key.to_owned(), inert(value));
    }
}

/// Makes text inert that a report holds, which may have come from anywhere.
fn inert(text: &str) -> String {
    GuestText::capped(text).to_string()
}
