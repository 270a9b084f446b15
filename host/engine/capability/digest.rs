//! `digest`: digests at the host's speed, which count as having read.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::files::read_error;
use crate::engine::abi::v0_1::digest::{Algorithm, Host, Range};
use crate::engine::abi::v0_1::files::ReadError;
use crate::engine::state::{State, ViewFile};
use crate::model::digest::{self, Seen, Unfinished};

impl Host for State {
    fn of(
        &mut self,
        file: Resource<ViewFile>,
        algorithm: Algorithm,
        range: Option<Range>,
    ) -> wasmtime::Result<Result<Vec<u8>, ReadError>> {
        self.enter()?;
        let ViewFile(index) = *self.table.get(&file)?;
        let handle = Arc::clone(&self.view.files[index]);
        let place = u32::try_from(index).unwrap_or(u32::MAX);
        // What is in the file is counted as if it were computed each time: the
        // figure must not depend on what others asked for before.
        let counted = range.map_or(handle.size(), |range| {
            range.length.min(handle.size().saturating_sub(range.offset))
        });
        self.reads(counted)?;
        let algorithm = match algorithm {
            Algorithm::Sha256 => digest::Algorithm::Sha256,
            Algorithm::Sha512 => digest::Algorithm::Sha512,
            Algorithm::Blake2b512 => digest::Algorithm::Blake2b512,
            Algorithm::Blake3 => digest::Algorithm::Blake3,
            Algorithm::GitBlobSha1 => digest::Algorithm::GitBlobSha1,
        };
        let clock = self.clock();
        let go_on = || clock.check().is_ok();
        let seen = Seen { place, file: &handle, reader: &mut self.reader };
        let (start, length, computed) = match range {
            None => (0, handle.size(), digest::whole(seen, algorithm, &go_on)),
            Some(Range { offset, length }) => {
                (offset, length, digest::range(seen, algorithm, offset, length, &go_on))
            }
        };
        match computed {
            Ok(digest) => {
                self.seen[index].add(start, start.saturating_add(length));
                Ok(Ok(digest))
            }
            Err(Unfinished::Read(error)) => Ok(Err(read_error(error))),
            Err(Unfinished::Stopped) => {
                // Says why it was stopped.
                self.check_clock()?;
                Ok(Err(ReadError::Changed))
            }
        }
    }
}
