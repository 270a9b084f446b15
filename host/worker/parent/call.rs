//! Having a worker run one task, and saying how it ended whatever the worker
//! does.
//!
//! Leaves what a worker says of the task to `trust` and the engine's border.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{GRACE, START, Slot, SlotTask, Workers, fault, interruption, within};
use crate::domain::capability::Limit;
use crate::domain::evidence::FileCoverage;
use crate::domain::registry::Registered;
use crate::domain::text::GuestText;
use crate::domain::verdict::{Coverage, Failure, FailureCode, Outcome, Usage};
use crate::engine::{Called, Ran, View};
use crate::model::FileHandle;
use crate::worker::channel::{Broken, DESCRIPTORS, Patience};
use crate::worker::process::{Process, ending};
use crate::worker::protocol::{FromWorker, ROWS, ToWorker, max_done};
use crate::worker::{translate, trust};

/// How many files are handed over at once to a worker that reads one after the
/// other; it keeps twice as many.
const AHEAD: usize = DESCRIPTORS;

impl Workers {
    /// Runs one task of the plugin in `slot` to its end.
    #[expect(
        clippy::disallowed_methods,
        reason = "measures what a worker says of its times against this clock"
    )]
    pub fn call(&self, slot: &Slot, task: SlotTask<'_>) -> Called {
        let mut process = match self.take(slot, task.interrupted) {
            Ok(process) => process,
            Err(failure) => return no_answer(failure, task.view),
        };
        let started = Instant::now();
        match self.ask_to_run(&mut process, slot, task) {
            Ok(ran) => {
                self.put(process);
                ran.judge(task.manifest, task.view, &slot.limits)
            }
            Err(error) => {
                self.note_rss(&process);
                let failure = not_run(error, &mut process);
                Called { check: started.elapsed(), ..no_answer(failure, task.view) }
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a worker is held to this clock")]
    fn ask_to_run(
        &self,
        process: &mut Process,
        slot: &Slot,
        task: SlotTask<'_>,
    ) -> Result<Ran, Broken> {
        let view = task.view;
        let size = view.size();
        let deadline = slot.limits.task_deadline(size);
        process.next_exchange();
        self.bound(process, slot.memory(view), process.age() + deadline + START);
        let last = show(process, view, within(START, task.interrupted))?;
        let open = if view.files.len() <= AHEAD { open_ahead(&view.files) } else { Vec::new() };
        let handed = (0..).take(open.len()).collect();
        let beside: Vec<_> = open.iter().map(AsFd::as_fd).collect();
        let started = Instant::now();
        let patience = within(deadline + GRACE, task.interrupted);
        process.channel.send(
            &ToWorker::Task(Box::new(translate::task_row(view, last, handed))),
            &beside,
            patience,
        )?;
        drop(open);
        let most = max_done(view.files.len(), &slot.limits);
        // A guest's call opens at most one file.
        let mut opens = slot.limits.task_host_calls(size, view.files.len() as u64);
        let mut chunks = trust::Chunks::of(view);
        // The file after the last one that was handed over.
        let mut next = 0;
        loop {
            match process.channel.receive(most, patience)? {
                FromWorker::Open { index } => {
                    opens = opens
                        .checked_sub(1)
                        .ok_or(Broken::Rules("it asked for more files than it may make calls"))?;
                    let index = index as usize;
                    let rest = view.files.get(index..).unwrap_or_default();
                    let (file, after) = rest
                        .split_first()
                        .ok_or(Broken::Rules("it asked for a file that it was not shown"))?;
                    match file.file() {
                        Ok(file) => {
                            let mut open = vec![file];
                            // Whoever reads one file after the other asks once for several.
                            if index == next {
                                let more = after.len().min(AHEAD - 1);
                                open.extend(open_ahead(&after[..more]));
                            }
                            next = index + open.len();
                            let beside: Vec<_> = open.iter().map(AsFd::as_fd).collect();
                            process.channel.send(&ToWorker::Opened(Ok(())), &beside, patience)?;
                        }
                        Err(error) => {
                            let answer = ToWorker::Opened(Err(translate::read_row(&error)));
                            process.channel.send(&answer, &[], patience)?;
                        }
                    }
                }
                FromWorker::Chunks(rows) => chunks.take(&rows)?,
                FromWorker::Done(done) => {
                    return trust::check(*done, view, &slot.limits, started.elapsed());
                }
                FromWorker::Fault(text) => {
                    tracing::warn!("a worker failed: {}", GuestText::capped(&text));
                    return Err(Broken::Rules("it failed"));
                }
                _ => return Err(Broken::Rules("it spoke out of turn")),
            }
        }
    }
}

/// Opens files before they are asked for, since asking costs as much as running a
/// small task. Ends before the first that can't be opened: it is left to be asked
/// for, and its error to be told then.
fn open_ahead(files: &[Arc<FileHandle>]) -> Vec<Arc<File>> {
    files.iter().map_while(|file| file.file().ok()).collect()
}

/// Tells a worker what the task to come sees: the lock entry where it is another
/// than the last, and the files but for the last ones, which it returns.
fn show<'a>(
    process: &mut Process,
    view: &'a View,
    patience: Patience<'_>,
) -> Result<&'a [Arc<FileHandle>], Broken> {
    if !is_same(process.lock.as_ref(), view.lock.as_ref()) {
        process.channel.send(
            &ToWorker::Lock(view.lock.as_deref().map(translate::lock_head)),
            &[],
            patience,
        )?;
        for files in view.lock.iter().flat_map(|lock| lock.files.chunks(ROWS)) {
            let rows = files.iter().map(translate::locked_row).collect();
            process.channel.send(&ToWorker::LockedFiles(rows), &[], patience)?;
        }
        process.lock.clone_from(&view.lock);
    }
    if !Arc::ptr_eq(&process.lineage, &view.lineage) {
        let rows = view.lineage.iter().map(translate::base_row).collect();
        process.channel.send(&ToWorker::Lineage(rows), &[], patience)?;
        process.lineage = Arc::clone(&view.lineage);
    }
    if !is_same(process.registered.as_ref(), view.registered.as_ref()) {
        show_registered(process, view.registered.as_deref(), patience)?;
        process.registered.clone_from(&view.registered);
    }
    let mut chunks = view.files.chunks(ROWS);
    let last = chunks.next_back().unwrap_or_default();
    for files in chunks {
        let rows = files.iter().map(|file| translate::file_row(file)).collect();
        process.channel.send(&ToWorker::Files(rows), &[], patience)?;
    }
    Ok(last)
}

/// Tells a worker what the trusted registry says that may be about the model of
/// the tasks to come.
fn show_registered(
    process: &mut Process,
    registered: Option<&Registered>,
    patience: Patience<'_>,
) -> Result<(), Broken> {
    let set = registered.map(|registered| translate::set_row(&registered.set));
    process.channel.send(&ToWorker::Registry(set), &[], patience)?;
    for entry in registered.iter().flat_map(|registered| &registered.entries) {
        let row = Box::new(translate::entry_row(entry));
        process.channel.send(&ToWorker::RegistryEntry(row), &[], patience)?;
        for files in entry.files.chunks(ROWS) {
            let rows = files.iter().map(translate::registered_row).collect();
            process.channel.send(&ToWorker::RegistryFiles(rows), &[], patience)?;
        }
    }
    Ok(())
}

/// Tells whether a worker knows by what it was told last.
fn is_same<T>(told: Option<&Arc<T>>, now: Option<&Arc<T>>) -> bool {
    match (told, now) {
        (None, None) => true,
        (Some(told), Some(now)) => Arc::ptr_eq(told, now),
        _ => false,
    }
}

/// Says why a task has no answer.
fn not_run(error: Broken, process: &mut Process) -> Failure {
    let late =
        || Failure::new(FailureCode::Limit(Limit::Deadline), "it ran past its wall deadline");
    let status = process.end();
    match error {
        Broken::Late => late(),
        Broken::Interrupted => interruption(),
        Broken::Gone => {
            let signal = status.and_then(|status| status.signal());
            if signal.and_then(Signal::from_named_raw) == Some(Signal::XCPU) {
                return late();
            }
            Failure::new(FailureCode::Worker, &ending(status))
        }
        error => fault(&error.to_string()),
    }
}

fn no_answer(failure: Failure, view: &View) -> Called {
    let untouched = |file: &Arc<FileHandle>| FileCoverage {
        coverage: Coverage { file: file.path().clone(), size: file.size(), read: 0 },
        start: false,
    };
    Called {
        outcome: Outcome::Failed(failure),
        coverage: view.files.iter().map(untouched).collect(),
        usage: Usage::default(),
        log: Vec::new(),
        log_dropped: 0,
        instantiate: Duration::ZERO,
        check: Duration::ZERO,
    }
}
