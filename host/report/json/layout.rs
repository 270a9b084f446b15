//! How JSON is laid out: the outer levels a line a value, so that reports can
//! be compared and searched by line, the inner ones on one line, so that they
//! stay short. And lists that are written without being built.
//!
//! Leaves what is written to the formats.

use std::borrow::Cow;
use std::io::{self, Write};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

/// Down to which level objects are broken into lines: the document, its lists,
/// their entries.
const OBJECTS: usize = 3;

/// Down to which level lists are: those in the entries, too.
const LISTS: usize = 4;

/// Writes `value` to `out`, ending in a newline.
pub(in crate::report) fn write<T: Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Layout::default());
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Returns the JSON Schema of what `T` is written as.
pub(in crate::report) fn schema<T: JsonSchema>() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A list whose entries are made, one by one, when it is written: a report may
/// have millions of them.
pub(in crate::report) struct Each<'a, V>(Box<Make<'a, V>>);

type Make<'a, V> = dyn Fn() -> Box<dyn Iterator<Item = V> + 'a> + 'a;

impl<'a, V: 'a> Each<'a, V> {
    /// Makes a list of what `entries` returns each time.
    pub(in crate::report) fn new<I: Iterator<Item = V> + 'a>(entries: impl Fn() -> I + 'a) -> Self {
        Self(Box::new(move || Box::new(entries())))
    }

    /// Makes a list of one entry for each of `values`.
    pub(in crate::report) fn of<T>(values: &'a [T]) -> Self
    where
        V: From<&'a T>,
    {
        Self::new(move || values.iter().map(V::from))
    }
}

impl<V: Serialize> Serialize for Each<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl<V: JsonSchema> JsonSchema for Each<'_, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<V>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<V>::json_schema(generator)
    }
}

/// Breaks the outer levels into lines.
#[derive(Default)]
struct Layout {
    /// For each level that is open, whether it is broken.
    broken: Vec<bool>,
    has_value: bool,
}

impl Layout {
    fn open<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        bracket: &[u8],
        down_to: usize,
    ) -> io::Result<()> {
        self.broken.push(self.broken.len() < down_to);
        self.has_value = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        let is_broken = self.broken.pop() == Some(true);
        if self.has_value && is_broken {
            self.line(out)?;
        }
        self.has_value = true;
        out.write_all(bracket)
    }

    fn next<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        match (self.broken.last(), first) {
            (Some(true), _) => self.line(out),
            (_, true) => Ok(()),
            (_, false) => out.write_all(b" "),
        }
    }

    fn line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        self.broken.iter().try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[", LISTS)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{", OBJECTS)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_the_outer_levels_alone() {
        let value = serde_json::json!({
            "a": [], "b": {}, "c": [{"d": [{"e": [1, 2], "f": {}}, 3], "g": {"h": [], "i": [true]}}],
        });
        let mut out = Vec::new();
        write(&value, &mut out).expect("a Vec takes it");
        let expected = r#"{
  "a": [],
  "b": {},
  "c": [
    {
      "d": [
        {"e": [1, 2], "f": {}},
        3
      ],
      "g": {"h": [], "i": [true]}
    }
  ]
}
"#;
        assert_eq!(String::from_utf8_lossy(&out), expected);
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).expect("it is JSON"), value);
    }
}
