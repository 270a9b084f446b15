//! Headers that hold together, and all the ways in which they may not.

use super::*;
use crate::model::testing::file;

fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// What a file gives: its tensors in words, or why not.
fn of(name: &str, bytes: &[u8]) -> Result<Vec<String>, String> {
    let found = find(&file(name, bytes)).map_err(|error| error.to_string())?;
    let Some(found) = found else { return Err("none".to_owned()) };
    let tensors = digests(&[found], 2).map_err(|error| error.to_string())?;
    let words = |tensor: &Tensor| {
        let digest = &tensor.digest.hex()[..8];
        format!("{} {} {:?} {digest}", tensor.name, tensor.dtype, tensor.shape)
    };
    Ok(tensors.iter().map(words).collect())
}

fn short(bytes: &[u8]) -> String {
    Digest::of(bytes).hex()[..8].to_owned()
}

#[test]
fn safetensors_give_each_tensor_its_own_digest() {
    let header = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4],"more":1},"e":{"dtype":"F4","shape":[0],"data_offsets":[6,6]}}"#;
    let tensors = of("x", &safetensors(header, b"aaaabb"));
    let expected = vec![
        format!("a F32 [1, 1] {}", short(b"aaaa")),
        format!("b U8 [2] {}", short(b"bb")),
        format!("e F4 [0] {}", short(b"")),
    ];
    assert_eq!(tensors, Ok(expected));
    assert_eq!(of("x.safetensors", &safetensors("{}", b"")), Ok(vec![]));
}

#[test]
fn what_is_no_safetensors_says_why() {
    let one = |entry: &str| safetensors(&format!("{{\"a\":{entry}}}"), b"abcd");
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "it is shorter than the length of its header"),
        (b"\x02\0\0\0\0\0\0".to_vec(), "it is shorter than the length of its header"),
        (
            b"\xff\xff\xff\xff\xff\xff\xff\xff{}".to_vec(),
            "its header claims 18446744073709551615 bytes, more than 100000000",
        ),
        (b"\x00\xe1\xf5\x05\0\0\0\0{}".to_vec(), "its header claims 100000000 bytes, and 2 follow"),
        (safetensors("{", b""), "its header is malformed"),
        (safetensors("[]", b""), "its header is malformed"),
        (safetensors("\u{feff}{}", b""), "its header is malformed"),
        (safetensors(&"[".repeat(100_000), b""), "its header is malformed"),
        (
            safetensors(&format!("{{\"__metadata__\":{}", "[".repeat(100_000)), b""),
            "its header is malformed",
        ),
        (one("1"), "its header is malformed"),
        (one(r#"{"dtype":"U8","shape":[4]}"#), "its header is malformed"),
        (one(r#"{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}"#), "its header is malformed"),
        (one(r#"{"dtype":"U8","shape":[4],"data_offsets":[0,4,5]}"#), "its header is malformed"),
        (
            one(r#"{"dtype":"X\u001b","shape":[4],"data_offsets":[0,4]}"#),
            "tensor a is of the type X\\x1b, which is not known",
        ),
        (
            one(r#"{"dtype":"U8","shape":[4],"data_offsets":[4,0]}"#),
            "the bytes of tensor a do not fit its shape",
        ),
        (
            one(r#"{"dtype":"U8","shape":[5],"data_offsets":[0,4]}"#),
            "the bytes of tensor a do not fit its shape",
        ),
        (
            one(r#"{"dtype":"F4","shape":[7],"data_offsets":[0,4]}"#),
            "the bytes of tensor a do not fit its shape",
        ),
        (
            one(r#"{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}"#),
            "the bytes of tensor a do not fit its shape",
        ),
        (
            one(r#"{"dtype":"U8","shape":[4],"data_offsets":[1,5]}"#),
            "tensor a does not lie within the file",
        ),
        (
            one(
                r#"{"dtype":"U8","shape":[4],"data_offsets":[18446744073709551612,18446744073709551615]}"#,
            ),
            "the bytes of tensor a do not fit its shape",
        ),
        (
            one(r#"{"dtype":"U8","shape":[3],"data_offsets":[0,3]}"#),
            "its tensors do not cover its data",
        ),
        (
            safetensors(
                r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
                b"abcd",
            ),
            "tensor b lies over another",
        ),
        (
            safetensors(
                r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
                b"abcd",
            ),
            "its header names tensor a twice",
        ),
    ];
    for (bytes, expected) in rows {
        let found = of("m.safetensors", &bytes);
        assert!(found.as_ref().is_err_and(|why| why.contains(expected)), "{expected}: {found:?}");
    }
    assert_eq!(of("m.bin", b"\x80\x04."), Err("none".to_owned()));
    assert_eq!(of("m.bin", b""), Err("none".to_owned()));
}

/// A GGUF of these keys and tensor entries, already written, and data.
fn gguf(keys: &[Vec<u8>], entries: &[Vec<u8>], data: &[u8]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend((entries.len() as u64).to_le_bytes());
    bytes.extend((keys.len() as u64).to_le_bytes());
    bytes.extend(keys.concat());
    bytes.extend(entries.concat());
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes.extend_from_slice(data);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

fn key(name: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [&text(name)[..], &kind.to_le_bytes(), value].concat()
}

fn entry(name: &str, shape: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let dimensions = u32::try_from(shape.len()).unwrap().to_le_bytes();
    let shape: Vec<u8> = shape.iter().flat_map(|size| size.to_le_bytes()).collect();
    [&text(name)[..], &dimensions, &shape, &kind.to_le_bytes(), &offset.to_le_bytes()].concat()
}

#[test]
fn gguf_gives_each_tensor_its_own_digest() {
    let list = [&8u32.to_le_bytes()[..], &2u64.to_le_bytes(), &text("x"), &text("yz")].concat();
    let keys = [key("general.name", 8, &text("n")), key("tokens", 9, &list), key("n", 4, &[1; 4])];
    let entries = [entry("a", &[32, 2], 2, 0), entry("b", &[3], 24, 64)];
    let data: Vec<u8> = (0..67).collect();
    let expected = vec![
        format!("a Q4_0 [32, 2] {}", short(&data[..36])),
        format!("b I8 [3] {}", short(&data[64..])),
    ];
    assert_eq!(of("m.bin", &gguf(&keys, &entries, &data)), Ok(expected.clone()));
    // Another alignment moves the data.
    let aligned = [key("general.alignment", 4, &64u32.to_le_bytes())];
    let mut bytes = gguf(&aligned, &entries, &[]);
    bytes.resize(bytes.len().next_multiple_of(64), 0);
    bytes.extend(&data);
    assert_eq!(of("m.gguf", &bytes), Ok(expected));
    assert_eq!(of("m.gguf", &gguf(&[], &[], b"")), Ok(vec![]));
}

#[test]
fn what_is_no_gguf_says_why() {
    let deep = [9u32.to_le_bytes().to_vec(), 1u64.to_le_bytes().to_vec()].concat().repeat(9);
    let endless = [&9u32.to_le_bytes()[..], &u64::MAX.to_le_bytes()].concat();
    let many = [&4u32.to_le_bytes()[..], &u64::MAX.to_le_bytes()].concat();
    let data = [7; 64];
    let one = |entry: Vec<u8>| gguf(&[], &[entry], &data);
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "its header does not end where it should"),
        (b"GGUX\x03\0\0\0".to_vec(), "it is no GGUF"),
        (b"GGUF".to_vec(), "its header does not end where it should"),
        (b"GGUF\x04\0\0\0".to_vec(), "its version 4 is not known"),
        (b"GGUF\0\0\0\0".to_vec(), "its version 0 is not known"),
        (
            [&b"GGUF\x03\0\0\0"[..], &[255; 16]].concat(),
            "it has 18446744073709551615 tensors, more than 250000",
        ),
        (
            [&b"GGUF\x03\0\0\0"[..], &[0; 8], &[255; 8]].concat(),
            "its header does not end where it should",
        ),
        (gguf(&[key("k", 13, &[])], &[], b""), "a value in its header is of the type 13"),
        (
            gguf(&[key("k", 8, &u64::MAX.to_le_bytes())], &[], b""),
            "its header does not end where it should",
        ),
        (
            gguf(&[u64::MAX.to_le_bytes().to_vec()], &[], b""),
            "a name in its header has 18446744073709551615 bytes",
        ),
        (gguf(&[key("k", 9, &deep)], &[], b""), "lists in its header are nested too deep"),
        (gguf(&[key("k", 9, &endless)], &[], b""), "its header does not end where it should"),
        (gguf(&[key("k", 9, &many)], &[], b""), "a list in its header overflows"),
        (gguf(&[key("general.alignment", 4, &[0; 4])], &[], b""), "its alignment is 0"),
        (gguf(&[key("general.alignment", 4, &[12, 0, 0, 0])], &[], b""), "its alignment is 12"),
        (one(entry("a", &[1; 5], 24, 0)), "tensor a has 5 dimensions"),
        (one(entry("a", &[4], 4, 0)), "tensor a is of the type 4, which is not known"),
        (one(entry("a", &[33], 2, 0)), "the shape of tensor a overflows its type"),
        (one(entry("a", &[16, 2], 2, 0)), "the shape of tensor a overflows its type"),
        (one(entry("a", &[1 << 40, 1 << 40], 24, 0)), "the shape of tensor a overflows its type"),
        (one(entry("a", &[4], 24, 1)), "tensor a does not lie where one may"),
        (one(entry("a", &[4], 24, u64::MAX - 31)), "tensor a does not lie where one may"),
        (one(entry("a", &[65], 24, 0)), "tensor a does not lie within the file"),
        (
            gguf(&[], &[entry("a", &[40], 24, 0), entry("b", &[4], 24, 32)], &data),
            "tensor b lies over another",
        ),
        (
            gguf(&[], &[entry("a", &[4], 24, 0), entry("a", &[4], 24, 32)], &data),
            "it names tensor a twice",
        ),
    ];
    for (bytes, expected) in rows {
        let found = of("m.gguf", &bytes);
        assert!(found.as_ref().is_err_and(|why| why.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn a_file_cut_short_or_changed_anywhere_is_read_without_harm() {
    let header = r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#;
    let whole = safetensors(header, b"ab");
    let quantized = gguf(&[key("n", 4, &[1; 4])], &[entry("a", &[2], 24, 0)], b"ab");
    for (name, bytes) in [("m.safetensors", whole), ("m.gguf", quantized)] {
        let good = of(name, &bytes).expect("it gives tensors");
        for length in 0..bytes.len() {
            assert!(of(name, &bytes[..length]).is_err(), "{name} {length}");
        }
        // With any byte another, it gives other tensors, a reason, or the same where
        // the byte was none of a tensor's; never more than the file holds.
        let mut same = 0;
        for at in 0..bytes.len() {
            for with in [0, 1, 0x7f, 0x80, 0xff] {
                let mut other = bytes.clone();
                other[at] = with;
                same += usize::from(of(name, &other).is_ok_and(|tensors| tensors == good));
            }
        }
        assert!(same < bytes.len() * 3, "{name}: {same}");
    }
}
