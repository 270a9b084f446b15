//! Owns what is kept of the known license texts: for each the digests of the
//! stretches that are the same in all copies, and a sample of its phrases. Reads
//! the tables and compares; leaves their making to `make`, and what a match says
//! to `text`.
//!
//! A table is a sequence of records, numbers little-endian:
//!
//! ```text
//! identifier: length (u8), bytes
//! core: first (u8), end (u8): which stretches every copy has; the rest may be absent
//! stretches: count (u8), each: words (u16), anchor (u32), mark (u32), digest (12 bytes)
//! phrases: level (u8), count (u16), each 3 bytes
//! ```

use sha2::{Digest, Sha256};

use crate::words::Words;

/// How many words a phrase has.
pub const PHRASE: usize = 4;
/// How many first words a stretch is found by.
pub const ANCHOR: usize = 6;
/// How many words may stand where a holder's name belongs.
pub const MAX_GAP: usize = 16;
/// How many places a stretch's first words are tried at: more than any real file
/// has, and few enough that a file made of first words costs little.
const MAX_PLACES: usize = 8;
/// How many bytes of a stretch's SHA-256 are kept.
const DIGEST: usize = 12;
/// What the hash of words is built with: FNV's offset and prime, and an odd number
/// of 64 bits to weigh places by.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// The table of SPDX's texts, and that of the model licenses that SPDX lacks.
const TABLES: [&[u8]; 2] = [include_bytes!("spdx.bin"), include_bytes!("models.bin")];

/// What is kept of one text.
#[derive(Debug, PartialEq)]
pub struct Known<'a> {
    /// The license's identifier, or `WITH` and that of an exception.
    pub id: &'a str,
    /// The first stretch that every copy has.
    pub first: usize,
    /// The stretch after the last such one.
    pub end: usize,
    /// The stretches, in order.
    pub stretches: Vec<Stretch>,
    /// Of the hashes of phrases those are kept that end in so many zero bits.
    pub level: u8,
    /// The hashes kept, three bytes each, sorted.
    pub phrases: Vec<u32>,
}

/// A stretch of a known text that is the same in all copies.
#[derive(Debug, PartialEq, Clone)]
pub struct Stretch {
    /// How many words it has.
    pub count: usize,
    /// The hash of its first words.
    pub anchor: u32,
    /// The hash of all its words, quick to compute.
    pub mark: u32,
    /// The first bytes of the SHA-256 of its words, parted by blanks.
    pub digest: [u8; DIGEST],
}

/// Reads the tables.
pub fn known() -> Vec<Known<'static>> {
    TABLES.iter().flat_map(|table| read(table)).collect()
}

/// Reads one table, up to a record that is cut off.
pub fn read(table: &[u8]) -> Vec<Known<'_>> {
    let mut known = Vec::new();
    let mut rest = table;
    while let Some((record, after)) = record(rest) {
        known.push(record);
        rest = after;
    }
    known
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn record(table: &[u8]) -> Option<(Known<'_>, &[u8])> {
    let mut rest = table;
    let [length] = take(&mut rest)?;
    let (id, after) = rest.split_at_checked(length.into())?;
    rest = after;
    let [first, end, count] = take(&mut rest)?;
    let mut stretches = Vec::with_capacity(count.into());
    for _ in 0..count {
        stretches.push(Stretch {
            count: u16::from_le_bytes(take(&mut rest)?).into(),
            anchor: u32::from_le_bytes(take(&mut rest)?),
            mark: u32::from_le_bytes(take(&mut rest)?),
            digest: take(&mut rest)?,
        });
    }
    let [level] = take(&mut rest)?;
    let count = u16::from_le_bytes(take(&mut rest)?);
    let mut phrases = Vec::with_capacity(count.into());
    for _ in 0..count {
        let [low, middle, high] = take(&mut rest)?;
        phrases.push(u32::from_le_bytes([low, middle, high, 0]));
    }
    let id = std::str::from_utf8(id).ok()?;
    let (first, end) = (first.into(), end.into());
    Some((Known { id, first, end, stretches, level, phrases }, rest))
}

/// Writes one record as [`read`] reads it; none where a number is out of bounds.
pub fn write(known: &Known<'_>) -> Option<Vec<u8>> {
    let mut record = vec![u8::try_from(known.id.len()).ok()?];
    record.extend(known.id.as_bytes());
    record.push(u8::try_from(known.first).ok()?);
    record.push(u8::try_from(known.end).ok()?);
    record.push(u8::try_from(known.stretches.len()).ok()?);
    for stretch in &known.stretches {
        record.extend(u16::try_from(stretch.count).ok()?.to_le_bytes());
        record.extend(stretch.anchor.to_le_bytes());
        record.extend(stretch.mark.to_le_bytes());
        record.extend(stretch.digest);
    }
    record.push(known.level);
    record.extend(u16::try_from(known.phrases.len()).ok()?.to_le_bytes());
    for phrase in &known.phrases {
        record.extend(&phrase.to_le_bytes()[..3]);
    }
    Some(record)
}

/// Tells whether a phrase is kept at a level.
pub fn is_kept(phrase: u32, level: u8) -> bool {
    phrase.trailing_zeros() >= level.into()
}

/// A text with the hash of any of its spans at hand.
pub struct Hashed {
    /// The words.
    pub words: Words,
    /// Of the first words, as many as the index says.
    sums: Vec<u64>,
    /// The powers of the base.
    powers: Vec<u64>,
}

impl Hashed {
    /// Hashes a text's words.
    pub fn of(words: Words) -> Self {
        let mut sums = Vec::with_capacity(words.len() + 1);
        let mut powers = Vec::with_capacity(words.len() + 1);
        let (mut sum, mut power) = (0_u64, 1_u64);
        sums.push(sum);
        powers.push(power);
        for word in words.iter() {
            let one = word
                .bytes()
                .fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
            sum = sum.wrapping_mul(BASE).wrapping_add(one);
            power = power.wrapping_mul(BASE);
            sums.push(sum);
            powers.push(power);
        }
        Self { words, sums, powers }
    }

    /// Returns the hash of a span; none where there are fewer words.
    pub fn hash(&self, start: usize, count: usize) -> Option<u32> {
        let end = start.checked_add(count)?;
        let before = self.sums.get(start)?.wrapping_mul(*self.powers.get(count)?);
        let mut hash = self.sums.get(end)?.wrapping_sub(before);
        // The high bits depend on all of the low ones, not the other way round.
        hash ^= hash >> 32;
        hash = hash.wrapping_mul(BASE);
        hash ^= hash >> 29;
        #[expect(clippy::cast_possible_truncation, reason = "half of the hash is kept")]
        Some(hash as u32)
    }

    /// Returns what is kept of a span.
    pub fn stretch(&self, start: usize, count: usize) -> Option<Stretch> {
        Some(Stretch {
            count,
            anchor: self.hash(start, count.min(ANCHOR))?,
            mark: self.hash(start, count)?,
            digest: digest(self.words.span(start, count)?),
        })
    }

    /// Returns the hashes of the phrases.
    pub fn phrases(&self) -> Phrases {
        let last = (self.words.len() + 1).saturating_sub(PHRASE);
        let hashes = (0..last).filter_map(|start| self.hash(start, PHRASE));
        let mut hashes: Vec<u32> = hashes.map(|hash| hash & 0x00ff_ffff).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let at = |level| hashes.iter().filter(|hash| is_kept(**hash, level)).count();
        Phrases { at: (0..=24).map(at).collect(), hashes }
    }

    /// Tells whether a stretch's first words stand at `start`.
    fn is_anchor(&self, stretch: &Stretch, start: usize) -> bool {
        self.hash(start, stretch.count.min(ANCHOR)) == Some(stretch.anchor)
    }

    /// Tells whether a stretch stands at `start`, word by word.
    fn is_at(&self, stretch: &Stretch, start: usize) -> bool {
        self.hash(start, stretch.count) == Some(stretch.mark)
            && self
                .words
                .span(start, stretch.count)
                .is_some_and(|span| digest(span) == stretch.digest)
    }
}

/// The hashes of a text's phrases, three bytes each, sorted, each once.
pub struct Phrases {
    /// The hashes.
    pub hashes: Vec<u32>,
    /// How many of them there are at each level.
    at: Vec<usize>,
}

/// How alike two texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alike {
    /// How much of both is shared, in percent.
    pub both: u32,
    /// How much of the known one the other holds, in percent.
    pub held: u32,
}

/// Where the words of a known text stand in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The first word of the stretches that were found.
    pub start: usize,
    /// The word after the last one.
    pub end: usize,
}

impl Known<'_> {
    /// Compares with another text's phrases.
    pub fn alike(&self, phrases: &Phrases) -> Alike {
        let mine = self.phrases.len();
        let theirs = phrases.at.get(usize::from(self.level)).copied().unwrap_or(0);
        let held = |phrase: &&u32| phrases.hashes.binary_search(phrase).is_ok();
        let shared = self.phrases.iter().filter(held).count();
        let percent = |part: usize, whole: usize| {
            u32::try_from((part * 100).checked_div(whole).unwrap_or(0)).unwrap_or(0)
        };
        Alike { both: percent(shared * 2, mine + theirs), held: percent(shared, mine) }
    }

    /// Returns where all of the text's stretches that every copy has stand, one
    /// after the other, together with those others that adjoin.
    pub fn place(&self, text: &Hashed, anchors: &Anchors) -> Option<Place> {
        let core = self.stretches.get(self.first..self.end)?;
        let places = anchors.of(core.first()?.anchor);
        places.iter().take(MAX_PLACES).find_map(|start| {
            let end = follow(text, core, *start)?;
            let place = Place { start: *start, end };
            Some(self.widen(text, place))
        })
    }

    /// Takes in the stretches that may be absent.
    fn widen(&self, text: &Hashed, core: Place) -> Place {
        let Place { mut start, mut end } = core;
        for stretch in self.stretches.get(..self.first).unwrap_or_default().iter().rev() {
            let fits = |gap: &usize| {
                let at = start.checked_sub(stretch.count + gap);
                at.is_some_and(|at| {
                    text.is_at(stretch, at) && is_holder(text, at + stretch.count, *gap)
                })
            };
            if let Some(gap) = (0..=MAX_GAP).find(fits) {
                start -= stretch.count + gap;
            }
        }
        for stretch in self.stretches.get(self.end..).unwrap_or_default() {
            let fits = |gap: &usize| text.is_at(stretch, end + gap) && is_holder(text, end, *gap);
            if let Some(gap) = (0..=MAX_GAP).find(fits) {
                end += gap + stretch.count;
            }
        }
        Place { start, end }
    }
}

/// Follows stretches through a text, with holders' names between them.
fn follow(text: &Hashed, stretches: &[Stretch], start: usize) -> Option<usize> {
    let mut at = start;
    for (number, stretch) in stretches.iter().enumerate() {
        let most = if number == 0 { 0 } else { MAX_GAP };
        let gap = (0..=most)
            .find(|gap| text.is_anchor(stretch, at + gap) && text.is_at(stretch, at + gap))?;
        if !is_holder(text, at, gap) {
            return None;
        }
        at += gap + stretch.count;
    }
    Some(at)
}

/// Tells whether words may be a holder's name.
fn is_holder(text: &Hashed, start: usize, count: usize) -> bool {
    text.words.span(start, count).is_some_and(|words| !crate::words::words_of_terms(words))
}

/// Where in a text the first words of known stretches stand.
pub struct Anchors(Vec<(u32, usize)>);

impl Anchors {
    /// Looks a text through for the first words of what every copy has.
    pub fn find(text: &Hashed, known: &[Known<'_>]) -> Self {
        let mut wanted: Vec<(u32, usize)> = known
            .iter()
            .filter_map(|known| known.stretches.get(known.first))
            .map(|stretch| (stretch.anchor, stretch.count.min(ANCHOR)))
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut lengths: Vec<usize> = wanted.iter().map(|(_, count)| *count).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let mut places = Vec::new();
        for start in 0..text.words.len() {
            for length in &lengths {
                if let Some(hash) = text.hash(start, *length)
                    && wanted.binary_search(&(hash, *length)).is_ok()
                {
                    places.push((hash, start));
                }
            }
        }
        places.sort_unstable();
        Self(places)
    }

    fn of(&self, anchor: u32) -> Vec<usize> {
        let from = self.0.partition_point(|(hash, _)| *hash < anchor);
        let places = self.0[from..].iter().take_while(|(hash, _)| *hash == anchor);
        places.take(MAX_PLACES).map(|(_, start)| *start).collect()
    }
}

/// Returns the first bytes of the SHA-256 of words parted by blanks.
fn digest(words: &str) -> [u8; DIGEST] {
    let digest = Sha256::digest(words.as_bytes());
    let mut first = [0; DIGEST];
    first.copy_from_slice(&digest[..DIGEST]);
    first
}
