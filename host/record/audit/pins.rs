//! How one lock file differs from another, as records of the log.
//!
//! Leaves what a lock file says to `lock`.

use std::collections::BTreeMap;

use super::fields::{Digest, Text};
use super::record::{Change, Entry, FileChange, Pin, Subject};
use crate::domain::digest;
use crate::domain::model::{FilePath, LockEntry, LockedFile};
use crate::record::lock::{LockFile, LockedPlugin};

/// The most files in one record, and the most bytes of their paths: they fit a
/// line.
const MAX_FILES: usize = 1000;
const MAX_PATHS: usize = 256 << 10;

/// Returns what is to be recorded of `new` in place of `old`: one entry for each
/// model and each plugin of which another thing is pinned, sorted.
pub fn changes(
    old: &LockFile,
    new: &LockFile,
    lock: Change<digest::Digest>,
) -> Vec<Entry<'static>> {
    let lock = Change { old: lock.old.map(Digest), new: lock.new.map(Digest) };
    let models = both(&old.models, &new.models)
        .filter_map(|(name, old, new)| model(name.as_str(), old, new, lock));
    let plugins = both(&old.plugins, &new.plugins)
        .filter_map(|(id, old, new)| plugin(id.as_str(), old, new, lock));
    models.chain(plugins).map(Entry::Pin).collect()
}

/// Pairs the entries of two maps by their keys, in the order of the keys.
fn both<'a, K: Ord, V>(
    old: &'a BTreeMap<K, V>,
    new: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Option<&'a V>, Option<&'a V>)> {
    let mut keys: Vec<&K> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().map(|key| (key, old.get(key), new.get(key)))
}

/// Returns how what is pinned of the model `name` differs; none where it does not.
pub fn model(
    name: &str,
    old: Option<&LockEntry>,
    new: Option<&LockEntry>,
    lock: Change<Digest>,
) -> Option<Pin<'static>> {
    let pin = between(name, old, new, lock);
    let text = |change: &Option<Change<Text<'_>>>| {
        change.as_ref().is_none_or(|change| change.old == change.new)
    };
    let is_same = old.is_some() == new.is_some()
        && pin.digest.old == pin.digest.new
        && text(&pin.source)
        && text(&pin.revision);
    (!is_same).then_some(pin)
}

/// Returns what is pinned of the model `name` before and after, be it the same.
pub fn between(
    name: &str,
    old: Option<&LockEntry>,
    new: Option<&LockEntry>,
    lock: Change<Digest>,
) -> Pin<'static> {
    let tree = |entry: &LockEntry| Digest(entry.tree.digest());
    let (files, not_listed) = files(old, new);
    Pin {
        subject: Subject::Model,
        name: owned(name),
        digest: Change { old: old.map(tree), new: new.map(tree) },
        source: of(old, new, |entry| entry.source.as_deref()),
        revision: of(old, new, |entry| entry.revision.as_deref()),
        version: None,
        files,
        not_listed,
        lock,
    }
}

fn plugin(
    id: &str,
    old: Option<&LockedPlugin>,
    new: Option<&LockedPlugin>,
    lock: Change<Digest>,
) -> Option<Pin<'static>> {
    let digest_of = |entry: &LockedPlugin| Digest(entry.digest);
    let digest = Change { old: old.map(digest_of), new: new.map(digest_of) };
    let version_of = |entry: &LockedPlugin| Text::new(entry.version.to_string());
    let version = Change { old: old.map(version_of), new: new.map(version_of) };
    (digest.old != digest.new || version.old != version.new).then(|| Pin {
        subject: Subject::Plugin,
        name: owned(id),
        digest,
        source: None,
        revision: None,
        version: Some(version),
        files: Vec::new(),
        not_listed: 0,
        lock,
    })
}

fn owned(text: &str) -> Text<'static> {
    Text::new(text.to_owned())
}

/// Returns a text of the entries before and after; none where neither has it.
fn of(
    old: Option<&LockEntry>,
    new: Option<&LockEntry>,
    get: fn(&LockEntry) -> Option<&str>,
) -> Option<Change<Text<'static>>> {
    let text = |entry: Option<&LockEntry>| entry.and_then(get).map(owned);
    let (old, new) = (text(old), text(new));
    (old.is_some() || new.is_some()).then_some(Change { old, new })
}

/// Returns the files that differ, by path, as many as fit a line, and how many more
/// there are.
fn files(old: Option<&LockEntry>, new: Option<&LockEntry>) -> (Vec<FileChange<'static>>, u64) {
    let (old, new) = (by_path(old), by_path(new));
    let (mut listed, mut bytes, mut more) = (Vec::new(), 0, 0);
    for (path, old, new) in both(&old, &new) {
        if old.map(|file| (file.size, file.digest)) == new.map(|file| (file.size, file.digest)) {
            continue;
        }
        bytes += path.as_str().len();
        if listed.len() >= MAX_FILES || bytes > MAX_PATHS {
            more += 1;
            continue;
        }
        let digest = |file: Option<&&LockedFile>| file.map(|file| Digest(file.digest));
        listed.push(FileChange { path: owned(path.as_str()), old: digest(old), new: digest(new) });
    }
    (listed, more)
}

fn by_path(entry: Option<&LockEntry>) -> BTreeMap<&FilePath, &LockedFile> {
    entry.into_iter().flat_map(|entry| &entry.files).map(|file| (&file.path, file)).collect()
}
