//! Which models a request is about: what its paths select of the policy's
//! definitions, and what they find beside these.
//!
//! Leaves opening them to `model`.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Gate, GateError};
use crate::domain::diagnostic::Lines;
use crate::domain::event::Event;
use crate::domain::lineage::{self, Base, MAX_BASES};
use crate::domain::model::{DefinedAt, Definition, FilePath, ModelName};
use crate::model::{self, Model, ModelError, Pool};

/// One model that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Its name, unique in the run.
    pub name: ModelName,
    /// Where it is.
    pub path: PathBuf,
    /// Its path as shown to a person.
    pub shown: String,
    /// What the policy says it should be.
    pub definition: Option<Definition>,
    /// Where the policy says so.
    pub defined_at: Option<DefinedAt>,
}

/// Opens the models that `gate` is about, sorted by name.
///
/// Beside them, says how many were left out because nothing of theirs changed: those
/// may be all.
pub(super) fn open(gate: &Gate) -> Result<(Vec<Model>, usize), GateError> {
    let pool = Arc::new(Pool::default());
    let mut models: Vec<Model> = Vec::new();
    let mut wanted = select(gate)?;
    let all = wanted.len();
    if let Some(changed) = &gate.changed {
        wanted.retain(|model| changed.touches(&model.path));
    }
    let unchanged = all - wanted.len();
    for selected in wanted {
        let listed: usize = models.iter().map(|model| model.files.len()).sum();
        let most = gate.max_tasks.saturating_sub(listed);
        let opened = model::open(&selected.path, selected.name, &selected.shown, &pool, most);
        let mut model = opened.map_err(|error| match error {
            ModelError::TooMany { .. } => too_many(error.to_string()),
            error => error.into(),
        })?;
        if let Some((_, lock)) = &gate.lock {
            model.lock = lock.models.get(&model.name).map(|entry| Arc::new(entry.clone()));
        }
        model.definition = selected.definition;
        model.lineage = lineage(gate, &model.name)?;
        model.defined_at = selected.defined_at;
        gate.sink.event(&Event::Listed {
            model: model.name.clone(),
            files: model.files.len(),
            bytes: model.size(),
        });
        models.push(model);
    }
    let empty = models.iter().all(|model| {
        // A model whose every file is gone is not nothing where it is locked.
        model.files.is_empty() && model.findings.is_empty() && model.lock.is_none()
    });
    match models.first() {
        Some(first) if empty => Err(GateError::Nothing(format!("{} holds no files", first.path))),
        Some(_) => Ok((models, unchanged)),
        None if unchanged > 0 => Ok((models, unchanged)),
        None => {
            let places = match gate.paths.as_slice() {
                [] => vec![&gate.working_dir],
                paths => paths.iter().collect(),
            };
            let places = places
                .into_iter()
                .map(|path| FilePath::from_bytes(path.as_os_str().as_bytes()).to_string());
            let places = places.collect::<Vec<_>>().join(", ");
            Err(GateError::Nothing(format!("no models were found in {places}")))
        }
    }
}

/// Returns what the model `name` was made from, as the lock file tells.
fn lineage(gate: &Gate, name: &ModelName) -> Result<Arc<[Base]>, GateError> {
    let Some((_, lock)) = &gate.lock else { return Ok(Arc::new([])) };
    let stated = |name: &ModelName| {
        let models = gate.config.iter().flat_map(|config| &config.models);
        let mut named = models.filter(|model| model.name == *name);
        named.next().and_then(|model| model.definition.license.clone())
    };
    let bases = lineage::lineage(name, &lock.models, stated).ok_or_else(|| GateError::Usage {
        message: format!("the lineage of {name} has more than {MAX_BASES} models"),
        help: Some("leave out of `base` in modelhost.lock what is a base of a base".to_owned()),
    })?;
    Ok(bases.into())
}

/// Says that a run is larger than its bound, and the way out.
pub(super) fn too_many(message: String) -> GateError {
    let help = "gate parts of it in runs of their own, leave plugins out (`--only`), or allow more by \
        `--max-tasks N`: each file and each task takes some 500 bytes of memory";
    GateError::Usage { message, help: Some(help.to_owned()) }
}

pub(super) fn select(gate: &Gate) -> Result<Vec<Selected>, GateError> {
    let defined = defined(gate)?;
    let mut selected: BTreeMap<ModelName, Selected> = BTreeMap::new();
    let mut add = |model: Selected| match selected.get(&model.name) {
        Some(other) if other.path != model.path => Err(GateError::Usage {
            message: format!(
                "two models are called {}: {} and {}",
                model.name, other.shown, model.shown
            ),
            help: Some("define them in modelhost.toml, each with a name of its own".to_owned()),
        }),
        _ => {
            selected.insert(model.name.clone(), model);
            Ok(())
        }
    };
    if gate.paths.is_empty() {
        if defined.is_empty() {
            let found = model::find::find(&gate.working_dir)?;
            for path in found.models {
                add(undefined(gate, &path, None))?;
            }
        }
        for (_, model) in defined {
            add(model)?;
        }
        return Ok(selected.into_values().collect());
    }
    for typed in &gate.paths {
        let path = gate.working_dir.join(typed);
        let real = canonical(&path)?;
        // Inside of a defined model, the whole of it is meant: a part can't be
        // told from a model with files missing.
        if let Some((_, model)) = defined.iter().find(|(place, _)| real.starts_with(place)) {
            add(model.clone())?;
            continue;
        }
        for (_, model) in defined.iter().filter(|(place, _)| place.starts_with(&real)) {
            add(model.clone())?;
        }
        let found = model::find::find(&path)?;
        let mut models = found.models;
        if models.is_empty()
            && found.any_file
            && !defined.iter().any(|(place, _)| place.starts_with(&real))
        {
            // The operator says that this is a model, though nothing in it looks
            // like weights: a folder of code and configuration can run code too.
            models.push(path.clone());
        }
        for found in models {
            let covered = canonical(&found)
                .is_ok_and(|found| defined.iter().any(|(place, _)| found.starts_with(place)));
            if !covered {
                add(undefined(gate, &found, Some((typed, &path))))?;
            }
        }
    }
    Ok(selected.into_values().collect())
}

/// Returns the policy's models by where they really are.
///
/// # Errors
/// Names those at whose place nothing is, as far as the request selects them: of the
/// others, nobody asked.
fn defined(gate: &Gate) -> Result<Vec<(PathBuf, Selected)>, GateError> {
    let Some(config) = &gate.config else { return Ok(Vec::new()) };
    let mut defined = Vec::with_capacity(config.models.len());
    let mut mistakes = Vec::new();
    let mut lines: Option<(&Arc<str>, Lines)> = None;
    for model in &config.models {
        // Those of one file stand together: its lines are counted once.
        let (_, lines) = match &mut lines {
            Some(last) if Arc::ptr_eq(last.0, &model.file.text) => last,
            last => last.insert((&model.file.text, Lines::of(&model.file.text))),
        };
        let path = config.root.join(&model.path);
        let Ok(real) = canonical(&path) else {
            if selects(gate, &path) {
                let message = format!("there is nothing at {}", model.path.display());
                mistakes.push(model.mistake(message).with_help(
                    "fetch the model, mend the path, or take the definition out if the model is gone for good",
                ));
            }
            continue;
        };
        let selected = Selected {
            name: model.name.clone(),
            shown: shown(gate, &path),
            path,
            definition: Some(model.definition.clone()),
            defined_at: Some(DefinedAt {
                file: Arc::clone(&model.file.path),
                line: lines.line_of(model.span.start),
            }),
        };
        defined.push((real, selected));
    }
    if mistakes.is_empty() { Ok(defined) } else { Err(GateError::Mistakes(mistakes)) }
}

/// Whether the request is about what would be at `path`, where nothing is.
fn selects(gate: &Gate, path: &Path) -> bool {
    let place = nearest(path);
    let mut typed = gate.paths.iter().map(|typed| nearest(&gate.working_dir.join(typed)));
    gate.paths.is_empty() || typed.any(|typed| place.starts_with(typed))
}

/// Returns where `path` would really be: below the nearest folder above it that is there.
fn nearest(path: &Path) -> PathBuf {
    let mut above = path.ancestors();
    above
        .find_map(|folder| Some(canonical(folder).ok()?.join(path.strip_prefix(folder).ok()?)))
        .unwrap_or_else(|| path.to_owned())
}

/// Returns a model that the policy does not define, named by where it is.
pub(super) fn undefined(gate: &Gate, path: &Path, typed: Option<(&PathBuf, &PathBuf)>) -> Selected {
    // As typed, with what was found below it.
    let shown = match typed {
        Some((typed, base)) => match path.strip_prefix(base) {
            Ok(below) if below.as_os_str().is_empty() => typed.display().to_string(),
            Ok(below) => typed.join(below).display().to_string(),
            Err(_) => shown(gate, path),
        },
        None => shown(gate, path),
    };
    let real = canonical(path).unwrap_or_else(|_| path.to_owned());
    let root_real = canonical(&gate.root).unwrap_or_else(|_| gate.root.clone());
    let relative =
        real.strip_prefix(&root_real).ok().filter(|relative| !relative.as_os_str().is_empty());
    let name = match (relative, real.file_name()) {
        (Some(relative), _) => relative.display().to_string(),
        (None, _) if real != root_real => shown.clone(),
        (None, Some(folder)) => folder.display().to_string(),
        (None, None) => "model".to_owned(),
    };
    let (name, path) = (ModelName::new(&name), path.to_owned());
    Selected { name, path, shown, definition: None, defined_at: None }
}

pub(super) fn shown(gate: &Gate, path: &Path) -> String {
    let shown = path.strip_prefix(&gate.working_dir).unwrap_or(path);
    if shown.as_os_str().is_empty() { ".".to_owned() } else { shown.display().to_string() }
}

#[expect(
    clippy::disallowed_methods,
    reason = "paths are compared by where they really are, before anything is opened"
)]
pub(super) fn canonical(path: &Path) -> Result<PathBuf, ModelError> {
    std::fs::canonicalize(path).map_err(|source| ModelError::Open { path: path.to_owned(), source })
}
