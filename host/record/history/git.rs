//! Asking git which commits changed a file, and what it held then.
//!
//! # Invariants
//! - git is found in an absolute folder of `PATH`, never in the repository.
//! - Its arguments are fixed but for the file's name and names of objects; what of a
//!   repository's configuration could run a program or reach a network (hooks,
//!   monitors, pagers, filters, signatures, lazy fetching) is turned off.
//! - What it says is bounded in bytes and in time.

#![expect(
    clippy::disallowed_methods,
    reason = "git is run from here, which alone knows what a repository holds"
)]

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use crate::domain::text::GuestText;

/// The most commits of one history.
pub const MAX_COMMITS: usize = 10_000;

/// The most bytes that a list of commits may have: some thousand for each.
const MAX_LIST: u64 = 16 << 20;

/// The most bytes of what git says went wrong.
const MAX_ERROR: u64 = 4 << 10;

/// The most bytes of the name of a person or the subject of a commit.
const MAX_TEXT: usize = 200;

/// How long listing commits may take, and how long reading what all of them hold.
const DEADLINE: Duration = Duration::from_secs(60);
const READING: Duration = Duration::from_secs(600);

/// How often it is looked whether git has ended.
const WAIT: Duration = Duration::from_millis(2);

/// What is turned off or held, whatever a repository's configuration says.
const CONFIG: [&str; 16] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.attributesFile=/dev/null",
    "core.alternateRefsCommand=",
    "core.askPass=",
    "credential.helper=",
    "diff.external=",
    "diff.renames=true",
    "diff.renameLimit=1000",
    "gc.auto=0",
    "i18n.logOutputEncoding=UTF-8",
    "log.showRoot=true",
    "log.showSignature=false",
    "maintenance.auto=false",
    "protocol.allow=never",
];

/// git, and the home of whoever runs it.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    home: Option<OsString>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It can't be started, or its answer not be read.
    #[error("git can't be run")]
    Io(#[from] io::Error),
    /// It ended in an error.
    #[error("git says: {0}")]
    Failed(GuestText),
    /// It said more than is taken.
    #[error("the history is longer than is read of one: {MAX_LIST} bytes")]
    TooMuch,
    /// What it said has another form.
    #[error("git said what it does not say otherwise")]
    Form,
}

/// One commit that changed the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its name, in hex.
    pub id: String,
    /// Who wrote it.
    pub author: GuestText,
    /// When it was committed, seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// Its first line.
    pub subject: GuestText,
    /// The name of the object that held the file before; none where it was not there.
    pub old: Option<String>,
    /// The name of the object that holds it after; none where it is gone.
    pub new: Option<String>,
    /// Whether the file had another name before.
    pub renamed: bool,
}

impl Git {
    /// Finds git in the folders of `path`, the value of `PATH`, that are absolute;
    /// none where it is in none.
    pub fn find(path: &OsStr, home: Option<OsString>) -> Option<Self> {
        let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
        let program = folders.map(|folder| folder.join("git")).find(|path| path.is_file())?;
        Some(Self { program, home })
    }

    /// Returns the commits that changed the file `name` in `folder`, newest first,
    /// at most [`MAX_COMMITS`] and one more, followed through its earlier names.
    ///
    /// # Errors
    /// Says why there is no such history.
    pub fn commits(&self, folder: &Path, name: &OsStr) -> Result<Vec<Commit>, GitError> {
        let most = format!("--max-count={}", MAX_COMMITS + 1);
        let args = [
            "log",
            "--follow",
            "--no-show-signature",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--no-mailmap",
            "-c",
            "--raw",
            "--no-abbrev",
            "-z",
            "--format=%H%x00%an%x00%ct%x00%s",
            &most,
            "--",
        ];
        let args = args.iter().map(OsStr::new).chain([name]);
        let said = self.ask(folder, args)?;
        parse(&said).ok_or(GitError::Form)
    }

    /// Returns whether the repository around `folder` lacks a part of its history.
    ///
    /// # Errors
    /// Says why that can't be told.
    pub fn is_shallow(&self, folder: &Path) -> Result<bool, GitError> {
        let args = ["rev-parse", "--is-shallow-repository"];
        let said = self.ask(folder, args.iter().map(OsStr::new))?;
        Ok(said.trim_ascii() == b"true")
    }

    /// Starts handing out objects of the repository around `folder`.
    ///
    /// # Errors
    /// Fails where git can't be started.
    pub fn objects(&self, folder: &Path) -> Result<Objects, GitError> {
        let mut child = self
            .command(folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            return Err(GitError::Form);
        };
        let guard = Guard::new(child, Some(READING));
        Ok(Objects { input, output: BufReader::new(output), _guard: guard })
    }

    /// Runs git with `args`, and returns what it says.
    fn ask<'a>(
        &self,
        folder: &Path,
        args: impl Iterator<Item = &'a OsStr>,
    ) -> Result<Vec<u8>, GitError> {
        let mut command = self.command(folder);
        command.args(args);
        match said(command, MAX_LIST, Some(DEADLINE))? {
            Ended::Well(said) => Ok(said),
            Ended::TooMuch => Err(GitError::TooMuch),
            Ended::Badly(errors) => {
                let first = errors.lines().find(|line| !line.trim().is_empty());
                Err(GitError::Failed(GuestText::new(first.unwrap_or("nothing").trim(), 400)))
            }
        }
    }

    /// Returns where the program is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir(folder);
        command.envs([
            ("GIT_ALLOW_PROTOCOL", "none"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("LC_ALL", "C"),
        ]);
        if let Some(home) = &self.home {
            // For `safe.directory`, which only the user's own configuration may set.
            command.env("HOME", home);
        }
        command.arg("--no-pager");
        for setting in CONFIG {
            command.args(["-c", setting]);
        }
        command
    }
}

/// How a program ended.
#[derive(Debug)]
pub enum Ended {
    /// Well, and this is what it said.
    Well(Vec<u8>),
    /// It said more than is taken, and was ended.
    TooMuch,
    /// In an error, or ended for taking too long; what it said of that, at most 4 KiB.
    Badly(String),
}

/// Runs `command` with nothing to read, and returns what it says: at most `most` bytes,
/// within `longest`, if that is bounded.
///
/// # Errors
/// Fails where it can't be started, or what it says not be read.
pub fn said(mut command: Command, most: u64, longest: Option<Duration>) -> io::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let guard = Guard::new(child, longest);
    // Both are read at once: neither may keep it from going on.
    let errors = std::thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut errors) = errors {
            let _ = errors.by_ref().take(MAX_ERROR).read_to_end(&mut said);
            let _ = io::copy(&mut errors, &mut io::sink());
        }
        said
    });
    let mut said = Vec::new();
    if let Some(output) = output {
        output.take(most.saturating_add(1)).read_to_end(&mut said)?;
    }
    if said.len() as u64 > most {
        return Ok(Ended::TooMuch);
    }
    let success = guard.wait()?;
    let errors = errors.join().unwrap_or_default();
    Ok(match success {
        true => Ended::Well(said),
        false => Ended::Badly(String::from_utf8_lossy(&errors).into_owned()),
    })
}

/// Hands out the contents of objects, one after the other.
pub struct Objects {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _guard: Guard,
}

impl Objects {
    /// Returns what the object `id` holds; none where it is not there, or has more
    /// than `max` bytes.
    ///
    /// # Errors
    /// Fails where git ended, or says something else.
    pub fn get(&mut self, id: &str, max: u64) -> Result<Option<Vec<u8>>, GitError> {
        self.input.write_all(format!("{id}\n").as_bytes())?;
        self.input.flush()?;
        let mut line = Vec::new();
        self.output.by_ref().take(256).read_until(b'\n', &mut line)?;
        let line = str::from_utf8(&line).map_err(|_| GitError::Form)?;
        let mut words = line.split_whitespace();
        let (Some(_), Some(kind)) = (words.next(), words.next()) else {
            return Err(GitError::Form);
        };
        if kind == "missing" {
            return Ok(None);
        }
        let size: u64 = words.next().and_then(|size| size.parse().ok()).ok_or(GitError::Form)?;
        let mut content = self.output.by_ref().take(size);
        let mut bytes = Vec::new();
        if size <= max {
            content.read_to_end(&mut bytes)?;
        } else {
            io::copy(&mut content, &mut io::sink())?;
        }
        let mut end = [0];
        self.output.read_exact(&mut end)?;
        Ok((kind == "blob" && size <= max).then_some(bytes))
    }
}

/// Ends git where it takes too long, or is not needed any more.
struct Guard {
    child: Arc<Mutex<Child>>,
    /// Tells the watch that git ended by itself, by being dropped.
    done: Option<mpsc::Sender<()>>,
}

impl Guard {
    fn new(child: Child, longest: Option<Duration>) -> Self {
        let child = Arc::new(Mutex::new(child));
        let done = longest.map(|longest| {
            let (done, waits) = mpsc::channel::<()>();
            let watched = Arc::clone(&child);
            std::thread::spawn(move || {
                if waits.recv_timeout(longest) == Err(mpsc::RecvTimeoutError::Timeout) {
                    kill(&watched);
                }
            });
            done
        });
        Self { child, done }
    }

    /// Waits for git, which said all it has to say; returns whether it succeeded.
    fn wait(self) -> io::Result<bool> {
        loop {
            // Not held for long: the watch must get at it.
            let ended = lock(&self.child).try_wait()?;
            if let Some(status) = ended {
                return Ok(status.success());
            }
            std::thread::sleep(WAIT);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.done = None;
        kill(&self.child);
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill(child: &Mutex<Child>) {
    let mut child = lock(child);
    // One that ended already is only waited for.
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a list of commits: for each its fields, each ended by a NUL, then a line
/// for the file, whose path follows.
fn parse(said: &[u8]) -> Option<Vec<Commit>> {
    let mut tokens = said.split(|byte| *byte == 0).peekable();
    let mut commits: Vec<Commit> = Vec::new();
    while let Some(token) = tokens.next() {
        let token = token.trim_ascii();
        if token.is_empty() {
            continue;
        }
        if token.starts_with(b":") {
            let change = Change::parse(str::from_utf8(token).ok()?)?;
            for _ in 0..change.paths {
                tokens.next()?;
            }
            let commit = commits.last_mut()?;
            (commit.old, commit.new, commit.renamed) = (change.old, change.new, change.paths > 1);
            continue;
        }
        let text = |token: &[u8]| GuestText::new(&String::from_utf8_lossy(token), MAX_TEXT);
        let id = object(str::from_utf8(token).ok()?)??;
        let author = text(tokens.next()?);
        let time = str::from_utf8(tokens.next()?).ok()?.parse().unwrap_or(0);
        let subject = text(tokens.next()?);
        let (old, new, renamed) = (None, None, false);
        commits.push(Commit { id, author, time, subject, old, new, renamed });
    }
    // A merge that took the file from one side changed nothing by itself.
    commits.retain(|commit| commit.old.is_some() || commit.new.is_some());
    Some(commits)
}

/// What a line says of the file.
struct Change {
    old: Option<String>,
    new: Option<String>,
    /// How many paths follow it.
    paths: usize,
}

impl Change {
    /// Reads `:MODE MODE ID ID STATUS`; a merge has a colon, a mode, an id and a
    /// status more for each further parent, and one path whatever they are.
    fn parse(line: &str) -> Option<Self> {
        let rest = line.trim_start_matches(':');
        let parents = line.len() - rest.len();
        let words: Vec<&str> = rest.split(' ').collect();
        let (first, last) = (parents + 1, 2 * parents + 1);
        let (old, new) = (object(words.get(first)?)?, object(words.get(last)?)?);
        let status = words.get(last + 1)?;
        let is_moved = parents == 1 && status.starts_with(['R', 'C']);
        Some(Self { old, new, paths: if is_moved { 2 } else { 1 } })
    }
}

/// Reads the name of an object, which is none where it has zeros only; fails where
/// it is no such name.
#[expect(clippy::option_option, reason = "no name, and the name of nothing, are two things")]
fn object(text: &str) -> Option<Option<String>> {
    let is_name = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_name.then(|| text.bytes().any(|byte| byte != b'0').then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_list_of_commits() {
        let [a, b, c, zero] = ["a", "b", "c", "0"].map(|digit| digit.repeat(40));
        let said = format!(
            "{a}\0Eve\u{202e}\0100\0evil\0\0::100644 100644 100644 {b} {c} {a} MM\0m.lock\0\
             {b}\0A\0x\0merge\0\0\
             {c}\0\0100\0\0\n:100644 100644 {a} {a} R100\0old\0new\0\
             {a}\0A\0100\0:first\0\n:000000 100644 {zero} {b} A\0m.lock\0"
        );
        let commits = parse(said.as_bytes()).expect("it is a list");
        let shown: Vec<String> = commits
            .iter()
            .map(|commit| {
                let part = |id: &Option<String>| id.as_ref().map_or("-", |id| &id[..1]).to_owned();
                let (old, new) = (part(&commit.old), part(&commit.new));
                let Commit { id, author, time, subject, renamed, .. } = commit;
                format!("{} {author} {time} {subject} {old}>{new} {renamed}", &id[..1])
            })
            .collect();
        assert_eq!(
            shown,
            ["a Eve\\u{202e} 100 evil b>a false", "c  100  a>a true", "a A 100 :first ->b false"]
        );
        assert_eq!(parse(b""), Some(Vec::new()));
        for wrong in
            ["x", ":1", "::\0", ":100644\0p\0", &format!("{a}\0A"), &format!(":1 1 {a} {a} M\0p")]
        {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
