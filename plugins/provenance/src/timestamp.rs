//! Timestamps: an authority's signed word that something was there at a moment (RFC
//! 3161, within a signed message, RFC 5652).
//!
//! It leaves to others: which authorities to trust (`trust_root`), and what the time
//! means.

use crate::any_key::{AnyKey, DigestKind, Scheme};
use crate::certificate::Certificate;
use crate::chain::Purpose;
use crate::der::{self, INTEGER, OBJECT, OCTET_STRING, Reader, SEQUENCE, SET};
use crate::time;
use crate::trust_root::Authority;

// Object identifiers, in DER.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const TIMESTAMP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const SIGNING_CERTIFICATE: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f];

/// The most certificates in a timestamp that are looked at.
const MAX_CERTIFICATES: usize = 8;

/// A timestamp, taken apart; not verified yet.
struct Timestamp<'a> {
    /// What it says, and that in parts: the digest of what was there, and when.
    content: &'a [u8],
    imprint: (DigestKind, &'a [u8]),
    moment: i64,
    /// Who signed: the issuer and number of their certificate, or the id of their key.
    signer: Signer<'a>,
    scheme: Scheme,
    digest: DigestKind,
    /// What was signed, in the form in which it was.
    attributes: Vec<u8>,
    signature: &'a [u8],
    certificates: Vec<Certificate>,
}

enum Signer<'a> {
    Number { issuer: &'a [u8], serial: &'a [u8] },
    KeyId(&'a [u8]),
}

/// Returns when `message` was there, by the word of one of `authorities`. None where
/// the timestamp is none, is for something else, or by somebody else.
pub fn verify(response: &[u8], message: &[u8], authorities: &[Authority]) -> Option<i64> {
    let timestamp = Timestamp::parse(response)?;
    let (digest, imprint) = timestamp.imprint;
    if digest.of(message) != imprint || !timestamp.is_consistent()? {
        return None;
    }
    let is_by = |authority: &&Authority| timestamp.is_by(authority).is_some();
    authorities.iter().find(is_by).map(|_| timestamp.moment)
}

impl<'a> Timestamp<'a> {
    fn parse(response: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(response);
        let mut response = outer.sequence()?;
        // Granted, or granted with changes.
        let status = response.sequence()?.value(INTEGER)?;
        let mut message = response.sequence()?;
        if !matches!(status, [0 | 1]) || !response.is_at_end() || !outer.is_at_end() {
            return None;
        }
        if message.value(OBJECT)? != SIGNED_DATA {
            return None;
        }
        let mut data = Reader::new(message.value(0xa0)?).sequence()?;
        data.value(INTEGER)?;
        data.value(SET)?;
        let mut wrapped = data.sequence()?;
        if wrapped.value(OBJECT)? != TIMESTAMP || !message.is_at_end() {
            return None;
        }
        let mut inner = Reader::new(wrapped.value(0xa0)?);
        let content = inner.value(OCTET_STRING)?;
        let mut certificates = Reader::new(data.optional(0xa0).unwrap_or_default());
        data.optional(0xa1);
        let mut signers = Reader::new(data.value(SET)?);
        let mut signer = signers.sequence()?;
        // Exactly one signs.
        if !(signers.is_at_end() && data.is_at_end() && wrapped.is_at_end() && inner.is_at_end()) {
            return None;
        }
        let mut known = Vec::new();
        while !certificates.is_at_end() {
            let certificate = certificates.whole(SEQUENCE)?;
            if known.len() == MAX_CERTIFICATES {
                return None;
            }
            known.extend(Certificate::parse(certificate));
        }
        let (imprint, moment) = statement(content)?;
        signer.value(INTEGER)?;
        let by = match signer.optional(0x80) {
            Some(id) => Signer::KeyId(id),
            None => {
                let mut number = signer.sequence()?;
                Signer::Number { issuer: number.whole(SEQUENCE)?, serial: number.value(INTEGER)? }
            }
        };
        let digest = DigestKind::from_object(signer.sequence()?.value(OBJECT)?)?;
        // What is signed has the tag of a SET, whatever stands in the message.
        let attributes = der::write(SET, signer.value(0xa0)?)?;
        let scheme = Scheme::from_message(signer.sequence()?.value(OBJECT)?, digest)?;
        let signature = signer.value(OCTET_STRING)?;
        signer.optional(0xa1);
        signer.is_at_end().then_some(Self {
            content,
            imprint,
            moment,
            signer: by,
            scheme,
            digest,
            attributes,
            signature,
            certificates: known,
        })
    }

    /// Returns the one value of an attribute of that type. None where there is none, or
    /// more than one.
    fn attribute(&self, name: &[u8]) -> Option<Reader<'_>> {
        let mut attributes = Reader::new(Reader::new(&self.attributes).value(SET)?);
        let mut found = None;
        while !attributes.is_at_end() {
            let mut attribute = attributes.sequence()?;
            if attribute.value(OBJECT)? == name {
                let values = Reader::new(attribute.value(SET)?);
                if found.replace(values).is_some() {
                    return None;
                }
            }
        }
        found
    }

    /// Tells whether what was signed is about the content.
    fn is_consistent(&self) -> Option<bool> {
        let (mut kind, mut digest) =
            (self.attribute(CONTENT_TYPE)?, self.attribute(MESSAGE_DIGEST)?);
        Some(
            kind.value(OBJECT)? == TIMESTAMP
                && digest.value(OCTET_STRING)? == self.digest.of(self.content)
                && kind.is_at_end()
                && digest.is_at_end(),
        )
    }

    /// Checks that the timestamp was made by `authority`.
    fn is_by(&self, authority: &Authority) -> Option<()> {
        let is_own = |other: &&Certificate| !other.extensions.is_authority;
        // Where the trusted root names the certificate that signs, no other does.
        let certificate = match authority.chain.first().filter(is_own) {
            Some(own) => Some(own).filter(|own| self.names(own)),
            None => self.certificates.iter().find(|other| self.names(other)),
        }?;
        let is_trusted = authority.period.contains(self.moment)
            && authority
                .authorities
                .check(certificate, &self.certificates, Purpose::Timestamps, self.moment)
                .is_ok();
        let is_signed = || {
            let key = AnyKey::from_der(&certificate.key);
            key.is_some_and(|key| key.verifies(self.scheme, &self.attributes, self.signature))
        };
        (is_trusted && is_signed()).then_some(())
    }

    /// Tells whether the timestamp says that the holder of this certificate made it.
    fn names(&self, certificate: &Certificate) -> bool {
        let is_named = match self.signer {
            Signer::Number { issuer, serial } => {
                certificate.issuer == issuer && certificate.serial == serial
            }
            Signer::KeyId(id) => certificate.extensions.key_id.as_deref() == Some(id),
        };
        is_named && self.states(certificate).unwrap_or(false)
    }

    /// Tells whether the certificate is the one that the signer signed for, where the
    /// timestamp says which (RFC 5035, section 3). None where that can't be read.
    fn states(&self, certificate: &Certificate) -> Option<bool> {
        let Some(mut stated) = self.attribute(SIGNING_CERTIFICATE) else {
            return Some(true);
        };
        let mut first = stated.sequence()?.sequence()?.sequence()?;
        let kind = match first.optional(SEQUENCE) {
            Some(kind) => DigestKind::from_object(Reader::new(kind).value(OBJECT)?)?,
            None => DigestKind::Sha256,
        };
        Some(first.value(OCTET_STRING)? == kind.of(&certificate.der))
    }
}

/// Reads the digest of what was there, and when.
fn statement(content: &[u8]) -> Option<((DigestKind, &[u8]), i64)> {
    let mut outer = Reader::new(content);
    let mut statement = outer.sequence()?;
    if statement.value(INTEGER)? != [1] {
        return None;
    }
    statement.value(OBJECT)?;
    let mut imprint = statement.sequence()?;
    let digest = DigestKind::from_object(imprint.sequence()?.value(OBJECT)?)?;
    let imprint = (digest, imprint.value(OCTET_STRING)?);
    statement.value(INTEGER)?;
    let moment = time::from_timestamp(&mut statement)?;
    // Accuracy, order, nonce and name may follow; extensions might change the meaning.
    while !statement.is_at_end() {
        if statement.any()?.0 == 0xa1 {
            return None;
        }
    }
    outer.is_at_end().then_some((imprint, moment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::{NOON, STAMPER, STRANGER, timestamp, trusted_root};
    use crate::trust_root;

    fn authorities() -> Vec<Authority> {
        let root = trusted_root().to_string();
        trust_root::parse_document(root.as_bytes()).expect("a trusted root").timestampers
    }

    #[test]
    fn a_timestamp_is_of_one_thing_by_one_authority() {
        let trusted = authorities();
        let good = timestamp(b"what", NOON, STAMPER);
        assert_eq!(verify(&good, b"what", &trusted), Some(NOON));
        assert_eq!(verify(&good, b"other", &trusted), None);
        assert_eq!(verify(&good, b"what", &[]), None);
        assert_eq!(verify(&timestamp(b"what", NOON, STRANGER), b"what", &trusted), None);
        // Before or after the authority's time.
        for moment in [NOON - 70 * 86_400, NOON + 400 * 86_400] {
            assert_eq!(verify(&timestamp(b"what", moment, STAMPER), b"what", &trusted), None);
        }
        assert_eq!(verify(&[&good[..], &[0]].concat(), b"what", &trusted), None);
    }

    #[test]
    fn no_edit_makes_another_time_of_it() {
        let trusted = authorities();
        let good = timestamp(b"what", NOON, STAMPER);
        for at in 0..good.len() {
            assert_eq!(verify(&good[..at], b"what", &trusted), None, "cut at {at}");
            for bit in 0..8 {
                let mut flipped = good.clone();
                flipped[at] ^= 1 << bit;
                let moment = verify(&flipped, b"what", &trusted);
                assert!(moment.is_none_or(|moment| moment == NOON), "byte {at}: {moment:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(response: Vec<u8>) {
            verify(&response, b"what", &[]);
        }
    }
}
