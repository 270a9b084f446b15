//! The format `timings`: what does not repeat, for whoever wants to know where
//! the time went.
//!
//! Leaves everything that repeats to the report.

use std::io;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::json::layout;
use crate::domain::report::{PluginTiming, TaskTiming, Timings};

/// What `schema` says in this format's version.
const SCHEMA: &str = "modelhost-timings/v1";

/// The times of a run of modelhost. All times are in milliseconds; none of them
/// repeats.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "modelhost timings, version 1")]
struct Document<'a> {
    /// `modelhost-timings/v1`.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// What ran the plugins: `in-process`, `process`, or `process, without ` and
    /// the parts of the wall that this system does not have; empty where none ran.
    isolation: &'a str,
    /// From start to decision.
    total_ms: f64,
    /// Listing and opening the models.
    open_ms: f64,
    /// Reading and validating the plugins.
    resolve_ms: f64,
    /// Compiling the plugins, or loading them; summed over all threads.
    compile_ms: f64,
    /// Hashing, beside the tasks.
    hash_ms: f64,
    /// Running the tasks.
    execute_ms: f64,
    /// Each plugin's compiling.
    plugins: Vec<Plugin<'a>>,
    /// Each task, in the order of the report's tasks.
    tasks: layout::Each<'a, Task<'a>>,
}

/// How long a plugin took to compile, or to load.
#[derive(Serialize, JsonSchema)]
struct Plugin<'a> {
    /// Its id.
    id: &'a str,
    /// Whether the cache had it.
    cached: bool,
    /// How long it took.
    compile_ms: f64,
    /// How much processor time compiling may take; twice that on the wall.
    compile_limit_ms: f64,
    /// The most memory in bytes of the process that compiled it; absent where
    /// none did, or the system does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    compile_rss: Option<u64>,
    /// How many bytes compiling may take.
    compile_memory_limit: u64,
    /// The most memory in bytes of a process that ran it, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    rss: Option<u64>,
}

/// How long a task took.
#[derive(Serialize, JsonSchema)]
struct Task<'a> {
    /// The id of its plugin.
    plugin: &'a str,
    /// The name of the model.
    model: &'a str,
    /// The file, for a task on one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// Making the instance.
    instantiate_ms: f64,
    /// The call.
    check_ms: f64,
    /// The wall deadline it was held to.
    deadline_ms: f64,
}

impl<'a> From<&'a PluginTiming> for Plugin<'a> {
    fn from(timing: &'a PluginTiming) -> Self {
        Self {
            id: timing.plugin.as_str(),
            cached: timing.cached,
            compile_ms: ms(timing.took),
            compile_limit_ms: ms(timing.limits.compile_time),
            compile_rss: timing.compile_rss,
            compile_memory_limit: timing.limits.compile_memory,
            rss: timing.rss,
        }
    }
}

impl<'a> From<&'a TaskTiming> for Task<'a> {
    fn from(timing: &'a TaskTiming) -> Self {
        Self {
            plugin: timing.plugin.as_str(),
            model: timing.model.as_str(),
            file: timing.file.as_ref().map(|file| file.as_str()),
            instantiate_ms: ms(timing.instantiate),
            check_ms: ms(timing.check),
            deadline_ms: ms(timing.deadline),
        }
    }
}

impl<'a> From<&'a Timings> for Document<'a> {
    fn from(timings: &'a Timings) -> Self {
        Self {
            schema: SCHEMA,
            isolation: &timings.isolation,
            total_ms: ms(timings.total),
            open_ms: ms(timings.open),
            resolve_ms: ms(timings.resolve),
            compile_ms: ms(timings.compile),
            hash_ms: ms(timings.hash),
            execute_ms: ms(timings.execute),
            plugins: timings.plugins.iter().map(Plugin::from).collect(),
            tasks: layout::Each::of(&timings.tasks),
        }
    }
}

/// Milliseconds to the microsecond: more digits are noise.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Writes `timings` to `out`.
pub(super) fn write(timings: &Timings, out: &mut dyn io::Write) -> io::Result<()> {
    layout::write(&Document::from(timings), out)
}

/// Returns the JSON Schema of this format.
pub fn json_schema() -> serde_json::Value {
    layout::schema::<Document<'static>>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[test]
    fn what_is_written_fits_the_schema() {
        let mut out = Vec::new();
        write(&testing::timings(), &mut out).expect("a Vec takes everything");
        let value: serde_json::Value = serde_json::from_slice(&out).expect("it is JSON");
        let schema = json_schema();
        jsonschema::validate(&schema, &value).expect("it fits");
        insta::assert_snapshot!(String::from_utf8(out).expect("JSON is UTF-8"));
        let mut other = value;
        other["schema"] = "modelhost-timings/v2".into();
        assert!(!jsonschema::is_valid(&schema, &other));
    }
}
