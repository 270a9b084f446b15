//! What is known of plugins without running them, as JSON for other programs:
//! version 1 of `modelhost plugin inspect --json` and `list --json`.
//!
//! Frozen: fields are only ever added. Leaves the words for people to `cli`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::capability::{Grants, Limit, LimitsAsked};
use crate::domain::plugin::{self, PluginRef, ResolvedPlugin};
use crate::domain::text::{self, Backslash, GuestText};

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-plugins/v1";

/// Plugins, as far as they are known without running them. Text of plugins has
/// its control characters written out.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost plugins, version 1")]
struct Document<'a> {
    /// `modelhost-plugins/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// The plugins.
    plugins: Vec<Plugin<'a>>,
}

/// One plugin.
#[derive(Serialize, JsonSchema)]
struct Plugin<'a> {
    /// Its id.
    id: &'a str,
    /// Its version.
    version: String,
    /// A few words.
    title: &'a str,
    /// A few sentences.
    description: &'a str,
    /// Its license, an SPDX expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<&'a str>,
    /// Where to read more.
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<&'a str>,
    /// The digest of its component, `sha256:<hex>`.
    digest: String,
    /// The size of its component in bytes.
    size: usize,
    /// `bundled` or `file`.
    origin: &'static str,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The version of the contract it was built against.
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<&'a str>,
    /// What one task of it sees: `file` or `model`.
    scope: &'static str,
    /// Globs over the paths of files that it wants to see.
    files: &'a [String],
    /// How much it promises to read of each file: `whole`, `parts` or `none`.
    reads: &'static str,
    /// Whether a file that it answers `checked` for is judged.
    judges: bool,
    /// The capabilities it asks for, sorted by name.
    capabilities: Vec<Capability>,
    /// What it asks for that no grant can give; its tasks are refused.
    unknown_imports: &'a [String],
    /// The limits it asks for, where they are not the default ones.
    limits: Limits<'a>,
    /// What it can find, sorted by name.
    rules: Vec<Rule<'a>>,
    /// The JSON Schema of its settings; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

/// A capability that a plugin asks for.
#[derive(Serialize, JsonSchema)]
struct Capability {
    /// Its name.
    name: &'static str,
    /// Whether it is granted without a word in the policy.
    granted: bool,
}

/// Limits that a plugin asks for, by the names of the report; absent means the
/// default.
struct Limits<'a>(&'a LimitsAsked);

impl Serialize for Limits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (limit, amount) in self.0.iter() {
            map.serialize_entry(&limit.json_name(), &amount)?;
        }
        if let Some(limit) = self.0.excess() {
            map.serialize_entry(EXCESS, limit.name())?;
        }
        map.end()
    }
}

/// The key beside the limits that names the first which is more than a plugin
/// gets by asking, so that the policy must set it.
const EXCESS: &str = "excess";

impl JsonSchema for Limits<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let limits = Limit::ALL.into_iter().map(|limit| {
            let schema = serde_json::json!({
                "description": limit.description(), "type": "integer", "minimum": 0,
            });
            (limit.json_name(), schema)
        });
        let excess = serde_json::json!({
            "description": "The first of them that is more than a plugin gets by asking, so that the policy must set it.",
            "type": "string",
        });
        let properties: serde_json::Map<String, Value> =
            limits.chain([(EXCESS.to_owned(), excess)]).collect();
        schemars::json_schema!({
            "description": "Limits that a plugin asks for; absent means the default.",
            "type": "object",
            "properties": properties,
        })
    }
}

/// One thing a plugin can find.
#[derive(Serialize, JsonSchema)]
struct Rule<'a> {
    /// Its id, `<plugin>/<name>`.
    id: String,
    /// A few words.
    title: &'a str,
    /// How bad it usually is: `info`, `low`, `medium`, `high` or `critical`.
    severity: &'static str,
    /// Whether it says that something is missing, so that it denies when its
    /// plugin is required.
    missing: bool,
    /// What it means and what to do, in Markdown.
    help: &'a str,
}

/// Returns the JSON document about `plugins`, each with what the built-in policy
/// grants it. Its text is safe to show.
pub fn json<'a>(plugins: impl IntoIterator<Item = (&'a ResolvedPlugin, Grants)>) -> String {
    let document = Document {
        schema: SCHEMA,
        modelhost: env!("CARGO_PKG_VERSION"),
        plugins: plugins.into_iter().map(|(plugin, grants)| describe(plugin, &grants)).collect(),
    };
    shown(&serde_json::to_string_pretty(&document).expect("strings and numbers are JSON"))
}

/// Returns the JSON Schema of what [`json`] returns.
pub fn json_schema() -> Value {
    schemars::schema_for!(Document<'_>).into()
}

/// Returns the schema of the plugin's settings for a person to read, safe to
/// show.
pub fn settings_text(manifest: &plugin::Manifest) -> Option<String> {
    Some(shown(&serde_json::to_string_pretty(&settings(manifest)?).ok()?))
}

fn describe<'a>(plugin: &'a ResolvedPlugin, grants: &Grants) -> Plugin<'a> {
    let manifest = &plugin.manifest;
    let (origin, path) = match &plugin.origin {
        PluginRef::Bundled(_) => ("bundled", None),
        PluginRef::File(path) => {
            ("file", Some(GuestText::capped(&path.to_string_lossy()).to_string()))
        }
    };
    let capability = |capability: &crate::domain::capability::Capability| Capability {
        name: capability.name(),
        granted: grants.has(*capability),
    };
    Plugin {
        id: manifest.id.as_str(),
        version: manifest.version.to_string(),
        title: &manifest.title,
        description: &manifest.description,
        license: manifest.license.as_deref(),
        homepage: manifest.homepage.as_deref(),
        digest: plugin.digest.to_string(),
        size: plugin.bytes.len(),
        origin,
        path,
        contract: plugin.imports.contract.as_deref(),
        scope: manifest.scope.name(),
        files: &manifest.files,
        reads: manifest.reads.name(),
        judges: manifest.judges,
        capabilities: plugin.imports.capabilities.iter().map(capability).collect(),
        unknown_imports: &plugin.imports.unknown,
        limits: Limits(&manifest.limits),
        rules: manifest.rules.iter().map(|rule| describe_rule(manifest, rule)).collect(),
        settings: settings(manifest),
    }
}

fn describe_rule<'a>(manifest: &'a plugin::Manifest, rule: &'a plugin::Rule) -> Rule<'a> {
    Rule {
        id: format!("{}/{}", manifest.id, rule.name),
        title: &rule.title,
        severity: rule.severity.name(),
        missing: rule.missing,
        help: &rule.help,
    }
}

fn settings(manifest: &plugin::Manifest) -> Option<Value> {
    serde_json::from_str(manifest.settings.as_ref()?).ok()
}

/// Returns `json` with what could act on a terminal or a CI runner written as
/// JSON writes it: the same value in other letters.
fn shown(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut one = [0; 4];
    for (index, c) in json.char_indices() {
        let is_command = c == '#' && json[index + 1..].starts_with('#');
        let acts = !c.is_ascii()
            && text::escape(c.encode_utf8(&mut one), Backslash::Kept)
                != *c.encode_utf8(&mut [0; 4]);
        if is_command || acts {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::Digest;
    use crate::domain::plugin::Imports;
    use crate::plugin::testing::{MANIFEST, manifest};

    fn plugin(text: &str) -> ResolvedPlugin {
        let bytes: std::sync::Arc<[u8]> = b"component".as_slice().into();
        ResolvedPlugin {
            manifest: manifest(text),
            digest: Digest::of(&bytes),
            bytes,
            origin: PluginRef::File("a\u{1b}.wasm".into()),
            imports: Imports {
                capabilities: vec![
                    crate::domain::capability::Capability::Documents,
                    crate::domain::capability::Capability::Files,
                ],
                unknown: vec!["wasi:cli/run@0.2.0".to_owned()],
                contract: Some("0.1.0".to_owned()),
            },
        }
    }

    #[test]
    fn the_document_is_frozen() {
        let plugin = plugin(MANIFEST);
        let text = json([(&plugin, Grants::default())]);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let expected = serde_json::json!({
            "schema": "modelhost-plugins/v1",
            "modelhost": env!("CARGO_PKG_VERSION"),
            "plugins": [{
                "id": "guest",
                "version": "1.2.3",
                "title": "A guest",
                "description": "A plugin of the tests.",
                "license": "Apache-2.0 OR MIT",
                "homepage": "https://example.org/guest",
                "digest": Digest::of(b"component").to_string(),
                "size": 9,
                "origin": "file",
                "path": "a\\x1b.wasm",
                "contract": "0.1.0",
                "scope": "file",
                "files": ["**"],
                "reads": "whole",
                "judges": true,
                "capabilities": [{"name": "documents", "granted": false}, {"name": "files", "granted": true}],
                "unknown_imports": ["wasi:cli/run@0.2.0"],
                "limits": {"fuel": 7, "memory": 512 << 20, "deadline_ms": 60_000},
                "rules": [
                    {"id": "guest/absent", "title": "It is missing", "severity": "low", "missing": true, "help": "Add it."},
                    {
                        "id": "guest/zeroth", "title": "It is bad", "severity": "critical", "missing": false,
                        "help": "Do **something** about it.\n\nAnd then something else.",
                    },
                ],
                "settings": {
                    "additionalProperties": false,
                    "properties": {"level": {"minimum": 1, "type": "integer"}},
                    "type": "object",
                },
            }],
        });
        assert_eq!(value, expected);
        let schema = json_schema();
        let validator = jsonschema::options().offline().build(&schema).expect("a schema");
        assert!(validator.is_valid(&value));
        assert!(!validator.is_valid(&serde_json::json!({"schema": "modelhost-plugins/v2"})));
    }

    #[test]
    fn a_schema_of_a_stranger_is_shown_and_does_not_act() {
        let more =
            "[settings.properties.\"a\\u202e##[b\\U000E0041\\u001b\"]\ndescription = \"é\"\n";
        let plugin = plugin(&format!("{MANIFEST}{more}"));
        let text = json([(&plugin, Grants::default())]);
        assert!(
            !text.contains(['\u{202e}', '\u{e0041}', '\u{1b}']) && !text.contains("##["),
            "{text}"
        );
        assert!(text.contains('é'));
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let properties = &value["plugins"][0]["settings"]["properties"];
        assert_eq!(properties["a\u{202e}##[b\u{e0041}\u{1b}"]["description"], "é");
        let settings = settings_text(&plugin.manifest).expect("a schema");
        assert!(!settings.contains('\u{202e}') && settings.contains("\\u202e"), "{settings}");
    }
}
