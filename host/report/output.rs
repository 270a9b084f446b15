//! Where a report goes: `-o FORMAT=PATH`.
//!
//! Leaves what is written there to `format`.
//!
//! # Invariants
//! - Under the name that was asked for stands what stood there before, or the
//!   whole report: never a part of one.
//! - What is no regular file (a pipe, `/dev/null`) is written to, and never
//!   replaced.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::format::{Format, Style, UnknownFormat, write};
use crate::domain::report::{Report, Timings};

/// A format, and where to write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// The file; none for standard output.
    pub path: Option<PathBuf>,
}

/// Why a text is no `FORMAT` or `FORMAT=PATH`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// There is no such format.
    #[error(transparent)]
    Format(#[from] UnknownFormat),
    /// Nothing follows the `=`.
    #[error("no path follows `{0}=`; write {0}=PATH, or {0} alone for standard output")]
    NoPath(Format),
}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        let (format, path) = match text.split_once('=') {
            Some((format, path)) => (format, Some(path)),
            None => (text, None),
        };
        let format = format.parse()?;
        match path {
            None | Some("-") => Ok(Self::stdout(format)),
            Some("") => Err(OutputError::NoPath(format)),
            Some(path) => Ok(Self { format, path: Some(path.into()) }),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}={}", self.format, path.display()),
            None => write!(f, "{}", self.format),
        }
    }
}

impl Output {
    /// Makes an output that goes to standard output.
    pub const fn stdout(format: Format) -> Self {
        Self { format, path: None }
    }

    /// Writes `report` there. A file never gets colors.
    ///
    /// # Errors
    /// Returns what kept it from being written. A file that stood under the
    /// name is then still what it was.
    pub fn write(&self, report: &Report, timings: &Timings, style: &Style) -> io::Result<()> {
        match &self.path {
            None => {
                let mut out = io::BufWriter::new(io::stdout().lock());
                write(self.format, report, timings, &mut out, style)?;
                out.flush()
            }
            Some(path) => {
                let style = Style { color: false, ..style.clone() };
                replace(path, |out| write(self.format, report, timings, out, &style))
            }
        }
    }
}

/// Where a path leads.
enum Place {
    /// To a regular file, or to nothing yet: this path, links resolved.
    File(PathBuf),
    /// To something that is written to as it stands.
    Special,
}

/// Puts what `write` writes under `path`, all of it or nothing; what is no regular
/// file is written to.
///
/// # Errors
/// Returns what kept it from being written. A file that stood under the name is then
/// still what it was.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let path = match place(path)? {
        Place::File(path) => path,
        Place::Special => {
            let mut out = io::BufWriter::new(open_special(path)?);
            write(&mut out)?;
            return out.flush();
        }
    };
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".modelhost-report-").suffix(".tmp");
    readable(&mut builder);
    // Removes itself where anything below goes wrong.
    let file = builder.tempfile_in(folder)?;
    let mut out = io::BufWriter::new(file);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "reports go where the operator says")]
fn place(path: &Path) -> io::Result<Place> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if metadata.is_file() => std::fs::canonicalize(path).map(Place::File),
        Ok(_) => Ok(Place::Special),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::File(path.to_owned())),
        Err(error) => Err(error),
    }
}

#[expect(clippy::disallowed_methods, reason = "reports go where the operator says")]
fn open_special(path: &Path) -> io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).open(path)
}

/// Lets the file be read by whom the umask lets, as any other output: a
/// temporary file is its owner's alone by default.
#[cfg(unix)]
fn readable(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable(_: &mut tempfile::Builder<'_, '_>) {}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests look at what was written")]
mod tests {
    use super::*;

    #[test]
    fn parses_what_follows_the_option() {
        let file = |format, path: &str| Ok(Output { format, path: Some(path.into()) });
        let rows = [
            ("human", Ok(Output::stdout(Format::Human))),
            ("json=-", Ok(Output::stdout(Format::Json))),
            ("json=out/report.json", file(Format::Json, "out/report.json")),
            ("timings=a=b", file(Format::Timings, "a=b")),
            ("json=", Err(OutputError::NoPath(Format::Json))),
            ("xml=report", Err(OutputError::Format(UnknownFormat("xml".to_owned())))),
            ("", Err(OutputError::Format(UnknownFormat(String::new())))),
            ("report.json", Err(OutputError::Format(UnknownFormat("report.json".to_owned())))),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse(), expected, "{text:?}");
            if let Ok(output) = expected {
                assert_eq!(output.to_string().parse(), Ok(output));
            }
        }
    }

    fn entries(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let names = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn writes_all_or_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report");
        replace(&path, |out| out.write_all(b"first")).expect("it is written");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"first");

        let error = replace(&path, |out| {
            out.write_all(b"second, cut sh")?;
            out.flush()?;
            Err(io::Error::other("no more space"))
        });
        assert_eq!(error.expect_err("it failed").to_string(), "no more space");
        assert_eq!(std::fs::read(&path).expect("it is still there"), b"first");

        replace(&path, |out| out.write_all(b"third")).expect("it is replaced");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"third");
        assert_eq!(entries(folder.path()), ["report"], "no temporary file is left");
    }

    #[test]
    fn refuses_what_can_t_be_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let absent = folder.path().join("absent/report");
        let error = replace(&absent, |_| Ok(())).expect_err("there is no such folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = replace(folder.path(), |_| Ok(())).expect_err("it is a folder");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert!(entries(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn follows_links_and_spares_devices() {
        use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&real, b"old").expect("a file");
        symlink("real", &link).expect("a link");
        replace(&link, |out| out.write_all(b"new")).expect("it is written");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&real).expect("a file"), b"new");
        let mode = std::fs::metadata(&real).expect("a file").permissions().mode();
        assert_eq!(mode & 0o600, 0o600);

        let null = Path::new("/dev/null");
        replace(null, |out| out.write_all(b"gone")).expect("it takes everything");
        assert!(std::fs::metadata(null).expect("it is still there").file_type().is_char_device());
        let full = Path::new("/dev/full");
        if full.exists() {
            replace(full, |out| out.write_all(b"x")).expect_err("it is always full");
        }
    }
}
