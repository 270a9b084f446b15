//! The shape of `modelhost.toml` and of the files in `models.d`: which keys
//! there are and what kind of value each takes.
//!
//! From these types come both the reading and the JSON Schema that editors
//! use. Leaves to `validate` what the values mean and whether they fit together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use toml::Spanned;

use crate::domain::finding::Severity;
use crate::policy::{Mode, NotJudged};

/// Where a limit must lie. Below, nothing could run; above, it would bound
/// nothing on any machine that gates models.
pub(super) mod bounds {
    use std::ops::RangeInclusive;

    pub(in crate::config) const FUEL: RangeInclusive<u64> = 1..=1_000_000_000_000_000;
    pub(in crate::config) const FUEL_PER_BYTE: RangeInclusive<u64> = 0..=1_000_000;
    pub(in crate::config) const TABLE_ELEMENTS: RangeInclusive<u64> = 1..=100_000_000;
    pub(in crate::config) const INSTANCES: RangeInclusive<u64> = 1..=10_000;
    pub(in crate::config) const HOST_CALLS: RangeInclusive<u64> = 1..=1_000_000_000_000;
    pub(in crate::config) const HANDLES: RangeInclusive<u64> = 1..=1_000_000;
    /// The answer is held in memory, each finding with up to 8 KiB of text.
    pub(in crate::config) const FINDINGS: RangeInclusive<u64> = 1..=100_000;
    pub(in crate::config) const LOG_LINES: RangeInclusive<u64> = 0..=1_000_000;
}

/// The policy of a modelhost run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "modelhost.toml", rename = "Config")]
pub(super) struct File {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "checked before the rest is read as this version")]
    pub(super) version: At<u64>,
    /// What a run must hold to let a model through.
    #[serde(default)]
    pub(super) gate: Table<Gate>,
    /// The models of this repository.
    #[serde(default)]
    pub(super) model: Vec<Table<Model>>,
    /// What is said of single plugins, by id.
    #[serde(default)]
    pub(super) plugin: BTreeMap<At<String>, At<Table<Plugin>>>,
    /// Files that can be granted to plugins, by name.
    #[serde(default)]
    pub(super) documents: BTreeMap<At<String>, Table<Document>>,
}

/// Definitions of models, in a file of `models.d`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelsFile {
    #[serde(default)]
    pub(super) model: Vec<Table<Model>>,
}

/// What a run must hold to let a model through.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Gate {
    /// Findings at or above this severity deny; those below it are warnings.
    pub(super) fail_on: Option<Word<FailOn>>,
    /// Plugins that must come to a verdict on every model.
    #[serde(default)]
    pub(super) require: Vec<At<String>>,
    /// What it means that no plugin judged a file.
    pub(super) not_judged: Option<Word<NotJudgedWord>>,
}

/// The least severity that denies. `info` is none: it never changes a verdict.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FailOn {
    Low,
    Medium,
    High,
    Critical,
}

impl From<FailOn> for Severity {
    fn from(word: FailOn) -> Self {
        match word {
            FailOn::Low => Self::Low,
            FailOn::Medium => Self::Medium,
            FailOn::High => Self::High,
            FailOn::Critical => Self::Critical,
        }
    }
}

/// What it means that no plugin judged a file.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NotJudgedWord {
    /// The run is incomplete.
    Block,
    /// It is said, and lets through.
    Warn,
}

impl From<NotJudgedWord> for NotJudged {
    fn from(word: NotJudgedWord) -> Self {
        match word {
            NotJudgedWord::Block => Self::Block,
            NotJudgedWord::Warn => Self::Warn,
        }
    }
}

/// What the repository says a model should be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    /// The name it is known by, unique in the configuration.
    pub(super) name: At<String>,
    /// Its folder or file, relative to the folder of this file.
    pub(super) path: At<String>,
    /// Where it comes from, such as `hf:org/name`.
    pub(super) source: Option<At<String>>,
    /// The immutable revision of that source: a commit, or a digest.
    pub(super) revision: Option<At<String>>,
    /// The license it is under, an SPDX expression.
    pub(super) license: Option<At<String>>,
}

/// What is said of one plugin.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Plugin {
    /// The file of its component; without it, the plugin is a bundled one or
    /// comes with `--plugins`.
    pub(super) component: Option<At<String>>,
    /// Its settings, as its own schema describes them.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    #[expect(dead_code, reason = "read from the text, where the places of its values are")]
    pub(super) settings: Option<BTreeMap<String, IgnoredAny>>,
    /// What it is granted beyond the default: a capability, or `documents:NAME`.
    pub(super) grants: Option<At<Vec<At<String>>>>,
    /// What it is denied of that.
    #[serde(default)]
    pub(super) deny: Vec<At<String>>,
    /// Whether its findings count.
    pub(super) mode: Option<Word<ModeWord>>,
    /// How much of the machine one task of it may use.
    #[serde(default)]
    pub(super) limits: Table<Limits>,
}

/// Whether a plugin's findings count.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ModeWord {
    /// They deny, and its errors block.
    Enforce,
    /// They are shown and never deny; its errors are shown and never block.
    Advise,
}

impl From<ModeWord> for Mode {
    fn from(word: ModeWord) -> Self {
        match word {
            ModeWord::Enforce => Self::Enforce,
            ModeWord::Advise => Self::Advise,
        }
    }
}

/// How much of the machine one task may use; absent means the default.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Limits {
    /// Fuel, roughly one unit an instruction, whatever the size of the files.
    #[schemars(range(min = *bounds::FUEL.start(), max = *bounds::FUEL.end()))]
    pub(super) fuel: Option<At<u64>>,
    /// Fuel added for each byte of the files.
    #[schemars(range(min = *bounds::FUEL_PER_BYTE.start(), max = *bounds::FUEL_PER_BYTE.end()))]
    pub(super) fuel_per_byte: Option<At<u64>>,
    /// Wall time, whatever the size of the files: `500ms`, `60s`, `5m`, `1h`.
    #[schemars(regex(pattern = "^[0-9]+(ms|s|m|h)$"))]
    pub(super) deadline: Option<At<String>>,
    /// Bytes over all linear memories: `64KiB`, `512MiB`, `2GiB`.
    #[schemars(regex(pattern = "^[0-9]+(KiB|MiB|GiB)$"))]
    pub(super) memory: Option<At<String>>,
    /// Elements over all tables.
    #[schemars(range(min = *bounds::TABLE_ELEMENTS.start(), max = *bounds::TABLE_ELEMENTS.end()))]
    pub(super) table_elements: Option<At<u64>>,
    /// Core and component instances.
    #[schemars(range(min = *bounds::INSTANCES.start(), max = *bounds::INSTANCES.end()))]
    pub(super) instances: Option<At<u64>>,
    /// Calls into the host, whatever the size of the files.
    #[schemars(range(min = *bounds::HOST_CALLS.start(), max = *bounds::HOST_CALLS.end()))]
    pub(super) host_calls: Option<At<u64>>,
    /// Handles alive at once.
    #[schemars(range(min = *bounds::HANDLES.start(), max = *bounds::HANDLES.end()))]
    pub(super) handles: Option<At<u64>>,
    /// Findings in an answer.
    #[schemars(range(min = *bounds::FINDINGS.start(), max = *bounds::FINDINGS.end()))]
    pub(super) findings: Option<At<u64>>,
    /// Log lines; those past it are counted and dropped.
    #[schemars(range(min = *bounds::LOG_LINES.start(), max = *bounds::LOG_LINES.end()))]
    pub(super) log_lines: Option<At<u64>>,
}

/// A file that can be granted to plugins.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// The file, relative to the folder of this file.
    pub(super) path: At<String>,
    /// The digest it must have.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub(super) digest: At<String>,
}

/// A value and where it stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub(super) struct At<T>(Spanned<T>);

impl<T> At<T> {
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get_ref()
    }
}

/// A table that is written as one. serde would take an array with the values of
/// its keys in their order as well.
#[derive(Debug, Default)]
pub(super) struct Table<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for TableVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(TableVisitor(PhantomData)).map(Self)
    }
}

/// One of a few words, written as a string. serde would take a table with the
/// word as its key as well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        T::deserialize(StringDeserializer::new(word)).map(Self)
    }
}

/// Gives a wrapper the schema of what it wraps.
macro_rules! schema_of_inner {
    ($($wrapper:ident),*) => {$(
        impl<T: JsonSchema> JsonSchema for $wrapper<T> {
            fn inline_schema() -> bool {
                T::inline_schema()
            }

            fn schema_name() -> Cow<'static, str> {
                T::schema_name()
            }

            fn schema_id() -> Cow<'static, str> {
                T::schema_id()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    )*};
}

schema_of_inner!(At, Table, Word);

/// Returns the JSON Schema of `modelhost.toml`, draft 7: the newest that
/// editors for TOML know.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<File>().to_value();
    without_null(&mut schema);
    schema
}

/// Takes `null` away wherever it is one of several possible types: what is
/// absent in TOML is not there. The depth is that of the types above.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(kind) = object.get_mut("type")
                && let Some([one, null]) = kind.as_array().map(Vec::as_slice)
                && null == "null"
            {
                *kind = one.clone();
            }
            if let Some(Value::Array(any)) = object.get("anyOf")
                && let [one, null] = any.as_slice()
                && null["type"] == "null"
                && let Value::Object(one) = one.clone()
            {
                object.remove("anyOf");
                // Draft 7 ignores what stands beside `$ref`.
                object.insert("allOf".to_owned(), vec![Value::Object(one)].into());
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}
