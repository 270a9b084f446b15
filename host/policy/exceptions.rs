//! Which findings a waiver or the baseline covers, and what became of each of
//! these in the run.
//!
//! What they cover no longer denies; nothing else changes. An error, a file that
//! nobody judged, a required plugin without a verdict stay what they are: none
//! of them is a finding of a plugin. Leaves the verdict to `judge`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Policy;
use super::gate;
use crate::domain::date::Date;
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::evidence::ModelEvidence;
use crate::domain::finding::{Finding, Fingerprint, RuleId, Severity};
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::report::{Ending, Judged, TaskReport};
use crate::domain::waiver::{
    Baseline, BaselineReport, Exception, Waiver, WaiverReport, WaiverState,
};

/// How many days before its last one a waiver is warned about: time to have it
/// renewed, or the finding mended.
const SOON: u64 = 14;

/// The exceptions of a run, and what they covered so far.
pub(super) struct Exceptions<'a> {
    today: Date,
    waivers: Vec<Tracked<'a>>,
    /// The waivers of a rule on a model, by their place.
    places: BTreeMap<(&'a ModelName, &'a RuleId), Vec<usize>>,
    baseline: &'a Baseline,
    /// The entries of the baseline whose finding was seen, on the same bytes.
    seen: BTreeSet<Fingerprint>,
    covered: usize,
    /// What the models that exceptions speak of hold.
    models: BTreeMap<&'a ModelName, Content>,
}

struct Tracked<'a> {
    waiver: &'a Arc<Waiver>,
    covers: usize,
    /// The digest of a finding that it would cover, were it bound to that.
    other: Option<Digest>,
}

/// What a model holds: the sizes and digests of its files.
struct Content {
    files: BTreeMap<FilePath, (u64, Digest)>,
    tree: Digest,
}

impl<'a> Exceptions<'a> {
    /// Takes the exceptions of `policy`, at the time `now`, to findings on
    /// `models`. A model without digests, and one of which a file changed or
    /// could not be read, knows no exception: nobody can tell what it holds.
    pub(super) fn new(policy: &'a Policy, models: &'a [ModelEvidence], now: u64) -> Self {
        let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (place, waiver) in policy.waivers.iter().enumerate() {
            places.entry((&waiver.model, &waiver.rule)).or_default().push(place);
        }
        let named: BTreeSet<&ModelName> = policy
            .waivers
            .iter()
            .map(|waiver| &waiver.model)
            .chain(policy.baseline.entries.values().map(|entry| &entry.model))
            .collect();
        let models = models
            .iter()
            .filter(|model| named.contains(&model.name))
            .filter_map(|model| Some((&model.name, content(model)?)))
            .collect();
        let track = |waiver| Tracked { waiver, covers: 0, other: None };
        Self {
            today: Date::of(now),
            waivers: policy.waivers.iter().map(track).collect(),
            places,
            baseline: &policy.baseline,
            seen: BTreeSet::new(),
            covered: 0,
            models,
        }
    }

    /// Takes a finding on `model` that an exception covers out of what denies. A task
    /// on `task` is about that file, where the finding names none.
    pub(super) fn apply(
        &mut self,
        model: &ModelName,
        task: Option<&FilePath>,
        judged: &mut Judged,
    ) {
        let Some(content) = self.models.get(model) else { return };
        let (finding, fingerprint) = (&judged.finding, judged.fingerprint);
        let file = finding.location.file.as_ref().or(task);
        let digest = content.digest(file);
        let places = self.places.get(&(model, &finding.rule)).map(Vec::as_slice);
        for tracked in places.unwrap_or_default() {
            let Some(tracked) = self.waivers.get_mut(*tracked) else { continue };
            let waiver = tracked.waiver;
            let is_meant = waiver.file.as_ref().is_none_or(|meant| file == Some(meant))
                && waiver.fingerprint.is_none_or(|meant| meant == fingerprint);
            if !is_meant {
                continue;
            }
            if waiver.digest != digest {
                tracked.other = Some(digest);
            } else if is_in_force(waiver, self.today) && judged.exception.is_none() {
                tracked.covers += 1;
                judged.denies = false;
                judged.exception = Some(Exception::Waived(Arc::clone(waiver)));
            } else if judged.exception.is_some() {
                // A second waiver of the same finding is in use as well.
                tracked.covers += usize::from(is_in_force(waiver, self.today));
            }
        }
        let Some(entry) = self.baseline.entries.get(&fingerprint) else { return };
        let is_same = entry.rule == finding.rule && entry.model == *model && entry.digest == digest;
        if !is_same {
            return;
        }
        self.seen.insert(fingerprint);
        if judged.denies && is_coverable(finding) {
            self.covered += 1;
            judged.denies = false;
            judged.exception = Some(Exception::Baseline);
        }
    }

    /// Says what became of each exception, given all tasks of the run.
    /// `is_cut_short` says that some of them did not come to their end.
    pub(super) fn ended(self, tasks: &[TaskReport], is_cut_short: bool) -> Ended {
        let answers = if is_cut_short { BTreeSet::new() } else { answers(tasks) };
        let told = |model: &ModelName, rule: &RuleId| {
            self.models.contains_key(model) && answers.contains(&(model, rule.plugin()))
        };
        let mut notes: BTreeMap<ModelName, Vec<Finding>> = BTreeMap::new();
        let mut waivers = Vec::with_capacity(self.waivers.len());
        for tracked in self.waivers {
            let waiver = tracked.waiver;
            let state = match () {
                () if self.today > waiver.expires => WaiverState::Expired,
                () if !is_in_force(waiver, self.today) => WaiverState::Early,
                () if tracked.covers > 0 && self.today.days_until(waiver.expires) <= SOON => {
                    WaiverState::Expiring
                }
                () if tracked.covers > 0 => WaiverState::InUse,
                () if tracked.other.is_some() => WaiverState::Stale,
                () if told(&waiver.model, &waiver.rule) => WaiverState::Unused,
                () => WaiverState::NotTold,
            };
            if let Some(note) = gate::waiver(waiver, state, tracked.other) {
                notes.entry(waiver.model.clone()).or_default().push(note);
            }
            let waiver = Arc::clone(waiver);
            waivers.push(WaiverReport { waiver, state, covers: tracked.covers });
        }
        let mut gone: BTreeMap<&ModelName, usize> = BTreeMap::new();
        for (fingerprint, entry) in &self.baseline.entries {
            if !self.seen.contains(fingerprint) && told(&entry.model, &entry.rule) {
                *gone.entry(&entry.model).or_default() += 1;
            }
        }
        for (model, count) in &gone {
            notes.entry((*model).clone()).or_default().push(gate::baseline_shrinks(*count));
        }
        let baseline = BaselineReport {
            entries: self.baseline.entries.len(),
            covers: self.covered,
            gone: gone.into_values().sum(),
        };
        Ended { waivers, baseline, notes }
    }
}

/// What became of the exceptions of a run.
pub(super) struct Ended {
    /// The waivers, in the order of the policy.
    pub(super) waivers: Vec<WaiverReport>,
    pub(super) baseline: BaselineReport,
    /// What is to be said of them, by model.
    pub(super) notes: BTreeMap<ModelName, Vec<Finding>>,
}

/// Whether `waiver` covers anything on the day `today`.
fn is_in_force(waiver: &Waiver, today: Date) -> bool {
    today <= waiver.expires && waiver.added.is_none_or(|added| added <= today)
}

/// Whether a baseline may cover `finding`. What does harm is looked at by a
/// person, who waives it with a reason, or not at all.
pub fn is_coverable(finding: &Finding) -> bool {
    finding.severity < Severity::Critical && *finding.rule.plugin() != PluginId::gate()
}

/// Returns the plugins that answered for a model, in all of their tasks on it.
fn answers(tasks: &[TaskReport]) -> BTreeSet<(&ModelName, &PluginId)> {
    let is_answer =
        |task: &&TaskReport| matches!(task.ending, Ending::Checked(_) | Ending::NotApplicable(_));
    let mut answers: BTreeSet<_> =
        tasks.iter().filter(is_answer).map(|task| (&task.model, &task.plugin)).collect();
    for task in tasks.iter().filter(|task| !is_answer(task)) {
        answers.remove(&(&task.model, &task.plugin));
    }
    answers
}

fn content(model: &ModelEvidence) -> Option<Content> {
    if !model.changed.is_empty() || !model.unreadable.is_empty() {
        return None;
    }
    let files: Option<BTreeMap<FilePath, (u64, Digest)>> = model
        .files
        .iter()
        .map(|file| Some((file.entry.path.clone(), (file.entry.size, file.entry.digest?))))
        .collect();
    let files = files?;
    let entries = files.iter().map(|(path, (size, digest))| (path, *size, *digest));
    let tree = TreeDigest::of(entries).digest();
    Some(Content { files, tree })
}

impl Content {
    /// Returns the digest that an exception from a finding on `file` is bound to:
    /// that of the file; of the whole tree where it is on none, or on one that is
    /// not there.
    fn digest(&self, file: Option<&FilePath>) -> Digest {
        file.and_then(|file| self.files.get(file)).map_or(self.tree, |(_, digest)| *digest)
    }
}

#[cfg(test)]
mod tests;
