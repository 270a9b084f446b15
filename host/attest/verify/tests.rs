//! Attestations of others, of another time, of another model; and what is none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::attest::SigningKey;
use crate::attest::testing::{self, signed};
use crate::domain::attested::Attested;
use crate::domain::decision::Decision;
use crate::domain::dsse;

const NOW: &str = "2026-02-01T00:00:00Z";

fn expected(key: &PublicKey) -> Expected<'_> {
    Expected { key, verifier: None, resource: None, levels: &[], not_before: None, not_after: NOW }
}

fn check(bundles: &[u8], files: &[AttestedFile], key: &SigningKey) -> Result<Verified, Refusal> {
    verify(bundles, files, &expected(&key.public()))
}

fn bert() -> Attested {
    testing::attested(vec![testing::bert()])
}

/// Signs whatever it is given, as an attester gone wrong would.
fn seal(payload: &Value, payload_type: &str, key: &SigningKey) -> Vec<u8> {
    let payload = payload.to_string();
    let signature = key.sign(&dsse::encode(payload_type, payload.as_bytes()));
    bundle(payload.as_bytes(), payload_type, &[&signature]).to_string().into_bytes()
}

fn bundle(payload: &[u8], payload_type: &str, signatures: &[&[u8]]) -> Value {
    let signatures: Vec<Value> = signatures
        .iter()
        .map(|signature| json!({"sig": STANDARD.encode(signature), "keyid": ""}))
        .collect();
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": payload_type,
            "signatures": signatures,
        },
    })
}

fn statement() -> Value {
    let statements = crate::attest::statements(&bert(), &Default::default()).expect("statements");
    serde_json::from_slice(&statements[0].bytes).expect("JSON")
}

#[test]
fn what_was_attested_is_verified() {
    for pem in [testing::p256_pem(), testing::p384_pem()] {
        let key = SigningKey::from_pem(&pem).expect("a key");
        let bundles = signed(&bert(), &key);
        assert_eq!(bundles, signed(&bert(), &key), "signatures repeat");
        let verified = check(&bundles, &testing::bert().files, &key).expect("it is good");
        assert_eq!((verified.count, verified.time.as_str()), (2, "2026-01-31T12:00:00Z"));
        assert_eq!(verified.levels.len(), 4);
        let public = PublicKey::from_pem(&key.public().to_pem()).expect("a key");
        assert_eq!(public, key.public());
    }
    // Several models in one file, each found.
    let key = testing::key();
    let other = testing::model("other", &["a", "b"]);
    let bundles = signed(&testing::attested(vec![testing::bert(), other.clone()]), &key);
    for files in [testing::bert().files, other.files] {
        assert_eq!(check(&bundles, &files, &key).expect("it is good").count, 2);
    }
}

#[test]
fn any_other_set_of_files_is_refused_by_name() {
    let key = testing::key();
    let bundles = signed(&bert(), &key);
    let files = testing::bert().files;
    let changed = |change: fn(&mut Vec<AttestedFile>)| {
        let mut files = files.clone();
        change(&mut files);
        match check(&bundles, &files, &key) {
            Err(Refusal::Files { differences, .. }) => differences,
            other => panic!("{other:?}"),
        }
    };
    let path = |path: &str| FilePath::from_bytes(path.as_bytes());
    assert_eq!(
        changed(|files| files[1].digest = Digest::of(b"other")),
        [Difference::Changed(path("model.safetensors"))]
    );
    assert_eq!(
        changed(|files| drop(files.remove(0))),
        [Difference::Missing(GuestText::capped("README.md"))]
    );
    assert_eq!(changed(|files| files.push(testing::file("z"))), [Difference::Added(path("z"))]);
    // Two files change places: each is there, none is itself.
    assert_eq!(
        changed(|files| {
            let first = files[0].digest;
            files[0].digest = files[1].digest;
            files[1].digest = first;
        }),
        [Difference::Changed(path("README.md")), Difference::Changed(path("model.safetensors"))]
    );
    assert_eq!(changed(Vec::clear).len(), 3);
    assert_eq!(changed(|files| files[0].size += 1), [Difference::Tree]);
    // Another model than any that was attested: the nearest is named.
    let refusal = check(&bundles, &testing::model("x", &["a"]).files, &key);
    assert!(refusal.expect_err("another model").to_string().contains("for `bert`"));
}

#[test]
fn what_is_not_signed_as_it_stands_is_refused() {
    let key = testing::key();
    let files = testing::bert().files;
    let good = signed(&bert(), &key);
    // By somebody else.
    let other = testing::key();
    assert_eq!(
        check(&good, &files, &other),
        Err(Refusal::Signature { number: 1, hint_differs: true })
    );
    let line = good.split(|byte| *byte == b'\n').next().expect("a line").to_owned();
    let value: Value = serde_json::from_slice(&line).expect("JSON");
    let sealed = &value["dsseEnvelope"];
    let (payload, sig) =
        (sealed["payload"].as_str().expect("text"), sealed["signatures"][0]["sig"].as_str());
    let payload = STANDARD.decode(payload).expect("base64");
    let sig = STANDARD.decode(sig.expect("text")).expect("base64");
    // Every byte of the payload and of the signature counts.
    for at in (0..payload.len()).step_by(97) {
        let mut changed = payload.clone();
        changed[at] ^= 1;
        let bundle = bundle(&changed, PAYLOAD_TYPE, &[&sig]).to_string();
        let refusal = check(bundle.as_bytes(), &files, &key).expect_err("it was changed");
        assert!(matches!(refusal, Refusal::Signature { number: 1, .. }), "{at}: {refusal}");
    }
    for at in 0..sig.len() {
        let mut changed = sig.clone();
        changed[at] ^= 1;
        let bundle = bundle(&payload, PAYLOAD_TYPE, &[&changed]).to_string();
        assert!(check(bundle.as_bytes(), &files, &key).is_err(), "{at}");
    }
    // One bad one spoils the file.
    let mut two = good.clone();
    two.extend_from_slice(&signed(&bert(), &other));
    assert_eq!(
        check(&two, &files, &key),
        Err(Refusal::Signature { number: 3, hint_differs: true })
    );
}

#[test]
fn what_is_no_bundle_of_one_signature_is_refused() {
    let key = testing::key();
    let files = testing::bert().files;
    let statement = statement();
    let payload = statement.to_string().into_bytes();
    let sig = key.sign(&dsse::encode(PAYLOAD_TYPE, &payload));
    let with = |pointer: &str, value: Value| {
        let mut bundle = bundle(&payload, PAYLOAD_TYPE, &[&sig]);
        *bundle.pointer_mut(pointer).expect("a place") = value;
        bundle.to_string()
    };
    assert!(
        check(
            with("/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.3+json")).as_bytes(),
            &files,
            &key
        )
        .is_ok()
    );
    let base64 = STANDARD.encode(&payload);
    let padding = base64.trim_end_matches('=');
    // The last character before the padding has bits that mean nothing.
    let loose = match base64.len() - padding.len() {
        0 => format!("{base64}\n"),
        _ => format!("{}{}", &padding[..padding.len() - 1], "/==="),
    };
    let deep = "[".repeat(1_000_000);
    let rows = [
        (String::new(), "no attestation"),
        ("   \n".to_owned(), "no attestation"),
        ("{}".to_owned(), "no Sigstore bundle"),
        ("x".to_owned(), "no Sigstore bundle"),
        (deep.clone(), "no Sigstore bundle"),
        (format!("{{\"mediaType\": {deep}"), "no Sigstore bundle"),
        (format!("{{\"unknown\": {deep}"), "no Sigstore bundle"),
        (bundle(&payload, PAYLOAD_TYPE, &[]).to_string(), "has 0 signatures"),
        (bundle(&payload, PAYLOAD_TYPE, &[&sig, &sig]).to_string(), "has 2 signatures"),
        (with("/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.4+json")), "its form is"),
        (
            with("/verificationMaterial", json!({"certificate": {"rawBytes": "AA=="}})),
            "certificate",
        ),
        (with("/dsseEnvelope/payload", json!(loose)), "not base64 in its one form"),
        (with("/dsseEnvelope/payload", json!(format!("{base64}\n"))), "not base64"),
        (with("/dsseEnvelope/payload", json!(padding.to_owned() + "*")), "not base64"),
        (with("/dsseEnvelope/signatures/0/sig", json!("A".repeat(2000))), "not base64"),
        (with("/dsseEnvelope/payloadType", json!("text/plain")), "is not signed"),
        (with("/dsseEnvelope", json!(null)), "no Sigstore bundle"),
        (with("/dsseEnvelope/payload", json!(1)), "no Sigstore bundle"),
        (
            with("/mediaType", json!("x")).replacen('{', "{\"mediaType\": \"y\",", 1),
            "duplicate field",
        ),
        ("{} ".repeat(20_000), "no Sigstore bundle"),
        (with("/verificationMaterial/publicKey", json!({})) + " []", "no Sigstore bundle"),
    ];
    for (bundles, why) in rows {
        let refusal = check(bundles.as_bytes(), &files, &key).expect_err(why).to_string();
        let start: String = bundles.chars().take(80).collect();
        assert!(refusal.contains(why), "{start}: {refusal}");
    }
    let many = (with("/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.3+json")) + "\n")
        .repeat(3);
    assert_eq!(check(many.as_bytes(), &files, &key).expect("three of one").count, 3);
}

#[test]
fn what_is_signed_and_says_something_else_is_refused() {
    let key = testing::key();
    let files = testing::bert().files;
    let told = |payload: &Value, payload_type: &str| {
        let refusal = check(&seal(payload, payload_type, &key), &files, &key);
        refusal.expect_err("it says something else").to_string()
    };
    assert!(told(&statement(), "text/plain").contains("signed as `text/plain`"));
    let with = |pointer: &str, value: Value| {
        let mut statement = statement();
        *statement.pointer_mut(pointer).expect("a place") = value;
        statement
    };
    let hex = "0".repeat(64);
    let rows = [
        (json!([]), "can't be used"),
        (json!({}), "can't be used"),
        (with("/_type", json!("https://in-toto.io/Statement/v0.1")), "it is a `"),
        (with("/predicateType", json!("https://slsa.dev/provenance/v1")), "it says `"),
        (with("/predicateType", json!("https://slsa.dev/verification_summary/v0.2")), "it says `"),
        (with("/subject", json!([])), "first subject"),
        (with("/subject/0/name", json!("bert")), "first subject"),
        (with("/subject/0/digest", json!({"sha512": "00"})), "sha256"),
        (with("/subject/0/digest/sha256", json!(hex)), "no attestation is for this model"),
        (with("/subject/1/digest/sha256", json!(hex)), "no attestation is for this model"),
        (with("/subject/1/digest/sha256", json!("A".repeat(64))), "lower-case"),
        (with("/subject/1/digest/sha256", json!("00")), "64 hex digits"),
        (with("/subject/1/name", json!("model.sig")), "twice"),
        (with("/subject/1/name", json!("../README.md")), "no attestation is for this model"),
        (with("/predicate", json!({})), "missing field"),
        (with("/predicate/timeVerified", json!("2026-01-31T12:00:00+00:00")), "its time is"),
        (with("/predicate/timeVerified", json!("yesterday")), "its time is"),
        (with("/predicate/timeVerified", json!("2027-01-01T00:00:00Z")), "has not come yet"),
        (with("/predicate/verificationResult", json!("FAILED")), "is FAILED"),
        (with("/predicate/verificationResult", json!("passed")), "is passed"),
        (with("/predicate/verifier/id", json!("https://evil.example")), "the verifier is"),
    ];
    for (payload, why) in rows {
        let refusal = told(&payload, PAYLOAD_TYPE);
        assert!(refusal.contains(why), "{why}: {refusal}");
    }
    // What it says can't act on a terminal.
    let acting = with("/predicate/verifier/id", json!("\u{1b}[2J\n::error::x"));
    assert!(!told(&acting, PAYLOAD_TYPE).contains(['\u{1b}', '\n']));
}

#[test]
fn whose_word_counts_is_pinned() {
    let key = testing::key();
    let (files, bundles) = (testing::bert().files, signed(&bert(), &key));
    let public = key.public();
    let check = |change: fn(&mut Expected<'_>)| {
        let mut expected = expected(&public);
        change(&mut expected);
        verify(&bundles, &files, &expected)
    };
    type Change = fn(&mut Expected<'_>);
    let good: [Change; 3] = [
        |expected| expected.verifier = Some("urn:modelhost:gate:0.1.0"),
        |expected| expected.resource = Some("urn:modelhost:model:bert"),
        |expected| expected.not_before = Some("2026-01-31T12:00:00Z"),
    ];
    for change in good {
        check(change).expect("it is good");
    }
    let bad: [(Change, &str); 5] = [
        (|expected| expected.verifier = Some("urn:modelhost:gate:0.2.0"), "verifier is"),
        (|expected| expected.verifier = Some("urn:modelhost:gate:"), "verifier is"),
        (|expected| expected.resource = Some("urn:modelhost:model:other"), "is attested as"),
        (|expected| expected.not_before = Some("2026-01-31T12:00:01Z"), "too long ago"),
        (|expected| expected.not_after = "2026-01-31T11:59:59Z", "not come yet"),
    ];
    for (change, why) in bad {
        let refusal = check(change).expect_err(why).to_string();
        assert!(refusal.contains(why), "{why}: {refusal}");
    }
    let level = |name: &str| {
        let levels = [name.to_owned()];
        verify(&bundles, &files, &Expected { levels: &levels, ..expected(&public) })
    };
    level("MODELHOST_SIGNED").expect("it is named");
    assert_eq!(level("SLSA_X"), Err(Refusal::Level(GuestText::capped("SLSA_X"))));
    // A result alone says not that the gate allowed.
    let result = bundles.split(|byte| *byte == b'\n').nth(1).expect("a line");
    assert_eq!(verify(result, &files, &expected(&public)), Err(Refusal::NoSummary));
    // Of two on one model, the one that says no counts.
    let mut denied = bert();
    denied.decision = Decision::Deny;
    let both = [bundles.clone(), signed(&denied, &key)].concat();
    let refusal = verify(&both, &files, &expected(&public));
    assert_eq!(refusal, Err(Refusal::NotPassed(GuestText::capped("FAILED"))));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        let key = testing::key();
        proptest::prop_assert!(check(&bytes, &testing::bert().files, &key).is_err());
    }
}
