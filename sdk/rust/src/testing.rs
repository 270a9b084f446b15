//! Run a check natively on a model in memory.
//!
//! A [`Model`] stands in for the host: it shows files, a definition, a lock entry,
//! documents and a date, remembers what was read of each file, and fails where a test
//! asks it to. [`check`] runs a check on it the way the host would, and panics where
//! the host would refuse the answer.
//!
//! This module is there natively only, so it belongs into tests.

mod digest;
pub(crate) mod double;
mod lock;
mod manifest;
mod model;
mod refuse;
mod registry;

pub use serde_json::{Value, json};

pub use lock::Lock;
pub use manifest::{Manifest, ManifestRule, Reads, Scope, manifest};
pub use model::Model;
pub use registry::RegistrySet;

use crate::answer::{Answer, Failure};
use crate::check::{Check, run};
use crate::model::Level;

/// How large the JSON of the settings may be, as the contract says.
const MAX_SETTINGS: usize = 64 * 1024;

/// Runs a check on a model, with settings that take the same way as from the host: JSON
/// text, then serde.
///
/// What was read and logged is remembered anew for each run.
///
/// # Errors
///
/// What the check could not do, or why its settings can't be used.
///
/// # Panics
///
/// Where the host would refuse to go on: settings that are no JSON object or above
/// 64 KiB; an answer that breaks a bound of the contract or names a path that is neither in view
/// nor in the lock entry.
#[track_caller]
pub fn check<C: Check>(model: &Model, settings: Value) -> Result<Answer, Failure> {
    assert!(settings.is_object(), "settings are a JSON object");
    let settings = settings.to_string();
    assert!(settings.len() <= MAX_SETTINGS, "settings have at most 64 KiB");
    *model.shared.record() = double::Record::default();
    let answer = run::<C>(&model.view(), &settings);
    if let Ok(answer) = &answer
        && let Err(why) = refuse::accept(model, answer)
    {
        panic!("the host would refuse this answer: {why}");
    }
    answer
}

/// Returns how many distinct bytes of a file were read or digested.
///
/// # Panics
///
/// If there is no file of that path.
#[must_use]
#[track_caller]
pub fn bytes_read(model: &Model, path: &str) -> u64 {
    ranges_read(model, path).iter().map(|(start, end)| end - start).sum()
}

/// Returns which bytes of a file were read or digested, as start and end of each stretch:
/// in order, apart from each other.
///
/// # Panics
///
/// If there is no file of that path.
#[must_use]
#[track_caller]
pub fn ranges_read(model: &Model, path: &str) -> Vec<(u64, u64)> {
    assert!(model.files.contains_key(path), "the model has no file {path:?}");
    let record = model.shared.record();
    record.read.get(path).map(|ranges| ranges.iter().collect()).unwrap_or_default()
}

/// Returns what the check logged.
#[must_use]
pub fn logged(model: &Model) -> Vec<(Level, String)> {
    model.shared.record().log.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Definition, Location, Observations, Rule, Severity};

    const RULE: Rule = Rule::new("rule", Severity::Low);

    /// A check that does as its settings say.
    struct Puppet;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[derive(Default)]
    struct Strings {
        read: Vec<String>,
        find: Vec<String>,
        skip: String,
    }

    impl Check for Puppet {
        type Settings = Strings;

        fn check(model: &crate::Model<'_>, strings: Strings) -> Result<Answer, Failure> {
            model.log(Level::Info, "pulled");
            for path in &strings.read {
                let file = model.file(path).ok_or(Failure::Internal(String::new()))?;
                file.read_all(u64::MAX).map_err(|error| error.in_file(&file))?;
            }
            if !strings.skip.is_empty() {
                return Ok(Answer::not_applicable("x".repeat(9_999)));
            }
            let find = |path| RULE.finding(Location::path(path), "seen");
            Ok(strings.find.into_iter().map(find).collect::<Observations>().into())
        }
    }

    fn model() -> Model {
        Model::new("m").file("a", "1").file("b", "22")
    }

    #[test]
    fn a_run_remembers_what_it_alone_did() {
        let model = model();
        check::<Puppet>(&model, json!({ "read": ["a"] })).unwrap();
        assert_eq!((bytes_read(&model, "a"), bytes_read(&model, "b")), (1, 0));
        assert_eq!(logged(&model), [(Level::Info, "pulled".to_owned())]);
        check::<Puppet>(&model, json!({ "read": ["b"] })).unwrap();
        assert_eq!((bytes_read(&model, "a"), bytes_read(&model, "b")), (0, 2));
        assert_eq!(logged(&model).len(), 1);
    }

    #[test]
    fn answers_and_failures_arrive_as_the_host_gets_them() {
        let answer = check::<Puppet>(&model(), json!({ "skip": "yes" })).unwrap();
        let Answer::NotApplicable(reason) = answer else { panic!("{answer:?}") };
        assert_eq!(reason.len(), crate::MAX_TEXT);
        let failure = check::<Puppet>(&model(), json!({ "read": ["c"] })).unwrap_err();
        assert_eq!(failure, Failure::Internal("(no message)".to_owned()));
        let failure = check::<Puppet>(&model().changed("b"), json!({ "read": ["b"] })).unwrap_err();
        assert_eq!(failure, Failure::Unreadable("b: the file changed during the run".to_owned()));
        let failure = check::<Puppet>(&model(), json!({ "strings": 1 })).unwrap_err();
        assert!(matches!(failure, Failure::InvalidSettings(_)), "{failure}");
    }

    #[test]
    #[should_panic(expected = "the host would refuse this answer: finding \"rule\": path \"c\"")]
    fn an_answer_that_the_host_would_refuse_panics() {
        let _ = check::<Puppet>(&model(), json!({ "find": ["a", "c"] }));
    }

    #[test]
    #[should_panic(expected = "settings are a JSON object")]
    fn settings_that_are_no_object_panic() {
        let _ = check::<Puppet>(&model(), json!([]));
    }

    #[test]
    #[should_panic(expected = "at most 64 KiB")]
    fn settings_above_the_bound_panic() {
        let _ = check::<Puppet>(&model(), json!({ "skip": "x".repeat(MAX_SETTINGS) }));
    }

    #[test]
    fn models_change_after_locking() {
        let definition = Definition {
            source: Some("hf:o/m".into()),
            revision: Some("r".into()),
            ..Definition::default()
        };
        let model = model().definition(definition.clone()).lock_as_is();
        let before = model.view().lock().unwrap();
        assert_eq!((before.source, before.revision), (definition.source, definition.revision));
        let model = model.replace("a", "changed").without("b").file("c", "new");
        let lock = model.view().lock().unwrap();
        assert_eq!(lock.tree, before.tree);
        assert_eq!(lock.tree, Lock::new().bytes("a", b"1").bytes("b", b"22").build().tree);
        let paths: Vec<_> = model.view().files().map(|file| file.path()).collect();
        assert_eq!(paths, ["a", "c"]);
        let model = model.only("c");
        assert_eq!(model.view().len(), 1);
        assert_eq!(model.view().lock().unwrap().count, 2);
        check::<Puppet>(&model, json!({ "find": ["b", "c"] })).unwrap();
    }

    #[test]
    fn what_the_host_would_not_show_panics() {
        let long = "p/".repeat(2_049);
        type Case<'a> = (&'a str, fn(&str));
        let cases: [Case<'_>; 8] = [
            ("/a", |path| drop(Model::new("m").file(path, ""))),
            ("a//b", |path| drop(Model::new("m").file(path, ""))),
            ("", |path| drop(Model::new("m").file(path, ""))),
            ("a/../b", |path| drop(Model::new("m").file(path, ""))),
            ("a\nb", |path| drop(Model::new("m").file(path, ""))),
            (&long, |path| drop(Model::new("m").file(path, ""))),
            ("a", |path| drop(Model::new("m").file(path, "").file(path, ""))),
            ("", |name| drop(Model::new(name))),
        ];
        for (text, make) in cases {
            assert!(std::panic::catch_unwind(|| make(text)).is_err(), "{text:?}");
        }
        let missing: [fn(Model) -> Model; 6] = [
            |model| model.replace("x", ""),
            |model| model.without("x"),
            |model| model.only("x"),
            |model| model.unreadable("x"),
            |model| model.changed("x"),
            |model| model.unreadable_document("x"),
        ];
        for (number, change) in missing.into_iter().enumerate() {
            assert!(std::panic::catch_unwind(|| drop(change(model()))).is_err(), "{number}");
        }
        let pieces: [&[(u64, &[u8])]; 3] =
            [&[(9, b"xx")], &[(0, b"xx"), (1, b"y")], &[(u64::MAX, b"x")]];
        for pieces in pieces {
            let make = || drop(Model::new("m").sparse_file("f", 10, pieces.iter().copied()));
            assert!(std::panic::catch_unwind(make).is_err(), "{pieces:?}");
        }
    }
}
