//! A rule's help, which is Markdown of whoever wrote the plugin, as text for a person
//! and as Markdown in which nothing acts.
//!
//! Leaves what Markdown means to its parser. Of that, words, code, emphasis and lists
//! are kept; links are written out, and what is HTML is text.

use std::fmt::Write as _;

use modelhost::domain::text::GuestText;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// How deep lists are shown: a help text has no use for more.
const MAX_DEPTH: usize = 4;

/// A part of a help text that stands by itself.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Words(Vec<Span>),
    /// An entry of a list, in so many lists.
    Entry(usize, Vec<Span>),
    Code(String),
}

#[derive(Debug, PartialEq, Eq)]
enum Span {
    Plain(String),
    Strong(String),
    Code(String),
}

/// Takes `markdown` apart.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut out = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    let (mut depth, mut strong, mut code) = (0_usize, 0_usize, None::<String>);
    let mut links: Vec<String> = Vec::new();
    let mut is_entry = false;
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                flush(&mut out, &mut spans, depth, &mut is_entry);
                code = Some(String::new());
            }
            Event::End(TagEnd::CodeBlock) => out.extend(code.take().map(Block::Code)),
            Event::Start(Tag::List(_)) => {
                flush(&mut out, &mut spans, depth, &mut is_entry);
                depth += 1;
            }
            Event::End(TagEnd::List(_)) => {
                flush(&mut out, &mut spans, depth, &mut is_entry);
                depth = depth.saturating_sub(1);
            }
            Event::Start(Tag::Item) => {
                flush(&mut out, &mut spans, depth, &mut is_entry);
                is_entry = true;
            }
            Event::Start(Tag::Heading { .. }) => {
                flush(&mut out, &mut spans, depth, &mut is_entry);
                strong += 1;
            }
            Event::End(TagEnd::Heading(_)) => {
                strong = strong.saturating_sub(1);
                flush(&mut out, &mut spans, depth, &mut is_entry);
            }
            Event::Start(Tag::Strong) => strong += 1,
            Event::End(TagEnd::Strong) => strong = strong.saturating_sub(1),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push(dest_url.into_string());
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if let Some(link) = links.pop().filter(|link| !link.is_empty()) {
                    spans.extend([Span::Plain(" ".to_owned()), Span::Code(link)]);
                }
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => match &mut code {
                Some(code) => code.push_str(&text),
                None if strong > 0 => spans.push(Span::Strong(text.into_string())),
                None => spans.push(Span::Plain(text.into_string())),
            },
            Event::Code(text) => spans.push(Span::Code(text.into_string())),
            Event::SoftBreak | Event::HardBreak => spans.push(Span::Plain(" ".to_owned())),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::HtmlBlock) => {
                flush(&mut out, &mut spans, depth, &mut is_entry);
            }
            _ => {}
        }
    }
    flush(&mut out, &mut spans, depth, &mut is_entry);
    out
}

fn flush(out: &mut Vec<Block>, spans: &mut Vec<Span>, depth: usize, is_entry: &mut bool) {
    if spans.is_empty() {
        return;
    }
    let spans = std::mem::take(spans);
    out.push(if std::mem::take(is_entry) {
        Block::Entry(depth.min(MAX_DEPTH), spans)
    } else {
        Block::Words(spans)
    });
}

/// Returns `markdown` as lines for a person, of at most `width` characters where its
/// words allow that.
pub(super) fn plain(markdown: &str, width: usize) -> String {
    shown(markdown, |block, out| match block {
        Block::Words(spans) => out.push_str(&wrap(&words(&spans), "", "", width)),
        Block::Entry(depth, spans) => {
            let indent = "  ".repeat(depth.saturating_sub(1));
            let (first, rest) = (format!("{indent}- "), format!("{indent}  "));
            out.push_str(&wrap(&words(&spans), &first, &rest, width));
        }
        Block::Code(code) => {
            for line in code.lines() {
                let _ = writeln!(out, "    {}", GuestText::capped(line));
            }
        }
    })
}

/// Returns the parts of `markdown` as `show` writes each, with an empty line between them
/// but between the entries of a list.
fn shown(markdown: &str, show: impl Fn(Block, &mut String)) -> String {
    let mut out = String::new();
    let mut in_list = false;
    for block in blocks(markdown) {
        let entry = matches!(block, Block::Entry(..));
        let joins = entry && in_list;
        if !out.is_empty() && !joins {
            out.push('\n');
        }
        in_list = entry;
        show(block, &mut out);
    }
    out
}

/// Returns the words of `spans`; code is between backticks, and broken nowhere but at
/// its spaces.
fn words(spans: &[Span]) -> String {
    let mut out = String::new();
    for span in spans {
        match span {
            Span::Plain(text) | Span::Strong(text) => out.push_str(text),
            Span::Code(text) => {
                let _ = write!(out, "`{text}`");
            }
        }
    }
    GuestText::new(&out, usize::MAX).to_string()
}

/// Breaks `text` into lines.
pub(super) fn wrap(text: &str, first: &str, rest: &str, width: usize) -> String {
    let mut out = first.to_owned();
    let mut room = width.saturating_sub(first.chars().count());
    let mut is_start = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !is_start && length + 1 > room {
            let _ = write!(out, "\n{rest}");
            room = width.saturating_sub(rest.chars().count());
            is_start = true;
        }
        if !is_start {
            out.push(' ');
            room = room.saturating_sub(1);
        }
        // What is inert within a line might act where it begins one.
        match is_start {
            true => out.push_str(GuestText::new(word, usize::MAX).as_str()),
            false => out.push_str(word),
        }
        room = room.saturating_sub(length);
        is_start = false;
    }
    out.push('\n');
    out
}

/// Returns `markdown` as Markdown in which nothing acts: no HTML, no links, no images,
/// no headings, and nothing that is left open.
pub(super) fn inert(markdown: &str) -> String {
    shown(markdown, |block, out| {
        let _ = match block {
            Block::Words(spans) => writeln!(out, "{}", line(&spans)),
            Block::Entry(depth, spans) => {
                writeln!(out, "{}- {}", "  ".repeat(depth.saturating_sub(1)), line(&spans))
            }
            Block::Code(code) => {
                let fence = "`".repeat(longest_fence(&code).max(2) + 1);
                let lines: String =
                    code.lines().map(|line| format!("{}\n", GuestText::capped(line))).collect();
                writeln!(out, "{fence}text\n{lines}{fence}")
            }
        };
    })
}

/// Returns `spans` as one line, whose beginning begins nothing else.
fn line(spans: &[Span]) -> String {
    let mut out = String::new();
    for span in spans {
        match span {
            Span::Plain(text) => out.push_str(&escape(text)),
            Span::Strong(text) => {
                let (text, escaped) = (text.trim(), escape(text.trim()));
                if text.is_empty() {
                    continue;
                }
                let _ = write!(out, "**{escaped}**");
            }
            Span::Code(text) => out.push_str(&code(text)),
        }
    }
    let out = out.trim();
    // A number or a mark at the beginning would make a list of it.
    let digits = out.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = out.split_at(digits);
    match rest.chars().next() {
        Some(mark @ ('.' | ')')) if digits > 0 => {
            format!("{number}\\{mark}{}", rest.get(1..).unwrap_or_default())
        }
        Some(mark @ ('-' | '+' | '=')) if digits == 0 => {
            format!("\\{mark}{}", rest.get(1..).unwrap_or_default())
        }
        _ => out.to_owned(),
    }
}

/// Returns `text` with what Markdown would act on escaped; addresses and names that
/// pages turn into links of their own are code.
pub(super) fn escape(text: &str) -> String {
    let text = GuestText::new(text, usize::MAX).to_string();
    let mut out = String::new();
    for part in text.split_inclusive(' ') {
        let word = part.trim_end_matches(' ');
        let acts = ["://", "www.", "@"].iter().any(|mark| word.contains(mark));
        if acts {
            out.push_str(&code(word));
        } else {
            for c in word.chars() {
                if matches!(
                    c,
                    '\\' | '`'
                        | '*'
                        | '_'
                        | '['
                        | ']'
                        | '<'
                        | '>'
                        | '#'
                        | '|'
                        | '~'
                        | '&'
                        | '!'
                        | '$'
                        | '{'
                        | '}'
                ) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        out.push_str(part.get(word.len()..).unwrap_or_default());
    }
    out
}

/// Returns `text` as code.
pub(super) fn code(text: &str) -> String {
    let text = GuestText::new(text, usize::MAX).to_string();
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    // A fence longer than any in the text, and a space where it would touch one.
    let fence = "`".repeat(longest_fence(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn longest_fence(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_person_reads_words_lists_and_code() {
        let help = "The **file** is\n[cut](https://x.example/a).\n\n- one\n- `two`\n  - three\n\n\
                    ```toml\n[plugin.x]\n\u{1b}[2J\n```\n";
        assert_eq!(
            plain(help, 24),
            "The file is cut\n`https://x.example/a`.\n\n- one\n- `two`\n  - three\n\n    [plugin.x]\n    \\x1b[2J\n"
        );
        assert_eq!(plain("", 80), "");
        assert!(plain("words ::error::x", 5).contains("\n\\x3a:error::x\n"));
        assert_eq!(plain("abcdefghij klm", 4), "abcdefghij\nklm\n");
    }

    /// Returns what acts in `markdown`: HTML, links, images, headings, quotes.
    fn acting(markdown: &str) -> String {
        let acts = |event: &Event<'_>| match event {
            Event::Html(_) | Event::InlineHtml(_) => true,
            Event::Start(tag) => !matches!(
                tag,
                Tag::Paragraph | Tag::List(None) | Tag::Item | Tag::Strong | Tag::CodeBlock(_)
            ),
            _ => false,
        };
        let options = pulldown_cmark::Options::all();
        let acting = Parser::new_ext(markdown, options).filter(acts);
        acting.map(|event| format!("{event:?} ")).collect()
    }

    proptest! {
        #[test]
        fn nothing_acts_whatever_is_written(
            text in "([ \\n#*_>+.0-9a-c\\[\\]()<!/:&;|~=`$-]|https://|<b>|\\\\|\u{202e}){0,60}"
        ) {
            let published = inert(&text);
            prop_assert_eq!(acting(&published), "", "{}", published);
            let told = plain(&text, 20);
            prop_assert!(!told.lines().any(|line| line.trim_start().starts_with("::")), "{}", told);
        }
    }

    /// What one writes, and what is left of it.
    #[test]
    fn nothing_acts_in_what_is_published() {
        let rows = [
            ("plain words", "plain words\n"),
            ("# Forged\n\ntext", "**Forged**\n\ntext\n"),
            ("<script>x</script>", "\\<script\\>x\\</script\\>\n"),
            ("a <img src=x> b", "a \\<img src=x\\> b\n"),
            ("![a](http://x/y)", "a `http://x/y`\n"),
            ("[a](javascript:x)", "a `javascript:x`\n"),
            ("[a]\n\n[a]: http://x", "a `http://x`\n"),
            ("see https://x.y now @me", "see `https://x.y` now `@me`\n"),
            ("```\nnever closed", "```text\nnever closed\n```\n"),
            ("````\n```\n````", "````text\n```\n````\n"),
            ("`a", "\\`a\n"),
            ("a | b\n-|-\n1 | 2", "a \\| b -\\|- 1 \\| 2\n"),
            ("\\# x", "\\# x\n"),
            ("1\\. x", "1\\. x\n"),
            ("\\- x", "\\- x\n"),
            ("> quoted", "quoted\n"),
            ("- a\n- b", "- a\n- b\n"),
            ("\u{202e}x", "\\\\u\\{202e\\}x\n"),
        ];
        for (help, expected) in rows {
            assert_eq!(inert(help), expected, "{help:?}");
            assert_eq!(acting(expected), "", "{help:?}");
        }
        let deep = ">".repeat(4000) + &"- ".repeat(2000) + "x";
        assert!(inert(&deep).contains('x') && plain(&deep, 80).contains('x'));
    }
}
