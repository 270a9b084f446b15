//! How the work of the scanners grows with hostile input: by the fuel that the host
//! counts, for a size and for four times that size.

mod formats;
mod pickle;

use crate::support::command::Place;

/// What is left out of account at either size: starting a check.
const START: u64 = 300_000;

/// What is hostile about a file, its path, and its bytes at some size.
type Family = (&'static str, &'static str, fn(usize) -> Vec<u8>);

/// Returns the fuel that a plugin used on a file, and whether it came to an end.
fn fuel(place: &Place, plugin: &str, path: &str) -> (u64, bool) {
    let said = place.modelhost(&["run", "--only", plugin, "-o", "json", path]);
    let report = said.json();
    let tasks = report["tasks"].as_array().expect("tasks");
    let task = tasks.iter().find(|task| task["plugin"] == plugin).expect("its task");
    let used = task["usage"]["fuel"].as_u64().expect("fuel");
    let findings = task["findings"].as_array().map_or(0, Vec::len);
    assert!(findings <= 1_000, "{path}: {findings} findings");
    (used, task["failure"].is_null())
}

/// Asserts that four times the input costs at most `most` times the fuel, from
/// `size` on, and that either comes to an end.
fn grows_with_its_input(plugin: &str, families: &[Family], size: usize, most: f64) {
    let mut wrong = Vec::new();
    for (name, path, make) in families {
        let of = |size: usize| {
            let place = Place::new();
            place.write(path, make(size));
            fuel(&place, plugin, path)
        };
        let ((small, _), (large, ended)) = (of(size), of(4 * size));
        let [less, more] = [small, large].map(|fuel| fuel.saturating_sub(START).max(1));
        let ratio = more as f64 / less as f64;
        eprintln!("{plugin}: {name}: {small} and {large} units of fuel, {ratio:.1} times");
        if !ended || (ratio > most && more > START) {
            wrong.push(format!("{name}: {ratio:.1} times, to an end: {ended}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
