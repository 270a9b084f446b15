//! `modelhost cache`: what is in the cache of compiled plugins, and clearing it.
//!
//! Leaves the folder to the library.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use modelhost::domain::model::FilePath;
use modelhost::domain::unit::Unit;
use modelhost::engine::Engine;
use modelhost::engine::cache::upkeep::{self, Files, Prune, Pruned, Stat};
use schemars::JsonSchema;
use serde::Serialize;

use super::print;
use crate::args::GlobalArgs;
use crate::context;
use crate::exit::Exit;

const STAT_HELP: &str = "\
The folder is MODELHOST_CACHE_DIR, or else the user's cache folder.

Exit codes: 0 done, 2 the folder can't be used.";

const PRUNE_HELP: &str = "\
Removes what other builds of modelhost compiled and what was left unfinished for
an hour; with --older-than or --all more. Nothing else in the folder is touched,
and no link is followed. What is removed is compiled again when it is needed.

Examples:
  modelhost cache prune --dry-run          say what would be removed
  modelhost cache prune --older-than 30d   also what was compiled longer ago
  modelhost cache prune --all              everything

Exit codes: 0 done, 2 the folder can't be used.";

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Say what is in the cache of compiled plugins.
    #[command(after_help = STAT_HELP)]
    Stat(StatArgs),
    /// Remove compiled plugins that are not needed.
    #[command(after_help = PRUNE_HELP)]
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StatArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Also remove what was compiled longer ago: `30d`, `12h`, `45m`, `90s`.
    #[arg(long, value_name = "DURATION", value_parser = age)]
    older_than: Option<Duration>,

    /// Remove every compiled plugin.
    #[arg(long)]
    all: bool,

    /// Remove nothing; say what would be.
    #[arg(long)]
    dry_run: bool,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-cache/v1";

/// What is in the cache of compiled plugins, or what was removed from it.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost cache, version 1")]
struct Document {
    /// `modelhost-cache/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// The folder, with its control characters written out.
    folder: String,
    /// What `stat` found.
    #[serde(skip_serializing_if = "Option::is_none")]
    stat: Option<StatRow>,
    /// What `prune` did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pruned: Option<PrunedRow>,
}

/// Some files.
#[derive(Serialize, JsonSchema)]
struct FilesRow {
    /// How many.
    count: u64,
    /// Their bytes together.
    bytes: u64,
}

impl From<Files> for FilesRow {
    fn from(files: Files) -> Self {
        let Files { count, bytes } = files;
        Self { count, bytes }
    }
}

/// What is in the folder.
#[derive(Serialize, JsonSchema)]
struct StatRow {
    /// Compiled plugins.
    entries: FilesRow,
    /// Those of them that this build of modelhost can use.
    of_this_build: FilesRow,
    /// When the oldest was written, in UTC; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    /// What was not written to its end.
    unfinished: FilesRow,
    /// How many things are there that are none of the cache's.
    others: u64,
}

/// What was removed.
#[derive(Serialize, JsonSchema)]
struct PrunedRow {
    /// Whether nothing was really removed.
    dry_run: bool,
    /// Compiled plugins that were removed.
    entries: FilesRow,
    /// What was removed that was not written to its end.
    unfinished: FilesRow,
    /// Compiled plugins that are left.
    kept: FilesRow,
}

pub(crate) fn run(command: &CacheCommand, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let folder = context::cache_folder()
        .context("there is no folder for a cache: neither MODELHOST_CACHE_DIR nor a home is set")?;
    let engine = Engine::new()?;
    let (json, text, document) = match command {
        CacheCommand::Stat(args) => {
            let stat = upkeep::stat(&folder, &engine)?;
            let text = stat_text(&folder, &stat);
            (args.json, text, document(&folder, Some(stat_row(&stat)), None))
        }
        CacheCommand::Prune(args) => {
            let PruneArgs { older_than, all, dry_run, .. } = *args;
            let prune = Prune { all, older_than, dry_run };
            let pruned = upkeep::prune(&folder, &engine, prune, context::now())?;
            let row = pruned_row(pruned, dry_run);
            (args.json, pruned_text(&pruned, dry_run), document(&folder, None, Some(row)))
        }
    };
    if json {
        let mut bytes = serde_json::to_vec_pretty(&document)?;
        bytes.push(b'\n');
        return print(&bytes);
    }
    if global.quiet && matches!(command, CacheCommand::Prune(_)) {
        return Ok(Exit::Allow);
    }
    print(text.as_bytes())
}

/// Returns the schema of what `--json` prints.
pub(crate) fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}

fn document(folder: &Path, stat: Option<StatRow>, pruned: Option<PrunedRow>) -> Document {
    let folder = shown(folder);
    Document { schema: SCHEMA, modelhost: env!("CARGO_PKG_VERSION"), folder, stat, pruned }
}

fn stat_row(stat: &Stat) -> StatRow {
    let Stat { entries, of_this_build, oldest, unfinished, others } = *stat;
    let oldest = oldest.and_then(moment);
    let (entries, of_this_build) = (entries.into(), of_this_build.into());
    StatRow { entries, of_this_build, oldest, unfinished: unfinished.into(), others }
}

fn pruned_row(pruned: Pruned, dry_run: bool) -> PrunedRow {
    let Pruned { entries, unfinished, kept } = pruned;
    let (entries, unfinished) = (entries.into(), unfinished.into());
    PrunedRow { dry_run, entries, unfinished, kept: kept.into() }
}

fn stat_text(folder: &Path, stat: &Stat) -> String {
    let oldest = stat.oldest.and_then(moment).unwrap_or_else(|| "none".to_owned());
    let mut text = format!(
        "folder         {}\nentries        {}\nof this build  {}\noldest         {oldest}\n",
        shown(folder),
        size(stat.entries),
        size(stat.of_this_build),
    );
    if stat.unfinished.count > 0 {
        text.push_str(&format!("unfinished     {}\n", size(stat.unfinished)));
    }
    if stat.others > 0 {
        text.push_str(&format!("others         {}, not of the cache's\n", stat.others));
    }
    text
}

fn pruned_text(pruned: &Pruned, dry_run: bool) -> String {
    let removed = if dry_run { "would remove" } else { "removed" };
    let mut text = format!("{removed} {}", size(pruned.entries));
    if pruned.unfinished.count > 0 {
        text.push_str(&format!(" and unfinished {}", size(pruned.unfinished)));
    }
    text + &format!("; kept {}\n", size(pruned.kept))
}

/// Returns a count and its bytes for a person.
fn size(files: Files) -> String {
    let Files { count, bytes } = files;
    let unit = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        .into_iter()
        .find(|(unit, _)| bytes >= *unit);
    match unit {
        _ if count == 0 => "0".to_owned(),
        Some((unit, name)) => format!("{count} ({:.1} {name})", bytes as f64 / unit as f64),
        None => format!("{count} ({bytes} bytes)"),
    }
}

fn shown(folder: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    FilePath::from_bytes(folder.as_os_str().as_bytes()).to_string()
}

/// Returns a moment as RFC 3339 writes it; none for one beyond its calendar.
fn moment(seconds: u64) -> Option<String> {
    let moment = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(moment.to_string())
}

/// Parses how long ago something was.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    const DAY: u64 = 86_400;
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    days.map(|days| Duration::from_secs(u64::from(days) * DAY))
        .or_else(|| Unit::Time.parse(text).map(Duration::from_millis))
        .ok_or_else(|| "write it like `30d`, `12h`, `45m` or `90s`".to_owned())
}
