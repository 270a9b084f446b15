//! The signed files against those that are there: which file counts as what, and
//! whether a signed one is what was signed.
//!
//! It leaves to others: reading files, and the words of the findings.

use std::collections::BTreeSet;

use modelhost_check::{Algorithm, Failure};

use crate::path::Paths;
use crate::statement::{ONLY_FILE, Part, Signed, Statement};

/// What git keeps at the root of a model; never part of a signature by default.
const GIT: [&[u8]; 4] = [b".git", b".gitignore", b".gitattributes", b".github"];

/// What the policy says of files that the signature does not cover.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    /// Paths that the policy leaves out.
    pub ignored: Paths,
    /// Whether to leave out git's own files at the model's root.
    pub git: bool,
    /// Whether to leave out whatever the signature does not list.
    pub unsigned: bool,
}

/// What one file of the model is to the signature.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It holds the signature.
    Signature,
    /// It was signed like this.
    Signed(&'a Signed),
    /// It is one of git's own.
    Git,
    /// It is left out, by the signer or by the policy.
    LeftOut,
    /// It should have been signed.
    Unsigned,
}

/// A statement, applied to the files of one model.
pub struct Inventory {
    statement: Statement,
    exceptions: Exceptions,
    signature: Vec<u8>,
}

impl Inventory {
    /// Applies `statement` to the files at `paths`, one of which, `signature`,
    /// holds it. Paths are in raw bytes.
    pub fn new(
        statement: Statement,
        exceptions: Exceptions,
        signature: Vec<u8>,
        paths: &[Vec<u8>],
    ) -> Self {
        let mut inventory = Self { statement, exceptions, signature };
        inventory.name_only_file(paths);
        inventory
    }

    /// Where the one signed file has no name, it is the one file of the model that
    /// should have been signed, if there is exactly one.
    fn name_only_file(&mut self, paths: &[Vec<u8>]) {
        if self.statement.files.len() != 1 {
            return;
        }
        let Some(signed) = self.statement.files.remove(ONLY_FILE.as_bytes()) else {
            return;
        };
        let covered = |path: &&Vec<u8>| {
            self.is_left_out(path) || self.is_git(path) || **path == self.signature
        };
        let mut candidates = paths.iter().filter(|path| !covered(path));
        let name = match (candidates.next(), candidates.next()) {
            (Some(path), None) => path.clone(),
            _ => ONLY_FILE.as_bytes().to_owned(),
        };
        self.statement.files.insert(name, signed);
    }

    /// Tells what the file at `path` is to the signature.
    pub fn standing(&self, path: &[u8]) -> Standing<'_> {
        if path == self.signature {
            return Standing::Signature;
        }
        if self.exceptions.ignored.cover(path) {
            return Standing::LeftOut;
        }
        if let Some(signed) = self.statement.files.get(path) {
            return Standing::Signed(signed);
        }
        if self.is_git(path) {
            return Standing::Git;
        }
        if self.exceptions.unsigned || self.is_left_out(path) {
            return Standing::LeftOut;
        }
        Standing::Unsigned
    }

    fn is_git(&self, path: &[u8]) -> bool {
        let top = path.split(|&byte| byte == b'/').next().unwrap_or_default();
        self.exceptions.git && GIT.contains(&top)
    }

    fn is_left_out(&self, path: &[u8]) -> bool {
        self.exceptions.ignored.cover(path) || self.statement.ignored.cover(path)
    }

    /// Returns the paths that were signed and are not among `paths`. One that the
    /// policy leaves out counts as missing: the signer says that it belongs there.
    pub fn missing(&self, paths: &[Vec<u8>]) -> Vec<&[u8]> {
        let mut there: BTreeSet<&[u8]> = BTreeSet::new();
        for path in paths {
            if matches!(self.standing(path), Standing::Signed(_)) {
                there.insert(path);
            }
        }
        let signed = self.statement.files.keys().map(Vec::as_slice);
        signed.filter(|path| !there.contains(path)).collect()
    }

    /// Returns the statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
}

/// How a file differs from what was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has other content.
    Content,
    /// It was signed with this size, and has another.
    Size(u64),
    /// It differs within this part, from its start to its end.
    Part(u64, u64),
}

/// Compares a file of `size` bytes with what was signed. `digest` computes a digest
/// of a range of it, or of all; those of parts are by `algorithm`.
///
/// # Errors
/// What `digest` says.
pub fn change(
    signed: &Signed,
    algorithm: Algorithm,
    size: u64,
    mut digest: impl FnMut(Algorithm, Option<(u64, u64)>) -> Result<Vec<u8>, Failure>,
) -> Result<Option<Change>, Failure> {
    let parts = match signed {
        Signed::Whole(digests) => {
            // None at all would be as if nothing was signed.
            let mut is_same = !digests.is_empty();
            for (algorithm, expected) in digests {
                is_same &= digest(*algorithm, None)? == *expected;
            }
            return Ok((!is_same).then_some(Change::Content));
        }
        Signed::Parts(parts) => parts,
    };
    let end = parts.last().map_or(0, |part| part.end);
    if end != size {
        return Ok(Some(Change::Size(end)));
    }
    for Part { start, end, digest: expected } in parts {
        if digest(algorithm, Some((*start, end - start)))? != *expected {
            return Ok(Some(Change::Part(*start, *end)));
        }
    }
    Ok(None)
}

/// The largest file that counts as text.
pub const MAX_TEXT: u64 = 10 << 20;

/// Endings of files that are text and yet run when a model is loaded or used, as they
/// stand or once compiled.
const CODE: [&str; 28] = [
    "py", "pyi", "pyx", "ipynb", "sh", "bash", "zsh", "js", "mjs", "cjs", "ts", "lua", "rb", "pl",
    "ps1", "bat", "cmd", "c", "cc", "cpp", "cu", "h", "hpp", "go", "rs", "java", "jl", "r",
];

/// Endings of files that loaders take for weights. One that holds text is none, or is
/// one in a form that is text, as the first form of pickles is.
const WEIGHTS: [&str; 16] = [
    "pt",
    "pth",
    "pkl",
    "pickle",
    "ckpt",
    "joblib",
    "dill",
    "safetensors",
    "gguf",
    "ggml",
    "h5",
    "keras",
    "onnx",
    "npy",
    "npz",
    "msgpack",
];

/// Tells whether a file may be left out of a signature without a word of warning:
/// text that is neither code nor named like weights. None of the content: it is too
/// large.
pub fn is_companion(path: &str, content: Option<&[u8]>) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let is_loaded =
        |ending: String| CODE.contains(&ending.as_str()) || WEIGHTS.contains(&ending.as_str());
    let is_code =
        ending.is_some_and(is_loaded) || content.is_some_and(|content| content.starts_with(b"#!"));
    !is_code
        && content.is_some_and(|content| str::from_utf8(content).is_ok() && !content.contains(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(
        signed: &[&str],
        left_out: &[&str],
        exceptions: Exceptions,
        paths: &[&str],
    ) -> Inventory {
        let raw =
            |paths: &[&str]| paths.iter().map(|path| path.as_bytes().to_vec()).collect::<Vec<_>>();
        let statement = Statement {
            algorithm: Algorithm::Sha256,
            follows_links: false,
            ignored: left_out.iter().copied().collect(),
            files: signed
                .iter()
                .map(|path| (path.as_bytes().to_vec(), Signed::Whole(vec![])))
                .collect(),
        };
        Inventory::new(statement, exceptions, b"model.sig".to_vec(), &raw(paths))
    }

    /// Shows each file with what it is, and what is missing.
    fn show(signed: &[&str], left_out: &[&str], exceptions: Exceptions, paths: &[&str]) -> String {
        let inventory = inventory(signed, left_out, exceptions, paths);
        let show = |path: &&str| match inventory.standing(path.as_bytes()) {
            Standing::Signature => "signature".to_owned(),
            Standing::Signed(_) => format!("{path}=signed"),
            Standing::Git => format!("{path}=git"),
            Standing::LeftOut => format!("{path}=out"),
            Standing::Unsigned => format!("{path}=unsigned"),
        };
        let raw: Vec<_> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
        let missing = inventory.missing(&raw);
        let missing = missing.iter().map(|path| format!("-{}", path.escape_ascii()));
        paths.iter().map(show).chain(missing).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn standings() {
        let git = || Exceptions { git: true, ..Exceptions::default() };
        let ignoring = |path: &str| Exceptions { ignored: [path].into_iter().collect(), ..git() };
        let unsigned = || Exceptions { unsigned: true, ..git() };
        let rows = [
            (show(&["a"], &[], git(), &["a", "b", "model.sig"]), "a=signed b=unsigned signature"),
            (show(&["a", "b"], &[], git(), &["a"]), "a=signed -b"),
            (show(&["a"], &[], unsigned(), &["a", "b"]), "a=signed b=out"),
            (show(&["a", "b"], &[], unsigned(), &["a"]), "a=signed -b"),
            // What is left out: from the root, with all below, and nothing like it.
            (
                show(&["a"], &["logs"], git(), &["a", "logs", "logs/x/y", "logs2", "b/logs"]),
                "a=signed logs=out logs/x/y=out logs2=unsigned b/logs=unsigned",
            ),
            (show(&["a", "logs/x"], &["logs"], git(), &["a", "logs/x"]), "a=signed logs/x=signed"),
            (
                show(&["a"], &[], ignoring("b"), &["a", "b", "b/c", "bc"]),
                "a=signed b=out b/c=out bc=unsigned",
            ),
            (show(&["a", "b"], &[], ignoring("b"), &["a", "b"]), "a=signed b=out -b"),
            (show(&["a"], &[], ignoring("model.sig"), &["a", "model.sig"]), "a=signed signature"),
            // Git's files at the root.
            (
                show(
                    &["a"],
                    &[],
                    git(),
                    &[".git/HEAD", ".github/x", ".gitignore", ".gitmodules", "b/.git/x", "a"],
                ),
                ".git/HEAD=git .github/x=git .gitignore=git .gitmodules=unsigned b/.git/x=unsigned a=signed",
            ),
            (
                show(&["a"], &[], Exceptions::default(), &[".git/HEAD", "a"]),
                ".git/HEAD=unsigned a=signed",
            ),
            (
                show(&["a", ".gitignore"], &[], git(), &[".gitignore", "a"]),
                ".gitignore=signed a=signed",
            ),
            // A signature can't sign the file it stands in.
            (
                show(&["a", "model.sig"], &[], git(), &["a", "model.sig"]),
                "a=signed signature -model.sig",
            ),
            // One file without a name.
            (
                show(&["."], &[], git(), &["a", "model.sig", ".gitignore"]),
                "a=signed signature .gitignore=git",
            ),
            (show(&["."], &["b"], git(), &["a", "b"]), "a=signed b=out"),
            (show(&["."], &[], git(), &["a", "b"]), "a=unsigned b=unsigned -."),
            (show(&["."], &[], git(), &["model.sig"]), "signature -."),
            (show(&[".", "a"], &[], git(), &["a", "b"]), "a=signed b=unsigned -."),
        ];
        for (shown, expected) in rows {
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn changes() {
        // The digest of a range is its start and its length.
        let digest = |_, range: Option<(u64, u64)>| {
            let (start, length) = range.unwrap_or((0, 9));
            Ok([start, length].map(|number| u8::try_from(number).expect("a small number")).to_vec())
        };
        let whole = |digests: &[[u8; 2]]| {
            let digests = digests.iter().map(|digest| (Algorithm::Sha256, digest.to_vec()));
            Signed::Whole(digests.collect())
        };
        let part = |start, end, digest: [u8; 2]| Part { start, end, digest: digest.to_vec() };
        let rows = [
            (whole(&[[0, 9]]), 9, None),
            (whole(&[[0, 9], [0, 9]]), 9, None),
            (whole(&[[0, 8]]), 9, Some(Change::Content)),
            (whole(&[[0, 9], [0, 8]]), 9, Some(Change::Content)),
            (whole(&[]), 9, Some(Change::Content)),
            (Signed::Parts(vec![part(0, 4, [0, 4]), part(4, 6, [4, 2])]), 6, None),
            (
                Signed::Parts(vec![part(0, 4, [0, 4]), part(4, 6, [4, 3])]),
                6,
                Some(Change::Part(4, 6)),
            ),
            (Signed::Parts(vec![part(0, 4, [0, 4])]), 5, Some(Change::Size(4))),
            (Signed::Parts(vec![part(0, 4, [0, 4])]), 3, Some(Change::Size(4))),
            (Signed::Parts(vec![]), 1, Some(Change::Size(0))),
        ];
        for (signed, size, expected) in rows {
            assert_eq!(
                change(&signed, Algorithm::Sha256, size, digest).expect("no failure"),
                expected,
                "{signed:?}"
            );
        }
        let failing = |_, _| Err(Failure::Unreadable("gone".into()));
        assert!(change(&whole(&[[0, 9]]), Algorithm::Sha256, 1, failing).is_err());
    }

    #[test]
    fn companions() {
        let rows: [(&str, Option<&[u8]>, bool); 13] = [
            ("README.md", Some(b"# Model"), true),
            ("logs/x", Some(b""), true),
            ("cache.bin", Some("é".as_bytes()), true),
            ("modeling.py", Some(b"import os"), false),
            ("Modeling.PY", Some(b""), false),
            ("kernel.cu", Some(b"// text"), false),
            ("model.pkl", Some(b"cos\nsystem\n(S'x'\ntR."), false),
            ("a/model.CKPT", Some(b"text"), false),
            ("run", Some(b"#!/bin/sh\n"), false),
            ("model.bin", Some(b"\x80\x02."), false),
            ("model.txt", Some(b"a\0b"), false),
            ("model.txt", None, false),
            ("a.py/notes", Some(b"x"), true),
        ];
        for (path, content, expected) in rows {
            assert_eq!(is_companion(path, content), expected, "{path}");
        }
    }
}
