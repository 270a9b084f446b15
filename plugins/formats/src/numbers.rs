//! Owns plain arrays of floating-point numbers, as ONNX, TensorFlow and OpenVINO keep
//! them in files of their own: no header, nothing but numbers of the size that weights
//! have, from the first byte to the last: of 32 bits, or of 16 in either form. Each
//! byte is read, since nothing else tells such a file from another. Leaves integers and
//! narrower numbers unjudged: any bytes could be those.
//!
//! Who makes a file that passes can hide bytes in it, as in any weights. What loaders
//! would take it for in place of numbers is looked for by `polyglot`: archives from its
//! end, pickles and tar from its start, HDF5 further in. Programs begin with what is no
//! ordinary number, and text is none.

use crate::found::{Found, Stop};
use crate::source::Source;

/// How many bytes there must be, and how many of the first must be numbers beyond
/// doubt, by the width of a number: any magic of a known format is shorter,
/// and of the narrower forms more must tell.
const LEAST: [(usize, usize); 2] = [(4, 16), (2, 64)];
/// Up to how many bytes all must be numbers of the most ordinary size.
const FEW: u64 = 256;
/// How many bytes are judged together, so that no stretch of other content passes
/// among many numbers.
const WINDOW: usize = 4096;
/// How much is read at once, a whole number of windows.
const BLOCK: usize = 256 * WINDOW;
/// Up to here a whole number of 32 bits may be a counter that stands among the weights.
const MAX_COUNTER: u32 = 65_535;

/// How numbers are stored. Exponents are as IEEE 754 stores them.
struct Layout {
    width: usize,
    exponent: fn(&[u8]) -> u32,
    /// The exponents of numbers up to 2^20, and of nine in ten of a file's.
    usual: std::ops::RangeInclusive<u32>,
    /// The exponents of numbers from 2^-14 to 2^4.
    ordinary: std::ops::RangeInclusive<u32>,
}

const LAYOUTS: &[Layout] = &[
    Layout { width: 4, exponent: |b| upper(b) >> 7 & 0xff, usual: 87..=147, ordinary: 113..=131 },
    // Of a narrower form fewer bits tell, so they must tell more.
    Layout { width: 2, exponent: |b| upper(b) >> 7 & 0xff, usual: 103..=135, ordinary: 113..=131 },
    Layout { width: 2, exponent: |b| upper(b) >> 10 & 0x1f, usual: 1..=19, ordinary: 1..=18 },
];

/// Returns the upper half of a number, or a number of 16 bits.
fn upper(number: &[u8]) -> u32 {
    number.last_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes).into())
}

impl Layout {
    fn is_ordinary(&self, number: &[u8]) -> bool {
        self.ordinary.contains(&(self.exponent)(number))
    }

    /// Tells whether this is zero, or a counter.
    fn is_count(&self, number: &[u8]) -> bool {
        match number.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) {
            Some(number) => number <= MAX_COUNTER || number == 1 << 31,
            None => is_zero(number),
        }
    }

    fn begins(&self, head: &[u8]) -> bool {
        let least = LEAST.iter().find(|(width, _)| *width == self.width);
        let Some(first) = least.and_then(|(_, least)| head.get(..*least)) else {
            return false;
        };
        let mut numbers = first.chunks_exact(self.width);
        numbers.clone().all(|number| self.is_ordinary(number) || self.is_count(number))
            && numbers.any(|number| self.is_ordinary(number))
    }

    /// Tells whether a window is of numbers.
    fn is_of_numbers(&self, window: &[u8]) -> bool {
        let usual =
            |number: &&[u8]| self.is_count(number) || self.usual.contains(&(self.exponent)(number));
        let count = window.len() / self.width;
        let odd = count - window.chunks_exact(self.width).filter(usual).count();
        odd <= count / 10 && !is_text(window)
    }
}

fn is_zero(number: &[u8]) -> bool {
    number
        .split_last()
        .is_some_and(|(last, rest)| last & 0x7f == 0 && rest.iter().all(|byte| *byte == 0))
}

/// Tells whether most bytes are characters: of numbers some two in five are.
fn is_text(bytes: &[u8]) -> bool {
    let text = bytes.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    text.count() * 10 > bytes.len() * 8
}

/// Tells whether a file that begins with `head` may be numbers.
pub fn recognise(head: &[u8]) -> bool {
    LAYOUTS.iter().any(|layout| layout.begins(head)) && std::str::from_utf8(head).is_err()
}

/// Reads the numbers to the end.
pub fn walk(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let size = source.size();
    let mut left: Vec<&Layout> = LAYOUTS.iter().collect();
    let mut at = 0;
    while at < size && !left.is_empty() {
        let length = usize::try_from(size - at).unwrap_or(BLOCK).min(BLOCK);
        let block = source.read_at(at, length)?;
        left.retain(|layout| {
            if !size.is_multiple_of(layout.width as u64) || at == 0 && !layout.begins(&block) {
                return false;
            }
            if size <= FEW {
                let mut numbers = block.chunks_exact(layout.width);
                numbers.all(|number| is_zero(number) || layout.is_ordinary(number))
                    && !is_text(&block)
            } else {
                block.chunks(WINDOW).all(|window| layout.is_of_numbers(window))
            }
        });
        at += length as u64;
    }
    match left.is_empty() {
        false => Ok(()),
        true => Err(Stop::NotOurs("not numbers to the end".to_owned())),
    }
}
