//! `modelhost history`: when, how and by whom the pins of a model changed.
//!
//! Leaves following the model to the library, and showing it to `table` and `json`.

mod json;
mod table;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use modelhost::config;
use modelhost::domain::diagnostic::SourceFile;
use modelhost::domain::model::ModelName;
use modelhost::domain::text::GuestText;
use modelhost::record::audit::{self, read};
use modelhost::record::history::git::{Commit, Git, GitError, MAX_COMMITS, Objects};
use modelhost::record::history::{Collected, History, Place, Row, State, Step, trace};
use modelhost::record::lock::{self, LockError, LockFile};
use modelhost::report::ModelHistory;

use super::audit::shown;
use super::print;
use crate::context;
use crate::exit::Exit;
use crate::say;

pub(crate) use json::json_schema;

/// How many contents of the lock file are kept: what one commit made of it is what
/// the next found.
const KEPT: usize = 4;

#[derive(Debug, Args)]
#[command(after_help = "\
Reads the history of modelhost.lock in git, through renames of the file and of the
model, and joins it with what audit logs recorded: who pinned it, and what was decided
of it since. Nothing of the repository is run, and nothing is fetched.

Examples:
  modelhost history sentiment
  modelhost history sentiment --audit-log runs/1.jsonl --audit-log runs/2.jsonl
  modelhost history sentiment --json

Exit codes: 0 shown, 1 a log is broken (what comes before that is used), 2 there is no
such model.")]
pub(crate) struct HistoryArgs {
    /// The model, by its name in modelhost.lock.
    #[arg(value_name = "MODEL")]
    model: String,

    /// An audit log. May be repeated. Without any: the one that modelhost.toml names,
    /// or else modelhost-audit.jsonl, where it is there.
    #[arg(long, value_name = "LOG")]
    audit_log: Vec<PathBuf>,

    /// The lock file, instead of the one beside modelhost.toml.
    #[arg(long, value_name = "PATH")]
    lock: Option<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How many models of a report have their history told in it: each takes reading the
/// lock file's history once more.
const TOLD: usize = 20;

pub(crate) fn run(args: &HistoryArgs) -> anyhow::Result<Exit> {
    let working_dir = context::working_dir()?;
    let (lock, log) = places(args, &working_dir)?;
    let mut notes = Vec::new();
    let name = ModelName::new(&args.model);
    let now = state(lock::read(&lock));
    let known = match &now {
        State::Lock(lock) => Some(Arc::clone(lock)),
        _ => None,
    };
    let logs: Vec<PathBuf> =
        if args.audit_log.is_empty() { log.into_iter().collect() } else { args.audit_log.clone() };
    let (history, exit) = joined(name.clone(), &lock, now, &logs, &mut notes)?;

    if history.rows.is_empty() && known.as_ref().is_none_or(|lock| !lock.models.contains_key(&name))
    {
        for note in &notes {
            say::line(&format!("note: {note}"));
        }
        let near = known.as_ref().and_then(|lock| nearest(name.as_str(), lock));
        let help = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        bail!("no model `{name}` is or was in {}, as far as its history goes{help}", shown(&lock));
    }
    if args.json {
        print(&json::render(&history, &notes)?)?;
    } else {
        print(table::render(&history).as_bytes())?;
        for note in &notes {
            say::line(&format!("note: {note}"));
        }
    }
    Ok(exit)
}

/// Follows the model through commits and `logs`. The exit code tells whether each log
/// is whole.
fn joined(
    name: ModelName,
    lock: &Path,
    now: State,
    logs: &[PathBuf],
    notes: &mut Vec<String>,
) -> anyhow::Result<(History, Exit)> {
    let mut history = followed(name, lock, now, notes)?;
    let mut exit = Exit::Allow;
    let mut collected = Collected::default();
    for path in logs {
        let mut each = |line: &audit::Line<'_>, _| collected.take(&line.record, &history);
        let walked = read(path, context::processors(), &mut each);
        let walked = walked.with_context(|| format!("can't read {}", shown(path)))?;
        if let Some(broken) = walked.broken {
            exit = Exit::Deny;
            notes.push(format!(
                "the log {} is broken at line {}: {broken}; only what comes before is used",
                shown(path),
                broken.line
            ));
        }
    }
    if collected.more_pins() > 0 {
        notes.push(format!("the logs have {} more changes of it", collected.more_pins()));
    }
    history.join(collected);
    Ok((history, exit))
}

/// Returns what a report is to tell of how the pins of `models` changed, as the lock
/// file `lock` and the log `log` have it: of the first of them, and of none that no
/// commit and no log speaks of.
pub(crate) fn of_models<'a>(
    models: impl Iterator<Item = &'a ModelName>,
    lock: &Path,
    log: Option<&Path>,
) -> Vec<ModelHistory> {
    let logs: Vec<PathBuf> = log.map(Path::to_owned).into_iter().collect();
    let told = |name: &ModelName| {
        let mut notes = Vec::new();
        let now = state(lock::read(lock));
        let text = match joined(name.clone(), lock, now, &logs, &mut notes) {
            Ok((history, _)) => {
                let is_known = |row: &Row| !matches!(row.place, Place::Uncommitted);
                if !history.rows.iter().any(is_known) {
                    return None;
                }
                let notes: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
                table::render(&history) + &notes
            }
            Err(error) => GuestText::capped(&format!("not known: {error:#}")).to_string(),
        };
        Some(ModelHistory { model: name.to_string(), text })
    };
    models.take(TOLD).filter_map(told).collect()
}

/// Returns where the lock file is, and the log that is there without being named.
fn places(args: &HistoryArgs, working_dir: &Path) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    let config = config::find(working_dir, config::NAME)?;
    let config = config.map(|path| config::load(&path)).transpose()?;
    let lock = match (&args.lock, &config) {
        (Some(path), _) => working_dir.join(path),
        (None, Some(config)) => config.root.join(lock::NAME),
        (None, None) => {
            config::find(working_dir, lock::NAME)?.unwrap_or_else(|| working_dir.join(lock::NAME))
        }
    };
    let root = config.as_ref().map_or(working_dir, |config| &config.root);
    let log = match config.as_ref().and_then(|config| config.audit.as_ref()) {
        Some(path) => root.join(path),
        None => root.join(audit::NAME),
    };
    // One that is not there yet has nothing to say.
    Ok((lock, audit::is_there(&log).then_some(log)))
}

/// Follows the model through the commits that changed `lock`, and what is not
/// committed yet.
fn followed(
    name: ModelName,
    lock: &Path,
    now: State,
    notes: &mut Vec<String>,
) -> anyhow::Result<History> {
    let folder = lock.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let file = lock.file_name().with_context(|| format!("{} is no file", shown(lock)))?;
    let home = context::variable("HOME");
    let git = context::variable("PATH").and_then(|path| Git::find(&path, home));
    let mut commits = Vec::new();
    let mut objects = None;
    match &git {
        None => notes.push("git is not installed, so nothing is known of commits".to_owned()),
        Some(git) => match git.commits(folder, file).and_then(|commits| {
            let is_shallow = git.is_shallow(folder)?;
            Ok((commits, is_shallow, git.objects(folder)?))
        }) {
            Ok((found, is_shallow, reader)) => {
                note_what_is_missing(&found, is_shallow, lock, notes);
                (commits, objects) = (found, Some(reader));
            }
            Err(error) => {
                let why = format!("{:#}", anyhow::Error::new(error));
                notes.push(format!("nothing is known of commits: {}", GuestText::capped(&why)));
            }
        },
    }
    commits.truncate(MAX_COMMITS);
    let mut states = States { objects, kept: VecDeque::new() };
    let last = match commits.first() {
        Some(commit) => states.get(commit.new.as_deref())?,
        None => State::Absent,
    };
    let uncommitted = Step { place: Place::Uncommitted, old: last, new: now };
    let steps = commits.into_iter().map(|commit| {
        let Commit { id, author, time, subject, old, new, .. } = commit;
        let place = Place::Commit { id, author, time, subject };
        Ok(Step { place, new: states.get(new.as_deref())?, old: states.get(old.as_deref())? })
    });
    Ok(trace::<GitError>(name, std::iter::once(Ok(uncommitted)).chain(steps))?)
}

fn note_what_is_missing(
    commits: &[Commit],
    is_shallow: bool,
    lock: &Path,
    notes: &mut Vec<String>,
) {
    if commits.is_empty() {
        notes.push(format!("{} is in no commit", shown(lock)));
    }
    if is_shallow {
        notes.push(
            "this clone is shallow: what was before its oldest commit is not known; \
             `git fetch --unshallow` gets it"
                .to_owned(),
        );
    }
    if commits.len() > MAX_COMMITS {
        notes.push(format!("only the newest {MAX_COMMITS} commits are looked at"));
    }
}

/// What the lock file held, by the names of objects.
struct States {
    objects: Option<Objects>,
    kept: VecDeque<(String, State)>,
}

impl States {
    fn get(&mut self, id: Option<&str>) -> Result<State, GitError> {
        let (Some(id), Some(objects)) = (id, &mut self.objects) else { return Ok(State::Absent) };
        if let Some((_, state)) = self.kept.iter().find(|(kept, _)| kept == id) {
            return Ok(state.clone());
        }
        let state = match objects.get(id, lock::MAX_LOCK)? {
            None => State::Unreadable(GuestText::capped("it is not there, or too large")),
            Some(bytes) => match String::from_utf8(bytes) {
                Err(_) => State::Unreadable(GuestText::capped("it is not UTF-8")),
                Ok(text) => {
                    let file = SourceFile { path: lock::NAME.into(), text: text.into() };
                    match LockFile::parse(&file) {
                        Ok(lock) => State::Lock(Arc::new(lock)),
                        Err(mistakes) => unreadable(mistakes.first()),
                    }
                }
            },
        };
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((id.to_owned(), state.clone()));
        Ok(state)
    }
}

fn state(read: Result<Option<(SourceFile, LockFile)>, LockError>) -> State {
    match read {
        Ok(None) => State::Absent,
        Ok(Some((_, lock))) => State::Lock(Arc::new(lock)),
        Err(LockError::Mistakes { mistakes, .. }) => unreadable(mistakes.first()),
        Err(error) => {
            State::Unreadable(GuestText::capped(&format!("{:#}", anyhow::Error::new(error))))
        }
    }
}

fn unreadable(mistake: Option<&modelhost::domain::diagnostic::Diagnostic>) -> State {
    let why = mistake.map(|mistake| format!("line {}: {}", mistake.line(), mistake.message));
    State::Unreadable(GuestText::new(&why.unwrap_or_default(), 400))
}

/// Returns the locked model whose name is most like `name`, if one is.
fn nearest(name: &str, lock: &LockFile) -> Option<ModelName> {
    let likeness = |other: &ModelName| strsim::jaro_winkler(name, other.as_str());
    let best = lock.models.keys().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.8).then(|| best.clone())
}
