//! Owns what the tests share: running the check, and GGUF made by hand.

use modelhost_check::testing::{self, Model, json};
use modelhost_check::{Answer, Finding, Severity};
use modelhost_plugin_code::Code;

/// Runs the check, and holds its answer against the manifest.
pub(crate) fn check(model: &Model) -> Answer {
    let answer = testing::check::<Code>(model, json!({})).expect("the check answers");
    let manifest = testing::manifest(include_str!("../../plugin.toml"));
    manifest.assert_kept(model, &answer);
    answer
}

/// Makes a model of files and runs the check.
pub(crate) fn of(files: &[(&str, &str)]) -> Answer {
    let model = files.iter().fold(Model::new("m"), |model, (path, text)| model.file(*path, *text));
    check(&model)
}

/// Writes findings as `rule severity`, in order.
pub(crate) fn short(findings: &[Finding]) -> Vec<String> {
    let one = |finding: &Finding| {
        format!("{} {:?}", finding.rule.name(), finding.severity).to_lowercase()
    };
    findings.iter().map(one).collect()
}

/// Returns the worst severity of an answer.
pub(crate) fn worst(answer: &Answer) -> Option<Severity> {
    answer.findings().iter().map(|finding| finding.severity).max()
}

/// How numbers in a GGUF file are laid out.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    One,
    Three,
    Big,
}

/// Makes a GGUF file of texts, with a number and lists between them.
pub(crate) fn gguf(layout: Layout, texts: &[(&str, &str)]) -> Vec<u8> {
    let int = |value: u32| match layout {
        Layout::Big => value.to_be_bytes(),
        _ => value.to_le_bytes(),
    };
    let length = |value: usize| match layout {
        Layout::One => u32::try_from(value).expect("tests are small").to_le_bytes().to_vec(),
        Layout::Three => (value as u64).to_le_bytes().to_vec(),
        Layout::Big => (value as u64).to_be_bytes().to_vec(),
    };
    let text = |text: &str| [length(text.len()), text.as_bytes().to_vec()].concat();
    let version = if matches!(layout, Layout::One) { 1 } else { 3 };
    let mut file =
        [b"GGUF".to_vec(), int(version).to_vec(), length(0), length(texts.len() + 3)].concat();
    file.extend([text("a.number"), int(4).to_vec(), int(7).to_vec()].concat());
    file.extend(
        [
            text("a.list"),
            int(9).to_vec(),
            int(5).to_vec(),
            length(2),
            int(1).to_vec(),
            int(2).to_vec(),
        ]
        .concat(),
    );
    file.extend(
        [text("a.tokens"), int(9).to_vec(), int(8).to_vec(), length(2), text("{{ x"), text("")]
            .concat(),
    );
    for (key, value) in texts {
        file.extend([text(key), int(8).to_vec(), text(value)].concat());
    }
    file
}
