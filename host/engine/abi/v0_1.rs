//! Line 0.1 of the contract: its bindings, and what its guests return as the
//! raw values that all lines have in common.
//!
//! Leaves the host functions to `capability`, and checking what was returned to
//! `border`.

use super::raw::{RawAnswer, RawFact, RawFailure, RawFinding, RawLocation};
use crate::domain::finding::{Confidence, Severity};
use crate::domain::verdict::FailureCode;

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/v0.1",
        world: "plugin-with-documents",
        imports: { default: trappable },
        with: {
            "modelhost:check/files.file": crate::engine::state::ViewFile,
            "modelhost:check/files.model": crate::engine::state::ViewModel,
            "modelhost:check/documents.document": crate::engine::state::ViewDocument,
        },
    });
}

/// How the name of the interface that a plugin exports starts, in every version.
pub(in crate::engine) const EXPORT: &str = "modelhost:check/model-check@";

pub(in crate::engine) use bindings::PluginWithDocumentsPre;
pub(in crate::engine) use bindings::modelhost::check::{
    clock, definition, digest, documents, files, log, types,
};

/// Takes what `check` returned as it is: nothing of it is checked yet.
pub(in crate::engine) fn raw(
    returned: Result<types::Answer, types::Failure>,
) -> Result<RawAnswer, RawFailure> {
    returned.map(RawAnswer::from).map_err(RawFailure::from)
}

impl From<types::Answer> for RawAnswer {
    fn from(answer: types::Answer) -> Self {
        match answer {
            types::Answer::NotApplicable(reason) => Self::NotApplicable(reason),
            types::Answer::Checked(types::Observations { findings, facts }) => Self::Checked {
                findings: findings.into_iter().map(RawFinding::from).collect(),
                facts: facts
                    .into_iter()
                    .map(|types::Fact { key, value }| RawFact { key, value })
                    .collect(),
            },
        }
    }
}

impl From<types::Finding> for RawFinding {
    fn from(finding: types::Finding) -> Self {
        let types::Location { file, member, offset, line } = finding.location;
        Self {
            rule: finding.rule,
            severity: finding.severity.into(),
            confidence: finding.confidence.into(),
            message: finding.message,
            location: RawLocation { file, member, offset, line },
            help: finding.help,
        }
    }
}

impl From<types::Failure> for RawFailure {
    fn from(failure: types::Failure) -> Self {
        let (code, said) = match failure {
            types::Failure::InvalidSettings(said) => (FailureCode::InvalidSettings, said),
            types::Failure::Unreadable(said) => (FailureCode::Unreadable, said),
            types::Failure::Unsupported(said) => (FailureCode::Unsupported, said),
            types::Failure::Internal(said) => (FailureCode::Internal, said),
        };
        Self { code, said }
    }
}

impl From<types::Severity> for Severity {
    fn from(severity: types::Severity) -> Self {
        match severity {
            types::Severity::Info => Self::Info,
            types::Severity::Low => Self::Low,
            types::Severity::Medium => Self::Medium,
            types::Severity::High => Self::High,
            types::Severity::Critical => Self::Critical,
        }
    }
}

impl From<types::Confidence> for Confidence {
    fn from(confidence: types::Confidence) -> Self {
        match confidence {
            types::Confidence::Low => Self::Low,
            types::Confidence::Medium => Self::Medium,
            types::Confidence::High => Self::High,
        }
    }
}
