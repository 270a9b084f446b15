//! `--trust-stat`: files that look unchanged are not read for their digest, and what
//! is kept for that can be turned against nobody.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use modelhost::domain::digest::Digest;
use serde_json::Value;

use crate::support::command::{Place, Said};
use crate::support::component::{self, Guest};
use crate::support::model;

/// Longer than times must have stood still for a digest to be kept.
const SETTLED: Duration = Duration::from_millis(2_100);

/// A place with a model of two files whose times have stood still, a plugin, and a
/// cache of its own.
fn place() -> Place {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8)).write("m/b.bin", b"\0other");
    component::write(&place.path().join("plugins"), "honest", &Guest::read("honest-pass").plugin);
    std::thread::sleep(SETTLED);
    place
}

fn said(place: &Place, more: &[&str]) -> Said {
    let args = ["run", "m", "--no-bundled", "--plugins", "plugins", "-o", "json"];
    let mut command = place.command(&[&args[..], more].concat());
    command.env("MODELHOST_CACHE_DIR", place.path().join("cache"));
    command.env("MODELHOST_CACHE_KEY", "secret");
    place.said(&command.output().expect("modelhost starts"))
}

fn report(place: &Place) -> Value {
    said(place, &["--trust-stat"]).json()
}

/// How many files of a run were not read for their digest.
fn not_hashed(report: &Value) -> u64 {
    report["trust_stat"]["not_hashed"].as_u64().expect("a number")
}

fn digest(report: &Value, file: usize) -> Digest {
    let digest = report["models"][0]["files"][file]["digest"].as_str().expect("a digest");
    digest.parse().expect("a digest")
}

fn kept(place: &Place) -> PathBuf {
    place.path().join("cache/compiled/files.sealed")
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("a file");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("a file");
}

#[test]
fn what_looks_unchanged_is_not_read_again() {
    let place = place();
    let first = report(&place);
    assert_eq!(not_hashed(&first), 0);
    let second = report(&place);
    assert_eq!(not_hashed(&second), 2);
    // But for that it is the same report, in every byte.
    let mut same = second.clone();
    same["trust_stat"] = first["trust_stat"].clone();
    assert_eq!(same, first);
    // Without the option nothing is taken from the cache, and nothing is said of it.
    let without = said(&place, &[]).json();
    assert!(without.get("trust_stat").is_none());
    assert_eq!(without["models"], first["models"]);
    // People are told.
    let args = ["run", "m", "--no-bundled", "--plugins", "plugins", "--trust-stat"];
    let mut command = place.command(&args);
    command.env("MODELHOST_CACHE_DIR", place.path().join("cache"));
    command.env("MODELHOST_CACHE_KEY", "secret");
    let human = place.said(&command.output().expect("modelhost starts"));
    human.says("--trust-stat: 2 files not read for the digest");
    let mode = fs::metadata(kept(&place)).expect("it is kept").permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn what_changed_in_any_way_is_read_again() {
    type Change = fn(&Path);
    let rows: [(&str, Change); 6] = [
        ("written in place, with its time set back", |path| {
            let modified = fs::metadata(path).and_then(|m| m.modified()).expect("a time");
            let mut bytes = fs::read(path).expect("a file");
            bytes[1] ^= 1;
            fs::write(path, bytes).expect("a file");
            let file = File::options().write(true).open(path).expect("a file");
            file.set_times(FileTimes::new().set_modified(modified)).expect("times");
        }),
        ("replaced by another of its size and time", |path| {
            let modified = fs::metadata(path).and_then(|m| m.modified()).expect("a time");
            let other = path.with_extension("new");
            fs::write(&other, b"\0OTHER").expect("a file");
            let file = File::options().write(true).open(&other).expect("a file");
            file.set_times(FileTimes::new().set_modified(modified)).expect("times");
            fs::rename(other, path).expect("renamed");
        }),
        ("longer", |path| fs::write(path, b"\0other and more").expect("a file")),
        ("empty", |path| fs::write(path, b"").expect("a file")),
        ("changed places with the other", |path| {
            let other = path.with_file_name("model.safetensors");
            let away = path.with_file_name("away");
            fs::rename(path, &away).expect("renamed");
            fs::rename(&other, path).expect("renamed");
            fs::rename(&away, &other).expect("renamed");
        }),
        ("given another mode", |path| {
            fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a mode");
        }),
    ];
    for (what, change) in rows {
        let place = place();
        report(&place);
        assert_eq!(not_hashed(&report(&place)), 2, "{what}");
        change(&place.path().join("m/b.bin"));
        let report = report(&place);
        // Not every file system counts a new name as a change of the file.
        assert!(not_hashed(&report) < 2 || what.starts_with("changed places"), "{what}");
        for (at, name) in ["b.bin", "model.safetensors"].into_iter().enumerate() {
            let bytes = fs::read(place.path().join("m").join(name)).expect("a file");
            assert_eq!(digest(&report, at), Digest::of(&bytes), "{what}: {name}");
        }
    }
}

#[test]
fn what_was_written_a_moment_ago_is_not_kept() {
    let place = place();
    place.write("m/b.bin", b"\0new");
    report(&place);
    // Written once more within the clock's tick, it could look the same.
    assert_eq!(not_hashed(&report(&place)), 1);
    std::thread::sleep(SETTLED);
    report(&place);
    assert_eq!(not_hashed(&report(&place)), 2);
}

#[test]
fn what_is_kept_is_used_whole_and_ours_or_not_at_all() {
    let place = place();
    report(&place);
    let good = fs::read(kept(&place)).expect("it is kept");
    assert_eq!(good.len(), 8 + 2 * 89 + 32);
    // Every byte counts: numbers, digests, kinds, the MAC.
    let refused = |what: &str| {
        let said = said(&place, &["--trust-stat"]);
        said.says("is not used and made anew");
        assert_eq!(not_hashed(&said.json()), 0, "{what}");
        assert_eq!(fs::read(kept(&place)).expect("it is made anew"), good, "{what}");
    };
    for at in (0..good.len()).step_by(31).chain([good.len() - 1]) {
        flip(&kept(&place), at);
        refused(&format!("byte {at}"));
    }
    // Entries that change places, digests that do, one that is left out, one twice.
    let entry = |at: usize| 8 + 89 * at..8 + 89 * (at + 1);
    let mac = &good[8 + 2 * 89..];
    let (head, one, two) = (&good[..8], &good[entry(0)], &good[entry(1)]);
    let swapped = [&one[..56], &two[56..88], &one[88..], &two[..56], &one[56..88], &two[88..]];
    let spoiled: [Vec<u8>; 6] = [
        [head, two, one, mac].concat(),
        [head, &swapped.concat(), mac].concat(),
        [head, one, mac].concat(),
        [head, one, one, mac].concat(),
        Vec::new(),
        good[..good.len() - 1].to_vec(),
    ];
    for (at, bytes) in spoiled.iter().enumerate() {
        fs::write(kept(&place), bytes).expect("a file");
        refused(&format!("form {at}"));
    }
    // Others may write it; it is a link; it is somebody else's, under another key.
    fs::set_permissions(kept(&place), Permissions::from_mode(0o666)).expect("a mode");
    refused("others may write");
    let elsewhere = place.path().join("elsewhere");
    fs::rename(kept(&place), &elsewhere).expect("renamed");
    std::os::unix::fs::symlink(&elsewhere, kept(&place)).expect("a link");
    refused("a link");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(kept(&place), Some(65_534), None).expect("given away");
        refused("another owner");
    } else {
        eprintln!("skipped: only root can give a file away");
    }
    let other = self::place();
    report(&other);
    let args = ["run", "m", "--no-bundled", "--plugins", "plugins", "-o", "json", "--trust-stat"];
    let mut command = other.command(&args);
    command.env("MODELHOST_CACHE_DIR", other.path().join("cache"));
    command.env("MODELHOST_CACHE_KEY", "another secret");
    let said = other.said(&command.output().expect("modelhost starts"));
    said.says("is not used and made anew");
    assert_eq!(not_hashed(&said.json()), 0);
}

#[test]
fn it_goes_with_what_it_can_go_with() {
    let place = place();
    for other in ["--no-digests", "--no-cache", "--attest=a.jsonl"] {
        said(&place, &["--trust-stat", other]).code(2).says("cannot be used with");
    }
    let report = said(&place, &["--trust-stat"]);
    place.write("r.json", report.stdout);
    place.modelhost(&["attest", "r.json"]).code(2).says("--trust-stat");
    // Without a cache everything is read, and the report says so.
    place.write("file", "");
    let args = ["run", "m", "--no-bundled", "--plugins", "plugins", "-o", "json", "--trust-stat"];
    for _ in 0..2 {
        let mut command = place.command(&args);
        command.env("MODELHOST_CACHE_DIR", place.path().join("file"));
        let said = place.said(&command.output().expect("modelhost starts"));
        assert_eq!(not_hashed(&said.json()), 0);
    }
    // `cache prune --all` removes it with the rest.
    assert!(kept(&place).exists());
    let mut command = place.command(&["cache", "prune", "--all"]);
    command.env("MODELHOST_CACHE_DIR", place.path().join("cache"));
    assert!(command.status().expect("modelhost starts").success());
    assert!(!kept(&place).exists());
}
