//! A plugin in the report.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::inert;
use super::words::{Reads, Scope, Severity};
use crate::domain::capability::{self, Limit};
use crate::domain::plugin::PluginRef;
use crate::domain::report::PluginReport;

/// One plugin that took part.
#[derive(Serialize, JsonSchema)]
pub(super) struct Plugin<'a> {
    /// Its id.
    id: &'a str,
    /// Its version.
    version: String,
    /// A few words on it.
    title: String,
    /// The digest of its component, `sha256:<hex>`.
    digest: String,
    /// Where its component came from.
    origin: Origin,
    /// Whether its findings count.
    mode: Mode,
    /// Its findings at or above this deny.
    fail_on: Severity,
    /// What one task of it sees.
    scope: Scope,
    /// How much it promises to read.
    reads: Reads,
    /// Whether a file that it answers `checked` for is judged.
    judges: bool,
    /// The version of the contract it was built against.
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<String>,
    /// The capabilities it asks for, sorted.
    imports: Vec<&'static str>,
    /// What it is granted.
    grants: Grants<'a>,
    /// What its tasks may use.
    limits: Limits<'a>,
}

/// Where a component came from.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    /// It is part of modelhost.
    Bundled,
    /// It is a file of the operator's.
    File,
}

/// Whether the findings of a plugin count.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// They deny, and its errors block.
    Enforce,
    /// They are shown, and neither deny nor block.
    Advise,
}

/// What a plugin is granted.
#[derive(Serialize, JsonSchema)]
struct Grants<'a> {
    /// The capabilities, sorted.
    capabilities: Vec<&'static str>,
    /// The names of the documents, sorted.
    documents: Vec<&'a str>,
}

/// What each task of a plugin may use: every limit, by its name. What the size
/// of a view adds is the same for all plugins, and stands in their descriptions.
struct Limits<'a>(&'a capability::Limits);

impl Serialize for Limits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = |limit: Limit| (limit.json_name(), self.0.get(limit));
        serializer.collect_map(Limit::ALL.into_iter().map(entry))
    }
}

impl JsonSchema for Limits<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |limit: Limit| {
            let schema = json!({
                "description": limit.description(), "type": "integer", "minimum": 0,
            });
            (limit.json_name(), schema)
        };
        let properties: serde_json::Map<String, Value> =
            Limit::ALL.into_iter().map(property).collect();
        let required: Vec<String> = Limit::ALL.into_iter().map(Limit::json_name).collect();
        schemars::json_schema!({
            "description": "What each task of a plugin may use.",
            "type": "object",
            "properties": properties,
            "required": required,
        })
    }
}

impl<'a> From<&'a PluginReport> for Plugin<'a> {
    fn from(report: &'a PluginReport) -> Self {
        let PluginReport { plugin, grants, limits, advisory, fail_on } = report;
        Self {
            id: plugin.manifest.id.as_str(),
            version: plugin.manifest.version.to_string(),
            title: inert(&plugin.manifest.title),
            digest: plugin.digest.to_string(),
            // The path would tell one machine from another.
            origin: match plugin.origin {
                PluginRef::Bundled(_) => Origin::Bundled,
                PluginRef::File(_) => Origin::File,
            },
            mode: if *advisory { Mode::Advise } else { Mode::Enforce },
            fail_on: (*fail_on).into(),
            scope: plugin.manifest.scope.into(),
            reads: plugin.manifest.reads.into(),
            judges: plugin.manifest.judges,
            contract: plugin.imports.contract.as_deref().map(inert),
            imports: plugin
                .imports
                .capabilities
                .iter()
                .map(|capability| capability.name())
                .collect(),
            grants: Grants {
                capabilities: grants.capabilities().map(capability::Capability::name).collect(),
                documents: grants.documents().collect(),
            },
            limits: Limits(limits),
        }
    }
}
