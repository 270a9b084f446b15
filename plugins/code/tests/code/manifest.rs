//! Owns the agreement of code, manifest and documentation on the rules.

use modelhost_check::testing;
use modelhost_plugin_code::rules;

#[test]
fn the_same_rules_stand_in_code_manifest_and_documentation() {
    let manifest = testing::manifest(include_str!("../../plugin.toml"));
    assert_eq!(manifest.id, "code");
    manifest.assert_rules(rules::ALL);
    manifest.assert_documented(include_str!("../../RULES.md"));
    assert!(manifest.rules.iter().all(|rule| rule.help.contains("**What to do.**")));
}
