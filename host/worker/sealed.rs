//! Bytes that are handed to a worker as a descriptor and can't change any more:
//! [`Sealed`].
//!
//! Leaves sending them to `channel`.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt as _;

/// A file without a name, in memory where the system can, that nobody can
/// change.
#[derive(Debug)]
pub(super) struct Sealed {
    file: File,
    length: u64,
}

impl Sealed {
    /// Seals what `fill` writes, if it says that this is to be used.
    pub(super) fn fill(fill: impl FnOnce(&mut File) -> io::Result<bool>) -> io::Result<Option<Self>> {
        let mut file = nameless()?;
        if !fill(&mut file)? {
            return Ok(None);
        }
        seal(&file)?;
        let length = file.metadata()?.len();
        Ok(Some(Self { file, length }))
    }

    /// Seals `parts`, one after the other.
    pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Self> {
        let sealed = Self::fill(|file| parts.into_iter().try_for_each(|part| file.write_all(part)).map(|()| true));
        Ok(sealed?.expect("it was said that it is to be used"))
    }

    /// Returns how many bytes there are.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Returns the descriptor.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Returns a reader from the first byte on.
    pub(super) fn reader(&self) -> impl io::Read + '_ {
        Reader { file: &self.file, at: 0 }
    }
}

/// Reads `length` bytes from `start` of what was handed over.
pub(super) fn read(file: &File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes)
}

/// Reads by place, since a worker shares the descriptor's own place.
struct Reader<'a> {
    file: &'a File,
    at: u64,
}

impl io::Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(target_os = "linux")]
fn nameless() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Older kernels don't know the flag by which it can never be executed.
    let made = memfd_create("modelhost", flags | MemfdFlags::NOEXEC_SEAL).or_else(|_| memfd_create("modelhost", flags))?;
    Ok(made.into())
}

#[cfg(target_os = "linux")]
fn seal(file: &File) -> io::Result<()> {
    use rustix::fs::{SealFlags, fcntl_add_seals};
    let all = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    Ok(fcntl_add_seals(file, all)?)
}

#[cfg(not(target_os = "linux"))]
fn nameless() -> io::Result<File> {
    tempfile::tempfile()
}

#[cfg(not(target_os = "linux"))]
fn seal(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn holds_what_was_written_and_nothing_else() {
        let sealed = Sealed::of([b"ab".as_slice(), b"c"]).expect("sealed");
        assert_eq!(sealed.length(), 3);
        let mut text = String::new();
        sealed.reader().read_to_string(&mut text).expect("read");
        assert_eq!(text, "abc");
        assert_eq!(read(&sealed.file, 1, 2).expect("read"), b"bc");
        assert!(read(&sealed.file, 1, 3).is_err());
        if cfg!(target_os = "linux") {
            assert!((&sealed.file).write_all(b"x").is_err());
            assert!(sealed.file.set_len(0).is_err());
        }
    }

    #[test]
    fn what_is_not_to_be_used_is_not_sealed() {
        assert!(Sealed::fill(|_| Ok(false)).expect("no error").is_none());
    }
}
