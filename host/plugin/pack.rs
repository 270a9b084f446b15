//! What a build made, and a `plugin.toml` → a plugin: [`pack`].
//!
//! Leaves building to the plugin's own toolchain, and checking the manifest to
//! `manifest`.
//!
//! # Invariants
//! The same input gives the same bytes, on every machine: digests of plugins
//! are what lock files pin.

mod world;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::Payload;

use super::component::{self, ComponentError, Kind, MANIFEST_SECTION, Outline, Sections};
use super::manifest::{self, SectionError};
use crate::domain::plugin::Manifest;
use crate::domain::text::GuestText;

/// The custom sections in which a core module brings the types of its component.
const TYPE_SECTION: &str = "component-type";
/// The sections that packing writes anew, at a component's top level.
const OWN_SECTIONS: [&str; 6] =
    [MANIFEST_SECTION, "component-name", "version", "description", "licenses", "homepage"];
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
    let component =
        encoder.validate(true).module(&core).and_then(wit_component::ComponentEncoder::encode);
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
    let mut types = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let payload = payload
            .map_err(|error| PackError::BadCore(GuestText::new(&error.to_string(), MAX_MESSAGE)))?;
        if let Payload::CustomSection(custom) = &payload {
            if !custom.name().starts_with(TYPE_SECTION) {
                continue;
            }
            types.push(custom.data());
        }
        if let Some((id, range)) = payload.as_section() {
            let data = bytes.get(range).unwrap_or_default();
            out.section(&wasm_encoder::RawSection { id, data });
        }
    }
    if types.is_empty() {
        return Err(PackError::NoTypes);
    }
    world::check(&types)?;
    Ok(out.finish())
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
        CustomSection { name: name.into(), data: data.into() }.append_to_component(component);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{MANIFEST, assemble, check, core, manifest, packed};

    #[test]
    fn is_reproducible_and_repeatable() {
        let first = packed();
        assert_eq!(packed(), first);
        // What was packed before can be packed again, with another manifest or the same.
        assert_eq!(pack(Input::Component(&first), &manifest(MANIFEST)), Ok(first.clone()));
        let other = manifest(&MANIFEST.replace("1.2.3", "1.2.4"));
        let second = pack(Input::Component(&first), &other).expect("a plugin");
        assert_ne!(second, first);
        let outline = Outline::read(&second).expect("a component");
        assert_eq!(manifest::from_section(outline.manifest().expect("one")), Ok(other));
    }

    #[test]
    fn keeps_no_trace_of_the_machine_it_was_built_on() {
        let packed = packed();
        let has = |text: &str| packed.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(check().windows(8).any(|window| window == b"somebody"));
        assert!(!has("somebody"));
        assert!(!has("documents"), "an import that is not used is left out");
    }

    #[test]
    fn tells_other_tools_what_they_have_a_place_for() {
        let packed = packed();
        let mut found = Vec::new();
        for section in Sections::of(&packed).expect("a component") {
            if let Payload::CustomSection(custom) = section.expect("a section").payload
                && custom.name() != MANIFEST_SECTION
                && custom.name() != "producers"
            {
                found.push((
                    custom.name().to_owned(),
                    String::from_utf8_lossy(custom.data()).into_owned(),
                ));
            }
        }
        let name = found.remove(0);
        assert!(name.0 == "component-name" && name.1.contains("guest"), "{name:?}");
        let expected = [
            ("version", "1.2.3"),
            ("description", "A plugin of the tests."),
            ("licenses", "Apache-2.0 OR MIT"),
            ("homepage", "https://example.org/guest"),
        ];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    /// A core module whose world imports `interfaces`.
    fn with_types(interfaces: &[&str]) -> Vec<u8> {
        let imports: String =
            interfaces.iter().map(|name| format!("(import \"{name}\" (instance))")).collect();
        let types = assemble(&format!(
            "(component (type (component (type (component {imports})) \
             (export \"acme:scan/world\" (component (type 0))))))"
        ));
        let mut core = assemble("(module)");
        let section = CustomSection { name: "component-type:x".into(), data: types.into() };
        core.push(wasm_encoder::Section::id(&section));
        wasm_encoder::Encode::encode(&section, &mut core);
        core
    }

    #[test]
    fn refuses_what_can_be_no_plugin() {
        let export = "(memory (export \"memory\") 1)
            (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export \"modelhost:check/model-check@0.1.0#check\") (param i32 i32 i32) (result i32) unreachable)";
        let rows = [
            (b"".to_vec(), "the input is empty", "build the file again"),
            (packed(), "the input is a component, not a core WebAssembly module", "--component"),
            (assemble("(module)"), "no component types", "export_check!"),
            (core("(module)"), "no component can be made of the core module", "wit/v0.1"),
            (
                core(&format!("(module (import \"env\" \"abort\" (func)) {export})")),
                "no component can be made of the core module",
                "wit/v0.1",
            ),
            (
                core(&format!(
                    "(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func)) {export})"
                )),
                "wasi_snapshot_preview1",
                "wasm32-unknown-unknown",
            ),
            (check()[..60].to_vec(), "the core module is not well-formed", "build it again"),
            (
                with_types(&["modelhost:check/a@0.1.0", "acme:scan/b@1.0.0", "wasi:cli/run@0.2.0"]),
                "imports what is not part of the contract: acme:scan/b@1.0.0, wasi:cli/run@0.2.0",
                "wasm32-unknown-unknown",
            ),
            (
                with_types(&["modelhost:check/a@0.1.0", "modelhost:check/b@0.1.1"]),
                "its world mixes versions of the contract: 0.1.0, 0.1.1",
                "wit/v0.1",
            ),
            (
                core(&format!("(module (memory 1) {export})")),
                "it does not validate: ",
                "multi-memory",
            ),
        ];
        for (bytes, message, help) in rows {
            let error = pack(Input::Core(&bytes), &manifest(MANIFEST)).expect_err(message);
            assert!(error.to_string().contains(message), "{error} has not {message}");
            assert!(
                error.help().expect("help").contains(help),
                "{:?} has not {help}",
                error.help()
            );
        }
        let check = "(instance $i) (export \"modelhost:check/model-check@0.1.0\" (instance $i))";
        let rows = [
            ("(component)".to_owned(), "it exports no check", "export_check!"),
            (
                format!("(component (import \"wasi:cli/environment@0.2.3\" (instance)) {check})"),
                "it imports what is not part of the contract: wasi:cli/environment@0.2.3",
                "a later version of modelhost",
            ),
            (
                format!("(component (import \"acme:scan/db@1.0.0\" (instance)) {check})"),
                "it imports what is not part of the contract: acme:scan/db@1.0.0",
                "wit/v0.1",
            ),
        ];
        for (wat, message, help) in rows {
            let error =
                pack(Input::Component(&assemble(&wat)), &manifest(MANIFEST)).expect_err(message);
            assert!(error.to_string().contains(message), "{error} has not {message}");
            assert!(
                error.help().expect("help").contains(help),
                "{:?} has not {help}",
                error.help()
            );
        }
        let core = assemble("(module)");
        let error = pack(Input::Component(&core), &manifest(MANIFEST)).expect_err("a core module");
        assert!(error.to_string().starts_with("it is a core WebAssembly module"), "{error}");
    }

    #[test]
    fn no_part_of_a_core_module_is_packed() {
        let core = check();
        for end in 0..core.len() {
            assert!(
                pack(Input::Core(&core[..end]), &manifest(MANIFEST)).is_err(),
                "the first {end} bytes"
            );
        }
    }

    #[test]
    fn a_flipped_bit_of_a_core_module_is_no_panic() {
        let good = check();
        let manifest = manifest(MANIFEST);
        for index in (0..good.len() * 8).step_by(3) {
            let mut core = good.clone();
            core[index / 8] ^= 1 << (index % 8);
            if let Ok(packed) = pack(Input::Core(&core), &manifest) {
                assert_eq!(component::validate(&packed), Ok(()));
            }
        }
    }
}
