//! `--audit-log` and `modelhost audit`: what is recorded, that nothing of it is lost
//! or changed unseen, and checkpoints.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use modelhost::domain::digest::Digest;
use modelhost::domain::text::GuestText;
use modelhost::record::audit::record::{Change, Pin, Subject};
use modelhost::record::audit::{Entry, Origin, Stamp, append, fields, read};
use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use serde_json::Value;

use crate::support::command::{Place, Said};
use crate::support::{is_long, model};

const LOG: &str = "audit.jsonl";

/// A place with two models and a log.
fn place() -> Place {
    let place = Place::new();
    place.write("models/a/model.safetensors", model::safetensors(8));
    place.write("models/b/model.safetensors", model::safetensors(9));
    place.write(
        "modelhost.toml",
        "version = 1\n[[model]]\nname = \"a\"\npath = \"models/a\"\n\
         [[model]]\nname = \"b\"\npath = \"models/b\"\n[audit]\npath = \"audit.jsonl\"\n",
    );
    place
}

const GITHUB: [(&str, &str); 6] = [
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_ACTOR", "octocat"),
    ("GITHUB_SHA", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"),
    ("GITHUB_REPOSITORY", "org/name"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_RUN_ID", "99"),
];

fn on_github(place: &Place, args: &[&str]) -> Said {
    place.said(&place.command(args).envs(GITHUB).output().expect("modelhost starts"))
}

const RUN: [&str; 5] = ["run", "--only", "formats", "--only", "pickle"];

fn records(place: &Place) -> Vec<Value> {
    place.read(LOG).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn decisions_and_pins_are_recorded() {
    let place = place();
    on_github(&place, &["lock"]).code(0);
    // Nothing was changed: nothing is recorded.
    on_github(&place, &["lock"]).code(0);
    place.write("models/b/model.pkl", model::malicious_pickle());
    on_github(&place, &["lock", "models/b"]).code(0);
    let more = ["--now", "2026-01-02", "-o", "json=report.json"];
    on_github(&place, &[&RUN[..], &more].concat()).code(1);
    let records = records(&place);
    let kinds: Vec<&str> = records
        .iter()
        .map(|record| {
            record["entry"].as_object().expect("an object").keys().next().expect("a kind").as_str()
        })
        .collect();
    assert_eq!(kinds[..3], ["start", "pin", "pin"]);
    assert_eq!(kinds[kinds.len() - 2..], ["pin", "decision"]);

    let lock = Digest::of(place.read("modelhost.lock").as_bytes()).to_string();
    let pin = &records[records.len() - 2]["entry"]["pin"];
    assert_eq!((&pin["subject"], &pin["name"]), (&"model".into(), &"b".into()), "{pin:#}");
    assert_ne!(pin["digest"]["old"], pin["digest"]["new"]);
    assert_eq!(pin["files"].as_array().map(Vec::len), Some(1));
    assert_eq!(pin["files"][0]["path"], "model.pkl");
    let pickle = Digest::of(&model::malicious_pickle()).to_string();
    assert_eq!((&pin["files"][0]["old"], &pin["files"][0]["new"]), (&Value::Null, &pickle.into()));
    assert_eq!(pin["lock"]["new"], lock.as_str());

    let last = records.last().expect("a record");
    assert_eq!(last["actor"], "octocat");
    assert_eq!(last["commit"], GITHUB[2].1);
    let ci = serde_json::json!({
        "system": "github", "repository": "org/name", "ref": "refs/heads/main", "run": "99"
    });
    assert_eq!(last["ci"], ci);
    let decision = &last["entry"]["decision"];
    assert_eq!(decision["decision"], "deny");
    assert_eq!(decision["now"], "2026-01-02T00:00:00Z");
    // Each model by itself: one that is denied does not speak for its neighbour.
    assert_eq!(decision["models"][0]["decision"], "allow");
    assert_eq!(decision["models"][1]["decision"], "deny");
    assert_eq!(decision["models"][1]["tree"], pin["digest"]["new"]);
    assert_eq!(decision["lock"]["digest"], lock.as_str());
    assert_eq!(decision["policy"][0]["path"], "modelhost.toml");
    assert_eq!(decision["plugins"][1]["id"], "pickle");
    assert_eq!(decision["waivers"], serde_json::json!([]));
    let report = Digest::of(place.read("report.json").as_bytes()).to_string();
    assert_eq!(decision["report"], report.as_str(), "the digest of the report that was written");

    place.modelhost(&["audit", "verify"]).code(0).says("intact");
    let said = place.modelhost(&["audit", "show", "--model", "b"]);
    said.code(0).says("deny").says("by octocat  on 0a1b2c3d4e5f").says("model b: new");
    assert!(!said.stdout.contains("model a"), "{}", said.stdout);
    let shown = place.modelhost(&["audit", "show", "--json", "--kind", "decision"]);
    shown.code(0);
    assert_eq!(shown.stdout, place.read(LOG).lines().last().expect("a line"));
    place.modelhost(&["audit", "show", "--decision", "allow"]).code(0).says("");
    // `--check` and `--locked` look, and record no pin.
    let before = place.read(LOG);
    place.modelhost(&["lock", "--check"]).code(0);
    assert_eq!(place.read(LOG), before);
}

#[test]
fn who_ran_it_is_who_was_named_or_git_or_the_environment() {
    let place = place();
    let actor = |place: &Place| {
        let last = records(place).pop().expect("a record");
        (last["actor"].as_str().map(str::to_owned), last["commit"].as_str().map(str::to_owned))
    };
    place.modelhost(&RUN).code(0);
    assert_eq!(actor(&place), (None, None));
    let run = |args: &[&str]| {
        let args = [&RUN[..], args].concat();
        let mut command = place.command(&args);
        place.said(&command.env("USER", "ann").output().expect("modelhost starts")).code(0);
    };
    run(&[]);
    assert_eq!(actor(&place).0.as_deref(), Some("ann"));
    let commit = "0123456789abcdef0123456789abcdef01234567";
    place.write(".git/HEAD", "ref: refs/heads/main\n").write(".git/refs/heads/main", commit);
    place.write(".git/config", "[user]\nname = Bob\nemail = bob@example.org\n");
    run(&[]);
    assert_eq!(actor(&place), (Some("Bob <bob@example.org>".into()), Some(commit.into())));
    run(&["--actor", "the \u{1b}[31mnight shift"]);
    assert_eq!(actor(&place).0.as_deref(), Some("the \\x1b[31mnight shift"));
}

#[test]
fn a_changed_log_is_told_and_not_appended_to() {
    let place = place();
    for _ in 0..3 {
        place.modelhost(&RUN).code(0);
    }
    let good = place.read(LOG);
    place.write(LOG, good.replacen("\"allow\"", "\"deny\"", 1));
    let said = place.modelhost(&["audit", "verify"]);
    said.code(1).says("audit.jsonl:2: broken: record 1 is broken: its digest is not that of its");
    place.modelhost(&["audit", "show"]).code(1).says("audit.jsonl:2: broken").says("begins");
    // The last record: what is appended would cover it up.
    let at = good.rfind("\"allow\"").expect("a decision");
    let changed = format!("{}\"denys\"{}", &good[..at], &good[at + 7..]);
    place.write(LOG, &changed);
    let said = place.modelhost(&RUN);
    said.code(70).says("ALLOW").says("is not recorded").says("the decision is allow");
    said.says("= help: look at it with `modelhost audit verify`");
    assert_eq!(place.read(LOG), changed);
    let lines: Vec<&str> = good.lines().collect();
    place.write(LOG, [&lines[..1], &lines[2..]].concat().join("\n") + "\n");
    place
        .modelhost(&["audit", "verify"])
        .code(1)
        .says("audit.jsonl:2: broken: record 1 is missing");
    place.write(LOG, "");
    place.modelhost(&["audit", "verify"]).code(1).says("it holds no record");
    place.modelhost(&["audit", "verify", "none.jsonl"]).code(2).says("none.jsonl: can't be read");
}

#[test]
fn a_log_that_can_not_be_appended_to_is_a_fault() {
    let place = place();
    for path in ["none/audit.jsonl", "models", "/dev/null"] {
        let args = [&RUN[..], &["--audit-log", path]].concat();
        let said = place.modelhost(&args);
        said.code(70).says("ALLOW").says("the decision is allow");
        // What can't be recorded is not done.
        place.modelhost(&["lock", "--audit-log", path]).code(70);
        assert!(!place.path().join("modelhost.lock").exists());
    }
    std::os::unix::fs::symlink("elsewhere", place.path().join("link")).expect("a link");
    place.modelhost(&["lock", "--audit-log", "link"]).code(70);
    assert!(!place.path().join("elsewhere").exists(), "no link is followed");
}

#[test]
fn a_log_out_of_room_stays_what_it_was() {
    let place = place();
    let run = |limit: &str| {
        let modelhost = place.command(&[&RUN[..], &["--isolation", "in-process"]].concat());
        let mut command = Command::new("bash");
        command.args(["-c", &format!("ulimit -f {limit} && \"$@\""), "bash"]);
        command.arg(modelhost.get_program()).args(modelhost.get_args()).current_dir(place.path());
        command
            .env_clear()
            .envs(modelhost.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command.env("PATH", "/usr/bin:/bin");
        place.said(&command.output().expect("bash starts"))
    };
    run("unlimited").code(0);
    let log = place.path().join(LOG);
    let stamp = Stamp { time: 1, origin: Origin::default(), chain: [1; 16], continues: None };
    while place.read(LOG).len() % 1024 < 300 {
        append(&log, &stamp, vec![pin(1)]).expect("it is appended");
    }
    let before = place.read(LOG);
    // The next record goes past the end of this KiB: a part of it can be written.
    let limit = before.len().div_ceil(1024).to_string();
    run(&limit).code(70).says("can't append to the audit log").says("the decision is");
    assert_eq!(place.read(LOG), before);
    run("unlimited").code(0);
    place.modelhost(&["audit", "verify"]).code(0);
}

/// Makes a key pair of a number, as `key.pem` and `key.pub`.
fn keys(place: &Place, seed: u8) {
    let secret = p256::SecretKey::from_slice(&[seed; 32]).expect("a number of the curve");
    place.write("key.pem", secret.to_pkcs8_pem(LineEnding::LF).expect("a key").as_bytes());
    place.write("key.pub", secret.public_key().to_public_key_pem(LineEnding::LF).expect("a key"));
}

#[test]
fn a_cut_log_is_found_by_its_checkpoint() {
    let place = place();
    keys(&place, 1);
    for _ in 0..3 {
        place.modelhost(&RUN).code(0);
    }
    let good = place.read(LOG);
    let sign = ["audit", "checkpoint", LOG, "--key", "key.pem", "-o", "head.json"];
    place.modelhost(&sign).code(0);
    let verify = ["audit", "verify", "--checkpoint", "head.json", "--key", "key.pub"];
    place.modelhost(&verify).code(0).says("has record 3 of the checkpoint");
    place.modelhost(&RUN).code(0);
    place.modelhost(&verify).code(0);
    // Cut between two lines it is intact by itself, and told by the checkpoint.
    let cut = good.lines().take(3).map(|line| format!("{line}\n")).collect::<String>();
    place.write(LOG, &cut);
    place.modelhost(&["audit", "verify"]).code(0).says("3 records");
    place.modelhost(&verify).code(1).says("cut: the checkpoint names record 3, and the log ends");
    // Written anew.
    std::fs::remove_file(place.path().join(LOG)).expect("removed");
    place.modelhost(&RUN).code(0);
    place.modelhost(&["audit", "verify"]).code(0);
    place.modelhost(&verify).code(1).says("no log is of the chain that the checkpoint names");
    // Another key, a key of the wrong kind, no checkpoint, a broken log.
    place.write(LOG, &good);
    keys(&place, 2);
    place.modelhost(&verify).code(2).says("the key did not sign it");
    place.modelhost(&["audit", "verify", "--checkpoint", LOG, "--key", "key.pub"]).code(2);
    place.modelhost(&["audit", "verify", "--checkpoint", "head.json"]).code(2);
    place.write("ec.pem", "-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n");
    let wrong = ["audit", "checkpoint", LOG, "--key", "ec.pem"];
    place.modelhost(&wrong).code(2).says("openssl pkcs8 -topk8 -nocrypt");
    place.write(LOG, good.replacen("allow", "ALLOW", 1));
    let said = place.modelhost(&["audit", "checkpoint", LOG, "--key", "key.pem"]);
    said.code(1).says("nothing was signed");
    assert_eq!(said.stdout, "");
}

#[test]
fn logs_of_several_runs_are_joined() {
    let place = place();
    place.modelhost(&[&RUN[..], &["--audit-log", "1.jsonl"]].concat()).code(0);
    let verified = place.modelhost(&["audit", "verify", "1.jsonl"]);
    let head = verified.stdout.rsplit_once("head ").expect("a head").1.trim();
    let second = ["--audit-log", "2.jsonl", "--audit-continues", head];
    place.modelhost(&[&RUN[..], &second].concat()).code(0);
    place.modelhost(&[&RUN[..], &["--audit-log", "3.jsonl"]].concat()).code(0);
    let said = place.modelhost(&["audit", "verify", "3.jsonl", "2.jsonl", "1.jsonl"]);
    said.code(0).says("2.jsonl: continues 1.jsonl after record 1\n");
    let alone = place.modelhost(&["audit", "verify", "2.jsonl"]);
    alone.code(0).says("note: continues a log that is not among these").says(head);
}

#[test]
fn a_torn_record_is_noted_by_the_next() {
    let place = place();
    place.modelhost(&RUN).code(0);
    let good = place.read(LOG);
    let torn = format!("{good}{}", &good[..100]);
    place.write(LOG, &torn);
    place.modelhost(&["audit", "verify"]).code(1).says("record 2 is truncated");
    place.modelhost(&RUN).code(0);
    assert!(place.read(LOG).starts_with(&torn), "what was there is still there");
    place.modelhost(&["audit", "verify"]).code(0).says("100 bytes before it are what a writer");
    place.modelhost(&["audit", "show"]).code(0).says("recovered");
}

#[test]
fn the_schema_of_a_record_is_printed() {
    let schema = Place::new().modelhost(&["schema", "audit"]).code(0).json();
    assert_eq!(schema["title"], "modelhost audit record, version 1");
}

/// The variables that tell a process that it is to write.
const WRITER: &str = "MODELHOST_TEST_WRITER";
const COUNT: &str = "MODELHOST_TEST_COUNT";

fn pin(number: u64) -> Entry<'static> {
    Entry::Pin(Pin {
        subject: Subject::Model,
        name: fields::Text::new(number.to_string()),
        digest: Change { old: None, new: None },
        source: None,
        revision: None,
        version: None,
        files: Vec::new(),
        not_listed: 0,
        lock: Change { old: None, new: None },
    })
}

#[test]
#[ignore = "a process of `writers_of_which_one_is_killed_lose_nothing`"]
fn writes_records() {
    let Ok(name) = std::env::var(WRITER) else { return };
    let count: u64 = std::env::var(COUNT).expect("a count").parse().expect("a number");
    let origin = Origin { actor: Some(GuestText::capped(&name)), ..Origin::default() };
    for number in 0..count {
        let stamp = Stamp { time: 1, origin: origin.clone(), chain: [1; 16], continues: None };
        append(Path::new(LOG), &stamp, vec![pin(number)]).expect("it is appended");
        // Said only when it is on the disk.
        println!("done {number}");
    }
}

#[test]
fn writers_of_which_one_is_killed_lose_nothing() {
    let place = Place::new();
    let (writers, count): (u64, u64) = if is_long() { (8, 1000) } else { (8, 60) };
    let start = |writer: u64| {
        Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "audit::writes_records", "--ignored", "--nocapture"])
            .env(WRITER, writer.to_string())
            .env(COUNT, count.to_string())
            .current_dir(place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts")
    };
    let mut processes: Vec<_> = (0..writers).map(start).collect();
    let killed = &mut processes[0];
    let mut said = BufReader::new(killed.stdout.take().expect("a pipe")).lines();
    let is_done = |line: &Result<String, _>| line.as_ref().is_ok_and(|line| line.contains("done "));
    let before = said.by_ref().filter(|line| is_done(line)).take(20).count() as u64;
    killed.kill().expect("killed");
    killed.wait().expect("ended");
    let acknowledged = before + said.filter(|line| is_done(line)).count() as u64;
    for process in &mut processes[1..] {
        assert!(process.wait().expect("ended").success());
    }
    let mut found = vec![Vec::new(); usize::try_from(writers).expect("few")];
    let log = place.path().join(LOG);
    let walked = read(&log, 2, &mut |line, _| {
        let (Entry::Pin(pin), Some(actor)) = (&line.record.entry, &line.record.actor) else {
            return;
        };
        let writer: usize = actor.as_str().parse().expect("a number");
        found[writer].push(pin.name.as_str().parse::<u64>().expect("a number"));
    });
    assert_eq!(walked.expect("the log").broken, None);
    for (writer, numbers) in found.iter().enumerate() {
        let expected = if writer == 0 { numbers.len() as u64 } else { count };
        assert_eq!(*numbers, (0..expected).collect::<Vec<_>>(), "of writer {writer}");
    }
    assert!(found[0].len() as u64 >= acknowledged, "{} of {acknowledged}", found[0].len());
    assert!((found[0].len() as u64) < count, "it was killed in time");
    let said = place.modelhost(&["audit", "verify", LOG]);
    said.code(0).says("intact");
    eprintln!("{writers} writers of {count}, one killed after {acknowledged}: {}", said.stdout);
}
