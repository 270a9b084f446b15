//! The format `json`: a versioned document for programs.
//!
//! Leaves its shape to `v1`, the one version there is, its layout to `layout`, and
//! reading it back to `read`.

mod attested;
pub(super) mod layout;
mod read;
pub(super) mod v1;

use std::io;

use sha2::{Digest as _, Sha256};

use crate::domain::digest::Digest;
use crate::domain::report::Report;

pub use attested::{Unattestable, attested};
pub use read::{MAX_REPORT, ReadError, document, read};

/// Writes `report` to `out`.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    layout::write(&v1::Document::from(report), out)
}

/// Returns the digest of the bytes that `report` is written as.
pub fn digest(report: &Report) -> Digest {
    #[derive(Debug)]
    struct Hashing(Sha256);
    impl io::Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut out = io::BufWriter::new(Hashing(Sha256::new()));
    write(report, &mut out).expect("only the writer can fail, and hashing doesn't");
    let Hashing(state) = out.into_inner().expect("hashing doesn't fail");
    Digest::from_bytes(state.finalize().into())
}

/// Returns the JSON Schema of this format.
pub fn json_schema() -> serde_json::Value {
    layout::schema::<v1::Document<'static>>()
}
