//! Run a check natively on a model in memory.
//!
//! A [`Model`] stands in for the host: it shows files, a definition, a lock entry,
//! documents and a date, remembers what was read of each file, and fails where a test
//! asks it to. [`check`] runs a check on it the way the host would, and panics where
//! the host would refuse the answer.
//!
//! This module is there natively only, so it belongs into tests.

mod digest;
pub(crate) mod double;
mod lock;
mod manifest;
mod model;
mod refuse;

use std::ops::Range;

pub use serde_json::{Value, json};

pub use lock::Lock;
pub use manifest::{Manifest, ManifestRule, Reads, Scope, manifest};
pub use model::Model;

use crate::answer::{Answer, Failure};
use crate::check::{Check, run};
use crate::model::Level;

/// How large the JSON of the settings may be, as the contract says.
const MAX_SETTINGS: usize = 64 * 1024;

/// Runs a check on a model, with settings that take the same way as from the host: JSON
/// text, then serde.
///
/// What was read and logged is remembered anew for each run.
///
/// # Errors
///
/// What the check could not do, or why its settings can't be used.
///
/// # Panics
///
/// Where the host would refuse to go on: settings that are no JSON object or above
/// 64 KiB; an answer that breaks a bound of the contract or names a path that is neither in view
/// nor in the lock entry.
#[track_caller]
pub fn check<C: Check>(model: &Model, settings: Value) -> Result<Answer, Failure> {
    assert!(settings.is_object(), "settings are a JSON object");
    let settings = settings.to_string();
    assert!(
        settings.len() <= MAX_SETTINGS,
        "settings have at most 64 KiB"
    );
    *model.shared.record() = double::Record::default();
    let answer = run::<C>(&model.view(), &settings);
    if let Ok(answer) = &answer
        && let Err(why) = refuse::accept(model, answer)
    {
        panic!("the host would refuse this answer: {why}");
    }
    answer
}

/// Returns how many distinct bytes of a file were read or digested.
///
/// # Panics
///
/// If there is no file of that path.
#[must_use]
#[track_caller]
pub fn bytes_read(model: &Model, path: &str) -> u64 {
    ranges_read(model, path)
        .iter()
        .map(|range| range.end - range.start)
        .sum()
}

/// Returns which bytes of a file were read or digested: in order, apart from each other.
///
/// # Panics
///
/// If there is no file of that path.
#[must_use]
#[track_caller]
pub fn ranges_read(model: &Model, path: &str) -> Vec<Range<u64>> {
    assert!(
        model.files.contains_key(path),
        "the model has no file {path:?}"
    );
    let record = model.shared.record();
    record
        .read
        .get(path)
        .map(|ranges| ranges.iter().collect())
        .unwrap_or_default()
}

/// Returns what the check logged.
#[must_use]
pub fn logged(model: &Model) -> Vec<(Level, String)> {
    model.shared.record().log.clone()
}
