//! What a lock file is to say of the models and plugins of a request.
//!
//! Leaves the file itself to `record`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Gate, GateError};
use crate::domain::digest::TreeDigest;
use crate::domain::evidence::Content;
use crate::domain::finding::Severity;
use crate::domain::model::{LockEntry, LockedFile, ModelName};
use crate::engine::Engine;
use crate::model::{FileHandle, Model};
use crate::record::lock::{LockFile, LockedPlugin};
use crate::runner::{self, Plan, Work};

impl Gate {
    /// Returns what the lock file is to say: of the models that the request is
    /// about and, where it names none, of all of them and of the plugins;
    /// everything else as it is locked already.
    ///
    /// # Errors
    /// Says which model can't be locked as it is, and why.
    pub async fn pin(self) -> Result<LockFile, GateError> {
        let pinning = tokio::task::spawn_blocking(move || self.pin_blocking());
        pinning.await.unwrap_or(Err(GateError::Execute(runner::ExecuteError::Panicked)))
    }

    fn pin_blocking(self) -> Result<LockFile, GateError> {
        let (old, mut lock) = self.begin_lock()?;
        let models = self.open()?;
        for model in self.hashed(models)? {
            let before = old.models.get(&model.name);
            let (name, entry) = entry(model, before)?;
            lock.models.insert(name, entry);
        }
        Ok(lock)
    }

    /// Returns what is locked, and what is to be locked but for the models that
    /// the request is about.
    pub(super) fn begin_lock(&self) -> Result<(LockFile, LockFile), GateError> {
        let old = self.lock.as_ref().map(|(_, lock)| lock.clone()).unwrap_or_default();
        let whole = self.paths.is_empty();
        let mut lock = if whole { LockFile::default() } else { old.clone() };
        if whole || old.plugins.is_empty() {
            // Without any plugin named, the models alone are locked.
            let any = self.bundled
                || !self.folders.is_empty()
                || self.config.as_ref().is_some_and(|config| !config.components.is_empty());
            let plugins = if any { self.resolve()? } else { BTreeMap::new() };
            lock.plugins =
                plugins.into_iter().map(|(id, plugin)| (id, LockedPlugin::of(&plugin))).collect();
        }
        Ok((old, lock))
    }

    /// Returns `models` with the digest of each of their files.
    pub(super) fn hashed(self, models: Vec<Model>) -> Result<Vec<Model>, GateError> {
        let Self { cache, jobs, now, sink, interrupted, .. } = self;
        let work = Work {
            engine: Arc::new(Engine::new()?),
            workers: None,
            cache,
            models,
            candidates: Vec::new(),
            plan: Plan::default(),
            registry: None,
            digests: true,
            jobs,
            now,
            sink,
            interrupted,
        };
        if runner::execute(&work)?.interrupted {
            return Err(cannot("nothing was locked: interrupted".to_owned(), None));
        }
        Ok(work.models)
    }
}

/// Returns the entry of `model`, with the notes of the one it replaces.
pub(super) fn entry(
    model: Model,
    before: Option<&LockEntry>,
) -> Result<(ModelName, LockEntry), GateError> {
    // What is merely noted of a file does not keep it from being locked.
    if let Some(finding) = model.findings.iter().find(|found| found.severity > Severity::Low) {
        let place = finding.location.file.as_ref().map(ToString::to_string).unwrap_or_default();
        let help = finding.help.as_ref().map(ToString::to_string);
        return Err(cannot(
            format!("{} can't be locked: {place}: {}", model.name, finding.message),
            help,
        ));
    }
    let files =
        model.files.iter().map(|file| locked(&model.name, file)).collect::<Result<Vec<_>, _>>()?;
    let definition = model.definition.unwrap_or_default();
    let entry = LockEntry {
        source: definition.source,
        revision: definition.revision,
        notes: before.map(|entry| entry.notes.clone()).unwrap_or_default(),
        tree: TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest))),
        line: 0,
        files,
    };
    Ok((model.name, entry))
}

fn locked(model: &ModelName, file: &FileHandle) -> Result<LockedFile, GateError> {
    let path = file.path();
    let refuse = |why: &str, help: &str| {
        cannot(format!("{model} can't be locked: {path} {why}"), Some(help.to_owned()))
    };
    file.verify().map_err(|_| {
        refuse("changed meanwhile", "run it again when nothing writes to the model")
    })?;
    match file.hashed() {
        Some(Ok((_, Content::LfsPointer))) => {
            Err(refuse("is a git-lfs pointer, not the file itself", "run `git lfs pull`"))
        }
        Some(Ok((digest, _))) => Ok(LockedFile::new(path.clone(), file.size(), *digest)),
        _ => Err(refuse("can't be read", "make it readable")),
    }
}

fn cannot(message: String, help: Option<String>) -> GateError {
    GateError::Usage { message, help }
}
