//! The names of the contract that this modelhost speaks, and what a component's
//! imports ask for by them ([`Asked`]).
//!
//! Leaves reading the imports to `component`, and granting them to `policy`.

use std::collections::BTreeSet;

use wasmparser::{ComponentImport, ComponentTypeRef, TypeBounds};

use crate::domain::capability::Capability;
use crate::domain::plugin::Imports;
use crate::domain::text::GuestText;

/// The package of the contract.
pub(super) const PACKAGE: &str = "modelhost:check/";
/// The interface that a check exports.
pub(super) const EXPORT: &str = "model-check";
/// The line of the contract that this modelhost speaks.
pub(super) const LINE: &str = "0.1";
/// The interface that holds types alone: importing it asks for nothing.
const TYPES: &str = "types";
/// How many imports outside of the contract are named; a hostile component may
/// have a million.
const MAX_UNKNOWN: usize = 32;
/// The most bytes of an import's name that are shown.
const MAX_NAME: usize = 200;

/// Returns the version in the name of an export, if that is a check of any line;
/// empty for a check without one.
pub(super) fn check_version(export: &str) -> Option<&str> {
    let rest = export.strip_prefix(PACKAGE)?.strip_prefix(EXPORT)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('@') }
}

/// Whether `version` is of the line this modelhost speaks: `0.1.` and a number,
/// nothing before or after it. A pre-release is not semver-compatible.
pub(super) fn is_spoken(version: &str) -> bool {
    let patch = version.strip_prefix(LINE).and_then(|rest| rest.strip_prefix('.'));
    patch.is_some_and(|patch| {
        (1..=9).contains(&patch.len())
            && patch.bytes().all(|byte| byte.is_ascii_digit())
            && (patch == "0" || !patch.starts_with('0'))
    })
}

/// What the imports seen so far ask for.
#[derive(Default)]
pub(super) struct Asked {
    capabilities: BTreeSet<Capability>,
    unknown: BTreeSet<String>,
    /// How many unknown ones there were beyond those that are named.
    more: usize,
}

impl Asked {
    /// Takes in one import.
    pub(super) fn add(&mut self, import: &ComponentImport<'_>) {
        let name = import.name.name;
        match import.ty {
            ComponentTypeRef::Instance(_) => {}
            // A name for a type that is known otherwise: nothing is asked for.
            ComponentTypeRef::Type(TypeBounds::Eq(_)) => return,
            other => {
                return self.unknown(name, &format!("a {}, not an interface", other.kind().desc()));
            }
        }
        let Some(rest) = name.strip_prefix(PACKAGE) else {
            let why =
                if name.starts_with("wasi:") { "WASI is not part of the contract" } else { "" };
            return self.unknown(name, why);
        };
        let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
        if !is_spoken(version) {
            return self
                .unknown(name, &format!("this modelhost speaks line {LINE} of the contract"));
        }
        if interface == TYPES {
            return;
        }
        match interface.parse() {
            Ok(capability) => {
                self.capabilities.insert(capability);
            }
            Err(_) => self.unknown(name, "there is no such capability"),
        }
    }

    fn unknown(&mut self, name: &str, why: &str) {
        if self.unknown.len() >= MAX_UNKNOWN {
            self.more = self.more.saturating_add(1);
            return;
        }
        let name = GuestText::new(name, MAX_NAME);
        let text = if why.is_empty() { name.to_string() } else { format!("{name} ({why})") };
        self.unknown.insert(text);
    }

    /// Returns all that is asked for, of a component that exports a check of the
    /// version `contract`.
    pub(super) fn into_imports(self, contract: Option<&str>) -> Imports {
        let mut unknown = Vec::from_iter(self.unknown);
        if self.more > 0 {
            unknown.push(format!("and {} more", self.more));
        }
        Imports {
            capabilities: self.capabilities.into_iter().collect(),
            unknown,
            contract: contract.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_spoken() {
        for good in ["0.1.0", "0.1.7", "0.1.123456789"] {
            assert!(is_spoken(good), "{good}");
        }
        for bad in [
            "",
            "0.1",
            "0.1.",
            "0.1.0-draft",
            "0.1.0+build",
            "0.1.01",
            "0.1.x",
            "0.10.0",
            "0.2.0",
            "0.0.1",
            "1.0.0",
            "00.1.0",
            "0.1.1234567890",
            "0.1.0.0",
            " 0.1.0",
            "0.1.٣",
        ] {
            assert!(!is_spoken(bad), "{bad}");
        }
    }

    #[test]
    fn finds_checks_among_exports() {
        let rows = [
            ("modelhost:check/model-check@0.1.0", Some("0.1.0")),
            ("modelhost:check/model-check@0.2.0-x", Some("0.2.0-x")),
            ("modelhost:check/model-check", Some("")),
            ("modelhost:check/model-checker@0.1.0", None),
            ("modelhost:check/files@0.1.0", None),
            ("other:check/model-check@0.1.0", None),
            ("model-check", None),
        ];
        for (export, version) in rows {
            assert_eq!(check_version(export), version, "{export}");
        }
    }
}
