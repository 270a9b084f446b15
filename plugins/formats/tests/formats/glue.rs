//! Owns the check as the host calls it: one file, an answer, what was read for it.

use modelhost_check::{Failure, testing};
use modelhost_plugin_formats::Formats;
use serde_json::json;

const HEADER: &[u8] = br#"{"a":{"dtype":"U8","shape":[1000000],"data_offsets":[0,1000000]}}"#;

fn model() -> testing::Model {
    let mut bytes = (HEADER.len() as u64).to_le_bytes().to_vec();
    bytes.extend(HEADER);
    bytes.resize(bytes.len() + 1_000_000, 0);
    testing::Model::new("tiny").file("model.safetensors", bytes)
}

#[test]
fn a_sound_file_gives_its_format_and_no_finding() {
    let answer = testing::check::<Formats>(&model(), json!({})).unwrap();
    assert!(answer.findings().is_empty());
    assert_eq!(answer.fact("format"), Some("safetensors"));
}

#[test]
fn weights_are_not_read() {
    let model = model();
    testing::check::<Formats>(&model, json!({})).unwrap();
    let read = testing::bytes_read(&model, "model.safetensors");
    assert!((1..100_000).contains(&read), "{read}");
}

#[test]
fn a_broken_file_gives_a_finding_with_its_place() {
    let bytes = (HEADER.len() as u64 + 1).to_le_bytes().to_vec();
    let model = testing::Model::new("tiny").file("a/b.bin", [&bytes, HEADER].concat());
    let answer = testing::check::<Formats>(&model, json!({})).unwrap();
    let [finding] = answer.findings() else { panic!("{answer:?}") };
    assert_eq!(finding.rule.name(), "malformed");
    assert_eq!(finding.location.file.as_deref(), Some("a/b.bin"));
    assert_eq!(finding.location.offset, Some(0));
}

#[test]
fn what_cannot_be_judged_is_said_so() {
    let other = testing::Model::new("tiny").file("notes.txt", "# notes");
    assert!(testing::check::<Formats>(&other, json!({})).unwrap().findings().is_empty());
    assert!(testing::bytes_read(&other, "notes.txt") > 0);
    let gone = model().unreadable("model.safetensors");
    let failure = testing::check::<Formats>(&gone, json!({})).unwrap_err();
    assert!(matches!(failure, Failure::Unreadable(text) if text.contains("model.safetensors")));
    let settings = testing::check::<Formats>(&model(), json!({"deny": []}));
    assert!(matches!(settings, Err(Failure::InvalidSettings(_))));
}
