//! What JSON from a model may look like at all: no deeper than needed, no name
//! twice in one object. Of two members of one name, readers pick different ones,
//! so a document with both means different things to different tools.
//!
//! It leaves to others: what the document says.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The deepest nesting. Bundles and statements need eight levels.
const MAX_DEPTH: u8 = 32;

/// Reads a document as `T`.
///
/// # Errors
/// Says what is wrong, and where.
pub fn parse<'a, T: Deserialize<'a>>(document: &'a [u8]) -> Result<T, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    Any(MAX_DEPTH).deserialize(&mut deserializer)?;
    deserializer.end()?;
    serde_json::from_slice(document)
}

/// Takes any value, with that many levels below it, and keeps nothing of it.
struct Any(u8);

impl<'de> DeserializeSeed<'de> for Any {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Any {
    fn below<E: Error>(&self) -> Result<u8, E> {
        self.0.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let below = self.below()?;
        let mut names = Names::default();
        while let Some(Name(name)) = map.next_key()? {
            map.next_value_seed(Self(below))?;
            if let Some(name) = names.repeated(name) {
                return Err(A::Error::custom(format_args!(
                    "the name `{name}` stands twice in one object"
                )));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let below = self.below()?;
        while list.next_element_seed(Self(below))?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// The name of a member, as it stands in the document where nothing in it is escaped.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// How many names are looked through one by one; most objects have fewer.
const FEW: usize = 16;

/// The names of one object.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Adds a name; returns it where it was there before.
    fn repeated(&mut self, name: Cow<'a, str>) -> Option<Cow<'a, str>> {
        if self.few.contains(&name) {
            return Some(name);
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return None;
        }
        self.many.replace(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let nested = |depth| format!("{}0{}", "[".repeat(depth), "]".repeat(depth));
        let many = |count: usize, more: &str| {
            let names: Vec<_> = (0..count).map(|at| format!("\"n{at}\":0")).collect();
            format!("{{{}{more}}}", names.join(","))
        };
        let rows = [
            (r#"{"a": [1, -1, 0.5, "x", null, true, {"a": {}}], "b": {"a": 1}}"#.to_owned(), None),
            (nested(32), None),
            (nested(33), Some("too deeply")),
            (nested(1_000_000), Some("too deeply")),
            (r#"{"a": 1, "b": 2, "a": 1}"#.into(), Some("`a` stands twice")),
            (r#"[{"x": {"a": 1, "\u0061": 1}}]"#.into(), Some("`a` stands twice")),
            (many(40, ""), None),
            (many(40, ",\"n3\":0"), Some("`n3` stands twice")),
            (many(40, ",\"n30\":0"), Some("`n30` stands twice")),
            (many(40, ",\"\\u006e39\":0"), Some("`n39` stands twice")),
            ("{} {}".into(), Some("trailing")),
            ("{\"a\": ".into(), Some("EOF")),
            (String::new(), Some("EOF")),
            ("\u{feff}{}".into(), Some("expected value")),
            ("[01]".into(), Some("invalid number")),
            ("[NaN]".into(), Some("expected value")),
            (r#"["\ud800"]"#.into(), Some("end of hex escape")),
        ];
        for (document, expected) in rows {
            let start: String = document.chars().take(60).collect();
            match (parse::<serde::de::IgnoredAny>(document.as_bytes()), expected) {
                (Ok(_), None) => {}
                (Err(error), Some(expected)) if error.to_string().contains(expected) => {}
                (result, _) => panic!("{start}: {result:?}"),
            }
        }
        assert!(parse::<serde::de::IgnoredAny>(b"[\"\xff\"]").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(document: Vec<u8>) {
            drop(parse::<serde::de::IgnoredAny>(&document));
        }
    }
}
