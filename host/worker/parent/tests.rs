//! Workers that lie, stall or die: whatever they do ends as an error, in time.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::*;
use crate::domain::capability::LimitsAsked;
use crate::domain::finding::Severity;
use crate::domain::model::FilePath;
use crate::domain::plugin::{PluginId, Reads, Rule, Scope};
use crate::domain::verdict::{Answer, Outcome};
use crate::model::{ChunkKey, Descriptors, FileHandle, ReadError};
use crate::worker::channel::Channel;
use crate::worker::protocol::{DoneRow, EndingRow, FindingRow, ReadRow, StopRow};

#[derive(Debug)]
struct Gone;

impl Descriptors for Gone {
    fn descriptor(&self, _: u32) -> Result<Arc<std::fs::File>, ReadError> {
        Err(ReadError::Changed)
    }
}

fn view() -> View {
    let from: Arc<dyn Descriptors> = Arc::new(Gone);
    View {
        name: "m".into(),
        files: Arc::new([Arc::new(FileHandle::handed(&from, 0, FilePath::from_bytes(b"f"), 4))]),
        definition: None,
        lock: None,
        lineage: Arc::new([]),
        registered: None,
        documents: Arc::new(BTreeMap::new()),
        now: 0,
        key: ChunkKey::from_bytes([0; 16]),
    }
}

fn manifest() -> Manifest {
    Manifest {
        id: PluginId::new("p").expect("an id"),
        version: semver::Version::new(1, 0, 0),
        title: String::new(),
        description: String::new(),
        license: None,
        homepage: None,
        rules: vec![Rule {
            name: "bad".to_owned(),
            title: String::new(),
            severity: Severity::High,
            help: String::new(),
            missing: false,
        }],
        files: Vec::new(),
        scope: Scope::Model,
        reads: Reads::Whole,
        judges: false,
        settings: None,
        limits: LimitsAsked::default(),
    }
}

fn done(ending: EndingRow) -> FromWorker {
    FromWorker::Done(Box::new(DoneRow {
        ending,
        seen: vec![(4, true)],
        fuel: 1,
        memory: 0,
        table_elements: 0,
        host_calls: 1,
        handles: 1,
        bytes_read: 4,
        log: Vec::new(),
        log_dropped: 0,
        instantiate_ns: 0,
        check_ns: 0,
    }))
}

fn finding(rule: &str, message: &str, file: &str) -> EndingRow {
    let finding = FindingRow {
        rule: rule.to_owned(),
        severity: 4,
        confidence: 2,
        message: message.to_owned(),
        file: Some(file.to_owned()),
        member: None,
        offset: None,
        line: None,
        help: None,
    };
    EndingRow::Checked { findings: vec![finding], facts: Vec::new() }
}

/// Reads what the gate says up to the task, then does what `play` says; returns
/// how the task ended.
fn played(play: impl FnOnce(&mut Channel) + Send) -> Outcome {
    let workers =
        Workers::new(Program { path: PathBuf::from("/bin/sleep"), args: vec!["60".to_owned()] });
    let limits = Limits { deadline: Duration::from_millis(300), ..Limits::default() };
    let slot = Slot {
        id: 1,
        code: Sealed::of([b"code".as_slice()]).expect("sealed"),
        documents: None,
        names: Vec::new(),
        grants: Grants::default(),
        settings: "{}".to_owned(),
        limits,
        compile_rss: None,
    };
    let (ours, theirs) = UnixStream::pair().expect("a socket");
    let mut process = Process::start(&workers.program).expect("a process");
    process.channel = Channel::new(ours, 7).expect("a channel");
    process.isolation = Some(Isolation::default());
    process.slot = Some(1);
    workers.put(process);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut channel = Channel::new(theirs, 0).expect("a channel");
            while let Ok((message, _)) = channel.receive_with_descriptors::<ToWorker>(1 << 20) {
                if matches!(message, ToWorker::Task(_)) {
                    play(&mut channel);
                    break;
                }
            }
        });
        let started = Instant::now();
        let task = SlotTask { manifest: &manifest(), view: &view(), interrupted: &Arc::default() };
        let called = workers.call(&slot, task);
        assert!(started.elapsed() < Duration::from_millis(1300), "{:?}", started.elapsed());
        assert_eq!(called.coverage.len(), 1);
        called.outcome
    })
}

fn say(channel: &Channel, message: &FromWorker) {
    let _ = channel.send(message, &[], Patience::ENDLESS);
}

/// What a worker does once it was told its task.
type Play = fn(&mut Channel);

/// Returns the code and text of the failure that `play` ends in.
#[track_caller]
fn failed(play: impl FnOnce(&mut Channel) + Send) -> String {
    match played(play) {
        Outcome::Failed(failure) => format!("{}: {}", failure.code.name(), failure.message),
        other => panic!("believed: {other:?}"),
    }
}

#[test]
fn an_answer_within_bounds_is_taken() {
    let outcome = played(|channel| say(channel, &done(finding("bad", "a\nb", "f"))));
    let Outcome::Answered(Answer::Checked { findings, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(findings[0].message.as_str(), "a\\nb");
}

#[test]
fn answers_are_checked_as_a_guests_are() {
    let rows = [
        ("bad-answer: ", finding("other", "m", "f")),
        ("bad-answer: ", finding("bad", "m", "unshown")),
        ("bad-answer: ", finding("bad", "", "f")),
        ("limit/text: ", finding("bad", &"x".repeat(5000), "f")),
        (
            "trap: ",
            EndingRow::Stopped {
                code: StopRow::Trap,
                message: "\u{1b}[2J".to_owned(),
                crashed: true,
            },
        ),
    ];
    for (expected, ending) in rows {
        let said = failed(|channel| say(channel, &done(ending)));
        assert!(said.starts_with(expected) && !said.contains('\u{1b}'), "{expected}: {said}");
    }
}

#[test]
fn lies_are_errors() {
    let said = failed(|channel| {
        let FromWorker::Done(mut row) = done(EndingRow::NotApplicable("no".to_owned())) else {
            return;
        };
        row.fuel = u64::MAX;
        say(channel, &FromWorker::Done(row));
    });
    assert!(said.starts_with("worker: ") && said.contains("fuel"), "{said}");
    let said = failed(|channel| say(channel, &FromWorker::Open { index: 1 }));
    assert!(said.starts_with("worker: ") && said.contains("not shown"), "{said}");
    let said = failed(|channel| say(channel, &FromWorker::Loaded(Ok(()))));
    assert!(said.starts_with("worker: ") && said.contains("out of turn"), "{said}");
    let said = failed(|channel| say(channel, &FromWorker::Fault("\u{1b}[2J::error::".to_owned())));
    assert!(said.starts_with("worker: ") && !said.contains('\u{1b}'), "{said}");
    let said = failed(|channel| {
        let _ = channel.send_raw(&[255, 255, 255, 255, 8, 0, 0, 0], Patience::ENDLESS);
    });
    assert!(said.starts_with("worker: ") && said.contains("too long"), "{said}");
    // An answer to the task before, or to the one to come.
    for other in [7, 9] {
        let said = failed(|channel| {
            channel.exchange = other;
            say(channel, &done(EndingRow::NotApplicable("no".to_owned())));
        });
        assert!(said.starts_with("worker: ") && said.contains("another exchange"), "{said}");
    }
}

#[test]
fn silence_and_chatter_end_at_the_deadline() {
    let rows: [(&str, Play); 3] = [
        ("silence", |_| std::thread::sleep(Duration::from_millis(1500))),
        ("a byte at a time", |channel| {
            // The length of a body that never comes to its end.
            let mut bytes = vec![0, 1, 0, 0, 8, 0, 0, 0];
            while channel.send_raw(&bytes, Patience::ENDLESS).is_ok() {
                std::thread::sleep(Duration::from_millis(40));
                bytes = vec![0];
            }
        }),
        ("asking for ever", |channel| {
            loop {
                say(channel, &FromWorker::Open { index: 0 });
                let answer = channel.receive::<ToWorker>(
                    1 << 20,
                    Patience { until: Some(Instant::now() + START), interrupted: None },
                );
                let Ok(ToWorker::Opened(Err(ReadRow::Changed))) = answer else { break };
            }
        }),
    ];
    for (name, play) in rows {
        let said = failed(play);
        assert!(said.starts_with("limit/deadline: "), "{name}: {said}");
    }
}

#[test]
fn a_worker_that_goes_is_an_error() {
    let said = failed(|channel| {
        let _ = rustix::net::shutdown(channel.socket(), rustix::net::Shutdown::Both);
    });
    assert!(said.starts_with("worker: "), "{said}");
}
