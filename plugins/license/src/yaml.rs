//! Owns the texts in a YAML document, each with the keys that lead to it. It follows
//! the parser's events, so nothing is expanded. Leaves front matter to `card`.

use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser};

use crate::card::Value;

/// How deep values may nest; Kitfiles nest to four or so.
const MAX_DEPTH: usize = 64;
/// How long the keys that lead to a text may be together; others are left out, since
/// a long one would be told once for each text below it.
const MAX_PATH: usize = 64;

enum Frame {
    /// A mapping, and the key whose value comes next.
    Map(Option<String>, BTreeSet<String>),
    /// A list.
    List,
}

/// Returns the texts with their keys, parted by dots; lists add nothing to them, and
/// texts below long keys are left out.
///
/// # Errors
/// Where it is no YAML, nests too deep, refers to other places, or has a key twice.
pub fn texts(text: &str) -> Result<Vec<(String, Value)>, String> {
    let mut texts = Vec::new();
    let mut stack: Vec<Frame> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("it is not YAML: {}", error.info()))?;
        match event {
            Event::Alias(_) => return Err("it refers to other places of itself".to_owned()),
            Event::Scalar(text, ..) => {
                if let Some(Frame::Map(key @ None, seen)) = stack.last_mut() {
                    let name = text.into_owned();
                    if name == "<<" || !seen.insert(name.clone()) {
                        return Err("a key hides what stands elsewhere".to_owned());
                    }
                    *key = Some(name);
                    continue;
                }
                let keys = stack.iter().filter_map(|frame| match frame {
                    Frame::Map(key, _) => key.as_deref(),
                    Frame::List => None,
                });
                let keys: Vec<&str> = keys.collect();
                if keys.iter().map(|key| key.len()).sum::<usize>() <= MAX_PATH {
                    let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
                    texts.push((keys.join("."), Value { text: text.into_owned(), line }));
                }
                done(&mut stack);
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if stack.len() >= MAX_DEPTH {
                    return Err("it nests too deep".to_owned());
                }
                if let Some(Frame::Map(None, _)) = stack.last() {
                    return Err("a key is no text".to_owned());
                }
                let list = matches!(event, Event::SequenceStart(..));
                stack.push(if list { Frame::List } else { Frame::Map(None, BTreeSet::new()) });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                stack.pop();
                done(&mut stack);
            }
            _ => {}
        }
    }
    Ok(texts)
}

/// Notes that a value is done: the next text is a key.
fn done(stack: &mut [Frame]) {
    if let Some(Frame::Map(key, _)) = stack.last_mut() {
        *key = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_with_their_keys() {
        let yaml = "model:\n  license: MIT\n  parts:\n  - name: a\n    license: b\ncode: [x]\n";
        let found: Vec<_> = texts(yaml).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(path, value)| format!("{path}={}@{}", value.text, value.line))
            .collect();
        assert_eq!(
            found,
            ["model.license=MIT@2", "model.parts.name=a@4", "model.parts.license=b@5", "code=x@6"]
        );
    }

    #[test]
    fn what_readers_take_differently_is_refused() {
        let deep = "[".repeat(10_000);
        for yaml in [
            "a: 1\na: 2",
            "a: &x 1\nb: *x",
            "<<: {a: 1}",
            "{[a]: b}",
            "a: 'b",
            "a:\n\t- b",
            deep.as_str(),
        ] {
            assert!(texts(yaml).is_err(), "{yaml}");
        }
    }
}
