//! Text from outside, made inert where it enters: [`GuestText`] is what a
//! plugin, a model or an engine error may put in front of a person or a parser.
//!
//! Leaves to each report format the escaping of its own syntax.

use std::fmt;
use std::sync::Arc;

/// The most bytes one text of a guest may have, unless its limits say less.
pub const MAX_TEXT: usize = 4096;

/// Text from outside that can't act on a terminal, a log or a CI runner.
///
/// Control characters, invisible and direction-changing characters are written
/// out as `\n`, `\x1b` or `\u{202e}`; markers that CI runners take for commands
/// (`::` at the start, `##[`, `##vso[`, `##teamcity[`) are broken up. It is one
/// line, and never longer than the bound it was made with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestText(Arc<str>);

impl GuestText {
    /// Makes `raw` inert, cutting it after at most `max` bytes, marked with `…`.
    pub fn new(raw: &str, max: usize) -> Self {
        let mut inert = escape(raw, Backslash::Kept);
        if inert.len() > max {
            let mut end = max.saturating_sub('…'.len_utf8());
            while !inert.is_char_boundary(end) {
                end -= 1;
            }
            inert.truncate(end);
            inert.push('…');
        }
        Self(inert.into())
    }

    /// Makes `raw` inert under the default bound, [`MAX_TEXT`].
    pub fn capped(raw: &str) -> Self {
        Self::new(raw, MAX_TEXT)
    }

    /// Returns the inert text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GuestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a backslash in the text is doubled, so that the escapes can be told
/// from what was there before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backslash {
    Kept,
    Doubled,
}

/// Writes out every character of `raw` that could act instead of being shown.
pub(crate) fn escape(raw: &str, backslash: Backslash) -> String {
    let mut out = String::with_capacity(raw.len());
    for (index, c) in raw.char_indices() {
        let rest = &raw[index..];
        match c {
            '\\' if backslash == Backslash::Doubled => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ':' if rest.starts_with("::") && out.trim_start().is_empty() => out.push_str("\\x3a"),
            '#' if starts_command(rest) => out.push_str("\\x23"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => push_byte(&mut out, c as u32),
            c if is_invisible(c) => push_unicode(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// Appends `byte` as `\xHH`.
pub(crate) fn push_byte(out: &mut String, byte: u32) {
    use fmt::Write as _;
    write!(out, "\\x{byte:02x}").expect("writing to a String can't fail");
}

fn push_unicode(out: &mut String, c: char) {
    use fmt::Write as _;
    write!(out, "\\u{{{:x}}}", c as u32).expect("writing to a String can't fail");
}

/// Whether CI runners may take `rest` for the start of a command wherever in a
/// line it stands: the runner of GitHub reads `##[`, Azure's `##vso[`,
/// TeamCity's `##teamcity[`.
fn starts_command(rest: &str) -> bool {
    ["##[", "##vso[", "##teamcity["].iter().any(|marker| {
        rest.get(..marker.len()).is_some_and(|start| start.eq_ignore_ascii_case(marker))
    })
}

/// Whether `c` is shown as nothing, or changes how its neighbours are shown.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'        // C1 controls
        | '\u{ad}'                 // soft hyphen
        | '\u{34f}'                // combining grapheme joiner
        | '\u{61c}'                // Arabic letter mark
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'  // Mongolian selectors
        | '\u{200b}'..='\u{200f}'  // zero width, direction marks
        | '\u{2028}'..='\u{202e}'  // line and paragraph separators, bidi embedding
        | '\u{2060}'..='\u{206f}'  // word joiner, bidi isolates
        | '\u{fe00}'..='\u{fe0f}'  // variation selectors
        | '\u{feff}'               // byte order mark
        | '\u{fff0}'..='\u{fffb}'  // interlinear annotation
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' // tags
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_text_inert() {
        let rows = [
            ("plain é 漢", "plain é 漢"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[31mred", "\\x1b[31mred"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("abc\u{202e}fed", "abc\\u{202e}fed"),
            ("::error::x", "\\x3a:error::x"),
            ("  ::error::x", "  \\x3a:error::x"),
            ("std::fs", "std::fs"),
            ("x ##[error]y", "x \\x23#[error]y"),
            ("##VSO[task]", "\\x23#VSO[task]"),
            ("###[x", "#\\x23#[x"),
            ("##teamcity[x]", "\\x23#teamcity[x]"),
            ("## title", "## title"),
            ("a\0b\u{7f}", "a\\x00b\\x7f"),
        ];
        for (raw, expected) in rows {
            assert_eq!(GuestText::capped(raw).as_str(), expected, "{raw:?}");
        }
    }

    #[test]
    fn cuts_at_a_character() {
        assert_eq!(GuestText::new("ééééé", 8).as_str(), "éé…");
        assert_eq!(GuestText::new("abc", 3).as_str(), "abc");
        assert!(GuestText::new(&"x".repeat(9000), MAX_TEXT).as_str().len() <= MAX_TEXT);
    }
}
