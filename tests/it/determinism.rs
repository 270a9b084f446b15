//! The same inputs give the same bytes of report, however often and on however
//! many threads.

use crate::support::command::Place;
use crate::support::component::{self, Guest};
use crate::support::model;

/// How often a run is repeated in CI, and with `MODELHOST_LONG_TESTS`.
const REPEATS: [usize; 2] = [100, 1000];

/// Guests that end in each way there is: with answers of each kind, at limits,
/// in traps, refused.
const GUESTS: [&str; 12] = [
    "acting-text",
    "asks-documents",
    "honest-fail",
    "honest-pass",
    "honest-skip",
    "honest-warn",
    "keeps-state",
    "log-flood",
    "loop-in-check",
    "lying-pass",
    "memory-bomb",
    "trap",
];

#[test]
fn a_run_gives_the_same_bytes_each_time() {
    let long = std::env::var_os("MODELHOST_LONG_TESTS").is_some();
    let repeats = REPEATS[usize::from(long)];
    let place = Place::new();
    place
        .write("model/weights.safetensors", model::safetensors(64))
        .write("model/a.pkl", model::malicious_pickle())
        .write("model/README.md", "# A model\n");
    let mut policy = "version = 1\n".to_owned();
    for name in GUESTS {
        let guest = Guest::read(name);
        component::write(&place.path().join("plugins"), name, &guest.plugin);
        policy.push_str(&format!(
            "[plugin.{name}]\nlimits = {{ fuel = 2000000, host-calls = 2000, memory = \"16MiB\" }}\n"
        ));
    }
    place.write("modelhost.toml", policy);
    let run = |jobs: &str| {
        let args = ["run", "model", "--plugins", "plugins", "-o", "json", "--now", "2026-01-01"];
        let said = place.modelhost(&[&args[..], &["--jobs", jobs]].concat());
        said.code(1);
        said.stdout
    };
    let first = run("1");
    for repeat in 1..repeats {
        let jobs = if repeat % 2 == 0 { "1" } else { "8" };
        let again = run(jobs);
        let differing = first.lines().zip(again.lines()).find(|(one, other)| one != other);
        assert!(
            first == again,
            "run {repeat}, with --jobs {jobs}, differs from the first: {differing:?}"
        );
    }
    eprintln!("{repeats} runs gave the same {} bytes", first.len());
}
