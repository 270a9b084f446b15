//! The bundled checks on files of any bytes: they answer, and the answer keeps
//! what their manifests promise. Leaves signatures to `signatures`.

use modelhost_check::Check;
use modelhost_check::testing::{Manifest, Model, manifest};
use modelhost_plugin_code::Code;
use modelhost_plugin_formats::Formats;
use modelhost_plugin_license::License;
use modelhost_plugin_pickle::Pickle;

/// Runs `C` on `model`.
pub(crate) fn check<C: Check>(model: &Model, plugin_toml: &str, settings: &str) {
    let settings = serde_json::from_str(settings).expect("settings of the check");
    let manifest: Manifest = manifest(plugin_toml);
    if let Ok(answer) = C::check(&model.view(), settings) {
        manifest.assert_kept(model, &answer);
    }
}

/// A model of one file.
pub(crate) fn one(name: &str, bytes: &[u8]) -> Model {
    Model::new("fuzz").file(name, bytes)
}

pub(crate) fn pickle(bytes: &[u8]) {
    let toml = include_str!("../../plugins/pickle/plugin.toml");
    check::<Pickle>(&one("model.bin", bytes), toml, "{}");
}

pub(crate) fn formats(bytes: &[u8]) {
    let toml = include_str!("../../plugins/formats/plugin.toml");
    check::<Formats>(&one("model.bin", bytes), toml, "{}");
}

/// The names by which `code` knows what a file is for; the first byte chooses.
const NAMES: [&str; 12] = [
    "config.json",
    "tokenizer_config.json",
    "modules.json",
    "model_index.json",
    "requirements.txt",
    "model.gguf",
    "config.yaml",
    "MLmodel",
    "modeling.py",
    "notebook.ipynb",
    "run.sh",
    "weights.bin",
];

pub(crate) fn code(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let toml = include_str!("../../plugins/code/plugin.toml");
    let name = NAMES[usize::from(*first) % NAMES.len()];
    check::<Code>(&one(name, rest), toml, "null");
}

pub(crate) fn template(bytes: &[u8]) {
    let toml = include_str!("../../plugins/code/plugin.toml");
    check::<Code>(&one("chat_template.jinja", bytes), toml, "null");
}

pub(crate) fn license(bytes: &[u8]) {
    let toml = include_str!("../../plugins/license/plugin.toml");
    let model = one("README.md", bytes).file("LICENSE", bytes).file("model.gguf", bytes);
    check::<License>(&model, toml, "{}");
}

/// The front matter of a card, beside a license text of the same bytes.
pub(crate) fn card(bytes: &[u8]) {
    let toml = include_str!("../../plugins/license/plugin.toml");
    let card = [b"---\n".as_slice(), bytes, b"\n---\n# A model\n"].concat();
    let model = one("README.md", &card).file("LICENSE", bytes).file("weights.bin", "w");
    check::<License>(&model, toml, r#"{ "allow": ["MIT"], "bases": [] }"#);
}

/// The names by which `license` knows a document that describes the model; the first
/// byte chooses.
const DOCUMENTS: [&str; 5] = ["bom.json", "model.spdx.json", "model.spdx", "Kitfile", "bom.xml"];

pub(crate) fn document(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let toml = include_str!("../../plugins/license/plugin.toml");
    let name = DOCUMENTS[usize::from(*first) % DOCUMENTS.len()];
    check::<License>(&one(name, rest).file("weights.bin", "w"), toml, r#"{ "allow": ["MIT"] }"#);
}

/// The metadata of GGUF, as those read it who ask what it says.
pub(crate) fn gguf_metadata(bytes: &[u8]) {
    let model = one("model.gguf", bytes);
    check::<License>(&model, include_str!("../../plugins/license/plugin.toml"), "{}");
    check::<Code>(&model, include_str!("../../plugins/code/plugin.toml"), "null");
}
