//! `plugin.toml`, the form of a manifest that its author writes.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::check::{self, Step};
use super::shape::Text;
use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::plugin::Manifest;

/// The most bytes of a `plugin.toml`: twice what fits into the section that it
/// becomes, for comments and layout.
const MAX_TOML: usize = 2 * super::MAX_SECTION;

/// Reads a manifest from the text of a `plugin.toml`.
///
/// # Errors
/// Returns what is wrong with it, each mistake with its place, sorted by place.
pub fn from_toml(file: &SourceFile) -> Result<Manifest, Vec<Diagnostic>> {
    if file.text.len() > MAX_TOML {
        let message = format!(
            "a plugin.toml has at most {MAX_TOML} bytes, this one has {}",
            file.text.len()
        );
        return Err(vec![Diagnostic::new(file, 0..0, message)]);
    }
    let syntax = |error: toml::de::Error| {
        let message = error.message().trim_end_matches('.').replace('\n', ", ");
        vec![Diagnostic::new(file, error.span().unwrap_or(0..0), message)]
    };
    let tree = DeTable::parse(&file.text).map_err(syntax)?;
    let text: Text = toml::from_str(&file.text).map_err(syntax)?;
    let mut mistakes = Vec::new();
    if let Some(span) = tree
        .get_ref()
        .get("settings")
        .and_then(|s| not_json(s.get_ref(), s.span()))
    {
        mistakes.push(Diagnostic::new(
            file,
            span,
            "JSON, which a schema is of, has no such value",
        ));
    }
    let checked = check::check(&text, true).map_err(|found| {
        mistakes.extend(found.into_iter().map(|mistake| {
            let span = span_of(&tree, &mistake.path);
            let mut diagnostic = Diagnostic::new(file, span, mistake.message);
            diagnostic.help = mistake.help.map(str::to_owned);
            diagnostic
        }));
    });
    match checked {
        Ok(manifest) if mistakes.is_empty() => Ok(manifest),
        _ => {
            mistakes.sort_by_key(|mistake| {
                mistake
                    .labels
                    .first()
                    .map(|(span, _)| (span.start, span.end))
            });
            Err(mistakes)
        }
    }
}

/// Returns where in the text `path` is: the place of its innermost step that
/// is there.
fn span_of(tree: &toml::Spanned<DeTable<'_>>, path: &[Step<'_>]) -> Range<usize> {
    let mut span = 0..0;
    let mut value: Option<&toml::Spanned<DeValue<'_>>> = None;
    for step in path {
        let next = match (step, value.map(|v| v.get_ref())) {
            (Step::Key(key), None) => tree.get_ref().get(*key),
            (Step::Key(key), Some(DeValue::Table(table))) => table.get(*key),
            (Step::Index(index), Some(DeValue::Array(array))) => array.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        span = next.span();
        value = Some(next);
    }
    span
}

/// Returns where in `value` something is that JSON has no value for: a date, or
/// a number that is none.
fn not_json(value: &DeValue<'_>, span: Range<usize>) -> Option<Range<usize>> {
    match value {
        DeValue::Datetime(_) => Some(span),
        DeValue::Float(float) => {
            let number: f64 = float.as_str().parse().unwrap_or(f64::NAN);
            (!number.is_finite()).then_some(span)
        }
        DeValue::Array(values) => values.iter().find_map(|v| not_json(v.get_ref(), v.span())),
        DeValue::Table(table) => table.values().find_map(|v| not_json(v.get_ref(), v.span())),
        _ => None,
    }
}
