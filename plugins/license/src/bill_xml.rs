//! Owns reading CycloneDX documents in XML: the licenses and ancestors of the model that
//! they describe. Nothing is expanded or fetched: a document type, and an entity other than
//! XML's own five, is refused. Leaves the same in JSON to `beside`.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use quick_xml::reader::Reader;

use crate::card::{Card, Value};

/// How deep elements may nest; those that are read lie eight deep.
const MAX_DEPTH: usize = 64;
/// How long a name or expression may be.
const MAX_TEXT: usize = 1024;
/// How many licenses and bases are read: a model has a handful.
const MAX_VALUES: usize = 256;
/// The type of a component that is a model.
const MODEL: &str = "machine-learning-model";

/// An element that is open.
#[derive(Default)]
struct Element {
    name: String,
    /// What it holds, where that is a name or expression.
    text: Option<String>,
    /// Whether it is a component that the document is about.
    subject: bool,
    /// Of a license: what names it.
    id: Option<Value>,
}

struct Walk<'a> {
    text: &'a str,
    open: Vec<Element>,
    card: Card,
    /// Up to where lines were counted, and the line there.
    counted: (usize, u32),
}

/// Returns what a document says; nothing where it is of another vocabulary.
///
/// # Errors
/// Why it can't be read.
pub fn read(bytes: &[u8]) -> Result<Card, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = Reader::from_str(text);
    let mut walk = Walk { text, open: Vec::new(), card: Card::default(), counted: (0, 1) };
    let mut root = false;
    loop {
        let event = reader.read_event().map_err(|error| format!("it is no XML: {error}"))?;
        match event {
            Event::Start(start) => {
                if walk.open.is_empty() {
                    match local(start.name()) {
                        _ if root => return Err("it has two outermost elements".to_owned()),
                        "bom" => root = true,
                        _ => return Ok(Card::default()),
                    }
                }
                walk.start(&start)?;
            }
            Event::Empty(start) if walk.open.is_empty() => {
                root |= local(start.name()) == "bom";
            }
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::End(_) => walk.end(usize::try_from(reader.buffer_position()).unwrap_or(0))?,
            Event::Text(part) => walk.add(&part.xml10_content())?,
            Event::CData(part) => walk.add(&part.xml10_content())?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let of_number = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                match (of_number, resolve_predefined_entity(&name)) {
                    (Some(letter), _) => walk.add(letter.encode_utf8(&mut [0; 4]))?,
                    (None, Some(text)) => walk.add(text)?,
                    (None, None) => return Err(format!("it has the entity `{name}`")),
                }
            }
            Event::DocType(_) => return Err("it has a document type (DTD)".to_owned()),
            Event::Eof if walk.open.is_empty() && root => return Ok(walk.card),
            Event::Eof if root => return Err("it ends within an element".to_owned()),
            Event::Eof => return Err("it has no element".to_owned()),
        }
    }
}

/// Returns a name without its prefix: the vocabulary is the same under each.
fn local(name: QName<'_>) -> &str {
    name.local_name().into_inner()
}

impl Walk<'_> {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.open.len() == MAX_DEPTH {
            return Err(format!("its elements nest more than {MAX_DEPTH} deep"));
        }
        let name = local(start.name()).to_owned();
        let subject = name == "component"
            && match self.path().as_slice() {
                ["bom", "metadata"] => true,
                ["bom", "components"] => {
                    let kind =
                        start.try_get_attribute("type").map_err(|error| error.to_string())?;
                    kind.is_some_and(|kind| kind.value == MODEL)
                }
                _ => false,
            };
        let wanted = matches!(name.as_str(), "id" | "name" | "expression" | "purl");
        let text = wanted.then(String::new);
        self.open.push(Element { name, text, subject, id: None });
        Ok(())
    }

    fn path(&self) -> Vec<&str> {
        self.open.iter().map(|element| element.name.as_str()).collect()
    }

    fn add(&mut self, part: &str) -> Result<(), String> {
        if let Some(text) = self.open.last_mut().and_then(|element| element.text.as_mut()) {
            text.push_str(part);
            if text.len() > MAX_TEXT {
                return Err("it has a name that is too long to be one".to_owned());
            }
        }
        Ok(())
    }

    /// Takes what the innermost element says, which ends at `at`.
    fn end(&mut self, at: usize) -> Result<(), String> {
        let Some(element) = self.open.pop() else { return Ok(()) };
        // The component that it belongs to, and the way from there.
        let Some(place) = self.open.iter().position(|element| element.subject) else {
            return Ok(());
        };
        let way = self.path().get(place + 1..).unwrap_or_default().join("/");
        let text = element.text.map(|text| text.trim().to_owned()).unwrap_or_default();
        match (way.as_str(), element.name.as_str()) {
            ("licenses/license", "id" | "name") if !text.is_empty() => {
                let value = Some(Value { text, line: self.line(at) });
                let license = self.open.last_mut();
                let earlier = license.and_then(|license| std::mem::replace(&mut license.id, value));
                if earlier.is_some() {
                    return Err("it has a license with two names".to_owned());
                }
            }
            ("licenses", "license") => self.license(element.id),
            ("licenses", "expression") if !text.is_empty() => {
                let value = Value { text, line: self.line(at) };
                self.license(Some(value));
            }
            ("pedigree/ancestors/component", "purl") => {
                if let Some(name) = crate::beside::hub_purl(&text)
                    && self.card.bases.len() < MAX_VALUES
                {
                    let value = Value { text: name.to_owned(), line: self.line(at) };
                    self.card.bases.push(value);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn license(&mut self, value: Option<Value>) {
        if self.card.licenses.len() < MAX_VALUES {
            self.card.licenses.extend(value);
        }
    }

    /// Returns the line of an offset, which is never before the last one asked for.
    fn line(&mut self, at: usize) -> u32 {
        let (from, line) = self.counted;
        let between = self.text.as_bytes().get(from..at).unwrap_or_default();
        let lines = between.iter().filter(|byte| **byte == b'\n').count();
        let line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.counted = (at.max(from), line);
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        match read(text.as_bytes()) {
            Ok(card) => {
                let values = card.licenses.iter().chain(&card.bases);
                let values = values.map(|value| format!("{}@{}", value.text, value.line));
                values.collect::<Vec<_>>().join(" ")
            }
            Err(why) => why,
        }
    }

    #[test]
    fn documents() {
        let of = |inner: &str| {
            format!("<bom>\n<metadata>\n<component>\n{inner}\n</component>\n</metadata>\n</bom>")
        };
        let license = |inner: &str| of(&format!("<licenses><license>{inner}</license></licenses>"));
        let rows = [
            (license("<id>MIT</id>"), "MIT@4"),
            (license("<id>\n MIT\n</id>"), "MIT@6"),
            (license("<id>MI&#84;</id>"), "MIT@4"),
            (license("<name>a &amp; b</name><url>x</url>"), "a & b@4"),
            (license("<id/>"), ""),
            (license("<text>MIT</text>"), ""),
            (license("<id>MIT</id><id>GPL-3.0</id>"), "it has a license with two names"),
            (license("<id>MIT</id><name>GPL</name>"), "it has a license with two names"),
            (license(&format!("<id>{}</id>", "x".repeat(1025))), "it has a name that is too long"),
            (of("<licenses><expression>MIT OR Zlib</expression></licenses>"), "MIT OR Zlib@4"),
            (
                of(
                    "<pedigree><ancestors><component><purl>pkg:huggingface/o/b@1</purl></component></ancestors></pedigree>",
                ),
                "o/b@4",
            ),
            (
                of(
                    "<components><component type=\"machine-learning-model\"><licenses><license><id>MIT</id></license></licenses></component></components>",
                ),
                "",
            ),
            ("<!-- x --><bom><?x y?></bom>".to_owned(), ""),
            ("\u{feff}<bom/>".to_owned(), ""),
            ("<other><id>".to_owned(), ""),
            (String::new(), "it has no element"),
            ("MIT".to_owned(), "it has no element"),
            ("<bom>".to_owned(), "it ends within an element"),
            ("<bom></bom><bom></bom>".to_owned(), "it has two outermost elements"),
            ("<bom></com>".to_owned(), "it is no XML"),
            ("<bom a=\"".to_owned(), "it is no XML"),
            (license("<id>&x;</id>"), "it has the entity `x`"),
            ("<!DOCTYPE bom><bom/>".to_owned(), "it has a document type"),
            ("<a>".repeat(100_000).replacen("<a>", "<bom>", 1), "its elements nest more than 64"),
        ];
        for (text, expected) in rows {
            let said = said(&text);
            let shown = text.get(..200).unwrap_or(&text);
            match expected {
                "" => assert_eq!(said, "", "{shown}"),
                _ => assert!(said.starts_with(expected), "{shown}: {said}"),
            }
        }
        assert!(read(license("<id>&#xffffffff;</id>").as_bytes()).is_err());
        assert_eq!(read(b"<bom>\xff</bom>"), Err("it is not UTF-8".to_owned()));
        let many = "<licenses><license><id>MIT</id></license></licenses>".repeat(1000);
        assert_eq!(read(of(&many).as_bytes()).map(|card| card.licenses.len()), Ok(MAX_VALUES));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text: String) {
            drop(read(text.as_bytes()));
            drop(read(format!("<bom><metadata><component>{text}").as_bytes()));
        }
    }
}
