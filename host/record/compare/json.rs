//! A comparison as JSON, `modelhost-compare/v1`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Comparison, Fate, FileChange, ModelChange, PluginChange, ValueChange, Weights};

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-compare/v1";

/// How two states of models and plugins differ. The same two give the same bytes.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost compare, version 1")]
struct Document<'a> {
    /// `modelhost-compare/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// Whether nothing differs.
    same: bool,
    /// How many models both sides have.
    compared: usize,
    /// What differs as a whole: the decision, the digests of policy and lock file.
    values: Vec<Change<'a>>,
    /// The models that differ, sorted by name.
    models: Vec<Model<'a>>,
    /// The plugins that differ, sorted by id.
    plugins: Vec<Plugin<'a>>,
}

/// One value that differs.
#[derive(Serialize, JsonSchema)]
struct Change<'a> {
    /// Its name.
    key: &'a str,
    /// What it was; absent where it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'a str>,
    /// What it is; absent where it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<&'a str>,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Word {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
    /// It has another name.
    Renamed,
}

/// One model that differs.
#[derive(Serialize, JsonSchema)]
struct Model<'a> {
    /// Its name; empty where two folders are compared.
    name: &'a str,
    /// What became of it.
    change: Word,
    /// How many files it has, or had.
    count: usize,
    /// What can be said of its weights; absent for a model that is new or gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<WeightsWord>,
    /// How many tensors both sides have together; absent where they are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    tensor_count: Option<usize>,
    /// The tensors that differ, sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    tensors: Vec<Tensor<'a>>,
    /// What differs of it as a whole.
    values: Vec<Change<'a>>,
    /// The files that differ, sorted by path.
    files: Vec<File<'a>>,
}

/// What can be said of a model's weights.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum WeightsWord {
    /// They are the same.
    Same,
    /// They are the same tensors, in other files.
    Moved,
    /// Tensors differ.
    Differ,
    /// Nothing: files that may hold weights differ, and no tensors are known.
    Unknown,
}

/// One tensor that differs.
#[derive(Serialize, JsonSchema)]
struct Tensor<'a> {
    /// Its name.
    name: &'a str,
    /// What became of it.
    change: Word,
    /// The type and shape it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'a str>,
    /// The type and shape it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<&'a str>,
}

/// One file that differs.
#[derive(Serialize, JsonSchema)]
struct File<'a> {
    /// The path it has, or had.
    path: &'a str,
    /// What became of it.
    change: Word,
    /// The path it had, where the same bytes have another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Bytes>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Bytes>,
    /// What differs beside size and digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    values: Vec<Change<'a>>,
}

/// The bytes of a file.
#[derive(Serialize, JsonSchema)]
struct Bytes {
    /// How many.
    size: u64,
    /// Their digest, `sha256:<hex>`.
    digest: String,
}

/// One plugin that differs.
#[derive(Serialize, JsonSchema)]
struct Plugin<'a> {
    /// Its id.
    id: &'a str,
    /// What became of it.
    change: Word,
    /// What differs of it.
    values: Vec<Change<'a>>,
}

/// Returns `comparison` as JSON, with a newline at its end.
pub fn json(comparison: &Comparison) -> String {
    let document = Document {
        schema: SCHEMA,
        same: comparison.is_same(),
        compared: comparison.compared,
        values: changes(&comparison.values),
        models: comparison.models.iter().map(model).collect(),
        plugins: comparison.plugins.iter().map(plugin).collect(),
    };
    let text = serde_json::to_string_pretty(&document);
    text.expect("strings and numbers are JSON") + "\n"
}

/// Returns the JSON Schema of what [`json`] writes.
pub fn json_schema() -> Value {
    schemars::schema_for!(Document<'_>).to_value()
}

fn changes(values: &[ValueChange]) -> Vec<Change<'_>> {
    values
        .iter()
        .map(|ValueChange { key, old, new }| Change {
            key,
            old: old.as_deref(),
            new: new.as_deref(),
        })
        .collect()
}

const fn word(fate: Fate) -> Word {
    match fate {
        Fate::Added => Word::Added,
        Fate::Removed => Word::Removed,
        Fate::Changed => Word::Changed,
    }
}

fn model(change: &ModelChange) -> Model<'_> {
    let (weights, tensor_count, tensors) = match &change.weights {
        None => (None, None, &[][..]),
        Some(Weights::Same) => (Some(WeightsWord::Same), None, &[][..]),
        Some(Weights::Moved) => (Some(WeightsWord::Moved), None, &[][..]),
        Some(Weights::Other) => (Some(WeightsWord::Differ), None, &[][..]),
        Some(Weights::Unknown) => (Some(WeightsWord::Unknown), None, &[][..]),
        Some(Weights::Differ { tensors, total }) => {
            (Some(WeightsWord::Differ), Some(*total), tensors.as_slice())
        }
    };
    let tensors = tensors.iter().map(|tensor| Tensor {
        name: &tensor.name,
        change: word(tensor.fate),
        old: tensor.old.as_deref(),
        new: tensor.new.as_deref(),
    });
    Model {
        name: &change.name,
        change: word(change.fate),
        count: change.count,
        weights,
        tensor_count,
        tensors: tensors.collect(),
        values: changes(&change.values),
        files: change.files.iter().map(file).collect(),
    }
}

fn file(change: &FileChange) -> File<'_> {
    let bytes =
        |file: &super::FileState| Some(Bytes { size: file.size, digest: file.digest.to_string() });
    let (word, from, old, new, values) = match change {
        FileChange::Added { new, .. } => (Word::Added, None, None, bytes(new), &[][..]),
        FileChange::Removed { old, .. } => (Word::Removed, None, bytes(old), None, &[][..]),
        FileChange::Renamed { from, new, .. } => {
            (Word::Renamed, Some(from.as_str()), None, bytes(new), &[][..])
        }
        FileChange::Changed { old, new, values, .. } => {
            (Word::Changed, None, bytes(old), bytes(new), values.as_slice())
        }
    };
    File { path: change.path(), change: word, from, old, new, values: changes(values) }
}

fn plugin(change: &PluginChange) -> Plugin<'_> {
    Plugin { id: &change.id, change: word(change.fate), values: changes(&change.values) }
}
