//! The bundled checks on files of any bytes: they answer, and the answer keeps
//! what their manifests promise.

use modelhost_check::Check;
use modelhost_check::testing::{Manifest, Model, manifest};
use modelhost_plugin_code::Code;
use modelhost_plugin_formats::Formats;
use modelhost_plugin_license::License;
use modelhost_plugin_pickle::Pickle;
use modelhost_plugin_provenance::Provenance;

/// Runs `C` on `model`.
fn check<C: Check>(model: &Model, plugin_toml: &str, settings: &str) {
    let settings = serde_json::from_str(settings).expect("settings of the check");
    let manifest: Manifest = manifest(plugin_toml);
    if let Ok(answer) = C::check(&model.view(), settings) {
        manifest.assert_kept(model, &answer);
    }
}

/// A model of one file.
fn one(name: &str, bytes: &[u8]) -> Model {
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

pub(crate) fn provenance(bytes: &[u8]) {
    let toml = include_str!("../../plugins/provenance/plugin.toml");
    let model = one("model.sig", bytes).file("weights.bin", b"w".as_slice());
    check::<Provenance>(&model, toml, "{}");
}
