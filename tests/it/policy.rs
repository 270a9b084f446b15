//! Waivers, baseline, `--changed`, `explain`, `init` and `doctor`, as a user meets
//! them.

use modelhost::report::Format;

use crate::support::command::Place;
use crate::support::git::Repository;
use crate::support::model;

const NOW: &str = "2026-11-24";

/// Two models, of which `bad` has a pickle that calls a shell.
fn place() -> Place {
    let place = Place::new();
    place.write("models/good/model.safetensors", model::safetensors(8));
    place.write("models/bad/model.pkl", b"cbuiltins\neval\n(Vprint(1)\ntR.");
    place.write(
        "modelhost.toml",
        "# ours\nversion = 1\n\n[[model]] # the good one\nname = \"good\"\npath = \"models/good\"\n\n[[model]]\nname = \"bad\"\npath = \"models/bad\"\n",
    );
    place
}

fn json(place: &Place, more: &[&str]) -> serde_json::Value {
    let args: Vec<&str> = ["run", "--now", NOW, "-o", "json"].iter().chain(more).copied().collect();
    place.modelhost(&args).json()
}

/// The findings that deny: rule and fingerprint.
fn denying(report: &serde_json::Value) -> Vec<(String, String)> {
    let tasks = report["tasks"].as_array().expect("tasks");
    let findings = tasks.iter().flat_map(|task| task["findings"].as_array().expect("findings"));
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    findings
        .filter(|finding| finding["denies"] == true)
        .map(|finding| (text(&finding["rule"]), text(&finding["fingerprint"])))
        .collect()
}

#[test]
fn waivers_are_refused_before_anything_is_written() {
    let place = place();
    let before = place.read("modelhost.toml");
    let found = denying(&json(&place, &[]));
    let fingerprint = &found[0].1;
    let base = ["waiver", "add", fingerprint, "--now", NOW];
    let rows: [(&[&str], &str); 7] = [
        (&["--owner", "@a", "--expires", "2027-01-01"], "--reason"),
        (&["--reason", "r", "--expires", "2027-01-01"], "--owner"),
        (&["--reason", "r", "--owner", "@a"], "--expires"),
        (&["--reason", "r", "--owner", "@a", "--expires", "tomorrow"], "write a day"),
        (&["--reason", "r", "--owner", "@a", "--expires", "2026-11-23"], "is over"),
        (&["--reason", " ", "--owner", "@a", "--expires", "2027-01-01"], "--reason is empty"),
        (&["--reason", "a\u{1b}[2J", "--owner", "@a", "--expires", "2027-01-01"], "control"),
    ];
    for (more, expected) in rows {
        let args: Vec<&str> = base.iter().chain(more).copied().collect();
        place.modelhost(&args).code(2).says(expected);
    }
    let unknown = "0".repeat(32);
    let args = [
        "waiver",
        "add",
        &unknown,
        "--reason",
        "r",
        "--owner",
        "@a",
        "--expires",
        "2027-01-01",
        "--now",
        NOW,
    ];
    place.modelhost(&args).code(2).says("there is no finding");
    assert_eq!(place.read("modelhost.toml"), before);
}

#[test]
fn what_the_policy_says_wrongly_of_rules_is_pointed_at() {
    let place = place();
    let policy = place.read("modelhost.toml");
    let rows = [
        (
            "[plugin.pickle]\nseverity = { \"unsafe-globl\" = \"low\" }\n",
            "did you mean `unsafe-global`?",
        ),
        (
            "[plugin.pickle]\napplies-to = [\"models/{\"]\n",
            "a pattern in `applies-to` can't be used",
        ),
        (
            "[[waiver]]\nrule = \"pickle/unsafe-globl\"\nmodel = \"bad\"\ndigest = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\nreason = \"r\"\nowner = \"o\"\nexpires = 2027-01-01\n",
            "the plugin pickle has no rule `unsafe-globl`",
        ),
        ("[baseline]\npath = \"absent.json\"\n", "there is no such file"),
    ];
    for (more, expected) in rows {
        place.write("modelhost.toml", format!("{policy}{more}"));
        let said = place.modelhost(&["run"]);
        said.code(2).says(expected).says("modelhost.toml:1");
        assert_eq!(said.stdout, "");
    }
}

#[test]
fn severities_bars_and_applies_to_are_told() {
    let place = place();
    let policy = place.read("modelhost.toml");
    let rule = denying(&json(&place, &[])).remove(0).0;
    let (plugin, name) = rule.split_once('/').expect("a rule");
    place.write(
        "modelhost.toml",
        format!("{policy}[plugin.{plugin}]\nseverity = {{ \"{name}\" = \"low\" }}\n"),
    );
    let report = json(&place, &["--only", plugin]);
    assert!(denying(&report).is_empty());
    place.modelhost(&["run", "--only", plugin]).says("by itself; `severity` under");
    place.modelhost(&["explain", &rule]).code(0).says("as the policy makes it");

    place.write(
        "modelhost.toml",
        format!("{policy}[gate]\nrequire = [\"{plugin}\"]\n[plugin.{plugin}]\napplies-to = [\"models/good/**\", \"go?d\"]\n"),
    );
    let report = json(&place, &[]);
    let bad = &report["models"][0];
    assert_eq!(bad["name"], "bad");
    let own: Vec<_> =
        bad["findings"].as_array().expect("findings").iter().map(|f| f["rule"].clone()).collect();
    assert!(own.contains(&"gate/not-required".into()), "{own:?}");
    // No judge for the pickle is left: that is told, and never allowed.
    assert_ne!(place.modelhost(&["run"]).code, 0);
}

#[test]
fn the_baseline_only_shrinks_by_itself() {
    let place = place();
    place.write("models/bad/model.pkl", b"cbuiltins\nlist\n.");
    place.write("modelhost.toml", place.read("modelhost.toml") + "[gate]\nfail-on = \"low\"\n");
    place.modelhost(&["baseline", "check"]).code(2).says("there is no modelhost-baseline.json");
    place.modelhost(&["run"]).code(1);
    place.modelhost(&["baseline", "write"]).code(0).says("wrote modelhost-baseline.json");
    let first = place.read("modelhost-baseline.json");
    place.modelhost(&["baseline", "check"]).code(0);
    place.modelhost(&["baseline", "write"]).code(0).says("up to date");
    place.modelhost(&["run"]).code(0).says("in the baseline");
    place.modelhost(&["run", "--no-waivers"]).code(1);

    // A file that changes is another finding's bytes.
    place.write("models/good/model.safetensors", model::safetensors(9));
    place.modelhost(&["run"]).code(1).says("gate/baseline-shrinks");
    place.modelhost(&["baseline", "check"]).code(1);
    place.modelhost(&["baseline", "write"]).code(1).says("would grow by");
    assert_eq!(place.read("modelhost-baseline.json"), first);
    place.modelhost(&["baseline", "write", "--accept-new"]).code(0);
    place.modelhost(&["run"]).code(0);

    // What harms is in no baseline.
    place.write("models/bad/model.pkl", b"cos\nsystem\n(Vid\ntR.");
    place
        .modelhost(&["baseline", "write", "--accept-new"])
        .code(0)
        .says("no baseline covers what is critical");
    place.modelhost(&["run"]).code(1).says("critical[");

    for (text, expected) in
        [("{", "EOF"), ("{\"schema\": \"modelhost-baseline/v9\"}", "modelhost-baseline/v1")]
    {
        place.write("modelhost-baseline.json", text);
        place.modelhost(&["run"]).code(2).says(expected).says("modelhost-baseline.json:1");
    }
}

#[test]
fn changed_takes_what_git_can_not_vouch_for_as_changed() {
    let place = place();
    place.write("models/bad/model.pkl", b"]."); // an empty list
    place.modelhost(&["run", "--changed"]).code(2).says("no git repository");
    let git = Repository::new(&place);
    place.write("models/good/card.md", "# A card\n");
    place.write(".gitignore", "*.cache\n");
    // A hook before the first commit.
    place.modelhost(&["run", "--changed=HEAD"]).code(0).says("there is no commit yet");
    git.commit("all");
    place.modelhost(&["run", "--changed"]).code(2).says("finds no base");
    place.modelhost(&["run", "--changed=nowhere"]).code(2).says("git fetch origin nowhere");
    place.modelhost(&["run", "--changed=--help"]).code(2).says("can't be compared with");
    let changed = |expected: &str| place.modelhost(&["run", "--changed=main"]).says(expected).code;
    assert_eq!(changed("0 of 2 models changed since main"), 0);

    // Committed, not committed, untracked, ignored.
    let one = "1 of 2 models changed since main";
    place.write("models/good/README.md", "# Good\n");
    changed(one);
    git.run(&["add", "-A"]);
    changed(one);
    git.run(&["checkout", "-q", "-b", "more"]);
    git.commit("more");
    changed(one);
    git.run(&["checkout", "-q", "main"]);
    changed("| 0 of 2 models changed");
    place.write("models/good/x.cache", "x");
    changed(one);
    std::fs::remove_file(place.path().join("models/good/x.cache")).expect("removed");
    place.write("README.md", "no model");
    changed("| 0 of 2 models changed");
    std::fs::remove_file(place.path().join("models/good/model.safetensors")).expect("removed");
    changed(one);
    git.run(&["checkout", "-q", "--", "."]);

    // What decides about all models widens it to all.
    place.write(
        "modelhost-baseline.json",
        "{\"schema\": \"modelhost-baseline/v1\", \"findings\": []}",
    );
    changed("looks at all models: modelhost-baseline.json changed since main");
    std::fs::remove_file(place.path().join("modelhost-baseline.json")).expect("removed");
    place.write("models.d/more.toml", "");
    changed("looks at all models: models.d changed since main");
    std::fs::remove_file(place.path().join("models.d/more.toml")).expect("removed");
    place.modelhost(&["lock"]).code(0);
    changed("looks at all models: modelhost.lock changed since main");
}

#[test]
fn changed_finds_the_base_of_each_ci_system() {
    let place = place();
    place.write("origin/models/a/model.safetensors", model::safetensors(8));
    place.write("origin/models/b/model.safetensors", model::safetensors(9));
    let origin = Repository::at(&place.path().join("origin"));
    origin.run(&["init", "-q", "-b", "main"]);
    origin.commit("first");
    origin.run(&["checkout", "-q", "-b", "pr"]);
    place.write("origin/models/b/model.safetensors", model::safetensors(10));
    origin.commit("second");
    let clone = |args: &[&str], name: &str| {
        let url = format!("file://{}", place.path().join("origin").display());
        let all: Vec<&str> =
            ["clone", "-q", "-b", "pr"].iter().chain(args).copied().chain([&*url, name]).collect();
        Repository::at(&place.path()).run(&all);
        place.path().join(name)
    };
    let run = |folder: &std::path::Path, vars: &[(&str, &str)]| {
        let mut command = place.command(&["run", "--changed", "--no-config", "--no-locked"]);
        command.current_dir(folder).envs(vars.iter().copied());
        place.said(&command.output().expect("modelhost starts"))
    };
    let whole = clone(&[], "whole");
    let base = Repository::at(&whole).run(&["rev-parse", "origin/main"]);
    let one = "1 of 2 models changed since";
    run(&whole, &[("CI", "true"), ("GITHUB_BASE_REF", "main")]).says(&format!("{one} origin/main"));
    for (name, value) in [
        ("GITHUB_REF", "refs/heads/gh-readonly-queue/main/pr-7-0a1b2c"),
        ("CHANGE_TARGET", "main"),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "main"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
    ] {
        run(&whole, &[("CI", "true"), (name, value)]).says(&format!("{one} origin/main"));
        // A branch that is not there is never taken for nothing changed.
        let absent = value.replace("main", "absent");
        let said = run(&whole, &[("CI", "true"), (name, &absent)]);
        said.code(2).says("the base origin/absent can't be compared with");
    }
    let at = Repository::at(&whole);
    // Checked out as CI systems do it, and a merge made for the request, as GitHub's and
    // GitLab's: what the target changed meanwhile may be looked at as well, never less.
    at.run(&["checkout", "-q", "--detach"]);
    run(&whole, &[("CI", "true"), ("GITHUB_BASE_REF", "main")]).says(&format!("{one} origin/main"));
    origin.run(&["checkout", "-q", "main"]);
    place.write("origin/models/a/model.safetensors", model::safetensors(11));
    origin.commit("third");
    at.run(&["fetch", "-q", "origin"]);
    at.run(&["merge", "-q", "--no-edit", "origin/main"]);
    run(&whole, &[("CI", "true"), ("GITHUB_BASE_REF", "main")]).says(&format!("{one} origin/main"));
    run(&whole, &[("CI", "true"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base)])
        .says(&format!("2 of 2 models changed since {}", &base[..12]));
    at.run(&["checkout", "-q", "pr"]);
    run(&whole, &[("CI", "true"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base)])
        .says(&format!("{one} {}", &base[..12]));
    Repository::at(&whole).run(&["remote", "set-head", "origin", "main"]);
    run(&whole, &[]).says(&format!("{one} origin/main"));
    // Pushed to the default branch itself, everything is judged.
    Repository::at(&whole).run(&["checkout", "-q", "main"]);
    run(&whole, &[("CI", "true")]).says("looks at all models: HEAD is on origin/main itself");
    run(&whole, &[]).says("0 of 2 models changed since origin/main");

    let shallow = clone(&["--depth", "1"], "shallow");
    run(&shallow, &[("GITHUB_BASE_REF", "main")])
        .code(2)
        .says("shallow")
        .says("git fetch --no-tags --unshallow origin +refs/heads/main:refs/remotes/origin/main");
    run(&shallow, &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base)])
        .code(2)
        .says(&format!("git fetch --unshallow origin {base}"));
}

#[test]
fn explain_knows_every_rule_and_near_misses() {
    let place = Place::new();
    place
        .modelhost(&["explain", "license/not-allowed"])
        .code(0)
        .says("license/not-allowed: ")
        .says("waiver add");
    place
        .modelhost(&["explain", "license/not-alowed"])
        .code(2)
        .says("did you mean `license/not-allowed`?");
    place.modelhost(&["explain", "gate/waiver-stale"]).code(0).says("can't be waived");
    place.modelhost(&["explain", "\u{1b}[2J"]).code(2).says("there is no rule `\\x1b[2J`");
    place.modelhost(&["explain", "gate"]).code(0).says("gate/not-judged");
    let list = place.modelhost(&["plugin", "list", "--json"]).json();
    for plugin in list["plugins"].as_array().expect("plugins") {
        let id = plugin["id"].as_str().expect("an id");
        let said = place.modelhost(&["explain", id]);
        for rule in plugin["rules"].as_array().expect("rules") {
            let rule = rule["id"].as_str().expect("an id");
            said.says(rule);
        }
    }
}

#[test]
fn waivers_and_baseline_are_told_to_programs() {
    let place = Place::new();
    place.write("m/model.bin", model::malicious_pickle());
    place.write("modelhost.toml", "version = 1\n[[model]]\nname = \"m\"\npath = \"m\"\n");
    let held = |args: &[&str], schema: &str, code: i32| {
        let document = place.modelhost(args).code(code).json();
        let schema = place.modelhost(&["schema", schema]).code(0).json();
        assert!(jsonschema::is_valid(&schema, &document), "{document}");
        document
    };
    let none = held(&["waiver", "list", "--json"], "waivers", 0);
    assert_eq!(none["waivers"], serde_json::json!([]));
    place.modelhost(&["baseline", "check", "--json"]).code(2).says("there is no");
    place.modelhost(&["run", "-o", "json=report.json"]).code(1);
    let report: serde_json::Value =
        serde_json::from_str(&place.read("report.json")).expect("a report");
    let tasks = report["tasks"].as_array().expect("tasks");
    let mut found = tasks.iter().flat_map(|task| task["findings"].as_array().expect("findings"));
    let denying = found.find(|finding| finding["denies"] == true).expect("one denies");
    let fingerprint = denying["fingerprint"].as_str().expect("text");
    let add = ["waiver", "add", fingerprint, "--reason", "r", "--owner", "@o", "--expires"];
    place.modelhost(&[&add[..], &["2999-12-31"]].concat()).code(0);
    let one = held(&["waiver", "list", "--json"], "waivers", 0);
    assert_eq!(one["waivers"][0]["state"], "in-use");
    assert_eq!(one["waivers"][0]["fingerprint"], fingerprint);
    place.modelhost(&["baseline", "write"]).code(0);
    let same = held(&["baseline", "check", "--json"], "baseline", 0);
    assert_eq!(same["same"], true);
    place.write("m/other.bin", [&model::malicious_pickle()[..], b"x"].concat());
    let grown = held(&["baseline", "check", "--json"], "baseline", 1);
    assert_eq!(grown["same"], false);
    let told = grown["grown"].as_array().expect("texts").len()
        + grown["left_out"].as_array().expect("texts").len();
    assert!(told > 0, "{grown}");
}

/// What the help of a bundled plugin's rule holds: what it means and why that
/// matters, then what to do.
#[test]
fn every_rule_says_why_and_what_to_do() {
    let place = Place::new();
    let said = place.modelhost(&["explain", "--all", "--format", "json"]);
    let document = said.code(0).json();
    let schema = place.modelhost(&["schema", "explain"]).code(0).json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&document), "{:?}", validator.iter_errors(&document).next());
    let rules = document["rules"].as_array().expect("rules");
    for rule in rules {
        let (id, help) = (&rule["id"], rule["help"].as_str().expect("text"));
        if rule["plugin"].is_null() {
            assert!(help.len() > 60 && rule["waivable"] == false, "{id}: {help}");
            continue;
        }
        let (why, fix) = help.split_once("**What to do.** ").unwrap_or_else(|| panic!("{id}"));
        assert!(why.len() > 70 && fix.len() > 10, "{id}: {help}");
    }
    let page = place.modelhost(&["explain", "--all", "--format", "markdown"]);
    page.code(0);
    for rule in rules {
        page.says(&format!("### {}: ", rule["id"].as_str().expect("text")));
    }
}

#[test]
fn explain_says_what_the_policy_makes_of_a_rule() {
    let place = Place::new();
    place.write("m/model.safetensors", model::safetensors(8));
    place.write(
        "modelhost.toml",
        "version = 1\n[gate]\nrequire = [\"license\"]\n\
         [[model]]\nname = \"m\"\npath = \"m\"\nchecks = [\"checksum\"]\n\
         [plugin.pickle]\nmode = \"advise\"\n\
         [plugin.code]\nfail-on = \"medium\"\napplies-to = [\"m*\"]\n\
         severity = { \"shell-script\" = \"medium\" }\n\
         [[waiver]]\nrule = \"code/executable\"\nmodel = \"m\"\nreason = \"r\"\nowner = \"@o\"\n\
         digest = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n\
         expires = 2030-01-02\n",
    );
    let rows = [
        ("license/not-named", "denies although it is low"),
        ("license/not-named", "without its verdict on a model"),
        ("license/dataset", "it warns: medium, below"),
        ("license/text-unrecognised", "changes nothing: info"),
        ("pickle/dangerous-global", "never denies: pickle only advises"),
        ("code/shell-script", "denies: medium, as the policy makes it"),
        ("code/shell-script", "these models alone: m*"),
        ("code/executable", "there is a waiver for m, until 2030-01-02"),
        ("checksum/not-locked", "required by m"),
    ];
    for (rule, expected) in rows {
        place.modelhost(&["explain", rule]).code(0).says(expected);
    }
    // Of a finding: where it is, what comes of it, and how to waive it.
    place.write("bad/model.bin", model::malicious_pickle());
    place.modelhost(&["run", "--no-config", "bad", "-o", "json=report.json"]).code(1);
    let report: serde_json::Value =
        serde_json::from_str(&place.read("report.json")).expect("a report");
    let tasks = report["tasks"].as_array().expect("tasks");
    let mut found = tasks.iter().flat_map(|task| task["findings"].as_array().expect("findings"));
    let denying = found.find(|finding| finding["denies"] == true).expect("one denies");
    let fingerprint = denying["fingerprint"].as_str().expect("text");
    let asked = ["explain", fingerprint, "--report", "report.json", "--format"];
    let said = place.modelhost(&[&asked[..], &["human"]].concat());
    let waive = format!("modelhost waiver add {fingerprint} --report report.json --reason");
    said.code(0).says("  file        model.bin").says("  state       denies").says(&waive);
    place.modelhost(&[&asked[..], &["markdown"]].concat()).code(0).says("- state: `denies`");
    let json = place.modelhost(&[&asked[..], &["json"]].concat()).code(0).json();
    assert_eq!(json["findings"][0]["state"], "denies");
    assert_eq!(json["findings"][0]["rule"], json["rules"][0]["id"]);
}

#[test]
fn doctor_tells_what_is_missing() {
    let place = Place::new();
    let said = place.modelhost(&["doctor"]);
    said.code(0).says("no modelhost.toml").says("bundled").says("isolation");
    let json = place.modelhost(&["doctor", "--json"]).json();
    assert_eq!(json["schema"], "modelhost-doctor/v1");
    let schema = place.modelhost(&["schema", "doctor"]).json();
    assert!(jsonschema::is_valid(&schema, &json), "{json}");
    // Where nothing is to be had: no git, no home, no cache that can be written.
    let mut bare = place.command(&["doctor"]);
    bare.env_clear().env("PATH", "/nowhere");
    place.said(&bare.output().expect("modelhost starts")).says("git can't be started");
    let mut broken = place.command(&["doctor"]);
    broken.env("MODELHOST_CACHE_DIR", "/proc/none");
    place.said(&broken.output().expect("modelhost starts")).code(1).says("MISSING cache");
    let digest = "0".repeat(64);
    place.write(
        "modelhost.toml",
        format!(
            "version = 1\n[documents]\na = {{ path = \"a.json\", digest = \"sha256:{digest}\" }}\n"
        ),
    );
    place.modelhost(&["doctor"]).code(1).says("MISSING document");
    place.write("a.json", "{}");
    place.modelhost(&["doctor"]).code(1).says("another digest");
    place.write("modelhost.toml", "version = 2\n");
    place.modelhost(&["doctor"]).code(1).says("MISSING policy");
}

#[test]
fn init_leaves_alone_what_is_there() {
    let place = Place::new();
    place.modelhost(&["init"]).code(4).says("no models were found");
    place.write("weights/a b/model.safetensors", model::safetensors(8));
    place.write(".pre-commit-config.yaml", "repos: []\n");
    place
        .modelhost(&["init", "--ci", "pre-commit"])
        .code(0)
        .says("as it is  .pre-commit-config.yaml");
    assert_eq!(place.read(".pre-commit-config.yaml"), "repos: []\n");
    place.modelhost(&["init", "--ci", "pre-commit"]).says("add this to").says("id: modelhost");
    // Editors find the schema, and one of another modelhost is written anew.
    assert!(place.read("modelhost.toml").starts_with("#:schema ./modelhost.schema.json\n"));
    let schema = place.modelhost(&["schema", "config"]).stdout;
    assert_eq!(place.read("modelhost.schema.json").trim_end(), schema);
    place.modelhost(&["init", "--check"]).code(0).says("as it is  modelhost.schema.json");
    for other in ["{}\n".to_owned(), schema.clone() + "\n\n"] {
        place.write("modelhost.schema.json", &other);
        place.modelhost(&["init", "--check"]).code(1).says("differs   modelhost.schema.json");
        assert_eq!(place.read("modelhost.schema.json"), other);
        place.modelhost(&["init"]).code(0).says("rewrote   modelhost.schema.json");
        assert_eq!(place.read("modelhost.schema.json").trim_end(), schema);
    }
    assert!(place.read("modelhost.toml").contains("name = \"weights/a b\""));
    place.modelhost(&["run", "--locked"]).code(0);
    place
        .modelhost(&["init", "--ci", "gitlab"])
        .code(0)
        .says("include: { local: .gitlab/modelhost.yml }");
    assert!(!place.read(".gitlab/modelhost.yml").contains("{SHA256}"));
    // Below another policy there is nothing to set up.
    let mut command = place.command(&["init"]);
    command.current_dir(place.path().join("weights"));
    place.said(&command.output().expect("modelhost starts")).code(2).says("already");
}

/// Makes a model with one finding that denies, and a waiver until `day` of it. Returns the
/// finding's fingerprint.
fn waived(place: &Place, name: &str, day: Option<&str>) -> String {
    // High, and not critical: what harms is in no baseline.
    place.write(&format!("models/{name}/model.pkl"), b"cfoo.bar\nBaz\n(tR.");
    let policy = place.read("modelhost.toml");
    let entry = format!("{policy}[[model]]\nname = \"{name}\"\npath = \"models/{name}\"\n");
    place.write("modelhost.toml", &entry);
    let report = json(place, &[&format!("models/{name}")]);
    let (rule, fingerprint) = denying(&report).remove(0);
    let digest = report["models"][0]["files"][0]["digest"].as_str().expect("a digest");
    if let Some(day) = day {
        place.write(
            "modelhost.toml",
            format!(
                "{entry}[[waiver]]\nrule = \"{rule}\"\nmodel = \"{name}\"\ndigest = \"{digest}\"\n\
                 reason = \"ticket of {name}\"\nowner = \"@{name}\"\nexpires = {day}\n"
            ),
        );
    }
    fingerprint
}

#[test]
fn every_format_lists_what_is_let_pass() {
    let place = Place::new();
    place.write("modelhost.toml", "version = 1\n");
    let old = waived(&place, "old", None);
    place.modelhost(&["baseline", "write", "--now", NOW]).code(0);
    let used = waived(&place, "used", Some("2027-06-01"));
    let soon = waived(&place, "soon", Some("2026-11-30"));
    waived(&place, "over", Some("2026-11-01"));
    // A model that a waiver speaks of, and that has nothing to waive.
    place.write("models/good/model.safetensors", model::safetensors(8));
    let policy = place.read("modelhost.toml");
    let digest = "0".repeat(64);
    place.write(
        "modelhost.toml",
        format!(
            "{policy}[[model]]\nname = \"good\"\npath = \"models/good\"\n\
             [[waiver]]\nrule = \"pickle/unsafe-global\"\nmodel = \"good\"\ndigest = \"sha256:{digest}\"\n\
             reason = \"ticket of good\"\nowner = \"@good\"\nexpires = 2027-05-05\n"
        ),
    );
    let outputs: Vec<String> =
        Format::ALL.iter().map(|format| format!("{format}={format}.report")).collect();
    let mut args = vec!["run", "--now", NOW];
    args.extend(outputs.iter().flat_map(|output| ["-o", output.as_str()]));
    let summary = place.path().join("summary");
    let mut command = place.command(&args);
    command.env("GITHUB_STEP_SUMMARY", summary).env("GITHUB_OUTPUT", place.path().join("outputs"));
    // What is over denies.
    place.said(&command.output().expect("modelhost starts")).code(1);
    let let_pass = ["@used", "2027-06-01", "ticket of used", "@soon", "2026-11-30"];
    let notes = ["waiver-expired", "waiver-expiring", "waiver-unused"];
    let states = ["expired", "expiring", "unused", "@over", "@good"];
    // GitHub's annotations are of the gravest; the job's summary has the rest.
    let rows: [(&str, &[&[&str]], &str); 11] = [
        ("cyclonedx", &[&let_pass, &states], "modelhost:in-baseline"),
        ("github", &[&let_pass, &notes], "1 in the baseline"),
        ("gitlab", &[&let_pass, &notes], "it is in the baseline"),
        ("html", &[&let_pass, &notes, &["@over", "@good"]], "2 waived, 1 in the baseline."),
        ("human", &[&let_pass, &notes], "1 in the baseline"),
        ("json", &[&let_pass, &notes, &states], "\"in_baseline\": true"),
        ("jsonl", &[&let_pass, &notes, &states], "\"in_baseline\":true"),
        ("junit", &[&let_pass, &notes, &states], "it is in the baseline"),
        ("markdown", &[&let_pass, &notes], "1 in the baseline"),
        ("sarif", &[&let_pass, &notes], "in the baseline"),
        // It tells of times alone.
        ("timings", &[], ""),
    ];
    assert!(rows.iter().map(|row| row.0).eq(Format::ALL.iter().map(|format| format.name())));
    for (format, parts, baseline) in rows {
        let text = place.read(&format!("{format}.report"));
        for part in parts.iter().copied().flatten().chain([&baseline]) {
            assert!(text.contains(part), "{format} lacks {part}\n{text}");
        }
    }
    let excepted = [&old, &used, &soon];
    let read = |format: &str| -> serde_json::Value {
        serde_json::from_str(&place.read(&format!("{format}.report"))).expect("JSON")
    };
    // None of it is shown as something that denies, or as open.
    let sarif = read("sarif");
    for finding in sarif["runs"][0]["results"].as_array().expect("results") {
        let hash = finding["partialFingerprints"]["primaryLocationLineHash"].as_str();
        assert!(excepted.iter().all(|known| hash != Some(known.as_str())), "{finding}");
    }
    assert_eq!(sarif["runs"][0]["properties"]["waived"].as_array().map(Vec::len), Some(2));
    let gitlab = read("gitlab");
    let entries = gitlab.as_array().expect("findings");
    for fingerprint in excepted {
        let entry = entries.iter().find(|entry| entry["fingerprint"] == fingerprint.as_str());
        assert_eq!(entry.expect("it is listed")["severity"], "info", "{gitlab}");
    }
    let junit = place.read("junit.report");
    assert_eq!(junit.matches("<failure ").count(), 2, "the decision, and what is over: {junit}");
    let github = place.read("github.report");
    assert!(github.lines().any(|line| line.starts_with("::notice ") && line.contains("@used")));
    assert!(!github.lines().any(|line| line.starts_with("::error ") && line.contains("/used/")));
    let said = place.read("outputs");
    assert!(said.contains("\nwaived=2\n") && said.contains("\nbaseline=1\n"), "{said}");
    assert!(let_pass.iter().all(|part| place.read("summary").contains(part)));
}
