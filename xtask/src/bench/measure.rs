//! Taking figures: two programs in turns, so that whatever else the machine does meets both.
//!
//! It leaves which programs, and what the figures mean, to `rows.rs`.

use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Rounds;
use crate::command;

/// How often the memory of a running program is looked at. The peak that each process has reached
/// is kept by the system, so only what is reached in the last moments can be missed.
const SAMPLE: Duration = Duration::from_millis(2);

/// A program to measure: makes the command anew for each round, outside the time that counts.
pub(super) type Program<'a> = &'a dyn Fn() -> Result<Command>;

/// The times of two programs that ran in turns.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) ours: Vec<f64>,
    pub(super) theirs: Vec<f64>,
}

impl Pair {
    /// Returns the median of the rounds' ratios: what drifts during the rounds cancels out.
    pub(super) fn ratio(&self) -> f64 {
        let ratios = self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours / theirs);
        median(&ratios.collect::<Vec<_>>())
    }
}

/// Runs two programs in turns: A B A B ….
///
/// # Errors
/// When one fails.
pub(super) fn alternate(ours: Program<'_>, theirs: Program<'_>, rounds: Rounds) -> Result<Pair> {
    for _ in 0..rounds.warm_up {
        must_succeed(&mut ours()?)?;
        must_succeed(&mut theirs()?)?;
    }
    let mut pair = Pair { ours: Vec::new(), theirs: Vec::new() };
    for _ in 0..rounds.counted {
        pair.ours.push(seconds(&mut ours()?)?);
        pair.theirs.push(seconds(&mut theirs()?)?);
    }
    Ok(pair)
}

/// Runs a program with its words kept: a failure is shown, not measured.
fn must_succeed(command: &mut Command) -> Result<()> {
    command::capture(command).map(drop)
}

/// Returns how long a program takes from start to exit.
pub(super) fn seconds(command: &mut Command) -> Result<f64> {
    seconds_of(command, &[0])
}

/// Returns how long a program takes that may end with any of `codes`.
pub(super) fn seconds_of(command: &mut Command, codes: &[i32]) -> Result<f64> {
    silence(command);
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed();
    must_end(command, status, codes)?;
    Ok(elapsed.as_secs_f64())
}

fn must_end(command: &Command, status: ExitStatus, codes: &[i32]) -> Result<()> {
    if !status.code().is_some_and(|code| codes.contains(&code)) {
        bail!("`{}` ended with {status}", command::describe(command));
    }
    Ok(())
}

fn silence(command: &mut Command) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
}

/// Returns the most memory that a program and its children held together, in bytes, or nothing
/// where the system does not tell.
///
/// # Errors
/// When it fails.
pub(super) fn peak_memory(command: &mut Command) -> Result<Option<u64>> {
    peak_memory_of(command, &[0])
}

/// Returns the peak memory of a program that may end with any of `codes`, as [`peak_memory`] does.
pub(super) fn peak_memory_of(command: &mut Command, codes: &[i32]) -> Result<Option<u64>> {
    silence(command);
    let mut child = command.spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(resident(&child));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(SAMPLE);
    };
    must_end(command, status, codes)?;
    Ok((peak > 0).then_some(peak))
}

/// Returns the sum of what each live process of a tree has held at its peak.
fn resident(root: &Child) -> u64 {
    let mut sum = 0;
    let mut open = vec![root.id().to_string()];
    while let Some(id) = open.pop() {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        sum += high_water(&status);
        let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            open.extend(children.split_whitespace().map(str::to_owned));
        }
    }
    sum
}

/// Reads the peak of a process, in bytes, from its `status`; a process that ended has none.
fn high_water(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.trim().parse::<u64>().ok()).map_or(0, |kib| kib.saturating_mul(1024))
}

/// Returns the middle of some figures, or no number if there are none.
pub(super) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert!(median(&[]).is_nan());
        for (figures, expected) in
            [(&[3.0][..], 3.0), (&[9.0, 1.0, 2.0], 2.0), (&[4.0, 1.0, 2.0, 100.0], 3.0)]
        {
            assert_eq!(median(figures), expected, "{figures:?}");
        }
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let pair = Pair { ours: vec![1.0, 20.0, 3.0], theirs: vec![2.0, 10.0, 6.0] };
        assert_eq!(pair.ratio(), 0.5);
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        for (status, expected) in [
            ("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t1 kB\n", 2_097_152),
            ("VmHWM:\tmuch\n", 0),
            ("VmHWM:\t99999999999999999999 kB\n", 0),
            ("", 0),
        ] {
            assert_eq!(high_water(status), expected, "{status:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn children_count_towards_the_peak() {
        let hold = "x=$(head -c 30000000 /dev/zero | tr '\\0' a); sleep 0.2";
        let alone = peak_memory(Command::new("bash").args(["-c", hold])).unwrap().unwrap();
        let two = format!("({hold}) & ({hold}) & wait");
        let together = peak_memory(Command::new("bash").args(["-c", &two])).unwrap().unwrap();
        assert!(alone >= 30_000_000, "{alone}");
        assert!(together >= 60_000_000, "{together}");
    }
}
