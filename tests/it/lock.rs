//! `modelhost lock` and `run --locked`.

use crate::support::command::Place;
use crate::support::component::{self, Guest};
use crate::support::model;

fn place() -> Place {
    let place = Place::new();
    place
        .write("models/a/model.safetensors", model::safetensors(8))
        .write("models/a/README.md", "# A\n");
    place.write("models/b/model.safetensors", model::safetensors(9));
    place.write(
        "modelhost.toml",
        "version = 1\n[[model]]\nname = \"a\"\npath = \"models/a\"\n[[model]]\nname = \"b\"\npath = \"models/b\"\n",
    );
    place
}

#[test]
fn locking_is_reproducible_and_checks_itself() {
    let place = place();
    place.modelhost(&["lock", "--check"]).code(1).says("there is no modelhost.lock");
    assert!(!place.path().join("modelhost.lock").exists(), "a check writes nothing");
    place.modelhost(&["lock"]).code(0).says("+ model a: 2 files").says("2 models");
    let first = place.read("modelhost.lock");
    place.modelhost(&["lock"]).code(0).says("up to date");
    assert_eq!(first, place.read("modelhost.lock"));
    place.modelhost(&["lock", "--check"]).code(0);
    place.modelhost(&["run", "--locked"]).code(0);
}

#[test]
fn one_changed_file_changes_at_most_four_lines() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    let before = place.read("modelhost.lock");
    place.write("models/a/model.safetensors", model::safetensors(10));
    place
        .modelhost(&["lock", "--check"])
        .code(1)
        .says("~ model a: model.safetensors changed")
        .says("~ model.safetensors  ");
    place.modelhost(&["lock", "models/a"]).code(0);
    let after = place.read("modelhost.lock");
    let changed = before.lines().filter(|line| !after.lines().any(|other| other == *line)).count();
    let added = after.lines().filter(|line| !before.lines().any(|other| other == *line)).count();
    assert!((1..=4).contains(&(changed + added)), "{before}\n{after}");
}

#[test]
fn a_changed_model_is_denied_with_its_line() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    place.write("models/a/model.safetensors", {
        let mut bytes = model::safetensors(8);
        *bytes.last_mut().expect("a byte") ^= 1;
        bytes
    });
    let said = place.modelhost(&["run", "--locked"]);
    said.code(1)
        .says("high[checksum/digest-mismatch]")
        .says("--> modelhost.lock:")
        .says("models/a/model.safetensors");
    place.write("models/a/extra.txt", "more");
    place.modelhost(&["run", "--locked"]).code(1).says("checksum/extra-file");
    std::fs::remove_file(place.path().join("models/b/model.safetensors")).expect("removed");
    place.write("models/b/README.md", "# B\n");
    place.modelhost(&["run", "--locked", "models/b"]).code(1).says("checksum/missing-file");
}

/// A model of which nothing is left is denied as one that lacks a file is; where not
/// even its folder is, nothing runs that is about it.
#[test]
fn a_model_that_is_gone_is_no_model_less() {
    let place = Place::new();
    for name in ["a", "b"] {
        place
            .write(&format!("models/{name}/model.safetensors"), model::safetensors(8))
            .write(&format!("models/{name}/README.md"), "# A model\n");
    }
    place.modelhost(&["init"]).code(0);
    let gone = |path: &str| std::fs::remove_file(place.path().join(path)).expect("removed");
    for file in ["model.safetensors", "README.md"] {
        gone(&format!("models/a/{file}"));
    }
    let said = place.modelhost(&["run", "--locked"]);
    said.code(1)
        .says("high[checksum/missing-file]")
        .says("models/a/README.md")
        .says("models/a/model.safetensors");
    std::fs::remove_dir(place.path().join("models/a")).expect("removed");
    for args in [&[][..], &["models"], &["models/a"], &["models/a", "models/b"]] {
        let said = place.modelhost(&[&["run", "--locked"], args].concat());
        said.code(2).says("error: there is nothing at models/a").says("take the definition out");
    }
    place.modelhost(&["run", "--locked", "models/b"]).code(0);
    std::fs::remove_dir_all(place.path().join("models")).expect("removed");
    let said = place.modelhost(&["run", "--locked"]);
    said.code(2).says("there is nothing at models/a").says("there is nothing at models/b");
}

#[test]
fn drift_of_a_plugin_is_a_mistake_before_anything_runs() {
    let place = place();
    component::write(&place.path().join("plugins"), "guest", &Guest::read("honest-pass").plugin);
    let run = |more: &[&str]| {
        let args: Vec<&str> =
            ["run", "--locked", "--plugins", "plugins"].iter().chain(more).copied().collect();
        place.modelhost(&args)
    };
    place.modelhost(&["lock"]).code(0);
    let said = run(&[]);
    said.code(2).says("honest-pass").says("not locked");
    assert_eq!(said.stdout, "");
    place.modelhost(&["lock", "--plugins", "plugins"]).code(0);
    run(&[]).code(0);
    let other = component::manifest("honest-pass", "model", "none", false);
    let core = wat::parse_str(
        std::fs::read_to_string(crate::support::root().join("tests/guests/asks-documents.wat"))
            .expect("text"),
    );
    component::write(
        &place.path().join("plugins"),
        "guest",
        &component::plugin(&core.expect("a module"), &other),
    );
    run(&[]).code(2).says("modelhost.lock:").says("documents");
}

#[test]
fn a_lock_file_that_can_not_be_read_is_a_mistake() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    let good = place.read("modelhost.lock");
    let digest = good.split("sha256:").nth(1).expect("a digest")[..64].to_owned();
    let rows = [
        ("syntax", format!("{good}\n[[model")),
        ("unknown field", good.replacen("version = 1", "version = 1\nextra = 2", 1)),
        ("short digest", good.replacen(&digest, &digest[..60], 1)),
        ("wrong algorithm", good.replacen("sha256:", "md5:", 1)),
        ("wrong version", good.replacen("version = 1", "version = 99", 1)),
    ];
    for (what, text) in rows {
        place.write("modelhost.lock", &text);
        for args in [&["run"][..], &["run", "--locked"], &["lock", "--check"]] {
            let said = place.modelhost(args);
            said.code(2).says("modelhost.lock:");
            assert_eq!(said.stdout, "", "{what}");
        }
    }
}

#[test]
fn ci_locks_by_itself_where_there_is_a_lock_file() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    component::write(&place.path().join("plugins"), "guest", &Guest::read("honest-pass").plugin);
    let run = |ci: Option<&str>, more: &[&str]| {
        let args: Vec<&str> = ["run", "--plugins", "plugins"].iter().chain(more).copied().collect();
        let mut command = place.command(&args);
        if let Some(value) = ci {
            command.env("CI", value);
        }
        place.said(&command.output().expect("modelhost starts"))
    };
    run(None, &[]).code(0);
    run(Some("true"), &[]).code(2).says("honest-pass");
    run(Some("true"), &["--no-locked"]).code(0);
    run(Some("false"), &[]).code(0);
}

/// A safetensors file of two tensors of 4 bytes, of which `second` fills the second.
fn two_tensors(second: u8) -> Vec<u8> {
    let header = r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend([1, 1, 1, 1, second, second, second, second]);
    file
}

#[test]
fn what_was_noted_is_kept_where_nothing_changed() {
    let place = place();
    place.write("models/a/model.safetensors", two_tensors(2));
    place.write("models/b/big.safetensors", model::safetensors(3 << 20));
    place.modelhost(&["lock"]).code(0);
    let plain = place.read("modelhost.lock");
    let said = place.modelhost(&["lock", "--blake3", "--parts", "--tensors"]);
    said.code(0).says("+ blake3").says("+ parts").says("+ tensors  mt1:sha256:");
    let noted = place.read("modelhost.lock");
    assert_eq!(noted.matches(", blake3 = ").count(), 4);
    assert_eq!(noted.matches(", parts = \"1048576:").count(), 1);
    assert_eq!(noted.matches("\ntensors = \"mt1:sha256:").count(), 2);
    // The notes take lines of their own or none: without them it is as it was.
    let without: Vec<String> = noted
        .lines()
        .filter(|line| !line.starts_with("tensors = "))
        .map(|line| match line.split_once(", blake3 = ") {
            Some((before, _)) => format!("{before} }},"),
            None => line.to_owned(),
        })
        .collect();
    assert_eq!(without.join("\n") + "\n", plain);
    place.modelhost(&["lock", "--check"]).code(0);
    place.modelhost(&["run", "--locked"]).code(0);
    place.modelhost(&["lock"]).code(0).says("up to date");
    assert_eq!(place.read("modelhost.lock"), noted);
    // An upstream claim stays with the bytes it is about, and leaves with them.
    let claim = |line: &str| match line.contains("README.md") {
        true => line.replace("\" },", "\", upstream = \"lfs-sha256\" },") + "\n",
        false => format!("{line}\n"),
    };
    let claimed: String = noted.lines().map(claim).collect();
    assert!(claimed.contains("upstream = ") && !noted.contains("upstream = "));
    place.write("modelhost.lock", &claimed);
    place.modelhost(&["lock"]).code(0).says("up to date");
    place.write("models/a/README.md", "# Another\n");
    place
        .modelhost(&["lock"])
        .code(0)
        .says("~ model a: same weights, README.md changed")
        .says("- upstream  lfs-sha256");
    let after = place.read("modelhost.lock");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (lines(&claimed), lines(&after));
    let changed = before.iter().filter(|line| !after.contains(line)).count();
    let new = after.iter().filter(|line| !before.contains(line)).count();
    assert_eq!((changed, new), (2, 2), "the file's line and the tree's");
}

#[test]
fn a_model_without_tensors_is_locked_and_says_why_it_has_none() {
    let place = place();
    place.write("models/a/model.safetensors", b"\xff\xff\xff\xff\0\0\0\0{".as_slice());
    place.write("models/b/model.safetensors", two_tensors(2));
    place
        .modelhost(&["lock", "--tensors"])
        .code(0)
        .says("model a: no fingerprint: model.safetensors: its header claims 4294967295 bytes");
    assert_eq!(place.read("modelhost.lock").matches("\ntensors = ").count(), 1);
    std::fs::remove_file(place.path().join("models/a/model.safetensors")).expect("removed");
    place.write("models/a/weights.bin", "x");
    place
        .modelhost(&["lock", "--tensors", "models/a"])
        .code(0)
        .says("model a: no fingerprint: it has no file of safetensors or GGUF");
}

#[test]
fn the_definition_states_what_the_lock_notes() {
    let place = place();
    let commit = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
    place.write(
        "modelhost.toml",
        format!(
            "version = 1\n[[model]]\nname = \"a\"\npath = \"models/a\"\nsource = \
             \"hf:org/a\"\nrevision = \"{commit}\"\nrequested = \"v1.2\"\nlicense = \
             \"MIT\"\nbase = [\"hf:org/base@{commit}\"]\n"
        ),
    );
    place.modelhost(&["lock"]).code(0);
    let lock = place.read("modelhost.lock");
    let noted = format!(
        "source = \"hf:org/a\"\nrevision = \"{commit}\"\nrequested = \"v1.2\"\nlicense = \
         \"MIT\"\nbase = [\"hf:org/base@{commit}\"]\n"
    );
    assert!(lock.contains(&noted), "{lock}");
    // What it states no more, and what others noted, stays.
    place.write("modelhost.lock", lock.replace("base = ", "signer = \"somebody\"\nbase = "));
    place.write(
        "modelhost.toml",
        "version = 1\n[[model]]\nname = \"a\"\npath = \"models/a\"\nlicense = \"Apache-2.0\"\n",
    );
    place
        .modelhost(&["lock"])
        .code(0)
        .says("~ license  MIT -> Apache-2.0")
        .says("- source  hf:org/a");
    let lock = place.read("modelhost.lock");
    assert!(lock.contains("requested = \"v1.2\"\nlicense = \"Apache-2.0\"\nsigner = \"somebody\""));
    assert!(!lock.contains("source = "));
}

#[test]
fn two_branches_that_change_another_model_each_merge() {
    let place = place();
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(place.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        command.args(args).output().map(|output| output.status.success())
    };
    if !git(&["init", "-q", "-b", "main"]).unwrap_or(false) {
        eprintln!("skipped: no git here");
        return;
    }
    let commit = |what: &str| {
        place.modelhost(&["lock"]).code(0);
        assert!(git(&["add", "-A"]).expect("git runs"));
        assert!(git(&["commit", "-q", "-m", what]).expect("git runs"));
    };
    for name in ["a", "b"] {
        for part in 0..5 {
            place
                .write(&format!("models/{name}/part-{part}.safetensors"), model::safetensors(part));
        }
    }
    commit("both");
    assert!(git(&["switch", "-q", "-c", "one"]).expect("git runs"));
    place.write("models/a/part-4.safetensors", model::safetensors(40));
    commit("a");
    assert!(git(&["switch", "-q", "main"]).expect("git runs"));
    place.write("models/b/part-0.safetensors", model::safetensors(50));
    commit("b");
    assert!(git(&["merge", "-q", "-m", "both", "one"]).expect("git runs"), "they merge");
    place.modelhost(&["lock", "--check"]).code(0);
}

#[test]
fn a_hand_that_edits_or_cuts_the_lock_is_noticed() {
    let place = place();
    place.modelhost(&["lock", "--blake3"]).code(0);
    let good = place.read("modelhost.lock");
    let file = good.lines().find(|line| line.contains("path = ")).expect("a file").to_owned();
    let rows = [
        ("listed twice", good.replacen(&file, &format!("{file}\n{file}"), 1)),
        ("has two entries", {
            let at = good.find("[[model]]").expect("a model");
            let end = good[at..].find("\n]\n").expect("its end") + at + 3;
            format!("{}{}", good, &good[at..end])
        }),
        ("relative to its model", good.replacen("path = \"", "path = \"/", 1)),
        ("relative to its model", good.replacen("path = \"", "path = \"../", 1)),
        ("relative to its model", good.replacen("path = \"", "path = \"a/../../", 1)),
        ("BLAKE3", good.replacen("blake3 = \"", "blake3 = \"0", 1)),
        ("upstream claim", good.replacen("\" },", "\", upstream = \"mine\" },", 1)),
        ("must be 1", good.replacen("version = 1", "version = 2", 1)),
    ];
    for (says, text) in rows {
        assert_ne!(text, good, "{says}");
        place.write("modelhost.lock", &text);
        for args in
            [&["run"][..], &["lock"], &["lock", "--check"], &["compare", "modelhost.lock", "."]]
        {
            let said = place.modelhost(args);
            said.code(2).says("modelhost.lock:").says(says);
            assert_eq!(said.stdout, "", "{says}");
            assert_eq!(place.read("modelhost.lock"), text, "nothing is written over a mistake");
        }
    }
    // Cut anywhere, it is read as nothing but what it was.
    for at in (0..good.len()).step_by(good.len() / 20) {
        place.write("modelhost.lock", &good[..at]);
        let code = place.modelhost(&["run", "--locked"]).code;
        assert!(code == 2 || code == 1, "cut at {at}: {code}");
    }
}

#[test]
fn a_million_files_are_read_or_refused_in_bounded_room() {
    use std::fmt::Write as _;
    let place = place();
    let mut lock =
        "# Generated by `modelhost lock`: don't edit it, run that again.\nversion = 1\n\n\
                    [[model]]\nname = \"a\"\ntree = \"sha256:HEX\"\nfile = [\n"
            .replace("HEX", &"0".repeat(64));
    let hex = "1".repeat(64);
    for n in 0..1_000_000 {
        writeln!(lock, "  {{ path = \"{n:07}\", size = 1, sha256 = \"{hex}\" }},").expect("text");
    }
    lock.push_str("]\n");
    place.write("modelhost.lock", &lock);
    // As modelhost writes it, it is read: 100 MB of text.
    place.modelhost(&["compare", "modelhost.lock", "modelhost.lock"]).code(0).says("same");
    // In another form its tree would take twenty times its size.
    place.write("modelhost.lock", lock + "# by hand\n");
    place
        .modelhost(&["compare", "modelhost.lock", "modelhost.lock"])
        .code(2)
        .says("very large and not as modelhost writes it");
    let file = std::fs::File::create(place.path().join("modelhost.lock")).expect("a file");
    file.set_len((256 << 20) + 1).expect("a size");
    place.modelhost(&["run"]).code(2).says("modelhost.lock has more than 268435456 bytes");
}

#[test]
fn a_flipped_byte_is_narrowed_to_its_tensor() {
    let place = Place::new();
    let size = 3 << 20;
    let bytes = model::safetensors(size);
    place.write("models/a/model.safetensors", &bytes);
    place.write("modelhost.toml", "version = 1\n[[model]]\nname = \"a\"\npath = \"models/a\"\n");
    place.modelhost(&["lock"]).code(0);
    // The form that a lock with parts has: the first 8 bytes of the BLAKE3 of each MiB.
    let parts: String = bytes
        .chunks(1 << 20)
        .flat_map(|part| blake3::hash(part).as_bytes()[..8].to_vec())
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let lock = place.read("modelhost.lock").replacen(
        "\" },",
        &format!("\", parts = \"1048576:{parts}\" }},"),
        1,
    );
    place.write("modelhost.lock", lock);
    place.modelhost(&["run", "--locked"]).code(0);
    let mut changed = bytes;
    changed[(2 << 20) + 5] ^= 1;
    place.write("models/a/model.safetensors", changed);
    place
        .modelhost(&["run", "--locked"])
        .code(1)
        .says("high[checksum/digest-mismatch]")
        .says("it differs within bytes 2097152 to 3145728")
        .says("the tensor `weight`");
    std::fs::rename(
        place.path().join("models/a/model.safetensors"),
        place.path().join("models/a/other.safetensors"),
    )
    .expect("renamed");
    place.write("models/a/other.safetensors", model::safetensors(size));
    place
        .modelhost(&["run", "--locked"])
        .code(1)
        .says("checksum/renamed-file")
        .says("`model.safetensors`");
}

#[test]
fn fail_fast_ends_before_anything_is_hashed() {
    let place = place();
    place.modelhost(&["lock"]).code(0);
    let run = || place.modelhost(&["run", "--locked", "--fail-fast"]);
    run().code(0);
    place.write("models/a/model.safetensors", model::safetensors(9));
    run().code(1).says("high[gate/size-mismatch]").says("interrupted before it was done");
    place.write(
        "models/a/model.safetensors",
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n",
    );
    run().code(1).says("high[gate/lfs-pointer]");
    std::fs::remove_file(place.path().join("models/a/model.safetensors")).expect("removed");
    run().code(1).says("high[gate/missing-file]");
    // A model of the right sizes is looked at as ever.
    let mut changed = model::safetensors(8);
    *changed.last_mut().expect("a byte") ^= 1;
    place.write("models/a/model.safetensors", changed);
    run().code(1).says("high[checksum/digest-mismatch]");
}

#[test]
fn a_lock_notes_what_a_run_concluded_of_the_same_files() {
    let place = place();
    place.write("models/a/README.md", "---\nlicense: mit\n---\n# A model\n");
    place.modelhost(&["lock"]).code(0);
    place.modelhost(&["run", "-o", "json=report.json"]).code(0);
    let note = ["lock", "--report", "report.json"];
    place.modelhost(&note).code(0).says("+ license  MIT");
    place.modelhost(&note).code(0).says("up to date");
    place.modelhost(&["lock"]).code(0).says("up to date");
    // Other files: nothing is noted of them, and what was noted goes.
    place.write("models/a/README.md", "---\nlicense: apache-2.0\n---\n# A model\n");
    place
        .modelhost(&note)
        .code(0)
        .says("model a: the report is about other files")
        .says("- license  MIT");
    place.write("report.json", "{}");
    place.modelhost(&note).code(2).says("report.json can't be used: it is no JSON report");
}
