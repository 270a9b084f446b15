//! Which plugins take part, and with what: resolved, held to the lock file,
//! their settings validated, their documents read.
//!
//! Leaves running them to `runner`.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Gate, GateError};
use crate::domain::capability::{Capability, Grants};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::digest::Digest;
use crate::domain::evidence::ScanOnly;
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::{PluginId, PluginRef, ResolvedPlugin};
use crate::engine::Engine;
use crate::model::{self, Model};
use crate::plugin::globs::Globs;
use crate::plugin::{component, resolve, settings};
use crate::policy::Policy;
use crate::runner::Candidate;

/// The largest document: rule sets and trust roots are far below it.
const MAX_DOCUMENT: u64 = 16 << 20;

/// Under `--locked` a run without this plugin's verdict is incomplete.
const PINNING: &str = "checksum";

impl Gate {
    /// Returns the policy of this run.
    pub(super) fn policy(&self) -> Policy {
        let mut policy =
            self.config.as_ref().map(|config| config.policy.clone()).unwrap_or_default();
        if let Some(fail_on) = self.fail_on {
            policy.fail_on = fail_on;
            policy.plugins.values_mut().for_each(|plugin| plugin.fail_on = None);
        }
        match &self.baseline {
            _ if !self.exceptions => policy.waivers.clear(),
            Some((_, baseline)) => policy.baseline = baseline.clone(),
            None => {}
        }
        if self.locked
            && let Ok(id) = PluginId::new(PINNING)
        {
            policy.require.insert(id);
        }
        policy
    }

    /// Refuses a run without digests that needs them.
    pub(super) fn check_digests(&self) -> Result<(), GateError> {
        if self.digests || !self.locked {
            return Ok(());
        }
        Err(GateError::Usage {
            message: "without digests (--no-digests) nothing can be held to the lock file (--locked, which CI turns on where there is one)".to_owned(),
            help: Some("leave out --no-digests; or scan without the lock file, with --no-locked".to_owned()),
        })
    }

    /// Takes the plugins that ask for digests out of a run that computes none.
    /// One that is required leaves the run incomplete by its absence.
    fn leave_out(
        &self,
        plugins: &mut BTreeMap<PluginId, ResolvedPlugin>,
    ) -> Result<Option<ScanOnly>, GateError> {
        if self.digests {
            return Ok(None);
        }
        let asks =
            |plugin: &ResolvedPlugin| plugin.imports.capabilities.contains(&Capability::Digest);
        let left_out: Vec<PluginId> =
            plugins.iter().filter(|(_, plugin)| asks(plugin)).map(|(id, _)| id.clone()).collect();
        plugins.retain(|_, plugin| !asks(plugin));
        let named = left_out.iter().find(|id| self.only.contains(id));
        let (message, help) = match named {
            Some(id) => (
                format!("the plugin {id} asks for digests, and --no-digests computes none"),
                "leave out one of the two".to_owned(),
            ),
            None if plugins.is_empty() => (
                "every plugin of this run asks for digests, and --no-digests computes none"
                    .to_owned(),
                "leave out --no-digests".to_owned(),
            ),
            None => return Ok(Some(ScanOnly { left_out })),
        };
        Err(GateError::Usage { message, help: Some(help) })
    }

    /// Gathers the plugins of this run, sorted by id; in a run without digests
    /// also says which were left out for it.
    pub(super) fn candidates(
        &self,
        policy: &Policy,
        models: &[Model],
    ) -> Result<(Vec<Candidate>, Option<ScanOnly>), GateError> {
        let mut plugins = self.resolve()?;
        self.check_references(policy, &plugins)?;
        self.check_rules(policy, &plugins)?;
        let scan_only = self.leave_out(&mut plugins)?;
        if self.locked
            && let Some((source, lock)) = &self.lock
        {
            let resolved: Vec<ResolvedPlugin> = plugins.values().cloned().collect();
            let drift = lock.plugin_drift(&resolved);
            if !drift.is_empty() {
                return Err(GateError::Mistakes(
                    drift.iter().map(|drift| drift.diagnostic(source)).collect(),
                ));
            }
        }
        let mut mistakes = Vec::new();
        let mut candidates = Vec::with_capacity(plugins.len());
        for (id, plugin) in plugins {
            let bundled = matches!(plugin.origin, PluginRef::Bundled(_));
            let grants = policy.grants(&id, bundled);
            let text = policy.plugins.get(&id).and_then(|policy| policy.settings.clone());
            let text = text.unwrap_or_else(|| "{}".to_owned());
            mistakes.extend(self.settings_mistakes(&plugin, &text));
            let globs = Globs::new(&plugin.manifest.files).map_err(|error| GateError::Usage {
                message: format!(
                    "plugin {id} wants files by a pattern that can't be used: {error}"
                ),
                help: Some("report it to whoever makes the plugin".to_owned()),
            })?;
            candidates.push(Candidate {
                exempt: self.exempt(policy, &id, models)?,
                documents: Arc::new(self.documents(&grants)?),
                limits: policy.limits(&plugin.manifest),
                settings: text.into(),
                wants: Box::new(move |path| globs.matches(path)),
                grants,
                plugin: Arc::new(plugin),
            });
        }
        if mistakes.is_empty() {
            Ok((candidates, scan_only))
        } else {
            Err(GateError::Mistakes(mistakes))
        }
    }

    /// Refuses components that are not valid, before anything runs. What the
    /// cache knows, and what is bundled, was valid when it was compiled.
    pub(super) fn validate(
        &self,
        engine: &Engine,
        candidates: &[Candidate],
    ) -> Result<(), GateError> {
        for candidate in candidates {
            let plugin = &candidate.plugin;
            let PluginRef::File(path) = &plugin.origin else { continue };
            if self.cache.as_ref().is_some_and(|cache| cache.has(engine, plugin.digest)) {
                continue;
            }
            component::validate(&plugin.bytes).map_err(|source| GateError::Component {
                plugin: format!("{} (plugin {})", path.display(), plugin.manifest.id),
                source,
            })?;
        }
        Ok(())
    }

    /// Reads all plugins that take part, each id once.
    pub(super) fn resolve(&self) -> Result<BTreeMap<PluginId, ResolvedPlugin>, GateError> {
        let mut found = if self.bundled { resolve::bundled()? } else { Vec::new() };
        for folder in &self.folders {
            found.extend(resolve::folder(&self.working_dir.join(folder))?);
        }
        let mut plugins: BTreeMap<PluginId, ResolvedPlugin> = BTreeMap::new();
        let mut twice: BTreeMap<PluginId, (PluginRef, PluginRef)> = BTreeMap::new();
        for plugin in found {
            let id = plugin.manifest.id.clone();
            if let Some(other) = plugins.insert(id.clone(), plugin)
                && let Some(plugin) = plugins.get(&id)
            {
                twice.insert(id, (other.origin, plugin.origin.clone()));
            }
        }
        if let Some(config) = &self.config {
            for (id, component) in &config.components {
                let path: PathBuf = config.root.join(component);
                let plugin = resolve::resolve(&PluginRef::File(path))?;
                if plugin.manifest.id != *id {
                    let message = format!(
                        "{} is the plugin {}, not {id}",
                        component.display(),
                        plugin.manifest.id
                    );
                    return Err(GateError::Mistakes(vec![config.component_mistake(id, message)]));
                }
                twice.remove(id);
                plugins.insert(id.clone(), plugin);
            }
        }
        if let Some((id, (one, other))) = twice.first_key_value() {
            return Err(GateError::Usage {
                message: format!(
                    "two plugins have the id {id}: {} and {}",
                    origin(one),
                    origin(other)
                ),
                help: Some(format!(
                    "say which in modelhost.toml ([plugin.{id}] component = …), take one away, or leave the bundled ones out with --no-bundled"
                )),
            });
        }
        if !self.only.is_empty() {
            if let Some(id) = self.only.iter().find(|id| !plugins.contains_key(id)) {
                return Err(no_such(id, &plugins));
            }
            plugins.retain(|id, _| self.only.contains(id));
        }
        if plugins.is_empty() {
            return Err(GateError::Usage {
                message: "there are no plugins to run".to_owned(),
                help: Some("name a folder of plugins with --plugins DIR; modelhost itself carries plugins when it is built with `cargo xtask plugins`".to_owned()),
            });
        }
        Ok(plugins)
    }

    /// Refuses a policy that speaks of plugins that aren't there.
    fn check_references(
        &self,
        policy: &Policy,
        plugins: &BTreeMap<PluginId, ResolvedPlugin>,
    ) -> Result<(), GateError> {
        let Some(config) = &self.config else { return Ok(()) };
        let absent = |id: &&PluginId| {
            !plugins.contains_key(id) && !self.only.is_empty() && !self.only.contains(id)
        };
        let mut mistakes: Vec<Diagnostic> = Vec::new();
        for id in
            policy.plugins.keys().filter(|id| !plugins.contains_key(id)).filter(|id| !absent(id))
        {
            mistakes.push(config.plugin_mistake(
                id,
                format!("there is no plugin `{id}` in this run{}", known(plugins)),
            ));
        }
        for id in policy.require.iter().filter(|id| !plugins.contains_key(id)) {
            mistakes.push(config.require_mistake(
                id,
                format!("the required plugin `{id}` is not in this run{}", known(plugins)),
            ));
        }
        for model in &config.models {
            let absent = model.definition.checks.iter().filter(|id| !plugins.contains_key(id));
            mistakes.extend(absent.map(|id| {
                let known = known(plugins);
                let message = format!("the required plugin `{id}` is not in this run{known}");
                model.checks_mistake(id, message)
            }));
        }
        if mistakes.is_empty() { Ok(()) } else { Err(GateError::Mistakes(mistakes)) }
    }

    /// Refuses a policy that speaks of rules that a plugin of this run does not
    /// have: a slip would make a waiver, or a severity, speak of nothing.
    fn check_rules(
        &self,
        policy: &Policy,
        plugins: &BTreeMap<PluginId, ResolvedPlugin>,
    ) -> Result<(), GateError> {
        let Some(config) = &self.config else { return Ok(()) };
        let wrong = |plugin: &PluginId, name: &str| {
            let manifest = &plugins.get(plugin)?.manifest;
            let message = format!("the plugin {plugin} has no rule `{name}`");
            let help = crate::config::nearest(name, manifest.rules.iter().map(|rule| &*rule.name))
                .map(|near| format!("did you mean `{near}`?"));
            manifest.rule(name).is_none().then_some((message, help))
        };
        let helped = |mistake: Diagnostic, help: Option<String>| match help {
            Some(help) => mistake.with_help(help),
            None => mistake,
        };
        let mut mistakes = Vec::new();
        for (id, said) in &policy.plugins {
            for name in said.severity.keys() {
                if let Some((message, help)) = wrong(id, name) {
                    mistakes.push(helped(config.severity_mistake(id, name, message), help));
                }
            }
        }
        for waiver in &policy.waivers {
            if let Some((message, help)) = wrong(waiver.rule.plugin(), waiver.rule.name()) {
                mistakes.push(helped(config.waiver_mistake(waiver, message), help));
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(GateError::Mistakes(mistakes)) }
    }

    /// Returns which of `models` the policy says that `plugin` does not apply to.
    fn exempt(
        &self,
        policy: &Policy,
        plugin: &PluginId,
        models: &[Model],
    ) -> Result<BTreeSet<ModelName>, GateError> {
        let globs = policy.plugins.get(plugin).map(|said| said.applies_to.as_slice());
        let (Some(globs), Some(config)) = (globs.filter(|globs| !globs.is_empty()), &self.config)
        else {
            return Ok(BTreeSet::new());
        };
        let globs = Globs::new(globs).map_err(|error| {
            let message = format!("a pattern in `applies-to` can't be used: {error}");
            GateError::Mistakes(vec![config.applies_to_mistake(plugin, error.index, message)])
        })?;
        let paths: BTreeMap<&ModelName, &Path> =
            config.models.iter().map(|model| (&model.name, &*model.path)).collect();
        let applies = |name: &ModelName| {
            let path = paths.get(name).map(|path| path.as_os_str().as_bytes());
            // Where it is not defined, a model is named by its path.
            let names = [Some(name.as_str().as_bytes()), path];
            names.into_iter().flatten().any(|name| globs.matches(&FilePath::from_bytes(name)))
        };
        Ok(models.iter().map(|model| &model.name).filter(|name| !applies(name)).cloned().collect())
    }

    fn settings_mistakes(&self, plugin: &ResolvedPlugin, text: &str) -> Vec<Diagnostic> {
        let Some(config) = &self.config else { return Vec::new() };
        let id = &plugin.manifest.id;
        settings::validate(&plugin.manifest, text)
            .into_iter()
            .map(|mistake| config.settings_mistake(id, &mistake.pointer, mistake.message))
            .collect()
    }

    /// Reads the granted documents, each held to its digest.
    fn documents(&self, grants: &Grants) -> Result<BTreeMap<String, Arc<[u8]>>, GateError> {
        let mut documents = BTreeMap::new();
        let Some(config) = &self.config else { return Ok(documents) };
        for name in grants.documents() {
            // `config` refuses grants of documents that it does not define.
            let Some(document) = config.documents.get(name) else { continue };
            let bytes = model::read_document(&config.root.join(&document.path), MAX_DOCUMENT)?;
            let found = Digest::of(&bytes);
            if found != document.digest {
                let message =
                    format!("the document {name} is not the one that is pinned: it is {found}");
                return Err(GateError::Mistakes(vec![config.document_mistake(name, message)]));
            }
            documents.insert(name.to_owned(), bytes.into());
        }
        Ok(documents)
    }
}

fn no_such(id: &PluginId, plugins: &BTreeMap<PluginId, ResolvedPlugin>) -> GateError {
    GateError::Usage { message: format!("there is no plugin `{id}`{}", known(plugins)), help: None }
}

fn known(plugins: &BTreeMap<PluginId, ResolvedPlugin>) -> String {
    let names: Vec<&str> = plugins.keys().map(PluginId::as_str).collect();
    if names.is_empty() { String::new() } else { format!("; there are {}", names.join(", ")) }
}

fn origin(reference: &PluginRef) -> String {
    match reference {
        PluginRef::Bundled(_) => "the bundled one".to_owned(),
        PluginRef::File(path) => path.display().to_string(),
    }
}
