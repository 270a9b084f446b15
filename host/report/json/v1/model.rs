//! A model in the report, its files, and findings.

use schemars::JsonSchema;
use serde::Serialize;

use super::inert;
use super::waiver::Waived;
use super::words::{Confidence, Severity};
use crate::domain::finding;
use crate::domain::report::{FileReport, Judged, Judgement, ModelReport};
use crate::domain::waiver::Exception;
use crate::report::json::layout::Each;

/// One model.
#[derive(Serialize, JsonSchema)]
pub(super) struct Model<'a> {
    /// Its name.
    name: &'a str,
    /// Its path, as it was named or found.
    path: String,
    /// The digest over all its files, `sha256:<hex>`; absent where the run
    /// computes no digests.
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<String>,
    /// Where the policy says it comes from, such as `hf:org/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The immutable revision of that source.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// The ids of the plugins that it requires beside `required`, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    checks: Vec<&'a str>,
    /// Whether the lock file has an entry for it.
    locked: bool,
    /// Its files, sorted by path.
    files: Each<'a, File<'a>>,
    /// What the gate itself found in it, worst first.
    findings: Each<'a, Finding<'a>>,
}

/// One file of a model.
#[derive(Serialize, JsonSchema)]
pub(super) struct File<'a> {
    /// Its path in the model.
    path: &'a str,
    /// Its size in bytes.
    size: u64,
    /// Its digest, `sha256:<hex>`; absent where the run computes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// What its being judged rests on.
    judgement: Word,
    /// The ids of the plugins that judged it, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    judged_by: Vec<&'a str>,
    /// The line of the lock file that pins it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_line: Option<u32>,
}

/// What a file's being judged rests on.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Word {
    /// Plugins judged it.
    Judged,
    /// It is plain text that no scanner claims, and needs no judging.
    Companion,
    /// It is empty, and needs no judging.
    Empty,
    /// Not judged: it is a git-lfs pointer, its content is not here.
    LfsPointer,
    /// Not judged: by no plugin.
    NotJudged,
}

/// One finding, and what the policy makes of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Finding<'a> {
    /// Its rule, `<plugin>/<name>`; `gate/<name>` for the gate's own.
    rule: String,
    /// What it is known by from run to run: 32 hex digits over its rule, the
    /// model's name, the file's path, the member, and which of several such it is.
    fingerprint: String,
    /// How bad it is: what the policy says of its rule, else the plugin.
    severity: Severity,
    /// How bad the plugin says it is, where the policy says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_severity: Option<Severity>,
    /// How sure the check is.
    confidence: Confidence,
    /// What was seen.
    message: &'a str,
    /// Where it was seen; without members: the model as a whole.
    location: Location<'a>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    /// Whether it denies.
    denies: bool,
    /// Whether it says that something could not be judged, and so leaves the
    /// run incomplete.
    blocks: bool,
    /// The waiver that covers it, so that it does not deny.
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<Waived<'a>>,
    /// Whether the baseline covers it, so that it does not deny.
    #[serde(skip_serializing_if = "is_false")]
    #[schemars(default)]
    in_baseline: bool,
    /// The line of the lock file that speaks of its file or model, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_line: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Where in a model something is.
#[derive(Serialize, JsonSchema)]
struct Location<'a> {
    /// The path of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// What within the file: an archive member, a tensor, a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    /// A byte offset from the start of the member, else of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    /// A line of a text file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

impl<'a> From<&'a ModelReport> for Model<'a> {
    fn from(model: &'a ModelReport) -> Self {
        let definition = model.definition.as_ref();
        let source = definition.and_then(|definition| definition.source.as_deref());
        let revision = definition.and_then(|definition| definition.revision.as_deref());
        Self {
            name: model.name.as_str(),
            path: inert(&model.path),
            tree: model.tree.map(|tree| tree.to_string()),
            source: source.map(inert),
            revision: revision.map(inert),
            checks: definition
                .iter()
                .flat_map(|definition| &definition.checks)
                .map(|plugin| plugin.as_str())
                .collect(),
            locked: model.locked,
            files: Each::of(&model.files),
            findings: Each::of(&model.findings),
        }
    }
}

impl<'a> From<&'a FileReport> for File<'a> {
    fn from(file: &'a FileReport) -> Self {
        let (judgement, judged_by) = match &file.judged {
            Judgement::By(plugins) => {
                (Word::Judged, plugins.iter().map(|plugin| plugin.as_str()).collect())
            }
            Judgement::Companion => (Word::Companion, Vec::new()),
            Judgement::Empty => (Word::Empty, Vec::new()),
            Judgement::LfsPointer => (Word::LfsPointer, Vec::new()),
            Judgement::No => (Word::NotJudged, Vec::new()),
        };
        Self {
            path: file.path.as_str(),
            size: file.size,
            digest: file.digest.map(|digest| digest.to_string()),
            judgement,
            judged_by,
            lock_line: file.lock_line,
        }
    }
}

impl<'a> From<&'a Judged> for Finding<'a> {
    fn from(judged: &'a Judged) -> Self {
        let Judged { finding, fingerprint, denies, blocks, lock_line, exception, original } =
            judged;
        let (waived, in_baseline) = match exception {
            Some(Exception::Waived(waiver)) => (Some(Waived::from(&**waiver)), false),
            Some(Exception::Baseline) => (None, true),
            None => (None, false),
        };
        Self {
            rule: finding.rule.to_string(),
            fingerprint: fingerprint.to_string(),
            severity: finding.severity.into(),
            original_severity: original.map(Severity::from),
            confidence: finding.confidence.into(),
            message: finding.message.as_str(),
            location: (&finding.location).into(),
            help: finding.help.as_ref().map(|help| help.as_str()),
            denies: *denies,
            blocks: *blocks,
            waived,
            in_baseline,
            lock_line: *lock_line,
        }
    }
}

impl<'a> From<&'a finding::Location> for Location<'a> {
    fn from(location: &'a finding::Location) -> Self {
        Self {
            file: location.file.as_ref().map(|file| file.as_str()),
            member: location.member.as_ref().map(|member| member.as_str()),
            offset: location.offset,
            line: location.line,
        }
    }
}
