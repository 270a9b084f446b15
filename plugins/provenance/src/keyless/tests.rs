//! Keyless signatures that are odd in one way, by a Sigstore instance in memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::extensions::forge::{
    ANY, CODE, SERVER, UNKNOWN, basic_constraints, extended_usage, extension, names, usage,
};
use crate::forge::{
    Answer, LOG, NAME, NOON, PROVIDER, STAMPER, STRANGER, Signing, certified, trusted_root,
};
use crate::material::Material;
use crate::{bundle, dsse, trust_root};

fn run(bundle: &str, root: &Value, needs_logs: bool) -> Result<Verified, String> {
    let bundle = bundle::parse(bundle.as_bytes())?;
    let root = trust_root::parse_document(root.to_string().as_bytes())?;
    let Material::Keyless(certificate, others) = &bundle.material else {
        return Err("of another method".into());
    };
    let message = dsse::encode(&bundle.payload_type, &bundle.payload);
    let signed = Signed {
        message: &message,
        payload: &bundle.payload,
        payload_type: &bundle.payload_type,
        signature: &bundle.signature,
        certificate,
    };
    let policy = Policy { root: &root, needs_logs, now: NOON + 3600 };
    verify(&signed, others, &bundle.evidence, &policy).map_err(|refusal| format!("{refusal:?}"))
}

fn show(result: Result<Verified, String>) -> String {
    match result {
        Ok(verified) => format!("{} by {}", verified.time - NOON, verified.witness),
        Err(error) => error,
    }
}

/// Makes a signature of the first version, odd in one way.
fn first(edit: impl Fn(&mut Signing)) -> String {
    let mut signing = Signing::new("{}");
    edit(&mut signing);
    show(run(&signing.bundle().to_string(), &trusted_root(), true))
}

/// Makes one of the second version.
fn second(edit: impl Fn(&mut Signing)) -> String {
    let mut signing = Signing::second("{}");
    edit(&mut signing);
    show(run(&signing.bundle().to_string(), &trusted_root(), true))
}

/// Makes one and edits the finished bundle.
fn edited(pointer: &str, new: Value) -> String {
    let mut bundle = Signing::new("{}").bundle();
    *bundle.pointer_mut(pointer).expect("it is there") = new;
    show(run(&bundle.to_string(), &trusted_root(), true))
}

/// Makes one and edits the trusted root.
fn trusting(pointer: &str, new: Value) -> String {
    let mut root = trusted_root();
    *root.pointer_mut(pointer).expect("it is there") = new;
    let both = Signing { stamps: vec![(NOON + 61, STAMPER, None)], ..Signing::new("{}") };
    show(run(&both.bundle().to_string(), &root, true))
}

#[test]
fn certificates() {
    let with = |extra: Vec<u8>| [certified(NAME, PROVIDER), vec![extra]].concat();
    let for_use = |uses: Vec<Vec<u8>>| [uses, vec![names(&[(0x86, NAME)])]].concat();
    let rows = [
        (first(|_| ()), "60 by log"),
        (first(|signing| signing.signed_by = STRANGER), "Signature("),
        (first(|signing| signing.issued_by = ("middle", STRANGER)), "Certificate(\"no path"),
        (first(|signing| signing.issued_by = ("root", 1)), "60 by log"),
        (first(|signing| signing.issued_by = ("stamps", 5)), "Certificate(\"no path"),
        (
            first(|signing| signing.extensions = with(extension(UNKNOWN, true, b""))),
            "Certificate(\"it, or one above it, has a condition",
        ),
        (
            first(|signing| signing.extensions = with(basic_constraints(true, None))),
            "Certificate(\"it is not for signing",
        ),
        (
            first(|signing| signing.extensions = for_use(vec![usage(0x80)])),
            "Certificate(\"it is not for signing",
        ),
        (
            first(|signing| signing.extensions = for_use(vec![extended_usage(&[CODE])])),
            "Certificate(\"it is not for signing",
        ),
        (
            first(|signing| {
                signing.extensions = for_use(vec![usage(0x80), extended_usage(&[ANY])])
            }),
            "Certificate(\"it is not for signing",
        ),
        (
            first(|signing| {
                signing.extensions = for_use(vec![usage(0x80), extended_usage(&[SERVER])])
            }),
            "Certificate(\"it is not for signing",
        ),
        (
            first(|signing| {
                (signing.extensions, signing.answer) = (with(usage(0x80)), Answer::None)
            }),
            "Certificate(\"it can't be read",
        ),
        // The certificate's log.
        (first(|signing| signing.answer = Answer::None), "NotListed"),
        (first(|signing| signing.answer = Answer::By(STRANGER)), "NotListed"),
        (first(|signing| signing.answer = Answer::InNameOf(STRANGER)), "NotListed"),
        (first(|signing| signing.answer = Answer::By(LOG)), "NotListed"),
        (first(|signing| signing.answer = Answer::ForOther), "NotListed"),
        (first(|signing| signing.answer = Answer::At(NOON - 70 * 86_400)), "NotListed"),
        (trusting("/ctlogs", json!([])), "NotListed"),
        // Time.
        (
            first(|signing| signing.logged_at = Some((NOON - 1, LOG))),
            "Certificate(\"it, or one above it, is not valid yet",
        ),
        (first(|signing| signing.logged_at = Some((NOON, LOG))), "0 by log"),
        (first(|signing| signing.logged_at = Some((NOON + 600, LOG))), "600 by log"),
        (
            first(|signing| signing.logged_at = Some((NOON + 601, LOG))),
            "Certificate(\"it, or one above it, has expired",
        ),
        (
            first(|signing| signing.logged_at = Some((NOON + 2 * 3600, LOG))),
            "Time(\"it was signed at 2025-03-01T14:00:00Z, which is yet to come",
        ),
        (first(|signing| signing.logged_at = Some((NOON + 400 * 86_400, LOG))), "Time("),
        (
            trusting("/certificateAuthorities/0/validFor/end", json!("2025-02-01T00:00:00Z")),
            "Certificate(\"no path",
        ),
        (
            trusting("/certificateAuthorities/0/validFor/start", json!("2025-04-01T00:00:00Z")),
            "Certificate(\"no path",
        ),
    ];
    for (row, (shown, expected)) in rows.into_iter().enumerate() {
        assert!(shown.starts_with(expected), "row {row}: {shown}, not {expected}");
    }
}

#[test]
fn entries() {
    let entry = "/verificationMaterial/tlogEntries/0";
    let at = |rest: &str| format!("{entry}/{rest}");
    let good = Signing::new("{}").bundle();
    let of = |pointer: &str| good.pointer(pointer).expect("it is there").clone();
    let other = Signing::new("{\"a\":1}").bundle();
    let twice = json!([of(entry), of(entry)]);
    let bytes = |length| STANDARD.encode(vec![1; length]);
    let node = || json!(bytes(32));
    let rows = [
        (first(|signing| signing.entry = ("intoto", "0.0.2")), "60 by log"),
        (first(|signing| signing.entry = ("hashedrekord", "0.0.1")), "60 by log"),
        (first(|signing| signing.entry = ("dsse", "0.0.2")), "60 by log"),
        (
            first(|signing| signing.entry = ("dsse", "0.0.3")),
            "Entry(\"it is of a kind that is not known",
        ),
        (
            first(|signing| signing.entry = ("rpm", "0.0.1")),
            "Entry(\"it is of a kind that is not known",
        ),
        (
            first(|signing| signing.logged_at = Some((NOON + 60, STRANGER))),
            "Entry(\"its time was not signed",
        ),
        (
            first(|signing| signing.checkpoint_by = STRANGER),
            "Entry(\"its checkpoint was not signed",
        ),
        (edited("/verificationMaterial/tlogEntries", json!([])), "Entry(\"there is none"),
        (edited("/verificationMaterial/tlogEntries", Value::Null), "Entry(\"there is none"),
        (edited("/verificationMaterial/tlogEntries", twice), "Entry(\"there are 2"),
        (
            edited(entry, other.pointer(entry).expect("it is there").clone()),
            "Entry(\"it is about another",
        ),
        (edited(entry, json!({})), "Entry(\"it has no proof"),
        (edited(&at("kindVersion/kind"), json!("intoto")), "Entry(\"it is of another kind"),
        (edited(&at("kindVersion/version"), json!("0.0.2")), "Entry(\"it is of another kind"),
        (edited(&at("logId/keyId"), node()), "Entry(\"it is of a log that"),
        (edited(&at("logIndex"), json!("4")), "Entry(\"its time was not signed"),
        (
            edited(&at("integratedTime"), json!((NOON + 61).to_string())),
            "Entry(\"its time was not signed",
        ),
        (edited(&at("integratedTime"), json!("-1")), "it is no bundle"),
        (edited(&at("integratedTime"), Value::Null), "Entry(\"it has no time"),
        (edited(&at("inclusionPromise"), Value::Null), "Time(\"neither"),
        (edited(&at("inclusionProof"), Value::Null), "Entry(\"it has no proof"),
        (edited(&at("inclusionProof/checkpoint"), Value::Null), "Entry(\"it has no checkpoint"),
        (edited(&at("inclusionProof/logIndex"), json!("3")), "Entry(\"the proof"),
        (
            edited(&at("inclusionProof/treeSize"), json!("8")),
            "Entry(\"its checkpoint is of another state",
        ),
        (edited(&at("inclusionProof/treeSize"), json!("4")), "Entry(\"the proof"),
        (edited(&at("inclusionProof/rootHash"), node()), "Entry(\"the proof"),
        (edited(&at("inclusionProof/hashes/0"), node()), "Entry(\"the proof"),
        (
            edited(&at("inclusionProof/hashes/0"), json!(bytes(31))),
            "Entry(\"its proof has a digest of another length",
        ),
        (edited(&at("inclusionProof/hashes"), json!([])), "Entry(\"the proof"),
        (
            edited(&at("inclusionProof/hashes"), json!(vec![node(); 64])),
            "Entry(\"its proof has 64 steps",
        ),
        (
            edited(&at("inclusionProof/checkpoint/envelope"), json!("x")),
            "Entry(\"its checkpoint of the log can't be read",
        ),
        (edited(&at("canonicalizedBody"), json!("e30=")), "Entry(\"its time was not signed"),
        (trusting("/tlogs", json!([])), "Entry(\"it is of a log that"),
        (
            trusting("/tlogs/0/publicKey/validFor/end", json!("2025-02-01T00:00:00Z")),
            "Entry(\"its log was not in use",
        ),
        (
            trusting("/tlogs/0/publicKey/validFor/start", json!("2025-04-01T00:00:00Z")),
            "Entry(\"its log was not in use",
        ),
    ];
    for (row, (shown, expected)) in rows.into_iter().enumerate() {
        assert!(shown.starts_with(expected), "row {row}: {shown}, not {expected}");
    }
}

#[test]
fn timestamps() {
    let stamp = |moment, key| vec![(NOON + moment, key, None)];
    let other = || vec![(NOON + 61, STAMPER, Some(b"other".to_vec()))];
    let rows = [
        (second(|_| ()), "61 by timestamp"),
        (second(|signing| signing.entry = ("dsse", "0.0.2")), "61 by timestamp"),
        (second(|signing| signing.stamps = vec![]), "Time(\"neither"),
        (second(|signing| signing.stamps = stamp(61, STRANGER)), "Time(\"its timestamp is not by"),
        (second(|signing| signing.stamps = other()), "Time(\"its timestamp is not by"),
        (
            second(|signing| signing.stamps = stamp(-1, STAMPER)),
            "Certificate(\"it, or one above it, is not valid yet",
        ),
        (
            second(|signing| signing.stamps = stamp(601, STAMPER)),
            "Certificate(\"it, or one above it, has expired",
        ),
        (
            second(|signing| signing.stamps = [stamp(61, STAMPER), stamp(62, STRANGER)].concat()),
            "61 by timestamp",
        ),
        (
            second(|signing| signing.stamps = [stamp(62, STAMPER), stamp(61, STAMPER)].concat()),
            "61 by timestamp",
        ),
        // Every time that somebody vouches for has to be right.
        (
            second(|signing| signing.stamps = [stamp(61, STAMPER), stamp(601, STAMPER)].concat()),
            "Certificate(",
        ),
        (first(|signing| signing.stamps = stamp(30, STAMPER)), "30 by log and timestamp"),
        (first(|signing| signing.stamps = stamp(601, STAMPER)), "Certificate("),
        (first(|signing| signing.stamps = stamp(30, STRANGER)), "Time(\"its timestamp is not by"),
        (
            second(|signing| signing.stamps = vec![stamp(61, STAMPER).remove(0); 5]),
            "it has 5 timestamps",
        ),
        (trusting("/timestampAuthorities", json!([])), "Time(\"its timestamp is not by"),
        (
            trusting("/timestampAuthorities/0/validFor/end", json!("2025-02-01T00:00:00Z")),
            "Time(\"its timestamp is not by",
        ),
    ];
    for (row, (shown, expected)) in rows.into_iter().enumerate() {
        assert!(shown.starts_with(expected), "row {row}: {shown}, not {expected}");
    }
}

#[test]
fn without_logs_where_the_policy_says_so() {
    let mut private = Signing { answer: Answer::None, ..Signing::second("{}") }.bundle();
    private["verificationMaterial"]["tlogEntries"] = json!([]);
    let unlogged = |bundle: &Value| show(run(&bundle.to_string(), &trusted_root(), false));
    assert_eq!(unlogged(&private), "61 by timestamp");
    let asked = show(run(&private.to_string(), &trusted_root(), true));
    assert_eq!(asked, "Entry(\"there is none\")");
    private["verificationMaterial"]["timestampVerificationData"] = json!({});
    assert!(unlogged(&private).starts_with("Time(\"neither"));
    // An entry that is there has to be right all the same.
    let odd = Signing { checkpoint_by: STRANGER, ..Signing::second("{}") }.bundle();
    assert!(unlogged(&odd).starts_with("Entry(\"its checkpoint"));
}

#[test]
fn older_bundles_bring_a_chain() {
    let mut bundle = Signing::new("{}").bundle();
    let material = bundle["verificationMaterial"].as_object_mut().expect("an object");
    let leaf = material.remove("certificate").expect("it is there");
    let root = trusted_root();
    let chain = root["certificateAuthorities"][0]["certChain"]["certificates"].clone();
    let mut with = |form: &str, certificates: Value| {
        bundle["mediaType"] = json!(form);
        bundle["verificationMaterial"]["x509CertificateChain"] =
            json!({ "certificates": certificates });
        show(run(&bundle.to_string(), &trusted_root(), true))
    };
    let old = "application/vnd.dev.sigstore.bundle+json;version=0.2";
    let new = "application/vnd.dev.sigstore.bundle.v0.3+json";
    assert_eq!(with(old, json!([leaf])), "60 by log");
    assert_eq!(with(old, json!([leaf, chain[0]])), "60 by log");
    let own = with(old, json!([leaf, chain[0], chain[1]]));
    assert!(own.starts_with("Certificate(\"it came with a root"), "{own}");
    assert_eq!(with(old, json!([])), "its chain has 0 certificates");
    assert_eq!(with(new, json!([leaf])), "of another method");
    // A timestamp tells it from a certificate of one's own as well.
    let mut private = Signing { answer: Answer::None, ..Signing::second("{}") }.bundle();
    let material = private["verificationMaterial"].as_object_mut().expect("an object");
    let leaf = material.remove("certificate").expect("it is there");
    material.insert("x509CertificateChain".into(), json!({ "certificates": [leaf] }));
    material.remove("tlogEntries");
    private["mediaType"] = json!(old);
    let unlogged = |bundle: &Value| show(run(&bundle.to_string(), &trusted_root(), false));
    assert_eq!(unlogged(&private), "61 by timestamp");
    private["verificationMaterial"]["timestampVerificationData"] = json!({});
    assert_eq!(unlogged(&private), "of another method");
}

#[test]
fn no_edit_makes_another_signature_of_it() {
    for signing in [Signing::new("{}"), Signing::second("{}")] {
        let good = signing.bundle().to_string();
        let root = trusted_root();
        let verified = run(&good, &root, true).expect("a signature that holds");
        // A step that meets every kind of place, and takes a bounded time.
        for at in (0..good.len()).step_by(17) {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(Ok(other)) = String::from_utf8(bytes).map(|text| run(&text, &root, true)) {
                assert_eq!(other, verified, "byte {at}");
            }
        }
    }
}
