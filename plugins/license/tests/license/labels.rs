//! Owns the labelled models: what the check must say of combinations of card, text,
//! metadata, bases and policy.

use modelhost_check::{Definition, testing};
use modelhost_plugin_license::License;
use sha2::{Digest, Sha256};

use crate::support::{gguf, safetensors};
use crate::texts::text;

const LABELS: &str = include_str!("labels.tsv");
/// 2026-06-15, 12:00 UTC.
const NOW: u64 = 1_781_524_800;

/// Returns the license file that a label describes.
fn license(label: &str) -> Option<String> {
    if let Some(words) = label.strip_prefix('=') {
        return Some(words.to_owned());
    }
    let part = |part: &str| {
        let mut changes = part.split('~');
        let mut text = text(changes.next()?).split_whitespace().collect::<Vec<_>>().join(" ");
        while let (Some(from), Some(to)) = (changes.next(), changes.next()) {
            assert!(text.contains(from), "no `{from}` in {label}");
            text = text.replace(from, to);
        }
        Some(text)
    };
    (label != "-").then(|| label.split('+').filter_map(part).collect::<Vec<_>>().join("\n\n"))
}

fn metadata(label: &str) -> Option<(String, Vec<u8>)> {
    let (name, content) = label.split_once(':')?;
    let pairs = || -> Vec<(&str, &str)> {
        content.split(',').filter_map(|pair| pair.split_once('=')).collect()
    };
    Some(match name {
        "gguf" => ("model.gguf".to_owned(), gguf(&pairs())),
        "st" => ("model.safetensors".to_owned(), safetensors(&pairs())),
        _ => (name.to_owned(), content.replace(';', "\n").into_bytes()),
    })
}

/// Returns what the check says of a labelled model: its rules, sorted, and the
/// license concluded.
fn said(columns: &[&str]) -> (String, String) {
    let [_, card, text, meta, operator, settings, ..] = columns else { panic!("{columns:?}") };
    let mut model = testing::Model::new("tiny").now(NOW).file("weights.bin", "weights");
    if *card != "-" {
        let card = format!("---\n{}\n---\n# A model\n", card.replace(';', "\n"));
        model = model.file("README.md", card);
    }
    let mut digest = String::new();
    if let Some(text) = license(text) {
        digest = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        model = model.file("LICENSE", text);
    }
    if let Some((name, content)) = metadata(meta) {
        model = model.file(name, content);
    }
    if *operator != "-" {
        let license = Some((*operator).to_owned());
        model = model.definition(Definition { license, ..Definition::default() });
    }
    let settings = if *settings == "-" { "{}" } else { settings }.replace("@LICENSE", &digest);
    let settings = serde_json::from_str(&settings).expect("settings are JSON");
    let answer = testing::check::<License>(&model, settings).expect("it can be checked");
    testing::manifest(include_str!("../../plugin.toml")).assert_kept(&model, &answer);
    let mut rules: Vec<_> = answer.findings().iter().map(|finding| finding.rule.name()).collect();
    rules.sort_unstable();
    let rules = if rules.is_empty() { "-".to_owned() } else { rules.join(" ") };
    (rules, answer.fact("concluded").unwrap_or("-").to_owned())
}

#[test]
fn labelled_models_are_all_right() {
    let rows: Vec<Vec<&str>> = LABELS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
        .collect();
    assert!(rows.len() >= 80, "{}", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let expected = (row[6].to_owned(), row[7].to_owned());
            let said = said(row);
            (said != expected).then(|| format!("{}: {said:?}, not {expected:?}", row[0]))
        })
        .collect();
    println!("{} of {}", rows.len() - wrong.len(), rows.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
