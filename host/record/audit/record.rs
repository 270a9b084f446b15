//! The form of one record of an audit log: one line of JSON.
//!
//! Frozen: fields are only ever added. What is unknown is passed over, so that an
//! older modelhost reads what a newer one wrote. Leaves lines and their digests to
//! `line`, what follows what to `chain`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::{Digest, Moment, Text};
use crate::domain::decision::Decision as Said;

/// What `schema` says in this version.
pub const SCHEMA: &str = "modelhost-audit/v1";

/// One record of modelhost's audit log, one line of it. Text that came from
/// outside has its control characters written out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "modelhost audit record, version 1")]
pub struct Record<'a> {
    /// `modelhost-audit/v1`.
    #[serde(borrow)]
    #[schemars(extend("const" = SCHEMA))]
    pub schema: Text<'a>,
    /// The name of the chain: 32 hex digits, drawn when the log was begun.
    pub chain: Text<'a>,
    /// Counts the records of the chain, from 0.
    pub sequence: u64,
    /// The digest of the line before, without its newline; absent in the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// When it was appended, by the clock of the machine, in UTC.
    pub time: Moment,
    /// Present where that clock showed a later time when the record before was
    /// appended: that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_backwards: Option<Moment>,
    /// The version of modelhost that wrote it.
    pub modelhost: Text<'a>,
    /// Who ran modelhost, as CI or the environment says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Text<'a>>,
    /// The commit it ran on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Text<'a>>,
    /// The CI it ran in, as that says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci: Option<Ci<'a>>,
    /// What is recorded; its one key is the record's kind.
    pub entry: Entry<'a>,
    /// The digest of this line up to the comma before this key.
    pub digest: Digest,
}

/// The CI that modelhost ran in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ci<'a> {
    /// Which: `github`, `gitlab`, …
    #[serde(borrow)]
    pub system: Text<'a>,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<Text<'a>>,
    /// The branch, tag or pull request.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Text<'a>>,
    /// The run or pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Text<'a>>,
}

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Entry<'a> {
    /// A chain begins. The first record, and no other, is of this kind.
    #[serde(borrow)]
    Start(Start<'a>),
    /// A run came to a decision.
    Decision(Decision<'a>),
    /// The lock file pins something else.
    Pin(Pin<'a>),
    /// What stands between the record before and this one is no record: its
    /// writer was ended before it was whole.
    Recovered(Recovered),
}

/// The kinds of record, as they are named in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// [`Entry::Start`].
    Start,
    /// [`Entry::Decision`].
    Decision,
    /// [`Entry::Pin`].
    Pin,
    /// [`Entry::Recovered`].
    Recovered,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Start, Self::Decision, Self::Pin, Self::Recovered];

    /// Returns its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Decision => "decision",
            Self::Pin => "pin",
            Self::Recovered => "recovered",
        }
    }
}

impl Entry<'_> {
    /// Returns its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Start(_) => Kind::Start,
            Self::Decision(_) => Kind::Decision,
            Self::Pin(_) => Kind::Pin,
            Self::Recovered(_) => Kind::Recovered,
        }
    }
}

/// The beginning of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Start<'a> {
    /// The digest of the last line of the log that this one continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<Digest>,
    /// What stands before this record and is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovered>,
    /// What the log is for, in the words of whoever began it.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<'a>>,
}

/// Bytes in the log that are no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recovered {
    /// How many.
    pub length: u64,
    /// Their digest.
    pub digest: Digest,
}

/// The decision of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision<'a> {
    /// What the gate said of the whole run.
    pub decision: Word,
    /// The run's one fixed time, in UTC.
    pub now: Moment,
    /// The digest of the JSON report.
    pub report: Digest,
    /// Which of how many records of one run this is, from 1, where its models
    /// need several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The models.
    #[serde(borrow)]
    pub models: Vec<Model<'a>>,
    /// The plugins that took part.
    pub plugins: Vec<Plugin<'a>>,
    /// The policy and the definitions beside it; empty for the built-in policy.
    pub policy: Vec<InputFile<'a>>,
    /// How many plugins, files of the policy and waivers are not listed, where there are
    /// too many for a line; the report has them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_listed: u64,
    /// The lock file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<InputFile<'a>>,
    /// The waivers that were used.
    pub waivers: Vec<Waiver<'a>>,
}

/// One of several records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Which, from 1.
    pub number: u64,
    /// Of how many.
    pub of: u64,
}

/// A model of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Model<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The digest over all its files; absent where the run computed none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<Digest>,
    /// What the gate said of it and of the run, other models left out.
    pub decision: Word,
}

/// A plugin of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plugin<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// Its version.
    pub version: Text<'a>,
    /// The digest of its component.
    pub digest: Digest,
}

/// A file of the operator's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InputFile<'a> {
    /// Its path, relative to the policy's folder.
    #[serde(borrow)]
    pub path: Text<'a>,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// A waiver that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver<'a> {
    /// The rule whose findings it waived.
    #[serde(borrow)]
    pub rule: Text<'a>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Text<'a>>,
    /// The digest that it is bound to, of a file or of the model's tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Why, cut where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<'a>>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Text<'a>>,
    /// Its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Text<'a>>,
}

/// A decision, by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Let through.
    Allow,
    /// Something could not be judged.
    Incomplete,
    /// Something denies.
    Deny,
}

impl From<Said> for Word {
    fn from(said: Said) -> Self {
        match said {
            Said::Allow => Self::Allow,
            Said::Incomplete => Self::Incomplete,
            Said::Deny => Self::Deny,
        }
    }
}

impl From<Word> for Said {
    fn from(word: Word) -> Self {
        match word {
            Word::Allow => Self::Allow,
            Word::Incomplete => Self::Incomplete,
            Word::Deny => Self::Deny,
        }
    }
}

/// A change of what the lock file says of one model or plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pin<'a> {
    /// What it is a change of.
    pub subject: Subject,
    /// The name of the model, or the id of the plugin.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The digest: of a model over all its files, of a plugin of its component.
    pub digest: Change<Digest>,
    /// Where the model comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Change<Text<'a>>>,
    /// The revision of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<Change<Text<'a>>>,
    /// The version of the plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Change<Text<'a>>>,
    /// The files of the model that changed, by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileChange<'a>>,
    /// How many more did, where they are too many for a line.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_listed: u64,
    /// The lock file.
    pub lock: Change<Digest>,
}

/// What a lock file pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A model.
    Model,
    /// A plugin.
    Plugin,
}

/// A value before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change<T> {
    /// Before; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<T>,
    /// After; absent where there is none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<T>,
}

/// A file of a model that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange<'a> {
    /// Its path in the model.
    #[serde(borrow)]
    pub path: Text<'a>,
    /// Its digest before; absent for a file that was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Digest>,
    /// Its digest after; absent for a file that was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Digest>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Returns the JSON Schema of a record.
pub fn json_schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Record<'static>>().to_value()
}
