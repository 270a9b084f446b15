//! Owns what the check says of TensorFlow's graphs, sound, broken and hostile.

use proptest::prelude::*;

use crate::support::{count, field, no_cut_is_clean, no_flip_panics, said};

fn node(kind: &str) -> Vec<u8> {
    [field(1, "n"), field(2, kind), field(3, "x")].concat()
}

fn prints(stream: &str) -> Vec<u8> {
    let attribute = [field(1, "output_stream"), field(2, field(2, stream))].concat();
    [node("PrintV2"), field(5, attribute)].concat()
}

fn saved(nodes: &[Vec<u8>], functions: &[Vec<u8>]) -> Vec<u8> {
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    let functions: Vec<u8> = functions
        .iter()
        .flat_map(|node| field(1, [field(1, field(1, "f")), field(3, node)].concat()))
        .collect();
    let graph = [nodes, field(2, functions), field(4, count(1, 1482))].concat();
    let meta = [field(1, field(4, "serve")), field(2, graph)].concat();
    [count(1, 1), field(2, meta)].concat()
}

#[test]
fn saved_models() {
    let plain = || {
        vec![
            node("Placeholder"),
            node("MatMul"),
            node("SaveV2"),
            node("RestoreV2"),
            node("MergeV2Checkpoints"),
            node("Assert"),
            node("LookupTableFindV2"),
        ]
    };
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("sound", saved(&plain(), &[node("AddV2")]), "clean"),
        ("python", saved(&[node("PyFunc")], &[]), "code-operator"),
        ("python in the library", saved(&plain(), &[node("EagerPyFunc")]), "code-operator"),
        ("reads a file", saved(&[node("ReadFile")], &[]), "file-operator"),
        ("writes a file in the library", saved(&plain(), &[node("WriteFile")]), "file-operator"),
        ("both", saved(&[node("PyFunc"), node("WriteFile")], &[]), "code-operator file-operator"),
        ("prints", saved(&[prints("stderr")], &[]), "clean"),
        ("prints to a file", saved(&[prints("file:///x")], &[]), "file-operator"),
        ("reads records", saved(&[node("TFRecordDataset")], &[]), "file-operator"),
        ("no graph", count(1, 1), "not ours"),
        ("past the end", [count(1, 1), vec![0x12, 0x7f, 0x0a]].concat(), "malformed"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

#[test]
fn graphs_alone() {
    let graph = |kind: &str| [field(1, node("Const")), field(1, node(kind))].concat();
    assert_eq!(said(&graph("MatMul")), "clean");
    assert_eq!(said(&graph("PyFunc")), "code-operator");
    // A meta graph says something about itself first.
    let about = field(1, field(2, field(1, field(1, "MatMul"))));
    let meta = |kind: &str| [about.clone(), field(2, graph(kind)), field(3, "")].concat();
    assert_eq!(said(&meta("MatMul")), "clean");
    assert_eq!(said(&meta("ReadFile")), "file-operator");
    assert_eq!(said(&[meta("MatMul"), field(77, "")].concat()), "malformed");
    // The pieces of a sentencepiece model begin alike.
    assert_eq!(said(&field(1, [field(1, "piece"), vec![0x15, 0, 0, 0, 0]].concat())), "not ours");
}

#[test]
fn cut_and_flipped_files_do_not_panic_and_are_not_clean() {
    let bytes = saved(&[node("MatMul")], &[node("AddV2")]);
    no_cut_is_clean(&bytes, |_| false);
    no_flip_panics(&bytes, bytes.len());
}

proptest! {
    #[test]
    fn any_graph_ends_in_an_answer(graph in proptest::collection::vec(any::<u8>(), 0..200)) {
        said(&[count(1, 1), field(2, [field(1, ""), field(2, graph)].concat())].concat());
    }
}
