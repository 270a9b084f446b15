//! The text of one entry → [`RegistryEntry`], with every mistake, and back.
//!
//! Leaves how entries fit together to `contradict`.

use std::fmt::Write as _;
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::value::Datetime;

use crate::domain::diagnostic::{Diagnostic, SourceFile};
use crate::domain::digest::{Digest, TreeDigest};
use crate::domain::model::{FilePath, ModelName};
use crate::domain::registry::{RegisteredFile, RegistryEntry, Standing};
use crate::domain::text::{self, Backslash};

/// The version of the format.
const VERSION: i64 = 1;

/// The most bytes of a text of an entry: as many as a path can have.
const MAX_TEXT: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Shape {
    #[expect(dead_code, reason = "checked before the rest is read as this version")]
    version: i64,
    name: Spanned<String>,
    source: Option<Spanned<String>>,
    revision: Option<Spanned<String>>,
    license: Option<Spanned<String>>,
    status: Spanned<String>,
    reason: Option<Spanned<String>>,
    superseded_by: Option<Spanned<String>>,
    date: Spanned<Datetime>,
    reviewer: Spanned<String>,
    tree: Option<Spanned<String>>,
    #[serde(default)]
    file: Vec<Spanned<FileShape>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileShape {
    path: Spanned<String>,
    size: u64,
    sha256: Spanned<String>,
}

#[derive(Deserialize)]
struct Version {
    version: Option<Spanned<toml::Value>>,
}

/// The mistakes of one text.
pub(super) struct Notes<'f> {
    file: &'f SourceFile,
    found: Vec<Diagnostic>,
}

impl<'f> Notes<'f> {
    pub(super) const fn new(file: &'f SourceFile) -> Self {
        Self { file, found: Vec::new() }
    }

    /// Reads the text as `T`.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<Diagnostic>> {
        toml::from_str(&self.file.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            vec![Diagnostic::new(self.file, span, error.message())]
        })
    }

    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.found.push(Diagnostic::new(self.file, span, message));
    }

    pub(super) fn push(&mut self, mistake: impl FnOnce(&SourceFile) -> Diagnostic) {
        self.found.push(mistake(self.file));
    }

    /// Reads a digest, `sha256:` and its digits.
    pub(super) fn digest(&mut self, text: &Spanned<String>) -> Option<Digest> {
        let digest = text
            .get_ref()
            .parse()
            .map_err(|error: crate::domain::digest::DigestError| error.to_string());
        digest.map_err(|message| self.add(text.span(), message)).ok()
    }

    /// Holds a text to one line that is shown as it is.
    fn plain(&mut self, key: &str, text: &Spanned<String>) {
        let said = text.get_ref();
        let is_plain = !said.trim().is_empty() && text::escape(said, Backslash::Kept) == *said;
        if !is_plain {
            self.add(text.span(), format!("`{key}` is empty, or holds what can't be seen"));
        } else if said.len() > MAX_TEXT {
            self.add(text.span(), format!("`{key}` has more than {MAX_TEXT} bytes"));
        }
    }

    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.found.is_empty() { Ok(value) } else { Err(self.found) }
    }
}

/// Refuses a text of another version, of which nothing else is said: it may mean
/// anything.
pub(super) fn check_version(file: &SourceFile) -> Result<(), Vec<Diagnostic>> {
    let version: Version = Notes::new(file).read()?;
    let found =
        version.version.as_ref().map(|version| (version.get_ref().as_integer(), version.span()));
    let (message, span) = match found {
        Some((Some(VERSION), _)) => return Ok(()),
        Some((_, span)) => ("this version of modelhost reads version 1 of the file", span),
        None => ("missing key `version`", 0..0),
    };
    Err(vec![
        Diagnostic::new(file, span, message)
            .with_help("write `version = 1` at its top, or use a newer modelhost"),
    ])
}

/// Reads the text of an entry whose file has this digest.
pub(super) fn parse(file: &SourceFile, digest: Digest) -> Result<RegistryEntry, Vec<Diagnostic>> {
    check_version(file)?;
    let mut notes = Notes::new(file);
    let shape: Shape = notes.read()?;
    notes.plain("name", &shape.name);
    let name = ModelName::new(shape.name.get_ref());
    if name.as_str() != shape.name.get_ref() {
        notes.add(shape.name.span(), "a name has at most 255 bytes");
    }
    notes.plain("reviewer", &shape.reviewer);
    let texts = [
        ("source", &shape.source),
        ("revision", &shape.revision),
        ("license", &shape.license),
        ("reason", &shape.reason),
        ("superseded-by", &shape.superseded_by),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            notes.plain(key, text);
        }
    }
    let date = shape.date.get_ref();
    if date.date.is_none() || date.time.is_some() || date.offset.is_some() {
        notes.add(shape.date.span(), "`date` is a day, such as 2026-07-24");
    }
    let tree = shape.tree.as_ref().and_then(|tree| notes.digest(tree)).map(TreeDigest::from_digest);
    let files = files(&shape.file, &mut notes);
    if let (Some(stated), Some(at), false) = (tree, &shape.tree, files.is_empty()) {
        let computed =
            TreeDigest::of(files.iter().map(|file| (&file.path, file.size, file.digest)));
        if computed != stated && files.len() == shape.file.len() {
            let message =
                format!("the tree digest is not that of the files below: that is {computed}");
            notes.add(at.span(), message);
        }
    }
    let standing = standing(&shape, &mut notes);
    let text = |text: Option<Spanned<String>>| text.map(Spanned::into_inner);
    let entry = RegistryEntry {
        name,
        source: text(shape.source),
        revision: text(shape.revision),
        tree,
        license: text(shape.license),
        standing: standing.unwrap_or(Standing::Revoked),
        reason: text(shape.reason),
        superseded_by: shape.superseded_by.map(|name| ModelName::new(name.get_ref())),
        date: date.to_string(),
        reviewer: shape.reviewer.into_inner(),
        digest,
        files,
    };
    notes.finish(entry)
}

/// Reads the status, and what must and must not stand beside it.
fn standing(shape: &Shape, notes: &mut Notes<'_>) -> Option<Standing> {
    let word = shape.status.get_ref();
    let Some(standing) = Standing::ALL.into_iter().find(|standing| standing.word() == word) else {
        let message = format!(
            "there is no status `{}`; it is approved, revoked or superseded",
            text::escape(word, Backslash::Kept)
        );
        notes.add(shape.status.span(), message);
        return None;
    };
    let mut wrong = |message: &str| notes.add(shape.status.span(), message);
    match standing {
        Standing::Approved => {
            if shape.tree.is_none() && shape.file.is_empty() {
                wrong("it approves nothing in particular: it has neither `tree` nor `file`");
            }
        }
        Standing::Revoked | Standing::Superseded if shape.reason.is_none() => {
            wrong("it does not say why: missing key `reason`");
        }
        Standing::Revoked | Standing::Superseded => {}
    }
    match (&shape.superseded_by, standing) {
        (None, Standing::Superseded) => {
            wrong("it does not say by what it is superseded: missing key `superseded-by`");
        }
        (Some(by), Standing::Approved) => {
            notes.add(by.span(), "an approved entry is not superseded at once");
        }
        _ => {}
    }
    Some(standing)
}

fn files(shapes: &[Spanned<FileShape>], notes: &mut Notes<'_>) -> Vec<RegisteredFile> {
    let mut files = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let FileShape { path, size, sha256 } = shape.get_ref();
        let written = FilePath::parse(path.get_ref());
        if written.is_none() {
            notes.add(
                path.span(),
                "the path does not stay below the model, or is not written as modelhost writes it",
            );
        }
        let digest = Digest::from_hex(sha256.get_ref());
        let digest = digest.map_err(|error| notes.add(sha256.span(), error.to_string())).ok();
        if let (Some(path), Some(digest)) = (written, digest) {
            files.push(RegisteredFile { path, size: *size, digest });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    if let Some([twice, _]) = files.array_windows().find(|[a, b]| a.path == b.path) {
        let at = shapes.iter().rfind(|shape| shape.get_ref().path.get_ref() == twice.path.as_str());
        let span = at.map_or(0..0, |shape| shape.get_ref().path.span());
        notes.add(span, format!("the entry lists `{}` twice", twice.path));
    }
    files
}

/// Returns the values of an entry as TOML writes them, in the order in which an entry
/// is written; none for those that it has not.
pub(super) fn values(entry: &RegistryEntry) -> Vec<(&'static str, Option<String>)> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let maybe = |text: &Option<String>| text.as_deref().map(quoted);
    let files = (!entry.files.is_empty()).then(|| {
        let mut out = String::from("[\n");
        for file in &entry.files {
            let (path, hex) = (quoted(file.path.as_str()), file.digest.hex());
            let _ =
                writeln!(out, "  {{ path = {path}, size = {}, sha256 = \"{hex}\" }},", file.size);
        }
        out + "]"
    });
    vec![
        ("version", Some(VERSION.to_string())),
        ("name", Some(quoted(entry.name.as_str()))),
        ("source", maybe(&entry.source)),
        ("revision", maybe(&entry.revision)),
        ("license", maybe(&entry.license)),
        ("status", Some(quoted(entry.standing.word()))),
        ("reason", maybe(&entry.reason)),
        ("superseded-by", entry.superseded_by.as_ref().map(|by| quoted(by.as_str()))),
        ("date", Some(entry.date.clone())),
        ("reviewer", Some(quoted(&entry.reviewer))),
        ("tree", entry.tree.map(|tree| quoted(&tree.to_string()))),
        ("file", files),
    ]
}

/// Writes the text of an entry that is made anew.
pub(super) fn render(entry: &RegistryEntry) -> String {
    let mut out = String::new();
    for (key, value) in values(entry) {
        if let Some(value) = value {
            let _ = writeln!(out, "{key} = {value}");
        }
    }
    out
}
