//! Locking a model by what other tools wrote down about it: every file is held
//! against the claims before anything of it is locked.
//!
//! Leaves reading claims and comparing them to `record`, the rest of an entry to
//! `pin`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Also, Gate, GateError, pin, select};
use crate::domain::evidence::Content;
use crate::domain::finding::Severity;
use crate::domain::model::{FilePath, ModelName};
use crate::domain::text::GuestText;
use crate::model::{self, FileHandle, Model, Pool};
use crate::record::import::{self, Algorithm, Claims, Difference, Format, Found, Request};
use crate::record::lock::LockFile;
use crate::runner::ExecuteError;

/// What is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Where the claims are, relative to the working directory.
    pub from: PathBuf,
    /// Their format; none to tell it by what is there.
    pub format: Option<Format>,
    /// What is noted of the model beside what always is.
    pub also: Also,
}

/// What came of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The model.
    pub model: ModelName,
    /// The format of the claims.
    pub format: Format,
    /// How many files are claimed.
    pub claimed: usize,
    /// What a person should know of the claims.
    pub notes: Vec<String>,
    /// What the lock file is to say; or every way in which the model is not what
    /// is claimed of it, and nothing is to be written.
    pub lock: Result<LockFile, Vec<Difference>>,
}

impl Gate {
    /// Returns what the lock file is to say of the one model that the request is
    /// about, after holding each of its files against what `import` claims. Where
    /// the request names no model, it is the one that the claims are about.
    ///
    /// # Errors
    /// Says why the claims can't be read or the model can't be opened. That the
    /// model differs from the claims is no error.
    pub async fn import(self, import: Import) -> Result<Imported, GateError> {
        let importing = tokio::task::spawn_blocking(move || self.import_blocking(&import));
        importing.await.unwrap_or(Err(GateError::Execute(ExecuteError::Panicked)))
    }

    fn import_blocking(mut self, import: &Import) -> Result<Imported, GateError> {
        let from = select::canonical(&self.working_dir.join(&import.from))?;
        let (anchor, within) = import::anchor(&from, model::open::is_folder(&from)?);
        let named = match self.paths.as_slice() {
            [] => None,
            [path] => Some(select::canonical(&self.working_dir.join(path))?),
            _ => return Err(usage("an import is of one model", "name one model")),
        };
        let dir = model::open::folder(&anchor)?;
        let request = Request {
            within: &within,
            folder: anchor.file_name().and_then(|name| name.to_str()),
            is_elsewhere: named
                .as_ref()
                .is_some_and(|model| !model.starts_with(&anchor) && !anchor.starts_with(model)),
        };
        let claims = import::read(&dir, import.format, &request).map_err(|source| {
            GateError::Import { from: GuestText::capped(&import.from.to_string_lossy()), source }
        })?;
        let format = claims.format.unwrap_or(Format::Sums);
        if named.is_none() {
            self.paths = vec![anchor.join(&claims.model)];
        }
        let model = self.one_model()?;
        let (name, place) = (model.name.clone(), select::canonical(&model.path)?);
        let claims = self.claims_of(claims, &anchor, &place, named.is_some())?;
        let (claimed, mut notes) = (claims.files.len(), claims.notes.clone());
        let jobs = self.jobs;
        let opened = self.open_one(model)?;
        let (old, mut lock) = self.begin_lock()?;
        let mut models = self.hashed(vec![opened])?;
        let lock = match models.pop() {
            None => Err(Vec::new()),
            Some(model) => match hold(&claims, &model) {
                Err(differences) => Err(differences),
                Ok(noted) => {
                    let before = old.models.get(&name);
                    let (name, mut entry) =
                        pin::entry(model, before, import.also, jobs, &mut notes)?;
                    for (file, (upstream, blake3)) in entry.files.iter_mut().zip(noted) {
                        file.upstream = upstream;
                        file.blake3 = blake3.or(file.blake3);
                    }
                    entry.source = entry.source.or(claims.source);
                    entry.revision = entry.revision.or(claims.revision);
                    entry.notes.requested = claims.requested;
                    lock.models.insert(name, entry);
                    Ok(lock)
                }
            },
        };
        Ok(Imported { model: name, format, claimed, notes, lock })
    }

    /// Returns the one model that the request is about: what a run would gate.
    fn one_model(&self) -> Result<select::Selected, GateError> {
        let mut selected = select::select(self)?;
        match (selected.pop(), selected.len()) {
            (Some(model), 0) => Ok(model),
            // Nothing of it may have been fetched yet.
            (None, _) => {
                let path = self.paths.first().cloned().unwrap_or_default();
                Ok(select::undefined(self, &self.working_dir.join(path), None))
            }
            (Some(last), _) => {
                let mut names: Vec<String> =
                    selected.iter().map(|model| model.shown.clone()).collect();
                names.push(last.shown);
                names.truncate(5);
                Err(usage(
                    format!("there are several models in it: {}", names.join(", ")),
                    "name one, or define the whole as one model in modelhost.toml",
                ))
            }
        }
    }

    /// Returns `claims` as those of the model at `place`. Those about other files
    /// are left out where the operator named the model, and said.
    fn claims_of(
        &self,
        claims: Claims,
        anchor: &Path,
        place: &Path,
        is_named: bool,
    ) -> Result<Claims, GateError> {
        let is_file = !model::open::is_folder(place)?;
        let folder = if is_file { place.parent().unwrap_or(place) } else { place };
        let all = claims.files.len();
        let mut claims = match (folder.strip_prefix(anchor), anchor.strip_prefix(folder)) {
            (Ok(below), _) => claims.below(below),
            // The model is around what was opened: everything there is below it.
            (_, Ok(above)) => {
                Claims { base: above.join(&claims.base), ..claims }.below(Path::new(""))
            }
            _ => claims,
        };
        if is_file {
            use std::os::unix::ffi::OsStrExt as _;
            let name = place.file_name().map(|name| FilePath::from_bytes(name.as_bytes()));
            claims.files.retain(|claim| Some(&claim.path) == name.as_ref());
        }
        let left = all - claims.files.len();
        if left > 0 && !is_named {
            return Err(usage(
                format!(
                    "of {all} files that are claimed, {left} are outside of the model that is at {}",
                    select::shown(self, place)
                ),
                "define the whole as one model in modelhost.toml, or name the model that is meant",
            ));
        }
        if claims.files.is_empty() {
            return Err(usage(
                format!(
                    "none of the {all} files that are claimed is one of {}",
                    select::shown(self, place)
                ),
                "name the model that the claims are about",
            ));
        }
        if left > 0 {
            claims.notes.push(format!("{left} more files are claimed, outside of this model"));
        }
        Ok(claims)
    }

    fn open_one(&self, selected: select::Selected) -> Result<Model, GateError> {
        let pool = Arc::new(Pool::default());
        let select::Selected { name, path, shown, definition, defined_at } = selected;
        let mut model = model::open(&path, name, &shown, &pool, self.max_tasks)?;
        model.definition = definition;
        model.defined_at = defined_at;
        Ok(model)
    }
}

fn usage(message: impl Into<String>, help: &str) -> GateError {
    GateError::Usage { message: message.into(), help: Some(help.to_owned()) }
}

/// Holds an opened and hashed model against `claims`.
fn hold(claims: &Claims, model: &Model) -> Result<Vec<import::Noted>, Vec<Difference>> {
    let mut differences = stale(claims, model);
    // What is merely noted of a file does not keep it from being locked.
    for finding in model.findings.iter().filter(|found| found.severity > Severity::Low) {
        differences.push(Difference {
            rule: finding.rule.to_string(),
            path: finding.location.file.clone(),
            message: finding.message.to_string(),
        });
    }
    let mut handles = Vec::with_capacity(model.files.len());
    let mut found = Vec::with_capacity(model.files.len());
    for file in &model.files {
        match file.hashed() {
            Some(Ok((digest, content))) => {
                found.push(Found {
                    path: file.path().clone(),
                    size: file.size(),
                    sha256: *digest,
                    is_pointer: *content == Content::LfsPointer,
                });
                handles.push(file);
            }
            Some(Err(error)) => differences.push(unreadable(file.path(), &error.to_string())),
            None => differences.push(unreadable(file.path(), "it was not read")),
        }
    }
    differences.extend(model.unreadable.iter().map(|path| unreadable(path, "it can't be opened")));
    let mut digest = |index: usize, algorithm: Algorithm, range: Option<Range<u64>>| {
        let file: &FileHandle = handles.get(index).ok_or("there is no such file")?;
        let range = range.unwrap_or(0..file.size());
        let length = range.end.saturating_sub(range.start);
        model::digest::of(file, computed(algorithm), range.start, length)
            .map_err(|error| error.to_string())
    };
    let checked = import::check(claims, &found, &mut digest);
    match checked {
        Ok(noted) if differences.is_empty() => Ok(noted),
        Ok(_) => Err(differences),
        Err(more) => {
            // A file that can't be read is told once.
            let told = |other: &Difference| {
                other.rule == "checksum/missing-file"
                    && differences.iter().any(|first| first.path == other.path)
            };
            let more: Vec<Difference> = more.into_iter().filter(|other| !told(other)).collect();
            differences.extend(more);
            Err(differences)
        }
    }
}

fn unreadable(path: &FilePath, why: &str) -> Difference {
    Difference { rule: "gate/unreadable".to_owned(), path: Some(path.clone()), message: why.into() }
}

/// Finds where the claims are of another source or revision than the policy asks
/// for.
fn stale(claims: &Claims, model: &Model) -> Vec<Difference> {
    let Some(definition) = &model.definition else { return Vec::new() };
    let pairs = [
        ("source", &definition.source, &claims.source),
        ("revision", &definition.revision, &claims.revision),
    ];
    let differs = |(what, asked, claimed): &(&str, &Option<String>, &Option<String>)| {
        let (Some(asked), Some(claimed)) = (asked, claimed) else { return None };
        let message = format!(
            "the policy asks for the {what} {}, and what is claimed is of {}",
            GuestText::capped(asked),
            GuestText::capped(claimed)
        );
        (asked != claimed).then(|| Difference::new("lock-stale", None, message))
    };
    pairs.iter().filter_map(differs).collect()
}

const fn computed(algorithm: Algorithm) -> model::digest::Algorithm {
    use model::digest::Algorithm as Computed;
    match algorithm {
        Algorithm::Sha256 => Computed::Sha256,
        Algorithm::Sha512 => Computed::Sha512,
        Algorithm::Blake2b512 => Computed::Blake2b512,
        Algorithm::Blake3 => Computed::Blake3,
        Algorithm::Sha1 => Computed::Sha1,
        Algorithm::Md5 => Computed::Md5,
        Algorithm::GitBlob | Algorithm::GitBlobOrPointer => Computed::GitBlobSha1,
    }
}
