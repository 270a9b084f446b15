//! Owns the making of the tables of known texts, from the texts: what of a text is
//! the same in all copies, and what is a holder's name, a title or an appendix.
//! Not part of the component. Leaves the tables' form to `fingerprint`.

use crate::fingerprint::{ANCHOR, Hashed, Known, MAX_GAP, is_kept, write};
use crate::words::{Words, words_of_terms};

/// How many phrases are kept of a text, at most.
const MAX_PHRASES: usize = 64;
/// How many words a title's paragraph has, at most.
const MAX_TITLE: usize = 14;
/// How few words make a stretch: fewer between two names are taken for a name.
const MIN_STRETCH: usize = 3;
/// What stands for a place to be filled in, where words are counted: lines of
/// copyright are known by it.
const BLANK: &str = "yyyy";
/// What such places hold.
const FILLED: &[&str] = &[
    "year",
    "yyyy",
    "owner",
    "holder",
    "name",
    "author",
    "organization",
    "fullname",
    "copyright",
    "xxxx",
    "dates",
    "date",
    "email",
    "program",
    "licensor",
    "user",
    "company",
];
/// Between which words holders name themselves.
const NAMED: &[(&str, &str)] = &[
    ("provided by", "as is"),
    ("in no event shall", "be liable"),
    ("in no event will", "be liable"),
    ("neither the name", "nor"),
    ("neither the names", "nor"),
    ("nor the names of", "may be used"),
    ("write to the free software foundation inc", "also add information"),
];
/// What comes last, before an appendix.
const LAST: &str = "end of terms and conditions";
/// Where terms begin and end in a text that has more.
const CORES: &str = include_str!("cores.tsv");
/// Copies that go round besides.
const VARIANTS: &str = include_str!("variants.tsv");

/// Returns what is kept of a text; none where it has too few words or too many.
pub fn make(id: &str, text: &str) -> Option<Vec<u8>> {
    let text = blanks(text);
    let hashed = Hashed::of(Words::of(&text));
    let words = &hashed.words;
    let mut holes = holes(words);
    let core = core(id, words).or_else(|| titled(&text, words));
    if let Some((first, end)) = core {
        holes.extend([(first, first), (end, end)]);
        // Many copies end here, without the appendix.
        if let Some(at) = words.find(LAST, end) {
            let after = at + LAST.split(' ').count();
            holes.push((after, after));
        }
    }
    holes.sort_unstable();
    let mut stretches = Vec::new();
    let (mut first, mut end) = (0, usize::MAX);
    let mut from = 0;
    holes.push((words.len(), words.len()));
    for (start, after) in holes {
        if start < from {
            continue;
        }
        if start - from >= MIN_STRETCH {
            if core.is_some_and(|(core, _)| from < core) {
                first = stretches.len() + 1;
            }
            if core.is_some_and(|(_, core)| from >= core) && end == usize::MAX {
                end = stretches.len();
            }
            stretches.push(hashed.stretch(from, start - from)?);
        }
        from = after.max(start);
    }
    let end = end.min(stretches.len());
    if first >= end || words.len() < ANCHOR / 2 {
        return None;
    }
    let mut phrases = hashed.phrases().hashes;
    let mut level = 0;
    while phrases.iter().filter(|phrase| is_kept(**phrase, level)).count() > MAX_PHRASES {
        level += 1;
    }
    phrases.retain(|phrase| is_kept(*phrase, level));
    write(&Known { id, first, end, stretches, level, phrases })
}

/// Marks the places to be filled in: brackets around few words that say so.
fn blanks(text: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '[', '{']) {
        let (before, from) = rest.split_at(at);
        marked.push_str(before);
        let close = match from.as_bytes().first() {
            Some(b'<') => '>',
            Some(b'[') => ']',
            _ => '}',
        };
        let end = from.char_indices().take(80).find(|(_, letter)| *letter == close);
        let inner = end.map(|(end, _)| from[1..end].to_lowercase());
        let fits = inner.is_some_and(|inner| {
            let words: Vec<_> = inner.split(|letter: char| !letter.is_alphanumeric()).collect();
            // What a copy may hold there must pass for a name, as the words themselves do.
            words.len() <= 8
                && !words_of_terms(&words.join(" "))
                && words.iter().any(|word| {
                    FILLED.contains(&word.trim_end_matches('s')) || FILLED.contains(word)
                })
        });
        match end {
            Some((end, _)) if fits => {
                marked.push(' ');
                marked.push_str(BLANK);
                marked.push(' ');
                rest = &from[end + 1..];
            }
            _ => {
                marked.push_str(&from[..1]);
                rest = &from[1..];
            }
        }
    }
    marked.push_str(rest);
    marked
}

/// Returns the places where copies differ, as first word and word after.
fn holes(words: &Words) -> Vec<(usize, usize)> {
    let mut holes: Vec<(usize, usize)> =
        words.notices().iter().map(|notice| (*notice, *notice)).collect();
    let blank = |(_, word): &(usize, &str)| *word == BLANK;
    holes.extend(words.iter().enumerate().filter(blank).map(|(at, _)| (at, at + 1)));
    for (before, after) in NAMED {
        let mut from = 0;
        while let Some(at) = words.find(before, from) {
            let start = at + before.split(' ').count();
            from = start;
            let end = words.find(after, start);
            let Some(end) = end.filter(|end| (1..=MAX_GAP).contains(&(end - start))) else {
                continue;
            };
            if words.span(start, end - start).is_some_and(|name| !words_of_terms(name)) {
                holes.push((start, end));
            }
        }
    }
    // An address after the line of copyright.
    for notice in words.notices() {
        if let Some(end) = words.find("everyone is permitted to copy", *notice)
            && end - notice <= MAX_GAP
        {
            holes.push((*notice, end));
        }
    }
    holes
}

/// Returns where the terms stand in a text of which that is known.
fn core(id: &str, words: &Words) -> Option<(usize, usize)> {
    let rows = CORES.lines().filter(|line| !line.starts_with('#'));
    let mut columns = rows.map(|line| line.split('\t'));
    columns.find_map(|mut columns| {
        let (known, first, last) = (columns.next()?, columns.next()?, columns.next()?);
        (known == id).then_some(())?;
        let start = words.find(first, 0)?;
        let mut end = words.find(last, start)?;
        // The last place: appendices excepted, terms come to their end once.
        while let Some(next) = words.find(last, end + 1).filter(|_| id != "LGPL-3.0-only") {
            end = next;
        }
        Some((start, end + last.split(' ').count()))
    })
}

/// Returns where the text goes on after its title: paragraphs of few words.
fn titled(text: &str, words: &Words) -> Option<(usize, usize)> {
    let mut seen = String::new();
    let mut titles = 0;
    for paragraph in text.replace("\r\n", "\n").split("\n\n") {
        let count = Words::of(paragraph).len();
        if count > MAX_TITLE || words_of_terms(&paragraph.to_lowercase()) {
            break;
        }
        seen.push_str(paragraph);
        seen.push_str("\n\n");
        titles = Words::of(&seen).len();
    }
    (titles > 0 && titles * 3 < words.len()).then(|| (titles, words.len()))
}

/// Returns SPDX's texts in the order of the table, exceptions last, each text under the identifier
/// that says most: none that is deprecated, and of the GNU licenses the narrower.
pub fn spdx_texts<'a>(
    mut texts: Vec<(&'a str, &'a str)>,
    exceptions: &[(&str, &str)],
) -> Vec<(String, String)> {
    let deprecated = |id: &str| spdx::license_id(id).is_none_or(spdx::LicenseId::is_deprecated);
    // A text can't tell whether later versions are meant.
    let ids: std::collections::BTreeSet<&str> = texts.iter().map(|(id, _)| *id).collect();
    texts.retain(|(id, _)| {
        let stem = id.trim_end_matches('+').trim_end_matches("-or-later");
        id.ends_with("-only") || !ids.contains(format!("{stem}-only").as_str())
    });
    texts.sort_by_key(|(id, _)| (deprecated(id), id.ends_with("-or-later"), id.len(), *id));
    let mut all: Vec<(String, String)> =
        texts.into_iter().map(|(id, text)| (id.to_owned(), text.to_owned())).collect();
    all.extend(exceptions.iter().map(|(id, text)| (format!("WITH {id}"), (*text).to_owned())));
    all
}

/// Returns the table of these texts, without those whose words another has.
pub fn table(texts: Vec<(String, String)>) -> Vec<u8> {
    let mut table = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (id, text) in texts {
        let words = Words::of(&text);
        if seen.insert(words.span(0, words.len()).unwrap_or_default().to_owned()) {
            table.extend(make(&id, &text).unwrap_or_default());
            for variant in variants(&id, &text) {
                table.extend(make(&id, &variant).unwrap_or_default());
            }
        }
    }
    table
}

/// Returns the copies of a text that go round besides it.
fn variants(id: &str, text: &str) -> Vec<String> {
    let rows = VARIANTS.lines().filter(|line| !line.starts_with('#'));
    let own = rows.filter_map(|line| line.split_once('\t')).filter(|(known, _)| *known == id);
    let changed = own.map(|(_, changes)| {
        let changes: Vec<&str> = changes.split('\t').collect();
        let pairs = changes.chunks_exact(2);
        pairs.fold(text.to_owned(), |text, pair| replaced(&text, pair[0], pair[1]))
    });
    changed.collect()
}

/// Returns a text with words in the place of others, wherever lines break.
fn replaced(text: &str, words: &str, others: &str) -> String {
    let wanted: Vec<&str> = words.split(' ').collect();
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (letter.is_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                places.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    let found = places.windows(wanted.len()).find(|places| {
        places
            .iter()
            .zip(&wanted)
            .all(|((from, to), word)| text[*from..*to].eq_ignore_ascii_case(word))
    });
    match found {
        Some(places) => {
            let (from, to) = (places[0].0, places[places.len() - 1].1);
            format!("{}{others}{}", &text[..from], &text[to..])
        }
        None => text.to_owned(),
    }
}
