//! Guests of `tests/guests` as plugins: WebAssembly text in, a packed plugin
//! and what must come of it out.

use std::path::Path;

use modelhost::domain::diagnostic::SourceFile;
use modelhost::plugin::manifest;
use modelhost::plugin::pack::{Input, pack};
use wasm_encoder::{
    ComponentExportKind, ComponentInstanceSection, ComponentSection as _, ComponentSectionId,
    Encode as _,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// One guest, with what its first lines say of it.
pub(crate) struct Guest {
    pub(crate) name: String,
    /// What must come of it: `pass`, `error limit/fuel`, `refused`, `invalid`.
    pub(crate) outcome: String,
    /// A part of what a person must see.
    pub(crate) says: Option<String>,
    /// Limits that the policy sets beside the tests' own.
    limits: Option<String>,
    /// The plugin.
    pub(crate) plugin: Vec<u8>,
}

impl Guest {
    /// Reads `tests/guests/NAME.wat`.
    pub(crate) fn read(name: &str) -> Self {
        let path = super::root().join("tests/guests").join(name).with_extension("wat");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::of(name, &text)
    }

    /// Reads all guests, sorted by name.
    pub(crate) fn all() -> Vec<Self> {
        let folder = std::fs::read_dir(super::root().join("tests/guests")).expect("the guests");
        let paths = folder.map(|entry| entry.expect("an entry").path());
        let mut names: Vec<String> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "wat"))
            .map(|path| path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned())
            .collect();
        names.sort();
        names.iter().map(|name| Self::read(name)).collect()
    }

    fn of(name: &str, text: &str) -> Self {
        let said = |key: &str| {
            let start = format!(";; {key}: ");
            text.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
        };
        let manifest = manifest(
            name,
            &said("scope").unwrap_or_else(|| "model".to_owned()),
            &said("reads").unwrap_or_else(|| "whole".to_owned()),
            said("judges").is_some_and(|judges| judges == "true"),
        );
        let assemble =
            |text: &str| wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let place = |form: &str| text.find(form).map(|place| place + 1);
        let plugin = match (place("\n(module"), place("\n(component")) {
            (Some(_), Some(beside)) => {
                let core = assemble(&text[..beside]);
                with_component(plugin(&core, &manifest), &assemble(&text[beside..]))
            }
            (Some(_), None) if said("wit").is_none() => plugin(&assemble(text), &manifest),
            (Some(_), None) => {
                with_manifest(encode(&assemble(text), said("wit").as_deref()), &manifest)
            }
            (None, _) => with_manifest(assemble(text), &manifest),
        };
        Self {
            name: name.to_owned(),
            outcome: said("outcome").unwrap_or_else(|| panic!("{name} does not say its outcome")),
            says: said("says"),
            limits: said("limits"),
            plugin,
        }
    }

    /// The lines of a policy that hold it to little, so that those that want
    /// everything end soon: enough for every honest guest.
    pub(crate) fn policy(&self) -> String {
        let more = self.limits.iter().map(|limits| format!(", {limits}")).collect::<String>();
        format!("[plugin.{}]\nlimits = {{ fuel = {FUEL}, host-calls = 10000{more} }}\n", self.name)
    }
}

/// The fuel of a guest.
pub(crate) const FUEL: u64 = 50_000_000;

/// Packs a core module as the SDKs' builds are packed.
pub(crate) fn plugin(core: &[u8], manifest: &str) -> Vec<u8> {
    let mut core = core.to_vec();
    embed(&mut core, None);
    let manifest = parsed(manifest);
    pack(Input::Core(&core), &manifest).unwrap_or_else(|error| panic!("{}: {error}", manifest.id))
}

/// Returns the component of a guest, without a manifest.
pub(crate) fn without_manifest(name: &str) -> Vec<u8> {
    let path = super::root().join("tests/guests").join(name).with_extension("wat");
    encode(&wat::parse_file(path).expect("a module"), None)
}

/// Makes a component whose world imports `wit` beside the contract's
/// interfaces, which `pack` would refuse.
fn encode(core: &[u8], wit: Option<&str>) -> Vec<u8> {
    let mut core = core.to_vec();
    embed(&mut core, wit);
    ComponentEncoder::default()
        .module(&core)
        .and_then(ComponentEncoder::encode)
        .expect("a component")
}

fn embed(core: &mut Vec<u8>, wit: Option<&str>) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(super::root().join("wit/v0.1")).expect("the contract");
    let world = if let Some(wit) = wit {
        // `namespace:package@version interface { … }`
        let (name, interface) = wit.split_once(' ').expect("a package and an interface");
        let (interface_name, _) = interface.split_once(' ').expect("an interface's name");
        let (id, version) = name.split_once('@').expect("a version");
        let foreign = format!("package {id}@{version};\ninterface {interface}");
        resolve.push_str("foreign.wit", &foreign).expect("the foreign package");
        let text = format!(
            "package test:guest;\nworld guest {{\n  include modelhost:check/plugin@0.1.0;\n  import {id}/{interface_name}@{version};\n}}"
        );
        let guest = resolve.push_str("guest.wit", &text).expect("the guest's world");
        resolve.select_world(&[guest], None).expect("a world")
    } else {
        resolve
            .select_world(&[package], Some("plugin-with-documents"))
            .expect("the contract's world")
    };
    embed_component_metadata(core, &resolve, world, StringEncoding::UTF8, false)
        .expect("room for a section");
}

/// Puts the component `inner` into `outer`, instantiated with it.
fn with_component(mut outer: Vec<u8>, inner: &[u8]) -> Vec<u8> {
    let parts = wasmparser::Parser::new(0).parse_all(&outer);
    // Of those at the top level: what is inside of them is between.
    let mut depth = 0;
    let mut components = 0;
    for part in parts {
        match part.expect("a component") {
            wasmparser::Payload::ComponentSection { .. } => {
                components += u32::from(depth == 0);
                depth += 1;
            }
            wasmparser::Payload::ModuleSection { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    outer.push(ComponentSectionId::Component.into());
    inner.encode(&mut outer);
    let mut instances = ComponentInstanceSection::new();
    let nothing: [(&str, ComponentExportKind, u32); 0] = [];
    instances.instantiate(components, nothing);
    instances.append_to_component(&mut outer);
    outer
}

/// Appends the manifest's section to a component that `pack` would refuse.
pub(crate) fn with_manifest(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    let section = manifest::to_section(&parsed(manifest)).expect("a section");
    let custom =
        wasm_encoder::CustomSection { name: "modelhost:manifest".into(), data: section.into() };
    wasm_encoder::ComponentSection::append_to_component(&custom, &mut component);
    component
}

fn parsed(text: &str) -> modelhost::domain::plugin::Manifest {
    let file = SourceFile { path: "plugin.toml".into(), text: text.into() };
    manifest::from_toml(&file).unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{text}"))
}

/// A `plugin.toml` for tests, with one rule, `bad`, and a setting, `level`.
pub(crate) fn manifest(id: &str, scope: &str, reads: &str, judges: bool) -> String {
    format!(
        r#"
id = "{id}"
version = "1.2.3"
title = "A guest"
description = "A plugin of the tests."
license = "MIT"
scope = "{scope}"
files = ["**"]
reads = "{reads}"
judges = {judges}

[[rule]]
id = "bad"
title = "It is bad"
severity = "critical"
help = "Do something about it."

[settings]
type = "object"
additionalProperties = false
[settings.properties.level]
type = "integer"
minimum = 1
"#
    )
}

/// Writes a plugin into `folder`, which is made.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join(name).with_extension("wasm"), bytes).expect("a file");
}
