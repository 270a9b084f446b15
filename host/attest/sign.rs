//! Signing: an EC key on P-256 or P-384 out of PKCS#8 in PEM, and ECDSA with it,
//! deterministic (RFC 6979).
//!
//! Leaves where the key is kept to `cli`, and what is signed to `envelope`.

use std::fmt;

use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};

use super::key::PublicKey;

/// Of keys on elliptic curves (RFC 5480).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The algorithms that others' keys are for, to be named where one is handed over.
const OTHERS: [(&str, &str); 4] = [
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.10040.4.1", "DSA"),
];

/// How a key is made that fits.
const MAKE: &str = "make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`";

/// A private key. It is wiped from memory when it is dropped, and shows nothing of
/// itself.
pub struct SigningKey(Curve);

enum Curve {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// Why a text is no key to sign with. None of the text is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no PEM block in it.
    #[error("it is no private key in PEM, which starts with `-----BEGIN PRIVATE KEY-----`; {MAKE}")]
    NotPem,
    /// It is encrypted.
    #[error(
        "the key is encrypted, and nobody is asked for its passphrase; decrypt it with \
         `openssl pkcs8 -in KEY -out DECRYPTED`, and keep that where nobody else can read it"
    )]
    Encrypted,
    /// It is in the older form.
    #[error(
        "the key is in the form of SEC 1 (`EC PRIVATE KEY`); write it as PKCS#8 with \
         `openssl pkcs8 -topk8 -nocrypt -in KEY -out PKCS8`"
    )]
    Sec1,
    /// It is a public key, or a certificate.
    #[error("it is a public key or a certificate, and it takes the private key to sign")]
    Public,
    /// It is a key of another kind.
    #[error("it is a key for {0}, and attestations are signed with one on P-256 or P-384; {MAKE}")]
    Algorithm(&'static str),
    /// It is damaged.
    #[error("the key is damaged: it can't be read as PKCS#8")]
    Damaged,
}

impl SigningKey {
    /// Reads the key in `pem`, PKCS#8 and not encrypted.
    ///
    /// # Errors
    /// Says what it is instead, and the way to a key that fits.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let label = label(pem)?;
        match label {
            "PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
            "EC PRIVATE KEY" | "EC PARAMETERS" => return Err(KeyError::Sec1),
            "RSA PRIVATE KEY" => return Err(KeyError::Algorithm("RSA")),
            "OPENSSH PRIVATE KEY" => return Err(KeyError::Algorithm("SSH")),
            "PUBLIC KEY" | "CERTIFICATE" => return Err(KeyError::Public),
            _ => return Err(KeyError::NotPem),
        }
        let (_, der) = SecretDocument::from_pem(pem.trim()).map_err(|_| KeyError::Damaged)?;
        let info = PrivateKeyInfoRef::try_from(der.as_bytes()).map_err(|_| KeyError::Damaged)?;
        if info.algorithm.oid != EC {
            let oid = info.algorithm.oid.to_string();
            let name = OTHERS.iter().find(|(other, _)| *other == oid);
            return Err(KeyError::Algorithm(name.map_or("another algorithm", |(_, name)| name)));
        }
        let curve = info.algorithm.parameters_oid().map_err(|_| KeyError::Damaged)?;
        match curve.to_string().as_str() {
            "1.2.840.10045.3.1.7" => p256::ecdsa::SigningKey::try_from(info).map(Curve::P256),
            "1.3.132.0.34" => p384::ecdsa::SigningKey::try_from(info).map(Curve::P384),
            "1.3.132.0.35" => return Err(KeyError::Algorithm("P-521")),
            _ => return Err(KeyError::Algorithm("another curve")),
        }
        .map(Self)
        .map_err(|_| KeyError::Damaged)
    }

    /// Signs `message`: the same bytes each time, in DER.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Curve::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Curve::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        }
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Curve::P256(key) => PublicKey::P256(*key.verifying_key()),
            Curve::P384(key) => PublicKey::P384(*key.verifying_key()),
        }
    }
}

/// Returns what the first PEM block in `text` says that it is.
pub(super) fn label(text: &str) -> Result<&str, KeyError> {
    let begin = text.lines().find_map(|line| line.trim().strip_prefix("-----BEGIN "));
    begin.and_then(|rest| rest.strip_suffix("-----")).ok_or(KeyError::NotPem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::testing;

    #[test]
    fn keys_of_the_wrong_kind_are_told() {
        let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let good = testing::p256_pem();
        // The forms of RFC 8410 and RFC 8017 with keys of nobody's.
        let ed25519 = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n\
                       -----END PRIVATE KEY-----\n";
        let rows = [
            (String::new(), KeyError::NotPem),
            ("AAAA".to_owned(), KeyError::NotPem),
            (pem("DH PARAMETERS"), KeyError::NotPem),
            (pem("ENCRYPTED PRIVATE KEY"), KeyError::Encrypted),
            (pem("EC PRIVATE KEY"), KeyError::Sec1),
            (pem("EC PARAMETERS") + &pem("EC PRIVATE KEY"), KeyError::Sec1),
            (pem("RSA PRIVATE KEY"), KeyError::Algorithm("RSA")),
            (pem("OPENSSH PRIVATE KEY"), KeyError::Algorithm("SSH")),
            (pem("PUBLIC KEY"), KeyError::Public),
            (pem("CERTIFICATE"), KeyError::Public),
            (pem("PRIVATE KEY"), KeyError::Damaged),
            (ed25519.to_owned(), KeyError::Algorithm("Ed25519")),
            (good[..good.len() / 2].to_owned(), KeyError::Damaged),
            (good.replace("END", "EN"), KeyError::Damaged),
        ];
        for (pem, expected) in rows {
            let error = SigningKey::from_pem(&pem).expect_err("no key that fits");
            assert_eq!(error, expected, "{pem}");
            assert!(!error.to_string().contains("AAAA"), "nothing of the key is told");
        }
        let key = SigningKey::from_pem(&good.replace('\n', "\r\n")).expect("a key");
        assert_eq!(format!("{key:?}"), "SigningKey");
    }

    /// RFC 6979, A.2.5 and A.2.6, "sample" with the digest of the curve.
    #[test]
    fn signatures_are_those_of_the_standard() {
        fn hex<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
            std::array::from_fn(|at| {
                u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex")
            })
        }
        let scalar: [u8; 32] =
            hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let key = p256::ecdsa::SigningKey::from_slice(&scalar).expect("a key");
        let key = SigningKey(Curve::P256(key));
        let signature = p256::ecdsa::Signature::from_der(&key.sign(b"sample")).expect("DER");
        let expected: [u8; 64] = hex(concat!(
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        ));
        assert_eq!(signature.to_bytes()[..], expected);
        let scalar: [u8; 48] = hex(concat!(
            "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8",
            "96d5724e4c70a825f872c9ea60d2edf5"
        ));
        let key = p384::ecdsa::SigningKey::from_slice(&scalar).expect("a key");
        let key = SigningKey(Curve::P384(key));
        let signature = p384::ecdsa::Signature::from_der(&key.sign(b"sample")).expect("DER");
        let expected: [u8; 96] = hex(concat!(
            "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c",
            "81a648152e44acf96e36dd1e80fabe46",
            "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f",
            "a329c145786e679e7b82c71a38628ac8"
        ));
        assert_eq!(signature.to_bytes()[..], expected);
        assert!(key.public().verifies(b"sample", &key.sign(b"sample")));
        assert!(!key.public().verifies(b"simple", &key.sign(b"sample")));
    }
}
