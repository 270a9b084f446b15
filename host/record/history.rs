//! When, how and by whom the pins of one model changed: the lock file's history in
//! git, joined with audit logs.
//!
//! Owns following a model from commit to commit ([`trace()`]) and joining what logs
//! recorded ([`History::join`]); pure but for `git`. Leaves showing it to `cli`.

pub mod git;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::digest::Digest;
use crate::domain::model::{LockEntry, ModelName};
use crate::domain::text::GuestText;
use crate::record::audit::pins;
use crate::record::audit::record::{Change, Entry, Pin, Record, Subject, Word};
use crate::record::lock::LockFile;

/// The most decisions of a history that are told one by one; the others are counted.
pub const MAX_DECISIONS: usize = 1000;

/// The most changes of pins that are taken from logs; the others are counted.
const MAX_RECORDED: usize = 1000;

/// What the lock file was at one moment.
#[derive(Clone, Debug)]
pub enum State {
    /// Not there.
    Absent,
    /// There, and it says this.
    Lock(Arc<LockFile>),
    /// There, and it can't be read: why not.
    Unreadable(GuestText),
}

/// A change of the lock file.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it was made.
    pub place: Place,
    /// The lock file before.
    pub old: State,
    /// And after.
    pub new: State,
}

/// Where a change was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this commit.
    Commit {
        /// Its name.
        id: String,
        /// Who wrote it.
        author: GuestText,
        /// When it was committed, seconds since 1970-01-01T00:00:00Z.
        time: u64,
        /// Its first line.
        subject: GuestText,
    },
    /// In no commit yet.
    Uncommitted,
    /// In no commit that is known: this is all that a log recorded of it.
    Log(Recorded),
}

/// What a log says of when and by whom something was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When, seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// By whom.
    pub actor: Option<GuestText>,
    /// On which commit.
    pub commit: Option<GuestText>,
}

/// One row of a history.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where the change was made.
    pub place: Place,
    /// What changed; or why the lock file can't be read there.
    pub change: Result<Pin<'static>, GuestText>,
    /// The name that the model had before, where it had another.
    pub renamed: Option<ModelName>,
    /// Set where the lock file before can't be read: what changed is not known then.
    pub before: Option<GuestText>,
    /// When and by whom the same change was recorded in a log.
    pub recorded: Option<Recorded>,
    /// What was decided of the model as it was from there on, oldest first.
    pub decisions: Vec<DecisionRow>,
    /// How many more decisions there are.
    pub more_decisions: u64,
}

/// One decision on a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// What was decided of the model.
    pub decision: Word,
    /// When and by whom.
    pub recorded: Recorded,
}

/// The history of one model.
#[derive(Clone, Debug)]
pub struct History {
    /// The names of the model, the newest first.
    pub names: Vec<ModelName>,
    /// The rows, newest first.
    pub rows: Vec<Row>,
    /// What was decided of the model with files that no row pins: changed and denied,
    /// or let pass by a waiver. The newest first.
    pub not_pinned: Vec<NotPinned>,
}

/// What was decided of a model with files that it was never pinned with.
#[derive(Clone, Debug)]
pub struct NotPinned {
    /// The digest over these files.
    pub tree: Digest,
    /// What was decided, oldest first.
    pub decisions: Vec<DecisionRow>,
    /// How many more decisions there are.
    pub more_decisions: u64,
}

/// Follows the model `name` along `steps`, which lead from now into the past, and
/// under the names that it had before.
///
/// # Errors
/// Returns the first error of `steps`.
pub fn trace<E>(
    name: ModelName,
    steps: impl IntoIterator<Item = Result<Step, E>>,
) -> Result<History, E> {
    let mut names = vec![name.clone()];
    let mut name = name;
    let mut rows = Vec::new();
    for step in steps {
        let Step { place, old, new } = step?;
        let (change, before, renamed) = match (&old, &new) {
            (_, State::Unreadable(why)) => (Err(why.clone()), None, None),
            _ => {
                let new_entry = entry(&new, &name);
                let (old_entry, renamed) = match (entry(&old, &name), new_entry) {
                    (None, Some(entry)) => match moved(&old, &new, entry) {
                        Some((other, entry)) => (Some(entry), Some(other.clone())),
                        None => (None, None),
                    },
                    (found, _) => (found, None),
                };
                let none = Change { old: None, new: None };
                let before = match &old {
                    State::Unreadable(why) => Some(why.clone()),
                    _ => None,
                };
                let pin = match &renamed {
                    Some(_) => Some(pins::between(name.as_str(), old_entry, new_entry, none)),
                    None => pins::model(name.as_str(), old_entry, new_entry, none),
                };
                let Some(pin) = pin else { continue };
                (Ok(pin), before, renamed)
            }
        };
        if let Some(other) = &renamed {
            name = other.clone();
            names.push(other.clone());
        }
        rows.push(Row {
            place,
            change,
            renamed,
            before,
            recorded: None,
            decisions: Vec::new(),
            more_decisions: 0,
        });
    }
    Ok(History { names, rows, not_pinned: Vec::new() })
}

fn entry<'a>(state: &'a State, name: &ModelName) -> Option<&'a LockEntry> {
    match state {
        State::Lock(lock) => lock.models.get(name),
        _ => None,
    }
}

/// Returns the one model that `old` has, `new` has not, and whose files are those of
/// `entry`: it was given another name.
fn moved<'a>(
    old: &'a State,
    new: &State,
    entry: &LockEntry,
) -> Option<(&'a ModelName, &'a LockEntry)> {
    let (State::Lock(old), State::Lock(new)) = (old, new) else { return None };
    let mut gone = old
        .models
        .iter()
        .filter(|(name, before)| before.tree == entry.tree && !new.models.contains_key(*name));
    let only = gone.next()?;
    gone.next().is_none().then_some(only)
}

/// Collects what logs recorded of one model, record by record.
#[derive(Debug, Default)]
pub struct Collected {
    pins: Vec<(Pin<'static>, Recorded)>,
    more_pins: u64,
    decisions: BTreeMap<Digest, Vec<DecisionRow>>,
    kept: usize,
    more: BTreeMap<Digest, u64>,
}

impl Collected {
    /// Returns how many changes of pins logs recorded beyond those that are told.
    pub const fn more_pins(&self) -> u64 {
        self.more_pins
    }

    /// Notes what `record` says of a model of one of `names`, or of files that are
    /// those of `history`.
    pub fn take(&mut self, record: &Record<'_>, history: &History) {
        let is_named = |name: &str| history.names.iter().any(|known| known.as_str() == name);
        let text = |text: &Option<crate::record::audit::fields::Text<'_>>| {
            text.as_ref().map(|text| GuestText::new(text.as_str(), 256))
        };
        let recorded = || Recorded {
            time: record.time.0,
            actor: text(&record.actor),
            commit: text(&record.commit),
        };
        match &record.entry {
            Entry::Pin(pin) if pin.subject == Subject::Model && is_named(pin.name.as_str()) => {
                let has_room = self.pins.len() < MAX_RECORDED;
                self.more_pins += u64::from(!has_room);
                self.pins.extend(has_room.then(|| (owned(pin), recorded())));
            }
            Entry::Decision(decision) => {
                for model in &decision.models {
                    let Some(tree) = &model.tree else { continue };
                    if !is_named(model.name.as_str()) && !history.has(tree.0) {
                        continue;
                    }
                    if self.kept >= 10 * MAX_DECISIONS {
                        *self.more.entry(tree.0).or_default() += 1;
                        continue;
                    }
                    self.kept += 1;
                    let row = DecisionRow { decision: model.decision, recorded: recorded() };
                    self.decisions.entry(tree.0).or_default().push(row);
                }
            }
            _ => {}
        }
    }
}

impl History {
    /// Returns whether a row pins files of this digest.
    fn has(&self, tree: Digest) -> bool {
        self.rows.iter().any(|row| new_tree(row) == Some(tree))
    }

    /// Joins what logs recorded: to the row of the same change when and by whom, to
    /// the row that the files are from what was decided; a change that no commit has
    /// becomes a row, and files that none pins are told of by themselves.
    pub fn join(&mut self, collected: Collected) {
        let Collected { pins, decisions, more, .. } = collected;
        for (pin, recorded) in pins {
            let same = self.rows.iter_mut().rev().find(|row| {
                row.recorded.is_none()
                    && !matches!(row.place, Place::Log(_))
                    && row.change.as_ref().is_ok_and(|change| change.digest == pin.digest)
            });
            match same {
                Some(row) => row.recorded = Some(recorded),
                None => self.rows.push(Row {
                    place: Place::Log(recorded),
                    change: Ok(pin),
                    renamed: None,
                    before: None,
                    recorded: None,
                    decisions: Vec::new(),
                    more_decisions: 0,
                }),
            }
        }
        // The order of commits stands: clocks of machines differ.
        if self.rows.iter().all(|row| matches!(row.place, Place::Log(_))) {
            self.rows.reverse();
        } else {
            let is_log = |row: &Row| matches!(row.place, Place::Log(_));
            let (logged, mut rows): (Vec<Row>, Vec<Row>) =
                std::mem::take(&mut self.rows).into_iter().partition(is_log);
            for row in logged {
                let at = rows.iter().position(|other| time(other) <= time(&row));
                rows.insert(at.unwrap_or(rows.len()), row);
            }
            self.rows = rows;
        }
        self.drop_what_is_recorded();
        for (tree, mut found) in decisions {
            if self.has(tree) {
                found.into_iter().for_each(|decision| self.decide(tree, decision));
                continue;
            }
            found.sort_by_key(|decision| decision.recorded.time);
            // The last of them is what the files were left at.
            let more_decisions = found.len().saturating_sub(MAX_DECISIONS);
            let decisions = found.split_off(more_decisions);
            let more_decisions = more_decisions as u64;
            self.not_pinned.push(NotPinned { tree, decisions, more_decisions });
        }
        for (tree, count) in more {
            let row = self.rows.iter_mut().find(|row| new_tree(row) == Some(tree));
            row.into_iter().for_each(|row| row.more_decisions += count);
            let other = self.not_pinned.iter_mut().find(|other| other.tree == tree);
            other.into_iter().for_each(|other| other.more_decisions += count);
        }
        let newest = |other: &NotPinned| other.decisions.last().map(|last| last.recorded.time);
        self.not_pinned.sort_by_key(|other| std::cmp::Reverse(newest(other)));
        for row in &mut self.rows {
            row.decisions.sort_by_key(|decision| decision.recorded.time);
        }
    }

    /// Where no commit is known, takes away the row of the lock file as it is, if a
    /// log says how it came to be so.
    fn drop_what_is_recorded(&mut self) {
        let is_commit = |row: &Row| matches!(row.place, Place::Commit { .. });
        if self.rows.iter().any(is_commit) {
            return;
        }
        let logged: Vec<Digest> = self
            .rows
            .iter()
            .filter(|row| matches!(row.place, Place::Log(_)))
            .filter_map(new_tree)
            .collect();
        self.rows.retain(|row| {
            row.place != Place::Uncommitted
                || new_tree(row).is_none_or(|tree| !logged.contains(&tree))
        });
    }

    /// Adds a decision to the newest row that pinned those files by then; to the
    /// oldest where it is older than all, as one made before the commit is.
    fn decide(&mut self, tree: Digest, decision: DecisionRow) {
        let mut pinned: Vec<&mut Row> =
            self.rows.iter_mut().filter(|row| new_tree(row) == Some(tree)).collect();
        let when = decision.recorded.time;
        let at = pinned.iter().position(|row| time(row) <= when);
        let at = at.unwrap_or(pinned.len().saturating_sub(1));
        let Some(row) = pinned.get_mut(at) else { return };
        if row.decisions.len() < MAX_DECISIONS {
            row.decisions.push(decision);
        } else {
            row.more_decisions += 1;
        }
    }
}

fn new_tree(row: &Row) -> Option<Digest> {
    row.change.as_ref().ok()?.digest.new.map(|digest| digest.0)
}

/// When the change of a row was made; what is not committed is newest.
const fn time(row: &Row) -> u64 {
    match &row.place {
        Place::Commit { time, .. } => *time,
        Place::Uncommitted => u64::MAX,
        Place::Log(recorded) => recorded.time,
    }
}

/// Copies what a record says of a pin, without its line.
fn owned(pin: &Pin<'_>) -> Pin<'static> {
    use crate::record::audit::fields::Text;
    use crate::record::audit::record::FileChange;
    let text = |text: &Text<'_>| Text::new(text.as_str().to_owned());
    let change = |change: &Option<Change<Text<'_>>>| {
        change.as_ref().map(|change| Change {
            old: change.old.as_ref().map(text),
            new: change.new.as_ref().map(text),
        })
    };
    let files = pin.files.iter();
    Pin {
        subject: pin.subject,
        name: text(&pin.name),
        digest: pin.digest,
        source: change(&pin.source),
        revision: change(&pin.revision),
        version: change(&pin.version),
        files: files
            .map(|file| FileChange { path: text(&file.path), old: file.old, new: file.new })
            .collect(),
        not_listed: pin.not_listed,
        lock: pin.lock,
    }
}

#[cfg(test)]
mod tests;
