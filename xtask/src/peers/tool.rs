//! The scanners that modelhost is measured beside: how each is installed, run and read.
//!
//! It leaves running a program against the clock to `attempt.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::attempt::{self, Ended, Left};
use crate::command;
use crate::term;
use crate::workspace::Workspace;

/// How the end of a tool is read.
type Reading = fn(&Left) -> Ended;

/// A scanner.
pub(crate) struct Tool {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What is installed of it, pinned; nothing for modelhost itself.
    packages: &'static [&'static str],
    /// Its virtual environment, or modelhost's folder for compiled plugins.
    folder: PathBuf,
    /// The program.
    program: PathBuf,
    /// The arguments before the path.
    arguments: Vec<String>,
    /// The arguments of its stricter mode, which is measured too.
    strict: &'static [&'static str],
    /// Whether it takes folders.
    pub(crate) takes_folders: bool,
    /// The ways in which its end is read, each with the name that is added to the tool's.
    readings: &'static [(&'static str, Reading)],
    /// Whether its memory is bounded: not that of modelhost, which bounds itself and reserves
    /// address space that it does not use.
    bounded: bool,
}

/// Returns the peers, with where they are or will be installed.
pub(crate) fn peers(workspace: &Workspace) -> Vec<Tool> {
    let folder = |name: &str| workspace.root.join("target/bench/peers").join(name);
    let peer = |name: &'static str, packages, program: &str, arguments: &[&str]| Tool {
        name,
        packages,
        folder: folder(name),
        program: folder(name).join("bin").join(program),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        strict: &[],
        takes_folders: true,
        readings: &[("", by_code)],
        bounded: true,
    };
    let driver = workspace.root.join("benches/peers/fickling_scan.py").display().to_string();
    vec![
        Tool {
            strict: &["--strict"],
            ..peer(
                "picklescan",
                // It reads numpy's files by numpy.
                &["picklescan==1.0.5", "numpy==2.3.4"],
                "picklescan",
                &["-p"],
            )
        },
        peer("modelscan", &["modelscan==0.8.8"], "modelscan", &["scan", "-p"]),
        Tool {
            takes_folders: false,
            ..peer(
                "fickling",
                // It imports the second and does not say so.
                &["fickling==0.1.12", "typing_extensions==4.15.0"],
                "python",
                &["-B", &driver],
            )
        },
        Tool {
            readings: &[("", by_code), (" (critical)", by_critical)],
            ..peer(
                "modelaudit",
                &["modelaudit==0.2.54"],
                "modelaudit",
                &["scan", "--format", "json", "--no-cache"],
            )
        },
    ]
}

/// Makes the virtual environment of `tool`, and modelhost's folder, unless it is there.
///
/// # Errors
/// When Python or the package index does not do its part.
pub(crate) fn install(tool: &Tool) -> Result<()> {
    if tool.packages.is_empty() {
        return Ok(fs::create_dir_all(&tool.folder)?);
    }
    let done = tool.folder.join("installed");
    let wanted = tool.packages.join("\n");
    if fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    term::note(&format!("installing {}", tool.packages.join(", ")));
    command::capture(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&tool.folder))
        .context("a virtual environment could not be made; is python3 with venv installed?")?;
    let mut pip = Command::new(tool.folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(tool.packages);
    command::capture(&mut pip).with_context(|| format!("{} could not be installed", tool.name))?;
    fs::write(done, wanted)?;
    Ok(())
}

impl Tool {
    /// Returns modelhost as it is without any configuration.
    pub(crate) fn modelhost(host: &Path, cache: &Path) -> Self {
        Self {
            name: "modelhost",
            packages: &[],
            folder: cache.to_owned(),
            program: host.to_owned(),
            arguments: ["run", "--quiet", "--no-config", "--no-locked"].map(str::to_owned).into(),
            strict: &[],
            takes_folders: true,
            readings: &[("", by_decision)],
            bounded: false,
        }
    }

    /// Returns it with more arguments before the path.
    pub(crate) fn told(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Returns its command on `path`, which sends nothing to anybody.
    pub(crate) fn command(&self, path: &Path) -> Command {
        self.with(&[], path)
    }

    fn with(&self, more: &[&str], path: &Path) -> Command {
        let mut command = Command::new(&self.program);
        if let Some((last, first)) = self.arguments.split_last().filter(|(last, _)| *last == "-p") {
            command.args(first).args(more).arg(last).arg(path);
        } else {
            command.args(&self.arguments).args(more).arg(path);
        }
        // What it keeps for itself goes where it can be thrown away.
        command.current_dir(&self.folder).env("HOME", &self.folder);
        command.env("PROMPTFOO_DISABLE_TELEMETRY", "1").env("NO_ANALYTICS", "1");
        command.env("MODELHOST_CACHE_DIR", &self.folder).env_remove("CI").env("NO_COLOR", "1");
        command
    }

    /// Returns the titles of its columns.
    pub(super) fn titles(&self) -> Vec<String> {
        let strict = (!self.strict.is_empty()).then(|| format!("{} (strict)", self.name));
        self.readings.iter().map(|(more, _)| format!("{}{more}", self.name)).chain(strict).collect()
    }

    /// Runs it on `path`, and reads its end in each of its ways, with the seconds it took.
    ///
    /// # Errors
    /// When it can't be started.
    pub(super) fn judge(&self, path: &Path) -> Result<Vec<(Ended, f64)>> {
        let left = attempt::run(&self.command(path), self.bounded)?;
        let mut ended: Vec<_> = self
            .readings
            .iter()
            .map(|(_, reading)| (read(&left, *reading), left.seconds))
            .collect();
        if !self.strict.is_empty() {
            let left = attempt::run(&self.with(self.strict, path), self.bounded)?;
            ended.push((read(&left, by_code), left.seconds));
        }
        Ok(ended)
    }
}

/// Reads how a tool ended: by force, by accident, or as it says.
fn read(left: &Left, reading: Reading) -> Ended {
    if left.late {
        return Ended::Hang;
    }
    if left.code.is_none() {
        return Ended::Crash;
    }
    // Python's exit code for an error that nobody caught is that of a find.
    let traced =
        String::from_utf8_lossy(&left.stderr).contains("Traceback (most recent call last)");
    match reading(left) {
        Ended::Flagged if traced && left.stdout.is_empty() => Ended::Crash,
        ended => ended,
    }
}

/// Reads the exit code that picklescan, modelscan, fickling and modelaudit agree on. 3 is
/// modelscan's for a file that it does not look at.
fn by_code(left: &Left) -> Ended {
    match left.code {
        Some(0 | 3) => Ended::Clean,
        Some(1) => Ended::Flagged,
        _ => Ended::Error,
    }
}

/// Reads modelhost's exit code.
fn by_decision(left: &Left) -> Ended {
    match left.code {
        Some(0) => Ended::Clean,
        Some(1) => Ended::Flagged,
        _ => Ended::Error,
    }
}

/// Reads modelaudit's report as if nothing but its worst severity counted.
fn by_critical(left: &Left) -> Ended {
    #[derive(Deserialize)]
    struct Report {
        #[serde(default)]
        issues: Vec<Issue>,
    }
    #[derive(Deserialize)]
    struct Issue {
        severity: String,
    }
    // What it logs may stand before the report.
    let start = left.stdout.iter().position(|byte| *byte == b'{').unwrap_or(0);
    match serde_json::from_slice::<Report>(left.stdout.get(start..).unwrap_or_default()) {
        Ok(report) if report.issues.iter().any(|issue| issue.severity == "critical") => {
            Ended::Flagged
        }
        Ok(_) if left.code == Some(2) => Ended::Error,
        Ok(_) => Ended::Clean,
        Err(_) => by_code(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(code: Option<i32>, stdout: &str, stderr: &str) -> Left {
        Left { code, late: false, seconds: 0.1, stdout: stdout.into(), stderr: stderr.into() }
    }

    #[test]
    fn ends_are_read_as_the_tools_mean_them() {
        let trace = "Traceback (most recent call last)\nMemoryError";
        let critical = r#"log {"issues": [{"severity": "critical"}]}"#;
        let warning = r#"{"issues": [{"severity": "warning"}]}"#;
        let rows: [(Left, Reading, Ended); 12] = [
            (left(Some(0), "", ""), by_code, Ended::Clean),
            (left(Some(1), "", ""), by_code, Ended::Flagged),
            (left(Some(2), "", ""), by_code, Ended::Error),
            (left(Some(3), "", ""), by_code, Ended::Clean),
            (left(Some(3), "", ""), by_decision, Ended::Error),
            (left(None, "", ""), by_code, Ended::Crash),
            (left(Some(1), "", trace), by_code, Ended::Crash),
            (left(Some(1), "found it", trace), by_code, Ended::Flagged),
            (left(Some(1), &critical[4..], ""), by_critical, Ended::Flagged),
            (left(Some(1), critical, ""), by_critical, Ended::Flagged),
            (left(Some(1), warning, ""), by_critical, Ended::Clean),
            (left(Some(2), warning, ""), by_critical, Ended::Error),
        ];
        for (left, reading, expected) in rows {
            assert_eq!(read(&left, reading), expected, "{left:?}");
        }
        assert_eq!(read(&Left { late: true, ..left(None, "", "") }, by_code), Ended::Hang);
    }
}
