//! The little of DER that signatures, keys and certificates need: one value after
//! another, each in the one encoding that DER allows.
//!
//! It leaves to others: what the values mean.

/// The tag of an INTEGER.
pub const INTEGER: u8 = 0x02;
/// The tag of a BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// The tag of a BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// The tag of an OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// The tag of an OBJECT IDENTIFIER.
pub const OBJECT: u8 = 0x06;
/// The tag of a time with two digits for the year.
pub const UTC_TIME: u8 = 0x17;
/// The tag of a time with four digits for the year.
pub const GENERALIZED_TIME: u8 = 0x18;
/// The tag of a NULL.
pub const NULL: u8 = 0x05;
/// The tag of a text in UTF-8.
pub const UTF8: u8 = 0x0c;
/// The tag of a SET.
pub const SET: u8 = 0x31;
/// The tag of a SEQUENCE.
pub const SEQUENCE: u8 = 0x30;

/// Reads values from bytes, front to back.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts reading at the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Tells whether all was read.
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Tells whether a value of the given tag comes next, or would if it were whole.
    pub fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// Reads a value of the given tag and returns its content. None where
    /// another one stands there, or none that is whole.
    pub fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.any()?;
        (found == tag).then_some(content)
    }

    /// Reads a value if it is of the given tag; else leaves it there.
    pub fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let content = ahead.value(tag)?;
        *self = ahead;
        Some(content)
    }

    /// Reads a value of the given tag and returns all of it, tag and length included.
    pub fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let before = self.0;
        self.value(tag)?;
        before.get(..before.len().checked_sub(self.0.len())?)
    }

    /// Reads a SEQUENCE and returns a reader of what is in it.
    pub fn sequence(&mut self) -> Option<Self> {
        self.value(SEQUENCE).map(Self)
    }

    /// Reads a BIT STRING of whole bytes.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        self.value(BIT_STRING)?.strip_prefix(&[0])
    }

    /// Reads a value and returns its tag and content.
    pub fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let [tag, first, rest @ ..] = self.0 else {
            return None;
        };
        // Tags of more than one byte occur nowhere in what is read here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match (first, rest) {
            (0..=0x7f, _) => (usize::from(*first), rest),
            // Two bytes of length reach 64 KiB, more than any value read here.
            (0x81, [length, rest @ ..]) if *length > 0x7f => (usize::from(*length), rest),
            (0x82, [high, low, rest @ ..]) if *high > 0 => {
                (usize::from(u16::from_be_bytes([*high, *low])), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// Reads a positive INTEGER and returns its bytes without leading zeros.
    pub fn positive(&mut self) -> Option<&'a [u8]> {
        match self.value(INTEGER)? {
            // A zero byte stands in front where the number would else be negative.
            [0, rest @ ..] if rest.first().is_some_and(|first| *first > 0x7f) => Some(rest),
            number @ [1..=0x7f, ..] => Some(number),
            _ => None,
        }
    }
}

/// Writes a value. None where it is longer than what is read here.
pub fn write(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = match u16::try_from(content.len()).ok()?.to_be_bytes() {
        [0, low @ 0..=0x7f] => vec![low],
        [0, low] => vec![0x81, low],
        [high, low] => vec![0x82, high, low],
    };
    Some([&[tag], &length[..], content].concat())
}

/// Reads an ECDSA signature: a SEQUENCE of the two numbers r and s, and nothing else.
pub fn signature(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Reader::new(bytes);
    let mut inner = outer.sequence()?;
    let (r, s) = (inner.positive()?, inner.positive()?);
    (inner.is_at_end() && outer.is_at_end()).then_some((r, s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures() {
        type Parts<'a> = Option<(&'a [u8], &'a [u8])>;
        let rows: [(&[u8], Parts<'_>); 16] = [
            (&[0x30, 6, 2, 1, 5, 2, 1, 7], Some((&[5], &[7]))),
            (&[0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 0], Some((&[0x80], &[1, 0]))),
            // Empty, cut, followed by more, more within.
            (&[], None),
            (&[0x30], None),
            (&[0x30, 6, 2, 1, 5, 2, 1], None),
            (&[0x30, 6, 2, 1, 5, 2, 1, 7, 0], None),
            (&[0x30, 8, 2, 1, 5, 2, 1, 7, 5, 0], None),
            (&[0x30, 3, 2, 1, 5], None),
            // Zero, negative, with needless zeros, empty.
            (&[0x30, 6, 2, 1, 0, 2, 1, 7], None),
            (&[0x30, 6, 2, 1, 0x80, 2, 1, 7], None),
            (&[0x30, 7, 2, 2, 0, 5, 2, 1, 7], None),
            (&[0x30, 5, 2, 0, 2, 1, 7], None),
            // Lengths in other than the shortest form, indefinite, too long.
            (&[0x30, 0x81, 6, 2, 1, 5, 2, 1, 7], None),
            (&[0x30, 0x82, 0, 6, 2, 1, 5, 2, 1, 7], None),
            (&[0x30, 0x80, 2, 1, 5, 2, 1, 7, 0, 0], None),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(signature(bytes), expected, "{bytes:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            signature(&bytes);
        }
    }
}
