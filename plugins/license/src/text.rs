//! Owns the recognition of license texts: a text is one of the known ones word by
//! word, or it is said to be like one, with how alike they are. Leaves what is kept
//! of the known ones to `fingerprint`, names and notices to `ids`.

use crate::fingerprint::{self, Alike, Anchors, Hashed, Known, Phrases, Place};
use crate::ids;
use crate::words::{Words, words_of_terms};

/// How long a text may be that names a license rather than being one.
const MAX_NOTICE: usize = 150;
/// How many words may stand around a text that its title does not have: names,
/// links, a line that says what it is about.
const MAX_AROUND: usize = 12;
/// How many words may stand around a text in all.
const MAX_OUTSIDE: usize = 60;
/// From what likeness on a text is told to be like a known one, in percent.
const MIN_LIKE: u32 = 50;
/// From what share on a known text counts as held by a longer one, in percent.
const MIN_HELD: u32 = 80;
/// How few phrases tell texts apart.
const MIN_PHRASES: usize = 8;
/// What the identifiers of exceptions to licenses begin with in the table.
const WITH: &str = "WITH ";
/// Texts that another one includes, and the one.
const INCLUDED: &[(&str, &str)] = &[("LGPL-3.0-only", "GPL-3.0-only")];
/// Words that stand around license texts and change nothing.
const COMMON: &[&str] = &[
    "a",
    "all",
    "an",
    "and",
    "applies",
    "by",
    "c",
    "code",
    "com",
    "copyright",
    "distributed",
    "file",
    "following",
    "for",
    "html",
    "http",
    "identifier",
    "in",
    "is",
    "it",
    "january",
    "licence",
    "license",
    "licensed",
    "licenses",
    "model",
    "models",
    "of",
    "on",
    "opensource",
    "org",
    "project",
    "public",
    "released",
    "reserved",
    "rights",
    "software",
    "spdx",
    "text",
    "the",
    "this",
    "to",
    "txt",
    "under",
    "version",
    "weights",
    "which",
    "www",
];

/// What words begin with that may stand in a holder's name, but around a text are
/// the mark of a clause.
const CLAUSES: &[&str] = &[
    "academic",
    "acknowledg",
    "advertis",
    "allow",
    "approv",
    "attribut",
    "ban",
    "benchmark",
    "charg",
    "compet",
    "consent",
    "customer",
    "deploy",
    "disallow",
    "display",
    "educat",
    "employ",
    "export",
    "govern",
    "harm",
    "illegal",
    "mandator",
    "notif",
    "oblig",
    "profit",
    "public",
    "reserv",
    "sale",
    "sell",
    "share",
    "surveil",
    "term",
    "test",
    "train",
    "user",
    "void",
    "weapon",
    "research",
    "credit",
    "cite",
];

/// What a text is.
#[derive(Debug, PartialEq)]
pub enum Text {
    /// These licenses, word by word.
    Known(Vec<String>),
    /// A title or notice that names this license, without its text.
    Named(String),
    /// Something like this license, with words changed, added or missing, and how
    /// much of the two is the same, in percent.
    Like(String, u32),
    /// None that is known.
    Unknown,
}

/// Returns what `text` is.
pub fn recognise(text: &str) -> Text {
    recognise_among(text, &fingerprint::known())
}

/// Returns what `text` is, among these.
pub fn recognise_among(text: &str, known: &[Known<'_>]) -> Text {
    let words = Words::of(text);
    let short = words.len() <= MAX_NOTICE && text.len() <= MAX_NOTICE * 64;
    let hashed = Hashed::of(words);
    let phrases = hashed.phrases();
    let exact = exact(&hashed, known, &phrases);
    if let Some(Text::Known(ids)) = exact {
        return Text::Known(ids);
    }
    // A notice or a title can be like a short license by chance.
    if short && let Some(id) = ids::full_name(text).or_else(|| ids::noticed(&hashed.words)) {
        return Text::Named(id);
    }
    match (exact, best(known, &phrases)) {
        // What stands there in full is closer than what is only like it.
        (Some(Text::Like(id, _)), best) => {
            let percent = best.filter(|(other, _)| *other == id).map_or(MIN_HELD, |(_, it)| it);
            Text::Like(id, percent)
        }
        (_, Some((id, percent))) => Text::Like(id.to_owned(), percent),
        _ => Text::Unknown,
    }
}

/// Returns the licenses that stand in the text word by word: known if there is
/// nothing else that matters, like the first if there is.
fn exact(text: &Hashed, known: &[Known<'_>], phrases: &Phrases) -> Option<Text> {
    let anchors = Anchors::find(text, known);
    let mut found: Vec<(Place, &Known<'_>)> = known
        .iter()
        .filter_map(|license| Some((license.place(text, &anchors)?, license)))
        .collect();
    // A longer text that holds a shorter one is the longer one; of two that fill
    // the same place the one with the closer phrases counts.
    found.sort_by_cached_key(|(place, license)| {
        (place.start, std::cmp::Reverse(place.end), std::cmp::Reverse(license.alike(phrases)))
    });
    let mut ids: Vec<&str> = Vec::new();
    let mut additions: Vec<(&str, &str)> = Vec::new();
    let mut covered = 0;
    let mut sound = true;
    for (place, license) in found {
        if place.end <= covered {
            continue;
        }
        // An exception is one to the license before it.
        if let Some(addition) = license.id.strip_prefix(WITH) {
            let Some(last) = ids.last() else { continue };
            additions.push((last, addition));
        }
        sound &= is_harmless(&text.words, covered, place.start, license.id);
        covered = place.end;
        if license.id.starts_with(WITH) {
            continue;
        }
        if !INCLUDED.iter().any(|(whole, part)| *part == license.id && ids.contains(whole)) {
            ids.push(license.id);
        }
    }
    let first = ids.first()?;
    sound &= is_harmless(&text.words, covered, text.words.len(), ids.last().unwrap_or(first));
    Some(if sound {
        let with = |id: &str| {
            let own = additions.iter().find(|(license, _)| *license == id);
            own.map_or(id.to_owned(), |(_, addition)| format!("{id} {WITH}{addition}"))
        };
        Text::Known(ids.into_iter().map(with).collect())
    } else {
        Text::Like((*first).to_owned(), 0)
    })
}

/// Tells whether the words between two texts are few, and none that changes what
/// the texts allow.
fn is_harmless(words: &Words, from: usize, to: usize, id: &str) -> bool {
    // Texts that overlap leave no word between them.
    let count = to.saturating_sub(from);
    let Some(between) = words.span(from, count.min(MAX_OUTSIDE)) else {
        return false;
    };
    let name = ids::name_of(id).to_lowercase();
    let titled = |word: &str| {
        COMMON.contains(&word) || name.split(|c: char| !c.is_alphanumeric()).any(|own| own == word)
    };
    let strange: Vec<&str> =
        between.split(' ').filter(|word| !word.is_empty() && !titled(word)).collect();
    let clause = |word: &&str| CLAUSES.iter().any(|stem| word.starts_with(stem));
    count <= MAX_OUTSIDE
        && strange.len() <= MAX_AROUND
        && !strange.iter().any(clause)
        && !words_of_terms(&strange.join(" "))
}

/// Returns the license that the text is most like, and how much, in percent.
fn best<'a>(known: &[Known<'a>], phrases: &Phrases) -> Option<(&'a str, u32)> {
    let licenses = known.iter().filter(|license| !license.id.starts_with(WITH));
    let alike: Vec<(Alike, &Known<'a>)> =
        licenses.map(|license| (license.alike(phrases), license)).collect();
    // Of equals the first counts: the tables are in the order of what says most.
    let most = |key: fn(&Alike, &Known<'_>) -> (u32, usize)| {
        alike.iter().rev().max_by_key(|(alike, license)| key(alike, license))
    };
    let (same, license) = most(|alike, license| (alike.both, license.phrases.len()))?;
    if same.both >= MIN_LIKE {
        return Some((license.id, same.both.min(99)));
    }
    // Part of a longer text: what is the same of it counts.
    let (part, license) = most(|alike, license| {
        let tells = license.phrases.len() >= MIN_PHRASES;
        (if tells { alike.held } else { 0 }, license.phrases.len())
    })?;
    (part.held >= MIN_HELD).then(|| (license.id, part.both.clamp(1, 99)))
}
