//! What a schema of settings must keep to, so that a stranger's can be compiled
//! and validated against.
//!
//! Leaves that to `settings`, one up.
//!
//! # Invariants
//! With its references followed, a schema that passes is no larger than
//! [`MAX_EXPANDED`] and no deeper than [`MAX_DEPTH`], and refers to nothing
//! outside of itself.

use serde_json::Value;

use super::{MAX_DEPTH, MAX_SETTINGS};
use crate::domain::text::GuestText;

/// The most values in a schema with its references followed: all that fit into
/// [`MAX_SETTINGS`] without references, and not the doubling that a chain of
/// references can hide.
const MAX_EXPANDED: usize = 50_000;
/// The most patterns in a schema, with [`MAX_PATTERN_SIZE`] each: they are
/// compiled before anything is run.
const MAX_PATTERNS: usize = 64;
/// The dialect of schemas.
pub(super) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Checks that `schema` is one that a manifest may have, and returns it as
/// canonical text.
///
/// # Errors
/// Says what is wrong with it.
pub(in crate::plugin) fn check_schema(schema: &Value) -> Result<String, String> {
    let Value::Object(root) = schema else {
        return Err("the schema of settings is an object".to_owned());
    };
    if root.get("type").and_then(Value::as_str) != Some("object") {
        return Err("settings are an object: write `type = \"object\"`".to_owned());
    }
    let is_closed = ["additionalProperties", "unevaluatedProperties"]
        .iter()
        .any(|key| root.get(*key).is_some_and(|value| *value != Value::Bool(true)));
    if !is_closed {
        return Err(
            "a misspelt setting must be refused: write `additionalProperties = false`".to_owned()
        );
    }
    expanded(schema)?;
    let mut schema = schema.clone();
    // Sorted here, whatever the map that serde_json was built with.
    schema.sort_all_objects();
    let text = schema.to_string();
    if text.len() > MAX_SETTINGS {
        return Err(format!(
            "a schema has at most {MAX_SETTINGS} bytes, this one has {}",
            text.len()
        ));
    }
    Ok(text)
}

/// Returns how many values `schema` has with its references followed.
pub(super) fn expanded(schema: &Value) -> Result<usize, String> {
    let mut walk = Walk { root: schema, values: 0, patterns: 0 };
    walk.value(schema, 0)?;
    Ok(walk.values)
}

/// A walk over a schema, into what its references lead to.
struct Walk<'a> {
    root: &'a Value,
    values: usize,
    patterns: usize,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > MAX_EXPANDED {
            return Err(format!(
                "with its references followed it has more than {MAX_EXPANDED} values"
            ));
        }
        if depth > MAX_DEPTH {
            let message = "it is nested deeper than {}, or its references lead in a circle";
            return Err(message.replace("{}", &MAX_DEPTH.to_string()));
        }
        match value {
            Value::Array(values) => {
                values.iter().try_for_each(|value| self.value(value, depth + 1))
            }
            Value::Object(map) => {
                map.iter().try_for_each(|(key, value)| self.member(key, value, depth))
            }
            _ => Ok(()),
        }
    }

    fn member(&mut self, key: &str, value: &Value, depth: usize) -> Result<(), String> {
        match (key, value) {
            ("$ref", Value::String(reference)) => {
                let pointer =
                    reference.strip_prefix('#').filter(|pointer| pointer.starts_with('/'));
                let target =
                    pointer.filter(|p| !p.contains('%')).and_then(|p| self.root.pointer(p));
                let Some(target) = target else {
                    let reference = GuestText::new(reference, 100);
                    return Err(format!(
                        "`$ref` leads to a place in the same schema, as `#/$defs/name`; `{reference}` does not"
                    ));
                };
                self.value(target, depth + 1)
            }
            ("$schema", Value::String(dialect)) if depth == 0 && dialect == DIALECT => Ok(()),
            (
                "$id" | "$schema" | "$anchor" | "$dynamicAnchor" | "$dynamicRef"
                | "$recursiveAnchor" | "$recursiveRef" | "$vocabulary",
                Value::String(_) | Value::Bool(_),
            ) => Err(format!(
                "`{key}` is not taken: a schema stands for itself, in the dialect {DIALECT}"
            )),
            ("pattern", Value::String(_)) => self.patterns(1),
            ("patternProperties", Value::Object(patterns)) => {
                self.patterns(patterns.len())?;
                self.value(value, depth + 1)
            }
            _ => self.value(value, depth + 1),
        }
    }

    fn patterns(&mut self, more: usize) -> Result<(), String> {
        self.patterns = self.patterns.saturating_add(more);
        if self.patterns > MAX_PATTERNS {
            return Err(format!(
                "with its references followed it has more than {MAX_PATTERNS} patterns"
            ));
        }
        Ok(())
    }
}
