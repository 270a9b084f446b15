//! Who signed: a bundle against whom the policy trusts.
//!
//! It leaves to others: what was signed (`statement`). The payload is verified
//! as the bytes it is, before anything in it is read.

use sha2::{Digest as _, Sha256};

use crate::bundle::Bundle;
use crate::certificate::Certificate;
use crate::chain::{Authorities, Purpose};
use crate::entry::Signed;
use crate::key::PublicKey;
use crate::keyless::{self, Policy, Verified};
use crate::material::Material;
use crate::trust_root::TrustRoot;
use crate::{dsse, timestamp};

/// What a name starts with that is the fingerprint of a key.
const FINGERPRINT: &str = "sha256:";

/// Said where the policy leaves open who may sign, which its settings don't let it.
const NOBODY: &str = "the policy does not say who may sign";

/// Whom the policy trusts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// These keys.
    pub keys: Vec<PublicKey>,
    /// Whom these issue a certificate.
    pub authorities: Option<Authorities>,
    /// Whom this Sigstore instance issues one of minutes.
    pub root: Option<TrustRoot>,
    /// Whether such a signature has to be in public logs.
    pub needs_logs: bool,
    /// Of all who have a certificate, the one of this name.
    pub identity: Option<String>,
    /// Who has to have told the instance that the signer is of that name.
    pub provider: Option<String>,
    /// The time of the run, in seconds since 1970.
    pub now: i64,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The name that the policy asks for, or else the key's fingerprint.
    pub name: String,
    /// By which method.
    pub method: Method,
    /// When, and who vouches for that; none where nobody does.
    pub time: Option<(i64, &'static str)>,
    /// The repository that the signer's certificate is for.
    pub repository: Option<String>,
    /// Whether the signature is over the faulty encoding of before 2025.
    pub is_old: bool,
}

/// A method of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// With a long-lived key.
    Key,
    /// With a certificate of one's own.
    Certificate,
    /// With a certificate of minutes.
    Keyless,
}

impl Method {
    /// Names the method as the specification does.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::Keyless => "sigstore",
        }
    }
}

/// Why a bundle is not signed by who it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It says that another than the trusted one signed. The text is a sentence.
    WrongSigner(String),
    /// The signer's certificate is not to be trusted.
    CertificateUntrusted(String),
    /// No certificate log promised to list the signer's certificate.
    CertificateUnlogged,
    /// The signature is not in the public log as it has to be.
    EntryInvalid(String),
    /// Nobody trusted says when it was signed.
    TimeUntrusted(String),
    /// It says that a trusted one signed, and that is not true.
    SignatureInvalid(String),
}

fn wrong_signer<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::WrongSigner(text.into()))
}

fn untrusted(why: &str) -> Refusal {
    Refusal::CertificateUntrusted(format!("the signer's certificate is not trusted: {why}"))
}

/// Finds who among those in `trust` signed `bundle`.
///
/// # Errors
/// Says why it was none of them.
pub fn signer(bundle: &Bundle, trust: &Trust) -> Result<Signer, Refusal> {
    match (&bundle.material, &trust.authorities, &trust.root) {
        (Material::Key { hint, raw }, _, _) if !trust.keys.is_empty() => {
            by_key(bundle, &trust.keys, hint.as_deref(), raw.as_deref())
        }
        (Material::Certificates(chain), Some(authorities), _) => {
            by_certificate(bundle, trust, authorities, chain)
        }
        (Material::Keyless(certificate, others), _, Some(root)) => {
            keyless(bundle, trust, root, certificate, others)
        }
        (Material::Key { .. }, _, _) => {
            wrong_signer("the signature was made with a key, and the policy trusts no key")
        }
        (Material::Certificates(_), None, _) => wrong_signer(
            "the signature was made with a certificate, and the policy trusts no authority that issues them",
        ),
        (Material::Keyless(..), _, None) => {
            wrong_signer("the signature is keyless, and the policy trusts no Sigstore instance")
        }
    }
}

/// Tells whether a key made the bundle's signature, and whether over the old encoding.
fn made(bundle: &Bundle, key: &PublicKey) -> Option<bool> {
    let (kind, payload, signature) = (&bundle.payload_type, &bundle.payload, &bundle.signature);
    if key.verifies(&dsse::encode(kind, payload), signature) {
        return Some(false);
    }
    // Released with the old encoding, and with SHA-256 whatever the key.
    let old = || Sha256::digest(dsse::encode_as_once(kind, payload));
    (dsse::may_be_old(kind, payload) && key.verifies_digest(&old(), signature)).then_some(true)
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
    let maker = candidates.iter().find_map(|key| Some((key, made(bundle, key)?)));
    let Some((key, is_old)) = maker else {
        let message = format!("the signature was not made by {}", listed(candidates));
        return Err(Refusal::SignatureInvalid(message));
    };
    let (name, method) = (key.fingerprint(), Method::Key);
    Ok(Signer { name, method, time: None, repository: None, is_old })
}

fn by_certificate(
    bundle: &Bundle,
    trust: &Trust,
    authorities: &Authorities,
    chain: &[Vec<u8>],
) -> Result<Signer, Refusal> {
    let chain: Option<Vec<_>> = chain.iter().map(|der| Certificate::parse(der)).collect();
    let chain = chain.ok_or_else(|| untrusted("it, or one that came with it, can't be read"))?;
    let Some((leaf, others)) = chain.split_first() else {
        return Err(untrusted("there is none"));
    };
    // A timestamp shows that the certificate was still valid when it was used.
    let stampers = trust.root.as_ref().map_or(&[][..], |root| &root.timestampers);
    let stamp = |response: &Vec<u8>| timestamp::verify(response, &bundle.signature, stampers);
    let stamped = bundle.evidence.timestamps.iter().filter_map(stamp).min();
    let stamped = stamped.filter(|time| *time <= trust.now);
    authorities
        .check(leaf, others, Purpose::Signing, stamped.unwrap_or(trust.now))
        .map_err(|problem| untrusted(problem.describe()))?;
    let key = PublicKey::from_der(&leaf.key);
    let key = key.ok_or_else(|| untrusted("its key is none of P-256, P-384 and P-521"))?;
    let Some(is_old) = made(bundle, &key) else {
        return Err(Refusal::SignatureInvalid(
            "the signature was not made with the key of its certificate".into(),
        ));
    };
    let Some(wanted) = trust.identity.as_deref() else {
        return wrong_signer(NOBODY);
    };
    let is_wanted = match wanted.starts_with(FINGERPRINT) {
        true => wanted == key.fingerprint(),
        false => leaf.extensions.names.iter().any(|name| name == wanted),
    };
    if !is_wanted {
        return wrong_signer(format!(
            "the signer's certificate is for {} with the key {}, and the policy trusts `{wanted}`",
            named(leaf),
            key.fingerprint()
        ));
    }
    Ok(Signer {
        name: wanted.to_owned(),
        method: Method::Certificate,
        time: stamped.map(|time| (time, "timestamp")),
        repository: None,
        is_old,
    })
}

fn keyless(
    bundle: &Bundle,
    trust: &Trust,
    root: &TrustRoot,
    certificate: &[u8],
    others: &[Vec<u8>],
) -> Result<Signer, Refusal> {
    let message = dsse::encode(&bundle.payload_type, &bundle.payload);
    let signed = Signed {
        message: &message,
        payload: &bundle.payload,
        payload_type: &bundle.payload_type,
        signature: &bundle.signature,
        certificate,
    };
    let policy = Policy { root, needs_logs: trust.needs_logs, now: trust.now };
    let Verified { certificate, time, witness } =
        keyless::verify(&signed, others, &bundle.evidence, &policy).map_err(refused)?;
    let extensions = &certificate.extensions;
    let (Some(wanted), Some(wanted_provider)) = (&trust.identity, &trust.provider) else {
        return wrong_signer(NOBODY);
    };
    if !extensions.names.contains(wanted) {
        return wrong_signer(format!(
            "the signer's certificate is for {}, and the policy trusts `{wanted}`",
            named(&certificate)
        ));
    }
    // Both forms are there as a rule, and then both count.
    let mut stated = [&extensions.provider, &extensions.provider_raw].into_iter().flatten();
    let provider = extensions.provider.as_ref().or(extensions.provider_raw.as_ref());
    if provider.is_none() || stated.any(|stated| stated != wanted_provider) {
        let provider = provider.map_or("nobody", String::as_str);
        return wrong_signer(format!(
            "`{provider}` vouches for the signer's name, and the policy trusts `{wanted_provider}` to"
        ));
    }
    Ok(Signer {
        name: wanted.clone(),
        method: Method::Keyless,
        time: Some((time, witness)),
        repository: extensions.repository.clone(),
        is_old: false,
    })
}

fn refused(refusal: keyless::Refusal) -> Refusal {
    match refusal {
        keyless::Refusal::Signature(why) => {
            Refusal::SignatureInvalid(format!("the signature is not the signer's: {why}"))
        }
        keyless::Refusal::Certificate(why) => untrusted(&why),
        keyless::Refusal::NotListed => Refusal::CertificateUnlogged,
        keyless::Refusal::Entry(why) => Refusal::EntryInvalid(why),
        keyless::Refusal::Time(why) => Refusal::TimeUntrusted(why),
    }
}

/// Lists the names in a certificate.
fn named(certificate: &Certificate) -> String {
    match certificate.extensions.names.join("`, `") {
        names if names.is_empty() => "nobody by name".to_owned(),
        names => format!("`{names}`"),
    }
}

fn listed<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> String {
    let keys: Vec<_> = keys.into_iter().map(PublicKey::fingerprint).collect();
    keys.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::forge::{Plan, leaf, public, root, sign};
    use crate::extensions::forge::{names, usage};
    use crate::material::Evidence;
    use crate::{chain, pem};

    const PAYLOAD: &[u8] = b"what was signed";

    /// Signs the payload with the key of the given byte.
    fn bundle(material: Material, key: u8) -> Bundle {
        let payload_type = "a/b".to_owned();
        let signature = sign(key, b"DSSEv1 3 a/b 15 what was signed");
        let evidence = Evidence::default();
        Bundle { material, evidence, payload_type, payload: PAYLOAD.to_vec(), signature }
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
            Ok(Signer { name, .. }) => format!("{name:.12}"),
            Err(Refusal::WrongSigner(why)) => format!("wrong: {why}"),
            Err(Refusal::CertificateUntrusted(why)) => format!("untrusted: {why}"),
            Err(Refusal::SignatureInvalid(why)) => format!("invalid: {why}"),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn certificates() {
        let named = || {
            leaf("R", 1)
                .with(vec![usage(0x80), names(&[(0x81, "a@b.test"), (0x86, "https://b.test")])])
        };
        let key_of = |byte| {
            PublicKey::from_der(&public(byte)).map_or_else(String::new, |key| key.fingerprint())
        };
        // A name that looks like the fingerprint of another's key is none.
        let impostor = || leaf("R", 1).with(vec![usage(0x80), names(&[(0x86, &key_of(8))])]);
        let later = Trust { now: i64::MAX, ..trust(None) };
        let rows = [
            (
                show(&certified(&[named()], 9), &trust(None)),
                "wrong: the policy does not say who may sign",
            ),
            (show(&certified(&[named()], 9), &trust(Some(&key_of(9)))), "sha256:"),
            (show(&certified(&[leaf("R", 1)], 9), &trust(Some(&key_of(9)))), "sha256:"),
            (show(&certified(&[named()], 9), &trust(Some(&key_of(8)))), "wrong: the signer's"),
            (
                show(&certified(&[impostor()], 9), &trust(Some(&key_of(8)))),
                "wrong: the signer's certificate is for `sha256:",
            ),
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
                "wrong: the signature was made with a key",
            ),
            (
                show(&bundle(Material::Keyless(vec![], vec![]), 9), &trust(None)),
                "wrong: the signature is keyless",
            ),
            (
                show(&certified(&[named()], 9), &Trust::default()),
                "wrong: the signature was made with a certificate",
            ),
        ];
        for (row, (shown, expected)) in rows.into_iter().enumerate() {
            assert!(shown.starts_with(expected), "row {row}: {shown}");
        }
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
