//! Owns the agreement of code, manifest and documentation on the rules.

use std::collections::BTreeMap;

use modelhost_plugin_license::rules;

const MANIFEST: &str = include_str!("../../plugin.toml");
const DOCUMENTED: &str = include_str!("../../RULES.md");

#[test]
fn the_same_rules_stand_in_code_manifest_and_documentation() {
    let code: BTreeMap<String, String> = rules::ALL
        .iter()
        .map(|rule| (rule.name().to_owned(), format!("{:?}", rule.severity()).to_lowercase()))
        .collect();
    let manifest: toml::Table = MANIFEST.parse().unwrap();
    let text = |rule: &toml::Value, key: &str| rule[key].as_str().unwrap().to_owned();
    let rows = manifest["rule"].as_array().unwrap().iter();
    let listed: BTreeMap<_, _> = rows.map(|row| (text(row, "id"), text(row, "severity"))).collect();
    assert_eq!(code, listed);
    let headings = DOCUMENTED.lines().filter_map(|line| line.strip_prefix("## "));
    let headings: Vec<_> = headings.map(|id| id.trim_matches('`').to_owned()).collect();
    let mut sorted = headings.clone();
    sorted.sort();
    assert_eq!(code.into_keys().collect::<Vec<_>>(), sorted);
    // Helps answer the reader: what it means, and what to do.
    let helps = manifest["rule"].as_array().unwrap().iter().map(|row| text(row, "help"));
    assert!(helps.into_iter().all(|help| help.contains("**What to do.**")));
}
