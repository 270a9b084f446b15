//! What the operator wants of a run: [`Policy`].
//!
//! Leaves applying it to `decide`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::capability::{Grant, Grants, Limit, Limits, LimitsAsked};
use crate::domain::finding::{RuleId, Severity};
use crate::domain::plugin::{Manifest, PluginId};
use crate::domain::waiver::{Baseline, Waiver};

/// What the operator wants: thresholds, required plugins, grants, limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Findings at or above this deny.
    pub fail_on: Severity,
    /// Plugins without whose verdict on a model the run is incomplete.
    pub require: BTreeSet<PluginId>,
    /// What it means that a file was judged by no plugin.
    pub not_judged: NotJudged,
    /// What is said of single plugins.
    pub plugins: BTreeMap<PluginId, PluginPolicy>,
    /// The findings that somebody lets pass for a time, in the order they are
    /// written.
    pub waivers: Vec<Arc<Waiver>>,
    /// The findings that were accepted on a day.
    pub baseline: Baseline,
}

impl Default for Policy {
    /// Returns the built-in policy: `high` denies, nothing is required, and the
    /// bundled `provenance` may ask for documents, of which there are none.
    fn default() -> Self {
        Self {
            fail_on: Severity::High,
            require: BTreeSet::new(),
            not_judged: NotJudged::Block,
            plugins: BTreeMap::new(),
            waivers: Vec::new(),
            baseline: Baseline::default(),
        }
    }
}

/// What it means that a file was judged by no plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJudged {
    /// The run is incomplete.
    Block,
    /// It is said, and lets through.
    Warn,
}

/// Whether a plugin's findings count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They deny, and its errors block.
    #[default]
    Enforce,
    /// They are shown, and never deny; its errors are shown and never block.
    Advise,
}

/// What the policy says of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginPolicy {
    /// Whether its findings count.
    pub mode: Mode,
    /// What it is granted beyond the default.
    pub grants: Vec<Grant>,
    /// What it is denied of it.
    pub deny: Vec<Grant>,
    /// Its limits, where they differ from its manifest's and the default.
    pub limits: LimitsAsked,
    /// Its settings, a JSON object as text; none for `{}`.
    pub settings: Option<String>,
    /// Its findings at or above this deny, instead of [`Policy::fail_on`].
    pub fail_on: Option<Severity>,
    /// How bad its findings are, by the names of their rules, where that is not
    /// what it says itself.
    pub severity: BTreeMap<String, Severity>,
    /// Globs over the names and paths of models: it applies to these alone. None
    /// for all.
    pub applies_to: Vec<String>,
}

impl Policy {
    /// Returns whether `plugin` only advises.
    pub fn is_advisory(&self, plugin: &PluginId) -> bool {
        self.plugins.get(plugin).is_some_and(|p| p.mode == Mode::Advise)
    }

    /// Returns the severity at or above which findings of `plugin` deny.
    pub fn fail_on(&self, plugin: &PluginId) -> Severity {
        self.plugins.get(plugin).and_then(|policy| policy.fail_on).unwrap_or(self.fail_on)
    }

    /// Returns the severity that the policy gives a rule; none where it leaves
    /// that to the plugin.
    pub fn severity(&self, rule: &RuleId) -> Option<Severity> {
        self.plugins.get(rule.plugin())?.severity.get(rule.name()).copied()
    }

    /// Returns what `plugin` is granted: the default, and what the policy adds
    /// and takes away.
    pub fn grants(&self, plugin: &PluginId, bundled: bool) -> Grants {
        let mut grants = Grants::default();
        if bundled && plugin.as_str() == "provenance" {
            // An empty set: it may ask, and is told that there is no document.
            grants.add(Grant::Capability(crate::domain::capability::Capability::Documents));
        }
        if let Some(policy) = self.plugins.get(plugin) {
            policy.grants.iter().for_each(|grant| grants.add(grant.clone()));
            policy.deny.iter().for_each(|grant| grants.remove(grant));
        }
        grants
    }

    /// Returns the limits of `manifest`'s tasks: the defaults, what the
    /// manifest asks for up to ten times these, and what the policy sets.
    ///
    /// # Errors
    /// Names the limit that the manifest asks for beyond that and the policy
    /// does not set.
    pub fn limits(&self, manifest: &Manifest) -> Result<Limits, Limit> {
        let set = self.plugins.get(&manifest.id).map(|p| p.limits.clone()).unwrap_or_default();
        // What the policy sets is the policy's word, whatever the manifest asks.
        let asked = manifest.limits.without(&set);
        if let Some(limit) = asked.excess() {
            return Err(limit);
        }
        let mut limits = Limits::default();
        asked.apply(&mut limits);
        set.apply(&mut limits);
        Ok(limits)
    }
}
