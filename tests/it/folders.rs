//! Hostile model folders: each ends as its row says, soon, with the entry named,
//! and nothing outside of the model is read.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use modelhost::domain::digest::Digest;

use crate::support::command::{Place, Said};
use crate::support::component;
use crate::support::is_long;
use crate::support::model;

/// What lies beside the model, and must not be read.
const SECRET: &[u8] = b"the secret that lies beside the model";

/// No folder may take longer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn place() -> Place {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8)).write("secret.bin", SECRET);
    place
}

/// Runs the gate on `m`, with a JSON report, and holds it to what is so for all.
fn run(place: &Place) -> Said {
    run_with(place, |_| {})
}

fn run_with(place: &Place, change: impl FnOnce(&mut Command)) -> Said {
    let started = Instant::now();
    let mut command = place.command(&["run", "m", "-o", "json"]);
    change(&mut command);
    let output = command.output().expect("modelhost starts");
    assert!(started.elapsed() < PATIENCE, "it took {:?}", started.elapsed());
    let said = place.said(&output);
    let secret = Digest::of(SECRET).to_string();
    for text in [&said.stdout, &said.stderr] {
        assert!(!text.contains("the secret") && !text.contains(&secret), "{said:?}");
    }
    said
}

/// What is made in the folder, the exit code, and what is said.
type Row<'a> = (&'a str, &'a dyn Fn(&Path), i32, &'a [&'a str]);

#[test]
fn each_entry_is_listed_or_named() {
    let link = |target: &'static str| {
        move |folder: &Path| symlink(target, folder.join("entry")).expect("a link")
    };
    let chain = |length: usize, target: &'static str| {
        move |folder: &Path| {
            symlink(target, folder.join("link-0")).expect("a link");
            for number in 1..length {
                let before = format!("link-{}", number - 1);
                symlink(before, folder.join(format!("link-{number}"))).expect("a link");
            }
        }
    };
    let fill = |length: usize| {
        move |folder: &Path| {
            std::fs::write(folder.join("e".repeat(length)), [0, 200]).expect("a file");
        }
    };
    let outside: &[&str] = &["gate/link-outside", "entry"];
    let rows: &[Row<'_>] = &[
        ("a link inside", &link("model.safetensors"), 0, &["entry"]),
        ("a link to itself", &link("entry"), 1, &["entry"]),
        ("a link up", &link("../secret.bin"), 1, outside),
        ("a link up and down again", &link("../m/model.safetensors"), 1, outside),
        ("a link by its whole path", &link("/etc/passwd"), 1, outside),
        ("a link with a slash at its end", &link("../secret.bin/"), 1, outside),
        ("a link to the folder above", &link("../"), 1, outside),
        ("a link to the root", &link("/"), 1, outside),
        ("a link of the kernel's", &link("/proc/self/fd/0"), 1, outside),
        ("a link to a process's root", &link("/proc/self/root/etc/passwd"), 1, outside),
        ("a link to memory", &link("/proc/self/mem"), 1, outside),
        ("a link to endless zeros", &link("/dev/zero"), 1, outside),
        ("a link to nothing", &link("gone"), 3, &["gate/unreadable", "entry"]),
        ("a file as a folder", &link("model.safetensors/"), 1, &["entry"]),
        ("a loop", &link("."), 1, &["gate/link-loop", "entry"]),
        ("a chain inside", &chain(30, "model.safetensors"), 0, &["link-29"]),
        ("a chain too long for the system", &chain(60, "model.safetensors"), 1, &["link-59"]),
        ("a chain that ends outside", &chain(10, "../secret.bin"), 1, &["link-9"]),
        ("the longest name", &fill(255), 3, &["gate/not-judged", "eeeeeeee"]),
        (
            "names that differ in case alone",
            &|folder| {
                for name in ["a.bin", "A.bin"] {
                    std::fs::write(folder.join(name), [0, 200]).expect("a file");
                }
            },
            3,
            &["a.bin", "A.bin"],
        ),
        (
            "names that look alike",
            &|folder| {
                for name in ["\u{e9}.bin", "e\u{301}.bin"] {
                    std::fs::write(folder.join(name), [0, 200]).expect("a file");
                }
            },
            3,
            &["\u{e9}.bin", "e\u{301}.bin"],
        ),
        (
            "names that other systems reserve",
            &|folder| {
                for name in ["CON", "nul.bin", "a:b", "trailing. ", "~", "-rf", "$(id)"] {
                    std::fs::write(folder.join(name), [0, 200]).expect("a file");
                }
            },
            3,
            &["CON", "nul.bin", "a:b", "trailing. ", "$(id)"],
        ),
        (
            "names that are no text",
            &|folder| {
                for name in [&b"\xff\xfe"[..], b"new\nline", b"\x1b[2J", b"tab\t"] {
                    std::fs::write(folder.join(OsStr::from_bytes(name)), [0, 200]).expect("a file");
                }
            },
            3,
            // As JSON writes what is written out.
            &["\\\\xff\\\\xfe", "new\\\\nline", "\\\\x1b[2J", "tab\\\\t"],
        ),
        (
            "a terabyte of holes",
            &|folder| {
                let file = std::fs::File::create(folder.join("holes.safetensors")).expect("a file");
                file.set_len(1 << 40).expect("a sparse file");
            },
            1,
            &["gate/sparse-file", "1099511627776 bytes", "holes.safetensors"],
        ),
        (
            "a pipe, a socket",
            &|folder| {
                let made = Command::new("mkfifo").arg(folder.join("pipe")).status();
                assert!(made.expect("mkfifo").success());
                drop(std::os::unix::net::UnixListener::bind(folder.join("socket")));
            },
            1,
            &["gate/special-file", "\"pipe\"", "\"socket\""],
        ),
        (
            "a name outside",
            &|folder| {
                let file = folder.with_file_name("other");
                std::fs::write(&file, "text").expect("a file");
                std::fs::hard_link(file, folder.join("linked.txt")).expect("a hard link");
            },
            0,
            &["gate/hard-link", "linked.txt", "outside of the model too"],
        ),
    ];
    let mut wrong = Vec::new();
    for (what, make, code, says) in rows {
        let place = place();
        make(&place.path().join("m"));
        let said = run(&place);
        let missing: Vec<_> = says.iter().filter(|part| !said.stdout.contains(**part)).collect();
        if said.code != *code || !missing.is_empty() {
            wrong.push(format!("{what}: not {code}, or does not say {missing:?}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn two_names_inside_are_no_name_outside() {
    let place = place();
    let folder = place.path().join("m");
    std::fs::hard_link(folder.join("model.safetensors"), folder.join("again.safetensors"))
        .expect("a hard link");
    let said = run(&place);
    said.code(0).says("again.safetensors");
    assert!(!said.stdout.contains("hard-link"), "{said:?}");
    // One that is noted is locked all the same.
    std::fs::hard_link(folder.join("model.safetensors"), place.path().join("outside"))
        .expect("a hard link");
    run(&place).code(0).says("gate/hard-link").says("model.safetensors");
    // A link inside is no name.
    symlink("model.safetensors", folder.join("link.safetensors")).expect("a link");
    run(&place).code(0).says("gate/hard-link");
    place.modelhost(&["lock", "m"]).code(0);
    place.modelhost(&["run", "m", "--fail-on", "low"]).code(1).says("gate/hard-link");
}

#[test]
fn devices_are_named_and_not_opened() {
    let place = place();
    for (name, kind, major, minor) in [("zero", "c", "1", "5"), ("disk", "b", "7", "0")] {
        let path = place.path().join("m").join(name);
        let made = Command::new("mknod").arg(path).args([kind, major, minor]).output();
        if !made.is_ok_and(|made| made.status.success()) {
            eprintln!("skipped: this user can't make devices");
            return;
        }
    }
    run(&place).code(1).says("gate/special-file").says("\"zero\"").says("\"disk\"");
}

#[test]
fn what_the_kernel_makes_up_is_no_model() {
    let place = place();
    if !Path::new("/proc/self").is_dir() {
        eprintln!("skipped: there is no /proc");
        return;
    }
    place.modelhost(&["run", "/proc/self"]).code(2).says("/proc/self");
    let inside = place.path().join("m/proc");
    std::fs::create_dir(&inside).expect("a folder");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", "mount --bind /proc m/proc && exec \"$@\"", "sh"]);
    let modelhost = place.command(&["run", "m", "-o", "json"]);
    command.arg(modelhost.get_program()).args(modelhost.get_args()).current_dir(place.path());
    command.env_clear().envs(modelhost.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let output = command.output().expect("unshare starts");
    let said = place.said(&output);
    if said.stderr.contains("unshare failed") || said.stderr.contains("mount:") {
        eprintln!("skipped: this user can't mount: {}", said.stderr);
        return;
    }
    said.code(1).says("gate/special-file").says("\"proc\"");
    assert_eq!(said.json()["models"][0]["files"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_file_that_has_more_than_its_size_is_not_taken_for_empty() {
    // As files of the kernel are, and those of some network file systems.
    let place = Place::new();
    let model = "/proc/version";
    if !Path::new(model).is_file() {
        eprintln!("skipped: there is no {model}");
        return;
    }
    place.modelhost(&["run", model]).code(3).says("gate/changed");
}

#[test]
fn deep_trees_end_at_a_bound() {
    let place = place();
    let folder = place.path().join("m");
    // Longer than a path may be: made from within.
    let script = "import os\nfor _ in range(3000):\n  os.mkdir('d'); os.chdir('d')\nopen('deep.bin', 'wb').write(b'x')";
    let made = Command::new("python3").args(["-c", script]).current_dir(&folder).status();
    assert!(made.expect("python3").success());
    run(&place).code(1).says("gate/link-loop").says("d/d/d/d");
    // What std can't remove by its path, `rm` can.
    let _ = Command::new("rm").arg("-rf").arg(folder.join("d")).status();
}

/// The most memory that the gate's own process may take, in MiB.
const MEMORY: u64 = 256;

/// Makes `count` files in folders of a thousand each.
fn fill(folder: &Path, count: u32) {
    for number in 0..count {
        let part = folder.join(format!("part-{:04}", number / 1000));
        if number.is_multiple_of(1000) {
            std::fs::create_dir(&part).expect("a folder");
        }
        std::fs::write(part.join(format!("{number:07}.txt")), "text").expect("a file");
    }
}

/// Runs `modelhost ARGS`; returns its peak of memory in MiB, without its workers',
/// beside what it said.
fn measured(place: &Place, args: &[&str]) -> (Said, u64) {
    // What the system says of one child, when it is waited for.
    let script = "import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
open('peak', 'w').write(str(usage.ru_maxrss // 1024))
sys.exit(os.waitstatus_to_exitcode(status))";
    let modelhost = place.command(args);
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(modelhost.get_program()).args(args);
    command.current_dir(place.path()).env_clear();
    command.envs(modelhost.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    let said = place.said(&command.output().expect("python3 starts"));
    let peak = place.read("peak").parse().expect("a number");
    eprintln!("{args:?}: {peak} MiB");
    (said, peak)
}

#[test]
fn a_hundred_thousand_files_fit_in_bounded_memory() {
    let place = place();
    fill(&place.path().join("m"), 100_000);
    let mut args = vec!["run", "m", "-o", "json=report.json", "-q"];
    // All plugins take a minute.
    if !is_long() {
        args.extend(["--only", "checksum", "--only", "formats"]);
    }
    let (said, peak) = measured(&place, &args);
    said.code(0);
    assert!(peak <= MEMORY, "{peak} MiB");
    let report: serde_json::Value = serde_json::from_str(&place.read("report.json")).expect("JSON");
    assert_eq!(report["summary"]["files"], 100_001);
}

/// Says three megabytes of each file.
const TALKER: &str = r#"(module
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 4)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 8) "\00\00\01\00\e8\03\00\00")
  (data (i32.const 512) "bad")
  (func (export "modelhost:check/model-check@0.1.0#check") (param $model i32) (param i32 i32) (result i32)
    (local $at i32)
    (call $drop (local.get $model))
    (memory.fill (i32.const 8192) (i32.const 97) (i32.const 3000))
    (local.set $at (i32.const 65536))
    (loop $next
      (i32.store offset=0 (local.get $at) (i32.const 512))
      (i32.store offset=4 (local.get $at) (i32.const 3))
      (i32.store offset=12 (local.get $at) (i32.const 8192))
      (i32.store offset=16 (local.get $at) (i32.const 3000))
      (local.set $at (i32.add (local.get $at) (i32.const 88)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 153536))))
    (i32.const 0)))"#;

#[test]
fn a_plugin_that_talks_without_end_is_an_error_alike_each_time() {
    let place = place();
    fill(&place.path().join("m"), 100);
    let manifest = component::manifest("talker", "file", "none", false);
    let talker = component::plugin(&wat::parse_str(TALKER).expect("a module"), &manifest);
    component::write(&place.path().join("plugins"), "talker", &talker);
    let mut reports = Vec::new();
    for jobs in ["1", "8"] {
        let args = [
            "run",
            "m",
            "-o",
            "json",
            "--now",
            "2026-01-01",
            "--plugins",
            "plugins",
            "--jobs",
            jobs,
        ];
        let (said, peak) = measured(&place, &args);
        said.code(3).says("limit/answers").says("of all files together");
        assert!(peak <= MEMORY, "{peak} MiB");
        reports.push(said.stdout);
    }
    assert_eq!(reports[0], reports[1]);
}

#[test]
fn more_files_than_fit_are_a_mistake_that_says_how_to_go_on() {
    let place = place();
    fill(&place.path().join("m"), if is_long() { 1_000_000 } else { 5000 });
    let most = if is_long() { "410000" } else { "4000" };
    let args = ["run", "m", "-o", "json", "--max-tasks", most];
    let (said, peak) = measured(&place, &args);
    said.code(2).says(&format!("m has more than {most} entries")).says("--max-tasks");
    assert!(peak <= MEMORY, "{peak} MiB");
    if !is_long() {
        // Fewer files, and more tasks on them.
        let args = ["run", "m", "-o", "json", "--only", "formats", "--max-tasks", "9000"];
        place.modelhost(&args).code(2).says("5001 files and 5001 tasks, together more than 9000");
        place.modelhost(&["run", "m", "--only", "formats", "--max-tasks", "10002"]).code(0);
    }
}

#[test]
fn what_this_user_may_not_read_is_named() {
    let place = place();
    let folder = place.path().join("m");
    std::fs::create_dir(folder.join("closed")).expect("a folder");
    place.write("m/closed/weights.bin", [0, 200]).write("m/private.bin", [0, 200]);
    let mode = |path: &Path, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).expect("permissions");
    };
    mode(&folder.join("private.bin"), 0);
    mode(&folder.join("closed"), 0);
    // Nobody hides anything from root: another user has to look.
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        mode(place.path().parent().expect("a folder"), 0o755);
    }
    let said = run_with(&place, |command| {
        command.arg("--no-cache");
        if is_root {
            command.uid(65_534).gid(65_534);
        }
    });
    mode(&folder.join("closed"), 0o755);
    said.code(3).says("gate/unreadable").says("\"private.bin\"").says("\"closed\"");
}

#[test]
fn an_empty_folder_is_named() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join("empty\u{1b}[2J")).expect("a folder");
    let said = place.modelhost(&["run", "empty\u{1b}[2J"]);
    said.code(4).says("no models were found in empty\\x1b[2J");
    place.modelhost(&["run"]).code(4).says("no models were found in [work]");
    place.modelhost(&["run", "gone"]).code(2).says("gone");
}

#[test]
fn a_pipe_in_place_of_a_file_does_not_stop_a_run() {
    // Between listing and reading: what was a file is a pipe now.
    let place = place();
    let path = place.path().join("m/model.safetensors");
    let mut swapped = 0;
    for round in 0..10_u64 {
        std::fs::write(&path, model::safetensors(8)).expect("a file");
        let child = place
            .command(&["run", "m", "-o", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("modelhost starts");
        std::thread::sleep(Duration::from_millis(3 * round));
        std::fs::remove_file(&path).expect("removed");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        let started = Instant::now();
        let said = place.said(&child.wait_with_output().expect("modelhost ends"));
        assert!(started.elapsed() < PATIENCE, "it took {:?}", started.elapsed());
        assert!(matches!(said.code, 0..=4), "{said:?}");
        swapped += u32::from(said.stdout.contains("changed"));
        std::fs::remove_file(&path).expect("removed");
    }
    eprintln!("seen as changed in {swapped} of 10 rounds");
}
