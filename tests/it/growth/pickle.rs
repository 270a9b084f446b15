//! Hostile input for the check `pickle`, at any size.

use super::{Family, grows_with_its_input};

/// How much more four times the input may cost: caches and tables grow by
/// doubling.
const MOST: f64 = 6.0;

/// Files made to cost more than they weigh, each at a size of about `n` bytes.
const FAMILIES: &[Family] = &[
    ("marks", "model.bin", |n| [b"\x80\x02", b"(".repeat(n).as_slice(), b"N."].concat()),
    ("marks closed at once", "model.bin", |n| {
        [b"\x80\x02", b"(t0".repeat(n / 3).as_slice(), b"N."].concat()
    }),
    ("a memo storm", "model.bin", |n| [b"\x80\x04N", b"\x94".repeat(n).as_slice(), b"."].concat()),
    ("memo entries far apart", "model.bin", |n| {
        let count = u32::try_from(n / 5).expect("small");
        (0..count).fold(b"\x80\x02N".to_vec(), |mut all, at| {
            all.push(b'r');
            all.extend_from_slice(&at.wrapping_mul(2_654_435_761).to_le_bytes());
            all
        })
    }),
    ("duplicates", "model.bin", |n| [b"\x80\x02N", b"2".repeat(n).as_slice(), b"."].concat()),
    ("frames", "model.bin", |n| {
        [b"\x80\x04", b"\x95\0\0\0\0\0\0\0\0".repeat(n / 9).as_slice(), b"N."].concat()
    }),
    ("nested tuples", "model.bin", |n| [b"\x80\x02N", b"\x85".repeat(n).as_slice(), b"."].concat()),
    ("one long integer", "model.bin", |n| {
        let length = u32::try_from(n).expect("small").to_le_bytes();
        [b"\x80\x02\x8b", length.as_slice(), &vec![0x7f; n], b"."].concat()
    }),
    ("long integers as text", "model.bin", |n| {
        [b"L".as_slice(), &b"7".repeat(900), b"L\n0"].concat().repeat(n / 904)
    }),
    ("globals", "model.bin", |n| {
        let mut all = b"\x80\x02".to_vec();
        (0..n / 10).for_each(|at| all.extend_from_slice(format!("cm\nn{at:05}\n0").as_bytes()));
        [all.as_slice(), b"N."].concat()
    }),
    ("calls", "model.bin", |n| [b"\x80\x02cm\nn\n", b")R".repeat(n / 2).as_slice(), b"."].concat()),
    ("odd keys", "model.bin", |n| {
        [b"\x80\x04}", b"\x8c\x0c__setstate__Ns".repeat(n / 16).as_slice(), b"."].concat()
    }),
    ("pickles one after another", "model.bin", |n| b"\x80\x02N.".repeat(n / 4)),
    ("places for pickles in junk", "model.bin", |n| {
        [b"\x80\x02N.", b"\xff\x80\x02((".repeat(n / 5).as_slice()].concat()
    }),
    ("junk that runs on", "model.bin", |n| {
        [b"\x80\x02N.\xff", b"\x80\x02N0".repeat(n / 4).as_slice()].concat()
    }),
    ("lines", "model.bin", |n| b"I1\n0".repeat(n / 4)),
    ("tiny members", "model.bin", |n| zip(n / 100, false)),
    ("members that share bytes", "model.bin", |n| zip(n / 100, true)),
    ("headers without a directory", "model.bin", |n| {
        let mut header = b"PK\x03\x04".to_vec();
        header.resize(30, 0);
        header.repeat(n / 30)
    }),
    ("tiny files of a tar archive", "model.bin", |n| tar(n / 1024)),
    ("arrays one after another", "model.bin", |n| {
        let header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }\n";
        let length = u16::try_from(header.len()).expect("short").to_le_bytes();
        [b"\x93NUMPY\x01\0", length.as_slice(), header].concat().repeat(n / 68)
    }),
];

#[test]
fn the_work_of_pickle_grows_with_its_input() {
    grows_with_its_input("pickle", FAMILIES, 60_000, MOST);
}

/// An archive of small stored members, all at the same place or each at its own.
fn zip(count: usize, shared: bool) -> Vec<u8> {
    let (mut all, mut listed) = (Vec::new(), Vec::new());
    for n in 0..count {
        let name = format!("{n:06}");
        let at = u32::try_from(if shared { 0 } else { all.len() }).expect("small");
        if !shared || n == 0 {
            all.extend_from_slice(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0");
            all.extend_from_slice(&[0; 4]);
            all.extend_from_slice(b"\x04\0\0\0\x04\0\0\0\x06\0\0\0");
            all.extend_from_slice(name.as_bytes());
            all.extend_from_slice(b"\x80\x02N.");
        }
        listed.extend_from_slice(b"PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0\0\0");
        listed.extend_from_slice(&[0; 4]);
        listed.extend_from_slice(b"\x04\0\0\0\x04\0\0\0\x06\0");
        listed.extend_from_slice(&[0; 12]);
        listed.extend_from_slice(&at.to_le_bytes());
        listed.extend_from_slice(name.as_bytes());
    }
    let start = u32::try_from(all.len()).expect("small");
    let size = u32::try_from(listed.len()).expect("small");
    let count = u16::try_from(count).expect("small").to_le_bytes();
    all.extend_from_slice(&listed);
    all.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    all.extend_from_slice(&[count, count].concat());
    all.extend_from_slice(&size.to_le_bytes());
    all.extend_from_slice(&start.to_le_bytes());
    all.extend_from_slice(&[0; 2]);
    all
}

/// An archive of small regular files.
fn tar(count: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for n in 0..count {
        let mut header = [0u8; 512];
        header[..6].copy_from_slice(format!("{n:06}").as_bytes());
        header[124..135].copy_from_slice(b"00000000004");
        header[148..156].fill(b' ');
        header[156] = b'0';
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        all.extend_from_slice(&header);
        all.extend_from_slice(b"\x80\x02N.");
        all.resize(all.len().next_multiple_of(512), 0);
    }
    all.resize(all.len() + 1024, 0);
    all
}
