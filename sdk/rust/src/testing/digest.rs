//! The digests that the host computes, natively.
//!
//! What is digested, and that it counts as read, is `double`'s.

use blake2::Blake2b512;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::file::Algorithm;

/// Computes the digest of `blocks`, which are `length` bytes together.
pub(crate) fn compute(
    algorithm: Algorithm,
    length: u64,
    blocks: impl Iterator<Item = Vec<u8>>,
) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha256 => feed(Sha256::new(), blocks),
        Algorithm::Sha512 => feed(Sha512::new(), blocks),
        Algorithm::Blake2b512 => feed(Blake2b512::new(), blocks),
        Algorithm::GitBlobSha1 => feed(Sha1::new_with_prefix(format!("blob {length}\0")), blocks),
        Algorithm::Blake3 => {
            let mut hasher = blake3::Hasher::new();
            blocks.for_each(|block| {
                hasher.update(&block);
            });
            hasher.finalize().as_bytes().to_vec()
        }
    }
}

fn feed<D: Digest>(mut hasher: D, blocks: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    blocks.for_each(|block| hasher.update(block));
    hasher.finalize().to_vec()
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What coreutils, git and b3sum say of `hello`.
    #[test]
    fn digests_are_those_of_other_tools() {
        for (algorithm, expected) in [
            (Algorithm::Sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
            (
                Algorithm::Sha512,
                "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7\
                 2323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043",
            ),
            (
                Algorithm::Blake2b512,
                "e4cfa39a3d37be31c59609e807970799caa68a19bfaa15135f165085e01d41a6\
                 5ba1e1b146aeb6bd0092b49eac214c103ccfa3a365954bbbe52f74a2b3620c94",
            ),
            (Algorithm::Blake3, "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f"),
            (Algorithm::GitBlobSha1, "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"),
        ] {
            for blocks in [&["hello"][..], &["h", "", "ello"]] {
                let blocks = blocks.iter().map(|block| block.as_bytes().to_vec());
                assert_eq!(hex(&compute(algorithm, 5, blocks)), expected, "{algorithm:?}");
            }
        }
    }
}
