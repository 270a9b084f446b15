//! What a signature over a payload and its type is really made over (DSSE's
//! pre-authentication encoding).
//!
//! It leaves to others: keys, and what the payload says.

use crate::statement::{self, OLD_PREDICATE_TYPE};

/// Encodes a payload and its type.
pub fn encode(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Tells whether a signature over the payload may be over the faulty encoding of release
/// 0.2.0: only where the payload is a statement of that release's form.
pub fn may_be_old(payload_type: &str, payload: &[u8]) -> bool {
    statement::predicate_type(payload_type, payload).is_ok_and(|kind| kind == OLD_PREDICATE_TYPE)
}

/// Encodes as release 0.2.0 of the reference tool did: with another first word, and the
/// payload in the way in which Python shows bytes.
pub fn encode_as_once(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let quote = if payload.contains(&b'\'') && !payload.contains(&b'"') { b'"' } else { b'\'' };
    let head = format!("DSSEV1 {} {payload_type} {} b", payload_type.len(), payload.len());
    let mut encoded = head.into_bytes();
    encoded.push(quote);
    for &byte in payload {
        match byte {
            b'\t' => encoded.extend_from_slice(b"\\t"),
            b'\n' => encoded.extend_from_slice(b"\\n"),
            b'\r' => encoded.extend_from_slice(b"\\r"),
            b'\\' => encoded.extend_from_slice(b"\\\\"),
            byte if byte == quote => encoded.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => encoded.push(byte),
            byte => encoded.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    encoded.push(quote);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(encode("a/b", b"what"), b"DSSEv1 3 a/b 4 what");
        assert_eq!(encode("", b""), b"DSSEv1 0  0 ");
        let rows: [(&[u8], &str); 6] = [
            (b"what", "b'what'"),
            (b"a\n\t\r\\", "b'a\\n\\t\\r\\\\'"),
            (b"it's", "b\"it's\""),
            (b"'\"", "b'\\'\"'"),
            (b"\"", "b'\"'"),
            (&[0, 0x7f, 0xc3], "b'\\x00\\x7f\\xc3'"),
        ];
        for (payload, expected) in rows {
            let encoded = encode_as_once("t", payload);
            assert_eq!(encoded, format!("DSSEV1 1 t {} {expected}", payload.len()).as_bytes());
        }
    }

    #[test]
    fn only_old_statements_may_be_encoded_so() {
        let kind = "application/vnd.in-toto+json";
        let of = |predicate: &str| format!("{{\"predicateType\":\"{predicate}\"}}");
        assert!(may_be_old(kind, of(OLD_PREDICATE_TYPE).as_bytes()));
        assert!(!may_be_old(kind, of(statement::PREDICATE_TYPE).as_bytes()));
        assert!(!may_be_old("text/plain", of(OLD_PREDICATE_TYPE).as_bytes()));
        assert!(!may_be_old(kind, b"?"));
    }
}
