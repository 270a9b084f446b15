//! Owns ONNX: where tensors say that their data lie outside, operators that call
//! Python, and operators of no known set, in graphs, sub-graphs and functions.
//! Leaves the weights unread, and the files outside to their own tasks.

use std::collections::{BTreeMap, BTreeSet};

use crate::found::{Defect, Found, Stop};
use crate::proto::{self, Field, Value};
use crate::rules;
use crate::source::{Cursor, Source};

/// The longest name, domain or key: real ones stay below 1,000 bytes.
const MAX_TEXT: u64 = 16 * 1024;
/// How many domains are kept; a model uses a handful.
const MAX_DOMAINS: usize = 1_024;
/// Domains whose operators come with the common runtimes.
const KNOWN: &[&str] = &[
    "",
    "ai.onnx",
    "ai.onnx.contrib",
    "ai.onnx.ml",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "ai.onnx.training",
    "com.microsoft",
    "com.microsoft.dml",
    "com.microsoft.experimental",
    "com.microsoft.extensions",
    "com.microsoft.nchwc",
    "com.ms.internal.nhwc",
    "org.pytorch.aten",
];
/// Operators that call Python by name.
const PYTHON: &[&str] = &["PyOp", "PyCustomOp", "PythonOp", "PythonOpGrad"];

/// Tells whether a file that begins with `head` is an ONNX model: a version, then
/// fields of that message alone, as all writers order them.
pub fn recognise(head: &[u8]) -> bool {
    let head = head.to_vec();
    let end = head.len() as u64;
    let mut cursor = Cursor::new(&head, 0);
    let Ok(Field { number: 1, value: Value::Number(1..=64), .. }) = proto::next(&mut cursor, end)
    else {
        return false;
    };
    loop {
        // A field that is longer than the head counts by its tag.
        let Ok(tag) = proto::number(&mut cursor) else {
            return false;
        };
        match (tag >> 3, tag & 7) {
            // The graph, or the operator sets: no other message has them here.
            (7 | 8, 2) => return true,
            (2..=4 | 6, 2) => {
                let Ok(length) = proto::number(&mut cursor) else {
                    return false;
                };
                let end = cursor.at().saturating_add(length);
                let shown = end.saturating_sub(cursor.at()).min(cursor.left()).min(256);
                let text = cursor.take(usize::try_from(shown).unwrap_or(0), "a text");
                // Where ONNX has its producer's name, SavedModel has a message.
                if text.is_ok_and(|text| {
                    text.iter().any(|byte| *byte < b' ' && !byte.is_ascii_whitespace())
                }) {
                    return false;
                }
                cursor.seek(end);
            }
            (5, 0) => {
                if proto::number(&mut cursor).is_err() {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Tells whether a file that begins with `head` may be a tensor alone, as models ship
/// examples of their inputs: dimensions, then a type.
pub fn recognise_tensor(head: &[u8]) -> bool {
    let head = head.to_vec();
    let mut cursor = Cursor::new(&head, 0);
    let mut dimensions = 0;
    loop {
        match proto::next(&mut cursor, head.len() as u64) {
            Ok(Field { number: 1, value: Value::Number(_), .. }) if dimensions < 16 => {
                dimensions += 1;
            }
            Ok(Field { number: 2, value: Value::Number(1..=26), .. }) => break,
            _ => return false,
        }
    }
    // The data, or the name before them.
    matches!(proto::number(&mut cursor), Ok(tag) if matches!((tag >> 3, tag & 7), (4..=11 | 13, 2)))
}

/// Walks a tensor alone.
pub fn walk_tensor(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut cursor = Cursor::new(source, 0);
    proto::each(&mut cursor, source.size(), &mut |_, field| match field.number {
        1..=14 | 16 => Ok(()),
        _ => Err(Stop::malformed(field.at, "a field that a tensor does not have")),
    })?;
    let mut cursor = Cursor::new(source, 0);
    let mut walk = Walk { found, domains: BTreeMap::new(), own: BTreeSet::new() };
    walk.tensor(&mut cursor, source.size())
}

/// Walks the model.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let mut walk = Walk { found, domains: BTreeMap::new(), own: BTreeSet::new() };
    let mut cursor = Cursor::new(source, 0);
    let model = proto::each(&mut cursor, source.size(), &mut |cursor, field| match (
        field.number,
        field.value,
    ) {
        (7, Value::Bytes { end }) => walk.graph(cursor, end, 1),
        (20, Value::Bytes { end }) => walk.training(cursor, end),
        (25, Value::Bytes { end }) => walk.function(cursor, end),
        _ => Ok(()),
    });
    walk.report_domains();
    model
}

struct Walk<'a> {
    found: &'a mut Found,
    /// The domains used that are not common, and an operator of each.
    domains: BTreeMap<String, String>,
    /// The domains that the model defines itself.
    own: BTreeSet<String>,
}

impl Walk<'_> {
    fn training(&mut self, cursor: &mut Cursor<'_>, end: u64) -> Result<(), Stop> {
        proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
            (1 | 2, Value::Bytes { end }) => self.graph(cursor, end, 2),
            _ => Ok(()),
        })
    }

    fn function(&mut self, cursor: &mut Cursor<'_>, end: u64) -> Result<(), Stop> {
        proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
            (7, Value::Bytes { end }) => self.node(cursor, end, 2),
            (10, Value::Bytes { end }) => {
                let domain = proto::text(cursor, end, MAX_TEXT)?;
                if self.own.len() < MAX_DOMAINS {
                    self.own.insert(domain);
                }
                Ok(())
            }
            (11, Value::Bytes { end }) => self.attribute(cursor, end, 2),
            _ => Ok(()),
        })
    }

    fn graph(&mut self, cursor: &mut Cursor<'_>, end: u64, depth: usize) -> Result<(), Stop> {
        let depth = proto::deeper(depth, cursor.at())?;
        proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
            (1, Value::Bytes { end }) => self.node(cursor, end, depth),
            (5, Value::Bytes { end }) => self.tensor(cursor, end),
            (15, Value::Bytes { end }) => self.sparse(cursor, end),
            _ => Ok(()),
        })
    }

    fn node(&mut self, cursor: &mut Cursor<'_>, end: u64, depth: usize) -> Result<(), Stop> {
        let depth = proto::deeper(depth, cursor.at())?;
        let at = cursor.at();
        // A graph has many nodes: their texts are read where something follows.
        let (mut name, mut kind, mut domain) = ((at, at), (at, at), (at, at));
        proto::each(cursor, end, &mut |cursor, field| {
            match (field.number, field.value) {
                (3, Value::Bytes { end }) => name = (cursor.at(), end),
                (4, Value::Bytes { end }) => kind = (cursor.at(), end),
                (5, Value::Bytes { end }) => self.attribute(cursor, end, depth)?,
                (7, Value::Bytes { end }) => domain = (cursor.at(), end),
                _ => {}
            }
            Ok(())
        })?;
        let mut read = |(start, end)| {
            cursor.seek(start);
            proto::text(cursor, end, MAX_TEXT)
        };
        let length = kind.1 - kind.0;
        if PYTHON.iter().any(|python| python.len() as u64 == length) {
            let kind = read(kind)?;
            if PYTHON.contains(&kind.as_str()) {
                let (name, domain) = (read(name)?, read(domain)?);
                let message = format!("the operator `{kind}` of `{domain}` calls Python by name");
                let defect = Defect::new(rules::CODE_OPERATOR, message);
                self.found.push(defect.member(name).offset(at));
            }
        }
        if domain.0 < domain.1 && self.domains.len() < MAX_DOMAINS {
            let domain = read(domain)?;
            if !KNOWN.contains(&domain.as_str()) {
                self.domains.entry(domain).or_insert(read(kind)?);
            }
        }
        Ok(())
    }

    fn attribute(&mut self, cursor: &mut Cursor<'_>, end: u64, depth: usize) -> Result<(), Stop> {
        let depth = proto::deeper(depth, cursor.at())?;
        proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
            (5 | 10, Value::Bytes { end }) => self.tensor(cursor, end),
            (6 | 11, Value::Bytes { end }) => self.graph(cursor, end, depth),
            (22 | 23, Value::Bytes { end }) => self.sparse(cursor, end),
            _ => Ok(()),
        })
    }

    fn sparse(&mut self, cursor: &mut Cursor<'_>, end: u64) -> Result<(), Stop> {
        proto::each(cursor, end, &mut |cursor, field| match (field.number, field.value) {
            (1 | 2, Value::Bytes { end }) => self.tensor(cursor, end),
            _ => Ok(()),
        })
    }

    fn tensor(&mut self, cursor: &mut Cursor<'_>, end: u64) -> Result<(), Stop> {
        let at = cursor.at();
        let mut tensor = Tensor { elements: Some(1), ..Tensor::default() };
        proto::each(cursor, end, &mut |cursor, field| tensor.field(cursor, field))?;
        let Tensor { name, locations, .. } = &tensor;
        for location in locations {
            if let Some(why) = outside(location) {
                let message = format!("the data of this tensor lie in `{location}`: {why}");
                let defect = Defect::new(rules::EXTERNAL_PATH, message);
                self.found.push(defect.member(name.as_str()).offset(at));
            }
        }
        if let Some(message) = tensor.wrong_size() {
            let defect = Defect::new(rules::SIZE_MISMATCH, message);
            self.found.push(defect.member(name.as_str()).offset(at));
        }
        Ok(())
    }

    fn report_domains(&mut self) {
        for (domain, kind) in &self.domains {
            if !self.own.contains(domain) {
                let message = format!(
                    "the operator `{kind}` is of the domain `{domain}`, which needs a library of its own to run"
                );
                self.found.push(Defect::new(rules::CUSTOM_OPERATOR, message));
            }
        }
    }
}

/// What matters of a tensor.
#[derive(Default)]
struct Tensor {
    name: String,
    /// The product of the dimensions; none where it overflows.
    elements: Option<u64>,
    kind: u64,
    /// The length of the data within the model, where they are.
    raw: Option<u64>,
    locations: Vec<String>,
}

impl Tensor {
    fn field(&mut self, cursor: &mut Cursor<'_>, field: Field) -> Result<(), Stop> {
        match (field.number, field.value) {
            (1, Value::Number(size)) => self.dimension(size),
            (1, Value::Bytes { end }) => {
                while cursor.at() < end {
                    let size = proto::number(cursor)?;
                    self.dimension(size);
                }
            }
            (2, Value::Number(kind)) => self.kind = kind,
            (8, Value::Bytes { end }) => self.name = proto::text(cursor, end, MAX_TEXT)?,
            (9, Value::Bytes { end }) => self.raw = Some(end - cursor.at()),
            (13, Value::Bytes { end }) => self.external(cursor, end)?,
            _ => {}
        }
        Ok(())
    }

    fn dimension(&mut self, size: u64) {
        self.elements = self.elements.and_then(|elements| elements.checked_mul(size));
    }

    /// Reads one pair about data outside.
    fn external(&mut self, cursor: &mut Cursor<'_>, end: u64) -> Result<(), Stop> {
        let at = cursor.at();
        let (mut key, mut value) = (String::new(), String::new());
        proto::each(cursor, end, &mut |cursor, field| {
            match (field.number, field.value) {
                (1, Value::Bytes { end }) => key = proto::text(cursor, end, MAX_TEXT)?,
                (2, Value::Bytes { end }) => value = proto::text(cursor, end, MAX_TEXT)?,
                _ => {}
            }
            Ok(())
        })?;
        match key.as_str() {
            "location" => self.locations.push(value),
            "offset" | "length" if value.parse::<u64>().is_err() => {
                let message = format!("the {key} of data outside, `{value}`, is no number");
                return Err(Stop::malformed(at, message));
            }
            _ => {}
        }
        Ok(())
    }

    fn wrong_size(&self) -> Option<String> {
        let raw = self.raw?;
        let bits = match self.kind {
            2 | 3 | 9 | 17..=20 | 24 => 8,
            4 | 5 | 10 | 16 => 16,
            1 | 6 | 12 => 32,
            7 | 11 | 13 | 14 => 64,
            15 => 128,
            21..=23 => 4,
            25 | 26 => 2,
            _ => return None,
        };
        let total = self.elements.and_then(|elements| elements.checked_mul(bits));
        let bytes = total.map(|total| total.div_ceil(8));
        (bytes != Some(raw)).then(|| match bytes {
            Some(bytes) => format!("shape and type give {bytes} bytes, but {raw} are stored"),
            None => "the shape's size overflows 64 bits".to_owned(),
        })
    }
}

/// Says why a path leads out of the model's folder, if it does on any system.
pub fn outside(path: &str) -> Option<&'static str> {
    let mut parts = path.split(['/', '\\']);
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with(['/', '\\']) || drive {
        Some("an absolute path")
    } else if parts.any(|part| part == "..") {
        Some("a path that leaves the model's folder")
    } else if path.contains('\\') {
        Some("a path with a backslash, which systems read differently")
    } else if path.contains("://") || path.starts_with('~') || path.contains('\0') {
        Some("a path that is no plain path")
    } else if path.starts_with("*/") {
        Some("an address in the loader's memory, not a path")
    } else if path.is_empty() {
        Some("an empty path")
    } else {
        None
    }
}
