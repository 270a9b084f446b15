//! What each target starts from: files of this repository, and cases of its corpus.

#![expect(clippy::disallowed_methods, reason = "seeds are files, made by a generator")]

use std::path::{Path, PathBuf};
use std::process::Command;

use modelhost::domain::digest::TreeDigest;

use crate::signatures;

/// Larger files make poor seeds: most of their bytes are weights.
const MAX: u64 = 64 << 10;

/// Returns the repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of the corpus, made anew under `folder`.
///
/// # Panics
/// If python3 can't make them.
pub fn corpus(folder: &Path) {
    let generator = root().join("tests/corpus/generate.py");
    let made = Command::new("python3").arg("-B").arg(generator).arg(folder).output();
    let made = made.expect("python3 is there");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Returns the seeds of the target `name`; those of parsers are among the cases
/// under `corpus`.
#[must_use]
pub fn of(name: &str, corpus: &Path) -> Vec<Vec<u8>> {
    let root = root();
    let found = match name {
        "policy" => read(&root.join("examples"), &|path| path.ends_with("modelhost.toml")),
        "lock" => read(&root.join("examples"), &|path| path.ends_with("modelhost.lock")),
        "import" => crate::import::seeds(),
        "audit" => read(&root.join("host/record/audit"), &|path| path.ends_with(".jsonl")),
        "manifest" => read(&root.join("plugins"), &|path| path.ends_with("plugin.toml")),
        "component" => components(&root),
        "frame" | "report" => (1..=16).map(noise).collect(),
        "escape" => vec![b"\x1b[0m::error::##[x]\n\xe2\x80\xae".to_vec()],
        "attestation" => attestations(),
        "license" => read(&root.join("examples"), &|path| path.ends_with(".md")),
        "card" => cards(&root),
        "document" => DOCUMENTS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "provenance" => {
            read(&root.join("plugins/provenance/tests"), &|path| path.ends_with(".sig"))
        }
        "payload" => {
            read(&root.join("plugins/provenance/tests"), &|path| path.ends_with("statement.json"))
        }
        "chain" => signatures::chains(),
        "repository" => {
            let mut files = read(corpus, &|path| is_of(name, path));
            // The first byte chooses the name: `config.json`.
            files.iter_mut().for_each(|file| file.insert(0, 0));
            files
        }
        _ => read(corpus, &|path| is_of(name, path)),
    };
    if found.is_empty() { vec![Vec::new()] } else { found }
}

/// Documents about a model, each after the byte that chooses its name.
const DOCUMENTS: [&str; 5] = [
    "\0{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[{\"type\":\
     \"machine-learning-model\",\"name\":\"m\",\"licenses\":[{\"license\":{\"id\":\"MIT\"}},\
     {\"expression\":\"MIT OR Apache-2.0\"}],\"pedigree\":{\"ancestors\":[{\"purl\":\
     \"pkg:huggingface/o/b@1\"}]}}]}",
    "\u{1}{\"spdxVersion\":\"SPDX-2.3\",\"packages\":[{\"SPDXID\":\"SPDXRef-m\",\"licenseDeclared\":\
     \"MIT\"}],\"relationships\":[{\"relationshipType\":\"DESCRIBES\",\"relatedSpdxElement\":\
     \"SPDXRef-m\"}]}",
    "\u{2}SPDXVersion: SPDX-2.3\nPackageName: m\nPackageLicenseDeclared: MIT\n",
    "\u{3}manifestVersion: 1.0.0\npackage:\n  name: m\n  license: MIT\nmodel:\n  license: MIT\n",
    "\u{4}<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"><metadata>\
     <component type=\"machine-learning-model\"><name>m</name><licenses><license><id>MIT</id>\
     </license></licenses><pedigree><ancestors><component type=\"machine-learning-model\"><purl>\
     pkg:huggingface/o/b@1</purl></component></ancestors></pedigree></component></metadata>\
     <components><component type=\"library\"><licenses><expression>MIT OR Zlib</expression>\
     </licenses></component></components></bom>",
];

/// The front matters among the labelled cards of `license`, and one with all its keys.
fn cards(root: &Path) -> Vec<Vec<u8>> {
    let labels = read(&root.join("plugins/license/tests"), &|path| path.ends_with("labels.tsv"));
    let labels = labels.into_iter().filter_map(|text| String::from_utf8(text).ok());
    let mut found = Vec::new();
    for text in labels {
        let columns = text.lines().filter_map(|line| line.split('\t').nth(1));
        found.extend(columns.map(|card| card.replace(';', "\n").into_bytes()));
    }
    found.push(
        b"license: other\nlicense_name: acme-1\nlicense_link: LICENSE\nbase_model:\n- o/b\n\
          datasets: [squad]\ntags: &t [a]\n"
            .to_vec(),
    );
    found
}

/// The guests of the tests, each as the one module of a component, and a component
/// that exports something under the contract's name.
fn components(root: &Path) -> Vec<Vec<u8>> {
    let guests = read(&root.join("tests/guests"), &|path| path.ends_with(".wat"));
    let texts = guests.into_iter().filter_map(|text| String::from_utf8(text).ok());
    let wrapped = texts.map(|text| text.replacen("(module", "(component (core module", 1) + ")");
    let named = "(component (instance $i) \
                 (export \"modelhost:check/model-check@0.1.0\" (instance $i)) \
                 (@custom \"modelhost:manifest\" \"{}\"))";
    wrapped.chain([named.to_owned()]).filter_map(|text| wat::parse_str(text).ok()).collect()
}

/// A bundle around a statement that nobody signed, two of them, a report that does
/// not fit together, and one that does.
fn attestations() -> Vec<Vec<u8>> {
    let bundle = r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"ab"},"tlogEntries":[]},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MAYCAQECAQE=","keyid":""}]}}"#;
    let report = r#"{"schema":"modelhost-report/v1","modelhost":"0.1.0","decision":"allow","now":"2026-01-31T12:00:00Z","inputs":{"policy":[]},"fail_on":"high","required":[],"reasons":[],"plugins":[],"models":[{"name":"m","tree":"sha256:00","locked":false,"files":[],"findings":[]}],"tasks":[]}"#;
    let whole = report.replace("sha256:00", &TreeDigest::of([]).to_string());
    vec![bundle.into(), format!("{bundle}\n{bundle}\n").into(), report.into(), whole.into()]
}

/// Some bytes without a meaning: there is no form that these would have to keep to.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..128).flat_map(|_| next()).collect()
}

/// Whether the file at `path` is one that the target `name` starts from.
fn is_of(name: &str, path: &str) -> bool {
    let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    match name {
        "pickle" => ends(&[".pkl", ".pickle"]),
        "archive" => ends(&[".pt", ".pth", ".zip", ".npz", ".tar", ".nemo", ".mar", ".7z"]),
        "compressed" => ends(&[".gz", ".bz2", ".xz", ".lzma", ".lz4", ".z"]),
        "array" => ends(&[".npy", ".joblib"]),
        "safetensors" => ends(&[".safetensors"]),
        "gguf" | "gguf-metadata" => ends(&[".gguf"]),
        "onnx" => ends(&[".onnx"]),
        "keras" => ends(&[".keras", ".h5", ".hdf5"]),
        "tensorflow" => ends(&[".pb", ".tflite"]),
        "companion" => ends(&[".png", ".jpg", ".wav", ".pdf", ".parquet", ".msgpack", ".model"]),
        "repository" => ends(&[".json", ".yaml", ".txt", ".py"]),
        "template" => ends(&[".jinja"]),
        _ => false,
    }
}

/// Reads the files below `folder` that are wanted, sorted by path.
fn read(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let Ok(kind) = std::fs::symlink_metadata(&path) else { continue };
        if kind.is_dir() {
            found.extend(read(&path, wanted));
        } else if kind.is_file() && kind.len() <= MAX && wanted(&path.to_string_lossy()) {
            found.extend(std::fs::read(&path).ok());
        }
    }
    found
}
