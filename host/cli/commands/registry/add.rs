//! `modelhost registry add`: a model as it is here becomes an approved entry.
//!
//! Leaves hashing it to the library.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use modelhost::domain::event::EventSink;
use modelhost::domain::model::ModelName;
use modelhost::domain::registry::{RegisteredFile, RegistryEntry, Standing};
use modelhost::gate::{Also, Gate};
use modelhost::record::registry::edit::Change;

use super::ChangeArgs;
use crate::args::GlobalArgs;
use crate::context::{self, Context, ENDLESS};
use crate::exit::Exit;
use crate::progress::Progress;

/// An entry lists the files of a model with up to this many; beyond, its tree digest
/// says it all, and the lock file tells which file differs.
const MAX_LISTED: usize = 1_000;

/// Approve a model as it is here: hash it, and write an entry with its digests, and the
/// source, revision and license that the policy states.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The model: its name in the policy, or its path.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// Who reviewed it.
    #[arg(long, value_name = "WHO")]
    reviewer: String,

    /// What the review came to.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// The name of the entry. Without it, the model's.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Write anew an entry of that name; its comments stay.
    #[arg(long)]
    replace: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

pub(super) fn run(args: AddArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.change.which.policy)?;
    let entry = Box::new(entry(&args, &context, global)?);
    super::apply(&context, Change::Add { entry, replace: args.replace }, &args.change, global)
}

/// Hashes the model, and returns what is to be approved of it.
fn entry(args: &AddArgs, context: &Context, global: &GlobalArgs) -> anyhow::Result<RegistryEntry> {
    let defined = context.config.iter().flat_map(|config| {
        config.models.iter().map(|model| (model, config.root.join(&model.path)))
    });
    let named = args.model.to_str().map(ModelName::new);
    let path = defined
        .filter(|(model, _)| Some(&model.name) == named.as_ref())
        .map(|(_, path)| path)
        .next()
        .unwrap_or_else(|| args.model.clone());
    let progress = Arc::new(Progress::new(!global.quiet));
    let gate = Gate {
        paths: vec![path],
        // The registry may not be there yet, or not be as the policy asks.
        config: context.config.clone().map(|mut config| {
            config.registry = None;
            config.components.clear();
            config
        }),
        root: context.root.clone(),
        bundled: false,
        max_tasks: ENDLESS,
        jobs: context::processors(),
        sink: Arc::clone(&progress) as Arc<dyn EventSink>,
        ..Gate::new(context.working_dir.clone(), context::now())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pinned = runtime.block_on(gate.pin(Also::default()));
    progress.clear();
    let mut models = pinned?.lock.models.into_iter();
    let (Some((name, found)), None) = (models.next(), models.next()) else {
        anyhow::bail!("{} is more than one model: name one", args.model.display());
    };
    let locked = context.lock.as_ref().and_then(|(_, lock)| lock.models.get(&name));
    if let Some(locked) = locked.filter(|locked| locked.tree != found.tree) {
        anyhow::bail!(
            "{name} is not what is locked: here it is {}, and {} is locked; put back what was locked, or lock it anew with `modelhost lock`",
            found.tree,
            locked.tree
        );
    }
    let definition = context.config.iter().flat_map(|config| &config.models);
    let mut definition =
        definition.filter(|model| model.name == name).map(|model| &model.definition);
    let stated = definition.next().and_then(|definition| definition.license.clone());
    let listed = found.files.iter().map(|file| RegisteredFile {
        path: file.path.clone(),
        size: file.size,
        digest: file.digest,
    });
    Ok(RegistryEntry {
        name: args.name.as_deref().map_or(name, ModelName::new),
        source: found.source,
        revision: found.revision,
        tree: Some(found.tree),
        license: stated.or_else(|| locked.and_then(|locked| locked.notes.license.clone())),
        standing: Standing::Approved,
        reason: args.reason.clone(),
        superseded_by: None,
        date: String::new(),
        reviewer: args.reviewer.clone(),
        digest: found.tree.digest(),
        files: if found.files.len() > MAX_LISTED { Vec::new() } else { listed.collect() },
    })
}
