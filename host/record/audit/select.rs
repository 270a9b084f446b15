//! Which records somebody wants to see.
//!
//! Leaves showing them to `cli`.

use super::record::{Entry, Kind, Record, Subject, Word};

/// What a record must be to be wanted; what is not set is not asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// About this model.
    pub model: Option<String>,
    /// Appended at this moment or later, seconds since 1970-01-01T00:00:00Z.
    pub since: Option<u64>,
    /// Appended before this moment.
    pub until: Option<u64>,
    /// A decision that says this; of `model` where that is set, or else of the run.
    pub decision: Option<Word>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// By somebody in whose name this stands, in upper or lower case.
    pub actor: Option<String>,
}

impl Filter {
    /// Returns whether `record` is wanted.
    pub fn takes(&self, record: &Record<'_>) -> bool {
        let time = record.time.0;
        self.kind.is_none_or(|kind| record.entry.kind() == kind)
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until)
            && self.actor.as_ref().is_none_or(|wanted| {
                let actor = record.actor.as_ref();
                actor.is_some_and(|actor| {
                    actor.as_str().to_lowercase().contains(&wanted.to_lowercase())
                })
            })
            && self.takes_entry(&record.entry)
    }

    fn takes_entry(&self, entry: &Entry<'_>) -> bool {
        match (entry, &self.model) {
            (Entry::Decision(decision), Some(name)) => decision.models.iter().any(|model| {
                model.name.as_str() == name
                    && self.decision.is_none_or(|wanted| wanted == model.decision)
            }),
            (Entry::Decision(decision), None) => {
                self.decision.is_none_or(|wanted| wanted == decision.decision)
            }
            (Entry::Pin(pin), Some(name)) => {
                self.decision.is_none()
                    && pin.subject == Subject::Model
                    && pin.name.as_str() == name
            }
            (_, model) => self.decision.is_none() && model.is_none(),
        }
    }
}
