//! Runs that are killed, and disks that fail: under its final name stands what
//! stood there before or the whole, the next run is sound, and what could not be
//! written is never a success.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::command::{Place, Said};
use crate::support::is_long;
use crate::support::model;
use crate::support::writer::Dice;

const ARGS: [&str; 13] = [
    "run",
    "m",
    "--only",
    "pickle",
    "-vv",
    "--now",
    "2026-01-01",
    "-o",
    "human",
    "-o",
    "json=report.json",
    "-o",
    "timings=times.json",
];

/// A place with a model, and a cache and a key of its own.
fn place() -> Place {
    let place = Place::new();
    for number in 0..8 {
        place.write(&format!("m/{number}.safetensors"), model::safetensors(300_000));
    }
    place.write("m/model.pkl", model::malicious_pickle());
    place
}

fn command(place: &Place, args: &[&str]) -> Command {
    let mut command = place.command(args);
    command.env("MODELHOST_CACHE_DIR", place.path().join("cache"));
    command.env_remove("MODELHOST_CACHE_KEY");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(place: &Place, args: &[&str]) -> Said {
    place.said(&command(place, args).output().expect("modelhost starts"))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Starts `command`, and kills it at some moment within `longest`.
fn kill(command: &mut Command, dice: &mut Dice, longest: Duration) {
    let mut child = command.spawn().expect("modelhost starts");
    let micros = u64::try_from(longest.as_micros()).expect("a short time");
    std::thread::sleep(Duration::from_micros(dice.roll(micros.max(1))));
    child.kill().expect("killed, or done already");
    child.wait_with_output().expect("ended");
}

/// Asserts that what is under the reports' names is whole.
fn reports_are_whole(place: &Place, round: u64) {
    for (name, field) in [("report.json", "decision"), ("times.json", "total_ms")] {
        let Ok(text) = std::fs::read_to_string(place.path().join(name)) else { continue };
        let json: serde_json::Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("round {round}: {name}: {error}\n{text}"));
        assert!(json.get(field).is_some(), "round {round}: {name}: {text}");
    }
}

#[test]
fn a_killed_run_leaves_nothing_half_written() {
    let place = place();
    let started = Instant::now();
    run(&place, &ARGS).code(1);
    let longest = started.elapsed();
    let report = place.read("report.json");
    let rounds = if is_long() { 200 } else { 20 };
    let mut dice = Dice::new(7);
    for round in 0..rounds {
        // From nothing, or from what the round before left.
        if round % 2 == 0 {
            let _ = std::fs::remove_dir_all(place.path().join("cache"));
            let _ = std::fs::remove_file(place.path().join("report.json"));
        }
        kill(&mut command(&place, &ARGS), &mut dice, longest);
        reports_are_whole(&place, round);
        if round % 5 == 4 {
            let said = run(&place, &ARGS);
            said.code(1);
            assert!(!said.stderr.contains("is not used"), "round {round}: {said:?}");
            assert_eq!(place.read("report.json"), report, "round {round}: the same report");
        }
    }
    let said = run(&place, &ARGS);
    said.code(1).says("loaded pickle");
    // What was left unfinished is in nobody's way, and is removed when asked.
    run(&place, &["cache", "prune", "--all"]).code(0);
    assert_eq!(names(&place.path().join("cache/compiled")), BTreeSet::new());
    // The model was not touched.
    assert_eq!(names(&place.path().join("m")).len(), 9);
}

#[test]
fn a_killed_lock_leaves_the_old_or_the_new_lock_file() {
    let place = place();
    let lock = || command(&place, &["lock"]);
    let contents = [model::malicious_pickle(), model::benign_pickle()];
    let mut longest = Duration::ZERO;
    let texts = contents.each_ref().map(|content| {
        place.write("m/model.pkl", content);
        let started = Instant::now();
        place.said(&lock().output().expect("modelhost starts")).code(0);
        longest = started.elapsed();
        place.read("modelhost.lock")
    });
    assert_ne!(texts[0], texts[1]);
    let mut dice = Dice::new(11);
    let mut written = 0;
    let rounds = if is_long() { 200 } else { 20 };
    for round in 0..rounds {
        let old = place.read("modelhost.lock");
        let next = usize::from(old == texts[0]);
        place.write("m/model.pkl", &contents[next]);
        kill(&mut lock(), &mut dice, longest);
        let now = place.read("modelhost.lock");
        assert!(now == old || now == texts[next], "round {round}: half of it\n{now}");
        written += u64::from(now != old);
    }
    place.said(&lock().output().expect("modelhost starts")).code(0);
    run(&place, &["lock", "--check"]).code(0);
    eprintln!("{rounds} rounds, {written} were done before they were killed");
    assert!(written < rounds, "none was killed in time");
}

/// A disk that fails: its name, how it becomes what it is once it is filled,
/// what runs modelhost there, and what is to be said.
const DISKS: [(&str, &str, &str, &str); 4] = [
    ("full", "true", "", "space"),
    ("read-only", "mount -o remount,ro out", "", "ead-only"),
    ("bounded", "ulimit -f 4", "", "too large"),
    (
        "broken",
        "true",
        "strace -f -qqq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO",
        "could not be",
    ),
];

/// Runs `modelhost ARGS` where `out` is such a disk of `size` KiB, with a copy of
/// what is in `fill`; returns what it said, and the files then in `out` with
/// their contents; none where this system lacks what it takes.
fn on_disk(
    place: &Place,
    disk: (&str, &str, &str, &str),
    size: u32,
    args: &[&str],
) -> Option<(Said, String)> {
    let (name, spoil, with, _) = disk;
    if !with.is_empty() && Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: strace is not installed");
        return None;
    }
    let size = if name == "full" { size } else { 1 << 14 };
    for folder in ["out", "fill"] {
        std::fs::create_dir_all(place.path().join(folder)).expect("a folder");
    }
    let modelhost = place.command(args);
    let script = format!(
        "mount -t tmpfs -o size={size}k none out || exit 99
        cp -r fill/. out || exit 98
        ({spoil} && {with} \"$@\")
        code=$?
        (cd out && find . -type f -print -exec cat {{}} +) > state
        exit $code"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "bash", "-c", &script, "bash"]);
    command.arg(modelhost.get_program()).args(modelhost.get_args()).current_dir(place.path());
    command.env_clear().envs(modelhost.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command.env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let said = place.said(&command.output().ok()?);
    assert_ne!(said.code, 98, "{said:?}");
    if said.code == 99 || said.stderr.contains("unshare failed") {
        eprintln!("skipped: this user can't mount: {}", said.stderr);
        return None;
    }
    Some((said, place.read("state")))
}

#[test]
fn a_report_that_can_not_be_written_is_a_fault_and_leaves_the_old_one() {
    for disk in DISKS {
        let place = place();
        // Many files make a report longer than what fits.
        for number in 0..40 {
            place.write(&format!("m/text-{number}.txt"), "text");
        }
        place.write("fill/json", "old\n");
        let args = ["run", "m", "-o", "human", "-o", "json=out/json"];
        let Some((said, state)) = on_disk(&place, disk, 8, &args) else { continue };
        said.code(70).says("could not be written").says("the decision is").says(disk.3);
        assert_eq!(state, "./json\nold\n", "{disk:?}: {said:?}");
    }
    let place = place();
    run(&place, &["run", "m", "-o", "json=/dev/full"]).code(70).says("the decision is deny");
    run(&place, &["run", "m", "-o", "json=none/x"]).code(70).says("the decision is deny");
    run(&place, &["run", "m", "-o", "json=m"]).code(70).says("the decision is deny");
    assert_eq!(names(&place.path().join("m")).len(), 9, "nothing was left in the model");
}

#[test]
fn a_lock_file_that_can_not_be_written_is_a_fault_and_leaves_the_old_one() {
    for disk in DISKS {
        for is_there in [true, false] {
            let place = Place::new();
            for number in 0..100 {
                place.write(&format!("fill/m/{number}.txt"), "text");
            }
            place.write("fill/m/model.safetensors", model::safetensors(8));
            let policy = "version = 1\n[[model]]\nname = \"m\"\npath = \"m\"\n";
            place.write("fill/modelhost.toml", policy);
            if is_there {
                let lock = ["lock", "--no-bundled", "--config", "fill/modelhost.toml"];
                place.modelhost(&lock).code(0);
            }
            let old = std::fs::read_to_string(place.path().join("fill/modelhost.lock")).ok();
            place.write("fill/m/model.safetensors", model::safetensors(9));
            let args = ["lock", "--no-bundled", "--config", "out/modelhost.toml"];
            // A page for each file, and some for the lock file; two are left.
            let pages = 102 + old.as_ref().map_or(0, |old| old.len().div_ceil(4096)) + 2;
            let size = u32::try_from(4 * pages).expect("small");
            let Some((said, state)) = on_disk(&place, disk, size, &args) else { continue };
            said.code(70).says("modelhost.lock").says(if disk.0 == "broken" { "" } else { disk.3 });
            let files = state.lines().filter(|line| line.starts_with("./")).count();
            assert_eq!(files, 102 + usize::from(is_there), "{disk:?}: {state}");
            assert!(old.is_none_or(|old| state.contains(&old)), "{disk:?}: {state}");
        }
    }
}

#[test]
fn a_cache_that_can_not_be_written_changes_no_decision() {
    for disk in DISKS {
        let place = place();
        let here = place.path().join("out");
        let (name, spoil, with, _) = disk;
        let with = format!("env MODELHOST_CACHE_DIR={} {with}", here.display());
        let args = ["run", "m", "--only", "pickle"];
        let Some((said, state)) = on_disk(&place, (name, spoil, &with, ""), 64, &args) else {
            continue;
        };
        if name == "bounded" {
            // What is handed to workers counts as written files.
            said.code(3).says("error[worker]");
        } else {
            said.code(1).says("posix.system");
        }
        assert!(!state.contains(".code"), "{disk:?}: {state}");
        assert!(!state.contains(".entry"), "{disk:?}: {state}");
    }
}
