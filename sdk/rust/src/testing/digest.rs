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
