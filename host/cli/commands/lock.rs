//! `modelhost lock`: writes the lock file, or says how it differs.
//!
//! Leaves what it says, and how two differ, to the library.

use std::sync::Arc;

use anyhow::Context as _;

use modelhost::domain::digest::Digest;
use modelhost::domain::event::EventSink;
use modelhost::gate::{Also, Gate, Import, Imported, Pinned};
use modelhost::record::audit::pins;
use modelhost::record::audit::record::Change;
use modelhost::record::compare::{self, Extent, State};
use modelhost::record::import::Difference;
use modelhost::record::lock::{self, LockFile, LockedRegistry};

use crate::args::{GlobalArgs, LockArgs};
use crate::audit_log::AuditLog;
use crate::context::{self, Context, ENDLESS};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::say;

pub(crate) fn run(args: LockArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let context = Context::find(&args.policy)?;
    let path = context.root.join(lock::NAME);
    let old = context.lock.as_ref().map(|(_, lock)| lock.clone());
    let canonical =
        context.lock.as_ref().is_none_or(|(source, lock)| lock.is_canonical(&source.text));
    let audit = AuditLog::of(&args.audit, &context);
    let old_digest = context.lock.as_ref().map(|(file, _)| Digest::of(file.text.as_bytes()));
    let progress = Arc::new(Progress::new(!global.quiet));
    let also = Also { blake3: args.blake3, parts: args.parts, tensors: args.tensors };
    let gate = Gate {
        paths: args.models,
        config: context.config,
        root: context.root,
        lock: context.lock,
        bundled: !args.plugins.no_bundled,
        folders: args.plugins.plugins,
        max_tasks: ENDLESS,
        jobs: context::processors(),
        sink: Arc::clone(&progress) as Arc<dyn EventSink>,
        ..Gate::new(context.working_dir, context::now())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let import = args.from.map(|from| Import { from, format: args.format, also });
    let pinned = runtime.block_on(async {
        context::outlive_file_limits();
        match &import {
            Some(import) => gate.import(import.clone()).await.map(Came::OfImport),
            None => gate.pin(also).await.map(Came::OfFiles),
        }
    });
    progress.clear();
    let mut new = match pinned? {
        Came::OfFiles(Pinned { lock, remarks }) => {
            remarks.iter().for_each(|remark| say::line(remark));
            lock
        }
        Came::OfImport(imported) => match imported_lock(imported, global) {
            Some(lock) => lock,
            None => return Ok(Exit::Deny),
        },
    };
    if let Some(report) = &args.report {
        let concluded = super::report::read(report)?.attested();
        let concluded =
            concluded.with_context(|| format!("{} concludes nothing", report.display()))?;
        new.conclude(&concluded).iter().for_each(|remark| say::line(remark));
    }
    let nothing = LockFile::default();
    let before = State::of_lock(old.as_ref().unwrap_or(&nothing));
    let differences = compare::compare(&before, &State::of_lock(&new), Extent::All);
    let said = compare::text(&differences);
    let what = format!("{} models, {} plugins", new.models.len(), new.plugins.len());
    if let (Some(before), Some(now)) = (old.as_ref().and_then(|lock| lock.registry), &new.registry)
        && !args.allow_registry_rollback
        && let Some(message) = before.rolled_back(now.sequence, now.digest)
    {
        anyhow::bail!(
            "{message}; take the newest set, or lock the older one with --allow-registry-rollback"
        );
    }
    let set = registry_change(old.as_ref().and_then(|lock| lock.registry), new.registry);
    if args.check {
        let same = differences.is_same() && set.is_none() && old.is_some();
        if same && !canonical {
            say::line("it is not in the form that `modelhost lock` writes");
        }
        if old.is_none() {
            say::line(&format!("there is no {}", lock::NAME));
        }
        said.lines().chain(set.as_deref()).for_each(say::line);
        return Ok(if same && canonical { Exit::Allow } else { Exit::Deny });
    }
    // What can't be recorded is not done.
    if let Some(audit) = &audit {
        audit.check()?;
    }
    // Before it is written, so that whoever looks on can stop it.
    if !global.quiet {
        said.lines().chain(set.as_deref()).for_each(say::line);
    }
    let written = lock::write(&path, &new)?;
    if let Some(audit) = &audit {
        let digests = Change { old: old_digest, new: Some(Digest::of(new.render().as_bytes())) };
        let before = old.unwrap_or_default();
        audit.append(pins::changes(&before, &new, digests))?;
    }
    if !global.quiet {
        say::line(&if written {
            format!("wrote {}: {what}", lock::NAME)
        } else {
            format!("{} is up to date: {what}", lock::NAME)
        });
    }
    Ok(Exit::Allow)
}

/// What the lock file is to say, by the files alone or after an import.
enum Came {
    OfFiles(Pinned),
    OfImport(Imported),
}

/// Says what came of an import; none where nothing is to be written.
fn imported_lock(imported: Imported, global: &GlobalArgs) -> Option<LockFile> {
    let Imported { model, format, claimed, notes, lock } = imported;
    match lock {
        Ok(lock) => {
            if !global.quiet {
                for note in &notes {
                    say::line(&format!("note: {note}"));
                }
                let files = if claimed == 1 { "file is" } else { "files are" };
                say::line(&format!("model {model}: {claimed} {files} as {format} claims"));
            }
            Some(lock)
        }
        Err(differences) => {
            for Difference { rule, path, message } in &differences {
                let place = path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
                say::line(&format!("{rule}: {place}{message}"));
            }
            let count = differences.len();
            let what = if count == 1 { "difference" } else { "differences" };
            say::line(&format!(
                "nothing was locked: {count} {what} between {model} and what {format} claims"
            ));
            None
        }
    }
}

/// Says how the locked edition of the trusted registry changes, if it does.
fn registry_change(old: Option<LockedRegistry>, new: Option<LockedRegistry>) -> Option<String> {
    match (old, new) {
        (Some(old), Some(new)) if old.digest != new.digest => {
            Some(format!("~ registry: sequence {} -> {}", old.sequence, new.sequence))
        }
        (None, Some(new)) => Some(format!("+ registry: sequence {}", new.sequence)),
        (Some(_), None) => Some("- registry".to_owned()),
        _ => None,
    }
}
