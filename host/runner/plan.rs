//! Models × plugins → [`Plan`]: which tasks there are, and which plugins are
//! refused before any guest code.
//!
//! Leaves running them to `execute`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::capability::{Capability, Grants, Limit, Limits, MAX_ASK};
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::{PluginId, ResolvedPlugin, Scope};
use crate::domain::text::GuestText;
use crate::domain::verdict::{Failure, FailureCode};
use crate::model::{FileHandle, Model};

/// Decides for a plugin which of a model's files it may see.
pub type Wants = dyn Fn(&FilePath) -> bool + Send + Sync;

/// A plugin as the plan takes it: what it is, what it gets, what it wants.
pub struct Candidate {
    /// The plugin.
    pub plugin: Arc<ResolvedPlugin>,
    /// What it is granted.
    pub grants: Grants,
    /// Its limits, or which limit it asks too much of.
    pub limits: Result<Limits, Limit>,
    /// Its settings, a JSON object as text.
    pub settings: Arc<str>,
    /// The documents it was granted, by name.
    pub documents: Arc<BTreeMap<String, Arc<[u8]>>>,
    /// Which files it wants.
    pub wants: Box<Wants>,
    /// The models that the policy says it does not apply to.
    pub exempt: BTreeSet<ModelName>,
}

impl Candidate {
    /// Returns the plugin's id.
    pub fn id(&self) -> &PluginId {
        &self.plugin.manifest.id
    }

    /// Says why it must not run at all, with the policy line that changes it.
    pub fn refusal(&self) -> Option<Failure> {
        let id = self.id();
        if let Some(import) = self.plugin.imports.unknown.first() {
            let message = format!("it imports {import}, which the contract does not have");
            return Some(refused(&message).with_help(
                "build it with a modelhost SDK: a plugin may import modelhost:check/* alone",
            ));
        }
        let missing: Vec<Capability> = self
            .plugin
            .imports
            .capabilities
            .iter()
            .copied()
            .filter(|asked| !self.grants.has(*asked))
            .collect();
        if let Some(first) = missing.first() {
            let names: Vec<&str> = missing.iter().map(|capability| capability.name()).collect();
            let grant = match first {
                Capability::Documents => "documents:NAME",
                other => other.name(),
            };
            let message = format!("it asks for what it isn't granted: {}", names.join(", "));
            let help =
                format!("to grant it, add to modelhost.toml: [plugin.{id}] grants = [\"{grant}\"]");
            return Some(refused(&message).with_help(help));
        }
        match &self.limits {
            Ok(limits) if self.plugin.bytes.len() as u64 > limits.component_size => {
                let (size, most) = (self.plugin.bytes.len(), limits.component_size);
                Some(Failure::new(
                    FailureCode::Limit(Limit::ComponentSize),
                    &format!("its component has {size} bytes, {most} are allowed"),
                ))
            }
            Ok(_) => None,
            Err(limit) => {
                let name = limit.name();
                let message = format!(
                    "its manifest asks for more than {MAX_ASK} times the default of the limit `{name}`"
                );
                let asked = self.plugin.manifest.limits.get(*limit).unwrap_or(limit.default());
                let help = format!(
                    "to allow it, set the limit in modelhost.toml: [plugin.{id}] limits = {{ {name} = {} }}",
                    limit.unit().toml(asked)
                );
                Some(refused(&message).with_help(help))
            }
        }
    }
}

fn refused(message: &str) -> Failure {
    Failure { code: FailureCode::Refused, message: GuestText::capped(message), help: None }
}

/// One task of a run.
#[derive(Clone, Debug)]
pub struct PlannedTask {
    /// Which candidate, by its place in the list.
    pub plugin: usize,
    /// Which model, by its place in the list.
    pub model: usize,
    /// The file, for a task on one file.
    pub file: Option<FilePath>,
    /// What it sees.
    pub files: Arc<[Arc<FileHandle>]>,
    /// Whether it waits for the digests of its files.
    pub needs_digests: bool,
    /// Why it must not run.
    pub refused: Option<Arc<Failure>>,
}

impl PlannedTask {
    /// Returns the bytes of its files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size()).sum()
    }
}

/// All tasks of a run, in the order in which the report tells them: by model,
/// plugin, file.
#[derive(Debug, Default)]
pub struct Plan {
    /// The tasks.
    pub tasks: Vec<PlannedTask>,
}

impl Plan {
    /// Returns which plugins have a task that will run, by their place.
    pub fn plugins(&self) -> Vec<usize> {
        let mut plugins: Vec<usize> = self
            .tasks
            .iter()
            .filter(|task| task.refused.is_none())
            .map(|task| task.plugin)
            .collect();
        plugins.sort_unstable();
        plugins.dedup();
        plugins
    }
}

/// Plans the tasks of `candidates`, sorted by id, on `models`, sorted by name.
///
/// A plugin that wants none of a model's files, be they there or locked, or does not
/// apply to the model, has no task on it.
pub fn plan(models: &[Model], candidates: &[Candidate]) -> Plan {
    let refusals: Vec<Option<Arc<Failure>>> =
        candidates.iter().map(|candidate| candidate.refusal().map(Arc::new)).collect();
    let mut tasks = Vec::new();
    for (model, opened) in models.iter().enumerate() {
        // Tasks on one file share their view.
        let mut alone: Vec<Option<Arc<[Arc<FileHandle>]>>> = vec![None; opened.files.len()];
        for (plugin, candidate) in candidates.iter().enumerate() {
            if candidate.exempt.contains(&opened.name) {
                continue;
            }
            let wanted =
                opened.files.iter().enumerate().filter(|(_, file)| (candidate.wants)(file.path()));
            let task = |file: Option<FilePath>, files: Arc<[Arc<FileHandle>]>| PlannedTask {
                plugin,
                model,
                file,
                files,
                needs_digests: candidate.plugin.imports.capabilities.contains(&Capability::Digest),
                refused: refusals[plugin].clone(),
            };
            match candidate.plugin.manifest.scope {
                Scope::File => tasks.extend(wanted.map(|(place, file)| {
                    let files = alone[place].get_or_insert_with(|| Arc::new([Arc::clone(file)]));
                    task(Some(file.path().clone()), Arc::clone(files))
                })),
                Scope::Model => {
                    let files: Arc<[Arc<FileHandle>]> =
                        wanted.map(|(_, file)| Arc::clone(file)).collect();
                    if !files.is_empty() || is_gone(opened, candidate) {
                        tasks.push(task(None, files));
                    }
                }
            }
        }
    }
    tasks.shrink_to_fit();
    Plan { tasks }
}

/// Whether files that `candidate` wants are locked: where none of them is there, that is
/// what it has to say.
fn is_gone(model: &Model, candidate: &Candidate) -> bool {
    let locked = model.lock.iter().flat_map(|lock| &lock.files);
    locked.into_iter().any(|file| (candidate.wants)(&file.path))
}
