//! Why there is no configuration: [`ConfigError`], and collecting the mistakes
//! of a file.
//!
//! Leaves drawing them to `cli`.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::values::Wrong;
use crate::domain::diagnostic::{Diagnostic, SourceFile};

/// The most mistakes that are reported at once: more helps nobody.
pub(super) const MAX_MISTAKES: usize = 50;

/// Why a configuration could not be found or read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file of it is there and can't be read.
    #[error("can't read {}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of it, or all of `models.d`, is larger than it may be.
    #[error("{} has more than {max} bytes", path.display())]
    TooLarge {
        /// Its path.
        path: PathBuf,
        /// How large it may be.
        max: u64,
    },
    /// It was found outside any repository, above the working directory, and
    /// belongs to somebody else.
    #[error(
        "{} belongs to another user than the working directory, and no repository holds both",
        path.display()
    )]
    Foreign {
        /// Its path.
        path: PathBuf,
    },
    /// It has mistakes in it; at least one.
    #[error("the configuration has mistakes in it")]
    Mistakes(Vec<Diagnostic>),
}

/// The mistakes found so far.
#[derive(Default)]
pub(super) struct Mistakes(Vec<Diagnostic>);

impl Mistakes {
    pub(super) fn push(&mut self, mistake: Diagnostic) {
        if self.0.len() < MAX_MISTAKES && self.0.last() != Some(&mistake) {
            self.0.push(mistake);
        }
    }

    /// Notes that what stands at `span` of `file` is wrong; returns none.
    pub(super) fn wrong<T>(
        &mut self,
        file: &SourceFile,
        span: Range<usize>,
        wrong: Wrong,
    ) -> Option<T> {
        let mistake = Diagnostic::new(file, span, wrong.message);
        self.push(match wrong.help {
            Some(help) => mistake.with_help(help),
            None => mistake,
        });
        None
    }

    /// Returns the mistakes, those of one file in the order of its text.
    pub(super) fn into_vec(mut self) -> Vec<Diagnostic> {
        // Stable, so that the order of the files stays.
        self.0.sort_by_key(|mistake| mistake.labels.first().map(|(span, _)| span.start));
        let mut order: Vec<_> = Vec::new();
        for mistake in &self.0 {
            if !order.contains(&mistake.file.path) {
                order.push(mistake.file.path.clone());
            }
        }
        order.sort_by_key(|path| (path.contains('/'), path.clone()));
        self.0.sort_by_key(|mistake| order.iter().position(|path| *path == mistake.file.path));
        self.0
    }
}
