//! From what the check was shown to what it says: the lock entry first, then
//! the lists, then the facts.
//!
//! It leaves to others: reading ([`crate`]), comparing ([`crate::compare`]), the
//! words ([`crate::report`]).

use modelhost_check::{Definition, LockEntry, Observations, raw_path};

use crate::compare::{self, Broken, Difference, Entry, Index};
use crate::report;
use crate::sums::{self, Kind, MAX_LIST, Sums};

/// All that the check was shown of the model's files.
#[derive(Default)]
pub struct View {
    /// The files.
    pub files: Vec<Entry>,
    /// The lists among them, by path. None: too large to be read.
    lists: Vec<(String, u64, Option<Sums>)>,
}

/// Tells whether the file at a path, of a size, is a git-lfs pointer.
pub type IsPointer<'a> = &'a dyn Fn(&str, u64) -> bool;

impl View {
    /// Adds a checksum list and what it says. No content: it is too large.
    pub fn add_list(&mut self, file: &Entry, kind: Kind, content: Option<Vec<u8>>) {
        let sums = content.map(|content| sums::parse(&raw_path(&file.path), kind, &content));
        self.lists.push((file.path.clone(), file.size, sums));
    }

    /// Says what was found.
    pub fn judge(
        mut self,
        lock: Option<LockEntry>,
        definition: Option<Definition>,
        is_pointer: IsPointer<'_>,
    ) -> Observations {
        compare::sort(&mut self.files);
        let mut observations = Observations::new();
        observations.fact("files", self.files.len().to_string());
        match lock {
            Some(lock) => {
                stale(&lock, definition.as_ref(), &mut observations);
                self.judge_lock(&lock, is_pointer, &mut observations);
            }
            None => observations.push(report::not_locked()),
        }
        self.judge_lists(is_pointer, &mut observations);
        observations
    }

    fn judge_lock(
        &self,
        lock: &LockEntry,
        is_pointer: IsPointer<'_>,
        observations: &mut Observations,
    ) {
        let locked = lock.files().map(|file| Entry {
            path: file.path,
            size: file.size,
            sha256: file.sha256,
        });
        let mut locked: Vec<_> = locked.collect();
        let edits = compare::edits(&mut locked, lock.tree);
        let differences = compare::with_lock(&self.files, &locked);
        observations.fact("locked-files", locked.len().to_string());
        if edits.is_empty() && differences.is_empty() {
            observations.fact("tree", format!("sha256:{}", compare::hex(&lock.tree)));
        }
        for edit in &edits {
            observations.push(report::edited(edit));
        }
        for difference in &differences {
            let pointer = match difference {
                Difference::Size { path, found, .. } => is_pointer(path, *found),
                Difference::Content { path, size, .. } => is_pointer(path, *size),
                Difference::Missing(_) | Difference::Extra(_) => false,
            };
            observations.push(report::differs(difference, pointer));
        }
    }

    fn judge_lists(&self, is_pointer: IsPointer<'_>, observations: &mut Observations) {
        let index = Index::new(&self.files);
        let mut holding = 0u64;
        for (list, size, sums) in &self.lists {
            let Some(sums) = sums else {
                observations.push(report::too_large(list, *size, MAX_LIST));
                continue;
            };
            for claim in &sums.claims {
                let Some(broken) = index.broken(claim) else {
                    holding += 1;
                    continue;
                };
                let pointer = match &broken {
                    Broken::Content { path, size, .. } => is_pointer(path, *size),
                    Broken::Missing => false,
                };
                observations.push(report::broken(list, claim, &broken, pointer));
            }
            for finding in report::problems(list, &sums.problems) {
                observations.push(finding);
            }
        }
        if !self.lists.is_empty() {
            observations.fact("sidecar-files", holding.to_string());
        }
    }
}

/// Reports a lock entry made for another source or revision than the policy
/// asks for. Where the policy asks for none, any will do.
fn stale(lock: &LockEntry, definition: Option<&Definition>, observations: &mut Observations) {
    let Some(definition) = definition else { return };
    let pairs = [
        ("source", &definition.source, &lock.source),
        ("revision", &definition.revision, &lock.revision),
    ];
    for (what, asked, locked) in pairs {
        if let Some(asked) = asked
            && locked.as_ref() != Some(asked)
        {
            observations.push(report::stale(what, asked, locked.as_deref()));
        }
    }
}
