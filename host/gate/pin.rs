//! What a lock file is to say of the models and plugins of a request.
//!
//! Leaves the file itself to `record`, and what is noted beside the digests that
//! every file has to `note`.

mod note;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Gate, GateError};
use crate::domain::digest::TreeDigest;
use crate::domain::evidence::Content;
use crate::domain::finding::Severity;
use crate::domain::model::{Definition, LockEntry, LockNotes, LockedFile, ModelName};
use crate::engine::Engine;
use crate::model::{FileHandle, Model};
use crate::record::lock::{LockFile, LockedPlugin, LockedRegistry};
use crate::runner::{self, Plan, Work};

/// What is noted of models beside what always is, and of those whose entry had it
/// already in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Also {
    /// The BLAKE3 of each file.
    pub blake3: bool,
    /// Digests of the parts of large files.
    pub parts: bool,
    /// The digest over the tensors of each model.
    pub tensors: bool,
}

/// What a lock file is to say, and what else there is to say of it.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// What the lock file is to say.
    pub lock: LockFile,
    /// What could not be noted, and why, one line each.
    pub remarks: Vec<String>,
}

impl Gate {
    /// Returns what the lock file is to say: of the models that the request is
    /// about and, where it names none, of all of them and of the plugins;
    /// everything else as it is locked already. Writes nothing.
    ///
    /// # Errors
    /// Says which model can't be locked as it is, and why.
    pub async fn pin(self, also: Also) -> Result<Pinned, GateError> {
        let pinning = tokio::task::spawn_blocking(move || self.pin_blocking(also));
        pinning.await.unwrap_or(Err(GateError::Execute(runner::ExecuteError::Panicked)))
    }

    fn pin_blocking(self, also: Also) -> Result<Pinned, GateError> {
        let (old, mut lock) = self.begin_lock()?;
        let models = self.open()?;
        let jobs = self.jobs;
        let mut remarks = Vec::new();
        for model in self.hashed(models)? {
            let before = old.models.get(&model.name);
            let (name, entry) = entry(model, before, also, jobs, &mut remarks)?;
            lock.models.insert(name, entry);
        }
        Ok(Pinned { lock, remarks })
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
        lock.registry = self.registry()?.map(|registry| LockedRegistry {
            sequence: registry.set.sequence,
            digest: registry.set.digest,
            line: 0,
        });
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
            return Err(cannot("nothing was done: interrupted".to_owned(), None));
        }
        Ok(work.models)
    }
}

/// Returns the entry of `model`, with the notes of the one it replaces; adds to
/// `remarks` what could not be noted.
pub(super) fn entry(
    model: Model,
    before: Option<&LockEntry>,
    also: Also,
    jobs: usize,
    remarks: &mut Vec<String>,
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
    let mut files =
        model.files.iter().map(|file| locked(&model.name, file)).collect::<Result<Vec<_>, _>>()?;
    let tree = TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest)));
    let failed = |error: String| {
        let help = "run it again when nothing writes to the model";
        cannot(format!("{} can't be locked: {error}", model.name), Some(help.to_owned()))
    };
    note::files(&model, before, also, jobs, &mut files).map_err(failed)?;
    let mut kept = before.map(|entry| entry.notes.clone()).unwrap_or_default();
    if before.is_some_and(|entry| entry.tree != tree) {
        // What was concluded was concluded of other files.
        (kept.license, kept.signer) = (None, None);
    }
    let tensors = match note::tensors(&model, before, tree, also, jobs) {
        Ok(tensors) => tensors,
        Err(why) => {
            remarks.push(format!("model {}: no fingerprint: {why}", model.name));
            None
        }
    };
    // Last, so that what was read for the notes is what was hashed before.
    for file in &model.files {
        file.verify().map_err(|_| failed(format!("{} changed meanwhile", file.path())))?;
    }
    let definition = model.definition.unwrap_or_default();
    let entry = LockEntry {
        source: definition.source.clone(),
        revision: definition.revision.clone(),
        notes: notes(definition, kept, tensors),
        tree,
        line: 0,
        files,
    };
    Ok((model.name, entry))
}

/// Returns the notes of an entry: what the definition states, and else what was
/// noted before.
fn notes(definition: Definition, kept: LockNotes, tensors: Option<String>) -> LockNotes {
    let base = if definition.base.is_empty() { kept.base } else { definition.base };
    LockNotes {
        requested: definition.requested.or(kept.requested),
        tensors,
        license: definition.license.or(kept.license),
        signer: kept.signer,
        base,
    }
}

fn locked(model: &ModelName, file: &FileHandle) -> Result<LockedFile, GateError> {
    let path = file.path();
    let refuse = |why: &str, help: &str| {
        cannot(format!("{model} can't be locked: {path} {why}"), Some(help.to_owned()))
    };
    match file.hashed() {
        Some(Ok((_, Content::LfsPointer))) => {
            Err(refuse("is a git-lfs pointer, not the file itself", "run `git lfs pull`"))
        }
        Some(Ok((digest, _))) => Ok(LockedFile::new(path.clone(), file.size(), *digest)),
        _ => Err(refuse("can't be read", "make it readable")),
    }
}

pub(super) fn cannot(message: String, help: Option<String>) -> GateError {
    GateError::Usage { message, help }
}
