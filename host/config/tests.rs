//! What a configuration may say and what it may not, as rows and as properties.

#![expect(clippy::disallowed_methods, reason = "tests write files and take the time")]

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::capability::{Capability, Grant, Limit, Unit};
use crate::domain::finding::Severity;
use crate::policy::{Mode, NotJudged};

const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const COMMIT: &str = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";

/// Loads a configuration of these files, by their names.
fn load_files(files: &[(&str, &[u8])]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    load(&folder.path().join(NAME))
}

fn load_text(text: &str) -> Result<Config, ConfigError> {
    load_files(&[(NAME, text.as_bytes())])
}

fn mistakes_of(result: Result<Config, ConfigError>) -> Vec<Diagnostic> {
    match result {
        Ok(_) => Vec::new(),
        Err(ConfigError::Mistakes(mistakes)) => {
            assert!(!mistakes.is_empty(), "refused without a mistake");
            mistakes
        }
        Err(error) => panic!("{error}"),
    }
}

/// The mistakes of a text, each as `line: message`, and `/ help` if it has one.
fn mistakes(text: &str) -> Vec<String> {
    let shown = |m: Diagnostic| match &m.help {
        Some(help) => format!("{}: {} / {help}", m.line(), m.message),
        None => format!("{}: {}", m.line(), m.message),
    };
    mistakes_of(load_text(text)).into_iter().map(shown).collect()
}

/// Checks that what follows `version = 1` has exactly these mistakes.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let text = text.replace("HEX", HEX).replace("COMMIT", COMMIT);
    assert_eq!(mistakes(&format!("version = 1\n{text}\n")), expected, "{text}");
}

/// The example of the design, all keys in use.
fn example() -> String {
    format!(
        r#"#:schema ./modelhost.schema.json
version = 1

[gate]
fail-on = "medium"
require = ["checksum", "license"]
not-judged = "warn"

[[model]]
name = "sentiment"
path = "models/sentiment"
source = "hf:org/name"
revision = "{COMMIT}"
requested = "v1.2"
purpose = "Sorts reviews"
license = "Apache-2.0"
owner = "@ml-platform"
checks = ["checksum", "provenance"]
base = ["hf:org/base@{COMMIT}"]

[plugin.license]
settings = {{ allow = ["Apache-2.0", "MIT"], b = {{ z = 1, a = 2026-12-31 }} }}

[plugin.acme-scan]
component = "plugins/acme-scan.wasm"
grants = ["documents:acme-rules"]
deny = ["clock"]
mode = "advise"

[plugin.acme-scan.limits]
fuel = 10_000_000_000
fuel-per-byte = 3000
deadline = "60s"
memory = "512MiB"
table-elements = 1
instances = 2
host-calls = 3
handles = 4
findings = 5
log-lines = 0

[plugin.acme-scan.settings.deep]
"a/b~c" = [1.5, true, -7, "x"]

[documents]
acme-rules = {{ path = "./security/acme-rules.json", digest = "sha256:{HEX}" }}
"#
    )
}

#[test]
fn every_key_is_read() {
    let config = load_text(&example()).unwrap();
    let (license, acme) = (PluginId::new("license").unwrap(), PluginId::new("acme-scan").unwrap());
    assert_eq!(config.policy.fail_on, Severity::Medium);
    assert_eq!(config.policy.not_judged, NotJudged::Warn);
    let required: Vec<_> = config.policy.require.iter().map(PluginId::as_str).collect();
    assert_eq!(required, ["checksum", "license"]);

    let [model] = config.models.as_slice() else { panic!("one model") };
    assert_eq!(model.name.as_str(), "sentiment");
    assert_eq!(model.path, Path::new("models/sentiment"));
    assert_eq!(model.definition.source.as_deref(), Some("hf:org/name"));
    assert_eq!(model.definition.revision.as_deref(), Some(COMMIT));
    assert_eq!(model.definition.requested.as_deref(), Some("v1.2"));
    assert_eq!(model.definition.purpose.as_deref(), Some("Sorts reviews"));
    assert_eq!(model.definition.license.as_deref(), Some("Apache-2.0"));
    assert_eq!(model.definition.owner.as_deref(), Some("@ml-platform"));
    let checks: Vec<_> = model.definition.checks.iter().map(PluginId::as_str).collect();
    assert_eq!(checks, ["checksum", "provenance"]);
    assert_eq!(model.definition.base, [format!("hf:org/base@{COMMIT}")]);
    assert_eq!(model.mistake("x").line(), 10);

    let plugin = &config.policy.plugins[&license];
    assert_eq!(plugin.mode, Mode::Enforce);
    let expected = r#"{"allow":["Apache-2.0","MIT"],"b":{"a":"2026-12-31","z":1}}"#;
    assert_eq!(plugin.settings.as_deref(), Some(expected));

    let plugin = &config.policy.plugins[&acme];
    assert_eq!(plugin.mode, Mode::Advise);
    assert_eq!(plugin.grants, [Grant::Document("acme-rules".to_owned())]);
    assert_eq!(plugin.deny, [Grant::Capability(Capability::Clock)]);
    assert_eq!(plugin.settings.as_deref(), Some(r#"{"deep":{"a/b~c":[1.5,true,-7,"x"]}}"#));
    let limits: Vec<(&str, u64)> =
        plugin.limits.iter().map(|(limit, amount)| (limit.name(), amount)).collect();
    let expected = [
        ("fuel", 10_000_000_000),
        ("fuel-per-byte", 3000),
        ("deadline", 60_000),
        ("memory", 512 << 20),
        ("table-elements", 1),
        ("instances", 2),
        ("host-calls", 3),
        ("handles", 4),
        ("findings", 5),
        ("log-lines", 0),
    ];
    assert_eq!(limits, expected);

    assert_eq!(config.components[&acme], Path::new("plugins/acme-scan.wasm"));
    let document = &config.documents["acme-rules"];
    assert_eq!(document.path, Path::new("security/acme-rules.json"));
    assert_eq!(document.digest.hex(), HEX);
}

#[test]
fn later_mistakes_find_their_place() {
    let config = load_text(&example()).unwrap();
    let id = |text| PluginId::new(text).unwrap();
    let at = |mistake: Diagnostic| {
        let (span, _) = mistake.labels[0].clone();
        (mistake.line(), mistake.file.text[span].to_owned())
    };
    let rows = [
        (config.settings_mistake(&id("license"), "/allow/1", ""), 22, "\"MIT\""),
        (config.settings_mistake(&id("license"), "/allow/7", ""), 22, "[\"Apache-2.0\", \"MIT\"]"),
        (config.settings_mistake(&id("license"), "/b/a", ""), 22, "2026-12-31"),
        (config.settings_mistake(&id("acme-scan"), "/deep/a~1b~0c/2", ""), 43, "-7"),
        (
            config.settings_mistake(&id("acme-scan"), "/deep/none", ""),
            42,
            "[plugin.acme-scan.settings.deep]",
        ),
        (config.settings_mistake(&id("acme-scan"), "no pointer", ""), 24, "[plugin.acme-scan]"),
        (config.settings_mistake(&id("pickle"), "/a", ""), 1, ""),
        (config.plugin_mistake(&id("license"), ""), 21, "[plugin.license]"),
        (config.plugin_mistake(&id("pickle"), ""), 1, ""),
        (config.component_mistake(&id("acme-scan"), ""), 25, "\"plugins/acme-scan.wasm\""),
        (config.component_mistake(&id("license"), ""), 21, "[plugin.license]"),
        (config.grants_mistake(&id("acme-scan"), ""), 26, "[\"documents:acme-rules\"]"),
        (config.grants_mistake(&id("license"), ""), 21, "[plugin.license]"),
        (config.require_mistake(&id("license"), ""), 6, "\"license\""),
        (config.document_mistake("acme-rules", ""), 46, "acme-rules"),
        (config.document_mistake("none", ""), 1, ""),
        (config.models[0].checks_mistake(&id("provenance"), ""), 18, "\"provenance\""),
        (config.models[0].checks_mistake(&id("pickle"), ""), 10, "\"sentiment\""),
    ];
    for (mistake, line, text) in rows {
        assert_eq!(at(mistake), (line, text.to_owned()));
    }
}

#[test]
fn the_same_settings_are_the_same_bytes() {
    let forms = [
        "[plugin.a]\nsettings = { b = 0x10, a = { y = true, x = 1e3 } }",
        "plugin.a.settings.a.x = 1000.0\nplugin.a.settings.b = 16\nplugin.a.settings.a.y = true",
        "[plugin.a.settings.a]\ny = true\nx = +1_000.0\n[plugin.a.settings]\nb = 1_6",
    ];
    for form in forms {
        let config = load_text(&format!("version = 1\n{form}\n")).unwrap();
        let settings = config.policy.plugins.values().next().unwrap().settings.clone();
        assert_eq!(settings.as_deref(), Some(r#"{"a":{"x":1000.0,"y":true},"b":16}"#), "{form}");
    }
    let config = load_text("version = 1\n[plugin.a.settings]\n").unwrap();
    assert_eq!(config.policy.plugins.values().next().unwrap().settings, None);
}

#[test]
fn the_least_configuration_is_the_built_in_policy() {
    let config = load_text("version = 1\n").unwrap();
    assert_eq!(config.policy, Policy::default());
    assert!(config.models.is_empty() && config.components.is_empty());
}

#[test]
fn the_version_comes_first() {
    let help = " / write `version = 1` at its top";
    let later = "this version of modelhost reads version 1 of the file";
    for (text, expected) in [
        ("", format!("1: missing key `version`{help}")),
        ("[gate]\nversion = 1\n", format!("1: missing key `version`{help}")),
        ("\nversion = 2\nfuture = 1\n", format!("2: {later}{help}")),
        ("version = \"1\"\n", format!("1: {later}{help}")),
        ("version = 1.0\n", format!("1: {later}{help}")),
        ("version = 0\n", format!("1: {later}{help}")),
    ] {
        assert_eq!(mistakes(text), [expected], "{text}");
    }
}

#[test]
fn syntax() {
    check("a = hello", &["2: string values must be quoted, expected literal string"]);
    check("version = 1", &["2: duplicate key"]);
    check("[gate]\n[gate]", &["3: duplicate key"]);
    check(
        "[gate]\nfail-on = \"a\nb\"",
        &[
            "3: invalid basic string, expected `\"`",
            "4: invalid unquoted key, expected letters, numbers, `-`, `_`",
        ],
    );
}

#[test]
fn keys_and_kinds() {
    let keys = "the keys here are";
    let root = format!(
        "{keys} version, gate, model, plugin, documents, audit, waiver, baseline, registry"
    );
    let gate = format!("{keys} fail-on, require, not-judged");
    let plugin = format!(
        "{keys} component, settings, grants, deny, mode, limits, fail-on, severity, applies-to"
    );
    let model = format!(
        "{keys} name, path, source, revision, requested, purpose, license, owner, checks, base"
    );
    check("plugins = 1", &[&format!("2: unknown key `plugins` / did you mean `plugin`? {root}")]);
    check("[[waivers]]", &[&format!("2: unknown key `waivers` / did you mean `waiver`? {root}")]);
    check(
        "[gate]\nfail_on = \"high\"",
        &[&format!("3: unknown key `fail_on` / did you mean `fail-on`? {gate}")],
    );
    check(
        "[gate]\n\"fail-on`, expected\" = 1",
        &[&format!("3: unknown key `fail-on`, expected` / {gate}")],
    );
    check(
        "[plugin.a]\nsetings = {}\ndigest = 1",
        &[
            &format!("3: unknown key `setings` / did you mean `settings`? {plugin}"),
            &format!("4: unknown key `digest` / {plugin}"),
        ],
    );
    check(
        "[[model]]\nname = \"m\"\npath = \"m\"\nlicence = \"MIT\"",
        &[&format!("5: unknown key `licence` / did you mean `license`? {model}")],
    );
    check("[[model]]", &["2: missing key `name`"]);
    check("[[model]]\nname = \"m\"", &["2: missing key `path`"]);
    check(
        "[[model]]\n[[model]]\nname = 1\npath = 2",
        &[
            "2: missing key `name`",
            "3: missing key `name`",
            "4: expected a string, found the number `1`",
            "5: expected a string, found the number `2`",
        ],
    );
    check(
        "[gate]\nfail-on = \"info\"",
        &["3: `info` is not known here / it can be low, medium, high, critical"],
    );
    check(
        "[gate]\nfail-on = \"hihg\"",
        &[
            "3: `hihg` is not known here / did you mean `high`? it can be low, medium, high, critical",
        ],
    );
    check("[gate]\nfail-on = 3", &["3: expected a string, found the number `3`"]);
    check("[gate]\nfail-on = { high = {} }", &["3: expected a string, found a table"]);
    check("gate = [\"high\", [], \"warn\"]", &["2: expected a table, found an array"]);
    check("model = [[\"name\", \"path\"]]", &["2: expected a table, found an array"]);
    check(
        "[gate]\nnot-judged = \"allow\"",
        &["3: `allow` is not known here / it can be block, warn"],
    );
    check("[gate]\nrequire = \"license\"", &["3: expected an array, found the string \"license\""]);
    check(
        "[gate]\nrequire = [1, \"license\", true]",
        &[
            "3: expected a string, found the number `1`",
            "3: expected a string, found boolean `true`",
        ],
    );
    check("gate = 1", &["2: expected a table, found the number `1`"]);
    check("[[gate]]", &["2: expected a table, found an array"]);
    check("[model]\nname = \"x\"", &["2: expected an array, found a table"]);
    check(
        "[plugin]\na = 1\nb.mode = \"advice\"",
        &[
            "3: expected a table, found the number `1`",
            "4: `advice` is not known here / did you mean `advise`? it can be enforce, advise",
        ],
    );
    check("[plugin.a]\nsettings = [1]", &["3: expected a table, found an array"]);
    let limits = Limit::ALL.map(Limit::name).join(", ");
    check(
        "[plugin.a]\nlimits = { fuel = -1, memory = 1, \"findings\" = \"9\", time = 1 }",
        &[
            "3: expected a whole number from 0 on, found the number `-1`",
            "3: expected a string, found the number `1`",
            "3: expected a whole number from 0 on, found the string \"9\"",
            &format!("3: unknown key `time` / {keys} {limits}"),
        ],
    );
}

#[test]
fn models() {
    let paths = "paths start at the folder of modelhost.toml, and stay in it";
    let model = |key: &str, value: &str| {
        let mut keys = vec![("name", "m"), ("path", "m")];
        keys.retain(|(known, _)| *known != key);
        keys.push((key, value));
        let lines =
            keys.iter().map(|(key, value)| format!("{key} = {}\n", toml::Value::from(*value)));
        format!("[[model]]\n{}", lines.collect::<String>())
    };
    for (path, expected) in [
        ("", "4: the path is empty".to_owned()),
        ("/models", format!("4: the path is not relative / {paths}")),
        ("C:/models", format!("4: the path is not relative / {paths}")),
        ("~/models", format!("4: the path is not relative / {paths}")),
        ("../models", format!("4: the path leads upwards / {paths}")),
        ("a/../../b", format!("4: the path leads upwards / {paths}")),
        ("a\\b", "4: the path holds a backslash / separate folders by `/`".to_owned()),
        ("a\u{202e}b", "4: the path holds control or invisible characters".to_owned()),
    ] {
        check(&model("path", path), &[&expected]);
    }
    check(&model("name", ""), &["4: the name is empty"]);
    check(&model("name", " "), &["4: the name is empty"]);
    check(&model("name", "a\u{200b}b"), &["4: the name holds control or invisible characters"]);
    check(&model("name", &"n".repeat(256)), &["4: the name has more than 255 bytes"]);
    let kinds = "hf:, git:, git+https:, git+ssh:, oci:, ollama:, https:, path:";
    check(
        &model("source", "org/name"),
        &[&format!(
            "5: the source does not say what kind it is / it starts with one of {kinds}, such as \
         `hf:org/name`"
        )],
    );
    check(
        &model("source", "s3:bucket"),
        &[&format!("5: there is no kind of source `s3` / it starts with one of {kinds}")],
    );
    check(&model("source", "hf:"), &["5: `hf:` is not followed by a name"]);
    check(
        &model("source", "hf:org/name@main"),
        &["5: the source names a revision / write what follows the `@` under `revision`"],
    );
    let expression = "write an SPDX expression, such as `Apache-2.0` or `MIT OR Apache-2.0`";
    for (license, expected) in [
        ("", "the license is empty".to_owned()),
        ("MIT OR", format!("the license ends too early / {expression}")),
        ("(MIT", format!("the license ends too early / {expression}")),
        ("MIT)", format!("the license has `)` where it can't be / {expression}")),
        ("OR MIT", format!("the license has `OR` where it can't be / {expression}")),
        (
            "MIT License",
            format!("the license has no AND, OR or WITH before `License` / {expression}"),
        ),
        ("MIT, Apache-2.0", format!("`MIT,` can't be the name of a license / {expression}")),
    ] {
        check(&model("license", license), &[&format!("5: {expected}")]);
    }
    for good in
        ["MIT", "(MIT OR Apache-2.0) AND LicenseRef-x", "GPL-2.0+ WITH Classpath-exception-2.0"]
    {
        check(&model("license", good), &[]);
    }
    check(
        "[[model]]\nname = \"m\"\npath = \"a\"\n[[model]]\nname = \"m\"\npath = \"./a/\"",
        &["6: model `m` is defined twice", "7: the path `a` is defined twice"],
    );
}

#[test]
fn what_a_definition_says_beside_its_source() {
    let model = |more: &str| format!("[[model]]\nname = \"m\"\npath = \".\"\n{more}");
    let id = "a plugin id is 1 to 64 of a-z, 0-9 and `-`, and starts with a letter";
    let advises = "plugin `a` only advises, so it can't be required / take it out of `checks`, or \
                   its `mode = \"advise\"` away";
    let rows = [
        ("purpose = \"\"", vec!["5: the purpose is empty"]),
        ("owner = \"a\\nb\"", vec!["5: the owner holds control or invisible characters"]),
        (
            "requested = \"\\u202E\"",
            vec!["5: what was asked for holds control or invisible characters"],
        ),
        ("owner = []", vec!["5: expected a string, found an array"]),
        ("checks = \"license\"", vec!["5: expected an array, found the string \"license\""]),
        ("checks = [\"B\"]", vec![id]),
        ("checks = [\"b\", \"b\"]", vec!["5: plugin `b` is listed twice"]),
        ("checks = [\"gate\"]", vec!["5: `gate` is reserved for the host's own findings"]),
        ("checks = [\"a\"]\n[plugin.a]\nmode = \"advise\"", vec![advises]),
        (
            "base = [\"hf:org/base\"]",
            vec![
                "5: `hf:org/base` does not say at which revision / write its source, `@` and its \
                 revision: `hf:org/base@<commit>`",
            ],
        ),
        ("base = [\"hf:org/base@COMMIT\", \"oci:host/x@sha256:HEX\"]", vec![]),
    ];
    for (text, expected) in rows {
        let lined =
            |m: &&str| if m.starts_with("5: ") { (*m).to_owned() } else { format!("5: {m}") };
        let expected: Vec<String> = expected.iter().map(lined).collect();
        check(&model(text), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let long = format!("purpose = {:?}", "x".repeat(5000));
    check(&model(&long), &["5: the purpose has more than 4096 bytes"]);
    // Also from a file beside, where the policy is another file.
    let model = b"[[model]]\nname = \"m\"\npath = \".\"\nchecks = [\"a\"]\n";
    let policy = b"version = 1\n[plugin.a]\nmode = \"advise\"\n";
    let mistakes = mistakes_of(load_files(&[(NAME, policy), ("models.d/m.toml", model)]));
    assert_eq!(mistakes.len(), 1);
    assert!(mistakes[0].to_string().starts_with("models.d/m.toml:4: plugin `a` only advises"));
}

#[test]
fn revisions() {
    let model = |source: &str, revision: &str| {
        format!(
            "[[model]]\nname = \"m\"\npath = \".\"\nsource = {source:?}\nrevision = {revision:?}"
        )
    };
    let digest = format!("sha256:{HEX}");
    for (source, revision) in [
        ("hf:org/name", COMMIT),
        ("hf:org/name", HEX),
        ("git+https://host/x", COMMIT),
        ("oci:host/x", &digest),
        ("https://host/x", &digest),
        ("path:/srv", COMMIT),
        ("path:/srv", &digest),
    ] {
        check(&model(source, revision), &[]);
    }
    let because = "a branch or tag can be moved to other files after these were tested; write";
    let commit = format!("{because} a full commit: 40 or 64 lower-case hex digits");
    let ask = "`git ls-remote https://huggingface.co/org/name` prints it";
    let by_digest = format!("{because} a digest: `sha256:` and 64 lower-case hex digits");
    for (source, revision, expected) in [
        ("hf:org/name", "main", format!("`main` is not an immutable revision / {commit}; {ask}")),
        ("hf:org/name", "v1.2", format!("`v1.2` is not an immutable revision / {commit}; {ask}")),
        ("git:x", "86f7e43", format!("`86f7e43` is not a whole revision / {commit}")),
        (
            "git:x",
            &COMMIT.to_uppercase(),
            format!("`{}` is not a whole revision / {commit}", COMMIT.to_uppercase()),
        ),
        ("oci:x", "latest", format!("`latest` is not an immutable revision / {by_digest}")),
        ("oci:x", COMMIT, format!("`{COMMIT}` is not a whole revision / {by_digest}")),
        ("git:x", &digest, format!("`{digest}` is not a whole revision / {commit}")),
        (
            "git:x",
            "",
            "the revision is empty / write a full commit: 40 or 64 lower-case hex digits"
                .to_owned(),
        ),
    ] {
        check(&model(source, revision), &[&format!("6: {expected}")]);
    }
    check(
        "[[model]]\nname = \"m\"\npath = \".\"\nrevision = \"main\"",
        &[&format!(
            "5: `main` is not an immutable revision / {because} a full commit of 40 or 64 lower-case hex \
         digits, or a `sha256:` digest"
        )],
    );
}

#[test]
fn plugins() {
    let form = "a plugin id is 1 to 64 of a-z, 0-9 and `-`, and starts with a letter";
    check("[plugin.gate]", &["2: `gate` is reserved for the host's own findings"]);
    check("[plugin.Acme_Scan]", &[&format!("2: {form}")]);
    check(
        "[gate]\nrequire = [\"\", \"gate\"]",
        &[&format!("3: {form}"), "3: `gate` is reserved for the host's own findings"],
    );
    check("[gate]\nrequire = [\"a\", \"b\", \"a\"]", &["3: plugin `a` is required twice"]);
    check(
        "[gate]\nrequire = [\"a\"]\n[plugin.a]\nmode = \"advise\"",
        &[
            "3: plugin `a` only advises, so it can't be required / take it out of `require`, or its \
         `mode = \"advise\"` away",
        ],
    );
    check(
        "[plugin.a]\ncomponent = \"../x.wasm\"",
        &[
            "3: the path leads upwards / paths start at the folder of modelhost.toml, and stay in it",
        ],
    );
    check("[plugin.a]\ncomponent = \".\"", &["3: the path names a folder, not a file"]);
    check("[plugin.a]\ncomponent = \"plugins/\"", &["3: the path names a folder, not a file"]);
    check(
        "[plugin.a]\ngrants = [\"net\", \"documents:\", \"log\"]",
        &[
            "3: there is no capability `net`; there are clock, definition, digest, documents:NAME, files, \
         log",
            "3: `documents:` names no document; write documents:NAME",
        ],
    );
    check("[plugin.a]\ngrants = [\"log\"]\ndeny = [\"log\"]", &["4: this is granted as well"]);
    let document = "\n[documents]\nrules = { path = \"r\", digest = \"sha256:HEX\" }";
    check(
        &format!("[plugin.a]\ngrants = [\"documents:rule\", \"documents:x\"]{document}"),
        &[
            "3: there is no document `rule` / did you mean `documents:rules`?",
            "3: there is no document `x` / add it: [documents] x = { path = \"…\", digest = \
         \"sha256:…\" }",
        ],
    );
    let time = "write it like `500ms`, `60s`, `5m` or `1h`, from 1ms to 24h";
    for bad in ["", "60", "60 s", "s", "-1s", "1.5s", "99999999999999999999s", "1d"] {
        check(
            &format!("[plugin.a.limits]\ndeadline = {bad:?}"),
            &[&format!("3: `{bad}` is not a length of time / {time}")],
        );
    }
    let memory = "write it like `512KiB`, `512MiB` or `2GiB`, from 64KiB to 4GiB";
    for bad in ["512", "512MB", "512 MiB", "18446744073709551615GiB", "0x10MiB"] {
        check(
            &format!("[plugin.a.limits]\nmemory = {bad:?}"),
            &[&format!("3: `{bad}` is not an amount of memory / {memory}")],
        );
    }
    check(
        "[plugin.a.limits]\nfuel = 0\nhandles = 1_000_001\ninstances = 18446744073709551615",
        &[
            "3: the limit must be from 1 to 1000000000000000",
            "4: the limit must be from 1 to 1000000",
            "5: the limit must be from 1 to 10000",
        ],
    );
}

#[test]
fn each_limit_is_settable_within_its_bounds_and_not_beyond() {
    for limit in Limit::ALL {
        let (unit, bounds) = (limit.unit(), limit.bounds());
        let set = |amount| format!("[plugin.a.limits]\n{} = {}", limit.name(), unit.toml(amount));
        for amount in [*bounds.start(), *bounds.end(), limit.default()] {
            let config = load_text(&format!("version = 1\n{}", set(amount))).expect("a policy");
            let id = PluginId::new("a").expect("an id");
            assert_eq!(config.policy.plugins[&id].limits.get(limit), Some(amount));
        }
        // One more than the most, or the next that can be written.
        let more = match unit {
            Unit::Bytes => bounds.end() + 1024,
            Unit::Count | Unit::Time => bounds.end() + 1,
        };
        let less = match unit {
            Unit::Bytes => bounds.start().checked_sub(1024),
            Unit::Count | Unit::Time => bounds.start().checked_sub(1),
        };
        for amount in less.into_iter().chain([more]) {
            let expected = match unit {
                Unit::Count => format!("3: the limit must be {}", limit.range()),
                _ => format!("3: `{}` is out of bounds / {}", unit.write(amount), limit.form()),
            };
            check(&set(amount), &[&expected]);
        }
    }
}

#[test]
fn settings_that_json_can_not_hold() {
    check(
        "[plugin.a.settings]\na = [nan, inf]\nb = 18446744073709551616",
        &[
            "3: settings can't hold a number that is not finite",
            "3: settings can't hold a number that is not finite",
            "4: the number has more than 64 bits",
        ],
    );
    let deep =
        |depth| format!("[plugin.a.settings]\na = {}{}", "[".repeat(depth), "]".repeat(depth));
    check(&deep(32), &[]);
    check(&deep(33), &["3: settings may nest at most 32 deep"]);
}

const WAIVER: &str = r#"[[waiver]]
rule = "license/not-allowed"
model = "sentiment"
digest = "sha256:HEX"
file = "LICENSE"
fingerprint = "00112233445566778899aabbccddeeff"
reason = "legal ticket 41"
owner = "@ml-legal"
added = 2026-11-24
expires = 2026-12-31"#;

#[test]
fn waivers() {
    let text = format!("version = 1\n\n# why\n{WAIVER}\n").replace("HEX", HEX);
    let config = load_text(&text).unwrap();
    let [waiver] = config.policy.waivers.as_slice() else { panic!("one waiver") };
    assert_eq!(waiver.rule.to_string(), "license/not-allowed");
    assert_eq!((waiver.model.as_str(), waiver.line), ("sentiment", 4));
    assert_eq!(waiver.digest.hex(), HEX);
    assert_eq!(waiver.file.as_ref().unwrap().as_str(), "LICENSE");
    assert_eq!(waiver.fingerprint.unwrap().to_string(), "00112233445566778899aabbccddeeff");
    assert_eq!((&*waiver.reason, &*waiver.owner), ("legal ticket 41", "@ml-legal"));
    assert_eq!(waiver.added.unwrap().to_string(), "2026-11-24");
    assert_eq!(waiver.expires.to_string(), "2026-12-31");

    check(WAIVER, &[]);
    let rows: [(&str, &str, &[&str]); 14] = [
        ("rule = \"license/not-allowed\"\n", "", &["2: missing key `rule`"]),
        ("reason = \"legal ticket 41\"\n", "", &["2: missing key `reason`"]),
        ("owner = \"@ml-legal\"\n", "", &["2: missing key `owner`"]),
        ("expires = 2026-12-31", "", &["2: missing key `expires`"]),
        ("digest = \"sha256:HEX\"\n", "", &["2: missing key `digest`"]),
        ("\"legal ticket 41\"", "\" \"", &["8: the reason is empty"]),
        (
            "\"@ml-legal\"",
            "\"a\\u001b[2J\"",
            &["9: the owner holds control or invisible characters"],
        ),
        (
            "expires = 2026-12-31",
            "expires = 2026-12-31T00:00:00Z",
            &["11: `2026-12-31T00:00:00Z` is no day / write YYYY-MM-DD, from 1970 on"],
        ),
        (
            "expires = 2026-12-31",
            "expires = 1969-12-31",
            &["11: `1969-12-31` is no day / write YYYY-MM-DD, from 1970 on"],
        ),
        ("expires = 2026-12-31", "expires = 2026-11-23", &["11: it ends before it was added"]),
        (
            "\"00112233445566778899aabbccddeeff\"",
            "\"0011\"",
            &["7: a fingerprint is 32 lower-case hex digits, as a report names it"],
        ),
        (
            "\"LICENSE\"",
            "\"../LICENSE\"",
            &[
                "6: `../LICENSE` is no path of a file in a model / write it as the report does: relative to the model, folders separated by `/`",
            ],
        ),
        (
            "\"license/not-allowed\"",
            "\"license\"",
            &[
                "3: `license` is no rule / write PLUGIN/NAME, such as `license/not-allowed`: a report names it",
            ],
        ),
        (
            "\"license/not-allowed\"",
            "\"gate/not-judged\"",
            &[
                "3: what the gate itself finds can't be waived / it says that something could not be judged, or by whom it must be: what nobody looked at, nobody can answer for. `not-judged = \"warn\"` under [gate] lets pass what no plugin judges",
            ],
        ),
    ];
    for (good, bad, expected) in rows {
        assert!(WAIVER.contains(good), "{good}");
        check(&WAIVER.replace(good, bad), expected);
    }
    let twice = format!("{WAIVER}\n{WAIVER}").replacen("41", "42", 1);
    check(
        &twice,
        &[
            "13: this is waived twice / leave the one that shall count: which of two last days holds is else nobody's word",
        ],
    );
}

#[test]
fn what_is_said_of_findings_of_a_plugin() {
    let text = "[plugin.a]\nfail-on = \"low\"\nseverity = { odd = \"info\", bad = \"critical\" }\napplies-to = [\"models/prod/**\"]\n[baseline]\npath = \"b.json\"";
    let config = load_text(&format!("version = 1\n{text}\n")).unwrap();
    let plugin = &config.policy.plugins[&PluginId::new("a").unwrap()];
    assert_eq!(plugin.fail_on, Some(Severity::Low));
    assert_eq!(plugin.severity["odd"], Severity::Info);
    assert_eq!(plugin.severity["bad"], Severity::Critical);
    assert_eq!(plugin.applies_to, ["models/prod/**"]);
    assert_eq!(config.baseline.unwrap().0, Path::new("b.json"));
    check(
        "[plugin.a]\napplies-to = []",
        &[
            "3: a plugin that applies to no model takes no part: name some, or leave `applies-to` out",
        ],
    );
    check(
        "[plugin.a]\nseverity = { odd = \"none\" }",
        &["3: `none` is not known here / it can be info, low, medium, high, critical"],
    );
    check(
        "[baseline]\npath = \"../b.json\"",
        &[
            "3: the path leads upwards / paths start at the folder of modelhost.toml, and stay in it",
        ],
    );
}

#[test]
fn documents() {
    let help = "it is printed by `sha256sum FILE`; write `sha256:` before it";
    check("[documents]\na = { path = \"a\" }", &["3: missing key `digest`"]);
    check("[documents]\na = \"a\"", &["3: expected a table, found the string \"a\""]);
    check(
        "[documents]\na = { path = \"/a\", digest = \"HEX\" }",
        &[
            "3: the path is not relative / paths start at the folder of modelhost.toml, and stay in it",
            &format!("3: a digest starts with `sha256:`; no other algorithm is taken / {help}"),
        ],
    );
    check(
        "[documents]\n\"A b\" = { path = \"a\", digest = \"sha256:HEX\" }",
        &["3: a document's name is 1 to 64 of a-z, 0-9 and `-`, and starts with a letter"],
    );
    // One that is there but wrong is not also missing.
    check(
        "[plugin.a]\ngrants = [\"documents:a\"]\n[documents]\na = { path = \"a\" }",
        &["5: missing key `digest`"],
    );
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let files: [(&str, &[u8]); 5] = [
        (NAME, b"version = 1\nfoo = 1\n[[model]]\nname = 'a'\npath = 'a'\n[plugin.Bad]\n"),
        ("models.d/b.toml", b"[[model]]\nname = 'a'\npath = '/b'\n"),
        ("models.d/a.toml", b"version = 1\n[[model]]\npath = 'x'\n"),
        ("models.d/c.toml", b"[[model]]\n# \xff\n"),
        ("models.d/README.md", b"not read"),
    ];
    let found = mistakes_of(load_files(&files));
    let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "modelhost.toml:2: unknown key `foo`",
            "modelhost.toml:6: a plugin id is 1 to 64 of a-z, 0-9 and `-`, and starts with a letter",
            "models.d/a.toml:1: unknown key `version`",
            "models.d/a.toml:2: missing key `name`",
            "models.d/b.toml:2: model `a` is defined twice",
            "models.d/b.toml:3: the path is not relative",
            "models.d/c.toml:2: the file is not UTF-8",
        ]
    );
    let twice = found.iter().find(|m| m.message.ends_with("twice")).unwrap();
    assert_eq!(twice.help.as_deref(), Some("the first is at modelhost.toml:4"));
}

#[test]
fn models_of_all_files_are_read_in_order() {
    let config = load_files(&[
        (NAME, b"version = 1\n[[model]]\nname = 'z'\npath = 'z'\n"),
        ("models.d/b.toml", b"[[model]]\nname = 'b'\npath = 'b'\n"),
        (
            "models.d/a.toml",
            b"[[model]]\nname = 'y'\npath = 'y'\n[[model]]\nname = 'a'\npath = 'a'\n",
        ),
    ]);
    let config = config.unwrap();
    let seen = config.models.iter().map(|model| (model.name.as_str(), &*model.file.path));
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            ("z", "modelhost.toml"),
            ("y", "models.d/a.toml"),
            ("a", "models.d/a.toml"),
            ("b", "models.d/b.toml"),
        ]
    );
}

#[test]
fn files_that_can_not_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let named = |result: Result<Config, ConfigError>| result.unwrap_err().to_string();
    assert_eq!(named(load(&path)), format!("can't read {}", path.display()));
    fs::create_dir(&path).unwrap();
    assert_eq!(named(load(&path)), format!("can't read {}", path.display()));
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
    assert_eq!(named(load(&path)), format!("{} has more than 1048576 bytes", path.display()));
    fs::write(&path, "version = 1\n").unwrap();
    fs::write(folder.path().join(MODELS), "").unwrap();
    assert_eq!(named(load(&path)), format!("can't read {}", folder.path().join(MODELS).display()));
}

#[test]
fn it_is_found_upwards_and_not_beyond_the_repository() {
    let outer = tempfile::tempdir().unwrap();
    let outer = fs::canonicalize(outer.path()).unwrap();
    let (repository, inner) = (outer.join("repository"), outer.join("repository/a/b"));
    fs::create_dir_all(&inner).unwrap();
    assert_eq!(find(&inner, NAME).unwrap(), None);
    // Outside any repository: up to the top, if it is ours.
    fs::write(outer.join(NAME), "").unwrap();
    assert_eq!(find(&inner, NAME).unwrap(), Some(outer.join(NAME)));
    // In one: no further than its top.
    fs::create_dir(repository.join(".git")).unwrap();
    assert_eq!(find(&inner, NAME).unwrap(), None);
    fs::write(repository.join(NAME), "").unwrap();
    assert_eq!(find(&inner, NAME).unwrap(), Some(repository.join(NAME)));
    assert_eq!(find(&repository, NAME).unwrap(), Some(repository.join(NAME)));
    // The nearest wins, and a worktree's `.git` is a file.
    fs::write(inner.join(".git"), "gitdir: elsewhere").unwrap();
    assert_eq!(find(&inner, NAME).unwrap(), None);
    fs::write(inner.join(NAME), "").unwrap();
    assert_eq!(find(&inner, NAME).unwrap(), Some(inner.join(NAME)));
    assert!(matches!(find(&outer.join("none"), NAME), Err(ConfigError::Unreadable { .. })));
}

#[cfg(unix)]
#[test]
fn what_is_found_but_broken_is_not_passed_over() {
    let outer = tempfile::tempdir().unwrap();
    let outer = fs::canonicalize(outer.path()).unwrap();
    fs::create_dir(outer.join("a")).unwrap();
    std::os::unix::fs::symlink("nowhere", outer.join("a").join(NAME)).unwrap();
    fs::write(outer.join(NAME), "version = 1\n").unwrap();
    let found = find(&outer.join("a"), NAME).unwrap().unwrap();
    assert_eq!(found, outer.join("a").join(NAME));
    assert!(matches!(load(&found), Err(ConfigError::Unreadable { .. })));
}

#[cfg(unix)]
#[test]
fn outside_a_repository_it_must_be_ours() {
    let outer = tempfile::tempdir().unwrap();
    let outer = fs::canonicalize(outer.path()).unwrap();
    fs::create_dir(outer.join("a")).unwrap();
    fs::write(outer.join(NAME), "").unwrap();
    if std::os::unix::fs::lchown(outer.join(NAME), Some(12_345), None).is_err() {
        // Only root can give a file away; where it can't be done, nothing is claimed.
        return;
    }
    assert!(matches!(find(&outer.join("a"), NAME), Err(ConfigError::Foreign { .. })));
    assert!(find(&outer, NAME).unwrap().is_some(), "the working directory's own file is taken");
    fs::create_dir(outer.join(".git")).unwrap();
    assert!(find(&outer.join("a"), NAME).unwrap().is_some(), "a repository's file is taken");
}

/// Turns a text into JSON, as a validator of schemas takes it.
fn as_json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn the_schema_says_what_the_reading_says() {
    let schema = json_schema();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let example = example().replace("a = 2026-12-31", "a = 1");
    assert!(validator.is_valid(&as_json(&example)), "{schema:#}");
    assert!(!schema.to_string().contains("null"), "TOML has no null");
    for (good, bad) in [
        ("version = 1", "version = 2"),
        ("version = 1", ""),
        ("name = \"sentiment\"", ""),
        ("digest = ", "digests = "),
        ("fail-on = \"medium\"", "fail-on = \"info\""),
        ("fail-on = \"medium\"", "fail_on = \"medium\""),
        ("mode = \"advise\"", "mode = \"off\""),
        ("log-lines = 0", "log-lines = 1_000_001"),
        ("handles = 4", "handles = 0"),
        ("handles = 4", "handles = \"4\""),
        ("\"60s\"", "\"60\""),
        ("\"512MiB\"", "\"512MB\""),
        ("require = [", "require = [1, "),
        ("[[model]]", "[model]"),
        ("sha256:", "md5:"),
    ] {
        let text = example.replacen(good, bad, 1);
        assert!(text != example, "{good}");
        assert!(!validator.is_valid(&as_json(&text)), "the schema takes {bad:?}");
        assert!(!mistakes(&text).is_empty(), "the reading takes {bad:?}");
    }
}

#[test]
fn as_many_models_as_may_be_are_read() {
    let model = |n| format!("[[model]]\nname='{n}'\npath='{n}'\n");
    let files: Vec<_> = (0..10u32)
        .map(|file| {
            let models = (0..10_000).map(|n| model(file * 10_000 + n));
            (format!("models.d/{file}.toml"), models.collect::<String>().into_bytes())
        })
        .collect();
    let mut files: Vec<_> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
    files.push((NAME, b"version = 1\n"));
    assert_eq!(load_files(&files).unwrap().models.len(), validate::MAX_MODELS);
    files.push(("models.d/x.toml", b"[[model]]\nname='x'\npath='x'\n"));
    let found = mistakes_of(load_files(&files));
    assert_eq!(found[0].to_string(), "models.d/x.toml:2: more than 100000 models are defined");
}

/// Checks that whatever is wrong is told in a place that is in the text.
fn check_any(bytes: &[u8]) {
    for mistake in mistakes_of(load_files(&[(NAME, bytes)])) {
        assert!(!mistake.message.is_empty());
        assert!(!mistake.labels.is_empty());
        for (span, _) in &mistake.labels {
            assert!(mistake.file.text.get(span.clone()).is_some(), "{span:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        check_any(&bytes);
        check_any(&[b"version = 1\n".as_slice(), &bytes].concat());
    }

    #[test]
    fn no_lines_make_it_panic(lines in vec(prop_oneof![
        Just("[gate]"), Just("[[gate]]"), Just("[plugin.a]"), Just("[[plugin.a]]"), Just("[plugin]"),
        Just("[plugin.a.settings]"), Just("[[model]]"), Just("[model]"), Just("[documents]"),
        Just("name = 'm'"), Just("path = '.'"), Just("a = 1"), Just("a.b = {}"), Just("mode = 1"),
        Just("require = ['a', 1, {}]"), Just("grants = [[]]"), Just("a = { path = '', digest = '' }"),
        Just("settings = { a = [1e999, 1979-05-27] }"), Just("plugin.a.limits.fuel = 99999999999999999999"),
        Just("limits = { memory = '1GiB' }"), Just("model = [1, [], {}]"), Just("gate.fail-on = 'x'"),
        Just("'''"), Just("\\"), Just("\"\"\""), Just("= "), Just("]"),
    ], 0..12)) {
        check_any(format!("version = 1\n{}", lines.join("\n")).as_bytes());
        check_any(format!("{}\nversion = 1", lines.join("\n")).as_bytes());
    }

    #[test]
    fn one_changed_byte_is_taken_or_told(at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = example().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = with;
        check_any(&bytes);
    }
}
