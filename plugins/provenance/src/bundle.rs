//! A signature file: a Sigstore bundle around a DSSE envelope, taken apart.
//!
//! Nothing here is trusted yet. It leaves to others: who signed (`verify`) and
//! what was signed (`statement`).

use std::borrow::Cow;

use serde::Deserialize;

use crate::json;
use crate::material::{Evidence, Material, MaterialText};
use crate::shapes::base64;

/// The largest bundle that is read: it lists some 120,000 files, and reading it takes
/// some 300 units of fuel a byte; a check has 338 for each at this size, and more for
/// each of a smaller one.
pub const MAX_BUNDLE: u64 = 20 << 20;

/// The most characters of a signature. Those in use have up to 190.
const MAX_SIGNATURE: usize = 1 << 10;

/// The forms of bundle that carry a DSSE envelope the same way.
const MEDIA_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
];
/// Those that in addition carry the certificate of a keyless signature as a chain.
const OLD_MEDIA_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
];

/// A bundle, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What it says about who signed.
    pub material: Material,
    /// What it brings along to show when, in public.
    pub evidence: Evidence,
    /// What the payload is said to be; signed together with it.
    pub payload_type: String,
    /// The very bytes that were signed.
    pub payload: Vec<u8>,
    /// The signature over both.
    pub signature: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleText<'a> {
    media_type: String,
    verification_material: MaterialText,
    #[serde(borrow)]
    dsse_envelope: EnvelopeText<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvelopeText<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    payload_type: String,
    signatures: Vec<SignatureText>,
}

#[derive(Deserialize)]
struct SignatureText {
    sig: String,
}

/// Tells whether `content` looks like a bundle: JSON that says so near its start.
/// A file that looks like one and is none is malformed, any other is none of ours.
pub fn looks_like_one(start: &[u8]) -> bool {
    let name = b"application/vnd.dev.sigstore.bundle";
    start.trim_ascii_start().starts_with(b"{")
        && start.windows(name.len()).any(|window| window == name)
}

/// Takes a bundle apart.
///
/// # Errors
/// Says what is wrong, as a clause about the signature file.
pub fn parse(content: &[u8]) -> Result<Bundle, String> {
    let text: BundleText<'_> =
        json::parse(content).map_err(|error| format!("it is no bundle: {error}"))?;
    let is_old = OLD_MEDIA_TYPES.contains(&text.media_type.as_str());
    if !is_old && !MEDIA_TYPES.contains(&text.media_type.as_str()) {
        return Err(format!("it is a bundle of unknown form, `{}`", text.media_type));
    }
    let [signature] = &text.dsse_envelope.signatures[..] else {
        let count = text.dsse_envelope.signatures.len();
        return Err(format!("its envelope has {count} signatures, and not exactly one"));
    };
    let (material, evidence) = text.verification_material.take_apart(is_old)?;
    Ok(Bundle {
        material,
        evidence,
        payload: base64("payload", &text.dsse_envelope.payload, usize::MAX)?,
        signature: base64("signature", &signature.sig, MAX_SIGNATURE)?,
        payload_type: text.dsse_envelope.payload_type,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIA: &str = r#""mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json""#;
    const KEY: &str = r#""verificationMaterial":{"publicKey":{"hint":"ab"},"tlogEntries":[]}"#;
    const ENVELOPE: &str = r#""dsseEnvelope":{"payload":"e30=","payloadType":"t","signatures":[{"sig":"AQI=","keyid":""}]}"#;

    fn show(content: &str) -> String {
        match parse(content.as_bytes()) {
            Ok(bundle) => {
                format!("{:?} {:?} {:?}", bundle.material, bundle.payload, bundle.signature)
            }
            Err(error) => error,
        }
    }

    #[test]
    fn bundles() {
        let good = format!("{{{MEDIA},{KEY},{ENVELOPE}}}");
        let material =
            |text: &str| good.replace(KEY, &format!("\"verificationMaterial\":{{{text}}}"));
        let envelope = |from: &str, to: &str| good.replace(from, to);
        let hint = "Key { hint: Some(\"ab\"), raw: None } [123, 125] [1, 2]";
        let rows = [
            (good.clone(), hint),
            (envelope("\"keyid\":\"\"", "\"keyid\":null"), hint),
            (envelope(",\"keyid\":\"\"", ""), hint),
            (envelope("e30=", "e3\\u0030="), hint),
            (envelope(".v0.3+json", "+json;version=0.1"), hint),
            (
                material(r#""publicKey":{"rawBytes":"AQ=="}"#),
                "Key { hint: None, raw: Some([1]) } [123, 125] [1, 2]",
            ),
            (material(r#""publicKey":{}"#), "Key { hint: None, raw: None } [123, 125] [1, 2]"),
            (
                material(r#""x509CertificateChain":{"certificates":[{"rawBytes":"AQ=="}]}"#),
                "Certificates([[1]]) [123, 125] [1, 2]",
            ),
            (
                material(r#""certificate":{"rawBytes":"AQ=="}"#),
                "Keyless([1], []) [123, 125] [1, 2]",
            ),
            // Malformed.
            (String::new(), "it is no bundle: EOF while parsing a value at line 1 column 0"),
            (good[..100].into(), "EOF"),
            ("{}".into(), "missing field `mediaType`"),
            (format!("{{{MEDIA},{KEY}}}"), "missing field `dsseEnvelope`"),
            (format!("{{{MEDIA},{ENVELOPE}}}"), "missing field `verificationMaterial`"),
            (envelope("v0.3+json", "v9+json"), "unknown form"),
            (envelope("v0.3+json", "v0.3+json "), "unknown form"),
            (
                envelope("\"payload\":\"e30=\"", "\"payload\":\"e30=\",\"payload\":\"\""),
                "stands twice",
            ),
            (envelope("e30=", "e30"), "its payload is not Base64"),
            (envelope("e30=", "e3_="), "its payload is not Base64"),
            (envelope("e30=", "e30=\\n"), "its payload is not Base64"),
            (envelope("AQI=", "AQJ="), "its signature is not Base64"),
            (envelope("AQI=", &"A".repeat(1025)), "more than 1024 characters"),
            (envelope("[{\"sig\":\"AQI=\",\"keyid\":\"\"}]", "[]"), "0 signatures"),
            (envelope("[{", "[{\"sig\":\"\"},{"), "2 signatures"),
            (material(""), "neither a key nor a certificate"),
            (material(r#""publicKey":{},"certificate":{"rawBytes":""}"#), "more than one"),
            (material(r#""publicKey":"ab""#), "invalid type"),
            (material(r#""x509CertificateChain":{"certificates":[]}"#), "0 certificates"),
            (
                material(&format!(
                    r#""x509CertificateChain":{{"certificates":[{}]}}"#,
                    [r#"{"rawBytes":"AQ=="}"#; 11].join(",")
                )),
                "11 certificates",
            ),
            (good.replace(ENVELOPE, &format!("{ENVELOPE},\"x\":{}", "[".repeat(40))), "too deeply"),
        ];
        for (content, expected) in rows {
            let shown = show(&content);
            assert!(shown.contains(expected), "{content}: {shown}");
        }
    }

    #[test]
    fn looks() {
        let rows = [
            (format!(" {{ {MEDIA}"), true),
            (format!("{{\"verificationMaterial\": {{}}, {MEDIA}}}"), true),
            ("{}".into(), false),
            (format!("[{MEDIA}]"), false),
            ("-----BEGIN PGP SIGNATURE-----".into(), false),
            (String::new(), false),
        ];
        for (start, expected) in rows {
            assert_eq!(looks_like_one(start.as_bytes()), expected, "{start}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(content: Vec<u8>) {
            drop(parse(&content));
        }

        #[test]
        fn a_changed_byte_is_read(at in 0..250usize, byte: u8) {
            let mut content = format!("{{{MEDIA},{KEY},{ENVELOPE}}}").into_bytes();
            let at = at % content.len();
            content[at] = byte;
            drop(parse(&content));
        }
    }
}
