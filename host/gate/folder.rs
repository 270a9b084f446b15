//! A folder or file as one side of a comparison: its files' digests and, where
//! they are worth their reading, its tensors.
//!
//! Leaves comparing to `record`.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{Gate, GateError, pin};
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::finding::Severity;
use crate::domain::model::{FilePath, ModelName};
use crate::domain::tensor::TensorDigest;
use crate::model::{self, Model, Pool, tensors};
use crate::record::compare::{FileState, ModelState, Tensors, Values};

/// One folder or file, hashed.
pub struct Folder {
    model: Model,
    jobs: usize,
    /// What it is.
    pub state: ModelState,
    /// What is in it that is no file, or none of its own, in words: what a lock
    /// file or a report holds no digest of.
    pub beside: Vec<String>,
}

impl Gate {
    /// Opens and hashes what is at `path`, relative to the working directory, as
    /// one model with all that is below it. Nothing else of the request counts
    /// but how many threads may work.
    ///
    /// # Errors
    /// Says that it can't be opened or read whole, or changed meanwhile: what is
    /// not known wholly is not compared.
    pub fn folder(self, path: &Path) -> Result<Folder, GateError> {
        let name = ModelName::new("");
        let (at, jobs, most) = (self.working_dir.join(path), self.jobs, self.max_tasks);
        let shown = path.display().to_string();
        let opened = model::open(&at, name, &shown, &Arc::new(Pool::default()), most)?;
        if let Some(path) = opened.unreadable.first() {
            return Err(not_whole(&shown, path, "can't be read"));
        }
        let model = self.hashed(vec![opened])?.pop();
        let Some(model) = model else {
            return Err(GateError::Nothing(format!("{shown} holds no files")));
        };
        let mut state = ModelState::default();
        let mut sums = Vec::with_capacity(model.files.len());
        for file in &model.files {
            let path = file.path();
            match file.hashed() {
                Some(Ok((digest, _))) if file.verify().is_ok() => {
                    sums.push((path, file.size(), *digest));
                    let values = Values::new();
                    let new = FileState { size: file.size(), digest: *digest, values };
                    state.files.insert(path.to_string(), new);
                }
                Some(Ok(_)) => return Err(not_whole(&shown, path, "changed meanwhile")),
                _ => return Err(not_whole(&shown, path, "can't be read")),
            }
        }
        let mut beside = Vec::new();
        for finding in model.findings.iter().filter(|finding| finding.severity > Severity::Low) {
            let place = finding.location.file.as_ref().map(FilePath::as_str).unwrap_or_default();
            state.values.insert(format!("{} {place}", finding.rule), finding.message.to_string());
            beside.push(format!("{place}: {}", finding.message));
        }
        state.values.insert("tree".to_owned(), TreeDigest::of(sums).to_string());
        Ok(Folder { model, jobs, state, beside })
    }
}

impl Folder {
    /// Takes in its tensors, as far as they are in files with other digests than
    /// `shared`. The digest over them is noted where that is all of them. Files
    /// that give no tensors are left out, and what is wrong with them returned.
    pub fn note_tensors(&mut self, shared: &BTreeSet<Digest>) -> Vec<String> {
        let mut known = Tensors::default();
        let (mut own, mut remarks) = (Vec::new(), Vec::new());
        for file in &self.model.files {
            let digest = file.hashed().and_then(|hashed| hashed.as_ref().ok());
            let is_shared = digest.is_some_and(|(digest, _)| shared.contains(digest));
            match tensors::find(file) {
                Ok(Some(tensors)) if is_shared => known.shared += tensors.count(),
                Ok(Some(tensors)) => own.push(tensors),
                Ok(None) => {}
                Err(error) => remarks.push(format!("{}: no tensors: {error}", file.path())),
            }
        }
        match tensors::digests(&own, self.jobs) {
            Ok(tensors) => known.own = tensors,
            Err(error) => remarks.push(format!("no tensors: {error}")),
        }
        if remarks.is_empty() {
            if known.shared == 0 && !known.own.is_empty() {
                let all = TensorDigest::of(&known.own).to_string();
                self.state.values.insert("tensors".to_owned(), all);
            }
            self.state.tensors = Some(known);
        }
        remarks
    }
}

fn not_whole(shown: &str, path: &FilePath, why: &str) -> GateError {
    let help = "what is not known wholly is not compared";
    pin::cannot(format!("{shown}: {path} {why}"), Some(help.to_owned()))
}
