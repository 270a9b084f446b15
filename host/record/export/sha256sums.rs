//! `SHA256SUMS`: what `sha256sum` writes and checks.
//!
//! Names with a backslash or an end of line are escaped as GNU's tools do, with a
//! backslash before the line. Source: coreutils 9, `src/digest.c`.

use super::Exported;

/// Writes a line for each file. Of one model, paths are relative to it; of
/// several, to the lock file.
pub(super) fn write(models: &[Exported<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for model in models {
        for file in &model.entry.files {
            let mut name = file.path.to_bytes();
            if models.len() > 1 && model.place != "." {
                name = [model.place.as_bytes(), b"/", &name].concat();
            }
            if name == b"-" {
                // That alone would be standard input.
                name = b"./-".to_vec();
            }
            let (escaped, is_escaped) = escape(&name);
            if is_escaped {
                out.push(b'\\');
            }
            out.extend_from_slice(file.digest.hex().as_bytes());
            out.extend_from_slice(b"  ");
            out.extend_from_slice(&escaped);
            out.push(b'\n');
        }
    }
    out
}

fn escape(name: &[u8]) -> (Vec<u8>, bool) {
    let mut escaped = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'\\' => escaped.extend_from_slice(b"\\\\"),
            b'\n' => escaped.extend_from_slice(b"\\n"),
            b'\r' => escaped.extend_from_slice(b"\\r"),
            byte => escaped.push(*byte),
        }
    }
    let is_escaped = escaped.len() != name.len();
    (escaped, is_escaped)
}
