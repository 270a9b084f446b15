//! Asks git, a child process with fixed arguments: which commit a name stands for,
//! what differs from it.
//!
//! What may run code of a repository's own (hooks, monitors, external diffs,
//! fetching) is turned off, and no answer is taken beyond its bound: the library's way
//! of running git, with other arguments. Filters of a
//! user's own configuration, such as git-lfs's, stay: without them git can't tell
//! whether a file differs. Leaves which base is meant to `changed`.

#![expect(clippy::disallowed_methods, reason = "the command for git is put together here")]

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use modelhost::domain::text::GuestText;
use modelhost::record::history::git::{self, Ended};

use crate::context;

/// The most bytes of one answer: some hundred thousand paths.
const MAX_ANSWER: u64 = 64 << 20;

/// Where programs are looked for where `PATH` is not set, as systems do.
const USUAL: &str = "/bin:/usr/bin";

/// Why git gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// It can't be started.
    #[error("git can't be started")]
    Start(#[source] io::Error),
    /// It said no.
    #[error("git says: {0}")]
    Refused(GuestText),
    /// Its answer is too long.
    #[error("git's answer has more than {MAX_ANSWER} bytes")]
    TooLong,
    /// It is not what git writes.
    #[error("git's answer can't be read")]
    Unreadable,
}

/// A repository.
pub(crate) struct Git {
    program: PathBuf,
    folder: PathBuf,
}

impl Git {
    /// Takes the repository that `folder` is in, and git from an absolute folder of
    /// `PATH`, never from the repository.
    pub(crate) fn at(folder: &Path) -> Result<Self, GitError> {
        let path = context::variable("PATH").unwrap_or_else(|| USUAL.into());
        let git = git::Git::find(&path, None)
            .ok_or_else(|| GitError::Start(io::ErrorKind::NotFound.into()))?;
        Ok(Self { program: git.program().to_owned(), folder: folder.to_owned() })
    }

    /// Returns the top folder of the repository's work tree.
    pub(crate) fn top(&self) -> Result<PathBuf, GitError> {
        let answer = self.ask(&["rev-parse", "--show-toplevel"])?;
        Ok(PathBuf::from(OsStr::from_bytes(line(&answer)?)))
    }

    /// Returns the commit that `name` stands for; none where there is none here.
    pub(crate) fn commit(&self, name: &str) -> Result<Option<String>, GitError> {
        let commit = format!("{name}^{{commit}}");
        // A name that begins with a dash is a name.
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit];
        self.known(self.ask(&args))
    }

    /// Returns the commit that `a` and `b` both come from; none where none is here.
    pub(crate) fn merge_base(&self, a: &str, b: &str) -> Result<Option<String>, GitError> {
        self.known(self.ask(&["merge-base", a, b]))
    }

    /// Returns what the symbolic name `name` leads to, such as `refs/remotes/origin/main`.
    pub(crate) fn symbolic(&self, name: &str) -> Result<Option<String>, GitError> {
        self.known(self.ask(&["symbolic-ref", "--quiet", name]))
    }

    /// Returns whether parts of the history are not here.
    pub(crate) fn is_shallow(&self) -> bool {
        self.ask(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|said| said == b"true\n")
    }

    /// Returns the paths, relative to the top, that differ between the commit `from`
    /// and the work tree: changed in commits or not yet committed, untracked, and
    /// those that git is told to ignore, of which it can't say that they are the same.
    pub(crate) fn changed_since(&self, from: &str) -> Result<Vec<PathBuf>, GitError> {
        let diff = self.ask(&[
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=none",
            from,
            "HEAD",
            "--",
        ])?;
        let mut paths: Vec<PathBuf> = parts(&diff).map(path).collect();
        let status = self.ask(&[
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignored=matching",
            "--ignore-submodules=none",
        ])?;
        for entry in parts(&status) {
            // Two letters and a space, then the path.
            let changed = entry.get(3..).filter(|_| entry.get(2) == Some(&b' '));
            let changed = changed.ok_or(GitError::Unreadable)?;
            paths.push(path(changed.strip_suffix(b"/").unwrap_or(changed)));
        }
        Ok(paths)
    }

    /// Takes one line for an answer, and a silent `no` for none.
    fn known(&self, answer: Result<Vec<u8>, GitError>) -> Result<Option<String>, GitError> {
        match answer {
            Ok(answer) => {
                let line = line(&answer)?;
                Ok(Some(String::from_utf8(line.to_owned()).map_err(|_| GitError::Unreadable)?))
            }
            Err(GitError::Refused(why)) if why.as_str().is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn ask(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut command = Command::new(&self.program);
        command
            .args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"])
            .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
            .args(["-c", "core.quotePath=false", "-c", "status.relativePaths=false"])
            .args(["-c", "core.untrackedCache=false"])
            .args(args)
            .current_dir(&self.folder)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env_remove("GIT_EXTERNAL_DIFF");
        // Telling what differs in large work trees, through filters, takes its time.
        match git::said(command, MAX_ANSWER, None).map_err(GitError::Start)? {
            Ended::Well(answer) => Ok(answer),
            Ended::TooMuch => Err(GitError::TooLong),
            Ended::Badly(said) => {
                Err(GitError::Refused(GuestText::capped(said.lines().next().unwrap_or_default())))
            }
        }
    }
}

fn line(answer: &[u8]) -> Result<&[u8], GitError> {
    let line = answer.strip_suffix(b"\n").unwrap_or(answer);
    if line.is_empty() || line.contains(&b'\n') { Err(GitError::Unreadable) } else { Ok(line) }
}

fn parts(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    answer.split(|byte| *byte == 0).filter(|part| !part.is_empty())
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_apart() {
        assert_eq!(line(b"abc\n").expect("a line"), b"abc");
        for bad in [&b""[..], b"\n", b"a\nb\n"] {
            assert!(matches!(line(bad), Err(GitError::Unreadable)), "{bad:?}");
        }
        let paths: Vec<PathBuf> = parts(b"a\0b c/\xff\0").map(path).collect();
        assert_eq!(paths, [path(b"a"), path(b"b c/\xff")]);
    }
}
