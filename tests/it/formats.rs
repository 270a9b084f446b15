//! `modelhost run -o FORMAT=PATH`: no format changes what a run exits with; what a
//! step of GitHub Actions gets.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use modelhost::report::Format;

use crate::support::command::Place;
use crate::support::component::{self, Guest};
use crate::support::model;

/// A place with a model for each decision.
fn place() -> Place {
    let place = Place::new();
    place
        .write("allow/model.safetensors", model::safetensors(8))
        .write("deny/pytorch_model.bin", model::malicious_pickle())
        .write("incomplete/blob.xyz", [0_u8, 1, 2, 250, 251])
        .write("bad.toml", "version = 1\n[gate]\nfail-on = \"never\"\n");
    std::fs::create_dir_all(place.path().join("nothing")).expect("a folder");
    place
}

#[test]
fn every_format_exits_alike() {
    let place = place();
    let rows: [(&[&str], i32); 6] = [
        (&["allow"], 0),
        (&["deny"], 1),
        (&["incomplete"], 3),
        (&["deny", "incomplete"], 1),
        (&["nothing"], 4),
        (&["allow", "--config", "bad.toml"], 2),
    ];
    for format in Format::ALL {
        for (args, code) in rows {
            let path = format!("{format}.report");
            let _ = std::fs::remove_file(place.path().join(&path));
            let run: Vec<&str> = ["run", "-o"].iter().chain(args).copied().collect();
            let to_file = format!("{format}={path}");
            let mut with = run.clone();
            with.insert(2, &to_file);
            let said = place.modelhost(&with);
            said.code(code);
            // Whatever came of it: who reads this report alone must not miss a mistake.
            assert!(place.path().join(&path).is_file(), "{format} {args:?}");
            let mut with = run;
            with.insert(2, format.name());
            place.modelhost(&with).code(code);
        }
        // Where the report can't be written, that is said, and the decision with it.
        let output = format!("{format}=missing/report");
        let said = place.modelhost(&["run", "allow", "-o", &output]);
        said.code(70).says("could not be written").says("the decision is allow");
        let said = place.modelhost(&["run", "deny", "-o", &output, "-o", "json=other.json"]);
        said.code(70).says("the decision is deny");
        assert!(place.read("other.json").contains("\"decision\": \"deny\""), "the others are");
    }
}

#[test]
fn every_format_of_an_interrupted_run_is_written() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    component::write(&place.path().join("plugins"), "loop", &Guest::read("loop-in-check").plugin);
    place.write("modelhost.toml", "version = 1\n[plugin.loop-in-check]\nlimits = { fuel = 1000000000000, deadline = \"60s\" }\n");
    let outputs: Vec<String> =
        Format::ALL.iter().map(|format| format!("{format}={format}.report")).collect();
    let mut args = vec!["run", "m", "--plugins", "plugins"];
    args.extend(outputs.iter().flat_map(|output| ["-o", output.as_str()]));
    let mut child = place
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("modelhost starts");
    let started = Instant::now();
    std::thread::sleep(Duration::from_millis(1500));
    interrupt(&child);
    // Where the machine is slow, the first came before it was listened to.
    while child.try_wait().expect("it can be asked").is_none() {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    let said = place.said(&child.wait_with_output().expect("modelhost ends"));
    said.code(130);
    for format in Format::ALL {
        let text = place.read(&format!("{format}.report"));
        assert!(!text.is_empty(), "{format}");
    }
    for (format, part) in [
        ("sarif", "gate/interrupted"),
        ("junit", "interrupted"),
        ("gitlab", "gate/interrupted"),
        ("github", "::error "),
        ("html", "Incomplete"),
        ("markdown", "gate/interrupted"),
        ("jsonl", "\"decision\":\"incomplete\""),
        ("cyclonedx", "incomplete"),
    ] {
        assert!(place.read(&format!("{format}.report")).contains(part), "{format}");
    }
}

fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
}

#[test]
fn a_step_of_github_gets_its_summary_and_outputs() {
    let place = place();
    place.write("summary.md", "before\n").write("outputs", "");
    let run = |args: &[&str]| {
        let mut command = place.command(args);
        command
            .env("GITHUB_STEP_SUMMARY", place.path().join("summary.md"))
            .env("GITHUB_OUTPUT", place.path().join("outputs"));
        place.said(&command.output().expect("modelhost starts"))
    };
    let said = run(&["run", "deny", "-o", "github", "-o", "sarif=a.sarif"]);
    said.code(1);
    let error = said.stdout.lines().find(|line| line.starts_with("::error ")).expect("an error");
    assert!(
        error.starts_with("::error file=deny/pytorch_model.bin,line=1,title=pickle/"),
        "{error}"
    );
    let summary = place.read("summary.md");
    assert!(summary.starts_with("before\n## modelhost: Deny\n"), "{summary}");
    let outputs = place.read("outputs");
    for line in ["decision=deny", "exit-code=1", "denied=1", "report-sarif=a.sarif"] {
        assert!(outputs.lines().any(|found| found == line), "{line}\n{outputs}");
    }
    // Nothing of it without the format, and a fault where it can't be written.
    run(&["run", "deny"]).code(1);
    assert_eq!(place.read("summary.md"), summary);
    let mut command = place.command(&["run", "deny", "-o", "github"]);
    command.env("GITHUB_STEP_SUMMARY", place.path().join("missing/summary.md"));
    let said = place.said(&command.output().expect("modelhost starts"));
    said.code(70).says("the job's summary could not be written").says("the decision is deny");
}

/// Whoever reads reports alone learns that nothing ran, why, and at which line.
#[test]
fn a_run_that_did_not_start_writes_its_reports() {
    let place = place();
    let of = |args: &[&str], code: i32, parts: &[(&str, &str)]| {
        let outputs: Vec<String> =
            parts.iter().map(|(format, _)| format!("{format}={format}.report")).collect();
        let mut all = vec!["run"];
        all.extend(outputs.iter().flat_map(|output| ["-o", output.as_str()]));
        all.extend(args);
        let said = place.modelhost(&all);
        said.code(code);
        for (format, part) in parts {
            let text = place.read(&format!("{format}.report"));
            assert!(text.contains(part), "{format} {args:?} lacks {part}\n{text}");
        }
    };
    of(
        &["allow", "--config", "bad.toml"],
        2,
        &[
            ("cyclonedx", "incomplete"),
            ("github", "::error file=bad.toml,line=3,title=gate/mistake::"),
            ("gitlab", "\"begin\": 3"),
            ("html", "gate/mistake"),
            ("human", "error[gate/mistake]: bad.toml:3: "),
            ("json", "\"cause\": \"mistake\""),
            ("jsonl", "{\"event\":\"not-run\",\"cause\":\"mistake\","),
            ("junit", "type=\"incomplete\""),
            ("markdown", "gate/mistake"),
            ("sarif", "\"executionSuccessful\": false"),
        ],
    );
    of(
        &["nothing"],
        4,
        &[
            ("github", "::error file=modelhost.toml,line=1,title=gate/nothing::"),
            ("human", "error[gate/nothing]: there is nothing to check"),
            ("json", "\"decision\": \"incomplete\""),
            ("junit", "type=\"incomplete\""),
            ("sarif", "gate/nothing"),
        ],
    );
    of(
        &["nothing", "--allow-empty"],
        0,
        &[
            ("json", "\"decision\": \"allow\""),
            ("json", "\"cause\": \"nothing\""),
            ("sarif", "\"executionSuccessful\": true"),
            ("human", "ALLOW  0 denied"),
        ],
    );
    of(&["allow", "--locked"], 2, &[("json", "--locked needs a lock file")]);
    // A person reads it on stderr, with its line, and once.
    let said = place.modelhost(&["run", "allow", "--config", "bad.toml"]);
    said.code(2).says("bad.toml:3");
    assert_eq!(said.stdout, "");
    // Such a report vouches for nothing.
    place.modelhost(&["run", "allow", "--config", "bad.toml", "-o", "json=bad.json"]).code(2);
    place.modelhost(&["attest", "bad.json"]).code(2).says("about no model");
}

/// Paths are relative to the repository's top, wherever in it the run begins.
#[test]
fn findings_are_at_lines_of_the_repository() {
    let place = place();
    std::fs::create_dir(place.path().join(".git")).expect("a folder");
    place.write("modelhost.toml", "version = 1\n\n[[model]]\nname = \"m\"\npath = \"sub/deny\"\n");
    place.write("sub/deny/pytorch model.bin", model::malicious_pickle());
    let first = |place: &Place| -> String {
        let mut command = place.command(&["run", "deny", "-o", "sarif"]);
        command.current_dir(place.path().join("sub"));
        let said = place.said(&command.output().expect("modelhost starts"));
        let result = &said.code(1).json()["runs"][0]["results"][0];
        let of = |location: &serde_json::Value| {
            let place = &location["physicalLocation"];
            let line = &place["region"]["startLine"];
            format!("{}:{line}", place["artifactLocation"]["uri"].as_str().expect("a text"))
        };
        format!("{} {}", of(&result["locations"][0]), of(&result["relatedLocations"][0]))
    };
    assert_eq!(first(&place), "modelhost.toml:4 sub/deny/pytorch%20model.bin:null");
    place.modelhost(&["lock"]).code(0);
    let lock = place.read("modelhost.lock");
    let line =
        lock.lines().position(|line| line.contains("pytorch model.bin")).expect("a line") + 1;
    assert_eq!(first(&place), format!("modelhost.lock:{line} sub/deny/pytorch%20model.bin:null"));
}

/// A fingerprint names a finding in every format, and outlives a new run.
#[test]
fn a_finding_has_one_fingerprint_in_every_format() {
    let place = place();
    let report = place.modelhost(&["run", "deny", "-o", "json"]).json();
    let findings = report["tasks"].as_array().expect("tasks").iter();
    let mut findings =
        findings.flat_map(|task| task["findings"].as_array().expect("findings").clone());
    let finding = findings.find(|finding| finding["denies"] == true).expect("a finding");
    let fingerprint = finding["fingerprint"].as_str().expect("a text");
    for format in ["sarif", "gitlab", "markdown", "html", "jsonl"] {
        let said = place.modelhost(&["run", "deny", "-o", format]);
        assert!(said.stdout.contains(fingerprint), "{format}");
    }
}
