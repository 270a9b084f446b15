//! Which models differ from a base: those that one of its paths touches.
//!
//! Leaves finding the base, and what differs from it, to `cli`.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::select::canonical;
use crate::domain::evidence::Part;

/// What differs from a base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The base, as it was named or found.
    pub base: String,
    /// The commit that the paths differ from.
    pub commit: String,
    /// The folder that the base speaks of: of what lies elsewhere, nothing can be
    /// told.
    pub top: PathBuf,
    /// The absolute paths that differ, or of which it can't be told.
    pub paths: BTreeSet<PathBuf>,
}

impl Changed {
    /// Returns what a report says of it, with the number of models left out.
    pub(super) fn part(&self, unchanged: usize) -> Part {
        Part { base: self.base.clone(), commit: self.commit.clone(), unchanged }
    }

    /// Returns whether the model at `path` may differ: something below it does, or
    /// something on the way to it, such as a link.
    pub(super) fn touches(&self, path: &Path) -> bool {
        let mut places = vec![path.to_owned()];
        if let (Some(Ok(folder)), Some(name)) = (path.parent().map(canonical), path.file_name()) {
            places.push(folder.join(name));
        }
        // What is nowhere can't be told to be the same.
        let Ok(real) = canonical(path) else { return true };
        if !real.starts_with(&self.top) {
            return true;
        }
        places.extend(hub(&real));
        places.push(real);
        places.iter().any(|place| self.differs(place))
    }

    /// Returns whether a path at, below or above `place` differs.
    pub fn differs(&self, place: &Path) -> bool {
        // Paths are ordered by their parts: what is below follows at once.
        let mut from = self.paths.range::<Path, _>((Bound::Included(place), Bound::Unbounded));
        from.next().is_some_and(|path| path.starts_with(place))
            || place.ancestors().any(|folder| self.paths.contains(folder))
    }
}

/// Returns the folder of a hub's cache that the snapshot `path` links into.
fn hub(path: &Path) -> Option<PathBuf> {
    let snapshots = path.ancestors().find(|folder| folder.ends_with("snapshots"))?;
    let folder = snapshots.parent()?;
    let is_hub = folder.file_name()?.to_string_lossy().contains("--");
    is_hub.then(|| folder.to_owned())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test makes the folders it asks about")]
mod tests {
    use super::*;

    #[test]
    fn touches_what_is_below_or_on_the_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = canonical(folder.path()).expect("a path");
        for path in ["models/a/x", "models/ab", "data/c", "hub/models--o--n/snapshots/r"] {
            std::fs::create_dir_all(top.join(path)).expect("folders");
        }
        std::os::unix::fs::symlink("../data/c", top.join("models/c")).expect("a link");
        let elsewhere = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(elsewhere.path(), top.join("models/out")).expect("a link");
        let rows: [(&str, &str, bool); 14] = [
            ("models/out", "README.md", true),
            ("models/a", "models/a", true),
            ("models/a", "models/a/x/deep.bin", true),
            ("models/a", "models", true),
            ("models/a", "models/ab/x", false),
            ("models/a", "README.md", false),
            ("models/./ab/../a", "models/a/x", true),
            ("models/c", "data/c/w.bin", true),
            ("models/c", "models/c", true),
            ("models/c", "data/d", false),
            ("models/gone", "README.md", true),
            ("hub/models--o--n/snapshots/r", "hub/models--o--n/blobs/1", true),
            ("hub/models--o--n/snapshots/r", "hub/models--o--m/blobs/1", false),
            ("models/a", "models/a\u{301}/x", false),
        ];
        for (model, changed, expected) in rows {
            let paths = BTreeSet::from([top.join(changed), top.join("models/aa")]);
            let changed = Changed { paths, top: top.clone(), ..Changed::default() };
            assert_eq!(changed.touches(&top.join(model)), expected, "{model} {changed:?}");
        }
    }
}
