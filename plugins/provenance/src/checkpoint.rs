//! Checkpoints: a log's signed word for how many entries it has, and for the root of
//! the tree over them (C2SP tlog-checkpoint, a signed note).
//!
//! It leaves to others: the log's key, and what is under the root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::any_key::AnyKey;
use crate::merkle::Node;

/// The largest checkpoint. Those in use have up to a few witnesses' signatures.
const MAX_CHECKPOINT: usize = 16 << 10;

/// The most signatures that are checked: each takes time, and a log signs once.
const MAX_TRIED: usize = 4;

/// A checkpoint, taken apart; not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint<'a> {
    /// How many entries the log has.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Node,
    origin: &'a str,
    text: &'a str,
    signatures: Vec<Signature<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature<'a> {
    name: &'a str,
    hint: [u8; 4],
    signature: Vec<u8>,
}

impl<'a> Checkpoint<'a> {
    /// Takes a checkpoint apart. None where it is none.
    pub fn parse(note: &'a str) -> Option<Self> {
        if note.len() > MAX_CHECKPOINT {
            return None;
        }
        // The text ends with its own line end; a blank line follows.
        let (text, signatures) = note.split_at_checked(note.find("\n\n")? + 1)?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        if origin.is_empty() || lines.any(str::is_empty) {
            return None;
        }
        let is_plain = size.bytes().all(|byte| byte.is_ascii_digit())
            && (size == "0" || !size.starts_with('0'));
        let size = size.parse().ok().filter(|_| is_plain)?;
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        let signatures = signatures.strip_prefix('\n')?.strip_suffix('\n')?;
        let signatures = signatures.split('\n').map(Signature::parse).collect::<Option<_>>()?;
        Some(Self { size, root, origin, text, signatures })
    }

    /// Tells whether the log of that id and key signed the checkpoint. Signatures of
    /// others, such as witnesses, say nothing either way.
    pub fn is_signed_by(&self, id: &[u8], key: &AnyKey) -> bool {
        let is_of_log = |signature: &&Signature<'_>| {
            let is_named = self.origin == signature.name
                || self
                    .origin
                    .strip_prefix(signature.name)
                    .is_some_and(|rest| rest.starts_with(" - "));
            is_named && id.starts_with(&signature.hint)
        };
        let mut tried = self.signatures.iter().filter(is_of_log).take(MAX_TRIED);
        tried.any(|signature| key.verifies_as_log(self.text.as_bytes(), &signature.signature))
    }
}

impl<'a> Signature<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (hint, signature) = bytes.split_first_chunk::<4>()?;
        let is_name = !name.is_empty() && !signature.is_empty();
        is_name.then(|| Self { name, hint: *hint, signature: signature.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::forge::{public, sign};

    const ROOT: &str = "MzrYunCVEU0VIJsUoCuJ3fSbk75n9zfS5rN3hsppXOA=";

    fn note(origin: &str, body: &str, name: &str, hint: [u8; 4], key: u8) -> String {
        let text = format!("{origin}\n{body}");
        let signature = [&hint[..], &sign(key, text.as_bytes())].concat();
        format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(signature))
    }

    #[test]
    fn checkpoints() {
        let key = AnyKey::from_der(&public(1)).expect("a key");
        let id = [7; 32];
        let body = format!("11\n{ROOT}\n");
        let good = || note("log.test", &body, "log.test", [7; 4], 1);
        let other = |line: &str| format!("{}{line}\n", good());
        let witness = format!("\u{2014} witness {}", STANDARD.encode([1; 70]));
        let rows = [
            (good(), Some(true)),
            (note("log.test - 4711", &body, "log.test", [7; 4], 1), Some(true)),
            (note("log.test", &format!("{body}Timestamp: 1\n"), "log.test", [7; 4], 1), Some(true)),
            (other(&witness), Some(true)),
            (good().replace("\n\n", &format!("\n\n{witness}\n")), Some(true)),
            // By another, or under another name.
            (note("log.test", &body, "log.test", [7; 4], 2), Some(false)),
            (note("log.test", &body, "log.test", [8; 4], 1), Some(false)),
            (note("log.test", &body, "other", [7; 4], 1), Some(false)),
            (note("log.test.org", &body, "log.test", [7; 4], 1), Some(false)),
            (good().replace("\n11\n", "\n12\n"), Some(false)),
            (good().replace("log.test\n", "log.tesT\n"), Some(false)),
            // None at all.
            (String::new(), None),
            (body.clone(), None),
            (format!("log.test\n{body}\n"), None),
            (good().replace("\n11\n", "\n"), None),
            (good().replace("\n11\n", "\n011\n"), None),
            (good().replace("\n11\n", "\n-11\n"), None),
            (good().replace("\n11\n", "\n18446744073709551616\n"), None),
            (good().replace(ROOT, "AAAA"), None),
            (good().replace(&format!("{ROOT}\n"), ""), None),
            (good().trim_end().to_owned(), None),
            (good().replace('\u{2014}', "-"), None),
            (good().replace("\n\n", "\n\n\n"), None),
            (other("\u{2014} short AAAA"), None),
            (other("\u{2014} AAAAAAAA"), None),
            (other(&"x".repeat(20_000)), None),
            (note("", &body, "log.test", [7; 4], 1), None),
        ];
        for (note, expected) in rows {
            let signed = Checkpoint::parse(&note).map(|point| point.is_signed_by(&id, &key));
            assert_eq!(signed, expected, "{note}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_note_is_read(note: String) {
            Checkpoint::parse(&note);
        }
    }
}
