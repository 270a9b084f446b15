//! What the gate and a worker say to each other: frames over one socket.
//!
//! A frame is a header (length, sequence number) and a body in postcard's form.
//! Descriptors travel beside frames, from the gate to the worker alone; whole
//! components and compiled code travel as descriptors, not in frames.
//!
//! Leaves moving frames to `channel`, and what they mean to `translate`.
//!
//! # Invariants
//! - A body is no longer than what its reader expects there; that is known
//!   before anything of it is allocated.
//! - A body is read whole, to its last byte, or not at all.
//! - No type here refers to itself, so that no body nests without end.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::capability::Limits;

/// The version of what is said; a worker of another build is turned away by it
/// and by the build's own version.
pub(super) const VERSION: u32 = 3;

/// The most bytes of a frame to a worker, which trusts the gate.
pub(super) const MAX_TO_WORKER: u32 = 64 << 20;

/// The most bytes of a frame from a worker that carries no answer: a few numbers
/// and one text.
pub(super) const MAX_SMALL: u32 = 64 << 10;

/// The most bytes of compiled code that a worker may hand over. The largest
/// component has 64 MiB, and code is a few times its size.
pub(super) const MAX_CODE: u64 = 512 << 20;

/// How many files, or locked files, one frame carries at most.
pub(super) const ROWS: usize = 2048;

/// What the gate says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToWorker {
    /// Say what you are.
    Hello,
    /// Compile the component behind the descriptor, of that many bytes.
    Compile { length: u64 },
    /// Make ready to run the plugin whose code and documents are behind the
    /// descriptors.
    Load(Box<Load>),
    /// The lock entry of the model of the tasks to come; `None` for none.
    Lock(Option<LockHead>),
    /// Some of its files, in order.
    LockedFiles(Vec<LockedRow>),
    /// What the model of the tasks to come was made from.
    Lineage(Vec<BaseRow>),
    /// The trusted registry, of which entries follow; `None` for none.
    Registry(Option<SetRow>),
    /// The next of its entries that may be about the model of the tasks to come.
    RegistryEntry(Box<EntryRow>),
    /// Some of the files of that entry, in order.
    RegistryFiles(Vec<RegisteredRow>),
    /// The first of the files of the task to come, in order, where they are many.
    Files(Vec<FileRow>),
    /// Run the task.
    Task(Box<TaskRow>),
    /// The answer to [`FromWorker::Open`]; its descriptor is beside it, and those of
    /// the files that follow it in the view, as many as the gate thinks fit.
    Opened(Result<(), ReadRow>),
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromWorker {
    /// It is locked in, and of this build.
    Ready(Ready),
    /// It compiled: that many bytes of code follow, outside of frames.
    Compiled(Result<u64, String>),
    /// It loaded the plugin, or why it can't be linked.
    Loaded(Result<(), String>),
    /// It needs the descriptor of the file at `index` in the view, and keeps those
    /// that come with it.
    Open { index: u32 },
    /// Chunks that it read of the view's files for the task, in order; at most
    /// [`ROWS`] at a time.
    Chunks(Vec<ChunkRow>),
    /// The task is done.
    Done(Box<DoneRow>),
    /// Something of modelhost itself failed in it.
    Fault(String),
}

/// What a worker is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) version: u32,
    pub(super) build: String,
    pub(super) rlimits: bool,
    pub(super) no_new_privileges: bool,
    pub(super) landlock: bool,
    pub(super) seccomp: bool,
}

/// A plugin, as far as running it needs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Load {
    pub(super) code: u64,
    /// The granted capabilities, by name.
    pub(super) grants: Vec<String>,
    /// The granted documents: name and length, in the order in which their
    /// bytes follow each other behind the second descriptor.
    pub(super) documents: Vec<(String, u64)>,
    pub(super) settings: String,
    /// The limits, in the order of the table that both sides have.
    pub(super) limits: Vec<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LockHead {
    pub(super) source: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) tree: [u8; 32],
    pub(super) license: Option<String>,
    pub(super) signer: Option<String>,
}

/// A base, with its place in the list of the one that it is below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BaseRow {
    pub(super) source: String,
    pub(super) revision: Option<String>,
    pub(super) below: Option<u32>,
    pub(super) locked: Option<LockedBaseRow>,
}

/// What the lock file and the policy say of a base that is a locked model itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LockedBaseRow {
    pub(super) name: String,
    pub(super) tree: [u8; 32],
    pub(super) license: Option<String>,
    pub(super) stated_license: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SetRow {
    pub(super) sequence: u64,
    pub(super) digest: [u8; 32],
    pub(super) signed: bool,
}

/// An entry of the trusted registry, without its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct EntryRow {
    pub(super) name: String,
    pub(super) source: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) tree: Option<[u8; 32]>,
    pub(super) license: Option<String>,
    /// Its place in the table that both sides have.
    pub(super) standing: u8,
    pub(super) reason: Option<String>,
    pub(super) superseded_by: Option<String>,
    pub(super) date: String,
    pub(super) reviewer: String,
    pub(super) digest: [u8; 32],
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LockedRow {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) digest: [u8; 32],
    pub(super) blake3: Option<[u8; 32]>,
    /// What is kept of each part's digest.
    pub(super) parts: Option<Vec<[u8; 8]>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RegisteredRow {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) digest: [u8; 32],
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FileRow {
    pub(super) path: String,
    pub(super) size: u64,
    /// Its SHA-256, where it is known already.
    pub(super) hashed: Option<Result<[u8; 32], ReadRow>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ReadRow {
    OutOfRange,
    Changed,
    Io(String),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TaskRow {
    pub(super) name: String,
    /// Source, revision and license as the policy has them.
    pub(super) definition: Option<(Option<String>, Option<String>, Option<String>)>,
    pub(super) now: u64,
    /// The last of its files, in order.
    pub(super) files: Vec<FileRow>,
    /// Which files the descriptors beside it are of, by their place in the view.
    pub(super) handed: Vec<u32>,
    /// What chunks are digested under.
    pub(super) key: [u8; 16],
}

/// A chunk of a file that was read for the task.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ChunkRow {
    /// The file's place in the view.
    pub(super) file: u32,
    pub(super) chunk: u64,
    /// Its digest; none where it was not the same twice, or not there.
    pub(super) digest: Option<[u8; 16]>,
}

/// How a task ended, as a worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DoneRow {
    pub(super) ending: EndingRow,
    /// For each file of the view: bytes looked at, and whether from the start.
    pub(super) seen: Vec<(u64, bool)>,
    pub(super) fuel: u64,
    pub(super) memory: u64,
    pub(super) table_elements: u64,
    pub(super) host_calls: u64,
    pub(super) handles: u32,
    pub(super) bytes_read: u64,
    pub(super) log: Vec<(u8, String)>,
    pub(super) log_dropped: u64,
    pub(super) instantiate_ns: u64,
    pub(super) check_ns: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum EndingRow {
    Checked { findings: Vec<FindingRow>, facts: Vec<(String, String)> },
    NotApplicable(String),
    Said { code: SaidRow, text: String },
    Stopped { code: StopRow, message: String, crashed: bool },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FindingRow {
    pub(super) rule: String,
    pub(super) severity: u8,
    pub(super) confidence: u8,
    pub(super) message: String,
    pub(super) file: Option<String>,
    pub(super) member: Option<String>,
    pub(super) offset: Option<u64>,
    pub(super) line: Option<u32>,
    pub(super) help: Option<String>,
}

/// The failures that a guest may name itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum SaidRow {
    InvalidSettings,
    Unreadable,
    Unsupported,
    Internal,
}

/// What a guest may be stopped by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum StopRow {
    Trap,
    /// A limit, by its place in the table that both sides have.
    Limit(u8),
}

/// Returns the most bytes that [`FromWorker::Done`] may have for a view of
/// `files` files under `limits`: an answer is handed over in one call.
pub(super) fn max_done(files: usize, limits: &Limits) -> u32 {
    const FILE: u64 = 12;
    const LINE: u64 = 1100;
    let answer = limits.call_bytes.saturating_mul(2);
    let rest = FILE * files as u64 + LINE * u64::from(limits.log_lines);
    let bytes = answer.saturating_add(rest);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Why a frame can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame that is not of the form")]
pub(super) struct Malformed;

/// Writes the body of a frame.
pub(super) fn encode(message: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(message).expect("no type here can fail to be written to memory")
}

/// Reads the body of a frame, all of it.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    match postcard::take_from_bytes(body) {
        Ok((message, [])) => Ok(message),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn done() -> DoneRow {
        DoneRow {
            ending: EndingRow::Checked {
                findings: vec![FindingRow {
                    rule: "r".to_owned(),
                    severity: 4,
                    confidence: 2,
                    message: "m".to_owned(),
                    file: Some("f".to_owned()),
                    member: None,
                    offset: Some(u64::MAX),
                    line: None,
                    help: None,
                }],
                facts: vec![("k".to_owned(), "v".to_owned())],
            },
            seen: vec![(4, true)],
            fuel: 1,
            memory: 2,
            table_elements: 7,
            host_calls: 3,
            handles: 1,
            bytes_read: 4,
            log: vec![(2, "l".to_owned())],
            log_dropped: 0,
            instantiate_ns: 5,
            check_ns: 6,
        }
    }

    #[test]
    fn frames_round_trip_and_end_where_they_end() {
        let body = encode(&FromWorker::Done(Box::new(done())));
        let Ok(FromWorker::Done(read)) = decode(&body) else { panic!("not read") };
        assert_eq!(*read, done());
        for length in 0..body.len() {
            assert!(decode::<FromWorker>(&body[..length]).is_err(), "cut at {length}");
        }
        let longer = [body.as_slice(), &[0]].concat();
        assert!(decode::<FromWorker>(&longer).is_err());
    }

    #[test]
    fn lengths_that_lie_allocate_nothing() {
        // `Done`, `Checked`, and a count of findings near 2^64.
        let body = [5, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert!(decode::<FromWorker>(&body).is_err());
    }

    proptest! {
        #[test]
        fn reads_anything_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode::<FromWorker>(&body);
            let _ = decode::<ToWorker>(&body);
        }

        #[test]
        fn reads_flipped_frames_without_a_panic(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut body = encode(&FromWorker::Done(Box::new(done())));
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            let _ = decode::<FromWorker>(&body);
        }
    }
}
