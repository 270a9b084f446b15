//! [`ImportError`]: why claims could not be read, and the way out.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::text::GuestText;

/// Why claims could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It has no form that is known.
    #[error("nothing there says what a model's files are: it is none of {known}")]
    Unrecognised {
        /// The names of the formats.
        known: String,
    },
    /// It has the form of several formats.
    #[error("several things there say what a model's files are: {formats}")]
    Several {
        /// The names of the formats.
        formats: String,
    },
    /// It has the form, and claims nothing of any file.
    #[error("it claims nothing of any file, read as {format}")]
    Nothing {
        /// The name of the format.
        format: &'static str,
    },
    /// One of several has to be chosen.
    #[error("there are several {what} in it: {}", GuestText::capped(choices))]
    Ambiguous {
        /// What there are several of.
        what: &'static str,
        /// Their names, a few of them.
        choices: String,
    },
    /// A file or folder of it can't be read.
    #[error("{} can't be read", GuestText::capped(&path.to_string_lossy()))]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is more of it than is read.
    #[error("{} has more than {most} {what}", GuestText::capped(&path.to_string_lossy()))]
    TooMuch {
        /// Where it is.
        path: PathBuf,
        /// How much is read.
        most: u64,
        /// Of what.
        what: &'static str,
    },
    /// Something in it is wrong.
    #[error("{place}: {message}")]
    Malformed {
        /// Where: a path, perhaps with a line.
        place: GuestText,
        /// What is wrong.
        message: GuestText,
        /// What to do, where more is known than that it must be fetched again.
        help: Option<String>,
    },
}

impl ImportError {
    /// Says that something at `path` is wrong.
    pub(super) fn malformed(path: &Path, message: impl AsRef<str>) -> Self {
        Self::Malformed {
            place: GuestText::capped(&path.to_string_lossy()),
            message: GuestText::capped(message.as_ref()),
            help: None,
        }
    }

    /// Says that something on line `line` of the file at `path` is wrong.
    pub(super) fn line(path: &Path, line: usize, message: impl AsRef<str>) -> Self {
        let place = format!("{}:{line}", path.to_string_lossy());
        Self::Malformed {
            place: GuestText::capped(&place),
            message: GuestText::capped(message.as_ref()),
            help: None,
        }
    }

    /// Adds what to do.
    pub(super) fn with_help(mut self, text: impl Into<String>) -> Self {
        if let Self::Malformed { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }

    /// Returns what to do.
    pub fn help(&self) -> String {
        match self {
            Self::Unrecognised { .. } => "name the folder or file that says it: \
                `models--ORG--NAME`, the folder of a download, a working tree, a `.dvc` file, \
                `SHA256SUMS`, `model.sig`, an OCI layout, or the folder of Ollama's models"
                .to_owned(),
            Self::Several { .. } => "say which with `--format`, or name the one file".to_owned(),
            Self::Nothing { .. } => "fetch it again, or name another one".to_owned(),
            Self::Ambiguous { .. } => "name one of them: `--from` takes its path".to_owned(),
            Self::Unreadable { .. } => "make it readable, or fetch it again".to_owned(),
            Self::TooMuch { .. } => {
                "nothing that people write has so much: import a part of it".to_owned()
            }
            Self::Malformed { help: Some(help), .. } => help.clone(),
            Self::Malformed { help: None, .. } => {
                "fetch it again from its source; nothing of it was imported".to_owned()
            }
        }
    }
}
