//! Owns what the check says of GGUF, sound, broken and hostile.

use proptest::prelude::*;

use crate::support::{no_cut_is_clean, no_flip_panics, said};

/// A file in the making.
#[derive(Clone, Default)]
struct File {
    keys: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    data: usize,
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl File {
    fn key(mut self, name: &str, kind: u32, value: &[u8]) -> Self {
        self.keys.push([string(name).as_slice(), &kind.to_le_bytes(), value].concat());
        self
    }

    fn tensor(mut self, name: &str, dimensions: &[u64], kind: u32, offset: u64) -> Self {
        let count = u32::try_from(dimensions.len()).expect("few dimensions");
        let mut entry = [string(name).as_slice(), &count.to_le_bytes()].concat();
        dimensions.iter().for_each(|size| entry.extend(size.to_le_bytes()));
        entry.extend(kind.to_le_bytes());
        entry.extend(offset.to_le_bytes());
        self.tensors.push(entry);
        self
    }

    fn data(mut self, length: usize) -> Self {
        self.data = length;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        self.counted(3, self.tensors.len() as u64, self.keys.len() as u64)
    }

    fn counted(&self, version: u32, tensors: u64, keys: u64) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(keys.to_le_bytes());
        bytes.extend(self.keys.concat());
        bytes.extend(self.tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(32) + self.data, 7);
        bytes
    }
}

/// Two keys and two tensors of 32 and 18 bytes.
fn sound() -> File {
    let head = [&8_u32.to_le_bytes(), 2_u64.to_le_bytes().as_slice()].concat();
    let strings = [head, string("a"), string("bc")];
    File::default()
        .key("general.architecture", 8, &string("llama"))
        .key("tokens", 9, &strings.concat())
        .tensor("a", &[4, 2], 0, 0)
        .tensor("b", &[32], 2, 32)
        .data(32 + 18)
}

#[test]
fn files() {
    let array = |of: u32, count: u64| [of.to_le_bytes().as_slice(), &count.to_le_bytes()].concat();
    let one = |dimensions: &[u64], kind: u32, offset: u64, data: usize| {
        File::default().tensor("a", dimensions, kind, offset).data(data)
    };
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("sound", sound().bytes(), "clean"),
        ("version 2", sound().counted(2, 2, 2), "clean"),
        ("padded to the end", sound().data(32 + 32).bytes(), "clean"),
        ("keys alone", File::default().key("k", 4, &[1, 0, 0, 0]).bytes(), "clean"),
        ("empty", File::default().bytes(), "clean"),
        ("scalar", one(&[], 28, 0, 8).bytes(), "clean"),
        ("version 1", sound().counted(1, 2, 2), "unsupported"),
        ("version 9", sound().counted(9, 2, 2), "unsupported"),
        (
            "a version that is big-endian, and nothing else",
            sound().counted(3 << 24, 2, 2),
            "malformed",
        ),
        ("too many keys", sound().counted(3, 2, 3), "malformed"),
        ("2^64 - 1 keys", sound().counted(3, 2, u64::MAX), "malformed"),
        ("2^61 tensors", sound().counted(3, 1 << 61, 2), "malformed"),
        ("a tensor too many", sound().counted(3, 3, 2), "malformed"),
        (
            "a string past the end",
            File::default().key("k", 8, &u64::MAX.to_le_bytes()).bytes(),
            "malformed",
        ),
        (
            "an array past the end",
            File::default().key("k", 9, &array(12, u64::MAX / 8)).bytes(),
            "malformed",
        ),
        (
            "an array that overflows",
            File::default().key("k", 9, &array(12, 1 << 61)).bytes(),
            "malformed",
        ),
        (
            "strings past the end",
            File::default().key("k", 9, &array(8, 1 << 61)).bytes(),
            "malformed",
        ),
        ("an array of arrays", File::default().key("k", 9, &array(9, 1)).bytes(), "malformed"),
        ("no type", File::default().key("k", 13, &[0; 8]).bytes(), "malformed"),
        ("no truth value", File::default().key("k", 7, &[2]).bytes(), "malformed"),
        (
            "a key twice",
            File::default().key("k", 0, &[0]).key("k", 0, &[0]).bytes(),
            "duplicate-key",
        ),
        ("alignment of 0", sound().key("general.alignment", 4, &[0; 4]).bytes(), "malformed"),
        (
            "alignment of 24",
            sound().key("general.alignment", 4, &[24, 0, 0, 0]).bytes(),
            "malformed",
        ),
        (
            "alignment of 64",
            sound().key("general.alignment", 4, &[64, 0, 0, 0]).bytes(),
            "malformed",
        ),
        (
            "alignment as text",
            sound().key("general.alignment", 8, &string("32")).bytes(),
            "malformed",
        ),
        ("five dimensions", one(&[1; 5], 0, 0, 4).bytes(), "malformed"),
        (
            "2^32 - 1 dimensions",
            {
                let mut bytes = one(&[], 0, 0, 4).bytes();
                bytes[33..37].fill(0xff);
                bytes
            },
            "malformed",
        ),
        ("dimensions overflow", one(&[1 << 32, 1 << 32], 0, 0, 4).bytes(), "size-mismatch"),
        ("signed dimensions overflow", one(&[1 << 63], 24, 0, 4).bytes(), "size-mismatch"),
        ("bytes overflow", one(&[1 << 62], 0, 0, 4).bytes(), "size-mismatch"),
        ("half a block", one(&[33], 2, 0, 36).bytes(), "size-mismatch"),
        ("removed type", one(&[32], 4, 0, 18).bytes(), "unknown-dtype"),
        ("type 2^32 - 1", one(&[32], u32::MAX, 0, 18).bytes(), "unknown-dtype"),
        ("past the end", one(&[2], 0, 0, 4).bytes(), "out-of-bounds"),
        ("an offset that overflows", one(&[1], 0, u64::MAX - 31, 4).bytes(), "out-of-bounds"),
        ("not aligned", one(&[1], 0, 4, 8).bytes(), "malformed hole"),
        (
            "overlap",
            File::default().tensor("a", &[16], 0, 0).tensor("b", &[8], 0, 32).data(64).bytes(),
            "overlap",
        ),
        ("a hole", one(&[1], 0, 32, 36).bytes(), "hole"),
        ("trailing data", one(&[1], 0, 0, 100).bytes(), "trailing-data"),
        (
            "a tensor twice",
            File::default().tensor("a", &[8], 0, 0).tensor("a", &[8], 0, 32).data(64).bytes(),
            "duplicate-key",
        ),
        (
            "a long name",
            File::default().tensor(&"a".repeat(65), &[8], 0, 0).data(32).bytes(),
            "malformed",
        ),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

#[test]
fn more_than_can_be_kept_is_never_clean() {
    let many = |count: u32| {
        let name = |number: u32| format!("{number:06}");
        (0..count).fold(File::default(), |file, number| file.key(&name(number), 0, &[0]))
    };
    assert_eq!(said(&many(1_000).bytes()), "clean");
    assert_eq!(said(&many(70_000).bytes()), "unsupported");
}

#[test]
fn cut_and_flipped_files_are_not_clean_and_do_not_panic() {
    let bytes = sound().bytes();
    no_cut_is_clean(&bytes, |_| false);
    no_flip_panics(&bytes, bytes.len());
}

proptest! {
    #[test]
    fn any_keys_and_tensors_end_in_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200), keys in 0_u64..4, tensors in 0_u64..4) {
        let head = File::default().counted(3, tensors, keys);
        said(&[&head[..24], bytes.as_slice()].concat());
    }
}
