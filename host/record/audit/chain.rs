//! Whether lines follow one another as the records of one chain do.
//!
//! Pure: lines in, and at the first that does not fit, which one and why. Leaves
//! single lines to `line`, files to `read` and `append`.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::line::{Fault, Line};
use super::record::{Entry, Recovered, Start};
use crate::domain::digest::Digest;
use crate::domain::moment;

/// The most bytes that one record may say are none. A writer that is ended leaves
/// at most what it writes at once; a file system that loses its last pages, some.
pub const MAX_TORN: usize = 4 << 20;

/// The most notes of one log that are told; the others are counted.
const MAX_NOTES: usize = 100;

/// The newest record of a chain: who knows it can tell whether a log still has all
/// up to there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The name of the chain.
    pub chain: String,
    /// The record's sequence number.
    pub sequence: u64,
    /// The digest of its line.
    pub digest: Digest,
    /// When it was appended, seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
}

/// Where a chain is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1.
    pub line: u64,
    /// The sequence number of the record that belongs there.
    pub sequence: u64,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// Ways in which a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The line is no record.
    Line(Fault),
    /// There is no record.
    Empty,
    /// The last line has no end.
    Truncated,
    /// The first record does not begin a chain.
    NoStart,
    /// A chain begins in the middle of another.
    Start,
    /// The record is of another chain.
    Chain,
    /// The record has another number than the one that belongs there.
    Sequence(u64),
    /// The record names another line as the one before.
    Previous,
    /// The record says of bytes before it that they are no record, and these are
    /// others, or none.
    Recovered,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence = self.sequence;
        match &self.wrong {
            Wrong::Empty => write!(f, "it holds no record"),
            Wrong::Truncated => {
                write!(f, "record {sequence} is truncated: its line has no end")
            }
            Wrong::Line(fault) => write!(f, "record {sequence} is broken: {fault}"),
            Wrong::NoStart => write!(f, "the beginning of the chain is missing"),
            Wrong::Start => write!(f, "record {sequence} is missing: another chain begins here"),
            Wrong::Chain => write!(f, "record {sequence} is missing: this one is of another chain"),
            Wrong::Sequence(found) => {
                write!(f, "record {sequence} is missing: this one has the number {found}")
            }
            Wrong::Previous => write!(
                f,
                "record {sequence} does not follow the line before: it names another digest"
            ),
            Wrong::Recovered => write!(
                f,
                "record {sequence} speaks of bytes before it that are no record, and there are others"
            ),
        }
    }
}

/// What is odd about a chain and breaks nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The line, from 1.
    pub line: u64,
    /// The record's sequence number.
    pub sequence: u64,
    /// What it is.
    pub kind: NoteKind,
}

/// Kinds of note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// The clock showed an earlier time than for the record before: from, to.
    ClockBackwards(u64, u64),
    /// So many bytes before it are no record.
    Recovered(u64),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence = self.sequence;
        match self.kind {
            NoteKind::ClockBackwards(from, to) => write!(
                f,
                "record {sequence}: the clock ran backwards, from {} to {}",
                moment::rfc3339(from),
                moment::rfc3339(to)
            ),
            NoteKind::Recovered(length) => write!(
                f,
                "record {sequence}: {length} bytes before it are what a writer left that was ended"
            ),
        }
    }
}

/// What was found of a chain so far.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// How its first record begins it; none before that was seen.
    pub continues: Option<Digest>,
    /// How many records it has.
    pub records: u64,
    /// Its newest record.
    pub head: Option<Head>,
    /// What is odd, the first of it.
    pub notes: Vec<Note>,
    /// How much more is odd.
    pub more_notes: u64,
    /// Where it is broken; nothing after that was looked at.
    pub broken: Option<Broken>,
}

/// Bytes that are no record, and may be excused by the one that follows.
#[derive(Clone)]
struct Torn {
    line: u64,
    fault: Fault,
    state: Sha256,
    length: u64,
}

/// Walks along a chain, line by line.
#[derive(Default)]
pub(super) struct Walk {
    walked: Walked,
    line: u64,
    torn: Option<Torn>,
}

impl Walk {
    /// Takes the next line, given as its `bytes` without the newline and as what
    /// opening it came to. Returns whether it is the next record; where it is not,
    /// the chain may be broken.
    pub(super) fn take(&mut self, bytes: &[u8], opened: &Result<Line<'_>, Fault>) -> bool {
        self.line += 1;
        match opened {
            Ok(line) => match self.fits(line) {
                Ok(()) => {
                    self.accept(line);
                    true
                }
                Err(wrong) => {
                    self.breaks(wrong);
                    false
                }
            },
            Err(fault) => {
                self.tear(bytes, *fault);
                false
            }
        }
    }

    /// Returns whether the chain is broken: nothing after that is looked at.
    pub(super) const fn is_broken(&self) -> bool {
        self.walked.broken.is_some()
    }

    /// Ends the walk; `rest` is what stands after the last newline.
    pub(super) fn end(mut self, rest: &[u8]) -> Walked {
        if self.is_broken() {
            return self.walked;
        }
        if let Some(Torn { line, fault, .. }) = self.torn.take() {
            self.line = line;
            self.breaks(Wrong::Line(fault));
        } else if !rest.is_empty() {
            self.line += 1;
            self.breaks(Wrong::Truncated);
        } else if self.walked.records == 0 {
            self.line = 1;
            self.breaks(Wrong::Empty);
        }
        self.walked
    }

    /// Returns the number of the record that comes next.
    const fn next(&self) -> u64 {
        self.walked.records
    }

    fn breaks(&mut self, wrong: Wrong) {
        let broken = match self.torn.take() {
            // What came before it is told first.
            Some(torn) => (torn.line, Wrong::Line(torn.fault)),
            None => (self.line, wrong),
        };
        let (line, wrong) = broken;
        self.walked.broken = Some(Broken { line, sequence: self.next(), wrong });
    }

    /// Notes a line that is no record.
    fn tear(&mut self, bytes: &[u8], fault: Fault) {
        // What JSON can be read from was written to its end, and changed since.
        if !matches!(fault, Fault::NotJson | Fault::TooLong) {
            return self.breaks(Wrong::Line(fault));
        }
        match &mut self.torn {
            Some(torn) => {
                torn.state.update(b"\n");
                torn.length += 1;
            }
            none => {
                *none = Some(Torn { line: self.line, fault, state: Sha256::new(), length: 0 });
            }
        }
        if let Some(torn) = &mut self.torn {
            torn.state.update(bytes);
            torn.length += bytes.len() as u64;
            if torn.length > MAX_TORN as u64 {
                self.breaks(Wrong::Line(fault));
            }
        }
    }

    /// Says what keeps `line` from being the next record.
    fn fits(&self, line: &Line<'_>) -> Result<(), Wrong> {
        let record = &line.record;
        let excused = match &record.entry {
            Entry::Recovered(recovered)
            | Entry::Start(Start { recovered: Some(recovered), .. }) => Some(recovered),
            _ => None,
        };
        match (&self.walked.head, &record.entry) {
            (None, Entry::Start(_)) if record.sequence == 0 && record.previous.is_none() => {}
            (None, _) => return Err(Wrong::NoStart),
            (Some(_), Entry::Start(_)) => return Err(Wrong::Start),
            (Some(head), _) => {
                if record.chain.as_str() != head.chain {
                    return Err(Wrong::Chain);
                }
                if record.sequence != self.next() {
                    return Err(Wrong::Sequence(record.sequence));
                }
                if record.previous.map(|previous| previous.0) != Some(head.digest) {
                    return Err(Wrong::Previous);
                }
            }
        }
        match (&self.torn, excused) {
            (None, None) => Ok(()),
            (Some(torn), Some(recovered)) if torn.is(recovered) => Ok(()),
            (Some(torn), None) => Err(Wrong::Line(torn.fault)),
            _ => Err(Wrong::Recovered),
        }
    }

    fn accept(&mut self, line: &Line<'_>) {
        let record = &line.record;
        let sequence = record.sequence;
        if let Entry::Start(start) = &record.entry {
            self.walked.continues = start.continues.map(|digest| digest.0);
        }
        if let Some(torn) = self.torn.take() {
            self.note(sequence, NoteKind::Recovered(torn.length));
        }
        let time = record.time.0;
        match &mut self.walked.head {
            Some(head) => {
                let before = std::mem::replace(&mut head.time, time);
                (head.sequence, head.digest) = (sequence, line.digest);
                if time < before {
                    self.note(sequence, NoteKind::ClockBackwards(before, time));
                }
            }
            none => {
                let chain = record.chain.as_str().to_owned();
                *none = Some(Head { chain, sequence, digest: line.digest, time });
            }
        }
        self.walked.records += 1;
    }

    fn note(&mut self, sequence: u64, kind: NoteKind) {
        if self.walked.notes.len() < MAX_NOTES {
            self.walked.notes.push(Note { line: self.line, sequence, kind });
        } else {
            self.walked.more_notes += 1;
        }
    }
}

impl Torn {
    /// Whether these are the bytes that a record says are none. The newline that
    /// parts them from it is not among them.
    fn is(&self, recovered: &Recovered) -> bool {
        recovered.length == self.length
            && recovered.digest.0.as_bytes()[..] == self.state.clone().finalize()[..]
    }
}
