//! Following a model through made-up lock files, and joining made-up records.

use super::*;
use crate::domain::diagnostic::SourceFile;
use crate::domain::digest::TreeDigest;
use crate::domain::model::FilePath;
use crate::record::audit::fields::{Digest as DigestField, Moment, Text};
use crate::record::audit::record::{Decision, Model, SCHEMA};

/// A lock file of models, each with one file of a content.
fn lock(models: &[(&str, &str)]) -> State {
    let mut text = "version = 1\n".to_owned();
    for (name, content) in models {
        let (hex, tree) = (Digest::of(content.as_bytes()).hex(), tree(content));
        text.push_str(&format!(
            "[[model]]\nname = \"{name}\"\ntree = \"{tree}\"\nfile = [\n  \
             {{ path = \"f\", size = 1, sha256 = \"{hex}\" }},\n]\n"
        ));
    }
    let source = SourceFile { path: "modelhost.lock".into(), text: text.into() };
    State::Lock(Arc::new(LockFile::parse(&source).expect("a lock file")))
}

fn tree(content: &str) -> Digest {
    let digest = Digest::of(content.as_bytes());
    TreeDigest::of([(&FilePath::from_bytes(b"f"), 1, digest)]).digest()
}

fn steps(states: &[State]) -> Vec<Result<Step, ()>> {
    let pairs = states.windows(2).enumerate();
    let commits = pairs.map(|(index, pair)| {
        let time = 100 * index as u64;
        let author = GuestText::capped("A");
        let place =
            Place::Commit { id: index.to_string(), author: author.clone(), time, subject: author };
        Ok(Step { place, old: pair[0].clone(), new: pair[1].clone() })
    });
    let mut steps: Vec<_> = commits.collect();
    steps.reverse();
    steps
}

/// Writes a history down: the commits of its rows, what changed, and what else.
fn shown(history: &History) -> Vec<String> {
    let name = |content: Option<DigestField>| {
        let Some(digest) = content else { return "-".to_owned() };
        let known = ["1", "2", "3", "x"].into_iter().find(|text| tree(text) == digest.0);
        known.unwrap_or("?").to_owned()
    };
    let row = |row: &Row| {
        let place = match &row.place {
            Place::Commit { id, .. } => id.clone(),
            Place::Uncommitted => "now".to_owned(),
            Place::Log(recorded) => format!("log@{}", recorded.time),
        };
        let change = match &row.change {
            Ok(pin) => format!("{}>{}", name(pin.digest.old), name(pin.digest.new)),
            Err(why) => format!("unreadable ({why})"),
        };
        let before = if row.before.is_some() { " before-unreadable" } else { "" };
        let renamed = row.renamed.as_ref().map(|name| format!(" was {name}")).unwrap_or_default();
        let recorded = row.recorded.as_ref().map(|r| format!(" by@{}", r.time)).unwrap_or_default();
        let decisions: String = row
            .decisions
            .iter()
            .map(|decision| format!(" {:?}@{}", decision.decision, decision.recorded.time))
            .collect();
        format!("{place} {change}{before}{renamed}{recorded}{decisions}")
    };
    history.rows.iter().map(row).collect()
}

fn traced(states: &[State]) -> History {
    trace(ModelName::new("m"), steps(states)).expect("steps without an error")
}

#[test]
fn follows_a_model() {
    let unreadable = || State::Unreadable(GuestText::capped("line 1: x"));
    let rows: [(&[State], &[&str]); 6] = [
        (&[State::Absent, lock(&[("m", "1")]), lock(&[("m", "2")])], &["1 1>2", "0 ->1"]),
        // What changes only of others is no row; a model that is gone and back is two.
        (
            &[
                lock(&[("m", "1"), ("o", "1")]),
                lock(&[("m", "1"), ("o", "2")]),
                lock(&[("o", "2")]),
                lock(&[("m", "3"), ("o", "2")]),
            ],
            &["2 ->3", "1 1>-"],
        ),
        // Another name, and what was before under it.
        (
            &[State::Absent, lock(&[("old", "1")]), lock(&[("old", "2")]), lock(&[("m", "2")])],
            &["2 2>2 was old", "1 1>2", "0 ->1"],
        ),
        // Two that could be it: neither is taken for it.
        (&[lock(&[("a", "1"), ("b", "1")]), lock(&[("m", "1")])], &["0 ->1"]),
        // A copy is no new name.
        (&[lock(&[("a", "1")]), lock(&[("a", "1"), ("m", "1")])], &["0 ->1"]),
        (
            &[lock(&[("m", "1")]), unreadable(), lock(&[("m", "2")])],
            &["1 ->2 before-unreadable", "0 unreadable (line 1: x)"],
        ),
    ];
    for (states, expected) in rows {
        assert_eq!(shown(&traced(states)), expected);
    }
    let failing = vec![Err("no object"), Err("never asked for")];
    assert_eq!(trace(ModelName::new("m"), failing).map(|_| ()), Err("no object"));
}

fn record(time: u64, entry: Entry<'static>) -> Record<'static> {
    let digest = DigestField(Digest::of(b""));
    Record {
        schema: Text::new(SCHEMA),
        chain: Text::new("c"),
        sequence: 0,
        previous: None,
        time: Moment(time),
        clock_backwards: None,
        modelhost: Text::new("0"),
        actor: None,
        commit: None,
        ci: None,
        entry,
        digest,
    }
}

fn decided(name: &'static str, content: &str, decision: Word) -> Entry<'static> {
    let tree = Some(DigestField(tree(content)));
    Entry::Decision(Decision {
        decision: Word::Deny,
        now: Moment(0),
        report: DigestField(Digest::of(b"")),
        part: None,
        models: vec![Model { name: Text::new(name), tree, decision }],
        plugins: Vec::new(),
        policy: Vec::new(),
        not_listed: 0,
        lock: None,
        waivers: Vec::new(),
    })
}

fn pinned(old: &State, new: &State) -> Entry<'static> {
    let (State::Lock(old), State::Lock(new)) = (old, new) else { panic!("two lock files") };
    let none = Change { old: None, new: None };
    pins::changes(old, new, none).remove(0)
}

#[test]
fn joins_what_logs_recorded() {
    // 0: 1, 100: 2, 200: 1 again.
    let states = [State::Absent, lock(&[("m", "1")]), lock(&[("m", "2")]), lock(&[("m", "1")])];
    let mut history = traced(&states);
    let mut collected = Collected::default();
    let entries = [
        (50, decided("m", "1", Word::Allow)),
        (60, decided("other", "2", Word::Allow)),
        (90, pinned(&states[1], &states[2])),
        (150, decided("m", "2", Word::Deny)),
        (250, decided("m", "1", Word::Incomplete)),
        (260, decided("m", "3", Word::Allow)),
        (270, decided("other", "x", Word::Allow)),
        (280, pinned(&lock(&[("m", "2")]), &lock(&[("m", "3")]))),
        (290, pinned(&lock(&[("other", "2")]), &lock(&[("other", "3")]))),
    ];
    for (time, entry) in entries {
        collected.take(&record(time, entry), &history);
    }
    history.join(collected);
    assert_eq!(
        shown(&history),
        [
            "log@280 2>3 Allow@260",
            "2 2>1 Incomplete@250",
            "1 1>2 by@90 Allow@60 Deny@150",
            "0 ->1 Allow@50"
        ]
    );
}

#[test]
fn without_commits_the_log_is_the_history() {
    let now = lock(&[("m", "2")]);
    let step = Step { place: Place::Uncommitted, old: State::Absent, new: now.clone() };
    let mut history = trace::<()>(ModelName::new("m"), [Ok(step)]).expect("no error");
    let mut collected = Collected::default();
    let pins = [(10, &lock(&[]), &lock(&[("m", "1")])), (20, &lock(&[("m", "1")]), &now)];
    for (time, old, new) in pins {
        collected.take(&record(time, pinned(old, new)), &history);
    }
    history.join(collected);
    assert_eq!(shown(&history), ["log@20 1>2", "log@10 ->1"]);
}
