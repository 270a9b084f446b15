//! The settings of a plugin: the JSON Schema in its manifest, and whether what
//! the policy sets keeps to it.
//!
//! Leaves where in `modelhost.toml` a setting stands to `config`.

use serde_json::Value;

/// Checks a schema as far as a manifest must keep to it, and returns it as
/// canonical text.
pub(super) fn check_schema(schema: &Value) -> Result<String, String> {
    let mut schema = schema.clone();
    schema.sort_all_objects();
    Ok(schema.to_string())
}
