//! Certificates (X.509): read from DER, as far as trusting one needs it.
//!
//! It leaves to others: whether to trust one (`chain`).

use rsa::BoxedUint;
use rsa::pkcs1v15::Pkcs1v15Sign;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT, OCTET_STRING, Reader, SEQUENCE,
    UTC_TIME,
};
use crate::key::PublicKey;

// Object identifiers, in DER.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
const RSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
/// Policies only matter to who asks for one.
const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
const ANY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// The sizes of RSA keys that are used, in bits: smaller ones are broken, larger
/// ones take too long.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

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
    /// What it says about itself beyond that.
    pub extensions: Extensions,
    signed: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

/// What a certificate says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Whether it may issue others.
    pub is_authority: bool,
    /// How many authorities may stand between it and the last certificate.
    pub path_length: Option<u64>,
    /// What its key may be used for.
    pub usage: Option<Usage>,
    /// Whether its key may sign code; none where it says nothing about that.
    pub code_signing: Option<bool>,
    /// The names it is for: mail addresses, domains, URIs.
    pub names: Vec<String>,
    /// Whether it has a condition that can't be judged here.
    pub is_conditional: bool,
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Signing.
    pub signs: bool,
    /// Issuing certificates.
    pub issues: bool,
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
        body.value(INTEGER)?;
        if body.whole(SEQUENCE)? != algorithm {
            return None;
        }
        let issuer = body.whole(SEQUENCE)?;
        let mut validity = body.sequence()?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
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
            extensions,
            signed: signed.to_owned(),
            algorithm: Reader::new(algorithm).sequence()?.value(OBJECT)?.to_owned(),
            signature: signature.to_owned(),
        })
    }

    /// Tells whether this certificate's key signed `other`.
    pub fn signed(&self, other: &Self) -> bool {
        let digest = match other.algorithm.as_slice() {
            RSA_SHA256 | ECDSA_SHA256 => Sha256::digest(&other.signed).to_vec(),
            RSA_SHA384 | ECDSA_SHA384 => Sha384::digest(&other.signed).to_vec(),
            RSA_SHA512 | ECDSA_SHA512 => Sha512::digest(&other.signed).to_vec(),
            _ => return false,
        };
        let scheme = match other.algorithm.as_slice() {
            RSA_SHA256 => Pkcs1v15Sign::new::<Sha256>(),
            RSA_SHA384 => Pkcs1v15Sign::new::<Sha384>(),
            RSA_SHA512 => Pkcs1v15Sign::new::<Sha512>(),
            _ => {
                let key = PublicKey::from_der(&self.key);
                return key.is_some_and(|key| key.verifies_digest(&digest, &other.signature));
            }
        };
        rsa_key(&self.key).is_some_and(|key| key.verify(scheme, &digest, &other.signature).is_ok())
    }

    /// Tells whether the certificate was signed with its own key.
    pub fn is_self_signed(&self) -> bool {
        self.issuer == self.subject && self.signed(self)
    }
}

/// Reads an RSA key from its DER form (SubjectPublicKeyInfo).
fn rsa_key(der: &[u8]) -> Option<rsa::PublicKey> {
    let mut key = Reader::new(der).sequence()?;
    if key.sequence()?.value(OBJECT)? != RSA {
        return None;
    }
    let mut numbers = Reader::new(key.bytes()?).sequence()?;
    let (modulus, exponent) = (numbers.positive()?, numbers.positive()?);
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    let modulus = number(modulus);
    if !RSA_BITS.contains(&modulus.bit_width()) {
        return None;
    }
    rsa::PublicKey::new(modulus, number(exponent)).ok()
}

impl Extensions {
    fn parse(content: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(content);
        let mut list = outer.sequence()?;
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut extensions = Self::default();
        while !list.is_at_end() {
            let mut extension = list.sequence()?;
            let name = extension.value(OBJECT)?;
            let is_critical = match extension.optional(BOOLEAN) {
                None => false,
                Some([0xff]) => true,
                Some(_) => return None,
            };
            let value = extension.value(OCTET_STRING)?;
            if !extension.is_at_end() || seen.contains(&name) {
                return None;
            }
            seen.push(name);
            extensions.add(name, is_critical, value)?;
        }
        outer.is_at_end().then_some(extensions)
    }

    fn add(&mut self, name: &[u8], is_critical: bool, value: &[u8]) -> Option<()> {
        let mut reader = Reader::new(value);
        match name {
            BASIC_CONSTRAINTS => {
                let mut constraints = reader.sequence()?;
                self.is_authority = match constraints.optional(BOOLEAN) {
                    None => false,
                    Some([0xff]) => true,
                    Some(_) => return None,
                };
                if !constraints.is_at_end() {
                    self.path_length = Some(small(constraints.value(INTEGER)?)?);
                }
                constraints.is_at_end().then_some(())?;
            }
            KEY_USAGE => {
                let [_, first, ..] = reader.value(BIT_STRING)? else {
                    return None;
                };
                self.usage = Some(Usage { signs: first & 0x80 != 0, issues: first & 0x04 != 0 });
            }
            EXTENDED_KEY_USAGE => {
                let mut usages = reader.sequence()?;
                let mut signs = false;
                while !usages.is_at_end() {
                    signs |= matches!(usages.value(OBJECT)?, CODE_SIGNING | ANY_USAGE);
                }
                self.code_signing = Some(signs);
            }
            ALTERNATIVE_NAMES => {
                let mut names = reader.sequence()?;
                while !names.is_at_end() {
                    // Mail address, domain, URI; the other kinds name no signer.
                    if let (0x81 | 0x82 | 0x86, name) = names.any()? {
                        self.names.push(
                            str::from_utf8(name).ok().filter(|name| name.is_ascii())?.to_owned(),
                        );
                    }
                }
            }
            POLICIES => return Some(()),
            // Which names an authority may issue is not judged here: better no
            // trust than too much.
            _ => {
                self.is_conditional |= is_critical || name == NAME_CONSTRAINTS;
                return Some(());
            }
        }
        reader.is_at_end().then_some(())
    }
}

/// Reads a number of one byte, more than any path is long.
fn small(number: &[u8]) -> Option<u64> {
    match number {
        [number @ 0..=0x7f] => Some(u64::from(*number)),
        _ => None,
    }
}

/// Reads a time, in seconds since 1970.
fn time(reader: &mut Reader<'_>) -> Option<i64> {
    let (tag, text) = reader.any()?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            // Two digits are of the years 1950 to 2049.
            let year = digits(year)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (digits(year)?, rest)
        }
        _ => return None,
    };
    let rest = rest.strip_suffix(b"Z").filter(|rest| rest.len() == 10)?;
    let mut fields = rest.chunks(2).map(digits);
    let mut field =
        |least: i64, most: i64| fields.next()?.filter(|field| (least..=most).contains(field));
    let (month, day) = (field(1, 12)?, field(1, 31)?);
    let (hour, minute, second) = (field(0, 23)?, field(0, 59)?, field(0, 59)?);
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn digits(text: &[u8]) -> Option<i64> {
    let digit = |number: i64, digit: &u8| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    };
    text.iter().try_fold(0, digit)
}

/// Counts the days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
pub(crate) mod forge {
    //! Makes certificates for tests, in the little DER it takes.

    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;

    use super::*;

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

    fn public(key: u8) -> Vec<u8> {
        let point = secret(key).verifying_key().to_sec1_point(false);
        let curve = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let kind = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        let algorithm = sequence(&[&value(OBJECT, &kind), &value(OBJECT, &curve)]);
        sequence(&[&algorithm, &value(BIT_STRING, &[&[0], point.as_bytes()].concat())])
    }

    pub(crate) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        let length = match length {
            [0, low @ 0..=0x7f] => vec![low],
            [0, low] => vec![0x81, low],
            [high, low] => vec![0x82, high, low],
        };
        [&[tag], &length[..], content].concat()
    }

    pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        value(SEQUENCE, &parts.concat())
    }

    pub(crate) fn extension(name: &[u8], is_critical: bool, content: &[u8]) -> Vec<u8> {
        let critical = if is_critical { value(BOOLEAN, &[0xff]) } else { vec![] };
        sequence(&[&value(OBJECT, name), &critical, &value(OCTET_STRING, content)])
    }

    pub(crate) fn basic_constraints(is_authority: bool, path_length: Option<u8>) -> Vec<u8> {
        let authority = if is_authority { value(BOOLEAN, &[0xff]) } else { vec![] };
        let length = path_length.map(|length| value(INTEGER, &[length])).unwrap_or_default();
        extension(BASIC_CONSTRAINTS, true, &sequence(&[&authority, &length]))
    }

    pub(crate) fn usage(bits: u8) -> Vec<u8> {
        extension(KEY_USAGE, true, &value(BIT_STRING, &[0, bits]))
    }

    pub(crate) fn extended_usage(usages: &[&[u8]]) -> Vec<u8> {
        let usages: Vec<_> = usages.iter().map(|usage| value(OBJECT, usage)).collect();
        let usages: Vec<_> = usages.iter().map(Vec::as_slice).collect();
        extension(EXTENDED_KEY_USAGE, false, &sequence(&usages))
    }

    pub(crate) fn names(names: &[(u8, &str)]) -> Vec<u8> {
        let names: Vec<_> = names.iter().map(|(tag, name)| value(*tag, name.as_bytes())).collect();
        let names: Vec<_> = names.iter().map(Vec::as_slice).collect();
        extension(ALTERNATIVE_NAMES, false, &sequence(&names))
    }

    pub(crate) const CODE: &[u8] = CODE_SIGNING;
    pub(crate) const ANY: &[u8] = ANY_USAGE;
    pub(crate) const SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
    pub(crate) const CONSTRAINED: &[u8] = NAME_CONSTRAINTS;
    pub(crate) const UNKNOWN: &[u8] = &[0x55, 0x1d, 0x7f];
    pub(crate) const POLICY: &[u8] = POLICIES;
}

#[cfg(test)]
mod tests {
    use super::forge::{
        basic_constraints, extended_usage, extension, leaf, names, root, usage, value,
    };
    use super::*;

    #[test]
    fn what_a_certificate_says() {
        let certificate = root("Root", 1).make();
        assert_eq!((certificate.not_before, certificate.not_after), (1_577_836_800, 2_524_607_999));
        assert_eq!(certificate.extensions.usage, Some(Usage { signs: false, issues: true }));
        assert!(certificate.extensions.is_authority && certificate.is_self_signed());
        let certificate = leaf("Root", 1).make();
        assert!(!certificate.extensions.is_authority && !certificate.is_self_signed());
        let with = |extension: Vec<u8>| leaf("Root", 1).with(vec![extension]).make().extensions;
        assert_eq!(with(basic_constraints(true, Some(3))).path_length, Some(3));
        assert_eq!(with(basic_constraints(false, None)).path_length, None);
        assert_eq!(with(extended_usage(&[forge::SERVER, forge::CODE])).code_signing, Some(true));
        assert_eq!(with(extended_usage(&[forge::ANY])).code_signing, Some(true));
        assert_eq!(with(extended_usage(&[forge::SERVER])).code_signing, Some(false));
        let all = [
            (0x81, "a@b.test"),
            (0x82, "b.test"),
            (0x86, "https://b.test/a"),
            (0x87, "\x7f\0\0\x01"),
        ];
        assert_eq!(with(names(&all)).names, ["a@b.test", "b.test", "https://b.test/a"]);
        assert!(with(extension(forge::UNKNOWN, true, b"")).is_conditional);
        assert!(!with(extension(forge::UNKNOWN, false, b"")).is_conditional);
        assert!(!with(extension(forge::POLICY, true, b"")).is_conditional);
        assert!(with(extension(forge::CONSTRAINED, false, b"")).is_conditional);
    }

    #[test]
    fn odd_extensions_are_no_certificate() {
        let rows = [
            vec![usage(0x80), usage(0x80)],
            vec![extension(KEY_USAGE, true, &value(BIT_STRING, &[0]))],
            vec![extension(KEY_USAGE, true, b"")],
            vec![extension(KEY_USAGE, true, &[value(BIT_STRING, &[0, 0x80]), vec![0]].concat())],
            vec![extension(BASIC_CONSTRAINTS, true, &value(SEQUENCE, &[BOOLEAN, 1, 1]))],
            vec![extension(BASIC_CONSTRAINTS, true, &value(SEQUENCE, &[INTEGER, 1, 0xff]))],
            vec![extension(BASIC_CONSTRAINTS, true, &value(SEQUENCE, &[INTEGER, 2, 1, 0]))],
            vec![extension(BASIC_CONSTRAINTS, true, &value(SEQUENCE, &[INTEGER, 1, 0, 5, 0]))],
            vec![names(&[(0x81, "é@b.test")])],
            vec![value(SEQUENCE, &[OBJECT, 1, 1, BOOLEAN, 1, 1, OCTET_STRING, 0])],
            vec![value(OCTET_STRING, b"")],
        ];
        for extensions in rows {
            let der = leaf("Root", 1).with(extensions).der();
            assert_eq!(Certificate::parse(&der), None, "{der:02x?}");
        }
    }

    #[test]
    fn times() {
        let read = |text: &str| {
            let tag = if text.len() < 14 { UTC_TIME } else { GENERALIZED_TIME };
            time(&mut Reader::new(&value(tag, text.as_bytes())))
        };
        let rows = [
            ("700101000000Z", Some(0)),
            ("691231235959Z", Some(-1)),
            ("491231235959Z", Some(2_524_607_999)),
            ("500101000000Z", Some(-631_152_000)),
            ("20500101000000Z", Some(2_524_608_000)),
            ("20000229120000Z", Some(951_825_600)),
            ("99991231235959Z", Some(253_402_300_799)),
            ("200101000000", None),
            ("2001010000Z", None),
            ("200101000000+0100", None),
            ("201301000000Z", None),
            ("200001000000Z", None),
            ("200100000000Z", None),
            ("200132000000Z", None),
            ("200101240000Z", None),
            ("200101006000Z", None),
            ("2001010000 0Z", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(time(&mut Reader::new(&value(OCTET_STRING, b"200101000000Z"))), None);
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
