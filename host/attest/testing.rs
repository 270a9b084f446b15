//! What the tests of attestations share: keys made on the spot, and a run to attest.

use std::collections::BTreeMap;

use p256::pkcs8::{EncodePrivateKey as _, LineEnding};

use super::{Request, SigningKey, lines, statements};
use crate::domain::attested::{
    Attested, AttestedCheck, AttestedFile, AttestedModel, AttestedPlugin,
};
use crate::domain::decision::Decision;
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::evidence::{InputFile, Inputs};
use crate::domain::finding::Severity;
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::verdict::Verdict;

fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("randomness");
    bytes[0] = 1; // below the order of any of the curves, and not zero
    bytes
}

/// A key on P-256, in PEM.
pub(super) fn p256_pem() -> String {
    let key = p256::SecretKey::from_slice(&random::<32>()).expect("a number below the order");
    key.to_pkcs8_pem(LineEnding::LF).expect("PEM").to_string()
}

/// A key on P-384, in PEM.
pub(super) fn p384_pem() -> String {
    let key = p384::SecretKey::from_slice(&random::<48>()).expect("a number below the order");
    key.to_pkcs8_pem(LineEnding::LF).expect("PEM").to_string()
}

pub(super) fn key() -> SigningKey {
    SigningKey::from_pem(&p256_pem()).expect("a key")
}

pub(super) fn id(id: &str) -> PluginId {
    PluginId::new(id).expect("an id")
}

pub(super) fn file(path: &str) -> AttestedFile {
    AttestedFile {
        path: FilePath::from_bytes(path.as_bytes()),
        size: path.len() as u64,
        digest: Digest::of(path.as_bytes()),
    }
}

pub(super) fn model(name: &str, paths: &[&str]) -> AttestedModel {
    let mut files: Vec<AttestedFile> = paths.iter().map(|path| file(path)).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let check = |id_: &str, facts: &[(&str, &str)]| {
        let mut check = AttestedCheck::default();
        check.add(&id(id_), Verdict::Pass, [Severity::Info], facts.iter().copied());
        (id(id_), check)
    };
    AttestedModel {
        name: ModelName::new(name),
        tree: TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest))),
        source: Some("hf:org/bert".to_owned()),
        revision: Some("9f1c2d3e4f5061728394a5b6c7d8e9f001122334".to_owned()),
        locked: true,
        files,
        findings: [0, 1, 0, 0, 0],
        checks: BTreeMap::from([
            check("checksum", &[]),
            check("license", &[("concluded", "Apache-2.0"), ("class", "permissive")]),
            check("provenance", &[("signer", "sha256:00"), ("signature", "model.sig")]),
        ]),
    }
}

pub(super) fn attested(models: Vec<AttestedModel>) -> Attested {
    let plugin = |name: &str| AttestedPlugin {
        id: id(name),
        version: "0.1.0".to_owned(),
        digest: Digest::of(name.as_bytes()),
        bundled: true,
        advisory: false,
    };
    let input =
        |path: &str| InputFile { path: path.to_owned(), digest: Digest::of(path.as_bytes()) };
    Attested {
        modelhost: "0.1.0".to_owned(),
        report: Digest::of(b"report"),
        decision: Decision::Allow,
        now: "2026-01-31T12:00:00Z".to_owned(),
        inputs: Inputs {
            policy: vec![input("modelhost.toml"), input("models.d/bert.toml")],
            lock: Some(input("modelhost.lock")),
            baseline: Some(input("modelhost-baseline.json")),
        },
        fail_on: Severity::High,
        required: vec![id("checksum"), id("provenance")],
        plugins: vec![plugin("checksum"), plugin("license"), plugin("provenance")],
        models,
    }
}

pub(super) const PATHS: [&str; 3] = ["README.md", "model.safetensors", "model.sig"];

pub(super) fn bert() -> AttestedModel {
    model("bert", &PATHS)
}

/// The attestations of `attested`, signed.
pub(super) fn signed(attested: &Attested, key: &SigningKey) -> Vec<u8> {
    let statements = statements(attested, &Request::default()).expect("statements");
    lines(&statements, Some(key))
}
