//! Single values of the configuration: paths, licenses, times and sizes.
//!
//! Pure functions from the text to the value, or to what is wrong with it.
//! Leaves sources and revisions to `source`, and how values fit together to
//! `validate`.

use std::path::PathBuf;

use crate::domain::capability::Limit;
use crate::domain::text::{self, Backslash};

/// The most bytes of one text: as many as a path can have.
const MAX_TEXT: usize = 4096;

/// What is wrong with a value, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Takes `text` as the text of one line that is shown as it is.
pub(super) fn plain(text: &str, what: &str) -> Result<(), Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new(format!("{what} is empty")));
    }
    if text.len() > MAX_TEXT {
        return Err(Wrong::new(format!("{what} has more than {MAX_TEXT} bytes")));
    }
    if text::escape(text, Backslash::Kept) != text {
        return Err(Wrong::new(format!("{what} holds control or invisible characters")));
    }
    Ok(())
}

/// Takes `text` as a path below the folder of `modelhost.toml`; `.` for that
/// folder itself.
pub(super) fn path(text: &str) -> Result<PathBuf, Wrong> {
    plain(text, "the path")?;
    if text.contains('\\') {
        return Err(Wrong::new("the path holds a backslash").with_help("separate folders by `/`"));
    }
    let has_drive = text.as_bytes().get(1) == Some(&b':');
    if text.starts_with('/') || text.starts_with("~/") || has_drive {
        return Err(Wrong::new("the path is not relative")
            .with_help("paths start at the folder of modelhost.toml, and stay in it"));
    }
    if text.split('/').any(|part| part == "..") {
        return Err(Wrong::new("the path leads upwards")
            .with_help("paths start at the folder of modelhost.toml, and stay in it"));
    }
    let path: PathBuf = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    Ok(if path.as_os_str().is_empty() { PathBuf::from(".") } else { path })
}

/// Takes `text` as the path of one file below the folder of `modelhost.toml`.
pub(super) fn file_path(text: &str) -> Result<PathBuf, Wrong> {
    let path = path(text)?;
    if path.as_os_str() == "." || text.ends_with('/') {
        return Err(Wrong::new("the path names a folder, not a file"));
    }
    Ok(path)
}

/// Takes `text` as a license: something of the form of an SPDX expression.
/// Which licenses there are, the `license` plugin knows.
pub(super) fn license(text: &str) -> Result<(), Wrong> {
    let wrong = |message: String| {
        Err(Wrong::new(message)
            .with_help("write an SPDX expression, such as `Apache-2.0` or `MIT OR Apache-2.0`"))
    };
    plain(text, "the license")?;
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut open = 0usize;
    let mut wants_name = true;
    for token in spaced.split_whitespace() {
        match token {
            "(" if wants_name => open += 1,
            ")" if !wants_name && open > 0 => open -= 1,
            "AND" | "OR" | "WITH" if !wants_name => wants_name = true,
            "(" | ")" | "AND" | "OR" | "WITH" => {
                return wrong(format!("the license has `{token}` where it can't be"));
            }
            name if !wants_name => {
                return wrong(format!("the license has no AND, OR or WITH before `{name}`"));
            }
            name => {
                let is_name =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '+' | ':');
                if !name.chars().all(is_name) {
                    return wrong(format!("`{name}` can't be the name of a license"));
                }
                wants_name = false;
            }
        }
    }
    if wants_name || open > 0 {
        return wrong("the license ends too early".to_owned());
    }
    Ok(())
}

/// Takes `text` as a value of `limit` with its unit.
pub(super) fn amount(limit: Limit, text: &str) -> Result<u64, Wrong> {
    let unit = limit.unit();
    unit.parse(text).filter(|amount| limit.bounds().contains(amount)).ok_or_else(|| {
        let what = unit.what();
        let message = match unit.parse(text) {
            None => format!("`{text}` is not {what}"),
            Some(_) => format!("`{text}` is out of bounds"),
        };
        Wrong::new(message).with_help(limit.form())
    })
}

/// Takes `number` as a value of `limit`.
pub(super) fn limit(limit: Limit, number: u64) -> Result<u64, Wrong> {
    if limit.bounds().contains(&number) {
        return Ok(number);
    }
    Err(Wrong::new(format!("the limit must be {}", limit.range())))
}
