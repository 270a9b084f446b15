//! Appending to a log: under a lock, after a look at its end, whole lines at once.
//!
//! What is in the file is never changed. Bytes at its end that are no record, as a
//! writer leaves them that is killed, stay where they are, and the record that is
//! appended next says that they are none. Leaves what is recorded to others.

#![expect(
    clippy::disallowed_methods,
    reason = "the log is the operator's own, appended to by its path here alone"
)]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::chain::{Head, MAX_TORN};
use super::fields::{Digest, Moment, Text};
use super::line::{self, Fault, Line, MAX_LINE, UNSEALED};
use super::record::{Ci, Entry, Record, Recovered, SCHEMA, Start};
use crate::domain::digest;
use crate::domain::text::GuestText;

/// How often it is tried to get the lock of a log, and how long is waited between:
/// a minute, in which other writers append tens of thousands of records.
const TRIES: u32 = 30_000;
const WAIT: Duration = Duration::from_millis(2);

/// How often a log may be replaced by another between being opened and locked.
const REOPENED: u32 = 16;

/// How much of a log's end is read first: most often the last record is in it.
const TAIL: usize = 16 << 10;

/// The most bytes that are written at once: a writer that is killed leaves less
/// than that of what is no record.
const MAX_WRITE: usize = 2 << 20;

/// How the first bytes of every log go on, as far as there are any.
const BEGINNING: &str = r#"{"schema":"modelhost-audit/v1","#;

/// What stands in every record of one append, beside what is recorded.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The clock of the machine, seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// Who runs modelhost, and on what.
    pub origin: Origin,
    /// Names the chain where the log is begun: random.
    pub chain: [u8; 16],
    /// The digest of the last line of the log that this one continues, where it is
    /// begun.
    pub continues: Option<digest::Digest>,
}

/// Who runs modelhost, and on what, as CI or the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Who.
    pub actor: Option<GuestText>,
    /// On which commit.
    pub commit: Option<GuestText>,
    /// In which CI.
    pub ci: Option<CiOrigin>,
}

/// The CI that modelhost runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiOrigin {
    /// Which.
    pub system: &'static str,
    /// The repository.
    pub repository: Option<GuestText>,
    /// The branch, tag or pull request.
    pub reference: Option<GuestText>,
    /// The run or pipeline.
    pub run: Option<GuestText>,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The file can't be opened, read or written.
    #[error("can't append to the audit log {}", path.display())]
    Io {
        /// The log.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is no file of ours.
    #[error("the audit log {} is not a regular file that belongs to the user who runs modelhost and to which nobody else may write", .0.display())]
    Foreign(PathBuf),
    /// Its end is no record, and nothing that a killed writer leaves.
    #[error("the audit log {} is broken at its end: {wrong}", path.display())]
    Broken {
        /// The log.
        path: PathBuf,
        /// What is wrong with it.
        wrong: String,
    },
    /// What is to be recorded does not fit a line.
    #[error("a record for the audit log {} would have more than {MAX_LINE} bytes", .0.display())]
    TooLong(PathBuf),
    /// Other processes hold the log.
    #[error("the audit log {} is held by another process", .0.display())]
    Held(PathBuf),
}

impl AppendError {
    /// Returns the way out, where there is one to tell.
    pub const fn help(&self) -> Option<&'static str> {
        match self {
            Self::Broken { .. } => Some(
                "look at it with `modelhost audit verify`; to go on, put it aside: the next record begins another log",
            ),
            _ => None,
        }
    }
}

/// Appends a record for each of `entries` to the log at `path`, and makes it where
/// it is missing. Returns the newest record of the log. They are on the disk when
/// it returns.
///
/// # Errors
/// Says why not all of them are recorded. Some may be, where the disk was full or
/// failed.
pub fn append(path: &Path, stamp: &Stamp, entries: Vec<Entry<'_>>) -> Result<Head, AppendError> {
    let file = locked(path)?;
    let io = |source| AppendError::Io { path: path.to_owned(), source };
    let length = file.metadata().map_err(io)?.len();
    let tail = match Tail::read(&file, length).map_err(io)? {
        Ok(tail) => tail,
        Err(wrong) => return Err(AppendError::Broken { path: path.to_owned(), wrong }),
    };
    let too_long = || AppendError::TooLong(path.to_owned());
    let (chunks, head) = lines(tail, stamp, entries).ok_or_else(too_long)?;
    for chunk in &chunks {
        write(&file, chunk).map_err(io)?;
    }
    file.sync_all().map_err(io)?;
    if length == 0 {
        sync_folder(path).map_err(io)?;
    }
    Ok(head)
}

/// Says whether something could be appended to the log at `path`, and makes it
/// where it is missing.
///
/// # Errors
/// Says why not.
pub fn check(path: &Path) -> Result<(), AppendError> {
    let file = locked(path)?;
    let io = |source| AppendError::Io { path: path.to_owned(), source };
    let length = file.metadata().map_err(io)?.len();
    match Tail::read(&file, length).map_err(io)? {
        Ok(_) => Ok(()),
        Err(wrong) => Err(AppendError::Broken { path: path.to_owned(), wrong }),
    }
}

/// What a log ends in.
struct Tail {
    /// The newest record; none in a log without any.
    head: Option<Head>,
    /// Bytes behind it that are no record.
    torn: Option<Recovered>,
    /// Whether the last line has no end.
    open: bool,
}

impl Tail {
    const NOTHING: Self = Self { head: None, torn: None, open: false };

    /// Reads the end of the log `file` of `length` bytes; says what is wrong with it
    /// where nothing may be appended.
    fn read(file: &File, length: u64) -> io::Result<Result<Self, String>> {
        let mut window = TAIL;
        loop {
            let size = usize::try_from(length).unwrap_or(usize::MAX).min(window);
            let mut bytes = vec![0; size];
            file.read_exact_at(&mut bytes, length - size as u64)?;
            let whole = size as u64 == length;
            let is_too_much =
                |tail: &Self| tail.torn.as_ref().is_some_and(|torn| torn.length > MAX_TORN as u64);
            match Self::of(&bytes, whole) {
                Some(Ok(tail)) if is_too_much(&tail) => {}
                Some(tail) => return Ok(tail),
                None if window < MAX_TORN + MAX_LINE => {
                    window *= 2;
                    continue;
                }
                None => {}
            }
            return Ok(Err(format!("the last {size} bytes of it hold no record")));
        }
    }

    /// Finds the newest record in the last `bytes` of a log, or in all of it where
    /// they are the `whole`; none where more are needed.
    fn of(bytes: &[u8], whole: bool) -> Option<Result<Self, String>> {
        if bytes.is_empty() {
            return Some(Ok(Self::NOTHING));
        }
        let open = !bytes.ends_with(b"\n");
        let mut end = bytes.len();
        loop {
            let text = bytes[..end].strip_suffix(b"\n").unwrap_or(&bytes[..end]);
            let start = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            if start == 0 && !whole {
                return None;
            }
            match line::open(&text[start..]) {
                Ok(line) => {
                    let torn = torn(&bytes[end..]);
                    // A line that only lacks its end is a record all the same.
                    return Some(Ok(Self { head: Some(head(&line)), torn, open }));
                }
                Err(Fault::NotJson | Fault::TooLong) if start > 0 => end = start,
                Err(Fault::NotJson | Fault::TooLong) => {
                    return Some(if is_beginning(bytes) {
                        Ok(Self { head: None, torn: torn(bytes), open })
                    } else {
                        Err("it holds no record, and was not begun as an audit log".to_owned())
                    });
                }
                Err(fault) => return Some(Err(format!("of the last record, {fault}"))),
            }
        }
    }
}

fn head(line: &Line<'_>) -> Head {
    Head {
        chain: line.record.chain.as_str().to_owned(),
        sequence: line.record.sequence,
        digest: line.digest,
        time: line.record.time.0,
    }
}

/// Describes bytes that are no record; none for none. The newline that will part
/// them from what is appended is not among them.
fn torn(bytes: &[u8]) -> Option<Recovered> {
    if bytes.is_empty() {
        return None;
    }
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    Some(Recovered { length: bytes.len() as u64, digest: Digest(digest::Digest::of(bytes)) })
}

/// Whether `bytes` are what a writer leaves that was killed when it began a log:
/// the beginning of a record, or what a file system makes of one that it lost.
fn is_beginning(bytes: &[u8]) -> bool {
    let compared = bytes.len().min(BEGINNING.len());
    bytes[..compared] == BEGINNING.as_bytes()[..compared] || bytes.iter().all(|byte| *byte == 0)
}

/// Makes the lines of `entries` behind `tail`, in pieces that are written at once,
/// and the newest record that there is then. None where one does not fit a line.
fn lines(tail: Tail, stamp: &Stamp, entries: Vec<Entry<'_>>) -> Option<(Vec<Vec<u8>>, Head)> {
    let Tail { head, torn, open } = tail;
    let mut first = Vec::new();
    match (&head, torn) {
        (None, recovered) => {
            let continues = stamp.continues.map(Digest);
            first.push(Entry::Start(Start { continues, recovered, note: None }));
        }
        (Some(_), Some(recovered)) => first.push(Entry::Recovered(recovered)),
        (Some(_), None) => {}
    }
    let mut head = head.unwrap_or_else(|| Head {
        chain: hex(&stamp.chain),
        sequence: 0,
        digest: digest::Digest::from_bytes([0; 32]),
        time: stamp.time,
    });
    let mut is_first = matches!(first.first(), Some(Entry::Start(_)));
    let mut chunks = Vec::new();
    let mut chunk = if open { b"\n".to_vec() } else { Vec::new() };
    for entry in first.into_iter().chain(entries) {
        let (line, next) = record(&head, is_first, stamp, entry)?;
        (head, is_first) = (next, false);
        if chunk.len() + line.len() >= MAX_WRITE {
            chunks.push(std::mem::take(&mut chunk));
        }
        chunk.extend_from_slice(&line);
        chunk.push(b'\n');
    }
    chunks.push(chunk);
    Some((chunks, head))
}

/// Makes the line of the record that follows `head`, or of the first.
fn record(head: &Head, is_first: bool, stamp: &Stamp, entry: Entry<'_>) -> Option<(Vec<u8>, Head)> {
    let Origin { actor, commit, ci } = &stamp.origin;
    fn text(text: &Option<GuestText>) -> Option<Text<'_>> {
        text.as_ref().map(|text| Text::new(text.as_str()))
    }
    let sequence = if is_first { 0 } else { head.sequence.checked_add(1)? };
    let record = Record {
        schema: Text::new(SCHEMA),
        chain: Text::new(head.chain.as_str()),
        sequence,
        previous: (!is_first).then_some(Digest(head.digest)),
        time: Moment(stamp.time),
        clock_backwards: (stamp.time < head.time).then_some(Moment(head.time)),
        modelhost: Text::new(env!("CARGO_PKG_VERSION")),
        actor: text(actor),
        commit: text(commit),
        ci: ci.as_ref().map(|ci| Ci {
            system: Text::new(ci.system),
            repository: text(&ci.repository),
            reference: text(&ci.reference),
            run: text(&ci.run),
        }),
        entry,
        digest: UNSEALED,
    };
    let (line, digest) = line::seal(&record)?;
    Some((line, Head { chain: head.chain.clone(), sequence, digest, time: stamp.time }))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String can't fail");
        text
    })
}

/// Writes `bytes` at the end of the file, in one call. What could be written of
/// them only in part is taken back.
fn write(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    let before = file.metadata()?.len();
    loop {
        let error = match file.write(bytes) {
            Ok(written) if written == bytes.len() => return Ok(()),
            Ok(_) => io::Error::new(io::ErrorKind::WriteZero, "only a part could be written"),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        // Where even that fails, the next record says that it is none.
        let _ = file.set_len(before);
        return Err(error);
    }
}

/// Opens the log at `path` for appending, makes it where it is missing, and locks
/// it until it is closed.
fn locked(path: &Path) -> Result<File, AppendError> {
    let io = |source| AppendError::Io { path: path.to_owned(), source };
    for _ in 0..REOPENED {
        let file = open(path).map_err(io)?;
        if !is_ours(&file).map_err(io)? {
            return Err(AppendError::Foreign(path.to_owned()));
        }
        lock(&file, path)?;
        // Somebody may have put another in its place while the lock was waited for.
        if is_at(&file, path).map_err(io)? {
            return Ok(file);
        }
    }
    Err(AppendError::Held(path.to_owned()))
}

fn open(path: &Path) -> io::Result<File> {
    // No link is followed, and no pipe waited for.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o644)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// Whether it is a regular file of ours that not everybody may write to.
fn is_ours(file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    Ok(metadata.is_file()
        && metadata.uid() == rustix::process::geteuid().as_raw()
        && metadata.mode() & 0o002 == 0)
}

fn lock(file: &File, path: &Path) -> Result<(), AppendError> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(WAIT),
            Err(TryLockError::Error(source)) => {
                return Err(AppendError::Io { path: path.to_owned(), source });
            }
        }
    }
    Err(AppendError::Held(path.to_owned()))
}

/// Whether `file` is what stands under `path` now.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let file = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (file.dev(), file.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the name of a new log as lasting as what is in it.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
