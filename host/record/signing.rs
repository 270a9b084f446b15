//! The keys that what is on record is signed with: on P-256, in PEM; ECDSA with
//! SHA-256, in DER and Base64, as envelopes of DSSE carry it.
//!
//! Leaves what is signed to each one's own module, and which keys count to whoever
//! asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _};

use crate::domain::digest::Digest;

/// A public key.
#[derive(Clone, Debug)]
pub struct Key {
    key: VerifyingKey,
    id: String,
}

/// A private key. It shows nothing of itself.
pub struct Signer {
    key: SigningKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

/// Why a text is no key. None of it is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no public key that can be used.
    #[error("it is no public key on P-256 in PEM (`-----BEGIN PUBLIC KEY-----`)")]
    Public,
    /// It is no private key that can be used.
    #[error(
        "it is no private key on P-256 in PEM, PKCS#8 and not encrypted; make one with \
         `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
    )]
    Private,
}

impl Key {
    /// Reads the key in `pem`.
    ///
    /// # Errors
    /// Says that it is no public key on P-256.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyError::Public).and_then(Self::of)
    }

    fn of(key: VerifyingKey) -> Result<Self, KeyError> {
        let der = key.to_public_key_der().map_err(|_| KeyError::Public)?;
        Ok(Self { key, id: Digest::of(der.as_bytes()).to_string() })
    }

    /// Returns the key's fingerprint: the digest of its DER form.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Tells whether this key made `signature`, in DER and Base64, over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Ok(der) = STANDARD.decode(signature) else { return false };
        let Ok(signature) = DerSignature::try_from(der.as_slice()) else { return false };
        self.key.verify(message, &signature).is_ok()
    }
}

impl Signer {
    /// Reads the key in `pem`.
    ///
    /// # Errors
    /// Says that it is no private key on P-256.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Private)?;
        Ok(Self { key })
    }

    /// Returns the public half.
    ///
    /// # Errors
    /// Says that it can't be written down.
    pub fn public(&self) -> Result<Key, KeyError> {
        Key::of(*self.key.verifying_key())
    }

    /// Signs `message`; in DER and Base64, the same each time (RFC 6979).
    pub(super) fn sign(&self, message: &[u8]) -> String {
        let signature: DerSignature = self.key.sign(message);
        STANDARD.encode(signature.as_bytes())
    }
}
