//! Hostile guests: each ends as its first lines say, and its neighbours don't
//! notice.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::command::{Place, Said};
use crate::support::component::{self, Guest};
use crate::support::model;

/// A folder with one model and the plugins `guests`.
fn place(guests: &[&Guest]) -> Place {
    let place = Place::new();
    place.write("model/weights.safetensors", model::safetensors(4));
    place.write("model/README.md", "# A model\n");
    let mut policy = "version = 1\n".to_owned();
    for guest in guests {
        component::write(&place.path().join("plugins"), &guest.name, &guest.plugin);
        // Some guests run until their fuel is used up: the default takes seconds.
        policy.push_str(&format!(
            "[plugin.{}]\nlimits = {{ fuel = {FUEL}, host-calls = 10000 }}\n",
            guest.name
        ));
    }
    place.write("modelhost.toml", policy);
    place
}

/// Enough for every honest guest.
const FUEL: u64 = 50_000_000;

fn run(place: &Place) -> Said {
    run_with(place, &[])
}

fn run_with(place: &Place, more: &[&str]) -> Said {
    let args = [
        "run",
        "model",
        "--no-bundled",
        "--plugins",
        "plugins",
        "-o",
        "json",
        "--now",
        "2026-01-01",
    ];
    place.modelhost(&[&args[..], more].concat())
}

/// Returns what came of each plugin: its verdict, and the code of its failure.
fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let tasks = report["tasks"].as_array().expect("tasks");
    let verdict = |task: &Value| {
        let verdict = task["verdict"].as_str().expect("a verdict");
        match (task["ending"].as_str().expect("an ending"), task["failure"]["code"].as_str()) {
            ("refused", _) => "refused".to_owned(),
            ("failed", Some(code)) => format!("{verdict} {code}"),
            _ => verdict.to_owned(),
        }
    };
    tasks
        .iter()
        .map(|task| (task["plugin"].as_str().expect("an id").to_owned(), verdict(task)))
        .collect()
}

#[test]
fn each_guest_ends_as_it_says() {
    let mut wrong = Vec::new();
    for guest in Guest::all() {
        let said = run(&place(&[&guest]));
        if guest.outcome == "invalid" {
            said.code(2).says(guest.says.as_deref().unwrap_or(&guest.name));
            continue;
        }
        let report = said.json();
        let verdict = verdicts(&report).remove(&guest.name).expect("a task");
        let expected = if guest.outcome.starts_with("error") || guest.outcome == "refused" {
            "incomplete"
        } else {
            "deny"
        };
        // A file that nobody judged keeps every one of these runs from `allow`.
        if !matches!(said.code, 1 | 3)
            || (said.code == 3 && expected == "deny" && guest.outcome == "fail")
        {
            wrong.push(format!("{}: exit code {}", guest.name, said.code));
        }
        if verdict != guest.outcome {
            wrong.push(format!(
                "{}: {verdict} instead of {}: {}",
                guest.name, guest.outcome, said.stdout
            ));
        }
        if let Some(part) = &guest.says {
            let tasks = report["tasks"].to_string().to_lowercase();
            if !tasks.contains(&part.to_lowercase().replace('\\', "\\\\")) {
                wrong.push(format!("{}: does not say {part}: {tasks}", guest.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn guests_end_alike_twice_and_beside_each_other() {
    let guests: Vec<Guest> =
        Guest::all().into_iter().filter(|guest| guest.outcome != "invalid").collect();
    let place = place(&guests.iter().collect::<Vec<_>>());
    let first = run(&place);
    let again = run_with(&place, &["--jobs", "1"]);
    first.code(1);
    assert_eq!(first.stdout, again.stdout, "two runs differ");
    let verdicts = verdicts(&first.json());
    for guest in &guests {
        assert_eq!(verdicts.get(&guest.name), Some(&guest.outcome), "{}", guest.name);
    }
}

#[test]
fn text_of_guests_can_not_act() {
    for name in ["acting-text", "honest-skip"] {
        let guest = Guest::read(name);
        let place = place(&[&guest]);
        for format in ["human", "json"] {
            let output = place
                .command(&[
                    "run",
                    "model",
                    "--no-bundled",
                    "--plugins",
                    "plugins",
                    "-v",
                    "-o",
                    format,
                ])
                .output();
            let output = output.expect("modelhost starts");
            for stream in [&output.stdout, &output.stderr] {
                let text = String::from_utf8(stream.clone()).expect("UTF-8");
                assert!(
                    !text.chars().any(|c| c.is_control() && c != '\n'),
                    "{name} in {format}: {text:?}"
                );
                assert!(!text.contains('\u{202e}'), "{name} in {format}: {text:?}");
                for line in text.lines() {
                    assert!(!line.trim_start().starts_with("::"), "{name} in {format}: {line}");
                    assert!(!line.contains("##["), "{name} in {format}: {line}");
                }
            }
        }
    }
}

#[test]
fn what_is_not_granted_is_refused_with_the_line_to_add() {
    let place = place(&[&Guest::read("asks-documents")]);
    let said = place.modelhost(&["run", "model", "--no-bundled", "--plugins", "plugins"]);
    said.code(3)
        .says("error[refused]")
        .says("documents")
        .says("[plugin.asks-documents] grants = [\"documents:NAME\"]");
    place.write("notes.txt", "hello");
    let digest = modelhost::domain::digest::Digest::of(b"hello");
    place.write(
        "modelhost.toml",
        format!(
            "version = 1\n[plugin.asks-documents]\ngrants = [\"documents:notes\"]\n[documents]\nnotes = {{ path = \"notes.txt\", digest = \"{digest}\" }}\n"
        ),
    );
    let said = run(&place);
    assert_eq!(verdicts(&said.json())["asks-documents"], "pass");
}

#[test]
fn a_capability_can_be_taken_away() {
    let place = place(&[&Guest::read("log-flood")]);
    place.write("modelhost.toml", "version = 1\n[plugin.log-flood]\ndeny = [\"log\"]\n");
    let said = run(&place);
    assert_eq!(verdicts(&said.json())["log-flood"], "refused");
}

#[test]
fn fuel_ends_at_the_same_count_each_time() {
    let place = place(&[&Guest::read("loop-in-check")]);
    let fuel = |said: &Said| said.json()["tasks"][0]["usage"]["fuel"].as_u64();
    let first = fuel(&run(&place)).expect("fuel");
    for _ in 0..3 {
        assert_eq!(fuel(&run(&place)), Some(first));
    }
}

#[test]
fn limits_are_set_by_the_policy() {
    let place = place(&[&Guest::read("memory-bomb")]);
    place.write(
        "modelhost.toml",
        "version = 1\n[plugin.memory-bomb]\nlimits = { memory = \"16MiB\" }\n",
    );
    run(&place).code(3).says("16777216 are allowed").says("limits = { memory = \\\"32MiB\\\" }");
}
