//! Owns reading JSON as Python's loaders do: value by value, with the path of keys
//! and the line of each, nothing kept. Leaves what a value means to `config`.
//!
//! Keys that stand twice are all shown, since readers differ in which one they
//! keep; `NaN` and control characters in texts pass, as they do in Python.

/// How deep a value may nest; configurations nest to ten or so, and each level
/// takes a piece of a small stack.
const MAX_DEPTH: usize = 64;

/// One step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The key of an object.
    Key(String),
    /// The place in a list.
    Index(usize),
}

/// A value that holds no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// A text, its escapes resolved.
    Text(&'a str),
    /// `true`.
    True,
    /// `null`, `false` or a number.
    Other,
}

/// Why the rest could not be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1.
    pub line: u32,
    /// What was met.
    pub why: &'static str,
}

/// Writes a path the way people do: `auto_map.AutoModel`, `[0].type`.
#[must_use]
pub fn member(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Shows each scalar with its path and line.
///
/// # Errors
/// Where the bytes are no JSON. What stands before that has been shown.
pub fn walk(bytes: &[u8], see: &mut dyn FnMut(&[Step], u32, Scalar<'_>)) -> Result<(), Broken> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut walk = Walk { bytes, at: 0, line: 1, path: Vec::new(), see };
    walk.value()?;
    walk.space();
    match walk.peek() {
        None => Ok(()),
        Some(_) => walk.broken("more follows the value"),
    }
}

struct Walk<'a, 'f> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    path: Vec<Step>,
    see: &'f mut dyn FnMut(&[Step], u32, Scalar<'_>),
}

impl Walk<'_, '_> {
    fn broken<T>(&self, why: &'static str) -> Result<T, Broken> {
        Err(Broken { line: self.line, why })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            if byte == b'\n' {
                self.line = self.line.saturating_add(1);
            }
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self) -> Result<(), Broken> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => {
                let line = self.line;
                let text = self.text()?;
                (self.see)(&self.path, line, Scalar::Text(&text));
                Ok(())
            }
            Some(_) => {
                let scalar = self.word()?;
                (self.see)(&self.path, self.line, scalar);
                Ok(())
            }
            None => self.broken("it ends early"),
        }
    }

    fn open(&mut self, step: Step) -> Result<(), Broken> {
        self.at += 1;
        self.space();
        if self.path.len() >= MAX_DEPTH {
            return self.broken("values nest too deep");
        }
        self.path.push(step);
        Ok(())
    }

    fn object(&mut self) -> Result<(), Broken> {
        self.open(Step::Key(String::new()))?;
        if !self.skip(b'}') {
            loop {
                self.space();
                if self.peek() != Some(b'"') {
                    return self.broken("a key was expected");
                }
                let key = self.text()?;
                self.space();
                if !self.skip(b':') {
                    return self.broken("`:` was expected");
                }
                if let Some(step) = self.path.last_mut() {
                    *step = Step::Key(key);
                }
                self.value()?;
                self.space();
                if self.skip(b'}') {
                    break;
                }
                if !self.skip(b',') {
                    return self.broken("`,` or `}` was expected");
                }
            }
        }
        self.path.pop();
        Ok(())
    }

    fn list(&mut self) -> Result<(), Broken> {
        self.open(Step::Index(0))?;
        if !self.skip(b']') {
            for index in 0.. {
                if let Some(step) = self.path.last_mut() {
                    *step = Step::Index(index);
                }
                self.value()?;
                self.space();
                if self.skip(b']') {
                    break;
                }
                if !self.skip(b',') {
                    return self.broken("`,` or `]` was expected");
                }
            }
        }
        self.path.pop();
        Ok(())
    }

    fn word(&mut self) -> Result<Scalar<'static>, Broken> {
        let start = self.at;
        while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.') = self.peek() {
            self.at += 1;
        }
        match &self.bytes[start..self.at] {
            b"true" => Ok(Scalar::True),
            b"false" | b"null" | b"NaN" | b"Infinity" | b"-Infinity" => Ok(Scalar::Other),
            [b'-', b'0'..=b'9', ..] | [b'0'..=b'9', ..] => Ok(Scalar::Other),
            _ => self.broken("no value was found"),
        }
    }

    /// Reads a text that begins here.
    fn text(&mut self) -> Result<String, Broken> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let rest = &self.bytes[self.at..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
            let Some(plain) = plain else {
                return self.broken("a text does not end");
            };
            text.extend_from_slice(&rest[..plain]);
            self.at += plain + 1;
            match rest[plain] {
                b'"' => break,
                b'\n' => {
                    self.line = self.line.saturating_add(1);
                    text.push(b'\n');
                }
                _ => self.escape(&mut text)?,
            }
        }
        Ok(match String::from_utf8(text) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), Broken> {
        let byte = self.peek();
        self.at += 1;
        text.push(match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let mut unit = self.unit()?;
                if (0xd800..0xdc00).contains(&unit) && self.bytes[self.at..].starts_with(b"\\u") {
                    let back = self.at;
                    self.at += 2;
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        unit = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    } else {
                        self.at = back;
                    }
                }
                let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return self.broken("an escape is unknown"),
        });
        Ok(())
    }

    fn unit(&mut self) -> Result<u32, Broken> {
        let digits = self.bytes.get(self.at..self.at + 4);
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        match unit {
            Some(unit) => Ok(unit),
            None => self.broken("an escape is unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> (Vec<String>, Result<(), Broken>) {
        let mut seen = Vec::new();
        let end = walk(text.as_bytes(), &mut |path, line, scalar| {
            seen.push(format!("{line} {}={scalar:?}", member(path)));
        });
        (seen, end)
    }

    #[test]
    fn values_are_shown_with_path_and_line() {
        let (seen, end) = seen(
            "\u{feff}{\"a\": [true,\n NaN, {\"b\": \"x\\u005f\\ud83d\\ude00\"}], \"a\": -1e3, \"e\": {}}",
        );
        assert_eq!(end, Ok(()));
        let expected = ["1 a[0]=True", "2 a[1]=Other", "2 a[2].b=Text(\"x_😀\")", "2 a=Other"];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_stands_before_a_break_is_shown() {
        for (text, count) in [
            ("", 0),
            ("{", 0),
            ("{\"a\": 1, \"b\": ", 1),
            ("[1] []", 1),
            ("[1,]", 1),
            ("\"\\ud800\\u\"", 0),
            ("\"\\u12\"", 0),
            ("\"a", 0),
            ("\"\\", 0),
            ("nope", 0),
            ("{a: 1}", 0),
            ("[1 2]", 1),
        ] {
            let (seen, end) = seen(text);
            assert!(end.is_err(), "{text:?}");
            assert_eq!(seen.len(), count, "{text:?}");
        }
        let deep = "[".repeat(1_000_000);
        assert_eq!(seen(&deep).1.unwrap_err().why, "values nest too deep");
    }
}
