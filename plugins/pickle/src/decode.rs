//! Reads opcodes and their arguments, as CPython's unpickler does.
//!
//! Which opcodes there are stands in `opcode.rs`; what they do, in `step.rs`.

use crate::opcode::{Argument, Opcode, Step, broken};
use crate::stream::Stream;
use crate::text;

/// How much of a string is kept: names longer than this can't be judged, and no name is.
pub const KEPT_TEXT: usize = 1024;
/// How much of a bytes argument is kept, to show it.
pub const KEPT_BYTES: usize = 64;
/// The magic number that opens PyTorch's legacy format, as LONG1 holds it.
pub const TORCH_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// Reads opcodes with their arguments from a stream.
#[derive(Debug, Default)]
pub struct Decoder {
    /// What came with the last opcode that takes an argument.
    pub argument: Argument,
    /// The module that GLOBAL or INST named.
    pub module: Vec<u8>,
    /// The string, the name, or the start of the bytes that came with the last opcode, as UTF-8 where it is text.
    pub text: Vec<u8>,
    /// Set where a line ended with the bytes instead of a newline: CPython drops its last character and goes on.
    pub unended: bool,
    /// Whether to keep the whole of the next bytes argument, up to this length, in `captured`.
    pub capture: usize,
    /// The bytes so kept.
    pub captured: Vec<u8>,
}

impl Decoder {
    /// Reads one opcode and its argument; `None` at the end of the bytes.
    ///
    /// # Errors
    /// When what is there is no opcode with a whole argument.
    #[inline]
    pub fn next(&mut self, stream: &mut Stream<'_>) -> Step<Option<Opcode>> {
        let Some(byte) = stream.byte()? else {
            return Ok(None);
        };
        let Some(opcode) = Opcode::from_byte(byte) else {
            return broken(format!("{byte:#04x} is no opcode"));
        };
        if opcode.has_argument() {
            self.argument = self.read_argument(opcode, stream)?;
        }
        Ok(Some(opcode))
    }

    fn read_argument(&mut self, opcode: Opcode, stream: &mut Stream<'_>) -> Step<Argument> {
        use Opcode as O;
        Ok(match opcode {
            O::BinInt => Argument::Integer(i64::from(i32::from_le_bytes(fixed(stream)?))),
            O::BinInt1 | O::BinGet | O::BinPut | O::Ext1 | O::Proto => {
                Argument::Integer(i64::from(one(stream)?))
            }
            O::BinInt2 | O::Ext2 => {
                Argument::Integer(i64::from(u16::from_le_bytes(fixed(stream)?)))
            }
            O::LongBinGet | O::LongBinPut => {
                Argument::Integer(i64::from(u32::from_le_bytes(fixed(stream)?)))
            }
            O::Ext4 => Argument::Integer(i64::from(i32::from_le_bytes(fixed(stream)?))),
            O::BinFloat => {
                fixed::<8>(stream)?;
                Argument::Float
            }
            O::Frame => {
                let length = u64::from_le_bytes(fixed(stream)?);
                if stream.left().is_some_and(|left| length > left) {
                    return broken(format!("a frame of {length} bytes goes past the end"));
                }
                Argument::Integer(i64::try_from(length).unwrap_or(i64::MAX))
            }
            O::Long1 => {
                let length = u64::from(one(stream)?);
                self.long(stream, length)?
            }
            O::Long4 => match u64::try_from(i32::from_le_bytes(fixed(stream)?)) {
                Ok(length) => self.long(stream, length)?,
                Err(_) => return broken("LONG4 with a negative length"),
            },
            O::ShortBinUnicode => {
                let length = u64::from(one(stream)?);
                self.utf8(stream, length)?
            }
            O::BinUnicode => {
                let length = u64::from(u32::from_le_bytes(fixed(stream)?));
                self.utf8(stream, length)?
            }
            O::BinUnicode8 => {
                let length = u64::from_le_bytes(fixed(stream)?);
                self.utf8(stream, length)?
            }
            O::ShortBinString => {
                let length = u64::from(one(stream)?);
                self.bytes(stream, length)?;
                self.latin1(length)
            }
            O::BinString => match u64::try_from(i32::from_le_bytes(fixed(stream)?)) {
                Ok(length) => {
                    self.bytes(stream, length)?;
                    self.latin1(length)
                }
                Err(_) => return broken("BINSTRING with a negative length"),
            },
            O::ShortBinBytes => {
                let length = u64::from(one(stream)?);
                self.bytes(stream, length)?
            }
            O::BinBytes => {
                let length = u64::from(u32::from_le_bytes(fixed(stream)?));
                self.bytes(stream, length)?
            }
            O::BinBytes8 | O::ByteArray8 => {
                let length = u64::from_le_bytes(fixed(stream)?);
                self.bytes(stream, length)?
            }
            O::Int | O::Long | O::Float | O::Get | O::Put | O::String | O::Unicode | O::PersId => {
                self.line(opcode, stream)?
            }
            O::Global | O::Inst => self.names(stream)?,
            _ => Argument::None,
        })
    }

    /// Reads the arguments that are a line of text.
    fn line(&mut self, opcode: Opcode, stream: &mut Stream<'_>) -> Step<Argument> {
        let line = stream.line(&mut self.text, KEPT_TEXT)?;
        if !line.ended {
            return broken(format!("the line of {} has no end", opcode.name()));
        }
        let whole = line.length <= KEPT_TEXT as u64;
        match opcode {
            Opcode::Int if self.text == b"00" => return Ok(Argument::Bool(false)),
            Opcode::Int if self.text == b"01" => return Ok(Argument::Bool(true)),
            Opcode::Float => {
                return if whole && text::is_float(&self.text) {
                    Ok(Argument::Float)
                } else {
                    broken("FLOAT without a number")
                };
            }
            Opcode::Int | Opcode::Long | Opcode::Get | Opcode::Put => {
                let digits = self
                    .text
                    .strip_suffix(b"L")
                    .filter(|_| opcode == Opcode::Long)
                    .unwrap_or(&self.text);
                return match text::integer(digits, matches!(opcode, Opcode::Int | Opcode::Long)) {
                    Some(Some(n)) if whole => Ok(Argument::Integer(n)),
                    Some(_) if opcode == Opcode::Int || opcode == Opcode::Long => {
                        Ok(Argument::Huge)
                    }
                    _ => broken(format!("{} without a number", opcode.name())),
                };
            }
            Opcode::String => {
                let quote =
                    self.text.first().copied().filter(|quote| matches!(quote, b'\'' | b'"'));
                if line.length < 2 || quote.is_none() || quote != line.last {
                    return broken("STRING without its quotes");
                }
                let inner =
                    if whole { &self.text[1..self.text.len() - 1] } else { &self.text[1..] };
                self.text = text::unescape_string(inner);
            }
            Opcode::Unicode => self.text = text::unescape_unicode(&self.text),
            _ => {}
        }
        Ok(Argument::Text { whole })
    }

    /// Reads the two lines of GLOBAL and INST.
    fn names(&mut self, stream: &mut Stream<'_>) -> Step<Argument> {
        let module = stream.line(&mut self.module, KEPT_TEXT)?;
        if !module.ended {
            return broken("the name of a module has no end");
        }
        let name = stream.line(&mut self.text, KEPT_TEXT)?;
        if !name.ended {
            if name.length < 2 {
                return broken("the name of a global has no end");
            }
            self.text.truncate(usize::try_from(name.length - 1).unwrap_or(usize::MAX));
            self.unended = true;
        }
        for text in [&self.module, &self.text] {
            if std::str::from_utf8(text).is_err_and(|error| error.error_len().is_some()) {
                return broken("the name of a global is no UTF-8");
            }
        }
        Ok(Argument::Names { whole: module.length.max(name.length) <= KEPT_TEXT as u64 })
    }

    /// Reads a little-endian two's-complement integer of `length` bytes.
    fn long(&mut self, stream: &mut Stream<'_>, length: u64) -> Step<Argument> {
        self.bytes(stream, length)?;
        if length > 8 {
            return Ok(if self.text == TORCH_MAGIC { Argument::Magic } else { Argument::Huge });
        }
        let fill = if self.text.last().is_some_and(|&b| b >= 0x80) { 0xff } else { 0 };
        let mut raw = [fill; 8];
        raw[..self.text.len()].copy_from_slice(&self.text);
        Ok(Argument::Integer(i64::from_le_bytes(raw)))
    }

    /// Passes over `length` bytes, keeping the first of them.
    fn bytes(&mut self, stream: &mut Stream<'_>, length: u64) -> Step<Argument> {
        let start = stream.position();
        let keep = usize::try_from(length).map_or(KEPT_TEXT, |length| length.min(KEPT_TEXT));
        self.text.clear();
        let head = stream.peek(keep)?;
        self.text.extend_from_slice(head);
        if usize::try_from(length).is_ok_and(|length| length <= self.capture) {
            self.captured.clear();
            while (self.captured.len() as u64) < length {
                let chunk = stream.chunk(length - self.captured.len() as u64)?;
                if chunk.is_empty() {
                    return broken(format!("{length} bytes go past the end"));
                }
                self.captured.extend_from_slice(chunk);
            }
        } else if stream.left().is_some_and(|left| length > left) || !stream.skip(length)? {
            return broken(format!("{length} bytes go past the end"));
        }
        Ok(Argument::Bytes { start, length })
    }

    /// Turns the kept bytes of a Python 2 string into text.
    fn latin1(&mut self, length: u64) -> Argument {
        if !self.text.is_ascii() {
            self.text = self.text.iter().map(|&b| char::from(b)).collect::<String>().into_bytes();
        }
        Argument::Text { whole: length <= KEPT_TEXT as u64 }
    }

    /// Reads `length` bytes of UTF-8, in which lone surrogates may stand.
    fn utf8(&mut self, stream: &mut Stream<'_>, length: u64) -> Step<Argument> {
        if stream.left().is_some_and(|left| length > left) {
            return broken(format!("a string of {length} bytes goes past the end"));
        }
        self.text.clear();
        let mut check = text::Utf8Check::default();
        let mut left = length;
        while left > 0 {
            let chunk = stream.chunk(left)?;
            if chunk.is_empty() {
                return broken(format!("a string of {length} bytes goes past the end"));
            }
            if !check.push(chunk) {
                return broken("a string is no UTF-8");
            }
            let room = KEPT_TEXT - self.text.len();
            self.text.extend_from_slice(&chunk[..chunk.len().min(room)]);
            left -= chunk.len() as u64;
        }
        if !check.finish() {
            return broken("a string is no UTF-8");
        }
        Ok(Argument::Text { whole: length <= KEPT_TEXT as u64 })
    }
}

#[inline]
fn one(stream: &mut Stream<'_>) -> Step<u8> {
    match stream.byte()? {
        Some(byte) => Ok(byte),
        None => broken("the bytes end within an opcode"),
    }
}

fn fixed<const N: usize>(stream: &mut Stream<'_>) -> Step<[u8; N]> {
    match stream.array()? {
        Some(bytes) => Ok(bytes),
        None => broken("the bytes end within an opcode"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let names = Argument::Names { whole: true };
        let rows: &[(&[u8], Result<Argument, ()>, &str)] = &[
            (b"K\x07", Ok(Argument::Integer(7)), ""),
            (b"M\x01\x02", Ok(Argument::Integer(0x201)), ""),
            (b"J\xff\xff\xff\xff", Ok(Argument::Integer(-1)), ""),
            (b"J\xff", Err(()), ""),
            (b"I-12\n", Ok(Argument::Integer(-12)), ""),
            (b"I01\n", Ok(Argument::Bool(true)), ""),
            (b"I0x1f\n", Ok(Argument::Integer(31)), ""),
            (b"Iabc\n", Err(()), ""),
            (b"I1", Err(()), ""),
            (b"L123L\n", Ok(Argument::Integer(123)), ""),
            (b"L99999999999999999999L\n", Ok(Argument::Huge), ""),
            (b"F1e5\n", Ok(Argument::Float), ""),
            (b"Fnope\n", Err(()), ""),
            (b"S'\\x6fs'\n", Ok(Argument::Text { whole: true }), "os"),
            (b"S'a\n", Err(()), ""),
            (b"S\n", Err(()), ""),
            (b"V\\u006fs\n", Ok(Argument::Text { whole: true }), "os"),
            (b"U\x02os", Ok(Argument::Text { whole: true }), "os"),
            (b"T\x02\0\0\0os", Ok(Argument::Text { whole: true }), "os"),
            (b"T\xff\xff\xff\xffos", Err(()), ""),
            (b"\x8c\x02os", Ok(Argument::Text { whole: true }), "os"),
            (b"\x8c\x02\xff\xff", Err(()), ""),
            (b"\x8c\x03\xed\xa0\x80", Ok(Argument::Text { whole: true }), ""),
            (b"\x8d\x02\0\0\0\0\0\0\0os", Ok(Argument::Text { whole: true }), "os"),
            (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffos", Err(()), ""),
            (b"C\x02os", Ok(Argument::Bytes { start: 2, length: 2 }), "os"),
            (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fos", Err(()), ""),
            (b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", Ok(Argument::Magic), ""),
            (b"\x8a\x01\xff", Ok(Argument::Integer(-1)), ""),
            (b"\x8a\0", Ok(Argument::Integer(0)), ""),
            (b"\x95\0\0\0\0\0\0\0\x40N", Err(()), ""),
            (b"cos\nsystem\n", Ok(names), "system"),
            (b"cos\nsystemX", Ok(names), "system"),
            (b"cos\n", Err(()), ""),
            (b"cos", Err(()), ""),
            (b"p-\n", Err(()), ""),
            (b"\xff", Err(()), ""),
        ];
        for (bytes, expected, text) in rows {
            let mut decoder = Decoder::default();
            let got = decoder.next(&mut Stream::over(&bytes.to_vec(), 0));
            let got = got.map(|_| decoder.argument).map_err(|_| ());
            assert_eq!(&got, expected, "{bytes:?}");
            if !text.is_empty() {
                assert_eq!(decoder.text, text.as_bytes(), "{bytes:?}");
            }
        }
    }
}
