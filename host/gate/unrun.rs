//! The report of a run that did not start: [`unrun`].
//!
//! Leaves telling a person why to `cli`.

use crate::domain::decision::{Decision, Reason, ReasonKind};
use crate::domain::evidence::Evidence;
use crate::domain::report::{Cause, NotRun, Report};
use crate::policy::{Policy, decide};

/// Returns the report of a run at `now` (seconds since 1970-01-01T00:00:00Z) that did
/// not start, and `why`, so that whoever reads reports alone learns of it: it says
/// `incomplete`, and names no model, no plugin and no file of the operator's, since
/// nothing was held to any.
///
/// Where there was merely nothing to look at and that `may_be`, it says `allow`.
pub fn unrun(now: u64, why: Vec<NotRun>, may_be: bool) -> Report {
    let report = decide(&Policy::default(), Evidence::default(), now);
    let is_nothing = why.iter().all(|why| why.cause == Cause::Nothing);
    let kind = if is_nothing { ReasonKind::Nothing } else { ReasonKind::NotRun };
    let (decision, reasons) = if is_nothing && may_be {
        (Decision::Allow, Vec::new())
    } else {
        let decision = Decision::Incomplete;
        (decision, vec![Reason { decision, model: None, kind }])
    };
    Report { decision, reasons, not_run: why, ..report }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::GuestText;

    /// Only what may be nothing is let through.
    #[test]
    fn nothing_ran_is_not_allowed() {
        let rows = [
            (vec![Cause::Nothing], false, Decision::Incomplete, Some(ReasonKind::Nothing)),
            (vec![Cause::Nothing], true, Decision::Allow, None),
            (vec![Cause::Mistake], true, Decision::Incomplete, Some(ReasonKind::NotRun)),
            (vec![Cause::Fault], true, Decision::Incomplete, Some(ReasonKind::NotRun)),
            (
                vec![Cause::Nothing, Cause::Fault],
                true,
                Decision::Incomplete,
                Some(ReasonKind::NotRun),
            ),
        ];
        for (causes, may_be, decision, kind) in rows {
            let why =
                |cause| NotRun { cause, message: GuestText::capped("x"), at: None, help: None };
            let why: Vec<NotRun> = causes.into_iter().map(why).collect();
            let report = unrun(0, why.clone(), may_be);
            assert_eq!(report.decision, decision, "{why:?}");
            let kinds: Vec<&ReasonKind> =
                report.reasons.iter().map(|reason| &reason.kind).collect();
            assert_eq!(kinds, kind.iter().collect::<Vec<_>>(), "{why:?}");
            assert_eq!(report.not_run, why);
        }
    }
}
