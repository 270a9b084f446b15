//! `modelhost-baseline.json`: the findings that were accepted on a day, a line
//! each, sorted, so that what grows or shrinks is a readable diff.
//!
//! Leaves what they cover to `policy`, and which to write to `cli`.

use std::fmt::{self, Write as _};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

use super::disk::{is_absent, read_bounded, replace};
use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::digest::Digest;
use crate::domain::finding::{Fingerprint, RuleId};
use crate::domain::model::{FilePath, ModelName};
use crate::domain::plugin::PluginId;
use crate::domain::waiver::{Baseline, BaselineEntry};

/// The name of the baseline, beside `modelhost.toml`.
pub const NAME: &str = "modelhost-baseline.json";

/// What `schema` says in this version.
const SCHEMA: &str = "modelhost-baseline/v1";

/// The most bytes a baseline may have: some hundred thousand findings. It is read
/// whole, so without a bound whoever changes it could exhaust the memory.
pub const MAX_BASELINE: u64 = 64 << 20;

/// Why a baseline could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is there and can't be read.
    #[error("can't read {}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is, or would be, larger than [`MAX_BASELINE`].
    #[error("{} has more than {MAX_BASELINE} bytes", path.display())]
    TooLarge {
        /// Its path.
        path: PathBuf,
    },
    /// It has a mistake in it.
    #[error(transparent)]
    Mistake(Box<Diagnostic>),
    /// It could not be written; what was there before is still there.
    #[error("can't write {}", path.display())]
    NotWritten {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Reads the baseline at `path`, shown as `shown`, with its text; none where there
/// is no such file.
///
/// # Errors
/// Fails where it can't be read whole, is of another version, or has a mistake in
/// it: half a baseline is none.
pub fn read(path: &Path, shown: &str) -> Result<Option<(SourceFile, Baseline)>, BaselineError> {
    let bytes = match read_bounded(path, MAX_BASELINE) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(BaselineError::TooLarge { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_absent(path) => {
            return Ok(None);
        }
        Err(source) => return Err(BaselineError::Unreadable { path: path.to_owned(), source }),
    };
    let text = String::from_utf8_lossy(&bytes);
    let file = SourceFile { path: shown.into(), text: (*text).into() };
    if let Err(error) = str::from_utf8(&bytes) {
        let at = error.valid_up_to();
        let mistake = Diagnostic::new(&file, at..at, "the baseline is not UTF-8");
        return Err(BaselineError::Mistake(Box::new(mistake)));
    }
    let baseline = parse(&file).map_err(|mistake| BaselineError::Mistake(Box::new(mistake)))?;
    Ok(Some((file, baseline)))
}

/// Reads the text of a baseline.
///
/// # Errors
/// Returns the first mistake in it.
pub fn parse(file: &SourceFile) -> Result<Baseline, Diagnostic> {
    // A later version may mean anything, so nothing else is said.
    let version: Version = serde_json::from_str(&file.text).map_err(|error| json(file, &error))?;
    if version.schema != SCHEMA {
        let at = file.text.find(&version.schema).unwrap_or(0);
        let message = format!("this version of modelhost reads `{SCHEMA}`");
        return Err(Diagnostic::new(file, at..at + version.schema.len(), message).with_help(
            "use the modelhost that wrote it, or write it anew: `modelhost baseline write`",
        ));
    }
    let document: Document =
        serde_json::from_str(&file.text).map_err(|error| json(file, &error))?;
    let mut baseline = Baseline::default();
    for entry in document.findings {
        let fingerprint = entry.fingerprint.0;
        let accepted = BaselineEntry {
            rule: entry.rule.0,
            model: entry.model.0,
            file: entry.file.map(|file| file.0),
            digest: entry.digest.0,
        };
        if baseline.entries.insert(fingerprint, accepted).is_some() {
            let text = fingerprint.to_string();
            let (at, _) = file.text.match_indices(&text).nth(1).unwrap_or((0, ""));
            let mistake = Diagnostic::new(file, at..at + text.len(), "this finding is named twice");
            return Err(mistake.with_help("take out one of the two"));
        }
    }
    Ok(baseline)
}

/// Returns the text of `baseline`: the same bytes for the same findings.
pub fn render(baseline: &Baseline) -> String {
    let mut out = format!("{{\n  \"schema\": \"{SCHEMA}\",\n  \"findings\": [");
    // By what a person looks for, not by fingerprint.
    let mut entries: Vec<_> = baseline.entries.iter().collect();
    entries.sort_by(|(a, x), (b, y)| {
        (&x.model, &x.file, &x.rule, a).cmp(&(&y.model, &y.file, &y.rule, b))
    });
    let text = |text: &str| serde_json::Value::from(text).to_string();
    for (index, (fingerprint, entry)) in entries.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let file = entry.file.as_ref().map(|file| format!(", \"file\": {}", text(file.as_str())));
        let _ = write!(
            out,
            "{comma}\n    {{\"model\": {}{}, \"rule\": {}, \"digest\": \"{}\", \"fingerprint\": \"{fingerprint}\"}}",
            text(entry.model.as_str()),
            file.unwrap_or_default(),
            text(&entry.rule.to_string()),
            entry.digest,
        );
    }
    out.push_str(if baseline.entries.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
    out
}

/// Replaces the baseline at `path` by `baseline`. Returns whether there was
/// anything to change.
///
/// # Errors
/// Fails where it would be larger than [`MAX_BASELINE`] or can't be written; what
/// was there before is then still there.
pub fn write(path: &Path, baseline: &Baseline) -> Result<bool, BaselineError> {
    let text = render(baseline);
    if text.len() as u64 > MAX_BASELINE {
        return Err(BaselineError::TooLarge { path: path.to_owned() });
    }
    if matches!(read_bounded(path, MAX_BASELINE), Ok(Some(old)) if old == text.as_bytes()) {
        return Ok(false);
    }
    replace(path, text.as_bytes(), ".modelhost-baseline.")
        .map_err(|source| BaselineError::NotWritten { path: path.to_owned(), source })?;
    Ok(true)
}

fn json(file: &SourceFile, error: &serde_json::Error) -> Diagnostic {
    let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
    let span = file.line_span(line);
    let at = span.start.saturating_add(error.column().saturating_sub(1)).min(span.end);
    let at = file.text.floor_char_boundary(at);
    // Without the place, which is shown.
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    Diagnostic::new(file, at..at, message)
        .with_help("`modelhost baseline write` writes this file; a person only takes entries out")
}

#[derive(Deserialize)]
struct Version {
    schema: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "schema")]
    _schema: String,
    findings: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    model: Parsed<ModelName>,
    file: Option<Parsed<FilePath>>,
    rule: Parsed<RuleId>,
    digest: Parsed<Digest>,
    fingerprint: Parsed<Fingerprint>,
}

/// A text that is one of the domain's words.
struct Parsed<T>(T);

trait Word: Sized {
    fn word(text: &str) -> Result<Self, String>;
}

impl Word for ModelName {
    fn word(text: &str) -> Result<Self, String> {
        let name = Self::new(text);
        let is_name = !text.is_empty() && name.as_str() == text;
        if is_name { Ok(name) } else { Err("this is no name of a model".to_owned()) }
    }
}

impl Word for FilePath {
    fn word(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| "this is no path of a file in a model".to_owned())
    }
}

impl Word for RuleId {
    fn word(text: &str) -> Result<Self, String> {
        let rule = text.split_once('/').and_then(|(plugin, name)| {
            // Nor one of the gate's own: what it finds, no baseline covers.
            Self::new(PluginId::new(plugin).ok()?, name)
        });
        rule.ok_or_else(|| "this is no rule of a plugin, `PLUGIN/NAME`".to_owned())
    }
}

impl Word for Digest {
    fn word(text: &str) -> Result<Self, String> {
        Self::from_str(text).map_err(|error| error.to_string())
    }
}

impl Word for Fingerprint {
    fn word(text: &str) -> Result<Self, String> {
        Self::from_str(text).map_err(|error| error.to_string())
    }
}

impl<'de, T: Word> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordVisitor<T>(PhantomData<T>);

        impl<T: Word> Visitor<'_> for WordVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
                T::word(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(WordVisitor(PhantomData)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { path: NAME.into(), text: text.into() }
    }

    fn example() -> Baseline {
        let entry = |model: &str, path: Option<&str>, rule: &str| {
            let entry = BaselineEntry {
                rule: RuleId::word(rule).expect("a rule"),
                model: ModelName::new(model),
                file: path.map(|path| FilePath::from_bytes(path.as_bytes())),
                digest: Digest::of(model.as_bytes()),
            };
            (Fingerprint::of(&[model, path.unwrap_or_default(), rule]), entry)
        };
        let entries = [
            entry("b", None, "license/not-allowed"),
            entry("a \"quoted\"", Some("x\ny.pt"), "pickle/unsafe-global"),
            entry("b", Some("m.pt"), "pickle/unsafe-global"),
        ];
        Baseline { entries: entries.into_iter().collect() }
    }

    #[test]
    fn round_trips_a_line_a_finding() {
        for baseline in [Baseline::default(), example()] {
            let text = render(&baseline);
            assert_eq!(parse(&file(&text)), Ok(baseline.clone()), "{text}");
            assert_eq!(text.lines().count(), if baseline.entries.is_empty() { 4 } else { 8 });
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let good = render(&example());
        let digest = Digest::of(b"b").to_string();
        let twice = good.replacen(
            "  ]",
            &format!("  ,{}  ]", good.lines().nth(3).expect("an entry").trim_end_matches(',')),
            1,
        );
        let rows = [
            ("", 1, "EOF"),
            ("{}", 1, "missing field `schema`"),
            ("[]", 1, "invalid length"),
            (
                "{\"schema\": \"modelhost-baseline/v2\", \"more\": 1}",
                1,
                "reads `modelhost-baseline/v1`",
            ),
            ("{\"schema\": 1}", 1, "invalid type"),
            (&good.replace(&digest, "sha256:00"), 5, "64 hex digits"),
            (&good.replace("license/not-allowed", "gate/not-judged"), 5, "no rule of a plugin"),
            (&good.replace("license/not-allowed", "license"), 5, "no rule of a plugin"),
            (&good.replace("m.pt", "../m.pt"), 6, "no path"),
            (&good.replace("\"digest\"", "\"count\""), 4, "unknown field `count`"),
            (&good.replacen("\"fingerprint\": \"", "\"fingerprint\": \"x", 1), 4, "32"),
            (&good[..good.len() - 3], 7, "EOF"),
            (&twice, 7, "named twice"),
            (&format!("{good}x"), 9, "trailing"),
        ];
        for (text, line, message) in rows {
            let mistake = parse(&file(text)).expect_err(text);
            assert!(mistake.message.contains(message), "{}: {text}", mistake.message);
            assert_eq!(mistake.line(), line, "{}: {text}", mistake.message);
        }
    }

    proptest::proptest! {
        #[test]
        fn one_changed_byte_is_taken_or_told(at in proptest::prelude::any::<proptest::sample::Index>(), with in proptest::prelude::any::<u8>()) {
            let mut bytes = render(&example()).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = with;
            let text = String::from_utf8_lossy(&bytes);
            if let Ok(baseline) = parse(&file(&text)) {
                proptest::prop_assert!(baseline.entries.len() == 3);
            }
        }
    }
}
