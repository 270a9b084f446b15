//! The address of what is told, for formats that point at a line of a text file
//! in a repository: [`anchor`], and of the file of a model itself: [`itself`].
//!
//! Leaves how a person reads a place to `place`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::format::Roots;
use super::notice::Told;
use super::place::Place;
use crate::domain::report::{ModelReport, Report};
use crate::domain::text::GuestText;

/// What a path in a URI may hold as it is, by RFC 3986: the unreserved
/// characters, and `/` between its parts.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A line of a file, its path relative to the repository's top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    path: Vec<u8>,
    /// The line, from 1; none for the file as a whole.
    pub(super) line: Option<u32>,
}

impl Address {
    fn new(root: &str, path: &[u8], line: Option<u32>) -> Self {
        Self { path: join(root.as_bytes(), path), line }
    }

    /// Returns the path as a relative reference, as URIs are written.
    pub(super) fn uri(&self) -> String {
        percent_encode(&self.path, PATH).to_string()
    }

    /// Returns the path as a person reads it, inert.
    pub(super) fn shown(&self) -> GuestText {
        GuestText::capped(&String::from_utf8_lossy(&self.path))
    }
}

/// Returns the line of text that speaks of what is told: of the lock file, else
/// of the definition, else the file or the model itself. What is told of the
/// run as a whole is at the start of the policy.
pub(super) fn anchor(report: &Report, roots: &Roots, told: &Told<'_>) -> Address {
    let lock = report.inputs.lock.as_ref();
    if let Some((file, line)) = told.notice.at() {
        return Address::new(&roots.policy, file.as_str().as_bytes(), Some(line));
    }
    let Some(place) = &told.place else {
        let input = report.inputs.policy.first().or(lock);
        let path = input.map_or("modelhost.toml", |input| &input.path);
        return Address::new(&roots.policy, path.as_bytes(), Some(1));
    };
    let of_lock = told
        .judged
        .and_then(|judged| judged.lock_line)
        .or_else(|| of_file(place))
        .or(place.model.lock_line);
    if let (Some(lock), Some(line)) = (lock, of_lock) {
        return Address::new(&roots.policy, lock.path.as_bytes(), Some(line));
    }
    if let Some(at) = &place.model.defined_at {
        return Address::new(&roots.policy, at.file.as_bytes(), Some(at.line));
    }
    let itself = itself(roots, place);
    Address { line: itself.line.or(Some(1)), ..itself }
}

/// Returns the line of the lock file that pins the file of `place`.
fn of_file(place: &Place<'_>) -> Option<u32> {
    let file = place.file?;
    let files = &place.model.files;
    let index = files.binary_search_by(|known| known.path.cmp(file)).ok()?;
    files.get(index)?.lock_line
}

/// Returns the file of a model that `place` is in, or the model, and its line if
/// it is a line of text.
pub(super) fn itself(roots: &Roots, place: &Place<'_>) -> Address {
    let mut path = model(roots, place.model);
    if let Some(file) = place.file.filter(|_| !place.is_model()) {
        path.push(b'/');
        path.extend_from_slice(&file.to_bytes());
    }
    let line = place.line();
    Address { path: join(b"", &path), line }
}

/// Returns the path of `model` from the repository's top.
fn model(roots: &Roots, model: &ModelReport) -> Vec<u8> {
    let path = model.path.as_bytes();
    let below = roots
        .top
        .as_ref()
        .and_then(|top| path.strip_prefix(top.as_bytes()).filter(|below| below.starts_with(b"/")));
    match below {
        Some(below) => below.to_vec(),
        None if path.starts_with(b"/") => path.to_vec(),
        None => join(roots.working.as_bytes(), path),
    }
}

/// Joins `path` to `root`, without empty parts, `.`, and what leads above the
/// top; `.` where nothing is left.
fn join(root: &[u8], path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in root.split(|byte| *byte == b'/').chain(path.split(|byte| *byte == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_repository() {
        let rows: [(&str, &str, &str); 8] = [
            ("", "models/bert", "models/bert"),
            ("", "./models//bert/", "models/bert"),
            ("sub", "models", "sub/models"),
            ("sub", "../models", "models"),
            ("sub", ".", "sub"),
            ("", ".", "."),
            ("", "../../etc", "etc"),
            ("", "a b/é:x?#%.bin", "a%20b/%C3%A9%3Ax%3F%23%25.bin"),
        ];
        for (root, path, expected) in rows {
            assert_eq!(Address::new(root, path.as_bytes(), None).uri(), expected, "{root} {path}");
        }
    }
}
