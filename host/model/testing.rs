//! Files in memory for the tests of this folder.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use super::{Descriptors, FileHandle, ReadError};
use crate::domain::model::FilePath;

#[derive(Debug)]
struct One(Arc<File>);

impl Descriptors for One {
    fn descriptor(&self, _: u32) -> Result<Arc<File>, ReadError> {
        Ok(Arc::clone(&self.0))
    }
}

/// Returns a handle to a file of these bytes.
pub(super) fn file(name: &str, bytes: &[u8]) -> Arc<FileHandle> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    let from: Arc<dyn Descriptors> = Arc::new(One(Arc::new(file)));
    let path = FilePath::from_bytes(name.as_bytes());
    Arc::new(FileHandle::handed(&from, 0, path, bytes.len() as u64))
}
