//! The fuzz targets on stable Rust: each seed as it is, and damaged.

use modelhost_fuzz::{TARGETS, seeds};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// How many damaged inputs each target gets.
const ROUNDS: usize = 400;

/// Numbers that parsers trip over.
const ODD: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, u64::MAX >> 1, u64::MAX];

/// Returns a number below `bound`, or 0 where that is 0.
fn below(rng: &mut TestRng, bound: usize) -> usize {
    usize::try_from(rng.next_u32()).unwrap_or(0) % bound.max(1)
}

/// Damages `bytes` in one to four places.
fn damage(bytes: &mut Vec<u8>, other: &[u8], rng: &mut TestRng) {
    let mut below = |bound| below(rng, bound);
    for _ in 0..=below(4) {
        let at = below(bytes.len() + 1);
        match below(6) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << below(8),
            2 => {
                let odd = ODD[below(ODD.len())].to_le_bytes();
                let end = bytes.len().min(at + [1, 2, 4, 8][below(4)]);
                bytes[at..end].copy_from_slice(&odd[..end - at]);
            }
            3 => {
                let end = bytes.len().min(at + below(64));
                let copied = bytes[at..end].to_vec();
                let to = below(bytes.len() + 1);
                bytes.splice(to..to, copied);
            }
            4 => {
                let end = bytes.len().min(at + below(64));
                bytes.drain(at..end);
            }
            _ => {
                let from = below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
}

#[test]
fn damaged_seeds_break_nothing() {
    let corpus = tempfile::tempdir().expect("a temporary folder");
    seeds::corpus(corpus.path());
    for target in TARGETS {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let seeds = seeds::of(target.name, corpus.path());
        seeds.iter().for_each(|seed| (target.run)(seed));
        for round in 0..ROUNDS {
            let mut bytes = seeds[round % seeds.len()].clone();
            let other = &seeds[below(&mut rng, seeds.len())];
            damage(&mut bytes, other, &mut rng);
            (target.run)(&bytes);
        }
        eprintln!("{}: {} seeds, {ROUNDS} damaged ones", target.name, seeds.len());
    }
}
