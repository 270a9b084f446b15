//! Texts as pickle writes them: escapes undone, numbers recognised, UTF-8 checked, values shown.
//!
//! Which texts are names, and what they name, is for `machine.rs` and `globals.rs`.

/// Undoes the escapes of a STRING argument, as `codecs.escape_decode` does, and returns UTF-8.
#[must_use]
pub fn unescape_string(raw: &[u8]) -> Vec<u8> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push(char::from(byte));
            continue;
        }
        let Some((&escape, tail)) = rest.split_first() else {
            break;
        };
        rest = tail;
        match escape {
            b'\n' => {}
            b'a' => out.push('\x07'),
            b'b' => out.push('\x08'),
            b'f' => out.push('\x0c'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'v' => out.push('\x0b'),
            b'\\' | b'\'' | b'"' => out.push(char::from(escape)),
            b'x' if rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit) => {
                out.push(char::from((hex(rest[0]) << 4) | hex(rest[1])));
                rest = &rest[2..];
            }
            b'0'..=b'7' => {
                let mut value = u32::from(escape - b'0');
                for _ in 0..2 {
                    match rest.split_first() {
                        Some((&digit @ b'0'..=b'7', tail)) => {
                            value = value * 8 + u32::from(digit - b'0');
                            rest = tail;
                        }
                        _ => break,
                    }
                }
                out.push(char::from_u32(value & 0xff).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => {
                out.push('\\');
                out.push(char::from(other));
            }
        }
    }
    out.into_bytes()
}

/// Undoes `\uXXXX` and `\UXXXXXXXX` in a UNICODE argument, as the codec `raw-unicode-escape` does, and returns UTF-8.
#[must_use]
pub fn unescape_unicode(raw: &[u8]) -> Vec<u8> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'\\' {
            let digits = match tail.first() {
                Some(b'u') => 4,
                Some(b'U') => 8,
                _ => 0,
            };
            if digits > 0
                && let Some(code) = tail.get(1..=digits)
                && code.iter().all(u8::is_ascii_hexdigit)
            {
                let code =
                    code.iter().fold(0u32, |code, &digit| (code << 4) | u32::from(hex(digit)));
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = &tail[1 + digits..];
                continue;
            }
        }
        out.push(char::from(byte));
        rest = tail;
    }
    out.into_bytes()
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

/// Reads an integer as Python's `int` does: `None` for what is none, `Some(None)` for one of more than 64 bits.
#[must_use]
pub fn integer(digits: &[u8], any_base: bool) -> Option<Option<i64>> {
    let trimmed = to_zero(digits).trim_ascii();
    let (negative, rest) = match trimmed.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, trimmed),
    };
    let (base, rest) = match rest {
        [b'0', b'x' | b'X', rest @ ..] if any_base => (16, rest),
        [b'0', b'o' | b'O', rest @ ..] if any_base => (8, rest),
        [b'0', b'b' | b'B', rest @ ..] if any_base => (2, rest),
        rest => (10, rest),
    };
    if rest.is_empty() || rest.first() == Some(&b'_') || rest.last() == Some(&b'_') {
        return None;
    }
    let mut value = Some(0i64);
    for &byte in rest.iter().filter(|&&byte| byte != b'_') {
        let digit = char::from(byte).to_digit(base)?;
        value = value
            .and_then(|value| value.checked_mul(i64::from(base))?.checked_add(i64::from(digit)));
    }
    Some(value.map(|value| if negative { -value } else { value }))
}

/// Cuts a number at a zero byte, where CPython, reading C strings, ends it.
fn to_zero(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    &text[..end]
}

/// Returns whether Python's `float` reads this text.
#[must_use]
pub fn is_float(text: &[u8]) -> bool {
    let text = to_zero(text).trim_ascii();
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if [&b"inf"[..], b"infinity", b"nan"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let (whole, part) = match number.iter().position(|&byte| byte == b'.') {
        Some(at) => (&number[..at], &number[at + 1..]),
        None => (number, &number[..0]),
    };
    let exponent = exponent.is_none_or(|text| {
        let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        !text.is_empty() && digits(text)
    });
    digits(whole) && digits(part) && whole.len() + part.len() > 0 && exponent
}

/// Checks UTF-8 piece by piece, letting lone surrogates through as Python's `surrogatepass` does.
#[derive(Debug, Default)]
pub struct Utf8Check {
    /// The start of a character that the last piece cut.
    pending: [u8; 4],
    held: usize,
}

impl Utf8Check {
    /// Takes the next piece; false where it can't be UTF-8.
    pub fn push(&mut self, piece: &[u8]) -> bool {
        let mut piece = piece;
        while self.held > 0 {
            let Some((&byte, rest)) = piece.split_first() else {
                return true;
            };
            piece = rest;
            self.pending[self.held] = byte;
            self.held += 1;
            match unit(&self.pending[..self.held]) {
                Unit::Whole => self.held = 0,
                Unit::Cut if self.held < 4 => {}
                _ => return false,
            }
        }
        loop {
            let Err(error) = std::str::from_utf8(piece) else {
                return true;
            };
            let rest = &piece[error.valid_up_to()..];
            if rest.len() >= 3 && unit(&rest[..3]) == Unit::Whole {
                piece = &rest[3..];
                continue;
            }
            if rest.len() < 4 && unit(rest) == Unit::Cut {
                self.pending[..rest.len()].copy_from_slice(rest);
                self.held = rest.len();
                return true;
            }
            return false;
        }
    }

    /// Returns whether the text ended with a whole character.
    #[must_use]
    pub fn finish(&self) -> bool {
        self.held == 0
    }
}

#[derive(PartialEq, Eq)]
enum Unit {
    Whole,
    Cut,
    Wrong,
}

/// Says whether these one to four bytes are one character, the start of one, or none.
fn unit(bytes: &[u8]) -> Unit {
    if let [0xed, rest @ ..] = bytes
        && rest.len() <= 2
        && rest.iter().all(|byte| (0x80..=0xbf).contains(byte))
    {
        return if rest.len() == 2 { Unit::Whole } else { Unit::Cut };
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Unit::Whole,
        Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => Unit::Cut,
        Err(_) => Unit::Wrong,
    }
}

/// Shows a string as Python's `repr` would, cut after `limit` characters.
#[must_use]
pub fn quote(text: &[u8], whole: bool, limit: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::new();
    out.push(quote);
    for (n, c) in text.chars().enumerate() {
        if n == limit {
            out.push('…');
            out.push(quote);
            return out;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c) =>
            {
                out.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    if !whole {
        out.push('…');
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        for (raw, plain) in [
            (r"os", "os"),
            (r"\x6fs", "os"),
            (r"\157s", "os"),
            (r"\'a\n", "'a\n"),
            (r"\q", r"\q"),
            (r"\x6", r"\x6"),
            ("\\", ""),
        ] {
            assert_eq!(unescape_string(raw.as_bytes()), plain.as_bytes(), "{raw}");
        }
        for (raw, plain) in [
            (r"\u006fs", "os"),
            (r"\U0000006fs", "os"),
            (r"\n", r"\n"),
            (r"\u00", r"\u00"),
            (r"\ud800", "\u{fffd}"),
        ] {
            assert_eq!(unescape_unicode(raw.as_bytes()), plain.as_bytes(), "{raw}");
        }
    }

    #[test]
    fn numbers() {
        for (text, value) in [
            ("12", Some(Some(12))),
            ("-1", Some(Some(-1))),
            ("0x10", Some(Some(16))),
            ("1_000", Some(Some(1000))),
            ("", None),
            ("-", None),
            ("1a", None),
            ("7\0garbage", Some(Some(7))),
            ("99999999999999999999", Some(None)),
        ] {
            assert_eq!(integer(text.as_bytes(), true), value, "{text}");
        }
        assert_eq!(integer(b"0x10", false), None);
        for float in ["1e5", "-inf", "nan", "1.", ".5", "-1.5e-07", "1E+3"] {
            assert!(is_float(float.as_bytes()), "{float}");
        }
        for other in ["", "x", ".", "e5", "1e", "1.2.3", "--1", "1e5.0"] {
            assert!(!is_float(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn utf8_in_pieces() {
        let text = "aé€😀\u{10ffff}".as_bytes().to_vec();
        let surrogate = [b'a', 0xed, 0xa0, 0x80, b'b'];
        for bytes in [text.as_slice(), &surrogate] {
            for cut in 0..=bytes.len() {
                let mut check = Utf8Check::default();
                assert!(
                    check.push(&bytes[..cut]) && check.push(&bytes[cut..]) && check.finish(),
                    "{bytes:?} cut at {cut}"
                );
            }
        }
        for wrong in [
            &[0xff][..],
            &[0xc0, 0x80],
            &[0x80],
            &[0xf8, 0x80, 0x80, 0x80],
            &[0xed, 0xa0, 0x41],
            &[0xe2, 0x82, 0x41],
        ] {
            for cut in 0..=wrong.len() {
                let mut check = Utf8Check::default();
                let ok = check.push(&wrong[..cut]) && check.push(&wrong[cut..]) && check.finish();
                assert!(!ok, "{wrong:?} cut at {cut}");
            }
        }
        let mut cut = Utf8Check::default();
        assert!(cut.push(&[0xe2, 0x82]) && !cut.finish());
    }

    #[test]
    fn shown_as_python_does() {
        assert_eq!(quote(b"a'b\n\x1b", true, 100), "\"a'b\\n\\x1b\"");
        assert_eq!(quote(b"abcdef", true, 3), "'abc…'");
        assert_eq!(quote(b"abc", false, 10), "'abc…'");
    }
}
