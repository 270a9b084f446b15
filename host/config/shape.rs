//! TOML text → a shape of `schema`, with every key and value that does not fit.
//!
//! serde stops at the first thing that does not fit. So that all are found, the
//! one it stopped at is noted and taken out, and the rest is read again. Leaves
//! to `validate` what the values mean.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer, Error};

use super::diagnostic::{MAX_MISTAKES, Mistakes};
use super::values::Wrong;
use crate::domain::diagnostic::{Lines, SourceFile};

/// Parses `file`; none where its syntax is wrong.
pub(super) fn parse<'f>(
    file: &'f SourceFile,
    mistakes: &mut Mistakes,
) -> Option<Spanned<DeTable<'f>>> {
    let (root, mut errors) = DeTable::parse_recoverable(&file.text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let lines = Lines::of(&file.text);
    let mut last = None;
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        // What follows on a line is mostly the parser finding its way back.
        if last.replace(lines.line_of(span.start)) != Some(lines.line_of(span.start)) {
            let _: Option<()> = mistakes.wrong(file, span, Wrong::new(error.message()));
        }
    }
    errors.is_empty().then_some(root)
}

/// Reads `root` as `T`, and takes out of it what does not fit; none where the
/// rest is no `T`.
pub(super) fn read<T: DeserializeOwned>(
    root: &mut Spanned<DeTable<'_>>,
    file: &SourceFile,
    mistakes: &mut Mistakes,
) -> Option<T> {
    for _ in 0..MAX_MISTAKES {
        match T::deserialize(Deserializer::from(root.clone())) {
            Ok(shape) => return Some(shape),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let _: Option<()> = mistakes.wrong(file, span.clone(), reword(&error));
                if !take_out(root.as_mut(), &span) {
                    return None;
                }
            }
        }
    }
    None
}

/// Takes the innermost key or value that stands at `span` out of `table`. The
/// depth is bounded by the parser.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        if take_out_of_value(value, span) {
            return true;
        }
        if key.span() == *span || value.span() == *span {
            found = Some(key.get_ref().clone());
        }
    }
    found.is_some_and(|key| table.remove(&*key).is_some())
}

fn take_out_of_value(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    match value.get_mut() {
        DeValue::Table(table) => take_out(table, span),
        DeValue::Array(array) => {
            if array.iter_mut().any(|item| take_out_of_value(item, span)) {
                return true;
            }
            let before = array.len();
            let items = std::mem::replace(array, DeArray::new());
            *array = items.into_iter().filter(|item| item.span() != *span).collect();
            array.len() < before
        }
        _ => false,
    }
}

/// Says in this program's words what serde says in its own.
fn reword(error: &Error) -> Wrong {
    let message = error.message();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (key, known) = quoted(rest);
        let wrong = Wrong::new(format!("unknown key `{key}`"));
        return wrong.with_help(choices("the keys here are", &key, &known));
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (word, known) = quoted(rest);
        let wrong = Wrong::new(format!("`{word}` is not known here"));
        return wrong.with_help(choices("it can be", &word, &known));
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return Wrong::new(format!("missing key {rest}"));
    }
    let mismatch =
        message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = mismatch.and_then(|rest| rest.rsplit_once(", expected ")) {
        return Wrong::new(format!("expected {}, found {}", kind(expected), kind(found)));
    }
    Wrong::new(message)
}

/// Splits ``` `word`, expected one of `a`, `b` ``` into the word and the rest.
/// The word comes from the file and may hold anything, so the split is at the
/// last place where it can end.
fn quoted(rest: &str) -> (String, Vec<String>) {
    let (word, known) = rest.rsplit_once("`, ").map_or((rest, ""), |_| {
        let end = rest.rfind("`, expected ").or_else(|| rest.rfind("`, there are "));
        end.map_or((rest, ""), |end| rest.split_at(end))
    });
    let word = word.strip_prefix('`').unwrap_or(word).to_owned();
    let known = known.split('`').skip(2).step_by(2).map(str::to_owned).collect();
    (word, known)
}

/// Lists what could have been meant, and the nearest of it if it is near.
fn choices(intro: &str, word: &str, known: &[String]) -> String {
    let list = format!("{intro} {}", known.join(", "));
    match nearest(word, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None => list,
    }
}

/// Returns the word of `known` that `word` is most likely a slip of.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    // The distance is quadratic, and no word that is known is long.
    let word = Some(word).filter(|word| word.len() <= 64)?.to_lowercase().replace('_', "-");
    known
        .map(|known| (strsim::osa_distance(&word, known), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(3))
        .min()
        .map(|(_, known)| known)
}

fn kind(text: &str) -> String {
    let text = match text {
        "sequence" | "a sequence" => "an array",
        "map" | "a map" => "a table",
        "u64" => "a whole number from 0 on",
        text => text,
    };
    text.replacen("integer `", "the number `", 1).replacen("string \"", "the string \"", 1)
}
