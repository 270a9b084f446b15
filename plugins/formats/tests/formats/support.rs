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
        assert!(said != "clean" || allowed(length), "cut at {length} of {}", bytes.len());
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
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

/// Returns a protobuf field of a number.
pub(crate) fn count(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

/// A member as an archive holds it: name, stored bytes, size, method.
pub(crate) type Packed = (&'static str, Vec<u8>, usize, u16);

/// Returns a member that is stored as it is.
pub(crate) fn stored(name: &'static str, content: &[u8]) -> Packed {
    (name, content.to_vec(), content.len(), 0)
}

/// Returns a zip archive of these members.
pub(crate) fn archive(members: &[Packed]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    let number = |number: usize| u32::try_from(number).expect("a small archive").to_le_bytes();
    for (name, content, size, method) in members {
        let mut common = vec![20, 0, 0, 0];
        common.extend(method.to_le_bytes());
        common.extend([0; 8]);
        common.extend(number(content.len()));
        common.extend(number(*size));
        common.extend(&number(name.len())[..2]);
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(number(bytes.len()));
        directory.extend(name.as_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(content);
    }
    let start = bytes.len();
    let count = number(members.len());
    let end = [
        b"PK\x05\x06\0\0\0\0".as_slice(),
        &count[..2],
        &count[..2],
        &number(directory.len()),
        &number(start),
        &[0, 0],
    ];
    let end = end.concat();
    [bytes, directory, end].concat()
}
