//! Changes to a registry: an entry added, revoked or superseded, the set written
//! with the next sequence, signed.
//!
//! Comments and the order of keys in an entry stay as they are. What would
//! contradict another entry is refused before anything is written. Leaves where an
//! entry's digests come from to whoever adds it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{
    KeyError, OnDisk, RegistryError, SET, SIGNATURE, Sealed, Signer, contradict, disk, entry,
    read_as, set, signature, text,
};
use crate::domain::diagnostic::SourceFile;
use crate::domain::digest::Digest;
use crate::domain::model::ModelName;
use crate::domain::registry::{RegistryEntry, Standing};

/// What to change.
#[derive(Clone, Debug)]
pub enum Change {
    /// Add an approved entry.
    Add {
        /// The entry; its own digest does not count.
        entry: Box<RegistryEntry>,
        /// Whether it takes the place of one of its name.
        replace: bool,
    },
    /// Revoke an entry, or say that another takes its place.
    Revoke {
        /// Its name.
        name: ModelName,
        /// Why.
        reason: String,
        /// Its tree digest must be this one; where there is no such entry, one is made
        /// that revokes this digest.
        digest: Option<Digest>,
        /// The entry that takes its place: it is then superseded, not revoked.
        superseded_by: Option<ModelName>,
        /// Who says so; none to leave it as it is.
        reviewer: Option<String>,
    },
    /// Take the entries as they are.
    Seal,
}

/// What was changed.
#[derive(Clone, Debug)]
pub struct Changed {
    /// What was changed, a line each; empty for nothing.
    pub lines: Vec<String>,
    /// The number of the edition that is there now.
    pub sequence: u64,
    /// The digest of the set that is there now.
    pub digest: Digest,
    /// The key that signed it now; none where it isn't signed.
    pub signed_by: Option<String>,
}

/// Changes the registry in the folder `path`, shown to a person as `shown`, on the
/// day `today`, and signs the set where there is a `signer`. Where there is no
/// registry, adding an entry makes one.
///
/// # Errors
/// Fails where it can't be read or written, has mistakes in it or would have, or the
/// change asks for what can't be.
pub fn change(
    path: &Path,
    shown: &str,
    change: Change,
    today: &str,
    signer: Option<&Signer>,
) -> Result<Changed, RegistryError> {
    let is_new = !disk::is_there(path);
    let may_be_new = matches!(
        change,
        Change::Add { .. } | Change::Revoke { digest: Some(_), .. } | Change::Seal
    );
    if is_new && may_be_new && !matches!(change, Change::Seal) {
        disk::make(path)?;
    }
    let sealed = match change {
        Change::Seal => Sealed::NotYet,
        _ if is_new && may_be_new => Sealed::NotYet,
        _ => Sealed::Yes,
    };
    let before = read_as(path, shown, sealed)?;
    let mut edit = Edit { path, shown, before: &before, lines: Vec::new() };
    let written = match change {
        Change::Add { entry, replace } => Some(edit.add(*entry, replace, today)?),
        Change::Revoke { name, reason, digest, superseded_by, reviewer } => {
            Some(edit.revoke(&name, digest, &Words { reason, superseded_by, reviewer }, today)?)
        }
        Change::Seal => None,
    };
    edit.finish(written, signer)
}

/// What is said where an entry is revoked or superseded.
struct Words {
    reason: String,
    superseded_by: Option<ModelName>,
    reviewer: Option<String>,
}

struct Edit<'e> {
    path: &'e Path,
    shown: &'e str,
    before: &'e OnDisk,
    lines: Vec<String>,
}

impl Edit<'_> {
    /// Returns the entry of that name, with the name of its file.
    fn find(&self, name: &ModelName) -> Option<(&SourceFile, &RegistryEntry)> {
        let found = self.before.entries.iter().find(|(_, entry)| entry.name == *name);
        found.map(|(file, entry)| (file, &**entry))
    }

    fn add(
        &mut self,
        mut new: RegistryEntry,
        replace: bool,
        today: &str,
    ) -> Result<(String, String), RegistryError> {
        today.clone_into(&mut new.date);
        let name = new.name.clone();
        let old = self.find(&name).map(|(file, entry)| (file.clone(), entry.clone()));
        let Some((file, old)) = old else {
            self.lines.push(format!("{name}: approved by {}", new.reviewer));
            return Ok((self.free_name(&name), entry::render(&new)));
        };
        if !replace {
            let word = old.standing.word();
            return Err(RegistryError::Change(format!(
                "there is an entry `{name}` already, {word}: write it anew with --replace, or keep it and add this model by another name with --name"
            )));
        }
        self.lines.push(format!(
            "{name}: was {}, approved by {}",
            old.standing.word(),
            new.reviewer
        ));
        if old.tree != new.tree {
            let digest = |entry: &RegistryEntry| {
                entry.tree.map_or_else(|| "none".to_owned(), |tree| tree.to_string())
            };
            self.lines.push(format!("{name}: tree {} -> {}", digest(&old), digest(&new)));
        }
        // Each key of the entry anew; one that it has no more goes.
        let fresh = entry::values(&new);
        let text = text::set(&file, &fresh)?;
        Ok((file_name(&file), text))
    }

    fn revoke(
        &mut self,
        name: &ModelName,
        digest: Option<Digest>,
        words: &Words,
        today: &str,
    ) -> Result<(String, String), RegistryError> {
        let standing = match words.superseded_by {
            Some(_) => Standing::Superseded,
            None => Standing::Revoked,
        };
        let by = words.superseded_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let found = self.find(name).map(|(file, entry)| (file.clone(), entry.clone()));
        let Some((file, old)) = found else {
            let refused = |text: String| Err(RegistryError::Change(text));
            let Some(digest) = digest else {
                return refused(format!(
                    "there is no entry `{name}`; to revoke what was never approved, name its tree digest with --digest"
                ));
            };
            let Some(reviewer) = words.reviewer.clone() else {
                return refused(format!(
                    "there is no entry `{name}` yet: say who revokes it with --reviewer"
                ));
            };
            self.lines.push(format!("{name}: {} ({})", standing.word(), words.reason));
            let entry = RegistryEntry {
                name: name.clone(),
                source: None,
                revision: None,
                tree: Some(crate::domain::digest::TreeDigest::from_digest(digest)),
                license: None,
                standing,
                reason: Some(words.reason.clone()),
                superseded_by: words.superseded_by.clone(),
                date: today.to_owned(),
                reviewer,
                digest,
                files: Vec::new(),
            };
            return Ok((self.free_name(name), entry::render(&entry)));
        };
        if let Some(digest) =
            digest.filter(|digest| old.tree.is_none_or(|tree| tree.digest() != *digest))
        {
            let has = old.tree.map_or_else(|| "no tree digest".to_owned(), |tree| tree.to_string());
            return Err(RegistryError::Change(format!(
                "the entry `{name}` has {has}, not {digest}"
            )));
        }
        if old.standing == Standing::Revoked && standing == Standing::Superseded {
            return Err(RegistryError::Change(format!(
                "the entry `{name}` is revoked, and superseding it would let it through again"
            )));
        }
        self.lines.push(format!(
            "{name}: {} -> {}{by} ({})",
            old.standing.word(),
            standing.word(),
            words.reason
        ));
        let quoted = |text: &str| Some(toml::Value::String(text.to_owned()).to_string());
        let mut values = vec![
            ("status", quoted(standing.word())),
            ("reason", quoted(&words.reason)),
            ("superseded-by", words.superseded_by.as_ref().and_then(|by| quoted(by.as_str()))),
            ("date", Some(today.to_owned())),
        ];
        if let Some(reviewer) = &words.reviewer {
            values.push(("reviewer", quoted(reviewer)));
        }
        let text = text::set(&file, &values)?;
        Ok((file_name(&file), text))
    }

    /// Returns the name of a file that no entry has yet, after the entry's.
    fn free_name(&self, name: &ModelName) -> String {
        let safe = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => c,
            _ => '-',
        };
        let mut stem: String = name.as_str().chars().map(safe).take(100).collect();
        if stem.starts_with('.') || stem == "registry" {
            stem.insert_str(0, "model-");
        }
        let taken: Vec<_> = self.before.entries.iter().map(|(file, _)| file_name(file)).collect();
        let mut free = format!("{stem}.toml");
        let mut number = 2_u32;
        // Ends: there are fewer entries than numbers.
        while taken.contains(&free) {
            free = format!("{stem}-{number}.toml");
            number += 1;
        }
        free
    }

    /// Writes what was changed: the entry, the set, the signature.
    fn finish(
        mut self,
        written: Option<(String, String)>,
        signer: Option<&Signer>,
    ) -> Result<Changed, RegistryError> {
        let mut files: BTreeMap<String, Digest> = self
            .before
            .entries
            .iter()
            .map(|(file, entry)| (file_name(file), entry.digest))
            .collect();
        if let Some((name, text)) = &written {
            let digest = Digest::of(text.as_bytes());
            let path = format!("{}/{name}", self.shown.trim_end_matches('/')).into();
            let file = SourceFile { path, text: text.as_str().into() };
            let entry =
                entry::parse(&file, digest).map_err(|found| super::wrong(self.path, found))?;
            let mut entries = self.before.entries.clone();
            entries.retain(|(other, _)| file_name(other) != *name);
            entries.push((file, Arc::new(entry)));
            entries.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
            let mistakes = contradict::find(&entries);
            if !mistakes.is_empty() {
                return Err(super::wrong(self.path, mistakes));
            }
            disk::write(&self.path.join(name), text.as_bytes())?;
            files.insert(name.clone(), digest);
        }
        let same = set::render(self.before.sequence, &files);
        let text = if *self.before.file.text == *same {
            same
        } else {
            let sequence = self.before.sequence.checked_add(1).ok_or_else(|| {
                RegistryError::Change("the sequence can't grow any more".to_owned())
            })?;
            let text = set::render(sequence, &files);
            disk::write(&self.path.join(SET), text.as_bytes())?;
            self.lines.push(format!("sequence {} -> {sequence}", self.before.sequence));
            text
        };
        let is_changed = *self.before.file.text != *text;
        let signed_by = self.sign(&text, is_changed, signer)?;
        let sequence = self.before.sequence + u64::from(is_changed);
        Ok(Changed { lines: self.lines, sequence, digest: Digest::of(text.as_bytes()), signed_by })
    }

    /// Signs the set, or takes away the signatures over what it was before.
    fn sign(
        &mut self,
        set: &str,
        is_changed: bool,
        signer: Option<&Signer>,
    ) -> Result<Option<String>, RegistryError> {
        let path = self.path.join(SIGNATURE);
        let Some(signer) = signer else {
            if is_changed && disk::remove(&path)? {
                self.lines.push("the signature is gone: it was over the set before".to_owned());
            }
            return Ok(None);
        };
        let failed = |error: KeyError| RegistryError::Change(error.to_string());
        let text = signature::sign(set.as_bytes(), signer).map_err(failed)?;
        let key = signer.public().map_err(failed)?;
        disk::write(&path, text.as_bytes())?;
        self.lines.push(format!("signed by {}", key.id()));
        Ok(Some(key.id().to_owned()))
    }
}

/// Returns the name of an entry's file.
fn file_name(file: &SourceFile) -> String {
    file.path.rsplit('/').next().unwrap_or_default().to_owned()
}
