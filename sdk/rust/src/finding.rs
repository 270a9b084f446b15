//! One observation: a finding, its rule, severity, confidence and place, built so that
//! the host accepts it; and the bounds on texts.
//!
//! What a check says in all is `answer`'s; what it is worth, the policy's.

use crate::file::File;

/// How long a message, a help text, a fact's value or a reason may be, in bytes of
/// UTF-8, as the contract says.
pub const MAX_TEXT: usize = 4_096;

/// How long a location's member may be, in bytes of UTF-8, as the contract says.
pub const MAX_MEMBER: usize = 1_024;

/// How long the name of a rule or of a fact may be, in bytes, as the contract says.
pub const MAX_NAME: usize = 64;

/// Says how bad it is if a finding is true, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Is worth knowing; never changes a verdict.
    Info,
    /// Is a weakness, or something missing that a stricter policy would ask for.
    Low,
    /// Is likely to matter; a person should look.
    Medium,
    /// Means that loading or using the model is unsafe, forbidden or can't be shown safe.
    High,
    /// Means that loading or using the model does harm.
    Critical,
}

/// Says how sure the check is that a finding is true, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Means that it may well be otherwise.
    Low,
    /// Means that it is more likely than not.
    Medium,
    /// Means that it is as seen.
    High,
}

/// Names one kind of finding, without the plugin's id in front.
///
/// A rule is a constant, so that a misspelt name does not compile, and it stands in
/// `plugin.toml` too; `testing::Manifest::assert_rules` compares the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    name: &'static str,
    severity: Severity,
}

impl Rule {
    /// Makes a rule from its name in kebab case and the severity its findings have
    /// where they don't say otherwise.
    ///
    /// ```
    /// use modelhost_check::{Rule, Severity};
    ///
    /// const NOT_ALLOWED: Rule = Rule::new("not-allowed", Severity::High);
    /// ```
    ///
    /// ```compile_fail
    /// # use modelhost_check::{Rule, Severity};
    /// const NOT_ALLOWED: Rule = Rule::new("Not allowed", Severity::High);
    /// ```
    ///
    /// # Panics
    ///
    /// If the name is not in kebab case or longer than [`MAX_NAME`]; for a constant,
    /// that is an error when compiling.
    #[must_use]
    pub const fn new(name: &'static str, severity: Severity) -> Self {
        assert!(is_kebab(name), "a rule's name is in kebab case, at most 64 bytes");
        Self { name, severity }
    }

    /// Returns the name, such as `not-allowed`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the severity of its findings where they don't say otherwise.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// Makes a finding of this rule: where it was seen, and what, in one sentence.
    pub fn finding(self, location: Location, message: impl Into<String>) -> Finding {
        Finding {
            rule: self,
            severity: self.severity,
            confidence: Confidence::High,
            message: message.into(),
            location,
            help: None,
        }
    }
}

/// Says whether a name is in kebab case: words of `a-z` and `0-9` joined by single
/// `-`, the first beginning with a letter.
pub(crate) const fn is_kebab(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_NAME || !bytes[0].is_ascii_lowercase() {
        return false;
    }
    let mut index = 1;
    let mut after_hyphen = false;
    while index < bytes.len() {
        match bytes[index] {
            b'a'..=b'z' | b'0'..=b'9' => after_hyphen = false,
            b'-' if !after_hyphen => after_hyphen = true,
            _ => return false,
        }
        index += 1;
    }
    !after_hyphen
}

/// Says where in the model something is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Location {
    /// The path of the file; none for the model as a whole.
    pub file: Option<String>,
    /// What within the file: an archive member, a tensor, a key.
    pub member: Option<String>,
    /// A byte offset: from the start of the member where one is given, else from the
    /// start of the file.
    pub offset: Option<u64>,
    /// A line of a text file, counted from 1.
    pub line: Option<u32>,
}

impl Location {
    /// Points at the model as a whole.
    #[must_use]
    pub fn model() -> Self {
        Self::default()
    }

    /// Points at a file of the model.
    #[must_use]
    pub fn file(file: &File) -> Self {
        Self::path(file.path())
    }

    /// Points at a path: that of a file in view, or, for one that is missing, of the
    /// lock entry. The host refuses an answer that names any other.
    pub fn path(path: impl Into<String>) -> Self {
        Self { file: Some(path.into()), ..Self::default() }
    }

    /// Points within the file at an archive member, a tensor, a key. Longer than
    /// [`MAX_MEMBER`], it is cut.
    #[must_use]
    pub fn member(mut self, member: impl Into<String>) -> Self {
        self.member = Some(member.into());
        self
    }

    /// Points at a byte: counted from the start of the member where there is one, else
    /// from the start of the file.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Points at a line, counted from 1.
    #[must_use]
    pub fn line(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }
}

/// Is one observation about the model. [`Rule::finding`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule it is of.
    pub rule: Rule,
    /// How bad it is if it is true.
    pub severity: Severity,
    /// How sure the check is that it is true.
    pub confidence: Confidence,
    /// What was seen, in one sentence.
    pub message: String,
    /// Where it was seen.
    pub location: Location,
    /// What the reader can do about it.
    pub help: Option<String>,
}

impl Finding {
    /// Sets a severity other than the rule's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sets how sure the check is; without it, [`Confidence::High`].
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Sets what the reader can do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Makes all texts fit the contract.
    pub(crate) fn fit(&mut self) {
        fit(&mut self.message, NO_MESSAGE);
        self.help = self.help.take().filter(|help| !help.is_empty());
        if let Some(help) = &mut self.help {
            fit(help, NO_MESSAGE);
        }
        if let Some(member) = &mut self.location.member {
            cut(member, MAX_MEMBER);
        }
    }
}

/// What stands where a check gave no message: the contract wants one.
pub(crate) const NO_MESSAGE: &str = "(no message)";

/// Makes a text fit the contract: never empty, never too long.
pub(crate) fn fit(text: &mut String, if_empty: &str) {
    if text.is_empty() {
        text.push_str(if_empty);
    }
    cut(text, MAX_TEXT);
}

/// Cuts a text to at most `max` bytes, at a character's end, and shows that it was.
fn cut(text: &mut String, max: usize) {
    const MARK: &str = "…";
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max.saturating_sub(MARK.len())));
        text.push_str(MARK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_case() {
        let longest = "a".repeat(MAX_NAME);
        for name in ["a", "not-allowed", "sha256", "a-1", "x-2-y", &longest] {
            assert!(is_kebab(name), "{name:?}");
        }
        let too_long = "a".repeat(MAX_NAME + 1);
        let wrong = [
            "", "-", "-a", "a-", "a--b", "1a", "A", "aB", "a_b", "a b", "a.b", "a/b", "é", "a\n",
            &too_long,
        ];
        for name in wrong {
            assert!(!is_kebab(name), "{name:?}");
        }
    }

    #[test]
    #[should_panic(expected = "kebab case")]
    fn a_misspelt_rule_is_refused() {
        let _ = Rule::new("Not-Allowed", Severity::Low);
    }

    #[test]
    fn texts_are_cut_at_a_character() {
        let row = |text: &str, max| {
            let mut text = text.to_owned();
            cut(&mut text, max);
            text
        };
        for (text, max, expected) in [
            ("", 6, ""),
            ("abcdef", 6, "abcdef"),
            ("abcdefg", 6, "abc…"),
            ("abéé", 6, "abéé"),
            ("abééé", 6, "ab…"),
            ("éééé", 6, "é…"),
            ("🦀🦀", 6, "…"),
        ] {
            assert_eq!(row(text, max), expected, "{text:?}");
        }
    }

    #[test]
    fn findings_start_from_their_rule() {
        const RULE: Rule = Rule::new("rule", Severity::High);
        let finding = RULE.finding(Location::model(), "seen");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.confidence, Confidence::High);
        assert_eq!(finding.help, None);
        assert_eq!(finding.location, Location::default());
        let finding = finding.severity(Severity::Info).confidence(Confidence::Low).help("wait");
        assert_eq!(finding.rule, RULE);
        assert_eq!(finding.severity, Severity::Info);
        assert_eq!(finding.confidence, Confidence::Low);
        assert_eq!(finding.help.as_deref(), Some("wait"));
    }

    #[test]
    fn all_texts_of_a_finding_are_fitted() {
        const RULE: Rule = Rule::new("rule", Severity::High);
        let place = Location::path("a.zip").member("m".repeat(MAX_MEMBER + 1)).offset(1).line(2);
        let mut finding =
            RULE.finding(place, "x".repeat(MAX_TEXT + 1)).help("y".repeat(MAX_TEXT + 1));
        finding.fit();
        assert_eq!(finding.message.len(), MAX_TEXT);
        assert_eq!(finding.help.map(|help| help.len()), Some(MAX_TEXT));
        assert_eq!(finding.location.member.map(|member| member.len()), Some(MAX_MEMBER));
        assert_eq!((finding.location.offset, finding.location.line), (Some(1), Some(2)));
    }
}
