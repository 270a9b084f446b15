//! What is to be said of a rule, as a value: what it means, and what the policy makes
//! of it here.
//!
//! Leaves its forms to `human`, `markdown` and `json`.

use modelhost::config::Config;
use modelhost::domain::finding::{RuleId, Severity};
use modelhost::domain::plugin::{PluginRef, ResolvedPlugin};
use modelhost::domain::text::GuestText;
use modelhost::policy::Policy;
use modelhost::report::rules::{self, Described};

/// What is said of one rule.
pub(super) struct Page {
    pub(super) described: Described,
    /// The plugin whose rule it is; none for the gate's own.
    pub(super) plugin: Option<Origin>,
    /// Whether it says that something is missing, and so denies where its plugin is
    /// required.
    pub(super) missing: bool,
    /// What the policy makes of it; none for the gate's own, which is as it is.
    pub(super) here: Option<Here>,
}

/// Where a rule comes from.
pub(super) struct Origin {
    pub(super) id: String,
    pub(super) version: String,
    /// `bundled`, or the file of the plugin.
    pub(super) origin: String,
}

/// What the policy makes of a rule's findings.
pub(super) struct Here {
    /// How bad they are, where their plugin does not say otherwise.
    pub(super) severity: Severity,
    /// Whether the policy said so, and not the plugin.
    pub(super) is_set: bool,
    /// Findings at or above this deny.
    pub(super) fail_on: Severity,
    /// What comes of one.
    pub(super) effect: Effect,
    /// Whether every model needs a verdict of the plugin.
    pub(super) required: bool,
    /// Models that need one by their definition.
    pub(super) required_by: Vec<String>,
    /// Whether the plugin only advises.
    pub(super) advisory: bool,
    /// Globs over the models that the plugin looks at; none for all.
    pub(super) applies_to: Vec<String>,
    /// The waivers of the rule: of which model, and until when.
    pub(super) waivers: Vec<(String, String)>,
}

/// What comes of a finding that no exception covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The model is not let through.
    Denies,
    /// It is shown as a warning.
    Warns,
    /// It is shown, and changes nothing.
    Told,
}

impl Effect {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Denies => "denies",
            Self::Warns => "warns",
            Self::Told => "told",
        }
    }
}

impl Page {
    /// Describes the gate's own rule `id`; none where there is no such rule.
    pub(super) fn of_gate(id: &str) -> Option<Self> {
        let described = rules::of_gate(id)?;
        Some(Self { described, plugin: None, missing: false, here: None })
    }

    /// Describes the rule `name` of `plugin` under the policy of `config`, or else the
    /// built-in one; none where there is no such rule.
    pub(super) fn of_plugin(
        plugin: &ResolvedPlugin,
        name: &str,
        config: Option<&Config>,
    ) -> Option<Self> {
        let manifest = &plugin.manifest;
        let rule = manifest.rule(name)?;
        let id = RuleId::new(manifest.id.clone(), name)?;
        let described = rules::of_rule(id.to_string(), rule);
        let origin = match &plugin.origin {
            PluginRef::Bundled(_) => "bundled".to_owned(),
            PluginRef::File(path) => GuestText::capped(&path.to_string_lossy()).to_string(),
        };
        let plugin = Origin {
            id: manifest.id.to_string(),
            version: GuestText::capped(&manifest.version.to_string()).to_string(),
            origin,
        };
        let here = Here::of(&id, rule.severity, rule.missing, config);
        Some(Self { described, plugin: Some(plugin), missing: rule.missing, here: Some(here) })
    }

    /// Returns the command that waives a finding of it, known by `fingerprint`; none
    /// for the gate's own, which can't be waived.
    pub(super) fn waive(&self, fingerprint: &str, report: Option<&str>) -> Option<String> {
        self.plugin.as_ref().map(|_| waive(fingerprint, report))
    }
}

/// Returns the command that waives the finding known by `fingerprint`.
pub(super) fn waive(fingerprint: &str, report: Option<&str>) -> String {
    // A path that a shell would take apart is left to be typed.
    let is_plain = |path: &&str| {
        path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-'))
    };
    let report = report.map(|path| Some(path).filter(is_plain).unwrap_or("FILE"));
    let report = report.map(|path| format!(" --report {path}")).unwrap_or_default();
    format!(
        "modelhost waiver add {fingerprint}{report} --reason \"...\" --owner @... --expires YYYY-MM-DD"
    )
}

impl Here {
    fn of(rule: &RuleId, usual: Severity, missing: bool, config: Option<&Config>) -> Self {
        let built_in = Policy::default();
        let policy = config.map_or(&built_in, |config| &config.policy);
        let plugin = rule.plugin();
        let set = policy.severity(rule);
        let severity = set.unwrap_or(usual);
        let fail_on = policy.fail_on(plugin);
        let required = policy.require.contains(plugin);
        // To require a plugin that only advises is a mistake; what is required counts.
        let advisory = policy.is_advisory(plugin) && !required;
        let models = config.map_or([].as_slice(), |config| config.models.as_slice());
        let required_by = models
            .iter()
            .filter(|model| model.definition.checks.contains(plugin))
            .map(|model| model.name.to_string())
            .collect();
        let effect = match () {
            () if advisory => Effect::Told,
            () if severity >= fail_on || (missing && required) => Effect::Denies,
            () if severity > Severity::Info => Effect::Warns,
            () => Effect::Told,
        };
        let waivers = policy.waivers.iter().filter(|waiver| waiver.rule == *rule);
        Self {
            severity,
            is_set: set.is_some(),
            fail_on,
            effect,
            required,
            required_by,
            advisory,
            applies_to: policy
                .plugins
                .get(plugin)
                .map(|policy| policy.applies_to.clone())
                .unwrap_or_default(),
            waivers: waivers
                .map(|waiver| (waiver.model.to_string(), waiver.expires.to_string()))
                .collect(),
        }
    }
}
