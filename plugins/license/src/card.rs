//! Owns the model card's front matter: the keys about the license, the bases and the
//! data, and the line of each. It follows the YAML parser's events, so nothing is expanded: an alias
//! costs nothing. Leaves the meaning of the values to `ids`.

use saphyr_parser::{Event, Parser};

/// How long front matter may be: the longest known, with evaluation results, stay
/// far below.
pub const MAX_FRONT_MATTER: usize = 64 * 1024;
/// How deep its values may nest; cards nest to six or so.
const MAX_DEPTH: usize = 64;
/// The keys that are read.
const KEYS: &[&str] = &["license", "license_name", "license_link", "base_model", "datasets"];
/// Those of them whose value may be a list.
const LISTS: &[&str] = &["license", "base_model", "datasets"];
/// How many values a list may have; merges name a dozen bases.
const MAX_VALUES: usize = 256;

/// What a card says about the license, or another place that says the same.
#[derive(Debug, Default, PartialEq)]
pub struct Card {
    /// The values of `license`, one or a list.
    pub licenses: Vec<Value>,
    /// The value of `license_name`.
    pub name: Option<Value>,
    /// The value of `license_link`.
    pub link: Option<Value>,
    /// The values of `base_model`, one or a list.
    pub bases: Vec<Value>,
    /// The values of `datasets`, one or a list.
    pub datasets: Vec<Value>,
}

/// A text and its line in the file, from 1; 0 where the file has no lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The text.
    pub text: String,
    /// The line.
    pub line: u32,
}

/// What keeps a card from being read, and the line.
#[derive(Debug, PartialEq)]
pub struct Malformed {
    /// What was seen.
    pub message: String,
    /// The line.
    pub line: u32,
}

impl Malformed {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }
}

/// Reads a card; none where it has no front matter.
///
/// # Errors
/// Where its front matter is not what the Hub's loader reads.
pub fn read(bytes: &[u8]) -> Result<Option<Card>, Malformed> {
    let Some((yaml, first_line)) = front_matter(bytes)? else {
        return Ok(None);
    };
    parse(yaml, first_line).map(Some)
}

/// Returns the lines between the two `---`, and the first one's number.
fn front_matter(bytes: &[u8]) -> Result<Option<(&str, usize)>, Malformed> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut at = 0;
    let mut start = None;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let text = line.trim_ascii();
        let end = at + line.len();
        match start {
            // Blank lines may come first, as for the Hub's own loader.
            None if text.is_empty() => {}
            None if text == b"---" => start = Some((end, number + 2)),
            None => return Ok(None),
            Some((from, first_line)) if text == b"---" && line.starts_with(b"---") => {
                let yaml = std::str::from_utf8(&bytes[from..at])
                    .map_err(|_| Malformed::new(first_line, "the front matter is not UTF-8"))?;
                return Ok(Some((yaml, first_line)));
            }
            Some((from, first_line)) if end - from > MAX_FRONT_MATTER => {
                let message = format!("the front matter is longer than {MAX_FRONT_MATTER} bytes");
                return Err(Malformed::new(first_line, message));
            }
            Some(_) => {}
        }
        at = end;
    }
    match start {
        Some((_, line)) => Err(Malformed::new(line - 1, "the front matter does not end")),
        None => Ok(None),
    }
}

/// A key of the outermost mapping, whose value comes next.
enum Awaited {
    Key,
    Value(Option<&'static str>),
}

fn parse(yaml: &str, first_line: usize) -> Result<Card, Malformed> {
    let mut card = Card::default();
    let mut seen: Vec<&str> = Vec::new();
    let mut awaited = Awaited::Key;
    let mut depth = 0_usize;
    for event in Parser::new_from_str(yaml) {
        let (event, span) = event.map_err(|error| {
            let line = first_line + error.marker().line().saturating_sub(1);
            Malformed::new(line, format!("the front matter is not YAML: {}", error.info()))
        })?;
        let line = first_line + span.start.line().saturating_sub(1);
        let wanted = match &awaited {
            Awaited::Value(wanted) => *wanted,
            Awaited::Key => None,
        };
        match event {
            Event::Scalar(text, _, _, tag) if depth == 1 && matches!(awaited, Awaited::Key) => {
                if text == "<<" {
                    return Err(Malformed::new(line, "a merge key hides what the card says"));
                }
                let key = KEYS.iter().find(|key| **key == text).copied();
                if let Some(key) = key {
                    if seen.contains(&key) {
                        let message = format!("`{key}` stands twice; loaders keep one of the two");
                        return Err(Malformed::new(line, message));
                    }
                    seen.push(key);
                }
                if tag.is_some() {
                    return Err(Malformed::new(line, "a key has a type tag"));
                }
                awaited = Awaited::Value(key);
                continue;
            }
            Event::Scalar(..) if depth == 0 => {
                return Err(Malformed::new(line, "the front matter is text, not keys"));
            }
            Event::Scalar(text, _, _, tag) => {
                if let Some(key) = wanted.filter(|_| depth <= 2) {
                    if tag.is_some() {
                        return Err(Malformed::new(line, format!("`{key}` has a type tag")));
                    }
                    if card.licenses.len().max(card.bases.len()).max(card.datasets.len())
                        >= MAX_VALUES
                    {
                        return Err(Malformed::new(line, format!("`{key}` has too many values")));
                    }
                    put(&mut card, key, &text, line);
                }
            }
            Event::Alias(_) => {
                if let Some(key) = wanted {
                    return Err(Malformed::new(line, format!("`{key}` refers to another value")));
                }
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let list = matches!(event, Event::SequenceStart(..)) && depth == 1;
                if let Some(key) = wanted.filter(|key| !(list && LISTS.contains(key))) {
                    return Err(Malformed::new(
                        line,
                        format!("`{key}` is neither text nor a list"),
                    ));
                }
                if depth == 0 && matches!(event, Event::SequenceStart(..)) {
                    return Err(Malformed::new(line, "the front matter is a list, not keys"));
                }
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Malformed::new(line, "the front matter nests too deep"));
                }
                // The outermost mapping is no value.
                if depth == 1 {
                    continue;
                }
            }
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::DocumentEnd => return Ok(card),
            _ => continue,
        }
        if depth == 1 {
            awaited = match awaited {
                Awaited::Key => Awaited::Value(None),
                Awaited::Value(_) => Awaited::Key,
            };
        }
    }
    Ok(card)
}

fn put(card: &mut Card, key: &str, text: &str, line: usize) {
    let empty = matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if empty {
        return;
    }
    let value = Value { text: text.to_owned(), line: u32::try_from(line).unwrap_or(u32::MAX) };
    match key {
        "license" => card.licenses.push(value),
        "license_name" => card.name = Some(value),
        "license_link" => card.link = Some(value),
        "base_model" => card.bases.push(value),
        _ => card.datasets.push(value),
    }
}
