//! Owns plain arrays of 32-bit floating-point numbers, as ONNX and TensorFlow keep
//! them in files of their own: no header, nothing but numbers of the size that
//! weights have, from the first byte to the last. Each byte is read, since nothing
//! else tells such a file from another. Leaves narrower numbers unjudged: any
//! bytes could be those.

use crate::found::{Found, Stop};
use crate::source::Source;

/// How many numbers there must be, and how many of the first must be numbers
/// beyond doubt: any magic of a known format is shorter.
const LEAST: usize = 4;
/// Up to how many numbers all must be of the most ordinary size.
const FEW: u64 = 64;
/// How many numbers are judged together, so that no stretch of other content
/// passes among many numbers.
const WINDOW: usize = 1024;
/// How many of those may be of another size: weights that have faded away.
const MAX_ODD: usize = WINDOW / 10;
/// How much is read at once, a whole number of windows.
const BLOCK: usize = 256 * WINDOW * 4;
/// The exponents of numbers from 2^-40 to 2^20, as IEEE 754 stores them.
const USUAL: std::ops::RangeInclusive<u32> = 87..=147;
/// The exponents of numbers from 2^-14 to 2^4.
const ORDINARY: std::ops::RangeInclusive<u32> = 113..=131;
/// Up to here a whole number may be a counter that stands among the weights.
const MAX_COUNTER: u32 = 65_535;

/// Tells whether a file that begins with `head` may be numbers.
pub fn recognise(head: &[u8]) -> bool {
    let (numbers, _) = head.as_chunks::<4>();
    let first = numbers.get(..LEAST).unwrap_or_default();
    let real = |number: &[u8; 4]| ORDINARY.contains(&exponent(number));
    first.len() == LEAST
        && first.iter().all(|number| real(number) || is_count(number))
        && first.iter().any(real)
        && std::str::from_utf8(head).is_err()
}

/// Reads the numbers to the end.
pub fn walk(source: &dyn Source, _: &mut Found) -> Result<(), Stop> {
    let size = source.size();
    let mut at = 0;
    let mut sound = size.is_multiple_of(4);
    while at < size && sound {
        let length = usize::try_from(size - at).unwrap_or(BLOCK).min(BLOCK);
        let block = source.read_at(at, length)?;
        let (numbers, _) = block.as_chunks::<4>();
        sound = if size / 4 <= FEW {
            let zero = |number: &[u8; 4]| u32::from_le_bytes(*number) & 0x7fff_ffff == 0;
            let ordinary = |number| zero(number) || ORDINARY.contains(&exponent(number));
            numbers.iter().all(ordinary)
        } else {
            let odd = |window: &[[u8; 4]]| window.iter().filter(|number| !is_usual(number)).count();
            numbers.chunks(WINDOW).all(|window| odd(window) <= MAX_ODD.min(window.len() / 10))
        };
        at += length as u64;
    }
    match sound {
        true => Ok(()),
        false => Err(Stop::NotOurs("not numbers to the end".to_owned())),
    }
}

fn exponent(number: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*number) >> 23 & 0xff
}

/// Tells whether this is zero, or a counter.
fn is_count(number: &[u8; 4]) -> bool {
    let number = u32::from_le_bytes(*number);
    number <= MAX_COUNTER || number == 1 << 31
}

fn is_usual(number: &[u8; 4]) -> bool {
    is_count(number) || USUAL.contains(&exponent(number))
}
