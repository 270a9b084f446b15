//! The format `json`: a versioned document for programs.
//!
//! Leaves its shape to `v1`, the one version there is, and its layout to
//! `layout`.

pub(super) mod layout;
mod v1;

use std::io;

use crate::domain::report::Report;

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    layout::write(&v1::Document::from(report), out)
}

/// Returns the JSON Schema of this format.
pub fn json_schema() -> serde_json::Value {
    layout::schema::<v1::Document<'static>>()
}
