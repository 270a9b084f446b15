//! Decodes bzip2, stream after stream.
//!
//! How much may be decoded is for the callers. The format has no document of its own: this follows `decompress.c` of
//! bzip2 1.0.8, whose randomised blocks (written before 1997) are refused.
//!
//! # Invariants
//! One block of at most 900,000 bytes is held; each table index is checked or masked.

use crate::compressed::{behind, followed};
use crate::source::{Fault, Source};
use crate::stream::Feed;

/// Longest code of a symbol.
const LONGEST: u32 = 20;
/// Symbols after which another table may be used.
const GROUP: u32 = 50;
/// Most symbols: 256 bytes less one for the front, two for runs, one for the end.
const SYMBOLS: usize = 258;

fn broken() -> Fault {
    Fault::Corrupt("the compressed data is broken".to_owned())
}

/// The decoder.
pub struct Bzip2<'a> {
    bits: Bits<'a>,
    /// Most bytes of a block; 0 before a stream's header.
    most: usize,
    /// The block: the byte in the lowest eight bits, where its successor stands in the others.
    block: Vec<u32>,
    place: u32,
    /// Bytes of the block that are yet to be given.
    left: usize,
    last: u8,
    equal: u8,
    repeat: u8,
    crc: u32,
    expected: u32,
    combined: u32,
    done: bool,
}

impl<'a> Bzip2<'a> {
    /// Starts with the first stream.
    #[must_use]
    pub fn new(source: &'a dyn Source) -> Self {
        Self {
            bits: Bits { source, at: 0, input: Vec::new(), next: 0, held: 0, count: 0 },
            most: 0,
            block: Vec::new(),
            place: 0,
            left: 0,
            last: 0,
            equal: 0,
            repeat: 0,
            crc: 0,
            expected: 0,
            combined: 0,
            done: false,
        }
    }

    /// Reads up to the next block; false at the end of the last stream.
    fn next(&mut self) -> Result<bool, Fault> {
        loop {
            if self.most == 0 {
                let level = self.bits.take(32)?.wrapping_sub(0x425a_6830);
                if !(1..=9).contains(&level) {
                    return Err(broken());
                }
                self.most = level as usize * 100_000;
                self.combined = 0;
            }
            match (self.bits.take(24)?, self.bits.take(24)?) {
                (0x31_4159, 0x26_5359) => {
                    self.decode()?;
                    return Ok(true);
                }
                (0x17_7245, 0x38_5090) => {
                    if self.bits.take(32)? != self.combined {
                        return Err(Fault::Corrupt(
                            "the compressed data does not fit its checksum".to_owned(),
                        ));
                    }
                    let end = self.bits.whole();
                    let Some(next) = behind(self.bits.source, end)? else {
                        return Ok(false);
                    };
                    if self.bits.source.up_to(next, 3)? != b"BZh" {
                        return Err(followed(next));
                    }
                    self.bits = Bits {
                        source: self.bits.source,
                        at: next,
                        input: Vec::new(),
                        next: 0,
                        held: 0,
                        count: 0,
                    };
                    self.most = 0;
                }
                _ => return Err(broken()),
            }
        }
    }

    fn decode(&mut self) -> Result<(), Fault> {
        self.expected = self.bits.take(32)?;
        if self.bits.take(1)? != 0 {
            return Err(Fault::Corrupt("randomised blocks of bzip2 can't be read here".to_owned()));
        }
        let origin = self.bits.take(24)? as usize;
        let mut front = Vec::with_capacity(256);
        let ranges = self.bits.take(16)?;
        for range in (0..16).filter(|range| ranges >> (15 - range) & 1 == 1) {
            let used = self.bits.take(16)?;
            front.extend((0..16u8).filter(|n| used >> (15 - n) & 1 == 1).map(|n| range * 16 + n));
        }
        let symbols = front.len() + 2;
        let tables = self.bits.take(3)? as usize;
        let choices = self.bits.take(15)? as usize;
        if front.is_empty() || !(2..=6).contains(&tables) || choices == 0 {
            return Err(broken());
        }
        let mut order: Vec<u8> = (0..6).collect();
        let mut chosen = Vec::with_capacity(choices);
        for _ in 0..choices {
            let mut n = 0;
            while self.bits.take(1)? == 1 {
                n += 1;
                if n >= tables {
                    return Err(broken());
                }
            }
            order[..=n].rotate_right(1);
            chosen.push(order[0]);
        }
        let mut codes = Vec::with_capacity(tables);
        for _ in 0..tables {
            codes.push(self.table(symbols)?);
        }

        self.block.clear();
        let mut counts = [0u32; 256];
        let (mut run, mut weight) = (0usize, 1usize);
        let mut chosen = chosen.into_iter();
        let mut code = &codes[0];
        let mut group = 0;
        loop {
            if group == 0 {
                code = chosen.next().and_then(|n| codes.get(usize::from(n))).ok_or_else(broken)?;
                group = GROUP;
            }
            group -= 1;
            let symbol = usize::from(code.next(&mut self.bits)?);
            if symbol < 2 {
                // A run's length in digits 1 and 2 of base 2.
                run += weight << symbol;
                weight <<= 1;
                if run > self.most {
                    return Err(broken());
                }
                continue;
            }
            if run > 0 {
                if self.block.len() + run > self.most {
                    return Err(broken());
                }
                counts[usize::from(front[0])] += u32::try_from(run).map_err(|_| broken())?;
                self.block.resize(self.block.len() + run, u32::from(front[0]));
                (run, weight) = (0, 1);
            }
            if symbol == symbols - 1 {
                break;
            }
            if self.block.len() >= self.most {
                return Err(broken());
            }
            front.get_mut(..symbol).ok_or_else(broken)?.rotate_right(1);
            counts[usize::from(front[0])] += 1;
            self.block.push(u32::from(front[0]));
        }
        if origin >= self.block.len() {
            return Err(broken());
        }
        let mut sum = 0;
        for count in &mut counts {
            sum += std::mem::replace(count, sum);
        }
        for n in 0..self.block.len() {
            let place = &mut counts[(self.block[n] & 0xff) as usize];
            // The counts add up to the block's length, which is below 2^24.
            self.block[*place as usize] |= u32::try_from(n).map_err(|_| broken())? << 8;
            *place += 1;
        }
        self.place = self.block[origin] >> 8;
        self.left = self.block.len();
        (self.equal, self.repeat, self.crc) = (0, 0, u32::MAX);
        Ok(())
    }

    fn table(&mut self, symbols: usize) -> Result<Code, Fault> {
        let mut length = self.bits.take(5)?;
        let mut lengths = [0u8; SYMBOLS];
        for slot in &mut lengths[..symbols] {
            loop {
                if !(1..=LONGEST).contains(&length) {
                    return Err(broken());
                }
                if self.bits.take(1)? == 0 {
                    break;
                }
                length = if self.bits.take(1)? == 0 { length + 1 } else { length - 1 };
            }
            *slot = u8::try_from(length).map_err(|_| broken())?;
        }
        Ok(Code::new(&lengths[..symbols]))
    }

    /// Takes the next byte of the block, before runs are undone.
    fn step(&mut self) -> u8 {
        let entry = self.block[self.place as usize];
        self.place = entry >> 8;
        self.left -= 1;
        entry.to_le_bytes()[0]
    }
}

impl Feed for Bzip2<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let mut given = 0;
        while given < buffer.len() && !self.done {
            if self.repeat > 0 {
                self.repeat -= 1;
            } else if self.left > 0 {
                let byte = self.step();
                self.equal = if byte == self.last && self.equal > 0 { self.equal + 1 } else { 1 };
                self.last = byte;
                if self.equal == 4 {
                    // Four equal bytes are followed by how many more there are.
                    self.equal = 0;
                    self.repeat = if self.left > 0 { self.step() } else { 0 };
                }
            } else {
                if !self.block.is_empty() {
                    self.block.clear();
                    if !self.crc != self.expected {
                        return Err(Fault::Corrupt(
                            "the compressed data does not fit its checksum".to_owned(),
                        ));
                    }
                    self.combined = self.combined.rotate_left(1) ^ self.expected;
                }
                if given > 0 {
                    break;
                }
                self.done = !self.next()?;
                continue;
            }
            buffer[given] = self.last;
            given += 1;
            self.crc = self.crc << 8 ^ CRC[usize::from(self.crc.to_be_bytes()[0] ^ self.last)];
        }
        Ok(given)
    }
}

/// CRC-32 from the highest bit down, as bzip2 has it.
static CRC: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut n = 0u32;
    while n < 256 {
        let mut value = n << 24;
        let mut bit = 0;
        while bit < 8 {
            value = if value >> 31 == 1 { value << 1 ^ 0x04c1_1db7 } else { value << 1 };
            bit += 1;
        }
        table[n as usize] = value;
        n += 1;
    }
    table
};

/// A canonical Huffman code.
struct Code {
    /// For each length: the first code beyond those of this length, at the full width.
    beyond: [u32; LONGEST as usize + 1],
    /// For each length: what to subtract from a code to get its place in `symbols`.
    offset: [i64; LONGEST as usize + 1],
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u8]) -> Self {
        let mut code = Self { beyond: [0; 21], offset: [0; 21], symbols: Vec::new() };
        let mut first = 0u32;
        for length in 1..=LONGEST {
            first <<= 1;
            code.offset[length as usize] = i64::from(first) - code.symbols.len() as i64;
            for (symbol, _) in (0u16..).zip(lengths).filter(|(_, l)| u32::from(**l) == length) {
                code.symbols.push(symbol);
                first = first.saturating_add(1);
            }
            code.beyond[length as usize] = first.min(1 << length) << (LONGEST - length);
        }
        code
    }

    fn next(&self, bits: &mut Bits<'_>) -> Result<u16, Fault> {
        let window = bits.peek(LONGEST)?;
        for length in 1..=LONGEST {
            if window < self.beyond[length as usize] {
                bits.pass(length)?;
                let place = i64::from(window >> (LONGEST - length)) - self.offset[length as usize];
                let place = usize::try_from(place).map_err(|_| broken())?;
                return self.symbols.get(place).copied().ok_or_else(broken);
            }
        }
        Err(broken())
    }
}

/// Reads bits from the highest down.
struct Bits<'a> {
    source: &'a dyn Source,
    /// Where the bytes after `input` begin.
    at: u64,
    input: Vec<u8>,
    next: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// Holds as many bits as are left, up to 56.
    fn refill(&mut self) -> Result<(), Fault> {
        while self.count <= 48 {
            if self.next == self.input.len() {
                self.input = self.source.up_to(self.at, 16 * 1024)?;
                self.at += self.input.len() as u64;
                self.next = 0;
                if self.input.is_empty() {
                    break;
                }
            }
            self.held = self.held << 8 | u64::from(self.input[self.next]);
            self.next += 1;
            self.count += 8;
        }
        Ok(())
    }

    /// Looks at the next bits, zeros behind the end.
    fn peek(&mut self, wanted: u32) -> Result<u32, Fault> {
        if self.count < wanted {
            self.refill()?;
        }
        let held = self.held & ((1 << self.count) - 1);
        let bits = if self.count >= wanted {
            held >> (self.count - wanted)
        } else {
            held << (wanted - self.count)
        };
        u32::try_from(bits).map_err(|_| broken())
    }

    fn pass(&mut self, count: u32) -> Result<(), Fault> {
        self.count = self
            .count
            .checked_sub(count)
            .ok_or_else(|| Fault::Corrupt("the compressed data is cut".to_owned()))?;
        Ok(())
    }

    fn take(&mut self, count: u32) -> Result<u32, Fault> {
        let bits = self.peek(count)?;
        self.pass(count)?;
        Ok(bits)
    }

    /// Returns where the next whole byte stands.
    fn whole(&self) -> u64 {
        self.at - (self.input.len() - self.next) as u64 - u64::from(self.count / 8)
    }
}
