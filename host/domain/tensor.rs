//! [`Tensor`], one tensor of a model's weights, and [`TensorDigest`], the digest
//! over all of them, whatever files they are in.
//!
//! Leaves finding them in files, and hashing their bytes, to `model`.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::digest::Digest;
use super::text::{self, Backslash};

/// One tensor, with the digest of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tensor {
    /// Its name, as [`Tensor::written`] writes it.
    pub name: String,
    /// The type of its elements, as its format calls it: `BF16`, `Q4_K`.
    pub dtype: String,
    /// Its dimensions, in the order of its format.
    pub shape: Vec<u64>,
    /// The digest of its bytes.
    pub digest: Digest,
}

impl Tensor {
    /// Returns `name` with control and invisible characters written out, so that
    /// it is one word of one line, and no two names are written alike.
    pub fn written(name: &str) -> String {
        text::escape(name, Backslash::Doubled)
    }
}

/// The digest over all tensors of a model, sorted by name: SHA-256 over one line
/// `tensor <dtype> <dimensions joined by x> <sha256 hex> <name>\n` for each. It
/// covers no file names and no metadata, so that weights keep it when they are
/// divided into other files. Written `mt1:sha256:<64 hex digits>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorDigest(Digest);

impl TensorDigest {
    /// Computes the digest over `tensors`, in any order; a name may stand in
    /// several files.
    pub fn of<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Self {
        let mut sorted: Vec<&Tensor> = tensors.into_iter().collect();
        sorted.sort();
        let mut state = Sha256::new();
        for Tensor { name, dtype, shape, digest } in sorted {
            let shape: Vec<String> = shape.iter().map(u64::to_string).collect();
            let shape = shape.join("x");
            state.update(format!("tensor {dtype} {shape} {} {name}\n", digest.hex()));
        }
        Self(Digest::from_bytes(state.finalize().into()))
    }
}

impl fmt::Display for TensorDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mt1:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_everything_but_the_order() {
        let tensor = |name: &str, dtype: &str, shape: &[u64], bytes: &[u8]| Tensor {
            name: Tensor::written(name),
            dtype: dtype.to_owned(),
            shape: shape.to_vec(),
            digest: Digest::of(bytes),
        };
        let (a, b) = (tensor("a", "U8", &[2, 3], b"abcdef"), tensor("b", "U8", &[], b"b"));
        let root = TensorDigest::of([&a, &b]);
        assert_eq!(TensorDigest::of([&b, &a]), root);
        let line =
            |t: &Tensor, shape: &str| format!("tensor U8 {shape} {} {}\n", t.digest.hex(), t.name);
        let text = line(&a, "2x3") + &line(&b, "");
        assert_eq!(root.to_string(), format!("mt1:{}", Digest::of(text.as_bytes())));
        for other in [
            tensor("c", "U8", &[2, 3], b"abcdef"),
            tensor("a", "I8", &[2, 3], b"abcdef"),
            tensor("a", "U8", &[3, 2], b"abcdef"),
            tensor("a", "U8", &[2, 3], b"abcdeF"),
            tensor("a b", "U8", &[2, 3], b"abcdef"),
        ] {
            assert_ne!(TensorDigest::of([&other, &b]), root, "{other:?}");
        }
        assert_ne!(TensorDigest::of([&a, &b, &b]), root);
        assert_eq!(Tensor::written("a\nb\\"), "a\\nb\\\\");
    }
}
