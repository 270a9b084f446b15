//! Values of a record that JSON knows as mere strings: texts, digests, moments.
//!
//! Reading takes no copy of a text that is written without an escape, because
//! logs are read whole and have many. Leaves what they mean to `record`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::digest;
use crate::domain::moment;
use crate::domain::text::GuestText;

/// A text, as it stands in the log: not inert until it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// Takes a text of modelhost's own, or one that is inert already.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text as it stands in the log.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text in a form that can be shown.
    pub fn shown(&self) -> GuestText {
        GuestText::capped(&self.0)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

impl JsonSchema for Text<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Makes a type that is written as a string of one form.
macro_rules! of_one_form {
    ($(#[$doc:meta])* $name:ident($inner:ty), $what:literal, $pattern:literal, $write:expr, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn($inner) -> String = $write;
                serializer.serialize_str(&write(self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct FormVisitor;

                impl Visitor<'_> for FormVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        let parse: fn(&str) -> Option<$inner> = $parse;
                        // The text itself is not told: it is from outside.
                        parse(text).map($name).ok_or_else(|| E::custom(concat!("it takes ", $what)))
                    }
                }

                deserializer.deserialize_str(FormVisitor)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

of_one_form!(
    /// A digest, `sha256:<hex>`.
    Digest(digest::Digest),
    "`sha256:` and 64 lower-case hex digits",
    "^sha256:[0-9a-f]{64}$",
    |digest| digest.to_string(),
    digest
);

/// What each byte says as a hex digit; [`NONE`] where it is none, or an upper-case one.
const NIBBLES: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
};

const NONE: u8 = 0xf0;

/// Reads a digest: by a table, and told as wrong once, because most of a log is
/// digests.
pub(super) fn digest(text: &str) -> Option<digest::Digest> {
    digest_of_hex(text.strip_prefix("sha256:")?.as_bytes())
}

/// Reads the hex digits of a digest.
pub(super) fn digest_of_hex(hex: &[u8]) -> Option<digest::Digest> {
    let hex: &[u8; 64] = hex.try_into().ok()?;
    let (mut bytes, mut wrong) = ([0; 32], 0);
    for (byte, pair) in bytes.iter_mut().zip(hex.as_chunks::<2>().0) {
        let (high, low) = (NIBBLES[pair[0] as usize], NIBBLES[pair[1] as usize]);
        wrong |= (high | low) & NONE;
        *byte = (high << 4) | low;
    }
    (wrong == 0).then(|| digest::Digest::from_bytes(bytes))
}

of_one_form!(
    /// A moment, in UTC: `2026-01-31T12:00:00Z`.
    Moment(u64),
    "a moment such as 2026-01-31T12:00:00Z",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
    |seconds| moment::rfc3339(seconds.min(LAST)),
    moment::parse
);

/// The last moment whose year has four digits: what is later is written as that, since
/// what is written must be read again.
const LAST: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_is_read_again() {
        for (seconds, read) in [(0, 0), (LAST, LAST), (LAST + 1, LAST), (u64::MAX, LAST)] {
            let text = serde_json::to_string(&Moment(seconds)).expect("a text");
            let again: Moment = serde_json::from_str(&text).expect("it is read");
            assert_eq!(again, Moment(read));
        }
    }

    #[test]
    fn digests_are_read_as_everywhere() {
        let good = digest::Digest::of(b"x").to_string();
        for at in 0..good.len() {
            for byte in [b'0', b'9', b'a', b'f', b'g', b'A', b'F', b'/', b':', b'`', b' ', 0] {
                let mut text = good.clone().into_bytes();
                text[at] = byte;
                let text = String::from_utf8(text).expect("ASCII");
                assert_eq!(digest(&text), text.parse().ok(), "{text}");
            }
        }
        for text in ["", "sha256:", &good[..70], &format!("{good}0")] {
            assert_eq!(digest(text), None, "{text}");
        }
    }
}
