//! Files that are no plugins, by the hundred, from a seeded generator: each is
//! told or ends as an error, none ends modelhost.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use modelhost::domain::plugin::PluginRef;
use modelhost::plugin::{component as outside, resolve};
use serde_json::Value;

use crate::support::command::Place;
use crate::support::component::{self, Guest};
use crate::support::model;

mod generator;
mod manifests;

use generator::{Malformed, malformed};

/// What no file may take, in-process or as a process of its own. Far above what
/// they do take, which is printed: this is no measurement, but an end.
const END: Duration = Duration::from_secs(30);

/// How many of those that are told in-process are told to a process as well: one
/// in so many.
const ONE_IN: usize = 6;

/// Reads `path` as a plugin and validates it, as every command does before it
/// goes on; an error with its causes, as a person reads it.
fn read(path: &Path) -> Result<(), String> {
    let plugin = resolve::resolve(&PluginRef::File(path.to_owned())).map_err(|error| {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        text
    })?;
    outside::validate(&plugin.bytes).map_err(|error| error.to_string())
}

#[test]
fn malformed_files_are_told_and_end_nothing() {
    let files = malformed();
    assert!(files.len() >= 300, "{} files", files.len());
    let folder = tempfile::tempdir().expect("a folder");
    let mut slowest = (Duration::ZERO, String::new());
    let mut slowest_process = (Duration::ZERO, String::new());
    let (mut told, mut left) = (0, Vec::new());
    for (index, Malformed { name, bytes, may_be_sound }) in files.iter().enumerate() {
        let path = folder.path().join("guest.wasm");
        std::fs::write(&path, bytes).expect("a file");
        let started = Instant::now();
        let read = catch_unwind(AssertUnwindSafe(|| read(&path)))
            .unwrap_or_else(|_| panic!("{name}: a panic"));
        let took = started.elapsed();
        assert!(took < END, "{name}: {took:?}");
        if took > slowest.0 {
            slowest = (took, name.clone());
        }
        match read {
            Err(text) => {
                told += 1;
                let acts = text.chars().any(char::is_control);
                assert!(!acts && text.len() > 10 && text.len() < 2000, "{name}: {text:?}");
                if index.is_multiple_of(ONE_IN) {
                    let took = process(name, bytes, true);
                    slowest_process = slowest_process.max((took, name.clone()));
                }
            }
            Ok(()) => left.push((name, bytes, *may_be_sound)),
        }
    }
    eprintln!(
        "{} files, {told} told as no plugins; the slowest, {}, took {:?}",
        files.len(),
        slowest.1,
        slowest.0
    );
    // What is valid all the same goes on to be compiled and run.
    for (name, bytes, may_be_sound) in &left {
        assert!(*may_be_sound, "{name} was taken for a plugin");
        let took = process(name, bytes, false);
        slowest_process = slowest_process.max((took, (*name).clone()));
    }
    eprintln!(
        "{} of them were valid all the same, and ran; the slowest to inspect and run, {}, took {:?}",
        left.len(),
        slowest_process.1,
        slowest_process.0
    );
}

/// Looks at and runs `bytes` as processes: exit 2 where they are no plugin, else
/// an outcome, and never `allow`. Returns how long both took.
fn process(name: &str, bytes: &[u8], is_told: bool) -> Duration {
    let place = Place::new();
    place.write("model/weights.safetensors", model::safetensors(4));
    component::write(&place.path().join("plugins"), "guest", bytes);
    let started = Instant::now();
    let inspected = place.modelhost(&["plugin", "inspect", "plugins/guest.wasm"]);
    let ran = place.modelhost(&[
        "run",
        "model",
        "--no-bundled",
        "--plugins",
        "plugins",
        "--no-cache",
        "-o",
        "json",
    ]);
    let took = started.elapsed();
    assert!(took < END, "{name}: {took:?}");
    if is_told {
        assert_eq!((inspected.code, ran.code), (2, 2), "{name}: {inspected:?}\n{ran:?}");
        assert!(inspected.stdout.is_empty(), "{name}: {inspected:?}");
        assert!(ran.is_unrun(), "{name}: {ran:?}");
        for said in [inspected, ran] {
            assert!(said.stderr.starts_with("error: "), "{name}: {said:?}");
            assert!(!said.stderr.contains("panicked"), "{name}: {said:?}");
        }
        return took;
    }
    assert_eq!(inspected.code, 0, "{name}: {inspected:?}");
    assert!(matches!(ran.code, 1..=3), "{name}: {ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{name}: {ran:?}");
    if ran.code != 2 {
        let report: Value = ran.json();
        assert_ne!(report["decision"], "allow", "{name}: {}", ran.stdout);
        assert_ne!(report["tasks"][0]["failure"]["code"], "worker", "{name}: {}", ran.stdout);
    }
    took
}

#[test]
fn the_generator_gives_the_same_files_each_time() {
    let (one, other) = (malformed(), malformed());
    let alike = one.iter().zip(&other).all(|(a, b)| a.name == b.name && a.bytes == b.bytes);
    assert!(alike && one.len() == other.len());
    // What it starts from is sound: else nothing would be proved.
    let guest = Guest::read("honest-fail");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("guest.wasm");
    std::fs::write(&path, &guest.plugin).expect("a file");
    assert_eq!(read(&path), Ok(()));
}
