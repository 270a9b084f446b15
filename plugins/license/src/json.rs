//! Owns reading JSON that a model brings along: some keys of its outermost object,
//! nothing else of it. Leaves what they mean to `beside` and `tensors`.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// A value, as far as licenses go.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Keys, each once, and values.
    Map(Vec<(String, Self)>),
    /// A number, a truth value, nothing.
    Other,
}

impl Json {
    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(own, _)| own == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns the text that a value is.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the parts of a list; none for anything else.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::List(parts) => parts,
            _ => &[],
        }
    }
}

/// Returns the wanted keys of the outermost object, as an object of their own.
///
/// # Errors
/// Where it is no JSON, no object, nests too deep, or has one of these keys twice.
pub fn pick(bytes: &[u8], wanted: &[&str]) -> Result<Json, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let picked = Pick(wanted).deserialize(&mut from);
    let picked = picked.and_then(|picked| from.end().map(|()| picked));
    picked.map(Json::Map).map_err(|error| error.to_string())
}

struct Pick<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Vec<(String, Json)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Vec<(String, Json)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut picked: Self::Value = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if !self.0.contains(&key.as_str()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if picked.iter().any(|(own, _)| *own == key) {
                return Err(A::Error::custom(format!("`{key}` stands twice")));
            }
            let value = map.next_value()?;
            picked.push((key, value));
        }
        Ok(picked)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element()? {
            parts.push(part);
        }
        Ok(Json::List(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut pairs: Vec<(String, Json)> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        while let Some((key, value)) = map.next_entry::<String, Json>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("`{key}` stands twice")));
            }
            pairs.push((key, value));
        }
        Ok(Json::Map(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_keys_are_read_and_others_are_not() {
        let text = br#"{"a": {"b": ["x", 1, null]}, "c": 2, "c": 3}"#;
        let picked = pick(text, &["a"]).unwrap();
        let list = picked.get("a").and_then(|a| a.get("b")).unwrap();
        assert_eq!(list.parts().len(), 3);
        assert_eq!(list.parts()[0].text(), Some("x"));
        assert_eq!(picked.get("c"), None);
    }

    #[test]
    fn what_readers_take_differently_is_refused() {
        let deep = format!("{}{}", "{\"a\":".repeat(10_000), "1");
        let rows: [&[u8]; 7] = [
            b"{\"a\": 1, \"a\": 2}",
            b"{\"a\": {\"b\": 1, \"b\": 2}}",
            b"[1]",
            b"{\"a\": 1} x",
            b"{\"a\": \"\xff\"}",
            b"",
            deep.as_bytes(),
        ];
        for text in rows {
            assert!(pick(text, &["a"]).is_err(), "{:?}", &text[..text.len().min(40)]);
        }
        assert!(pick(b"\xef\xbb\xbf{\"a\": 1}", &["a"]).is_ok());
    }
}
