//! Owns texts as sequences of words, so that wrapping, case, markup, bullets,
//! quotation marks and copyright lines make no difference. Leaves what the words
//! mean to `text`.

/// How many words a line of copyright may have: longer ones are taken for terms.
const MAX_NOTICE: usize = 30;
/// What lines of copyright often end in.
const RESERVED: &str = "all rights reserved";
/// HTML's elements that license texts are dressed with.
const TAGS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "body",
    "br",
    "center",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "html",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "tt",
    "u",
    "ul",
];
/// Characters that HTML spells out.
const ENTITIES: &[&str] =
    &["&quot;", "&amp;", "&lt;", "&gt;", "&nbsp;", "&#39;", "&#34;", "&copy;", "&rsquo;"];

/// The words of a text: letters and digits in lower case, all else parts them.
/// Markers of lists, such as `1.` and `(b)`, are left out, and so are lines of
/// copyright, whose places are kept.
#[derive(Default)]
pub struct Words {
    /// Each word with a blank before it, and a blank at the end.
    joined: String,
    /// Where each word's blank stands in `joined`.
    starts: Vec<usize>,
    /// Before which words a line of copyright stood.
    notices: Vec<usize>,
}

impl Words {
    /// Returns the words of `text`.
    pub fn of(text: &str) -> Self {
        let mut words = Self { joined: String::with_capacity(text.len()), ..Self::default() };
        for line in text.lines() {
            let before = words.starts.len();
            words.add(line);
            if words.is_notice(before, line) {
                words.truncate(before);
                words.notices.push(before);
            }
        }
        words.joined.push(' ');
        words
    }

    fn add(&mut self, line: &str) {
        let plain = plain(line);
        for token in plain.split_whitespace().filter(|token| !is_marker(token)) {
            let parts = token.split(|letter: char| !letter.is_alphanumeric());
            parts.filter(|word| !word.is_empty()).for_each(|word| self.push(word));
        }
    }

    fn push(&mut self, word: &str) {
        self.starts.push(self.joined.len());
        self.joined.push(' ');
        if word.is_ascii() {
            self.joined.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
        } else {
            self.joined.extend(word.chars().flat_map(char::to_lowercase));
        }
        // Links moved from one to the other without a change of text.
        if self.joined.ends_with(" https") {
            self.joined.pop();
        }
    }

    /// Tells whether the words from `start` on, which `raw` has, are a line of
    /// copyright.
    fn is_notice(&self, start: usize, raw: &str) -> bool {
        let count = self.starts.len() - start;
        if count == 0 || count > MAX_NOTICE {
            return false;
        }
        let line = self.joined.get(self.starts[start] + 1..).unwrap_or_default();
        let mut words = line.split(' ');
        let first = words.next().unwrap_or_default();
        let second = words.next().unwrap_or_default();
        let year = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        let marked = ["(c)", "(C)", "©", "&copy;"].iter().any(|mark| raw.contains(mark));
        let holder = match first {
            "copyright" => marked || year(second) || matches!(second, "year" | "yyyy" | "by"),
            "portions" => second == "copyright",
            _ => (marked && year(first)) || line == RESERVED,
        };
        holder && !words_of_terms(&line.replace(RESERVED, ""))
    }

    fn truncate(&mut self, count: usize) {
        if let Some(end) = self.starts.get(count) {
            self.joined.truncate(*end);
            self.starts.truncate(count);
        }
    }

    /// Returns how many words there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Tells whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Returns before which words lines of copyright stood, in order.
    pub fn notices(&self) -> &[usize] {
        &self.notices
    }

    /// Returns `count` words from the one at `start` on, parted by blanks; none
    /// where there are fewer.
    pub fn span(&self, start: usize, count: usize) -> Option<&str> {
        if count == 0 {
            return (start <= self.len()).then_some("");
        }
        let first = *self.starts.get(start)?;
        let next = start.checked_add(count)?;
        let end = match self.starts.get(next) {
            Some(end) => *end,
            None if next == self.starts.len() => self.joined.len() - 1,
            None => return None,
        };
        self.joined.get(first + 1..end)
    }

    /// Returns the words one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.joined.split(' ').filter(|word| !word.is_empty())
    }

    /// Returns where `phrase`, words parted by blanks, begins, at or after the
    /// word at `start`.
    pub fn find(&self, phrase: &str, start: usize) -> Option<usize> {
        let from = *self.starts.get(start)?;
        let needle = format!(" {phrase} ");
        let at = from + self.joined.get(from..)?.find(&needle)?;
        self.starts.binary_search(&at).ok()
    }
}

/// Tells whether words say what is allowed, rather than whose something is.
pub fn words_of_terms(words: &str) -> bool {
    words
        .split(' ')
        .any(|word| TERMS.contains(&word) || TERM_STEMS.iter().any(|stem| word.starts_with(stem)))
}

/// Words that no name of a holder has, and hardly a clause does without.
const TERMS: &[&str] = &[
    "after",
    "aside",
    "additional",
    "but",
    "cannot",
    "clause",
    "except",
    "fee",
    "fees",
    "if",
    "must",
    "may",
    "no",
    "non",
    "not",
    "only",
    "pay",
    "provided",
    "purpose",
    "purposes",
    "shall",
    "should",
    "terms",
    "unless",
    "until",
    "use",
    "used",
    "uses",
    "using",
    "when",
    "where",
    "without",
    "granted",
    "hereby",
    "subject",
    "rights",
    "agree",
];
/// What further such words begin with.
const TERM_STEMS: &[&str] = &[
    "commerc",
    "noncommerc",
    "condition",
    "exclu",
    "forbid",
    "limitat",
    "militar",
    "permi",
    "prohibit",
    "redistrib",
    "requir",
    "restrict",
    "revoc",
    "royalt",
    "warrant",
    "evaluat",
    "derivativ",
    "modif",
    "liab",
    "personal",
    "internal",
    "nonprofit",
];

/// Returns a line without HTML's elements and entities.
fn plain(line: &str) -> std::borrow::Cow<'_, str> {
    if !line.contains(['<', '&']) {
        return line.into();
    }
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let length = if from.starts_with('&') { entity(from) } else { tag(from) };
        if length == 0 {
            plain.push_str(&from[..1]);
            rest = &from[1..];
        } else {
            plain.push(' ');
            rest = &from[length..];
        }
    }
    plain.push_str(rest);
    plain.into()
}

fn entity(text: &str) -> usize {
    ENTITIES.iter().find(|entity| text.starts_with(**entity)).map_or(0, |entity| entity.len())
}

/// Returns the length of the HTML element that a text begins with, or 0.
fn tag(text: &str) -> usize {
    let inner = text[1..].strip_prefix('/').unwrap_or(&text[1..]);
    let end = inner.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(inner.len());
    let name = &inner[..end];
    if !TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name)) {
        return 0;
    }
    // Another element or the line's end shows that this is none.
    let close = inner[end..].find(['>', '<']).filter(|at| inner[end + at..].starts_with('>'));
    close.map_or(0, |at| text.len() - inner.len() + end + at + 1)
}

/// Tells whether a token is the number or letter of a list's item.
fn is_marker(token: &str) -> bool {
    let token = token.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let end = token.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(token.len());
    let (item, rest) = token.split_at(end);
    let counts = match item.len() {
        1 => true,
        2..=4 => {
            item.bytes().all(|byte| byte.is_ascii_digit())
                || item.bytes().all(|byte| b"ivxIVX".contains(&byte))
        }
        _ => false,
    };
    let closed = rest.starts_with(['.', ')', ':']);
    counts && closed && !rest.contains(|letter: char| letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> String {
        let words = Words::of(text);
        words.span(0, words.len()).unwrap().to_owned()
    }

    #[test]
    fn wrapping_and_markup_make_no_difference() {
        let expected = "redistributions of source see http example org the list";
        for text in [
            "1. Redistributions (b) of source: see https://example.org (the \"list\")",
            "  * Redistributions\r\n# of **source**:\n//  see http://example.org\n(the “list”)",
            "<p>Redistributions of <b>source</b>:<br/>see <a href=x>http://example.org</a></p>\n(the &quot;list&quot;)",
        ] {
            // A link's own address is no word of the text.
            assert_eq!(all(text), expected, "{text}");
        }
        assert_eq!(all("a < b & c <year> é É"), "a b c year é é");
    }

    #[test]
    fn lines_of_copyright_are_left_out_and_terms_are_not() {
        for notice in [
            "Copyright (c) 2024 Jane Doe and the Acme Authors",
            "# Copyright 2024-2025 Jane",
            "(c) Copyright Acme, Inc.",
            "All rights reserved.",
            "Copyright © 2020",
        ] {
            let words = Words::of(&format!("one two\n{notice}\nthree"));
            assert_eq!(words.span(0, words.len()), Some("one two three"), "{notice}");
            assert_eq!(words.notices(), [2], "{notice}");
        }
        for terms in [
            "Copyright (c) 2024 Jane. No commercial use.",
            "Copyright notices must be retained",
            "copyright holders be liable for any claim",
            "Copyright 2024 Jane, for research only",
        ] {
            assert!(Words::of(terms).len() > 3, "{terms}");
        }
    }

    #[test]
    fn spans_and_phrases_stay_within_the_text() {
        let words = Words::of("the quick brown fox");
        assert_eq!(words.len(), 4);
        assert_eq!(words.span(1, 2), Some("quick brown"));
        assert_eq!(words.span(2, 3), None);
        assert_eq!(words.span(0, usize::MAX), None);
        assert_eq!(words.span(4, 0), Some(""));
        assert_eq!(words.span(5, 0), None);
        assert_eq!(words.find("brown fox", 0), Some(2));
        assert_eq!(words.find("brown fox", 3), None);
        assert_eq!(words.find("own fox", 0), None);
        assert_eq!(words.iter().count(), 4);
        assert!(Words::of("…").is_empty());
        assert_eq!(Words::of("").find("a", 0), None);
    }
}
