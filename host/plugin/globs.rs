//! The globs of a manifest: which files a plugin wants to see.
//!
//! Leaves which task sees them to `runner`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::domain::model::FilePath;
use crate::domain::text::{self, Backslash};

/// The most globs a manifest may have.
pub const MAX_GLOBS: usize = 256;
/// The most bytes one glob may have.
pub const MAX_GLOB: usize = 256;
/// The most bytes that all globs of a manifest may have together: each path of a
/// model may be held against each of them, outside of any deadline.
pub const MAX_GLOBS_SIZE: usize = 8 << 10;

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
                format!("a plugin has 1 to {MAX_GLOBS} globs, this one has {}", globs.len()),
            ));
        }
        if globs.iter().map(String::len).sum::<usize>() > MAX_GLOBS_SIZE {
            let reason =
                format!("the globs of a plugin have at most {MAX_GLOBS_SIZE} bytes together");
            return Err(fail(None, reason));
        }
        let mut set = GlobSetBuilder::new();
        for (index, glob) in globs.iter().enumerate() {
            if glob.is_empty() || glob.len() > MAX_GLOB {
                return Err(fail(Some(index), format!("a glob has 1 to {MAX_GLOB} bytes")));
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
        let set = set.build().map_err(|error| fail(None, error.kind().to_string()))?;
        Ok(Self(set))
    }

    /// Returns whether one of the globs matches `path`.
    pub fn matches(&self, path: &FilePath) -> bool {
        self.0.is_match(path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(globs: &[&str]) -> Result<Globs, GlobError> {
        Globs::new(&globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn match_paths() {
        let rows: [(&str, &[&str], &[&str]); 8] = [
            ("**", &["a", "a/b/c.bin", ".hidden", "a/.b"], &[]),
            ("*.bin", &["a.bin", ".bin"], &["a/b.bin", "a.BIN", "a.bin.txt"]),
            ("**/*.bin", &["a.bin", "a/b.bin", "a/b/c.bin"], &["a.bin/c"]),
            ("a/*", &["a/b"], &["a/b/c", "b", "a"]),
            ("a/**", &["a/b", "a/b/c"], &["b/a"]),
            ("{LICENSE,COPYING}*", &["LICENSE", "COPYING.txt"], &["a/LICENSE"]),
            ("file[0-9]", &["file1"], &["file", "file10", "filea"]),
            // Paths have control characters written out, with their backslashes doubled.
            ("a\\\\nb", &["a\\nb"], &["anb"]),
        ];
        for (glob, matching, others) in rows {
            let globs = globs(&[glob]).expect(glob);
            for path in matching {
                let path = FilePath::from_written((*path).to_owned());
                assert!(globs.matches(&path), "{glob} and {path}");
            }
            for path in others {
                let path = FilePath::from_written((*path).to_owned());
                assert!(!globs.matches(&path), "{glob} and {path}");
            }
        }
        let two = globs(&["*.a", "*.b"]).expect("two");
        assert!(two.matches(&FilePath::from_written("x.b".to_owned())));
    }

    #[test]
    fn refuse_what_is_no_glob_or_too_much() {
        let long = "a".repeat(MAX_GLOB + 1);
        let rows = [
            ("", 0),
            ("[a", 0),
            ("{a", 0),
            ("a}", 0),
            ("/a", 0),
            ("a\nb", 0),
            ("\u{202e}", 0),
            (&long, 0),
        ];
        for (glob, index) in rows {
            let error = globs(&[glob]).expect_err(glob);
            assert_eq!(error.index, Some(index), "{glob:?}");
            let error = globs(&["**", glob]).expect_err(glob);
            assert_eq!(error.index, Some(1), "{glob:?}");
        }
        assert_eq!(globs(&[]).expect_err("none").index, None);
        assert_eq!(globs(&["**"; MAX_GLOBS + 1]).expect_err("too many").index, None);
    }

    #[test]
    fn the_worst_that_is_taken_compiles_and_matches() {
        let worst = [
            "*".repeat(MAX_GLOB),
            "?".repeat(MAX_GLOB),
            "*a".repeat(MAX_GLOB / 2),
            "**/".repeat(MAX_GLOB / 3),
            "{*a,*b}".repeat(MAX_GLOB / 7),
            "[!a-z]".repeat(MAX_GLOB / 6),
        ];
        let path = FilePath::from_written("a/".repeat(2000));
        for glob in worst {
            let all = vec![glob.clone(); MAX_GLOBS_SIZE / glob.len()];
            let globs = Globs::new(&all).expect(&glob);
            assert_eq!(globs.matches(&path), glob.starts_with("**/"), "{glob}");
        }
        let all = vec!["a".repeat(MAX_GLOB); MAX_GLOBS_SIZE / MAX_GLOB + 1];
        assert_eq!(Globs::new(&all).expect_err("too much").index, None);
        // Nested too deep, or ranges turned round: either way an answer.
        for odd in [format!("{}a{}", "{".repeat(100), "}".repeat(100)), "[z-a]".to_owned()] {
            let _ = Globs::new(&[odd]);
        }
    }
}
