//! The raw bytes behind a path as the host writes it.
//!
//! The host writes what can't be shown as an escape (`\n`, `\xHH`, `\u{H}`) and a
//! backslash as `\\`. Lists and signatures name files by their raw bytes, so a
//! check that compares names with them undoes the escapes here. It leaves to
//! others: what a name means.

/// Returns the bytes of a file's name behind a path that the host wrote, such as
/// that of [`File::path`](crate::File::path) or of a locked file. An escape that the
/// host never writes is kept as it stands.
pub fn raw_path(written: &str) -> Vec<u8> {
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
            assert_eq!(raw_path(written), *expected, "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(written: String) {
            raw_path(&written);
        }

        #[test]
        fn doubled_backslashes_come_back(name: String) {
            proptest::prop_assert_eq!(raw_path(&name.replace('\\', "\\\\")), name.as_bytes());
        }
    }
}
