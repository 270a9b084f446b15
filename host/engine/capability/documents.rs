//! `documents`: what the operator granted by name, read-only.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::files::{MAX_READ, read_error};
use crate::engine::abi::v0_1::documents::{Host, HostDocument};
use crate::engine::abi::v0_1::files::ReadError;
use crate::engine::state::{State, ViewDocument};
use crate::model::ReadError as HandleError;

impl Host for State {
    fn open(&mut self, name: String) -> wasmtime::Result<Option<Resource<ViewDocument>>> {
        self.enter()?;
        let document = self.view.documents.get(&name).cloned();
        document.map(|bytes| self.hand_out(ViewDocument(bytes))).transpose()
    }
}

impl HostDocument for State {
    fn size(&mut self, document: Resource<ViewDocument>) -> wasmtime::Result<u64> {
        self.enter()?;
        Ok(self.table.get(&document)?.0.len() as u64)
    }

    fn read(
        &mut self,
        document: Resource<ViewDocument>,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, ReadError>> {
        self.enter()?;
        if length > MAX_READ {
            return Ok(Err(read_error(HandleError::OutOfRange)));
        }
        let bytes = Arc::clone(&self.table.get(&document)?.0);
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(length as usize).min(bytes.len());
        let read = bytes.get(start..end).unwrap_or_default();
        self.reads(read.len() as u64)?;
        Ok(Ok(read.to_vec()))
    }

    fn drop(&mut self, document: Resource<ViewDocument>) -> wasmtime::Result<()> {
        self.take_back(document)
    }
}
