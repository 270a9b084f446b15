//! The shape of a manifest, as text in either form has it: names of fields, and
//! no more meaning than serde can check.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::domain::capability::{Limit, LimitsAsked, Unit};
use crate::domain::plugin::{Manifest, Rule};

/// A manifest.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Text {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) license: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) homepage: Option<String>,
    pub(super) scope: String,
    pub(super) files: Vec<String>,
    pub(super) reads: String,
    #[serde(default)]
    pub(super) judges: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<LimitsText>,
    #[serde(default)]
    pub(super) rule: Vec<RuleText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) settings: Option<Value>,
}

/// What a manifest asks of the limits, by their names.
#[derive(Debug, Default)]
pub(super) struct LimitsText(pub(super) BTreeMap<Limit, LimitText>);

/// The value of a limit.
#[derive(Debug)]
pub(super) enum LimitText {
    /// A number.
    Number(u64),
    /// A number and a unit.
    Text(String),
}

impl Serialize for LimitsText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(limit, value)| (limit.name(), value)))
    }
}

impl Serialize for LimitText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for LimitsText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;

        impl<'de> Visitor<'de> for Map {
            type Value = LimitsText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("limits by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LimitsText, A::Error> {
                let mut limits = BTreeMap::new();
                while let Some(LimitKey(limit)) = map.next_key()? {
                    if limits.insert(limit, map.next_value()?).is_some() {
                        return Err(de::Error::duplicate_field(limit.name()));
                    }
                }
                Ok(LimitsText(limits))
            }
        }

        deserializer.deserialize_map(Map)
    }
}

struct LimitKey(Limit);

impl<'de> Deserialize<'de> for LimitKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Limit::named(&name).map(Self).ok_or_else(|| de::Error::unknown_field(&name, Limit::NAMES))
    }
}

impl<'de> Deserialize<'de> for LimitText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = LimitText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0 on, or a text such as `512MiB`")
            }

            fn visit_u64<E>(self, number: u64) -> Result<LimitText, E> {
                Ok(LimitText::Number(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<LimitText, E> {
                let unexpected = || E::invalid_value(de::Unexpected::Signed(number), &self);
                u64::try_from(number).map(LimitText::Number).map_err(|_| unexpected())
            }

            fn visit_str<E>(self, text: &str) -> Result<LimitText, E> {
                Ok(LimitText::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl From<&LimitsAsked> for LimitsText {
    fn from(asked: &LimitsAsked) -> Self {
        let text = |(limit, amount): (Limit, u64)| {
            let value = match limit.unit() {
                Unit::Count => LimitText::Number(amount),
                unit @ (Unit::Bytes | Unit::Time) => LimitText::Text(unit.write(amount)),
            };
            (limit, value)
        };
        Self(asked.iter().map(text).collect())
    }
}

/// A rule.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleText {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: String,
    pub(super) help: String,
    #[serde(default)]
    pub(super) missing: bool,
}

impl From<&Manifest> for Text {
    fn from(manifest: &Manifest) -> Self {
        Self {
            id: manifest.id.as_str().to_owned(),
            version: manifest.version.to_string(),
            title: manifest.title.clone(),
            description: manifest.description.clone(),
            license: manifest.license.clone(),
            homepage: manifest.homepage.clone(),
            scope: manifest.scope.name().to_owned(),
            files: manifest.files.clone(),
            reads: manifest.reads.name().to_owned(),
            judges: manifest.judges,
            limits: (!manifest.limits.is_empty()).then(|| (&manifest.limits).into()),
            rule: manifest.rules.iter().map(Into::into).collect(),
            // It is JSON: nothing else gets into a manifest.
            settings: manifest
                .settings
                .as_ref()
                .and_then(|schema| serde_json::from_str(schema).ok()),
        }
    }
}

impl From<&Rule> for RuleText {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.name.clone(),
            title: rule.title.clone(),
            severity: rule.severity.name().to_owned(),
            help: rule.help.clone(),
            missing: rule.missing,
        }
    }
}
