//! The shapes that Sigstore's bundles and its trusted roots have in common, as JSON has
//! them (`sigstore_common.proto`). It leaves to others: what is in them (`material`,
//! `trust_root`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// Certificates, the one that the others are there for first.
#[derive(Deserialize)]
pub struct ChainText {
    /// Each of them.
    pub certificates: Vec<CertificateText>,
}

/// A certificate, in Base64 of its DER form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateText {
    /// The bytes.
    pub raw_bytes: String,
}

/// The id of a log, in Base64: the digest of its key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogIdText {
    /// The bytes.
    pub key_id: String,
}

/// Reads bytes from a text in Base64 of up to `max` characters.
///
/// # Errors
/// Says what is wrong, as a clause about what has them.
pub fn base64(what: &str, text: &str, max: usize) -> Result<Vec<u8>, String> {
    if text.len() > max {
        return Err(format!("its {what} has more than {max} characters"));
    }
    STANDARD.decode(text).map_err(|error| format!("its {what} is not Base64: {error}"))
}
