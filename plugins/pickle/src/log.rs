//! The plugin's rules, and the log of what was found in one file.
//!
//! When a rule is broken is for the parsers; what a finding is worth, for the host.

use std::collections::{BTreeMap, BTreeSet};

use modelhost_check::{Confidence, Finding, Location, Rule, Severity};

/// A global that is known to do harm.
pub const DANGEROUS_GLOBAL: Rule = Rule::new("dangerous-global", Severity::Critical);
/// A global that can't be shown safe.
pub const UNSAFE_GLOBAL: Rule = Rule::new("unsafe-global", Severity::High);
/// A global named by a path of attributes.
pub const DOTTED_GLOBAL: Rule = Rule::new("dotted-global", Severity::High);
/// A global whose name is made while loading.
pub const COMPUTED_GLOBAL: Rule = Rule::new("computed-global", Severity::High);
/// A global that the settings allow.
pub const ALLOWED_BY_SETTINGS: Rule = Rule::new("allowed-by-settings", Severity::Info);
/// A call that loading does not need, or of an allowed global with arguments that no framework gives it.
pub const UNSAFE_CALL: Rule = Rule::new("unsafe-call", Severity::High);
/// A state that changes what loading does.
pub const UNSAFE_BUILD: Rule = Rule::new("unsafe-build", Severity::High);
/// An extension code.
pub const EXTENSION_CODE: Rule = Rule::new("extension-code", Severity::High);
/// A pickle that is broken.
pub const MALFORMED: Rule = Rule::new("malformed", Severity::High);
/// A pickle that needs more than a check may take.
pub const OVER_LIMIT: Rule = Rule::new("over-limit", Severity::High);
/// Bytes after a pickle that are none.
pub const TRAILING_DATA: Rule = Rule::new("trailing-data", Severity::High);
/// A pickle where data was expected.
pub const HIDDEN_PICKLE: Rule = Rule::new("hidden-pickle", Severity::High);
/// An archive that one reader sees otherwise than another.
pub const ARCHIVE_MISMATCH: Rule = Rule::new("archive-mismatch", Severity::High);
/// An archive whose member would be unpacked elsewhere.
pub const ARCHIVE_PATH: Rule = Rule::new("archive-path", Severity::High);
/// An archive or compressed file whose content can't be read here.
pub const UNREADABLE_CONTENT: Rule = Rule::new("unreadable-content", Severity::High);

/// All rules, as `plugin.toml` and `RULES.md` have them.
pub const RULES: &[Rule] = &[
    DANGEROUS_GLOBAL,
    UNSAFE_GLOBAL,
    DOTTED_GLOBAL,
    COMPUTED_GLOBAL,
    ALLOWED_BY_SETTINGS,
    UNSAFE_CALL,
    UNSAFE_BUILD,
    EXTENSION_CODE,
    MALFORMED,
    OVER_LIMIT,
    TRAILING_DATA,
    HIDDEN_PICKLE,
    ARCHIVE_MISMATCH,
    ARCHIVE_PATH,
    UNREADABLE_CONTENT,
];

/// Findings kept of one rule: a hostile archive has the same fault in each of its members.
const KEPT_OF_RULE: u32 = 60;
/// Findings of one rule compared with those kept: most repeat one another.
const OFFERED_OF_RULE: u32 = 5_000;
/// Findings kept of one file; the host takes 1,000, and the SDK says how many more there were.
const KEPT: usize = 1_500;

/// How many findings of one rule and severity there were, and how many differed.
#[derive(Debug, Default)]
struct Count {
    kept: u32,
    offered: u32,
}

/// Collects what was found in one file.
#[derive(Debug)]
pub struct Log {
    path: String,
    findings: Vec<Finding>,
    seen: BTreeSet<(&'static str, String, String)>,
    counts: BTreeMap<(&'static str, Severity), Count>,
    dropped: u32,
    worst: Severity,
}

impl Log {
    /// Starts a log of the file at `path`.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            findings: Vec::new(),
            seen: BTreeSet::new(),
            counts: BTreeMap::new(),
            dropped: 0,
            worst: Severity::Info,
        }
    }

    /// Starts a log for a trial, to be merged or thrown away.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::new(&self.path)
    }

    /// Adds what a trial found.
    pub fn merge(&mut self, other: Self) {
        for finding in other.findings {
            self.push(finding);
        }
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.worst = self.worst.max(other.worst);
    }

    /// Adds a finding in `member` (empty: the file itself) at `offset`.
    pub fn add(&mut self, rule: Rule, member: &str, offset: u64, message: impl Into<String>) {
        self.add_as(rule, rule.severity(), Confidence::High, member, offset, message);
    }

    /// Adds a finding with a severity and confidence of its own.
    pub fn add_as(
        &mut self,
        rule: Rule,
        severity: Severity,
        confidence: Confidence,
        member: &str,
        offset: u64,
        message: impl Into<String>,
    ) {
        let mut location = Location::path(self.path.clone()).offset(offset);
        if !member.is_empty() {
            location = location.member(member);
        }
        let mut finding = rule.finding(location, message).severity(severity).confidence(confidence);
        if severity >= Severity::Medium {
            finding = finding.help(help(rule));
        }
        self.push(finding);
    }

    fn push(&mut self, finding: Finding) {
        if self.findings.len() >= KEPT || self.full_at(finding.rule, finding.severity) {
            self.dropped = self.dropped.saturating_add(1);
            self.worst = self.worst.max(finding.severity);
            return;
        }
        let count = self.counts.entry((finding.rule.name(), finding.severity)).or_default();
        count.offered += 1;
        let member = finding.location.member.clone().unwrap_or_default();
        if self.seen.insert((finding.rule.name(), member, finding.message.clone())) {
            count.kept += 1;
            self.findings.push(finding);
        }
    }

    fn full_at(&self, rule: Rule, severity: Severity) -> bool {
        let count = self.counts.get(&(rule.name(), severity));
        count.is_some_and(|count| count.kept >= KEPT_OF_RULE || count.offered >= OFFERED_OF_RULE)
    }

    /// Says whether no more findings of this rule, of its own severity, are kept; counts one as dropped then.
    pub fn full(&mut self, rule: Rule) -> bool {
        let full = self.full_at(rule, rule.severity());
        if full {
            self.dropped = self.dropped.saturating_add(1);
            self.worst = self.worst.max(rule.severity());
        }
        full
    }

    /// Returns whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Returns the severity of the worst finding.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings
            .iter()
            .map(|finding| finding.severity)
            .chain((self.dropped > 0).then_some(self.worst))
            .max()
    }

    /// Returns the findings, the worst first where there are too many to show.
    #[must_use]
    pub fn into_findings(mut self) -> Vec<Finding> {
        if self.dropped > 0 {
            let message = format!("{} findings more are not shown", self.dropped);
            let more =
                OVER_LIMIT.finding(Location::path(self.path.clone()), message).severity(self.worst);
            self.findings.insert(0, more);
        }
        self.findings
    }
}

fn help(rule: Rule) -> &'static str {
    match rule.name() {
        "dangerous-global" | "dotted-global" | "computed-global" | "hidden-pickle" => {
            "Do not load this file. Ask its author for safetensors, or get the model from a source you trust."
        }
        "unsafe-global" => {
            "If the package that defines it is trusted and needed, allow the name in the settings of this plugin with a reason; \
             else convert the model to safetensors where it was made."
        }
        "malformed" | "over-limit" | "unreadable-content" => {
            "Get the file again and compare its digest; if it is as its author made it, it can't be shown safe: ask for another format."
        }
        "archive-mismatch" | "archive-path" => {
            "Do not unpack or load this file; save the model again with the framework that made it."
        }
        _ => "No framework writes this. Do not load the file before its author has explained it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_kept_once_and_floods_are_counted() {
        let mut log = Log::new("file");
        for n in 0..10_000 {
            log.add(MALFORMED, "", 0, "the same");
            log.add(ARCHIVE_MISMATCH, "", n, format!("another {n}"));
        }
        log.add(DANGEROUS_GLOBAL, "", 0, "one more");
        assert!(log.full(ARCHIVE_MISMATCH) && !log.full(DANGEROUS_GLOBAL));
        let findings = log.into_findings();
        let of = |rule: Rule| findings.iter().filter(|finding| finding.rule == rule).count();
        assert_eq!((of(MALFORMED), of(DANGEROUS_GLOBAL)), (1, 1));
        assert_eq!(of(ARCHIVE_MISMATCH), usize::try_from(KEPT_OF_RULE).expect("small"));
        assert_eq!(of(OVER_LIMIT), 1, "says how many more there were");
    }
}
