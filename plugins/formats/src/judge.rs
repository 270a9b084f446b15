//! Owns the judging of one file: what it is, what was found in it, and what that
//! means for the answer. Leaves the formats to `table`.

use modelhost_check::{Answer, Failure, File, Finding, Location, Observations, ReadError};

use crate::found::{Defect, Found, Stop};
use crate::source::{Held, Part, Source};
use crate::table::{self, ARCHIVE};
use crate::{hdf5, polyglot, text};

/// How much of a file is read to recognise its format.
const HEAD: u64 = 4096;

/// What there is to say of one file.
#[derive(Debug)]
pub enum Judgement {
    /// It was walked as a file of this format.
    Walked(&'static str, Vec<Defect>),
    /// It is none that this check judges.
    NotOurs(String),
    /// It is of a known format, in a variant that can't be judged.
    Unsupported(String),
    /// It could not be read.
    Unreadable(ReadError),
}

/// Judges one file.
pub fn judge(source: &dyn Source) -> Judgement {
    match Held::new(source).and_then(|held| try_judge(&held)) {
        Ok(judgement) => judgement,
        Err(error) => Judgement::Unreadable(error),
    }
}

fn try_judge(source: &dyn Source) -> Result<Judgement, ReadError> {
    // At most HEAD, so it fits.
    let length = usize::try_from(source.size().min(HEAD)).unwrap_or(0);
    let head = source.read_at(0, length)?;
    let mut found = Found::default();
    let mut known = table::find(&head);
    let mut walked = match known {
        Some(format) => (format.walk)(source, &mut found),
        None => Err(Stop::NotOurs("not of a known format".to_owned())),
    };
    // Content that only begins like a known format may be there to stand before HDF5.
    if matches!(walked, Err(Stop::NotOurs(_)))
        && let Some(at) = hdf5::behind(source)?
        && let Some(part) = Part::new(source, at, source.size() - at)
    {
        known = Some(&table::BEHIND);
        walked = hdf5::walk_behind(&part, at, &mut found);
    }
    if text::recognise(&head) && matches!(walked, Err(Stop::NotOurs(_))) {
        known = Some(&table::TEXT);
        walked = text::walk(source, &mut found);
    }
    // Archives are found from their end, too.
    if known.is_none_or(|format| format.name == table::TEXT.name)
        && matches!(walked, Err(Stop::NotOurs(_)))
    {
        known = None;
        walked = (ARCHIVE.walk)(source, &mut found);
    }
    let format = known.unwrap_or(&ARCHIVE);
    let walked = walked.and_then(|()| match format.name == ARCHIVE.name {
        // An archive that was walked as such.
        true => Ok(()),
        false => polyglot::look(source, format.name, &mut found),
    });
    match walked.map_err(Stop::into_defect) {
        Ok(()) => {}
        Err(Ok(defect)) if format.companion && !found.has_high() => {
            let reason = format!("begins as {} does, but: {}", format.name, defect.message);
            return Ok(Judgement::NotOurs(reason));
        }
        Err(Ok(defect)) => found.push(defect),
        Err(Err(Stop::Unreadable(error))) => return Err(error),
        // What was found before still stands; without it nothing can be said.
        Err(Err(_)) if found.has_high() => {}
        Err(Err(Stop::NotOurs(_))) if known.is_none() => {
            let reason = "not of a format that this check knows";
            return Ok(Judgement::NotOurs(reason.to_owned()));
        }
        Err(Err(Stop::NotOurs(reason))) => return Ok(Judgement::NotOurs(reason)),
        Err(Err(Stop::Unsupported(reason) | Stop::Malformed { message: reason, .. })) => {
            let reason = format!("{}: {reason}", format.name);
            return Ok(Judgement::Unsupported(reason));
        }
    }
    Ok(Judgement::Walked(format.name, found.into_defects()))
}

/// Judges one file of a model.
///
/// # Errors
/// Where the file can't be read or judged.
pub fn answer(file: &File) -> Result<Answer, Failure> {
    match judge(file) {
        Judgement::NotOurs(reason) => Ok(Answer::not_applicable(reason)),
        Judgement::Unsupported(reason) => Err(Failure::Unsupported(reason)),
        Judgement::Unreadable(error) => Err(error.in_file(file)),
        Judgement::Walked(format, defects) => {
            let mut observations = Observations::new();
            observations.fact("format", format);
            for defect in defects {
                observations.push(finding(file, defect));
            }
            Ok(observations.into())
        }
    }
}

fn finding(file: &File, defect: Defect) -> Finding {
    let mut location = Location::file(file);
    if let Some(member) = defect.member {
        location = location.member(member);
    }
    if let Some(offset) = defect.offset {
        location = location.offset(offset);
    }
    let finding = defect.rule.finding(location, defect.message);
    match defect.severity {
        Some(severity) => finding.severity(severity),
        None => finding,
    }
}
