//! DSSE envelopes in Sigstore bundles: written with a signature, and taken apart
//! before anything in them is trusted.
//!
//! Sources: secure-systems-lab/dsse `protocol.md`, sigstore/protobuf-specs
//! `sigstore_bundle.proto`. Leaves keys to `sign` and `verify`, and what is signed to
//! `statement`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::sign::SigningKey;
use crate::domain::dsse;
use crate::domain::text::GuestText;

/// What the payload is: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The form of bundle.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The most bytes of attestations that are read: those of some 400,000 files.
pub const MAX_BUNDLES: u64 = 256 << 20;

/// The most bundles in one file; a run has two for each model.
const MAX_COUNT: usize = 10_000;

/// The longest signature in base64; those of P-384 have up to 140 characters.
const MAX_SIGNATURE: usize = 1 << 10;

/// An envelope, taken apart; nothing in it is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What the payload is said to be; signed together with it.
    pub payload_type: String,
    /// The very bytes that were signed.
    pub payload: Vec<u8>,
    /// The signature over both, in DER.
    pub signature: Vec<u8>,
    /// What the bundle says of the key; not signed.
    pub hint: Option<String>,
}

/// Why a file of attestations can't be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It holds nothing.
    #[error("it holds no attestation")]
    Empty,
    /// It holds too much.
    #[error("it holds more than {MAX_COUNT} attestations")]
    TooMany,
    /// It is no bundle.
    #[error("attestation {0} is no Sigstore bundle with an envelope: {1}")]
    Form(usize, GuestText),
    /// It is signed in another way.
    #[error("attestation {0} is not signed with a key: it brings a certificate")]
    Material(usize),
    /// It has not one signature.
    #[error("attestation {0} has {1} signatures, and not exactly one")]
    Signatures(usize, usize),
    /// What should be base64 is not.
    #[error("the {1} of attestation {0} is not base64 in its one form")]
    Base64(usize, &'static str),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    media_type: &'static str,
    verification_material: Material<'a>,
    dsse_envelope: Sealed<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Material<'a> {
    public_key: Hint<'a>,
    tlog_entries: [(); 0],
}

#[derive(Serialize)]
struct Hint<'a> {
    hint: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sealed<'a> {
    payload: String,
    payload_type: &'static str,
    signatures: [Signature<'a>; 1],
}

#[derive(Serialize)]
struct Signature<'a> {
    sig: &'a str,
    keyid: &'static str,
}

/// Signs `statement` with `key`, and appends the bundle to `out`, on one line.
pub fn seal(statement: &[u8], key: &SigningKey, out: &mut Vec<u8>) {
    let signature = STANDARD.encode(key.sign(&dsse::encode(PAYLOAD_TYPE, statement)));
    let bundle = Bundle {
        media_type: MEDIA_TYPE,
        verification_material: Material {
            public_key: Hint { hint: &key.public().hint() },
            tlog_entries: [],
        },
        dsse_envelope: Sealed {
            payload: STANDARD.encode(statement),
            payload_type: PAYLOAD_TYPE,
            signatures: [Signature { sig: &signature, keyid: "" }],
        },
    };
    serde_json::to_writer(out, &bundle).expect("texts and lists are always JSON");
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleText {
    media_type: String,
    verification_material: MaterialText,
    dsse_envelope: SealedText,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaterialText {
    public_key: Option<HintText>,
}

#[derive(Deserialize)]
struct HintText {
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SealedText {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureText>,
}

#[derive(Deserialize)]
struct SignatureText {
    sig: String,
}

/// Takes a file of attestations apart: one bundle, or several behind each other, such
/// as JSON Lines.
///
/// # Errors
/// Says what is wrong, and with which of them, from 1.
pub fn read(bytes: &[u8]) -> Result<Vec<Envelope>, EnvelopeError> {
    let mut envelopes = Vec::new();
    let bundles = serde_json::Deserializer::from_slice(bytes).into_iter::<BundleText>();
    for (place, bundle) in bundles.enumerate() {
        let number = place + 1;
        if number > MAX_COUNT {
            return Err(EnvelopeError::TooMany);
        }
        let form = |why: &dyn std::fmt::Display| {
            EnvelopeError::Form(number, GuestText::capped(&why.to_string()))
        };
        let bundle = bundle.map_err(|error| form(&error))?;
        if bundle.media_type != MEDIA_TYPE {
            return Err(form(&format_args!("its form is `{}`", bundle.media_type)));
        }
        let Some(hint) = bundle.verification_material.public_key else {
            return Err(EnvelopeError::Material(number));
        };
        let SealedText { payload, payload_type, signatures } = bundle.dsse_envelope;
        let [SignatureText { sig }] = signatures.as_slice() else {
            return Err(EnvelopeError::Signatures(number, signatures.len()));
        };
        let base64 = |what, text: &str| {
            STANDARD.decode(text).map_err(|_| EnvelopeError::Base64(number, what))
        };
        if sig.len() > MAX_SIGNATURE {
            return Err(EnvelopeError::Base64(number, "signature"));
        }
        envelopes.push(Envelope {
            payload: base64("payload", &payload)?,
            signature: base64("signature", sig)?,
            payload_type,
            hint: hint.hint,
        });
    }
    match envelopes.is_empty() {
        true => Err(EnvelopeError::Empty),
        false => Ok(envelopes),
    }
}
