//! Writers that change a file while a run is on: in place, through a mapping, by
//! cutting, lengthening and replacing it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Numbers that look random, and are the same again from the same start.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64: no secret depends on it.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A folder in memory, where a write through a mapping leaves no trace in what
/// the system says of a file; none where there is no such file system.
pub(crate) fn in_memory() -> Option<tempfile::TempDir> {
    let folder = Path::new("/dev/shm");
    let made = folder.is_dir().then(|| tempfile::tempdir_in(folder).ok()).flatten();
    if made.is_none() {
        eprintln!("skipped: there is no /dev/shm to write to");
    }
    made
}

/// A file mapped into this process, to be written without any call. In memory,
/// the first write to a page is one more change that the system knows of; those
/// that follow are not.
pub(crate) struct Mapping {
    start: *mut u8,
    length: usize,
}

// SAFETY: the mapping is this value's own, and goes with it.
#[expect(unsafe_code, reason = "a mapping may go to another thread")]
unsafe impl Send for Mapping {}

impl Mapping {
    pub(crate) fn new(path: &Path) -> Self {
        let file = OpenOptions::new().read(true).write(true).open(path).expect("a file");
        let length = usize::try_from(file.metadata().expect("its size").len()).expect("small");
        #[expect(unsafe_code, reason = "only a mapping writes without a call")]
        // SAFETY: a new mapping, that nothing else in this process knows.
        let start = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                length,
                rustix::mm::ProtFlags::READ | rustix::mm::ProtFlags::WRITE,
                rustix::mm::MapFlags::SHARED,
                &file,
                0,
            )
        };
        Self { start: start.expect("a mapping").cast(), length }
    }

    pub(crate) fn write(&self, at: usize, byte: u8) {
        assert!(at < self.length);
        #[expect(unsafe_code, reason = "only a mapping writes without a call")]
        // SAFETY: within the mapping; no reference to its bytes is ever made.
        unsafe {
            self.start.add(at).write_volatile(byte);
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "what was mapped is unmapped")]
        // SAFETY: the mapping is this value's own.
        let _ = unsafe { rustix::mm::munmap(self.start.cast(), self.length) };
    }
}

/// A file with two contents of one size that differ in one byte, and what a
/// writer does to it.
pub(crate) struct Writer {
    pub(crate) path: PathBuf,
    /// The contents.
    pub(crate) pair: [Vec<u8>; 2],
    /// Where they differ.
    pub(crate) at: usize,
    /// What a cut leaves.
    pub(crate) cut: usize,
    /// What is appended.
    pub(crate) more: Vec<u8>,
    /// A mapping of the file that was there first.
    pub(crate) mapping: Mapping,
    /// Whether all is written through the mapping.
    pub(crate) quiet: bool,
}

impl Writer {
    /// Does one of the things that writers do.
    pub(crate) fn write(&self, dice: &mut Dice) {
        let choice = usize::from(dice.roll(2) == 1);
        let bytes = &self.pair[choice];
        if self.quiet {
            return self.map(choice);
        }
        match dice.roll(7) {
            0 => self.flip(choice),
            1 => {
                // Behind the back of whoever looks at the time of writing.
                let file = self.open();
                let written = file.metadata().and_then(|metadata| metadata.modified());
                self.flip(choice);
                if let Ok(written) = written {
                    let _ = file.set_modified(written);
                }
            }
            2 => {
                let file = self.open();
                let _ = file.set_len(self.cut as u64);
                let _ = file.write_all_at(&bytes[self.cut..], self.cut as u64);
            }
            3 => {
                let file = self.open();
                let _ = file.write_all_at(&self.more, bytes.len() as u64);
                let _ = file.set_len(bytes.len() as u64);
            }
            4 => {
                let beside = self.path.with_extension("new");
                std::fs::write(&beside, bytes).expect("a file");
                std::fs::rename(&beside, &self.path).expect("renamed");
            }
            5 => {
                let file = self.open();
                let _ = file.write_all_at(bytes, 0);
            }
            _ => self.map(choice),
        }
    }

    fn map(&self, choice: usize) {
        self.mapping.write(self.at, self.pair[choice][self.at]);
    }

    fn flip(&self, choice: usize) {
        let byte = [self.pair[choice][self.at]];
        let _ = self.open().write_all_at(&byte, self.at as u64);
    }

    fn open(&self) -> File {
        OpenOptions::new().write(true).open(&self.path).expect("a file")
    }
}
