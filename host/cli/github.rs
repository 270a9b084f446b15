//! What a step of GitHub Actions gets beside annotations: the job's summary and the
//! step's outputs, in the files that the runner names in the environment.
//!
//! Leaves their content to the library, and the environment to `context`.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;

use modelhost::domain::report::Report;
use modelhost::report::{Format, Output, github, markdown};

use crate::context;
use crate::exit::Exit;

/// Appends the job's summary and the step's outputs, where there is a runner that
/// reads them and the format `github` was asked for.
///
/// # Errors
/// Says which of the two could not be written, and why.
pub(crate) fn append(report: &Report, outputs: &[Output], exit: Exit) -> Result<(), String> {
    if outputs.iter().all(|output| output.format != Format::Github) {
        return Ok(());
    }
    if let Some(path) = context::variable("GITHUB_STEP_SUMMARY") {
        let text = markdown::text(report);
        to(&path, &text)
            .map_err(|error| format!("the job's summary could not be written: {error}"))?;
    }
    if let Some(path) = context::variable("GITHUB_OUTPUT") {
        let mut text = github::outputs(report, exit as u8);
        text.extend(outputs.iter().filter_map(path_of));
        to(&path, &text)
            .map_err(|error| format!("the step's outputs could not be written: {error}"))?;
    }
    Ok(())
}

/// Returns the line that says where a report is; none for one on stdout, and for a
/// path that would be more than one line.
fn path_of(output: &Output) -> Option<String> {
    let path = output.path.as_ref()?.to_str()?;
    let is_line = !path.chars().any(char::is_control);
    is_line.then(|| format!("report-{}={path}\n", output.format))
}

#[expect(clippy::disallowed_methods, reason = "the runner says which file to append to")]
fn to(path: &OsString, text: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(Path::new(path))?;
    file.write_all(text.as_bytes())
}
