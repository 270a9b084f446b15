//! Files that change while a run is on: all verdicts are of the bytes whose
//! digest the report names, or the run says that they changed.

use std::collections::HashMap;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use modelhost::domain::digest::Digest;

use crate::support::command::{Place, Said};
use crate::support::component;
use crate::support::is_long;
use crate::support::writer::{Dice, Mapping, Writer, in_memory};

/// A guest that reads late. It asks for `digest`, so that it starts when the
/// digests of all files are there.
fn late(before: &str, after: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (import "modelhost:check/files@0.1.0" "[method]model.file" (func $file (param i32 i32) (result i32)))
  (import "modelhost:check/files@0.1.0" "[method]file.read" (func $read (param i32 i64 i32 i32)))
  (import "modelhost:check/digest@0.1.0" "of" (func $of (param i32 i32 i32 i64 i64 i32)))
  (memory (export "memory") 64)
  (global $next (mut i32) (i32.const 8192))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func $spin (local $left i64)
    (local.set $left (i64.const 500000000))
    (loop $on
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $on (i64.ne (local.get $left) (i64.const 0)))))
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param $settings i32) (param $length i32) (result i32)
    (local $f i32)
    (local.set $f (call $file (local.get $model) (i32.const 0)))
    {before}
    (call $spin)
    {after}
    (call $drop (local.get $model))
    (i32.const 0)))"#
    );
    let manifest = component::manifest("late", "model", "none", false);
    component::plugin(&wat::parse_str(text).expect("a module"), &manifest)
}

const NOTHING: &str = "";
/// Reads the first bytes.
const READ: &str = "(call $read (local.get $f) (i64.const 0) (i32.const 16) (i32.const 4096))";
/// Reads two chunks whole.
const READ_BOTH: &str =
    "(call $read (local.get $f) (i64.const 0) (i32.const 131072) (i32.const 4096))";
/// Asks for the BLAKE3 of the whole file.
const DIGEST: &str = "(call $of (local.get $f) (i32.const 3) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 4096))";
/// Asks for the SHA-512 of a few bytes in the second chunk.
const RANGE: &str = "(call $of (local.get $f) (i32.const 1) (i32.const 1) (i64.const 70000) (i64.const 5) (i32.const 4096))";

/// Waits until a worker of `child` has used a while of processor time: then a
/// guest runs.
fn wait_for_guest(child: &Child) {
    let started = Instant::now();
    let tasks = format!("/proc/{}/task", child.id());
    while started.elapsed() < Duration::from_secs(60) {
        let threads = std::fs::read_dir(&tasks).into_iter().flatten().flatten();
        let children: String = threads
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
            .collect();
        for pid in children.split_whitespace() {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The fields after the name: the 12th is the time used, in ticks of 10 ms.
            let fields = stat.rsplit(')').next().unwrap_or_default();
            let ticks = fields.split_whitespace().nth(11).and_then(|ticks| ticks.parse().ok());
            if ticks.is_some_and(|ticks: u64| ticks >= 15) {
                return;
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no guest ran");
}

/// Runs the guest on a file of two chunks and a bit, and `change`s the file
/// when its digest is known and the guest has not read yet.
fn changed_late<C: FnOnce()>(
    folder: &Path,
    guest: &[u8],
    prepare: impl FnOnce(&Path) -> C,
) -> (Said, Digest) {
    let place = Place::new();
    component::write(&place.path().join("plugins"), "late", guest);
    let path = folder.join("weights.bin");
    let bytes = vec![1_u8; (1 << 17) + 5];
    std::fs::write(&path, &bytes).expect("a file");
    let change = prepare(&path);
    let model = path.to_str().expect("UTF-8");
    let child = place
        .command(&["run", model, "--no-bundled", "--plugins", "plugins", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("modelhost starts");
    wait_for_guest(&child);
    change();
    (place.said(&child.wait_with_output().expect("modelhost ends")), Digest::of(&bytes))
}

fn open(path: &Path) -> std::fs::File {
    std::fs::OpenOptions::new().write(true).open(path).expect("a file")
}

#[test]
fn a_change_between_the_digest_and_a_read_is_told_by_its_bytes() {
    let rows: [(&str, &str, u64, &str); 4] = [
        (NOTHING, READ, 3, "0 to 65536"),
        (NOTHING, READ_BOTH, 65_536, "65536 to 131072"),
        // A digest that the guest asks for is held to the same bytes.
        (NOTHING, DIGEST, 131_072, "131072 to 131077"),
        (READ, RANGE, 130_000, "65536 to 131072"),
    ];
    for (before, after, at, bytes) in rows {
        let folder = tempfile::tempdir().expect("a folder");
        let guest = late(before, after);
        let (said, _) = changed_late(folder.path(), &guest, |path| {
            let file = open(path);
            move || file.write_all_at(&[2], at).expect("written")
        });
        said.code(3).says("gate/changed").says(&format!("not all who read its bytes {bytes} read"));
        let report = said.json();
        assert_eq!(report["tasks"][0]["failure"]["code"], "changed", "{said:?}");
        assert_eq!(report["models"][0]["files"].as_array().map(Vec::len), Some(0), "no digest");
    }
}

#[test]
fn a_write_through_a_mapping_is_seen_where_it_is_read() {
    let Some(folder) = in_memory() else { return };
    let path = folder.path().join("weights.bin");
    let change = |path: &Path| {
        let mapping = Mapping::new(path);
        mapping.write(3, 1);
        move || mapping.write(3, 2)
    };
    let (said, _) = changed_late(folder.path(), &late(NOTHING, READ), change);
    said.code(3).says("gate/changed").says("not all who read its bytes 0 to 65536 read");
    // Once all have read, the report speaks of the bytes that they read. What is
    // there afterwards it can't know.
    let (said, digest) = changed_late(folder.path(), &late(READ_BOTH, NOTHING), change);
    assert_eq!(said.json()["models"][0]["files"][0]["digest"], digest.to_string());
    assert_ne!(Digest::of(&std::fs::read(&path).expect("a file")), digest);
}

#[test]
fn a_file_that_is_cut_short_is_an_error_for_who_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let cut = |path: &Path| {
        let file = open(path);
        move || file.set_len(9).expect("cut")
    };
    let (said, _) = changed_late(folder.path(), &late(NOTHING, READ_BOTH), cut);
    said.code(3).says("gate/changed").says("\"changed\"");
}

/// Two pickles of one size that differ in one byte: whether a call stands in a
/// text, or behind it. Also where they differ.
fn pickles() -> ([Vec<u8>; 2], usize) {
    const CALL: &[u8] = b"\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R";
    let mut benign = b"\x80\x04".to_vec();
    // Numbers that are taken and dropped: long enough for a race.
    benign.extend(std::iter::repeat_n(b"K\x010", 70_000).flatten());
    benign.extend([b'C', u8::try_from(CALL.len()).expect("short")]);
    let at = benign.len() - 1;
    benign.extend(CALL);
    benign.push(b'.');
    let mut malicious = benign.clone();
    malicious[at] = 0;
    ([benign, malicious], at)
}

const MORE: &[u8] = b"more";
const CUT: usize = 100_000;

/// Runs the pickle plugin on the file at `path`.
fn scan(place: &Place, path: &Path, isolation: &str) -> std::process::Command {
    let model = path.to_str().expect("UTF-8");
    place.command(&["run", model, "--only", "pickle", "--isolation", isolation, "-o", "json"])
}

/// For each content that a writer makes, how a run on it ends that nobody
/// disturbs.
fn undisturbed(place: &Place, path: &Path) -> HashMap<String, i32> {
    let (pair, _) = pickles();
    let mut contents = vec![pair[0][..CUT].to_vec()];
    for bytes in pair {
        contents.push([&bytes, MORE].concat());
        contents.push(bytes);
    }
    let mut codes = HashMap::new();
    for bytes in contents {
        std::fs::write(path, &bytes).expect("a file");
        let said = place.said(&scan(place, path, "process").output().expect("modelhost starts"));
        codes.insert(Digest::of(&bytes).to_string(), said.code);
    }
    codes
}

/// How a round ended.
#[derive(Debug, PartialEq, Eq)]
enum Round {
    Changed,
    Same,
}

/// Runs while a writer writes; says what is wrong with what came of it.
fn race(
    place: &Place,
    folder: &Path,
    codes: &HashMap<String, i32>,
    number: u64,
    quiet: bool,
) -> Result<Round, String> {
    let mut dice = Dice::new(number);
    let path = folder.join("model.pkl");
    let (pair, at) = pickles();
    let first = &pair[usize::from(dice.roll(2) == 1)];
    std::fs::write(&path, first).expect("a file");
    let mapping = Mapping::new(&path);
    mapping.write(at, first[at]);
    let writer =
        Writer { path: path.clone(), pair, at, cut: CUT, more: MORE.to_vec(), mapping, quiet };
    let isolation = if number.is_multiple_of(3) { "in-process" } else { "process" };
    let mut command = scan(place, &path, isolation);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let done = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        let child = command.spawn().expect("modelhost starts");
        let done = &done;
        scope.spawn(move || {
            // One write at some moment, or a storm of them.
            let (wait, times) = match number / 2 % 4 {
                0 => (60_000, 1),
                1 => (30_000, 2),
                2 => (3_000, u64::MAX),
                _ => (200, u64::MAX),
            };
            for _ in 0..times {
                std::thread::sleep(Duration::from_micros(dice.roll(wait)));
                if done.load(Ordering::Relaxed) {
                    break;
                }
                writer.write(&mut dice);
            }
        });
        let output = child.wait_with_output();
        done.store(true, Ordering::Relaxed);
        output.expect("modelhost ends")
    });
    let said = place.said(&output);
    let report: serde_json::Value =
        serde_json::from_str(&said.stdout).map_err(|error| format!("{error}: {said:?}"))?;
    let reasons = report["reasons"].as_array().expect("reasons");
    let digest = report["models"][0]["files"][0]["digest"].as_str();
    if reasons.iter().any(|reason| reason["kind"] == "changed") {
        return match (said.code, digest) {
            // What was seen to be malicious stays denied.
            (1 | 3, None) => Ok(Round::Changed),
            other => Err(format!("it changed, and the run says {other:?}: {said:?}")),
        };
    }
    let digest = digest.ok_or_else(|| format!("no digest: {said:?}"))?;
    match codes.get(digest) {
        Some(code) if *code == said.code => Ok(Round::Same),
        expected => Err(format!("{digest} is to end in {expected:?}: {said:?}")),
    }
}

#[test]
fn a_racing_writer_gets_no_wrong_verdict() {
    let place = Place::new();
    let on_disk = tempfile::tempdir().expect("a folder");
    let memory = in_memory();
    let codes = undisturbed(&place, &on_disk.path().join("model.pkl"));
    let (pair, _) = pickles();
    let code = |bytes: &[u8]| codes[&Digest::of(bytes).to_string()];
    assert_eq!((code(&pair[0]), code(&pair[1])), (0, 1), "the one is allowed, the other denied");
    let rounds = if is_long() { 1000 } else { 50 };
    let (mut wrong, mut changed) = (Vec::new(), 0);
    for number in 0..rounds {
        // In memory, what is written through a mapping is written unseen.
        let quiet = memory.as_ref().filter(|_| number % 2 == 1);
        let folder = quiet.unwrap_or(&on_disk).path();
        match race(&place, folder, &codes, number, quiet.is_some()) {
            Ok(round) => changed += u64::from(round == Round::Changed),
            Err(why) => wrong.push(format!("round {number}: {why}")),
        }
    }
    eprintln!("{rounds} rounds, {changed} changed, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} of {rounds}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(changed > 0 && changed < rounds, "{changed} of {rounds} changed: there was no race");
}
