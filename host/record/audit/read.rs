//! Reading a log from its file: in blocks, so that memory does not grow with the
//! log, the lines of a block on several threads.
//!
//! Leaves what a line is to `line`, and whether lines follow one another to `chain`.

#![expect(
    clippy::disallowed_methods,
    reason = "logs are the operator's own, read by their paths here alone"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::chain::{MAX_TORN, Walk, Walked};
use super::line::{self, Fault, Line};

/// How much is read at a time, and opened on several threads.
const BLOCK: usize = 1 << 20;

/// Fewer lines than this are not worth another thread.
const LINES: usize = 32;

/// Walks along the log at `path` to its end or to where it is broken, on `jobs`
/// threads, and hands each record to `each` with the number of its line, from 1.
/// A record that is being appended meanwhile is not waited for.
///
/// # Errors
/// Fails where the file can't be read, or is no regular file.
pub fn read(path: &Path, jobs: usize, each: &mut dyn FnMut(&Line<'_>, u64)) -> io::Result<Walked> {
    let file = open(path)?;
    let length = settled(&file)?;
    walk(&mut file.take(length), jobs, each)
}

/// Opens the file at `path` for reading.
pub(super) fn open(path: &Path) -> io::Result<File> {
    // A pipe is not waited for.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// Returns how long the file is when nobody is writing to it.
fn settled(file: &File) -> io::Result<u64> {
    // Where files can't be locked nobody appends either: what is there is read.
    let locked = file.lock_shared().is_ok();
    let length = file.metadata()?.len();
    if locked {
        file.unlock()?;
    }
    Ok(length)
}

/// Walks along what is read from `input`, as [`read`] does.
///
/// # Errors
/// Fails where that can't be read.
pub fn walk(
    input: &mut dyn Read,
    jobs: usize,
    each: &mut dyn FnMut(&Line<'_>, u64),
) -> io::Result<Walked> {
    let mut walk = Walk::default();
    let mut number = 0;
    let mut block = Vec::new();
    loop {
        let more = fill(input, &mut block)?;
        let end = block.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<&[u8]> = block[..end].split_inclusive(|byte| *byte == b'\n').collect();
        for (bytes, opened) in lines.iter().zip(open_all(&lines, jobs)) {
            number += 1;
            if walk.take(without_newline(bytes), &opened)
                && let Ok(line) = &opened
            {
                each(line, number);
            }
            if walk.is_broken() {
                return Ok(walk.end(&[]));
            }
        }
        block.drain(..end);
        if block.len() > MAX_TORN {
            // It may go on without end: nothing of that length is excused.
            walk.take(&block, &Err(Fault::TooLong));
            return Ok(walk.end(&[]));
        }
        if !more {
            return Ok(walk.end(&block));
        }
    }
}

/// Reads another block behind what is left of the last; returns whether there is
/// more.
fn fill(input: &mut dyn Read, block: &mut Vec<u8>) -> io::Result<bool> {
    let left = BLOCK as u64;
    let read = input.take(left).read_to_end(block)?;
    Ok(read as u64 == left)
}

fn without_newline(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Opens `lines` on up to `jobs` threads, in their order.
fn open_all<'a>(lines: &[&'a [u8]], jobs: usize) -> Vec<Result<Line<'a>, Fault>> {
    let open_some = |lines: &[&'a [u8]]| {
        lines.iter().map(|line| line::open(without_newline(line))).collect::<Vec<_>>()
    };
    let threads = jobs.min(lines.len() / LINES).max(1);
    if threads == 1 {
        return open_some(lines);
    }
    let mut parts = lines.chunks(lines.len().div_ceil(threads));
    let first = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(|| open_some(part))).collect();
        let mut opened = open_some(first);
        for other in others {
            opened.extend(other.join().expect("opening a line does not panic"));
        }
        opened
    })
}

/// Returns whether something is at `path` that could be a log.
pub fn is_there(path: &Path) -> bool {
    path.exists()
}

/// Reads a small file that belongs to a log: a checkpoint, a key.
///
/// # Errors
/// Fails where it can't be read, is longer than `max`, no regular file or no text.
pub fn small(path: &Path, max: u64) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.take(max + 1).read_to_string(&mut text)?;
    if text.len() as u64 > max {
        return Err(io::Error::other(format!("it has more than {max} bytes")));
    }
    Ok(text)
}
