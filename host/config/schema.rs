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
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use toml::Spanned;
use toml::value::Datetime;

use crate::domain::capability::{Limit, Unit};
use crate::domain::finding::Severity;
use crate::policy::{Mode, NotJudged};

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
    /// Where it is recorded what was decided and pinned.
    pub(super) audit: Option<Table<Audit>>,
    /// Findings that somebody lets pass for a time, on the bytes they looked at.
    #[serde(default)]
    pub(super) waiver: Vec<At<Table<Waiver>>>,
    /// The findings that were accepted on a day.
    #[serde(default)]
    pub(super) baseline: Table<Baseline>,
    /// The trusted entries that models are compared with.
    pub(super) registry: Option<At<Table<Registry>>>,
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
    /// What was asked for when that revision was found: a tag or a branch, which
    /// may move. Nothing is checked against it.
    pub(super) requested: Option<At<String>>,
    /// What it is for.
    pub(super) purpose: Option<At<String>>,
    /// The license it is under, an SPDX expression.
    pub(super) license: Option<At<String>>,
    /// Who answers for it: a team, a person, an address.
    pub(super) owner: Option<At<String>>,
    /// Plugins that must come to a verdict on this model, beside those that
    /// `require` under `gate` names.
    #[serde(default)]
    pub(super) checks: Vec<At<String>>,
    /// The models it was made from, each with its source and its revision:
    /// `hf:org/base@<commit>`.
    #[serde(default)]
    pub(super) base: Vec<At<String>>,
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
    pub(super) limits: Limits,
    /// Its findings at or above this severity deny, instead of what `gate` says.
    pub(super) fail_on: Option<Word<FailOn>>,
    /// How bad its findings are, by the names of their rules, instead of what it
    /// says itself.
    #[serde(default)]
    pub(super) severity: BTreeMap<At<String>, Word<SeverityWord>>,
    /// Globs over the names and paths of models: it applies to these alone.
    pub(super) applies_to: Option<At<Vec<At<String>>>>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Severity")]
pub(super) enum SeverityWord {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl From<SeverityWord> for Severity {
    fn from(word: SeverityWord) -> Self {
        match word {
            SeverityWord::Info => Self::Info,
            SeverityWord::Low => Self::Low,
            SeverityWord::Medium => Self::Medium,
            SeverityWord::High => Self::High,
            SeverityWord::Critical => Self::Critical,
        }
    }
}

/// A finding that somebody lets pass for a time, on the bytes they looked at.
/// `modelhost waiver add` writes one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiver {
    /// The rule, `PLUGIN/NAME`.
    pub(super) rule: At<String>,
    /// The name of the model.
    pub(super) model: At<String>,
    /// The digest of the file that the finding is on; of the model's tree where it
    /// is on no file.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub(super) digest: At<String>,
    /// The file, where only findings on it are meant.
    pub(super) file: Option<At<String>>,
    /// The finding, where only this one is meant.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    pub(super) fingerprint: Option<At<String>>,
    /// Why it may pass.
    pub(super) reason: At<String>,
    /// Who answers for it.
    pub(super) owner: At<String>,
    /// The day it was written, UTC: before that it covers nothing.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(super) added: Option<At<Datetime>>,
    /// Its last day, UTC.
    #[schemars(with = "String", extend("format" = "date"))]
    pub(super) expires: At<Datetime>,
}

/// Where the findings stand that were accepted on a day.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    /// The file, relative to the folder of this file; `modelhost-baseline.json`
    /// without it.
    pub(super) path: Option<At<String>>,
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

/// How much of the machine one task may use; absent means the default. Which
/// limits there are, and how each is written, stands in the domain's table.
#[derive(Debug, Default)]
pub(super) struct Limits(pub(super) Vec<(Limit, LimitValue)>);

/// The value of a limit as it is written.
#[derive(Debug)]
pub(super) enum LimitValue {
    /// As a number.
    Number(At<u64>),
    /// As a number and a unit.
    Text(At<String>),
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LimitsVisitor;

        impl<'de> Visitor<'de> for LimitsVisitor {
            type Value = Limits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Limits, A::Error> {
                let mut limits = Vec::new();
                while let Some(LimitKey(limit)) = map.next_key()? {
                    limits.push((
                        limit,
                        match limit.unit() {
                            Unit::Count => LimitValue::Number(map.next_value()?),
                            Unit::Bytes | Unit::Time => LimitValue::Text(map.next_value()?),
                        },
                    ));
                }
                Ok(Limits(limits))
            }
        }

        deserializer.deserialize_map(LimitsVisitor)
    }
}

/// The key of a limit.
struct LimitKey(Limit);

impl<'de> Deserialize<'de> for LimitKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Limit::named(&name).map(Self).ok_or_else(|| D::Error::unknown_field(&name, Limit::NAMES))
    }
}

impl JsonSchema for Limits {
    fn schema_name() -> Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |limit: Limit| {
            let (unit, bounds) = (limit.unit(), limit.bounds());
            let (text, default) = (limit.description(), unit.write(limit.default()));
            let description = format!("{text} By default {default}; {}.", limit.range());
            let schema = match unit {
                Unit::Count => serde_json::json!({
                    "description": description,
                    "type": "integer",
                    "minimum": bounds.start(),
                    "maximum": bounds.end(),
                }),
                Unit::Bytes => serde_json::json!({
                    "description": description, "type": "string", "pattern": "^[0-9]+(KiB|MiB|GiB)$",
                }),
                Unit::Time => serde_json::json!({
                    "description": description, "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$",
                }),
            };
            (limit.name().to_owned(), schema)
        };
        let properties: serde_json::Map<String, Value> =
            Limit::ALL.into_iter().map(property).collect();
        schemars::json_schema!({
            "description": "How much of the machine one task may use; absent means the default.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
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

/// Where it is recorded what was decided and pinned.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    /// The audit log, relative to the folder of this file. It is made where it is
    /// missing.
    pub(super) path: At<String>,
}

/// The trusted entries that models are compared with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Registry {
    /// The folder of the set and its entries, relative to the folder of this file.
    pub(super) path: At<String>,
    /// The public key, in PEM, that must have signed the set.
    pub(super) key: Option<Table<Document>>,
    /// Public keys of which one must have signed the set.
    #[serde(default)]
    pub(super) keys: Vec<Table<Document>>,
    /// The digest that the set must have.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub(super) pin: Option<At<String>>,
    /// The least sequence that the set must have.
    pub(super) min_sequence: Option<u64>,
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
