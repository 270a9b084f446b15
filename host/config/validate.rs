//! A shape → [`Config`]: what the values mean, and whether they fit together.
//!
//! Every mistake is noted and the rest still looked at. Leaves to `gate` what
//! needs the plugins: whether those named exist, and their settings' schemas.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr as _;

use toml::de::DeTable;

use super::diagnostic::Mistakes;
use super::schema::{At, Document, File, LimitValue, Limits, Model, Plugin, Registry, Table};
use super::source::{self, Revisions};
use super::values::{self, Wrong};
use super::{
    Config, ConfiguredDocument, ConfiguredModel, ConfiguredRegistry, PluginPlaces, settings, shape,
    waiver,
};
use crate::domain::capability::{Grant, LimitsAsked};
use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::digest::Digest;
use crate::domain::model::{Definition, ModelName};
use crate::domain::plugin::{PluginId, is_kebab};
use crate::policy::{PluginPolicy, Policy};

/// The most models that may be defined: each costs a task of every plugin.
pub(super) const MAX_MODELS: usize = 100_000;

/// Reads what the shape of `modelhost.toml` says, all but the models.
/// `documents` are the names of all documents, also of those with a mistake.
pub(super) fn config(
    shape: &File,
    root: &DeTable<'_>,
    documents: &BTreeSet<String>,
    file: &SourceFile,
    folder: PathBuf,
    mistakes: &mut Mistakes,
) -> Config {
    let mut config = Config {
        file: file.clone(),
        root: folder,
        policy: Policy::default(),
        models: Vec::new(),
        components: BTreeMap::new(),
        documents: BTreeMap::new(),
        audit: None,
        baseline: None,
        registry: None,
        places: super::Places::default(),
    };
    let gate = &shape.gate.0;
    config.policy.fail_on = gate.fail_on.map_or(config.policy.fail_on, |word| word.0.into());
    config.policy.not_judged =
        gate.not_judged.map_or(config.policy.not_judged, |word| word.0.into());
    let mut reader = Reader { file, mistakes };
    for (name, document) in &shape.documents {
        if let Some(document) = reader.document(name, &document.0) {
            config.documents.insert((**name).clone(), document);
        }
    }
    config.registry = shape.registry.as_ref().and_then(|registry| reader.registry(&registry.0));
    for (id, plugin) in &shape.plugin {
        reader.plugin(id, plugin, root, documents, &mut config);
    }
    reader.require(&gate.require, &mut config);
    if let Some(Table(audit)) = &shape.audit {
        config.audit = reader.value(&audit.path, |text| values::file_path(text));
    }
    if let Some(at) = &shape.baseline.0.path {
        let path = reader.value(at, |text| values::file_path(text));
        config.baseline = path.map(|path| (path, at.span()));
    }
    config.policy.waivers = waiver::waivers(&shape.waiver, file, mistakes);
    config
}

/// Adds the models that one file defines.
pub(super) fn models(
    models: &[Table<Model>],
    file: &SourceFile,
    config: &mut Config,
    seen: &mut Seen,
    mistakes: &mut Mistakes,
) {
    let mut reader = Reader { file, mistakes };
    for Table(model) in models {
        if config.models.len() >= MAX_MODELS {
            let wrong = Wrong::new(format!("more than {MAX_MODELS} models are defined"));
            let _: Option<()> = reader.mistakes.wrong(file, model.name.span(), wrong);
            return;
        }
        if let Some(model) = reader.model(model, config, seen) {
            config.models.push(model);
        }
    }
}

/// The names and paths that are taken, each with the file and the place.
#[derive(Default)]
pub(super) struct Seen {
    names: BTreeMap<ModelName, (SourceFile, Range<usize>)>,
    paths: BTreeMap<PathBuf, (SourceFile, Range<usize>)>,
}

struct Reader<'r> {
    file: &'r SourceFile,
    mistakes: &'r mut Mistakes,
}

impl Reader<'_> {
    /// Returns what `parse` makes of the value, or notes what is wrong with it.
    fn value<T, V>(&mut self, at: &At<V>, parse: impl FnOnce(&V) -> Result<T, Wrong>) -> Option<T> {
        match parse(at) {
            Ok(value) => Some(value),
            Err(wrong) => self.mistakes.wrong(self.file, at.span(), wrong),
        }
    }

    fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.mistakes.push(Diagnostic::new(self.file, span, message));
    }

    fn document(&mut self, name: &At<String>, document: &Document) -> Option<ConfiguredDocument> {
        if !is_kebab(name) {
            self.add(
                name.span(),
                "a document's name is 1 to 64 of a-z, 0-9 and `-`, and starts with a letter",
            );
        }
        self.pinned(document, name.span())
    }

    /// Reads what is said of a file that is held to its digest.
    fn pinned(&mut self, document: &Document, span: Range<usize>) -> Option<ConfiguredDocument> {
        let path = self.value(&document.path, |text| values::file_path(text));
        let digest = self.value(&document.digest, |text| digest(text));
        Some(ConfiguredDocument { path: path?, digest: digest?, span })
    }

    fn registry(&mut self, registry: &Registry) -> Option<ConfiguredRegistry> {
        let path = self.value(&registry.path, |text| values::path(text));
        let mut keys = Vec::new();
        for Table(key) in registry.key.iter().chain(&registry.keys) {
            keys.push(self.pinned(key, key.path.span()));
        }
        let pin = match &registry.pin {
            Some(pin) => Some(self.value(pin, |text| digest(text))?),
            None => None,
        };
        Some(ConfiguredRegistry {
            path: path?,
            keys: keys.into_iter().collect::<Option<_>>()?,
            pin,
            min_sequence: registry.min_sequence,
            span: registry.path.span(),
        })
    }

    fn plugin(
        &mut self,
        id: &At<String>,
        plugin: &At<Table<Plugin>>,
        root: &DeTable<'_>,
        documents: &BTreeSet<String>,
        config: &mut Config,
    ) {
        let table = plugin.span();
        let Table(plugin) = &**plugin;
        let parsed = self.value(id, |text| plugin_id(text));
        let grants = plugin.grants.as_deref().map_or([].as_slice(), Vec::as_slice);
        let grants = self.grants(grants, documents);
        let deny = self.grants(&plugin.deny, documents);
        for (grant, span) in &grants {
            if let Some((_, denied)) = deny.iter().find(|(denied, _)| denied == grant) {
                let mistake = Diagnostic::new(self.file, denied.clone(), "this is granted as well");
                self.mistakes.push(mistake.with_place(span.clone(), "granted here"));
            }
        }
        let settings = settings::read(root, id, self.file, self.mistakes);
        let component = plugin.component.as_ref();
        let component_path =
            component.and_then(|at| self.value(at, |text| values::file_path(text)));
        let limits = self.limits(&plugin.limits);
        let applies_to = plugin.applies_to.as_deref().map_or([].as_slice(), Vec::as_slice);
        if let Some(at) = plugin.applies_to.as_ref().filter(|globs| globs.is_empty()) {
            self.add(at.span(), "a plugin that applies to no model takes no part: name some, or leave `applies-to` out");
        }
        let Some(id) = parsed else { return };
        let places = PluginPlaces {
            table,
            component: component.map(At::span),
            grants: plugin.grants.as_ref().map(At::span),
            severity: plugin.severity.keys().map(|rule| ((**rule).clone(), rule.span())).collect(),
            applies_to: applies_to.iter().map(At::span).collect(),
            settings: settings.places,
        };
        let policy = PluginPolicy {
            mode: plugin.mode.map(|word| word.0.into()).unwrap_or_default(),
            grants: grants.into_iter().map(|(grant, _)| grant).collect(),
            deny: deny.into_iter().map(|(grant, _)| grant).collect(),
            limits,
            settings: settings.json,
            fail_on: plugin.fail_on.map(|word| word.0.into()),
            severity: plugin
                .severity
                .iter()
                .map(|(rule, word)| ((**rule).clone(), word.0.into()))
                .collect(),
            applies_to: applies_to.iter().map(|glob| (**glob).clone()).collect(),
        };
        config.components.extend(component_path.map(|path| (id.clone(), path)));
        config.places.plugins.insert(id.clone(), places);
        config.policy.plugins.insert(id, policy);
    }

    fn grants(
        &mut self,
        texts: &[At<String>],
        documents: &BTreeSet<String>,
    ) -> Vec<(Grant, Range<usize>)> {
        let grant = |text: &String| {
            let grant = Grant::from_str(text).map_err(|error| Wrong::new(error.to_string()))?;
            match &grant {
                Grant::Document(name) if !documents.contains(name) => {
                    Err(no_document(name, documents))
                }
                _ => Ok(grant),
            }
        };
        let mut grants = Vec::new();
        for text in texts {
            if let Some(grant) = self.value(text, grant) {
                grants.push((grant, text.span()));
            }
        }
        grants
    }

    fn limits(&mut self, limits: &Limits) -> LimitsAsked {
        let mut asked = LimitsAsked::default();
        for (limit, value) in &limits.0 {
            let amount = match value {
                LimitValue::Number(at) => self.value(at, |number| values::limit(*limit, *number)),
                LimitValue::Text(at) => self.value(at, |text| values::amount(*limit, text)),
            };
            if let Some(amount) = amount {
                asked.set(*limit, amount);
            }
        }
        asked
    }

    fn require(&mut self, names: &[At<String>], config: &mut Config) {
        for name in names {
            let Some(id) = self.value(name, |text| plugin_id(text)) else {
                continue;
            };
            self.not_advisory(&id, name.span(), "require", config);
            match config.places.require.entry(id) {
                Entry::Vacant(entry) => {
                    config.policy.require.insert(entry.key().clone());
                    entry.insert(name.span());
                }
                Entry::Occupied(entry) => {
                    let message = format!("plugin `{}` is required twice", entry.key());
                    let mistake = Diagnostic::new(self.file, name.span(), message);
                    self.mistakes
                        .push(mistake.with_place(entry.get().clone(), "the first is here"));
                }
            }
        }
    }

    /// Notes that `plugin`, which `key` requires at `span`, only advises.
    fn not_advisory(&mut self, plugin: &PluginId, span: Range<usize>, key: &str, config: &Config) {
        if !config.policy.is_advisory(plugin) {
            return;
        }
        let message = format!("plugin `{plugin}` only advises, so it can't be required");
        let mistake = Diagnostic::new(self.file, span, message)
            .with_help(format!("take it out of `{key}`, or its `mode = \"advise\"` away"));
        let table = config.places.plugins.get(plugin).map(|places| places.table.clone());
        self.mistakes.push(match table.filter(|_| self.file.path == config.file.path) {
            Some(table) => mistake.with_place(table, "its mode is set here"),
            None => mistake,
        });
    }

    /// Returns the plugins that a model requires, each with its place.
    fn checks(
        &mut self,
        names: &[At<String>],
        config: &Config,
    ) -> BTreeMap<PluginId, Range<usize>> {
        let mut checks = BTreeMap::new();
        for name in names {
            let Some(id) = self.value(name, |text| plugin_id(text)) else {
                continue;
            };
            self.not_advisory(&id, name.span(), "checks", config);
            match checks.entry(id) {
                Entry::Vacant(entry) => {
                    entry.insert(name.span());
                }
                Entry::Occupied(entry) => {
                    let message = format!("plugin `{}` is listed twice", entry.key());
                    let mistake = Diagnostic::new(self.file, name.span(), message);
                    self.mistakes
                        .push(mistake.with_place(entry.get().clone(), "the first is here"));
                }
            }
        }
        checks
    }

    fn model(
        &mut self,
        model: &Model,
        config: &Config,
        seen: &mut Seen,
    ) -> Option<ConfiguredModel> {
        let name = self.value(&model.name, |text| model_name(text));
        let path = self.value(&model.path, |text| values::path(text));
        if let Some(name) = &name {
            let what = format!("model `{name}` is defined twice");
            self.once(&mut seen.names, name, model.name.span(), &what);
        }
        if let Some(path) = &path {
            let what = format!("the path `{}` is defined twice", path.display());
            self.once(&mut seen.paths, path, model.path.span(), &what);
        }
        let from = model.source.as_ref();
        // Without a source, and with a wrong one, every form will do.
        let kind = from.and_then(|at| self.value(at, |text| source::source(text)));
        let kind = kind.unwrap_or(Revisions::Either);
        if let Some(at) = &model.revision {
            let from = from.map(|at| at.as_str());
            self.value(at, |text| source::revision(text, kind, from));
        }
        if let Some(at) = &model.license {
            self.value(at, |text| values::license(text));
        }
        for (at, what) in [
            (&model.requested, "what was asked for"),
            (&model.purpose, "the purpose"),
            (&model.owner, "the owner"),
        ] {
            if let Some(at) = at {
                self.value(at, |text| values::plain(text, what));
            }
        }
        for at in &model.base {
            self.value(at, |text| source::base(text));
        }
        let checks = self.checks(&model.checks, config);
        let text = |at: &Option<At<String>>| at.as_ref().map(|at| (**at).clone());
        Some(ConfiguredModel {
            name: name?,
            path: path?,
            definition: Definition {
                source: text(&model.source),
                revision: text(&model.revision),
                requested: text(&model.requested),
                purpose: text(&model.purpose),
                license: text(&model.license),
                owner: text(&model.owner),
                checks: checks.keys().cloned().collect(),
                base: model.base.iter().map(|at| (**at).clone()).collect(),
            },
            checks,
            file: self.file.clone(),
            span: model.name.span(),
        })
    }

    /// Notes `key`, and that it is a mistake if it was noted before.
    fn once<K: Ord + Clone>(
        &mut self,
        seen: &mut BTreeMap<K, (SourceFile, Range<usize>)>,
        key: &K,
        span: Range<usize>,
        message: &str,
    ) {
        match seen.entry(key.clone()) {
            Entry::Vacant(entry) => {
                entry.insert((self.file.clone(), span));
            }
            Entry::Occupied(entry) => {
                let (file, first) = entry.get();
                let mistake = Diagnostic::new(self.file, span, message);
                self.mistakes.push(if file.path == self.file.path {
                    mistake.with_place(first.clone(), "the first is here")
                } else {
                    let line = file.line_of(first.start);
                    mistake.with_help(format!("the first is at {}:{line}", file.path))
                });
            }
        }
    }
}

fn no_document(name: &str, documents: &BTreeSet<String>) -> Wrong {
    let help = match shape::nearest(name, documents.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `documents:{near}`?"),
        None => format!("add it: [documents] {name} = {{ path = \"…\", digest = \"sha256:…\" }}"),
    };
    Wrong::new(format!("there is no document `{name}`")).with_help(help)
}

pub(super) fn plugin_id(text: &str) -> Result<PluginId, Wrong> {
    PluginId::new(text).map_err(|error| Wrong::new(error.to_string()))
}

pub(super) fn digest(text: &str) -> Result<Digest, Wrong> {
    let help = "it is printed by `sha256sum FILE`; write `sha256:` before it";
    Digest::from_str(text).map_err(|error| Wrong::new(error.to_string()).with_help(help))
}

pub(super) fn model_name(text: &str) -> Result<ModelName, Wrong> {
    values::plain(text, "the name")?;
    let name = ModelName::new(text);
    if name.as_str() != text {
        return Err(Wrong::new("the name has more than 255 bytes"));
    }
    Ok(name)
}
