//! `plugin.toml` as far as a plugin's own tests look at it: do the rules in code,
//! manifest and documentation agree, was as much read as promised.
//!
//! The host reads and validates manifests itself; nothing here stands in for that.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Model, bytes_read};
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
    pub license: String,
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
        other => Err(serde::de::Error::custom(format!(
            "{other:?} is no severity"
        ))),
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
        let starts_with_a_letter = self
            .id
            .starts_with(|first: char| first.is_ascii_lowercase());
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.len() > 64 || !starts_with_a_letter || !self.id.chars().all(allowed) {
            return Err(format!("id {:?} is not [a-z][a-z0-9-]{{0,63}}", self.id));
        }
        if self.judges && (self.scope != Scope::File || self.files != ["**"]) {
            return Err("a plugin that judges has scope \"file\" and files [\"**\"]".to_owned());
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
        let here: BTreeSet<_> = self
            .rules
            .iter()
            .map(|rule| (&*rule.id, rule.severity))
            .collect();
        let code: BTreeSet<_> = rules
            .iter()
            .map(|rule| (rule.name(), rule.severity()))
            .collect();
        assert_eq!(code.len(), rules.len(), "a rule stands in code twice");
        assert_eq!(
            code, here,
            "the rules in code (left) and in plugin.toml (right) differ"
        );
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
        let documented: BTreeSet<_> = headings
            .map(|heading| heading.trim().trim_matches('`'))
            .collect();
        assert_eq!(
            documented, here,
            "RULES.md (left) and plugin.toml (right) differ"
        );
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
        let checked = matches!(answer, Answer::Checked(_));
        for (path, content) in &model.files {
            let read = bytes_read(model, path);
            let needed = match self.reads {
                _ if content.size == 0 => 0,
                Reads::Whole if checked => content.size,
                Reads::Parts if checked => 1,
                _ if self.judges => 1,
                _ => 0,
            };
            assert!(
                read >= needed,
                "{read} of {} bytes of {path:?} were read, which is less than promised",
                content.size
            );
        }
    }
}
