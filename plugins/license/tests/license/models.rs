//! Owns what the check says of whole models.

use modelhost_check::{Definition, Failure, testing};
use modelhost_plugin_license::License;
use serde_json::json;

fn text(id: &str) -> &'static str {
    spdx::license_id(id).expect("an identifier of SPDX").text()
}

fn card(front_matter: &str) -> String {
    format!("---\n{front_matter}\n---\n# A model\n")
}

/// A model of these files; an empty text leaves a file out.
fn model(card_text: &str, license: &str) -> testing::Model {
    let mut model = testing::Model::new("tiny").file("model.safetensors", "weights");
    for (path, content) in [("README.md", card_text), ("LICENSE", license)] {
        if !content.is_empty() {
            model = model.file(path, content);
        }
    }
    model
}

/// Returns the rules found, worst matters aside, and the license concluded.
fn said(model: &testing::Model, allow: &[&str]) -> (String, String) {
    let answer =
        testing::check::<License>(model, json!({ "allow": allow })).expect("it can be checked");
    let rules: Vec<_> = answer.findings().iter().map(|finding| finding.rule.name()).collect();
    (rules.join(" "), answer.fact("concluded").unwrap_or("-").to_owned())
}

#[test]
fn models() {
    let apache = card("license: apache-2.0");
    let (mit_text, apache_text) = (text("MIT"), text("Apache-2.0"));
    let rows: Vec<(&str, testing::Model, &[&str], &str, &str)> = vec![
        ("an ordinary folder", model(&apache, apache_text), &[], "", "Apache-2.0"),
        (
            "an ordinary folder, allowed",
            model(&apache, apache_text),
            &["MIT", "Apache-2.0"],
            "",
            "Apache-2.0",
        ),
        (
            "an ordinary folder, not allowed",
            model(&apache, apache_text),
            &["MIT"],
            "not-allowed",
            "Apache-2.0",
        ),
        ("card alone", model(&apache, ""), &[], "", "Apache-2.0"),
        ("text alone", model("", mit_text), &["MIT"], "", "MIT"),
        ("title alone", model("", "Apache License Version 2.0"), &["Apache-2.0"], "", "Apache-2.0"),
        (
            "tag alone",
            model("", "SPDX-License-Identifier: MIT OR Apache-2.0\n"),
            &["MIT"],
            "",
            "MIT OR Apache-2.0",
        ),
        ("nothing", model("", ""), &[], "not-named", "-"),
        ("nothing, with a list", model("", ""), &["MIT"], "not-named", "-"),
        ("a card without a license", model(&card("language: en"), ""), &[], "not-named", "-"),
        ("says unknown", model(&card("license: unknown"), ""), &[], "not-named", "-"),
        (
            "text against card",
            model(&card("license: mit"), apache_text),
            &[],
            "conflict",
            "MIT AND Apache-2.0",
        ),
        (
            "text against card, one allowed",
            model(&card("license: mit"), apache_text),
            &["MIT"],
            "conflict not-allowed",
            "MIT AND Apache-2.0",
        ),
        (
            "a text of the card's choice",
            model(&card("license: mit or apache-2.0"), mit_text),
            &["MIT"],
            "",
            "MIT OR Apache-2.0",
        ),
        (
            "a list in the card",
            model(&card("license: [mit, apache-2.0]"), mit_text),
            &["MIT"],
            "not-allowed",
            "MIT AND Apache-2.0",
        ),
        ("a family", model(&card("license: bsd"), ""), &[], "ambiguous", "-"),
        (
            "a family, with a list",
            model(&card("license: bsd"), ""),
            &["BSD-3-Clause"],
            "ambiguous not-allowed",
            "-",
        ),
        (
            "a family made clear",
            model(&card("license: bsd"), text("BSD-3-Clause")),
            &["BSD-3-Clause"],
            "",
            "BSD-3-Clause",
        ),
        (
            "a family with another text",
            model(&card("license: bsd"), mit_text),
            &[],
            "ambiguous",
            "MIT",
        ),
        ("unknown id", model(&card("license: acme"), ""), &[], "unknown-id", "-"),
        (
            "unknown id, with a list",
            model(&card("license: acme"), ""),
            &["MIT"],
            "unknown-id not-allowed",
            "-",
        ),
        (
            "unknown id, but a good text",
            model(&card("license: acme"), mit_text),
            &["MIT"],
            "unknown-id not-allowed",
            "MIT",
        ),
        ("invalid expression", model(&card("license: mit or"), ""), &[], "expression-invalid", "-"),
        (
            "other, with a name",
            model(&card("license: other\nlicense_name: acme-1"), ""),
            &["LicenseRef-acme-1"],
            "",
            "LicenseRef-acme-1",
        ),
        (
            "other, with a name that is known",
            model(&card("license: other\nlicense_name: llama3.1"), ""),
            &["llama3.1"],
            "",
            "LicenseRef-scancode-llama-3.1-license-2024",
        ),
        ("other, alone", model(&card("license: other"), ""), &[], "unknown-id", "-"),
        ("other, with a text", model(&card("license: other"), mit_text), &["MIT"], "", "MIT"),
        (
            "a text that nobody knows",
            model(&apache, "You may look, but not touch."),
            &["Apache-2.0"],
            "text-unrecognised",
            "Apache-2.0",
        ),
        (
            "an altered text",
            model(&apache, &apache_text.replacen("not", "", 1)),
            &["Apache-2.0"],
            "text-differs not-allowed",
            "Apache-2.0",
        ),
        (
            "an unknown text alone",
            model("", "You may look, but not touch."),
            &[],
            "text-unrecognised not-named",
            "-",
        ),
        (
            "a card that can't be read",
            model("---\nlicense: mit\nlicense: gpl-3.0\n---\n", ""),
            &[],
            "card-malformed not-named",
            "-",
        ),
        (
            "two texts",
            model(&card("license: mit"), mit_text).file("LICENSE-APACHE", apache_text),
            &[],
            "conflict",
            "MIT AND Apache-2.0",
        ),
        (
            "two texts, no card",
            model("", mit_text).file("LICENSE-APACHE", apache_text),
            &[],
            "",
            "MIT AND Apache-2.0",
        ),
        (
            "two cards",
            model(&apache, "").file("MODEL_CARD.md", card("license: mit")),
            &[],
            "conflict",
            "MIT AND Apache-2.0",
        ),
        (
            "a license of code inside",
            model(&apache, "").file("src/LICENSE", mit_text),
            &["Apache-2.0"],
            "",
            "Apache-2.0",
        ),
        (
            "GPL, later or not",
            model(&card("license: gpl-3.0-or-later"), text("GPL-3.0-only")),
            &["GPL-3.0-or-later"],
            "",
            "GPL-3.0-or-later",
        ),
        (
            "not UTF-8",
            model(&apache, "").file("COPYING", b"\xff\xfe\0M\0I\0T".as_slice()),
            &[],
            "text-unrecognised",
            "Apache-2.0",
        ),
        (
            "too long",
            model(&apache, "").file("COPYING", vec![b'a'; 1024 * 1024 + 1]),
            &[],
            "text-unrecognised",
            "Apache-2.0",
        ),
    ];
    for (name, model, allow, rules, concluded) in rows {
        assert_eq!(said(&model, allow), (rules.to_owned(), concluded.to_owned()), "{name}");
    }
}

#[test]
fn the_operator_s_word_counts_most() {
    let defined = |license: &str, card_text: &str| {
        let license = Some(license.to_owned());
        model(card_text, "").definition(Definition { license, ..Definition::default() })
    };
    let rows = [
        ("Apache-2.0", "", "", "Apache-2.0"),
        ("Apache-2.0", "license: apache-2.0", "", "Apache-2.0"),
        ("Apache-2.0", "license: mit", "conflict", "Apache-2.0"),
        ("MIT", "license: acme", "unknown-id not-allowed", "MIT"),
        ("MIT", "license: mit", "not-allowed", "MIT"),
        ("Apache-2.0", "license: acme", "unknown-id", "Apache-2.0"),
        ("nonsense", "", "unknown-id not-allowed", "-"),
    ];
    for (license, front_matter, rules, concluded) in rows {
        let card_text = if front_matter.is_empty() { String::new() } else { card(front_matter) };
        let found = said(&defined(license, &card_text), &["Apache-2.0"]);
        assert_eq!(found, (rules.to_owned(), concluded.to_owned()), "{license} {front_matter}");
    }
}

#[test]
fn a_conflict_names_both_claims_with_their_places() {
    let model = model(&card("language: en\nlicense: mit"), text("Apache-2.0"));
    let answer = testing::check::<License>(&model, json!({})).unwrap();
    let [finding] = answer.findings() else { panic!("{answer:?}") };
    assert_eq!(
        finding.message,
        "the card says `mit` (README.md:3), but the text is that of Apache-2.0 (LICENSE)"
    );
    assert_eq!(finding.location.file.as_deref(), Some("LICENSE"));
    assert_eq!(answer.fact("declared-by-card"), Some("MIT"));
    assert_eq!(answer.fact("found-in-text"), Some("Apache-2.0"));
}

#[test]
fn an_exception_accepts_what_a_base_asks_for() {
    let derived = model(&card("license: mit\nbase_model: google/gemma-7b"), "").now(1_700_000_000);
    let said = |until: &str| {
        let settings = json!({ "exceptions": [{
            "model": "tiny", "allow": ["gemma"], "reason": "cleared", "owner": "@legal", "until": until
        }] });
        let answer = testing::check::<License>(&derived, settings).unwrap();
        let rules: Vec<_> = answer.findings().iter().map(|it| it.rule.name()).collect();
        rules.join(" ")
    };
    assert_eq!(said("2026-12-31"), "");
    assert_eq!(said("2020-12-31"), "inherited exception-expired");
}

#[test]
fn a_chain_is_shown_with_its_place() {
    let derived = model(&card("license: mit\nbase_model: acme/chat"), "");
    let settings = json!({ "bases": [
        { "model": "acme/chat", "license": "mit", "bases": ["meta-llama/Llama-2-7b"] }
    ] });
    let answer = testing::check::<License>(&derived, settings).unwrap();
    let [finding] = answer.findings() else { panic!("{answer:?}") };
    assert_eq!(
        finding.message,
        "`MIT` is claimed, but the base acme/chat ← meta-llama/Llama-2-7b (README.md:3) is under `LicenseRef-scancode-llama-2-license-2023`, of which is not kept: use-restrictions, flow-down, user-cap"
    );
    assert_eq!(finding.severity, modelhost_check::Severity::High);
}

#[test]
fn what_a_model_is_itself_is_no_base() {
    let own = model(&card("license: mit\nbase_model: acme/self"), "");
    let source = Some("hf:acme/self".to_owned());
    let own = own.definition(Definition { source, ..Definition::default() });
    assert_eq!(said(&own, &[]), (String::new(), "MIT".to_owned()));
}

#[test]
fn settings_that_name_no_license_are_refused() {
    let wide = ["(MIT OR Zlib)"; 7].join(" AND ");
    let nested = format!("{}MIT{}", "(".repeat(500), ")".repeat(400));
    let hostile = [
        "gpl",
        "acme",
        "other",
        "",
        "MIT OR",
        "MIT OR gpl",
        "MIT OR acme",
        "OR MIT",
        "MIT Zlib",
        "MIT WITH LLVM-exception OR",
        "MIT WITH acme",
        "()",
        "(MIT",
        "MIT OR ()",
        &wide,
        &nested,
    ];
    for allow in hostile {
        let failure = testing::check::<License>(&model("", ""), json!({ "allow": [allow] }));
        assert!(matches!(failure, Err(Failure::InvalidSettings(_))), "{allow}");
    }
    // Where one license is asked for, an expression of several is none.
    for settings in [
        json!({ "deny": ["MIT OR Apache-2.0"] }),
        json!({ "exceptions": [{ "model": "m", "allow": ["MIT AND Zlib"], "reason": "r", "owner": "o", "until": "2999-12-31" }] }),
    ] {
        let failure = testing::check::<License>(&model("", ""), settings);
        assert!(matches!(failure, Err(Failure::InvalidSettings(_))), "{failure:?}");
    }
    let failure = testing::check::<License>(&model("", ""), json!({ "allowed": [] }));
    assert!(matches!(failure, Err(Failure::InvalidSettings(_))));
}

#[test]
fn weights_are_hardly_read_and_an_unreadable_card_is_a_failure() {
    let sound = model(&card("license: mit"), text("MIT"));
    testing::check::<License>(&sound, json!({})).unwrap();
    assert!(testing::bytes_read(&sound, "model.safetensors") <= 9);
    let failure = testing::check::<License>(&sound.unreadable("README.md"), json!({}));
    assert!(matches!(failure, Err(Failure::Unreadable(text)) if text.contains("README.md")));
}
