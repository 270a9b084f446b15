//! Public keys: from a document of the operator's to "this key made this
//! signature".
//!
//! It leaves to others: which key to trust, and what was signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::elliptic_curve::point::AffineCoordinates as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::{der, pem};

/// The most keys in one document: room for the old and the new key of a few signers.
const MAX_KEYS: usize = 16;

/// What stands before the coordinates in the DER form of a key on each curve (RFC
/// 5480): the kind of key, and that the point is given by both of them.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
const P384: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
];
const P521: &[u8] = &[
    0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05,
    0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04,
];

/// A public key on one of the three curves that model signing uses.
#[derive(Clone, Debug)]
pub struct PublicKey {
    point: Point,
    der: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Point {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads a key from its DER form (SubjectPublicKeyInfo). None where it is
    /// of another kind, or no point of its curve.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let point = if let Some((x, y)) = coordinates::<32>(der, P256) {
            let point = p256::AffinePoint::from_coordinates(&x.into(), &y.into());
            Point::P256(p256::ecdsa::VerifyingKey::from_affine(point.into_option()?).ok()?)
        } else if let Some((x, y)) = coordinates::<48>(der, P384) {
            let point = p384::AffinePoint::from_coordinates(&x.into(), &y.into());
            Point::P384(p384::ecdsa::VerifyingKey::from_affine(point.into_option()?).ok()?)
        } else {
            let (x, y) = coordinates::<66>(der, P521)?;
            let point = p521::AffinePoint::from_coordinates(&x.into(), &y.into());
            Point::P521(p521::ecdsa::VerifyingKey::from_affine(point.into_option()?).ok()?)
        };
        Some(Self { point, der: der.to_owned() })
    }

    /// Tells whether this key made `signature` (ECDSA, in DER) over `message`,
    /// digested with the algorithm that goes with the curve.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.point {
            Point::P256(_) => self.verifies_digest(&Sha256::digest(message), signature),
            Point::P384(_) => self.verifies_digest(&Sha384::digest(message), signature),
            Point::P521(_) => self.verifies_digest(&Sha512::digest(message), signature),
        }
    }

    /// Tells whether this key made `signature` (ECDSA, in DER) over what has this digest.
    pub fn verifies_digest(&self, digest: &[u8], signature: &[u8]) -> bool {
        self.check(digest, signature).is_some()
    }

    fn check(&self, digest: &[u8], signature: &[u8]) -> Option<()> {
        let (r, s) = der::signature(signature)?;
        match &self.point {
            Point::P256(key) => {
                let signature =
                    p256::ecdsa::Signature::from_scalars(padded::<32>(r)?, padded::<32>(s)?)
                        .ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
            Point::P384(key) => {
                let signature =
                    p384::ecdsa::Signature::from_scalars(padded::<48>(r)?, padded::<48>(s)?)
                        .ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
            Point::P521(key) => {
                let signature =
                    p521::ecdsa::Signature::from_scalars(padded::<66>(r)?, padded::<66>(s)?)
                        .ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
        }
    }

    /// Returns the key's fingerprint, `sha256:` and the digest of its DER form.
    pub fn fingerprint(&self) -> String {
        format!("sha256:{}", hex(&Sha256::digest(&self.der)))
    }

    /// Tells whether a bundle's hint names this key: the digest of the PEM text
    /// as the specification has it, or of the DER form as other signers do.
    pub fn is_hinted_by(&self, hint: &str) -> bool {
        let pem = Sha256::digest(pem::write("PUBLIC KEY", &self.der));
        let der = Sha256::digest(&self.der);
        hint.eq_ignore_ascii_case(&hex(&pem))
            || hint.eq_ignore_ascii_case(&hex(&der))
            || hint == STANDARD.encode(der)
    }

    /// Tells whether `bytes`, which an older bundle carries in place of a hint,
    /// are this key, in PEM or DER.
    pub fn is_raw(&self, bytes: &[u8]) -> bool {
        let is_this = |block: &pem::Block| block.content == self.der;
        bytes == self.der
            || pem::parse(bytes)
                .is_ok_and(|blocks| matches!(&blocks[..], [block] if is_this(block)))
    }
}

/// Takes the coordinates off the end of a key in DER that starts with `prefix`. The
/// form of half the length, of one coordinate, is not taken: nobody writes it.
fn coordinates<const LENGTH: usize>(
    der: &[u8],
    prefix: &[u8],
) -> Option<([u8; LENGTH], [u8; LENGTH])> {
    let (x, y) = der.strip_prefix(prefix)?.split_at_checked(LENGTH)?;
    Some((x.try_into().ok()?, y.try_into().ok()?))
}

/// Pads a number with zeros to the length that its curve has.
fn padded<const LENGTH: usize>(number: &[u8]) -> Option<[u8; LENGTH]> {
    let mut padded = [0; LENGTH];
    let start = LENGTH.checked_sub(number.len())?;
    padded.get_mut(start..)?.copy_from_slice(number);
    Some(padded)
}

/// Reads the keys of a document: one or more blocks `PUBLIC KEY`.
///
/// # Errors
/// Says what is wrong, as the end of a sentence that names the document.
pub fn parse_document(document: &[u8]) -> Result<Vec<PublicKey>, String> {
    let blocks = pem::parse(document)?;
    if blocks.is_empty() {
        return Err("holds no key in PEM form (`-----BEGIN PUBLIC KEY-----`)".into());
    }
    if blocks.len() > MAX_KEYS {
        return Err(format!("holds more than {MAX_KEYS} keys"));
    }
    let key = |block: &pem::Block| {
        match block.label.as_str() {
        "PUBLIC KEY" => PublicKey::from_der(&block.content)
            .ok_or_else(|| "holds a key that is none of P-256, P-384 and P-521".to_owned()),
        label if label.contains("PRIVATE KEY") => {
            Err("holds a private key: hand over the public one, and keep this one out of the repository".into())
        }
        label => Err(format!("holds a {label}, and a public key is asked for")),
    }
    };
    blocks.iter().map(key).collect()
}

/// Writes bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;

    use super::*;

    /// The DER form of a key and of a signature, both made by `$curve`'s crate.
    macro_rules! signed {
        ($curve:ident, $prefix:expr, $length:expr, $digest:ident, $message:expr) => {{
            let mut secret = [0x11; $length];
            secret[0] = 0;
            let key =
                $curve::ecdsa::SigningKey::from_slice(&secret).expect("a scalar of the curve");
            let point = key.verifying_key().to_sec1_point(false);
            let signature: $curve::ecdsa::Signature = key
                .sign_prehash(&$digest::digest($message))
                .expect("a digest of the curve's length");
            let numbers: Vec<_> = signature.to_bytes().chunks($length).map(integer).collect();
            (sequence(&numbers.concat()), [$prefix, &point.as_bytes()[1..]].concat())
        }};
    }

    fn integer(number: &[u8]) -> Vec<u8> {
        let start = number.iter().position(|&byte| byte != 0).expect("not zero");
        let zero: &[u8] = if number[start] >= 0x80 { &[0] } else { &[] };
        let length = u8::try_from(number.len() - start + zero.len()).expect("short");
        [&[der::INTEGER, length], zero, &number[start..]].concat()
    }

    fn sequence(content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        let long: &[u8] = if length >= 0x80 { &[0x81] } else { &[] };
        [&[der::SEQUENCE], long, &[length], content].concat()
    }

    fn all(message: &[u8]) -> [(Vec<u8>, Vec<u8>); 3] {
        [
            signed!(p256, P256, 32, Sha256, message),
            signed!(p384, P384, 48, Sha384, message),
            signed!(p521, P521, 66, Sha512, message),
        ]
    }

    #[test]
    fn each_curve_verifies_what_it_signed_and_nothing_else() {
        for (signature, der) in all(b"message") {
            let key = PublicKey::from_der(&der).expect("a key");
            assert!(key.verifies(b"message", &signature));
            assert!(!key.verifies(b"messagf", &signature));
            assert!(!key.verifies(b"message", b""));
            for other in all(b"message") {
                assert_eq!(key.verifies(b"message", &other.0), other.0 == signature);
            }
            for at in 0..signature.len() {
                let mut flipped = signature.clone();
                flipped[at] ^= 1;
                assert!(!key.verifies(b"message", &flipped), "byte {at}");
                assert!(!key.verifies(b"message", &signature[..at]), "cut at {at}");
            }
        }
    }

    #[test]
    fn odd_keys_are_no_keys() {
        for (_, der) in all(b"") {
            for at in 0..der.len() {
                assert!(PublicKey::from_der(&der[..at]).is_none(), "cut at {at}");
                let mut flipped = der.clone();
                flipped[at] ^= 1;
                assert!(PublicKey::from_der(&flipped).is_none(), "byte {at}");
            }
            assert!(PublicKey::from_der(&[&der[..], &[0]].concat()).is_none());
        }
    }

    #[test]
    fn documents() {
        let keys: String = all(b"").iter().map(|(_, der)| pem::write("PUBLIC KEY", der)).collect();
        let read = parse_document(keys.as_bytes()).expect("three keys");
        assert_eq!(
            read.iter().map(|key| key.der.clone()).collect::<Vec<_>>(),
            all(b"").map(|(_, der)| der)
        );
        let rows = [
            ("", "holds no key"),
            ("ssh-ed25519 AAAA", "holds no key"),
            (&pem::write("PUBLIC KEY", b"x"), "none of P-256, P-384 and P-521"),
            (&pem::write("EC PRIVATE KEY", b"x"), "holds a private key"),
            (&pem::write("CERTIFICATE", b"x"), "holds a CERTIFICATE"),
            (&keys.repeat(6), "more than 16"),
        ];
        for (document, expected) in rows {
            let error = parse_document(document.as_bytes()).expect_err("not keys alone");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn hints() {
        let [(_, der), (_, other), _] = all(b"");
        let key = PublicKey::from_der(&der).expect("a key");
        let pem = pem::write("PUBLIC KEY", &der);
        let rows = [
            (hex(&Sha256::digest(&pem)), true),
            (hex(&Sha256::digest(&pem)).to_uppercase(), true),
            (hex(&Sha256::digest(&der)), true),
            (STANDARD.encode(Sha256::digest(&der)), true),
            (hex(&Sha256::digest(pem::write("PUBLIC KEY", &other))), false),
            (String::new(), false),
            ("release key".into(), false),
        ];
        for (hint, expected) in rows {
            assert_eq!(key.is_hinted_by(&hint), expected, "{hint}");
        }
        assert!(key.is_raw(&der) && key.is_raw(pem.as_bytes()));
        assert!(!key.is_raw(&other) && !key.is_raw(b"") && !key.is_raw(pem.repeat(2).as_bytes()));
    }
}
