//! Digests of files: SHA-256 of each whole file once, for all plugins; other
//! algorithms and ranges on demand.
//!
//! Leaves when to do it to `runner`.

use std::sync::PoisonError;
use std::sync::mpsc;

use sha2::Digest as _;

use super::chunk::{ChunkDigest, ChunkKey, chunk_size};
use super::content::ContentProbe;
use super::handle::{FileHandle, ReadError};
use super::reader::ChunkReader;
use crate::domain::digest::Digest;

/// How much is read at a time: large enough that system calls don't count,
/// small enough to stay in the processor's cache.
pub(super) const CHUNK: usize = 256 << 10;

/// From this size on a second thread reads ahead while one hashes.
const READ_AHEAD: u64 = 32 << 20;

/// How many chunks are read ahead.
const AHEAD: usize = 4;

/// The algorithms of the `digest` capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// FIPS 180-4.
    Sha256,
    /// FIPS 180-4.
    Sha512,
    /// RFC 7693, unkeyed.
    Blake2b512,
    /// BLAKE3, default mode.
    Blake3,
    /// SHA-1 over git's header of a blob and the content.
    GitBlobSha1,
    /// FIPS 180-4, over the content alone; for claims of others, no guest's.
    Sha1,
    /// RFC 1321; for claims of others, no guest's.
    Md5,
}

/// Why a digest was not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// The bytes could not be had.
    Read(ReadError),
    /// The caller said stop.
    Stopped,
}

impl From<ReadError> for Unfinished {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Computes the SHA-256 of `file` and what kind of content it has, and keeps
/// both with the handle; and, under `key`, the digest of each of its chunks, for
/// tasks to be held against. Done at most once. `progress` is told how many
/// bytes were hashed since it was last told, and says whether to go on.
pub(crate) fn hash(file: &FileHandle, key: Option<&ChunkKey>, progress: &dyn Fn(u64) -> bool) {
    if file.hashed.get().is_some() {
        return;
    }
    let mut state = sha2::Sha256::new();
    let mut probe = ContentProbe::new(file.size());
    let take = |bytes: &[u8]| {
        state.update(bytes);
        probe.update(bytes);
        progress(bytes.len() as u64)
    };
    let result =
        if file.size() >= READ_AHEAD { all_ahead(file, key, take) } else { all(file, key, take) };
    let hashed = match result.and_then(|chunks| file.ends().map(|()| chunks).map_err(Into::into)) {
        Ok(chunks) => {
            if key.is_some() {
                file.note_chunks(chunks);
            }
            Ok((Digest::from_bytes(state.finalize().into()), probe.finish()))
        }
        Err(Unfinished::Read(error)) => Err(error),
        Err(Unfinished::Stopped) => return,
    };
    let _ = file.hashed.set(hashed);
}

/// Finds what kind of content `file` has without computing its digest, and keeps
/// it with the handle. Reads no further than it takes: nothing of a large file.
/// `progress` is as in [`hash`].
pub(crate) fn look(file: &FileHandle, progress: &dyn Fn(u64) -> bool) {
    let mut probe = ContentProbe::new(file.size());
    let looked = if probe.is_decided() {
        Ok(())
    } else {
        all(file, None, |bytes| {
            probe.update(bytes);
            progress(bytes.len() as u64) && !probe.is_decided()
        })
        .map(drop)
    };
    let content = match looked {
        Err(Unfinished::Read(error)) => Err(error),
        Err(Unfinished::Stopped) if !probe.is_decided() => return,
        Ok(()) | Err(Unfinished::Stopped) => Ok(probe.finish()),
    };
    let _ = file.content.set(content);
}

/// One file as a task sees it: where it stands in the view, and what reads it.
pub(crate) struct Seen<'a> {
    /// Its place in the view.
    pub(crate) place: u32,
    /// Its handle.
    pub(crate) file: &'a FileHandle,
    /// Reads for the task.
    pub(crate) reader: &'a mut ChunkReader,
}

/// Returns the digest of the whole file under `algorithm`, computing it the
/// first time it is asked for.
///
/// # Errors
/// Says that the bytes could not be had, or that `go_on` said stop.
pub(crate) fn whole(
    seen: Seen<'_>,
    algorithm: Algorithm,
    go_on: &dyn Fn() -> bool,
) -> Result<Vec<u8>, Unfinished> {
    let file = seen.file;
    if algorithm == Algorithm::Sha256
        && let Some(hashed) = file.hashed.get()
    {
        let (digest, _) = hashed.as_ref().map_err(Clone::clone)?;
        return Ok(digest.as_bytes().to_vec());
    }
    // Held while computing: a second plugin that asks waits instead of
    // computing the same again.
    let mut digests = file.digests.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(digest) = digests.get(&algorithm) {
        return Ok(digest.clone());
    }
    let digest = range(seen, algorithm, 0, file.size(), go_on)?;
    digests.insert(algorithm, digest.clone());
    Ok(digest)
}

/// Computes the digest of `length` bytes from `offset` under `algorithm`.
///
/// # Errors
/// Says that the range is not in the file, that the bytes could not be had, or
/// that `go_on` said stop.
pub(crate) fn range(
    seen: Seen<'_>,
    algorithm: Algorithm,
    offset: u64,
    length: u64,
    go_on: &dyn Fn() -> bool,
) -> Result<Vec<u8>, Unfinished> {
    let mut state = State::new(algorithm, length);
    seen.reader.each(seen.place, seen.file, offset, length, &mut |bytes| {
        state.update(bytes);
        go_on()
    })?;
    Ok(state.finish())
}

/// Computes the digest of `length` bytes from `offset` under `algorithm`, for
/// nobody's task.
///
/// # Errors
/// Says that the range is not in the file, or that the bytes could not be had.
pub fn of(
    file: &FileHandle,
    algorithm: Algorithm,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, ReadError> {
    let end = offset.checked_add(length).filter(|end| *end <= file.size());
    let end = end.ok_or(ReadError::OutOfRange)?;
    let mut state = State::new(algorithm, length);
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(CHUNK).min(CHUNK)];
    let mut at = offset;
    while at < end {
        let step = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
        let bytes = buffer.get_mut(..step).ok_or(ReadError::OutOfRange)?;
        file.read_exact(at, bytes)?;
        state.update(bytes);
        at += step as u64;
    }
    Ok(state.finish())
}

/// Returns how much of `file` is read at a time: whole chunks.
fn step(file: &FileHandle) -> usize {
    usize::try_from(chunk_size(file.size())).unwrap_or(CHUNK).max(CHUNK)
}

/// Notes the digests of the chunks in `bytes`, which start where one does.
fn note(file: &FileHandle, key: Option<&ChunkKey>, bytes: &[u8], noted: &mut Vec<ChunkDigest>) {
    let Some(key) = key else { return };
    let length = usize::try_from(chunk_size(file.size())).unwrap_or(CHUNK);
    noted.extend(bytes.chunks(length).map(|chunk| key.digest(chunk)));
}

/// Hands all bytes of `file` to `take`; returns the digests of its chunks.
fn all(
    file: &FileHandle,
    key: Option<&ChunkKey>,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<Vec<ChunkDigest>, Unfinished> {
    let most = step(file);
    let mut buffer = vec![0; usize::try_from(file.size()).unwrap_or(most).min(most)];
    let mut noted = Vec::new();
    let mut done = 0;
    while done < file.size() {
        let length = usize::try_from(file.size() - done).unwrap_or(most).min(most);
        let bytes = &mut buffer[..length];
        file.read_exact(done, bytes)?;
        note(file, key, bytes, &mut noted);
        if !take(bytes) {
            return Err(Unfinished::Stopped);
        }
        done += length as u64;
    }
    Ok(noted)
}

/// As `all`, with a thread that reads ahead, and digests the chunks there.
fn all_ahead(
    file: &FileHandle,
    key: Option<&ChunkKey>,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<Vec<ChunkDigest>, Unfinished> {
    std::thread::scope(|scope| {
        let (full_in, full_out) = mpsc::sync_channel(AHEAD);
        let (empty_in, empty_out) = mpsc::channel();
        let most = step(file);
        for _ in 0..AHEAD {
            let _ = empty_in.send(vec![0; most]);
        }
        let ahead = scope.spawn(move || {
            let mut noted = Vec::new();
            let mut offset = 0;
            // Ends when the file does, on an error, or when the other side is gone.
            while let Ok(mut buffer) = empty_out.recv() {
                let length = usize::try_from(file.size() - offset).unwrap_or(most).min(most);
                if length == 0 {
                    break;
                }
                buffer.truncate(length);
                let read = file.read_exact(offset, &mut buffer).map(|()| {
                    note(file, key, &buffer, &mut noted);
                    buffer
                });
                let failed = read.is_err();
                if full_in.send(read).is_err() || failed {
                    break;
                }
                offset += length as u64;
            }
            noted
        });
        for read in full_out {
            let buffer = read?;
            if !take(&buffer) {
                return Err(Unfinished::Stopped);
            }
            let _ = empty_in.send(buffer);
        }
        Ok(ahead.join().unwrap_or_default())
    })
}

enum State {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
    Blake2b512(blake2::Blake2b512),
    Blake3(Box<blake3::Hasher>),
    /// Of git's blobs too: the header is what differs.
    Sha1(sha1::Sha1),
    Md5(md5::Md5),
}

impl State {
    fn new(algorithm: Algorithm, length: u64) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(sha2::Sha512::new()),
            Algorithm::Blake2b512 => Self::Blake2b512(blake2::Blake2b512::new()),
            Algorithm::Blake3 => Self::Blake3(Box::default()),
            Algorithm::GitBlobSha1 => {
                let mut state = sha1::Sha1::new();
                state.update(format!("blob {length}\0"));
                Self::Sha1(state)
            }
            Algorithm::Sha1 => Self::Sha1(sha1::Sha1::new()),
            Algorithm::Md5 => Self::Md5(md5::Md5::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(state) => state.update(bytes),
            Self::Sha512(state) => state.update(bytes),
            Self::Blake2b512(state) => state.update(bytes),
            Self::Blake3(state) => {
                state.update(bytes);
            }
            Self::Sha1(state) => state.update(bytes),
            Self::Md5(state) => state.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha256(state) => state.finalize().to_vec(),
            Self::Sha512(state) => state.finalize().to_vec(),
            Self::Blake2b512(state) => state.finalize().to_vec(),
            Self::Blake3(state) => state.finalize().as_bytes().to_vec(),
            Self::Sha1(state) => state.finalize().to_vec(),
            Self::Md5(state) => state.finalize().to_vec(),
        }
    }
}
