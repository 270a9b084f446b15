//! Paths in a model: the raw bytes behind one as the host writes it, which of them
//! are plain, and sets of them that a signature leaves out.
//!
//! The host writes what can't be shown as an escape (`\n`, `\xHH`, `\u{H}`) and
//! a backslash as `\\`. A statement names files by their raw bytes, so the two meet
//! here. It leaves to others: what a name in a statement means.

use std::collections::BTreeSet;

/// Undoes the host's escapes. Which characters the host escapes does not
/// matter; an escape it never writes is kept as it stands.
pub fn raw(written: &str) -> Vec<u8> {
    let mut raw = Vec::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        raw.extend_from_slice(before.as_bytes());
        let length = unescape(escape, &mut raw).unwrap_or_else(|| {
            raw.push(b'\\');
            1
        });
        rest = escape.get(length..).unwrap_or_default();
    }
    raw.extend_from_slice(rest.as_bytes());
    raw
}

/// Appends what the escape at the start of `text` stands for, and returns how
/// long the escape is. None where it is none.
fn unescape(text: &str, raw: &mut Vec<u8>) -> Option<usize> {
    match text.as_bytes().get(1)? {
        b'\\' => raw.push(b'\\'),
        b'n' => raw.push(b'\n'),
        b'r' => raw.push(b'\r'),
        b't' => raw.push(b'\t'),
        b'x' => {
            raw.push(u8::from_str_radix(text.get(2..4)?, 16).ok()?);
            return Some(4);
        }
        b'u' => {
            let hex = text.get(2..)?.strip_prefix('{')?;
            // Six digits are the most a character needs.
            let length = hex.bytes().take(7).position(|byte| byte == b'}')?;
            let char = char::from_u32(u32::from_str_radix(hex.get(..length)?, 16).ok()?)?;
            raw.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(length + 4);
        }
        _ => return None,
    }
    Some(2)
}

/// Tells whether a name is a path within the model in its plain form: nothing may be
/// read into it, not even what a clean-up would make of it.
pub fn is_plain(name: &str) -> bool {
    !name.contains('\0') && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Paths that are left out of a signature, each with all that is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths(BTreeSet<Vec<u8>>);

impl Paths {
    /// Tells whether the file at `path`, in raw bytes, is left out.
    pub fn cover(&self, path: &[u8]) -> bool {
        let folders = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let mut prefixes = folders.chain([path.len()]).filter_map(|end| path.get(..end));
        !self.0.is_empty() && prefixes.any(|prefix| self.0.contains(prefix))
    }

    /// Adds a path, and returns whether it was one. What is no plain path within
    /// the model leaves nothing out, so that it can't hide more than it names.
    pub fn add(&mut self, path: &str) -> bool {
        let path = path.strip_prefix("./").unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let plain = is_plain(path);
        if plain {
            self.0.insert(path.as_bytes().to_owned());
        }
        plain
    }
}

impl<'a> FromIterator<&'a str> for Paths {
    fn from_iter<T: IntoIterator<Item = &'a str>>(paths: T) -> Self {
        let mut all = Self::default();
        for path in paths {
            all.add(path);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let rows: &[(&str, &[u8])] = &[
            ("a/b c.bin", b"a/b c.bin"),
            ("a\\\\xff", b"a\\xff"),
            ("a\\xff\\x0a", b"a\xff\n"),
            ("\\n\\r\\t", b"\n\r\t"),
            ("a\\u{202e}b", "a\u{202e}b".as_bytes()),
            ("\\u{10ffff}", "\u{10ffff}".as_bytes()),
            ("é漢", "é漢".as_bytes()),
            // Nothing the host writes: kept.
            ("\\", b"\\"),
            ("\\q\\x\\xg0\\x0", b"\\q\\x\\xg0\\x0"),
            ("\\u{}\\u{d800}\\u{1234567}\\u{12", b"\\u{}\\u{d800}\\u{1234567}\\u{12"),
            ("\\xé", "\\xé".as_bytes()),
        ];
        for (written, expected) in rows {
            assert_eq!(raw(written), *expected, "{written}");
        }
    }

    #[test]
    fn left_out_paths() {
        let rows = [
            ("logs", "logs", true),
            ("logs", "logs/a/b", true),
            ("logs", "logs2", false),
            ("logs", "a/logs", false),
            ("a/b", "a/b/c", true),
            ("a/b", "a", false),
            ("logs/", "logs/x", true),
            ("./logs", "logs/x", true),
            // Nothing that names more than a plain path leaves anything out.
            (".", "a", false),
            ("./", "a", false),
            ("", "a", false),
            ("/", "a", false),
            ("/a", "a", false),
            ("..", "a", false),
            ("b/..", "a", false),
            ("*", "a", false),
        ];
        for (entry, path, expected) in rows {
            let paths: Paths = [entry].into_iter().collect();
            assert_eq!(paths.cover(path.as_bytes()), expected, "{entry} {path}");
        }
        assert!(!Paths::default().cover(b""));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(written: String) {
            raw(&written);
        }

        #[test]
        fn doubled_backslashes_come_back(name: String) {
            proptest::prop_assert_eq!(raw(&name.replace('\\', "\\\\")), name.as_bytes());
        }
    }
}
