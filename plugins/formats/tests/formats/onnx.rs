//! Owns what the check says of ONNX, sound, broken and hostile.

use modelhost_plugin_formats::onnx::outside;
use proptest::prelude::*;

use crate::support::{count, field, no_cut_is_clean, no_flip_panics, said};

fn model(graph: &[u8], rest: &[u8]) -> Vec<u8> {
    [count(1, 8), field(2, "pytorch"), field(7, graph), field(8, count(2, 17)), rest.to_vec()]
        .concat()
}

fn node(kind: &str, domain: &str, attributes: &[u8]) -> Vec<u8> {
    [field(3, "n"), field(4, kind), attributes.to_vec(), field(7, domain)].concat()
}

fn external(location: &str) -> Vec<u8> {
    let pair = |key: &str, value: &str| field(13, [field(1, key), field(2, value)].concat());
    [
        count(1, 2),
        count(2, 1),
        field(8, "w"),
        pair("location", location),
        pair("length", "8"),
        count(14, 1),
    ]
    .concat()
}

fn raw(dimensions: &[u64], kind: u64, length: usize) -> Vec<u8> {
    let dimensions: Vec<u8> = dimensions.iter().flat_map(|size| count(1, *size)).collect();
    [dimensions, count(2, kind), field(8, "w"), field(9, vec![7; length])].concat()
}

#[test]
fn models() {
    let graph = |parts: &[Vec<u8>]| model(&parts.concat(), b"");
    let tensor = |tensor: Vec<u8>| graph(&[field(5, tensor)]);
    let operator = |kind: &str, domain: &str| graph(&[field(1, node(kind, domain, b""))]);
    // An If with a sub-graph in its attribute.
    let within = |inner: Vec<u8>| {
        graph(&[field(1, node("If", "", &field(5, [field(1, "then"), field(6, inner)].concat())))])
    };
    let defined = [field(1, "f"), field(10, "com.example")].concat();
    let calls = field(7, node("PyOp", "ai.onnx.contrib", b""));
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "sound",
            graph(&[field(1, node("MatMul", "", b"")), field(5, raw(&[1, 2], 1, 8))]),
            "clean",
        ),
        ("data beside it", tensor(external("model.onnx.data")), "clean"),
        ("data in a folder", tensor(external("data/model.bin")), "clean"),
        ("common domain", operator("Attention", "com.microsoft"), "clean"),
        ("sub-byte type", tensor(raw(&[3], 22, 2)), "clean"),
        ("empty tensor", tensor(raw(&[0, 5], 1, 0)), "clean"),
        (
            "packed dimensions",
            tensor([field(1, [1, 2]), count(2, 1), field(9, [0; 8])].concat()),
            "clean",
        ),
        (
            "own domain",
            model(&field(1, node("f", "com.example", b"")), &field(25, &defined)),
            "clean",
        ),
        ("absolute", tensor(external("/etc/passwd")), "external-path"),
        ("climbing", tensor(external("a/../../b")), "external-path"),
        ("backslash", tensor(external("a\\b")), "external-path"),
        ("drive", tensor(external("C:/b")), "external-path"),
        ("nowhere", tensor(external("")), "external-path"),
        ("loader's memory", tensor(external("*/_ORT_MEM_ADDR_/*")), "external-path"),
        (
            "in a constant",
            graph(&[field(1, node("Constant", "", &field(5, field(5, external("/x")))))]),
            "external-path",
        ),
        (
            "in a list of tensors",
            graph(&[field(1, node("X", "", &field(5, field(10, external("/x")))))]),
            "external-path",
        ),
        ("in a sub-graph", within(field(5, external("/x"))), "external-path"),
        ("in a sparse tensor", graph(&[field(15, field(1, external("/x")))]), "external-path"),
        (
            "in a training graph",
            model(b"", &field(20, field(1, field(5, external("/x"))))),
            "external-path",
        ),
        (
            "in a function",
            model(b"", &field(25, field(7, node("C", "", &field(5, field(5, external("/x"))))))),
            "external-path",
        ),
        ("python", operator("PyOp", "ai.onnx.contrib"), "code-operator"),
        (
            "python in a sub-graph",
            within(field(1, node("PythonOp", "com.microsoft", b""))),
            "code-operator",
        ),
        ("python in a function", model(b"", &field(25, calls)), "code-operator"),
        ("another domain", operator("X", "com.example"), "custom-operator"),
        ("too few data", tensor(raw(&[1, 2], 1, 7)), "size-mismatch"),
        ("dimensions overflow", tensor(raw(&[1 << 32, 1 << 32], 1, 7)), "size-mismatch"),
        ("negative dimension", tensor(raw(&[u64::MAX], 1, 4)), "size-mismatch"),
        (
            "length of data is no number",
            tensor(field(13, [field(1, "length"), field(2, "-1")].concat())),
            "malformed",
        ),
        ("group", model(&[0x0b], b""), "malformed"),
        ("field 0", model(&[0x02, 0x00], b""), "malformed"),
        ("a number over 64 bits", model(&[&[0x08][..], &[0xff; 10]].concat(), b""), "malformed"),
        ("past the graph", model(&[0x0a, 0x7f], b""), "malformed"),
        (
            "past the end",
            [count(1, 8), vec![0x3a, 0x80, 0x80, 0x80, 0x80, 0x20]].concat(),
            "malformed",
        ),
        ("another message", [count(1, 8), field(9, "x")].concat(), "not ours"),
        ("text", b"\x08 is a backspace".to_vec(), "not ours"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

#[test]
fn deep_graphs_are_refused() {
    let deep = |levels: usize| {
        let inner = (0..levels)
            .fold(Vec::new(), |inner, _| field(1, node("If", "", &field(5, field(6, inner)))));
        model(&inner, b"")
    };
    assert_eq!(said(&deep(20)), "clean");
    assert_eq!(said(&deep(40)), "malformed");
    assert_eq!(said(&deep(5_000)), "malformed");
}

#[test]
fn paths_that_lead_outside_are_told() {
    for path in
        ["/a", "\\a", "..", "../a", "a/..", "a\\..\\b", "c:a", "~/a", "http://a", "a\0", "", "*/a"]
    {
        assert!(outside(path).is_some(), "{path}");
    }
    for path in ["a", "a/b", "a..b", "...", ".a", "./a", "weights-1.bin"] {
        assert!(outside(path).is_none(), "{path}");
    }
}

#[test]
fn cut_and_flipped_files_do_not_panic_and_are_not_clean() {
    let graph = [field(1, node("MatMul", "", b"")), field(5, raw(&[1, 2], 1, 8))].concat();
    let bytes = model(&graph, b"");
    // A cut between fields leaves a model that lacks what came after.
    no_cut_is_clean(&bytes, |length| length == bytes.len() - field(8, count(2, 17)).len());
    no_flip_panics(&bytes, bytes.len());
}

proptest! {
    #[test]
    fn any_graph_ends_in_an_answer(graph in proptest::collection::vec(any::<u8>(), 0..200)) {
        said(&model(&graph, b""));
    }
}
