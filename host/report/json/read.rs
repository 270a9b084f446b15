//! A JSON report read back: the one place where a file is taken for one. It may
//! have come from anywhere: what does not fit together is told, not mended.
//!
//! Its values are `document`'s. Leaves writing it to `v1`, and what is made of it
//! to those who ask: `attested` here, `reported` beside, comparing to the gate.

mod attested;
pub mod document;
#[cfg(test)]
mod tests;

use serde::Deserialize;

use self::document::{Document, Model, Report};
use super::attested::Unattestable;
use super::v1::SCHEMA;
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::text::GuestText;

/// The most bytes a report may have that is read: some 600 a file and 1,000 a
/// task, so that one of as many as a run has by default is below half of it. What
/// is read of it takes about as much memory as its text.
pub const MAX_REPORT: u64 = 1 << 30;

/// Why a JSON report can't be used. Each text from the file is inert.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON.
    #[error("it is no JSON, and so no JSON report of modelhost (`-o json=PATH` writes one): {0}")]
    Json(GuestText),
    /// It ends before its end.
    #[error("it is not the whole of a JSON report: it was cut off ({0})")]
    Cut(GuestText),
    /// It is JSON, and not of this form.
    #[error("it is no JSON report as modelhost writes it: {0}")]
    Form(GuestText),
    /// It is of another version.
    #[error("its schema is `{0}`, and this version of modelhost reads `{SCHEMA}`")]
    Version(GuestText),
    /// It does not fit together.
    #[error("its {0}: it was changed, or is not the whole report")]
    Broken(String),
    /// It says nothing that could be attested.
    #[error(transparent)]
    Unattestable(#[from] Unattestable),
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        let said = GuestText::capped(&error.to_string());
        match error.classify() {
            serde_json::error::Category::Eof => Self::Cut(said),
            serde_json::error::Category::Data => Self::Form(said),
            _ => Self::Json(said),
        }
    }
}

fn broken<T>(what: impl Into<String>) -> Result<T, ReadError> {
    Err(ReadError::Broken(what.into()))
}

#[derive(Deserialize)]
struct Schema {
    schema: String,
}

/// Reads the JSON report in `bytes`.
///
/// # Errors
/// Says why it can't be used: it is none, was cut off, is of another version, or
/// was changed so that it does not fit together.
pub fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    // Its version first: what another one holds need not have this one's form.
    let Schema { schema } = serde_json::from_slice(bytes)?;
    if schema != SCHEMA {
        return Err(ReadError::Version(GuestText::capped(&schema)));
    }
    let report: Report = serde_json::from_slice(bytes)?;
    if !report.plugins.is_sorted_by(|a, b| a.id.0 < b.id.0) {
        return broken("plugins are not sorted by id, each once");
    }
    if !report.models.is_sorted_by(|a, b| a.name.0 < b.name.0) {
        return broken("models are not sorted by name, each once");
    }
    report.models.iter().try_for_each(fits)?;
    for task in &report.tasks {
        let is_listed = report.model(task.model.0.as_str()).is_some()
            && report.plugins.binary_search_by(|plugin| plugin.id.0.cmp(&task.plugin.0)).is_ok();
        if !is_listed {
            return broken("tasks are of a model or plugin that it does not list");
        }
    }
    Ok(Document { digest: Digest::of(bytes), report })
}

/// Makes sure that the files of `model` are those its tree digest is over.
fn fits(model: &Model) -> Result<(), ReadError> {
    let name = &model.name.0;
    if !model.files.is_sorted_by(|a, b| a.path.0 < b.path.0) {
        return broken(format!("files of {name} are not sorted by path, each once"));
    }
    let Some(tree) = &model.tree else { return Ok(()) };
    let files = model.files.iter();
    let files: Option<Vec<_>> =
        files.map(|file| Some((&file.path.0, file.size, file.digest.as_ref()?.0))).collect();
    match files.map(TreeDigest::of) {
        Some(computed) if computed.digest() != tree.0 => {
            broken(format!("tree digest of {name} is not that of its files"))
        }
        _ => Ok(()),
    }
}

impl Report {
    /// Returns its model of that name.
    pub fn model(&self, name: &str) -> Option<&Model> {
        let place = self.models.binary_search_by(|model| model.name.0.as_str().cmp(name));
        self.models.get(place.ok()?)
    }
}
