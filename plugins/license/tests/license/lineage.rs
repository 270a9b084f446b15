//! Owns the labelled models whose bases the lock file pins: what the check must say of a
//! claim over what a base comes under.

use modelhost_check::{Base, LockedBase, testing};
use modelhost_plugin_license::License;
use serde_json::{Value, json};

/// A pinned base: source and revision, which one it is below, and, of a locked one, the
/// license concluded and the one stated.
type Pin = (&'static str, Option<u32>, Option<(Option<&'static str>, Option<&'static str>)>);

struct Row {
    name: &'static str,
    /// The card's front matter, `;` for a new line.
    card: &'static str,
    locked: bool,
    pins: &'static [Pin],
    settings: Value,
    /// The rules, sorted.
    rules: &'static str,
    /// What a message has to say.
    says: &'static str,
}

fn base((source, below, locked): &Pin) -> Base {
    let (source, revision) = match source.rsplit_once('@') {
        Some((source, revision)) => (source, Some(revision.to_owned())),
        None => (*source, None),
    };
    let locked = locked.map(|(license, stated)| LockedBase {
        name: "base".to_owned(),
        tree: [7; 32],
        license: license.map(str::to_owned),
        stated_license: stated.map(str::to_owned),
    });
    Base { source: source.to_owned(), revision, below: *below, locked }
}

fn check(row: &Row) {
    let card = format!("---\n{}\n---\n# A model\n", row.card.replace(';', "\n"));
    let mut model = testing::Model::new("tiny").file("README.md", card).file("w.bin", "weights");
    if row.locked {
        model = model.lock_as_is();
    }
    model = row.pins.iter().fold(model, |model, pin| model.base(base(pin)));
    let answer = testing::check::<License>(&model, row.settings.clone()).expect("an answer");
    testing::manifest(include_str!("../../plugin.toml")).assert_kept(&model, &answer);
    let mut rules: Vec<_> = answer.findings().iter().map(|finding| finding.rule.name()).collect();
    rules.sort_unstable();
    assert_eq!(rules.join(" "), row.rules, "{}: {:?}", row.name, answer.findings());
    let says = answer.findings().iter().any(|finding| finding.message.contains(row.says));
    assert!(row.says.is_empty() || says, "{}: {:?}", row.name, answer.findings());
}

#[test]
fn what_is_pinned_counts() {
    const LLAMA: &str = "hf:meta-llama/Llama-3.1-8B@0e9e39f249a16976918f6564b8830bc894c89659";
    let none = || json!({});
    let rows = [
        Row {
            name: "a base that is locked, and restricted",
            card: "license: apache-2.0;base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("CC-BY-NC-4.0"), None)))],
            settings: none(),
            rules: "inherited",
            says: "the base acme/base@r1 (README.md:3) is under `CC-BY-NC-4.0`, of which is not kept: non-commercial",
        },
        Row {
            name: "a base that the card is silent about",
            card: "license: apache-2.0",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("CC-BY-NC-4.0"), None)))],
            settings: none(),
            rules: "inherited",
            says: "the base acme/base@r1 (modelhost.lock)",
        },
        Row {
            name: "a restricted base of a base",
            card: "license: apache-2.0;base_model: acme/mid",
            locked: true,
            pins: &[
                ("hf:acme/mid@r2", None, Some((Some("Apache-2.0"), None))),
                (LLAMA, Some(0), None),
            ],
            settings: none(),
            rules: "inherited",
            says: "the base acme/mid@r2 ← meta-llama/Llama-3.1-8B@0e9e39f249a1 (README.md:3) is under",
        },
        Row {
            name: "a restricted base that is kept",
            card: "license: llama3.1;base_model: meta-llama/Llama-3.1-8B",
            locked: true,
            pins: &[(LLAMA, None, None)],
            settings: none(),
            rules: "",
            says: "",
        },
        Row {
            name: "a permissive base",
            card: "license: apache-2.0;base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("MIT"), None)))],
            settings: none(),
            rules: "",
            says: "",
        },
        Row {
            name: "what the operator states of the base counts",
            card: "license: apache-2.0;base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("CC-BY-NC-4.0"), Some("MIT"))))],
            settings: none(),
            rules: "",
            says: "",
        },
        Row {
            name: "what the settings say of the base counts",
            card: "license: apache-2.0;base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("CC-BY-NC-4.0"), None)))],
            settings: json!({ "bases": [{ "model": "acme/base", "license": "MIT" }] }),
            rules: "",
            says: "",
        },
        Row {
            name: "what the base claims and what is known of it both count",
            card: "license: apache-2.0;base_model: meta-llama/Llama-3.1-8B",
            locked: true,
            pins: &[(LLAMA, None, Some((Some("Apache-2.0"), None)))],
            settings: none(),
            rules: "inherited",
            says: "is under `Apache-2.0 AND LicenseRef-",
        },
        Row {
            name: "a base of a base that the settings know",
            card: "license: apache-2.0;base_model: acme/mid",
            locked: true,
            pins: &[("hf:acme/mid@r2", None, Some((Some("Apache-2.0"), None)))],
            settings: json!({ "bases": [{ "model": "acme/mid", "license": "Apache-2.0", "bases": ["google/gemma-7b"] }] }),
            rules: "inherited",
            says: "acme/mid@r2 ← google/gemma-7b",
        },
        Row {
            name: "a base that is not on the Hub",
            card: "license: apache-2.0",
            locked: true,
            pins: &[("https://acme.test/base@r1", None, Some((Some("CC-BY-NC-4.0"), None)))],
            settings: none(),
            rules: "inherited",
            says: "the base https://acme.test/base@r1 (modelhost.lock)",
        },
        Row {
            name: "a base that nobody knows",
            card: "license: apache-2.0;base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base@r1", None, None)],
            settings: none(),
            rules: "base-unknown",
            says: "acme/base@r1",
        },
        Row {
            name: "a base whose license is no license",
            card: "license: apache-2.0;base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("mit or"), None)))],
            settings: none(),
            rules: "base-unknown",
            says: "acme/base@r1",
        },
        Row {
            name: "a base that is not pinned, beside one that is",
            card: "license: apache-2.0;base_model: [acme/base, mistralai/Mistral-7B-v0.1]",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("MIT"), None)))],
            settings: none(),
            rules: "base-not-pinned",
            says: "`mistralai/Mistral-7B-v0.1`",
        },
        Row {
            name: "a base that is not pinned, and restricted",
            card: "license: apache-2.0;base_model: google/gemma-7b",
            locked: true,
            pins: &[],
            settings: none(),
            rules: "base-not-pinned inherited",
            says: "`google/gemma-7b`",
        },
        Row {
            name: "a base pinned to no revision",
            card: "license: apache-2.0;base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base", None, Some((Some("MIT"), None)))],
            settings: none(),
            rules: "base-not-pinned",
            says: "no revision",
        },
        Row {
            name: "a model that is not locked",
            card: "license: apache-2.0;base_model: mistralai/Mistral-7B-v0.1",
            locked: false,
            pins: &[],
            settings: none(),
            rules: "",
            says: "",
        },
        Row {
            name: "no license of its own, under a policy",
            card: "base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("CC-BY-NC-4.0"), None)))],
            settings: json!({ "allow": ["MIT"] }),
            rules: "not-allowed not-named",
            says: "the base acme/base@r1 is under `CC-BY-NC-4.0`",
        },
        Row {
            name: "an exception for the base's license",
            card: "license: apache-2.0;base_model: acme/base",
            locked: true,
            pins: &[("hf:acme/base@r1", None, Some((Some("CC-BY-NC-4.0"), None)))],
            settings: json!({ "exceptions": [{ "model": "tiny", "allow": ["CC-BY-NC-4.0"], "reason": "research", "owner": "@ml", "until": "2999-12-31" }] }),
            rules: "",
            says: "",
        },
    ];
    rows.iter().for_each(check);
}

/// Many bases that nobody knows must not hide one that is restricted.
#[test]
fn a_restricted_base_is_told_among_many() {
    let mut names: Vec<String> = (0..60).map(|number| format!("acme/base-{number}")).collect();
    names.push("google/gemma-7b".to_owned());
    let card = format!("---\nlicense: mit\nbase_model: [{}]\n---\n", names.join(", "));
    let model = testing::Model::new("tiny").file("README.md", card);
    let answer = testing::check::<License>(&model, json!({})).expect("an answer");
    let of = |rule: &str| answer.findings().iter().filter(|one| one.rule.name() == rule).count();
    assert_eq!((of("inherited"), of("base-unknown")), (1, 32));
}
