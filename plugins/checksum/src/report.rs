//! The rules of the check, and the words in which a difference is told.
//!
//! It leaves to others: finding the differences.

use modelhost_check::{Finding, Location, Rule, Severity};

use crate::compare::{Broken, Difference, Edit, hex};
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

/// All rules of the check, in the order of its manifest.
pub const RULES: [Rule; 11] = [
    DIGEST_MISMATCH,
    SIZE_MISMATCH,
    MISSING_FILE,
    EXTRA_FILE,
    LOCK_EDITED,
    LOCK_STALE,
    NOT_LOCKED,
    SIDECAR_MISMATCH,
    SIDECAR_MISSING_FILE,
    SIDECAR_MALFORMED,
    SIDECAR_UNSUPPORTED,
];

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
pub fn differs(difference: &Difference, pointer: bool) -> Finding {
    let help = if pointer { PULL } else { RESTORE };
    match difference {
        Difference::Size { path, locked, found } => {
            let message = format!("the file has {found} bytes, and was locked with {locked}");
            SIZE_MISMATCH.finding(Location::path(path), message).help(help)
        }
        Difference::Content { path, locked, found, .. } => {
            let message = format!("the digest is sha256:{}, and was locked as sha256:{}", hex(found), hex(locked));
            DIGEST_MISMATCH.finding(Location::path(path), message).help(help)
        }
        Difference::Missing(path) => {
            MISSING_FILE.finding(Location::path(path), "the file is locked, and the model does not have it").help(RESTORE)
        }
        Difference::Extra(path) => EXTRA_FILE
            .finding(Location::path(path), "the model has this file, and it was not there when the model was locked")
            .help("remove the file; if it belongs there, run `modelhost lock` and have the diff reviewed"),
    }
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
            SIDECAR_MISMATCH.finding(Location::path(path), message).help(if pointer {
                PULL
            } else {
                help
            })
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
pub fn problems(list: &str, problems: &[(u32, Problem)]) -> Vec<Finding> {
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
