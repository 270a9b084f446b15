//! Owns the making of weights that say something in their metadata.

/// Returns a GGUF file with these texts.
pub(crate) fn gguf(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend((pairs.len() as u64).to_le_bytes());
    for (key, text) in pairs {
        bytes.extend((key.len() as u64).to_le_bytes());
        bytes.extend(key.as_bytes());
        bytes.extend(8_u32.to_le_bytes());
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// Returns safetensors without tensors, with these metadata.
pub(crate) fn safetensors(pairs: &[(&str, &str)]) -> Vec<u8> {
    let texts: serde_json::Map<String, serde_json::Value> =
        pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
    let header = serde_json::json!({ "__metadata__": texts }).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes
}
