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
use crate::object_graph;
use crate::source::Source;

/// Up to how many bytes all must be numbers of the most ordinary size.
const FEW: u64 = 256;
/// How many bytes are judged together, so that no stretch of other content passes
/// among many numbers.
const WINDOW: usize = 4096;
/// How much is read at once, a whole number of windows.
const BLOCK: usize = 256 * WINDOW;
/// Up to here a whole number of 32 bits may be a counter that stands among the weights.
const MAX_COUNTER: u32 = 65_535;

/// How numbers are stored.
#[derive(Clone, Copy)]
enum Layout {
    /// 32 bits, as IEEE 754 has them.
    Single,
    /// The upper half of those.
    Brain,
    /// 16 bits, as IEEE 754 has them.
    Half,
}

const LAYOUTS: [Layout; 3] = [Layout::Single, Layout::Brain, Layout::Half];

impl Layout {
    const fn width(self) -> usize {
        match self {
            Self::Single => 4,
            Self::Brain | Self::Half => 2,
        }
    }

    /// Returns how many of the first bytes must be numbers beyond doubt: any magic of a
    /// known format is shorter, and of the narrower forms more must tell.
    const fn least(self) -> usize {
        match self {
            Self::Single => 16,
            Self::Brain | Self::Half => 64,
        }
    }

    /// Tells whether this is a number from 2^-14 to 2^4.
    fn is_ordinary(self, number: &[u8]) -> bool {
        let upper = number.last_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
        match self {
            Self::Single | Self::Brain => (113..=131).contains(&(upper >> 7 & 0xff)),
            Self::Half => (1..=18).contains(&(upper >> 10 & 0x1f)),
        }
    }

    fn begins(self, head: &[u8]) -> bool {
        let Some(first) = head.get(..self.least()) else {
            return false;
        };
        let count = |number: &[u8]| match number.first_chunk() {
            Some(number) => is_count(u32::from_le_bytes(*number)),
            None => is_zero(number),
        };
        let mut numbers = first.chunks_exact(self.width());
        numbers.clone().all(|number| self.is_ordinary(number) || count(number))
            && numbers.any(|number| self.is_ordinary(number))
    }

    /// Tells whether a window is of numbers: at most one in ten may be of another size,
    /// such as weights that have faded away.
    fn is_of_numbers(self, window: &[u8]) -> bool {
        let (singles, _) = window.as_chunks();
        let (halves, _) = window.as_chunks();
        let usual = match self {
            // From 2^-40 to 2^20.
            Self::Single => count(singles, |number| {
                let number = u32::from_le_bytes(number);
                (number >> 23 & 0xff).wrapping_sub(87) <= 60 || is_count(number)
            }),
            // Of a narrower form fewer bits tell, so they must tell more.
            Self::Brain => count(halves, |number| {
                let number = u16::from_le_bytes(number);
                (number >> 7 & 0xff).wrapping_sub(103) <= 32 || number << 1 == 0
            }),
            Self::Half => count(halves, |number| {
                let number = u16::from_le_bytes(number);
                (number >> 10 & 0x1f).wrapping_sub(1) <= 18 || number << 1 == 0
            }),
        };
        let all = window.len() / self.width();
        all - usual <= all / 10 && !is_text(window)
    }
}

fn count<const N: usize>(numbers: &[[u8; N]], usual: impl Fn([u8; N]) -> bool) -> usize {
    numbers.iter().map(|number| usize::from(usual(*number))).sum()
}

/// Tells whether this is zero, or a counter.
fn is_count(number: u32) -> bool {
    number <= MAX_COUNTER || number == 1 << 31
}

fn is_zero(number: &[u8]) -> bool {
    let last = number.split_last();
    last.is_some_and(|(last, rest)| last & 0x7f == 0 && rest.iter().all(|byte| *byte == 0))
}

/// Tells whether most bytes are characters: of numbers some two in five are.
fn is_text(bytes: &[u8]) -> bool {
    let character = |byte: &u8| byte.wrapping_sub(b' ') < 0x5f || *byte == b'\n';
    let text: usize = bytes.iter().map(|byte| usize::from(character(byte))).sum();
    text * 10 > bytes.len() * 8
}

/// Tells whether a file that begins with `head` may be numbers.
pub fn recognise(head: &[u8]) -> bool {
    LAYOUTS.iter().any(|layout| layout.begins(head)) && std::str::from_utf8(head).is_err()
}

/// Returns where the numbers end: behind them a shard of TensorFlow may have the graph
/// of what they belong to.
fn end(source: &dyn Source) -> Result<u64, Stop> {
    let size = source.size();
    let length = usize::try_from(size).unwrap_or(WINDOW).min(WINDOW);
    let last = source.read_at(size - length as u64, length)?;
    if size.is_multiple_of(4) && LAYOUTS.iter().any(|layout| layout.is_of_numbers(&last)) {
        return Ok(size);
    }
    Ok(object_graph::start(source)?.unwrap_or(size))
}

/// Reads the numbers to the end.
pub fn walk(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let size = end(source)?;
    let mut left = LAYOUTS.to_vec();
    let mut at = 0;
    while at < size && !left.is_empty() {
        let length = usize::try_from(size - at).unwrap_or(BLOCK).min(BLOCK);
        let block = source.read_at(at, length)?;
        left.retain(|layout| {
            if !size.is_multiple_of(layout.width() as u64) || at == 0 && !layout.begins(&block) {
                return false;
            }
            if size <= FEW {
                let mut numbers = block.chunks_exact(layout.width());
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
