//! What a build made, and a `plugin.toml` → a plugin: [`pack`].
//!
//! Leaves building to the plugin's own toolchain, and checking the manifest to
//! `manifest`.
//!
//! # Invariants
//! The same input gives the same bytes, on every machine: digests of plugins
//! are what lock files pin.

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::Payload;

use super::component::{self, ComponentError, Kind, MANIFEST_SECTION, Outline, Sections};
use super::manifest::{self, SectionError};
use crate::domain::plugin::Manifest;
use crate::domain::text::GuestText;

/// The custom sections in which a core module brings the types of its component.
const TYPE_SECTION: &str = "component-type";
/// The sections that packing writes anew, at a component's top level.
const OWN_SECTIONS: [&str; 6] = [
    MANIFEST_SECTION,
    "component-name",
    "version",
    "description",
    "licenses",
    "homepage",
];
/// The most bytes of a message of the toolchain that are shown.
const MAX_MESSAGE: usize = 2048;

/// What a plugin is packed from.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A core module with the types of its component in a custom section, as
    /// wit-bindgen leaves them.
    Core(&'a [u8]),
    /// A component, which another toolchain made, or which was packed before.
    Component(&'a [u8]),
}

/// Why something can't be packed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The input is no core module.
    #[error("the input is {0}, not a core WebAssembly module")]
    NotCore(Kind),
    /// The core module is cut off or not well-formed.
    #[error("the core module is not well-formed: {0}")]
    BadCore(GuestText),
    /// The core module does not say which component it is of.
    #[error("the core module has no component types (no custom section `{TYPE_SECTION}`)")]
    NoTypes,
    /// The core module wants something that is no part of its component's type.
    #[error("no component can be made of the core module: {0}")]
    Encode(GuestText),
    /// It imports what is not part of the contract.
    #[error("it imports what is not part of the contract: {}", .0.join(", "))]
    Imports(Vec<String>),
    /// It would be no plugin.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The manifest does not fit.
    #[error("the manifest does not fit into its section: {0}")]
    Manifest(#[from] SectionError),
}

impl PackError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotCore(Kind::Component) => "give a component as `--component FILE`",
            Self::NotCore(kind) => return kind.help(),
            Self::BadCore(_) => "build it again",
            Self::NoTypes => {
                "build it with the SDK: a `cdylib` that calls `export_check!`, for wasm32-unknown-unknown"
            }
            Self::Encode(message) if message.as_str().contains("wasi") => WASI,
            Self::Imports(names) if names.iter().any(|name| name.starts_with("wasi")) => WASI,
            Self::Encode(_) | Self::Imports(_) => {
                "a plugin reaches nothing but what `wit/v0.1` offers; leave out what needs more"
            }
            Self::Component(error) => return error.help(),
            Self::Manifest(error) => error.help(),
        })
    }
}

const WASI: &str = "a Rust plugin is built for wasm32-unknown-unknown, which needs no WASI; for languages whose \
                    runtime insists on it, a later version of modelhost composes an inert one in";

/// Makes the plugin of `input` that `manifest` describes.
///
/// # Errors
/// The input is not of its kind, imports what is not part of the contract,
/// exports no check, or uses WebAssembly that modelhost does not take.
pub fn pack(input: Input<'_>, manifest: &Manifest) -> Result<Vec<u8>, PackError> {
    let section = manifest::to_section(manifest)?;
    let encoded;
    let component = match input {
        Input::Core(bytes) => {
            encoded = encode(bytes)?;
            &encoded
        }
        Input::Component(bytes) => bytes,
    };
    let outline = Outline::read(component)?;
    if !outline.imports.unknown.is_empty() {
        return Err(PackError::Imports(outline.imports.unknown));
    }
    outline.require_check()?;
    let mut packed = without_own_sections(component)?;
    append_sections(&mut packed, manifest, &section);
    component::validate(&packed)?;
    Ok(packed)
}

/// Makes a component of a core module.
fn encode(bytes: &[u8]) -> Result<Vec<u8>, PackError> {
    let core = types_and_code(bytes)?;
    let mut encoder = wit_component::ComponentEncoder::default();
    let component = encoder
        .validate(true)
        .module(&core)
        .and_then(wit_component::ComponentEncoder::encode);
    // The chain's last link is the cause; the others say which step it was.
    component.map_err(|error| PackError::Encode(GuestText::new(&format!("{error:#}"), MAX_MESSAGE)))
}

/// Returns the core module without any custom section but those that say which
/// component it is of: names, debug information and the toolchain's traces make
/// a plugin larger and differ between machines.
fn types_and_code(bytes: &[u8]) -> Result<Vec<u8>, PackError> {
    match Kind::of(bytes) {
        Kind::CoreModule => {}
        other => return Err(PackError::NotCore(other)),
    }
    let mut out = wasm_encoder::Module::new();
    let mut has_types = false;
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let payload = payload
            .map_err(|error| PackError::BadCore(GuestText::new(&error.to_string(), MAX_MESSAGE)))?;
        if let Payload::CustomSection(custom) = &payload {
            if !custom.name().starts_with(TYPE_SECTION) {
                continue;
            }
            has_types = true;
        }
        if let Some((id, range)) = payload.as_section() {
            let data = bytes.get(range).unwrap_or_default();
            out.section(&wasm_encoder::RawSection { id, data });
        }
    }
    if has_types {
        Ok(out.finish())
    } else {
        Err(PackError::NoTypes)
    }
}

/// Returns `component` without the sections that packing writes.
fn without_own_sections(component: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let mut out = Vec::with_capacity(component.len());
    for section in Sections::of(component)? {
        let section = section?;
        let is_own = matches!(&section.payload, Payload::CustomSection(custom) if OWN_SECTIONS.contains(&custom.name()));
        if !is_own {
            out.extend_from_slice(component.get(section.range).unwrap_or_default());
        }
    }
    Ok(out)
}

/// Appends the manifest, and what of it other tools read in sections of their
/// own (those of wasm-metadata).
fn append_sections(component: &mut Vec<u8>, manifest: &Manifest, section: &[u8]) {
    let mut name = wasm_encoder::ComponentNameSection::new();
    name.component(manifest.id.as_str());
    name.append_to_component(component);
    let mut custom = |name: &str, data: &[u8]| {
        CustomSection {
            name: name.into(),
            data: data.into(),
        }
        .append_to_component(component);
    };
    custom("version", manifest.version.to_string().as_bytes());
    custom("description", manifest.description.as_bytes());
    if let Some(license) = &manifest.license {
        custom("licenses", license.as_bytes());
    }
    if let Some(homepage) = &manifest.homepage {
        custom("homepage", homepage.as_bytes());
    }
    custom(MANIFEST_SECTION, section);
}
