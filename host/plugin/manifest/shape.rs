//! The shape of a manifest, as text in either form has it: names of fields, and
//! no more meaning than serde can check.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::capability::LimitsAsked;
use crate::domain::plugin::{Manifest, Rule};
use crate::plugin::quantity;

/// A manifest.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Text {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) license: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) homepage: Option<String>,
    pub(super) scope: String,
    pub(super) files: Vec<String>,
    pub(super) reads: String,
    #[serde(default)]
    pub(super) judges: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<LimitsText>,
    #[serde(default)]
    pub(super) rule: Vec<RuleText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) settings: Option<Value>,
}

/// What a manifest asks of the limits.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LimitsText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fuel: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fuel_per_byte: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deadline: Option<String>,
}

/// A rule.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleText {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: String,
    pub(super) help: String,
    #[serde(default)]
    pub(super) missing: bool,
}

impl From<&Manifest> for Text {
    fn from(manifest: &Manifest) -> Self {
        Self {
            id: manifest.id.as_str().to_owned(),
            version: manifest.version.to_string(),
            title: manifest.title.clone(),
            description: manifest.description.clone(),
            license: manifest.license.clone(),
            homepage: manifest.homepage.clone(),
            scope: manifest.scope.name().to_owned(),
            files: manifest.files.clone(),
            reads: manifest.reads.name().to_owned(),
            judges: manifest.judges,
            limits: (manifest.limits != LimitsAsked::default()).then(|| (&manifest.limits).into()),
            rule: manifest.rules.iter().map(Into::into).collect(),
            // It is JSON: nothing else gets into a manifest.
            settings: manifest
                .settings
                .as_ref()
                .and_then(|schema| serde_json::from_str(schema).ok()),
        }
    }
}

impl From<&LimitsAsked> for LimitsText {
    fn from(asked: &LimitsAsked) -> Self {
        Self {
            fuel: asked.fuel,
            fuel_per_byte: asked.fuel_per_byte,
            memory: asked.memory.map(quantity::write_memory),
            deadline: asked.deadline.map(quantity::write_time),
        }
    }
}

impl From<&Rule> for RuleText {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.name.clone(),
            title: rule.title.clone(),
            severity: rule.severity.name().to_owned(),
            help: rule.help.clone(),
            missing: rule.missing,
        }
    }
}
