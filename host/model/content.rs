//! What kind of content a file has, as far as the host itself tells: text, a
//! git-lfs pointer, or something that takes a plugin to judge.
//!
//! Leaves formats to plugins.

use crate::domain::evidence::Content;

/// The largest file that counts as plain text: model cards, licenses and
/// tokenizers are below it.
pub(crate) const MAX_TEXT_FILE: u64 = 10 << 20;

/// The largest git-lfs pointer, by its specification.
const MAX_POINTER: u64 = 1024;

/// Watches the bytes of one file go by, and tells what kind they are.
#[derive(Debug)]
pub(crate) struct ContentProbe {
    size: u64,
    text: bool,
    partial: Vec<u8>,
    start: Vec<u8>,
}

impl ContentProbe {
    /// Starts on a file of `size` bytes.
    pub(crate) fn new(size: u64) -> Self {
        Self { size, text: size <= MAX_TEXT_FILE, partial: Vec::new(), start: Vec::new() }
    }

    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if self.size <= MAX_POINTER {
            self.start.extend_from_slice(bytes);
        }
        if self.text {
            self.text = self.is_text(bytes);
        }
    }

    /// Returns whether no byte to come can change the kind.
    pub(crate) fn is_decided(&self) -> bool {
        !self.text && self.size > MAX_POINTER
    }

    /// Returns the kind, after the last byte.
    pub(crate) fn finish(self) -> Content {
        if self.size == 0 {
            Content::Empty
        } else if is_lfs_pointer(&self.start) {
            Content::LfsPointer
        } else if self.text && self.partial.is_empty() {
            Content::Text
        } else {
            Content::Other
        }
    }

    /// Whether `bytes` go on a text; a character cut at the end is kept for
    /// the next call.
    fn is_text(&mut self, bytes: &[u8]) -> bool {
        let joined;
        let bytes = if self.partial.is_empty() {
            bytes
        } else {
            let mut all = std::mem::take(&mut self.partial);
            all.extend_from_slice(bytes);
            joined = all;
            &joined
        };
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                if error.error_len().is_some() {
                    return false;
                }
                self.partial = rest.to_vec();
                match std::str::from_utf8(valid) {
                    Ok(text) => text,
                    Err(_) => return false,
                }
            }
        };
        !text.bytes().any(|byte| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1f | 0x7f))
    }
}

/// Whether `start` is what git-lfs leaves in place of a file that was not
/// pulled. Source: git-lfs, `docs/spec.md`.
pub(crate) fn is_lfs_pointer(start: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(start) else { return false };
    text.starts_with("version https://git-lfs.github.com/spec/")
        && text.lines().any(|line| line.starts_with("oid sha256:"))
        && text.lines().any(|line| line.starts_with("size "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8], step: usize) -> Content {
        let mut probe = ContentProbe::new(bytes.len() as u64);
        bytes.chunks(step).for_each(|chunk| probe.update(chunk));
        probe.finish()
    }

    #[test]
    fn tells_kinds_whatever_the_chunks() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
        let rows: [(&[u8], Content); 9] = [
            (b"", Content::Empty),
            (b"# card\n\tline\r\n", Content::Text),
            ("é漢😀".as_bytes(), Content::Text),
            (pointer, Content::LfsPointer),
            (b"version https://git-lfs.github.com/spec/v1\n", Content::Text),
            (b"a\0b", Content::Other),
            (b"\x1b[2J", Content::Other),
            (b"\xff\xfe", Content::Other),
            ("é".as_bytes().split_at(1).0, Content::Other),
        ];
        for (bytes, expected) in rows {
            for step in [1, 2, 3, 100] {
                assert_eq!(kind(bytes, step), expected, "{bytes:?} by {step}");
            }
        }
    }
}
