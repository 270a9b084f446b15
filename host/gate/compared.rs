//! A JSON report as one side of a comparison: what the run was held to and on
//! what, and what it decided.
//!
//! Times, findings and what tasks used are no inputs. Leaves reading the report to
//! `report`, and comparing to `record`.

use crate::domain::text::GuestText;
use crate::record::compare::{FileState, ModelState, State, Values};
use crate::report::json::Unattestable;
use crate::report::json::document::{Document, Is, Model, Plugin};

/// Returns the state of what `document` is about.
///
/// # Errors
/// Says that the report is bound to no bytes.
pub fn compared(document: Document) -> Result<State, Unattestable> {
    let report = document.report;
    if report.scan_only.is_some() {
        return Err(Unattestable::ScanOnly);
    }
    let mut state = State::default();
    let values = &mut state.values;
    note(values, "modelhost", Some(report.modelhost.0));
    note(values, "decision", Some(report.decision.0.name()));
    note(values, "fail_on", Some(report.fail_on.0.name()));
    note(values, "required", Some(list(&report.required)));
    for input in report.inputs.policy {
        // The operator chose these paths, but not whoever compares.
        let path = GuestText::capped(&input.path);
        note(values, &format!("policy {path}"), Some(input.digest.0));
    }
    note(values, "lock", report.inputs.lock.map(|lock| lock.digest.0));
    for model in report.models {
        state.models.insert(model.name.0.to_string(), of_model(model)?);
    }
    for plugin in report.plugins {
        state.plugins.insert(plugin.id.0.to_string(), of_plugin(&plugin));
    }
    Ok(state)
}

fn of_plugin(plugin: &Plugin) -> Values {
    let mut values = Values::new();
    note(&mut values, "version", Some(&plugin.version.0));
    note(&mut values, "digest", Some(plugin.digest.0));
    note(&mut values, "mode", Some(&plugin.mode.0));
    note(&mut values, "built against", plugin.contract.as_ref().map(|contract| &contract.0));
    note(&mut values, "imports", Some(list(&plugin.imports)));
    note(&mut values, "grants", Some(list(&plugin.grants.capabilities)));
    note(&mut values, "documents", Some(list(&plugin.grants.documents)));
    for (limit, value) in &plugin.limits {
        note(&mut values, &format!("limits.{}", GuestText::capped(limit)), Some(value));
    }
    values
}

fn of_model(model: Model) -> Result<ModelState, Unattestable> {
    let mut state = ModelState::default();
    note(&mut state.values, "source", model.source.map(|source| source.0));
    note(&mut state.values, "revision", model.revision.map(|revision| revision.0));
    note(&mut state.values, "tree", model.tree.map(|tree| tree.0));
    for file in model.files {
        let digest = file.digest.ok_or_else(|| Unattestable::NoDigest(model.name.0.clone()))?;
        let new = FileState { size: file.size, digest: digest.0, values: Values::new() };
        state.files.insert(file.path.0.to_string(), new);
    }
    Ok(state)
}

fn note(values: &mut Values, key: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        values.insert(key.to_owned(), value.to_string());
    }
}

fn list<T: ToString>(values: &[Is<T>]) -> String {
    values.iter().map(|value| value.0.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
