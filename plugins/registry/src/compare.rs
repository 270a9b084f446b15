//! Which entry of the registry counts for a model, and how the model differs from
//! it.
//!
//! Leaves the words to [`crate::report`].

use std::cmp::Ordering;

use modelhost_check::{Model, Registry, RegistryEntry, Standing};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// One file as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The path as the host writes it.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The digest of the content.
    pub sha256: Digest,
}

/// A model as it is, and as the policy and the lock file say it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Where it comes from: as defined, or else as locked.
    pub source: Option<String>,
    /// The revision of that source, likewise.
    pub revision: Option<String>,
    /// The license that the policy states.
    pub license: Option<String>,
    /// The digest over all files.
    pub tree: Digest,
    /// The files, in the order of their paths' bytes.
    pub files: Vec<Seen>,
}

impl Found {
    /// Gathers what is known of `model`, whose files are `files`.
    pub fn of(model: &Model<'_>, files: Vec<Seen>) -> Self {
        let (definition, lock) = (model.definition().unwrap_or_default(), model.lock());
        let (source, revision) = match (definition.source, lock) {
            (None, Some(lock)) => (lock.source, definition.revision.or(lock.revision)),
            (source, _) => (source, definition.revision),
        };
        let license = definition.license;
        Self { name: model.name(), source, revision, license, tree: tree(&files), files }
    }
}

/// Computes the tree digest of files in the order of their paths' bytes.
fn tree(files: &[Seen]) -> Digest {
    let mut state = Sha256::new();
    for file in files {
        state.update(format!("file {} {} {}\n", file.size, hex(&file.sha256), file.path));
    }
    state.finalize().into()
}

/// Writes a digest in hexadecimal digits.
pub fn hex(digest: &Digest) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte & 0xf)]).collect()
}

/// By what an entry is about a model, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// It has the model's tree digest.
    Digest,
    /// It has the model's source and revision.
    Source,
    /// It has the model's name.
    Name,
}

/// One way in which a model differs from the entry that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The tree digest, and no file of the entry says where.
    Tree(Digest),
    /// A file has other bytes.
    File {
        /// Where.
        path: String,
        /// The size and digest in the entry.
        listed: (u64, Digest),
        /// The size and digest of the file.
        found: (u64, Digest),
    },
    /// The entry lists a file that is not there.
    Missing(String),
    /// A file is there that the entry does not list.
    Extra(String),
    /// The source, revision or license.
    Stated {
        /// Which.
        what: &'static str,
        /// As the entry has it.
        listed: String,
        /// As the policy or the lock file states it.
        found: String,
    },
}

/// What the registry comes to for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// No entry is about it.
    Unknown,
    /// An entry counts.
    Entry {
        /// Its place among the entries.
        entry: usize,
        /// By what it is about the model.
        by: By,
        /// How the model differs from it.
        differences: Vec<Difference>,
    },
}

/// Judges `found` by the entries of `registry`.
pub fn judge(registry: &Registry, found: &Found) -> Judged {
    let about = |entry: &RegistryEntry| {
        let stated =
            |listed: &Option<String>, found: &Option<String>| listed.is_some() && listed == found;
        if entry.tree == Some(found.tree) {
            Some(By::Digest)
        } else if stated(&entry.source, &found.source) && stated(&entry.revision, &found.revision) {
            Some(By::Source)
        } else {
            (entry.name == found.name).then_some(By::Name)
        }
    };
    let entries = registry.entries.iter().enumerate();
    let mut entries: Vec<_> = entries
        .filter_map(|(at, entry)| Some((about(entry)?, at, entry)))
        // A revoked name alone tells of no bytes where the entry has a digest, and
        // another entry is about these.
        .map(|(by, at, entry)| {
            let is_revoked = entry.standing == Standing::Revoked && by != By::Name;
            (!is_revoked, by, entry.name != found.name, at)
        })
        .collect();
    entries.sort_unstable();
    let Some(&(_, by, _, at)) = entries.first() else { return Judged::Unknown };
    let differences = registry
        .entries
        .get(at)
        .map(|entry| differences(registry, at, entry, found))
        .unwrap_or_default();
    Judged::Entry { entry: at, by, differences }
}

/// Finds how `found` differs from the entry at `at`.
fn differences(
    registry: &Registry,
    at: usize,
    entry: &RegistryEntry,
    found: &Found,
) -> Vec<Difference> {
    let mut differences = files(registry, at, found);
    if let Some(tree) = entry.tree.filter(|tree| *tree != found.tree)
        && differences.is_empty()
    {
        differences.push(Difference::Tree(tree));
    }
    let stated = [
        ("source", &entry.source, &found.source),
        ("revision", &entry.revision, &found.revision),
        ("license", &entry.license, &found.license),
    ];
    for (what, listed, found) in stated {
        if let (Some(listed), Some(found)) = (listed, found)
            && listed != found
        {
            let (listed, found) = (listed.clone(), found.clone());
            differences.push(Difference::Stated { what, listed, found });
        }
    }
    differences
}

/// Compares the files with those that the entry lists; none for an entry that lists
/// none.
fn files(registry: &Registry, entry: usize, found: &Found) -> Vec<Difference> {
    let mut listed = registry.files(entry).peekable();
    let mut differences = Vec::new();
    if listed.peek().is_none() {
        return differences;
    }
    let mut seen = found.files.iter().peekable();
    loop {
        let order = match (seen.peek(), listed.peek()) {
            (Some(file), Some(line)) => file.path.cmp(&line.path),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return differences,
        };
        let file = seen.next_if(|_| order.is_le());
        let line = listed.next_if(|_| order.is_ge());
        differences.extend(match (file, line) {
            (Some(file), Some(line)) => {
                let (listed, found) = ((line.size, line.sha256), (file.size, file.sha256));
                (listed != found).then_some(Difference::File { path: line.path, listed, found })
            }
            (Some(file), None) => Some(Difference::Extra(file.path.clone())),
            (None, Some(line)) => Some(Difference::Missing(line.path)),
            (None, None) => None,
        });
    }
}
