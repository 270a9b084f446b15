//! A history for a program: `modelhost-history/v1`. Fields are only ever added.

use modelhost::domain::moment;
use modelhost::record::audit::fields::{Digest, Text};
use modelhost::record::audit::record::{Change, Pin, Word};
use modelhost::record::history::{self, Place};
use schemars::JsonSchema;
use serde::Serialize;

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-history/v1";

/// When, how and by whom the pins of a model changed. Text that came from outside has
/// its control characters written out.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost history, version 1")]
struct Document {
    /// `modelhost-history/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The version of modelhost that wrote it.
    modelhost: &'static str,
    /// The names of the model, the newest first.
    names: Vec<String>,
    /// The changes, the newest first.
    changes: Vec<Row>,
    /// What was decided of files that no change pinned, the newest first.
    not_pinned: Vec<NotPinned>,
    /// What is missing of the history, for a person.
    notes: Vec<String>,
}

/// One change.
#[derive(Serialize, JsonSchema)]
struct Row {
    /// Where it was made.
    place: PlaceName,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    /// Who wrote that.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    /// The first line of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// When it was committed, or recorded in a log, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    /// What changed; absent where the lock file can't be read there.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Changed>,
    /// Why the lock file can't be read there.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    /// Why the lock file before can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable_before: Option<String>,
    /// The name that the model had before, where it had another.
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<String>,
    /// When and by whom it was recorded in a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<Recorded>,
    /// What was decided of the model since, oldest first.
    decisions: Vec<Decision>,
    /// How many more decisions there are.
    more_decisions: u64,
}

/// Where a change was made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum PlaceName {
    /// In a commit.
    Commit,
    /// In no commit yet.
    Uncommitted,
    /// Only a log says so.
    Log,
}

/// What changed of a model.
#[derive(Serialize, JsonSchema)]
struct Changed {
    /// The digest over all files.
    digest: Change<Digest>,
    /// Where the model comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Change<String>>,
    /// The revision of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<Change<String>>,
    /// The files that differ, by path.
    files: Vec<File>,
    /// How many more do.
    not_listed: u64,
}

/// A file that changed.
#[derive(Serialize, JsonSchema)]
struct File {
    /// Its path in the model.
    path: String,
    /// Its digest before; absent for a file that was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Digest>,
    /// Its digest after; absent for a file that was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Digest>,
}

/// When and by whom something was recorded.
#[derive(Serialize, JsonSchema)]
struct Recorded {
    /// When, in UTC.
    time: String,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// On which commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
}

/// A decision on the model.
#[derive(Serialize, JsonSchema)]
struct Decision {
    /// What was decided.
    decision: Word,
    /// When and by whom.
    recorded: Recorded,
}

/// What was decided of files that no change pinned.
#[derive(Serialize, JsonSchema)]
struct NotPinned {
    /// The digest over these files.
    digest: Digest,
    /// What was decided, oldest first.
    decisions: Vec<Decision>,
    /// How many more decisions there are.
    more_decisions: u64,
}

/// Returns `history` as JSON.
pub(super) fn render(history: &history::History, notes: &[String]) -> anyhow::Result<Vec<u8>> {
    let document = Document {
        schema: SCHEMA,
        modelhost: env!("CARGO_PKG_VERSION"),
        names: history.names.iter().map(ToString::to_string).collect(),
        changes: history.rows.iter().map(row).collect(),
        not_pinned: history
            .not_pinned
            .iter()
            .map(|other| NotPinned {
                digest: Digest(other.tree),
                decisions: decisions(&other.decisions),
                more_decisions: other.more_decisions,
            })
            .collect(),
        notes: notes.to_vec(),
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Returns the schema of what `--json` prints.
pub(crate) fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}

fn row(row: &history::Row) -> Row {
    let (place, commit, author, subject, time) = match &row.place {
        Place::Commit { id, author, time, subject } => (
            PlaceName::Commit,
            Some(id.clone()),
            Some(author.to_string()),
            Some(subject.to_string()),
            Some(*time),
        ),
        Place::Uncommitted => (PlaceName::Uncommitted, None, None, None, None),
        Place::Log(recorded) => (
            PlaceName::Log,
            recorded.commit.as_ref().map(ToString::to_string),
            recorded.actor.as_ref().map(ToString::to_string),
            None,
            Some(recorded.time),
        ),
    };
    Row {
        place,
        commit,
        author,
        subject,
        time: time.map(moment::rfc3339),
        change: row.change.as_ref().ok().map(changed),
        unreadable: row.change.as_ref().err().map(ToString::to_string),
        unreadable_before: row.before.as_ref().map(ToString::to_string),
        renamed_from: row.renamed.as_ref().map(ToString::to_string),
        recorded: row.recorded.as_ref().map(recorded),
        decisions: decisions(&row.decisions),
        more_decisions: row.more_decisions,
    }
}

fn decisions(decisions: &[history::DecisionRow]) -> Vec<Decision> {
    let one = |row: &history::DecisionRow| Decision {
        decision: row.decision,
        recorded: recorded(&row.recorded),
    };
    decisions.iter().map(one).collect()
}

fn changed(pin: &Pin<'_>) -> Changed {
    let text = |text: &Text<'_>| text.shown().to_string();
    let texts = |change: &Option<Change<Text<'_>>>| {
        change.as_ref().map(|change| Change {
            old: change.old.as_ref().map(text),
            new: change.new.as_ref().map(text),
        })
    };
    let files = pin.files.iter();
    Changed {
        digest: pin.digest,
        source: texts(&pin.source),
        revision: texts(&pin.revision),
        files: files
            .map(|file| File { path: text(&file.path), old: file.old, new: file.new })
            .collect(),
        not_listed: pin.not_listed,
    }
}

fn recorded(recorded: &history::Recorded) -> Recorded {
    Recorded {
        time: moment::rfc3339(recorded.time),
        actor: recorded.actor.as_ref().map(ToString::to_string),
        commit: recorded.commit.as_ref().map(ToString::to_string),
    }
}
