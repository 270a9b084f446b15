//! `cargo xtask examples`: the weights, license texts and lock files under `examples/`.
//!
//! It owns every file there that is not written by hand, and writes the same bytes each time; the
//! texts (cards, configuration, what each example shows) are kept in their places. Gating the
//! examples is left to `demo.rs`.

mod pickle;
mod safetensors;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

pub(crate) use self::safetensors::{Tensor, header};
use crate::workspace::Workspace;
use crate::{command, term};

/// The text that the license check finds beside the weights.
const APACHE: &str = include_str!("../assets/LICENSE-APACHE-2.0.txt");

/// The text of the other license.
const MIT: &str = include_str!("../assets/LICENSE-MIT.txt");

/// What `modelhost lock` writes.
const LOCK_FILE: &str = "modelhost.lock";

/// One made file.
#[derive(Debug)]
struct Made {
    /// Its path below `examples/`.
    path: &'static str,
    bytes: Vec<u8>,
}

/// An example with a lock file.
#[derive(Debug, Clone, Copy)]
struct Locked {
    /// The folder below `examples/`.
    folder: &'static str,
    /// A file of it whose last byte changes after the lock was written.
    changed: Option<&'static str>,
}

/// The examples with a lock file.
const LOCKED: [Locked; 2] = [
    Locked { folder: "clean-safetensors", changed: None },
    Locked {
        folder: "changed-after-locking",
        changed: Some("changed-after-locking/models/sentiment/model.safetensors"),
    },
];

/// Runs `cargo xtask examples`.
///
/// # Errors
/// When a file can't be written or, with `check`, is not what would be written.
pub(crate) fn command(workspace: &Workspace, check: bool) -> Result<()> {
    let folder = folder(workspace);
    if check {
        let wrong = different(&folder);
        if wrong.is_empty() {
            return Ok(());
        }
        bail!("not as `cargo xtask examples` writes them: {}", wrong.join(", "));
    }
    write(&folder, &before_the_change())?;
    let host = workspace.host_binary();
    if host.is_file() {
        lock(&folder, &host)?;
    } else {
        term::note("lock files are left as they are: they take a built host (cargo xtask plugins)");
    }
    write(&folder, &made())?;
    term::line(format!("wrote the example models under {}", workspace.shown(&folder)));
    Ok(())
}

/// Makes the examples again if a file of theirs is missing, and returns whether it did.
///
/// # Errors
/// When they can't be written.
pub(crate) fn ensure(workspace: &Workspace, host: &Path) -> Result<bool> {
    let folder = folder(workspace);
    let locks = LOCKED.iter().map(|locked| folder.join(locked.folder).join(LOCK_FILE));
    let files = made().into_iter().map(|made| folder.join(made.path));
    if files.chain(locks).all(|path| path.is_file()) {
        return Ok(false);
    }
    write(&folder, &before_the_change())?;
    lock(&folder, host)?;
    write(&folder, &made())?;
    Ok(true)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("examples")
}

/// Returns every made file as it is committed.
fn made() -> Vec<Made> {
    let mut files = before_the_change();
    for path in LOCKED.iter().filter_map(|locked| locked.changed) {
        let file = files.iter_mut().find(|made| made.path == path);
        if let Some(last) = file.and_then(|made| made.bytes.last_mut()) {
            // The sign of the last number: a file of the same length that still opens.
            *last ^= 0x80;
        }
    }
    files
}

/// Returns every made file as it was when the lock files were written.
fn before_the_change() -> Vec<Made> {
    let text = |path, text: &str| Made { path, bytes: text.as_bytes().to_owned() };
    vec![
        text("clean-safetensors/models/sentiment/LICENSE", APACHE),
        Made {
            path: "clean-safetensors/models/sentiment/model.safetensors",
            bytes: safetensors::tiny(),
        },
        text("changed-after-locking/models/sentiment/LICENSE", APACHE),
        Made {
            path: "changed-after-locking/models/sentiment/model.safetensors",
            bytes: safetensors::tiny(),
        },
        text("malicious-pickle/models/reviews/LICENSE", MIT),
        Made {
            path: "malicious-pickle/models/reviews/pytorch_model.bin",
            bytes: pickle::that_runs("echo 'this ran while the model was being loaded'"),
        },
    ]
}

/// Writes files below a folder.
fn write(folder: &Path, files: &[Made]) -> Result<()> {
    for made in files {
        let path = folder.join(made.path);
        let parent = path.parent().context("a made file has no folder")?;
        fs::create_dir_all(parent)?;
        fs::write(&path, &made.bytes)
            .with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

/// Writes the lock files with the host's own command, and leaves the plugins out: those are of
/// whatever build is at hand, while the examples stay as they are committed.
fn lock(folder: &Path, host: &Path) -> Result<()> {
    for locked in LOCKED {
        let repository = folder.join(locked.folder);
        let lock = repository.join(LOCK_FILE);
        command::capture(Command::new(host).arg("lock").current_dir(&repository))
            .with_context(|| format!("examples/{} could not be locked", locked.folder))?;
        let text = fs::read_to_string(&lock)?;
        fs::write(&lock, models_alone(&text))?;
    }
    Ok(())
}

/// Returns the part of a lock file that is about models; the plugins come after it.
fn models_alone(lock: &str) -> &str {
    lock.find("\n[[plugin]]").map_or(lock, |end| &lock[..end])
}

/// Returns the made files that are missing or have other bytes than would be written.
fn different(folder: &Path) -> Vec<&'static str> {
    let wrong = |made: &Made| fs::read(folder.join(made.path)).ok().as_ref() != Some(&made.bytes);
    made().into_iter().filter(wrong).map(|made| made.path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_what_would_be_written() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        assert_eq!(different(&examples), Vec::<&str>::new(), "run `cargo xtask examples`");
    }

    #[test]
    fn plugins_are_left_out_of_a_lock_file() {
        for (lock, expected) in [
            ("version = 1\n\n[[model]]\n\n[[plugin]]\nid = 1\n", "version = 1\n\n[[model]]\n"),
            ("version = 1\n", "version = 1\n"),
            ("", ""),
        ] {
            assert_eq!(models_alone(lock), expected);
        }
    }

    #[test]
    fn one_byte_differs_after_locking() {
        let (before, after) = (before_the_change(), made());
        let mut differing = Vec::new();
        for (b, a) in before.iter().zip(&after) {
            assert_eq!((b.path, b.bytes.len()), (a.path, a.bytes.len()));
            let bytes = b.bytes.iter().zip(&a.bytes).filter(|(b, a)| b != a).count();
            if bytes > 0 {
                differing.push((a.path, bytes));
            }
        }
        assert_eq!(differing, [("changed-after-locking/models/sentiment/model.safetensors", 1)]);
    }
}
