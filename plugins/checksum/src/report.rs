//! The rules of the check, and the words in which a difference is told.
//!
//! It leaves to others: finding the differences.

use modelhost_check::{Finding, Location, Rule, Severity};

use crate::compare::{Broken, Difference, Edit, hex};
use crate::names::Twins;
use crate::narrow::Where;
use crate::shards::Inconsistency;
use crate::sums::{Claim, Problem};

const DIGEST_MISMATCH: Rule = Rule::new("digest-mismatch", Severity::High);
const SIZE_MISMATCH: Rule = Rule::new("size-mismatch", Severity::High);
const MISSING_FILE: Rule = Rule::new("missing-file", Severity::High);
const EXTRA_FILE: Rule = Rule::new("extra-file", Severity::High);
const LOCK_EDITED: Rule = Rule::new("lock-edited", Severity::High);
const LOCK_STALE: Rule = Rule::new("lock-stale", Severity::High);
const NOT_LOCKED: Rule = Rule::new("not-locked", Severity::Low);
const SIDECAR_MISMATCH: Rule = Rule::new("sidecar-mismatch", Severity::High);
const SIDECAR_MISSING_FILE: Rule = Rule::new("sidecar-missing-file", Severity::Medium);
const SIDECAR_MALFORMED: Rule = Rule::new("sidecar-malformed", Severity::Medium);
const SIDECAR_UNSUPPORTED: Rule = Rule::new("sidecar-unsupported", Severity::Low);
const HASH_WEAK: Rule = Rule::new("hash-weak", Severity::Low);
const LFS_POINTER: Rule = Rule::new("lfs-pointer", Severity::High);
const RENAMED_FILE: Rule = Rule::new("renamed-file", Severity::High);
const CASE_COLLISION: Rule = Rule::new("case-collision", Severity::Medium);
const UNICODE_COLLISION: Rule = Rule::new("unicode-collision", Severity::Medium);
const PATH_UNSAFE: Rule = Rule::new("path-unsafe", Severity::Medium);
const INDEX_INCONSISTENT: Rule = Rule::new("index-inconsistent", Severity::Medium);

/// All rules of the check, in the order of its manifest.
pub const RULES: [Rule; 18] = [
    DIGEST_MISMATCH,
    SIZE_MISMATCH,
    LFS_POINTER,
    RENAMED_FILE,
    MISSING_FILE,
    EXTRA_FILE,
    LOCK_EDITED,
    LOCK_STALE,
    NOT_LOCKED,
    CASE_COLLISION,
    UNICODE_COLLISION,
    PATH_UNSAFE,
    INDEX_INCONSISTENT,
    SIDECAR_MISMATCH,
    SIDECAR_MISSING_FILE,
    SIDECAR_MALFORMED,
    SIDECAR_UNSUPPORTED,
    HASH_WEAK,
];

/// The most ranges, or tensors, that one message names.
const MAX_TOLD: usize = 8;

/// The algorithms that no digest is to be trusted of.
const WEAK: [&str; 2] = ["MD5", "SHA-1"];

const PULL: &str =
    "the file is a git-lfs pointer, the real one was never fetched: run `git lfs pull`";
const RESTORE: &str = "put back the locked file; if the change is wanted, run `modelhost lock` and have the diff reviewed";
const RELOCK: &str =
    "run `modelhost lock`, the only writer of the lock file, and have the diff reviewed";

/// Reports that the model has no lock entry.
pub fn not_locked() -> Finding {
    NOT_LOCKED
        .finding(
            Location::model(),
            "the model isn't pinned: no lock entry says which files it should have",
        )
        .help("run `modelhost lock` and commit `modelhost.lock`")
}

/// Reports that the lock entry was made for another source or revision.
pub fn stale(what: &str, asked: &str, locked: Option<&str>) -> Finding {
    let locked = locked.map_or("none".to_owned(), |locked| format!("`{locked}`"));
    let message =
        format!("the policy asks for {what} `{asked}`, and the lock entry was made for {locked}");
    LOCK_STALE
        .finding(Location::model(), message)
        .help("fetch the files of that revision and run `modelhost lock`")
}

/// Reports what is wrong with the lock entry in itself.
pub fn edited(edit: &Edit) -> Finding {
    let (location, message) = match edit {
        Edit::Tree { stated, computed } => (
            Location::model(),
            format!(
                "the lock entry states the tree digest sha256:{}, and that of its files is sha256:{}",
                hex(stated),
                hex(computed)
            ),
        ),
        Edit::Twice(path) => {
            (Location::path(path), "the lock entry lists this file twice".to_owned())
        }
    };
    LOCK_EDITED.finding(location, message).help(RELOCK)
}

/// Reports a difference from the lock entry. `pointer`: the file that is there
/// is a git-lfs pointer.
pub fn differs(difference: &Difference, pointer: bool, place: Option<&Where>) -> Finding {
    let help = RESTORE;
    match difference {
        Difference::Size { path, .. } | Difference::Content { path, .. } if pointer => {
            let message = "the file is a git-lfs pointer, and not the locked file that it stands for";
            LFS_POINTER.finding(Location::path(path), message).help(PULL)
        }
        Difference::Size { path, locked, found } => {
            let message = format!("the file has {found} bytes, and was locked with {locked}");
            SIZE_MISMATCH.finding(Location::path(path), message).help(help)
        }
        Difference::Content { path, locked, found, .. } => {
            let mut message = format!("the digest is sha256:{}, and was locked as sha256:{}", hex(found), hex(locked));
            let mut location = Location::path(path);
            if let Some(place) = place {
                message.push_str(&narrowed(place));
                if let Some(first) = place.ranges.first() {
                    location = location.offset(first.start);
                }
            }
            DIGEST_MISMATCH.finding(location, message).help(help)
        }
        Difference::Missing(path) => {
            MISSING_FILE.finding(Location::path(path), "the file is locked, and the model does not have it").help(RESTORE)
        }
        Difference::Renamed { from, to } => {
            let message = format!("the file has the bytes that were locked as `{from}`, which the model does not have: it was renamed or moved");
            RENAMED_FILE.finding(Location::path(to), message).help(format!("name it `{from}` again; if the change is wanted, run `modelhost lock` and have the diff reviewed"))
        }
        Difference::Extra(path) => EXTRA_FILE
            .finding(Location::path(path), "the model has this file, and it was not there when the model was locked")
            .help("remove the file; if it belongs there, run `modelhost lock` and have the diff reviewed"),
    }
}

/// Says where a file differs: the ranges of bytes, and what lies in them.
fn narrowed(place: &Where) -> String {
    let mut text = String::from("; it differs within bytes ");
    push_some(
        &mut text,
        place.ranges.len(),
        place.ranges.iter().map(|range| format!("{} to {}", range.start, range.end)),
    );
    let mut parts = Vec::new();
    if place.header {
        parts.push("the header".to_owned());
    }
    match place.tensors.len() {
        0 => {}
        1 => parts.push("the tensor ".to_owned()),
        count => parts.push(format!("{count} tensors: ")),
    }
    if !parts.is_empty() {
        text.push_str(": ");
        text.push_str(&parts.join(" and "));
        push_some(
            &mut text,
            place.tensors.len(),
            place.tensors.iter().map(|name| format!("`{name}`")),
        );
    }
    text
}

/// Adds the first of some items, and how many more there are.
fn push_some(text: &mut String, count: usize, items: impl Iterator<Item = String>) {
    let told: Vec<String> = items.take(MAX_TOLD).collect();
    text.push_str(&told.join(", "));
    if count > MAX_TOLD {
        text.push_str(&format!(" and {} more", count - MAX_TOLD));
    }
}

/// Reports a path that some systems take for another's.
pub fn twin(twins: Twins, first: &str, path: &str) -> Finding {
    let (rule, how) = match twins {
        Twins::Case => (
            CASE_COLLISION,
            "but for upper and lower case, so that macOS and Windows keep one of them only",
        ),
        Twins::Unicode => (
            UNICODE_COLLISION,
            "but for how Unicode composes its characters, so that they look alike and macOS keeps one of them only",
        ),
    };
    let message = format!("the path is that of `{first}` {how}");
    rule.finding(Location::path(path), message).help("rename one of the two")
}

/// Reports a path that holds what can't be seen.
pub fn unsafe_path(path: &str) -> Finding {
    let message = "the path holds control characters, invisible ones, a backslash, or bytes that are no UTF-8: what people and tools see is not what it is";
    PATH_UNSAFE.finding(Location::path(path), message).help("rename the file")
}

/// Reports how shards differ from the index at `index`.
pub fn inconsistent(index: &str, inconsistency: &Inconsistency) -> Finding {
    let more = |count: usize| match count {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let (message, severity) = match inconsistency {
        Inconsistency::Unreadable => {
            ("it is no index of shards that can be read".to_owned(), Severity::Medium)
        }
        Inconsistency::NoShard(shard) => {
            (format!("it names the shard `{shard}`, which is not there"), Severity::Medium)
        }
        Inconsistency::NoneThere(count) => {
            (format!("none of the {count} shards that it names is there"), Severity::Low)
        }
        Inconsistency::NoTensor { shard, tensor, count } => (
            format!(
                "it says that `{shard}` holds the tensor `{tensor}`{}, and it does not",
                more(*count)
            ),
            Severity::Medium,
        ),
        Inconsistency::NotNamed { shard, tensor, count } => (
            format!(
                "`{shard}` holds the tensor `{tensor}`{}, which it does not name there",
                more(*count)
            ),
            // Whoever loads by the index leaves it alone.
            Severity::Low,
        ),
        Inconsistency::Stray(shard) => {
            (format!("it does not name the shard `{shard}`, which is there"), Severity::Low)
        }
        Inconsistency::Total { stated, found } => (
            format!("it says that all tensors have {stated} bytes, and they have {found}"),
            Severity::Low,
        ),
    };
    INDEX_INCONSISTENT
        .finding(Location::path(index), message)
        .severity(severity)
        .help("fetch the model again from its source: a shard was lost, added or exchanged")
}

/// Reports that `claim`, made in the list at `list`, does not hold.
pub fn broken(list: &str, claim: &Claim, broken: &Broken, pointer: bool) -> Finding {
    let line = claim.line;
    match broken {
        Broken::Content { path, found, .. } => {
            let message = format!(
                "the digest is sha256:{}, and line {line} of `{list}` claims sha256:{}",
                hex(found),
                hex(&claim.sha256)
            );
            let help = "fetch the model again from its source: the file or the list was damaged or changed";
            if pointer {
                let message = format!(
                    "the file is a git-lfs pointer, and line {line} of `{list}` claims the digest of the real one"
                );
                return LFS_POINTER.finding(Location::path(path), message).help(PULL);
            }
            SIDECAR_MISMATCH.finding(Location::path(path), message).help(help)
        }
        Broken::Missing => {
            let name = String::from_utf8_lossy(&claim.path);
            let message =
                format!("the list claims a digest of `{name}`, which the model does not have");
            SIDECAR_MISSING_FILE.finding(Location::path(list).line(line), message)
        }
    }
}

/// Reports the lines of the list at `list` that claim nothing comparable: one
/// finding for those that can't be read, one for those of other algorithms.
///
/// `claims`: how many of its lines claim a SHA-256.
pub fn problems(list: &str, problems: &[(u32, Problem)], claims: usize) -> Vec<Finding> {
    let is_weak = |(_, problem): &(u32, Problem)| matches!(problem, Problem::OtherAlgorithm(name) if WEAK.contains(&name.as_str()));
    if let (0, [(line, Problem::OtherAlgorithm(name)), ..]) = (claims, problems)
        && problems.iter().all(is_weak)
    {
        let message = format!(
            "the list claims digests of {name} alone, by which two files can be made that have the same; nothing was compared"
        );
        let place = Location::path(list).line(*line);
        return vec![
            HASH_WEAK
                .finding(place, message)
                .help("list SHA-256 digests: `sha256sum FILE… > SHA256SUMS`"),
        ];
    }
    let other = |(_, problem): &&(u32, Problem)| matches!(problem, Problem::OtherAlgorithm(_));
    let (unsupported, malformed): (Vec<_>, Vec<_>) = problems.iter().partition(other);
    let told = |rule: Rule, problems: Vec<&(u32, Problem)>| {
        let (line, problem) = problems.first()?;
        let more = match problems.len() {
            1 => String::new(),
            count => format!(" (and {} more lines like it)", count - 1),
        };
        Some(rule.finding(Location::path(list).line(*line), format!("{}{more}", describe(problem))))
    };
    let findings = [told(SIDECAR_MALFORMED, malformed), told(SIDECAR_UNSUPPORTED, unsupported)];
    findings.into_iter().flatten().collect()
}

/// Reports that the list at `list` is larger than what is read of one.
pub fn too_large(list: &str, size: u64, max: u64) -> Finding {
    let message = format!("the list has {size} bytes; one of more than {max} is not read");
    SIDECAR_MALFORMED.finding(Location::path(list), message)
}

fn describe(problem: &Problem) -> String {
    match problem {
        Problem::NotAClaim => {
            "the line is none of `digest  name`, `digest *name`, `SHA256 (name) = digest`".into()
        }
        Problem::TooLong => "the line is longer than any path".into(),
        Problem::OtherAlgorithm(name) => {
            format!("the line's digest is {name}, not SHA-256, and was not compared")
        }
        Problem::OutsideModel => "the line names a file outside of the model".into(),
        Problem::Itself => "the line names the list itself, which can't hold its own digest".into(),
    }
}
