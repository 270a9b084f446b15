//! New values for keys of a TOML text, with all that stands around them kept:
//! comments, the order of keys, their layout.
//!
//! Leaves which values to `edit`.

use std::ops::Range;

use toml::de::DeTable;

use super::RegistryError;
use crate::domain::diagnostic::SourceFile;

/// Returns the text of `file` with these values, as TOML writes them, at its own keys:
/// in place where the key is there, on a line of its own after the key before where it
/// isn't, and the line taken away where the value is none.
pub(super) fn set(
    file: &SourceFile,
    values: &[(&str, Option<String>)],
) -> Result<String, RegistryError> {
    let mut text = file.text.to_string();
    let mut before = None;
    for (key, value) in values {
        let place = find(&text, key).map_err(|message| {
            RegistryError::Change(format!("{} can't be changed: {message}", file.path))
        })?;
        match (place, value) {
            (Some(place), Some(value)) => text.replace_range(place.value, value),
            (Some(place), None) => text.replace_range(lines(&text, &place), ""),
            (None, Some(value)) => {
                let at = match before.and_then(|key| find(&text, key).ok().flatten()) {
                    Some(place) => lines(&text, &place).end,
                    None => 0,
                };
                let newline = if at > 0 && !text[..at].ends_with('\n') { "\n" } else { "" };
                text.insert_str(at, &format!("{newline}{key} = {value}\n"));
            }
            (None, None) => continue,
        }
        if value.is_some() {
            before = Some(*key);
        }
    }
    Ok(text)
}

/// Where a key and its value stand.
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

fn find(text: &str, key: &str) -> Result<Option<Place>, String> {
    let root = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    let Some((found, value)) = root.get_ref().get_key_value(key) else { return Ok(None) };
    let place = Place { key: found.span(), value: value.span() };
    // An array of tables, `[[file]]`, has no one place.
    if place.value.start < place.key.end {
        return Err(format!("write `{key}` as `{key} = …`, on one line or in brackets"));
    }
    Ok(Some(place))
}

/// Returns the whole lines that a key and its value stand on.
fn lines(text: &str, place: &Place) -> Range<usize> {
    let start = text[..place.key.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[place.value.end..].find('\n').map_or(text.len(), |at| place.value.end + at + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_change_and_the_rest_stays() {
        type Row<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)], &'a str);
        let rows: [Row<'_>; 9] = [
            ("a = 1\nb = 2\n", &[("a", Some("3"))], "a = 3\nb = 2\n"),
            ("# c\na = 1 # d\n", &[("a", Some("\"x\""))], "# c\na = \"x\" # d\n"),
            ("a = 1\nb = 2\n", &[("a", None)], "b = 2\n"),
            ("a = [\n 1,\n]\nb = 2", &[("a", None), ("b", Some("3"))], "b = 3"),
            ("a = 1\nc = 3\n", &[("a", Some("1")), ("b", Some("2"))], "a = 1\nb = 2\nc = 3\n"),
            ("a = 1", &[("a", Some("1")), ("b", Some("2"))], "a = 1\nb = 2\n"),
            ("", &[("a", Some("1"))], "a = 1\n"),
            ("a = 1\n", &[("b", None)], "a = 1\n"),
            ("x = { a = 1 }\n", &[("a", Some("2"))], "a = 2\nx = { a = 1 }\n"),
        ];
        for (text, values, expected) in rows {
            let file = SourceFile { path: "f".into(), text: text.into() };
            let values: Vec<_> =
                values.iter().map(|(key, value)| (*key, value.map(str::to_owned))).collect();
            assert_eq!(set(&file, &values).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_has_no_one_place_is_refused() {
        for text in ["[[file]]\na = 1\n", "a = ", "[file]\na = 1\n"] {
            let file = SourceFile { path: "f".into(), text: text.into() };
            let done = set(&file, &[("file", Some("[]".to_owned()))]);
            assert!(done.is_err(), "{text:?}: {done:?}");
        }
    }
}
