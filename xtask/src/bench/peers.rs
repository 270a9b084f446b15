//! `cargo xtask bench --peers`: the gate beside other scanners at the same work, all in turns.
//!
//! It owns which work and which scanners. Installing them is left to `crate::peers`, the files to
//! `benches/peers/files.py`, taking figures to `measure.rs`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Rounds;
use super::measure::{Pair, median, peak_memory_of, seconds_of};
use super::table::{Figure, Row, Table, Target, Unit};
use crate::command;
use crate::peers::{Tool, install, peers};
use crate::term::{self, Bar};
use crate::workspace::Workspace;

/// What modelhost may end with: that it found something, or that not all could be judged, is an
/// answer.
const OURS: [i32; 3] = [0, 1, 3];

/// What a peer may end with: modelscan says 2 of a folder that holds a file it fails on.
const THEIRS: [i32; 4] = [0, 1, 2, 3];

/// How many rounds, of which the first warms up and does not count.
const ROUNDS: Rounds = Rounds { warm_up: 1, counted: 7 };
const QUICK: Rounds = Rounds { warm_up: 1, counted: 3 };

/// How often peak memory is taken; the highest counts.
const MEMORY_ROUNDS: usize = 2;

/// One piece of work.
struct Work {
    title: &'static str,
    /// The file or folder, below the folder of files.
    path: &'static str,
    /// What modelhost is told beside the path.
    arguments: &'static [&'static str],
    /// The peers that can do it: fickling takes one bare pickle a run.
    peers: &'static [&'static str],
    /// Peers that take minutes for it, and get one round.
    slow: &'static [&'static str],
}

const ALL: &[&str] = &["picklescan", "modelscan", "modelaudit"];
const SCAN_ONLY: &[&str] = &["--only", "pickle", "--no-digests"];

const WORK: [Work; 5] = [
    Work {
        title: "one tiny pickle, all plugins",
        path: "tiny.pkl",
        arguments: &[],
        peers: &["picklescan", "modelscan", "fickling", "modelaudit"],
        slow: &[],
    },
    Work {
        title: "one tiny pickle, scan-only",
        path: "tiny.pkl",
        arguments: SCAN_ONLY,
        peers: &["picklescan", "fickling"],
        slow: &[],
    },
    Work {
        title: "500 small files, all plugins",
        path: "many",
        arguments: &[],
        peers: ALL,
        slow: &["modelaudit"],
    },
    Work {
        title: "500 small files, scan-only",
        path: "many",
        arguments: SCAN_ONLY,
        peers: &["picklescan"],
        slow: &[],
    },
    Work {
        title: "PyTorch zip of 1 GiB, scan-only",
        path: "large.pt",
        arguments: SCAN_ONLY,
        peers: ALL,
        slow: &[],
    },
];

/// Measures all of it.
///
/// # Errors
/// When a peer can't be installed, the files can't be made, or a program fails.
pub(super) fn measure(
    workspace: &Workspace,
    host: &Path,
    quick: bool,
    table: &mut Table,
) -> Result<()> {
    let folder = workspace.root.join("target/bench/peers-files");
    term::note("making the files in target/bench/peers-files");
    let generator = workspace.root.join("benches/peers/files.py");
    command::capture(Command::new("python3").arg("-B").arg(generator).arg(&folder))
        .context("the files to measure on could not be made; is python3 installed?")?;
    let tools = peers(workspace);
    tools.iter().try_for_each(install)?;
    let cache = workspace.root.join("target/bench/cache");
    install(&Tool::modelhost(host, &cache))?;
    let rounds = if quick { QUICK } else { ROUNDS };
    for work in &WORK {
        let ours = Tool::modelhost(host, &cache).told(work.arguments);
        let theirs: Vec<&Tool> =
            tools.iter().filter(|tool| work.peers.contains(&tool.name)).collect();
        side_by_side(work, &ours, &theirs, &folder.join(work.path), rounds, table)
            .with_context(|| format!("{} could not be measured", work.title))?;
    }
    with_digests(&Tool::modelhost(host, &cache), &folder.join("large.pt"), rounds, table)
}

/// Adds the rows of one piece of work: the time of all in turns, and the peak memory.
fn side_by_side(
    work: &Work,
    ours: &Tool,
    theirs: &[&Tool],
    path: &Path,
    rounds: Rounds,
    table: &mut Table,
) -> Result<()> {
    let is_slow = |tool: &Tool| work.slow.contains(&tool.name);
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); theirs.len()];
    let mut own = Vec::new();
    let all = rounds.warm_up + rounds.counted;
    let mut bar = Bar::new(work.title, all as u64, false);
    for round in 0..all {
        let counts = round >= rounds.warm_up;
        let took = seconds_of(&mut ours.command(path), &OURS)?;
        if counts {
            own.push(took);
        }
        for (tool, times) in theirs.iter().zip(&mut times) {
            let is_last = round + 1 == all;
            if is_slow(tool) && !is_last {
                continue;
            }
            let took = seconds_of(&mut tool.command(path), &THEIRS)?;
            if counts {
                times.push(took);
            }
        }
        bar.advance(1);
    }
    drop(bar);
    let fastest = theirs
        .iter()
        .zip(&times)
        .filter(|(tool, _)| !is_slow(tool))
        .min_by(|(_, a), (_, b)| median(a).total_cmp(&median(b)));
    let (fastest, their_times) = fastest.context("no peer is measured in every round")?;
    let pair = Pair { ours: own, theirs: their_times.clone() };
    let ratio = pair.ratio();
    table.push(Row {
        title: work.title.to_owned(),
        ours: Figure::new("modelhost", Unit::Seconds, &pair.ours),
        beside: Some(Figure::new(fastest.name, Unit::Seconds, &pair.theirs)),
        ratio: Some(ratio),
        target: Some(Target::new("ratio ≤ 1.0", ratio <= 1.0)),
        peers: figures(theirs, &times, Unit::Seconds),
    });
    memory(work, ours, theirs, path, table)
}

/// Adds the row of the peak memory that each holds, with all its processes.
fn memory(
    work: &Work,
    ours: &Tool,
    theirs: &[&Tool],
    path: &Path,
    table: &mut Table,
) -> Result<()> {
    const BOUND: f64 = 100e6;
    let title = format!("{}: memory", work.title);
    let peak = |tool: &Tool, codes: &[i32]| -> Result<Option<Vec<f64>>> {
        let rounds = if work.slow.contains(&tool.name) { 0 } else { MEMORY_ROUNDS };
        let mut peaks = Vec::new();
        for _ in 0..rounds {
            let Some(bytes) = peak_memory_of(&mut tool.command(path), codes)? else {
                return Ok(None);
            };
            peaks.push(bytes as f64);
        }
        Ok(Some(peaks))
    };
    let Some(own) = peak(ours, &OURS)? else {
        table.skip(&title, "this system does not tell a process's peak memory");
        return Ok(());
    };
    let mut all = Vec::new();
    for tool in theirs {
        all.push(peak(tool, &THEIRS)?.unwrap_or_default());
    }
    let ours = Figure::new("modelhost", Unit::Bytes, &own);
    let met = ours.median() <= BOUND;
    table.push(Row {
        title,
        ours,
        beside: None,
        ratio: None,
        target: Some(Target::new("≤ 100 MB", met)),
        peers: figures(theirs, &all, Unit::Bytes),
    });
    Ok(())
}

fn figures(tools: &[&Tool], rounds: &[Vec<f64>], unit: Unit) -> Vec<Figure> {
    let figures = tools.iter().zip(rounds).filter(|(_, rounds)| !rounds.is_empty());
    figures.map(|(tool, rounds)| Figure::new(tool.name, unit, rounds)).collect()
}

/// With digests and all plugins, the gate is to cost little more than the digest alone.
fn with_digests(ours: &Tool, file: &Path, rounds: Rounds, table: &mut Table) -> Result<()> {
    const TITLE: &str = "PyTorch zip of 1 GiB, all plugins, with digests";
    const BOUND: f64 = 1.2;
    if !command::exists("openssl") {
        table.skip(TITLE, "openssl is not installed");
        return Ok(());
    }
    let mut pair = Pair { ours: Vec::new(), theirs: Vec::new() };
    for round in 0..rounds.warm_up + rounds.counted {
        let own = seconds_of(&mut ours.command(file), &OURS)?;
        let mut openssl = Command::new("openssl");
        let other = seconds_of(openssl.args(["dgst", "-sha256"]).arg(file), &[0])?;
        if round >= rounds.warm_up {
            pair.ours.push(own);
            pair.theirs.push(other);
        }
    }
    let met = pair.ratio() <= BOUND;
    let target = Target::new(&format!("ratio ≤ {BOUND}"), met);
    table.push(super::rows::timed(TITLE, &pair, "openssl dgst", target));
    Ok(())
}
