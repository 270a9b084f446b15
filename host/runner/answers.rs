//! How much the plugins of a run say, all their tasks together: answers are
//! kept until the report is written, so that their sum is bounded.
//!
//! Leaves the bound on one answer to the engine's border.
//!
//! # Invariants
//! - Whether a plugin is past its bound depends on all its answers, never on the
//!   order in which its tasks ran.

use crate::domain::finding::{Fact, Finding};
use crate::domain::verdict::{Answer, Outcome};

/// How many bytes all answers of a run may take together: what is left of
/// 256 MiB beside a run's files and tasks.
const MOST: u64 = 48 << 20;

/// What a finding or a fact takes beside its texts.
const EACH: u64 = 256;

/// How many bytes each plugin's answers took so far, by its place.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<u64>);

impl Answers {
    /// Starts to count for `plugins` plugins.
    pub(super) fn of(plugins: usize) -> Self {
        Self(vec![0; plugins])
    }

    /// Counts an answer of `plugin`; says whether it has something in it that is
    /// past the bound.
    pub(super) fn add(&mut self, plugin: usize, outcome: &Outcome) -> bool {
        let bound = bound(self.0.len());
        let size = size(outcome);
        let Some(sum) = self.0.get_mut(plugin) else { return false };
        *sum = sum.saturating_add(size);
        size > 0 && *sum > bound
    }

    /// Returns the plugins that are past their bound, by their place.
    pub(super) fn past_the_bound(&self) -> Vec<usize> {
        let bound = bound(self.0.len());
        let sums = self.0.iter().enumerate();
        sums.filter(|(_, sum)| **sum > bound).map(|(plugin, _)| plugin).collect()
    }
}

/// Returns how many bytes the answers of each of `plugins` plugins may take.
pub(super) fn bound(plugins: usize) -> u64 {
    MOST / (plugins as u64).max(1)
}

/// Returns how many bytes an answer takes beyond what every task does.
pub(super) fn size(outcome: &Outcome) -> u64 {
    let Outcome::Answered(Answer::Checked { findings, facts }) = outcome else { return 0 };
    let findings = findings.iter().map(|Finding { message, location, help, .. }| {
        let texts = [Some(message), location.member.as_ref(), help.as_ref()];
        let texts = texts.into_iter().flatten().map(|text| text.as_str().len() as u64);
        EACH + texts.sum::<u64>()
    });
    let facts = facts
        .iter()
        .map(|Fact { key, value }| EACH + key.len() as u64 + value.as_str().len() as u64);
    findings.chain(facts).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::GuestText;

    fn answer(bytes: u64) -> Outcome {
        let value = GuestText::new(&"x".repeat(usize::try_from(bytes).expect("small")), 1 << 30);
        let facts = vec![Fact { key: String::new(), value }];
        Outcome::Answered(Answer::Checked { findings: Vec::new(), facts })
    }

    #[test]
    fn the_bound_is_each_plugins_own_whatever_the_order() {
        let sizes = [MOST / 4, MOST / 8, MOST / 4];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let mut answers = Answers::of(2);
            let told: Vec<bool> =
                order.iter().map(|at| answers.add(0, &answer(sizes[*at]))).collect();
            assert!(told[2], "the last of them is past it");
            assert!(!answers.add(1, &answer(1)));
            assert_eq!(answers.past_the_bound(), [0]);
        }
        let mut answers = Answers::of(2);
        assert!(!answers.add(0, &answer(MOST / 2 - EACH)));
        assert_eq!(answers.past_the_bound(), Vec::<usize>::new());
        // Nothing said is nothing past it.
        let nothing = Outcome::Answered(Answer::NotApplicable(GuestText::capped("no")));
        answers.add(0, &answer(1));
        assert!(!answers.add(0, &nothing));
    }
}
