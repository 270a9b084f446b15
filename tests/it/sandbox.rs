//! Hostile guests: each ends as its first lines say, and its neighbours don't
//! notice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelhost::domain::capability::Limit;
use serde_json::Value;

use crate::support::command::{Place, Said};
use crate::support::component::{self, Guest};
use crate::support::model;

/// The README's table is the table that holds.
#[test]
fn the_readme_lists_every_limit() {
    let readme = std::fs::read_to_string(crate::support::root().join("README.md")).expect("it");
    for limit in Limit::ALL {
        let (unit, default) = (limit.unit(), limit.unit().write(limit.default()));
        let most = unit.write(limit.most_asked());
        let row = format!("| `{}` | {default} | {most} | {} |", limit.name(), limit.range());
        assert!(readme.contains(&row), "README.md lacks {row}");
    }
}

/// A folder with one model and the plugins `guests`.
fn place(guests: &[&Guest]) -> Place {
    let place = Place::new();
    place.write("model/weights.safetensors", model::safetensors(4));
    place.write("model/README.md", "# A model\n");
    let mut policy = "version = 1\n".to_owned();
    for guest in guests {
        component::write(&place.path().join("plugins"), &guest.name, &guest.plugin);
        policy.push_str(&guest.policy());
    }
    place.write("modelhost.toml", policy);
    place
}

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

/// Returns what came of each plugin: its verdict, and the code of its failure;
/// where its tasks ended in several ways, all of them.
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
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for task in tasks {
        let plugin = task["plugin"].as_str().expect("an id").to_owned();
        all.entry(plugin).or_default().insert(verdict(task));
    }
    all.into_iter()
        .map(|(plugin, all)| (plugin, all.into_iter().collect::<Vec<_>>().join(", ")))
        .collect()
}

/// Returns the bytes of the report that tell of each plugin's tasks.
fn tasks(said: &Said) -> BTreeMap<String, String> {
    let (_, tasks) = said.stdout.split_once("\n  \"tasks\": [\n").expect("tasks");
    let mut of = BTreeMap::<String, String>::new();
    for task in tasks.split("\n    {\n") {
        let task = task.trim_end_matches("\n  ]\n}").trim_end_matches(',');
        let task = task.trim_start_matches("    {\n");
        let start = "\"plugin\": \"";
        let (_, rest) = task.split_once(start).expect("the plugin of a task");
        let (plugin, _) = rest.split_once('"').expect("the plugin of a task");
        of.entry(plugin.to_owned()).or_default().push_str(task);
    }
    of
}

/// Does `work` for each of `items` on as many threads as there are processors,
/// and returns what is wrong.
fn on_all<T: Sync>(items: &[T], work: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = work(item);
                    wrong.lock().expect("no thread panicked").extend(found);
                }
            });
        }
    });
    wrong.into_inner().expect("no thread panicked")
}

/// Each guest alone, and beside an honest guest that passes and one that fails:
/// it ends as it says, at the same fuel both times, and they don't notice it.
#[test]
fn each_guest_ends_as_it_says_and_its_neighbours_do_not_notice() {
    let honest = [Guest::read("honest-pass"), Guest::read("honest-fail")];
    let neighbours = tasks(&run(&place(&honest.iter().collect::<Vec<_>>())));
    assert_eq!(neighbours.len(), 2, "{neighbours:?}");
    let guests = Guest::all();
    assert!(guests.len() >= 65, "{} guests", guests.len());
    let wrong = on_all(&guests, |guest| {
        let alone = run(&place(&[guest]));
        let is_honest = neighbours.contains_key(&guest.name);
        let both = honest.iter().filter(|_| !is_honest).chain([guest]);
        let beside = run(&place(&both.collect::<Vec<_>>()));
        let mut wrong = Vec::new();
        let mut must = |holds: bool, what: &str, said: &Said| {
            if !holds {
                wrong.push(format!("{}: {what}: {}{}", guest.name, said.stdout, said.stderr));
            }
        };
        if guest.outcome == "invalid" {
            for said in [&alone, &beside] {
                must(said.code == 2, &format!("exit code {}", said.code), said);
                must(said.is_unrun(), "something ran", said);
                let part = guest.says.as_deref().unwrap_or(&guest.name);
                must(said.stderr.contains(part), &format!("does not say {part}"), said);
            }
            return wrong;
        }
        // A file that nobody judged keeps every one of these runs from `allow`.
        let code = if guest.outcome == "fail" { 1 } else { 3 };
        must(alone.code == code, &format!("exit code {}", alone.code), &alone);
        if !matches!(alone.code, 1 | 3) {
            return wrong;
        }
        let report = alone.json();
        let verdict = verdicts(&report).remove(&guest.name).expect("a task");
        must(verdict == guest.outcome, &format!("{verdict}, not {}", guest.outcome), &alone);
        if let Some(part) = &guest.says {
            let told = report["tasks"].to_string().to_lowercase();
            let part = part.to_lowercase().replace('\\', "\\\\").replace('"', "\\\"");
            must(told.contains(&part), &format!("does not say {part}"), &alone);
        }
        let beside_tasks = tasks(&beside);
        must(
            tasks(&alone).get(&guest.name) == beside_tasks.get(&guest.name),
            "ends otherwise beside others",
            &beside,
        );
        for (name, before) in &neighbours {
            if !is_honest {
                must(beside_tasks.get(name) == Some(before), &format!("{name} noticed"), &beside);
            }
        }
        wrong
    });
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
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

/// Where a limit of a guest's task ended it, the report says how much it used,
/// how much it might have, and the line of the policy that gives it more.
#[test]
fn a_limit_is_told_with_its_figures_and_its_way_out() {
    let guests = [
        ("loop-in-check", "fuel", "fuel = 100000000"),
        ("memory-bomb", "memory", "memory = \"512MiB\""),
        ("table-bomb", "table_elements", "table-elements = 200000"),
        ("call-flood", "host_calls", "host-calls = 20000"),
        ("handle-flood", "handles", "handles = 2048"),
        ("read-flood", "bytes_read", "bytes-read = \"128KiB\""),
        ("too-many-findings", "findings", "findings = 2000"),
        ("too-many-facts", "facts", "facts = 512"),
        ("long-message", "text", "text = \"8KiB\""),
    ];
    for (name, figure, line) in guests {
        let guest = Guest::read(name);
        let place = place(&[&guest]);
        let said = run(&place);
        let task = &said.json()["tasks"][0];
        let (used, most) = (task["usage"][figure].as_u64(), task["limits"][figure].as_u64());
        let (used, most) = (used.expect(name), most.expect(name));
        // What was asked for past the limit was not given; an answer was.
        let answer = matches!(figure, "findings" | "facts" | "text");
        assert!(answer == (used > most) || used == most + 1, "{name}: {used} of {most}");
        assert!(answer || used * 10 >= most * 9, "{name}: {used} of {most}");
        let help = task["failure"]["help"].as_str().expect(name);
        assert!(help.contains(&format!("[plugin.{name}] limits = {{ {line} }}")), "{help}");
        let human = ["run", "model", "--no-bundled", "--plugins", "plugins"];
        place.modelhost(&human).code(3).says(&format!("limits = {{ {line} }}"));
        // The line that is told is one that the policy takes.
        place.write(
            "modelhost.toml",
            format!("version = 1\n[plugin.{name}]\nlimits = {{ {line} }}\n"),
        );
        assert_ne!(run(&place).code, 2, "{name}: {line}");
    }
}

/// The wall clock is the one limit of a running guest that may not repeat, and is
/// told as such.
#[test]
fn the_wall_clock_is_told_as_what_may_not_repeat() {
    let place = place(&[&Guest::read("loop-in-check")]);
    place.write(
        "modelhost.toml",
        "version = 1\n[plugin.loop-in-check]\nlimits = { deadline = \"200ms\", fuel = 1000000000000000 }\n",
    );
    for isolation in ["process", "in-process"] {
        let said = run_with(&place, &["--isolation", isolation]);
        let failure = &said.code(3).json()["tasks"][0]["failure"];
        assert_eq!(failure["code"], "limit/deadline", "{failure}");
        assert_eq!(failure["retryable"], true, "{failure}");
        let help = failure["help"].as_str().expect("help");
        assert!(help.contains("limits = { deadline = \"400ms\" }"), "{help}");
    }
    let said = place.modelhost(&["run", "model", "--no-bundled", "--plugins", "plugins"]);
    said.code(3).says("error[limit/deadline]").says("this may end otherwise the next time");
}

#[test]
fn text_of_guests_can_not_act() {
    for name in ["acting-text", "acting-log", "honest-skip"] {
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
