//! Signatures over a set: detached, in the form of DSSE, with ECDSA on P-256.
//!
//! `registry.toml.sig` is a DSSE envelope without its payload, which is the set
//! itself: `payloadType` and `signatures`, each with `keyid` and `sig`. What is
//! signed is DSSE's pre-authentication encoding of the type and the bytes of the
//! set. Leaves keys to `signing`, and which of them count to whoever asks.

use serde::{Deserialize, Serialize};

use crate::domain::dsse;
use crate::record::signing::{Key, KeyError, Signer};

/// What is signed: a set in the form that this version writes.
const PAYLOAD_TYPE: &str = "application/vnd.modelhost.registry.v1+toml";

/// The most signatures of one set: each costs a verification.
const MAX_SIGNATURES: usize = 64;

/// Signs `set` with `signer`, and returns the text of the file with the signature. The
/// same key and set give the same text (RFC 6979).
///
/// # Errors
/// Says that the key's fingerprint can't be made.
pub(super) fn sign(set: &[u8], signer: &Signer) -> Result<String, KeyError> {
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: vec![Signature {
            keyid: signer.public()?.id().to_owned(),
            sig: signer.sign(&dsse::encode(PAYLOAD_TYPE, set)),
        }],
    };
    let mut text = serde_json::to_string_pretty(&envelope)
        .expect("a struct of texts can be written to memory");
    text.push('\n');
    Ok(text)
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
    let message = dsse::encode(PAYLOAD_TYPE, set);
    let is_signed = (envelope.signatures.iter())
        .any(|signature| keys.iter().any(|key| key.verifies(&message, &signature.sig)));
    if is_signed {
        return Ok(());
    }
    let pinned = keys.iter().map(Key::id).collect::<Vec<_>>().join(", ");
    Err(format!("no signature over the set as it is was made by a pinned key ({pinned})"))
}
