//! A signed checkpoint: up to where a log went when somebody with a key looked at
//! it, so that a log that was cut, or written anew, is told from it.
//!
//! A DSSE envelope (v1.0.0 of its protocol) around a small JSON document. Leaves
//! keys to `signing`, and walking along the log to `segments`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::chain::Head;
use super::fields::{Digest, Moment, Text};
use crate::domain::{digest, dsse};
use crate::record::signing::{Key, Signer};

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-audit-checkpoint/v1";

/// What the envelope says that it holds.
const PAYLOAD_TYPE: &str = "application/vnd.modelhost.audit-checkpoint+json";

/// The most bytes of a checkpoint or of a key: both have a few hundred.
pub const MAX_SMALL: u64 = 64 << 10;

/// The most signatures of one checkpoint that are looked at.
const MAX_SIGNATURES: usize = 16;

/// Up to where a log went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the chain.
    pub chain: String,
    /// The sequence number of its newest record.
    pub sequence: u64,
    /// The digest of that record's line.
    pub head: digest::Digest,
    /// When it was looked at, seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
}

/// Why there is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no key that could sign one.
    #[error("it is no private key on the curve P-256 in PKCS#8 and PEM: {0}")]
    Private(&'static str),
    /// It is no key that could verify one.
    #[error("it is no public key on the curve P-256 in PEM: {0}")]
    Public(&'static str),
    /// It is no checkpoint.
    #[error("it is no checkpoint: {0}")]
    Form(&'static str),
    /// The key did not sign it.
    #[error("the key did not sign it")]
    Signature,
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "payloadType")]
    payload_type: Text<'a>,
    payload: Text<'a>,
    signatures: Vec<Signature<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Signature<'a> {
    #[serde(borrow)]
    keyid: Text<'a>,
    sig: Text<'a>,
}

#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    schema: Text<'a>,
    chain: Text<'a>,
    sequence: u64,
    head: Digest,
    time: Moment,
}

impl Checkpoint {
    /// Returns the checkpoint of a chain whose newest record is `head`, looked at
    /// `time`.
    pub fn of(head: &Head, time: u64) -> Self {
        let Head { chain, sequence, digest, .. } = head.clone();
        Self { chain, sequence, head: digest, time }
    }

    /// Signs it by the key in `pem`, and returns it as one line of JSON. The same key
    /// makes the same signature each time (RFC 6979).
    ///
    /// # Errors
    /// Says why that is no key to sign with.
    pub fn sign(&self, pem: &str) -> Result<String, CheckpointError> {
        let payload = Payload {
            schema: Text::new(SCHEMA),
            chain: Text::new(self.chain.as_str()),
            sequence: self.sequence,
            head: Digest(self.head),
            time: Moment(self.time),
        };
        let payload = serde_json::to_vec(&payload).expect("texts and numbers are JSON");
        let wrong = |_| CheckpointError::Private(kind_of(pem));
        let signer = Signer::from_pem(pem).map_err(wrong)?;
        let public = signer.public();
        let public = public.map_err(|_| CheckpointError::Private("it has no public half"))?;
        let signature = Signature {
            keyid: Text::new(public.id().trim_start_matches("sha256:")),
            sig: Text::new(signer.sign(&dsse::encode(PAYLOAD_TYPE, &payload))),
        };
        let envelope = Envelope {
            payload_type: Text::new(PAYLOAD_TYPE),
            payload: Text::new(STANDARD.encode(payload)),
            signatures: vec![signature],
        };
        let mut line = serde_json::to_string(&envelope).expect("texts are JSON");
        line.push('\n');
        Ok(line)
    }

    /// Reads the checkpoint `text`, which the key in `pem` must have signed.
    ///
    /// # Errors
    /// Says what is wrong with either.
    pub fn verify(text: &str, pem: &str) -> Result<Self, CheckpointError> {
        let key = Key::from_pem(pem).map_err(|_| CheckpointError::Public(kind_of(pem)))?;
        let form = CheckpointError::Form;
        let envelope: Envelope<'_> =
            serde_json::from_str(text).map_err(|_| form("it is not a DSSE envelope"))?;
        if envelope.payload_type.as_str() != PAYLOAD_TYPE {
            return Err(form("its envelope holds something else"));
        }
        let payload = STANDARD.decode(envelope.payload.as_str());
        let payload = payload.map_err(|_| form("its payload is not Base64"))?;
        let message = dsse::encode(PAYLOAD_TYPE, &payload);
        let is_signed = (envelope.signatures.iter().take(MAX_SIGNATURES))
            .any(|signature| key.verifies(&message, signature.sig.as_str()));
        if !is_signed {
            return Err(CheckpointError::Signature);
        }
        let payload: Payload<'_> =
            serde_json::from_slice(&payload).map_err(|_| form("its payload has another form"))?;
        if payload.schema.as_str() != SCHEMA {
            return Err(form("it is of another version"));
        }
        Ok(Self {
            chain: payload.chain.as_str().to_owned(),
            sequence: payload.sequence,
            head: payload.head.0,
            time: payload.time.0,
        })
    }
}

/// Says what a document is that is not the key that was asked for, and the way out.
fn kind_of(pem: &str) -> &'static str {
    let rows = [
        (
            "-----BEGIN EC PRIVATE KEY-----",
            "it is in the older form of OpenSSL; write it anew with `openssl pkcs8 -topk8 -nocrypt`",
        ),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----",
            "it is encrypted; write it without a password with `openssl pkcs8 -topk8 -nocrypt`",
        ),
        ("-----BEGIN RSA PRIVATE KEY-----", "it is an RSA key"),
        (
            "-----BEGIN PRIVATE KEY-----",
            "it is a private key, of another kind or for the other use",
        ),
        ("-----BEGIN PUBLIC KEY-----", "it is a public key, of another kind or for the other use"),
        ("-----BEGIN CERTIFICATE-----", "it is a certificate"),
    ];
    let row = rows.into_iter().find(|(begin, _)| pem.contains(begin));
    row.map_or("it holds no key in PEM", |(_, kind)| kind)
}
