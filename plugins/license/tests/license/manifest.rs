//! Owns the agreement of code, manifest and documentation on the rules.

use modelhost_check::testing;
use modelhost_plugin_license::rules;

const RULES: &str = include_str!("../../RULES.md");

#[test]
fn the_same_rules_stand_in_code_manifest_and_documentation() {
    let manifest = testing::manifest(include_str!("../../plugin.toml"));
    manifest.assert_rules(rules::ALL);
    manifest.assert_documented(RULES);
    // Helps answer the reader: what it means, and what to do.
    assert!(manifest.rules.iter().all(|rule| rule.help.contains("**What to do.**")));
}

#[test]
fn each_rule_is_explained_in_full() {
    for section in RULES.split("\n## ").skip(1) {
        for part in ["**What.**", "**Why.**", "**Fix.**", "**Except.**", "**Example.**"] {
            assert!(section.contains(part), "no {part} in\n{section}");
        }
    }
}
