//! The model in memory, built file by file.
//!
//! What a check sees of it is `double`'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::double::{Content, Fault, ModelHandle, Shared};
use super::lock::Lock;
use crate::file::{Algorithm, File};
use crate::model::{Base, Datetime, Definition, LockEntry};
use crate::registry::Registry;

/// How large a document may be, as the contract says.
const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// How long a path may be, as the contract says.
const MAX_PATH: usize = 4_096;

/// How long a model's name may be, as the contract says.
const MAX_MODEL_NAME: usize = 255;

/// The date where a test sets none: 2026-01-01T00:00:00Z.
const DEFAULT_NOW: u64 = 1_767_225_600;

/// Is a model in memory that a check can be run on.
///
/// Methods that take a path panic on one that the host would not show, or, where they
/// change a file, on one that is not there: a test that misspells a path should not pass.
pub struct Model {
    pub(super) name: String,
    pub(super) files: BTreeMap<String, Content>,
    pub(super) definition: Option<Definition>,
    pub(super) lock: Option<LockEntry>,
    pub(super) lineage: Vec<Base>,
    pub(super) registry: Option<Registry>,
    pub(super) documents: BTreeMap<String, Content>,
    pub(super) now: Datetime,
    pub(super) shared: Arc<Shared>,
}

impl Model {
    /// Makes a model without files.
    ///
    /// # Panics
    ///
    /// If the name is empty or longer than 255 bytes.
    #[must_use]
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        assert!((1..=MAX_MODEL_NAME).contains(&name.len()), "a model's name has 1 to 255 bytes");
        Self {
            name,
            files: BTreeMap::new(),
            definition: None,
            lock: None,
            lineage: Vec::new(),
            registry: None,
            documents: BTreeMap::new(),
            now: Datetime { seconds: DEFAULT_NOW, nanoseconds: 0 },
            shared: Arc::default(),
        }
    }

    /// Adds a file.
    ///
    /// # Panics
    ///
    /// If there is one of that path, or the path is not one that the host would show.
    #[must_use]
    #[track_caller]
    pub fn file(self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        self.add(path.into(), Content::new(bytes.len() as u64, vec![(0, bytes)]))
    }

    /// Adds a file of any size that is zeros but for a few pieces, each at its offset:
    /// one of many gigabytes takes no memory.
    ///
    /// # Panics
    ///
    /// As [`file`](Self::file), and if a piece does not lie within the file or two of them
    /// overlap.
    #[must_use]
    #[track_caller]
    pub fn sparse_file<B: AsRef<[u8]>>(
        self,
        path: impl Into<String>,
        size: u64,
        pieces: impl IntoIterator<Item = (u64, B)>,
    ) -> Self {
        let mut pieces: Vec<_> =
            pieces.into_iter().map(|(at, bytes)| (at, bytes.as_ref().to_vec())).collect();
        pieces.sort();
        let mut end = 0;
        for (at, bytes) in &pieces {
            assert!(*at >= end, "two pieces of a sparse file overlap at {at}");
            end = at.checked_add(bytes.len() as u64).filter(|end| *end <= size).unwrap_or_else(
                || panic!("the piece at {at} reaches past the end of the sparse file"),
            );
        }
        self.add(path.into(), Content::new(size, pieces))
    }

    #[track_caller]
    fn add(mut self, path: String, content: Content) -> Self {
        if let Some(why) = wrong_path(&path) {
            panic!("the host shows no file of path {path:?}: {why}");
        }
        let before = self.files.insert(path, content);
        assert!(before.is_none(), "two files of one path");
        self
    }

    /// Replaces a file's bytes; the lock entry stays as it is.
    ///
    /// # Panics
    ///
    /// If there is no file of that path.
    #[must_use]
    #[track_caller]
    pub fn replace(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        *self.content(path) = Content::new(bytes.len() as u64, vec![(0, bytes)]);
        self
    }

    /// Takes a file away; the lock entry stays as it is.
    ///
    /// # Panics
    ///
    /// If there is no file of that path.
    #[must_use]
    #[track_caller]
    pub fn without(mut self, path: &str) -> Self {
        assert!(self.files.remove(path).is_some(), "the model has no file {path:?}");
        self
    }

    /// Keeps one file alone, as a task of scope "file" sees the model; the lock entry
    /// stays that of the whole model.
    ///
    /// # Panics
    ///
    /// If there is no file of that path.
    #[must_use]
    #[track_caller]
    pub fn only(mut self, path: &str) -> Self {
        self.content(path);
        self.files.retain(|other, _| other == path);
        self
    }

    /// Makes each read and digest of a file fail as an input/output error.
    ///
    /// # Panics
    ///
    /// If there is no file of that path.
    #[must_use]
    #[track_caller]
    pub fn unreadable(mut self, path: &str) -> Self {
        self.content(path).fault = Some(Fault::Unreadable);
        self
    }

    /// Makes each read and digest of a file say that it changed during the run.
    ///
    /// # Panics
    ///
    /// If there is no file of that path.
    #[must_use]
    #[track_caller]
    pub fn changed(mut self, path: &str) -> Self {
        self.content(path).fault = Some(Fault::Changed);
        self
    }

    /// Makes each read of a document fail as an input/output error.
    ///
    /// # Panics
    ///
    /// If there is no document of that name.
    #[must_use]
    #[track_caller]
    pub fn unreadable_document(mut self, name: &str) -> Self {
        match self.documents.get_mut(name) {
            Some(content) => content.fault = Some(Fault::Unreadable),
            None => panic!("the plugin has no document {name:?}"),
        }
        self
    }

    #[track_caller]
    fn content(&mut self, path: &str) -> &mut Content {
        match self.files.get_mut(path) {
            Some(content) => content,
            None => panic!("the model has no file {path:?}"),
        }
    }

    /// Sets what the policy says of the model.
    #[must_use]
    pub fn definition(mut self, definition: Definition) -> Self {
        self.definition = Some(definition);
        self
    }

    /// Sets the model's entry in the lock file.
    #[must_use]
    pub fn lock(mut self, entry: impl Into<LockEntry>) -> Self {
        self.lock = Some(entry.into());
        self
    }

    /// Adds a base that the model was made from, or one that such a base was made from.
    ///
    /// # Panics
    ///
    /// If it is below one that does not stand before it.
    #[must_use]
    #[track_caller]
    pub fn base(mut self, base: Base) -> Self {
        let place = self.lineage.len();
        let is_after = base.below.is_none_or(|below| (below as usize) < place);
        assert!(is_after, "a base stands after the one that it is below");
        self.lineage.push(base);
        self
    }

    /// Sets what the trusted registry says that may be about the model.
    #[must_use]
    pub fn registry(mut self, set: impl Into<Registry>) -> Self {
        self.registry = Some(set.into());
        self
    }

    /// Locks the files that are there now, with the source and revision of the definition.
    #[must_use]
    pub fn lock_as_is(mut self) -> Self {
        let mut lock = Lock::new();
        if let Some(source) = self.definition.as_ref().and_then(|it| it.source.clone()) {
            lock = lock.source(source);
        }
        if let Some(revision) = self.definition.as_ref().and_then(|it| it.revision.clone()) {
            lock = lock.revision(revision);
        }
        for (path, content) in &self.files {
            let digest = content.digest(Algorithm::Sha256, 0, content.size);
            let digest = digest.try_into().expect("SHA-256 has 32 bytes");
            lock = lock.file(path.clone(), content.size, digest);
        }
        self.lock = Some(lock.build());
        self
    }

    /// Hands the plugin a document.
    ///
    /// # Panics
    ///
    /// If it is larger than 16 MiB.
    #[must_use]
    #[track_caller]
    pub fn document(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        assert!(bytes.len() <= MAX_DOCUMENT, "a document has at most 16 MiB");
        self.documents.insert(name.into(), Content::new(bytes.len() as u64, vec![(0, bytes)]));
        self
    }

    /// Sets the run's time, in seconds since 1970-01-01T00:00:00Z. Without it, it is the
    /// beginning of 2026.
    #[must_use]
    pub fn now(mut self, seconds: u64) -> Self {
        self.now = Datetime { seconds, nanoseconds: 0 };
        self
    }

    /// Shows the model as a check sees it, to test functions that take one.
    #[must_use]
    pub fn view(&self) -> crate::Model<'_> {
        crate::Model::new(ModelHandle(self))
    }

    /// Opens one file, to test functions that take one.
    ///
    /// # Panics
    ///
    /// If there is no file of that path.
    #[must_use]
    #[track_caller]
    pub fn open(&self, path: &str) -> File {
        self.view().file(path).unwrap_or_else(|| panic!("the model has no file {path:?}"))
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name)
            .field("files", &self.files.keys())
            .finish_non_exhaustive()
    }
}

/// Says why the host would not show a path like this.
fn wrong_path(path: &str) -> Option<&'static str> {
    if path.len() > MAX_PATH {
        return Some("it is longer than 4,096 bytes");
    }
    if path.chars().any(char::is_control) {
        return Some("control characters arrive escaped as \\xHH");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Some("it is relative, without empty parts, `.` or `..`");
    }
    None
}
