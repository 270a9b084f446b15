//! What a certificate says about itself beyond names, dates and key: its extensions
//! (RFC 5280, section 4.2), among them those that Sigstore's authority puts in.
//!
//! It leaves to others: what that makes of it (`chain`, `keyless`).

use crate::der::{BIT_STRING, BOOLEAN, INTEGER, OBJECT, OCTET_STRING, Reader, UTF8};

// Object identifiers, in DER.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
const KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
/// Policies only matter to who asks for one.
const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
const ANY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];
/// The list of what certificate logs answered (RFC 6962, section 3.3).
pub const LOGGED: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
// Sigstore's own, below 1.3.6.1.4.1.57264.1.
const PROVIDER_RAW: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x01];
const USER_NAME: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x07];
const PROVIDER: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x08];
const REPOSITORY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x0c];

/// The most extensions in a certificate; those of Sigstore have up to 30.
const MAX_EXTENSIONS: usize = 100;

/// What a certificate says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Whether it may issue others.
    pub is_authority: bool,
    /// How many authorities may stand between it and the last certificate.
    pub path_length: Option<u64>,
    /// What its key may be used for.
    pub usage: Option<Usage>,
    /// What for in particular; none where it says nothing about that.
    pub extended: Option<Extended>,
    /// The names it is for: mail addresses, domains, URIs.
    pub names: Vec<String>,
    /// Who told the authority that the signer is of that name, in the older form.
    pub provider_raw: Option<String>,
    /// The same, in the newer one.
    pub provider: Option<String>,
    /// The repository that the workflow which signed was run for.
    pub repository: Option<String>,
    /// The answers of certificate logs.
    pub logged: Option<Vec<u8>>,
    /// An id of its key.
    pub key_id: Option<Vec<u8>>,
    /// Whether it has a condition that can't be judged here.
    pub is_conditional: bool,
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Signing.
    pub signs: bool,
    /// Issuing certificates.
    pub issues: bool,
}

/// What a key may be used for in particular.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extended {
    /// Signing code.
    pub code: bool,
    /// Signing timestamps.
    pub time: bool,
    /// Anything.
    pub any: bool,
    /// Whether the extension is marked as critical.
    pub is_critical: bool,
}

impl Extensions {
    /// Reads the list of extensions. None where it is none, or names one twice.
    pub fn parse(content: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(content);
        let mut list = outer.sequence()?;
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut extensions = Self::default();
        while !list.is_at_end() {
            let mut extension = list.sequence()?;
            let name = extension.value(OBJECT)?;
            let is_critical = match extension.optional(BOOLEAN) {
                None => false,
                Some([0xff]) => true,
                Some(_) => return None,
            };
            let value = extension.value(OCTET_STRING)?;
            if !extension.is_at_end() || seen.contains(&name) || seen.len() == MAX_EXTENSIONS {
                return None;
            }
            seen.push(name);
            extensions.add(name, is_critical, value)?;
        }
        outer.is_at_end().then_some(extensions)
    }

    fn add(&mut self, name: &[u8], is_critical: bool, value: &[u8]) -> Option<()> {
        let mut reader = Reader::new(value);
        match name {
            BASIC_CONSTRAINTS => {
                let mut constraints = reader.sequence()?;
                self.is_authority = match constraints.optional(BOOLEAN) {
                    None => false,
                    Some([0xff]) => true,
                    Some(_) => return None,
                };
                if !constraints.is_at_end() {
                    self.path_length = Some(small(constraints.value(INTEGER)?)?);
                }
                constraints.is_at_end().then_some(())?;
            }
            KEY_USAGE => {
                let [_, first, ..] = reader.value(BIT_STRING)? else {
                    return None;
                };
                self.usage = Some(Usage { signs: first & 0x80 != 0, issues: first & 0x04 != 0 });
            }
            EXTENDED_KEY_USAGE => {
                let mut usages = reader.sequence()?;
                let mut extended = Extended { is_critical, ..Extended::default() };
                while !usages.is_at_end() {
                    match usages.value(OBJECT)? {
                        CODE_SIGNING => extended.code = true,
                        TIME_STAMPING => extended.time = true,
                        ANY_USAGE => extended.any = true,
                        _ => {}
                    }
                }
                self.extended = Some(extended);
            }
            ALTERNATIVE_NAMES => {
                let mut names = reader.sequence()?;
                while !names.is_at_end() {
                    let (kind, name) = names.any()?;
                    self.names.extend(signer_name(kind, name)?);
                }
            }
            KEY_ID => self.key_id = Some(reader.value(OCTET_STRING)?.to_owned()),
            LOGGED => self.logged = Some(reader.value(OCTET_STRING)?.to_owned()),
            // This one is the bare text.
            PROVIDER_RAW => {
                self.provider_raw = Some(text(value)?);
                return Some(());
            }
            PROVIDER => self.provider = Some(text(reader.value(UTF8)?)?),
            REPOSITORY => self.repository = Some(text(reader.value(UTF8)?)?),
            POLICIES => return Some(()),
            // Which names an authority may issue is not judged here: better no
            // trust than too much.
            _ => {
                self.is_conditional |= is_critical || name == NAME_CONSTRAINTS;
                return Some(());
            }
        }
        reader.is_at_end().then_some(())
    }

    /// Tells whether the key may sign code; none where nothing is said about that.
    pub fn code_signing(&self) -> Option<bool> {
        self.extended.map(|extended| extended.code || extended.any)
    }
}

/// Reads a name: a mail address, domain or URI, or the name of a user at a provider.
/// The other kinds name no signer.
fn signer_name(kind: u8, name: &[u8]) -> Option<Option<String>> {
    let name = match kind {
        0x81 | 0x82 | 0x86 => name,
        0xa0 => {
            let mut other = Reader::new(name);
            if other.value(OBJECT)? != USER_NAME {
                return Some(None);
            }
            let mut inner = Reader::new(other.value(0xa0)?);
            let name = inner.value(UTF8)?;
            (inner.is_at_end() && other.is_at_end()).then_some(())?;
            return text(name).map(Some);
        }
        _ => return Some(None),
    };
    str::from_utf8(name).ok().filter(|name| name.is_ascii()).map(|name| Some(name.to_owned()))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_owned()).ok()
}

/// Reads a number of one byte, more than any path is long.
fn small(number: &[u8]) -> Option<u64> {
    match number {
        [number @ 0..=0x7f] => Some(u64::from(*number)),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod forge {
    //! Makes extensions for tests.

    use super::*;
    use crate::certificate::forge::{sequence, value};

    pub(crate) fn extension(name: &[u8], is_critical: bool, content: &[u8]) -> Vec<u8> {
        let critical = if is_critical { value(BOOLEAN, &[0xff]) } else { vec![] };
        sequence(&[&value(OBJECT, name), &critical, &value(OCTET_STRING, content)])
    }

    pub(crate) fn basic_constraints(is_authority: bool, path_length: Option<u8>) -> Vec<u8> {
        let authority = if is_authority { value(BOOLEAN, &[0xff]) } else { vec![] };
        let length = path_length.map(|length| value(INTEGER, &[length])).unwrap_or_default();
        extension(BASIC_CONSTRAINTS, true, &sequence(&[&authority, &length]))
    }

    pub(crate) fn usage(bits: u8) -> Vec<u8> {
        extension(KEY_USAGE, true, &value(BIT_STRING, &[0, bits]))
    }

    pub(crate) fn extended_usage(usages: &[&[u8]]) -> Vec<u8> {
        extension(EXTENDED_KEY_USAGE, false, &objects(usages))
    }

    pub(crate) fn critical_usage(usages: &[&[u8]]) -> Vec<u8> {
        extension(EXTENDED_KEY_USAGE, true, &objects(usages))
    }

    fn objects(usages: &[&[u8]]) -> Vec<u8> {
        let usages: Vec<_> = usages.iter().map(|usage| value(OBJECT, usage)).collect();
        sequence(&usages.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    pub(crate) fn names(names: &[(u8, &str)]) -> Vec<u8> {
        let names: Vec<_> = names.iter().map(|(tag, name)| value(*tag, name.as_bytes())).collect();
        let names: Vec<_> = names.iter().map(Vec::as_slice).collect();
        extension(ALTERNATIVE_NAMES, false, &sequence(&names))
    }

    pub(crate) fn provider(name: &str) -> Vec<u8> {
        extension(PROVIDER, false, &value(UTF8, name.as_bytes()))
    }

    pub(crate) fn provider_raw(name: &str) -> Vec<u8> {
        extension(PROVIDER_RAW, false, name.as_bytes())
    }

    pub(crate) fn repository(name: &str) -> Vec<u8> {
        extension(REPOSITORY, false, &value(UTF8, name.as_bytes()))
    }

    pub(crate) fn logged(list: &[u8]) -> Vec<u8> {
        extension(LOGGED, false, &value(OCTET_STRING, list))
    }

    pub(crate) const CODE: &[u8] = CODE_SIGNING;
    pub(crate) const TIME: &[u8] = TIME_STAMPING;
    pub(crate) const ANY: &[u8] = ANY_USAGE;
    pub(crate) const SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
    pub(crate) const CONSTRAINED: &[u8] = NAME_CONSTRAINTS;
    pub(crate) const UNKNOWN: &[u8] = &[0x55, 0x1d, 0x7f];
    pub(crate) const POLICY: &[u8] = POLICIES;
}

#[cfg(test)]
mod tests {
    use super::forge::{
        basic_constraints, critical_usage, extended_usage, extension, names, provider,
        provider_raw, usage,
    };
    use super::*;
    use crate::certificate::forge::{sequence, value};
    use crate::der::SEQUENCE;

    fn parse(extensions: &[Vec<u8>]) -> Option<Extensions> {
        let parts: Vec<_> = extensions.iter().map(Vec::as_slice).collect();
        Extensions::parse(&sequence(&parts))
    }

    #[test]
    fn what_they_say() {
        let with = |extension: Vec<u8>| parse(&[extension]).expect("extensions");
        assert_eq!(with(basic_constraints(true, Some(3))).path_length, Some(3));
        assert_eq!(with(basic_constraints(false, None)).path_length, None);
        assert_eq!(with(usage(0x84)).usage, Some(Usage { signs: true, issues: true }));
        assert_eq!(with(extended_usage(&[forge::SERVER, forge::CODE])).code_signing(), Some(true));
        assert_eq!(with(extended_usage(&[forge::ANY])).code_signing(), Some(true));
        assert_eq!(with(extended_usage(&[forge::SERVER])).code_signing(), Some(false));
        let stamps = with(critical_usage(&[forge::TIME])).extended.expect("a usage");
        assert!(stamps.time && stamps.is_critical && !stamps.code && !stamps.any);
        let all = [
            (0x81, "a@b.test"),
            (0x82, "b.test"),
            (0x86, "https://b.test/a"),
            (0x87, "\x7f\0\0\x01"),
        ];
        assert_eq!(with(names(&all)).names, ["a@b.test", "b.test", "https://b.test/a"]);
        let user = [&value(OBJECT, USER_NAME)[..], &value(0xa0, &value(UTF8, b"me"))].concat();
        let san = extension(ALTERNATIVE_NAMES, true, &sequence(&[&value(0xa0, &user)]));
        assert_eq!(with(san).names, ["me"]);
        assert_eq!(with(provider("https://p")).provider.as_deref(), Some("https://p"));
        assert_eq!(with(provider_raw("https://p")).provider_raw.as_deref(), Some("https://p"));
        assert!(with(extension(forge::UNKNOWN, true, b"")).is_conditional);
        assert!(!with(extension(forge::UNKNOWN, false, b"")).is_conditional);
        assert!(!with(extension(forge::POLICY, true, b"")).is_conditional);
        assert!(with(extension(forge::CONSTRAINED, false, b"")).is_conditional);
    }

    #[test]
    fn odd_ones_are_none() {
        let many = (0..=MAX_EXTENSIONS).map(|at| {
            let at = u8::try_from(at).expect("small");
            extension(&[0x55, 0x1e, at], false, b"")
        });
        let rows = [
            vec![usage(0x80), usage(0x80)],
            many.collect(),
            vec![extension(KEY_USAGE, true, &value(BIT_STRING, &[0]))],
            vec![extension(KEY_USAGE, true, b"")],
            vec![extension(KEY_USAGE, true, &[value(BIT_STRING, &[0, 0x80]), vec![0]].concat())],
            vec![extension(BASIC_CONSTRAINTS, true, &value(SEQUENCE, &[BOOLEAN, 1, 1]))],
            vec![extension(BASIC_CONSTRAINTS, true, &value(SEQUENCE, &[INTEGER, 1, 0xff]))],
            vec![extension(BASIC_CONSTRAINTS, true, &value(SEQUENCE, &[INTEGER, 2, 1, 0]))],
            vec![extension(BASIC_CONSTRAINTS, true, &value(SEQUENCE, &[INTEGER, 1, 0, 5, 0]))],
            vec![names(&[(0x81, "é@b.test")])],
            vec![extension(PROVIDER, false, b"https://p")],
            vec![extension(PROVIDER, false, &value(UTF8, &[0xff]))],
            vec![extension(PROVIDER_RAW, false, &[0xff])],
            vec![value(SEQUENCE, &[OBJECT, 1, 1, BOOLEAN, 1, 1, OCTET_STRING, 0])],
            vec![value(OCTET_STRING, b"")],
        ];
        for extensions in rows {
            assert_eq!(parse(&extensions), None, "{extensions:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(content: Vec<u8>) {
            Extensions::parse(&content);
        }
    }
}
