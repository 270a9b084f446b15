//! Which interfaces the component types in a core module name.
//!
//! Looked at before wit-component sees them: it follows the packages they
//! depend on without an end, where two depend on each other. A single package
//! can't.

use std::collections::BTreeSet;

use wasmparser_newest::{
    ComponentType, ComponentTypeDeclaration, InstanceTypeDeclaration, Parser, Payload,
};

use super::PackError;
use crate::domain::text::GuestText;
use crate::plugin::contract::{PACKAGE, is_spoken};

/// The most names that are told.
const MAX_NAMES: usize = 32;
/// The most bytes of a name that are told.
const MAX_NAME: usize = 200;

/// Makes sure that the component types `sections` name interfaces of one version
/// of the contract alone.
pub(super) fn check(sections: &[&[u8]]) -> Result<(), PackError> {
    let mut names = BTreeSet::new();
    for section in sections {
        for payload in Parser::new(0).parse_all(section) {
            let Payload::ComponentTypeSection(types) = payload.map_err(unreadable)? else {
                continue;
            };
            for ty in types {
                add_names(&ty.map_err(unreadable)?, true, &mut names);
            }
        }
    }
    let version_in_contract = |name: &str| {
        let (_, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
        is_spoken(version).then(|| version.to_owned())
    };
    let is_foreign = |name: &&String| version_in_contract(name).is_none();
    let foreign: Vec<_> = names.iter().filter(is_foreign).take(MAX_NAMES).cloned().collect();
    if !foreign.is_empty() {
        return Err(PackError::Imports(foreign));
    }
    let versions: BTreeSet<_> = names.iter().filter_map(|name| version_in_contract(name)).collect();
    if versions.len() > 1 {
        let versions = Vec::from_iter(versions).join(", ");
        let message = format!("its world mixes versions of the contract: {versions}");
        return Err(PackError::Encode(GuestText::new(&message, MAX_NAME)));
    }
    Ok(())
}

/// Adds the names of interfaces in `ty` to `names`. At the top, an export is the
/// world itself, whose name is its author's. The reader has bounded the depth.
fn add_names(ty: &ComponentType<'_>, is_top: bool, names: &mut BTreeSet<String>) {
    match ty {
        ComponentType::Component(declarations) => {
            for declaration in declarations {
                match declaration {
                    ComponentTypeDeclaration::Import(import) => add(import.name.name, names),
                    ComponentTypeDeclaration::Export { name, .. } if !is_top => {
                        add(name.name, names)
                    }
                    ComponentTypeDeclaration::Type(ty) => add_names(ty, false, names),
                    _ => {}
                }
            }
        }
        ComponentType::Instance(declarations) => {
            for declaration in declarations {
                match declaration {
                    InstanceTypeDeclaration::Export { name, .. } => add(name.name, names),
                    InstanceTypeDeclaration::Type(ty) => add_names(ty, false, names),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn add(name: &str, names: &mut BTreeSet<String>) {
    // Functions and types have names without a package.
    if name.contains(':') {
        names.insert(GuestText::new(name, MAX_NAME).to_string());
    }
}

fn unreadable(error: wasmparser_newest::Error) -> PackError {
    let message = format!("its component types can't be read: {}", error.message());
    PackError::Encode(GuestText::new(&message, MAX_NAME))
}
