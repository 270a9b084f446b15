//! How fast a guest gets at bytes: the plugin of `benches/throughput`, built and packed as any
//! plugin is, over the large file.
//!
//! It leaves the large file to `fixture.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::fixture::Fixture;
use super::measure::{Pair, seconds};
use super::rows::timed;
use super::table::Table;
use super::{Rounds, median};
use crate::workspace::Workspace;
use crate::{command, plugins, wasm};

/// The title of the rows.
pub(super) const TITLE: &str = "guest read and scan throughput";

/// The package, and where it lies.
const PACKAGE: &str = "modelhost-bench-throughput";
const FOLDER: &str = "benches/throughput";

/// What the plugin is told to do with each byte, and the program that does as much outside.
const WORK: [(&str, &[&str]); 2] = [("read", &["cat"]), ("scan", &["wc", "-l"])];

/// Builds and packs the plugin, and returns the folder that it lies in.
///
/// # Errors
/// When it can't be built.
pub(super) fn build(workspace: &Workspace, host: &Path) -> Result<PathBuf> {
    let toolchain = wasm::ensure(workspace)?;
    let cores = plugins::compile(workspace, &toolchain, &[PACKAGE])?;
    let folder = workspace.root.join("target/bench/plugins");
    fs::create_dir_all(&folder)?;
    let core = cores.join(PACKAGE.replace('-', "_")).with_extension("wasm");
    let manifest = workspace.root.join(FOLDER).join("plugin.toml");
    plugins::pack_one(host, &manifest, &core, &folder.join("throughput.wasm"))?;
    Ok(folder)
}

/// Measures the time of the plugin's task alone, beside a program that has the same bytes.
pub(super) fn measure(fixture: &Fixture, rounds: Rounds, table: &mut Table) -> Result<()> {
    let Some(plugins) = fixture.plugins() else {
        table.skip(TITLE, "its plugin is not built for another host");
        return Ok(());
    };
    for (work, program) in WORK {
        if !command::exists(program[0]) {
            table.skip(TITLE, &format!("{} is not installed", program[0]));
            continue;
        }
        let large = fixture.repository("large");
        let policy = format!(
            "version = 1\n[[model]]\nname = \"model\"\npath = \"model\"\n\
             [gate]\nnot-judged = \"warn\"\n\
             [plugin.throughput]\nsettings = {{ work = \"{work}\" }}\n"
        );
        let config = large.join(format!("{work}.toml"));
        fs::write(&config, policy)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..rounds.warm_up + rounds.counted {
            let task = task(fixture, plugins, &config)?;
            let mut other = Command::new(program[0]);
            other.args(&program[1..]).arg(large.join("model/model.safetensors"));
            let other = seconds(&mut other)?;
            if round >= rounds.warm_up {
                ours.push(task);
                theirs.push(other);
            }
        }
        let speed = 1.0 / median(&ours);
        let pair = Pair { ours, theirs };
        let title = format!("a guest {work}s 1 GiB ({speed:.1} GiB/s)");
        table.push(timed(&title, &pair, &program.join(" "), None));
    }
    Ok(())
}

/// What is read of `-o timings`.
#[derive(Deserialize)]
struct Timings {
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    check_ms: f64,
}

/// Runs the plugin once and returns the seconds that its one task took.
fn task(fixture: &Fixture, plugins: &Path, config: &Path) -> Result<f64> {
    let mut gate = fixture.gate("large", &fixture.warm_cache());
    gate.args(["--no-bundled", "--no-locked", "--plugins"]).arg(plugins);
    gate.arg("--config").arg(config).args(["-o", "timings"]);
    let said = command::capture(&mut gate)?;
    let timings: Timings =
        serde_json::from_str(&said).context("`-o timings` wrote something unexpected")?;
    let task = timings.tasks.first().context("there was no task")?;
    Ok(task.check_ms / 1e3)
}
