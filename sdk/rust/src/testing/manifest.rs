//! `plugin.toml` as far as a plugin's own tests look at it: do the rules in code,
//! manifest and documentation agree, was as much read as promised.
//!
//! The host checks more when a plugin is packed, such as its globs and the schema of its
//! settings: nothing here stands in for that.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Model, ranges_read};
use crate::answer::Answer;
use crate::finding::{Rule, Severity, is_kebab};

/// Is what a plugin says of itself in `plugin.toml`. [`manifest`] reads it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// The plugin's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// What it does, in one or two sentences.
    pub description: String,
    /// Its license, an SPDX expression.
    pub license: Option<String>,
    /// Where to read more.
    pub homepage: Option<String>,
    /// What one task sees.
    pub scope: Scope,
    /// Globs over the paths that it wants to see.
    pub files: Vec<String>,
    /// How much of each file it promises to have read.
    pub reads: Reads,
    /// Whether a file it checked counts as judged.
    #[serde(default)]
    pub judges: bool,
    /// The limits it asks for, as written.
    #[serde(default)]
    pub limits: toml::Table,
    /// Its rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<ManifestRule>,
    /// The JSON Schema of its settings, as written.
    #[serde(default)]
    pub settings: toml::Table,
}

/// Is one rule in `plugin.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ManifestRule {
    /// The rule's name, without the plugin's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The severity of its findings where they don't say otherwise.
    #[serde(deserialize_with = "severity")]
    pub severity: Severity,
    /// Whether it says that something is missing.
    #[serde(default)]
    pub missing: bool,
    /// What it means and what to do, in Markdown.
    pub help: String,
}

/// Says what one task sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All the files.
    Model,
    /// One file.
    File,
}

/// Says how much of each file a plugin promises to have read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reads {
    /// Each byte.
    Whole,
    /// A part of it.
    Parts,
    /// Nothing.
    None,
}

fn severity<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Severity, D::Error> {
    match String::deserialize(from)?.as_str() {
        "info" => Ok(Severity::Info),
        "low" => Ok(Severity::Low),
        "medium" => Ok(Severity::Medium),
        "high" => Ok(Severity::High),
        "critical" => Ok(Severity::Critical),
        other => Err(serde::de::Error::custom(format!("{other:?} is no severity"))),
    }
}

/// Reads `plugin.toml`: `testing::manifest(include_str!("../plugin.toml"))`.
///
/// # Panics
///
/// If it is no manifest.
#[must_use]
#[track_caller]
pub fn manifest(text: &str) -> Manifest {
    let manifest: Manifest = match toml::from_str(text) {
        Ok(manifest) => manifest,
        Err(error) => panic!("plugin.toml is no manifest: {error}"),
    };
    if let Err(why) = manifest.accept() {
        panic!("plugin.toml: {why}");
    }
    manifest
}

impl Manifest {
    fn accept(&self) -> Result<(), String> {
        let starts_with_a_letter = self.id.starts_with(|first: char| first.is_ascii_lowercase());
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.len() > 64 || !starts_with_a_letter || !self.id.chars().all(allowed) {
            return Err(format!("id {:?} is not [a-z][a-z0-9-]{{0,63}}", self.id));
        }
        if self.judges && (self.scope != Scope::File || self.files != ["**"]) {
            return Err("a plugin that judges has scope \"file\" and files [\"**\"]".to_owned());
        }
        if self.judges && self.reads == Reads::None {
            return Err("a plugin that judges reads \"whole\" or \"parts\"".to_owned());
        }
        let mut ids = BTreeSet::new();
        for rule in &self.rules {
            if !is_kebab(&rule.id) {
                return Err(format!("rule {:?} is not in kebab case", rule.id));
            }
            if !ids.insert(&rule.id) {
                return Err(format!("rule {:?} stands there twice", rule.id));
            }
            if rule.missing && rule.severity != Severity::Low {
                return Err(format!(
                    "rule {:?} is missing = true, so its severity is low",
                    rule.id
                ));
            }
        }
        Ok(())
    }

    /// Asserts that the rules in code are those of the manifest, with the same severities.
    ///
    /// # Panics
    ///
    /// If they differ.
    #[track_caller]
    pub fn assert_rules(&self, rules: &[Rule]) {
        let here: BTreeSet<_> = self.rules.iter().map(|rule| (&*rule.id, rule.severity)).collect();
        let code: BTreeSet<_> = rules.iter().map(|rule| (rule.name(), rule.severity())).collect();
        assert_eq!(code.len(), rules.len(), "a rule stands in code twice");
        assert_eq!(code, here, "the rules in code (left) and in plugin.toml (right) differ");
    }

    /// Asserts that `RULES.md` has a heading for each rule of the manifest and for no other:
    /// the level-two headings, with or without backquotes.
    ///
    /// # Panics
    ///
    /// If they differ.
    #[track_caller]
    pub fn assert_documented(&self, rules_md: &str) {
        let here: BTreeSet<_> = self.rules.iter().map(|rule| &*rule.id).collect();
        let headings = rules_md.lines().filter_map(|line| line.strip_prefix("## "));
        let documented: BTreeSet<_> =
            headings.map(|heading| heading.trim().trim_matches('`')).collect();
        assert_eq!(documented, here, "RULES.md (left) and plugin.toml (right) differ");
    }

    /// Asserts that an answer keeps what the manifest promises: that its findings are of
    /// its rules, and that as much was read of each file as `reads` says.
    ///
    /// The host fails the task of a plugin that does otherwise.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[track_caller]
    pub fn assert_kept(&self, model: &Model, answer: &Answer) {
        for finding in answer.findings() {
            let name = finding.rule.name();
            assert!(
                self.rules.iter().any(|rule| rule.id == name),
                "rule {name:?} is not in plugin.toml"
            );
        }
        for (path, content) in &model.files {
            if content.size == 0 {
                continue;
            }
            let read = ranges_read(model, path);
            let (kept, promise) = match (self.reads, answer) {
                (Reads::None, _) => (true, ""),
                (Reads::Whole, Answer::Checked(_)) => {
                    (read == [(0, content.size)], "each byte of a file it checked")
                }
                (Reads::Parts, Answer::Checked(_)) => {
                    (!read.is_empty(), "something of each file it checked")
                }
                (_, Answer::NotApplicable(_)) => (
                    !self.judges || read.first().is_some_and(|first| first.0 == 0),
                    "the start of a file that it judges to be none of its own",
                ),
            };
            assert!(
                kept,
                "the plugin promises to read {promise}; of the {} bytes of {path:?} it read {read:?}",
                content.size
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Observations;
    use crate::finding::Location;

    const BASE: &str = r#"
        id = "acme-scan"
        version = "0.1.0"
        title = "Scan"
        description = "Scans."
        license = "MIT"
        scope = "file"
        files = ["**"]
        reads = "parts"
        judges = true
        limits = { memory = "512MiB" }

        [[rule]]
        id = "bad"
        title = "Bad"
        severity = "high"
        help = "Don't."

        [[rule]]
        id = "unsigned"
        title = "Not signed"
        severity = "low"
        missing = true
        help = "Sign."

        [settings]
        type = "object"
        additionalProperties = false
    "#;
    const BAD: Rule = Rule::new("bad", Severity::High);
    const UNSIGNED: Rule = Rule::new("unsigned", Severity::Low);

    fn panics(of: impl FnOnce() + std::panic::UnwindSafe) -> Option<String> {
        let panic = std::panic::catch_unwind(of).err()?;
        Some(panic.downcast_ref::<String>().expect("a message with values in it").clone())
    }

    #[test]
    fn a_manifest_is_read() {
        let manifest = manifest(BASE);
        assert_eq!(manifest.id, "acme-scan");
        assert_eq!((manifest.scope, manifest.reads), (Scope::File, Reads::Parts));
        assert!(manifest.judges && manifest.rules[1].missing && !manifest.rules[0].missing);
        assert_eq!(manifest.license.as_deref(), Some("MIT"));
        assert_eq!(manifest.homepage, None);
        assert_eq!(manifest.settings["type"].as_str(), Some("object"));
        assert_eq!(manifest.limits["memory"].as_str(), Some("512MiB"));
    }

    #[test]
    fn a_manifest_that_the_host_would_refuse_is_refused() {
        for (from, to, why) in [
            ("acme-scan", "Acme", "[a-z][a-z0-9-]"),
            ("acme-scan", "", "[a-z][a-z0-9-]"),
            ("acme-scan", "9a", "[a-z][a-z0-9-]"),
            ("\"file\"", "\"model\"", "judges"),
            ("[\"**\"]", "[\"*.bin\"]", "judges"),
            ("\"parts\"", "\"none\"", "judges"),
            ("\"parts\"", "\"most\"", "unknown variant"),
            ("unsigned", "Unsigned", "kebab case"),
            ("unsigned", "bad", "twice"),
            ("\"low\"", "\"high\"", "severity is low"),
            ("\"low\"", "\"grave\"", "no severity"),
            ("title = \"Bad\"", "titel = \"Bad\"", "unknown field"),
            ("version = \"0.1.0\"", "", "missing field `version`"),
            ("id = ", "id", "plugin.toml is no manifest"),
        ] {
            assert!(BASE.contains(from), "{from}");
            let text = BASE.replacen(from, to, 1);
            let message = panics(move || drop(manifest(&text)));
            assert!(message.as_ref().is_some_and(|it| it.contains(why)), "{to}: {message:?}");
        }
    }

    #[test]
    fn rules_in_code_and_manifest_are_compared() {
        const RENAMED: Rule = Rule::new("evil", Severity::High);
        const MILDER: Rule = Rule::new("bad", Severity::Medium);
        manifest(BASE).assert_rules(&[UNSIGNED, BAD]);
        for wrong in [
            &[BAD][..],
            &[],
            &[BAD, UNSIGNED, RENAMED],
            &[RENAMED, UNSIGNED],
            &[MILDER, UNSIGNED],
            &[BAD, UNSIGNED, BAD],
        ] {
            assert!(panics(|| manifest(BASE).assert_rules(wrong)).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn rules_and_documentation_are_compared() {
        manifest(BASE).assert_documented("# Rules\n\n## bad\n\n### More\n## `unsigned` \nx\n");
        for wrong in ["## bad", "## bad\n## unsigned\n## other", "", "# bad\n# unsigned"] {
            assert!(panics(|| manifest(BASE).assert_documented(wrong)).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn what_was_read_is_held_against_the_promise() {
        let checked = || Answer::from(Observations::new());
        let skipped = || Answer::not_applicable("another format");
        let parts = BASE.to_owned();
        let whole = BASE.replace("\"parts\"", "\"whole\"");
        let none = BASE.replace("\"parts\"", "\"none\"").replace("judges = true", "");
        let unjudging = BASE.replace("judges = true", "");
        type Row<'a> = (&'a str, Answer, &'a [(u64, u32)], bool);
        let rows: [Row<'_>; 14] = [
            (&parts, checked(), &[], false),
            (&parts, checked(), &[(9, 1)], true),
            (&parts, checked(), &[(10, 1)], false),
            (&parts, skipped(), &[], false),
            (&parts, skipped(), &[(1, 9)], false),
            (&parts, skipped(), &[(5, 1), (0, 1)], true),
            (&whole, checked(), &[(0, 9)], false),
            (&whole, checked(), &[(0, 4), (5, 5)], false),
            (&whole, checked(), &[(5, 5), (0, 5)], true),
            (&whole, skipped(), &[(0, 1)], true),
            (&none, checked(), &[], true),
            (&none, skipped(), &[], true),
            (&unjudging, checked(), &[], false),
            (&unjudging, skipped(), &[], true),
        ];
        for (number, (text, answer, reads, kept)) in rows.into_iter().enumerate() {
            let model = Model::new("m").file("a", [0; 10]).file("empty", []);
            for &(offset, length) in reads {
                model.open("a").read(offset, length).unwrap();
            }
            let message = panics(|| manifest(text).assert_kept(&model, &answer));
            assert_eq!(message.is_none(), kept, "row {number}: {message:?}");
        }
    }

    #[test]
    fn a_rule_that_the_manifest_does_not_have_is_no_answer() {
        const OTHER: Rule = Rule::new("other", Severity::Low);
        for (rule, kept) in [(BAD, true), (OTHER, false)] {
            let model = Model::new("m");
            let answer = Observations::from_iter([rule.finding(Location::model(), "seen")]).into();
            let message = panics(|| manifest(BASE).assert_kept(&model, &answer));
            assert_eq!(message.is_none(), kept, "{message:?}");
        }
    }
}
