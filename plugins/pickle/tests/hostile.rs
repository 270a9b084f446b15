//! Bytes made to break the check: it must end, soon, in bounded memory, and never say clean.
#![expect(clippy::disallowed_methods, reason = "these tests measure time")]

mod support;

use std::time::{Duration, Instant};

use modelhost_check::Severity;
use proptest::prelude::*;
use support::{Asm, call, deflated, findings, member, npy, plain, run, shown, tar, worst, zip};

/// A text and `call("posix", "system")`, packed by LZMA2 behind the filter for x86 code; the header by LZMA.
const SEVEN_ZIP: &[u8] = b"7z\xbc\xaf'\x1c\x00\x04\x8bP\xae\x1e\x81\x00\x00\x00\x00\x00\x00\x00 \x00\x00\x00\x00\x00\x00\x00\xbdW\x994\x01\x00#notes\x80\x02cposix\x0asystem\x0aX\x07\x00\x00\x00echo hi\x85R.\x00\x00\x00\x813\x07\xae\x0f\xd0\x87\xc2<\x9f9\x10\x99\x0bN\x8f\xa0\x01\x99oU\xf4g7F0k\x7f\xfdW\xbd\xb5\xc8\xa6\x0a\xdcS\xc7\xb9xcP2>4\x8c\x99\xe9\xb4\x96\xe5B*q\x14\x09\x93O\xc3\x13}<b\xda!\xe3\x8b\xf9\xef\xf9rop\x96=\xdf\xb2\x7f\xdf\x0b\xa5\xdf\xff\xfc\x9e@\x00\x17\x06(\x01\x09Y\x00\x07\x0b\x01\x00\x01#\x03\x01\x01\x05]\x00\x00\x01\x00\x0cZ\x0a\x01\x82z\xdc\xee\x00\x00";

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let torch = zip(&[
        member("a/data.pkl", &call("posix", "system")),
        member("a/data/0", &[7; 64]),
        member("a/version", b"3\n"),
    ]);
    vec![
        ("plain", plain()),
        ("call", call("posix", "system")),
        (
            "protocol 0",
            Asm::new().raw(b"(dp0\nS'a'\np1\n").global("os", "system").raw(b"(S'x'\ntRs").stop(),
        ),
        ("torch", torch),
        (
            "deflated",
            zip(&[
                deflated("a/data.pkl", &call("posix", "system")),
                deflated("b.npy", &npy("'<f4'", "(2,)", &[0; 8])),
            ]),
        ),
        ("npy", npy("'|O'", "(1,)", &call("posix", "system"))),
        ("tar", tar(&[("a.pkl", &call("posix", "system"), b'0', ""), ("b", b"text", b'0', "")])),
        ("zlib", miniz_oxide::deflate::compress_to_vec_zlib(&call("posix", "system"), 6)),
        ("7z", SEVEN_ZIP.to_vec()),
    ]
}

#[test]
fn cut_anywhere() {
    for (what, bytes) in samples() {
        for cut in 0..bytes.len() {
            let answer = run(&bytes[..cut]);
            if let Err(failure) = answer {
                panic!("{what} cut at {cut}: {failure:?}");
            }
        }
    }
}

#[test]
fn changed_anywhere() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for (what, bytes) in samples() {
        for at in 0..bytes.len() {
            for _ in 0..3 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (state >> 61);
                if state >> 60 & 1 == 1 {
                    let other =
                        usize::try_from(state >> 20 & 0xffff).expect("16 bits") % changed.len();
                    changed[other] = state.to_le_bytes()[4];
                }
                if let Err(failure) = run(&changed) {
                    panic!("{what} changed at {at}: {failure:?}");
                }
            }
        }
    }
}

#[test]
fn storms_end_soon() {
    let storm = |head: &[u8], unit: &[u8], count: usize, tail: &[u8]| {
        [head, &unit.repeat(count), tail].concat()
    };
    let million = 1_000_000;
    let rows: Vec<(&str, Vec<u8>, bool)> = vec![
        ("marks", storm(b"\x80\x02", b"(", million, b"N."), true),
        (
            "nested tuples by marks",
            [
                b"\x80\x02".to_vec(),
                b"(".repeat(100_000),
                b"N".to_vec(),
                b"t".repeat(100_000),
                b".".to_vec(),
            ]
            .concat(),
            true,
        ),
        ("nested tuples", storm(b"\x80\x02N", b"\x85", million, b"."), true),
        (
            "nested lists",
            [b"\x80\x02".to_vec(), b"]".repeat(100_000), b"a".repeat(99_999), b".".to_vec()]
                .concat(),
            true,
        ),
        ("values on the stack", storm(b"\x80\x02", b"N", 4 * million, b"."), true),
        ("memo", storm(b"\x80\x04N", b"\x94", 5 * million, b"."), false),
        (
            "scattered memo",
            (0..200_000u32).fold(b"\x80\x02N".to_vec(), |mut all, n| {
                all.push(b'r');
                all.extend_from_slice(&n.wrapping_mul(2_654_435_761).to_le_bytes());
                all
            }),
            true,
        ),
        ("strings", storm(b"\x80\x04](", b"\x8c\x03abc\x94", million, b"e."), false),
        ("dicts", storm(b"\x80\x04](", b"}\x94", million, b"e."), false),
        ("padding", storm(b"\x80\x02", b"N0", 5 * million, &call("posix", "system")[2..]), true),
        ("doubling", storm(b"\x80\x02]q\0", b"](h\0h\0h\0h\0eq\0", 100, b"."), true),
        (
            "globals",
            (0..40_000)
                .fold(Asm::proto(2), |asm, n| asm.global("m", &format!("n{n}")).raw(b"0"))
                .raw(b"N")
                .stop(),
            true,
        ),
        ("pickles", b"\x80\x02N.".repeat(200_000), true),
        ("places for pickles in junk", [plain(), b"\xff\x80\x02".repeat(300_000)].concat(), true),
        ("calls", storm(b"\x80\x02cos\nx\n", b")R", million, b"."), true),
    ];
    for (what, bytes, odd) in rows {
        let start = Instant::now();
        let answer = run(&bytes);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{what} took {took:?}");
        let found = findings(answer);
        assert_eq!(worst(&found) >= Some(Severity::High), odd, "{what}: {} findings", found.len());
    }
}

#[test]
fn bombs() {
    let padding = [b"\x80\x02".to_vec(), b"N0".repeat(12_000_000), b"N.".to_vec()].concat();
    let mut twins = vec![deflated("k", &vec![0; 4_000_000])];
    for n in 0..400 {
        let mut twin = twins[0].clone();
        twin.name = format!("data/{n}");
        twin.data = Vec::new();
        twin.offset = Some(0);
        twins.push(twin);
    }
    let mut nested = call("posix", "system");
    for n in 0..12 {
        nested = zip(&[member(&format!("{n}.zip"), &nested)]);
    }
    for (what, bytes) in [
        ("a pickle of padding", zip(&[deflated("a/data.pkl", &padding)])),
        ("members that share bytes", zip(&twins)),
        ("archives within archives", nested),
    ] {
        let start = Instant::now();
        let found = findings(run(&bytes));
        assert!(start.elapsed() < Duration::from_secs(3), "{what}");
        assert!(worst(&found) >= Some(Severity::High), "{what}:{}", shown(&found));
    }
}

/// Pieces of pickles that do something when they meet.
const PIECES: &[&[u8]] = &[
    b"(",
    b"0",
    b"1",
    b"2",
    b"N",
    b")",
    b"]",
    b"}",
    b"\x8f",
    b"t",
    b"l",
    b"d",
    b"R",
    b"b",
    b"o",
    b"\x81",
    b"\x92",
    b"a",
    b"e",
    b"s",
    b"u",
    b"\x90",
    b"\x91",
    b"\x93",
    b"\x94",
    b"Q",
    b".",
    b"h\0",
    b"h\x01",
    b"q\0",
    b"q\x01",
    b"r\xff\xff\xff\xff",
    b"\x85",
    b"\x86",
    b"\x87",
    b"K\x01",
    b"\x82\x01",
    b"\x8c\x02os",
    b"\x8c\x06system",
    b"\x8c\x0c__setstate__",
    b"C\x02ab",
    b"cos\nsystem\n",
    b"ios\nsystem\n",
    b"ccollections\nOrderedDict\n",
    b"cbuiltins\ngetattr\n",
    b"ccopyreg\n_reconstructor\n",
    b"cbuiltins\nobject\n",
    b"cnumpy\ndtype\n",
    b"\x8c\x02f8",
    b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n",
    b"ctorch.storage\n_load_from_bytes\n",
    b"c_codecs\nencode\n",
    b"cnumpy.core\n_ufunc_reconstruct\n",
    b"cfunctools\npartial\n",
    b"csklearn.svm._classes\nSVC\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(run(&bytes));
    }

    #[test]
    fn any_opcodes(picks in prop::collection::vec((0usize..68, any::<[u8; 3]>()), 0..80)) {
        use modelhost_plugin_pickle::opcode::Opcode;
        let mut bytes = vec![0x80, 4];
        for (pick, rest) in picks {
            bytes.push(Opcode::ALL[pick] as u8);
            bytes.extend_from_slice(&rest[..usize::from(rest[0] % 4)]);
        }
        drop(run(&bytes));
    }

    #[test]
    fn any_pieces(picks in prop::collection::vec((0usize..PIECES.len(), 0usize..30), 0..30)) {
        let mut bytes = Vec::new();
        for (pick, cut) in picks {
            let piece = PIECES[pick];
            // Now and then a piece is cut.
            bytes.extend_from_slice(if cut < piece.len() && cut < 3 { &piece[..cut] } else { piece });
        }
        drop(run(&bytes));
        drop(run(&[b"\x80\x04", bytes.as_slice()].concat()));
    }

    #[test]
    fn any_magic(which in 0usize..10, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let magic: &[u8] = [&b"PK\x03\x04"[..], b"PK\x05\x06", b"\x93NUMPY\x01\0", b"\x1f\x8b\x08\0", b"x\x9c", b"BZh91AY&SY", b"\xfd7zXZ\0\0\x04", b"\x04\x22\x4d\x18", b"\x5d\0\0\x80\0", b"7z\xbc\xaf\x27\x1c\0\x04"][which];
        drop(run(&[magic, &bytes].concat()));
    }
}
