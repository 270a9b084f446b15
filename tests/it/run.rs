//! `modelhost run`: which models, which exit code, what is said.

use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::{Place, Said};
use crate::support::component::{self, Guest};
use crate::support::model;

/// Returns the names of a report's models.
fn models(said: &Said) -> Vec<String> {
    let report = said.json();
    let models = report["models"].as_array().expect("models").clone();
    models.iter().map(|model| model["name"].as_str().expect("a name").to_owned()).collect()
}

const APACHE: &str = "---\nlicense: apache-2.0\n---\n# A model\n";

#[test]
fn a_clean_model_is_allowed_without_any_configuration() {
    let place = Place::new();
    place.write("bert/model.safetensors", model::safetensors(64)).write("bert/README.md", APACHE);
    let said = place.modelhost(&["run", "bert"]);
    said.code(0).says("ALLOW").says("modelhost lock");
    let last = said.stdout.lines().last().expect("a line");
    assert!(last.starts_with("ALLOW  0 denied, "), "{last}");
    assert!(last.ends_with("| 1 model, 7 plugins, [time]"), "{last}");
}

#[test]
fn a_malicious_pickle_is_denied_and_named() {
    let place = Place::new();
    place.write("bert/pytorch_model.bin", model::malicious_pickle());
    let said = place.modelhost(&["run", "bert"]);
    said.code(1).says("pickle/").says("posix.system").says("bert/pytorch_model.bin").says("DENY");
}

#[test]
fn one_file_is_a_model_too() {
    let place = Place::new();
    place.write("a.pkl", model::benign_pickle()).write("b.pkl", model::malicious_pickle());
    place.modelhost(&["run", "a.pkl"]).code(0);
    place.modelhost(&["run", "b.pkl"]).code(1);
    assert_eq!(
        models(&place.modelhost(&["run", "a.pkl", "b.pkl", "-o", "json"])),
        ["a.pkl", "b.pkl"]
    );
}

/// What PATH, a missing configuration and definitions mean together: each row is
/// a sentence of the documentation.
#[test]
fn paths_select_models() {
    let place = Place::new();
    let safe = model::safetensors(8);
    for folder in ["models/a", "models/b/deep", "other", "models/a/inner"] {
        place.write(&format!("{folder}/model.safetensors"), &safe);
    }
    place.write("docs/page.md", "text").write("models/README.md", "text");
    let config = "version = 1\n[[model]]\nname = \"alpha\"\npath = \"models/a\"\n";
    let rows: [(&str, &[&str], &[&str]); 9] = [
        // A folder that holds model files directly is one model with everything below it.
        ("", &["models/a"], &["models/a"]),
        // Otherwise its sub-folders are looked into.
        ("", &["models"], &["models/a", "models/b/deep"]),
        // No path: what is found below the working directory.
        ("", &[], &["models/a", "models/b/deep", "other"]),
        // No path and definitions: these.
        (config, &[], &["alpha"]),
        // A path selects the defined models at it,
        (config, &["models/a"], &["alpha"]),
        // or under it; what no definition covers is gated as an unpinned model.
        (config, &["models"], &["alpha", "models/b/deep"]),
        // A path inside of a defined model means the whole of it.
        (config, &["models/a/inner"], &["alpha"]),
        // A path elsewhere is gated under the same policy.
        (config, &["other"], &["other"]),
        // A folder named on the command line is a model, even of text alone.
        ("", &["docs"], &["docs"]),
    ];
    for (config, paths, expected) in rows {
        let path = place.path().join("modelhost.toml");
        let _ = std::fs::remove_file(&path);
        if !config.is_empty() {
            place.write("modelhost.toml", config);
        }
        let args: Vec<&str> = ["run", "-o", "json"].iter().chain(paths).copied().collect();
        assert_eq!(models(&place.modelhost(&args)), expected, "{config:?} {paths:?}");
    }
}

#[test]
fn a_model_can_not_bring_its_own_policy() {
    let place = Place::new();
    place.write("bert/pytorch_model.bin", model::malicious_pickle());
    place.write(
        "bert/modelhost.toml",
        "version = 1\n[gate]\nfail-on = \"critical\"\n[plugin.pickle]\nmode = \"advise\"\n",
    );
    place.modelhost(&["run", "bert"]).code(1);
    // Not even where the repository's root is not marked.
    place.write(
        "policy/modelhost.toml",
        "version = 1\n[plugin.pickle]\nmode = \"advise\"\n[gate]\nnot-judged = \"warn\"\n",
    );
    place.modelhost(&["run", "bert", "--config", "policy/modelhost.toml"]).code(0);
    place.modelhost(&["run", "bert", "--config", "policy/modelhost.toml", "--no-config"]).code(2);
}

#[test]
fn nothing_to_check_has_its_own_code() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join("empty")).expect("a folder");
    place.modelhost(&["run", "empty"]).code(4).says("nothing to check");
    place.modelhost(&["run", "empty", "--allow-empty"]).code(0);
    place.modelhost(&["run"]).code(4);
    place.write("README.md", "text");
    place.modelhost(&["run"]).code(4);
}

#[test]
fn mistakes_of_usage_run_nothing() {
    let place = Place::new();
    place.write("bert/model.safetensors", model::safetensors(8));
    let rows: [(&[&str], &str); 10] = [
        (&["run", "missing"], "missing"),
        (&["run", "--plugins", "missing", "bert"], "missing"),
        (&["run", "--no-bundled", "bert"], "no plugins"),
        (&["run", "--only", "nobody", "bert"], "nobody"),
        (&["run", "--only", "No-Id", "bert"], "plugin id"),
        (&["run", "--output", "pdf=x", "bert"], "pdf"),
        (&["run", "--now", "yesterday", "bert"], "2026-12-31"),
        (&["run", "--locked", "bert"], "modelhost lock"),
        (&["run", "--jobs", "0", "bert"], "1..=256"),
        (&["run", "--config", "missing.toml", "bert"], "missing.toml"),
    ];
    for (args, part) in rows {
        let said = place.modelhost(args);
        said.code(2).says(part);
        assert_eq!(said.stdout, "", "{args:?}");
    }
}

#[test]
fn what_nobody_judged_is_incomplete() {
    let place = Place::new();
    place
        .write("m/model.safetensors", model::safetensors(8))
        .write("m/blob.xyz", [0_u8, 1, 2, 250, 251]);
    place
        .modelhost(&["run", "m"])
        .code(3)
        .says("gate/not-judged")
        .says("blob.xyz")
        .says("INCOMPLETE");
    place.write("modelhost.toml", "version = 1\n[gate]\nnot-judged = \"warn\"\n");
    place.modelhost(&["run", "m"]).code(0);
}

#[test]
fn a_git_lfs_pointer_says_what_to_do() {
    let place = Place::new();
    let oid = "0".repeat(64);
    place.write(
        "m/model.safetensors",
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 5\n"),
    );
    place.modelhost(&["run", "m"]).code(3).says("git lfs pull");
}

#[test]
fn what_leads_out_of_a_model_is_named_and_not_read() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8)).write("secret.txt", "secret");
    let inside = place.path().join("m");
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, inside.join(name)).expect("a link")
    };
    link("model.safetensors", "again.safetensors");
    place.modelhost(&["run", "m"]).code(0);
    for (target, name) in [
        ("../secret.txt", "up"),
        ("/etc/passwd", "absolute"),
        ("..", "folder"),
        ("/proc/self/environ", "proc"),
    ] {
        link(target, name);
        let said = place.modelhost(&["run", "m"]);
        said.code(1).says("gate/link-outside").says(name);
        std::fs::remove_file(inside.join(name)).expect("removed");
    }
    link("gone", "broken");
    place.modelhost(&["run", "m"]).code(3).says("gate/unreadable").says("broken");
    std::fs::remove_file(inside.join("broken")).expect("removed");
    link(".", "loop");
    place.modelhost(&["run", "m"]).code(1).says("gate/link-loop");
}

#[test]
fn what_is_no_regular_file_is_named_and_not_opened() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    let pipe = place.path().join("m/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let _socket =
        std::os::unix::net::UnixListener::bind(place.path().join("m/socket")).expect("a socket");
    let said = place.modelhost(&["run", "m"]);
    said.code(1).says("gate/special-file").says("m/pipe").says("m/socket");
    place.modelhost(&["run", "m/pipe"]).code(2);
}

#[test]
fn odd_names_are_shown_and_can_not_act() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    let folder = place.path().join("m");
    for name in [
        &b"\x1b[31mred"[..],
        b"new\nline",
        b"\xff\xfe",
        b"::error::x",
        b"bidi\xe2\x80\xaex",
        b"back\\slash",
    ] {
        let path = folder.join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(path, [0_u8, 200, 1]).expect("a file");
    }
    let output = place.command(&["run", "m", "-v"]).output().expect("modelhost starts");
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    for shown in ["\\x1b[31mred", "new\\nline", "\\xff\\xfe", "\\u{202e}", "back\\\\slash"] {
        assert!(text.contains(shown), "{shown} is not shown in\n{text}");
    }
    let json = place.modelhost(&["run", "m", "-o", "json"]).json();
    assert_eq!(json["models"][0]["files"].as_array().map(Vec::len), Some(7));
}

#[test]
fn reports_repeat_whatever_the_jobs() {
    let place = Place::new();
    for number in 0..20 {
        place.write(&format!("m/{number}.safetensors"), model::safetensors(number * 100));
        place.write(
            &format!("m/{number}.pkl"),
            if number % 2 == 0 { model::benign_pickle() } else { model::malicious_pickle() },
        );
    }
    let run = |jobs: &str| {
        place.modelhost(&["run", "m", "-o", "json", "--jobs", jobs, "--now", "2026-01-01"])
    };
    let first = run("1");
    first.code(1);
    for jobs in ["1", "2", "8"] {
        assert_eq!(first.stdout, run(jobs).stdout, "--jobs {jobs}");
    }
}

#[test]
fn several_reports_come_from_one_run() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    let said = place.modelhost(&[
        "run",
        "m",
        "-o",
        "human",
        "-o",
        "json=out/report.json",
        "-o",
        "timings=times.json",
    ]);
    said.code(70).says("out/report.json").says("the decision is allow");
    std::fs::create_dir_all(place.path().join("out")).expect("a folder");
    place
        .modelhost(&[
            "run",
            "m",
            "-o",
            "human",
            "-o",
            "json=out/report.json",
            "-o",
            "timings=times.json",
        ])
        .code(0)
        .says("ALLOW");
    let report: serde_json::Value =
        serde_json::from_str(&place.read("out/report.json")).expect("JSON");
    assert_eq!(report["decision"], "allow");
    serde_json::from_str::<serde_json::Value>(&place.read("times.json")).expect("JSON");
    assert_eq!(place.modelhost(&["run", "m", "-q"]).code(0).stdout.lines().count(), 1);
}

#[test]
fn a_reader_that_went_away_is_a_fault() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let output =
        place.command(&["run", "m"]).stdout(Stdio::from(full)).output().expect("modelhost starts");
    place.said(&output).code(70).says("the decision is allow");
}

#[test]
fn an_interrupt_ends_a_run_soon_with_what_was_found() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    component::write(&place.path().join("plugins"), "loop", &Guest::read("loop-in-check").plugin);
    place.write("modelhost.toml", "version = 1\n[plugin.loop-in-check]\nlimits = { fuel = 1000000000000, deadline = \"60s\" }\n");
    let child = place
        .command(&["run", "m", "--plugins", "plugins"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("modelhost starts");
    std::thread::sleep(Duration::from_millis(1500));
    let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
    let sent = Instant::now();
    let said = place.said(&child.wait_with_output().expect("modelhost ends"));
    // A tenth of what the guest would take, on a machine that does much else: alone it is
    // some hundredths of a second.
    assert!(sent.elapsed() < Duration::from_secs(6), "it took {:?}", sent.elapsed());
    said.code(130).says("interrupted").says("INCOMPLETE");
}

#[test]
fn a_file_that_changes_during_the_run_makes_it_incomplete() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    component::write(&place.path().join("plugins"), "loop", &Guest::read("loop-in-check").plugin);
    place.write("modelhost.toml", "version = 1\n[plugin.loop-in-check]\nmode = \"advise\"\nlimits = { fuel = 1000000000000, deadline = \"3s\" }\n");
    for vanish in [true, false] {
        let child = place
            .command(&["run", "m", "--plugins", "plugins", "-o", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("modelhost starts");
        std::thread::sleep(Duration::from_millis(1500));
        if vanish {
            std::fs::remove_file(place.path().join("m/model.safetensors")).expect("removed");
        } else {
            place.write("m/model.safetensors", model::safetensors(9));
        }
        let said = place.said(&child.wait_with_output().expect("modelhost ends"));
        said.code(3).says("changed");
        place.write("m/model.safetensors", model::safetensors(8));
    }
}

#[test]
fn required_plugins_must_give_a_verdict() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8)).write("m/README.md", APACHE);
    let require = |plugin: &str| {
        place.write("modelhost.toml", format!("version = 1\n[gate]\nrequire = [\"{plugin}\"]\n"));
        place.modelhost(&["run", "m"])
    };
    require("license").code(0);
    require("formats").code(0);
    // What is merely noted becomes a denial where it was required.
    require("provenance").code(1).says("provenance/");
    require("checksum").code(1).says("checksum/not-locked");
    require("nobody").code(2).says("modelhost.toml:3").says("nobody");
    // `pickle` has nothing to say of this model, so it gives no verdict.
    require("pickle").code(3);
}

#[test]
fn settings_are_held_to_the_schema_at_their_line() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    component::write(&place.path().join("plugins"), "honest", &Guest::read("honest-pass").plugin);
    let rows = [
        ("level = 0", "modelhost.toml:3"),
        ("level = \"high\"", "modelhost.toml:3"),
        ("levl = 3", "modelhost.toml:3"),
    ];
    for (setting, part) in rows {
        place.write(
            "modelhost.toml",
            format!("version = 1\n[plugin.honest-pass]\nsettings = {{ {setting} }}\n"),
        );
        place.modelhost(&["run", "m", "--plugins", "plugins"]).code(2).says(part);
    }
    place.write("modelhost.toml", "version = 1\n[plugin.honest-pass]\nsettings = { level = 3 }\n");
    place.modelhost(&["run", "m", "--plugins", "plugins"]).code(0);
}

#[test]
fn every_format_has_a_schema() {
    let place = Place::new();
    for name in [
        "config", "report", "timings", "plugins", "cache", "explain", "doctor", "waivers",
        "baseline",
    ] {
        let schema = place.modelhost(&["schema", name]).code(0).json();
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    place.modelhost(&["schema", "nothing"]).code(2).says("config");
    for shell in ["bash", "fish", "zsh"] {
        let said = place.modelhost(&["completions", shell]);
        said.code(0).says("modelhost").says("fail-on");
        let words = said.stdout.split(|c: char| !c.is_ascii_alphanumeric());
        assert!(words.clone().any(|word| word == "waiver"), "{shell}");
        assert!(words.clone().all(|word| word != "worker"), "{shell}: it is hidden");
    }
    place.modelhost(&["man"]).code(0).says(".TH modelhost");
    place.modelhost(&["man", "waiver", "add"]).code(0).says(".TH modelhost-waiver-add");
    place.modelhost(&["man", "waiver", "no"]).code(2).says("there are: add, list");
    place.modelhost(&["man", "--out", "a/man1"]).code(0);
    for page in ["modelhost.1", "modelhost-run.1", "modelhost-baseline-check.1"] {
        assert!(place.read(&format!("a/man1/{page}")).contains(".SH SYNOPSIS"), "{page}");
    }
    assert!(!place.path().join("a/man1/modelhost-worker.1").exists());
}

/// Scan-only mode computes no digest, says so, and is not to be had where digests
/// are what the run rests on.
#[test]
fn without_digests_the_report_is_bound_to_nothing() {
    let place = Place::new();
    place.write("bert/model.safetensors", model::safetensors(64)).write("bert/README.md", APACHE);
    place.write("bad/model.bin", model::malicious_pickle()).write("bad/notes.txt", "text");
    let said = place.modelhost(&["run", "--no-digests", "bert", "-o", "json"]);
    let report = said.code(0).json();
    assert_eq!(
        report["scan_only"]["left_out"],
        serde_json::json!(["checksum", "provenance", "registry"])
    );
    assert!(report["models"][0].get("tree").is_none(), "{report}");
    let files = report["models"][0]["files"].as_array().expect("files");
    assert!(files.iter().all(|file| file.get("digest").is_none()), "{report}");
    let judgements: Vec<_> = files.iter().map(|file| file["judgement"].clone()).collect();
    assert_eq!(judgements, ["companion", "judged"]);
    let said = place.modelhost(&["run", "--no-digests", "bert"]);
    said.code(0).says("note: scan only: ").says("no digests | 1 model, 4 plugins");
    // What is found is found all the same.
    place.modelhost(&["run", "--no-digests", "bad"]).code(1).says("posix.system");
    place.modelhost(&["run", "--no-digests", "--only", "pickle", "bad"]).code(1);
    place.write("lfs/model.bin", LFS).modelhost(&["run", "--no-digests", "lfs"]).code(3);
    // With digests, no word of it.
    let report = place.modelhost(&["run", "bert", "-o", "json"]).json();
    assert!(report.get("scan_only").is_none(), "{report}");
    assert!(report["models"][0]["tree"].is_string(), "{report}");
}

#[test]
fn what_rests_on_digests_refuses_to_go_without() {
    let place = Place::new();
    place.write("bert/model.safetensors", model::safetensors(64)).write("bert/README.md", APACHE);
    let run = |args: &[&str]| place.modelhost(&[&["run", "--no-digests", "bert"], args].concat());
    // A plugin that asks for digests is left out, not run without; named, it is a mistake,
    run(&["--only", "checksum"]).code(2).says("the plugin checksum asks for digests");
    // and required, it leaves the run incomplete.
    place.write("modelhost.toml", "version = 1\n[gate]\nrequire = [\"checksum\"]\n");
    run(&[]).code(3).says("checksum");
    place.write("modelhost.toml", "version = 1\n");
    place.modelhost(&["lock", "bert"]).code(0);
    run(&[]).code(0);
    run(&["--locked"]).code(2).says("nothing can be held to the lock file");
    let mut in_ci = place.command(&["run", "--no-digests", "bert"]);
    place
        .said(&in_ci.env("CI", "true").output().expect("modelhost starts"))
        .code(2)
        .says("nothing can be held to the lock file")
        .says("--no-locked");
    let mut in_ci = place.command(&["run", "--no-digests", "--no-locked", "bert"]);
    place.said(&in_ci.env("CI", "true").output().expect("modelhost starts")).code(0);
    place.modelhost(&["lock", "--no-digests"]).code(2);
}

const LFS: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

/// A plugin that sees many files is handed them several at a time, and reads each
/// as if it were alone.
#[test]
fn many_files_are_each_read() {
    let place = Place::new();
    for number in 0..70 {
        place.write(&format!("m/{number:02}.safetensors"), model::safetensors(8 + number));
    }
    for isolation in ["process", "in-process"] {
        let said = place.modelhost(&["run", "m", "--isolation", isolation, "-o", "json"]);
        let report = said.code(0).json();
        let tasks = report["tasks"].as_array().expect("tasks");
        let code = tasks.iter().find(|task| task["plugin"] == "code").expect("a task on the model");
        let coverage = code["coverage"].as_array().expect("its coverage");
        assert_eq!(coverage.len(), 70);
        assert!(coverage.iter().all(|file| file["read"].as_u64() > Some(0)), "{code}");
    }
}
