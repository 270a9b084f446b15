//! The tensors of a model: where they lie in its files, and the digest of each.
//!
//! Formats are read in `safetensors` and `gguf`. Both are hostile input, and all
//! that comes of them is advice: the files' digests decide, and a file that can't
//! be read as what it claims to be gives a reason instead of tensors. Leaves
//! judging such files to plugins.

mod gguf;
mod safetensors;

use std::sync::Arc;

use sha2::Digest as _;

use super::handle::{FileHandle, ReadError};
use super::spread;
use crate::domain::digest::Digest;
use crate::domain::tensor::Tensor;

/// The most tensors of one file. Known models have below a hundred thousand, and
/// each takes some hundred bytes of memory.
const MAX_TENSORS: usize = 250_000;

/// How much of a tensor is read at a time.
const STEP: usize = 256 << 10;

/// Why a file gives no tensors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
    /// The bytes could not be had.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It breaks its format, or goes beyond a bound.
    #[error("{0}")]
    Malformed(String),
}

/// Where one tensor lies in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    name: String,
    dtype: &'static str,
    shape: Vec<u64>,
    start: u64,
    length: u64,
}

/// The tensors of one file.
#[derive(Clone, Debug)]
pub struct Tensors {
    file: Arc<FileHandle>,
    places: Vec<Place>,
}

impl Tensors {
    /// Returns how many tensors there are.
    pub const fn count(&self) -> usize {
        self.places.len()
    }

    /// Returns the file they are in.
    pub fn file(&self) -> &FileHandle {
        &self.file
    }
}

/// Finds the tensors of `file`; none where it is in no format that is known here,
/// by its first bytes and its name.
///
/// # Errors
/// Says that the bytes could not be had, or what is wrong with them.
pub fn find(file: &Arc<FileHandle>) -> Result<Option<Tensors>, TensorError> {
    let named = |ending: &str| file.path().as_str().ends_with(ending);
    let head = file.read(0, 16)?;
    let places = if gguf::recognise(&head) || named(".gguf") {
        gguf::places(file)?
    } else if safetensors::recognise(&head) || named(".safetensors") {
        safetensors::places(file)?
    } else {
        return Ok(None);
    };
    Ok(Some(Tensors { file: Arc::clone(file), places: apart(file, places)? }))
}

/// Makes sure that the tensors lie within the file, and none over another.
fn apart(file: &FileHandle, mut places: Vec<Place>) -> Result<Vec<Place>, TensorError> {
    places.sort_by_key(|place| (place.start, place.length));
    let mut free = 0;
    for place in &places {
        let end = place.start.checked_add(place.length).filter(|end| *end <= file.size());
        let Some(end) = end else {
            return malformed(format!(
                "tensor {} does not lie within the file",
                shown(&place.name)
            ));
        };
        if place.length > 0 && place.start < free {
            return malformed(format!("tensor {} lies over another", shown(&place.name)));
        }
        free = free.max(end);
    }
    Ok(places)
}

/// Computes the digest of each tensor of `files`, on at most `threads` threads.
///
/// # Errors
/// Says that the bytes could not be had.
pub fn digests(files: &[Tensors], threads: usize) -> Result<Vec<Tensor>, TensorError> {
    let all: Vec<(&FileHandle, &Place)> = files
        .iter()
        .flat_map(|tensors| tensors.places.iter().map(|place| (&*tensors.file, place)))
        .collect();
    let made = spread::each(
        &all,
        threads,
        |(_, place)| place.length,
        |(file, place)| {
            Ok(Tensor {
                name: Tensor::written(&place.name),
                dtype: place.dtype.to_owned(),
                shape: place.shape.clone(),
                digest: digest(file, place)?,
            })
        },
    );
    made.into_iter().collect()
}

fn digest(file: &FileHandle, place: &Place) -> Result<Digest, TensorError> {
    let mut state = sha2::Sha256::new();
    let step = usize::try_from(place.length).unwrap_or(STEP).min(STEP);
    let mut buffer = vec![0; step];
    let mut done = 0;
    while done < place.length {
        let length = usize::try_from(place.length - done).unwrap_or(step).min(step);
        let bytes = &mut buffer[..length];
        // Within the file, so the sum is below its size.
        file.read_exact(place.start + done, bytes)?;
        state.update(&*bytes);
        done += length as u64;
    }
    Ok(Digest::from_bytes(state.finalize().into()))
}

/// Returns how many bytes `shape` takes, in elements that are stored by the block
/// as many bits; none where they overflow or end within a byte or a block.
fn bytes_of(shape: &[u64], block: u64, bits: u64) -> Option<u64> {
    let count = shape.iter().try_fold(1u64, |count, size| count.checked_mul(*size))?;
    if !count.is_multiple_of(block) {
        return None;
    }
    let bits = (count / block).checked_mul(bits)?;
    bits.is_multiple_of(8).then_some(bits / 8)
}

fn malformed<T>(message: impl Into<String>) -> Result<T, TensorError> {
    Err(TensorError::Malformed(message.into()))
}

/// Returns a name as a message shows it: one word, and not long.
fn shown(name: &str) -> String {
    crate::domain::text::GuestText::new(name, 128).to_string()
}

#[cfg(test)]
mod tests;
