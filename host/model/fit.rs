//! What makes a file fit to be read as a file of a model, beside being a regular
//! one: how much of it is stored, and how many names it has.
//!
//! Leaves listing to `walk`.

use std::fs::File;
use std::io;

use cap_std::fs::Dir;
use rustix::fs::{SeekFrom, fstat, fstatfs, seek};
use rustix::io::Errno;

/// From this size on a file is looked at for holes. Below, reading them takes no
/// time.
const LARGE: u64 = 1 << 30;

/// What part of a large file must be stored. Files that are being fetched, and
/// those made to keep a gate busy for hours, have less.
const STORED: u64 = 16;

/// How many stretches of a file are looked at: those of a whole file are few,
/// and one that has more is taken to be stored.
const STRETCHES: usize = 4096;

/// File systems of the kernel's own, whose files are made up as they are read.
/// Source: `linux/magic.h`.
const OF_THE_KERNEL: [u64; 4] = [
    0x9fa0,      // PROC_SUPER_MAGIC
    0x6265_6572, // SYSFS_MAGIC
    0x6462_6720, // DEBUGFS_MAGIC
    0x7472_6163, // TRACEFS_MAGIC
];

/// What was seen of a fit file.
pub(super) struct Fit {
    /// How many names it has.
    pub(super) names: u64,
}

/// Why a file is not read.
pub(super) enum Unfit {
    /// Nearly all of it is holes.
    Sparse {
        /// Its size in bytes.
        size: u64,
        /// How many of them are stored.
        stored: u64,
    },
    /// The system does not say.
    Io(io::Error),
}

/// Looks at `file`, a regular one.
pub(super) fn look(file: &File) -> Result<Fit, Unfit> {
    let stat = fstat(file).map_err(|error| Unfit::Io(error.into()))?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    if size >= LARGE {
        let stored = stored(file, size);
        if stored < size / STORED {
            return Err(Unfit::Sparse { size, stored });
        }
    }
    Ok(Fit { names: stat.st_nlink })
}

/// Whether `folder` is on a file system of the kernel's own.
pub(super) fn is_of_the_kernel(folder: &Dir) -> bool {
    let kind = fstatfs(folder).ok().and_then(|fs| u64::try_from(fs.f_type).ok());
    kind.is_some_and(|kind| OF_THE_KERNEL.contains(&kind))
}

/// Returns how many of the `size` bytes of `file` are stored; all of them where
/// the file system does not say.
fn stored(file: &File, size: u64) -> u64 {
    let mut stored: u64 = 0;
    let mut at = 0;
    for _ in 0..STRETCHES {
        let start = match seek(file, SeekFrom::Data(at)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return stored, // holes up to the end
            Err(_) => return size,
        };
        let Ok(end) = seek(file, SeekFrom::Hole(start)) else { return size };
        if end <= start {
            return size;
        }
        stored = stored.saturating_add(end - start);
        if end >= size {
            return stored;
        }
        at = end;
    }
    size
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    #[test]
    fn tells_what_is_stored() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(1 << 40).expect("a sparse file");
        file.write_all_at(b"x", 1 << 39).expect("written");
        match look(&file) {
            Err(Unfit::Sparse { size, stored }) => {
                assert_eq!(size, 1 << 40);
                assert!((1..=1 << 20).contains(&stored), "{stored}");
            }
            Err(Unfit::Io(error)) => panic!("{error}"),
            Ok(_) => panic!("this file system has no holes"),
        }
        file.set_len(LARGE - 1).expect("a sparse file");
        assert!(look(&file).is_ok_and(|fit| fit.names == 0), "small enough to be read");
    }
}
