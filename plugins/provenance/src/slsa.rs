//! SLSA provenance, version 1: how the subjects of an attestation were built, against
//! what the policy expects (SLSA 1.1, "verifying artifacts").
//!
//! It leaves to others: whose word it is (`verify`), and which files are meant
//! (`attestation`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The type of the predicate.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";

/// Where builders state the repository that they built from.
const SOURCES: [&str; 4] = ["workflow.repository", "source", "source.uri", "repository"];

/// What the policy expects of a build. `plugin.toml` describes each setting.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    builders: Vec<Builder>,
    #[serde(default = "first_level")]
    level: u8,
    source: String,
    build_types: Vec<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    #[serde(default)]
    allow_parameters: Vec<String>,
}

/// A builder that the policy trusts, up to a level.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Builder {
    id: String,
    #[serde(default = "first_level")]
    level: u8,
}

fn first_level() -> u8 {
    1
}

/// A build as the policy expects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Who built.
    pub builder: String,
    /// The level up to which the policy trusts them.
    pub level: u8,
    /// The repository.
    pub source: String,
}

/// Why a build is not as expected. Each text is a clause about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The statement can't be read.
    Malformed(String),
    /// Somebody else built.
    Builder(String),
    /// It was built otherwise.
    Build(String),
}

#[derive(Deserialize)]
struct Body {
    predicate: Predicate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    build_definition: Definition,
    run_details: Details,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    build_type: String,
    external_parameters: Map<String, Value>,
}

#[derive(Deserialize)]
struct Details {
    builder: BuilderText,
}

#[derive(Deserialize)]
struct BuilderText {
    id: String,
}

/// Checks the build that a verified statement tells of. `certified` is the repository in
/// the signer's certificate, where there is one.
///
/// # Errors
/// Says why it is not as expected.
pub fn check(
    payload: &[u8],
    expected: &Expected,
    certified: Option<&str>,
) -> Result<Build, Refusal> {
    let body: Body = serde_json::from_slice(payload)
        .map_err(|error| Refusal::Malformed(format!("its predicate can't be read: {error}")))?;
    let Predicate { build_definition: definition, run_details } = body.predicate;
    let id = run_details.builder.id;
    let builder = expected.builders.iter().find(|builder| builder.id == id);
    let Some(builder) = builder else {
        return Err(Refusal::Builder(format!(
            "it was built by `{id}`, whom the policy does not name"
        )));
    };
    if builder.level < expected.level {
        return Err(Refusal::Builder(format!(
            "it was built by `{id}`, whom the policy trusts up to level {}, and level {} is asked for",
            builder.level, expected.level
        )));
    }
    if !expected.build_types.contains(&definition.build_type) {
        let text = format!("it is a build of the type `{}`", definition.build_type);
        return Err(Refusal::Build(text));
    }
    let parameters = flatten(&definition.external_parameters);
    let source = repository(&expected.source);
    let mut is_stated = false;
    for (name, value) in &parameters {
        let stated = value.as_str().filter(|_| SOURCES.contains(&name.as_str()));
        if let Some(stated) = stated {
            if repository(stated) != source {
                return Err(Refusal::Build(format!("it was built from `{stated}`")));
            }
            is_stated = true;
        } else if let Some(wanted) = expected.parameters.get(name) {
            if wanted != *value {
                return Err(Refusal::Build(format!("its parameter `{name}` is {value}")));
            }
        } else if !expected.allows(name) {
            return Err(Refusal::Build(format!(
                "it has the parameter `{name}`, which the policy neither expects nor allows"
            )));
        }
    }
    if let Some(absent) = expected.parameters.keys().find(|name| !parameters.contains_key(*name)) {
        return Err(Refusal::Build(format!("it has no parameter `{absent}`")));
    }
    if let Some(certified) = certified.filter(|certified| repository(certified) != source) {
        return Err(Refusal::Build(format!("its signer's certificate is for `{certified}`")));
    }
    match is_stated || certified.is_some() {
        true => Ok(Build { builder: id, level: builder.level, source: source.to_owned() }),
        false => Err(Refusal::Build("it does not say from which repository it was built".into())),
    }
}

impl Expected {
    /// Tells whether a parameter may have any value: it, or what it is part of, is
    /// allowed by name.
    fn allows(&self, name: &str) -> bool {
        self.allow_parameters.iter().any(|allowed| {
            let rest = name.strip_prefix(allowed.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}

/// Takes off a repository's address what tells how to fetch it, and which revision.
fn repository(address: &str) -> &str {
    let address = address.strip_prefix("git+").unwrap_or(address);
    let path = address.find("://").map_or(0, |at| at + 3);
    let revision = address.get(path..).and_then(|rest| Some(path + rest.find('@')?));
    let address = revision.and_then(|at| address.get(..at)).unwrap_or(address);
    address.strip_suffix(".git").unwrap_or(address)
}

/// Names each single value within the parameters, as `workflow.ref` or `inputs[0]`.
fn flatten(parameters: &Map<String, Value>) -> BTreeMap<String, &Value> {
    let mut flat = BTreeMap::new();
    let mut left: Vec<_> = parameters.iter().map(|(name, value)| (quoted(name), value)).collect();
    while let Some((path, value)) = left.pop() {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let member = |(name, value)| (format!("{path}.{}", quoted(name)), value);
                left.extend(members.iter().map(member));
            }
            Value::Array(items) if !items.is_empty() => {
                let item = |(at, value)| (format!("{path}[{at}]"), value);
                left.extend(items.iter().enumerate().map(item));
            }
            single => drop(flat.insert(path, single)),
        }
    }
    flat
}

/// Puts a name in quotes that could be taken for a path of names.
fn quoted(name: &String) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match !name.is_empty() && name.bytes().all(is_plain) {
        true => name.clone(),
        false => format!("{name:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statement() -> Value {
        json!({ "predicate": {
            "buildDefinition": {
                "buildType": "https://type/v1",
                "externalParameters": { "workflow": {
                    "ref": "refs/tags/v1", "repository": "https://github.com/o/r", "path": "a.yml",
                } },
                "internalParameters": { "anything": 1 },
            },
            "runDetails": { "builder": { "id": "https://builder" }, "metadata": {} },
        } })
    }

    fn expected() -> Value {
        json!({
            "builders": [{ "id": "https://builder", "level": 2 }, { "id": "https://other" }],
            "source": "https://github.com/o/r",
            "build-types": ["https://type/v1"],
            "parameters": { "workflow.ref": "refs/tags/v1" },
            "allow-parameters": ["workflow.path"],
        })
    }

    fn show(statement: &Value, expected: Value, certified: Option<&str>) -> String {
        let expected: Expected = serde_json::from_value(expected).expect("settings");
        match check(statement.to_string().as_bytes(), &expected, certified) {
            Ok(build) => format!("{} {} {}", build.builder, build.level, build.source),
            Err(Refusal::Malformed(why)) => format!("malformed: {why}"),
            Err(Refusal::Builder(why)) => format!("builder: {why}"),
            Err(Refusal::Build(why)) => format!("build: {why}"),
        }
    }

    #[test]
    fn builds() {
        let ok = "https://builder 2 https://github.com/o/r";
        let stated = |pointer: &str, value: Value| {
            let mut statement = statement();
            *statement.pointer_mut(pointer).expect("it is there") = value;
            show(&statement, expected(), None)
        };
        let asked = |name: &str, value: Value| {
            let mut expected = expected();
            expected[name] = value;
            show(&statement(), expected, None)
        };
        let parameters = "/predicate/buildDefinition/externalParameters";
        let with = |name: &str, value: Value| {
            let mut all = statement().pointer(parameters).expect("it is there").clone();
            all[name] = value;
            stated(parameters, all)
        };
        let of = |path: &str| format!("{parameters}/workflow/{path}");
        let git = "git+https://github.com/o/r.git@refs/heads/main";
        let rows = [
            (show(&statement(), expected(), None), ok),
            (show(&statement(), expected(), Some("https://github.com/o/r")), ok),
            (stated(&of("repository"), json!(git)), ok),
            (with("source", json!({ "uri": git })), ok),
            (with("inputs", json!({})), "build: it has the parameter `inputs`"),
            (asked("source", json!("git+https://github.com/o/r")), ok),
            (asked("level", json!(2)), ok),
            (
                asked("level", json!(3)),
                "builder: it was built by `https://builder`, whom the policy trusts up to level 2",
            ),
            // Another builder, type, source.
            (
                stated("/predicate/runDetails/builder/id", json!("https://builder/")),
                "builder: it was built by `https://builder/`",
            ),
            (
                stated("/predicate/buildDefinition/buildType", json!("https://type/v2")),
                "build: it is a build of the type",
            ),
            (
                stated(&of("repository"), json!("https://github.com/o/r2")),
                "build: it was built from",
            ),
            (
                stated(&of("repository"), json!("https://github.com/O/r")),
                "build: it was built from",
            ),
            (
                stated(&of("repository"), json!("https://evil/@github.com/o/r")),
                "build: it was built from",
            ),
            (with("source", json!("https://github.com/o/evil")), "build: it was built from"),
            (
                with("repository", json!(["https://github.com/o/r"])),
                "build: it has the parameter `repository[0]`",
            ),
            (
                show(&statement(), expected(), Some("https://github.com/o/evil")),
                "build: its signer's certificate is for",
            ),
            // Parameters.
            (
                stated(&of("ref"), json!("refs/heads/main")),
                "build: its parameter `workflow.ref` is \"refs/heads/main\"",
            ),
            (
                stated(&of("ref"), json!(["refs/tags/v1"])),
                "build: it has the parameter `workflow.ref[0]`",
            ),
            (stated(&of("path"), json!({ "a": [1] })), ok),
            (
                with("inputs", json!({ "debug": true })),
                "build: it has the parameter `inputs.debug`",
            ),
            (with("workflow.path2", json!(1)), "build: it has the parameter `\"workflow.path2\"`"),
            (with("workflow.path", json!(1)), "build: it has the parameter `\"workflow.path\"`"),
            (asked("allow-parameters", json!([])), "build: it has the parameter `workflow.path`"),
            (
                asked("allow-parameters", json!(["work"])),
                "build: it has the parameter `workflow.path`",
            ),
            (asked("allow-parameters", json!(["workflow"])), ok),
            (
                asked("parameters", json!({ "workflow.ref": "refs/tags/v1", "x": 1 })),
                "build: it has no parameter `x`",
            ),
            (
                stated(parameters, json!({ "workflow": { "ref": "refs/tags/v1" } })),
                "build: it does not say from which repository",
            ),
            // Malformed.
            (stated(parameters, json!([])), "malformed: "),
            (stated("/predicate/runDetails", json!({})), "malformed: "),
        ];
        for (row, (shown, expected)) in rows.into_iter().enumerate() {
            assert!(shown.starts_with(expected), "row {row}: {shown}");
        }
        // A user's name before the host is no revision.
        assert_eq!(repository("https://github.com/o/r@main"), "https://github.com/o/r");
    }
}
