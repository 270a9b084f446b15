//! `files`: the files of the view, read in bounds.

use wasmtime::component::Resource;

use crate::domain::text::GuestText;
use crate::domain::verdict::FailureCode;
use crate::engine::abi::v0_1::files::{Host, HostFile, HostModel, ReadError};
use crate::engine::limits::Stop;
use crate::engine::state::{State, ViewFile, ViewModel};
use crate::model::ReadError as HandleError;

/// The most bytes of one read: what the host allocates for a guest at once.
pub(super) const MAX_READ: u32 = 1 << 20;

/// The most bytes of an I/O error's text that a guest sees.
const MAX_ERROR: usize = 256;

/// Turns a handle's error into the guest's.
pub(super) fn read_error(error: HandleError) -> ReadError {
    match error {
        HandleError::OutOfRange => ReadError::OutOfRange,
        HandleError::Changed => ReadError::Changed,
        HandleError::Io(text) => ReadError::Io(GuestText::new(&text, MAX_ERROR).to_string()),
    }
}

impl Host for State {}

impl HostModel for State {
    fn name(&mut self, _model: Resource<ViewModel>) -> wasmtime::Result<String> {
        self.enter()?;
        Ok(self.view.name.to_string())
    }

    fn count(&mut self, _model: Resource<ViewModel>) -> wasmtime::Result<u32> {
        self.enter()?;
        Ok(u32::try_from(self.view.files.len()).unwrap_or(u32::MAX))
    }

    fn file(
        &mut self,
        _model: Resource<ViewModel>,
        index: u32,
    ) -> wasmtime::Result<Resource<ViewFile>> {
        self.enter()?;
        let index = index as usize;
        if index >= self.view.files.len() {
            let message =
                format!("it asked for file {index}, the view has {}", self.view.files.len());
            return Err(Stop::error(FailureCode::Trap, message));
        }
        self.hand_out(ViewFile(index))
    }

    fn drop(&mut self, model: Resource<ViewModel>) -> wasmtime::Result<()> {
        self.take_back(model)
    }
}

impl HostFile for State {
    fn path(&mut self, file: Resource<ViewFile>) -> wasmtime::Result<String> {
        self.enter()?;
        let ViewFile(index) = *self.table.get(&file)?;
        Ok(self.view.files[index].path().to_string())
    }

    fn size(&mut self, file: Resource<ViewFile>) -> wasmtime::Result<u64> {
        self.enter()?;
        let ViewFile(index) = *self.table.get(&file)?;
        Ok(self.view.files[index].size())
    }

    fn read(
        &mut self,
        file: Resource<ViewFile>,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, ReadError>> {
        self.enter()?;
        if length > MAX_READ {
            return Ok(Err(ReadError::OutOfRange));
        }
        let ViewFile(index) = *self.table.get(&file)?;
        let left = self.view.files[index].size().saturating_sub(offset);
        self.reads(u64::from(length).min(left))?;
        let place = u32::try_from(index).unwrap_or(u32::MAX);
        match self.reader.read(place, &self.view.files[index], offset, length as usize) {
            Ok(bytes) => {
                self.seen[index].add(offset, offset.saturating_add(bytes.len() as u64));
                Ok(Ok(bytes))
            }
            Err(error) => Ok(Err(read_error(error))),
        }
    }

    fn drop(&mut self, file: Resource<ViewFile>) -> wasmtime::Result<()> {
        self.take_back(file)
    }
}
