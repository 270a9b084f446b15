//! Who signed: a bundle against the keys that the policy trusts.
//!
//! It leaves to others: what was signed (`statement`). The payload is verified
//! as the bytes it is, before anything in it is read.

use crate::bundle::{Bundle, Material};
use crate::key::PublicKey;

/// Why a bundle is not signed by who it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It says that another than the trusted one signed. The text is a sentence.
    WrongSigner(String),
    /// It says that a trusted one signed, and that is not true.
    SignatureInvalid(String),
}

/// Finds the key among `trusted` that signed `bundle`.
///
/// # Errors
/// Says why there is none.
pub fn signer<'a>(bundle: &Bundle, trusted: &'a [PublicKey]) -> Result<&'a PublicKey, Refusal> {
    let (hint, raw) = match &bundle.material {
        Material::Key { hint, raw } => (hint, raw),
        Material::Certificates(_) => {
            return Err(Refusal::WrongSigner(
                "the policy trusts a key, and the signature was made with a certificate".into(),
            ));
        }
        Material::Keyless => {
            return Err(Refusal::WrongSigner(
                "the policy trusts a key, and the signature is keyless (keyless ones can't be verified yet)".into(),
            ));
        }
    };
    // Nobody vouches for the hint: it may rule keys out, and proves nothing.
    let named = |key: &&PublicKey| {
        hint.as_ref().is_none_or(|hint| key.is_hinted_by(hint))
            && raw.as_ref().is_none_or(|raw| key.is_raw(raw))
    };
    let candidates: Vec<_> = trusted.iter().filter(named).collect();
    if candidates.is_empty() {
        let named = hint
            .as_ref()
            .map_or("another key".to_owned(), |hint| format!("the key `{hint}`"));
        return Err(Refusal::WrongSigner(format!(
            "the signature names {named}, and the policy trusts {}",
            listed(trusted)
        )));
    }
    let message = pae(&bundle.payload_type, &bundle.payload);
    let signed = candidates
        .iter()
        .find(|key| key.verifies(&message, &bundle.signature));
    signed.copied().ok_or_else(|| {
        let trusted: Vec<_> = candidates.into_iter().cloned().collect();
        Refusal::SignatureInvalid(format!(
            "the signature was not made by {}",
            listed(&trusted)
        ))
    })
}

fn listed(keys: &[PublicKey]) -> String {
    let keys: Vec<_> = keys.iter().map(PublicKey::fingerprint).collect();
    keys.join(" or ")
}

/// Builds what is really signed: DSSE's encoding of a payload and its type.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}
