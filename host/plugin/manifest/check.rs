//! What a manifest must keep to, whichever form it was read from: a [`Text`]
//! becomes a [`Manifest`], or a list of [`Mistake`]s.

use std::collections::BTreeMap;

use super::shape::{LimitText, LimitsText, RuleText, Text};
use crate::domain::capability::{LimitsAsked, Unit};
use crate::domain::finding::Severity;
use crate::domain::plugin::{Manifest, PluginId, Reads, Rule, Scope, is_kebab};
use crate::domain::text::GuestText;
use crate::plugin::globs::Globs;
use crate::plugin::settings;

/// The most rules a manifest may have: as many as an answer may have findings.
pub const MAX_RULES: usize = 1000;
/// The most bytes of a rule's help: a page of Markdown.
pub const MAX_HELP: usize = 8192;
/// The most bytes of a version.
const MAX_VERSION: usize = 64;
/// The most bytes of a title: it stands on one line beside an id.
const MAX_TITLE: usize = 120;
/// The most bytes of a description: a paragraph.
const MAX_DESCRIPTION: usize = 2048;
/// The most bytes of an SPDX expression.
const MAX_LICENSE: usize = 256;
/// The most bytes of a URL that anybody follows.
const MAX_HOMEPAGE: usize = 1024;
/// The most mistakes that are told of one manifest.
const MAX_MISTAKES: usize = 50;

/// One step from a manifest's root to a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// One mistake.
#[derive(Debug)]
pub(super) struct Mistake<'a> {
    /// Where it is; the innermost step may not be there.
    pub(super) path: Vec<Step<'a>>,
    /// What is wrong, without a full stop.
    pub(super) message: String,
    /// What to do about it.
    pub(super) help: Option<&'static str>,
}

/// How a text in a manifest is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

/// Checks `text`. Where `author` is true, characters that would have to be
/// written out are a mistake of their own; else they are written out.
pub(super) fn check(text: &Text, author: bool) -> Result<Manifest, Vec<Mistake<'_>>> {
    let mut check = Check { author, mistakes: Vec::new() };
    let manifest = check.manifest(text);
    match manifest {
        Some(manifest) if check.mistakes.is_empty() => Ok(manifest),
        _ => Err(check.mistakes),
    }
}

struct Check<'a> {
    author: bool,
    mistakes: Vec<Mistake<'a>>,
}

impl<'a> Check<'a> {
    /// Notes a mistake at `path`.
    fn mistake(
        &mut self,
        path: Vec<Step<'a>>,
        message: impl Into<String>,
        help: Option<&'static str>,
    ) {
        if self.mistakes.len() < MAX_MISTAKES {
            self.mistakes.push(Mistake { path, message: message.into(), help });
        }
    }

    /// Notes a mistake in the field `key`.
    fn field(&mut self, key: &'static str, message: impl Into<String>, help: Option<&'static str>) {
        self.mistake(vec![Step::Key(key)], message, help);
    }

    /// Returns the manifest; where a field can't be had at all, none, and then
    /// a mistake has been noted.
    fn manifest(&mut self, text: &'a Text) -> Option<Manifest> {
        let id =
            PluginId::new(&text.id).map_err(|error| self.field("id", error.to_string(), None)).ok();
        let version = self.version(&text.version);
        let scope =
            [Scope::File, Scope::Model].into_iter().find(|scope| scope.name() == text.scope);
        if scope.is_none() {
            self.field("scope", "a scope is `file` or `model`", None);
        }
        let reads =
            [Reads::Whole, Reads::Parts, Reads::None].into_iter().find(|r| r.name() == text.reads);
        if reads.is_none() {
            self.field("reads", "`reads` is `whole`, `parts` or `none`", None);
        }
        if let Err(error) = Globs::new(&text.files) {
            let mut path = vec![Step::Key("files")];
            path.extend(error.index.map(Step::Index));
            self.mistake(path, error.reason, Some("`files = [\"**\"]` asks for all files"));
        }
        if text.judges {
            self.judges(text, scope, reads);
        }
        let title = self.text(vec![Step::Key("title")], &text.title, MAX_TITLE, Lines::One);
        let description = vec![Step::Key("description")];
        let description = self.text(description, &text.description, MAX_DESCRIPTION, Lines::Many);
        let license = text.license.as_ref().map(|license| self.license(license));
        let homepage = text.homepage.as_ref().map(|homepage| self.homepage(homepage));
        let rules = self.rules(&text.rule);
        let limits = text.limits.as_ref().map(|limits| self.limits(limits)).unwrap_or_default();
        let settings = text.settings.as_ref().and_then(|schema| self.settings(schema));
        Some(Manifest {
            id: id?,
            version: version?,
            title,
            description,
            license,
            homepage,
            rules,
            files: text.files.clone(),
            scope: scope?,
            reads: reads?,
            judges: text.judges,
            settings,
            limits,
        })
    }

    fn settings(&mut self, schema: &serde_json::Value) -> Option<String> {
        let checked = settings::check_schema(schema).and_then(|canonical| {
            // Whoever reads a section compiles it a moment later, with the settings.
            if self.author {
                settings::check_compiles(schema)?;
            }
            Ok(canonical)
        });
        checked.map_err(|message| self.field("settings", message, None)).ok()
    }

    fn version(&mut self, text: &str) -> Option<semver::Version> {
        let version = semver::Version::parse(text).ok().filter(|_| text.len() <= MAX_VERSION);
        if version.is_none() {
            let message =
                format!("a version is of the form 1.2.3 (semver), at most {MAX_VERSION} bytes");
            self.field("version", message, None);
        }
        version
    }

    /// A file that a judging plugin answers for is judged, so it must have been
    /// offered every file, alone, and have looked into it.
    fn judges(&mut self, text: &Text, scope: Option<Scope>, reads: Option<Reads>) {
        if scope == Some(Scope::Model) {
            self.field("scope", "a plugin that judges has the scope `file`", None);
        }
        if text.files != ["**"] {
            let help = "scanners decide by content, never by name: write `files = [\"**\"]`";
            self.field("files", "a plugin that judges takes all files", Some(help));
        }
        if reads == Some(Reads::None) {
            self.field("reads", "a plugin that judges reads `whole` or `parts`", None);
        }
    }

    fn license(&mut self, text: &str) -> String {
        let path = vec![Step::Key("license")];
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b" .-+():".contains(&b)) {
            let help = "write it as in `Apache-2.0 OR MIT`; `LicenseRef-NAME` for one that SPDX does not list";
            self.mistake(path.clone(), "a license is an SPDX expression", Some(help));
        }
        self.text(path, text, MAX_LICENSE, Lines::One)
    }

    fn homepage(&mut self, text: &str) -> String {
        let path = vec![Step::Key("homepage")];
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        if rest.is_none_or(|rest| {
            rest.is_empty() || rest.contains(|c: char| c.is_whitespace() || c.is_control())
        }) {
            self.mistake(path.clone(), "a homepage starts with `https://` or `http://`", None);
        }
        self.text(path, text, MAX_HOMEPAGE, Lines::One)
    }

    fn rules(&mut self, texts: &'a [RuleText]) -> Vec<Rule> {
        if texts.len() > MAX_RULES {
            let message =
                format!("a plugin has at most {MAX_RULES} rules, this one has {}", texts.len());
            self.field("rule", message, None);
            return Vec::new();
        }
        let mut rules = BTreeMap::new();
        for (index, text) in texts.iter().enumerate() {
            if let Some(rule) = self.rule(index, text)
                && rules.insert(rule.name.clone(), rule).is_some()
            {
                let message = format!("the rule `{}` stands twice", GuestText::new(&text.id, 64));
                self.mistake(rule_path(index, "id"), message, None);
            }
        }
        rules.into_values().collect()
    }

    fn rule(&mut self, index: usize, text: &'a RuleText) -> Option<Rule> {
        if !is_kebab(&text.id) {
            let message =
                "the id of a rule is 1 to 64 of a-z, 0-9 and `-`, and starts with a letter";
            let help = "the plugin's own id is not part of it: `id = \"not-allowed\"`";
            self.mistake(rule_path(index, "id"), message, Some(help));
        }
        let severity: Option<Severity> =
            text.severity.parse().map_err(|_| self.severity(index)).ok();
        if text.missing && severity.is_some_and(|severity| severity != Severity::Low) {
            let message = "a rule that says that something is missing has the severity `low`";
            let help = "it denies where its plugin is required, and only there";
            self.mistake(rule_path(index, "severity"), message, Some(help));
        }
        let title = self.text(rule_path(index, "title"), &text.title, MAX_TITLE, Lines::One);
        let help = self.text(rule_path(index, "help"), &text.help, MAX_HELP, Lines::Many);
        Some(Rule {
            name: text.id.clone(),
            title,
            severity: severity?,
            help,
            missing: text.missing,
        })
    }

    fn severity(&mut self, index: usize) {
        let message = "a severity is `info`, `low`, `medium`, `high` or `critical`";
        self.mistake(rule_path(index, "severity"), message, None);
    }

    fn limits(&mut self, LimitsText(texts): &LimitsText) -> LimitsAsked {
        let mut asked = LimitsAsked::default();
        for (limit, text) in texts {
            let (limit, path) = (*limit, vec![Step::Key("limits"), Step::Key(limit.name())]);
            let amount = match (limit.unit(), text) {
                (Unit::Count, LimitText::Number(number)) => Some(*number),
                (unit @ (Unit::Bytes | Unit::Time), LimitText::Text(text)) => unit.parse(text),
                _ => None,
            };
            match amount {
                Some(amount) if limit.bounds().contains(&amount) => asked.set(limit, amount),
                Some(_) => {
                    self.mistake(path, format!("the limit must be {}", limit.range()), None);
                }
                None => {
                    let message = format!("this is not {}: {}", limit.unit().what(), limit.form());
                    self.mistake(path, message, None);
                }
            }
        }
        asked
    }

    /// Returns `text` inert, after noting what is wrong with it.
    fn text(&mut self, path: Vec<Step<'a>>, text: &str, max: usize, lines: Lines) -> String {
        let text = text.trim_end();
        if text.trim_start().is_empty() || text.len() > max {
            let message = format!("this text has 1 to {max} bytes, not {}", text.len());
            self.mistake(path, message, None);
            return String::new();
        }
        let inert = match lines {
            Lines::One => inert(text),
            Lines::Many => text.split('\n').map(inert).collect::<Vec<_>>().join("\n"),
        };
        if self.author && inert != text {
            let message = "this text holds characters that are not shown as they stand";
            let help = match lines {
                Lines::One => "write it on one line, without control and invisible characters",
                Lines::Many => {
                    "write it without tabs, control and invisible characters, and without `::` at the start of a line"
                }
            };
            self.mistake(path, message, Some(help));
        }
        inert
    }
}

fn rule_path<'a>(index: usize, key: &'static str) -> Vec<Step<'a>> {
    vec![Step::Key("rule"), Step::Index(index), Step::Key(key)]
}

/// Returns `line` with what could act on a terminal or a CI runner written out.
/// It may grow, by ten bytes a character at most; the bound was checked before.
fn inert(line: &str) -> String {
    GuestText::new(line, usize::MAX).to_string()
}
