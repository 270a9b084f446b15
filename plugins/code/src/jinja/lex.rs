//! Owns cutting a template into text, outputs and statements, and those into
//! tokens, as Jinja's own lexer does. Leaves their grammar to `statement` and
//! `expression`.

/// A token of an output or a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Int(i64),
    Float,
    Operator(&'static str),
}

/// A token and the line it begins on.
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) line: u32,
}

/// A part of a template.
pub(super) enum Piece<'a> {
    /// Text that is put out as it stands.
    Data(&'a str),
    /// `{{ … }}`, and the line it begins on.
    Output(Vec<Placed>, u32),
    /// `{% … %}`, and the line it begins on.
    Statement(Vec<Placed>, u32),
}

/// Why a template can't be read, and the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line of the template, from 1.
    pub line: u32,
    /// What was met.
    pub why: String,
}

/// Longer operators first.
const OPERATORS: &[&str] = &[
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
];

/// Walks over a template.
pub(super) struct Lexer<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(template: &'a str) -> Self {
        Self { rest: template, line: 1 }
    }

    fn broken<T>(&self, why: impl Into<String>) -> Result<T, Broken> {
        Err(Broken { line: self.line, why: why.into() })
    }

    /// Takes `length` bytes, which end at a character.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        let lines = taken.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = rest;
        taken
    }

    /// Returns the next piece; none at the end.
    pub(super) fn piece(&mut self) -> Result<Option<Piece<'a>>, Broken> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let bytes = self.rest.as_bytes();
            let mark = bytes.windows(2).position(|two| matches!(two, b"{{" | b"{%" | b"{#"));
            match mark {
                None => return Ok(Some(Piece::Data(self.take(bytes.len())))),
                Some(0) => {}
                Some(at) => return Ok(Some(Piece::Data(self.take(at)))),
            }
            let line = self.line;
            match bytes[1] {
                b'#' => match self.rest.find("#}") {
                    // `{#}` opens and does not close.
                    Some(1) => match self.rest[2..].find("#}") {
                        Some(end) => drop(self.take(end + 4)),
                        None => return self.broken("a comment does not end"),
                    },
                    Some(end) => drop(self.take(end + 2)),
                    None => return self.broken("a comment does not end"),
                },
                b'{' => {
                    self.take(2);
                    return Ok(Some(Piece::Output(self.tokens("}}", "-")?, line)));
                }
                _ => {
                    if let Some(raw) = tag(self.rest, "raw") {
                        self.take(raw);
                        return self.raw().map(Some);
                    }
                    self.take(2);
                    return Ok(Some(Piece::Statement(self.tokens("%}", "+-")?, line)));
                }
            }
        }
    }

    /// Takes text up to and with `{% endraw %}`.
    fn raw(&mut self) -> Result<Piece<'a>, Broken> {
        let mut from = 0;
        while let Some(at) = self.rest[from..].find("{%") {
            let at = from + at;
            if let Some(end) = tag(&self.rest[at..], "endraw") {
                let text = self.take(at);
                self.take(end);
                return Ok(Piece::Data(text));
            }
            from = at + 2;
        }
        self.broken("`raw` does not end")
    }

    /// Takes tokens up to and with the end mark, which one of `signs` may precede.
    fn tokens(&mut self, end: &str, signs: &str) -> Result<Vec<Placed>, Broken> {
        if self.rest.starts_with(['+', '-']) && !self.rest[1..].starts_with(end) {
            self.take(1);
        }
        let mut tokens = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        let mut after_dot = false;
        loop {
            let space = self.rest.len() - self.rest.trim_start().len();
            self.take(space);
            let Some(first) = self.rest.chars().next() else {
                return self.broken(format!("`{end}` is missing"));
            };
            if open.is_empty() {
                let signed = usize::from(signs.contains(first));
                if self.rest[signed..].starts_with(end) {
                    self.take(signed + end.len());
                    return Ok(tokens);
                }
            }
            let line = self.line;
            let token = match first {
                '0'..='9' => self.number(after_dot),
                '\'' | '"' => self.text(first)?,
                _ if is_name(first) => {
                    let length = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
                    Token::Name(self.take(length).to_owned())
                }
                _ => {
                    let mut known = OPERATORS.iter().copied();
                    let Some(operator) = known.find(|known| self.rest.starts_with(known)) else {
                        return self.broken(format!("{first:?} is no part of an expression"));
                    };
                    self.take(operator.len());
                    match operator {
                        "(" => open.push(")"),
                        "[" => open.push("]"),
                        "{" => open.push("}"),
                        ")" | "]" | "}" if open.pop() != Some(operator) => {
                            return self.broken(format!("`{operator}` closes nothing"));
                        }
                        _ => {}
                    }
                    Token::Operator(operator)
                }
            };
            after_dot = token == Token::Operator(".");
            tokens.push(Placed { token, line });
        }
    }

    fn number(&mut self, after_dot: bool) -> Token {
        let bytes = self.rest.as_bytes();
        let run = |from: usize| {
            let digits = bytes[from.min(bytes.len())..].iter();
            digits.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
        };
        let mut length = run(0);
        let mut float = false;
        let fraction = bytes.get(length) == Some(&b'.')
            && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
        if fraction && !after_dot {
            float = true;
            length += 1 + run(length + 1);
        }
        let exponent = matches!(bytes[length - 1], b'e' | b'E')
            && !bytes.starts_with(b"0x")
            && !bytes.starts_with(b"0X");
        if exponent && matches!(bytes.get(length), Some(b'+' | b'-')) {
            float = true;
            length += 1 + run(length + 1);
        }
        let digits = self.take(length).replace('_', "");
        let radix = |radix| i64::from_str_radix(digits.get(2..).unwrap_or(""), radix).ok();
        let value = match digits.get(..2) {
            Some("0x" | "0X") => radix(16),
            Some("0o" | "0O") => radix(8),
            Some("0b" | "0B") => radix(2),
            _ => digits.parse().ok(),
        };
        match value {
            Some(value) if !float => Token::Int(value),
            _ => Token::Float,
        }
    }

    fn text(&mut self, quote: char) -> Result<Token, Broken> {
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            if character == '\\' {
                characters.next();
            } else if character == quote {
                let quoted = self.take(at + 1);
                return Ok(Token::Text(unescape(&quoted[1..at])));
            }
        }
        self.broken("a text does not end")
    }
}

fn is_name(character: char) -> bool {
    character == '_'
        || character.is_ascii_alphanumeric()
        || !character.is_ascii() && !character.is_whitespace()
}

/// Returns the length of `{% word %}` at the start of a text, if it is there.
fn tag(text: &str, word: &str) -> Option<usize> {
    let rest = text.strip_prefix("{%")?;
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).trim_start();
    let rest = rest.strip_prefix(word)?.trim_start();
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let rest = rest.strip_prefix("%}")?;
    Some(text.len() - rest.len())
}

/// Resolves the escapes of a Python text.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(kind) = rest.chars().next() else {
            break;
        };
        let body = &rest[kind.len_utf8()..];
        let digits = |radix, most: usize, text: &str| {
            let count = text.chars().take(most).take_while(|c| c.is_digit(radix)).count();
            let value = u32::from_str_radix(text.get(..count).unwrap_or(""), radix).ok();
            let character =
                value.map(|value| char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
            (character, count)
        };
        let (character, used) = match kind {
            'x' => digits(16, 2, body),
            'u' => digits(16, 4, body),
            'U' => digits(16, 8, body),
            '0'..='7' => {
                let (character, used) = digits(8, 3, rest);
                (character, used - 1)
            }
            'N' => named(body),
            '\n' => (None, 0),
            'a' => (Some('\x07'), 0),
            'b' => (Some('\x08'), 0),
            'f' => (Some('\x0c'), 0),
            'n' => (Some('\n'), 0),
            'r' => (Some('\r'), 0),
            't' => (Some('\t'), 0),
            'v' => (Some('\x0b'), 0),
            other => (Some(other), 0),
        };
        plain.extend(character);
        rest = &body[used..];
    }
    plain.push_str(rest);
    plain
}

/// Resolves `{LOW LINE}` after `\N`: the characters that names are made of. Others
/// become a character that stands in no name.
fn named(text: &str) -> (Option<char>, usize) {
    let name = text.strip_prefix('{').and_then(|text| text.split_once('}'));
    let Some((name, _)) = name else {
        return (None, 0);
    };
    let upper = name.to_ascii_uppercase();
    let letter =
        upper.strip_prefix("LATIN SMALL LETTER ").and_then(|letter| letter.parse::<char>().ok());
    let character = match letter {
        Some(letter) => letter.to_ascii_lowercase(),
        None if upper == "LOW LINE" || upper == "SPACING UNDERSCORE" => '_',
        None => char::REPLACEMENT_CHARACTER,
    };
    (Some(character), name.len() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(template: &str) -> Result<String, Broken> {
        let mut lexer = Lexer::new(template);
        let mut shown = String::new();
        while let Some(piece) = lexer.piece()? {
            let (kind, tokens) = match piece {
                Piece::Data(text) => {
                    shown.push_str(&format!("<{text}>"));
                    continue;
                }
                Piece::Output(tokens, line) => (format!("out{line}"), tokens),
                Piece::Statement(tokens, line) => (format!("do{line}"), tokens),
            };
            shown.push_str(&kind);
            for token in tokens {
                shown.push_str(&match token.token {
                    Token::Name(name) => format!(" {name}"),
                    Token::Text(text) => format!(" {text:?}"),
                    Token::Int(value) => format!(" {value}"),
                    Token::Float => " float".to_owned(),
                    Token::Operator(operator) => format!(" `{operator}`"),
                });
            }
            shown.push(';');
        }
        Ok(shown)
    }

    #[test]
    fn templates_are_cut_as_jinja_cuts_them() {
        for (template, expected) in [
            ("a {b} {% if x -%}c{%- endif %}", "<a {b} >do1 if x;<c>do1 endif;"),
            ("{{ {'a': {}} }}", "out1 `{` \"a\" `:` `{` `}` `}`;"),
            ("{#- x {{ y }} #}{# #}z", "<z>"),
            ("{#}x#}y", "<y>"),
            ("{% raw %}{{ x }}{% if %}{%- endraw -%}y", "<{{ x }}{% if %}><y>"),
            ("{{- x -}}\n{{ y }}", "out1 x;<\n>out2 y;"),
            ("{{ x[::-1] }}", "out1 x `[` `:` `:` `-` 1 `]`;"),
            ("{{ 1.5 + 2e-3 + 0x1F + 1_000 }}", "out1 float `+` float `+` 31 `+` 1000;"),
            ("{{ a.0.1 }}", "out1 a `.` 0 `.` 1;"),
            (r"{{ '\x5f\u005f\137\N{LOW LINE}\'' }}", "out1 \"____'\";"),
            (r"{{ '\N{latin small letter c}\q' }}", "out1 \"cq\";"),
            ("{{ '}}' }}", "out1 \"}}\";"),
            ("{%+ set x = 1 +%}", "do1 set x `=` 1;"),
        ] {
            assert_eq!(shown(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn broken_templates_say_so() {
        for template in [
            "{{ x",
            "{% x }}",
            "{{ ( }}",
            "{{ ) }}",
            "{# x",
            "{#}",
            "{{ 'x }}",
            "{{ x ? y }}",
            "{% raw %}",
            "{{ $x }}",
            "{{ '\\",
        ] {
            assert!(shown(template).is_err(), "{template}");
        }
    }
}
