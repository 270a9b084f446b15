//! What `provenance` reads of a signature: the bundle, the certificates in it and in the
//! operator's documents, and what was signed.
//!
//! The bundles that any bytes are put into are `tests/fixtures/forged` of the plugin,
//! where all but these bytes holds, so that nothing before them ends the reading.

use std::sync::LazyLock;

use modelhost_check::testing::Model;
use modelhost_plugin_provenance::certificate::Certificate;
use modelhost_plugin_provenance::trust_root::{self, TrustRoot};
use modelhost_plugin_provenance::{Provenance, attestation, pem, sct, statement};
use serde_json::Value;

use crate::checks::check;

const TOML: &str = include_str!("../../plugins/provenance/plugin.toml");
const ROOTS: &str = include_str!("../../plugins/provenance/tests/fixtures/forged/roots.pem");
const CHAIN: &str = include_str!("../../plugins/provenance/tests/fixtures/forged/chain.sig");
const LOGGED: &str = include_str!("../../plugins/provenance/tests/fixtures/forged/logged.sig");
const STAMPED: &str = include_str!("../../plugins/provenance/tests/fixtures/forged/stamped.sig");
const TRUSTED: &str =
    include_str!("../../plugins/provenance/tests/fixtures/forged/trusted_root.json");

/// 2025-03-02: a day after the forged bundles were signed.
const NOW: u64 = 1_740_916_800;

/// More certificates than a bundle may have.
const MAX_CERTIFICATES: usize = 12;

/// The identity in the forged certificates; who vouches for it.
const IDENTITY: &str =
    r#""identity": "https://github.test/o/r/.github/workflows/a.yml@refs/tags/v1""#;
const PROVIDER: &str = r#""identity-provider": "https://token.test""#;

/// Verifies a bundle by the policy `settings`, with these documents.
fn verify(bundle: &[u8], roots: &str, trusted: &str, settings: &str) {
    let model = Model::new("fuzz")
        .now(NOW)
        .file("model.sig", bundle)
        .file("weights.bin", "w")
        .document("roots", roots)
        .document("trusted", trusted);
    check::<Provenance>(&model, TOML, settings);
}

/// A policy for certificates of one's own, and for keyless signatures.
fn policy(unlogged: bool) -> String {
    format!(
        r#"{{ "certificates": "roots", "trusted-root": "trusted", {IDENTITY}, {PROVIDER}, "unlogged": {unlogged} }}"#
    )
}

/// A whole bundle, by a policy that trusts nobody and by one that trusts whom the
/// forged ones are by.
pub(crate) fn provenance(bytes: &[u8]) {
    verify(bytes, ROOTS, TRUSTED, "{}");
    verify(bytes, ROOTS, TRUSTED, &policy(false));
}

/// What was signed, whoever did.
pub(crate) fn payload(bytes: &[u8]) {
    const TYPE: &str = "application/vnd.in-toto+json";
    if statement::predicate_type(TYPE, bytes).is_err() {
        return;
    }
    statement::parse(bytes).ok();
    statement::parse_old(bytes).ok();
    let paths = [b"weights.bin".to_vec()];
    attestation::parse(bytes).and_then(|subjects| subjects.for_files(&paths)).ok();
}

/// Cuts bytes into the values of DER that they say they are; what is none is the last.
fn certificates(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let [0x30, 0x82, high, low, ..] = bytes
        && found.len() < MAX_CERTIFICATES
        && let Some((one, rest)) =
            bytes.split_at_checked(4 + usize::from(u16::from_be_bytes([*high, *low])))
    {
        found.push(one);
        bytes = rest;
    }
    if !bytes.is_empty() || found.is_empty() {
        found.push(bytes);
    }
    found
}

/// Any bytes as certificates: in a bundle, as one's own and as a keyless signature's, in
/// both documents of the operator's, and as a log and an issuer read them.
pub(crate) fn chain(bytes: &[u8]) {
    static ROOT: LazyLock<TrustRoot> = LazyLock::new(|| {
        trust_root::parse_document(TRUSTED.as_bytes()).expect("the fixture is a trusted root")
    });
    let chain = certificates(bytes);
    let raw = |der: &[u8]| serde_json::json!({ "rawBytes": base64(der) });
    let all: Value = chain.iter().map(|der| raw(der)).collect();
    let with = |bundle: &str, pointer: &str, value: Value| {
        let mut bundle: Value = serde_json::from_str(bundle).expect("the fixture is JSON");
        *bundle.pointer_mut(pointer).expect("the fixture has a place for it") = value;
        bundle.to_string()
    };
    let list = "/verificationMaterial/x509CertificateChain/certificates";
    let own = with(CHAIN, list, all.clone());
    verify(own.as_bytes(), ROOTS, TRUSTED, &policy(false));
    let one = "/verificationMaterial/certificate";
    let first = chain.first().copied().unwrap_or_default();
    verify(with(LOGGED, one, raw(first)).as_bytes(), ROOTS, TRUSTED, &policy(false));
    // Without logs, nothing else is about the certificate, and it is read to the end.
    let unlogged = with(TRUSTED, "/tlogs", Value::Array(Vec::new()));
    verify(with(STAMPED, one, raw(first)).as_bytes(), ROOTS, &unlogged, &policy(true));
    let trusted = with(TRUSTED, "/certificateAuthorities/0/certChain/certificates", all);
    let roots: String = chain.iter().map(|der| pem::write("CERTIFICATE", der)).collect();
    verify(LOGGED.as_bytes(), ROOTS, &trusted, &policy(false));
    verify(CHAIN.as_bytes(), &roots, TRUSTED, &policy(false));
    if let Some(certificate) = Certificate::parse(first) {
        let issuer = ROOT.authorities.first().and_then(|authority| authority.chain.first());
        let issuer = issuer.expect("the fixture has an authority");
        sct::is_logged(&certificate, issuer, &ROOT.certificate_logs);
    }
}

/// Returns the bytes of the forged certificates: one's own with its issuer, and those of
/// minutes.
pub(crate) fn chains() -> Vec<Vec<u8>> {
    let of = |bundle: &str, pointers: &[&str]| {
        let bundle: Value = serde_json::from_str(bundle).expect("the fixture is JSON");
        let text = |pointer: &&str| bundle.pointer(pointer).and_then(Value::as_str).map(unbase64);
        pointers.iter().filter_map(text).flatten().collect()
    };
    let list = "/verificationMaterial/x509CertificateChain/certificates";
    let chain = [&format!("{list}/0/rawBytes"), &format!("{list}/1/rawBytes")];
    let one = ["/verificationMaterial/certificate/rawBytes"];
    vec![of(CHAIN, &chain.map(String::as_str)), of(LOGGED, &one), of(STAMPED, &one)]
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn unbase64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).expect("the fixture is Base64")
}
