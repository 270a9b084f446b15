//! A Sigstore instance in memory, for tests: an authority, a certificate log, a log of
//! signatures and a timestamping authority, each with a throwaway key, and what a signer
//! gets from them. Fields say what is to be odd about it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::any_key::ECDSA_SHA256;
use crate::certificate::forge::{Plan, authority, leaf, public, root, sequence, sign, value};
use crate::der::{GENERALIZED_TIME, INTEGER, OBJECT, OCTET_STRING, SET, UTF8};
use crate::extensions::forge::{
    CODE, TIME, critical_usage, extended_usage, logged, names, provider, provider_raw, usage,
};
use crate::key::hex;
use crate::{dsse, merkle, pem, time};

// Keys, told apart by a byte. The signer's is 9.
const ROOT: u8 = 1;
const MIDDLE: u8 = 2;
const CERTIFICATE_LOG: u8 = 3;
pub(crate) const LOG: u8 = 4;
const STAMP_ROOT: u8 = 5;
pub(crate) const STAMPER: u8 = 6;
/// One whom nobody trusts.
pub(crate) const STRANGER: u8 = 8;
pub(crate) const SIGNER: u8 = 9;

pub(crate) const NAME: &str = "https://github.test/o/r/.github/workflows/a.yml@refs/tags/v1";
pub(crate) const PROVIDER: &str = "https://token.test";

/// 2025-03-01, noon; certificates are valid for the ten minutes that follow.
pub(crate) const NOON: i64 = 1_740_830_400;

/// The type of a payload.
const KIND: &str = "application/vnd.in-toto+json";

/// How a certificate log answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    By(u8),
    /// By a log of this key, in the name of the trusted one.
    InNameOf(u8),
    /// For a certificate with another name.
    ForOther,
    At(i64),
    None,
}

/// A signature that is to be made.
#[derive(Clone)]
pub(crate) struct Signing {
    pub(crate) payload: Vec<u8>,
    pub(crate) signed_by: u8,
    /// What the certificate says, but for the answer of the log.
    pub(crate) extensions: Vec<Vec<u8>>,
    pub(crate) issued_by: (&'static str, u8),
    pub(crate) answer: Answer,
    /// Kind and version of the entry.
    pub(crate) entry: (&'static str, &'static str),
    /// When the log took it, and who signs that; none for a log of the second version.
    pub(crate) logged_at: Option<(i64, u8)>,
    pub(crate) checkpoint_by: u8,
    /// When it was stamped, by whom, and what.
    pub(crate) stamps: Vec<(i64, u8, Option<Vec<u8>>)>,
}

impl Signing {
    /// One as it should be, with a log of the first version.
    pub(crate) fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self {
            payload: payload.into(),
            signed_by: SIGNER,
            extensions: certified(NAME, PROVIDER),
            issued_by: ("middle", MIDDLE),
            answer: Answer::By(CERTIFICATE_LOG),
            entry: ("dsse", "0.0.1"),
            logged_at: Some((NOON + 60, LOG)),
            checkpoint_by: LOG,
            stamps: vec![],
        }
    }

    /// One as it should be, with a log of the second version.
    pub(crate) fn second(payload: impl Into<Vec<u8>>) -> Self {
        Self {
            entry: ("hashedrekord", "0.0.2"),
            logged_at: None,
            stamps: vec![(NOON + 61, STAMPER, None)],
            ..Self::new(payload)
        }
    }

    fn certificate(&self) -> Plan {
        let plan = Plan { issuer: self.issued_by.0, signed_by: self.issued_by.1, ..leaf("", 0) }
            .valid("250301120000Z", "250301121000Z");
        let shown = match self.answer {
            Answer::ForOther => plan.clone().with(certified("https://other.test", PROVIDER)),
            _ => plan.clone().with(self.extensions.clone()),
        };
        let (key, id, seconds) = match self.answer {
            Answer::By(key) => (key, id(key), NOON),
            Answer::InNameOf(key) => (key, id(CERTIFICATE_LOG), NOON),
            Answer::ForOther => (CERTIFICATE_LOG, id(CERTIFICATE_LOG), NOON),
            Answer::At(seconds) => (CERTIFICATE_LOG, id(CERTIFICATE_LOG), seconds),
            Answer::None => return shown,
        };
        let list = answers(&shown.shown(), self.issued_by.1, key, &id, seconds);
        plan.with([self.extensions.clone(), vec![logged(&list)]].concat())
    }

    /// Makes the bundle.
    pub(crate) fn bundle(&self) -> Value {
        let certificate = self.certificate().der();
        let message = dsse::encode(KIND, &self.payload);
        let signature = sign(self.signed_by, &message);
        let body = self.body(&certificate, &message, &signature).to_string().into_bytes();
        let stamp = |(moment, key, of): &(i64, u8, Option<Vec<u8>>)| {
            let of = of.as_deref().unwrap_or(&signature);
            json!({ "signedTimestamp": STANDARD.encode(timestamp(of, *moment, *key)) })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&certificate) },
                "tlogEntries": [self.entry(&body)],
                "timestampVerificationData": {
                    "rfc3161Timestamps": self.stamps.iter().map(stamp).collect::<Vec<_>>(),
                },
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(&self.payload),
                "payloadType": KIND,
                "signatures": [{ "sig": STANDARD.encode(&signature) }],
            },
        })
    }

    fn body(&self, certificate: &[u8], message: &[u8], signature: &[u8]) -> Value {
        let (kind, version) = self.entry;
        let signature = STANDARD.encode(signature);
        let der = STANDARD.encode(certificate);
        let pem = STANDARD.encode(pem::write("CERTIFICATE", certificate));
        let digits =
            |of: &[u8]| json!({ "algorithm": "sha256", "value": hex(&Sha256::digest(of)) });
        let bytes = |of: &[u8]| json!({ "algorithm": "SHA2_256", "digest": STANDARD.encode(Sha256::digest(of)) });
        let second = json!({
            "content": signature,
            "verifier": { "x509Certificate": { "rawBytes": der }, "keyDetails": "PKIX_ECDSA_P256_SHA_256" },
        });
        let spec = match (kind, version) {
            ("dsse", "0.0.2") => json!({ "dsseV002": {
                "payloadHash": bytes(&self.payload), "signatures": [second],
            } }),
            ("dsse", _) => json!({
                "envelopeHash": digits(b""), "payloadHash": digits(&self.payload),
                "signatures": [{ "signature": signature, "verifier": pem }],
            }),
            ("intoto", _) => json!({ "content": {
                "envelope": { "payloadType": KIND, "signatures": [
                    { "sig": STANDARD.encode(&signature), "publicKey": pem },
                ] },
                "payloadHash": digits(&self.payload),
            } }),
            ("hashedrekord", "0.0.2") => json!({ "hashedRekordV002": {
                "data": bytes(message), "signature": second,
            } }),
            _ => json!({
                "data": { "hash": digits(message) },
                "signature": { "content": signature, "publicKey": { "content": pem } },
            }),
        };
        json!({ "apiVersion": version, "kind": kind, "spec": spec })
    }

    fn entry(&self, body: &[u8]) -> Value {
        let mut leaves: Vec<_> = (0..7u8).map(|at| merkle::leaf(&[at])).collect();
        leaves[4] = merkle::leaf(body);
        let (root, path) = merkle::forge::tree(&leaves, 4);
        let root = STANDARD.encode(root);
        let text = format!("log.test\n7\n{root}\n");
        let note = [&id(LOG)[..4], &sign(self.checkpoint_by, text.as_bytes())].concat();
        let mut entry = json!({
            "logIndex": "1004",
            "logId": { "keyId": STANDARD.encode(id(LOG)) },
            "kindVersion": { "kind": self.entry.0, "version": self.entry.1 },
            "inclusionProof": {
                "logIndex": "4", "treeSize": "7", "rootHash": root,
                "hashes": path.iter().map(|node| STANDARD.encode(node)).collect::<Vec<_>>(),
                "checkpoint": { "envelope": format!("{text}\n\u{2014} log.test {}\n", STANDARD.encode(note)) },
            },
            "canonicalizedBody": STANDARD.encode(body),
        });
        if let Some((moment, key)) = self.logged_at {
            let promise = format!(
                r#"{{"body":"{}","integratedTime":{moment},"logID":"{}","logIndex":1004}}"#,
                STANDARD.encode(body),
                hex(&id(LOG))
            );
            let promise = STANDARD.encode(sign(key, promise.as_bytes()));
            entry["integratedTime"] = json!(moment.to_string());
            entry["inclusionPromise"] = json!({ "signedEntryTimestamp": promise });
        }
        entry
    }
}

/// What a certificate of the instance says.
pub(crate) fn certified(name: &str, by: &str) -> Vec<Vec<u8>> {
    vec![
        usage(0x80),
        extended_usage(&[CODE]),
        names(&[(0x86, name)]),
        provider(by),
        provider_raw(by),
    ]
}

/// The id of the log with that key.
fn id(key: u8) -> Vec<u8> {
    Sha256::digest(public(key)).to_vec()
}

/// Makes the list of a certificate log's answers, of which there is one.
fn answers(shown: &[u8], issuer: u8, key: u8, id: &[u8], seconds: i64) -> Vec<u8> {
    let moment = u64::try_from(seconds).expect("after 1970") * 1000;
    let length = u32::try_from(shown.len()).expect("short").to_be_bytes();
    let issuer = Sha256::digest(public(issuer));
    let message =
        [&[0, 0][..], &moment.to_be_bytes(), &[0, 1], &issuer, &length[1..], shown, &[0, 0]];
    let signature = sign(key, &message.concat());
    let answer =
        [&[0][..], id, &moment.to_be_bytes(), &[0, 0, 4, 3], &prefixed(&signature)].concat();
    prefixed(&prefixed(&answer))
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat()
}

/// Makes a timestamp, signed with that key in the name of the timestamping authority.
pub(crate) fn timestamp(of: &[u8], moment: i64, key: u8) -> Vec<u8> {
    const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let object = |last: &[u8]| {
        let prefix = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01];
        value(OBJECT, &[&prefix, last].concat())
    };
    let digest = sequence(&[&value(OBJECT, &SHA256)]);
    let kind = object(&[0x09, 0x10, 0x01, 0x04]);
    let moment: String =
        time::to_text(moment).chars().filter(|letter| !"-:T".contains(*letter)).collect();
    let statement = sequence(&[
        &value(INTEGER, &[1]),
        &value(OBJECT, &[0x2a, 3, 4]),
        &sequence(&[&digest, &value(OCTET_STRING, &Sha256::digest(of))]),
        &value(INTEGER, &[5]),
        &value(GENERALIZED_TIME, moment.as_bytes()),
    ]);
    let attribute = |last: &[u8], content: &[u8]| {
        sequence(&[&object(&[&[0x09], last].concat()), &value(SET, content)])
    };
    let attributes = [
        attribute(&[0x03], &kind),
        attribute(&[0x04], &value(OCTET_STRING, &Sha256::digest(&statement))),
    ]
    .concat();
    let signature = sign(key, &value(SET, &attributes));
    let signer = sequence(&[
        &value(INTEGER, &[1]),
        &sequence(&[&sequence(&[&value(UTF8, b"stamps")]), &value(INTEGER, &[7])]),
        &digest,
        &value(0xa0, &attributes),
        &sequence(&[&value(OBJECT, ECDSA_SHA256)]),
        &value(OCTET_STRING, &signature),
    ]);
    let data = sequence(&[
        &value(INTEGER, &[3]),
        &value(SET, &digest),
        &sequence(&[&kind, &value(0xa0, &value(OCTET_STRING, &statement))]),
        &value(SET, &signer),
    ]);
    let message = sequence(&[&object(&[0x07, 0x02]), &value(0xa0, &data)]);
    sequence(&[&sequence(&[&value(INTEGER, &[0])]), &message])
}

/// The trusted root of the instance.
pub(crate) fn trusted_root() -> Value {
    let period = json!({ "start": "2025-01-01T00:00:00Z", "end": "2025-12-31T23:59:59Z" });
    let log = |key| {
        json!([{
            "publicKey": { "rawBytes": STANDARD.encode(public(key)), "validFor": period },
            "logId": { "keyId": STANDARD.encode(id(key)) },
        }])
    };
    let chain = |plans: [Plan; 2]| {
        let raw = |plan: &Plan| json!({ "rawBytes": STANDARD.encode(plan.der()) });
        json!([{ "certChain": { "certificates": plans.iter().map(raw).collect::<Vec<_>>() }, "validFor": period }])
    };
    let stamper = Plan { key: STAMPER, ..leaf("stamps", STAMP_ROOT) }
        .with(vec![usage(0x80), critical_usage(&[TIME])]);
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": log(LOG),
        "ctlogs": log(CERTIFICATE_LOG),
        "certificateAuthorities": chain([authority("middle", MIDDLE, "root", ROOT), root("root", ROOT)]),
        "timestampAuthorities": chain([stamper, root("stamps", STAMP_ROOT)]),
    })
}

/// What stands beside the tests for who has no forge: the fuzz targets. A model with the
/// one file `weights.bin`, of which it is the letter `w`, signed in each way.
fn files() -> [(&'static str, String, &'static str); 6] {
    let digest = Sha256::digest("w");
    let all = hex(&Sha256::digest(digest));
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "m", "digest": { "sha256": all } }],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": [{ "name": "weights.bin", "algorithm": "sha256", "digest": hex(&digest) }],
            "serialization": { "method": "files", "hash_type": "sha256", "allow_symlinks": false },
        },
    })
    .to_string();
    let middle = authority("middle", MIDDLE, "root", ROOT);
    let of_own = leaf("middle", MIDDLE).with(vec![usage(0x80), names(&[(0x86, NAME)])]);
    let raw = |plan: &Plan| json!({ "rawBytes": STANDARD.encode(plan.der()) });
    let mut chain = Signing::new(statement.as_str()).bundle();
    chain["verificationMaterial"] =
        json!({ "x509CertificateChain": { "certificates": [raw(&of_own), raw(&middle)] } });
    let stamped = Signing { answer: Answer::None, ..Signing::second(statement.as_str()) };
    let pretty = |value: &Value| format!("{value:#}\n");
    [
        (
            "logged.sig",
            pretty(&Signing::new(statement.as_str()).bundle()),
            include_str!("../tests/fixtures/forged/logged.sig"),
        ),
        (
            "stamped.sig",
            pretty(&stamped.bundle()),
            include_str!("../tests/fixtures/forged/stamped.sig"),
        ),
        ("chain.sig", pretty(&chain), include_str!("../tests/fixtures/forged/chain.sig")),
        (
            "trusted_root.json",
            pretty(&trusted_root()),
            include_str!("../tests/fixtures/forged/trusted_root.json"),
        ),
        (
            "roots.pem",
            pem::write("CERTIFICATE", &root("root", ROOT).der()),
            include_str!("../tests/fixtures/forged/roots.pem"),
        ),
        (
            "statement.json",
            statement + "\n",
            include_str!("../tests/fixtures/forged/statement.json"),
        ),
    ]
}

#[test]
fn the_files_beside_the_tests_are_what_it_makes() {
    for (name, made, file) in files() {
        assert_eq!(made, file, "tests/fixtures/forged/{name} has to hold: {made}");
    }
}
