//! Who signed: a bundle against whom the policy trusts.
//!
//! It leaves to others: what was signed (`statement`). The payload is verified
//! as the bytes it is, before anything in it is read.

use crate::bundle::{Bundle, Material};
use crate::certificate::Certificate;
use crate::chain::Authorities;
use crate::key::PublicKey;

/// Whom the policy trusts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// These keys.
    pub keys: Vec<PublicKey>,
    /// Whom these issue a certificate.
    pub authorities: Option<Authorities>,
    /// Of those, only the one of this name.
    pub identity: Option<String>,
    /// The time to judge certificates by, in seconds since 1970.
    pub now: i64,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The name that the policy asks for, or else the key's fingerprint.
    pub name: String,
    /// Whether anyone with a certificate could have signed as well.
    pub is_anyone: bool,
}

/// Why a bundle is not signed by who it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It says that another than the trusted one signed. The text is a sentence.
    WrongSigner(String),
    /// The signer's certificate is not to be trusted.
    CertificateUntrusted(String),
    /// It says that a trusted one signed, and that is not true.
    SignatureInvalid(String),
}

fn wrong_signer<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::WrongSigner(text.into()))
}

/// Finds who among those in `trust` signed `bundle`.
///
/// # Errors
/// Says why it was none of them.
pub fn signer(bundle: &Bundle, trust: &Trust) -> Result<Signer, Refusal> {
    match (&bundle.material, &trust.authorities) {
        (Material::Key { .. }, _) if trust.keys.is_empty() => {
            wrong_signer("the policy trusts certificates, and the signature was made with a key")
        }
        (Material::Key { hint, raw }, _) => {
            by_key(bundle, &trust.keys, hint.as_deref(), raw.as_deref())
        }
        (Material::Certificates(chain), Some(authorities)) => {
            by_certificate(bundle, trust, authorities, chain)
        }
        (Material::Certificates(_), None) => {
            wrong_signer("the policy trusts a key, and the signature was made with a certificate")
        }
        (Material::Keyless, _) => wrong_signer(
            "the signature is keyless, and the policy trusts another kind (keyless ones can't be verified yet)",
        ),
    }
}

fn by_key(
    bundle: &Bundle,
    trusted: &[PublicKey],
    hint: Option<&str>,
    raw: Option<&[u8]>,
) -> Result<Signer, Refusal> {
    // Nobody vouches for the hint: it may rule keys out, and proves nothing.
    let is_named = |key: &&PublicKey| {
        hint.is_none_or(|hint| key.is_hinted_by(hint)) && raw.is_none_or(|raw| key.is_raw(raw))
    };
    let candidates: Vec<_> = trusted.iter().filter(is_named).collect();
    if candidates.is_empty() {
        let named = hint.map_or("another key".to_owned(), |hint| format!("the key `{hint}`"));
        return wrong_signer(format!(
            "the signature names {named}, and the policy trusts {}",
            listed(trusted)
        ));
    }
    let message = pae(&bundle.payload_type, &bundle.payload);
    match candidates.iter().find(|key| key.verifies(&message, &bundle.signature)) {
        Some(key) => Ok(Signer { name: key.fingerprint(), is_anyone: false }),
        None => {
            let message = format!("the signature was not made by {}", listed(candidates));
            Err(Refusal::SignatureInvalid(message))
        }
    }
}

fn by_certificate(
    bundle: &Bundle,
    trust: &Trust,
    authorities: &Authorities,
    chain: &[Vec<u8>],
) -> Result<Signer, Refusal> {
    let untrusted = |why: &str| {
        Refusal::CertificateUntrusted(format!("the signer's certificate is not trusted: {why}"))
    };
    let chain: Option<Vec<_>> = chain.iter().map(|der| Certificate::parse(der)).collect();
    let chain = chain.ok_or_else(|| untrusted("it, or one that came with it, can't be read"))?;
    let Some((leaf, others)) = chain.split_first() else {
        return Err(untrusted("there is none"));
    };
    authorities.check(leaf, others, trust.now).map_err(|problem| untrusted(problem.describe()))?;
    let key = PublicKey::from_der(&leaf.key);
    let key = key.ok_or_else(|| untrusted("its key is none of P-256, P-384 and P-521"))?;
    if !key.verifies(&pae(&bundle.payload_type, &bundle.payload), &bundle.signature) {
        return Err(Refusal::SignatureInvalid(
            "the signature was not made with the key of its certificate".into(),
        ));
    }
    match &trust.identity {
        None => Ok(Signer { name: key.fingerprint(), is_anyone: !authorities.holds(leaf) }),
        Some(wanted) if leaf.extensions.names.contains(wanted) => {
            Ok(Signer { name: wanted.clone(), is_anyone: false })
        }
        Some(wanted) => {
            let names = match leaf.extensions.names.join("`, `") {
                names if names.is_empty() => "nobody by name".to_owned(),
                names => format!("`{names}`"),
            };
            wrong_signer(format!(
                "the signer's certificate is for {names}, and the policy trusts `{wanted}`"
            ))
        }
    }
}

fn listed<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> String {
    let keys: Vec<_> = keys.into_iter().map(PublicKey::fingerprint).collect();
    keys.join(" or ")
}

/// Builds what is really signed: DSSE's encoding of a payload and its type.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::forge::{Plan, leaf, names, root, sign, usage};
    use crate::{chain, pem};

    const PAYLOAD: &[u8] = b"what was signed";

    /// Signs the payload with the key of the given byte.
    fn bundle(material: Material, key: u8) -> Bundle {
        let payload_type = "a/b".to_owned();
        let signature = sign(key, b"DSSEv1 3 a/b 15 what was signed");
        Bundle { material, payload_type, payload: PAYLOAD.to_vec(), signature }
    }

    fn certified(plans: &[Plan], key: u8) -> Bundle {
        bundle(Material::Certificates(plans.iter().map(Plan::der).collect()), key)
    }

    fn trust(identity: Option<&str>) -> Trust {
        let document = pem::write("CERTIFICATE", &root("R", 1).der());
        let authorities = chain::parse_document(document.as_bytes()).expect("a root");
        // 2026-01-01.
        let now = 1_767_225_600;
        Trust {
            authorities: Some(authorities),
            identity: identity.map(str::to_owned),
            now,
            ..Trust::default()
        }
    }

    fn show(bundle: &Bundle, trust: &Trust) -> String {
        match signer(bundle, trust) {
            Ok(Signer { name, is_anyone }) => {
                format!("{:.12}{}", name, if is_anyone { " or anyone" } else { "" })
            }
            Err(Refusal::WrongSigner(why)) => format!("wrong: {why}"),
            Err(Refusal::CertificateUntrusted(why)) => format!("untrusted: {why}"),
            Err(Refusal::SignatureInvalid(why)) => format!("invalid: {why}"),
        }
    }

    #[test]
    fn certificates() {
        let named = || {
            leaf("R", 1)
                .with(vec![usage(0x80), names(&[(0x81, "a@b.test"), (0x86, "https://b.test")])])
        };
        let later = Trust { now: i64::MAX, ..trust(None) };
        let rows = [
            (show(&certified(&[named()], 9), &trust(None)), "sha256:"),
            (show(&certified(&[named()], 9), &trust(Some("a@b.test"))), "a@b.test"),
            (show(&certified(&[named()], 9), &trust(Some("https://b.test"))), "https://b.te"),
            (
                show(&certified(&[named()], 9), &trust(Some("A@b.test"))),
                "wrong: the signer's certificate is for `a@b.test`, `https",
            ),
            (
                show(&certified(&[named()], 9), &trust(Some("a@b.tes"))),
                "wrong: the signer's certificate is for",
            ),
            (
                show(&certified(&[named()], 9), &trust(Some(""))),
                "wrong: the signer's certificate is for",
            ),
            (
                show(&certified(&[leaf("R", 1)], 9), &trust(Some("leaf"))),
                "wrong: the signer's certificate is for nobody",
            ),
            (show(&certified(&[named()], 8), &trust(None)), "invalid: "),
            (show(&certified(&[leaf("R", 2)], 9), &trust(None)), "untrusted: "),
            (show(&certified(&[named()], 9), &later), "untrusted: "),
            (show(&certified(&[], 9), &trust(None)), "untrusted: "),
            (
                show(&bundle(Material::Certificates(vec![b"x".to_vec()]), 9), &trust(None)),
                "untrusted: ",
            ),
            (
                show(
                    &bundle(Material::Certificates(vec![named().der(), b"x".to_vec()]), 9),
                    &trust(None),
                ),
                "untrusted: ",
            ),
            (
                show(&bundle(Material::Key { hint: None, raw: None }, 9), &trust(None)),
                "wrong: the policy trusts certificates",
            ),
            (show(&bundle(Material::Keyless, 9), &trust(None)), "wrong: the signature is keyless"),
            (show(&certified(&[named()], 9), &Trust::default()), "wrong: the policy trusts a key"),
        ];
        for (row, (shown, expected)) in rows.into_iter().enumerate() {
            assert!(shown.starts_with(expected), "row {row}: {shown}");
        }
        assert!(show(&certified(&[named()], 9), &trust(None)).ends_with(" or anyone"));
        let own = root("self", 9).with(vec![usage(0x80)]);
        let document = pem::write("CERTIFICATE", &own.der());
        let authorities = chain::parse_document(document.as_bytes()).expect("a root");
        let pinned = Trust { authorities: Some(authorities), ..trust(None) };
        assert!(!show(&certified(&[own], 9), &pinned).contains(" or anyone"));
    }

    #[test]
    fn the_type_is_signed_with_the_payload() {
        let mut bundle = certified(&[leaf("R", 1)], 9);
        bundle.payload_type = "a/c".into();
        assert!(show(&bundle, &trust(None)).starts_with("invalid: "));
        bundle.payload_type = "a/b".into();
        bundle.payload.push(b' ');
        assert!(show(&bundle, &trust(None)).starts_with("invalid: "));
    }
}
