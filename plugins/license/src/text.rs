//! Owns the recognition of license texts, by the digests of their words: a text
//! is one of the known ones word by word, or it is not recognised. What looks like
//! a known one but was altered is said to look like it, and no more.

use sha2::{Digest, Sha256};

use crate::ids;
use crate::words::Words;

/// The known texts.
const TEXTS: &str = include_str!("texts.tsv");
/// How many places a text's first words are tried at: more than any real file
/// has, and few enough that a file made of first words costs little.
const MAX_PLACES: usize = 8;
/// How many words may stand where a holder's name belongs.
const MAX_GAP: usize = 12;
/// How long a file may be that names a license by its title alone.
const MAX_TITLE: usize = 20;
/// Texts that another one includes, and the one.
const INCLUDED: &[(&str, &str)] = &[("LGPL-3.0-only", "GPL-3.0-only")];
/// Words around a text that change what it allows.
const CONDITIONS: &[&str] = &["commercial", "noncommercial", "commons clause"];

/// What a text is.
#[derive(Debug, PartialEq)]
pub enum Text {
    /// These licenses, word by word.
    Known(Vec<&'static str>),
    /// The title of this license, without its text.
    Title(String),
    /// Something like this license, with words changed or added.
    Like(&'static str),
    /// None that is known.
    Unknown,
}

/// A stretch of a known text that is the same in all copies.
struct Stretch {
    id: &'static str,
    /// How many words may come before: a title, copyright lines, a preamble that
    /// is not the same in all copies.
    before: usize,
    /// How many words may follow: an appendix.
    after: usize,
    /// Its first words.
    first: &'static str,
    count: usize,
    digest: &'static str,
}

/// Returns what `text` is.
pub fn recognise(text: &str) -> Text {
    let words = Words::of(text);
    if words.len() <= MAX_TITLE {
        return ids::full_name(text).map_or(Text::Unknown, Text::Title);
    }
    let stretches = stretches();
    let mut like = None;
    let mut known: Vec<(usize, usize, &Stretch)> = Vec::new();
    for license in stretches.chunk_by(|one, other| one.id == other.id) {
        match place(&words, license) {
            Place::At(start, end) => known.push((start, end, &license[0])),
            Place::Like => like = like.or(Some(license[0].id)),
            Place::Nowhere => {}
        }
    }
    // A longer text that holds a shorter one is the longer one.
    known.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
    let mut ids: Vec<&str> = Vec::new();
    let mut covered = 0;
    // How many words may stand between the last text and the next.
    let mut room = 0;
    let mut sound = true;
    for (start, end, stretch) in known {
        if end <= covered {
            continue;
        }
        let titled = stretch.id.contains("-NC");
        sound &= is_harmless(&words, covered, start, room + stretch.before, titled);
        (covered, room) = (end, stretch.after);
        if !INCLUDED.iter().any(|(whole, part)| *part == stretch.id && ids.contains(whole)) {
            ids.push(stretch.id);
        }
    }
    sound &= is_harmless(&words, covered, words.len(), room, false);
    match ids.first() {
        Some(first) if !sound => Text::Like(first),
        Some(_) => Text::Known(ids),
        None => like.map_or(Text::Unknown, Text::Like),
    }
}

/// Tells whether the words between two texts are few enough, and none that
/// changes what the texts allow, unless the text's own title has such a word.
fn is_harmless(words: &Words, from: usize, to: usize, room: usize, titled: bool) -> bool {
    // Texts that overlap leave no word between them.
    let count = to.saturating_sub(from);
    let between = words.span(from, count).unwrap_or_default();
    count <= room && (titled || !CONDITIONS.iter().any(|condition| between.contains(condition)))
}

enum Place {
    At(usize, usize),
    Like,
    Nowhere,
}

/// Returns where in `words` the license's stretches stand, one after the other.
fn place(words: &Words, license: &[Stretch]) -> Place {
    let mut seen = false;
    let mut from = 0;
    for _ in 0..MAX_PLACES {
        let Some(start) = words.find(license[0].first, from) else {
            break;
        };
        seen = true;
        if let Some(end) = follow(words, license, start) {
            return Place::At(start, end);
        }
        from = start + 1;
    }
    if seen { Place::Like } else { Place::Nowhere }
}

fn follow(words: &Words, license: &[Stretch], start: usize) -> Option<usize> {
    let mut at = start;
    for (number, stretch) in license.iter().enumerate() {
        let begin = if number == 0 { at } else { words.find(stretch.first, at)? };
        if begin - at > MAX_GAP || digest(words.span(begin, stretch.count)?) != stretch.digest {
            return None;
        }
        at = begin + stretch.count;
    }
    Some(at)
}

/// Returns the digest of words parted by blanks, as the table holds it: the first
/// 16 bytes of SHA-256.
pub fn digest(words: &str) -> String {
    let digest = Sha256::digest(words.as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn stretches() -> Vec<Stretch> {
    let rows = TEXTS.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| {
        let mut columns = line.split('\t');
        Some(Stretch {
            id: columns.next()?,
            before: columns.next()?.parse().ok()?,
            after: columns.next()?.parse().ok()?,
            first: columns.next()?,
            count: columns.next()?.parse().ok()?,
            digest: columns.next()?,
        })
    })
    .collect()
}
