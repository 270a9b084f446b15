//! `modelhost model`: definitions of models, written.
//!
//! Leaves what a definition may say to the library.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use modelhost::config::{self, ConfigError, NewModel, Planned};
use modelhost::gate::GateError;
use modelhost::record::disk;

use crate::args::GlobalArgs;
use crate::context;
use crate::exit::Exit;
use crate::say;

/// The kinds of source that are no path here.
const SOURCES: [&str; 7] = ["hf:", "git:", "git+https:", "git+ssh:", "oci:", "ollama:", "https:"];

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Write the definition of a model that is here.
    Add(AddArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  modelhost model add models/bert --source hf:org/bert --revision 9f1c…
  modelhost model add .cache/models--org--bert/snapshots/9f1c… --license Apache-2.0

Source and revision of a folder in a cache of the Hugging Face Hub stand in its path,
and need not be said. A revision is one that can't move: a whole commit, or a digest.
Then run `modelhost lock`, which pins the model's files.")]
pub(crate) struct AddArgs {
    /// The folder or file of the model. A model that is not here yet is fetched by
    /// other tools; of a source this says how.
    #[arg(value_name = "PATH|SOURCE")]
    path: PathBuf,

    /// Its name. Without it: that of its folder, or of its repository.
    #[arg(long)]
    name: Option<String>,

    /// Where it comes from, such as hf:org/name.
    #[arg(long)]
    source: Option<String>,

    /// The immutable revision of that source.
    #[arg(long)]
    revision: Option<String>,

    /// The license it is under, an SPDX expression.
    #[arg(long)]
    license: Option<String>,

    /// Who answers for it.
    #[arg(long)]
    owner: Option<String>,

    /// What it is for.
    #[arg(long)]
    purpose: Option<String>,

    /// The file to write to, beside modelhost.toml: that one, or one of models.d.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(crate) fn run(command: ModelCommand, global: &GlobalArgs) -> anyhow::Result<Exit> {
    match command {
        ModelCommand::Add(args) => add(args, global),
    }
}

fn add(args: AddArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let working_dir = context::working_dir()?;
    let main = config::find(&working_dir, config::NAME)?;
    let config = main.as_deref().map(config::load).transpose()?;
    let root = match &main {
        Some(main) => main.parent().unwrap_or(&working_dir).to_owned(),
        None => working_dir.clone(),
    };
    let at = working_dir.join(&args.path);
    if !exists(&at) {
        return Err(absent(&args.path));
    }
    let path = below(&root, &at, &args.path)?;
    let hub = Hub::of(&canonical(&at)?);
    let name = args.name.or_else(|| hub.as_ref().map(|hub| hub.name.clone()));
    let name = name.or_else(|| Some(canonical(&at).ok()?.file_name()?.to_str()?.to_owned()));
    let (source, revision) = hub.map(|hub| (hub.source, hub.revision)).unzip();
    let model = NewModel {
        name: name.context("the folder has no name; say one with --name")?,
        path,
        // The path tells no revision of another source than its own.
        revision: args.revision.or_else(|| revision.filter(|_| args.source.is_none())),
        source: args.source.or(source),
        purpose: args.purpose,
        license: args.license,
        owner: args.owner,
    };
    let file = args.file.as_deref().map(allowed).transpose()?;
    let planned = config::add(&root, config.as_ref(), &model, file, old_text);
    let Planned { path, text, added } = planned?;
    if let Some(folder) = path.parent() {
        make(folder)?;
    }
    disk::replace(&path, text.as_bytes(), ".modelhost.toml.")
        .with_context(|| format!("can't write {}", path.display()))?;
    if !global.quiet {
        let shown = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        say::line(&format!("wrote {shown}:"));
        added.lines().for_each(|line| say::line(&format!("  {line}")));
        if model.source.is_none() {
            say::line("it names no source: add `source` and `revision` if it comes from elsewhere");
        } else if model.revision.is_none() {
            say::line("it names no revision: add the one its files are of, which can't move");
        }
        say::line("next: `modelhost lock` pins its files");
    }
    Ok(Exit::Allow)
}

/// A snapshot in a cache of the Hugging Face Hub: what its path says.
struct Hub {
    name: String,
    source: String,
    revision: String,
}

impl Hub {
    /// Reads `…/models--ORG--NAME/snapshots/REVISION`.
    fn of(path: &Path) -> Option<Self> {
        let revision = path.file_name()?.to_str()?;
        let snapshots = path.parent()?;
        let repository = snapshots.parent()?.file_name()?.to_str()?;
        let id = repository.strip_prefix("models--")?;
        let is_snapshot = snapshots.file_name()? == "snapshots";
        let parts: Vec<&str> = id.split("--").collect();
        if !is_snapshot || parts.len() > 2 {
            return None;
        }
        Some(Self {
            name: parts.last().copied()?.to_owned(),
            source: format!("hf:{}", parts.join("/")),
            revision: revision.to_owned(),
        })
    }
}

/// Says what to do about a model that is not here.
fn absent(path: &Path) -> anyhow::Error {
    let text = path.to_string_lossy();
    let is_source = SOURCES.iter().any(|kind| text.starts_with(kind));
    let (message, help) = if is_source {
        let get = match text.split_once(':') {
            Some(("hf", name)) => format!(
                "`hf download {name} --revision COMMIT --local-dir models/{}`",
                name.rsplit('/').next().unwrap_or(name)
            ),
            Some(("oci", name)) => format!("`oras pull {name}@sha256:…`"),
            Some(("ollama", name)) => format!("`ollama pull {name}`"),
            Some(("https", _)) => format!("`curl -fLO {text}`"),
            _ => "`git clone`, and `git checkout COMMIT`".to_owned(),
        };
        (
            format!("{text} is a source, and modelhost fetches nothing"),
            format!("get it, such as by {get}; then `modelhost model add PATH --source {text}`"),
        )
    } else {
        (format!("there is nothing at {text}"), "name the model's folder or file".to_owned())
    };
    GateError::Usage { message, help: Some(help) }.into()
}

/// Returns the place of `at` below `root`, as a definition writes it.
fn below(root: &Path, at: &Path, typed: &Path) -> anyhow::Result<String> {
    let usage = |message: String, help: &str| {
        anyhow::Error::from(GateError::Usage { message, help: Some(help.to_owned()) })
    };
    let (real_root, real) = (canonical(root)?, canonical(at)?);
    let Ok(below) = real.strip_prefix(&real_root) else {
        return Err(usage(
            format!("{} is outside of {}", typed.display(), root.display()),
            "a definition names what is below the folder of modelhost.toml; put the model there",
        ));
    };
    let parts: Option<Vec<&str>> =
        below.components().map(|part| part.as_os_str().to_str()).collect();
    let parts = parts.ok_or_else(|| {
        usage(format!("{} is not UTF-8", typed.display()), "give it another name")
    })?;
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// Takes `file` as one that a run reads definitions from.
fn allowed(file: &Path) -> anyhow::Result<&Path> {
    let mut parts = file.components().map(|part| part.as_os_str());
    let toml = file.extension().is_some_and(|extension| extension == "toml");
    let ok = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, None) => name == config::NAME,
        (Some(folder), Some(_), None) => folder == config::MODELS && toml,
        _ => false,
    };
    if ok {
        return Ok(file);
    }
    let message = format!("no run reads definitions from {}", file.display());
    let help = format!("write to {}, or to {}/NAME.toml", config::NAME, config::MODELS);
    Err(GateError::Usage { message, help: Some(help) }.into())
}

#[expect(clippy::disallowed_methods, reason = "the operator names the model to define")]
fn exists(path: &Path) -> bool {
    std::fs::metadata(path).is_ok()
}

#[expect(clippy::disallowed_methods, reason = "the operator names the model to define")]
fn canonical(path: &Path) -> anyhow::Result<PathBuf> {
    std::fs::canonicalize(path).with_context(|| format!("can't open {}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "the operator's own file, to be added to")]
fn old_text(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the folder of definitions is made where it is named"
)]
fn make(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))
}
