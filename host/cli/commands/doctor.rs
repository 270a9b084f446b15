//! `modelhost doctor`: what is missing here, and how plugins are isolated on this
//! machine.
//!
//! Each line is something a run would come upon as well. Leaves probing the walls
//! to the workers themselves.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use clap::Args;
use modelhost::config::Config;
use modelhost::domain::digest::Digest;
use modelhost::domain::text::GuestText;
use modelhost::engine::Engine;
use modelhost::engine::cache::upkeep;
use modelhost::plugin::source::bundled;
use modelhost::record::disk::{is_absent, read_bounded};
use modelhost::worker::{LANDLOCK_USED, Program, Workers, landlock_here};
use rustix::process::{Resource, Rlimit, getrlimit};
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::{GlobalArgs, PolicyArgs};
use crate::changed;
use crate::commands::{print, text_of};
use crate::context::{self, Context};
use crate::exit::Exit;
use crate::git::Git;
use crate::say;

const HELP: &str = "\
Each line is `ok`; `note`, for what works and could be better; or MISSING, for what is
not there, or does not work, and would end or weaken a run. `modelhost schema doctor`
prints the JSON Schema of --json.

Exit codes: 0 nothing is missing, notes or not; 1 something is.";

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

/// The most bytes of a document that are held to its digest.
const MAX_DOCUMENT: u64 = 64 << 20;

/// One thing that was looked at.
#[derive(Debug, Serialize, JsonSchema)]
struct Item {
    /// What it is: `policy`, `lock`, `isolation`, ...
    name: &'static str,
    /// How it is.
    state: State,
    /// What was found, in words for a person, which may change.
    text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It is as it should be.
    Ok,
    /// It works, and could be better.
    Note,
    /// It is missing, or does not work.
    Missing,
}

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-doctor/v1";

/// What is here, and what is missing.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "modelhost doctor, version 1")]
struct Document {
    /// `modelhost-doctor/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// What was looked at. There may be more in later versions.
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

/// Returns the schema of what `--json` prints.
pub(crate) fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}

pub(crate) fn run(args: &DoctorArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let mut items = vec![plugins(), isolation(), kernel(), open_files(), processes(), cache()];
    items.extend(files(&args.policy));
    items.extend([git(), ci(), terminal(global)]);
    let is_missing = items.iter().any(|item| item.state == State::Missing);
    let text = if args.json {
        text_of(&Document { schema: SCHEMA, modelhost: env!("CARGO_PKG_VERSION"), items })?
    } else {
        table(&items).into_bytes()
    };
    print(&text)?;
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

/// Says what of the walls this kernel has, whether or not they could be raised.
fn kernel() -> Item {
    let release = read_bounded(Path::new("/proc/sys/kernel/osrelease"), MAX_RELEASE);
    let release = release.ok().flatten().unwrap_or_default();
    let system = format!("Linux {}", String::from_utf8_lossy(&release).trim());
    let system = if release.is_empty() { std::env::consts::OS } else { system.as_str() };
    let Some(here) = landlock_here() else {
        let text = format!("{system}, without Landlock, or with it turned off");
        return Item::new("kernel", State::Note, text)
            .help("Linux 5.13 and later have it, where the boot parameter `lsm` names it");
    };
    let text =
        format!("{system}, Landlock ABI {here}, of which {} are used", here.min(LANDLOCK_USED));
    let state = if here < LANDLOCK_USED { State::Note } else { State::Ok };
    let item = Item::new("kernel", state, text);
    match state {
        State::Note => item.help(
            "Linux 6.12 and later also keep signals and abstract sockets in; what seccomp forbids covers these here",
        ),
        _ => item,
    }
}

/// The most bytes of the kernel's release, which is a word.
const MAX_RELEASE: u64 = 256;

/// How many files a process needs open beside the models': workers, their sockets,
/// plugins.
const FILES: u64 = 256;

fn open_files() -> Item {
    let Rlimit { current, .. } = getrlimit(Resource::Nofile);
    match current {
        None => Item::new("files", State::Ok, "no limit on open files"),
        Some(most) if most >= FILES => {
            Item::new("files", State::Ok, format!("{most} may be open at once"))
        }
        Some(most) => Item::new("files", State::Note, format!("only {most} may be open at once"))
            .help("raise it by `ulimit -n 1024`"),
    }
}

fn processes() -> Item {
    let Rlimit { current, .. } = getrlimit(Resource::Nproc);
    match current {
        None => Item::new("processes", State::Ok, "no limit"),
        Some(most) => Item::new("processes", State::Ok, format!("{most} for this user")),
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
        (Ok(stat), Some(_)) => {
            let mib = stat.entries.bytes.div_ceil(1 << 20);
            let key = context::cache_key();
            let text = format!(
                "{shown}: {}, {mib} MiB, signed by {key}",
                things(stat.entries.count, "plugin")
            );
            Item::new("cache", State::Ok, text)
        }
        (Err(why), _) => Item::new("cache", State::Missing, format!("{shown}: {why}"))
            .help("make the folder this user's own, or set MODELHOST_CACHE_DIR"),
        (Ok(_), None) => Item::new("cache", State::Missing, format!("{shown} can't be used"))
            .help("make the folder and its key this user's own, or set MODELHOST_CACHE_DIR"),
    }
}

/// Returns `count` of `thing` in words.
fn things(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
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
            let (models, waivers) =
                (things(models as u64, "model"), things(waivers as u64, "waiver"));
            let text = format!("{}: {models}, {waivers}", path.display());
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
                format!(
                    "modelhost.lock: {}, {}",
                    things(models as u64, "model"),
                    things(plugins as u64, "plugin")
                ),
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
            things(baseline.entries.len() as u64, "accepted finding"),
        )),
        Ok(None) => None,
        Err(error) => Some(
            Item::new("baseline", State::Missing, format!("{error:#}"))
                .help("`modelhost run` shows the mistake with its line"),
        ),
    };
    let named = context.config.as_ref().map(named).unwrap_or_default();
    [policy, lock].into_iter().chain(baseline).chain(named).collect()
}

/// Looks for the files that the policy names.
fn named(config: &Config) -> Vec<Item> {
    let mut out = Vec::new();
    for (name, document) in &config.documents {
        let shown = format!("{name}: {}", document.path.display());
        out.push(match read_bounded(&config.root.join(&document.path), MAX_DOCUMENT) {
            Ok(Some(bytes)) if Digest::of(&bytes) == document.digest => {
                Item::new("document", State::Ok, shown)
            }
            Ok(_) => Item::new("document", State::Missing, format!("{shown} has another digest"))
                .help("have the change reviewed, and write its digest into [documents]"),
            Err(error) => Item::new("document", State::Missing, format!("{shown}: {error}"))
                .help("put the file there, or take it out of [documents]"),
        });
    }
    if let Some(registry) = &config.registry {
        let folder = config.root.join(&registry.path);
        let shown = registry.path.display();
        out.push(match is_absent(&folder) {
            true => Item::new("registry", State::Missing, format!("{shown} is not there"))
                .help("fetch it, or take [registry] out of the policy"),
            false => Item::new("registry", State::Ok, shown.to_string()),
        });
    }
    if let Some(log) = &config.audit {
        let begun = match is_absent(&config.root.join(log)) {
            true => "begun by the next run",
            false => "`modelhost audit verify` verifies it",
        };
        out.push(Item::new("audit", State::Ok, format!("{}: {begun}", log.display())));
    }
    out
}

fn git() -> Item {
    let Ok(folder) = context::working_dir() else {
        return Item::new("git", State::Note, "the working directory can't be read");
    };
    match Git::at(&folder).and_then(|git| git.top()) {
        Ok(top) => match changed::find(&folder, None, &[]) {
            Ok(_) => Item::new("git", State::Ok, format!("repository {}", top.display())),
            Err(error) => {
                let text = format!("repository {}, without a base: {error}", top.display());
                Item::new("git", State::Note, text)
                    .help("`run --changed` needs one: name it, `--changed=BASE`")
            }
        },
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
