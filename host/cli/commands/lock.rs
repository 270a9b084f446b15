//! `modelhost lock`: writes the lock file, or says how it differs.
//!
//! Leaves what it says to the library.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use modelhost::domain::digest::Digest;
use modelhost::domain::event::EventSink;
use modelhost::gate::{Gate, Import, Imported};
use modelhost::record::audit::pins;
use modelhost::record::audit::record::Change;
use modelhost::record::import::Difference;
use modelhost::record::lock::{self, LockFile};

use crate::args::{GlobalArgs, LockArgs};
use crate::audit_log::AuditLog;
use crate::context::{self, Context};
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
    let gate = Gate {
        registry: None,
        paths: args.models,
        working_dir: context.working_dir,
        config: context.config,
        root: context.root,
        lock: context.lock,
        baseline: None,
        exceptions: true,
        locked: false,
        bundled: !args.plugins.no_bundled,
        folders: args.plugins.plugins,
        only: std::collections::BTreeSet::new(),
        digests: true,
        trust_stat: false,
        fail_on: None,
        now: context::now(),
        // Without tasks, and of the operator's own: only an end to what is endless.
        max_tasks: 10_000_000,
        jobs: context::processors(),
        workers: None,
        cache: None,
        sink: Arc::clone(&progress) as Arc<dyn EventSink>,
        interrupted: Arc::new(AtomicBool::new(false)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let import = args.from.map(|from| Import { from, format: args.format });
    let pinned = runtime.block_on(async {
        context::outlive_file_limits();
        match &import {
            Some(import) => gate.import(import.clone()).await.map(Came::OfImport),
            None => gate.pin().await.map(Came::OfFiles),
        }
    });
    progress.clear();
    let new = match pinned? {
        Came::OfFiles(lock) => lock,
        Came::OfImport(imported) => match imported_lock(imported, global) {
            Some(lock) => lock,
            None => return Ok(Exit::Deny),
        },
    };
    let differences = differences(old.as_ref(), &new);
    if args.check {
        let same = differences.is_empty() && old.is_some();
        if same && !canonical {
            say::line("it is not in the form that `modelhost lock` writes");
        }
        for difference in &differences {
            say::line(difference);
        }
        return Ok(if same && canonical { Exit::Allow } else { Exit::Deny });
    }
    // What can't be recorded is not done.
    if let Some(audit) = &audit {
        audit.check()?;
    }
    let written = lock::write(&path, &new)?;
    if let Some(audit) = &audit {
        let digests = Change { old: old_digest, new: Some(Digest::of(new.render().as_bytes())) };
        let before = old.unwrap_or_default();
        audit.append(pins::changes(&before, &new, digests))?;
    }
    if !global.quiet {
        for difference in &differences {
            say::line(difference);
        }
        let what = format!("{} models, {} plugins", new.models.len(), new.plugins.len());
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
    OfFiles(LockFile),
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

/// Says how `new` differs from what was locked before, a line each.
fn differences(old: Option<&LockFile>, new: &LockFile) -> Vec<String> {
    let nothing = LockFile::default();
    let old = old.unwrap_or(&nothing);
    let mut lines = Vec::new();
    for (name, entry) in &new.models {
        match old.models.get(name) {
            None => lines.push(format!("model {name}: new, {} files", entry.files.len())),
            Some(before) if before.tree != entry.tree => {
                let changed = entry.files.iter().filter(|file| {
                    before
                        .file(&file.path)
                        .is_none_or(|other| (other.size, other.digest) != (file.size, file.digest))
                });
                let gone = before.files.iter().filter(|file| entry.file(&file.path).is_none());
                lines.extend(changed.map(|file| format!("model {name}: {} differs", file.path)));
                lines.extend(gone.map(|file| format!("model {name}: {} is gone", file.path)));
            }
            Some(before)
                if (&before.source, &before.revision) != (&entry.source, &entry.revision) =>
            {
                lines.push(format!("model {name}: its source or revision differs"));
            }
            Some(_) => {}
        }
    }
    lines.extend(
        old.models
            .keys()
            .filter(|name| !new.models.contains_key(name))
            .map(|name| format!("model {name}: gone")),
    );
    for (id, plugin) in &new.plugins {
        match old.plugins.get(id) {
            None => lines.push(format!("plugin {id}: new, {}", plugin.version)),
            Some(before) if before.digest != plugin.digest => lines.push(format!(
                "plugin {id}: {} -> {}, another component",
                before.version, plugin.version
            )),
            Some(_) => {}
        }
    }
    lines.extend(
        old.plugins
            .keys()
            .filter(|id| !new.plugins.contains_key(id))
            .map(|id| format!("plugin {id}: gone")),
    );
    lines
}
