//! Public keys: from PEM to "this key made this signature".
//!
//! Leaves private ones to `sign`, and what was signed to `verify`.

use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _, LineEnding};

use super::sign::{self, KeyError};
use crate::domain::digest::Digest;

/// A public key on one of the curves that attestations are signed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// On P-256, with SHA-256.
    P256(p256::ecdsa::VerifyingKey),
    /// On P-384, with SHA-384.
    P384(p384::ecdsa::VerifyingKey),
}

/// Why a text is no key to verify with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// There is no PEM block of a public key in it.
    #[error("it is no public key in PEM, which starts with `-----BEGIN PUBLIC KEY-----`")]
    NotPem,
    /// It is a private key.
    #[error(
        "it is a private key, which only the signer should have; \
         `openssl pkey -in KEY -pubout` prints the public one"
    )]
    Private,
    /// It is on another curve, for another algorithm, or damaged.
    #[error("it is no key on P-256 or P-384, or is damaged")]
    Algorithm,
}

impl PublicKey {
    /// Reads the key in `pem`, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// Says what it is instead.
    pub fn from_pem(pem: &str) -> Result<Self, PublicKeyError> {
        match sign::label(pem).map_err(|_: KeyError| PublicKeyError::NotPem)? {
            "PUBLIC KEY" => {}
            label if label.ends_with("PRIVATE KEY") => return Err(PublicKeyError::Private),
            _ => return Err(PublicKeyError::NotPem),
        }
        let pem = pem.trim();
        let p256 = p256::ecdsa::VerifyingKey::from_public_key_pem(pem).map(Self::P256);
        p256.or_else(|_| p384::ecdsa::VerifyingKey::from_public_key_pem(pem).map(Self::P384))
            .map_err(|_| PublicKeyError::Algorithm)
    }

    /// Returns the key in PEM.
    pub fn to_pem(&self) -> String {
        match self {
            Self::P256(key) => key.to_public_key_pem(LineEnding::LF),
            Self::P384(key) => key.to_public_key_pem(LineEnding::LF),
        }
        .expect("a key of a known curve can be written")
    }

    /// Returns what a bundle names the key by, as OpenSSF Model Signing has it: the
    /// SHA-256 of its PEM text, in hex.
    pub fn hint(&self) -> String {
        Digest::of(self.to_pem().as_bytes()).hex()
    }

    /// Tells whether this key made `signature`, in DER, over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::testing;

    #[test]
    fn public_keys_of_the_wrong_kind_are_told() {
        let private = testing::p256_pem();
        let public = testing::key().public().to_pem();
        let rows = [
            (String::new(), PublicKeyError::NotPem),
            (private, PublicKeyError::Private),
            (public.replace("PUBLIC KEY", "CERTIFICATE"), PublicKeyError::NotPem),
            (public[..public.len() / 2].to_owned(), PublicKeyError::Algorithm),
            (public.replace("MF", "MG"), PublicKeyError::Algorithm),
        ];
        for (pem, expected) in rows {
            assert_eq!(PublicKey::from_pem(&pem), Err(expected), "{pem}");
        }
    }
}
