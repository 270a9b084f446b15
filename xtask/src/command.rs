//! Running other programs: shown as a person would type them, with their failure named.
//!
//! It leaves what to run to its callers.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often a program that runs against the clock is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Returns the cargo that runs this tool, without the variables that described this tool to us:
/// to the packages it builds they would be lies.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text.starts_with("CARGO_BIN_")
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Returns whether a program of this name can be started.
pub(crate) fn exists(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok()
}

/// Runs a program whose output goes where ours goes.
///
/// # Errors
/// When it can't be started or does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if status.success() {
        return Ok(());
    }
    bail!("`{}` ended with {status}", describe(command))
}

/// Runs a program whose output goes where ours goes, and returns how it ended.
///
/// # Errors
/// When it can't be started.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| format!("`{}` could not be started", describe(command)))
}

/// Runs a program and returns what it wrote to stdout.
///
/// # Errors
/// When it can't be started, does not succeed (its stderr is the message), or writes no UTF-8.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{}` could not be started", describe(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {}", describe(command), output.status, said.trim());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` wrote no UTF-8", describe(command)))
}

/// Runs a program silently against the clock.
///
/// # Errors
/// When it can't be started, does not succeed (its last words are the message), or takes longer;
/// then it is ended.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let shown = describe(command);
    let mut child = command
        // A backtrace of its insides would hide what it says.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{shown}` could not be started"))?;
    // Read beside the waiting, so that a full pipe can't stop the program.
    let stderr = child.stderr.take().map(|mut pipe| {
        thread::spawn(move || {
            let mut said = Vec::new();
            // What was read before an error is all there is to show.
            let _ = pipe.read_to_end(&mut said);
            said
        })
    });
    let Some(status) = wait_within(&mut child, limit)? else {
        bail!("`{shown}` did not end within {} s", limit.as_secs());
    };
    if status.success() {
        return Ok(());
    }
    let said = stderr.and_then(|reader| reader.join().ok()).unwrap_or_default();
    bail!("`{shown}` ended with {status}: {}", last_words(&String::from_utf8_lossy(&said)))
}

/// Returns the gist of what a failed program wrote to stderr: its first error, and the last line,
/// which is the innermost cause in most programs.
fn last_words(said: &str) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines.clone().find(|line| line.starts_with("error"));
    match (error, lines.next_back()) {
        (Some(error), Some(last)) if error != last => format!("{error}; {last}"),
        (_, Some(last)) => last.to_owned(),
        (_, None) => "it says nothing".to_owned(),
    }
}

/// Waits for a child until the limit; one that takes longer is ended, and nothing is returned.
fn wait_within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// Returns a command as a person would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = command.get_program();
    // Cargo tells us its whole path; a person types its name.
    let is_cargo = Path::new(program).file_stem().is_some_and(|stem| stem == "cargo");
    let mut words = vec![quote(if is_cargo { OsStr::new("cargo") } else { program })];
    words.extend(command.get_args().map(quote));
    words.join(" ")
}

/// Returns one word of a command line, quoted where a shell would need it.
fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for (word, expected) in [
            ("run", "run"),
            ("--cap=/a/b.toml", "--cap=/a/b.toml"),
            ("", "''"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
        ] {
            assert_eq!(quote(OsStr::new(word)), expected);
        }
    }

    #[test]
    fn last_words_are_the_error_and_its_cause() {
        for (said, expected) in [
            ("info: a\nerror: b\n\nCaused by:\n  0: c\n  1: d\n", "error: b; 1: d"),
            ("error: b\n", "error: b"),
            ("no room\n", "no room"),
            (" \n", "it says nothing"),
        ] {
            assert_eq!(last_words(said), expected);
        }
    }

    #[test]
    fn a_program_is_judged_by_its_end() {
        assert!(run_within(&mut Command::new("true"), Duration::from_secs(10)).is_ok());
        let error = run_within(
            Command::new("sh").args(["-c", "echo no room >&2; exit 3"]),
            Duration::from_secs(10),
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains("no room") && error.contains('3'), "{error}");
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let start = Instant::now();
        let error = run_within(Command::new("sleep").arg("60"), Duration::from_millis(100));
        assert!(error.unwrap_err().to_string().contains("did not end"));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
