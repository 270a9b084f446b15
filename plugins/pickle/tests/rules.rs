//! The rules in code, in the manifest and in RULES.md are the same, and the manifest's promise is kept.

mod support;

use modelhost_check::testing::{self, json};
use modelhost_plugin_pickle::Pickle;
use modelhost_plugin_pickle::log::RULES;

#[test]
fn rules_are_the_same_everywhere() {
    let manifest = testing::manifest(include_str!("../plugin.toml"));
    manifest.assert_rules(RULES);
    manifest.assert_documented(include_str!("../RULES.md"));
}

#[test]
fn reads_what_it_promises() {
    let manifest = testing::manifest(include_str!("../plugin.toml"));
    for bytes in [
        support::plain(),
        support::call("os", "system"),
        b"# a text".to_vec(),
        vec![0; 100],
        support::zip(&[support::member("a", b"text")]),
        support::npy("'<f4'", "(1,)", &[0; 4]),
    ] {
        let model = testing::Model::new("m").file("file", bytes);
        let answer = testing::check::<Pickle>(&model, json!({})).expect("an answer");
        manifest.assert_kept(&model, &answer);
    }
}
