//! The plugin's settings: globals that an operator allows beyond the built-in list.
//!
//! Their shape is validated against the schema in `plugin.toml` before they come here.

use serde::Deserialize;

/// What the operator set.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Globals to allow. Ones that are known to do harm stay denied: a waiver is the place for those.
    pub allow: Vec<AllowedGlobal>,
    /// The model at hand; set by the check, not by the operator.
    #[serde(skip)]
    pub model: String,
}

/// One global that an operator allows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedGlobal {
    /// Module and name, `package.module.Name`; no wildcards.
    pub global: String,
    /// Why; it stands in the report.
    pub reason: String,
    /// The models for which it holds; none named: all.
    #[serde(default)]
    pub models: Vec<String>,
}

impl Settings {
    /// Returns the reason for which the settings allow a global, if they do.
    #[must_use]
    pub fn allows(&self, module: &str, name: &str) -> Option<String> {
        let fits = |allowed: &&AllowedGlobal| {
            let rest = allowed.global.strip_prefix(module).and_then(|rest| rest.strip_prefix('.'));
            rest == Some(name)
                && !name.contains('.')
                && (allowed.models.is_empty() || allowed.models.contains(&self.model))
        };
        self.allow.iter().find(fits).map(|allowed| allowed.reason.clone())
    }
}
