//! The part of YAML that `.dvc` files are written in, read into a tree under
//! bounds.
//!
//! It follows the parser's events, so nothing is expanded; what readers take
//! differently (a key twice, references, merges) is refused. Leaves what the keys
//! mean to `dvc`.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};

/// How deep values may nest; `dvc.lock` nests to five or so.
const MAX_DEPTH: usize = 32;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    Text(String),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

impl Yaml {
    /// Returns the value under `key`, where this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// Returns the text under `key`.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items of the list under `key`.
    pub(super) fn list(&self, key: &str) -> &[Self] {
        match self.get(key) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }
}

/// A value that is being read.
enum Open {
    List(Vec<Yaml>),
    /// The pairs so far, and the key whose value comes next.
    Map(BTreeMap<String, Yaml>, Option<String>),
}

/// Reads the one document in `text`; none where there is nothing in it.
///
/// # Errors
/// Says on which line it is no YAML, or none that every reader takes alike.
pub(super) fn parse(text: &str) -> Result<Option<Yaml>, (usize, String)> {
    let mut root = None;
    let mut stack: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| (error.marker().line(), error.info().to_owned()))?;
        let wrong = |why: &str| (span.start.line(), why.to_owned());
        let done = match event {
            Event::Alias(_) => return Err(wrong("it refers to another place of itself")),
            Event::Scalar(text, ..) => {
                if let Some(Open::Map(map, key @ None)) = stack.last_mut() {
                    if text == "<<" || map.contains_key(text.as_ref()) {
                        return Err(wrong("a key stands twice, or merges what stands elsewhere"));
                    }
                    *key = Some(text.into_owned());
                    continue;
                }
                Yaml::Text(text.into_owned())
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if stack.len() >= MAX_DEPTH {
                    return Err(wrong("it nests too deep"));
                }
                if let Some(Open::Map(_, None)) = stack.last() {
                    return Err(wrong("a key is no text"));
                }
                stack.push(match event {
                    Event::MappingStart(..) => Open::Map(BTreeMap::new(), None),
                    _ => Open::List(Vec::new()),
                });
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match stack.pop() {
                Some(Open::List(items)) => Yaml::List(items),
                Some(Open::Map(map, _)) => Yaml::Map(map),
                None => continue,
            },
            _ => continue,
        };
        match stack.last_mut() {
            Some(Open::List(items)) => items.push(done),
            Some(Open::Map(map, key)) => {
                if let Some(key) = key.take() {
                    map.insert(key, done);
                }
            }
            None if root.is_some() => return Err(wrong("there is more than one document in it")),
            None => root = Some(done),
        }
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_dvc_writes() {
        let text = "outs:\n- md5: 1e9\n  size: 8\n  path: 'a b'\n";
        let outs = parse(text).unwrap().unwrap();
        let [out] = outs.list("outs") else { panic!("{outs:?}") };
        assert_eq!((out.text("md5"), out.text("path")), (Some("1e9"), Some("a b")));
        assert_eq!(parse("").unwrap(), None);
    }

    #[test]
    fn refuses_what_readers_take_differently() {
        let deep = "[".repeat(100_000);
        for bad in ["a: 1\na: 2", "a: &x 1\nb: *x", "<<: {a: 1}", "{[a]: b}", "a: 'b", &deep] {
            assert!(parse(bad).is_err(), "{}", &bad[..bad.len().min(20)]);
        }
        assert!(parse("--- 1\n--- 2\n").is_err());
    }
}
