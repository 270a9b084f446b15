//! [`Claims`]: what a format says of a model's files, in one form for all.
//!
//! Leaves reading them to the formats, and comparing them with files to `check`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Format, ImportError};
use crate::domain::model::FilePath;

/// The most files that are claimed of one model: as many as a lock file of its
/// largest size can list.
const MAX_FILES: usize = 1_000_000;

/// The algorithms that claims come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// FIPS 180-4.
    Sha256,
    /// FIPS 180-4.
    Sha512,
    /// RFC 7693, unkeyed, 64 bytes.
    Blake2b512,
    /// BLAKE3, default mode.
    Blake3,
    /// SHA-1 over the bytes alone.
    Sha1,
    /// RFC 1321.
    Md5,
    /// SHA-1 over git's header of a blob and the content.
    GitBlob,
    /// As [`Algorithm::GitBlob`], of the file or of the git-lfs pointer to it:
    /// git's index does not say which of both it keeps.
    GitBlobOrPointer,
}

impl Algorithm {
    /// Returns how many bytes its digests have.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha512 | Self::Blake2b512 => 64,
            Self::Sha1 | Self::GitBlob | Self::GitBlobOrPointer => 20,
            Self::Md5 => 16,
        }
    }

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Blake2b512 => "blake2b",
            Self::Blake3 => "blake3",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::GitBlob | Self::GitBlobOrPointer => "git-sha1",
        }
    }

    /// Returns whether two files of one digest can be made on purpose.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Sha1 | Self::Md5 | Self::GitBlob | Self::GitBlobOrPointer)
    }

    /// Reads a digest of it from hexadecimal digits; none for any other number of
    /// them.
    pub(super) fn parse(self, hex: &str) -> Option<Vec<u8>> {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
        if hex.len() != 2 * self.length() {
            return None;
        }
        hex.as_bytes()
            .chunks_exact(2)
            .map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?))
            .collect()
    }
}

/// One digest that is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedDigest {
    /// Of which algorithm.
    pub algorithm: Algorithm,
    /// Of which bytes; none for the whole file.
    pub range: Option<Range<u64>>,
    /// The digest: as many bytes as the algorithm's have.
    pub value: Vec<u8>,
}

/// What is claimed of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where it is, relative to [`Claims::base`].
    pub path: FilePath,
    /// Its size in bytes, where that is claimed.
    pub size: Option<u64>,
    /// Its digests, of which all have to be right; at least one.
    pub digests: Vec<ClaimedDigest>,
}

/// What a format says of a model's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Which format; none while it is being read.
    pub format: Option<Format>,
    /// Where the model is from, such as `hf:org/name`, where that is said.
    pub source: Option<String>,
    /// What was asked for and may move, such as a tag.
    pub requested: Option<String>,
    /// The immutable revision, where one is said.
    pub revision: Option<String>,
    /// The claims, sorted by path.
    pub files: Vec<Claim>,
    /// Files that say this and can't claim themselves, sorted.
    pub beside: Vec<FilePath>,
    /// What a person should know of it: what the claims are not.
    pub notes: Vec<String>,
    /// What paths are relative to, in the opened folder.
    pub base: PathBuf,
    /// Where the model is in the opened folder, where nobody says otherwise.
    pub model: PathBuf,
}

impl Claims {
    /// Adds what is claimed of the file at `path`, raw bytes of names joined by
    /// `/`; `place` is where that is said.
    ///
    /// # Errors
    /// Says that the path leads out of the model, that something was claimed of it
    /// already, or that there is too much.
    pub(super) fn add(
        &mut self,
        path: &[u8],
        size: Option<u64>,
        digests: Vec<ClaimedDigest>,
        place: &Path,
    ) -> Result<(), ImportError> {
        let path = plain(path).map_err(|why| ImportError::malformed(place, why))?;
        if self.files.len() >= MAX_FILES {
            let path = place.to_owned();
            return Err(ImportError::TooMuch { path, most: MAX_FILES as u64, what: "files" });
        }
        self.files.push(Claim { path, size, digests });
        Ok(())
    }

    /// Adds a file that says what is claimed.
    pub(super) fn add_beside(&mut self, path: &Path) {
        use std::os::unix::ffi::OsStrExt as _;
        if let Ok(path) = plain(path.as_os_str().as_bytes()) {
            self.beside.push(path);
        }
    }

    /// Sorts, and finds what is claimed twice: `place` is where that is said.
    ///
    /// # Errors
    /// Says of which file something is claimed twice.
    pub(super) fn sort(&mut self, place: &Path) -> Result<(), ImportError> {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.beside.sort();
        self.beside.dedup();
        let twice = self.files.array_windows().find(|[a, b]| a.path == b.path);
        match twice {
            Some([first, _]) => {
                let message = format!("something is claimed of `{}` twice", first.path);
                Err(ImportError::malformed(place, message))
            }
            None => Ok(()),
        }
    }

    /// Notes what the claims are not.
    pub(super) fn finish(&mut self, format: Format) {
        self.format = Some(format);
        let mut weak: BTreeMap<&str, usize> = BTreeMap::new();
        for claim in &self.files {
            if claim.digests.iter().all(|digest| digest.algorithm.is_weak())
                && let Some(digest) = claim.digests.first()
            {
                *weak.entry(digest.algorithm.name()).or_default() += 1;
            }
        }
        for (name, count) in weak {
            self.notes.push(format!(
                "{count} {} claimed by {name} alone, which tells damage and not an attacker's \
                 work; the lock file has the SHA-256 of what is here",
                if count == 1 { "file is" } else { "files are" }
            ));
        }
    }

    /// Returns them as claims of the files of a model that is at `model` in the
    /// opened folder, where those below it are meant; or above what paths are
    /// relative to.
    pub fn below(mut self, model: &Path) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        let start = |path: &Path| {
            let mut start = FilePath::from_bytes(path.as_os_str().as_bytes()).as_str().to_owned();
            if !start.is_empty() {
                start.push('/');
            }
            start
        };
        let moved: Moved = if let Ok(below) = model.strip_prefix(&self.base) {
            let start = start(below);
            Box::new(move |path| {
                let rest = path.as_str().strip_prefix(&start)?;
                Some(FilePath::from_written(rest.to_owned()))
            })
        } else if let Ok(above) = self.base.strip_prefix(model) {
            let start = start(above);
            Box::new(move |path| Some(FilePath::from_written(format!("{start}{path}"))))
        } else {
            return self;
        };
        let files = std::mem::take(&mut self.files).into_iter();
        self.files =
            files.filter_map(|claim| Some(Claim { path: moved(&claim.path)?, ..claim })).collect();
        self.beside = self.beside.iter().filter_map(moved).collect();
        self
    }
}

/// Where a path is, seen from the model; none where it is outside.
type Moved = Box<dyn Fn(&FilePath) -> Option<FilePath>>;

/// Takes the raw bytes of names, joined by `/`, for the path of a file below its
/// model.
fn plain(raw: &[u8]) -> Result<FilePath, String> {
    let path = FilePath::from_bytes(raw);
    let is_below = raw.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."));
    if raw.contains(&0) || raw.len() > 4096 || !is_below {
        return Err(format!(
            "`{path}` is no path of a file below the model: relative, without `.`, `..` and empty \
             parts, 4096 bytes at most"
        ));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(paths: &[&str]) -> Claims {
        let mut claims = Claims::default();
        for path in paths {
            claims.add(path.as_bytes(), None, Vec::new(), Path::new("list")).unwrap();
        }
        claims
    }

    #[test]
    fn paths_stay_below_the_model() {
        let long = "a".repeat(4097);
        for bad in ["", "/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "a\0b", &long] {
            let mut claims = Claims::default();
            let error = claims.add(bad.as_bytes(), None, Vec::new(), Path::new("list"));
            assert!(error.unwrap_err().to_string().contains("list: "), "{bad:?}");
        }
        let good = claims(&["a", "a b/ c", "..a/b..", "é"]);
        assert_eq!(good.files.len(), 4);
    }

    #[test]
    fn nothing_is_claimed_twice() {
        assert!(claims(&["b", "a"]).sort(Path::new("list")).is_ok());
        let error = claims(&["b", "a", "b"]).sort(Path::new("list")).unwrap_err();
        assert_eq!(error.to_string(), "list: something is claimed of `b` twice");
    }

    #[test]
    fn claims_are_moved_to_the_model() {
        let rows = [
            ("", "", "m/a m/b/c d"),
            ("", "m", "a b/c"),
            ("", "m/b", "c"),
            ("x", "", "x/m/a x/m/b/c x/d"),
            ("x", "x/m", "a b/c"),
            ("x", "other", "m/a m/b/c d"),
        ];
        for (base, model, expected) in rows {
            let mut all = claims(&["m/a", "m/b/c", "d"]);
            all.base = base.into();
            let moved = all.below(Path::new(model));
            let paths: Vec<&str> = moved.files.iter().map(|claim| claim.path.as_str()).collect();
            assert_eq!(paths.join(" "), expected, "{base} {model}");
        }
    }

    #[test]
    fn digests_have_their_length() {
        let hex = "Ab".repeat(20);
        assert_eq!(Algorithm::GitBlob.parse(&hex), Some(vec![0xab; 20]));
        for bad in [&hex[1..], &hex[2..], &hex.replace('A', "g"), "", "é"] {
            assert_eq!(Algorithm::GitBlob.parse(bad), None, "{bad}");
        }
    }
}
