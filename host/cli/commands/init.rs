//! `modelhost init`: sets a repository up, with its policy, its lock file and a file
//! for its CI system.
//!
//! What is there already is left as it is: it may have been changed, and is not
//! ours. Leaves what stands in the lock file to the library.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use modelhost::config;
use modelhost::domain::digest::Digest;
use modelhost::domain::event::EventSink;
use modelhost::domain::model::ModelName;
use modelhost::gate::{Also, Gate, GateError};
use modelhost::model::find;
use modelhost::record::disk::{is_absent, read_bounded, replace};
use modelhost::record::lock;

use crate::args::{GlobalArgs, PolicyArgs};
use crate::context::{self, Context, ENDLESS};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::say;

const GITHUB: &str = include_str!("init/github.yml");
const GITLAB: &str = include_str!("init/gitlab.yml");
const PRE_COMMIT: &str = include_str!("init/pre-commit.yml");

/// The JSON Schema of the policy, beside it.
const SCHEMA: &str = "modelhost.schema.json";

/// The most bytes of modelhost itself, which CI files name by its digest.
const MAX_PROGRAM: u64 = 1 << 30;

const HELP: &str = "\
Writes modelhost.toml with the models that are found here, modelhost.schema.json,
by which editors check it, modelhost.lock, and with --ci a file that runs the gate:
  github      .github/workflows/modelhost.yml
  gitlab      .gitlab/modelhost.yml, to be included
  pre-commit  .pre-commit-config.yaml
These name the very modelhost that wrote them, by its SHA-256. What is there already
is left as it is, but for modelhost.schema.json: it is generated, and written anew
where it is that of another modelhost.

Examples:
  modelhost init                 in the folder that a repository's policy belongs to
  modelhost init --ci github
  modelhost init --check         in CI: is everything there, and of this modelhost?

Exit codes: 0 done; 1 with --check, where something would be written; 2 a mistake;
4 no models were found.";

/// Set a repository up: policy, lock file, CI.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct InitArgs {
    /// Also write the file of a CI system.
    #[arg(long, value_name = "SYSTEM")]
    ci: Option<Ci>,

    /// Write nothing; exit with 1 where something is missing.
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ci {
    Github,
    Gitlab,
    PreCommit,
}

impl Ci {
    const fn path(self) -> &'static str {
        match self {
            Self::Github => ".github/workflows/modelhost.yml",
            Self::Gitlab => ".gitlab/modelhost.yml",
            Self::PreCommit => ".pre-commit-config.yaml",
        }
    }

    fn text(self) -> anyhow::Result<String> {
        let template = match self {
            Self::Github => GITHUB,
            Self::Gitlab => GITLAB,
            Self::PreCommit => return Ok(PRE_COMMIT.to_owned()),
        };
        Ok(template.replace("{SHA256}", &this()?.hex()))
    }
}

/// Returns the digest of the modelhost that runs.
#[expect(clippy::disallowed_methods, reason = "CI files name the very modelhost that wrote them")]
fn this() -> anyhow::Result<Digest> {
    let path = std::env::current_exe().context("modelhost can't find itself")?;
    let bytes = read_bounded(&path, MAX_PROGRAM).context("modelhost can't read itself")?;
    Ok(Digest::of(&bytes.context("modelhost is larger than 1 GiB")?))
}

pub(crate) fn run(args: &InitArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let folder = context::working_dir()?;
    let mut init = Init { check: args.check, quiet: global.quiet, missing: false, folder };
    let policy = PolicyArgs { config: None, no_config: false };
    let context = Context::find(&policy)?;
    if context.config.is_some() && context.root != context::real(&init.folder) {
        let place = context.root.join(config::NAME);
        anyhow::bail!("this folder is under the policy {} already: run it there", place.display());
    }
    if context.config.is_some() {
        init.say("as it is", config::NAME);
    } else {
        let text = policy_text(&init.folder)?;
        config::check(config::NAME, &text)?;
        init.write(config::NAME, &text)?;
    }
    init.schema()?;
    if !init.check && context.lock.is_none() {
        lock_models(&Context::find(&policy)?, global)?;
        init.say("wrote", lock::NAME);
    } else if context.lock.is_none() {
        init.missing = true;
        init.say("missing", lock::NAME);
    } else {
        init.say("as it is", lock::NAME);
    }
    if let Some(ci) = args.ci {
        let is_new = is_absent(&init.folder.join(ci.path()));
        init.write(ci.path(), &ci.text()?)?;
        init.next(ci, is_new);
    }
    Ok(if init.check && init.missing { Exit::Deny } else { Exit::Allow })
}

struct Init {
    check: bool,
    quiet: bool,
    missing: bool,
    folder: PathBuf,
}

impl Init {
    fn say(&self, what: &str, path: &str) {
        if !self.quiet {
            say::line(&format!("{what:10}{path}"));
        }
    }

    /// Writes `text` under `path`, unless something is there.
    fn write(&mut self, path: &str, text: &str) -> anyhow::Result<()> {
        let place = self.folder.join(path);
        if !is_absent(&place) {
            self.say("as it is", path);
            return Ok(());
        }
        self.missing = true;
        if self.check {
            self.say("missing", path);
            return Ok(());
        }
        make_folder(&place).with_context(|| format!("can't make the folder of {path}"))?;
        replace(&place, text.as_bytes(), ".modelhost-init.")
            .with_context(|| format!("can't write {path}"))?;
        self.say("wrote", path);
        Ok(())
    }

    /// Writes the schema of the policy, which editors read. It is generated, nobody
    /// edits it: one of another modelhost is written anew.
    fn schema(&mut self) -> anyhow::Result<()> {
        let place = self.folder.join(SCHEMA);
        let text = super::text_of(&config::json_schema())?;
        // One that is longer is another.
        let most = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let there = match is_absent(&place) {
            true => None,
            false => {
                Some(read_bounded(&place, most).with_context(|| format!("can't read {SCHEMA}"))?)
            }
        };
        let what = match &there {
            None if self.check => "missing",
            None => "wrote",
            Some(Some(bytes)) if *bytes == text => {
                self.say("as it is", SCHEMA);
                return Ok(());
            }
            Some(_) if self.check => "differs",
            Some(_) => "rewrote",
        };
        self.missing = true;
        if !self.check {
            replace(&place, &text, ".modelhost-init.")
                .with_context(|| format!("can't write {SCHEMA}"))?;
        }
        self.say(what, SCHEMA);
        Ok(())
    }

    /// Says what is left to be done by a person.
    fn next(&self, ci: Ci, is_new: bool) {
        if self.quiet || self.check {
            return;
        }
        if ci == Ci::PreCommit && !is_new {
            say::line("next: unless it is there, add this to .pre-commit-config.yaml:");
            say::line(PRE_COMMIT.trim_end());
            return;
        }
        say::line(match ci {
            Ci::Github => {
                "next: set the repository's variable MODELHOST_URL to where this modelhost can be fetched, and commit"
            }
            Ci::Gitlab => {
                "next: add `include: { local: .gitlab/modelhost.yml }` to .gitlab-ci.yml, set the CI/CD variable MODELHOST_URL to where this modelhost can be fetched, and commit"
            }
            Ci::PreCommit => "next: `pre-commit install`",
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the file of a CI system may be the first of its folder"
)]
fn make_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)
}

fn lock_models(context: &Context, global: &GlobalArgs) -> anyhow::Result<()> {
    let progress = Arc::new(Progress::new(!global.quiet));
    let gate = Gate {
        config: context.config.clone(),
        root: context.root.clone(),
        max_tasks: ENDLESS,
        jobs: context::processors(),
        sink: Arc::clone(&progress) as Arc<dyn EventSink>,
        ..Gate::new(context.working_dir.clone(), context::now())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pinned = runtime.block_on(gate.pin(Also::default()));
    progress.clear();
    lock::write(&context.root.join(lock::NAME), &pinned?.lock)?;
    Ok(())
}

/// Returns a policy with the models below `folder`, and words on what else it may
/// say.
fn policy_text(folder: &Path) -> anyhow::Result<String> {
    let found = find::find(folder)?;
    let mut out = POLICY.to_owned();
    let mut any = false;
    for path in &found.models {
        let relative = path.strip_prefix(folder).unwrap_or(path);
        let Some(path) = relative.to_str().filter(|path| !path.is_empty()) else {
            let shown = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
            say::line(&format!(
                "warning: {} is left out: define it by hand, in modelhost.toml",
                shown.display()
            ));
            continue;
        };
        if ModelName::new(path).as_str() != path {
            say::line(&format!("warning: {path:?} is left out: its name can't be shown as it is"));
            continue;
        }
        any = true;
        let text = toml::Value::from(path);
        let _ = write!(out, "\n[[model]]\nname = {text}\npath = {text}\n");
    }
    if !any {
        let place = folder.display();
        return Err(GateError::Nothing(format!("no models were found in {place}")).into());
    }
    Ok(out)
}

const POLICY: &str = "\
#:schema ./modelhost.schema.json
#
# What a model must hold to be let through. Editors check and complete it by the
# schema beside it; `modelhost explain RULE` says what a finding means.
version = 1

[gate]
# Findings at or above this deny; those below it are warnings.
fail-on = \"high\"
# Plugins that must come to a verdict on every model: without it the run is incomplete.
require = [\"checksum\"]

# What is said of single plugins. `modelhost plugin list` lists them.
#
# [plugin.license]
# settings = { allow = [\"Apache-2.0\", \"MIT\"] }
# severity = { \"not-named\" = \"high\" }   # how bad its findings are
# fail-on = \"medium\"                    # a bar of its own
# applies-to = [\"models/prod/**\"]       # by name or path of the model
# mode = \"advise\"                       # its findings are shown, and never deny

# A finding that somebody lets pass for a time. `modelhost waiver add` writes one.
#
# [[waiver]]
# rule = \"license/not-allowed\"
# model = \"models/sentiment\"
# digest = \"sha256:...\"                 # of the file, or of the model's tree
# reason = \"legal ticket 41\"
# owner = \"@ml-legal\"
# expires = 2026-12-31

# The models. `source` and `revision` say where one comes from, `license` what was
# agreed upon:
#
# source = \"hf:org/name\"
# revision = \"<commit>\"
# license = \"Apache-2.0\"
";
