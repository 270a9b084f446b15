//! A trusted root: the authorities, certificate logs, logs of signatures and
//! timestamping authorities of a Sigstore instance, with their times (Sigstore's
//! `trusted_root.json`).
//!
//! It leaves to others: how any of them is used. The operator pins the document, so
//! what is in it is believed; what is wrong with it is a mistake in the settings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::any_key::AnyKey;
use crate::certificate::Certificate;
use crate::chain::Authorities;
use crate::shapes::{CertificateText, ChainText, LogIdText};
use crate::{json, time};

/// What the media type of every trusted root starts with.
const TRUSTED_ROOT: &str = "application/vnd.dev.sigstore.trustedroot";
/// And of the wrapper with settings for signers around one.
const CLIENT_CONFIG: &str = "application/vnd.dev.sigstore.clienttrustconfig";

/// The most entries of one kind; public instances have up to four.
const MAX_ENTRIES: usize = 64;

/// The most certificates in one chain.
const MAX_CHAIN: usize = 8;

/// A time during which something is to be trusted, in seconds since 1970. Both ends
/// belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    start: i64,
    end: Option<i64>,
}

impl Period {
    /// Tells whether the period has that moment.
    pub fn contains(&self, moment: i64) -> bool {
        self.start <= moment && self.end.is_none_or(|end| moment <= end)
    }
}

/// A log, known by its key.
#[derive(Clone, Debug)]
pub struct Log {
    /// The id by which entries name it.
    pub id: Vec<u8>,
    /// Its key.
    pub key: AnyKey,
    /// When it signed.
    pub period: Period,
}

/// Someone who issues certificates, or timestamps.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The chain: its own certificate, and those above it, up to the root.
    pub chain: Vec<Certificate>,
    /// The same, to find a path.
    pub authorities: Authorities,
    /// When it was to be trusted.
    pub period: Period,
}

/// All that an instance vouches with.
#[derive(Clone, Debug, Default)]
pub struct TrustRoot {
    /// Who issues certificates.
    pub authorities: Vec<Authority>,
    /// The logs that list certificates.
    pub certificate_logs: Vec<Log>,
    /// The logs that list signatures.
    pub logs: Vec<Log>,
    /// Who issues timestamps.
    pub timestampers: Vec<Authority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrapperText {
    trusted_root: RootText,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadText {
    media_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RootText {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<LogText>,
    #[serde(default)]
    certificate_authorities: Vec<AuthorityText>,
    #[serde(default)]
    ctlogs: Vec<LogText>,
    #[serde(default)]
    timestamp_authorities: Vec<AuthorityText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogText {
    public_key: KeyText,
    log_id: LogIdText,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyText {
    raw_bytes: String,
    #[serde(default)]
    key_details: String,
    valid_for: PeriodText,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityText {
    cert_chain: ChainText,
    valid_for: PeriodText,
}

#[derive(Deserialize)]
struct PeriodText {
    start: String,
    end: Option<String>,
}

/// Reads a document that holds a trusted root.
///
/// # Errors
/// Says what is wrong, as the end of a sentence that names the document.
pub fn parse_document(document: &[u8]) -> Result<TrustRoot, String> {
    let no_root = |error| format!("is no trusted root: {error}");
    let head: HeadText = json::parse(document).map_err(no_root)?;
    let root: RootText = if head.media_type.starts_with(CLIENT_CONFIG) {
        json::parse::<WrapperText>(document).map_err(no_root)?.trusted_root
    } else {
        json::parse(document).map_err(no_root)?
    };
    if !root.media_type.starts_with(TRUSTED_ROOT) {
        return Err(format!("is no trusted root: it is of the form `{}`", root.media_type));
    }
    let root = TrustRoot {
        authorities: all(&root.certificate_authorities, authority)?,
        certificate_logs: all(&root.ctlogs, log)?.into_iter().flatten().collect(),
        logs: all(&root.tlogs, log)?.into_iter().flatten().collect(),
        timestampers: all(&root.timestamp_authorities, authority)?,
    };
    if root.authorities.is_empty() {
        return Err("is a trusted root without an authority that issues certificates".into());
    }
    Ok(root)
}

fn all<T, U>(texts: &[T], read: fn(&T) -> Result<U, String>) -> Result<Vec<U>, String> {
    if texts.len() > MAX_ENTRIES {
        return Err(format!("holds more than {MAX_ENTRIES} entries of one kind"));
    }
    texts.iter().map(read).collect()
}

/// Reads a log. None: its key is of a kind that can't be used, so that nothing it
/// signed will be believed.
fn log(text: &LogText) -> Result<Option<Log>, String> {
    let (id, key) = (bytes(&text.log_id.key_id)?, bytes(&text.public_key.raw_bytes)?);
    let period = period(&text.public_key.valid_for)?;
    if id.len() != 32 {
        return Err("holds a log whose id has not 32 bytes".into());
    }
    let key = match text.public_key.key_details.starts_with("PKCS1_RSA") {
        true => AnyKey::from_rsa_numbers(&key).or_else(|| AnyKey::from_der(&key)),
        false => AnyKey::from_der(&key),
    };
    Ok(key.map(|key| Log { id, key, period }))
}

fn authority(text: &AuthorityText) -> Result<Authority, String> {
    let period = period(&text.valid_for)?;
    if text.cert_chain.certificates.len() > MAX_CHAIN {
        return Err(format!("holds a chain of more than {MAX_CHAIN} certificates"));
    }
    let certificate = |text: &CertificateText| {
        Certificate::parse(&bytes(&text.raw_bytes)?)
            .ok_or_else(|| "holds a certificate that can't be read".to_owned())
    };
    let chain: Vec<_> =
        text.cert_chain.certificates.iter().map(certificate).collect::<Result<_, _>>()?;
    let Some((root, between)) = chain.split_last() else {
        return Err("holds a chain without a certificate".into());
    };
    let authorities = Authorities::new(vec![root.clone()], between.to_vec());
    Ok(Authority { authorities, chain, period })
}

fn period(text: &PeriodText) -> Result<Period, String> {
    let read = |text: &String| {
        time::from_text(text).ok_or_else(|| format!("holds `{text}`, which is no time"))
    };
    Ok(Period { start: read(&text.start)?, end: text.end.as_ref().map(read).transpose()? })
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|_| "holds something that is not Base64".into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::certificate::forge::{public, root};

    fn document() -> Value {
        let period = json!({ "start": "2022-01-01T00:00:00Z" });
        let log = json!([{
            "publicKey": { "rawBytes": STANDARD.encode(public(3)), "validFor": period },
            "logId": { "keyId": STANDARD.encode([7; 32]) },
        }]);
        let authority = json!([{
            "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(root("R", 1).der()) }] },
            "validFor": { "start": "2022-01-01T00:00:00Z", "end": "2023-12-31T23:59:59.999Z" },
        }]);
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": log, "ctlogs": log, "certificateAuthorities": authority,
            "timestampAuthorities": authority,
        })
    }

    #[test]
    fn documents() {
        let read = |document: &Value| parse_document(document.to_string().as_bytes());
        let good = read(&document()).expect("a trusted root");
        assert_eq!((good.logs.len(), good.certificate_logs.len()), (1, 1));
        assert_eq!((good.authorities.len(), good.timestampers.len()), (1, 1));
        let period = good.authorities[0].period;
        let moments = [1_640_995_199, 1_640_995_200, 1_704_067_199, 1_704_067_200];
        assert_eq!(moments.map(|moment| period.contains(moment)), [false, true, true, false]);
        assert!(good.logs[0].period.contains(i64::MAX));
        let wrapped = json!({
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": document(), "signingConfig": {},
        });
        assert!(read(&wrapped).is_ok());
        let edited = |pointer: &str, value: Value| {
            let mut document = document();
            *document.pointer_mut(pointer).expect("it is there") = value;
            read(&document).err().unwrap_or_default()
        };
        let long = |length| Value::Array(vec![document()["tlogs"][0].clone(); length]);
        let certificates = "/certificateAuthorities/0/certChain/certificates";
        let rows = [
            (edited("/mediaType", json!("x")), "it is of the form `x`"),
            (edited("/certificateAuthorities", json!([])), "without an authority"),
            (edited("/tlogs/0/publicKey/validFor", json!({})), "missing field `start`"),
            (
                edited("/tlogs/0/publicKey/validFor/start", json!("2022")),
                "`2022`, which is no time",
            ),
            (edited("/tlogs/0/publicKey/rawBytes", json!("?")), "not Base64"),
            (edited("/tlogs/0/logId/keyId", json!("AAAA")), "not 32 bytes"),
            (edited("/tlogs", long(65)), "more than 64 entries"),
            (edited(certificates, json!([])), "a chain without"),
            (edited(certificates, json!([{ "rawBytes": "AAAA" }])), "can't be read"),
            (
                edited(certificates, Value::Array(vec![json!({ "rawBytes": "AAAA" }); 9])),
                "more than 8",
            ),
            (parse_document(b"").err().unwrap_or_default(), "is no trusted root: EOF"),
            (parse_document(b"{\"a\":1,\"a\":1}").err().unwrap_or_default(), "stands twice"),
        ];
        for (error, expected) in rows {
            assert!(error.contains(expected), "{error}: {expected}");
        }
        // A key of a kind that can't be used is one that signs nothing.
        let mut unknown = document();
        unknown["tlogs"][0]["publicKey"]["rawBytes"] = json!("AAAA");
        assert!(read(&unknown).expect("a trusted root").logs.is_empty());
    }
}
