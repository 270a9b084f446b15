//! From what the check was shown to what it says: the lock entry first, then
//! the lists, then the facts.
//!
//! It leaves to others: reading ([`crate`]), comparing ([`crate::compare`]), the
//! words ([`crate::report`]).

use modelhost_check::{Definition, Failure, LockEntry, LockedParts, Observations, raw_path};

use crate::compare::{self, Broken, Difference, Entry, Index};
use crate::narrow::Where;
use crate::shards::Inconsistency;
use crate::sums::{self, Kind, MAX_LIST, Sums};
use crate::{names, report};

/// All that the check was shown of the model's files.
#[derive(Default)]
pub struct View {
    /// The files.
    pub files: Vec<Entry>,
    /// The lists among them, by path. None: too large to be read.
    lists: Vec<(String, u64, Option<Sums>)>,
    /// How shards differ from the index at a path.
    pub inconsistencies: Vec<(String, Inconsistency)>,
}

/// What more can be looked at of files that differ.
pub trait Looks {
    /// Tells whether the file at a path, of a size, is a git-lfs pointer.
    fn is_pointer(&self, path: &str, size: u64) -> bool;

    /// Finds where the file at a path differs from the locked one, by its parts.
    ///
    /// # Errors
    /// Says that it can't be read.
    fn narrow(&self, path: &str, parts: &LockedParts) -> Result<Option<Where>, Failure>;
}

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
        looks: &dyn Looks,
    ) -> Result<Observations, Failure> {
        compare::sort(&mut self.files);
        let mut observations = Observations::new();
        observations.fact("files", self.files.len().to_string());
        match lock {
            Some(lock) => {
                stale(&lock, definition.as_ref(), &mut observations);
                self.judge_lock(&lock, looks, &mut observations)?;
            }
            None => observations.push(report::not_locked()),
        }
        self.judge_lists(looks, &mut observations);
        for (twins, first, path) in names::twins(self.files.iter().map(|file| file.path.as_str())) {
            observations.push(report::twin(twins, first, path));
        }
        for file in self.files.iter().filter(|file| file.path.contains('\\')) {
            observations.push(report::unsafe_path(&file.path));
        }
        for (index, inconsistency) in &self.inconsistencies {
            observations.push(report::inconsistent(index, inconsistency));
        }
        Ok(observations)
    }

    fn judge_lock(
        &self,
        lock: &LockEntry,
        looks: &dyn Looks,
        observations: &mut Observations,
    ) -> Result<(), Failure> {
        let locked = lock.files().map(|file| Entry {
            path: file.path,
            size: file.size,
            sha256: file.sha256,
        });
        let mut locked: Vec<_> = locked.collect();
        let edits = compare::edits(&mut locked, lock.tree);
        let differences = compare::with_lock(&self.files, &locked);
        let differences = compare::renamed(differences, &self.files, &locked);
        observations.fact("locked-files", locked.len().to_string());
        if edits.is_empty() && differences.is_empty() {
            observations.fact("tree", format!("sha256:{}", compare::hex(&lock.tree)));
        }
        for edit in &edits {
            observations.push(report::edited(edit));
        }
        for difference in &differences {
            let pointer = match difference {
                Difference::Size { path, found, .. } => looks.is_pointer(path, *found),
                Difference::Content { path, size, .. } => looks.is_pointer(path, *size),
                _ => false,
            };
            let place = match difference {
                Difference::Content { path, .. } if !pointer => match lock.parts(path) {
                    Some(parts) => looks.narrow(path, &parts)?,
                    None => None,
                },
                _ => None,
            };
            observations.push(report::differs(difference, pointer, place.as_ref()));
        }
        Ok(())
    }

    fn judge_lists(&self, looks: &dyn Looks, observations: &mut Observations) {
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
                    Broken::Content { path, size, .. } => looks.is_pointer(path, *size),
                    Broken::Missing => false,
                };
                observations.push(report::broken(list, claim, &broken, pointer));
            }
            for finding in report::problems(list, &sums.problems, sums.claims.len()) {
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
