//! Which of Debian's packages hold a Rust that is new enough, and what they need.
//!
//! It asks `apt-cache` and `dpkg-query`, and leaves fetching and unpacking to `debian.rs`.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command;
use crate::workspace::Version;

/// A package's name with the version that apt would take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
}

impl Package {
    /// Returns the package the way `apt-get` takes it.
    pub(super) fn pinned(&self) -> String {
        format!("{}={}", self.name, self.version)
    }
}

/// Packages that a machine with a C compiler has in one form or another: what the compiler is
/// called there is not ours to decide.
const GIVEN: [&str; 4] = ["gcc", "libc-dev", "binutils", "libc6"];

/// Bounds the walk over dependencies: what is needed are the compiler and a handful of libraries,
/// so a longer list means that the walk went astray.
const MAX_PACKAGES: usize = 40;

/// Returns the packages that make up the oldest Rust that is new enough, or nothing if apt knows
/// none.
///
/// # Errors
/// When apt's own programs fail.
pub(super) fn resolve(least: Version) -> Result<Option<Vec<Package>>> {
    let names = ask(&["pkgnames", "rustc"])?;
    let mut best: Option<(Version, &str)> = None;
    for suffix in names.lines().filter_map(family) {
        let Some(found) = candidate(&format!("rustc{suffix}"))? else {
            continue;
        };
        let Some(version) = Version::parse(&found) else {
            continue;
        };
        if version >= least && best.is_none_or(|(other, _)| version < other) {
            best = Some((version, suffix));
        }
    }
    let Some((_, suffix)) = best else {
        return Ok(None);
    };
    let roots =
        [format!("rustc{suffix}"), format!("libstd-rust{suffix}-dev"), format!("rust{suffix}-src")];
    closure(roots.into()).map(Some)
}

/// Returns what stands behind `rustc` in the name of a compiler package: nothing, `-web` (the one
/// that browsers are built with in a stable Debian), or a version (`-1.95`, as in Ubuntu).
fn family(name: &str) -> Option<&str> {
    let suffix = name.strip_prefix("rustc")?;
    let version = suffix.strip_prefix('-').unwrap_or_default();
    let is_version = !version.is_empty()
        && version
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    (suffix.is_empty() || suffix == "-web" || is_version).then_some(suffix)
}

/// Returns the packages and everything they need that is not installed, sorted.
fn closure(mut open: Vec<String>) -> Result<Vec<Package>> {
    let mut seen: BTreeSet<String> = GIVEN.iter().map(|&name| name.to_owned()).collect();
    let mut packages = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let version = candidate(&name)?.with_context(|| format!("apt has no package {name}"))?;
        let package = Package { name, version };
        let text = ask(&["depends", &package.pinned()])?;
        packages.insert(package);
        anyhow::ensure!(packages.len() <= MAX_PACKAGES, "Debian's Rust needs too many packages");
        for alternatives in depends(&text) {
            let satisfied = |name: &&str| seen.contains(*name) || is_installed(name);
            if alternatives.iter().any(|name| satisfied(&name.as_str())) {
                continue;
            }
            open.extend(alternatives.into_iter().next());
        }
    }
    Ok(packages.into_iter().collect())
}

/// Reads `apt-cache depends`: a list of needs, each a list of packages of which one will do.
fn depends(text: &str) -> Vec<Vec<String>> {
    let mut needs = Vec::new();
    let mut group: Vec<String> = Vec::new();
    for line in text.lines() {
        // ` |Depends: a` and the next line's `  Depends: b` are alternatives.
        let (more, rest) = match line.strip_prefix(" |") {
            Some(rest) => (true, rest),
            None => (false, line.trim_start()),
        };
        let Some(name) = ["Depends:", "PreDepends:"].iter().find_map(|key| rest.strip_prefix(key))
        else {
            continue;
        };
        let name = name.trim();
        // Virtual packages come in angle brackets; what a compiler needs has real names.
        if !name.starts_with('<') {
            group.push(name.to_owned());
        }
        if !more && !group.is_empty() {
            needs.push(std::mem::take(&mut group));
        }
    }
    needs
}

/// Returns the version that apt would take of a package, if it knows one.
fn candidate(name: &str) -> Result<Option<String>> {
    Ok(candidate_in(&ask(&["policy", name])?))
}

/// Reads `apt-cache policy`.
fn candidate_in(text: &str) -> Option<String> {
    let version = text.lines().find_map(|line| line.trim().strip_prefix("Candidate:"))?.trim();
    (version != "(none)").then(|| version.to_owned())
}

/// Returns whether a package is installed.
fn is_installed(name: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    let state =
        command::capture(query.args(["--show", "--showformat=${db:Status-Status}\n", name]));
    state.is_ok_and(|text| text.lines().any(|line| line == "installed"))
}

/// Returns how many bytes the packages' files have together, as far as apt knows.
pub(super) fn size(packages: &[Package]) -> u64 {
    let sizes = packages.iter().filter_map(|package| {
        let text = ask(&["show", &package.pinned()]).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Size:"))?.trim().parse::<u64>().ok()
    });
    sizes.sum()
}

/// Asks `apt-cache`, in English.
fn ask(arguments: &[&str]) -> Result<String> {
    command::capture(Command::new("apt-cache").args(arguments).env("LC_ALL", "C"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiler_packages_are_told_from_the_rest() {
        for (name, expected) in [
            ("rustc", Some("")),
            ("rustc-web", Some("-web")),
            ("rustc-1.95", Some("-1.95")),
            ("rustc-web-dbgsym", None),
            ("rustc-", None),
            ("rustc-1.", None),
            ("rustchain", None),
            ("cargo", None),
        ] {
            assert_eq!(family(name), expected, "{name}");
        }
    }

    #[test]
    fn needs_are_read_with_their_alternatives() {
        let text = "rustc-web\n  PreDepends: a\n |Depends: b\n  Depends: c\n  Depends: <virtual>\n    d\n  \
                    Recommends: e\n  Conflicts: <rustup>\n |Depends: <v>\n  Depends: f\n";
        assert_eq!(depends(text), [vec!["a"], vec!["b", "c"], vec!["f"]]);
        assert!(depends("").is_empty());
    }

    #[test]
    fn a_candidate_is_read_or_absent() {
        for (text, expected) in [
            ("rustc:\n  Installed: (none)\n  Candidate: 1.63.0+dfsg1-2\n", Some("1.63.0+dfsg1-2")),
            ("rustc:\n  Installed: (none)\n  Candidate: (none)\n", None),
            ("", None),
        ] {
            assert_eq!(candidate_in(text).as_deref(), expected);
        }
    }
}
