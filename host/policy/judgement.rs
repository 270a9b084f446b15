//! One model: which of its files were judged, and what the gate itself has to
//! say of it.
//!
//! Leaves single tasks to `judge`, and the run to `decide`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::NotJudged;
use super::gate::{self, Silence, Unjudged};
use super::judge::{Parties, lock_line, worst_first};
use crate::domain::decision::{Decision, Reason, ReasonKind};
use crate::domain::digest::TreeDigest;
use crate::domain::evidence::{ChangedFile, Content, FileEvidence, ModelEvidence};
use crate::domain::finding::{Finding, Fingerprint, Fingerprints, RuleId};
use crate::domain::model::{FilePath, LockEntry, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::report::{Ending, FileReport, Judged, Judgement, ModelReport, TaskReport};
use crate::domain::verdict::Verdict;

/// Judges `model` by `tasks`, all of its tasks; adds to `reasons` what keeps
/// the run from `allow`. `is_hashed` says whether the run computes digests;
/// `notes` is what is to be said of the exceptions on it.
pub(super) fn judge(
    parties: &Parties<'_>,
    mut model: ModelEvidence,
    tasks: &[TaskReport],
    is_hashed: bool,
    notes: Vec<Finding>,
    reasons: &mut Vec<Reason>,
) -> ModelReport {
    model.files.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
    let tree = tree(&model).filter(|_| is_hashed);
    let mut own = Own {
        name: &model.name,
        lock: model.lock.as_ref(),
        fingerprints: Fingerprints::new(&model.name, None),
        findings: Vec::new(),
        reasons,
    };
    own.entries(parties, &model);
    if !parties.interrupted {
        own.empty(&model);
    }
    let changed: BTreeMap<&FilePath, &ChangedFile> =
        model.changed.iter().map(|file| (&file.path, file)).collect();
    let words = words(parties, tasks);
    let mut files = Vec::with_capacity(model.files.len());
    for file in &model.files {
        let judged = if changed.contains_key(&file.entry.path) {
            Judgement::No // by the finding on its having changed
        } else {
            own.file(parties.policy.not_judged, file, words.get(&file.entry.path))
        };
        files.push(FileReport {
            path: file.entry.path.clone(),
            size: file.entry.size,
            digest: file.entry.digest,
            judged,
            lock_line: model
                .lock
                .as_ref()
                .and_then(|lock| lock.file(&file.entry.path))
                .map(|file| file.line),
        });
    }
    for file in changed.into_values() {
        own.block(gate::changed(file), ReasonKind::Changed { file: file.path.clone() });
    }
    // Its own checks count as those that the policy requires of every model, whatever
    // those apply to.
    let checks = model.definition.iter().flat_map(|definition| &definition.checks);
    let checks: BTreeSet<&PluginId> = checks.collect();
    let required: BTreeSet<&PluginId> =
        parties.policy.require.iter().chain(checks.iter().copied()).collect();
    for plugin in required {
        if model.exempt.contains(plugin) && !checks.contains(plugin) {
            own.about(gate::not_required(plugin), plugin.as_str(), false);
        } else {
            own.required(parties, plugin, tasks);
        }
    }
    for note in notes {
        own.find(note, false, false);
    }
    let mut findings = own.findings;
    findings.sort_by(|a, b| worst_first(&a.finding, &b.finding));
    ModelReport {
        definition: model.definition,
        defined_at: model.defined_at,
        locked: model.lock.is_some(),
        lock_line: model.lock.as_ref().map(|lock| lock.line),
        name: model.name,
        path: model.path,
        tree,
        files,
        findings,
    }
}

/// Returns the digest over all files, if each has one.
fn tree(model: &ModelEvidence) -> Option<TreeDigest> {
    let entries: Option<Vec<_>> = model
        .files
        .iter()
        .map(|file| Some((&file.entry.path, file.entry.size, file.entry.digest?)))
        .collect();
    entries.map(TreeDigest::of)
}

/// What the plugins that judge, and count, say of one file.
#[derive(Default)]
struct Words {
    /// These answered `checked`.
    judged: Vec<PluginId>,
    /// This one gave no answer, though it should have.
    unanswered: Option<PluginId>,
    /// This one answered `checked`, and only advises.
    advised: Option<PluginId>,
}

/// Collects what the plugins that judge say of each file.
///
/// A plugin that only advises neither judges nor claims: with it or without,
/// the run comes to the same decision.
fn words<'t>(parties: &Parties<'_>, tasks: &'t [TaskReport]) -> HashMap<&'t FilePath, Words> {
    let mut words: HashMap<&FilePath, Words> = HashMap::new();
    for task in tasks {
        let Some(file) = task.file.as_ref().filter(|_| parties.judges(&task.plugin)) else {
            continue;
        };
        let plugin = || task.plugin.clone();
        match (&task.ending, parties.is_advisory(&task.plugin)) {
            (Ending::Checked(_), false) => words.entry(file).or_default().judged.push(plugin()),
            (Ending::Checked(_), true) => words.entry(file).or_default().advised = Some(plugin()),
            (Ending::Refused(_) | Ending::Failed(_), false) => {
                words.entry(file).or_default().unanswered = Some(plugin())
            }
            (Ending::Refused(_) | Ending::Failed(_), true) | (Ending::NotApplicable(_), _) => {}
        }
    }
    words
}

/// The gate's own findings on one model.
struct Own<'a, 'r> {
    name: &'a ModelName,
    lock: Option<&'a LockEntry>,
    fingerprints: Fingerprints<'a>,
    findings: Vec<Judged>,
    reasons: &'r mut Vec<Reason>,
}

impl Own<'_, '_> {
    /// Judges what was found when the model was listed. Each such finding is on
    /// an entry that no plugin was shown: where it doesn't deny, the entry is
    /// still one that nobody judged.
    fn entries(&mut self, parties: &Parties<'_>, model: &ModelEvidence) {
        let listed: BTreeSet<&FilePath> = model.files.iter().map(|file| &file.entry.path).collect();
        let unreadable: BTreeSet<&FilePath> = model.unreadable.iter().collect();
        let rule = RuleId::gate(gate::UNREADABLE);
        let mut told = BTreeSet::new();
        for finding in &model.findings {
            let file = finding.location.file.as_ref();
            if let Some(file) =
                file.filter(|file| finding.rule == rule && unreadable.contains(file))
            {
                told.insert(file);
                self.block(finding.clone(), ReasonKind::Unreadable { file: file.clone() });
            } else if finding.severity >= parties.policy.fail_on {
                self.find(finding.clone(), true, false);
                let kind =
                    ReasonKind::Gate { rule: finding.rule.name().to_owned(), file: file.cloned() };
                self.reason(Decision::Deny, kind);
            } else if let Some(file) = file.filter(|file| !listed.contains(file)) {
                self.not_judged(parties.policy.not_judged, finding.clone(), file);
            } else {
                self.find(finding.clone(), false, false);
            }
        }
        for file in unreadable.difference(&told) {
            self.block(gate::unreadable(file), ReasonKind::Unreadable { file: (*file).clone() });
        }
    }

    /// Notes a model without content, unless an entry that could not be shown
    /// already keeps it from `allow`.
    fn empty(&mut self, model: &ModelEvidence) {
        let has_content = model.files.iter().any(|file| file.content != Content::Empty);
        let is_told = self.findings.iter().any(|judged| judged.denies || judged.blocks);
        if !has_content && !is_told {
            self.block(gate::empty_model(model.files.len()), ReasonKind::Empty);
        }
    }

    fn file(&mut self, policy: NotJudged, file: &FileEvidence, words: Option<&Words>) -> Judgement {
        let path = &file.entry.path;
        let none = Words::default();
        let words = words.unwrap_or(&none);
        match file.content {
            Content::Empty => return Judgement::Empty,
            Content::LfsPointer => {
                self.not_judged(policy, gate::lfs_pointer(path), path);
                return Judgement::LfsPointer;
            }
            Content::Text | Content::Other if !words.judged.is_empty() => {
                return Judgement::By(words.judged.clone());
            }
            // A scanner that failed on it might have claimed it.
            Content::Text if words.unanswered.is_none() => return Judgement::Companion,
            Content::Text | Content::Other => {}
        }
        let why = match (&words.unanswered, &words.advised) {
            (Some(plugin), _) => Unjudged::Unanswered(plugin),
            (None, Some(plugin)) => Unjudged::Advised(plugin),
            (None, None) => Unjudged::Unclaimed,
        };
        self.not_judged(policy, gate::not_judged(path, why), path);
        Judgement::No
    }

    /// Notes a required plugin that gave no verdict on the model. A skip or an
    /// error is none.
    fn required(&mut self, parties: &Parties<'_>, plugin: &PluginId, tasks: &[TaskReport]) {
        let mut silence = if parties.has(plugin) { Silence::Idle } else { Silence::Absent };
        for task in tasks.iter().filter(|task| task.plugin == *plugin) {
            match (task.verdict, &task.ending) {
                (Verdict::Pass | Verdict::Warn | Verdict::Fail, _) => return,
                (Verdict::Skip, Ending::NotApplicable(reason)) if silence == Silence::Idle => {
                    silence = Silence::Skipped(reason);
                }
                (Verdict::Skip, _) => {}
                (Verdict::Error, _) => silence = Silence::Failed,
            }
        }
        self.about(gate::not_satisfied(plugin, silence), plugin.as_str(), true);
        self.reason(Decision::Incomplete, ReasonKind::Unsatisfied { plugin: plugin.clone() });
    }

    /// Notes that `file` was judged by nobody, which the policy may let pass
    /// with a warning.
    fn not_judged(&mut self, policy: NotJudged, finding: Finding, file: &FilePath) {
        match policy {
            NotJudged::Block => self.block(finding, ReasonKind::NotJudged { file: file.clone() }),
            NotJudged::Warn => self.find(finding, false, false),
        }
    }

    fn block(&mut self, finding: Finding, kind: ReasonKind) {
        self.find(finding, false, true);
        self.reason(Decision::Incomplete, kind);
    }

    fn find(&mut self, finding: Finding, denies: bool, blocks: bool) {
        let fingerprint = self.fingerprints.next(&finding);
        self.push(finding, fingerprint, denies, blocks);
    }

    /// Notes a finding that is about `what`, though its location does not say so.
    fn about(&mut self, finding: Finding, what: &str, blocks: bool) {
        let fingerprint = self.fingerprints.next_about(&finding, what);
        self.push(finding, fingerprint, false, blocks);
    }

    fn push(&mut self, finding: Finding, fingerprint: Fingerprint, denies: bool, blocks: bool) {
        let lock_line = lock_line(self.lock, &finding);
        self.findings.push(Judged {
            finding,
            fingerprint,
            denies,
            blocks,
            lock_line,
            exception: None,
            original: None,
        });
    }

    fn reason(&mut self, decision: Decision, kind: ReasonKind) {
        self.reasons.push(Reason { decision, model: Some(self.name.clone()), kind });
    }
}
