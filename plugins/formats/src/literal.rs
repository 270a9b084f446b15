//! Owns the reading of Python literals, as numpy's headers hold them: numbers,
//! texts, truth values, tuples, lists and dictionaries, and nothing that could be
//! run. Leaves what they mean to `npy`.

/// How deep a literal may nest; a structured type nests a few levels.
const MAX_DEPTH: usize = 32;

/// One literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
    /// `True` or `False`.
    Truth(bool),
    /// `None`.
    Nothing,
    /// A tuple or a list.
    Sequence(Vec<Self>),
    /// A dictionary whose keys are texts, in the order of the source.
    Dictionary(Vec<(String, Self)>),
}

/// Reads one literal that fills `text`.
///
/// # Errors
/// The offset and what is wrong there.
pub fn parse(text: &[u8]) -> Result<Literal, (usize, &'static str)> {
    let mut reader = Reader { text, at: 0 };
    let literal = reader.literal(0)?;
    match reader.peek() {
        None => Ok(literal),
        Some(_) => Err((reader.at, "more than one literal")),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, (usize, &'static str)>;

impl Reader<'_> {
    /// Returns the next byte that is not blank, without taking it.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn literal(&mut self, depth: usize) -> Read<Literal> {
        if depth > MAX_DEPTH {
            return Err((self.at, "nested too deep"));
        }
        match self.peek() {
            Some(b'\'' | b'"') => self.text().map(Literal::Text),
            Some(b'0'..=b'9') => self.number(),
            Some(b'(') => self.sequence(b')', depth),
            Some(b'[') => self.sequence(b']', depth),
            Some(b'{') => self.dictionary(depth),
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'_') => self.name(),
            _ => Err((self.at, "no literal")),
        }
    }

    /// Reads a text. Escapes are refused: numpy writes none that matter here.
    fn text(&mut self) -> Read<String> {
        let start = self.at + 1;
        let quote = self.text[self.at];
        let rest = &self.text[start..];
        let length = rest.iter().position(|byte| [quote, b'\\', b'\n'].contains(byte));
        let Some(length) = length.filter(|length| rest[*length] == quote) else {
            return Err((self.at, "a text that does not end, or has an escape"));
        };
        self.at = start + length + 1;
        // Versions 1 and 2 hold Latin-1, version 3 UTF-8; only ASCII matters.
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn number(&mut self) -> Read<Literal> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        let number = digits.parse().map_err(|_| (start, "a number over 64 bits"))?;
        // Python 2 wrote long numbers so.
        self.at += usize::from(self.text.get(self.at) == Some(&b'L'));
        Ok(Literal::Number(number))
    }

    fn name(&mut self) -> Read<Literal> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        let literal = match &rest[..length.unwrap_or(rest.len())] {
            b"True" => Literal::Truth(true),
            b"False" => Literal::Truth(false),
            b"None" => Literal::Nothing,
            _ => return Err((self.at, "a name where a literal belongs")),
        };
        self.at += length.unwrap_or(rest.len());
        Ok(literal)
    }

    fn sequence(&mut self, end: u8, depth: usize) -> Read<Literal> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.takes(end) {
            items.push(self.literal(depth + 1)?);
            if !self.takes(b',') && self.peek() != Some(end) {
                return Err((self.at, "no comma between items"));
            }
        }
        Ok(Literal::Sequence(items))
    }

    fn dictionary(&mut self, depth: usize) -> Read<Literal> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.takes(b'}') {
            let Literal::Text(key) = self.literal(depth + 1)? else {
                return Err((self.at, "a key that is no text"));
            };
            if !self.takes(b':') {
                return Err((self.at, "no colon after a key"));
            }
            items.push((key, self.literal(depth + 1)?));
            if !self.takes(b',') && self.peek() != Some(b'}') {
                return Err((self.at, "no comma between items"));
            }
        }
        Ok(Literal::Dictionary(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_and_nothing_else() {
        let deep = "[".repeat(100_000);
        let rows: &[(&str, bool)] = &[
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", true),
            ("{'descr': [('a', '<i4', (2,)), ('b', [(\"c\", '|u1')])], 'x': None}", true),
            ("(10L,)", true),
            ("()", true),
            ("", false),
            ("(1 2)", false),
            ("(1", false),
            ("{'a' 1}", false),
            ("{1: 2}", false),
            ("'a", false),
            ("'\\x61'", false),
            ("18446744073709551616", false),
            ("-1", false),
            ("1.5", false),
            ("__import__('os')", false),
            ("1 if True else 2", false),
            ("[1]*3", false),
            ("f'a'", false),
            (&deep, false),
        ];
        for (text, sound) in rows {
            assert_eq!(parse(text.as_bytes()).is_ok(), *sound, "{text:.40}");
        }
        let pair = Literal::Sequence(vec![Literal::Number(1), Literal::Text("a".to_owned())]);
        assert_eq!(parse(b" ( 1 , 'a' , ) "), Ok(pair));
    }
}
