//! A plugin's settings: the TOML of the operator → JSON, the same bytes for the
//! same settings, and where each value stands.
//!
//! Leaves to the plugin's own schema what they mean.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Mistakes;
use super::values::Wrong;
use crate::domain::diagnostic::SourceFile;

/// How deep settings may nest: as deep as the schemas they are checked against.
const MAX_DEPTH: usize = 32;

/// A plugin's settings.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// A JSON object with its keys sorted; none for an empty one.
    pub(super) json: Option<String>,
    /// Where the values stand, by JSON pointer; the settings themselves at "".
    pub(super) places: BTreeMap<String, Range<usize>>,
}

/// Reads the settings of plugin `id` out of the whole file.
pub(super) fn read(
    root: &DeTable<'_>,
    id: &str,
    file: &SourceFile,
    mistakes: &mut Mistakes,
) -> Settings {
    let plugins = root.get("plugin").and_then(|plugins| plugins.get_ref().as_table());
    let plugin = plugins.and_then(|plugins| plugins.get(id)?.get_ref().as_table());
    let Some(settings) = plugin.and_then(|plugin| plugin.get("settings")) else {
        return Settings::default();
    };
    let mut reading = Reading { places: BTreeMap::new(), file, mistakes };
    let json = match reading.value(settings, String::new(), 0) {
        Some(Value::Object(object)) if object.is_empty() => None,
        Some(value) => Some(value.to_string()),
        None => None,
    };
    Settings { json, places: reading.places }
}

struct Reading<'m> {
    places: BTreeMap<String, Range<usize>>,
    file: &'m SourceFile,
    mistakes: &'m mut Mistakes,
}

impl Reading<'_> {
    /// Turns `value` into JSON; none where it, or something in it, has no such
    /// form.
    fn value(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        pointer: String,
        depth: usize,
    ) -> Option<Value> {
        let span = value.span();
        let wrong = |reading: &mut Self, message: &str| {
            reading.mistakes.wrong(reading.file, span.clone(), Wrong::new(message))
        };
        if depth > MAX_DEPTH {
            return wrong(self, "settings may nest at most 32 deep");
        }
        let json = match value.get_ref() {
            DeValue::String(text) => Value::from(&**text),
            DeValue::Boolean(value) => Value::from(*value),
            // JSON has no dates: a plugin that wants one takes a string.
            DeValue::Datetime(date) => Value::from(date.to_string()),
            DeValue::Integer(number) => {
                let (digits, radix) = (number.as_str(), number.radix());
                let signed = i64::from_str_radix(digits, radix).map(Number::from);
                match signed.or_else(|_| u64::from_str_radix(digits, radix).map(Number::from)) {
                    Ok(number) => Value::Number(number),
                    Err(_) => return wrong(self, "the number has more than 64 bits"),
                }
            }
            DeValue::Float(number) => {
                match number.as_str().parse().ok().and_then(Number::from_f64) {
                    Some(number) => Value::Number(number),
                    None => return wrong(self, "settings can't hold a number that is not finite"),
                }
            }
            DeValue::Array(items) => {
                let item =
                    |(index, item)| self.value(item, format!("{pointer}/{index}"), depth + 1);
                let items: Vec<_> = items.iter().enumerate().map(item).collect();
                Value::Array(items.into_iter().collect::<Option<_>>()?)
            }
            DeValue::Table(table) => {
                // Sorted here, whatever the crates' features say of their maps.
                let sorted: BTreeMap<&str, _> =
                    table.iter().map(|(key, value)| (&**key.get_ref(), value)).collect();
                let member = |(key, value): (&str, _)| {
                    let pointer =
                        format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    Some((key.to_owned(), self.value(value, pointer, depth + 1)?))
                };
                let members: Vec<_> = sorted.into_iter().map(member).collect();
                Value::Object(members.into_iter().collect::<Option<Map<_, _>>>()?)
            }
        };
        self.places.insert(pointer, span);
        Some(json)
    }
}
