//! Whether what the policy sets for a plugin keeps to the JSON Schema in its
//! manifest ([`validate`]).
//!
//! Leaves what a schema may be to `schema`, and where in `modelhost.toml` a
//! setting stands to `config`.
//!
//! # Invariants
//! The schema is a stranger's. Nothing is fetched for it, its patterns match in
//! linear time, and its size with its references followed is bounded: so is the
//! work to compile it, and to validate against it, by `MAX_WORK`.

mod schema;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

pub(super) use self::schema::check_schema;
use self::schema::expanded;
use crate::domain::plugin::Manifest;
use crate::domain::text::GuestText;

/// The most bytes of a schema, and of the settings: settings are small, and a
/// plugin gets them as one string.
pub const MAX_SETTINGS: usize = 64 << 10;
/// The most values within values, in a schema with its references followed and
/// in settings: the validator recurses.
pub const MAX_DEPTH: usize = 32;
/// The most values in the settings times those in the schema: each of the former
/// may be held against each of the latter, which takes about a microsecond.
const MAX_WORK: usize = 4_000_000;
/// The most bytes that one pattern may compile to; `[a-z]{64}` takes some 50 KB.
const MAX_PATTERN_SIZE: usize = 1 << 20;
/// The most mistakes that are told.
const MAX_MISTAKES: usize = 20;
/// The most bytes of the message of a mistake.
const MAX_MESSAGE: usize = 500;
/// The most bytes of a value that a message repeats.
const MAX_VALUE: usize = 100;
/// The most names that are offered in place of an unknown one.
const MAX_OFFERED: usize = 20;

/// One mistake in the settings of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsMistake {
    /// Where in the settings it is, as a JSON Pointer; empty for all of them. A
    /// setting that there is none of is pointed at itself.
    pub pointer: String,
    /// What is wrong, inert.
    pub message: String,
}

/// Validates `settings`, the text of a JSON object, against the schema in
/// `manifest`; a plugin without one takes no settings.
///
/// Returns what is wrong, none if nothing.
pub fn validate(manifest: &Manifest, settings: &str) -> Vec<SettingsMistake> {
    let whole = |message: String| vec![mistake("", &message)];
    let settings = match parse(settings) {
        Ok(settings) => settings,
        Err(message) => return whole(format!("the settings {message}")),
    };
    let Some(schema) = &manifest.settings else {
        return settings
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys())
            .take(MAX_MISTAKES)
            .map(unknown_to_all)
            .collect();
    };
    let unusable =
        |message: String| whole(format!("the plugin's own schema can't be used: {message}"));
    let schema = match parse(schema) {
        Ok(schema) => schema,
        Err(message) => return unusable(format!("it {message}")),
    };
    let values = match check_schema(&schema).and_then(|_| expanded(&schema)) {
        Ok(values) => values,
        Err(message) => return unusable(message),
    };
    if values.saturating_mul(count(&settings)) > MAX_WORK {
        return whole(
            "the settings hold too many values for a schema as large as this plugin's".to_owned(),
        );
    }
    // The validator is somebody else's, and here it meets a stranger's schema.
    // What it can't cope with must not end the run otherwise than as a mistake.
    let validated = catch_unwind(AssertUnwindSafe(|| {
        let validator = compile(&schema)?;
        let errors = validator.iter_errors(&settings).take(MAX_MISTAKES);
        let mut mistakes: Vec<_> = errors.flat_map(|error| told(&error, &schema)).collect();
        mistakes.truncate(MAX_MISTAKES);
        Ok(mistakes)
    }));
    match validated {
        Ok(Ok(mistakes)) => mistakes,
        Ok(Err(message)) => unusable(message),
        Err(_) => unusable("the validator failed on it".to_owned()),
    }
}

/// Checks that the validator takes `schema`, which has passed [`check_schema`].
///
/// # Errors
/// Says what it does not take.
pub(super) fn check_compiles(schema: &Value) -> Result<(), String> {
    let compiled = catch_unwind(AssertUnwindSafe(|| compile(schema).map(drop)));
    compiled.unwrap_or_else(|_| Err("the validator fails on it".to_owned()))
}

fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(
            PatternOptions::regex().size_limit(MAX_PATTERN_SIZE).dfa_size_limit(MAX_PATTERN_SIZE),
        )
        .should_validate_formats(false)
        .offline()
        .build(schema)
        .map_err(|error| shortened(&error))
}

fn parse(text: &str) -> Result<Value, String> {
    if text.len() > MAX_SETTINGS {
        return Err(format!("have more than {MAX_SETTINGS} bytes"));
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("are no JSON: {error}"))?;
    if !value.is_object() {
        return Err("are no object".to_owned());
    }
    if depth(&value) > MAX_DEPTH {
        return Err(format!("are nested deeper than {MAX_DEPTH}"));
    }
    Ok(value)
}

/// Returns how deep `value` is nested; the parser has bounded it.
fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Returns how many values `value` has, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

fn mistake(pointer: &str, message: &str) -> SettingsMistake {
    SettingsMistake {
        pointer: pointer.to_owned(),
        message: GuestText::new(message, MAX_MESSAGE).to_string(),
    }
}

/// Returns the mistake of a setting for a plugin that has none.
fn unknown_to_all(key: &String) -> SettingsMistake {
    mistake(&member_pointer("", key), &format!("there is no setting `{key}`; this plugin has none"))
}

/// Returns what is told of `error`: a setting that there is none of is a mistake
/// of its own.
fn told(error: &ValidationError<'_>, schema: &Value) -> Vec<SettingsMistake> {
    let pointer = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let offered = offered(error.schema_path().as_str(), schema);
            let unknown = |key: &String| {
                mistake(
                    &member_pointer(pointer, key),
                    &format!("there is no setting `{key}`{offered}"),
                )
            };
            unexpected.iter().take(MAX_MISTAKES).map(unknown).collect()
        }
        _ => vec![mistake(pointer, &shortened(error))],
    }
}

/// Returns a message of the validator. It repeats the value it is about, and a
/// long one would leave no room for what is wrong with it.
fn shortened(error: &ValidationError<'_>) -> String {
    let message = if error.instance().to_string().len() > MAX_VALUE {
        error.masked_with("this value").to_string()
    } else {
        error.to_string()
    };
    GuestText::new(&message, MAX_MESSAGE).to_string()
}

/// Names the settings that there are beside the keyword at `schema_path`.
fn offered(schema_path: &str, schema: &Value) -> String {
    let parent = schema_path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|schema| schema.get("properties"));
    let names: Vec<_> = properties
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|map| map.keys())
        .take(MAX_OFFERED)
        .map(String::as_str)
        .collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; there are {}", names.join(", ")),
    }
}

/// Returns the pointer to the member `key` of what `pointer` points to.
fn member_pointer(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugin::testing::{MANIFEST, manifest};

    fn with_schema(schema: Option<&Value>) -> Manifest {
        Manifest { settings: schema.map(Value::to_string), ..manifest(MANIFEST) }
    }

    fn told(schema: &Value, settings: &str) -> String {
        let mistakes = validate(&with_schema(Some(schema)), settings);
        mistakes
            .iter()
            .map(|m| format!("{}: {}", m.pointer, m.message))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn settings_are_held_to_the_schema() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": ["allow"],
            "properties": {
                "allow": { "type": "array", "items": { "$ref": "#/$defs/license" }, "uniqueItems": true },
                "level": { "type": "integer", "minimum": 1 },
                "of": { "type": "object", "additionalProperties": false, "properties": { "a/b~c": { "type": "string" } } },
            },
            "$defs": { "license": { "type": "string", "pattern": "^[A-Za-z0-9.-]+$", "minLength": 1 } },
        });
        let rows = [
            (r#"{"allow": []}"#, ""),
            (r#"{"allow": ["MIT"], "level": 3, "of": {"a/b~c": "x"}}"#, ""),
            ("{}", ": \"allow\" is a required property"),
            (
                r#"{"allow": [""]}"#,
                "/allow/0: \"\" is shorter than 1 character\n/allow/0: \"\" does not match \"^[A-Za-z0-9.-]+$\"",
            ),
            (r#"{"allow": ["MIT", 7]}"#, "/allow/1: 7 is not of type \"string\""),
            (r#"{"allow": [], "level": 0}"#, "/level: 0 is less than the minimum of 1"),
            (
                r#"{"allow": [], "alow": 1}"#,
                "/alow: there is no setting `alow`; there are allow, level, of",
            ),
            (
                r#"{"allow": [], "of": {"x/y": 1, "z": 2}}"#,
                "/of/x~1y: there is no setting `x/y`; there are a/b~c\n/of/z: there is no setting `z`; there are a/b~c",
            ),
            (r#"{"allow": [], "of": {"a/b~c": 1}}"#, "/of/a~1b~0c: 1 is not of type \"string\""),
            ("[]", ": the settings are no object"),
            ("{", ": the settings are no JSON: EOF while parsing an object at line 1 column 1"),
        ];
        for (settings, expected) in rows {
            assert_eq!(told(&schema, settings), expected, "{settings}");
        }
    }

    #[test]
    fn a_plugin_without_a_schema_takes_none() {
        let manifest = with_schema(None);
        assert_eq!(validate(&manifest, "{}"), []);
        let mistakes = validate(&manifest, r#"{"a": 1}"#);
        assert_eq!((mistakes.len(), mistakes[0].pointer.as_str()), (1, "/a"));
        assert_eq!(mistakes[0].message, "there is no setting `a`; this plugin has none");
    }

    #[test]
    fn what_is_told_is_bounded_and_inert() {
        let schema =
            json!({"type": "object", "additionalProperties": {"const": "\u{1b}[2J".repeat(500)}});
        let settings: serde_json::Map<_, _> =
            (0..1000).map(|i| (format!("k{i}"), json!("\u{202e}x".repeat(10)))).collect();
        let mistakes = validate(&with_schema(Some(&schema)), &Value::Object(settings).to_string());
        assert_eq!(mistakes.len(), MAX_MISTAKES);
        for mistake in mistakes {
            assert!(mistake.message.len() <= MAX_MESSAGE, "{}", mistake.message.len());
            assert!(!mistake.message.contains(['\u{1b}', '\u{202e}']), "{:?}", mistake.message);
        }
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(MAX_SETTINGS));
        assert_eq!(told(&schema, &long), ": the settings have more than 65536 bytes");
        let wide =
            json!({"type": "object", "additionalProperties": {"items": {"enum": vec![1; 1000]}}});
        assert_eq!(told(&wide, &json!({"a": vec![1; 3000]}).to_string()), "");
        let many = json!({"a": vec![1; 4000]}).to_string();
        assert!(told(&wide, &many).contains("too many values"), "{}", told(&wide, &many));
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(40), "]".repeat(40));
        assert_eq!(told(&schema, &deep), ": the settings are nested deeper than 32");
    }

    /// A schema with `more` in it.
    fn schema(more: &Value) -> Value {
        let mut schema = json!({"type": "object", "additionalProperties": false});
        for (key, value) in more.as_object().expect("an object") {
            schema[key] = value.clone();
        }
        schema
    }

    #[test]
    fn hostile_schemas_are_refused() {
        let nested = |depth: usize| (0..depth).fold(json!({}), |inner, _| json!({"not": inner}));
        // Each definition twice the one before it: 2^30 in all.
        let doubling: serde_json::Map<_, _> = (0..30)
            .map(|i| (format!("d{i}"), json!({"allOf": [{"$ref": format!("#/$defs/d{}", i + 1)}, {"$ref": format!("#/$defs/d{}", i + 1)}]})))
            .chain([("d30".to_owned(), json!({}))])
            .collect();
        let wide: Vec<_> = (0..300).map(|_| json!({"$ref": "#/$defs/a"})).collect();
        let fan = json!({"$defs": {"a": {"enum": (0..300).collect::<Vec<_>>()}}, "allOf": wide});
        let patterns = |n: usize| -> Value {
            (0..n).map(|i| (format!("^p{i}$"), json!({}))).collect::<serde_json::Map<_, _>>().into()
        };
        let rows = [
            (json!({"$ref": "#"}), "`$ref` leads to a place in the same schema"),
            (json!({"$ref": "other.json"}), "`other.json` does not"),
            (json!({"$ref": "https://example.org/\u{1b}"}), "`https://example.org/\\x1b` does not"),
            (json!({"$ref": "file:///etc/passwd"}), "`file:///etc/passwd` does not"),
            (json!({"$ref": "#/$defs/none"}), "`#/$defs/none` does not"),
            (json!({"$ref": "#/$defs/%61", "$defs": {"a": {}}}), "`#/$defs/%61` does not"),
            (json!({"$ref": "#anchor"}), "`#anchor` does not"),
            (
                json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}),
                "lead in a circle",
            ),
            (json!({"properties": {"a": {"$ref": "#/properties/a"}}}), "lead in a circle"),
            (json!({"$defs": doubling, "$ref": "#/$defs/d0"}), "it is nested deeper than 32"),
            (fan, "more than 50000 values"),
            (nested(40), "it is nested deeper than 32"),
            (json!({"$id": "https://example.org"}), "`$id` is not taken"),
            (json!({"properties": {"a": {"$anchor": "b"}}}), "`$anchor` is not taken"),
            (json!({"$dynamicRef": "#a"}), "`$dynamicRef` is not taken"),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
                "`$schema` is not taken",
            ),
            (json!({"properties": {"a": {"$schema": schema::DIALECT}}}), "`$schema` is not taken"),
            (json!({"patternProperties": patterns(65)}), "more than 64 patterns"),
            (json!({"description": "x".repeat(MAX_SETTINGS)}), "at most 65536 bytes"),
        ];
        for (more, expected) in rows {
            let error = check_schema(&schema(&more)).expect_err(expected);
            assert!(error.contains(expected), "{error} has not {expected}");
        }
        // Names of settings are not taken for keywords.
        let names =
            schema(&json!({"properties": {"$ref": {}, "$id": {"type": "string"}, "pattern": {}}}));
        assert_eq!(check_schema(&names), Ok(names.to_string()));
        assert_eq!(check_compiles(&names), Ok(()));
    }

    #[test]
    fn patterns_match_in_linear_time() {
        let schema = schema(&json!({"properties": {"a": {"pattern": "^(a+)+$"}}}));
        assert_eq!(check_compiles(&schema), Ok(()));
        let settings = json!({"a": format!("{}b", "a".repeat(50_000))}).to_string();
        assert!(told(&schema, &settings).contains("this value does not match"));
        // Look-around and references back need more than linear time, and large
        // repetitions more than a pattern's share of memory.
        for pattern in ["(?=a)", "(a)\\1", "(((a{100}){100}){100}){100}", "("] {
            let schema = self::schema(&json!({"properties": {"a": {"pattern": pattern}}}));
            assert!(check_compiles(&schema).is_err(), "{pattern}");
            assert!(
                told(&schema, "{}").contains("the plugin's own schema can't be used"),
                "{pattern}"
            );
        }
    }

    #[test]
    fn odd_schemas_are_answers_and_not_panics() {
        let odd = [
            json!({"minProperties": -1}),
            json!({"minProperties": 1e308}),
            json!({"maxProperties": u64::MAX}),
            json!({"properties": {"a": {"multipleOf": 0}}}),
            json!({"properties": {"a": {"multipleOf": 5e-324}}}),
            json!({"properties": {"a": {"maximum": -1e308, "minLength": 1e300}}}),
            json!({"properties": {"a": {"maxContains": u64::MAX, "contains": {}}}}),
            json!({"properties": 7}),
            json!({"required": "a"}),
            json!({"type": "object", "enum": []}),
            json!({"dependentRequired": {"a": ["a", "a"]}}),
            json!({"if": {}, "then": false}),
            json!({"unevaluatedProperties": {"not": {}}, "unevaluatedItems": 1}),
            json!({"format": "regex", "properties": {"a": {"format": "\u{0}"}}}),
            json!({"propertyNames": {"pattern": "^$"}}),
            json!({"properties": {"a": {"contentMediaType": "application/json", "contentEncoding": "base64"}}}),
        ];
        for more in odd {
            let schema = schema(&more);
            for settings in ["{}", r#"{"a": 1e308}"#, r#"{"a": [1, 1]}"#, r#"{"a": "\u0000"}"#] {
                let _ = told(&schema, settings);
            }
        }
    }
}
