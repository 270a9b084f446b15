//! `definition`: what the repository says of the model, and what the trusted
//! registry does.

use std::sync::Arc;

use crate::domain::lineage;
use crate::domain::model;
use crate::domain::registry;
use crate::domain::verdict::FailureCode;
use crate::engine::abi::v0_1::definition::{
    Base, Host, LockEntry, LockedBase, LockedFile, LockedParts, ModelDefinition, RegisteredFile,
    Registry, RegistryEntry, Standing,
};
use crate::engine::limits::Stop;
use crate::engine::state::State;

impl State {
    fn locked_file(&self, index: u32) -> wasmtime::Result<&model::LockedFile> {
        let file = self.view.lock.as_ref().and_then(|entry| entry.files.get(index as usize));
        file.ok_or_else(|| not_there(format!("locked file {index}")))
    }
}

/// Stops a guest that asked for what there isn't.
fn not_there(what: String) -> wasmtime::Error {
    Stop::error(FailureCode::Trap, format!("it asked for {what}, which there isn't"))
}

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
            license: entry.notes.license.clone(),
            signer: entry.notes.signer.clone(),
        }))
    }

    fn locked_file_at(&mut self, index: u32) -> wasmtime::Result<LockedFile> {
        self.enter()?;
        let file = self.locked_file(index)?;
        Ok(LockedFile {
            path: file.path.to_string(),
            size: file.size,
            sha256: file.digest.as_bytes().to_vec(),
            blake3: file.blake3.map(|digest| digest.as_bytes().to_vec()),
        })
    }

    fn locked_parts_at(&mut self, index: u32) -> wasmtime::Result<Option<LockedParts>> {
        self.enter()?;
        let parts = self.locked_file(index)?.parts.as_ref();
        Ok(parts.map(|parts| LockedParts {
            size: parts.size(),
            digests: parts.kept().as_flattened().to_vec(),
        }))
    }

    fn lineage(&mut self) -> wasmtime::Result<Vec<Base>> {
        self.enter()?;
        Ok(self.view.lineage.iter().map(base).collect())
    }

    fn trusted(&mut self) -> wasmtime::Result<Option<Registry>> {
        self.enter()?;
        Ok(self.view.registered.as_ref().map(|registered| Registry {
            sequence: registered.set.sequence,
            digest: registered.set.digest.as_bytes().to_vec(),
            signed: registered.set.signed,
        }))
    }

    fn registered(&mut self) -> wasmtime::Result<Vec<RegistryEntry>> {
        self.enter()?;
        let entries = self.view.registered.iter().flat_map(|registered| &registered.entries);
        Ok(entries.map(|found| entry(found)).collect())
    }

    fn registered_file_at(&mut self, entry: u32, index: u32) -> wasmtime::Result<RegisteredFile> {
        self.enter()?;
        let found = self.view.registered.as_ref();
        let found = found.and_then(|registered| registered.entries.get(entry as usize));
        let file = found.map(Arc::as_ref).and_then(|entry| entry.files.get(index as usize));
        let file = file.ok_or_else(|| not_there(format!("file {index} of entry {entry}")))?;
        Ok(RegisteredFile {
            path: file.path.to_string(),
            size: file.size,
            sha256: file.digest.as_bytes().to_vec(),
        })
    }
}

fn base(base: &lineage::Base) -> Base {
    Base {
        source: base.source.clone(),
        revision: base.revision.clone(),
        below: base.below,
        locked: base.locked.as_ref().map(|locked| LockedBase {
            name: locked.name.to_string(),
            tree: locked.tree.digest().as_bytes().to_vec(),
            license: locked.license.clone(),
            stated_license: locked.stated_license.clone(),
        }),
    }
}

fn entry(entry: &registry::RegistryEntry) -> RegistryEntry {
    RegistryEntry {
        name: entry.name.to_string(),
        source: entry.source.clone(),
        revision: entry.revision.clone(),
        tree: entry.tree.map(|tree| tree.digest().as_bytes().to_vec()),
        license: entry.license.clone(),
        standing: match entry.standing {
            registry::Standing::Approved => Standing::Approved,
            registry::Standing::Revoked => Standing::Revoked,
            registry::Standing::Superseded => Standing::Superseded,
        },
        reason: entry.reason.clone(),
        superseded_by: entry.superseded_by.as_ref().map(ToString::to_string),
        date: entry.date.clone(),
        reviewer: entry.reviewer.clone(),
        digest: entry.digest.as_bytes().to_vec(),
        count: u32::try_from(entry.files.len()).unwrap_or(u32::MAX),
    }
}
