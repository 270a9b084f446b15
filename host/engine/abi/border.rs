//! The border: what a guest returned is checked against its manifest, its view
//! and its limits, and becomes values of the domain.
//!
//! Leaves where it came from, a guest of this process or a worker, to whoever
//! calls.
//!
//! # Invariants
//! - Text becomes `GuestText` here; nothing raw gets further.

use std::collections::BTreeSet;

use super::raw::{RawAnswer, RawFact, RawFailure, RawFinding, RawLocation};
use crate::domain::capability::{Limit, Limits};
use crate::domain::finding::{Fact, Finding, Location, RuleId};
use crate::domain::model::FilePath;
use crate::domain::plugin::{Manifest, is_kebab};
use crate::domain::text::GuestText;
use crate::domain::verdict::{Answer, Failure, FailureCode, Outcome};
use crate::engine::state::View;

/// The most bytes of a member's name in a location.
const MAX_MEMBER: usize = 1024;

/// Turns what `check` returned into an outcome, or says how it breaks the
/// contract.
pub(in crate::engine) fn outcome(
    returned: Result<RawAnswer, RawFailure>,
    manifest: &Manifest,
    view: &View,
    limits: &Limits,
) -> Outcome {
    let border = Border { manifest, view, limits };
    match returned {
        Ok(answer) => match border.answer(answer) {
            Ok(answer) => Outcome::Answered(answer),
            Err(failure) => Outcome::Failed(failure),
        },
        Err(failure) => Outcome::Failed(border.failure(&failure)),
    }
}

/// What a guest's values are checked against.
struct Border<'a> {
    manifest: &'a Manifest,
    view: &'a View,
    limits: &'a Limits,
}

impl Border<'_> {
    fn answer(&self, answer: RawAnswer) -> Result<Answer, Failure> {
        match answer {
            RawAnswer::NotApplicable(reason) => {
                Ok(Answer::NotApplicable(self.text(&reason, "the reason")?))
            }
            RawAnswer::Checked { findings, facts } => {
                self.at_most(Limit::Findings, "findings", findings.len())?;
                self.at_most(Limit::Facts, "facts", facts.len())?;
                let findings = findings
                    .into_iter()
                    .map(|finding| self.finding(finding))
                    .collect::<Result<_, _>>()?;
                let facts: Vec<Fact> =
                    facts.into_iter().map(|fact| self.fact(fact)).collect::<Result<_, _>>()?;
                let keys: BTreeSet<&str> = facts.iter().map(|fact| fact.key.as_str()).collect();
                if keys.len() < facts.len() {
                    return Err(broken("it states one fact twice"));
                }
                Ok(Answer::Checked { findings, facts })
            }
        }
    }

    fn finding(&self, finding: RawFinding) -> Result<Finding, Failure> {
        let rule = self
            .manifest
            .rule(&finding.rule)
            .and_then(|rule| RuleId::new(self.manifest.id.clone(), &rule.name))
            .ok_or_else(|| {
                broken(&format!(
                    "it names a rule that its manifest does not have: {}",
                    finding.rule
                ))
            })?;
        Ok(Finding {
            rule,
            severity: finding.severity,
            confidence: finding.confidence,
            message: self.text(&finding.message, "a message")?,
            location: self.location(finding.location)?,
            help: finding.help.map(|help| self.text(&help, "a help text")).transpose()?,
        })
    }

    fn location(&self, location: RawLocation) -> Result<Location, Failure> {
        let RawLocation { file, member, offset, line } = location;
        if file.is_none() && (member.is_some() || offset.is_some() || line.is_some()) {
            return Err(broken("it names a place without a file"));
        }
        let member = member
            .map(|member| {
                if member.len() > MAX_MEMBER {
                    return Err(broken(&format!("a member's name has {} bytes", member.len())));
                }
                Ok(GuestText::new(&member, MAX_MEMBER))
            })
            .transpose()?;
        Ok(Location { file: file.map(|file| self.path(file)).transpose()?, member, offset, line })
    }

    /// Takes only paths that the guest was shown, in the view or the lock entry.
    fn path(&self, path: String) -> Result<FilePath, Failure> {
        let path = FilePath::from_written(path);
        let in_view = self.view.files.binary_search_by(|file| file.path().cmp(&path)).is_ok();
        let in_lock = || self.view.lock.as_ref().is_some_and(|lock| lock.file(&path).is_some());
        if in_view || in_lock() {
            Ok(path)
        } else {
            Err(broken(&format!("it names a file that it was not shown: {path}")))
        }
    }

    fn fact(&self, fact: RawFact) -> Result<Fact, Failure> {
        if !is_kebab(&fact.key) {
            return Err(broken(&format!("a fact's key is no kebab-case name: {}", fact.key)));
        }
        let value = self.text(&fact.value, "a fact's value")?;
        Ok(Fact { key: fact.key, value })
    }

    fn failure(&self, failure: &RawFailure) -> Failure {
        match self.text(&failure.said, "its failure's text") {
            Ok(message) => Failure { code: failure.code, message, help: None },
            Err(failure) => failure,
        }
    }

    fn text(&self, raw: &str, what: &str) -> Result<GuestText, Failure> {
        if raw.is_empty() {
            return Err(broken(&format!("{what} is empty")));
        }
        self.at_most(Limit::Text, &format!("bytes in {what}"), raw.len())?;
        Ok(GuestText::new(raw, usize::try_from(self.limits.text).unwrap_or(usize::MAX)))
    }

    fn at_most(&self, limit: Limit, what: &str, count: usize) -> Result<(), Failure> {
        let most = self.limits.get(limit);
        if count as u64 <= most {
            return Ok(());
        }
        let message = format!("its answer has {count} {what}, {most} are allowed");
        Err(Failure::new(FailureCode::Limit(limit), &message))
    }
}

fn broken(how: &str) -> Failure {
    Failure::new(FailureCode::BadAnswer, &format!("its answer breaks the contract: {how}"))
        .with_help("report it to whoever makes the plugin")
}
