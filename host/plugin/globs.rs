//! The globs of a manifest: which files a plugin wants to see.
//!
//! Leaves which task sees them to `runner`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::domain::model::FilePath;
use crate::domain::text::{self, Backslash};

/// The most globs a manifest may have.
pub const MAX_GLOBS: usize = 256;
/// The most bytes one glob may have. With [`MAX_GLOBS`] it bounds the automaton
/// that all of them are compiled to.
pub const MAX_GLOB: usize = 256;

/// Globs, compiled. `*` and `?` don't match `/`; `**` matches any folders.
#[derive(Clone, Debug)]
pub struct Globs(GlobSet);

/// Which glob can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct GlobError {
    /// Its place in the list, from 0; none where it is the list as a whole.
    pub index: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

impl Globs {
    /// Compiles `globs`.
    ///
    /// # Errors
    /// Says which one can't be compiled, and why.
    pub fn new(globs: &[String]) -> Result<Self, GlobError> {
        let fail = |index, reason: String| GlobError { index, reason };
        if globs.is_empty() || globs.len() > MAX_GLOBS {
            return Err(fail(
                None,
                format!(
                    "a plugin has 1 to {MAX_GLOBS} globs, this one has {}",
                    globs.len()
                ),
            ));
        }
        let mut set = GlobSetBuilder::new();
        for (index, glob) in globs.iter().enumerate() {
            if glob.is_empty() || glob.len() > MAX_GLOB {
                return Err(fail(
                    Some(index),
                    format!("a glob has 1 to {MAX_GLOB} bytes"),
                ));
            }
            if text::escape(glob, Backslash::Kept) != *glob {
                let reason = "a glob has no control and invisible characters: no path that it is held against has any";
                return Err(fail(Some(index), reason.to_owned()));
            }
            if glob.starts_with('/') {
                let reason =
                    "a glob is relative to the model, and never matches with a `/` at its front";
                return Err(fail(Some(index), reason.to_owned()));
            }
            let compiled = GlobBuilder::new(glob)
                .literal_separator(true)
                // Else it depends on the system whether `\` escapes.
                .backslash_escape(true)
                .build()
                .map_err(|error| fail(Some(index), error.kind().to_string()))?;
            set.add(compiled);
        }
        let set = set
            .build()
            .map_err(|error| fail(None, error.kind().to_string()))?;
        Ok(Self(set))
    }

    /// Returns whether one of the globs matches `path`.
    pub fn matches(&self, path: &FilePath) -> bool {
        self.0.is_match(path.as_str())
    }
}
