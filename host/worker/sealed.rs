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
    pub(super) fn fill(
        fill: impl FnOnce(&mut File) -> io::Result<bool>,
    ) -> io::Result<Option<Self>> {
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
        let sealed = Self::fill(|file| {
            parts.into_iter().try_for_each(|part| file.write_all(part)).map(|()| true)
        });
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
    let length =
        usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes)
}

/// The bytes behind a descriptor that was handed over, for as long as this is
/// kept.
pub(super) struct Mapped {
    #[cfg(target_os = "linux")]
    start: std::ptr::NonNull<u8>,
    #[cfg(target_os = "linux")]
    length: usize,
    #[cfg(not(target_os = "linux"))]
    bytes: Vec<u8>,
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "mapping saves a copy of native code each time a worker starts")]
impl Mapped {
    /// Maps the first `length` bytes of `file`, which must be sealed.
    pub(super) fn new(file: &File, length: u64) -> io::Result<Self> {
        use rustix::fs::{SealFlags, fcntl_get_seals};
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        let odd = || io::Error::from(io::ErrorKind::InvalidData);
        let sealed = fcntl_get_seals(file)?.contains(SealFlags::WRITE | SealFlags::SHRINK);
        let Some(last) = length.checked_sub(1).filter(|_| sealed) else { return Err(odd()) };
        // Behind the file's end there is nothing to map.
        file.read_exact_at(&mut [0], last)?;
        let length = usize::try_from(length).map_err(|_| odd())?;
        let (reads, flags) = (ProtFlags::READ, MapFlags::SHARED | MapFlags::POPULATE);
        // SAFETY: a new mapping, at an address of the system's choice.
        let start = unsafe { mmap(std::ptr::null_mut(), length, reads, flags, file, 0) }?;
        Ok(Self { start: std::ptr::NonNull::new(start.cast()).ok_or_else(odd)?, length })
    }

    /// Returns the bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping has this length and stands as long as `self`, and
        // the seals keep everybody from changing or cutting what is mapped.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "undoes the mapping")]
impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no slice of it outlives `self`.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

#[cfg(not(target_os = "linux"))]
impl Mapped {
    /// Reads the first `length` bytes of `file`.
    pub(super) fn new(file: &File, length: u64) -> io::Result<Self> {
        Ok(Self { bytes: read(file, 0, length)? })
    }

    /// Returns the bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
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
    let made = memfd_create("modelhost", flags | MemfdFlags::NOEXEC_SEAL)
        .or_else(|_| memfd_create("modelhost", flags))?;
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
        assert_eq!(Mapped::new(&sealed.file, 3).expect("mapped").bytes(), b"abc");
        assert!(Mapped::new(&sealed.file, 4).is_err());
        if cfg!(target_os = "linux") {
            let loose = tempfile::tempfile().expect("a file");
            loose.set_len(3).expect("longer");
            assert!(
                Mapped::new(&loose, 3).is_err(),
                "what is not sealed could change while it is read"
            );
            assert!((&sealed.file).write_all(b"x").is_err());
            assert!(sealed.file.set_len(0).is_err());
        }
    }

    #[test]
    fn what_is_not_to_be_used_is_not_sealed() {
        assert!(Sealed::fill(|_| Ok(false)).expect("no error").is_none());
    }
}
