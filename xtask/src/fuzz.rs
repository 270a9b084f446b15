//! `cargo xtask fuzz`: the fuzz targets under libFuzzer and AddressSanitizer.
//!
//! It leaves what a target does, and what it starts from, to the crate `fuzz`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::term::{self, Steps};
use crate::workspace::Workspace;
use crate::{command, setup, tools};

/// How many seconds one input may take before it counts as a hang. Under the sanitizer, and
/// beside others, an input takes many times longer than in a release.
const PATIENCE: u32 = 30;

/// How many MiB of memory one target may use before that counts as an error.
const MEMORY: u32 = 4096;

/// The longest input that is made up.
const LENGTH: u32 = 64 << 10;

/// How many steps [`run`] takes.
pub(crate) const STEPS: usize = 3;

/// Runs `cargo xtask fuzz`.
///
/// # Errors
/// When there is no nightly toolchain, something can't be built, or a target broke.
pub(crate) fn command(
    workspace: &Workspace,
    targets: &[String],
    seconds: Option<u32>,
) -> Result<()> {
    if !is_possible() {
        bail!("fuzzing needs a nightly toolchain: rustup toolchain install nightly");
    }
    let mut steps = Steps::new(setup::STEPS + STEPS);
    setup::run(workspace, &mut steps)?;
    run(workspace, &mut steps, targets, seconds)
}

/// Returns whether there is a toolchain that has the sanitizers.
pub(crate) fn is_possible() -> bool {
    command::capture(nightly().arg("--version")).is_ok()
}

/// Runs `targets`, or all where none is named, each for `seconds`, or for as long as it says itself.
///
/// # Errors
/// When something can't be built, or a target broke.
pub(crate) fn run(
    workspace: &Workspace,
    steps: &mut Steps,
    targets: &[String],
    seconds: Option<u32>,
) -> Result<()> {
    let folder = workspace.root.join("target/fuzz");
    steps.next("Collecting what the fuzz targets start from");
    let mut all = seeds(workspace, &folder.join("seeds"))?;
    if let Some(unknown) = targets.iter().find(|name| !all.iter().any(|(known, _)| known == *name))
    {
        let known: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        bail!("there is no fuzz target {unknown}; there are {}", known.join(", "));
    }
    all.retain(|(name, _)| targets.is_empty() || targets.contains(name));
    steps.next("Building the fuzz targets with AddressSanitizer");
    let program = build(workspace, &folder)?;
    let jobs = thread::available_parallelism().map_or(1, usize::from).min(all.len());
    let total: u32 = all.iter().map(|(_, own)| seconds.unwrap_or(*own)).sum();
    steps.next(&format!("Running {} fuzz targets for {total} s, {jobs} at a time", all.len()));
    let queue = Mutex::new(all.iter());
    let broken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no thread panics with it").next();
                    let Some((target, own)) = next else { break };
                    if let Err(error) = one(&program, &folder, target, seconds.unwrap_or(*own)) {
                        term::error(&error);
                        broken.lock().expect("no thread panics with it").push(target.clone());
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().expect("no thread panics with it");
    if broken.is_empty() {
        return Ok(());
    }
    bail!("these fuzz targets broke: {}", broken.join(", "))
}

/// Returns nightly's cargo.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    // What the cargo that runs this tool says of its own toolchain.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}

/// Writes the seeds of every target below `folder`, and returns the targets' names, each with how
/// many seconds it wants.
fn seeds(workspace: &Workspace, folder: &Path) -> Result<Vec<(String, u32)>> {
    let mut cargo = command::cargo();
    cargo.current_dir(&workspace.root).args(["run", "--release", "--quiet"]);
    cargo.args(["--package", "modelhost-fuzz", "--example", "seeds", "--"]).arg(folder);
    let names = command::capture(&mut cargo).context("the seeds could not be collected")?;
    let row = |line: &str| {
        let (name, seconds) = line.split_once(' ').context("the seeds' list has no such form")?;
        Ok((name.to_owned(), seconds.parse()?))
    };
    names.lines().map(row).collect()
}

/// Builds the one program that holds all targets, and returns its path.
fn build(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    let tool = tools::ensure(workspace, tools::CARGO_FUZZ)?;
    let mut paths = vec![tool.parent().context("a program lies in a folder")?.to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let target = folder.join("build");
    let mut cargo = nightly();
    cargo.current_dir(&workspace.root).env("PATH", std::env::join_paths(paths)?);
    cargo.args(["fuzz", "build", "any", "--fuzz-dir", "fuzz", "--features", "libfuzzer"]);
    command::run(cargo.arg("--target-dir").arg(&target)).context("not built")?;
    let triple = command::capture(Command::new("rustup").args(["run", "nightly", "rustc", "-vV"]))?;
    let triple = triple.lines().find_map(|line| line.strip_prefix("host: "));
    let triple = triple.context("rustc does not say what it runs on")?;
    Ok(target.join(triple).join("release/any"))
}

/// Runs one target.
fn one(program: &Path, folder: &Path, target: &str, seconds: u32) -> Result<()> {
    let found = folder.join("found").join(target);
    let broken = folder.join("broken");
    let logs = folder.join("logs");
    for folder in [&found, &broken, &logs] {
        fs::create_dir_all(folder).with_context(|| format!("no {}", folder.display()))?;
    }
    let log = logs.join(target);
    let file = File::create(&log).with_context(|| format!("no {}", log.display()))?;
    let mut fuzzer = Command::new(program);
    fuzzer.env("MODELHOST_FUZZ_TARGET", target).current_dir(folder);
    fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={PATIENCE}"));
    fuzzer.arg(format!("-rss_limit_mb={MEMORY}")).arg(format!("-max_len={LENGTH}"));
    fuzzer.arg(format!("-artifact_prefix={}/{target}-", broken.display()));
    fuzzer.arg("-print_final_stats=1").arg(&found).arg(folder.join("seeds").join(target));
    fuzzer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let status = command::status(&mut fuzzer)?;
    let said = fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())?;
    let stat = |name: &str| {
        let line = said.lines().rev().find_map(|line| line.strip_prefix(name));
        line.map_or("?", |value| value.trim_start_matches([':', ' '])).to_owned()
    };
    if !status.success() {
        bail!(
            "{target}: {status}; the input is in target/fuzz/broken, the log in target/fuzz/logs"
        );
    }
    let runs = stat("stat::number_of_executed_units");
    term::line(format!("{target}: {runs} inputs, {} of them new", stat("stat::new_units_added")));
    Ok(())
}
