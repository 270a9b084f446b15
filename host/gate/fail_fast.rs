//! `--fail-fast`: what tells at once that a model is not the locked one, before a byte
//! of it is hashed: sizes, git-lfs pointers, missing files.
//!
//! Leaves everything else to the `checksum` plugin, which tells of these as well where
//! the run goes on.

use std::collections::BTreeMap;

use crate::domain::finding::{Confidence, Finding, Location, RuleId, Severity};
use crate::domain::model::LockEntry;
use crate::domain::text::GuestText;
use crate::model::{Model, content};

/// The most of a file that tells a git-lfs pointer.
const START: usize = 64;

/// Notes at each model how it differs from its lock entry by what needs no hashing, and
/// returns whether any does.
pub(super) fn look(models: &mut [Model]) -> bool {
    let mut differs = false;
    for model in models {
        let Some(lock) = model.lock.clone() else { continue };
        let found = differences(model, &lock);
        differs |= !found.is_empty();
        model.findings.extend(found);
    }
    differs
}

fn differences(model: &Model, lock: &LockEntry) -> Vec<Finding> {
    let files: BTreeMap<_, _> = model.files.iter().map(|file| (file.path(), file)).collect();
    let mut findings = Vec::new();
    for locked in &lock.files {
        let (rule, message) = match files.get(&locked.path) {
            None => {
                ("missing-file", "the file is locked, and the model does not have it".to_owned())
            }
            Some(file) if file.size() == locked.size => continue,
            Some(file)
                if file.read(0, START).is_ok_and(|start| content::is_lfs_pointer(&start)) =>
            {
                (
                    "lfs-pointer",
                    "the file is a git-lfs pointer: the real one was never fetched".to_owned(),
                )
            }
            Some(file) => (
                "size-mismatch",
                format!("the file has {} bytes, and was locked with {}", file.size(), locked.size),
            ),
        };
        findings.push(Finding {
            rule: RuleId::gate(rule),
            severity: Severity::High,
            confidence: Confidence::High,
            message: GuestText::capped(&message),
            location: Location::file(locked.path.clone()),
            help: Some(GuestText::capped(
                "nothing was hashed and no check ran, since --fail-fast ends a run at the first look; without it all differences are told",
            )),
        });
    }
    findings
}
