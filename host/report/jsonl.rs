//! The format `jsonl`: a line of JSON for each thing that a run found out.
//!
//! Leaves its lines to `json::v1`, whose parts they are made of.

pub(super) use super::json::v1::lines::write;

/// Returns the JSON Schema of one line of this format.
pub fn json_schema() -> serde_json::Value {
    super::json::v1::lines::json_schema()
}
