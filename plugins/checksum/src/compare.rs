//! The comparison of the files that are there with those that should be there:
//! by the lock entry, where an unlisted file is a difference too, and by the
//! lists that came with the model, which say nothing about unlisted files.
//!
//! It leaves to others: reading, and the words of the findings.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use modelhost_check::raw_path;
use sha2::{Digest as _, Sha256};

use crate::sums::Claim;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// One file, as it is or as it is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path as the host writes it.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The digest of the content.
    pub sha256: Digest,
}

/// How the model differs from its lock entry, at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The file has another size.
    Size {
        /// Where.
        path: String,
        /// The size in the lock entry.
        locked: u64,
        /// The size of the file.
        found: u64,
    },
    /// The file has the size, but other content.
    Content {
        /// Where.
        path: String,
        /// The size of both.
        size: u64,
        /// The digest in the lock entry.
        locked: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// The file is locked, but not there.
    Missing(String),
    /// The file is there, but not locked.
    Extra(String),
    /// A locked file is not there, and one that is not locked has its bytes.
    Renamed {
        /// The path of the locked file.
        from: String,
        /// Where its bytes are.
        to: String,
    },
}

/// What is wrong with the lock entry in itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Its tree digest is not that of its files.
    Tree {
        /// The digest that the entry states.
        stated: Digest,
        /// The digest of the entry's files.
        computed: Digest,
    },
    /// It holds this path twice.
    Twice(String),
}

/// How a file differs from what a list claims of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The file has other content.
    Content {
        /// The file's path.
        path: String,
        /// The file's size.
        size: u64,
        /// The digest of the file.
        found: Digest,
    },
    /// There is no such file.
    Missing,
}

/// Computes the tree digest of files in the order of their paths' bytes.
pub fn tree(files: &[Entry]) -> Digest {
    let mut state = Sha256::new();
    for file in files {
        state.update(format!("file {} {} {}\n", file.size, hex(&file.sha256), file.path));
    }
    state.finalize().into()
}

/// Sorts files by their paths' bytes.
pub fn sort(files: &mut [Entry]) {
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
}

/// Finds what was changed in a lock entry by hand. Sorts `locked` by path.
pub fn edits(locked: &mut [Entry], stated: Digest) -> Vec<Edit> {
    sort(locked);
    let mut edits = Vec::new();
    let twice = locked.array_windows().filter(|[a, b]| a.path == b.path);
    edits.extend(twice.map(|[a, _]| Edit::Twice(a.path.clone())));
    let computed = tree(locked);
    if computed != stated {
        edits.push(Edit::Tree { stated, computed });
    }
    edits
}

/// Compares files with locked files, both sorted by path.
pub fn with_lock(found: &[Entry], locked: &[Entry]) -> Vec<Difference> {
    let mut differences = Vec::new();
    let (mut found, mut locked) = (found.iter().peekable(), locked.iter().peekable());
    loop {
        let order = match (found.peek(), locked.peek()) {
            (Some(file), Some(lock)) => file.path.cmp(&lock.path),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return differences,
        };
        let file = found.next_if(|_| order.is_le());
        let lock = locked.next_if(|_| order.is_ge());
        differences.extend(match (file, lock) {
            (Some(file), Some(lock)) => difference(file, lock),
            (Some(file), None) => Some(Difference::Extra(file.path.clone())),
            (None, Some(lock)) => Some(Difference::Missing(lock.path.clone())),
            (None, None) => None,
        });
    }
}

/// Takes a missing and an extra file of the same bytes for one that was renamed. An
/// empty file tells of no other.
pub fn renamed(differences: Vec<Difference>, found: &[Entry], locked: &[Entry]) -> Vec<Difference> {
    let bytes = |files: &[Entry], path: &str| {
        let at = files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        files.get(at).filter(|file| file.size > 0).map(|file| (file.size, file.sha256))
    };
    let mut missing: BTreeMap<(u64, Digest), Vec<String>> = BTreeMap::new();
    for difference in differences.iter().rev() {
        if let Difference::Missing(path) = difference
            && let Some(bytes) = bytes(locked, path)
        {
            missing.entry(bytes).or_default().push(path.clone());
        }
    }
    let mut gone = BTreeSet::new();
    let renamed: Vec<_> = differences
        .into_iter()
        .map(|difference| {
            let Difference::Extra(to) = &difference else { return difference };
            let from = bytes(found, to).and_then(|bytes| missing.get_mut(&bytes)?.pop());
            let Some(from) = from else { return difference };
            gone.insert(from.clone());
            Difference::Renamed { from, to: to.clone() }
        })
        .collect();
    let is_told = |difference: &Difference| match difference {
        Difference::Missing(path) => !gone.contains(path),
        _ => true,
    };
    renamed.into_iter().filter(is_told).collect()
}

fn difference(file: &Entry, lock: &Entry) -> Option<Difference> {
    let path = file.path.clone();
    if file.size != lock.size {
        return Some(Difference::Size { path, locked: lock.size, found: file.size });
    }
    (file.sha256 != lock.sha256).then_some(Difference::Content {
        path,
        size: file.size,
        locked: lock.sha256,
        found: file.sha256,
    })
}

/// The files that are there, to be looked up by the raw bytes of their paths.
pub struct Index<'a>(Vec<(Cow<'a, [u8]>, &'a Entry)>);

impl<'a> Index<'a> {
    /// Indexes `files`.
    pub fn new(files: &'a [Entry]) -> Self {
        let raw = |file: &'a Entry| match file.path.contains('\\') {
            true => Cow::Owned(raw_path(&file.path)),
            false => Cow::Borrowed(file.path.as_bytes()),
        };
        let mut index: Vec<_> = files.iter().map(|file| (raw(file), file)).collect();
        index.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Self(index)
    }

    /// Compares a claim of a list with the file it is about. None where they agree.
    pub fn broken(&self, claim: &Claim) -> Option<Broken> {
        let at = self.0.binary_search_by(|(path, _)| path.as_ref().cmp(&claim.path));
        let Some((_, file)) = at.ok().and_then(|at| self.0.get(at)) else {
            return Some(Broken::Missing);
        };
        (file.sha256 != claim.sha256).then(|| Broken::Content {
            path: file.path.clone(),
            size: file.size,
            found: file.sha256,
        })
    }
}

/// Writes a digest in hexadecimal digits.
pub fn hex(digest: &Digest) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// How a git-lfs pointer file starts.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// The most bytes a git-lfs pointer file has.
pub const MAX_POINTER: u64 = 1024;

/// Tells whether `content` is a git-lfs pointer file, which stands where the
/// real file was not fetched.
pub fn is_pointer(content: &[u8]) -> bool {
    content.strip_prefix(POINTER).is_some_and(|rest| matches!(rest, [b'\n' | b'\r', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        let mut parts = text.split(' ');
        let mut next = || parts.next().expect("a row is `path size byte`");
        let (path, size, byte) = (next().to_owned(), next(), next());
        let size = size.parse().expect("a number");
        Entry { path, size, sha256: [byte.parse().expect("a byte"); 32] }
    }

    fn entries(text: &str) -> Vec<Entry> {
        text.split(", ").filter(|part| !part.is_empty()).map(entry).collect()
    }

    fn show(differences: &[Difference]) -> String {
        let show = |difference: &Difference| match difference {
            Difference::Size { path, locked, found } => format!("{path} size {locked}→{found}"),
            Difference::Content { path, locked, found, .. } => {
                format!("{path} {}→{}", locked[0], found[0])
            }
            Difference::Missing(path) => format!("-{path}"),
            Difference::Extra(path) => format!("+{path}"),
            Difference::Renamed { from, to } => format!("{from}→{to}"),
        };
        differences.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn against_the_lock() {
        let rows = [
            ("a 1 1, b 2 2", "a 1 1, b 2 2", ""),
            ("", "", ""),
            ("a 1 1, b 2 9", "a 1 1, b 2 2", "b 2→9"),
            ("a 1 1, b 3 9", "a 1 1, b 2 2", "b size 2→3"),
            ("a 1 1, b 3 2", "a 1 1, b 2 2", "b size 2→3"),
            ("a 1 1", "a 1 1, b 2 2", "-b"),
            ("b 2 2", "a 1 1, b 2 2", "-a"),
            ("a 1 1, b 2 2", "b 2 2", "+a"),
            ("a 1 1, b 2 2", "", "+a +b"),
            ("", "a 1 1, b 2 2", "-a -b"),
            ("a 1 1, c 2 2", "a 1 1, b 2 2", "-b +c"),
            ("a 1 2, b 2 1", "a 1 1, b 2 2", "a 1→2 b 2→1"),
            ("a 1 1", "a 1 1, a 1 1", "-a"),
        ];
        for (found, locked, expected) in rows {
            assert_eq!(
                show(&with_lock(&entries(found), &entries(locked))),
                expected,
                "{found} | {locked}"
            );
        }
    }

    #[test]
    fn renamed_files_are_told_as_such() {
        let rows = [
            ("b 1 1", "a 1 1", "a→b"),
            ("a 1 1, b 1 1", "a 1 1", "+b"),
            ("b 1 1, c 1 1", "a 1 1", "a→b +c"),
            ("c 1 1", "a 1 1, b 1 1", "-b a→c"),
            ("b 2 1", "a 1 1", "-a +b"),
            ("b 0 1", "a 0 1", "-a +b"),
            ("a 1 2, b 1 1", "a 1 1, b 1 2", "a 1→2 b 2→1"),
        ];
        for (found, locked, expected) in rows {
            let (found, locked) = (entries(found), entries(locked));
            let told = renamed(with_lock(&found, &locked), &found, &locked);
            assert_eq!(show(&told), expected, "{found:?} | {locked:?}");
        }
    }

    #[test]
    fn tree_digest_is_the_lock_files() {
        // printf 'file 5 11…11 a\nfile 0 ff…ff é\n' | sha256sum
        let files = entries("a 5 17, é 0 255");
        assert_eq!(
            hex(&tree(&files)),
            "b39f4c15e7af7f341cf50115614f5f0c4519042940115edb1e9dc26d4668945d"
        );
    }

    #[test]
    fn edited_entries() {
        let rows = [
            ("a 1 1, b 2 2", true, 0),
            ("", true, 0),
            ("a 1 1, b 2 2", false, 1),
            ("a 1 1, a 1 1", true, 1),
        ];
        for (files, good, expected) in rows {
            let mut locked = entries(files);
            let stated = if good { tree(&locked) } else { [0; 32] };
            assert_eq!(edits(&mut locked, stated).len(), expected, "{files}");
        }
        let mut unsorted = entries("b 2 2, a 1 1");
        let stated = tree(&entries("a 1 1, b 2 2"));
        assert_eq!(edits(&mut unsorted, stated), []);
        assert_eq!(unsorted, entries("a 1 1, b 2 2"));
    }

    #[test]
    fn against_a_list() {
        let files = entries("a\\xff 1 1, b 2 2");
        let index = Index::new(&files);
        let claim = |path: &[u8], byte| Claim { line: 1, path: path.to_vec(), sha256: [byte; 32] };
        assert_eq!(index.broken(&claim(b"a\xff", 1)), None);
        assert_eq!(index.broken(&claim(b"b", 2)), None);
        assert_eq!(index.broken(&claim(b"a\\xff", 1)), Some(Broken::Missing));
        assert_eq!(index.broken(&claim(b"c", 1)), Some(Broken::Missing));
        let broken = Broken::Content { path: "b".into(), size: 2, found: [2; 32] };
        assert_eq!(index.broken(&claim(b"b", 3)), Some(broken));
    }

    #[test]
    fn pointers() {
        let rows: [(&[u8], bool); 5] = [
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", true),
            (b"version https://git-lfs.github.com/spec/v1", false),
            (b"version https://git-lfs.github.com/spec/v10\n", false),
            (b"", false),
            (b"\x80\x02}q\0.", false),
        ];
        for (content, expected) in rows {
            assert_eq!(is_pointer(content), expected, "{}", content.escape_ascii());
        }
    }
}
