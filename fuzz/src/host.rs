//! What the host reads before anything is known of it: the policy, the lock file,
//! manifests, components, a worker's frames; and the escaping of what it shows.

use std::cell::OnceCell;
use std::sync::Arc;

use modelhost::config::{self, ConfigError};
use modelhost::domain::diagnostic::{Diagnostic, SourceFile};
use modelhost::domain::digest::Digest;
use modelhost::domain::text::{GuestText, MAX_TEXT};
use modelhost::engine::Engine;
use modelhost::plugin::component::Outline;
use modelhost::plugin::{manifest, settings};
use modelhost::record::lock::LockFile;
use tempfile::TempDir;

use crate::report::assert_inert;

/// Larger components are not compiled: it takes too long to try many.
const MAX_COMPILED: usize = 64 << 10;

fn source(path: &str, bytes: &[u8]) -> SourceFile {
    SourceFile { path: path.into(), text: String::from_utf8_lossy(bytes).into() }
}

/// Asserts that each mistake says something of a place that exists.
fn assert_told(mistakes: &[Diagnostic]) {
    assert!(!mistakes.is_empty(), "it is wrong, and nothing is said");
    for mistake in mistakes {
        assert!(!mistake.message.is_empty(), "an empty message");
        for (span, _) in &mistake.labels {
            assert!(mistake.file.text.get(span.clone()).is_some(), "no place {span:?}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a policy is read from a file")]
pub(crate) fn policy(bytes: &[u8]) {
    thread_local! { static FOLDER: OnceCell<TempDir> = const { OnceCell::new() }; }
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
        let path = folder.path().join("modelhost.toml");
        std::fs::write(&path, bytes).expect("a policy");
        if let Err(ConfigError::Mistakes(mistakes)) = config::load(&path) {
            assert_told(&mistakes);
        }
    });
}

pub(crate) fn lock(bytes: &[u8]) {
    match LockFile::parse(&source("modelhost.lock", bytes)) {
        Err(mistakes) => assert_told(&mistakes),
        Ok(lock) => {
            let text = lock.render();
            let again = LockFile::parse(&source("modelhost.lock", text.as_bytes()));
            let again = again.unwrap_or_else(|_| panic!("what is written is not read: {text}"));
            assert_eq!(again.render(), text, "written twice, it differs");
        }
    }
}

pub(crate) fn manifest(bytes: &[u8]) {
    if let Err(mistakes) = manifest::from_toml(&source("plugin.toml", bytes)) {
        assert_told(&mistakes);
    }
    if let Ok(read) = manifest::from_section(bytes) {
        let written = manifest::to_section(&read).expect("what was read can be written");
        let again = manifest::from_section(&written).expect("what is written is read");
        assert_eq!(again, read, "written and read, it differs");
        settings::validate(&read, "{}");
    }
}

pub(crate) fn component(bytes: &[u8]) {
    thread_local! { static ENGINE: OnceCell<Engine> = const { OnceCell::new() }; }
    if let Ok(outline) = Outline::read(bytes) {
        outline.manifest().ok();
        outline.require_check().ok();
    }
    if bytes.len() <= MAX_COMPILED {
        ENGINE.with(|engine| {
            let engine = engine.get_or_init(|| Engine::new().expect("an engine"));
            engine.compile(bytes, Digest::of(bytes), None).ok();
        });
    }
}

pub(crate) fn frame(bytes: &[u8]) {
    modelhost::worker::take_frame(bytes);
}

pub(crate) fn escape(bytes: &[u8]) {
    let raw = String::from_utf8_lossy(bytes);
    for text in [GuestText::capped(&raw), GuestText::new(&raw, 16)] {
        assert_inert(&format!("{text}\n"));
        assert!(text.as_str().len() <= MAX_TEXT, "longer than its bound");
        // What is inert stays as it is.
        let again = GuestText::capped(text.as_str());
        assert_eq!(again, text, "inert text changes");
    }
    let name: Arc<str> = raw.into();
    let path = modelhost::domain::model::FilePath::from_bytes(name.as_bytes());
    assert_inert(&format!("{path}\n"));
}
