//! `definition`: what the repository says of the model.

use crate::domain::verdict::FailureCode;
use crate::engine::abi::v0_1::definition::{Host, LockEntry, LockedFile, ModelDefinition};
use crate::engine::limits::Stop;
use crate::engine::state::State;

impl Host for State {
    fn defined(&mut self) -> wasmtime::Result<Option<ModelDefinition>> {
        self.enter()?;
        Ok(self.view.definition.as_ref().map(|definition| ModelDefinition {
            source: definition.source.clone(),
            revision: definition.revision.clone(),
            license: definition.license.clone(),
        }))
    }

    fn locked(&mut self) -> wasmtime::Result<Option<LockEntry>> {
        self.enter()?;
        Ok(self.view.lock.as_ref().map(|entry| LockEntry {
            source: entry.source.clone(),
            revision: entry.revision.clone(),
            tree: entry.tree.digest().as_bytes().to_vec(),
            count: u32::try_from(entry.files.len()).unwrap_or(u32::MAX),
        }))
    }

    fn locked_file_at(&mut self, index: u32) -> wasmtime::Result<LockedFile> {
        self.enter()?;
        let file = self.view.lock.as_ref().and_then(|entry| entry.files.get(index as usize));
        let file = file.ok_or_else(|| {
            Stop::error(
                FailureCode::Trap,
                format!("it asked for locked file {index}, which there isn't"),
            )
        })?;
        Ok(LockedFile {
            path: file.path.to_string(),
            size: file.size,
            sha256: file.digest.as_bytes().to_vec(),
        })
    }
}
