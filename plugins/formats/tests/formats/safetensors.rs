//! Owns what the check says of safetensors, sound, broken and hostile.

use crate::support::{no_cut_is_clean, no_flip_panics, said};
use proptest::prelude::*;

/// Returns a file of that header and so many bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 7);
    bytes
}

const TWO: &str = r#"{"__metadata__":{"format":"pt"},
"b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},
"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}   "#;

#[test]
fn headers() {
    let one = |entry: &str| format!(r#"{{"a":{entry}}}"#);
    let typed = |dtype: &str, shape: &str, end: &str| {
        one(&format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}"#))
    };
    let two = |first: &str, second: &str| {
        let entry = |offsets: &str, length: u32| {
            format!(r#"{{"dtype":"U8","shape":[{length}],"data_offsets":{offsets}}}"#)
        };
        format!(r#"{{"a":{},"b":{}}}"#, entry(first, 4), entry(second, 4))
    };
    let rows: Vec<(&str, String, usize, &str)> = vec![
        ("sound", TWO.to_owned(), 12, "clean"),
        ("no tensors", "{}".to_owned(), 0, "clean"),
        ("scalar", typed("F64", "[]", "8"), 8, "clean"),
        ("empty tensor", typed("F64", "[0,7]", "0"), 0, "clean"),
        ("eight-bit float", typed("F8_E4M3", "[3]", "3"), 3, "clean"),
        ("four-bit float", typed("F4", "[4]", "2"), 2, "clean"),
        ("six-bit float", typed("F6_E2M3", "[4]", "3"), 3, "clean"),
        ("half a byte", typed("F4", "[3]", "2"), 2, "size-mismatch"),
        (
            "unknown keys are ignored",
            one(r#"{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[{}]}"#),
            1,
            "clean",
        ),
        ("unknown type", typed("F128", "[1]", "16"), 16, "unknown-dtype"),
        ("lower case type", typed("f32", "[1]", "4"), 4, "unknown-dtype"),
        ("too long", typed("F32", "[1]", "8"), 8, "size-mismatch"),
        ("shape overflows", typed("F32", "[4294967296,4294967296]", "4"), 4, "size-mismatch"),
        ("bits overflow", typed("F32", "[1152921504606846976]", "4"), 4, "size-mismatch"),
        ("past the end", typed("F32", "[2]", "8"), 4, "out-of-bounds trailing-data"),
        (
            "far past the end",
            typed("F32", "[2]", "18446744073709551615"),
            4,
            "out-of-bounds trailing-data",
        ),
        (
            "ends before it begins",
            one(r#"{"dtype":"U8","shape":[0],"data_offsets":[4,0]}"#),
            4,
            "out-of-bounds trailing-data",
        ),
        ("overlap", two("[0,4]", "[2,6]"), 6, "overlap"),
        ("same bytes", two("[0,4]", "[0,4]"), 4, "overlap"),
        ("hole", two("[0,4]", "[6,10]"), 10, "hole"),
        ("hole at the start", two("[2,6]", "[6,10]"), 10, "hole"),
        ("trailing bytes", two("[0,4]", "[4,8]"), 9, "trailing-data"),
        ("data without tensors", "{}".to_owned(), 1, "trailing-data"),
        ("twice", TWO.replace("\"b\"", "\"a\""), 12, "duplicate-key"),
        ("twice, once escaped", TWO.replace("\"b\"", "\"\\u0061\""), 12, "duplicate-key"),
        (
            "metadata twice",
            r#"{"__metadata__":{},"__metadata__":{}}"#.to_owned(),
            0,
            "duplicate-key",
        ),
        (
            "metadata key twice",
            r#"{"__metadata__":{"k":"a","k":"b"}}"#.to_owned(),
            0,
            "duplicate-key",
        ),
        (
            "field twice",
            one(r#"{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}"#),
            0,
            "malformed",
        ),
        ("metadata of numbers", r#"{"__metadata__":{"k":1}}"#.to_owned(), 0, "malformed"),
        ("metadata is a list", r#"{"__metadata__":[]}"#.to_owned(), 0, "malformed"),
        ("negative", typed("U8", "[-1]", "0"), 0, "malformed"),
        ("not whole", typed("U8", "[1.0]", "1"), 1, "malformed"),
        ("over 64 bits", typed("U8", "[18446744073709551616]", "1"), 1, "malformed"),
        (
            "three offsets",
            one(r#"{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}"#),
            0,
            "malformed",
        ),
        ("no shape", one(r#"{"dtype":"U8","data_offsets":[0,0]}"#), 0, "malformed"),
        ("text after the object", "{} {}".to_owned(), 0, "malformed"),
        ("unfinished", r#"{"a":"#.to_owned(), 0, "malformed"),
        ("zero byte after the object", "{}\0".to_owned(), 0, "malformed"),
        ("deep", format!("{{\"a\":{}", "[".repeat(200_000)), 0, "malformed"),
        (
            "deep in an ignored key",
            one(&format!(r#"{{"x":{}"#, "[".repeat(200_000))),
            0,
            "malformed",
        ),
    ];
    for (name, header, data, expected) in rows {
        assert_eq!(said(&file(&header, data)), expected, "{name}");
    }
}

#[test]
fn lengths() {
    let with = |length: u64, rest: &[u8]| [&length.to_le_bytes(), rest].concat();
    let rows: [(&str, Vec<u8>, &str); 8] = [
        ("empty file", Vec::new(), "not ours"),
        ("length alone", with(2, b""), "not ours"),
        ("zero", with(0, b"{}"), "malformed"),
        ("past the end", with(3, b"{}"), "malformed"),
        ("2^63", with(1 << 63, b"{}"), "malformed"),
        ("2^64 - 1", with(u64::MAX, b"{\""), "malformed"),
        ("text that happens to have a brace", b"# title {\"a\": 1}".to_vec(), "not ours"),
        ("another format", b"\x80\x04\x95\0\0\0\0\0[".to_vec(), "not ours"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

#[test]
fn a_header_too_large_to_check_is_never_clean() {
    let padded = |length: usize| file(&format!("{{}}{}", " ".repeat(length - 2)), 0);
    assert_eq!(said(&padded(1024 * 1024)), "clean");
    assert_eq!(said(&padded(33 * 1024 * 1024)), "unsupported");
    assert_eq!(said(&padded(100_000_001)), "malformed");
}

#[test]
fn a_zip_in_the_weights_is_seen() {
    let directory = [b"PK\x01\x02".as_slice(), &[0; 43]].concat();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\0\0\0\0\0\0".as_slice()].concat();
    let zip = [directory, end].concat();
    let header =
        format!(r#"{{"a":{{"dtype":"U8","shape":[{0}],"data_offsets":[0,{0}]}}}}"#, zip.len());
    let mut bytes = file(&header, 0);
    bytes.extend(zip);
    assert_eq!(said(&bytes), "polyglot");
}

#[test]
fn cut_and_flipped_files_are_not_clean_and_do_not_panic() {
    let bytes = file(TWO, 12);
    no_cut_is_clean(&bytes, |_| false);
    no_flip_panics(&bytes, bytes.len());
}

proptest! {
    #[test]
    fn any_header_ends_in_an_answer(header in "\\{[\"a-c:,{}\\[\\]0-9 ]{0,60}\\}", data in 0_usize..40) {
        said(&file(&header, data));
    }

    #[test]
    fn any_bytes_end_in_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        said(&bytes);
    }

    /// The reference: tensors that a writer lays out one after the other are
    /// clean, and any other length of the data is not.
    #[test]
    fn what_a_writer_lays_out_is_clean(lengths in proptest::collection::vec(0_usize..9, 1..20), extra in 0_usize..3) {
        let mut at = 0;
        let entries: Vec<_> = lengths.iter().enumerate().map(|(name, length)| {
            let begin = at;
            at += length;
            format!(r#""{name}":{{"dtype":"I8","shape":[{length}],"data_offsets":[{begin},{at}]}}"#)
        }).collect();
        let bytes = file(&format!("{{{}}}", entries.join(",")), at + extra);
        prop_assert_eq!(said(&bytes) == "clean", extra == 0);
    }
}
