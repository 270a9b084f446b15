//! A git repository in the folder of a test, as a person would make one.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::Place;

pub(crate) struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// Makes one with the branch `main`.
    pub(crate) fn new(place: &Place) -> Self {
        let repository = Self { folder: place.path() };
        repository.run(&["init", "-q", "-b", "main"]);
        repository
    }

    /// Takes the one in `folder`.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Runs git here, and returns what it printed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=Test",
                "-c",
                "user.email=test@localhost",
                "-c",
                "protocol.file.allow=always",
            ])
            .args(args)
            .current_dir(&self.folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Commits all that is here.
    pub(crate) fn commit(&self, message: &str) {
        self.run(&["add", "-A"]);
        self.run(&["commit", "-q", "-m", message]);
    }
}
