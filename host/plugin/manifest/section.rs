//! The custom section, the form of a manifest that travels in its component:
//! JSON, `{"plugin": {…}, "version": 1}`, keys sorted, so that one manifest has
//! one form.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::{self, Mistake, Step};
use super::shape::Text;
use crate::domain::plugin::Manifest;
use crate::domain::text::GuestText;

/// The most bytes of the section: a thousand rules with a few sentences of help
/// each. It is parsed before anything is known of the plugin.
pub const MAX_SECTION: usize = 256 << 10;
/// The version of the section's form.
const VERSION: u32 = 1;
/// The most bytes of a message about a hostile section.
const MAX_MESSAGE: usize = 512;

/// Why a section can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectionError {
    /// It has too many bytes.
    #[error("it has {0} bytes, and a manifest has at most {MAX_SECTION}")]
    TooLong(usize),
    /// It is of a form that this modelhost does not know.
    #[error("it is of version {0}, and this modelhost reads version {VERSION}")]
    Version(u64),
    /// It is not of the form.
    #[error("{0}")]
    Form(GuestText),
    /// It breaks a rule of manifests.
    #[error("{place}: {message}")]
    Rule {
        /// Where, as in `rule[3].id`.
        place: String,
        /// What is wrong.
        message: GuestText,
    },
}

impl SectionError {
    /// Returns what a person can do about it.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "shorten the help of its rules, and pack it again",
            Self::Version(_) => "take a newer modelhost, or a plugin that was packed for this one",
            Self::Form(_) | Self::Rule { .. } => {
                "pack the plugin again by `modelhost plugin pack`, which writes no such manifest"
            }
        }
    }
}

#[derive(Serialize)]
struct Section {
    plugin: Text,
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictSection {
    plugin: Text,
    #[serde(rename = "version")]
    _version: u32,
}

/// As much of a section as every version of it has.
#[derive(Deserialize)]
struct AnySection {
    version: u64,
}

/// Writes `manifest` as the content of the custom section.
///
/// # Errors
/// It has too many bytes.
pub fn to_section(manifest: &Manifest) -> Result<Vec<u8>, SectionError> {
    let section = Section { plugin: Text::from(manifest), version: VERSION };
    let mut value = serde_json::to_value(section).map_err(form)?;
    // Sorted here, whatever the map that serde_json was built with.
    value.sort_all_objects();
    let bytes = serde_json::to_vec(&value).map_err(form)?;
    if bytes.len() > MAX_SECTION {
        return Err(SectionError::TooLong(bytes.len()));
    }
    Ok(bytes)
}

/// Reads a manifest from the content of the custom section.
///
/// # Errors
/// Says what is wrong with it: it may be anything.
pub fn from_section(bytes: &[u8]) -> Result<Manifest, SectionError> {
    if bytes.len() > MAX_SECTION {
        return Err(SectionError::TooLong(bytes.len()));
    }
    let any: AnySection = serde_json::from_slice(bytes).map_err(form)?;
    if any.version != u64::from(VERSION) {
        return Err(SectionError::Version(any.version));
    }
    let section: StrictSection = serde_json::from_slice(bytes).map_err(form)?;
    let tree: Value = serde_json::from_slice(bytes).map_err(form)?;
    if !is_keyed(&tree) {
        return Err(SectionError::Form(GuestText::capped("it has a list where names are wanted")));
    }
    check::check(&section.plugin, false).map_err(|mistakes| match mistakes.first() {
        Some(mistake) => SectionError::Rule {
            place: place(mistake),
            message: GuestText::new(&mistake.message, MAX_MESSAGE),
        },
        None => SectionError::Form(GuestText::capped("it breaks a rule of manifests")),
    })
}

/// Whether `section` names its fields: serde takes their values in a list, too.
fn is_keyed(section: &Value) -> bool {
    let plugin = &section["plugin"];
    let rules = plugin["rule"].as_array();
    section.is_object()
        && plugin.is_object()
        && rules.is_none_or(|rules| rules.iter().all(Value::is_object))
}

fn form(error: serde_json::Error) -> SectionError {
    SectionError::Form(GuestText::new(&error.to_string(), MAX_MESSAGE))
}

fn place(mistake: &Mistake<'_>) -> String {
    let mut out = String::new();
    for step in &mistake.path {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => out.extend([".", key]),
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugin::testing::{MANIFEST, manifest};

    fn good() -> Value {
        serde_json::from_slice(&to_section(&manifest(MANIFEST)).expect("fits")).expect("JSON")
    }

    #[test]
    fn a_manifest_has_one_form_and_keeps_it() {
        let manifest = manifest(MANIFEST);
        let section = to_section(&manifest).expect("fits");
        let read = from_section(&section).expect("good");
        assert_eq!(read, manifest);
        assert_eq!(to_section(&read).expect("fits"), section);
        // Frozen: what was packed once is read for ever.
        let frozen = concat!(
            r#"{"plugin":{"description":"A plugin of the tests.","files":["**"],"homepage":"https://example.org/guest","#,
            r#""id":"guest","judges":true,"license":"Apache-2.0 OR MIT","limits":{"deadline":"1m","fuel":7,"memory":"512MiB"},"#,
            r#""reads":"whole","rule":[{"help":"Add it.","id":"absent","missing":true,"severity":"low","title":"It is missing"},"#,
            r#"{"help":"Do **something** about it.\n\nAnd then something else.","id":"zeroth","missing":false,"#,
            r#""severity":"critical","title":"It is bad"}],"scope":"file","settings":{"additionalProperties":false,"#,
            r#""properties":{"level":{"minimum":1,"type":"integer"}},"type":"object"},"title":"A guest","version":"1.2.3"},"#,
            r#""version":1}"#,
        );
        assert_eq!(String::from_utf8_lossy(&section), frozen);
    }

    #[test]
    fn hostile_sections_are_refused() {
        let with = |pointer: &str, value: Value| {
            let mut section = good();
            match section.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => {
                    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
                    let parent = section.pointer_mut(parent).and_then(Value::as_object_mut);
                    parent.expect("an object").insert(key.to_owned(), value);
                }
            }
            section.to_string()
        };
        let rows = [
            (String::new(), "EOF while parsing"),
            ("7".to_owned(), "invalid type"),
            ("\u{feff}{}".to_owned(), "expected value"),
            (r#"{"version":1}"#.to_owned(), "missing field `plugin`"),
            (good().to_string() + "x", "trailing characters"),
            (with("/version", json!(2)), "it is of version 2, and this modelhost reads version 1"),
            (with("/version", json!(u64::MAX)), "it is of version 18446744073709551615"),
            (with("/version", json!("1")), "invalid type"),
            (with("/more", json!(1)), "unknown field `more`"),
            (with("/plugin/more", json!(1)), "unknown field `more`"),
            (with("/plugin/id", json!("a/b")), "id: a plugin id is"),
            (with("/plugin/id", json!("gate")), "id: `gate` is reserved"),
            (with("/plugin/title", json!("")), "title: this text has"),
            (
                with("/plugin/rule/1/id", json!("absent")),
                "rule[1].id: the rule `absent` stands twice",
            ),
            (with("/plugin/rule/1/severity", json!("Critical")), "rule[1].severity: a severity is"),
            (
                with("/plugin/files/0", json!("\n")),
                "files[0]: a glob has no control and invisible characters",
            ),
            (with("/plugin/limits/memory", json!("1TiB")), "limits.memory: this is not an amount"),
            (with("/plugin/settings", json!({"$ref": "#"})), "settings: settings are an object"),
            (
                with("/plugin/settings", json!(true)),
                "settings: the schema of settings is an object",
            ),
            (with("/plugin/settings/$id", json!("x:y")), "settings: `$id` is not taken"),
            (
                with("/plugin/rule", Value::Array(vec![good()["plugin"]["rule"][0].clone(); 1001])),
                "rule: a plugin has at most 1000 rules",
            ),
            ("[".repeat(200), "invalid type: sequence"),
            (format!("[{}, 1]", good()["plugin"]), "invalid type: map"),
            (with("/plugin/limits", json!([7])), "invalid type: sequence"),
            (
                with("/plugin/limits/memory", json!("5GiB")),
                "limits.memory: the limit must be from 64KiB to 4GiB",
            ),
            (with("/plugin/limits/time", json!(1)), "unknown field `time`"),
            (with("/plugin/limits/fuel", json!(0)), "limits.fuel: the limit must be from 1"),
            (
                good().to_string().replace("\"fuel\":7", "\"fuel\":7,\"fuel\":8"),
                "duplicate field `fuel`",
            ),
            (
                with("/plugin/rule/0", json!(["a", "t", "low", "h", true])),
                "it has a list where names are wanted",
            ),
            (format!("{{\"version\":1,\"x\":{}", "[".repeat(200_000)), "EOF while parsing"),
            (
                good()
                    .to_string()
                    .replace("7", &format!("{}1{}", "[".repeat(200), "]".repeat(200))),
                "invalid type: sequence",
            ),
            (
                with("/plugin/settings/x", json!(0))
                    .replace("\"x\":0", &format!("\"x\":{}1{}", "[".repeat(200), "]".repeat(200))),
                "recursion limit exceeded",
            ),
            (" ".repeat(MAX_SECTION + 1), "it has 262145 bytes, and a manifest has at most 262144"),
        ];
        for (section, expected) in rows {
            let error = from_section(section.as_bytes()).expect_err(expected).to_string();
            let start: String = section.chars().take(80).collect();
            assert!(error.contains(expected), "{start}: {error} has not {expected}");
        }
        assert!(from_section(b"{\"version\":1,\"plugin\":\"\xff\"}").is_err());
    }

    #[test]
    fn no_text_of_a_stranger_can_act() {
        let nasty = "a\u{1b}[2J\u{202e}\r::x";
        let mut section = good();
        for pointer in
            ["/plugin/title", "/plugin/description", "/plugin/rule/0/title", "/plugin/rule/0/help"]
        {
            *section.pointer_mut(pointer).expect("there") = json!(nasty);
        }
        section["plugin"]["rule"][1]["help"] = json!("a\nb\n::error::c\n##[d");
        let manifest = from_section(section.to_string().as_bytes()).expect("inert");
        let inert = "a\\x1b[2J\\u{202e}\\r::x";
        assert_eq!((manifest.title.as_str(), manifest.description.as_str()), (inert, inert));
        assert_eq!(
            (manifest.rules[0].title.as_str(), manifest.rules[0].help.as_str()),
            (inert, inert)
        );
        assert_eq!(manifest.rules[1].help, "a\nb\n\\x3a:error::c\n\\x23#[d");
        // Messages about what is refused are inert as well.
        for (pointer, value) in [
            ("/plugin/id", json!(nasty)),
            ("/plugin/scope", json!(nasty)),
            ("/plugin/rule/1/id", json!(nasty)),
        ] {
            let mut section = good();
            *section.pointer_mut(pointer).expect("there") = value;
            let error =
                from_section(section.to_string().as_bytes()).expect_err(pointer).to_string();
            assert!(!error.contains('\u{1b}') && !error.contains('\u{202e}'), "{error:?}");
        }
        let mut section = good();
        section["plugin"][nasty] = json!(1);
        let error = from_section(section.to_string().as_bytes()).expect_err("unknown").to_string();
        assert!(error.contains("unknown field") && !error.contains('\u{1b}'), "{error:?}");
    }
}
