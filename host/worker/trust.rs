//! What a worker says of a task, held against what can be true.
//!
//! Leaves the guest's answer itself to the engine's border, which checks it in
//! this process as if the guest had run here.
//!
//! # Invariants
//! - A figure past a limit is a broken rule, never cut down to what is allowed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::channel::Broken;
use super::protocol::{self, ChunkRow, DoneRow, FromWorker};
use super::translate;
use crate::domain::capability::Limits;
use crate::domain::model::FilePath;
use crate::domain::text::GuestText;
use crate::domain::verdict::Usage;
use crate::engine::{Ran, Returned, View};
use crate::model::chunk::{self, ChunkDigest};
use crate::model::reader::ChunkLog;
use crate::model::{ChunkKey, Descriptors, FileHandle, ReadError};

/// The most bytes that one host call hands to a guest.
const MAX_READ: u64 = 1 << 20;

/// The most bytes of one line that a guest logs.
const MAX_LINE: usize = 1024;

/// What a worker says that it read for one task: each chunk once, in order.
pub(super) struct Chunks<'a> {
    view: &'a View,
    last: Option<(u32, u64)>,
}

impl<'a> Chunks<'a> {
    /// Expects what is read of `view`.
    pub(super) const fn of(view: &'a View) -> Self {
        Self { view, last: None }
    }

    /// Takes in some more, if they can be true, and notes them with the files.
    pub(super) fn take(&mut self, rows: &[ChunkRow]) -> Result<(), Broken> {
        if rows.is_empty() {
            return Err(Broken::Rules("it had no chunk to tell of, and told it"));
        }
        for row in rows {
            let place = (row.file, row.chunk);
            if self.last.is_some_and(|last| last >= place) {
                return Err(Broken::Rules("it told chunks out of order, or twice"));
            }
            self.last = Some(place);
            let file = self.view.files.get(row.file as usize);
            let file = file.filter(|file| row.chunk < chunk::chunks(file.size()));
            let file = file.ok_or(Broken::Rules("it read a chunk that is in no file"))?;
            file.note_chunk(row.chunk, row.digest.map(ChunkDigest));
        }
        Ok(())
    }
}

/// Returns how many bytes one call on `view` can read: a digest reads a file.
fn call_reads(view: &View) -> u64 {
    view.files.iter().map(|file| file.size()).max().unwrap_or(0).max(MAX_READ)
}

/// Takes `done` for a task on `view` that took `took`, if it can be true.
pub(super) fn check(
    done: DoneRow,
    view: &View,
    limits: &Limits,
    took: Duration,
) -> Result<Ran, Broken> {
    let (size, files) = (view.size(), view.files.len() as u64);
    let calls = limits.task_host_calls(size, files).saturating_add(1);
    let possible = [
        (done.seen.len() as u64 == files, "it tells of other files than it was shown"),
        (done.fuel <= limits.task_fuel(size), "it used more fuel than it had"),
        (done.memory <= limits.memory, "it used more memory than it may"),
        (done.table_elements <= limits.table_elements, "it used more table elements than it may"),
        (done.handles <= limits.handles, "it held more handles than it may"),
        (done.bytes_read <= limits.task_bytes_read(size), "it read more than it may"),
        (done.host_calls <= calls, "it called the host more often than it may"),
        (
            done.bytes_read <= done.host_calls.saturating_mul(call_reads(view)),
            "it read more than its calls give",
        ),
        (done.log.len() as u64 <= u64::from(limits.log_lines), "it logged more lines than it may"),
        (done.log_dropped <= done.host_calls, "it dropped more lines than it made calls"),
    ];
    if let Some((_, broken)) = possible.into_iter().find(|(holds, _)| !holds) {
        return Err(Broken::Rules(broken));
    }
    for (file, (read, start)) in view.files.iter().zip(&done.seen) {
        let whole = *read == file.size() && *read > 0;
        if *read > file.size() || (*start && *read == 0) || (whole && !*start) {
            return Err(Broken::Rules("it read bytes that a file does not have"));
        }
    }
    let log = done
        .log
        .into_iter()
        .map(|(level, text)| Some((translate::level(level)?, GuestText::new(&text, MAX_LINE))));
    let log = log.collect::<Option<Vec<_>>>().ok_or(Broken::Rules("it logged at no level"))?;
    let instantiate = Duration::from_nanos(done.instantiate_ns).min(took);
    let ending =
        translate::ending(done.ending).ok_or(Broken::Rules("its answer has no such value"))?;
    // What it returned is here, and is counted here.
    let returned = Returned::of(&ending);
    Ok(Ran {
        ending,
        seen: done.seen,
        chunks: ChunkLog::new(), // noted as they came
        usage: Usage {
            fuel: done.fuel,
            memory: done.memory,
            table_elements: done.table_elements,
            host_calls: done.host_calls,
            handles: done.handles,
            bytes_read: done.bytes_read,
            findings: returned.findings,
            facts: returned.facts,
            text: returned.text,
            log_lines: (log.len() as u64).saturating_add(done.log_dropped),
        },
        log,
        log_dropped: done.log_dropped,
        instantiate,
        check: Duration::from_nanos(done.check_ns).min(took.saturating_sub(instantiate)),
    })
}

/// Reads `body` as the gate reads the end of a task on a file `f` of 4 bytes, and
/// returns whether it is taken. For fuzzing alone.
pub(super) fn take_frame(body: &[u8]) -> bool {
    let Ok(FromWorker::Done(done)) = protocol::decode(body) else { return false };
    check(*done, &view(4), &Limits::default(), Duration::from_secs(1)).is_ok()
}

/// A view of one file `f` of `size` bytes that can't be read.
fn view(size: u64) -> View {
    let from: Arc<dyn Descriptors> = Arc::new(Nothing);
    let file = FileHandle::handed(&from, 0, FilePath::from_bytes(b"f"), size);
    View {
        name: "m".into(),
        files: Arc::new([Arc::new(file)]),
        definition: None,
        lock: None,
        lineage: Arc::new([]),
        registered: None,
        documents: Arc::new(BTreeMap::new()),
        now: 0,
        key: ChunkKey::from_bytes([0; 16]),
    }
}

/// Opens no file.
#[derive(Debug)]
struct Nothing;

impl Descriptors for Nothing {
    fn descriptor(&self, _: u32) -> Result<Arc<std::fs::File>, ReadError> {
        Err(ReadError::Changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::protocol::{EndingRow, FindingRow, StopRow};

    fn done() -> DoneRow {
        DoneRow {
            ending: EndingRow::NotApplicable("no".to_owned()),
            seen: vec![(4, true)],
            fuel: 10,
            memory: 1 << 16,
            table_elements: 1,
            host_calls: 3,
            handles: 2,
            bytes_read: 4,
            log: vec![(2, "a\nb".to_owned())],
            log_dropped: 0,
            instantiate_ns: u64::MAX,
            check_ns: 1,
        }
    }

    fn broken(change: impl FnOnce(&mut DoneRow)) -> String {
        let mut row = done();
        change(&mut row);
        match check(row, &view(4), &Limits::default(), Duration::from_secs(1)) {
            Err(error) => error.to_string(),
            Ok(ran) => panic!("taken: {ran:?}"),
        }
    }

    #[test]
    fn takes_what_can_be_true_and_makes_its_text_inert() {
        let ran =
            check(done(), &view(4), &Limits::default(), Duration::from_secs(1)).expect("taken");
        assert_eq!(ran.log[0].1.as_str(), "a\\nb");
        assert_eq!(ran.instantiate, Duration::from_secs(1));
        assert_eq!(ran.check, Duration::ZERO);
    }

    #[test]
    fn takes_each_chunk_once_in_order_and_within_its_file() {
        let row = |file, chunk, byte: u8| ChunkRow { file, chunk, digest: Some([byte; 16]) };
        let large = view(3 << 16);
        let mut chunks = Chunks::of(&large);
        chunks.take(&[row(0, 0, 1), row(0, 2, 1)]).expect("taken");
        assert!(!large.files[0].is_changed());
        Chunks::of(&large).take(&[row(0, 2, 2)]).expect("taken");
        assert_eq!(large.files[0].differs(), Some((2 << 16, 3 << 16)));
        let rows: [(&[ChunkRow], &str); 6] = [
            (&[], "no chunk"),
            (&[row(0, 2, 1)], "out of order"),
            (&[row(0, 1, 1)], "out of order"),
            (&[row(0, 3, 1)], "in no file"),
            (&[row(0, u64::MAX, 1)], "in no file"),
            (&[row(1, 0, 1)], "in no file"),
        ];
        for (rows, expected) in rows {
            let mut chunks = Chunks { view: &large, last: Some((0, 2)) };
            let error = chunks.take(rows).expect_err("refused").to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
        let missing = view(4);
        let torn = ChunkRow { file: 0, chunk: 0, digest: None };
        Chunks::of(&missing).take(&[torn]).expect("taken");
        assert!(missing.files[0].is_changed());
    }

    #[test]
    fn refuses_what_can_not_be_true() {
        let finding = FindingRow {
            rule: "r".to_owned(),
            severity: 5,
            confidence: 0,
            message: "m".to_owned(),
            file: None,
            member: None,
            offset: None,
            line: None,
            help: None,
        };
        let limits = Limits::default();
        let rows: [(&str, String); 17] = [
            ("other files", broken(|done| done.seen.clear())),
            ("other files", broken(|done| done.seen.push((0, false)))),
            ("does not have", broken(|done| done.seen[0].0 = 5)),
            ("does not have", broken(|done| done.seen[0] = (0, true))),
            ("does not have", broken(|done| done.seen[0].1 = false)),
            ("fuel", broken(|done| done.fuel = limits.task_fuel(4) + 1)),
            ("memory", broken(|done| done.memory = limits.memory + 1)),
            ("table elements", broken(|done| done.table_elements = limits.table_elements + 1)),
            ("handles", broken(|done| done.handles = limits.handles + 1)),
            (
                "read more than it may",
                broken(|done| done.bytes_read = limits.task_bytes_read(4) + 1),
            ),
            (
                "no such value",
                broken(|done| {
                    done.ending = EndingRow::Stopped {
                        code: StopRow::Limit(u8::MAX),
                        message: "m".to_owned(),
                        crashed: false,
                    }
                }),
            ),
            ("more often", broken(|done| done.host_calls = limits.task_host_calls(4, 1) + 2)),
            ("than its calls give", broken(|done| done.bytes_read = (3 << 20) + 1)),
            ("more lines", broken(|done| done.log = vec![(0, String::new()); 1001])),
            ("dropped", broken(|done| done.log_dropped = 4)),
            ("no level", broken(|done| done.log[0].0 = 5)),
            (
                "no such value",
                broken(|done| {
                    done.ending = EndingRow::Checked { findings: vec![finding], facts: Vec::new() }
                }),
            ),
        ];
        for (expected, said) in rows {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
}
