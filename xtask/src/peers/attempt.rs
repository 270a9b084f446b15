//! One program on one case: within time and memory, and how it ended.
//!
//! It leaves what an exit code means to `tool.rs`.

use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// How long one case may take. The corpora's own bound is 2 s; a scanner that is a Python program
/// takes a second to start, and others run beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much address space a peer may have, in KiB: a bomb must not hurt the machine.
const MEMORY: u64 = 4 << 20;

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(5);

/// The most bytes that are kept of what a program says.
const SAID: u64 = 4 << 20;

/// How a tool ended on a case, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ended {
    /// It has nothing to say against it, or did not look at it.
    Clean,
    /// It says that it could not judge it.
    Error,
    /// It ended by a signal or a stack trace.
    Crash,
    /// It was still running when the time was up.
    Hang,
    /// It says that it is dangerous.
    Flagged,
}

/// What a program left behind.
#[derive(Debug)]
pub(super) struct Left {
    /// Its exit code; none where a signal ended it.
    pub(super) code: Option<i32>,
    /// Whether it was ended because its time was up.
    pub(super) late: bool,
    /// How many seconds it ran.
    pub(super) seconds: f64,
    /// What it wrote to stdout.
    pub(super) stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub(super) stderr: Vec<u8>,
}

/// Runs a program to its end or the end of its time, with its memory bounded if `bounded`.
///
/// # Errors
/// When it can't be started.
pub(super) fn run(command: &Command, bounded: bool) -> Result<Left> {
    let mut command = if bounded { bound(command) } else { copy(command) };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| {
            format!("`{}` could not be started", crate::command::describe(&command))
        })?;
    let stdout = child.stdout.take().map(keep);
    let stderr = child.stderr.take().map(keep);
    let start = Instant::now();
    let mut late = false;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() >= PATIENCE {
            late = true;
            end(&mut child)?;
            break child.wait()?;
        }
        thread::sleep(POLL);
    };
    let seconds = start.elapsed().as_secs_f64();
    let said = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    let code = status.code().filter(|_| status.signal().is_none());
    Ok(Left { code, late, seconds, stdout: said(stdout), stderr: said(stderr) })
}

/// Returns `command` behind a shell that bounds its memory.
fn bound(command: &Command) -> Command {
    let mut bounded = Command::new("sh");
    bounded.args(["-c", &format!("ulimit -v {MEMORY}; exec \"$@\""), "sh"]);
    bounded.arg(command.get_program()).args(command.get_args());
    with_surroundings(bounded, command)
}

fn copy(command: &Command) -> Command {
    let mut same = Command::new(command.get_program());
    same.args(command.get_args());
    with_surroundings(same, command)
}

fn with_surroundings(mut to: Command, from: &Command) -> Command {
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
    if let Some(folder) = from.get_current_dir() {
        to.current_dir(folder);
    }
    to
}

/// Reads a pipe to its end beside the waiting, and keeps the first bytes of it.
fn keep(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut said = Vec::new();
        // What was read before an error is all there is.
        let _ = pipe.by_ref().take(SAID).read_to_end(&mut said);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        said
    })
}

/// Ends a program and all that it started, by its group's number.
fn end(child: &mut Child) -> Result<()> {
    let group = format!("-{}", child.id());
    // Without a `kill` program the leader alone is ended.
    let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
    child.kill()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_leaves_is_kept() {
        let left = run(&sh("echo out; echo err >&2; exit 3"), true).unwrap();
        assert_eq!((left.code, left.late), (Some(3), false));
        assert_eq!(
            (left.stdout.as_slice(), left.stderr.as_slice()),
            (&b"out\n"[..], &b"err\n"[..])
        );
        assert_eq!(run(&sh("kill -KILL $$"), true).unwrap().code, None);
    }

    #[test]
    fn memory_is_bounded_where_asked() {
        let hungry = "ulimit -v";
        let limit = |bounded| {
            let left = run(&sh(hungry), bounded).unwrap();
            String::from_utf8(left.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(limit(true), MEMORY.to_string());
        assert_ne!(limit(false), MEMORY.to_string());
    }

    #[test]
    fn the_worst_of_a_folder_is_the_greatest() {
        assert!(Ended::Flagged > Ended::Hang && Ended::Hang > Ended::Clean);
    }
}
