//! The text of a lock file in any TOML form → [`LockFile`], with every mistake.
//!
//! Leaves the one form that modelhost writes to `render`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::{Fields, Mistakes};
use super::{LockFile, LockedPlugin, LockedRegistry};
use crate::domain::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::domain::digest::{Blake3, Digest, TreeDigest};
use crate::domain::model::{FilePath, LockEntry, LockNotes, LockedFile, ModelName};
use crate::domain::parts::Parts;
use crate::domain::plugin::PluginId;
use crate::domain::upstream::UpstreamError;

/// The most bytes of a lock file that is not in the form modelhost writes:
/// some 450,000 files. Its tree takes twenty times its size in memory.
const MAX_FREE_FORM: usize = 64 << 20;

/// The version of the format.
const VERSION: u64 = 1;

const WRITE_AGAIN: &str = "run `modelhost lock` to write it again";

/// Reads the text of a lock file.
pub(super) fn parse(file: &SourceFile) -> Result<LockFile, Vec<Diagnostic>> {
    let mut mistakes = Mistakes::new(file);
    if let Some(lock) = read(file, &mut mistakes) {
        let mistakes = mistakes.into_sorted();
        return if mistakes.is_empty() { Ok(lock) } else { Err(mistakes) };
    }
    Err(mistakes.into_sorted())
}

/// Reads what can be read; none where the mistakes leave nothing to read.
fn read(file: &SourceFile, mistakes: &mut Mistakes<'_>) -> Option<LockFile> {
    if file.text.len() > MAX_FREE_FORM {
        let message = "the lock file is very large and not as modelhost writes it";
        mistakes.push(0..0, message, |mistake| mistake.with_help(WRITE_AGAIN));
        return None;
    }
    if let Some(span) = conflict(&file.text) {
        let message = "the lock file holds an unresolved merge conflict";
        let help = "take either side, then run `modelhost lock` to write it from the models";
        mistakes.push(span, message, |mistake| mistake.with_help(help));
        return None;
    }
    let lines = Lines::of(&file.text);
    let (root, mut errors) = DeTable::parse_recoverable(&file.text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let mut last = None;
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        // What follows on a line is mostly the parser finding its way back.
        if last.replace(lines.line_of(span.start)) != Some(lines.line_of(span.start)) {
            mistakes.push(span, error.message(), |mistake| mistake.with_help(WRITE_AGAIN));
        }
    }
    if !errors.is_empty() {
        return None;
    }
    let mut root = Fields::new(root.into_inner(), 0..0, mistakes);
    version(&mut root)?;
    let models = root.array("model").unwrap_or_default();
    let plugins = root.array("plugin").unwrap_or_default();
    let registry = root.take("registry");
    root.finish();
    Some(LockFile {
        registry: registry.and_then(|value| self::registry(value, &lines, mistakes)),
        models: unique(models, "model", mistakes, |value, mistakes| model(value, &lines, mistakes)),
        plugins: unique(plugins, "plugin", mistakes, |value, mistakes| {
            plugin(value, &lines, mistakes)
        }),
    })
}

/// Returns where the first marker of a merge conflict stands.
fn conflict(text: &str) -> Option<Range<usize>> {
    let start = if text.starts_with("<<<<<<< ") { 0 } else { text.find("\n<<<<<<< ")? + 1 };
    Some(start..start + "<<<<<<<".len())
}

/// Checks the version. A later one may mean anything, so nothing else is said.
fn version(root: &mut Fields<'_, '_, '_>) -> Option<()> {
    let Some(value) = root.take("version") else {
        root.missing("version");
        return None;
    };
    let number = value.get_ref().as_integer();
    let number = number.and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
    if number == Some(VERSION) {
        return Some(());
    }
    let message = format!("the lock file's version must be {VERSION}");
    let help = "a later version of modelhost wrote it, or it was changed by hand";
    root.mistakes().push(value.span(), message, |mistake| mistake.with_help(help));
    None
}

/// Reads the items of an array of tables, each with a name of its own.
fn unique<'i, K: Ord + ToString, V>(
    items: Vec<Spanned<DeValue<'i>>>,
    what: &str,
    mistakes: &mut Mistakes<'_>,
    mut read: impl FnMut(Spanned<DeValue<'i>>, &mut Mistakes<'_>) -> Option<(Spanned<K>, V)>,
) -> BTreeMap<K, V> {
    let mut found = BTreeMap::new();
    for item in items {
        let Some((key, value)) = read(item, mistakes) else {
            continue;
        };
        let span = key.span();
        match found.entry(key.into_inner()) {
            Entry::Vacant(entry) => {
                entry.insert((span, value));
            }
            Entry::Occupied(entry) => {
                let message = format!("{what} `{}` has two entries", entry.key().to_string());
                let first = entry.get().0.clone();
                mistakes.push(span, message, |mistake| {
                    mistake.with_place(first, "the first is here").with_help(WRITE_AGAIN)
                });
            }
        }
    }
    found.into_iter().map(|(key, (_, value))| (key, value)).collect()
}

fn model(
    value: Spanned<DeValue<'_>>,
    lines: &Lines,
    mistakes: &mut Mistakes<'_>,
) -> Option<(Spanned<ModelName>, LockEntry)> {
    let mut fields = Fields::open(value, "a model", mistakes)?;
    let line = lines.line_of(fields.span().start);
    let name = fields.need("name", model_name);
    let mut text = |key| fields.text(key).map(Spanned::into_inner);
    let source = text("source");
    let revision = text("revision");
    let mut notes = LockNotes {
        requested: text("requested"),
        tensors: text("tensors"),
        license: text("license"),
        signer: text("signer"),
        base: Vec::new(),
    };
    let base = fields.texts("base");
    notes.base = base.into_iter().map(Spanned::into_inner).collect();
    let tree = fields.need("tree", digest);
    let files = match fields.take("file") {
        Some(value) => files(value, lines, fields.mistakes()),
        None => {
            fields.missing("file");
            Vec::new()
        }
    };
    fields.finish();
    let tree = TreeDigest::from_digest(tree?.into_inner());
    Some((name?, LockEntry { source, revision, notes, tree, line, files }))
}

/// Reads the files of a model, and sorts them.
fn files(
    value: Spanned<DeValue<'_>>,
    lines: &Lines,
    mistakes: &mut Mistakes<'_>,
) -> Vec<LockedFile> {
    let span = value.span();
    let DeValue::Array(items) = value.into_inner() else {
        mistakes.add(span, "`file` must be an array of tables");
        return Vec::new();
    };
    let read = |item| locked_file(item, lines, mistakes);
    let mut files: Vec<_> = items.into_iter().filter_map(read).collect();
    files.sort_by(|(_, a), (_, b)| a.path.cmp(&b.path));
    for pair in files.windows(2) {
        if let [(first, a), (second, b)] = pair
            && a.path == b.path
        {
            let message = format!("file `{}` is listed twice", b.path);
            mistakes.push(second.clone(), message, |mistake| {
                mistake.with_place(first.clone(), "the first is here").with_help(WRITE_AGAIN)
            });
        }
    }
    files.into_iter().map(|(_, file)| file).collect()
}

fn locked_file(
    value: Spanned<DeValue<'_>>,
    lines: &Lines,
    mistakes: &mut Mistakes<'_>,
) -> Option<(Range<usize>, LockedFile)> {
    let mut fields = Fields::open(value, "a file", mistakes)?;
    let span = fields.span();
    let line = lines.line_of(span.start);
    let path = fields.need("path", |text| {
        FilePath::parse(text).ok_or_else(|| {
            "a file's path is relative to its model, without `.`, `..` or empty parts, with \
             control characters and invisible ones written out"
                .to_owned()
        })
    });
    let size = fields.need_number("size");
    let digest = fields.need("sha256", |text| Digest::from_hex(text).map_err(|e| e.to_string()));
    let blake3 = fields.maybe("blake3", |text| {
        Blake3::from_hex(text).ok_or_else(|| "a BLAKE3 has 64 lower-case hex digits".to_owned())
    });
    let upstream =
        fields.maybe("upstream", |text| text.parse().map_err(|e: UpstreamError| e.to_string()));
    // Without a size there is nothing to hold the parts against.
    let parts = fields.maybe("parts", |text| match size {
        Some(size) => Parts::parse(text, size).map(Some).map_err(|e| e.to_string()),
        None => Ok(None),
    });
    fields.finish();
    let file = LockedFile {
        path: path?.into_inner(),
        size: size?,
        digest: digest?.into_inner(),
        blake3: blake3.map(Spanned::into_inner),
        upstream: upstream.map(Spanned::into_inner),
        parts: parts.and_then(Spanned::into_inner),
        line,
    };
    Some((span, file))
}

fn plugin(
    value: Spanned<DeValue<'_>>,
    lines: &Lines,
    mistakes: &mut Mistakes<'_>,
) -> Option<(Spanned<PluginId>, LockedPlugin)> {
    let mut fields = Fields::open(value, "a plugin", mistakes)?;
    let line = lines.line_of(fields.span().start);
    let id = fields.need("id", |text| PluginId::new(text).map_err(|e| e.to_string()));
    let version = fields.need("version", |text| {
        semver::Version::parse(text).map_err(|e| format!("`{text}` is no version: {e}"))
    });
    let digest = fields.need("digest", digest);
    let contract = fields.text("contract");
    let contract = contract.and_then(|text| match contract_line(text.get_ref()) {
        Ok(()) => Some(text.into_inner()),
        Err(message) => {
            fields.mistakes().add(text.span(), message);
            None
        }
    });
    let asked = fields.need_texts("capabilities");
    let mut capabilities = BTreeSet::new();
    for text in asked {
        match text.get_ref().parse() {
            Ok(capability) if capabilities.insert(capability) => {}
            Ok(capability) => {
                fields.mistakes().add(text.span(), format!("`{capability}` is listed twice"));
            }
            Err(_) => {
                let message = format!("there is no capability `{}`", text.get_ref());
                fields.mistakes().add(text.span(), message);
            }
        }
    }
    fields.finish();
    let plugin = LockedPlugin {
        version: version?.into_inner(),
        digest: digest?.into_inner(),
        contract,
        capabilities,
        line,
    };
    Some((id?, plugin))
}

fn registry(
    value: Spanned<DeValue<'_>>,
    lines: &Lines,
    mistakes: &mut Mistakes<'_>,
) -> Option<LockedRegistry> {
    let mut fields = Fields::open(value, "the registry", mistakes)?;
    let line = lines.line_of(fields.span().start);
    let sequence = fields.need_number("sequence");
    let digest = fields.need("digest", digest);
    fields.finish();
    Some(LockedRegistry { sequence: sequence?, digest: digest?.into_inner(), line })
}

/// Takes `text` for a model's name.
pub(super) fn model_name(text: &str) -> Result<ModelName, String> {
    let name = ModelName::new(text);
    if text.is_empty() || name.as_str() != text {
        return Err("a model's name has 1 to 255 bytes and no control characters".to_owned());
    }
    Ok(name)
}

pub(super) fn digest(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|error: crate::domain::digest::DigestError| error.to_string())
}

/// Takes `text` for a line of the contract, such as `v0.1` or `v2`.
pub(super) fn contract_line(text: &str) -> Result<(), String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_line = text.strip_prefix('v').is_some_and(|rest| rest.split('.').all(is_number));
    if text.len() > 16 || !is_line {
        return Err("a contract line is written like `v0.1`".to_owned());
    }
    Ok(())
}
