//! Finding and reading `modelhost.toml` and the files of `models.d`.
//!
//! The only file of the configuration that touches the disk. Leaves what stands
//! in the files to `shape` and `validate`.

#![expect(
    clippy::disallowed_methods,
    reason = "the operator's own files, named by where the run starts, are read here alone"
)]

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::diagnostic::Mistakes;
use super::schema::{File, Model, ModelsFile, Table};
use super::validate::{self, Seen};
use super::values::Wrong;
use super::{Config, ConfigError, MODELS, shape};
use crate::domain::diagnostic::SourceFile;
use crate::domain::text::GuestText;

/// The most bytes of one file: some ten thousand models.
pub(super) const MAX_FILE: u64 = 1 << 20;

/// The most bytes of all files in `models.d`: room for the most models that
/// may be defined.
const MAX_MODELS_FILES: u64 = 64 << 20;

/// Finds the file called `name`, `modelhost.toml` or one that stands beside it:
/// in the folder `start`, or the nearest one above it, up to the top of its
/// repository, which is the nearest folder that holds `.git`. `start` is the
/// working directory, never what is gated.
///
/// Outside any repository the search goes up to the top of the file system,
/// because silently running without a policy would be the worse mistake. But
/// there others may have put a file in the way (`/tmp`), so on Unix one above
/// `start` must belong to whoever `start` belongs to.
///
/// # Errors
/// Fails where it can't be told whether there is one, and where there is one
/// that belongs to somebody else.
pub fn find(start: &Path, name: &str) -> Result<Option<PathBuf>, ConfigError> {
    let unreadable =
        |path: &Path, source| ConfigError::Unreadable { path: path.to_owned(), source };
    let start = fs::canonicalize(start).map_err(|source| unreadable(start, source))?;
    let top = repository(&start)?;
    let top = top.as_deref();
    for folder in start.ancestors() {
        let path = folder.join(name);
        if exists(&path).map_err(|source| unreadable(&path, source))? {
            let is_ours = top.is_some() || folder == start || same_owner(&path, &start);
            return if is_ours { Ok(Some(path)) } else { Err(ConfigError::Foreign { path }) };
        }
        if top == Some(folder) {
            break;
        }
    }
    Ok(None)
}

/// Returns the top of the repository that `folder`, an absolute path, is in: the
/// nearest folder that holds `.git`.
///
/// # Errors
/// Fails where it can't be told whether a folder holds one.
pub fn repository(folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
    for folder in folder.ancestors() {
        let unreadable = |source| ConfigError::Unreadable { path: folder.to_owned(), source };
        if exists(&folder.join(".git")).map_err(unreadable)? {
            return Ok(Some(folder.to_owned()));
        }
    }
    Ok(None)
}

/// Whether something is at `path`, be it a link that leads nowhere.
fn exists(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn same_owner(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let owner = |path| fs::symlink_metadata(path).map(|metadata| metadata.uid()).ok();
    owner(a).is_some() && owner(a) == owner(b)
}

#[cfg(not(unix))]
fn same_owner(_: &Path, _: &Path) -> bool {
    true
}

/// Reads the configuration at `path`, and the files of `models.d` beside it.
///
/// # Errors
/// Fails where a file can't be read, and with every mistake that is in them.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    load_as_if(path, None)
}

/// Reads the configuration at `path` as it would be if the file at `changed.0`,
/// that one or one of `models.d`, held the text `changed.1`. Neither has to exist.
///
/// # Errors
/// As [`load`].
pub fn load_changed(path: &Path, changed: (&Path, &str)) -> Result<Config, ConfigError> {
    load_as_if(path, Some(changed))
}

fn load_as_if(path: &Path, changed: Option<(&Path, &str)>) -> Result<Config, ConfigError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut mistakes = Mistakes::default();
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let mut room = MAX_FILE;
    let file = read((path, changed), &name, &mut room, MAX_FILE, &mut mistakes)?;
    let mut config = file.and_then(|file| read_config(&file, folder, &mut mistakes));
    let mut seen = Seen::default();
    // Also where the first file has mistakes, so that all are told at once.
    if let Some((config, models)) = &mut config {
        let file = config.file.clone();
        validate::models(models, &file, config, &mut seen, &mut mistakes);
    }
    let mut room = MAX_MODELS_FILES;
    let mut paths = models_files(&folder.join(MODELS))?;
    if let Some((new, _)) =
        changed.filter(|(new, _)| *new != path && !paths.iter().any(|p| p == new))
    {
        paths.push(new.to_owned());
        paths.sort();
    }
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{MODELS}/{name}");
        let Some(file) = read((&path, changed), &name, &mut room, MAX_MODELS_FILES, &mut mistakes)?
        else {
            continue;
        };
        let Some(mut root) = shape::parse(&file, &mut mistakes) else {
            continue;
        };
        let shape = shape::read::<ModelsFile>(&mut root, &file, &mut mistakes);
        if let (Some(shape), Some((config, _))) = (shape, &mut config) {
            validate::models(&shape.model, &file, config, &mut seen, &mut mistakes);
        }
    }
    let mistakes = mistakes.into_vec();
    match config {
        Some((config, _)) if mistakes.is_empty() => Ok(config),
        _ => Err(ConfigError::Mistakes(mistakes)),
    }
}

/// Checks that `text`, once it stands in the configuration called `name`, has no
/// mistake in it. What stands in other files is not looked at.
///
/// # Errors
/// Fails with every mistake that is in it.
pub fn check(name: &str, text: &str) -> Result<(), ConfigError> {
    let file = SourceFile { path: name.into(), text: text.into() };
    let mut mistakes = Mistakes::default();
    if let Some((mut config, models)) = read_config(&file, Path::new("."), &mut mistakes) {
        validate::models(&models, &file, &mut config, &mut Seen::default(), &mut mistakes);
    }
    let mistakes = mistakes.into_vec();
    if mistakes.is_empty() { Ok(()) } else { Err(ConfigError::Mistakes(mistakes)) }
}

/// Reads `modelhost.toml`, and leaves its models to be read with those of
/// `models.d`.
fn read_config(
    file: &SourceFile,
    folder: &Path,
    mistakes: &mut Mistakes,
) -> Option<(Config, Vec<Table<Model>>)> {
    let mut root = shape::parse(file, mistakes)?;
    let version = root.get_ref().get("version");
    let number = version.and_then(|version| version.get_ref().as_integer());
    if number.map(|number| number.as_str()) != Some("1") {
        // A later version may mean anything, so nothing else is said.
        let wrong = match version {
            Some(_) => Wrong::new("this version of modelhost reads version 1 of the file"),
            None => Wrong::new("missing key `version`"),
        };
        let span = version.map_or(0..0, |version| version.span());
        return mistakes.wrong(file, span, wrong.with_help("write `version = 1` at its top"));
    }
    let documents = root.get_ref().get("documents").and_then(|table| table.get_ref().as_table());
    let documents = documents.map(|table| table.keys().map(|key| key.get_ref().to_string()));
    let documents = documents.into_iter().flatten().collect();
    let shape = shape::read::<File>(&mut root, file, mistakes)?;
    let folder = folder.to_owned();
    let config = validate::config(&shape, root.get_ref(), &documents, file, folder, mistakes);
    Some((config, shape.model))
}

/// Returns the files of `models.d`, sorted; none where it isn't there.
fn models_files(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: folder.to_owned(), source };
    if !exists(folder).map_err(unreadable)? {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads the file at `path`, of at most [`MAX_FILE`] bytes, and takes its size
/// off the `room` that is left of `max`; none where it is not UTF-8. If it is the
/// one that would be changed, what it would hold is taken.
fn read(
    (path, changed): (&Path, Option<(&Path, &str)>),
    name: &str,
    room: &mut u64,
    max: u64,
    mistakes: &mut Mistakes,
) -> Result<Option<SourceFile>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let bytes = match changed {
        Some((new, text)) if new == path => text.as_bytes().to_vec(),
        _ => read_bounded(path).map_err(unreadable)?,
    };
    let size = bytes.len() as u64;
    if size > MAX_FILE {
        return Err(ConfigError::TooLarge { path: path.to_owned(), max: MAX_FILE });
    }
    *room = room.checked_sub(size).ok_or_else(|| ConfigError::TooLarge {
        path: path.parent().unwrap_or(path).to_owned(),
        max,
    })?;
    let name = GuestText::capped(name);
    let source = |text: &str| SourceFile { path: name.as_str().into(), text: text.into() };
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(Some(source(text))),
        Err(error) => {
            let file = source(&String::from_utf8_lossy(&bytes));
            let at = error.valid_up_to();
            Ok(mistakes.wrong(&file, at..at, Wrong::new("the file is not UTF-8")))
        }
    }
}

/// Reads the file at `path`, up to one byte more than it may have.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    // Asked before opening, because opening a pipe waits for its other end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
