//! Several logs at once: CI keeps one for each run, and one may continue another.
//!
//! Leaves each by itself to `read`.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::chain::{MAX_TORN, Walked};
use super::checkpoint::Checkpoint;
use super::line;
use super::read::{self, read};
use super::record::Entry;
use crate::domain::digest::Digest;

/// What was found of one log among several.
#[derive(Debug)]
pub struct Verified {
    /// Its path.
    pub path: PathBuf,
    /// Its chain; or why it can't be read.
    pub walked: io::Result<Walked>,
    /// What it continues.
    pub joint: Joint,
}

/// What a log continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joint {
    /// Nothing: it is by itself.
    None,
    /// This record of another log, after which that has so many more.
    Record {
        /// Which of the logs.
        log: usize,
        /// The record's sequence number.
        sequence: u64,
        /// How many records come after it.
        more: u64,
    },
    /// A log that is not among these, which ended in a line of this digest.
    Missing(Digest),
}

/// What a checkpoint says of some logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// This log has the record that it names.
    Yes(usize),
    /// This log ends before that record, so it was cut: where it ends.
    Cut(usize, u64),
    /// This log has another record in its place, so it was written anew.
    Other(usize),
    /// None of the logs is of that chain.
    NoLog,
}

/// Walks along `logs`, each to its end or to where it is broken, on `jobs` threads;
/// where there is a `checkpoint`, also looks for the record that it names.
pub fn verify(
    logs: &[PathBuf],
    checkpoint: Option<&Checkpoint>,
    jobs: usize,
) -> (Vec<Verified>, Option<Held>) {
    let continues: Vec<Option<Digest>> = logs.iter().map(|log| continued(log)).collect();
    // Each digest that one of them continues, and the record that has it.
    let mut joints: BTreeMap<Digest, Option<(usize, u64)>> =
        continues.iter().flatten().map(|digest| (*digest, None)).collect();
    let mut named: Option<(usize, Digest)> = None;
    let walked: Vec<io::Result<Walked>> = logs
        .iter()
        .enumerate()
        .map(|(log, path)| {
            read(path, jobs, &mut |line, _| {
                if let Some(joint) = joints.get_mut(&line.digest) {
                    joint.get_or_insert((log, line.record.sequence));
                }
                let is_named = checkpoint.is_some_and(|checkpoint| {
                    line.record.sequence == checkpoint.sequence
                        && line.record.chain.as_str() == checkpoint.chain
                });
                if is_named && named.is_none() {
                    named = Some((log, line.digest));
                }
            })
        })
        .collect();
    let last = |log: usize| {
        let walked = walked.get(log)?.as_ref().ok()?;
        walked.head.as_ref().map(|head| head.sequence)
    };
    let held = checkpoint.map(|checkpoint| {
        let of_chain = |walked: &Walked| {
            walked.head.as_ref().filter(|head| head.chain == checkpoint.chain).map(|h| h.sequence)
        };
        let ends = || {
            walked.iter().enumerate().find_map(|(log, walked)| {
                walked.as_ref().ok().and_then(of_chain).map(|sequence| Held::Cut(log, sequence))
            })
        };
        match named {
            Some((log, digest)) if digest == checkpoint.head => Held::Yes(log),
            Some((log, _)) => Held::Other(log),
            None => ends().unwrap_or(Held::NoLog),
        }
    });
    let joint = |continues: &Option<Digest>| match continues {
        None => Joint::None,
        Some(digest) => match joints.get(digest).copied().flatten() {
            Some((log, sequence)) => {
                let more = last(log).unwrap_or(sequence).saturating_sub(sequence);
                Joint::Record { log, sequence, more }
            }
            None => Joint::Missing(*digest),
        },
    };
    let joints: Vec<Joint> = continues.iter().map(joint).collect();
    let verified = logs.iter().zip(walked).zip(joints);
    let verified =
        verified.map(|((path, walked), joint)| Verified { path: path.clone(), walked, joint });
    (verified.collect(), held)
}

/// Returns what the log at `path` says that it continues. What can't be read is
/// told when the log itself is.
fn continued(path: &Path) -> Option<Digest> {
    let mut file = BufReader::new(read::open(path).ok()?.take(2 * MAX_TORN as u64));
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if file.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        // Lines that are no record may come before the first.
        let Ok(line) = line::open(bytes.strip_suffix(b"\n")?) else { continue };
        return match line.record.entry {
            Entry::Start(start) => start.continues.map(|digest| digest.0),
            _ => None,
        };
    }
}
