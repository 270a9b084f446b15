//! Files held against claims: what differs, each by the name of the rule that a
//! run would report it by.
//!
//! Owns what a claim means for a file, and what the lock file notes of a claim
//! that holds. Leaves computing digests to whoever calls.

use std::collections::BTreeMap;
use std::ops::Range;

use super::claims::{Algorithm, Claim, ClaimedDigest, Claims};
use super::{Format, git_lfs};
use crate::domain::digest::{Blake3, Digest};
use crate::domain::model::FilePath;
use crate::domain::text::GuestText;
use crate::domain::upstream::Upstream;

/// A file of the model, as it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is in the model.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// Whether it is a git-lfs pointer.
    pub is_pointer: bool,
}

/// One way in which the model is not what is claimed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The rule that a run would report it by.
    pub rule: String,
    /// Where; none for the whole model.
    pub path: Option<FilePath>,
    /// What differs.
    pub message: String,
}

impl Difference {
    /// Makes one, of a rule of `checksum`.
    pub fn new(rule: &str, path: Option<&FilePath>, message: impl Into<String>) -> Self {
        Self { rule: format!("checksum/{rule}"), path: path.cloned(), message: message.into() }
    }
}

/// What the lock file is to note of a file: the claim that it was held against,
/// and its BLAKE3 where that was claimed.
pub type Noted = (Option<Upstream>, Option<Blake3>);

/// Computes a digest of the file at an index: of a range, or of all of it.
pub type Digests<'a> =
    &'a mut dyn FnMut(usize, Algorithm, Option<Range<u64>>) -> Result<Vec<u8>, String>;

/// Holds `files`, sorted by path, against `claims`: closed world, so a file that
/// nothing claims differs too. Returns what the lock file is to note of each.
///
/// # Errors
/// Returns every difference.
pub fn check(
    claims: &Claims,
    files: &[Found],
    digest: Digests<'_>,
) -> Result<Vec<Noted>, Vec<Difference>> {
    let mut differences = twins(files);
    let mut noted = vec![(None, None); files.len()];
    for claim in &claims.files {
        let Ok(index) = files.binary_search_by(|file| file.path.cmp(&claim.path)) else {
            differences.push(missing(claim));
            continue;
        };
        let (Some(file), Some(note)) = (files.get(index), noted.get_mut(index)) else { continue };
        let mut of = |algorithm, range| digest(index, algorithm, range);
        match hold(claims.format, claim, file, &mut of) {
            Ok(held) => *note = held,
            Err(difference) => differences.push(difference),
        }
    }
    for file in files {
        let is_claimed = claims.files.binary_search_by(|claim| claim.path.cmp(&file.path)).is_ok();
        if !is_claimed && claims.beside.binary_search(&file.path).is_err() {
            let message = "nothing is claimed of this file: it is not of the model, or was added";
            differences.push(Difference::new("extra-file", Some(&file.path), message));
        }
    }
    differences.sort_by(|a, b| (&a.path, &a.rule).cmp(&(&b.path, &b.rule)));
    if differences.is_empty() { Ok(noted) } else { Err(differences) }
}

fn missing(claim: &Claim) -> Difference {
    let message = match claim.size {
        Some(size) => format!("this file of {size} bytes is claimed, and is not here: fetch it"),
        None => "this file is claimed, and is not here: fetch it".to_owned(),
    };
    Difference::new("missing-file", Some(&claim.path), message)
}

/// Finds files whose paths are one where case makes no difference.
fn twins(files: &[Found]) -> Vec<Difference> {
    let mut seen: BTreeMap<String, &FilePath> = BTreeMap::new();
    let mut twins = Vec::new();
    for file in files {
        if let Some(first) = seen.insert(file.path.as_str().to_lowercase(), &file.path) {
            let message =
                format!("it is `{first}` where case makes no difference: one replaces the other");
            twins.push(Difference::new("case-collision", Some(&file.path), message));
        }
    }
    twins
}

/// Computes a digest of one file: of a range, or of all of it.
type OfFile<'a> = &'a mut dyn FnMut(Algorithm, Option<Range<u64>>) -> Result<Vec<u8>, String>;

/// Holds `file` against `claim`: what can be told without its digest first.
fn hold(
    format: Option<Format>,
    claim: &Claim,
    file: &Found,
    of: OfFile<'_>,
) -> Result<Noted, Difference> {
    let differs = |rule: &str, message: String| Difference::new(rule, Some(&file.path), message);
    if file.is_pointer {
        let what = match claim.size.filter(|size| *size != file.size) {
            Some(size) => format!("the file of {size} bytes"),
            None => "the file".to_owned(),
        };
        return Err(differs(
            "lfs-pointer",
            format!("this is a git-lfs pointer, and {what} was never fetched: run `git lfs pull`"),
        ));
    }
    if let Some(size) = claim.size.filter(|size| *size != file.size) {
        let message = format!("it has {} bytes, and {size} are claimed", file.size);
        return Err(differs("size-mismatch", message));
    }
    let mut noted = (None, None);
    for claimed in &claim.digests {
        let computed = if claimed.algorithm == Algorithm::Sha256 && claimed.range.is_none() {
            file.sha256.as_bytes().to_vec()
        } else {
            let range = claimed.range.clone();
            of(claimed.algorithm, range).map_err(|why| differs("digest-mismatch", why))?
        };
        if computed != claimed.value {
            if claimed.algorithm == Algorithm::GitBlobOrPointer && pointer_id(file) == claimed.value
            {
                noted.0 = Some(Upstream::LfsSha256);
                continue;
            }
            return Err(differs("digest-mismatch", mismatch(claimed, &computed)));
        }
        if claimed.range.is_none() && claimed.algorithm == Algorithm::Blake3 {
            noted.1 = computed.try_into().ok().map(Blake3::from_bytes);
        }
        noted.0 = upstream(format, claimed).or(noted.0);
    }
    Ok(noted)
}

fn mismatch(claimed: &ClaimedDigest, computed: &[u8]) -> String {
    let place = match &claimed.range {
        Some(range) => format!("bytes {} to {} have", range.start, range.end),
        None => "it has".to_owned(),
    };
    let (name, computed) = (claimed.algorithm.name(), hex(computed));
    format!("{place} the {name} {computed}, and {} is claimed", hex(&claimed.value))
}

fn hex(bytes: &[u8]) -> GuestText {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
    let hex: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect();
    GuestText::capped(&hex)
}

/// Computes the id that git gives the git-lfs pointer to `file`.
fn pointer_id(file: &Found) -> Vec<u8> {
    use sha1::{Digest as _, Sha1};
    let pointer = git_lfs::pointer(&file.sha256.hex(), file.size);
    let mut state = Sha1::new();
    state.update(format!("blob {}\0{pointer}", pointer.len()));
    state.finalize().to_vec()
}

/// Returns what the lock file notes of a claim that holds.
fn upstream(format: Option<Format>, claimed: &ClaimedDigest) -> Option<Upstream> {
    let value = claimed.value.as_slice();
    match (format?, claimed.algorithm) {
        (Format::Sums, Algorithm::Blake3) => Some(Upstream::B3Sums),
        (Format::Sums, _) => Some(Upstream::Sums),
        (Format::Oms, _) => Some(Upstream::Oms),
        (Format::Oci | Format::Ollama, _) => {
            Some(Upstream::OciLayer(Digest::from_bytes(value.try_into().ok()?)))
        }
        (Format::Dvc, _) => Some(Upstream::DvcMd5(value.try_into().ok()?)),
        (Format::HubCache | Format::HubFolder | Format::GitLfs, algorithm) => match algorithm {
            Algorithm::Sha256 => Some(Upstream::LfsSha256),
            _ => Some(Upstream::GitSha1(value.try_into().ok()?)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, content: &[u8]) -> Found {
        Found {
            path: FilePath::from_bytes(path.as_bytes()),
            size: content.len() as u64,
            sha256: Digest::of(content),
            is_pointer: content.starts_with(b"version https://git-lfs"),
        }
    }

    fn claim(path: &str, size: Option<u64>, content: &[u8]) -> Claim {
        let value = Digest::of(content).as_bytes().to_vec();
        let digest = ClaimedDigest { algorithm: Algorithm::Sha256, range: None, value };
        Claim { path: FilePath::from_bytes(path.as_bytes()), size, digests: vec![digest] }
    }

    fn rules(claims: Vec<Claim>, files: &[Found]) -> String {
        let beside = vec![FilePath::from_bytes(b"SUMS")];
        let claims =
            Claims { format: Some(Format::Sums), files: claims, beside, ..Claims::default() };
        match check(&claims, files, &mut |_, _, _| Err("not asked for".to_owned())) {
            Ok(noted) => {
                let show = |(upstream, _): &Noted| match upstream {
                    Some(upstream) => upstream.to_string(),
                    None => "-".to_owned(),
                };
                noted.iter().map(show).collect::<Vec<_>>().join(" ")
            }
            Err(differences) => {
                let show = |difference: &Difference| {
                    let path = difference.path.as_ref().map(ToString::to_string);
                    let rule = difference.rule.strip_prefix("checksum/").unwrap();
                    format!("{rule}:{}", path.unwrap_or_default())
                };
                differences.iter().map(show).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn every_difference_has_its_rule() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
        let a = || claim("a", Some(1), b"x");
        let rows: [(Vec<Claim>, Vec<Found>, &str); 9] = [
            (vec![a()], vec![found("a", b"x")], "sums"),
            (vec![a()], vec![found("SUMS", b"-"), found("a", b"x")], "- sums"),
            (vec![a()], vec![found("a", b"y")], "digest-mismatch:a"),
            (vec![a()], vec![found("a", b"xy")], "size-mismatch:a"),
            (vec![a()], vec![], "missing-file:a"),
            (vec![a()], vec![found("a", b"x"), found("b", b"")], "extra-file:b"),
            (vec![a()], vec![found("a", pointer)], "lfs-pointer:a"),
            (vec![a()], vec![found("b", b"x")], "missing-file:a extra-file:b"),
            (
                vec![claim("A", None, b"x"), a()],
                vec![found("A", b"x"), found("a", b"x")],
                "case-collision:a",
            ),
        ];
        for (claims, files, expected) in rows {
            assert_eq!(rules(claims, &files), expected);
        }
    }

    #[test]
    fn git_may_keep_the_file_or_the_pointer_to_it() {
        let file = found("a", b"weights");
        let of = |value: Vec<u8>| {
            let algorithm = Algorithm::GitBlobOrPointer;
            let digests = vec![ClaimedDigest { algorithm, range: None, value }];
            let claim = Claim { path: file.path.clone(), size: None, digests };
            let blob = || vec![1; 20];
            hold(Some(Format::GitLfs), &claim, &file, &mut |_, _| Ok(blob()))
        };
        assert_eq!(of(vec![1; 20]), Ok((Some(Upstream::GitSha1([1; 20])), None)));
        assert_eq!(of(pointer_id(&file)), Ok((Some(Upstream::LfsSha256), None)));
        assert_eq!(of(vec![2; 20]).unwrap_err().rule, "checksum/digest-mismatch");
    }
}
