//! Where the tensors of a safetensors file lie, by the JSON of its header.
//!
//! The format: <https://github.com/huggingface/safetensors#format>. Leaves
//! whether tensors lie over each other to the module around.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{MAX_TENSORS, Place, TensorError, bytes_of, malformed, shown};
use crate::model::FileHandle;

/// The format's own bound on the header, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// The length of the header's length.
const PREFIX: u64 = 8;

/// The key that holds free text about the model in place of a tensor.
const METADATA: &str = "__metadata__";

/// The types of elements, each with its bits.
const DTYPES: [(&str, u64); 22] = [
    ("BOOL", 8),
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("U8", 8),
    ("I8", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("C64", 64),
    ("F64", 64),
    ("I64", 64),
    ("U64", 64),
];

/// Whether a file that begins with `head` is safetensors: the length of a header,
/// then a JSON object.
pub(super) fn recognise(head: &[u8]) -> bool {
    let Some((length, json)) = head.split_first_chunk::<8>() else { return false };
    u64::from_le_bytes(*length) <= MAX_HEADER && json.first() == Some(&b'{')
}

/// Returns the places of the tensors, in the order of the header.
pub(super) fn places(file: &FileHandle) -> Result<Vec<Place>, TensorError> {
    let Ok(prefix) = <[u8; 8]>::try_from(file.read(0, 8)?) else {
        return malformed("it is shorter than the length of its header");
    };
    let length = u64::from_le_bytes(prefix);
    let left = file.size().saturating_sub(PREFIX);
    if length > MAX_HEADER {
        return malformed(format!("its header claims {length} bytes, more than {MAX_HEADER}"));
    }
    if length > left {
        return malformed(format!("its header claims {length} bytes, and {left} follow"));
    }
    // At most MAX_HEADER, so it fits.
    let header = file.read(PREFIX, usize::try_from(length).unwrap_or(0))?;
    let Header(entries) = serde_json::from_slice(&header)
        .map_err(|error| TensorError::Malformed(format!("its header is malformed: {error}")))?;
    let mut seen = HashSet::new();
    if let Some(twice) = entries.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        return malformed(format!("its header names tensor {} twice", shown(&twice.0)));
    }
    let mut covered = 0u64;
    let mut places = Vec::with_capacity(entries.len());
    for (name, entry) in entries {
        let place = place(name, entry, PREFIX + length)?;
        covered = covered.saturating_add(place.length);
        places.push(place);
    }
    // The format has no holes: what lies in one would be in no digest.
    if covered != left - length {
        return malformed("its tensors do not cover its data");
    }
    Ok(places)
}

fn place(name: String, entry: Entry, data: u64) -> Result<Place, TensorError> {
    let Some((dtype, bits)) = DTYPES.iter().find(|(dtype, _)| *dtype == entry.dtype) else {
        let (name, dtype) = (shown(&name), shown(&entry.dtype));
        return malformed(format!("tensor {name} is of the type {dtype}, which is not known"));
    };
    let (begin, end) = entry.data_offsets;
    let length = end.checked_sub(begin);
    let start = data.checked_add(begin);
    match (length, start) {
        (Some(length), Some(start)) if bytes_of(&entry.shape, 1, *bits) == Some(length) => {
            Ok(Place { name, dtype, shape: entry.shape, start, length })
        }
        _ => malformed(format!("the bytes of tensor {} do not fit its shape", shown(&name))),
    }
}

/// One tensor in the header.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The tensors of a header, each name as often as it stands there.
struct Header(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;

        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == METADATA {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if entries.len() >= MAX_TENSORS {
                        return Err(A::Error::custom(format!("more than {MAX_TENSORS} tensors")));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Header(entries))
            }
        }

        deserializer.deserialize_map(HeaderVisitor)
    }
}
