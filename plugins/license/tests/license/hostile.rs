//! Owns bad input in the places that are read: a finding or a failure each, never a
//! pass.

use modelhost_check::testing::{self, json};
use modelhost_plugin_license::License;
use proptest::prelude::*;

use crate::support::{gguf, safetensors};
use crate::texts::text;

/// Returns the rules that a model of this one file breaks, with MIT alone allowed.
fn broken(path: &str, content: &[u8]) -> String {
    let model = testing::Model::new("tiny").file(path, content);
    let settings = json!({ "allow": ["MIT"] });
    let answer = testing::check::<License>(&model, settings).expect("it can be checked");
    let rules: Vec<_> = answer.findings().iter().map(|finding| finding.rule.name()).collect();
    rules.join(" ")
}

fn safe(header: &str, length: u64) -> Vec<u8> {
    [&length.to_le_bytes(), header.as_bytes()].concat()
}

#[test]
fn bad_input_is_told() {
    let card = |yaml: &str| format!("---\n{yaml}\n---\n").into_bytes();
    let bomb: String = (1..40).fold("a0: &a0 [x]\n".to_owned(), |yaml, level| {
        format!("{yaml}a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1)
    });
    let mut long_text = gguf(&[("general.license", "mit")]);
    let at = 24 + 8 + "general.license".len() + 4;
    long_text[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut long_key = gguf(&[("general.license", "mit")]);
    long_key[24..32].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let mut many_keys = gguf(&[("general.license", "mit")]);
    many_keys[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    let twice = [("general.license", "mit"), ("general.license", "gpl-3.0")];
    let deep = "{\"license\":".repeat(10_000);
    let deep_list = format!("{{\"metadata\":{}", "[".repeat(10_000));
    let rows: Vec<(&str, &str, Vec<u8>, &str)> = vec![
        (
            "a bomb around the license",
            "README.md",
            card(&format!("{bomb}license: *a39")),
            "card-malformed not-named",
        ),
        (
            "a key twice",
            "README.md",
            card("license: mit\nlicense: mit"),
            "card-malformed not-named",
        ),
        ("tabs", "README.md", card("a:\n\t- b\nlicense: mit"), "card-malformed not-named"),
        (
            "a mark and CRLF",
            "README.md",
            b"\xef\xbb\xbf---\r\nlicense: gpl-3.0\r\n---\r\n".to_vec(),
            "not-allowed",
        ),
        (
            "front matter after text",
            "README.md",
            b"x\n---\nlicense: mit\n---\n".to_vec(),
            "not-named",
        ),
        (
            "a base that is a mapping",
            "README.md",
            card("license: mit\nbase_model: {a: b}"),
            "card-malformed not-named",
        ),
        (
            "too many bases",
            "README.md",
            card(&format!("base_model: [{}]\nlicense: mit", "a, ".repeat(9_000))),
            "card-malformed not-named",
        ),
        ("one MiB of nothing", "LICENSE", vec![b'a'; 1 << 20], "text-unrecognised not-named"),
        ("more than one MiB", "LICENSE", vec![b'a'; (1 << 20) + 1], "text-unrecognised not-named"),
        (
            "one MiB of MIT and a clause",
            "LICENSE",
            format!("{}\nNo commercial use.", text("MIT").repeat(800)).into_bytes(),
            "text-differs not-named not-allowed",
        ),
        (
            "one MiB of tags",
            "LICENSE",
            "SPDX-License-Identifier: X\n".repeat(38_000).into_bytes(),
            "",
        ),
        ("a text past the file", "m.gguf", long_text, "metadata-malformed not-named"),
        ("a key past the file", "m.gguf", long_key, "metadata-malformed not-named"),
        ("more keys than bytes", "m.gguf", many_keys, "metadata-malformed not-named"),
        ("a key twice in metadata", "m.gguf", gguf(&twice), "metadata-malformed not-named"),
        (
            "a version of nobody's",
            "m.gguf",
            b"GGUF\x09\0\0\0".to_vec(),
            "metadata-malformed not-named",
        ),
        ("no more than a magic number", "m.gguf", b"GGUF".to_vec(), "metadata-malformed not-named"),
        (
            "a header past the file",
            "m.safetensors",
            safe("{}", 1 << 40),
            "metadata-malformed not-named",
        ),
        (
            "a header that is no JSON",
            "m.safetensors",
            safe("{x}", 3),
            "metadata-malformed not-named",
        ),
        (
            "metadata twice",
            "m.safetensors",
            safe("{\"__metadata__\":{},\"__metadata__\":{}}", 37),
            "metadata-malformed not-named",
        ),
        ("a name alone", "m.safetensors", b"weights".to_vec(), "not-named"),
        ("deep", "config.json", deep.into_bytes(), "metadata-malformed not-named"),
        ("deep lists", "bom.json", deep_list.into_bytes(), "metadata-malformed not-named"),
        (
            "a key twice in JSON",
            "config.json",
            b"{\"license\":\"mit\",\"license\":\"x\"}".to_vec(),
            "metadata-malformed not-named",
        ),
        (
            "no UTF-8",
            "config.json",
            b"{\"license\":\"\xff\"}".to_vec(),
            "metadata-malformed not-named",
        ),
        (
            "a bomb of a Kitfile",
            "Kitfile",
            format!("{bomb}model: *a39").into_bytes(),
            "metadata-malformed not-named",
        ),
        ("a long Kitfile", "Kitfile", vec![b'a'; 1 << 17], "metadata-malformed not-named"),
        (
            "many packages",
            "m.spdx.json",
            format!(
                "{{\"spdxVersion\":\"x\",\"packages\":[{}{{}}]}}",
                "{\"SPDXID\":\"a\"},".repeat(100_000)
            )
            .into_bytes(),
            "not-named",
        ),
        (
            "no UTF-8 in tags",
            "m.spdx",
            b"PackageName: \xff".to_vec(),
            "metadata-malformed not-named",
        ),
    ];
    for (name, path, content, expected) in rows {
        let rules = broken(path, &content);
        if expected.is_empty() {
            assert!(
                rules.contains("unknown-id") && rules.contains("not-allowed"),
                "{name}: {rules}"
            );
        } else {
            assert_eq!(rules, expected, "{name}");
        }
    }
}

#[test]
fn many_shards_cost_a_header_each() {
    let shard = safetensors(&[("format", "pt")]);
    let mut model = testing::Model::new("tiny").file("README.md", "---\nlicense: mit\n---\n");
    for number in 0..200 {
        model = model.file(format!("model-{number:05}.safetensors"), shard.clone());
    }
    let answer = testing::check::<License>(&model, json!({})).unwrap();
    assert_eq!(answer.fact("concluded"), Some("MIT"));
    assert!(answer.findings().is_empty());
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let exception = |key: &str, value: &str| {
        let mut entry = json!({
            "model": "tiny", "allow": ["MIT"], "reason": "r", "owner": "o", "until": "2026-12-31"
        });
        entry[key] = value.into();
        json!({ "exceptions": [entry] })
    };
    let zeros = "0".repeat(64);
    let rows = [
        json!({ "allow-classes": ["free"] }),
        json!({ "deny": ["gpl"] }),
        json!({ "deny-facts": ["bad"] }),
        json!({ "altered-texts": "allow" }),
        exception("until", "2026-02-30"),
        exception("until", "soon"),
        exception("reason", " "),
        exception("owner", ""),
        json!({ "exceptions": [{ "model": "tiny", "allow": ["acme"], "reason": "r", "owner": "o", "until": "2026-12-31" }] }),
        json!({ "exceptions": [{ "model": "tiny", "allow": ["MIT"], "until": "2026-12-31" }] }),
        json!({ "clarifications": [{ "file": "LICENSE", "sha256": "00", "license": "MIT" }] }),
        json!({ "clarifications": [{ "file": "LICENSE", "sha256": zeros, "license": "other" }] }),
        json!({ "bases": [{ "model": "a/b", "license": "gpl" }] }),
        json!({ "datasets": [{ "data": "a/b", "license": "" }] }),
    ];
    for settings in rows {
        let shown = settings.to_string();
        let failure = testing::check::<License>(&testing::Model::new("tiny"), settings);
        assert!(matches!(failure, Err(modelhost_check::Failure::InvalidSettings(_))), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_bytes_end(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        for (path, before) in [
            ("m.gguf", &b"GGUF\x03\0\0\0"[..]),
            ("m.safetensors", b"\x10\0\0\0\0\0\0\0{"),
            ("config.json", b"{\"license\":"),
            ("bom.json", b"{\"bomFormat\":1,\"components\":["),
            ("Kitfile", b"model:\n"),
            ("m.spdx", b"PackageName: a\nPackageLicenseDeclared:"),
            ("NOTICE", b""),
        ] {
            broken(path, &[before, &content].concat());
        }
    }
}
