//! Owns what a walk over one file brings home: the defects seen, and why a walk
//! stopped early. Leaves the turning into findings to `judge`.

use std::collections::BTreeMap;

use modelhost_check::{ReadError, Rule, Severity};

use crate::rules;

/// How many defects of one rule are told one by one. A file with more is broken
/// in one way many times; the rest is counted.
const TOLD_PER_RULE: usize = 25;

/// One thing that is wrong with a file.
#[derive(Debug, Clone)]
pub struct Defect {
    /// The rule it breaks.
    pub rule: Rule,
    /// How bad it is, where that differs from the rule's default.
    pub severity: Option<Severity>,
    /// The tensor, key, node or archive member it is about.
    pub member: Option<String>,
    /// The offset in the file, or in the member where one is named.
    pub offset: Option<u64>,
    /// What was seen, in one sentence.
    pub message: String,
}

impl Defect {
    /// Returns a defect of the file as a whole.
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, severity: None, member: None, offset: None, message: message.into() }
    }

    /// Names the tensor, key, node or archive member.
    #[must_use]
    pub fn member(mut self, member: impl Into<String>) -> Self {
        self.member = Some(member.into());
        self
    }

    /// Names the offset.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Overrides the rule's default severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}

/// All defects that a walk has seen so far.
#[derive(Debug, Default)]
pub struct Found {
    defects: Vec<Defect>,
    /// How many there were of each rule, and the worst.
    seen: BTreeMap<&'static str, (usize, Severity)>,
}

impl Found {
    /// Adds a defect; past the first few of a rule, and of a severity, they are
    /// counted only.
    pub fn push(&mut self, defect: Defect) {
        self.add(defect.rule, defect.severity, || defect);
    }

    /// Adds a defect of that rule and severity, which is built only where it is
    /// told: a file can have a million of them.
    pub fn add(&mut self, rule: Rule, severity: Option<Severity>, build: impl FnOnce() -> Defect) {
        let severity = severity.unwrap_or(rule.severity());
        let (count, worst) = self.seen.entry(rule.name()).or_insert((0, severity));
        *count += 1;
        // A severity of its own is never counted away behind milder ones.
        if *count <= TOLD_PER_RULE || severity > *worst {
            *worst = severity.max(*worst);
            self.defects.push(build());
        }
    }

    /// Tells whether a defect is bad enough to keep the file out by itself.
    pub fn has_high(&self) -> bool {
        self.defects.iter().any(|defect| severity(defect) >= Severity::High)
    }

    /// Returns the defects, with one more for each rule that says how many were
    /// not told.
    pub fn into_defects(self) -> Vec<Defect> {
        let mut defects = self.defects;
        for (id, (seen, worst)) in self.seen {
            let mut told = defects.iter().filter(|defect| defect.rule.name() == id);
            let Some(rule) = told.next().map(|defect| defect.rule) else {
                continue;
            };
            let told = told.count() + 1;
            if seen > told {
                let more = format!("and {} more of the same kind in this file", seen - told);
                defects.push(Defect::new(rule, more).severity(worst));
            }
        }
        defects
    }
}

fn severity(defect: &Defect) -> Severity {
    defect.severity.unwrap_or(defect.rule.severity())
}

/// Why a walk ended before the end of what it had to look at.
#[derive(Debug)]
pub enum Stop {
    /// The content breaks its format, so nothing after this place is known.
    Malformed {
        /// Where.
        offset: u64,
        /// What was seen.
        message: String,
    },
    /// The content is of the format, in a variant that this check cannot judge.
    Unsupported(String),
    /// The content turned out to be something that this check does not judge.
    NotOurs(String),
    /// The file could not be read.
    Unreadable(ReadError),
}

impl Stop {
    /// Returns the stop of a walk at bytes that break the format.
    pub fn malformed(offset: u64, message: impl Into<String>) -> Self {
        Self::Malformed { offset, message: message.into() }
    }

    /// Returns the defect that this is, or else the stop itself.
    ///
    /// # Errors
    /// The stop, where it is not about malformed content.
    pub fn into_defect(self) -> Result<Defect, Self> {
        match self {
            Self::Malformed { offset, message } => {
                Ok(Defect::new(rules::MALFORMED, message).offset(offset))
            }
            other => Err(other),
        }
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_defects_of_one_rule_are_counted_and_the_worst_is_kept() {
        let mut found = Found::default();
        assert!(!found.has_high());
        for tensor in 0..1000 {
            found.push(Defect::new(rules::HOLE, format!("hole {tensor}")).severity(Severity::Low));
        }
        found.push(Defect::new(rules::HOLE, "a bad one").severity(Severity::Critical));
        found.push(Defect::new(rules::OVERLAP, "another rule"));
        let defects = found.into_defects();
        assert_eq!(defects.len(), TOLD_PER_RULE + 3);
        assert!(defects.iter().any(|defect| defect.message == "a bad one"));
        let rest = defects.last().unwrap();
        assert_eq!(rest.message, "and 975 more of the same kind in this file");
        assert_eq!(rest.severity, Some(Severity::Critical));
    }
}
