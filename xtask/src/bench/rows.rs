//! The rows: what is measured, beside what, and the bound it is to keep.
//!
//! It leaves how a figure is taken to `measure.rs`.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::fixture::{Fixture, MANY, SHARDS, shard_name};
use super::measure::{Pair, alternate, peak_memory};
use super::table::{Figure, Row, Table, Target, Unit};
use super::{Rounds, guest};
use crate::command;

/// One row before it is measured.
pub(super) struct Plan {
    pub(super) title: &'static str,
    pub(super) rounds: usize,
    pub(super) quick_rounds: usize,
    pub(super) measure: fn(&Fixture, Rounds, &mut Table) -> Result<()>,
}

/// Returns the rows in the order they are measured.
pub(super) fn all() -> Vec<Plan> {
    let plan = |title, rounds, quick_rounds, measure| Plan { title, rounds, quick_rounds, measure };
    vec![
        plan("whole gate, one file of 1 GiB", 15, 3, large),
        plan("peak memory, one file of 1 GiB", 5, 2, memory),
        plan(LOCK, 9, 2, |fixture, rounds, table| {
            sharded(LOCK, &["lock", "--check"], fixture, rounds, table)
        }),
        plan(LOCKED, 9, 2, |fixture, rounds, table| {
            sharded(LOCKED, &["run", "--locked"], fixture, rounds, table)
        }),
        plan("tiny model, compiled plugins cached", 51, 9, tiny_warm),
        plan("tiny model, empty cache", 11, 3, tiny_empty),
        plan("500 files of 10 KB", 21, 5, many),
        plan(PICKLE, 5, 2, instantiate),
        plan(guest::TITLE, 7, 2, guest::measure),
    ]
}

/// The gate is to cost little more than the digest that it must compute anyway.
fn large(fixture: &Fixture, rounds: Rounds, table: &mut Table) -> Result<()> {
    const TITLE: &str = "whole gate, one file of 1 GiB";
    const BOUND: f64 = 1.15;
    if !command::exists("openssl") {
        table.skip(TITLE, "openssl is not installed");
        return Ok(());
    }
    let file = fixture.repository("large").join("model/model.safetensors");
    let theirs = || {
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-sha256"]).arg(&file);
        Ok(openssl)
    };
    let pair = alternate(&|| Ok(fixture.gate("large", &fixture.warm_cache())), &theirs, rounds)?;
    let met = pair.ratio() <= BOUND;
    table.push(timed(TITLE, &pair, "openssl dgst", Target::new(&format!("ratio ≤ {BOUND}"), met)));
    Ok(())
}

const LOCK: &str = "locking 8 files of 128 MiB";
const LOCKED: &str = "whole gate on 8 files of 128 MiB, locked";

/// On two processors, holding a model in several files to its lock is to take little more than
/// half the time of hashing it on one.
fn sharded(
    title: &'static str,
    arguments: &[&str],
    fixture: &Fixture,
    rounds: Rounds,
    table: &mut Table,
) -> Result<()> {
    const BOUND: f64 = 1.0 / 1.8;
    if !command::exists("openssl") {
        table.skip(title, "openssl is not installed");
        return Ok(());
    }
    let model = fixture.repository("sharded").join("model");
    let theirs = || {
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-sha256"]);
        openssl.args((0..SHARDS).map(|shard| model.join(shard_name(shard))));
        Ok(openssl)
    };
    let ours = || {
        let mut host = fixture.modelhost("sharded", &fixture.warm_cache());
        host.args(arguments);
        Ok(host)
    };
    let pair = alternate(&ours, &theirs, rounds)?;
    let met = pair.ratio() <= BOUND;
    table.push(timed(
        title,
        &pair,
        "openssl dgst",
        Target::new(&format!("ratio ≤ {BOUND:.2}"), met),
    ));
    Ok(())
}

/// Memory is to be small, and not to grow with the file.
fn memory(fixture: &Fixture, rounds: Rounds, table: &mut Table) -> Result<()> {
    const TITLE: &str = "peak memory, one file of 1 GiB";
    const BOUND: f64 = 200e6;
    /// What the same work takes more or less of from run to run.
    const SAME: f64 = 1.1;
    let (mut large, mut small) = (Vec::new(), Vec::new());
    for _ in 0..rounds.counted {
        for (name, figures) in [("large", &mut large), ("small", &mut small)] {
            let mut gate = fixture.gate(name, &fixture.warm_cache());
            let Some(bytes) = peak_memory(&mut gate)? else {
                table.skip(TITLE, "this system does not tell a process's peak memory");
                return Ok(());
            };
            figures.push(bytes as f64);
        }
    }
    let pair = Pair { ours: large, theirs: small };
    let ours = Figure::new("modelhost", Unit::Bytes, &pair.ours);
    let met = ours.median() <= BOUND && pair.ratio() <= SAME;
    table.push(Row {
        title: TITLE.to_owned(),
        ours,
        beside: Some(Figure::new("at 16 MiB", Unit::Bytes, &pair.theirs)),
        ratio: Some(pair.ratio()),
        target: Some(Target::new(&format!("≤ 200 MB, ratio ≤ {SAME}"), met)),
        peers: Vec::new(),
    });
    Ok(())
}

/// The second run of a day is to be invisible.
fn tiny_warm(fixture: &Fixture, rounds: Rounds, table: &mut Table) -> Result<()> {
    const BOUND: f64 = 0.050;
    let theirs = || {
        let mut version = fixture.modelhost("tiny", &fixture.warm_cache());
        version.arg("--version");
        Ok(version)
    };
    let pair = alternate(&|| Ok(fixture.gate("tiny", &fixture.warm_cache())), &theirs, rounds)?;
    let row = timed(
        "tiny model, compiled plugins cached",
        &pair,
        "modelhost --version",
        Target::new("≤ 50 ms", super::measure::median(&pair.ours) <= BOUND),
    );
    table.push(row);
    Ok(())
}

/// The first run, which is every run in CI, has all plugins to compile.
fn tiny_empty(fixture: &Fixture, rounds: Rounds, table: &mut Table) -> Result<()> {
    const BOUND: f64 = 2.0;
    let ours = || Ok(fixture.gate("tiny", &fixture.empty_cache()?));
    let theirs = || Ok(fixture.gate("tiny", &fixture.warm_cache()));
    let pair = alternate(&ours, &theirs, rounds)?;
    let met = super::measure::median(&pair.ours) <= BOUND;
    table.push(timed("tiny model, empty cache", &pair, "cached", Target::new("≤ 2 s", met)));
    Ok(())
}

/// Many files are to cost what their digests cost.
fn many(fixture: &Fixture, rounds: Rounds, table: &mut Table) -> Result<()> {
    const TITLE: &str = "500 files of 10 KB";
    if !command::exists("sha256sum") {
        table.skip(TITLE, "sha256sum is not installed");
        return Ok(());
    }
    let model = fixture.repository("many").join("model");
    let theirs = || {
        let mut sha256sum = Command::new("sha256sum");
        sha256sum.current_dir(&model);
        sha256sum.args((0..MANY).map(|number| format!("shard-{number:03}.safetensors")));
        Ok(sha256sum)
    };
    let pair = alternate(&|| Ok(fixture.gate("many", &fixture.warm_cache())), &theirs, rounds)?;
    let bound = 3.0 * super::measure::median(&pair.theirs) + 0.100;
    let met = super::measure::median(&pair.ours) <= bound;
    let target = Target::new(&format!("≤ 3 × + 100 ms = {:.0} ms", bound * 1e3), met);
    table.push(timed(TITLE, &pair, "sha256sum", target));
    Ok(())
}

const PICKLE: &str = "instantiate `pickle`";

/// A guest that costs nothing to start can have one task for each file. The host takes the time
/// itself: from outside it does not show.
fn instantiate(fixture: &Fixture, rounds: Rounds, table: &mut Table) -> Result<()> {
    const BOUND: f64 = 0.001;
    let report = fixture.repository("many").join("timings.json");
    let mut figures = Vec::new();
    for _ in 0..rounds.counted {
        let mut output = OsString::from("timings=");
        output.push(&report);
        let mut gate = fixture.gate("many", &fixture.warm_cache());
        command::capture(gate.arg("-o").arg(output))?;
        let timings: Timings = serde_json::from_slice(&fs::read(&report)?)
            .context("`-o timings` wrote something unexpected")?;
        let tasks = timings.tasks.into_iter().filter(|task| task.plugin == "pickle");
        figures.extend(tasks.map(|task| task.instantiate_ms / 1e3));
    }
    let ours = Figure::new("modelhost", Unit::Seconds, &figures);
    let met = ours.median() < BOUND;
    table.push(Row {
        title: PICKLE.to_owned(),
        ours,
        beside: None,
        ratio: None,
        target: Some(Target::new("< 1 ms", met)),
        peers: Vec::new(),
    });
    Ok(())
}

/// What is read of `-o timings`.
#[derive(Deserialize)]
struct Timings {
    tasks: Vec<TaskTimings>,
}

#[derive(Deserialize)]
struct TaskTimings {
    plugin: String,
    instantiate_ms: f64,
}

/// Returns a row of two programs that were timed in turns.
pub(super) fn timed(
    title: &str,
    pair: &Pair,
    beside: &str,
    target: impl Into<Option<Target>>,
) -> Row {
    Row {
        title: title.to_owned(),
        ours: Figure::new("modelhost", Unit::Seconds, &pair.ours),
        beside: Some(Figure::new(beside, Unit::Seconds, &pair.theirs)),
        ratio: Some(pair.ratio()),
        target: target.into(),
        peers: Vec::new(),
    }
}
