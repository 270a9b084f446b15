//! Signatures over a set: detached, in the form of DSSE, with ECDSA on P-256.
//!
//! `registry.toml.sig` is a DSSE envelope without its payload, which is the set
//! itself: `payloadType` and `signatures`, each with `keyid` and `sig`. What is
//! signed is DSSE's pre-authentication encoding of the type and the bytes of the
//! set. Leaves which keys count to whoever asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _};
use serde::{Deserialize, Serialize};

use crate::domain::digest::Digest;

/// What is signed: a set in the form that this version writes.
const PAYLOAD_TYPE: &str = "application/vnd.modelhost.registry.v1+toml";

/// The most signatures of one set: each costs a verification.
const MAX_SIGNATURES: usize = 64;

/// A public key that may have signed a set.
#[derive(Clone, Debug)]
pub struct Key {
    key: VerifyingKey,
    id: String,
}

/// A private key that signs sets. It shows nothing of itself.
pub struct Signer {
    key: SigningKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

/// Why a text is no key. None of it is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no public key that can be used.
    #[error("it is no public key on P-256 in PEM (`-----BEGIN PUBLIC KEY-----`)")]
    Public,
    /// It is no private key that can be used.
    #[error(
        "it is no private key on P-256 in PEM, PKCS#8 and not encrypted; make one with \
         `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
    )]
    Private,
}

impl Key {
    /// Reads the key in `pem`.
    ///
    /// # Errors
    /// Says that it is no public key on P-256.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyError::Public).and_then(Self::of)
    }

    fn of(key: VerifyingKey) -> Result<Self, KeyError> {
        let der = key.to_public_key_der().map_err(|_| KeyError::Public)?;
        Ok(Self { key, id: Digest::of(der.as_bytes()).to_string() })
    }

    /// Returns the key's fingerprint: the digest of its DER form.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Signer {
    /// Reads the key in `pem`.
    ///
    /// # Errors
    /// Says that it is no private key on P-256.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Private)?;
        Ok(Self { key })
    }

    /// Returns the public half.
    ///
    /// # Errors
    /// Says that it can't be written down.
    pub fn public(&self) -> Result<Key, KeyError> {
        Key::of(*self.key.verifying_key())
    }

    /// Signs `set`, and returns the text of the file with the signature. The same key
    /// and set give the same text (RFC 6979).
    ///
    /// # Errors
    /// Says that the key's fingerprint can't be made.
    pub(super) fn sign(&self, set: &[u8]) -> Result<String, KeyError> {
        let signature: DerSignature = self.key.sign(&to_sign(set));
        let envelope = Envelope {
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![Signature {
                keyid: self.public()?.id,
                sig: STANDARD.encode(signature.as_bytes()),
            }],
        };
        let mut text = serde_json::to_string_pretty(&envelope)
            .expect("a struct of texts can be written to memory");
        text.push('\n');
        Ok(text)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// Returns what is signed: DSSE's pre-authentication encoding.
fn to_sign(set: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), set.len());
    [head.as_bytes(), set].concat()
}

fn parse(file: &[u8]) -> Result<Envelope, String> {
    let envelope: Envelope = serde_json::from_slice(file)
        .map_err(|error| format!("its signatures can't be read: {error}"))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err("its signatures are over something else than a registry".to_owned());
    }
    if envelope.signatures.len() > MAX_SIGNATURES {
        return Err(format!("it has more than {MAX_SIGNATURES} signatures"));
    }
    Ok(envelope)
}

/// Returns the fingerprints of the keys that are said to have signed.
pub(super) fn key_ids(file: &[u8]) -> Result<Vec<String>, String> {
    Ok(parse(file)?.signatures.into_iter().map(|signature| signature.keyid).collect())
}

/// Verifies that one of `keys` signed `set`. The fingerprints in the file are hints
/// and count for nothing.
pub(super) fn verify(set: &[u8], file: &[u8], keys: &[Key]) -> Result<(), String> {
    let envelope = parse(file)?;
    let message = to_sign(set);
    let is_signed = envelope.signatures.iter().any(|signature| {
        let Ok(der) = STANDARD.decode(&signature.sig) else { return false };
        let Ok(signature) = DerSignature::try_from(der.as_slice()) else { return false };
        keys.iter().any(|key| key.key.verify(&message, &signature).is_ok())
    });
    if is_signed {
        return Ok(());
    }
    let pinned = keys.iter().map(Key::id).collect::<Vec<_>>().join(", ");
    Err(format!("no signature over the set as it is was made by a pinned key ({pinned})"))
}
