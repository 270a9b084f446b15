//! Entries of a log of signatures (Rekor, version 1 and 2): that one is in the log, and
//! that it is about the signature at hand.
//!
//! It leaves to others: which logs to trust (`trust_root`), and what its time means.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::any_key::DigestKind;
use crate::checkpoint::Checkpoint;
use crate::key::hex;
use crate::merkle::{self, Node};
use crate::trust_root::Log;
use crate::{json, pem};

/// An entry as a bundle brings it along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The id of the log.
    pub log: Vec<u8>,
    /// The kind of the entry and its version.
    pub kind: (String, String),
    /// Its place among all the entries of the log, over its parts.
    pub index: u64,
    /// When the log took it, in seconds since 1970, and the log's signature over that.
    /// Without the signature the time says nothing.
    pub promise: Option<(i64, Vec<u8>)>,
    /// That it is in the log.
    pub proof: Proof,
    /// The entry itself, as the log has it.
    pub body: Vec<u8>,
}

/// The way from an entry to a root that the log signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The place in the tree.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// Its root.
    pub root: Node,
    /// The digests along the way.
    pub path: Vec<Node>,
    /// The log's word for size and root.
    pub checkpoint: String,
}

/// What an entry has to be about.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// What was signed, as it went into the signature.
    pub message: &'a [u8],
    /// The payload within that.
    pub payload: &'a [u8],
    /// The type of the payload.
    pub payload_type: &'a str,
    /// The signature.
    pub signature: &'a [u8],
    /// The signer's certificate, in DER.
    pub certificate: &'a [u8],
}

impl Entry {
    /// Checks that the entry is in `log`.
    ///
    /// # Errors
    /// Says why not, as a clause about the entry.
    pub fn check_inclusion(&self, log: &Log) -> Result<(), &'static str> {
        let Proof { index, size, root, path, checkpoint } = &self.proof;
        let computed = merkle::root(merkle::leaf(&self.body), *index, *size, path);
        if computed != Some(*root) {
            return Err("the proof that it is in the log does not hold");
        }
        let checkpoint =
            Checkpoint::parse(checkpoint).ok_or("its checkpoint of the log can't be read")?;
        if checkpoint.root != *root || checkpoint.size != *size {
            return Err("its checkpoint is of another state of the log");
        }
        match checkpoint.is_signed_by(&log.id, &log.key) {
            true => Ok(()),
            false => Err("its checkpoint was not signed by the log"),
        }
    }

    /// Returns when the log took the entry, where the log signed that. None where it
    /// did not say.
    ///
    /// # Errors
    /// Says what is wrong, as a clause about the entry.
    pub fn time(&self, log: &Log) -> Result<Option<i64>, &'static str> {
        let Some((time, signature)) = &self.promise else {
            return Ok(None);
        };
        // The names in order and no spaces: the canonical form (RFC 8785). None of the
        // texts needs escaping.
        let signed = format!(
            r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{}}}"#,
            STANDARD.encode(&self.body),
            hex(&self.log),
            self.index
        );
        match log.key.verifies_as_log(signed.as_bytes(), signature) {
            true => Ok(Some(*time)),
            false => Err("its time was not signed by the log"),
        }
    }

    /// Checks that the entry is about the signature at hand.
    ///
    /// # Errors
    /// Says why not, as a clause about the entry.
    pub fn check_body(&self, signed: &Signed<'_>) -> Result<(), &'static str> {
        let body: Value = json::parse(&self.body).map_err(|_| "it can't be read")?;
        let (kind, version) = (self.kind.0.as_str(), self.kind.1.as_str());
        if text(&body, "/kind") != Some(kind) || text(&body, "/apiVersion") != Some(version) {
            return Err("it is of another kind than it says");
        }
        let is_about = match (kind, version) {
            ("dsse", "0.0.1") => dsse_1(&body, signed),
            ("dsse", "0.0.2") => dsse_2(&body, signed),
            ("intoto", "0.0.2") => intoto_2(&body, signed),
            ("hashedrekord", "0.0.1") => record_1(&body, signed),
            ("hashedrekord", "0.0.2") => record_2(&body, signed),
            _ => return Err("it is of a kind that is not known"),
        };
        match is_about {
            Some(true) => Ok(()),
            Some(false) => Err("it is about another signature"),
            None => Err("it has not the form of its kind"),
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

fn bytes(value: &Value, pointer: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text(value, pointer)?).ok()
}

/// Returns the one item of a list.
fn only<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    match value.pointer(pointer)?.as_array()?.as_slice() {
        [item] => Some(item),
        _ => None,
    }
}

/// Tells whether an algorithm and digits are the digest of `content`.
fn is_digest(value: &Value, pointer: &str, content: &[u8]) -> Option<bool> {
    let value = value.pointer(pointer)?;
    let kind = DigestKind::from_name(text(value, "/algorithm")?)?;
    Some(text(value, "/value")? == hex(&kind.of(content)))
}

/// The same in the newer form, in Base64.
fn is_digest_2(value: &Value, pointer: &str, content: &[u8]) -> Option<bool> {
    let value = value.pointer(pointer)?;
    let kind = DigestKind::from_name(text(value, "/algorithm")?)?;
    Some(bytes(value, "/digest")? == kind.of(content))
}

/// Tells whether a text in Base64 is the signer's certificate in PEM.
fn is_signer(value: &Value, pointer: &str, signed: &Signed<'_>) -> Option<bool> {
    let blocks = pem::parse(&bytes(value, pointer)?).ok()?;
    let [block] = blocks.as_slice() else {
        return None;
    };
    Some(block.label == "CERTIFICATE" && block.content == signed.certificate)
}

/// Tells whether signature and signer are those at hand, in the newer form.
fn is_signature_2(value: &Value, signed: &Signed<'_>) -> Option<bool> {
    let certificate = bytes(value, "/verifier/x509Certificate/rawBytes")?;
    Some(bytes(value, "/content")? == signed.signature && certificate == signed.certificate)
}

fn dsse_1(body: &Value, signed: &Signed<'_>) -> Option<bool> {
    let signature = only(body, "/spec/signatures")?;
    Some(
        is_digest(body, "/spec/payloadHash", signed.payload)?
            && bytes(signature, "/signature")? == signed.signature
            && is_signer(signature, "/verifier", signed)?,
    )
}

fn dsse_2(body: &Value, signed: &Signed<'_>) -> Option<bool> {
    let signature = only(body, "/spec/dsseV002/signatures")?;
    Some(
        is_digest_2(body, "/spec/dsseV002/payloadHash", signed.payload)?
            && is_signature_2(signature, signed)?,
    )
}

fn intoto_2(body: &Value, signed: &Signed<'_>) -> Option<bool> {
    let signature = only(body, "/spec/content/envelope/signatures")?;
    // The log wraps the signature, a text in Base64 as it is, a second time.
    let wrapped = bytes(signature, "/sig")?;
    Some(
        is_digest(body, "/spec/content/payloadHash", signed.payload)?
            && text(body, "/spec/content/envelope/payloadType")? == signed.payload_type
            && STANDARD.decode(wrapped).ok()? == signed.signature
            && is_signer(signature, "/publicKey", signed)?,
    )
}

fn record_1(body: &Value, signed: &Signed<'_>) -> Option<bool> {
    Some(
        is_digest(body, "/spec/data/hash", signed.message)?
            && bytes(body, "/spec/signature/content")? == signed.signature
            && is_signer(body, "/spec/signature/publicKey/content", signed)?,
    )
}

fn record_2(body: &Value, signed: &Signed<'_>) -> Option<bool> {
    let record = body.pointer("/spec/hashedRekordV002")?;
    Some(
        is_digest_2(record, "/data", signed.message)?
            && is_signature_2(record.pointer("/signature")?, signed)?,
    )
}
