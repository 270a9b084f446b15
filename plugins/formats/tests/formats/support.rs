//! Owns what the tests of all formats share: a file judged and told in short, and
//! the hostile variations that every format goes through.

use modelhost_plugin_formats::judge::{Judgement, judge};

/// Returns what the check says of a file: the rules it names, in order, or why it
/// does not judge it.
pub(crate) fn said(bytes: &[u8]) -> String {
    match judge(&bytes.to_vec()) {
        Judgement::NotOurs(_) => "not ours".to_owned(),
        Judgement::Unsupported(_) => "unsupported".to_owned(),
        Judgement::Unreadable(error) => format!("{error:?}"),
        Judgement::Walked(_, defects) if defects.is_empty() => "clean".to_owned(),
        Judgement::Walked(_, defects) => {
            let mut ids: Vec<_> = defects.iter().map(|defect| defect.rule.name()).collect();
            ids.dedup();
            ids.join(" ")
        }
    }
}

/// Cuts the file at each byte: no cut may pass as clean but those that `allowed`
/// says lose nothing.
pub(crate) fn no_cut_is_clean(bytes: &[u8], allowed: impl Fn(usize) -> bool) {
    for length in 0..bytes.len() {
        let said = said(&bytes[..length]);
        assert!(
            said != "clean" || allowed(length),
            "cut at {length} of {}",
            bytes.len()
        );
    }
}

/// Flips each bit of the first `length` bytes: nothing may panic.
pub(crate) fn no_flip_panics(bytes: &[u8], length: usize) {
    for bit in 0..bytes.len().min(length) * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        said(&flipped);
    }
}

/// Returns a protobuf number.
pub(crate) fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}

/// Returns a protobuf field of bytes: a text, or a message.
pub(crate) fn field(number: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [
        varint(number << 3 | 2),
        varint(content.len() as u64),
        content.to_vec(),
    ]
    .concat()
}

/// Returns a protobuf field of a number.
pub(crate) fn count(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}
