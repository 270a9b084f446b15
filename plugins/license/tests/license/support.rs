//! Owns the making of weights that say something in their metadata.

/// Returns a GGUF file with these texts, and behind them what every such file has: a
/// text that is none about licenses, numbers, and lists.
pub(crate) fn gguf(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend((pairs.len() as u64 + 5).to_le_bytes());
    let after = [("tokenizer.ggml.model", "gpt2"), ("tokenizer.chat_template", "{{ x }}")];
    for (key, text) in pairs.iter().chain(&after) {
        bytes.extend((key.len() as u64).to_le_bytes());
        bytes.extend(key.as_bytes());
        bytes.extend(8_u32.to_le_bytes());
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    let mut value = |key: &str, kind: u32, parts: &[&[u8]]| {
        bytes.extend((key.len() as u64).to_le_bytes());
        bytes.extend(key.as_bytes());
        bytes.extend(kind.to_le_bytes());
        parts.iter().for_each(|part| bytes.extend(*part));
    };
    let two = 2_u64.to_le_bytes();
    let (text, numbers) = (8_u32.to_le_bytes(), 4_u32.to_le_bytes());
    value("llama.block_count", 4, &[b"\x20\0\0\0"]);
    value("tokenizer.ggml.tokens", 9, &[&text, &two, &[0; 8], &[1, 0, 0, 0, 0, 0, 0, 0, b'a']]);
    // A list of two lists of two numbers.
    let inner = [&numbers[..], &two, &[0; 8]].concat();
    value("rows", 9, &[&9_u32.to_le_bytes(), &two, &inner, &inner]);
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
