//! One builder for every test of the command line: an empty environment, a
//! folder of its own, and output that does not differ from machine to machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// What a run said, with folders and times made alike.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A folder to run `modelhost` in.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// The working directory of the runs.
    pub(crate) fn path(&self) -> PathBuf {
        let work = self.folder.path().join("work");
        std::fs::create_dir_all(&work).expect("a folder");
        work.canonicalize().expect("a path")
    }

    /// Writes a file below the working directory, with the folders to it.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, bytes).expect("a file");
        self
    }

    /// Returns the text of a file below the working directory.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).expect("a text file")
    }

    /// Prepares `modelhost ARGS` here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let home = self.folder.path().join("home");
        let mut command = Command::new(env!("CARGO_BIN_EXE_modelhost"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", &home)
            .stdin(Stdio::null());
        // Compiled plugins are shared by all tests, and signed by a key that they share.
        command.env("MODELHOST_CACHE_DIR", cache()).env("MODELHOST_CACHE_KEY", "tests");
        command
    }

    /// Runs `modelhost ARGS` here.
    pub(crate) fn modelhost(&self, args: &[&str]) -> Said {
        self.said(&self.command(args).output().expect("modelhost starts"))
    }

    /// Makes what a run printed comparable.
    pub(crate) fn said(&self, output: &Output) -> Said {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes)
                .replace(&self.path().display().to_string(), "[work]");
            let text = text.replace(&root_text(), "[root]");
            text.lines().map(without_time).collect::<Vec<_>>().join("\n")
        };
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// Returns a line without what differs: the seconds at the end of a decision's line differ from run to run.
pub(crate) fn without_time(line: &str) -> String {
    let Some((rest, last)) = line.rsplit_once(", ") else { return line.to_owned() };
    let seconds = last.strip_suffix(" s").is_some_and(|number| number.parse::<f64>().is_ok());
    if seconds { format!("{rest}, [time]") } else { line.to_owned() }
}

fn root_text() -> String {
    super::root().display().to_string()
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

impl Said {
    /// Asserts the exit code, showing what was said where it is another.
    #[track_caller]
    pub(crate) fn code(&self, expected: i32) -> &Self {
        assert_eq!(
            self.code, expected,
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Asserts that `part` stands in what was said, on either stream.
    #[track_caller]
    pub(crate) fn says(&self, part: &str) -> &Self {
        let said = self.stdout.contains(part) || self.stderr.contains(part);
        assert!(said, "not said: {part}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Returns the JSON report on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }

    /// Returns whether the JSON report on stdout is of a run that did not start.
    #[track_caller]
    pub(crate) fn is_unrun(&self) -> bool {
        let report = self.json();
        let is_empty = |part: &str| report[part].as_array().is_some_and(Vec::is_empty);
        let told = report["not_run"].as_array().is_some_and(|told| !told.is_empty());
        told && report["decision"] == "incomplete" && is_empty("tasks") && is_empty("plugins")
    }
}
