//! `modelhost doctor`: what is missing here, and how plugins are isolated on this
//! machine.
//!
//! Each line is something a run would come upon as well. Leaves probing the walls
//! to the workers themselves.

use std::sync::atomic::AtomicBool;

use clap::Args;
use modelhost::domain::text::GuestText;
use modelhost::engine::Engine;
use modelhost::engine::cache::upkeep;
use modelhost::plugin::source::bundled;
use modelhost::worker::{Program, Workers};
use serde::Serialize;

use crate::args::{GlobalArgs, PolicyArgs};
use crate::commands::print;
use crate::context::{self, Context};
use crate::exit::Exit;
use crate::git::Git;
use crate::say;

const HELP: &str = "\
Exit codes: 0 nothing is missing, 1 something is.";

/// Say what is missing here, and how plugins are isolated on this machine.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct DoctorArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    policy: PolicyArgs,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Item {
    name: &'static str,
    state: State,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It is as it should be.
    Ok,
    /// It works, and could be better.
    Note,
    /// It is missing, or does not work.
    Missing,
}

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    modelhost: &'static str,
    items: Vec<Item>,
}

impl Item {
    fn new(name: &'static str, state: State, text: impl Into<String>) -> Self {
        Self { name, state, text: GuestText::capped(&text.into()).to_string(), help: None }
    }

    fn help(self, help: &str) -> Self {
        Self { help: Some(help.to_owned()), ..self }
    }
}

pub(crate) fn run(args: &DoctorArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let mut items = vec![plugins(), isolation(), cache()];
    items.extend(files(&args.policy));
    items.extend([git(), ci(), terminal(global)]);
    let is_missing = items.iter().any(|item| item.state == State::Missing);
    let text = if args.json {
        let document =
            Document { schema: "modelhost-doctor/v1", modelhost: env!("CARGO_PKG_VERSION"), items };
        serde_json::to_string_pretty(&document)? + "\n"
    } else {
        table(&items)
    };
    print(text.as_bytes())?;
    Ok(if is_missing { Exit::Deny } else { Exit::Allow })
}

fn table(items: &[Item]) -> String {
    let mut out = format!("modelhost {}\n", env!("CARGO_PKG_VERSION"));
    for item in items {
        let state = match item.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Missing => "MISSING",
        };
        out.push_str(&format!("  {state:8}{:10}{}\n", item.name, item.text));
        if let Some(help) = &item.help {
            out.push_str(&format!("  {:18}= help: {help}\n", ""));
        }
    }
    out
}

fn plugins() -> Item {
    let names: Vec<&str> = bundled::names().collect();
    if names.is_empty() {
        return Item::new("plugins", State::Missing, "this modelhost was built without plugins")
            .help("build it by `cargo xtask plugins` and `cargo build`, or name a folder of plugins by `--plugins DIR`");
    }
    Item::new("plugins", State::Ok, format!("{} bundled: {}", names.len(), names.join(", ")))
}

/// Starts a worker, which raises its walls and says which of them stand.
fn isolation() -> Item {
    let workers = Workers::new(Program::this()).require_whole();
    let admitted = workers.admit(&AtomicBool::new(false));
    match (admitted, workers.isolation()) {
        (Ok(()), _) => Item::new(
            "isolation",
            State::Ok,
            "plugins run in processes of their own, behind rlimits, no_new_privs, Landlock and seccomp",
        ),
        (Err(_), Some(isolation)) => {
            Item::new("isolation", State::Note, format!("reduced: {isolation}")).help(
                "a newer Linux has all of it; `run --require-isolation` refuses to run plugins with less",
            )
        }
        (Err(why), None) => {
            Item::new("isolation", State::Missing, format!("no worker starts: {why}")).help(
                "allow this user more processes, or run plugins in modelhost itself, behind one wall less: `--isolation in-process`",
            )
        }
    }
}

fn cache() -> Item {
    let Some(folder) = context::cache_folder() else {
        return Item::new("cache", State::Note, "none: this user has no cache folder")
            .help("set MODELHOST_CACHE_DIR, or each run compiles its plugins anew");
    };
    let shown = folder.display();
    let stat = Engine::new().map_err(|error| error.to_string()).and_then(|engine| {
        upkeep::stat(&folder, &engine).map_err(|error| format!("{:#}", anyhow::Error::new(error)))
    });
    match (stat, context::cache()) {
        (Ok(_), Some(_)) => Item::new("cache", State::Ok, format!("{shown}")),
        (Err(why), _) => Item::new("cache", State::Missing, format!("{shown}: {why}"))
            .help("make the folder this user's own, or set MODELHOST_CACHE_DIR"),
        (Ok(_), None) => Item::new("cache", State::Missing, format!("{shown} can't be used"))
            .help("make the folder and its key this user's own, or set MODELHOST_CACHE_DIR"),
    }
}

/// Looks for the operator's files, as a run would.
fn files(args: &PolicyArgs) -> Vec<Item> {
    let context = match Context::find(args) {
        Ok(context) => context,
        Err(error) => {
            return vec![
                Item::new("policy", State::Missing, format!("{error:#}"))
                    .help("`modelhost run` shows each mistake with its line"),
            ];
        }
    };
    let policy = match &context.config {
        Some(config) => {
            let (models, waivers) = (config.models.len(), config.policy.waivers.len());
            let path = context.config_path(args);
            let text = format!("{}: {models} models, {waivers} waivers", path.display());
            Item::new("policy", State::Ok, text)
        }
        None => Item::new("policy", State::Note, "no modelhost.toml: the built-in policy holds")
            .help("`modelhost init` writes one"),
    };
    let lock = match &context.lock {
        Some((_, lock)) => {
            let (models, plugins) = (lock.models.len(), lock.plugins.len());
            Item::new(
                "lock",
                State::Ok,
                format!("modelhost.lock: {models} models, {plugins} plugins"),
            )
        }
        None => {
            Item::new("lock", State::Note, "no modelhost.lock: nothing holds models to their bytes")
                .help("`modelhost lock` writes one")
        }
    };
    let baseline = match context.baseline() {
        Ok(Some((_, baseline))) => Some(Item::new(
            "baseline",
            State::Ok,
            format!("{} accepted findings", baseline.entries.len()),
        )),
        Ok(None) => None,
        Err(error) => Some(
            Item::new("baseline", State::Missing, format!("{error:#}"))
                .help("`modelhost run` shows the mistake with its line"),
        ),
    };
    [policy, lock].into_iter().chain(baseline).collect()
}

fn git() -> Item {
    let Ok(folder) = context::working_dir() else {
        return Item::new("git", State::Note, "the working directory can't be read");
    };
    match Git::at(&folder).and_then(|git| git.top()) {
        Ok(top) => Item::new("git", State::Ok, format!("repository {}", top.display())),
        Err(error) => Item::new("git", State::Note, format!("no repository: {error}"))
            .help("only `run --changed` needs one"),
    }
}

fn ci() -> Item {
    let systems = [
        ("GITHUB_ACTIONS", "GitHub Actions"),
        ("GITLAB_CI", "GitLab CI"),
        ("JENKINS_URL", "Jenkins"),
        ("TF_BUILD", "Azure Pipelines"),
        ("BUILDKITE", "Buildkite"),
        ("CIRCLECI", "CircleCI"),
    ];
    let system = systems.into_iter().find(|(name, _)| context::variable(name).is_some());
    let text = match (system, context::is_ci()) {
        (Some((_, system)), true) => {
            format!("{system}: models are held to modelhost.lock where there is one")
        }
        (Some((_, system)), false) => format!("{system}, though CI is not set"),
        (None, true) => {
            "CI is set: models are held to modelhost.lock where there is one".to_owned()
        }
        (None, false) => "none".to_owned(),
    };
    Item::new("ci", State::Ok, text)
}

fn terminal(global: &GlobalArgs) -> Item {
    let color = say::has_color(global, &std::io::stdout());
    let text = if color { "reports in color" } else { "reports without color" };
    Item::new("terminal", State::Ok, text)
}
