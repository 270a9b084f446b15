//! Owns what operators, filters, methods and functions make of values, as far as
//! texts can be built with them; and the filters that fetch attributes. Leaves the
//! grammar to `expression`.

use super::names::{self, UNKNOWN};
use super::value::Value;
use super::{Kind, State};

/// Arguments of a call.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) positional: Vec<Value>,
    pub(super) named: Vec<(String, Value)>,
    /// Whether some come from `*` or `**`.
    pub(super) open: bool,
}

impl Arguments {
    fn first(&self) -> Value {
        self.get(0)
    }

    fn get(&self, index: usize) -> Value {
        self.positional.get(index).cloned().unwrap_or_default()
    }

    fn called(&self, name: &str) -> Option<&Value> {
        let mut named = self.named.iter();
        named.find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn all(&self) -> impl Iterator<Item = &Value> {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}

/// Returns what an operator makes of two values.
pub(super) fn binary(operator: &str, left: &Value, right: &Value) -> Value {
    let numbers = left.number.zip(right.number);
    match operator {
        "or" | "and" => left.clone().or(right.clone()),
        "~" => left.then(right),
        "+" => {
            if let Some((left, right)) = numbers {
                return left.checked_add(right).map(Value::number).unwrap_or_default();
            }
            if !left.items.is_empty() || !right.items.is_empty() {
                let items = left.items.iter().chain(&right.items);
                return Value::list(items.cloned().collect());
            }
            // Numbers and texts of which nothing is known are added more often than not.
            if left.texts.is_empty() && right.texts.is_empty() {
                return Value::default();
            }
            left.then(right)
        }
        "%" if !left.texts.is_empty() => {
            let arguments = match right.items.is_empty() {
                true => vec![right.clone()],
                false => right.items.clone(),
            };
            percent(left, &arguments)
        }
        "*" => match (left.number, right.number) {
            (Some(left), Some(right)) => {
                left.checked_mul(right).map(Value::number).unwrap_or_default()
            }
            (None, Some(count)) => times(left, count),
            (Some(count), None) => times(right, count),
            _ => Value::default(),
        },
        "-" => match numbers.and_then(|(left, right)| left.checked_sub(right)) {
            Some(number) => Value::number(number),
            None => Value::default(),
        },
        _ => Value::default(),
    }
}

fn times(value: &Value, count: i64) -> Value {
    // What becomes longer than a text that is followed is forgotten anyway.
    let count = usize::try_from(count.clamp(0, 256)).unwrap_or(0);
    value.each(|text| text.repeat(count.min(1 + 256 / text.len().max(1))))
}

/// Fills in `%s`, `%c` and their like.
fn percent(format: &Value, arguments: &[Value]) -> Value {
    filled(format, |format| {
        let mut parts = Vec::new();
        let mut next = arguments.iter();
        let mut rest = format;
        while let Some((plain, field)) = rest.split_once('%') {
            parts.push(Value::text(plain));
            // Flags, width and `(name)` come before the kind.
            let end = field.find(|c: char| c.is_ascii_alphabetic() || c == '%' || c == '(');
            let Some(end) = end else {
                rest = "";
                break;
            };
            let kind = field.as_bytes().get(end).copied();
            rest = field.get(end + 1..).unwrap_or("");
            parts.push(match kind {
                Some(b'%') => Value::text("%"),
                Some(b'(') => {
                    rest = rest.split_once(')').map_or("", |(_, rest)| rest.get(1..).unwrap_or(""));
                    arguments.first().map(Value::inside).unwrap_or_default()
                }
                Some(b'c') => match next.next() {
                    Some(Value { number: Some(code), .. }) => {
                        let character = u32::try_from(*code).ok().and_then(char::from_u32);
                        Value::text(character.unwrap_or(UNKNOWN))
                    }
                    other => other.cloned().unwrap_or_default(),
                },
                _ => next.next().cloned().unwrap_or_default(),
            });
        }
        parts.push(Value::text(rest));
        parts
    })
}

/// Fills in `{}` and its like.
fn format(format: &Value, arguments: &Arguments) -> Value {
    filled(format, |format| {
        let mut parts = Vec::new();
        let mut next = 0_usize;
        let mut rest = format;
        while let Some((plain, field)) = rest.split_once('{') {
            parts.push(Value::text(plain));
            let (field, after) = field.split_once('}').unwrap_or((field, ""));
            rest = after;
            let (name, spec) = field.split_once(':').unwrap_or((field, ""));
            let value = match name.parse() {
                Ok(index) => arguments.get(index),
                Err(_) if name.is_empty() => arguments.get(next),
                Err(_) => arguments.called(name).cloned().unwrap_or_default(),
            };
            next += usize::from(name.is_empty());
            let code = value.number.filter(|_| spec.ends_with('c'));
            let character = code.and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
            parts.push(character.map_or(value, Value::text));
        }
        parts.push(Value::text(rest));
        parts
    })
}

/// Returns the texts that come of each format, whose parts `cut` gives.
fn filled(format: &Value, cut: impl Fn(&str) -> Vec<Value>) -> Value {
    let mut filled = Value::any(format.texts.iter().map(|text| {
        let parts = cut(text).into_iter();
        parts.fold(Value::text(""), |whole, part| whole.then(&part))
    }));
    filled.vague |= format.vague;
    filled
}

fn replaced(value: &Value, from: &Value, to: &Value) -> Value {
    let (Some(from), false) = (from.texts.first(), to.texts.is_empty()) else {
        return Value::text(UNKNOWN);
    };
    // Bounded: a text of 256 bytes, each replaced by 256 at most.
    let each = |to: &String| value.each(|text| text.replace(from.as_str(), to));
    Value::any(to.texts.iter().map(each))
}

fn reversed(value: &Value) -> Value {
    value.slice(None, None, Some(-1))
}

/// Returns what a function of a template's globals gives.
pub(super) fn function(name: &str, arguments: &Arguments) -> Value {
    match name {
        "namespace" | "dict" => {
            let named = arguments.named.iter();
            let entries = named.map(|(key, value)| (Value::text(key.as_str()), value.clone()));
            let mut value = Value::mapping(entries);
            for given in &arguments.positional {
                value = value.or(given.clone());
            }
            value
        }
        _ => Value::default(),
    }
}

/// Returns what a method gives.
pub(super) fn method(value: &Value, name: &str, arguments: &Arguments) -> Value {
    let mut given = match name {
        "format" | "format_map" => format(value, arguments),
        "join" => arguments.first().joined(value),
        "replace" => replaced(value, &arguments.first(), &arguments.get(1)),
        "lower" | "casefold" => value.each(str::to_ascii_lowercase),
        "upper" => value.each(str::to_ascii_uppercase),
        "swapcase" => value.each(|text| {
            let swap = |c: char| {
                if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }
            };
            text.chars().map(swap).collect()
        }),
        "strip" | "lstrip" | "rstrip" if arguments.positional.is_empty() => {
            value.each(|text| text.trim().to_owned())
        }
        "get" | "pop" | "setdefault" => {
            let dynamic = arguments.positional.first().is_some_and(|key| !key.is_constant());
            let mut inside = value.inside().or(arguments.get(1));
            inside.fetched |= dynamic;
            inside
        }
        "keys" => Value::list(vec![value.item()]),
        "values" => Value::list(vec![value.inside()]),
        "items" => Value::list(vec![value.item().or(value.inside())]),
        "copy" => value.clone(),
        _ => Value::default(),
    };
    given.fetched |= value.fetched;
    given
}

/// The filters whose arguments name attributes, with dots between them.
const FETCHING: &[&str] = &[
    "groupby",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "select",
    "selectattr",
    "sort",
    "sum",
    "unique",
];

/// Applies a filter, and notes where it fetches what a template has no business
/// with.
pub(super) fn filter(
    state: &mut State,
    value: &Value,
    name: &str,
    arguments: &Arguments,
    line: u32,
) -> Value {
    if name == "attr" {
        return attr(state, value, &arguments.first(), line);
    }
    if FETCHING.contains(&name) {
        for text in arguments.all().flat_map(|value| &value.texts) {
            if names::is_internal_path(text) {
                state.note(Kind::Internals, text.as_str(), line);
            }
        }
    }
    let first = arguments.first();
    let mut given = match name {
        "map" => return map(state, value, arguments, line),
        "join" => value.joined(arguments.called("d").unwrap_or(&first)),
        "replace" => replaced(value, &first, &arguments.get(1)),
        "format" => {
            for text in value.texts.iter().filter(|text| names::is_reaching_format(text)) {
                state.note(Kind::Format, text.as_str(), line);
            }
            percent(value, &arguments.positional)
        }
        "lower" => value.each(str::to_ascii_lowercase),
        "upper" => value.each(str::to_ascii_uppercase),
        "trim" => value.each(|text| text.trim().to_owned()),
        "reverse" => reversed(value),
        "string" | "safe" | "e" | "escape" | "forceescape" => Value::texts(value.written()),
        "default" | "d" => value.clone().or(first),
        "first" => value.at(0),
        "last" => value.at(-1),
        "random" => value.inside().or(value.clone()),
        "list" | "sort" | "unique" | "select" | "selectattr" | "reject" | "rejectattr"
        | "dictsort" | "items" | "batch" | "slice" => value.clone(),
        "length" | "count" | "int" | "float" | "tojson" | "indent" | "wordcount" | "title"
        | "capitalize" => {
            return Value::default();
        }
        _ => Value::default(),
    };
    // What else a filter gives is data, as long as nobody calls it.
    given.fetched |= value.fetched || given == Value::default();
    given
}

/// Applies `attr`, which fetches an attribute by a text.
fn attr(state: &mut State, value: &Value, name: &Value, line: u32) -> Value {
    if !name.is_constant() {
        state.note(Kind::MadeUp, "the filter `attr` with such a name", line);
        for text in name.texts.iter().filter(|text| names::is_internal_key(text)) {
            state.note(Kind::Internals, text.as_str(), line);
        }
        return Value::fetched();
    }
    for text in &name.texts {
        if names::is_internal(text) {
            state.note(Kind::Internals, text.as_str(), line);
        }
        if matches!(text.as_str(), "format" | "format_map") {
            state.note(Kind::Format, format!("`{text}` fetched with `attr`"), line);
        }
    }
    value.inside()
}

/// Applies `map`, which fetches an attribute or applies a filter to each item.
fn map(state: &mut State, value: &Value, arguments: &Arguments, line: u32) -> Value {
    if let Some(name) = arguments.called("attribute") {
        let mut inside = value.inside();
        inside.fetched |= !name.is_constant();
        return Value::list(vec![inside]);
    }
    let filter = arguments.first();
    if arguments.open || !filter.is_constant() {
        state.note(Kind::MadeUp, "the filter `map` with such a filter", line);
        return Value::fetched();
    }
    if filter.texts.iter().any(|name| name == "attr") {
        return Value::list(vec![attr(state, &value.inside(), &arguments.get(1), line)]);
    }
    let name = filter.texts.first().map_or("", String::as_str);
    let rest = Arguments {
        positional: arguments.positional.get(1..).unwrap_or_default().to_vec(),
        named: Vec::new(),
        open: false,
    };
    let changed = |item: &Value| match name {
        "lower" => item.each(str::to_ascii_lowercase),
        "upper" => item.each(str::to_ascii_uppercase),
        "trim" => item.each(|text| text.trim().to_owned()),
        "string" => item.clone(),
        "reverse" => reversed(item),
        "first" => item.at(0),
        "last" => item.at(-1),
        "join" => item.joined(&rest.first()),
        "replace" => replaced(item, &rest.first(), &rest.get(1)),
        "format" => percent(item, &rest.positional),
        _ => Value::default(),
    };
    Value::list(value.items.iter().map(changed).collect())
}
