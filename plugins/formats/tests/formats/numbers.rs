//! Owns which files are taken for plain numbers, and which are not.

use proptest::prelude::*;

use crate::support::said;

fn bytes(numbers: impl IntoIterator<Item = f32>) -> Vec<u8> {
    numbers.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// Numbers as weights are.
fn weights(count: u16) -> Vec<f32> {
    (1..=count).map(|number| (f32::from(number) * 0.7).sin() * 0.3).collect()
}

#[test]
fn numbers() {
    let many = || bytes(weights(5000));
    let with = |at: usize, other: &[u8]| {
        let mut bytes = many();
        bytes[at..at + other.len()].copy_from_slice(other);
        bytes
    };
    // A counter before the weights, as checkpoints have.
    let counted = [&3_u64.to_le_bytes(), many().as_slice()].concat();
    let faded = bytes(
        weights(5000)
            .into_iter()
            .enumerate()
            .map(|(at, number)| if at % 20 == 19 { number * 1e-30 } else { number }),
    );
    // A node with a child, then one with an attribute, as TensorFlow saves them.
    let graph = b"\x0a\x05\x0a\x03\x12\x01a\x0a\x0b\x12\x09\x0a\x07VARIABL".as_slice();
    let shard = |graph: &[u8], sum: &[u8]| {
        let length = u8::try_from(graph.len()).expect("short");
        [&many(), [length].as_slice(), sum, graph].concat()
    };
    let noise: Vec<u8> =
        (0..20_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let half: Vec<u8> = (0..4000_u16).flat_map(|at| (0x3000 + at % 0x800).to_le_bytes()).collect();
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("few", bytes([0.014, -0.32, -0.19, 0.034]), "clean"),
        ("many", many(), "clean"),
        ("with zeros", bytes(weights(500).into_iter().chain([0.0; 500])), "clean"),
        ("with a counter", counted, "clean"),
        ("with some that faded", faded, "clean"),
        ("three", bytes([0.1, 0.2, 0.3]), "not ours"),
        ("few, one too large", bytes([0.1, 0.2, 0.3, 1e9, 0.1]), "not ours"),
        ("a byte too many", [many(), vec![0]].concat(), "not ours"),
        ("noise", noise, "not ours"),
        ("a shard of a checkpoint", shard(graph, b"\x01\x02\x03\x04"), "clean"),
        ("a graph that is none", shard(b"\x0a\x03abc\x12\x02xy", b"\x01\x02\x03\x04"), "not ours"),
        ("a graph cut short", shard(&graph[..18], b"\x01\x02\x03\x04"), "not ours"),
        ("a graph of another length", shard(graph, b"\x01\x02\x03\x04\x05"), "not ours"),
        ("16-bit numbers", half, "clean"),
        ("a Java class", with(0, b"\xca\xfe\xba\xbe\0\0\0\x34"), "not ours"),
        ("a program", with(0, b"MZ\x90\0"), "not ours"),
        ("another magic", with(0, b"\x7fELF"), "not ours"),
        (
            "a script inside",
            with(8000, "import os; os.system('echo')\n".repeat(40).as_bytes()),
            "not ours",
        ),
        (
            "a zip at the end",
            {
                let directory = [b"PK\x01\x02".as_slice(), &[0; 43]].concat();
                let end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\0\0\0\0\0\0";
                let archive = [directory.as_slice(), end, &[0; 3]].concat();
                with(20_000 - archive.len(), &archive)
            },
            "polyglot",
        ),
        ("text", "a=8;b=9;c=:;d=;;".repeat(100).into_bytes(), "not ours"),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(said(&bytes), expected, "{name}");
    }
}

proptest! {
    /// Bytes without a meaning pass one time in many millions.
    #[test]
    fn noise_is_not_taken_for_numbers(bytes in proptest::collection::vec(any::<u8>(), 64..4096)) {
        prop_assert_ne!(said(&bytes), "clean");
    }
}
