//! The header of numpy's `.npy` format: a Python literal, read by a parser of literals.
//!
//! The objects that an array may hold are pickles; `scan.rs` runs them. Whether plain items fit the file is checked here.

use crate::heap::Dtype;

/// What opens the format.
pub const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of a header: numpy itself writes up to 65,535 in version 1 and refuses more than 10,000 unless told otherwise.
const HEADER: usize = 1 << 20;
/// How deep a structured type may nest; numpy's own are three or four deep.
const DEPTH: usize = 32;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whether items are Python objects.
    pub object: bool,
    /// Bytes of all items, where that can be told.
    pub bytes: Option<u64>,
}

/// Returns where the header's text begins and how long it is, from the first 12 bytes of the file.
#[must_use]
pub fn header_span(head: &[u8]) -> Option<(usize, usize)> {
    let rest = head.strip_prefix(MAGIC)?;
    let (start, length) = match rest {
        [1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [2 | 3, _, a, b, c, d, ..] => {
            (12, usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?)
        }
        _ => return None,
    };
    (length <= HEADER).then_some((start, length))
}

/// Reads the header's text.
///
/// # Errors
/// What is wrong with it.
pub fn header(text: &[u8]) -> Result<Header, &'static str> {
    let mut parser = Parser { rest: text };
    let Literal::Dict(entries) = parser.literal(0)? else {
        return Err("the header is no dict");
    };
    parser.blank();
    if !parser.rest.is_empty() {
        return Err("the header goes on after its dict");
    }
    let find =
        |name: &str| entries.iter().find(|(key, _)| key == name.as_bytes()).map(|(_, value)| value);
    let (Some(descr), Some(Literal::Bool), Some(Literal::Tuple(shape)), 3) =
        (find("descr"), find("fortran_order"), find("shape"), entries.len())
    else {
        return Err("the header has other keys than descr, fortran_order and shape");
    };
    let dtype = described(descr)?;
    let mut count = Some(1u64);
    for n in shape {
        let Literal::Int(n) = n else {
            return Err("the shape holds something else than integers");
        };
        count = count.and_then(|count| count.checked_mul(*n));
    }
    let count = count.ok_or("the shape overflows")?;
    let bytes = match dtype.size {
        Some(size) => Some(size.checked_mul(count).ok_or("the shape overflows")?),
        None => None,
    };
    Ok(Header { object: dtype.object, bytes })
}

/// Reads one item's type, such as `<f4`, `|O`, `<U5`, `M8[ns]`.
#[must_use]
pub fn item(descr: &[u8]) -> Dtype {
    let descr = descr
        .strip_prefix(b"<")
        .or_else(|| descr.strip_prefix(b">"))
        .or_else(|| descr.strip_prefix(b"|"))
        .or_else(|| descr.strip_prefix(b"="))
        .unwrap_or(descr);
    let Some((&kind, rest)) = descr.split_first() else {
        return Dtype { size: None, object: false };
    };
    let digits = rest.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let number =
        std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse::<u64>().ok());
    let simple = digits == rest.len() || matches!(kind, b'M' | b'm');
    let object = kind == b'O' || descr == b"object";
    let size = match kind {
        b'f' | b'i' | b'u' | b'c' | b'V' | b'S' | b'a' | b'M' | b'm'
            if simple && !descr.starts_with(b"float") =>
        {
            number.or(match kind {
                b'f' => Some(4),
                b'i' => Some(4),
                _ => None,
            })
        }
        b'b' if digits == 1 && simple => number,
        b'U' if simple => number.and_then(|number| number.checked_mul(4)),
        b'?' => Some(1),
        _ => match descr {
            b"float64" | b"int64" | b"uint64" | b"complex64" | b"d" | b"q" | b"l" => Some(8),
            b"float32" | b"int32" | b"uint32" => Some(4),
            b"float16" | b"int16" | b"uint16" | b"h" | b"e" => Some(2),
            b"int8" | b"uint8" | b"bool" | b"B" | b"b" => Some(1),
            _ => None,
        },
    };
    Dtype { size, object }
}

/// Reads a `descr`: a type, or a list of fields.
fn described(descr: &Literal) -> Result<Dtype, &'static str> {
    match descr {
        Literal::Text(text) => {
            let dtype = item(text);
            if dtype.size.is_none() && !dtype.object {
                Err("the type of items is unknown")
            } else {
                Ok(dtype)
            }
        }
        Literal::List(fields) => {
            let mut whole = Dtype { size: Some(0), object: false };
            for field in fields {
                let Literal::Tuple(field) = field else {
                    return Err("a field is no tuple");
                };
                let [_, descr, shape @ ..] = field.as_slice() else {
                    return Err("a field has no type");
                };
                let inner = described(descr)?;
                let mut count = Some(1u64);
                match shape {
                    [] => {}
                    [Literal::Tuple(shape)] => {
                        for n in shape {
                            let Literal::Int(n) = n else {
                                return Err("a field's shape holds something else than integers");
                            };
                            count = count.and_then(|count| count.checked_mul(*n));
                        }
                    }
                    [Literal::Int(n)] => count = Some(*n),
                    _ => return Err("a field's shape is no tuple"),
                }
                let size = count.and_then(|count| inner.size?.checked_mul(count));
                whole.size = whole.size.and_then(|sum| sum.checked_add(size?));
                whole.object |= inner.object;
            }
            Ok(whole)
        }
        // (type, {metadata}) or (type, shape): only the type matters here.
        Literal::Tuple(pair) => match pair.as_slice() {
            [descr, _] => Ok(Dtype { size: None, ..described(descr)? }),
            _ => Err("the type of items is unknown"),
        },
        _ => Err("the type of items is unknown"),
    }
}

enum Literal {
    Text(Vec<u8>),
    Int(u64),
    Bool,
    None,
    Tuple(Vec<Self>),
    List(Vec<Self>),
    Dict(Vec<(Vec<u8>, Self)>),
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl Parser<'_> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn eat(&mut self, token: &[u8]) -> bool {
        self.blank();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn literal(&mut self, depth: usize) -> Result<Literal, &'static str> {
        if depth > DEPTH {
            return Err("the header nests too deep");
        }
        if self.eat(b"{") {
            let mut entries = Vec::new();
            while !self.eat(b"}") {
                let Literal::Text(key) = self.literal(depth + 1)? else {
                    return Err("a key of the header is no string");
                };
                if !self.eat(b":") {
                    return Err("the header is no literal");
                }
                entries.push((key, self.literal(depth + 1)?));
                if !self.eat(b",") && !self.rest.starts_with(b"}") {
                    return Err("the header is no literal");
                }
            }
            return Ok(Literal::Dict(entries));
        }
        for (open, close) in [(b"(", b")"), (b"[", b"]")] {
            if self.eat(open) {
                let mut items = Vec::new();
                while !self.eat(close) {
                    items.push(self.literal(depth + 1)?);
                    if !self.eat(b",") && !self.rest.starts_with(close) {
                        return Err("the header is no literal");
                    }
                }
                return Ok(if open == b"(" { Literal::Tuple(items) } else { Literal::List(items) });
            }
        }
        for (word, value) in
            [(&b"True"[..], Literal::Bool), (b"False", Literal::Bool), (b"None", Literal::None)]
        {
            if self.eat(word) {
                return Ok(value);
            }
        }
        self.blank();
        match self.rest.first() {
            Some(b'0'..=b'9') => {
                let digits = self.rest.iter().take_while(|digit| digit.is_ascii_digit()).count();
                let number = std::str::from_utf8(&self.rest[..digits])
                    .ok()
                    .and_then(|digits| digits.parse().ok());
                self.rest = &self.rest[digits..];
                // Python 2 wrote shapes as longs.
                let _ = self.eat(b"L");
                number.map(Literal::Int).ok_or("a number overflows")
            }
            Some(b'\'' | b'"' | b'u' | b'b') => {
                if matches!(self.rest.first(), Some(b'u' | b'b')) {
                    self.rest = &self.rest[1..];
                }
                let Some((&quote @ (b'\'' | b'"'), rest)) = self.rest.split_first() else {
                    return Err("the header is no literal");
                };
                let mut text = Vec::new();
                let mut rest = rest.iter();
                loop {
                    match rest.next() {
                        Some(b'\\') => text.extend(rest.next()),
                        Some(&byte) if byte == quote => break,
                        Some(&byte) => text.push(byte),
                        None => return Err("a string of the header has no end"),
                    }
                }
                self.rest = rest.as_slice();
                Ok(Literal::Text(text))
            }
            _ => Err("the header is no literal"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let plain = |bytes| Ok(Header { object: false, bytes: Some(bytes) });
        let rows: &[(&str, Result<Header, ()>)] = &[
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n", plain(24)),
            ("{'descr': '<f8', 'fortran_order': True, 'shape': (), }\n", plain(8)),
            ("{'descr': '<U5', 'fortran_order': False, 'shape': (2L,), }\n", plain(40)),
            (
                "{'descr': [('a', '<f8'), ('b', '<i4', (2,))], 'fortran_order': False, 'shape': (2,), }",
                plain(32),
            ),
            (
                "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
                Ok(Header { object: true, bytes: None }),
            ),
            (
                "{'descr': [('a', [('x', '|O')])], 'fortran_order': False, 'shape': (1,)}",
                Ok(Header { object: true, bytes: None }),
            ),
            (
                "{'descr': __import__('os').system('echo'), 'fortran_order': False, 'shape': (1,)}",
                Err(()),
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 2)}",
                Err(()),
            ),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", Err(())),
            ("{'descr': '<f4', 'fortran_order': False}", Err(())),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", Err(())),
            ("{'descr': 'zz', 'fortran_order': False, 'shape': (1,)}", Err(())),
            ("", Err(())),
            ("{", Err(())),
            ("{'a", Err(())),
        ];
        for (text, expected) in rows {
            assert_eq!(&header(text.as_bytes()).map_err(|_| ()), expected, "{text}");
        }
        assert!(header("(".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn item_types() {
        for (descr, size) in [
            ("f8", Some(8)),
            ("<i2", Some(2)),
            ("|b1", Some(1)),
            ("M8[ns]", Some(8)),
            ("U3", Some(12)),
            ("O8", None),
            ("float64", Some(8)),
            ("V16", Some(16)),
        ] {
            assert_eq!(item(descr.as_bytes()).size, size, "{descr}");
        }
        assert!(item(b"O8").object && item(b"|O").object && !item(b"f8").object);
    }

    #[test]
    fn spans() {
        assert_eq!(header_span(b"\x93NUMPY\x01\0v\0{"), Some((10, 118)));
        assert_eq!(header_span(b"\x93NUMPY\x02\0\xff\xff\xff\xff"), None);
        assert_eq!(header_span(b"\x93NUMPY\x09\0\0\0"), None);
        assert_eq!(header_span(b"\x93NUM"), None);
    }
}
