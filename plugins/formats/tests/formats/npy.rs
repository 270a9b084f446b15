//! Owns what the check says of numpy's arrays, sound, broken and hostile.

use proptest::prelude::*;

use crate::support::{no_cut_is_clean, no_flip_panics, said};

fn array(version: u8, header: &str, data: usize) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    let length = u32::try_from(header.len()).expect("a short header").to_le_bytes();
    bytes.extend(if version == 1 { &length[..2] } else { &length });
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 7);
    bytes
}

fn typed(descr: &str, shape: &str, data: usize) -> Vec<u8> {
    array(1, &format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}  \n"), data)
}

#[test]
fn arrays() {
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("sound", typed("'<f4'", "(2, 3)", 24), "clean"),
        ("scalar", typed("'<f8'", "()", 8), "clean"),
        ("empty", typed("'|u1'", "(0, 9)", 0), "clean"),
        ("text", typed("'<U3'", "(2,)", 24), "clean"),
        ("bytes", typed("'|S5'", "(2,)", 10), "clean"),
        ("truth", typed("'|b1'", "(3,)", 3), "clean"),
        ("dates", typed("'<M8[ns]'", "(2,)", 16), "clean"),
        (
            "structured",
            typed("[('a', '<i4', (2,)), ('b', [('c', '|u1'), (('t', 'd'), '<f8')])]", "(2,)", 34),
            "clean",
        ),
        (
            "version 3",
            array(3, "{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}\n", 4),
            "clean",
        ),
        ("two arrays", [typed("'<f4'", "(1,)", 4), typed("'<f4'", "(2,)", 8)].concat(), "clean"),
        ("objects", typed("'|O'", "(1,)", 9), "not ours"),
        ("objects with a size", typed("'|O8'", "(1,)", 9), "not ours"),
        ("objects within", typed("[('a', '<f4'), ('b', [('c', '|O')])]", "(1,)", 12), "not ours"),
        (
            "objects after",
            [typed("'<f4'", "(1,)", 4), typed("'|O'", "(1,)", 9)].concat(),
            "not ours",
        ),
        ("objects by another name", typed("'object'", "(1,)", 8), "malformed"),
        ("objects in a list of types", typed("'f4,O'", "(1,)", 12), "malformed"),
        ("data cut", typed("'<f4'", "(2, 3)", 23), "malformed"),
        ("trailing data", typed("'<f4'", "(2, 3)", 25), "trailing-data"),
        (
            "a pickle behind",
            [typed("'<f4'", "(1,)", 4), b"\x80\x04N.".to_vec()].concat(),
            "trailing-data",
        ),
        ("shape overflows", typed("'<f4'", "(4294967296, 4294967296)", 4), "malformed"),
        ("size overflows", typed("'<f4'", "(4611686018427387904,)", 4), "malformed"),
        ("text overflows", typed("'<U4611686018427387904'", "(1,)", 4), "malformed"),
        ("negative", typed("'<f4'", "(-1,)", 4), "malformed"),
        ("expression", typed("'<f4'", "(__import__('os').getpid(),)", 4), "malformed"),
        (
            "a key more",
            array(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4),
            "malformed",
        ),
        ("a key less", array(1, "{'descr': '<f4', 'shape': (1,)}", 4), "malformed"),
        (
            "a key twice",
            array(1, "{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 4),
            "malformed",
        ),
        (
            "a number for a truth",
            array(1, "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}", 4),
            "malformed",
        ),
        ("no dictionary", array(1, "(1, 2)", 4), "malformed"),
        ("empty header", array(1, "", 4), "malformed"),
        ("deep", array(2, &"(".repeat(9_000), 4), "malformed"),
        ("long", array(2, &" ".repeat(10_001), 4), "malformed"),
        ("many parts", typed(&format!("[{}]", "('',''),".repeat(900)), "(1,)", 0), "malformed"),
        ("version 4", array(4, "{}", 0), "unsupported"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
    let mut huge = typed("'<f4'", "(1,)", 4);
    huge[6] = 2;
    huge[8..12].fill(0xff);
    assert_eq!(said(&huge), "malformed");
}

#[test]
fn cut_and_flipped_files_are_not_clean_and_do_not_panic() {
    let bytes = typed("[('a', '<i4'), ('b', '<f4')]", "(2,)", 16);
    no_cut_is_clean(&bytes, |_| false);
    no_flip_panics(&bytes, bytes.len());
}

proptest! {
    #[test]
    fn any_header_ends_in_an_answer(header in "[{}()\\[\\],:'0-9a-zLTFNO<| ]{0,80}") {
        said(&array(1, &header, 10));
    }
}
