//! What a check is shown: the model, its definition and lock entry, its lineage, the
//! date. What the trusted registry says of it is `registry`'s.
//!
//! In a component these are handles to the host's, natively they stand on `testing`'s
//! model in memory: which of the two, `backend` alone knows. What can be done with one
//! file or document is `file`'s.

use std::cmp::Ordering;
use std::fmt;

use crate::backend::{LockHandle, ModelHandle};
use crate::file::{Document, File};
use crate::registry::Registry;

/// Is the model that is checked, lent for the length of the call.
///
/// It shows the files that this task may see: all that match the manifest's globs for
/// scope "model", one of them for scope "file".
#[derive(Clone, Copy)]
pub struct Model<'a> {
    handle: ModelHandle<'a>,
}

impl<'a> Model<'a> {
    pub(crate) fn new(handle: ModelHandle<'a>) -> Self {
        Self { handle }
    }
}

impl Model<'_> {
    /// Returns the model's name in the policy, or else the name of its folder or file.
    #[must_use]
    pub fn name(&self) -> String {
        self.handle.name()
    }

    /// Returns the files, in the order of their paths' bytes.
    ///
    /// Each is opened as the iterator gets there. The host lends 1,024 handles at a time,
    /// so look at one file after the other rather than collect them.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = File> + ExactSizeIterator {
        let handle = self.handle;
        (0..handle.count()).map(move |index| File::new(handle.file(index)))
    }

    /// Returns the file of that path, if this task sees it. It takes some twenty calls
    /// for a million files.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<File> {
        search(self.len(), path, |index| {
            let file = File::new(self.handle.file(index));
            (file.path(), file)
        })
    }

    /// Returns how many files there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.handle.count()
    }

    /// Says whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the model's definition in the policy; none for a model that the policy
    /// does not define.
    #[must_use]
    pub fn definition(&self) -> Option<Definition> {
        self.handle.definition()
    }

    /// Returns the model's entry in the lock file; none for a model that is not locked.
    /// A task that sees one file still gets the entry of the whole model.
    #[must_use]
    pub fn lock(&self) -> Option<LockEntry> {
        self.handle.lock()
    }

    /// Returns what the model was made from, and those from what, as the lock file tells:
    /// its bases first, then theirs, and so on, none twice.
    #[must_use]
    pub fn lineage(&self) -> Vec<Base> {
        self.handle.lineage()
    }

    /// Returns the trusted registry; none where the policy names none.
    #[must_use]
    pub fn registry(&self) -> Option<Registry> {
        self.handle.registry()
    }

    /// Returns the operator's document of that name; none where the policy grants this
    /// plugin no document of that name, whether or not there is one.
    #[must_use]
    pub fn document(&self, name: &str) -> Option<Document> {
        self.handle.document(name).map(Document::new)
    }

    /// Returns the run's one fixed time, the same at each call.
    #[must_use]
    pub fn now(&self) -> Datetime {
        self.handle.now()
    }

    /// Logs one line for whoever debugs the plugin; it is no part of the report. The
    /// host cuts it at 1,024 bytes, and drops lines past the first 1,000.
    pub fn log(&self, level: Level, message: &str) {
        self.handle.log(level, message);
    }
}

impl fmt::Debug for Model<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

/// Is the model's definition in the policy: what the operator says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Where it comes from, such as `hf:org/name`.
    pub source: Option<String>,
    /// The immutable revision of that source, such as a 40-digit commit.
    pub revision: Option<String>,
    /// The license the operator states, an SPDX expression.
    pub license: Option<String>,
}

/// Is the model's entry in the lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockEntry {
    /// Where the model was locked from.
    pub source: Option<String>,
    /// The revision of that source.
    pub revision: Option<String>,
    /// The tree digest: SHA-256 over type, size, digest and path of all files.
    pub tree: [u8; 32],
    /// How many files are locked.
    pub count: u32,
    /// The license that was concluded, an SPDX expression.
    pub license: Option<String>,
    /// Whose signature was verified.
    pub signer: Option<String>,
    pub(crate) handle: LockHandle,
}

impl LockEntry {
    /// Returns the locked files, in the order of their paths' bytes.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = LockedFile> + ExactSizeIterator {
        (0..self.count).map(|index| self.handle.file(index))
    }

    /// Returns the locked file of that path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<LockedFile> {
        self.find(path).map(|(_, file)| file)
    }

    /// Returns the parts of the locked file of that path; none where there is no such
    /// file, or the lock file has no parts for it.
    #[must_use]
    pub fn parts(&self, path: &str) -> Option<LockedParts> {
        let (index, _) = self.find(path)?;
        self.handle.parts(index)
    }

    fn find(&self, path: &str) -> Option<(u32, LockedFile)> {
        search(self.count, path, |index| {
            let file = self.handle.file(index);
            (file.path.clone(), (index, file))
        })
    }
}

/// Looks in `count` things ordered by the bytes of their paths for the one of that path.
fn search<T>(count: u32, path: &str, at: impl Fn(u32) -> (String, T)) -> Option<T> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        let (found, thing) = at(middle);
        match found.as_str().cmp(path) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Some(thing),
        }
    }
    None
}

/// Is one file in the lock entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedFile {
    /// The path, in the form of [`File::path`].
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The digest.
    pub sha256: [u8; 32],
    /// The BLAKE3 digest, where the lock file has it.
    pub blake3: Option<[u8; 32]>,
}

/// Is digests of equal parts of a locked file, which tell where it differs; that it is
/// the right one they don't tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedParts {
    /// How many bytes each part has but the last, which may have fewer. Not 0.
    pub size: u64,
    /// The first 8 bytes of the BLAKE3 of each part, in order.
    pub digests: Vec<[u8; 8]>,
}

/// Is one model that the model was made from, or that such a model was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Where it comes from, such as `hf:org/name`.
    pub source: String,
    /// The immutable revision of that source.
    pub revision: Option<String>,
    /// Which base this one was the base of, by its place in the list; none where it is
    /// the base of the model itself. Less than its own place.
    pub below: Option<u32>,
    /// Its own entry in the lock file, where it is a locked model.
    pub locked: Option<LockedBase>,
}

/// Is what the lock file says of a base that is a locked model itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedBase {
    /// The name of the model.
    pub name: String,
    /// The tree digest of its entry.
    pub tree: [u8; 32],
    /// The license that was concluded for it, an SPDX expression.
    pub license: Option<String>,
    /// The license that the policy states for it, an SPDX expression.
    pub stated_license: Option<String>,
}

/// Is a point in time, UTC, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datetime {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: u64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

/// Says how much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Each step.
    Trace,
    /// What helps to find a mistake.
    Debug,
    /// What a person may want to know.
    Info,
    /// What looks wrong.
    Warn,
    /// What is wrong.
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn files_are_found_by_path() {
        for count in 0..20 {
            let path = |n| format!("{}/f{n}", n % 3);
            let model =
                (0..count).fold(testing::Model::new("m"), |model, n| model.file(path(n), [n]));
            let view = model.view();
            assert_eq!(view.len(), u32::from(count));
            assert_eq!(view.is_empty(), count == 0);
            for n in 0..count {
                let file = view.file(&path(n)).expect("it is there");
                assert_eq!(file.read(0, 9), Ok(vec![n]));
            }
            for absent in ["", "0", "0/f", "0/f99", "1/", "zzz", "0/f0/x"] {
                assert!(view.file(absent).is_none(), "{absent:?}");
            }
        }
    }

    #[test]
    fn files_come_in_the_order_of_their_bytes() {
        let model = ["b", "B", "a-b", "a/b", "é", "a.b"]
            .into_iter()
            .fold(testing::Model::new("m"), |model, path| model.file(path, []));
        let view = model.view();
        let paths: Vec<_> = view.files().map(|file| file.path()).collect();
        assert_eq!(paths, ["B", "a-b", "a.b", "a/b", "b", "é"]);
        assert_eq!(view.files().len(), 6);
        assert_eq!(view.files().next_back().map(|file| file.path()).as_deref(), Some("é"));
    }

    #[test]
    fn an_unlocked_undefined_model_says_so() {
        let model = testing::Model::new("m");
        assert_eq!(model.view().name(), "m");
        assert_eq!(model.view().definition(), None);
        assert_eq!(model.view().lock(), None);
        assert_eq!(model.now(5).view().now(), Datetime { seconds: 5, nanoseconds: 0 });
    }
}
