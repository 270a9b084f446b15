//! Certificates (X.509): read from DER, as far as trusting one needs it.
//!
//! It leaves to others: whether to trust one (`chain`).

use crate::any_key::{AnyKey, Scheme};
use crate::der::{self, INTEGER, OBJECT, Reader, SEQUENCE};
use crate::extensions::Extensions;
use crate::time;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// All of it.
    pub der: Vec<u8>,
    /// Who it is for, and who issued it: names in DER, compared as they stand.
    pub subject: Vec<u8>,
    /// See `subject`.
    pub issuer: Vec<u8>,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
    /// The public key in DER (SubjectPublicKeyInfo).
    pub key: Vec<u8>,
    /// The number its issuer gave it, in DER, without tag and length.
    pub serial: Vec<u8>,
    /// What it says about itself beyond that.
    pub extensions: Extensions,
    signed: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate. None where it is none.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(der);
        let mut certificate = outer.sequence()?;
        let signed = certificate.whole(SEQUENCE)?;
        let algorithm = certificate.whole(SEQUENCE)?;
        let signature = certificate.bytes()?;
        if !certificate.is_at_end() || !outer.is_at_end() {
            return None;
        }
        let mut body = Reader::new(signed).sequence()?;
        // Only version 3 has extensions, without which nothing says what a key is for.
        if body.value(0xa0)? != [INTEGER, 1, 2] {
            return None;
        }
        let serial = body.value(INTEGER)?;
        if body.whole(SEQUENCE)? != algorithm {
            return None;
        }
        let issuer = body.whole(SEQUENCE)?;
        let mut validity = body.sequence()?;
        let not_before = time::from_certificate(&mut validity)?;
        let not_after = time::from_certificate(&mut validity)?;
        let subject = body.whole(SEQUENCE)?;
        let key = body.whole(SEQUENCE)?;
        // Unique identifiers: nobody uses them.
        body.optional(0x81);
        body.optional(0x82);
        let extensions = match body.optional(0xa3) {
            Some(extensions) => Extensions::parse(extensions)?,
            None => Extensions::default(),
        };
        if !validity.is_at_end() || !body.is_at_end() {
            return None;
        }
        Some(Self {
            der: der.to_owned(),
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            not_before,
            not_after,
            key: key.to_owned(),
            serial: serial.to_owned(),
            extensions,
            signed: signed.to_owned(),
            algorithm: Reader::new(algorithm).sequence()?.value(OBJECT)?.to_owned(),
            signature: signature.to_owned(),
        })
    }

    /// Tells whether this certificate's key signed `other`.
    pub fn signed(&self, other: &Self) -> bool {
        let (key, scheme) = (AnyKey::from_der(&self.key), Scheme::from_object(&other.algorithm));
        let made =
            |(key, scheme): (AnyKey, Scheme)| key.verifies(scheme, &other.signed, &other.signature);
        key.zip(scheme).is_some_and(made)
    }

    /// Tells whether the certificate was signed with its own key.
    pub fn is_self_signed(&self) -> bool {
        self.issuer == self.subject && self.signed(self)
    }

    /// Returns what its issuer showed to a certificate log before the log's answers
    /// were put in: the signed part without the extension `left_out` (RFC 6962,
    /// section 3.2). None where it has none.
    pub fn signed_without(&self, left_out: &[u8]) -> Option<Vec<u8>> {
        let mut body = Reader::new(&self.signed).sequence()?;
        let before = body.rest();
        while !body.next_is(0xa3) {
            body.any()?;
        }
        let before = before.strip_suffix(body.rest())?;
        let mut list = Reader::new(body.value(0xa3)?).sequence()?;
        let (mut kept, mut is_found) = (Vec::new(), false);
        while !list.is_at_end() {
            let extension = list.whole(SEQUENCE)?;
            match Reader::new(extension).sequence()?.value(OBJECT)? == left_out {
                true => is_found = true,
                false => kept.extend_from_slice(extension),
            }
        }
        let extensions = der::write(0xa3, &der::write(SEQUENCE, &kept)?)?;
        is_found.then(|| der::write(SEQUENCE, &[before, &extensions[..]].concat())).flatten()
    }
}

#[cfg(test)]
pub(crate) mod forge {
    //! Makes certificates for tests, in the little DER it takes.

    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::any_key::ECDSA_SHA256;
    use crate::der::{BIT_STRING, GENERALIZED_TIME, UTC_TIME};
    use crate::extensions::forge::{basic_constraints, usage};

    /// What a certificate is to be like. All keys are of P-256, told apart by a byte.
    #[derive(Clone)]
    pub(crate) struct Plan {
        pub(crate) subject: &'static str,
        pub(crate) key: u8,
        pub(crate) issuer: &'static str,
        pub(crate) signed_by: u8,
        pub(crate) valid: (&'static str, &'static str),
        pub(crate) extensions: Vec<Vec<u8>>,
    }

    /// An authority that issues itself.
    pub(crate) fn root(name: &'static str, key: u8) -> Plan {
        authority(name, key, name, key)
    }

    /// An authority under another.
    pub(crate) fn authority(
        subject: &'static str,
        key: u8,
        issuer: &'static str,
        signed_by: u8,
    ) -> Plan {
        let extensions = vec![basic_constraints(true, None), usage(0x04)];
        Plan {
            subject,
            key,
            issuer,
            signed_by,
            valid: ("200101000000Z", "491231235959Z"),
            extensions,
        }
    }

    /// One who signs models.
    pub(crate) fn leaf(issuer: &'static str, signed_by: u8) -> Plan {
        Plan { extensions: vec![usage(0x80)], ..authority("leaf", 9, issuer, signed_by) }
    }

    impl Plan {
        pub(crate) fn with(mut self, extensions: Vec<Vec<u8>>) -> Self {
            self.extensions = extensions;
            self
        }

        pub(crate) fn valid(mut self, from: &'static str, to: &'static str) -> Self {
            self.valid = (from, to);
            self
        }

        pub(crate) fn der(&self) -> Vec<u8> {
            let algorithm = sequence(&[&value(OBJECT, ECDSA_SHA256)]);
            let name = |name: &str| sequence(&[&value(0x0c, name.as_bytes())]);
            let time = |text: &str| {
                value(if text.len() == 13 { UTC_TIME } else { GENERALIZED_TIME }, text.as_bytes())
            };
            let extensions: Vec<&[u8]> = self.extensions.iter().map(Vec::as_slice).collect();
            let body = sequence(&[
                &value(0xa0, &[INTEGER, 1, 2]),
                &value(INTEGER, &[7]),
                &algorithm,
                &name(self.issuer),
                &sequence(&[&time(self.valid.0), &time(self.valid.1)]),
                &name(self.subject),
                &public(self.key),
                &value(0xa3, &sequence(&extensions)),
            ]);
            let signature = sign(self.signed_by, &body);
            sequence(&[&body, &algorithm, &value(BIT_STRING, &[&[0], &signature[..]].concat())])
        }

        /// Returns the part that is signed.
        pub(crate) fn shown(&self) -> Vec<u8> {
            self.make().signed
        }

        pub(crate) fn make(&self) -> Certificate {
            Certificate::parse(&self.der()).expect("a certificate")
        }
    }

    /// Signs a message, digested with SHA-256.
    pub(crate) fn sign(key: u8, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature =
            secret(key).sign_prehash(&Sha256::digest(message)).expect("32 bytes");
        let integer = |number: &[u8]| {
            let start = number.iter().position(|&byte| byte != 0).expect("not zero");
            let zero: &[u8] = if number[start] > 0x7f { &[0] } else { &[] };
            value(INTEGER, &[zero, &number[start..]].concat())
        };
        let bytes = signature.to_bytes();
        sequence(&[&integer(&bytes[..32]), &integer(&bytes[32..])])
    }

    fn secret(key: u8) -> SigningKey {
        SigningKey::from_slice(&[key; 32]).expect("a scalar of the curve")
    }

    pub(crate) fn public(key: u8) -> Vec<u8> {
        let point = secret(key).verifying_key().to_sec1_point(false);
        let curve = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let kind = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        let algorithm = sequence(&[&value(OBJECT, &kind), &value(OBJECT, &curve)]);
        sequence(&[&algorithm, &value(BIT_STRING, &[&[0], point.as_bytes()].concat())])
    }

    pub(crate) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        der::write(tag, content).expect("short")
    }

    pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        value(SEQUENCE, &parts.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::forge::{leaf, root};
    use super::*;
    use crate::extensions::Usage;
    use crate::extensions::forge::{UNKNOWN, extension, logged, usage};

    #[test]
    fn what_a_certificate_says() {
        let certificate = root("Root", 1).make();
        assert_eq!((certificate.not_before, certificate.not_after), (1_577_836_800, 2_524_607_999));
        assert_eq!(certificate.extensions.usage, Some(Usage { signs: false, issues: true }));
        assert!(certificate.extensions.is_authority && certificate.is_self_signed());
        let certificate = leaf("Root", 1).make();
        assert!(!certificate.extensions.is_authority && !certificate.is_self_signed());
        let odd = leaf("Root", 1).with(vec![usage(0x80), usage(0x80)]);
        assert_eq!(Certificate::parse(&odd.der()), None);
    }

    #[test]
    fn what_a_log_was_shown() {
        let before = vec![usage(0x80), extension(UNKNOWN, false, b"x")];
        let shown = leaf("Root", 1).with(before.clone()).make().signed;
        for at in 0..3 {
            let mut after = before.clone();
            after.insert(at, logged(b"answers"));
            let certificate = leaf("Root", 1).with(after).make();
            assert_eq!(certificate.signed_without(crate::extensions::LOGGED), Some(shown.clone()));
        }
        assert_eq!(leaf("Root", 1).make().signed_without(crate::extensions::LOGGED), None);
    }

    #[test]
    fn rsa_authorities() {
        let blocks =
            crate::pem::parse(include_bytes!("../tests/fixtures/rsa-root.pem")).expect("PEM");
        let der = &blocks[0].content;
        let certificate = Certificate::parse(der).expect("a certificate");
        assert!(certificate.is_self_signed());
        for at in [100, 200, 400, der.len() - 1] {
            let mut flipped = der.clone();
            flipped[at] ^= 1;
            assert!(
                !Certificate::parse(&flipped).is_some_and(|other| other.is_self_signed()),
                "byte {at}"
            );
        }
    }

    #[test]
    fn cut_and_flipped_certificates_are_not_signed() {
        let der = root("Root", 1).der();
        let signer = root("Root", 1).make();
        for at in 0..der.len() {
            assert_eq!(Certificate::parse(&der[..at]), None, "cut at {at}");
            let mut flipped = der.clone();
            flipped[at] ^= 1;
            assert!(
                !Certificate::parse(&flipped).is_some_and(|other| signer.signed(&other)),
                "byte {at}"
            );
        }
        assert_eq!(Certificate::parse(&[&der[..], &[0]].concat()), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(der: Vec<u8>) {
            Certificate::parse(&der);
        }

        #[test]
        fn any_edit_is_read(at in 0..400usize, edit: Vec<u8>) {
            let mut der = root("Root", 1).der();
            let start = at % der.len();
            let end = (start + edit.len()).min(der.len());
            der.splice(start..end, edit);
            if let Some(certificate) = Certificate::parse(&der) {
                certificate.is_self_signed();
            }
        }
    }
}
