//! What a model consists of right now, for an attestation to be held against.
//!
//! Leaves what was attested to `attest`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{GateError, MAX_TASKS, select};
use crate::domain::attested::AttestedFile;
use crate::domain::event::EventSink;
use crate::domain::finding::Severity;
use crate::domain::model::{FilePath, ModelName};
use crate::engine::Engine;
use crate::model::{self, Model, ModelError, Pool};
use crate::runner::{self, Plan, Work};

/// Which model, and how.
pub struct Contents {
    /// The model: its folder, or its one file.
    pub path: PathBuf,
    /// The file of attestations: where it is itself one of the model's, it is none of
    /// what was attested.
    pub attestations: PathBuf,
    /// How many threads work at once.
    pub jobs: usize,
    /// Is told what happens.
    pub sink: Arc<dyn EventSink>,
}

impl Contents {
    /// Reads every file of the model, and returns them sorted by path.
    ///
    /// # Errors
    /// Says that the model can't be read, changed meanwhile, or holds something that
    /// no attestation covers, such as a link that leads outside.
    pub fn read(self) -> Result<Vec<AttestedFile>, GateError> {
        let shown = self.path.display().to_string();
        let name = ModelName::new(&shown);
        let pool = Arc::new(Pool::default());
        let model = model::open(&self.path, name, &shown, &pool, MAX_TASKS);
        let mut model = model.map_err(|error| match error {
            ModelError::TooMany { .. } => select::too_many(error.to_string()),
            error => error.into(),
        })?;
        if let Some(own) = below(&self.path, &self.attestations) {
            model.files.retain(|file| *file.path() != own);
        }
        let work = Work {
            engine: Arc::new(Engine::new()?),
            workers: None,
            registry: None,
            cache: None,
            models: vec![model],
            candidates: Vec::new(),
            plan: Plan::default(),
            digests: true,
            jobs: self.jobs,
            now: 0,
            sink: self.sink,
            interrupted: Arc::new(AtomicBool::new(false)),
        };
        runner::execute(&work)?;
        work.models.into_iter().next().map_or_else(|| Ok(Vec::new()), |model| files(&model))
    }
}

fn files(model: &Model) -> Result<Vec<AttestedFile>, GateError> {
    let refuse = |path: &FilePath, why: &str| GateError::Usage {
        message: format!("{} can't be verified: {path} {why}", model.path),
        help: None,
    };
    // What is merely noted of a file was noted when it was attested, too.
    let odd = model.findings.iter().find(|found| found.severity > Severity::Low);
    if let Some(finding) = odd {
        let place = finding.location.file.as_ref().map(ToString::to_string).unwrap_or_default();
        return Err(GateError::Usage {
            message: format!("{} can't be verified: {place}: {}", model.path, finding.message),
            help: None,
        });
    }
    if let Some(path) = model.unreadable.first() {
        return Err(refuse(path, "can't be read"));
    }
    let mut files = Vec::with_capacity(model.files.len());
    for file in &model.files {
        if file.verify().is_err() || file.is_changed() {
            return Err(refuse(file.path(), "changed meanwhile"));
        }
        let Some(Ok((digest, _))) = file.hashed() else {
            return Err(refuse(file.path(), "can't be read"));
        };
        files.push(AttestedFile { path: file.path().clone(), size: file.size(), digest: *digest });
    }
    Ok(files)
}

/// Returns where in the model the file at `path` is; none where it is elsewhere.
fn below(model: &Path, path: &Path) -> Option<FilePath> {
    use std::os::unix::ffi::OsStrExt as _;
    let (model, path) = (select::canonical(model).ok()?, select::canonical(path).ok()?);
    let relative = path.strip_prefix(model).ok()?.as_os_str();
    (!relative.is_empty()).then(|| FilePath::from_bytes(relative.as_bytes()))
}
