//! `modelhost.toml`: its shape, finding and reading it, and its mistakes.
//!
//! Owns what was read ([`Config`]), which remembers where everything stands, so
//! that whoever finds out later that something is wrong can point there. Leaves
//! what follows from it to `policy` and `gate`.

mod add;
mod diagnostic;
mod load;
mod schema;
mod settings;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod validate;
mod values;
mod waiver;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::digest::Digest;
use crate::domain::model::{Definition, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::waiver::Waiver;
use crate::policy::Policy;

pub use add::{NewModel, Planned, add};
pub use diagnostic::ConfigError;
pub use load::{check, find, load, load_changed, repository};
pub use schema::json_schema;
pub use shape::nearest;

/// The name of the configuration file.
pub const NAME: &str = "modelhost.toml";

/// The folder beside it that may hold further definitions of models.
pub const MODELS: &str = "models.d";

/// What `modelhost.toml` says.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file itself, for messages that point into it.
    pub file: SourceFile,
    /// The folder it is in; every path in it is relative to this.
    pub root: PathBuf,
    /// What the operator wants of a run.
    pub policy: Policy,
    /// The defined models, in the order they are written.
    pub models: Vec<ConfiguredModel>,
    /// The component files of plugins that are not bundled, relative to the root.
    pub components: BTreeMap<PluginId, PathBuf>,
    /// The documents that plugins can be granted, by name.
    pub documents: BTreeMap<String, ConfiguredDocument>,
    /// The audit log, relative to the root.
    pub audit: Option<PathBuf>,
    /// The file of the baseline, relative to the root, and where it is named;
    /// none where the policy names none.
    pub baseline: Option<(PathBuf, Range<usize>)>,
    /// The trusted registry, if models are compared with one.
    pub registry: Option<ConfiguredRegistry>,
    places: Places,
}

/// One defined model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredModel {
    /// Its name.
    pub name: ModelName,
    /// The folder or file, relative to the root; `.` for the root itself.
    pub path: PathBuf,
    /// What it should be.
    pub definition: Definition,
    /// The file that defines it: `modelhost.toml`, or one of `models.d`.
    pub file: SourceFile,
    /// Where its name stands in that file.
    pub span: Range<usize>,
    /// Where the plugins that it requires stand there.
    checks: BTreeMap<PluginId, Range<usize>>,
}

/// One document that plugins can be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredDocument {
    /// The file, relative to the root.
    pub path: PathBuf,
    /// The digest it must have.
    pub digest: Digest,
    /// Where it stands in `modelhost.toml`.
    pub span: Range<usize>,
}

/// The trusted registry that models are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredRegistry {
    /// The folder, relative to the root.
    pub path: PathBuf,
    /// Public keys of which one must have signed the set; none where it need not be
    /// signed.
    pub keys: Vec<ConfiguredDocument>,
    /// The digest that the set must have.
    pub pin: Option<Digest>,
    /// The least sequence that the set must have.
    pub min_sequence: Option<u64>,
    /// Where its path stands in `modelhost.toml`.
    pub span: Range<usize>,
}

/// Where things stand in `modelhost.toml`.
#[derive(Clone, Debug, Default)]
struct Places {
    /// The names in `require`.
    require: BTreeMap<PluginId, Range<usize>>,
    plugins: BTreeMap<PluginId, PluginPlaces>,
}

#[derive(Clone, Debug, Default)]
struct PluginPlaces {
    /// The table, `[plugin.ID]`.
    table: Range<usize>,
    component: Option<Range<usize>>,
    grants: Option<Range<usize>>,
    /// The names of rules in `severity`.
    severity: BTreeMap<String, Range<usize>>,
    /// The globs in `applies-to`.
    applies_to: Vec<Range<usize>>,
    /// The values of the settings, by JSON pointer.
    settings: BTreeMap<String, Range<usize>>,
}

impl Config {
    /// Makes a mistake in the settings of `plugin`, at the value that the JSON
    /// pointer `pointer` leads to, or the nearest one around it.
    pub fn settings_mistake(
        &self,
        plugin: &PluginId,
        pointer: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        let span = self.places.plugins.get(plugin).map(|places| {
            let mut pointer = pointer;
            loop {
                if let Some(span) = places.settings.get(pointer) {
                    return span.clone();
                }
                match pointer.rsplit_once('/') {
                    Some((around, _)) => pointer = around,
                    None => return places.table.clone(),
                }
            }
        });
        self.mistake(span, message)
    }

    /// Makes a mistake about `plugin`, at its table.
    pub fn plugin_mistake(&self, plugin: &PluginId, message: impl Into<String>) -> Diagnostic {
        self.mistake(self.places.plugins.get(plugin).map(|places| places.table.clone()), message)
    }

    /// Makes a mistake about the component of `plugin`, at its path, or its
    /// table where it has none.
    pub fn component_mistake(&self, plugin: &PluginId, message: impl Into<String>) -> Diagnostic {
        let places = self.places.plugins.get(plugin);
        let span = places.map(|p| p.component.clone().unwrap_or_else(|| p.table.clone()));
        self.mistake(span, message)
    }

    /// Makes a mistake about what `plugin` is granted, at its grants, or its
    /// table where it has none.
    pub fn grants_mistake(&self, plugin: &PluginId, message: impl Into<String>) -> Diagnostic {
        let places = self.places.plugins.get(plugin);
        let span = places.map(|p| p.grants.clone().unwrap_or_else(|| p.table.clone()));
        self.mistake(span, message)
    }

    /// Makes a mistake about the severity of a rule of `plugin`, at its name.
    pub fn severity_mistake(
        &self,
        plugin: &PluginId,
        rule: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        let places = self.places.plugins.get(plugin);
        self.mistake(places.and_then(|places| places.severity.get(rule).cloned()), message)
    }

    /// Makes a mistake about a glob in `applies-to` of `plugin`, at the one in the
    /// place `index`, or its table where that is none.
    pub fn applies_to_mistake(
        &self,
        plugin: &PluginId,
        index: Option<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let span = self.places.plugins.get(plugin).map(|places| {
            let glob = index.and_then(|index| places.applies_to.get(index));
            glob.unwrap_or(&places.table).clone()
        });
        self.mistake(span, message)
    }

    /// Makes a mistake about `waiver`, at its first line.
    pub fn waiver_mistake(&self, waiver: &Waiver, message: impl Into<String>) -> Diagnostic {
        self.mistake(Some(self.file.line_span(waiver.line)), message)
    }

    /// Makes a mistake about the file of the baseline, at its path.
    pub fn baseline_mistake(&self, message: impl Into<String>) -> Diagnostic {
        self.mistake(self.baseline.as_ref().map(|(_, span)| span.clone()), message)
    }

    /// Makes a mistake about `plugin` being required, at its name in `require`.
    pub fn require_mistake(&self, plugin: &PluginId, message: impl Into<String>) -> Diagnostic {
        self.mistake(self.places.require.get(plugin).cloned(), message)
    }

    /// Makes a mistake about the document `name`.
    pub fn document_mistake(&self, name: &str, message: impl Into<String>) -> Diagnostic {
        self.mistake(self.documents.get(name).map(|document| document.span.clone()), message)
    }

    /// Makes a mistake about the trusted registry, at its path.
    pub fn registry_mistake(&self, message: impl Into<String>) -> Diagnostic {
        self.mistake(self.registry.as_ref().map(|registry| registry.span.clone()), message)
    }

    /// Points at the first line where there is no better place.
    fn mistake(&self, span: Option<Range<usize>>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&self.file, span.unwrap_or(0..0), message)
    }
}

impl ConfiguredModel {
    /// Makes a mistake about `plugin` being required, at its name in `checks`.
    pub fn checks_mistake(&self, plugin: &PluginId, message: impl Into<String>) -> Diagnostic {
        let span = self.checks.get(plugin).cloned();
        Diagnostic::new(&self.file, span.unwrap_or_else(|| self.span.clone()), message)
    }

    /// Makes a mistake about this model, at its name.
    pub fn mistake(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&self.file, self.span.clone(), message)
    }
}
