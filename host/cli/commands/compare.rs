//! `modelhost compare`: whether two reports, lock files or folders are the same.
//!
//! Leaves comparing to the library.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use modelhost::domain::event::EventSink;
use modelhost::gate::{Folder, Gate, GateError, compared};
use modelhost::record::compare::{self, Extent, Kind, State};
use modelhost::record::lock;

use crate::args::{CompareArgs, GlobalArgs};
use crate::commands::print;
use crate::context::{self, ENDLESS};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::say;

/// One side, read.
enum Side {
    Told(Kind, State),
    Folder(Box<Folder>),
}

pub(crate) fn run(args: &CompareArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let mut old = read(&args.old, global)?;
    let mut new = read(&args.new, global)?;
    if let (Side::Folder(old), Side::Folder(new)) = (&mut old, &mut new)
        && old.state.values.get("tree") != new.state.values.get("tree")
    {
        let (ours, theirs) = (old.state.digests(), new.state.digests());
        remark(&args.old, &old.note_tensors(&theirs));
        remark(&args.new, &new.note_tensors(&ours));
        // Of files that both have, the digest over all tensors was not made.
        old.state.values.remove("tensors");
        new.state.values.remove("tensors");
    }
    let extent = if old.kind() == new.kind() { Extent::All } else { Extent::Common };
    let (old, new) = pair(old, new, args)?;
    let comparison = compare::compare(&old, &new, extent);
    if extent == Extent::Common && comparison.compared == 0 {
        return Err(misuse(
            "the two have no model in common",
            "compare two of one kind, or name the model with --model",
        ));
    }
    let same = comparison.is_same();
    if args.json {
        print(compare::json(&comparison).as_bytes())?;
    } else {
        let verdict = match (same, global.quiet) {
            (_, true) => String::new(),
            (true, false) if comparison.compared == 1 => "same: 1 model\n".to_owned(),
            (true, false) => format!("same: {} models\n", comparison.compared),
            (false, false) => "they differ\n".to_owned(),
        };
        print((compare::text(&comparison) + &verdict).as_bytes())?;
    }
    Ok(if same { Exit::Allow } else { Exit::Deny })
}

impl Side {
    const fn kind(&self) -> Kind {
        match self {
            Self::Told(kind, _) => *kind,
            Self::Folder(_) => Kind::Files,
        }
    }
}

fn read(path: &Path, global: &GlobalArgs) -> anyhow::Result<Side> {
    let working_dir = context::working_dir()?;
    let at = working_dir.join(path);
    match compare::kind(&at)? {
        Kind::Report => {
            let state = compared(super::report::read(&at)?);
            let shown = || format!("{} can't be compared", path.display());
            Ok(Side::Told(Kind::Report, state.with_context(shown)?))
        }
        Kind::Lock => {
            let read = lock::read(&at)?;
            let (_, lock) = read.with_context(|| format!("{} is gone", path.display()))?;
            Ok(Side::Told(Kind::Lock, State::of_lock(&lock)))
        }
        Kind::Files => {
            let progress = Arc::new(Progress::new(!global.quiet));
            let gate = Gate {
                max_tasks: ENDLESS,
                jobs: context::processors(),
                sink: Arc::clone(&progress) as Arc<dyn EventSink>,
                ..Gate::new(working_dir, context::now())
            };
            let folder = gate.folder(path);
            progress.clear();
            Ok(Side::Folder(Box::new(folder?)))
        }
    }
}

/// Returns the two states with the models that are to be compared under one name.
fn pair(old: Side, new: Side, args: &CompareArgs) -> anyhow::Result<(State, State)> {
    let (mut old, mut new) = match (old, new) {
        (Side::Told(_, old), Side::Told(_, new)) => (old, new),
        (Side::Folder(old), Side::Folder(new)) => {
            (State::of_model("", old.state), State::of_model("", new.state))
        }
        (Side::Told(kind, old), Side::Folder(mut folder)) => {
            let name = beside(&old, &args.old, args.model.as_deref())?;
            note(&mut folder, kind, &old, &name, &args.new)?;
            (old, State::of_model(&name, folder.state))
        }
        (Side::Folder(mut folder), Side::Told(kind, new)) => {
            let name = beside(&new, &args.new, args.model.as_deref())?;
            note(&mut folder, kind, &new, &name, &args.old)?;
            (State::of_model(&name, folder.state), new)
        }
    };
    if let Some(name) = &args.model {
        if !old.models.contains_key(name) && !new.models.contains_key(name) {
            let message = format!("neither has a model `{name}`");
            return Err(misuse(&message, "name one that they have"));
        }
        for state in [&mut old, &mut new] {
            state.models.retain(|other, _| other == name);
            state.values.clear();
            state.plugins.clear();
        }
    }
    Ok((old, new))
}

/// Takes in the tensors of `folder` where the lock file has a digest over them.
/// What the other side can't speak of is not passed over.
fn note(
    folder: &mut Folder,
    kind: Kind,
    told: &State,
    name: &str,
    path: &Path,
) -> anyhow::Result<()> {
    if let Some(beside) = folder.beside.first() {
        let message = format!("{} holds more than files: {beside}", path.display());
        return Err(misuse(&message, "take it away, or compare with another folder"));
    }
    let locked = told.models.get(name);
    if kind == Kind::Lock && locked.is_some_and(|model| model.values.contains_key("tensors")) {
        remark(path, &folder.note_tensors(&BTreeSet::new()));
    }
    Ok(())
}

/// Returns the name of the model in `state` that a folder is compared with.
fn beside(state: &State, path: &Path, named: Option<&str>) -> anyhow::Result<String> {
    let mut names = state.models.keys();
    match (named, names.next(), names.next()) {
        (Some(name), ..) if state.models.contains_key(name) => Ok(name.to_owned()),
        (None, Some(one), None) => Ok(one.clone()),
        (Some(name), ..) => Err(misuse(
            &format!("{} has no model `{name}`", path.display()),
            "name one that it has",
        )),
        (None, ..) => Err(misuse(
            &format!("{} has {} models", path.display(), state.models.len()),
            "name the one to compare with: --model NAME",
        )),
    }
}

fn remark(path: &Path, remarks: &[String]) {
    for remark in remarks {
        say::line(&format!("{}: {remark}", path.display()));
    }
}

fn misuse(message: &str, help: &str) -> anyhow::Error {
    GateError::Usage { message: message.to_owned(), help: Some(help.to_owned()) }.into()
}
