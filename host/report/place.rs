//! Where in a model something is: as a person would type and look it up, and as
//! the address of a text line for formats that point at one.
//!
//! Leaves what is there to `notice`.

use std::fmt;

use crate::domain::finding::{Fingerprint, Location};
use crate::domain::model::FilePath;
use crate::domain::report::{Judged, ModelReport};
use crate::domain::text::GuestText;

/// Where a notice is about something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) model: &'a ModelReport,
    pub(super) file: Option<&'a FilePath>,
    location: Option<&'a Location>,
    /// What is found there is known by this.
    pub(super) fingerprint: Option<Fingerprint>,
    lock_line: Option<u32>,
}

impl<'a> Place<'a> {
    /// Returns the place of `file` in `model`, or `model` itself.
    pub(super) const fn file(model: &'a ModelReport, file: Option<&'a FilePath>) -> Self {
        Self { model, file, location: None, fingerprint: None, lock_line: None }
    }

    /// Returns the place in `model` that `judged` is about.
    pub(super) const fn of(model: &'a ModelReport, judged: &'a Judged) -> Self {
        let location = &judged.finding.location;
        Self {
            model,
            file: location.file.as_ref(),
            location: Some(location),
            fingerprint: Some(judged.fingerprint),
            lock_line: judged.lock_line,
        }
    }
}

impl Place<'_> {
    /// Returns whether the model is the one file that the place is in.
    pub(super) fn is_model(&self) -> bool {
        let path = GuestText::capped(&self.model.path);
        let name = path.as_str().trim_end_matches('/').rsplit('/').next();
        self.model.files.len() == 1 && self.file.is_some_and(|file| name == Some(file.as_str()))
    }

    /// Returns what within the file it is: an archive member, a tensor, a key.
    pub(super) fn member(&self) -> Option<&GuestText> {
        self.location?.member.as_ref()
    }

    /// Returns the byte it is at in the file; none within a member.
    pub(super) fn offset(&self) -> Option<u64> {
        self.location.filter(|location| location.member.is_none())?.offset
    }

    /// Returns the line it is at in the file; none within a member.
    pub(super) fn line(&self) -> Option<u32> {
        self.location.filter(|location| location.member.is_none())?.line.filter(|line| *line > 0)
    }

    /// Writes the path of the file, or of the model itself, as a person would
    /// type it.
    fn write_path(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = GuestText::capped(&self.model.path);
        let folder = path.as_str().trim_end_matches('/');
        let Some(file) = self.file else {
            return f.write_str(path.as_str());
        };
        match folder {
            "" if path.as_str().is_empty() => f.write_str(file.as_str()),
            "." => f.write_str(file.as_str()),
            _ if self.is_model() => f.write_str(folder),
            _ => write!(f, "{folder}/{file}"),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.lock_line {
            write!(f, "modelhost.lock:{line} ")?;
        }
        self.write_path(f)?;
        let Some(location) = self.location else {
            return Ok(());
        };
        if let (Some(line), None) = (location.line, &location.member) {
            write!(f, ":{line}")?;
        }
        let line = location.line.filter(|_| location.member.is_some());
        let member = location.member.as_ref().map(|member| format!("in {member}"));
        let line = line.map(|line| format!("line {line}"));
        let offset = location.offset.map(|offset| format!("at byte {offset}"));
        let within: Vec<String> = member.into_iter().chain(line).chain(offset).collect();
        if within.is_empty() { Ok(()) } else { write!(f, " ({})", within.join(", ")) }
    }
}
