//! A plugin is not believed beyond what it looked at: an answer held against
//! what the host counted.
//!
//! Leaves counting to `model`, and what follows from a failure to `decide`.

use crate::domain::evidence::{FileCoverage, TaskEvidence};
use crate::domain::model::FilePath;
use crate::domain::plugin::{Manifest, Reads};
use crate::domain::verdict::{Answer, Coverage, Failure, FailureCode, Outcome};

/// Returns why the answer of `task` can't be believed: its plugin, which says
/// of itself what stands in `manifest`, did not look at what it speaks of. None
/// where it can, and where there is no answer.
///
/// - A `checked` answer of a plugin that reads `whole` stands on every byte of
///   its view, one of a plugin that reads `parts` on something of each file
///   that has bytes.
/// - A plugin that judges says `not-applicable` only of what it has seen begin.
/// - A plugin that reads `none` is exempt; it never judges.
pub fn believe(manifest: &Manifest, task: &TaskEvidence) -> Option<Failure> {
    let Outcome::Answered(answer) = &task.outcome else {
        return None;
    };
    let (enough, promise) = match (manifest.reads, answer) {
        (Reads::None, _) => return None,
        (Reads::Whole, Answer::Checked { .. }) => (whole as Bar, Promise::Whole),
        (Reads::Parts, Answer::Checked { .. }) => (parts as Bar, Promise::Parts),
        (_, Answer::NotApplicable(_)) if manifest.judges => (start as Bar, Promise::Start),
        (_, Answer::NotApplicable(_)) => return None,
    };
    // Without figures for the file it is about, there is nothing to believe.
    let uncounted =
        |file: &&FilePath| task.coverage.iter().all(|seen| seen.coverage.file != **file);
    if let Some(file) = task.file.as_ref().filter(uncounted) {
        return Some(promise.failure(&format!("it read nothing of {file}"), 1));
    }
    let mut short = task.coverage.iter().filter(|seen| !enough(seen));
    let Coverage { file, size, read } = &short.next()?.coverage;
    let figures = match promise {
        Promise::Start => format!("it did not read the first of the {size} bytes of {file}"),
        Promise::Whole | Promise::Parts => format!("it read {read} of the {size} bytes of {file}"),
    };
    Some(promise.failure(&figures, 1 + short.count()))
}

type Bar = fn(&FileCoverage) -> bool;

const fn whole(seen: &FileCoverage) -> bool {
    seen.coverage.read >= seen.coverage.size
}

const fn parts(seen: &FileCoverage) -> bool {
    seen.coverage.size == 0 || seen.coverage.read > 0
}

const fn start(seen: &FileCoverage) -> bool {
    seen.coverage.size == 0 || seen.start
}

/// What an answer promises.
#[derive(Clone, Copy)]
enum Promise {
    Whole,
    Parts,
    Start,
}

impl Promise {
    /// Returns the failure: the figures of the first file come last, where a
    /// long name can't push out the rest.
    fn failure(self, figures: &str, files: usize) -> Failure {
        let (promise, way_out) = match self {
            Self::Whole => (
                "its manifest promises to read whole what it answers `checked` for",
                "a plugin that only looks at parts says `reads = \"parts\"` in its plugin.toml",
            ),
            Self::Parts => (
                "its manifest promises to read something of each file it answers `checked` for",
                "a plugin that needs no content says `reads = \"none\"` in its plugin.toml",
            ),
            Self::Start => (
                "it judges, and can't know that a file is not applicable before it has seen it begin",
                "a plugin that judges reads the first bytes of a file before it says that it is of another format",
            ),
        };
        let message = match files {
            1 => format!("{promise}, but {figures}"),
            files => format!("{promise}; it did not for {files} files: {figures}"),
        };
        Failure::new(FailureCode::NotRead, &message)
            .with_help(format!("report it to the plugin's author: {way_out}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::GuestText;
    use crate::policy::testing;

    /// One file of a view: its name, size, bytes read, and whether the first
    /// ones were among them.
    type Seen = (&'static str, u64, u64, bool);

    /// What the plugin promises, whether it judges, what it answered, on which
    /// file, after having seen what, and what is made of it.
    type Row<'a> = (Reads, bool, Outcome, Option<&'a str>, &'a [Seen], &'a str);

    fn failure(
        reads: Reads,
        judges: bool,
        outcome: Outcome,
        file: Option<&str>,
        view: &[Seen],
    ) -> Option<String> {
        let manifest = Manifest { reads, judges, ..testing::manifest("scan") };
        let mut task = testing::task("scan", "m", file, outcome);
        task.coverage = view
            .iter()
            .map(|(file, size, read, start)| FileCoverage {
                coverage: Coverage { file: testing::path(file), size: *size, read: *read },
                start: *start,
            })
            .collect();
        believe(&manifest, &task).map(|failure| {
            assert_eq!(failure.code, FailureCode::NotRead);
            assert!(failure.help.is_some());
            failure.message.to_string()
        })
    }

    fn checked() -> Outcome {
        Outcome::Answered(Answer::Checked { findings: Vec::new(), facts: Vec::new() })
    }

    fn skipped() -> Outcome {
        Outcome::Answered(Answer::NotApplicable(GuestText::capped("another format")))
    }

    #[test]
    fn believes_what_was_looked_at() {
        let rows: &[(Reads, bool, Outcome, &[Seen])] = &[
            // "whole": every byte, by reading or digesting.
            (Reads::Whole, false, checked(), &[("a", 10, 10, true), ("b", 0, 0, false)]),
            (Reads::Whole, false, checked(), &[]),
            // "parts": something of each file that has bytes.
            (Reads::Parts, false, checked(), &[("a", 10, 1, false), ("b", 0, 0, false)]),
            // A judge that has seen the start may say that it is not for it.
            (Reads::Whole, true, skipped(), &[("a", 10, 4, true)]),
            (Reads::Parts, true, skipped(), &[("a", 10, 4, true)]),
            (Reads::Parts, true, skipped(), &[("a", 0, 0, false)]),
            // Who doesn't judge may say it unseen; "none" is exempt.
            (Reads::Whole, false, skipped(), &[("a", 10, 0, false)]),
            (Reads::None, false, checked(), &[("a", 10, 0, false)]),
            (Reads::None, true, skipped(), &[("a", 10, 0, false)]),
            // What is no answer has nothing to be believed.
            (
                Reads::Whole,
                true,
                Outcome::Failed(Failure::new(FailureCode::Trap, "x")),
                &[("a", 10, 0, false)],
            ),
            (Reads::Whole, true, Outcome::Refused(Failure::new(FailureCode::Refused, "x")), &[]),
        ];
        for (reads, judges, outcome, view) in rows {
            assert_eq!(
                failure(*reads, *judges, outcome.clone(), None, view),
                None,
                "{reads:?} {judges} {outcome:?} {view:?}"
            );
        }
    }

    #[test]
    fn names_the_file_and_the_figures() {
        let rows: &[Row<'_>] = &[
            (
                Reads::Whole,
                false,
                checked(),
                None,
                &[("a", 10, 10, true), ("b", 1 << 30, (1 << 30) - 1, true)],
                "its manifest promises to read whole what it answers `checked` for, \
                 but it read 1073741823 of the 1073741824 bytes of b",
            ),
            (
                Reads::Whole,
                true,
                checked(),
                None,
                &[("a", 10, 1, true), ("b", 7, 7, true), ("c", 10, 0, false)],
                "its manifest promises to read whole what it answers `checked` for; \
                 it did not for 2 files: it read 1 of the 10 bytes of a",
            ),
            (
                Reads::Parts,
                false,
                checked(),
                Some("b"),
                &[("b", 5, 0, false)],
                "its manifest promises to read something of each file it answers `checked` for, \
                 but it read 0 of the 5 bytes of b",
            ),
            (
                Reads::Parts,
                true,
                skipped(),
                Some("b"),
                &[("b", 5, 3, false)],
                "it judges, and can't know that a file is not applicable before it has seen it begin, \
                 but it did not read the first of the 5 bytes of b",
            ),
            // No figures for the very file it is about.
            (
                Reads::Whole,
                true,
                checked(),
                Some("b"),
                &[("a", 5, 5, true)],
                "its manifest promises to read whole what it answers `checked` for, but it read nothing of b",
            ),
        ];
        for (reads, judges, outcome, file, view, expected) in rows {
            assert_eq!(
                failure(*reads, *judges, outcome.clone(), *file, view).as_deref(),
                Some(*expected)
            );
        }
    }
}
