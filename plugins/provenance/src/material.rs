//! What a bundle brings along to verify its signature with: a hint at a key, or
//! certificates; entries of a log; timestamps.
//!
//! Nothing here is trusted yet. It leaves to others: what it proves (`verify`,
//! `keyless`).

use serde::{Deserialize, Deserializer, de};

use crate::entry::{Entry, Proof};
use crate::merkle::MAX_PROOF;
use crate::shapes::{CertificateText, ChainText, LogIdText, base64};

/// The most certificates in a chain; those in use have up to four.
const MAX_CERTIFICATES: usize = 10;

/// The most characters of one certificate, key or timestamp.
const MAX_CERTIFICATE: usize = 64 << 10;

/// The most characters of one entry of a log; the largest in use repeat an envelope.
const MAX_BODY: usize = 8 << 20;

/// The most timestamps, each of which takes time to verify.
const MAX_TIMESTAMPS: usize = 4;

/// What a bundle says about who signed.
#[derive(Debug, PartialEq, Eq)]
pub enum Material {
    /// A long-lived key.
    Key {
        /// A fingerprint to find the key by.
        hint: Option<String>,
        /// The key itself, in bundles of before 2025.
        raw: Option<Vec<u8>>,
    },
    /// A certificate and those above it, each in DER.
    Certificates(Vec<Vec<u8>>),
    /// A certificate of minutes, in DER, and what else an older bundle has above it.
    Keyless(Vec<u8>, Vec<Vec<u8>>),
}

/// What a bundle brings along to show when it was signed, and that it was in public.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Entries of a log; the ones that can't be read are told why.
    pub entries: Vec<Result<Entry, String>>,
    /// Timestamps.
    pub timestamps: Vec<Vec<u8>>,
}

/// The part of a bundle as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MaterialText {
    public_key: Option<KeyText>,
    x509_certificate_chain: Option<ChainText>,
    certificate: Option<CertificateText>,
    tlog_entries: Option<Vec<EntryText>>,
    timestamp_verification_data: Option<TimestampsText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyText {
    hint: Option<String>,
    raw_bytes: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryText {
    log_index: Option<Number>,
    log_id: Option<LogIdText>,
    kind_version: Option<KindText>,
    integrated_time: Option<Number>,
    inclusion_promise: Option<PromiseText>,
    inclusion_proof: Option<ProofText>,
    canonicalized_body: Option<String>,
}

#[derive(Deserialize)]
struct KindText {
    kind: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromiseText {
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofText {
    // A zero is left out by some writers.
    #[serde(default)]
    log_index: Number,
    root_hash: String,
    tree_size: Number,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: Option<CheckpointText>,
}

#[derive(Deserialize)]
struct CheckpointText {
    envelope: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimestampsText {
    rfc3161_timestamps: Option<Vec<TimestampText>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimestampText {
    signed_timestamp: String,
}

/// A whole number, in digits or as a text of digits, as Protobuf's JSON has it.
#[derive(Clone, Copy, Default)]
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a whole number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let is_plain = text.bytes().all(|byte| byte.is_ascii_digit())
                    && (text == "0" || !text.starts_with('0'));
                let number = text.parse().ok().filter(|_| is_plain);
                number.map(Number).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl MaterialText {
    /// Takes it apart; `is_old` for a bundle of a form that carries the certificate of a
    /// keyless signature as a chain. What tells it from a certificate of one's own is
    /// that somebody vouches for the time.
    ///
    /// # Errors
    /// Says what is wrong, as a clause about the signature file.
    pub fn take_apart(self, is_old: bool) -> Result<(Material, Evidence), String> {
        let timestamps = self.timestamp_verification_data.and_then(|data| data.rfc3161_timestamps);
        let timestamps = timestamps.unwrap_or_default();
        if timestamps.len() > MAX_TIMESTAMPS {
            return Err(format!("it has {} timestamps", timestamps.len()));
        }
        let timestamp =
            |text: TimestampText| base64("timestamp", &text.signed_timestamp, MAX_CERTIFICATE);
        let evidence = Evidence {
            entries: self.tlog_entries.unwrap_or_default().into_iter().map(entry).collect(),
            timestamps: timestamps.into_iter().map(timestamp).collect::<Result<_, _>>()?,
        };
        let material = match (self.public_key, self.x509_certificate_chain, self.certificate) {
            (Some(key), None, None) => {
                let raw = key.raw_bytes.filter(|raw| !raw.is_empty());
                let raw = raw.map(|raw| base64("key", &raw, MAX_CERTIFICATE)).transpose()?;
                Material::Key { hint: key.hint.filter(|hint| !hint.is_empty()), raw }
            }
            (None, Some(chain), None) => {
                let count = chain.certificates.len();
                if count > MAX_CERTIFICATES {
                    return Err(format!("its chain has {count} certificates"));
                }
                let certificates = chain.certificates.iter().map(certificate);
                let mut chain: Vec<_> = certificates.collect::<Result<_, _>>()?;
                let is_witnessed = !(evidence.entries.is_empty() && evidence.timestamps.is_empty());
                match is_old && is_witnessed {
                    _ if chain.is_empty() => return Err("its chain has 0 certificates".into()),
                    true => Material::Keyless(chain.remove(0), chain),
                    false => Material::Certificates(chain),
                }
            }
            (None, None, Some(text)) => Material::Keyless(certificate(&text)?, vec![]),
            (None, None, None) => return Err("it names neither a key nor a certificate".into()),
            _ => return Err("it names more than one of a key, a chain and a certificate".into()),
        };
        Ok((material, evidence))
    }
}

fn certificate(text: &CertificateText) -> Result<Vec<u8>, String> {
    base64("certificate", &text.raw_bytes, MAX_CERTIFICATE)
}

fn entry(text: EntryText) -> Result<Entry, String> {
    fn needed<T>(what: &str, part: Option<T>) -> Result<T, String> {
        part.ok_or_else(|| format!("it has no {what}"))
    }
    let proof = needed("proof that it is in the log", text.inclusion_proof)?;
    if proof.hashes.len() > MAX_PROOF {
        return Err(format!("its proof has {} steps", proof.hashes.len()));
    }
    let node = |text: &String| {
        let bytes = base64("proof", text, MAX_CERTIFICATE)?;
        <[u8; 32]>::try_from(bytes).map_err(|_| "its proof has a digest of another length".into())
    };
    let proof = Proof {
        index: proof.log_index.0,
        size: proof.tree_size.0,
        root: node(&proof.root_hash)?,
        path: proof.hashes.iter().map(node).collect::<Result<_, String>>()?,
        checkpoint: needed("checkpoint of the log", proof.checkpoint)?.envelope,
    };
    let promise = match (text.inclusion_promise, text.integrated_time) {
        (Some(promise), Some(time)) => {
            let time = i64::try_from(time.0).map_err(|_| "it has no possible time")?;
            Some((time, base64("promise", &promise.signed_entry_timestamp, MAX_CERTIFICATE)?))
        }
        (Some(_), None) => return Err("it has no time, and a promise about it".into()),
        // A time that nobody signed says nothing.
        (None, _) => None,
    };
    let kind = needed("kind", text.kind_version)?;
    Ok(Entry {
        log: base64("log", &needed("log", text.log_id)?.key_id, MAX_CERTIFICATE)?,
        kind: (kind.kind, kind.version),
        index: text.log_index.unwrap_or_default().0,
        promise,
        proof,
        body: base64("body", &needed("body", text.canonicalized_body)?, MAX_BODY)?,
    })
}
