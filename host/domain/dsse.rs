//! What a signature in a DSSE envelope is made over.
//!
//! Source: secure-systems-lab/dsse, `protocol.md`. Leaves envelopes and keys to whoever
//! signs or verifies.

/// Encodes a payload and its type as what a signature is made over: DSSE's
/// "pre-authentication encoding".
pub fn encode(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_the_example_of_the_protocol() {
        let encoded = encode("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
