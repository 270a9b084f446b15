//! `cargo xtask peers`: what modelhost and other scanners say of labelled corpora of model files.
//!
//! It owns the corpora and the journey. The scanners are `peers/tool.rs`, running one against the
//! clock `peers/attempt.rs`, and what is shown of it `peers/tally.rs`.

mod attempt;
mod tally;
mod tool;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use self::attempt::Ended;
use self::tally::{Column, Tally};
pub(crate) use self::tool::{Tool, install, peers};
use crate::term::{self, Bar, Steps};
use crate::workspace::Workspace;
use crate::{command, setup};

/// How many cases run side by side.
const SIDE_BY_SIDE: usize = 2;

/// What a case is to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Label {
    Malicious,
    Benign,
    Malformed,
}

/// One case of a corpus.
#[derive(Debug, Clone, Deserialize)]
struct Case {
    id: String,
    path: String,
    label: Label,
    technique: String,
}

#[derive(Deserialize)]
struct Manifest {
    cases: Vec<Case>,
}

/// A corpus, made anew below `target/bench`.
struct Corpus {
    name: &'static str,
    folder: PathBuf,
    cases: Vec<Case>,
}

/// What `cargo xtask peers` was asked for.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// The tools to run; all without any.
    pub(crate) only: Vec<String>,
    /// Where to write every case's ending.
    pub(crate) json: Option<PathBuf>,
    /// The `modelhost` to run instead of building one.
    pub(crate) host: Option<PathBuf>,
}

/// Runs `cargo xtask peers`.
///
/// # Errors
/// When the set-up fails, a corpus can't be made or the JSON can't be written. What the tools say
/// is a figure, not an error.
pub(crate) fn command(workspace: &Workspace, request: &Request) -> Result<()> {
    let steps = if request.host.is_some() { 0 } else { setup::STEPS };
    let mut steps = Steps::new(steps + 3);
    let host = match &request.host {
        Some(host) => std::path::absolute(host)?,
        None => setup::run(workspace, &mut steps)?.host,
    };
    let mut tools = vec![Tool::modelhost(&host, &workspace.root.join("target/bench/cache"))];
    tools.extend(peers(workspace));
    if let Some(unknown) =
        request.only.iter().find(|name| tools.iter().all(|tool| tool.name != **name))
    {
        let names: Vec<_> = tools.iter().map(|tool| tool.name).collect();
        bail!("there is no tool {unknown}; there are {}", names.join(", "));
    }
    tools.retain(|tool| request.only.is_empty() || request.only.iter().any(|n| n == tool.name));

    steps.next("Setting up each peer in target/bench/peers");
    for tool in &tools {
        install(tool)?;
    }
    steps.next("Making the corpora in target/bench/corpora");
    let corpora = corpora(workspace)?;
    steps.next("Running each tool on each case");
    let mut tallies = Vec::new();
    for corpus in &corpora {
        let mut columns = Vec::new();
        for tool in &tools {
            columns.extend(run(tool, corpus)?);
        }
        tallies.push(Tally::new(corpus.name, &corpus.cases, columns));
    }
    for tally in &tallies {
        term::line(tally.human());
    }
    if let Some(path) = &request.json {
        std::fs::write(path, tally::json(&tallies)?)
            .with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

/// Makes the corpora that there are generators for.
fn corpora(workspace: &Workspace) -> Result<Vec<Corpus>> {
    let mut corpora = Vec::new();
    let shared = workspace.root.parent().map(|parent| parent.join("shared/corpus/generate.py"));
    let own = workspace.root.join("tests/corpus/generate.py");
    for (name, generator) in [("shared", shared), ("own", Some(own))] {
        let Some(generator) = generator.filter(|generator| generator.is_file()) else {
            term::note(&format!("skipped: the {name} corpus is not present"));
            continue;
        };
        let folder = workspace.root.join("target/bench/corpora").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        command::capture(Command::new("python3").arg("-B").arg(&generator).arg(&folder))
            .with_context(|| format!("the {name} corpus could not be made"))?;
        let manifest = std::fs::read(folder.join("manifest.json"))?;
        let manifest: Manifest = serde_json::from_slice(&manifest)
            .with_context(|| format!("the labels of the {name} corpus could not be read"))?;
        corpora.push(Corpus { name, folder, cases: manifest.cases });
    }
    Ok(corpora)
}

/// Runs `tool` on each case of `corpus`, in a process of its own, and returns a column for each
/// way to read what it says.
fn run(tool: &Tool, corpus: &Corpus) -> Result<Vec<Column>> {
    let next = AtomicUsize::new(0);
    let label = format!("{} on the {} corpus", tool.name, corpus.name);
    let bar = Mutex::new(Bar::new(&label, corpus.cases.len() as u64, false));
    let ended: Mutex<BTreeMap<usize, Vec<(Ended, f64)>>> = Mutex::default();
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = corpus.cases.get(number) else { return Ok(()) };
            let readings = read(tool, &corpus.folder.join(&case.path))
                .with_context(|| format!("{} could not be run on {}", tool.name, case.id))?;
            ended.lock().unwrap_or_else(PoisonError::into_inner).insert(number, readings);
            bar.lock().unwrap_or_else(PoisonError::into_inner).advance(1);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(_) => bail!("a thread of this tool failed"),
        })
    })?;
    let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    let column = |(place, title): (usize, &String)| Column {
        title: title.clone(),
        ended: ended.values().filter_map(|readings| readings.get(place).copied()).collect(),
    };
    Ok(tool.titles().iter().enumerate().map(column).collect())
}

/// Runs `tool` on one case, and reads its end in each of its ways, with the seconds it took. Where
/// the tool takes single files alone, the worst end of a folder's counts, and all their time.
fn read(tool: &Tool, path: &Path) -> Result<Vec<(Ended, f64)>> {
    let mut worst: Option<Vec<(Ended, f64)>> = None;
    let both = |(a, b): ((Ended, f64), (Ended, f64))| (a.0.max(b.0), a.1 + b.1);
    for path in if tool.takes_folders { vec![path.to_owned()] } else { files(path)? } {
        let readings = tool.judge(&path)?;
        worst = Some(match worst {
            None => readings,
            Some(worst) => worst.into_iter().zip(readings).map(both).collect(),
        });
    }
    Ok(worst.unwrap_or_else(|| vec![(Ended::Clean, 0.0); tool.titles().len()]))
}

/// Returns the files below `path`, or itself if it is one.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        found.extend(files(&entry?.path())?);
    }
    found.sort();
    Ok(found)
}
