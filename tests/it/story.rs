//! The gate as a newcomer meets it: a repository with ten models, from `init` to a
//! waiver that everybody sees.

use crate::support::command::Place;
use crate::support::git::Repository;
use crate::support::model;

fn ten_models(place: &Place) {
    for index in 0..10 {
        let folder = format!("models/m{index}");
        place.write(&format!("{folder}/model.safetensors"), model::safetensors(8 + index));
        place.write(&format!("{folder}/README.md"), format!("# Model {index}\n"));
    }
}

/// Changes one byte of a model's weights.
fn change(place: &Place, model: &str) {
    let path = place.path().join(format!("models/{model}/model.safetensors"));
    let mut bytes = std::fs::read(&path).expect("the weights");
    *bytes.last_mut().expect("a byte") ^= 1;
    std::fs::write(&path, bytes).expect("the weights");
}

#[test]
fn a_changed_weight_is_denied_waived_and_seen() {
    let place = Place::new();
    ten_models(&place);
    let git = Repository::new(&place);
    git.commit("models");

    // Set up, once.
    place
        .modelhost(&["init", "--check", "--ci", "github"])
        .code(1)
        .says("missing   modelhost.lock");
    let said = place.modelhost(&["init", "--ci", "github"]);
    said.code(0).says("wrote     modelhost.toml").says("wrote     modelhost.lock");
    let files = ["modelhost.toml", "modelhost.lock", ".github/workflows/modelhost.yml"];
    let before = files.map(|file| place.read(file));
    place.modelhost(&["init", "--ci", "github"]).code(0).says("as it is  modelhost.toml");
    assert_eq!(files.map(|file| place.read(file)), before, "nothing is written twice");
    place.modelhost(&["init", "--check", "--ci", "github"]).code(0);
    place.modelhost(&["lock", "--check"]).code(0);
    // The log of what was decided is kept beside the commits.
    const LOG: &str = "modelhost-audit.jsonl";
    place.write(".gitignore", format!("{LOG}\n"));
    git.commit("modelhost");
    place.modelhost(&["run", "--locked", "--audit-log", LOG]).code(0).says("ALLOW  0 denied");
    place
        .modelhost(&["run", "--changed=main"])
        .code(0)
        .says("ALLOW  0 denied, 0 warnings, 0 not judged | 0 of 10 models changed since main");

    // A pull request changes a weight.
    git.run(&["checkout", "-q", "-b", "tune"]);
    change(&place, "m3");
    git.commit("tune m3");
    let said = place.modelhost(&[
        "run",
        "--locked",
        "--changed=main",
        "--audit-log",
        LOG,
        "-o",
        "human",
        "-o",
        "json=report.json",
    ]);
    said.code(1)
        .says("high[checksum/digest-mismatch]")
        .says("models/m3/model.safetensors")
        .says("1 of 10 models changed since main");
    let line = said.stdout.split("modelhost.lock:").nth(1).expect("a line of the lock file");
    let line: usize = line.split(' ').next().and_then(|text| text.parse().ok()).expect("a number");
    let lock = place.read("modelhost.lock");
    let locked = lock.lines().nth(line - 1).expect("it has that line");
    assert!(locked.contains("model.safetensors"), "{line}: {locked}");

    // Somebody answers for it, by the command that the report names.
    let command = said.stdout.split("waive: modelhost ").nth(1).expect("a command");
    let fingerprint = command.split(' ').nth(2).expect("a fingerprint").to_owned();
    place
        .modelhost(&["explain", &fingerprint, "--report", "report.json"])
        .code(0)
        .says("state       denies");
    let add = |more: &[&str]| {
        let args = [
            "waiver",
            "add",
            &fingerprint,
            "--owner",
            "@ml",
            "--expires",
            "2027-02-01",
            "--now",
            "2026-11-24",
        ];
        place.modelhost(&args.iter().chain(more).copied().collect::<Vec<_>>())
    };
    add(&["--reason", "..."]).code(2).says("--reason is `...`");
    add(&["--reason", "tuned, ticket 41", "--report", "report.json"])
        .code(0)
        .says("checksum/digest-mismatch in models/m3");
    add(&["--reason", "again", "--report", "report.json"]).code(2).says("has a waiver already");
    assert!(place.read("modelhost.toml").starts_with(&before[0]), "what stood there stays");
    std::fs::remove_file(place.path().join("report.json")).expect("removed");
    git.commit("waive it");

    // Allowed, and everybody sees why.
    let said = place.modelhost(&[
        "run",
        "--locked",
        "--changed=main",
        "--audit-log",
        LOG,
        "--now",
        "2026-11-24",
    ]);
    said.code(0)
        .says("looks at all models: modelhost.toml changed since main")
        .says("1 waived (expires 2027-02-01)")
        .says("waived by @ml until 2027-02-01 (modelhost.toml:")
        .says("tuned, ticket 41");
    let json = place.modelhost(&["run", "--locked", "--now", "2026-11-24", "-o", "json"]);
    let report = json.code(0).json();
    assert_eq!(report["summary"]["waived"], 1);
    assert_eq!(report["waivers"][0]["state"], "in-use");
    assert_eq!(report["waivers"][0]["reason"], "tuned, ticket 41");
    place.modelhost(&["waiver", "list", "--now", "2026-11-24"]).code(0).says("in-use");

    // Told of afterwards: what was pinned by whom, denied and allowed, and by which waiver.
    let told = with_git(&place, &["history", "models/m3", "--audit-log", LOG]);
    told.code(0).says("model models/m3: new ").says("    allow ").says("never pinned: ");
    let tuned = told.stdout.split("never pinned: ").nth(1).expect("what was not pinned");
    assert!(tuned.contains("    allow ") && tuned.contains("    deny "), "{tuned}");
    let shown = place.modelhost(&["audit", "show", LOG]);
    shown.code(0).says("deny: models/m3 ").says("allow: models/m0 ");
    shown.says("; waived: checksum/digest-mismatch in models/m3 by @ml until 2027-02-01");
    let log = place.read(LOG);
    let last = log.lines().last().expect("a record");
    assert!(last.contains("tuned, ticket 41") && last.contains("@ml"), "{last}");
    place.modelhost(&["audit", "verify", LOG]).code(0).says("intact: 4 records");
    place.write(LOG, log.replace("\"deny\"", "\"allow\""));
    place.modelhost(&["audit", "verify", LOG]).code(1).says("broken: record 2");
    place.write(LOG, log);

    // Until it ends, for those bytes, and not for an auditor.
    place
        .modelhost(&["run", "--locked", "--now", "2027-02-01T23:59:59Z"])
        .code(0)
        .says("gate/waiver-expiring");
    place
        .modelhost(&["run", "--locked", "--now", "2027-02-02"])
        .code(1)
        .says("gate/waiver-expired");
    place.modelhost(&["run", "--locked", "--now", "2026-11-23"]).code(1).says("gate/waiver-early");
    place.modelhost(&["run", "--locked", "--now", "2026-11-24", "--no-waivers"]).code(1);
    change(&place, "m3");
    place.modelhost(&["lock", "models/m3"]).code(0);
    place.modelhost(&["run", "--locked", "--now", "2026-11-24"]).code(0).says("gate/waiver-unused");
    place.modelhost(&["waiver", "list", "--now", "2026-11-24"]).code(1).says("unused");
}

/// Makes a key pair, `key.pem` and `key.pub`.
fn key(place: &Place) {
    use std::os::unix::fs::PermissionsExt as _;
    let openssl = |args: &[&str]| {
        let output =
            std::process::Command::new("openssl").args(args).current_dir(place.path()).output();
        assert!(output.expect("openssl is there").status.success(), "{args:?}");
    };
    let curve = "ec_paramgen_curve:P-256";
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", "key.pem"]);
    openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "key.pub"]);
    let own = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(place.path().join("key.pem"), own).expect("permissions");
}

/// Runs `modelhost ARGS` where git can be found.
fn with_git(place: &Place, args: &[&str]) -> crate::support::command::Said {
    let path = std::env::var_os("PATH").expect("a PATH");
    place.said(&place.command(args).env("PATH", path).output().expect("modelhost starts"))
}

#[test]
fn a_pin_is_kept_changed_on_purpose_and_told_of() {
    const NOW: [&str; 2] = ["--now", "2026-11-24T12:00:00Z"];
    const LOG: [&str; 2] = ["--audit-log", "modelhost-audit.jsonl"];
    let commit = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
    let place = Place::new();
    place
        .write("models/bert/model.safetensors", model::safetensors(64))
        .write("models/bert/README.md", "---\nlicense: mit\n---\n# A model\n");
    key(&place);
    place.write(".gitignore", "key.pem\n");
    let git = Repository::new(&place);

    // Defined, locked, committed.
    let source = ["--source", "hf:org/bert", "--revision", commit, "--license", "MIT"];
    place.modelhost(&[&["model", "add", "models/bert"], &source[..]].concat()).code(0);
    place.modelhost(&[&["lock"], &LOG[..]].concat()).code(0).says("+ model bert: 2 files");
    git.commit("Pin bert");
    let run = |place: &Place, more: &[&str]| {
        place.modelhost(&[&["run", "--locked"], &NOW[..], more].concat())
    };
    run(&place, &LOG).code(0);

    // Tampered with: rejected at the line that pins the file.
    change(&place, "bert");
    let said = run(&place, &LOG);
    said.code(1).says("high[checksum/digest-mismatch]");
    let lock = place.read("modelhost.lock");
    let line =
        lock.lines().position(|line| line.contains("model.safetensors")).expect("a line") + 1;
    said.says(&format!("modelhost.lock:{line} models/bert/model.safetensors"));

    // Pinned anew on purpose: one file is one changed line and the tree's.
    place
        .modelhost(&[&["lock", "models/bert"], &LOG[..]].concat())
        .code(0)
        .says("~ model.safetensors");
    git.commit("Tune bert");
    let changed = git.run(&["diff", "--numstat", "HEAD~1", "--", "modelhost.lock"]);
    assert_eq!(changed.split_whitespace().next(), Some("2"), "{changed}");

    // Tested, attested and on record.
    let attest = ["--attest", "bert.jsonl", "--key", "key.pem", "-o", "json=tested.json"];
    run(&place, &[&LOG[..], &attest].concat()).code(0);
    let html = [&["run", "--locked", "-o", "html=report.html"], &NOW[..], &LOG].concat();
    with_git(&place, &html).code(0);
    let page = place.read("report.html");
    assert!(page.contains("~ model.safetensors") && page.contains("model bert: new "), "{page}");
    let told = with_git(&place, &[&["history", "bert"], &LOG[..]].concat());
    told.code(0).says("model bert: new ").says("~ model.safetensors").says("allow ").says("deny ");
    place.modelhost(&["audit", "verify", LOG[1]]).code(0).says("14 records");

    // Elsewhere: the same model is verified, and staging ran what was tested.
    let staging = Place::new();
    let files = ["model.safetensors", "README.md"].map(|file| format!("models/bert/{file}"));
    for file in files.iter().map(String::as_str).chain(["modelhost.toml", "modelhost.lock"]) {
        staging.write(file, std::fs::read(place.path().join(file)).expect("the file"));
    }
    for file in ["bert.jsonl", "key.pub", "tested.json"] {
        staging.write(file, place.read(file));
    }
    let verify = ["verify", "bert.jsonl", "models/bert", "--key", "key.pub", NOW[0], NOW[1]];
    staging.modelhost(&verify).code(0);
    let later = ["run", "--locked", "--now", "2026-11-25", "-o", "json=staging.json"];
    staging.modelhost(&later).code(0);
    let compare = ["compare", "tested.json", "staging.json"];
    staging.modelhost(&compare).code(0);
    change(&staging, "bert");
    staging.modelhost(&verify).code(1).says("model.safetensors");
    staging.modelhost(&later).code(1);
    staging.modelhost(&compare).code(1).says("model.safetensors");

    // A record that somebody would rather not have made is missed.
    let log = place.read(LOG[1]);
    place.write(LOG[1], log.replace("\"deny\"", "\"allow\""));
    place
        .modelhost(&["audit", "verify", LOG[1]])
        .code(1)
        .says("modelhost-audit.jsonl:11: broken: record 10");
}
