//! Draws mistakes in the operator's files with the lines they are in.
//!
//! The lines come from files that anyone who can open a pull request may have
//! written, so they are made inert before they are drawn: nothing in them acts
//! on a terminal or a CI runner, and a line of a megabyte is cut. Leaves finding
//! mistakes to `config` and `record`.

use std::io::{self, Write};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use modelhost::config::ConfigError;
use modelhost::domain::diagnostic::{Diagnostic, SourceFile};
use modelhost::domain::text::GuestText;
use modelhost::gate::GateError;
use modelhost::record::lock::LockError;
use modelhost::record::registry::RegistryError;

/// The most bytes of one line that are drawn: some lines of a terminal.
const MAX_LINE: usize = 240;

/// How much of a cut line is drawn before the place that is pointed at.
const BEFORE: usize = 80;

/// Draws why a command could not do its work: the mistakes with their lines, if
/// that is why, else the error with its causes.
pub(crate) fn error(error: &anyhow::Error, color: bool, out: &mut dyn Write) -> io::Result<()> {
    if let Some(mistakes) = mistakes(error) {
        return diagnostics(mistakes, color, out);
    }
    let title = causes(error);
    let group = Group::with_title(Level::ERROR.primary_title(title.as_str()));
    writeln!(out, "{}", renderer(color).render(&[group]))
}

/// Returns the mistakes in the operator's files that kept a command from its work; none
/// where it was something else.
pub(crate) fn mistakes(error: &anyhow::Error) -> Option<&[Diagnostic]> {
    if let Some(ConfigError::Mistakes(mistakes)) = error.downcast_ref() {
        return Some(mistakes);
    }
    if let Some(LockError::Mistakes { mistakes, .. }) = error.downcast_ref() {
        return Some(mistakes);
    }
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(GateError::Mistakes(mistakes)), _)
        | (Some(GateError::Registry(RegistryError::Mistakes { mistakes, .. })), _)
        | (_, Some(RegistryError::Mistakes { mistakes, .. })) => Some(mistakes),
        _ => None,
    }
}

/// Returns what `error` says, with its causes.
pub(crate) fn causes(error: &anyhow::Error) -> GuestText {
    GuestText::capped(&error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// Draws `mistakes`, each with its lines and a blank line after it.
pub(crate) fn diagnostics(
    mistakes: &[Diagnostic],
    color: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    mistakes.iter().try_for_each(|mistake| diagnostic(mistake, &renderer(color), out))
}

const fn renderer(color: bool) -> Renderer {
    if color { Renderer::styled() } else { Renderer::plain() }
}

fn diagnostic(mistake: &Diagnostic, renderer: &Renderer, out: &mut dyn Write) -> io::Result<()> {
    let path = GuestText::capped(&mistake.file.path);
    let mut title = Level::ERROR.primary_title(mistake.message.as_str());
    let mut groups = Vec::new();
    for (index, (span, label)) in mistake.labels.iter().enumerate() {
        let line = Line::of(&mistake.file, span);
        let mark = AnnotationKind::Primary.span(line.mark);
        let mark = if index == 0 && !label.is_empty() { mark.label(label.as_str()) } else { mark };
        let snippet = Snippet::source(line.text)
            .path(path.as_str())
            .line_start(line.number)
            .fold(false)
            .annotation(mark);
        groups.push(title.element(snippet));
        // What comes next, if anything, is a group of its own with this place's words.
        let next = mistake.labels.get(index + 1).map_or("", |(_, label)| label.as_str());
        title = Level::NOTE.secondary_title(if next.is_empty() { "and here" } else { next });
    }
    if groups.is_empty() {
        groups.push(Group::with_title(title));
    }
    if let Some(help) = &mistake.help {
        let last = groups.pop().map(|group| group.element(Level::HELP.message(help.as_str())));
        groups.extend(last);
    }
    writeln!(out, "{}\n", renderer.render(&groups))
}

/// One line as it is drawn.
struct Line {
    number: usize,
    /// Inert, and cut where it is too long.
    text: String,
    /// What is pointed at in it.
    mark: Range<usize>,
}

impl Line {
    /// Takes the line that `span` starts on. What `span` has of further lines is
    /// not marked.
    fn of(file: &SourceFile, span: &Range<usize>) -> Self {
        let text = &*file.text;
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let end = text.floor_char_boundary(span.end.min(line_end)).max(start);
        let (mut from, mut to) = (line_start, line_end);
        if line_end - line_start > MAX_LINE {
            from = text.floor_char_boundary(start.saturating_sub(BEFORE)).max(line_start);
            to = text.floor_char_boundary(from.saturating_add(MAX_LINE)).min(line_end).max(start);
        }
        let mut shown = String::new();
        let cut = if from > line_start { "…" } else { "" };
        shown.push_str(cut);
        shown.push_str(&inert(&text[from..to]));
        // Escaping can depend on what follows, so that these are clamped.
        let offset = |at: usize| {
            let before = cut.len() + inert(&text[from..at.clamp(from, to)]).len();
            shown.floor_char_boundary(before.min(shown.len()))
        };
        let mark = offset(start)..offset(end).max(offset(start));
        if to < line_end {
            shown.push('…');
        }
        Self {
            number: usize::try_from(file.line_of(start)).unwrap_or(usize::MAX),
            text: shown,
            mark,
        }
    }
}

fn inert(text: &str) -> String {
    let text = text.strip_suffix('\r').unwrap_or(text);
    GuestText::new(text, usize::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { path: "modelhost.toml".into(), text: text.into() }
    }

    fn drawn(mistake: Diagnostic) -> String {
        let mut out = Vec::new();
        diagnostics(&[mistake], false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn draws_lines_and_the_way_out() {
        let file = file("version = 1\r\n[gate]\r\nrequire = [\"a\", \"b\"]\r\n[plugin.a]\r\n");
        let mistake = Diagnostic::new(&file, 32..35, "plugin `a` only advises")
            .with_label("required here")
            .with_place(43..53, "its mode is set here")
            .with_help("take it out of `require`");
        insta::assert_snapshot!(drawn(mistake), @r#"
        error: plugin `a` only advises
         --> modelhost.toml:3:12
          |
        3 | require = ["a", "b"]
          |            ^^^ required here
          |
        note: its mode is set here
         --> modelhost.toml:4:1
          |
        4 | [plugin.a]
          | ^^^^^^^^^^
          = help: take it out of `require`
        "#);
    }

    #[test]
    fn draws_what_has_no_place_of_its_own() {
        for (text, span) in [("", 0..0), ("a\n", 2..2), ("a", 7..9), ("é", 1..2), ("\n\n", 1..2)] {
            let drawn = drawn(Diagnostic::new(&file(text), span.clone(), "wrong"));
            assert!(drawn.starts_with("error: wrong\n"), "{drawn}");
            assert!(drawn.contains("--> modelhost.toml:"), "{text:?} {span:?}: {drawn}");
        }
    }

    #[test]
    fn what_a_file_says_does_not_act() {
        let text = "a = \"\u{1b}]0;x\u{7}\u{9b}2J\u{202e}##[error]x##vso[y]\t\"\n::error::b\n";
        for span in [0..1, 4..text.len(), 30..40, text.len() - 5..text.len()] {
            let mut file = file(text);
            file.path = "x\u{1b}[2J\n::error::.toml".into();
            let mistake = Diagnostic::new(&file, span.clone(), "\r\n::error::m")
                .with_label("\n::error::l")
                .with_place(span, "\n::error::p")
                .with_help("\n::error::h");
            let drawn = drawn(mistake);
            let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!drawn.contains(acts), "{drawn:?}");
            let starts = drawn.lines().any(|line| line.trim_start().starts_with("::"));
            assert!(!starts && !drawn.contains("##["), "{drawn}");
            assert!(!drawn.contains("##vso["), "{drawn}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("a = \"{}\" # {}\n", "x".repeat(500_000), "y".repeat(500_000));
        for at in [0, 500_000, 999_999] {
            let drawn = drawn(Diagnostic::new(&file(&text), at..at + 1, "wrong"));
            assert!(drawn.len() < 2000, "{}", drawn.len());
            assert!(drawn.contains('^'), "{drawn}");
        }
    }

    #[test]
    fn errors_are_drawn_with_their_mistakes_or_causes() {
        let mistake = Diagnostic::new(&file("x"), 0..1, "wrong");
        let rows: [(anyhow::Error, &str); 4] = [
            (ConfigError::Mistakes(vec![mistake.clone()]).into(), "error: wrong\n --> modelhost"),
            (
                LockError::Mistakes { path: "l".into(), mistakes: vec![mistake] }.into(),
                "error: wrong\n --> modelhost",
            ),
            (
                ConfigError::Unreadable { path: "a\nb".into(), source: io::Error::other("no") }
                    .into(),
                "error: can't read a\\nb: no\n",
            ),
            (anyhow::anyhow!("\u{1b}[2J"), "error: \\x1b[2J\n"),
        ];
        for (cause, expected) in rows {
            let mut out = Vec::new();
            error(&cause, false, &mut out).unwrap();
            let drawn = String::from_utf8(out).unwrap();
            assert!(drawn.starts_with(expected), "{drawn}");
        }
    }

    #[test]
    fn color_is_asked_for() {
        let mistake = Diagnostic::new(&file("x"), 0..1, "wrong");
        let mut out = Vec::new();
        diagnostics(&[mistake], true, &mut out).unwrap();
        assert!(out.contains(&0x1b));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), start in 0usize..80, length in 0usize..80) {
            let mistake = Diagnostic::new(&file(&text), start..start + length, text.as_str())
                .with_label(text.as_str())
                .with_place(start / 2..start, text.as_str())
                .with_help(text.as_str());
            let drawn = drawn(mistake);
            prop_assert!(!drawn.contains(|c: char| c.is_control() && c != '\n'));
        }
    }
}
