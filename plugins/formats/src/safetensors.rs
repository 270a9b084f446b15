//! Owns safetensors: the header's JSON, and that its tensors cover the data
//! exactly once, as the reference loader demands. Leaves the weights unread.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::cover::{self, Data, Stretch};
use crate::found::{Defect, Found, Stop};
use crate::rules;
use crate::source::Source;

/// The format's own bound on the header.
const MAX_HEADER: u64 = 100_000_000;
/// What this check parses of that: the header, its strings and the table of
/// tensors must fit into a guest's memory together. Known models stay below 10 MB.
const MAX_PARSED: u64 = 32 * 1024 * 1024;
/// The length of the header's length.
const PREFIX: u64 = 8;
/// The key that holds free text about the model in place of a tensor.
const METADATA: &str = "__metadata__";

/// Tells whether a file that begins with `head` is safetensors: a length, then a
/// JSON object. A length that no file can have counts too, unless it reads as
/// text, so that a broken header is reported and not passed over.
pub fn recognise(head: &[u8]) -> bool {
    let Some((length, json)) = head.split_first_chunk::<8>() else {
        return false;
    };
    let Some((b'{', inner)) = json.split_first() else {
        return false;
    };
    let first = inner.iter().find(|byte| !byte.is_ascii_whitespace());
    // Cut off after the brace: only the length can tell.
    let opens = first.is_none_or(|byte| matches!(byte, b'"' | b'}' | b'{'));
    let plausible = u64::from_le_bytes(*length) <= MAX_HEADER;
    let text = length.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    opens && (plausible || !text)
}

/// Walks the header.
pub fn walk(source: &dyn Source, found: &mut Found) -> Result<(), Stop> {
    let left = source.size().saturating_sub(PREFIX);
    let prefix: [u8; 8] = source
        .read_at(0, 8)?
        .try_into()
        .map_err(|_| Stop::malformed(0, "the file is shorter than the header's length"))?;
    let length = u64::from_le_bytes(prefix);
    if length > MAX_HEADER {
        let message = format!("the header claims {length} bytes; the format allows {MAX_HEADER}");
        return Err(Stop::malformed(0, message));
    }
    if length > left {
        let message = format!("the header claims {length} bytes, but only {left} follow");
        return Err(Stop::malformed(0, message));
    }
    if length > MAX_PARSED {
        let message = format!("a header of {length} bytes; at most {MAX_PARSED} can be checked");
        return Err(Stop::Unsupported(message));
    }
    // Below MAX_PARSED, so it fits.
    let header = source.read_at(PREFIX, usize::try_from(length).unwrap_or(0))?;
    let mut table = parse(&header)?;
    drop(header);
    table.report(found);
    check_cover(&table.tensors, left - length, PREFIX + length, found);
    Ok(())
}

/// A tensor as the header describes it.
struct Tensor {
    name: String,
    dtype: Option<Dtype>,
    /// None where the product overflows.
    elements: Option<u64>,
    begin: u64,
    end: u64,
}

/// All that the header says.
#[derive(Default)]
struct Table {
    tensors: Vec<Tensor>,
    unknown: Vec<(String, String)>,
    metadata_keys: Vec<u64>,
    metadata: u32,
}

impl Table {
    fn report(&mut self, found: &mut Found) {
        for (name, dtype) in self.unknown.drain(..) {
            let message = format!("the element type `{dtype}` is not one of safetensors");
            found.push(Defect::new(rules::UNKNOWN_DTYPE, message).member(name));
        }
        if self.metadata > 1 {
            let message = format!("`{METADATA}` stands {} times in the header", self.metadata);
            found.push(Defect::new(rules::DUPLICATE_KEY, message).member(METADATA));
        }
        self.tensors.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let twins = self.tensors.windows(2).filter(|pair| pair[0].name == pair[1].name);
        for name in twins.map(|pair| pair[0].name.as_str()) {
            found.add(rules::DUPLICATE_KEY, None, || {
                let message =
                    "the header names this tensor more than once; loaders keep one of them";
                Defect::new(rules::DUPLICATE_KEY, message).member(name)
            });
        }
        self.metadata_keys.sort_unstable();
        if self.metadata_keys.windows(2).any(|pair| pair[0] == pair[1]) {
            let message = format!("`{METADATA}` holds a key more than once");
            found.push(Defect::new(rules::DUPLICATE_KEY, message).member(METADATA));
        }
    }
}

/// Checks that the tensors cover `length` bytes of data exactly once, and each as
/// many bytes as its shape and type say. `start` is where the data begin.
fn check_cover(tensors: &[Tensor], length: u64, start: u64, found: &mut Found) {
    let mut stretches = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let Tensor { name, begin, end, .. } = tensor;
        if begin > end || *end > length {
            let message =
                format!("data_offsets [{begin}, {end}] lie outside of {length} bytes of data");
            found.push(Defect::new(rules::OUT_OF_BOUNDS, message).member(name.as_str()));
            continue;
        }
        if let Some(message) = wrong_size(tensor) {
            found.push(Defect::new(rules::SIZE_MISMATCH, message).member(name.as_str()));
        }
        stretches.push(Stretch { name, begin: *begin, end: *end });
    }
    cover::check(stretches, Data { start, length, align: 1 }, found);
}

fn wrong_size(tensor: &Tensor) -> Option<String> {
    let bits = tensor.dtype?.bits;
    let stored = tensor.end - tensor.begin;
    let Some(total) = tensor.elements.and_then(|elements| elements.checked_mul(bits)) else {
        return Some("the shape's size overflows 64 bits".to_owned());
    };
    if total % 8 != 0 {
        return Some(format!("{total} bits are not a whole number of bytes"));
    }
    (total / 8 != stored)
        .then(|| format!("shape and type give {} bytes, but {stored} are stored", total / 8))
}

/// An element type's width.
#[derive(Clone, Copy)]
struct Dtype {
    bits: u64,
}

impl Dtype {
    /// Returns the type of that name, as of safetensors 0.7.
    fn named(name: &str) -> Option<Self> {
        let bits = match name {
            "F4" => 4,
            "F6_E2M3" | "F6_E3M2" => 6,
            "BOOL" | "U8" | "I8" => 8,
            "F8_E4M3" | "F8_E5M2" | "F8_E8M0" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => 8,
            "I16" | "U16" | "F16" | "BF16" => 16,
            "I32" | "U32" | "F32" => 32,
            "I64" | "U64" | "F64" | "C64" => 64,
            _ => return None,
        };
        Some(Self { bits })
    }
}

fn parse(header: &[u8]) -> Result<Table, Stop> {
    let mut table = Table::default();
    let mut json = serde_json::Deserializer::from_slice(header);
    TableSeed(&mut table)
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| Stop::malformed(PREFIX + offset_of(&error, header), said(&error)))?;
    Ok(table)
}

/// Returns the parser's message without its line and column, which the offset
/// stands for.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    format!("the header is not what safetensors allows: {message}")
}

fn offset_of(error: &serde_json::Error, header: &[u8]) -> u64 {
    let before = error.line().saturating_sub(1);
    let breaks = header.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let line = match before {
        0 => 0,
        line => breaks.map(|(at, _)| at + 1).nth(line - 1).unwrap_or(0),
    };
    (line + error.column().saturating_sub(1)).min(header.len()) as u64
}

/// Reads the header's object into the table.
struct TableSeed<'a>(&'a mut Table);

impl<'de> DeserializeSeed<'de> for TableSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TableSeed<'_> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == METADATA {
                self.0.metadata += 1;
                map.next_value_seed(MetadataSeed(&mut self.0.metadata_keys))?;
                continue;
            }
            let entry: Entry = map.next_value()?;
            let dtype = Dtype::named(&entry.dtype);
            if dtype.is_none() {
                self.0.unknown.push((name.clone(), entry.dtype));
            }
            let (begin, end) = entry.data_offsets;
            self.0.tensors.push(Tensor { name, dtype, elements: entry.shape.0, begin, end });
        }
        Ok(())
    }
}

/// One tensor's object. Keys beyond these are ignored, as loaders do.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Shape,
    data_offsets: (u64, u64),
}

/// The product of a shape's dimensions, taken as it is read: a shape can be as
/// long as the header.
struct Shape(Option<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Product;
        impl<'de> Visitor<'de> for Product {
            type Value = Shape;

            fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
                text.write_str("an array of dimensions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut dimensions: A) -> Result<Shape, A::Error> {
                let mut product = Some(1_u64);
                while let Some(dimension) = dimensions.next_element::<u64>()? {
                    product = product.and_then(|product| product.checked_mul(dimension));
                }
                Ok(Shape(product))
            }
        }
        json.deserialize_seq(Product)
    }
}

/// Reads the metadata, a map of strings, of which digests of the keys are kept.
struct MetadataSeed<'a>(&'a mut Vec<u64>);

impl<'de> DeserializeSeed<'de> for MetadataSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MetadataSeed<'_> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("metadata, an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(KeyDigest(key)) = map.next_key()? {
            map.next_value::<Text>()?;
            self.0.push(key);
        }
        Ok(())
    }
}

/// A string whose content does not matter.
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Text;

            fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
                text.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }
        json.deserialize_str(Any)
    }
}

/// A digest of a key, in place of the key: there can be millions. Two keys of one
/// digest would be a false alarm, and are not made by accident.
struct KeyDigest(u64);

impl<'de> Deserialize<'de> for KeyDigest {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Digest;
        impl Visitor<'_> for Digest {
            type Value = KeyDigest;

            fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
                text.write_str("a key")
            }

            fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<KeyDigest, E> {
                // FNV-1a.
                let start = 0xcbf2_9ce4_8422_2325_u64;
                Ok(KeyDigest(key.bytes().fold(start, |digest, byte| {
                    (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                })))
            }
        }
        json.deserialize_str(Digest)
    }
}
