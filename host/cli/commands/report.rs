//! The JSON report that an argument names, for whichever command it is given to.
//!
//! Leaves what stands in it to the library.

use std::path::Path;

use anyhow::Context as _;
use modelhost::report::json::{self, MAX_REPORT, document::Document};

/// Reads the report at `path`.
///
/// # Errors
/// Says, in the same words for every command, why it can't be used.
pub(super) fn read(path: &Path) -> anyhow::Result<Document> {
    let shown = path.display();
    let bytes = super::attest::read(path, MAX_REPORT);
    let bytes = bytes.with_context(|| format!("the report {shown} can't be read"))?;
    json::read(&bytes).with_context(|| format!("the report {shown} can't be used"))
}
