//! What a plugin, or the gate itself, observed: [`Finding`], [`Fact`], where:
//! [`Location`], and what it is known by from run to run: [`Fingerprint`].
//!
//! Leaves what follows from them to `policy`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::digest::Digest;
use super::model::{FilePath, ModelName};
use super::plugin::{PluginId, is_kebab};
use super::text::GuestText;

/// How bad it is if a finding is true, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never changes a verdict.
    Info,
    /// A weakness, or something missing that a stricter policy would ask for.
    Low,
    /// Likely to matter; a person should look.
    Medium,
    /// Unsafe, forbidden, or can't be shown safe.
    High,
    /// Does harm.
    Critical,
}

impl Severity {
    /// All severities, least first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the severity's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|severity| severity.name() == text).ok_or_else(|| {
            format!("there is no severity `{text}`; there are info, low, medium, high, critical")
        })
    }
}

/// How sure a check is that a finding is true, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess.
    Low,
    /// Probable.
    Medium,
    /// Seen.
    High,
}

impl Confidence {
    /// Returns the confidence's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A rule, `<plugin>/<kebab-name>`. The gate's own rules bear the plugin id
/// `gate`, which no plugin can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    plugin: PluginId,
    name: String,
}

impl RuleId {
    /// Makes the id of rule `name` of `plugin`; none where `name` is not kebab
    /// case of at most 64 bytes.
    pub fn new(plugin: PluginId, name: &str) -> Option<Self> {
        is_kebab(name).then(|| Self { plugin, name: name.to_owned() })
    }

    /// Makes the id of one of the gate's own rules.
    pub fn gate(name: &'static str) -> Self {
        debug_assert!(is_kebab(name));
        Self { plugin: PluginId::gate(), name: name.to_owned() }
    }

    /// Returns whose rule it is.
    pub const fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// Returns the name without the plugin's id.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.plugin, self.name)
    }
}

/// Where in a model something is. All absent: the model as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file, in the model or in its lock entry.
    pub file: Option<FilePath>,
    /// What within the file: an archive member, a tensor, a key.
    pub member: Option<GuestText>,
    /// A byte offset from the start of the member, else of the file.
    pub offset: Option<u64>,
    /// A line of a text file, from 1.
    pub line: Option<u32>,
}

impl Location {
    /// Returns the location of a whole file.
    pub fn file(path: FilePath) -> Self {
        Self { file: Some(path), ..Self::default() }
    }
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule it is a case of.
    pub rule: RuleId,
    /// How bad it is.
    pub severity: Severity,
    /// How sure the check is.
    pub confidence: Confidence,
    /// What was seen.
    pub message: GuestText,
    /// Where it was seen.
    pub location: Location,
    /// What to do about it.
    pub help: Option<GuestText>,
}

/// One thing a plugin established.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// A kebab-case name, unique in an answer.
    pub key: String,
    /// Its value.
    pub value: GuestText,
}

/// What a finding is known by from run to run, written as 32 hex digits.
///
/// It is over what is found and in what: the rule, the name of the model, the
/// path of the file, the member, and which of several such findings it is. So it
/// stays where a message is reworded, a severity changes or bytes move, and it is
/// another one where the rule, the model's name, the path or the member is. It
/// says nothing of the bytes: what must hold for them alone names their digest
/// beside it. It has 128 bits, so that nobody makes a finding that bears the
/// fingerprint of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Returns the fingerprint of what `parts` name, in this order: the same for
    /// the same parts alone.
    pub fn of(parts: &[&str]) -> Self {
        let mut bytes = b"modelhost-fingerprint/v1".to_vec();
        for part in parts {
            // No part can hold it: texts and paths have it written out.
            bytes.push(0);
            bytes.extend_from_slice(part.as_bytes());
        }
        let digest = Digest::of(&bytes);
        let mut short = [0; 16];
        short.copy_from_slice(&digest.as_bytes()[..16]);
        Self(short)
    }
}

/// Why a text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 32 lower-case hex digits, as a report names it")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_hex) {
            return Err(FingerprintError);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| FingerprintError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Gives each finding of one task, or of the gate on one model, its
/// [`Fingerprint`]: those that differ in nothing it is over are counted, in the
/// order they come. Findings of two tasks differ by their plugin or file.
#[derive(Debug)]
pub struct Fingerprints<'a> {
    model: &'a ModelName,
    file: Option<&'a FilePath>,
    known: HashMap<Fingerprint, usize>,
}

impl<'a> Fingerprints<'a> {
    /// Starts with the first finding on `model`, by a task on `file` if it is one
    /// on a file.
    pub fn new(model: &'a ModelName, file: Option<&'a FilePath>) -> Self {
        Self { model, file, known: HashMap::new() }
    }

    /// Returns the fingerprint of `finding`, the next one.
    pub fn next(&mut self, finding: &Finding) -> Fingerprint {
        self.next_about(finding, finding.location.member.as_ref().map_or("", GuestText::as_str))
    }

    /// Returns the fingerprint of `finding`, the next one, which is about
    /// `member` though its location does not say so.
    pub fn next_about(&mut self, finding: &Finding, member: &str) -> Fingerprint {
        let rule = finding.rule.to_string();
        let file = finding.location.file.as_ref().or(self.file).map_or("", FilePath::as_str);
        let parts = [&rule, self.model.as_str(), file, member];
        let count = self.known.entry(Fingerprint::of(&parts)).or_default();
        *count += 1;
        match *count {
            1 => Fingerprint::of(&parts),
            nth => {
                let [rule, model, file, member] = parts;
                Fingerprint::of(&[rule, model, file, member, &nth.to_string()])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &str) -> Finding {
        Finding {
            rule: RuleId::new(PluginId::new("pickle").expect("an id"), rule).expect("a rule"),
            severity: Severity::High,
            confidence: Confidence::High,
            message: GuestText::capped("it calls os.system"),
            location: Location {
                member: Some(GuestText::capped("data.pkl")),
                offset: Some(7),
                ..Location::file(FilePath::from_bytes(b"model.bin"))
            },
            help: None,
        }
    }

    fn of(model: &str, finding: &Finding) -> Fingerprint {
        Fingerprints::new(&ModelName::new(model), None).next(finding)
    }

    #[test]
    fn a_fingerprint_is_over_what_is_found_and_in_what() {
        type Change = fn(&mut Finding);
        let rows: [(&str, Change, bool); 9] = [
            ("nothing", |_| {}, true),
            ("message", |f| f.message = GuestText::capped("calls a shell"), true),
            ("severity", |f| f.severity = Severity::Low, true),
            ("confidence", |f| f.confidence = Confidence::Low, true),
            ("help", |f| f.help = Some(GuestText::capped("don't")), true),
            ("place", |f| (f.location.offset, f.location.line) = (Some(8), Some(3)), true),
            ("rule", |f| f.rule = finding("other").rule, false),
            ("file", |f| f.location.file = Some(FilePath::from_bytes(b"other.bin")), false),
            ("member", |f| f.location.member = None, false),
        ];
        let first = finding("unsafe-global");
        for (what, change, stays) in rows {
            let mut other = first.clone();
            change(&mut other);
            assert_eq!(of("bert", &first) == of("bert", &other), stays, "{what}");
        }
        assert_ne!(of("bert", &first), of("bert2", &first));
        // Text of one part is not taken for that of the next.
        let mut moved = first.clone();
        moved.location.file = Some(FilePath::from_bytes(b"model.bindata.pkl"));
        moved.location.member = None;
        assert_ne!(of("bert", &first), of("bert", &moved));
        // Held here, since waivers are written down.
        assert_eq!(of("bert", &first).to_string(), "4fb63f191f0b0d6c3d23c8d71d0d731e");
    }

    #[test]
    fn what_is_written_is_read() {
        let fingerprint = of("bert", &finding("odd"));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        let upper = fingerprint.to_string().to_uppercase() + "A";
        for text in
            ["", "0", &upper[..32], &"0".repeat(33), &"+".repeat(32), "é".repeat(16).as_str()]
        {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
    }

    #[test]
    fn twins_are_counted() {
        let model = ModelName::new("bert");
        let first = finding("unsafe-global");
        let three = || {
            let mut fingerprints = Fingerprints::new(&model, None);
            [(); 3].map(|()| fingerprints.next(&first))
        };
        let [a, b, c] = three();
        assert!(a != b && b != c && a != c);
        assert_eq!(three(), [a, b, c]);
        assert_eq!(a, of("bert", &first), "one more or less leaves the first ones");
    }

    #[test]
    fn tasks_on_files_do_not_share_fingerprints() {
        let model = ModelName::new("bert");
        let whole = Finding { location: Location::default(), ..finding("odd") };
        let of =
            |file: &[u8]| Fingerprints::new(&model, Some(&FilePath::from_bytes(file))).next(&whole);
        assert_ne!(of(b"a.bin"), of(b"b.bin"));
    }
}
