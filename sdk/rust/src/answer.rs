//! What a check says in all: observations within the contract's bounds, an answer, or
//! why there is none.
//!
//! Single findings are `finding`'s. Nothing here says "pass": the host judges.

use std::fmt::{self, Write as _};

use crate::file::ReadError;
use crate::finding::{Finding, NO_MESSAGE, fit};

/// How many findings one answer may hold, as the contract says.
pub const MAX_FINDINGS: usize = 1_000;

/// How many facts one answer may hold, as the contract says.
pub const MAX_FACTS: usize = 256;

/// Is one thing that the check established, whether good or bad.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fact {
    /// A name in kebab case, at most [`MAX_NAME`](crate::MAX_NAME) bytes.
    pub key: String,
    /// What was established.
    pub value: String,
}

/// Gathers all that a check has to say of what it was shown.
///
/// At most [`MAX_FINDINGS`] findings are kept. Where there are more, the last one says
/// how many more, and stands for the worst of them: it has that finding's rule,
/// severity and place. So however many findings a hostile model provokes, the list
/// never hides one that is worse than what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observations {
    findings: Vec<Finding>,
    facts: Vec<Fact>,
    /// What the last finding stands for, once there were too many.
    rest: Option<Rest>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rest {
    count: u64,
    worst: String,
}

impl Observations {
    /// Makes an empty set of observations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding.
    pub fn push(&mut self, mut finding: Finding) {
        finding.fit();
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
            return;
        }
        let Some(last) = self.findings.last_mut() else {
            return;
        };
        let rest = self.rest.get_or_insert_with(|| Rest { count: 1, worst: last.message.clone() });
        rest.count += 1;
        if (finding.severity, finding.confidence) > (last.severity, last.confidence) {
            rest.worst = std::mem::take(&mut finding.message);
            *last = finding;
        }
        last.message.clear();
        // Writing to a string does not fail.
        let _ = write!(
            last.message,
            "{} more findings are not listed, the worst of them: {}",
            rest.count, rest.worst
        );
        fit(&mut last.message, NO_MESSAGE);
    }

    /// Adds a fact: a key in kebab case of at most [`MAX_NAME`](crate::MAX_NAME) bytes, each key once,
    /// at most [`MAX_FACTS`]. The host refuses an answer that breaks this, and
    /// `testing::check` panics on it.
    pub fn fact(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let mut value = value.into();
        fit(&mut value, "(empty)");
        self.facts.push(Fact { key: key.into(), value });
    }

    /// Returns the findings.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the facts.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn into_parts(self) -> (Vec<Finding>, Vec<Fact>) {
        (self.findings, self.facts)
    }
}

impl Extend<Finding> for Observations {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

impl FromIterator<Finding> for Observations {
    fn from_iter<T: IntoIterator<Item = Finding>>(findings: T) -> Self {
        let mut observations = Self::new();
        observations.extend(findings);
        observations
    }
}

/// Is what a check found. There is no way to say "pass": a check reports, and the host
/// judges by the operator's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The check did its work on what it was shown.
    Checked(Observations),
    /// The check has nothing to say about this content, and why.
    NotApplicable(String),
}

impl Answer {
    /// Says that the content is none of this check's, and why.
    pub fn not_applicable(reason: impl Into<String>) -> Self {
        Self::NotApplicable(reason.into())
    }

    /// Returns the findings; none where the check had nothing to say.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Checked(observations) => observations.findings(),
            Self::NotApplicable(_) => &[],
        }
    }

    /// Returns the facts; none where the check had nothing to say.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        match self {
            Self::Checked(observations) => observations.facts(),
            Self::NotApplicable(_) => &[],
        }
    }

    /// Returns the value of the fact of that key.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&str> {
        let fact = self.facts().iter().find(|fact| fact.key == key)?;
        Some(&fact.value)
    }

    pub(crate) fn fitted(mut self) -> Self {
        // Observations fit as they are gathered.
        if let Self::NotApplicable(reason) = &mut self {
            fit(reason, NO_MESSAGE);
        }
        self
    }
}

impl From<Observations> for Answer {
    fn from(observations: Observations) -> Self {
        Self::Checked(observations)
    }
}

/// Is why a check could not do its work. The verdict is then `error`, which never lets
/// a model through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The settings satisfy the manifest's schema but can't be used.
    InvalidSettings(String),
    /// A file could not be read.
    Unreadable(String),
    /// The content is of a format the check is meant for, in a version or variant it
    /// can't judge.
    Unsupported(String),
    /// Anything else kept the check from its work.
    Internal(String),
}

impl Failure {
    pub(crate) fn fitted(mut self) -> Self {
        let (Self::InvalidSettings(text)
        | Self::Unreadable(text)
        | Self::Unsupported(text)
        | Self::Internal(text)) = &mut self;
        fit(text, NO_MESSAGE);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, text) = match self {
            Self::InvalidSettings(text) => ("invalid settings: ", text),
            Self::Unreadable(text) => ("unreadable: ", text),
            Self::Unsupported(text) => ("unsupported: ", text),
            Self::Internal(text) => ("internal: ", text),
        };
        f.write_str(kind)?;
        f.write_str(text)
    }
}

impl std::error::Error for Failure {}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Location, MAX_TEXT, Rule, Severity};

    const NOTE: Rule = Rule::new("note", Severity::Low);
    const WORSE: Rule = Rule::new("worse", Severity::High);

    fn flood(count: usize) -> Observations {
        (0..count)
            .map(|n| NOTE.finding(Location::path(format!("{n}")), format!("number {n}")))
            .collect()
    }

    #[test]
    fn keeps_all_findings_up_to_the_bound() {
        let seen = flood(MAX_FINDINGS);
        assert_eq!(seen.findings().len(), MAX_FINDINGS);
        assert_eq!(seen.findings()[MAX_FINDINGS - 1].message, "number 999");
    }

    #[test]
    fn counts_findings_past_the_bound() {
        for (extra, message) in [
            (1, "2 more findings are not listed, the worst of them: number 999"),
            (2, "3 more findings are not listed, the worst of them: number 999"),
            (9_000, "9001 more findings are not listed, the worst of them: number 999"),
        ] {
            let seen = flood(MAX_FINDINGS + extra);
            assert_eq!(seen.findings().len(), MAX_FINDINGS);
            assert_eq!(seen.findings()[MAX_FINDINGS - 2].message, "number 998");
            assert_eq!(seen.findings()[MAX_FINDINGS - 1].message, message);
        }
    }

    #[test]
    fn shows_the_worst_of_what_is_not_listed() {
        let mut seen = flood(MAX_FINDINGS);
        seen.push(
            WORSE.finding(Location::path("bad").offset(7), "the first bad one").help("do this"),
        );
        seen.push(WORSE.finding(Location::path("also-bad"), "as bad, later"));
        seen.push(WORSE.finding(Location::model(), "less sure").confidence(Confidence::Low));
        seen.push(NOTE.finding(Location::model(), "harmless"));
        let [.., last] = seen.findings() else { panic!("there are findings") };
        let message = "5 more findings are not listed, the worst of them: the first bad one";
        let expected = WORSE.finding(Location::path("bad").offset(7), message).help("do this");
        assert_eq!(*last, expected);

        seen.push(NOTE.finding(Location::model(), "worst").severity(Severity::Critical));
        let [.., last] = seen.findings() else { panic!("there are findings") };
        assert_eq!(last.severity, Severity::Critical);
        assert_eq!(last.message, "6 more findings are not listed, the worst of them: worst");
        assert_eq!(last.help, None);
    }

    #[test]
    fn long_texts_stay_within_the_bound_in_a_flood() {
        let mut seen = flood(MAX_FINDINGS - 1);
        for _ in 0..3 {
            seen.push(NOTE.finding(Location::model(), "é".repeat(MAX_TEXT)));
        }
        let [.., last] = seen.findings() else { panic!("there are findings") };
        assert!(last.message.starts_with("3 more findings"));
        assert!(last.message.ends_with("é…"));
        assert!(last.message.len() <= MAX_TEXT && last.message.len() > MAX_TEXT - 4);
    }

    #[test]
    fn texts_are_never_empty() {
        let mut seen = Observations::new();
        seen.push(NOTE.finding(Location::model(), "").help(""));
        seen.fact("signer", "");
        assert_eq!(seen.findings()[0].message, "(no message)");
        assert_eq!(seen.findings()[0].help, None);
        assert_eq!(seen.facts()[0].value, "(empty)");
        let answer = Answer::not_applicable("").fitted();
        assert_eq!(answer, Answer::NotApplicable("(no message)".to_owned()));
        let failure = Failure::Internal(String::new()).fitted();
        assert_eq!(failure, Failure::Internal("(no message)".to_owned()));
    }

    #[test]
    fn answers_show_what_is_in_them() {
        let mut seen = flood(2);
        seen.fact("license", "MIT");
        let answer = Answer::from(seen);
        assert_eq!((answer.findings().len(), answer.facts().len()), (2, 1));
        assert_eq!(answer.fact("license"), Some("MIT"));
        assert_eq!(answer.fact("signer"), None);
        let answer = Answer::not_applicable("no card");
        assert!(answer.findings().is_empty() && answer.facts().is_empty());
        assert_eq!(answer.fact("license"), None);
    }

    #[test]
    fn failures_say_their_kind() {
        for (failure, shown) in [
            (Failure::InvalidSettings("x".into()), "invalid settings: x"),
            (Failure::Unreadable("x".into()), "unreadable: x"),
            (Failure::Unsupported("x".into()), "unsupported: x"),
            (Failure::Internal("x".into()), "internal: x"),
            (ReadError::Changed.into(), "unreadable: the file changed during the run"),
        ] {
            assert_eq!(failure.to_string(), shown);
        }
    }
}
