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
        let message =
            format!("a plugin.toml has at most {MAX_TOML} bytes, this one has {}", file.text.len());
        return Err(vec![Diagnostic::new(file, 0..0, message)]);
    }
    let syntax = |error: toml::de::Error| {
        let message = error.message().trim_end_matches('.').replace('\n', ", ");
        vec![Diagnostic::new(file, error.span().unwrap_or(0..0), message)]
    };
    let tree = DeTable::parse(&file.text).map_err(syntax)?;
    let text: Text = toml::from_str(&file.text).map_err(syntax)?;
    let mut mistakes = Vec::new();
    if let Some(span) = tree.get_ref().get("settings").and_then(|s| not_json(s.get_ref(), s.span()))
    {
        mistakes.push(Diagnostic::new(file, span, "JSON, which a schema is of, has no such value"));
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
                mistake.labels.first().map(|(span, _)| (span.start, span.end))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capability::Limit;
    use crate::domain::finding::Severity;
    use crate::domain::plugin::{Reads, Scope};
    use crate::plugin::testing::{MANIFEST, manifest, source};

    #[test]
    fn reads_what_the_author_wrote() {
        let manifest = manifest(MANIFEST);
        assert_eq!(manifest.id.as_str(), "guest");
        assert_eq!(manifest.version.to_string(), "1.2.3");
        assert_eq!(
            (manifest.scope, manifest.reads, manifest.judges),
            (Scope::File, Reads::Whole, true)
        );
        let limits = [(Limit::Fuel, 7), (Limit::Deadline, 60_000), (Limit::Memory, 512 << 20)];
        assert_eq!(manifest.limits, limits.into_iter().collect());
        // Rules are sorted, and help keeps its lines.
        let rules: Vec<_> =
            manifest.rules.iter().map(|r| (r.name.as_str(), r.severity, r.missing)).collect();
        assert_eq!(rules, [("absent", Severity::Low, true), ("zeroth", Severity::Critical, false)]);
        let help = manifest.rule("zeroth").map(|rule| rule.help.as_str());
        assert_eq!(help, Some("Do **something** about it.\n\nAnd then something else."));
        let settings = "{\"additionalProperties\":false,\"properties\":{\"level\":{\"minimum\":1,\"type\":\"integer\"}},\"type\":\"object\"}";
        assert_eq!(manifest.settings.as_deref(), Some(settings));
    }

    #[test]
    fn the_least_is_enough() {
        let least = "id='a'\nversion='0.0.1'\ntitle='A'\ndescription='B'\nscope='model'\nfiles=['a']\nreads='none'";
        let manifest = manifest(least);
        assert!(!manifest.judges && manifest.rules.is_empty() && manifest.settings.is_none());
    }

    /// A line of [`MANIFEST`], what to put in its place, and what is then wrong,
    /// in the order of the places.
    #[test]
    fn mistakes_point_at_their_place() {
        let long_title = format!("title = \"{}\"", "x".repeat(121));
        let long_help = format!("help = \"{}\"", "x".repeat(8193));
        let rows: [(&str, &str, &[&str]); 49] = [
            ("id = \"guest\"", "id = \"Guest\"", &["2: a plugin id is 1 to 64 of a-z"]),
            ("id = \"guest\"", "id = \"gate\"", &["2: `gate` is reserved"]),
            ("id = \"guest\"", "", &["1: missing field `id`"]),
            ("id = \"guest\"", "id = 7", &["2: invalid type: integer `7`"]),
            ("id = \"guest\"", "id = \"guest", &["2: invalid basic string"]),
            ("version = \"1.2.3\"", "version = \"1.2\"", &["3: a version is of the form 1.2.3"]),
            ("version = \"1.2.3\"", "version = \"01.2.3\"", &["3: a version is of the form 1.2.3"]),
            ("title = \"A guest\"", "title = \" \"", &["4: this text has 1 to 120 bytes"]),
            ("title = \"A guest\"", &long_title, &["4: this text has 1 to 120 bytes, not 121"]),
            ("title = \"A guest\"", "title = \"a\\nb\"", &["4: this text holds characters"]),
            (
                "title = \"A guest\"",
                "title = \"a\\u001b[31mb\"",
                &["4: this text holds characters"],
            ),
            ("title = \"A guest\"", "title = \"a\\u202eb\"", &["4: this text holds characters"]),
            ("title = \"A guest\"", "titel = \"A guest\"", &["4: unknown field `titel`"]),
            (
                "license = \"Apache-2.0 OR MIT\"",
                "license = \"MIT/Apache\"",
                &["6: a license is an SPDX expression"],
            ),
            ("https://example.org/guest", "example.org", &["7: a homepage starts with `https://`"]),
            (
                "https://example.org/guest",
                "javascript:alert(1)",
                &["7: a homepage starts with `https://`"],
            ),
            ("https://example.org/guest", "https://a b", &["7: a homepage starts with `https://`"]),
            ("scope = \"file\"", "scope = \"files\"", &["8: a scope is `file` or `model`"]),
            (
                "scope = \"file\"",
                "scope = \"model\"",
                &["8: a plugin that judges has the scope `file`"],
            ),
            (
                "files = [\"**\"]",
                "files = []",
                &["9: a plugin has 1 to 256 globs", "9: a plugin that judges takes all files"],
            ),
            (
                "files = [\"**\"]",
                "files = [\"**\", \"[a\"]",
                &["9: a plugin that judges takes all files", "9: unclosed character class"],
            ),
            (
                "files = [\"**\"]",
                "files = [\"*.bin\"]",
                &["9: a plugin that judges takes all files"],
            ),
            (
                "reads = \"whole\"",
                "reads = \"all\"",
                &["10: `reads` is `whole`, `parts` or `none`"],
            ),
            (
                "reads = \"whole\"",
                "reads = \"none\"",
                &["10: a plugin that judges reads `whole` or `parts`"],
            ),
            ("judges = true", "judges = \"yes\"", &["11: invalid type: string \"yes\""]),
            ("fuel = 7", "fuel = 0", &["12: the limit must be from 1 to"]),
            ("fuel = 7", "fuel = -1", &["12: invalid value: integer `-1`"]),
            ("fuel = 7", "fules = 7", &["12: unknown field `fules`"]),
            (
                "memory = \"512MiB\"",
                "memory = \"512 MB\"",
                &["12: this is not an amount of memory"],
            ),
            ("deadline = \"60s\"", "deadline = \"60\"", &["12: this is not a length of time"]),
            (
                "id = \"zeroth\"",
                "id = \"guest/zeroth\"",
                &["15: the id of a rule is 1 to 64 of a-z"],
            ),
            ("id = \"zeroth\"", "id = \"absent\"", &["24: the rule `absent` stands twice"]),
            ("title = \"It is bad\"", "title = \"\"", &["16: this text has 1 to 120 bytes, not 0"]),
            ("severity = \"critical\"", "severity = \"error\"", &["17: a severity is `info`"]),
            ("severity = \"critical\"", "", &["14: missing field `severity`"]),
            (
                "severity = \"low\"",
                "severity = \"high\"",
                &["26: a rule that says that something is missing"],
            ),
            ("help = \"Add it.\"", &long_help, &["28: this text has 1 to 8192 bytes, not 8193"]),
            (
                "help = \"Add it.\"",
                "help = \"::error::Add it.\"",
                &["28: this text holds characters"],
            ),
            ("help = \"Add it.\"", "help = \"Add\\tit.\"", &["28: this text holds characters"]),
            (
                "[settings]\ntype = \"object\"",
                "[settings]\ntype = \"array\"",
                &["30: settings are an object"],
            ),
            ("additionalProperties = false\n", "", &["30: a misspelt setting must be refused"]),
            (
                "additionalProperties = false\n",
                "additionalProperties = true\n",
                &["30: a misspelt setting must be refused"],
            ),
            (
                "minimum = 1",
                "default = 1979-05-27",
                &["35: JSON, which a schema is of, has no such value"],
            ),
            (
                "minimum = 1",
                "enum = [1.0, nan]",
                &["35: JSON, which a schema is of, has no such value"],
            ),
            (
                "minimum = 1",
                "\"$ref\" = \"https://example.org/x\"",
                &["30: `$ref` leads to a place in the same schema"],
            ),
            (
                "type = \"integer\"",
                "type = \"whole\"",
                &["30: \"whole\" is not valid under any of the schemas"],
            ),
            ("type = \"integer\"", "pattern = \"(a)\\\\1\"", &["30: "]),
            ("limits = {", "[limits]\nx = {", &["13: unknown field `x`"]),
            ("[settings]", "settings = 7\n[x]", &["30: "]),
        ];
        for (line, instead, expected) in rows {
            assert!(MANIFEST.contains(line), "{line}");
            let text = MANIFEST.replacen(line, instead, 1);
            let mistakes = from_toml(&source(&text)).expect_err(instead);
            let told: Vec<_> =
                mistakes.iter().map(|m| format!("{}: {}", m.line(), m.message)).collect();
            let fits = told.len() == expected.len()
                && told.iter().zip(expected).all(|(t, e)| t.starts_with(e));
            assert!(fits, "{instead}: {told:#?}");
        }
    }

    #[test]
    fn lengths_and_counts_are_bounded() {
        let rule = |index: usize| {
            format!("[[rule]]\nid='r{index}'\ntitle='t'\nseverity='low'\nhelp='h'\n")
        };
        let text = |rules: usize| {
            let head = "id='a'\nversion='0.0.1'\ntitle='A'\ndescription='B'\nscope='model'\nfiles=['a']\nreads='none'\n";
            (0..rules).fold(head.to_owned(), |text, index| text + &rule(index))
        };
        assert_eq!(manifest(&text(1000)).rules.len(), 1000);
        let mistakes = from_toml(&source(&text(1001))).expect_err("too many rules");
        assert_eq!(mistakes[0].message, "a plugin has at most 1000 rules, this one has 1001");
        let huge = format!("{MANIFEST}# {}", "x".repeat(MAX_TOML));
        assert!(
            from_toml(&source(&huge)).expect_err("too long")[0]
                .message
                .contains("at most 524288 bytes")
        );
        let many = text(1000).replace("severity='low'", "severity='bad'");
        assert_eq!(from_toml(&source(&many)).expect_err("many mistakes").len(), 50);
    }

    #[test]
    fn any_cut_is_told_or_whole() {
        for (end, _) in MANIFEST.char_indices() {
            if let Err(mistakes) = from_toml(&source(&MANIFEST[..end])) {
                assert!(mistakes.iter().all(|m| m.labels[0].0.end <= end), "{mistakes:?}");
            }
        }
        let deep = format!("x = {}", "[".repeat(100_000));
        assert!(from_toml(&source(&deep)).is_err());
    }
}
