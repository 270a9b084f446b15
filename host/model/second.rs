//! What a lock may note of a file beside its SHA-256: its BLAKE3, and the digests
//! of its parts, from one reading.
//!
//! Leaves whether they are wanted to `gate`, and what they are for to `domain`.

use super::handle::{FileHandle, ReadError};
use crate::domain::digest::Blake3;
use crate::domain::parts::Parts;

/// How much is read at a time. A part is a multiple of it, so no read crosses
/// from one to the next.
const STEP: usize = 1 << 20;

/// Computes the BLAKE3 of `file` and, where it is large enough to have any, its
/// parts, each if it is asked for.
///
/// # Errors
/// Says that the bytes could not be had.
pub(crate) fn digests(
    file: &FileHandle,
    blake3: bool,
    parts: bool,
) -> Result<(Option<Blake3>, Option<Parts>), ReadError> {
    let part_size = Parts::size_for(file.size()).filter(|_| parts);
    if !blake3 && part_size.is_none() {
        return Ok((None, None));
    }
    let mut whole = blake3.then(blake3::Hasher::new);
    let mut part = blake3::Hasher::new();
    let mut digests = Vec::new();
    let mut buffer = vec![0; usize::try_from(file.size()).unwrap_or(STEP).min(STEP)];
    let mut done = 0;
    while done < file.size() {
        let length = usize::try_from(file.size() - done).unwrap_or(STEP).min(STEP);
        let bytes = &mut buffer[..length];
        file.read_exact(done, bytes)?;
        done += length as u64;
        if let Some(whole) = &mut whole {
            whole.update(bytes);
        }
        if let Some(size) = part_size {
            part.update(bytes);
            if done.is_multiple_of(size) || done == file.size() {
                digests.push(*part.finalize().as_bytes());
                part.reset();
            }
        }
    }
    let whole = whole.map(|whole| Blake3::from_bytes(*whole.finalize().as_bytes()));
    Ok((whole, part_size.and_then(|_| Parts::new(file.size(), &digests))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::file;

    #[test]
    fn digests_the_whole_and_each_part() {
        let bytes: Vec<u8> =
            (0..(5u32 << 20) / 2 + 3).map(|n| u8::try_from(n % 251).expect("small")).collect();
        let handle = file("m.bin", &bytes);
        let (whole, parts) = digests(&handle, true, true).expect("read");
        assert_eq!(whole, Some(Blake3::from_bytes(*blake3::hash(&bytes).as_bytes())));
        let parts = parts.expect("it is large enough");
        assert_eq!(parts.count(), 3);
        for (index, part) in bytes.chunks(1 << 20).enumerate() {
            assert!(parts.matches(index, blake3::hash(part).as_bytes()), "{index}");
        }
        assert_eq!(digests(&handle, false, false), Ok((None, None)));
        assert_eq!(digests(&handle, true, false), Ok((whole, None)));
        let (whole, parts) = digests(&file("e", b""), true, true).expect("read");
        assert_eq!(whole, Some(Blake3::from_bytes(*blake3::hash(b"").as_bytes())));
        assert_eq!(parts, None);
    }
}
