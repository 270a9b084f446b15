//! Public keys of those who vouch: certificate authorities, logs and timestamping
//! authorities, which use more kinds than those who sign models.
//!
//! It leaves to others: whether to trust one.

use rsa::BoxedUint;
use rsa::pkcs1v15::Pkcs1v15Sign;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::der::{OBJECT, Reader};
use crate::key::PublicKey;

// Object identifiers, in DER.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
const RSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d];
/// ECDSA with SHA-256.
pub const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

/// What stands before an Ed25519 key in DER (RFC 8410).
const ED25519_KEY: &[u8] =
    &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The sizes of RSA keys that are used, in bits: smaller ones are broken, larger
/// ones take too long.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// The digests that those who vouch use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestKind {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestKind {
    /// Computes the digest of `bytes`.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// Names the digest of an object identifier, in DER.
    pub fn from_object(object: &[u8]) -> Option<Self> {
        match object {
            SHA256 => Some(Self::Sha256),
            SHA384 => Some(Self::Sha384),
            SHA512 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Names the digest as entries of a log spell it, the old way or the new one.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha256" | "SHA2_256" => Some(Self::Sha256),
            "sha384" | "SHA2_384" => Some(Self::Sha384),
            "sha512" | "SHA2_512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// The kinds of key, and of the signatures they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Ecdsa,
    Rsa,
    Ed25519,
}

/// How a signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    family: Family,
    digest: DigestKind,
}

impl Scheme {
    /// Reads a scheme from an object identifier, in DER. None for one that is not
    /// used, or broken.
    pub fn from_object(object: &[u8]) -> Option<Self> {
        let (family, digest) = match object {
            ECDSA_SHA256 => (Family::Ecdsa, DigestKind::Sha256),
            ECDSA_SHA384 => (Family::Ecdsa, DigestKind::Sha384),
            ECDSA_SHA512 => (Family::Ecdsa, DigestKind::Sha512),
            RSA_SHA256 => (Family::Rsa, DigestKind::Sha256),
            RSA_SHA384 => (Family::Rsa, DigestKind::Sha384),
            RSA_SHA512 => (Family::Rsa, DigestKind::Sha512),
            ED25519 => (Family::Ed25519, DigestKind::Sha512),
            _ => return None,
        };
        Some(Self { family, digest })
    }

    /// Reads a scheme from the identifier of a signature in a message (CMS), where RSA
    /// may leave the digest to the identifier beside it.
    pub fn from_message(object: &[u8], digest: DigestKind) -> Option<Self> {
        if object == RSA {
            return Some(Self { family: Family::Rsa, digest });
        }
        Self::from_object(object)
            .filter(|scheme| scheme.digest == digest || scheme.family == Family::Ed25519)
    }

    /// Reads a scheme from the two bytes of TLS (RFC 5246, section 7.4.1.4.1), digest
    /// first.
    pub fn from_tls(bytes: [u8; 2]) -> Option<Self> {
        let digest = match bytes[0] {
            4 => DigestKind::Sha256,
            5 => DigestKind::Sha384,
            6 => DigestKind::Sha512,
            _ => return None,
        };
        let family = match bytes[1] {
            1 => Family::Rsa,
            3 => Family::Ecdsa,
            _ => return None,
        };
        Some(Self { family, digest })
    }
}

/// A public key of someone who vouches.
#[derive(Clone, Debug)]
pub enum AnyKey {
    /// P-256, P-384 or P-521.
    Elliptic(PublicKey),
    /// RSA.
    Rsa(rsa::PublicKey),
    /// Ed25519.
    Edwards(ed25519_dalek::VerifyingKey),
}

impl AnyKey {
    /// Reads a key from its DER form (SubjectPublicKeyInfo). None where it is of
    /// another kind, or too weak.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        if let Some(key) = PublicKey::from_der(der) {
            return Some(Self::Elliptic(key));
        }
        if let Some(key) = der.strip_prefix(ED25519_KEY) {
            let key = ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
            return (!key.is_weak()).then_some(Self::Edwards(key));
        }
        let mut outer = Reader::new(der);
        let mut key = outer.sequence()?;
        let mut kind = key.sequence()?;
        if kind.value(OBJECT)? != RSA {
            return None;
        }
        // The parameters are absent as a NULL.
        kind.any().filter(|value| *value == (0x05, &[][..]))?;
        let numbers = key.bytes()?;
        let is_whole = kind.is_at_end() && key.is_at_end() && outer.is_at_end();
        is_whole.then(|| Self::from_rsa_numbers(numbers)).flatten()
    }

    /// Reads an RSA key from its two numbers in DER (PKCS #1).
    pub fn from_rsa_numbers(der: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(der);
        let mut numbers = outer.sequence()?;
        let (modulus, exponent) = (numbers.positive()?, numbers.positive()?);
        if !numbers.is_at_end() || !outer.is_at_end() {
            return None;
        }
        let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
        let modulus = number(modulus);
        if !RSA_BITS.contains(&modulus.bit_width()) {
            return None;
        }
        rsa::PublicKey::new(modulus, number(exponent)).ok().map(Self::Rsa)
    }

    /// Tells whether this key made `signature` over `message` by that scheme.
    pub fn verifies(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match (self, scheme.family) {
            (Self::Elliptic(key), Family::Ecdsa) => {
                key.verifies_digest(&scheme.digest.of(message), signature)
            }
            (Self::Rsa(key), Family::Rsa) => {
                let padding = match scheme.digest {
                    DigestKind::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    DigestKind::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    DigestKind::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.verify(padding, &scheme.digest.of(message), signature).is_ok()
            }
            (Self::Edwards(key), Family::Ed25519) => {
                let signature = ed25519_dalek::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
            _ => false,
        }
    }

    /// Tells whether this key made `signature` over `message` as a log does: by the
    /// one scheme that goes with the key.
    pub fn verifies_as_log(&self, message: &[u8], signature: &[u8]) -> bool {
        let family = match self {
            Self::Elliptic(key) => return key.verifies(message, signature),
            Self::Rsa(_) => Family::Rsa,
            Self::Edwards(_) => Family::Ed25519,
        };
        self.verifies(Scheme { family, digest: DigestKind::Sha256 }, message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("digits"))
            .collect()
    }

    #[test]
    fn edwards() {
        // RFC 8032, section 7.1, test 2.
        let key = bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = bytes(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        let der = [ED25519_KEY, &key].concat();
        let key = AnyKey::from_der(&der).expect("a key");
        assert!(key.verifies_as_log(&[0x72], &signature));
        assert!(!key.verifies_as_log(&[0x73], &signature));
        assert!(!key.verifies_as_log(&[0x72], &signature[1..]));
        for at in 0..signature.len() {
            let mut flipped = signature.clone();
            flipped[at] ^= 1;
            assert!(!key.verifies_as_log(&[0x72], &flipped), "byte {at}");
        }
        let other = Scheme { family: Family::Ecdsa, digest: DigestKind::Sha256 };
        assert!(!key.verifies(other, &[0x72], &signature));
        for odd in [&der[..43], &[&der[..], &[0]].concat()[..], &[ED25519_KEY, &[0; 32]].concat()] {
            assert!(AnyKey::from_der(odd).is_none(), "{odd:02x?}");
        }
    }

    #[test]
    fn schemes() {
        assert_eq!(
            Scheme::from_object(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05]),
            None
        );
        assert_eq!(Scheme::from_message(ECDSA_SHA384, DigestKind::Sha256), None);
        assert!(Scheme::from_message(ECDSA_SHA384, DigestKind::Sha384).is_some());
        assert!(Scheme::from_message(RSA, DigestKind::Sha384).is_some());
        // SHA-1, anonymous, DSA.
        for odd in [[2, 3], [4, 0], [4, 2], [7, 3]] {
            assert_eq!(Scheme::from_tls(odd), None);
        }
        assert_eq!(DigestKind::from_name("sha1"), None);
    }

    #[test]
    fn small_numbers_are_no_rsa_key() {
        let short =
            [&[0x30, 0x0a, 0x02, 0x03, 0x01, 0x00, 0x01][..], &[0x02, 0x03, 0x01, 0x00, 0x01]]
                .concat();
        assert!(AnyKey::from_rsa_numbers(&short).is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(der: Vec<u8>) {
            AnyKey::from_der(&der);
            AnyKey::from_rsa_numbers(&der);
        }
    }
}
