//! Answers of certificate logs: their signed word that they will list a certificate, so
//! that its owner could notice one issued behind their back (RFC 6962).
//!
//! It leaves to others: which logs to trust (`trust_root`).

use sha2::{Digest as _, Sha256};

use crate::any_key::Scheme;
use crate::certificate::Certificate;
use crate::extensions::LOGGED;
use crate::trust_root::Log;

/// The most answers that are checked: each takes time.
const MAX_TRIED: usize = 4;

/// One answer. The bytes before the signature are version, log and time.
struct Answer<'a> {
    log: &'a [u8; 32],
    /// Milliseconds since 1970.
    time: [u8; 8],
    extensions: &'a [u8],
    scheme: Scheme,
    signature: &'a [u8],
}

/// Tells whether one of `logs` promised to list `certificate`, issued by `issuer`.
pub fn is_logged(certificate: &Certificate, issuer: &Certificate, logs: &[Log]) -> bool {
    let list = certificate.extensions.logged.as_deref();
    let answers = list.and_then(answers).unwrap_or_default();
    let Some(shown) = certificate.signed_without(LOGGED) else {
        return false;
    };
    let of_log = |answer: &Answer<'_>| {
        let log = logs.iter().find(|log| log.id == answer.log)?;
        let seconds = i64::try_from(u64::from_be_bytes(answer.time) / 1000).ok()?;
        log.period.contains(seconds).then(|| log.clone())
    };
    let mut tried = answers.iter().filter_map(|answer| Some((answer, of_log(answer)?)));
    tried.by_ref().take(MAX_TRIED).any(|(answer, log)| {
        answer
            .message(&shown, &issuer.key)
            .is_some_and(|message| log.key.verifies(answer.scheme, &message, answer.signature))
    })
}

/// Reads the list of answers. None where one of them, or the list, is malformed.
fn answers(list: &[u8]) -> Option<Vec<Answer<'_>>> {
    let (mut list, rest) = prefixed(list)?;
    let mut answers = Vec::new();
    while !list.is_empty() {
        let (answer, others) = prefixed(list)?;
        // Of other versions nothing is known.
        if let Some((0, answer)) = answer.split_first() {
            answers.extend(Answer::parse(answer)?);
        }
        list = others;
    }
    rest.is_empty().then_some(answers)
}

/// Splits off what the two bytes of length in front say.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

impl<'a> Answer<'a> {
    /// Reads what follows the version. None where it is malformed; none within where
    /// the signature is of an unknown kind.
    fn parse(bytes: &'a [u8]) -> Option<Option<Self>> {
        let (log, rest) = bytes.split_first_chunk::<32>()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (extensions, rest) = prefixed(rest)?;
        let (scheme, rest) = rest.split_first_chunk::<2>()?;
        let (signature, rest) = prefixed(rest)?;
        if !rest.is_empty() {
            return None;
        }
        let answer = |scheme| Self { log, time: *time, extensions, scheme, signature };
        Some(Scheme::from_tls(*scheme).map(answer))
    }

    /// Builds what the log signed: about a certificate before it was finished.
    fn message(&self, shown: &[u8], issuer_key: &[u8]) -> Option<Vec<u8>> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).ok();
        let [0, shown_length @ ..] = length(shown)?.to_be_bytes() else {
            return None;
        };
        let extensions_length = u16::try_from(self.extensions.len()).ok()?.to_be_bytes();
        // Version 1, a timestamp; then an entry of the second kind.
        let parts: [&[u8]; 8] = [
            &[0, 0],
            &self.time,
            &[0, 1],
            &Sha256::digest(issuer_key),
            &shown_length,
            shown,
            &extensions_length,
            self.extensions,
        ];
        Some(parts.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One answer in a list: version, log, time, extensions, scheme, signature.
    fn list(answers: &[Vec<u8>]) -> Vec<u8> {
        let inner: Vec<_> = answers.iter().flat_map(|answer| prefix(answer)).collect();
        prefix(&inner)
    }

    fn prefix(bytes: &[u8]) -> Vec<u8> {
        [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat()
    }

    fn answer(version: u8, scheme: [u8; 2], rest: &[u8]) -> Vec<u8> {
        [&[version][..], &[7; 32], &[0; 8], &prefix(b"x"), &scheme, &prefix(b"sig"), rest].concat()
    }

    #[test]
    fn lists() {
        let good = || answer(0, [4, 3], b"");
        let count = |list: &[u8]| answers(list).map(|answers| answers.len());
        assert_eq!(count(&list(&[])), Some(0));
        assert_eq!(count(&list(&[good()])), Some(1));
        assert_eq!(count(&list(&[good(), good()])), Some(2));
        // Of another version, or a broken or unknown scheme: there, and worth nothing.
        assert_eq!(count(&list(&[answer(1, [4, 3], b"")])), Some(0));
        assert_eq!(count(&list(&[answer(0, [2, 3], b"")])), Some(0));
        assert_eq!(count(&list(&[vec![]])), Some(0));
        // Malformed.
        assert_eq!(count(&list(&[answer(0, [4, 3], b"x")])), None);
        assert_eq!(count(&[list(&[good()]), vec![0]].concat()), None);
        let all = list(&[good()]);
        for at in 0..all.len() {
            assert_eq!(count(&all[..at]), None, "cut at {at}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            answers(&bytes);
        }
    }
}
