//! Safetensors files: a header that is right, and numbers that mean nothing.
//!
//! It leaves where the files go to its callers.

use std::fmt::Write as _;

/// One tensor of a header.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: &'static str,
    pub(crate) shape: Vec<u64>,
    /// How many bytes it takes.
    pub(crate) length: u64,
}

/// Returns what stands before the numbers: the header's length and the header, with the tensors
/// one after another, padded to eight bytes.
pub(crate) fn header(tensors: &[Tensor]) -> Vec<u8> {
    let mut json = String::from(r#"{"__metadata__":{"format":"pt"}"#);
    let mut offset = 0;
    for Tensor { name, dtype, shape, length } in tensors {
        let end = offset + length;
        // Names and shapes of ours need no escapes.
        let written = write!(
            json,
            r#","{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{offset},{end}]}}"#
        );
        written.expect("writing to a string does not fail");
        offset = end;
    }
    json.push('}');
    while json.len() % 8 != 0 {
        json.push(' ');
    }
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.into_bytes());
    bytes
}

/// Returns a file of three small tensors.
pub(super) fn tiny() -> Vec<u8> {
    let shapes: [(&str, &[u64]); 3] =
        [("embedding.weight", &[16, 8]), ("classifier.weight", &[2, 8]), ("classifier.bias", &[2])];
    let tensor = |&(name, shape): &(&str, &[u64])| Tensor {
        name: name.to_owned(),
        dtype: "F32",
        shape: shape.to_vec(),
        length: shape.iter().product::<u64>() * 4,
    };
    let tensors: Vec<_> = shapes.iter().map(tensor).collect();
    let count = tensors.iter().map(|tensor| tensor.length / 4).sum();
    let mut bytes = header(&tensors);
    for number in 0..count {
        // A walk through the unit interval that repeats nowhere near.
        let value = ((number * 2_654_435_761) % 65_536) as f32 / 65_536.0 - 0.5;
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_covers_the_file() {
        let bytes = tiny();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        let length = usize::try_from(length).unwrap();
        assert_eq!(length % 8, 0);
        let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let mut end = 0;
        for (name, tensor) in header.as_object().unwrap() {
            if name == "__metadata__" {
                continue;
            }
            end = end.max(tensor["data_offsets"][1].as_u64().unwrap());
        }
        assert_eq!(bytes.len() as u64, 8 + length as u64 + end);
    }
}
