//! Plugins for the tests of this folder, made without a WebAssembly toolchain.

use std::path::Path;

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::manifest;
use super::pack::{Input, pack};
use crate::domain::diagnostic::SourceFile;
use crate::domain::plugin::Manifest;

/// A check that says `not-applicable` and reads the clock, with the sections
/// that toolchains leave behind.
const CHECK: &str = r#"
(module
  (import "modelhost:check/clock@0.1.0" "now" (func $now (param i32)))
  (import "modelhost:check/files@0.1.0" "[resource-drop]model" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "modelhost:check/model-check@0.1.0#check") (param i32 i32 i32) (result i32)
    (call $now (i32.const 64))
    (call $drop (local.get 0))
    (i32.const 0))
  (@custom "producers" "\00")
  (@custom ".debug_info" "/home/somebody/src"))
"#;

/// A good `plugin.toml`.
pub(super) const MANIFEST: &str = r#"
id = "guest"
version = "1.2.3"
title = "A guest"
description = "A plugin of the tests."
license = "Apache-2.0 OR MIT"
homepage = "https://example.org/guest"
scope = "file"
files = ["**"]
reads = "whole"
judges = true
limits = { fuel = 7, memory = "512MiB", deadline = "60s" }

[[rule]]
id = "zeroth"
title = "It is bad"
severity = "critical"
help = """
Do **something** about it.

And then something else."""

[[rule]]
id = "absent"
title = "It is missing"
severity = "low"
missing = true
help = "Add it."

[settings]
type = "object"
additionalProperties = false
[settings.properties.level]
type = "integer"
minimum = 1
"#;

/// Reads a `plugin.toml` that is good.
pub(super) fn manifest(text: &str) -> Manifest {
    manifest::from_toml(&source(text)).expect("a good manifest")
}

/// Takes `text` for a `plugin.toml`.
pub(super) fn source(text: &str) -> SourceFile {
    SourceFile { path: "plugin.toml".into(), text: text.into() }
}

/// Assembles `wat`.
pub(super) fn assemble(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).expect("good WebAssembly text")
}

/// Adds to the core module `wat` what wit-bindgen leaves for packing.
pub(super) fn core(wat: &str) -> Vec<u8> {
    let mut core = assemble(wat);
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("wit/v0.1");
    let (package, _) = resolve.push_dir(wit).expect("the contract");
    let world = resolve.select_world(&[package], Some("plugin-with-documents")).expect("its world");
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8, false)
        .expect("a section");
    core
}

/// Returns the core module of a good check.
pub(super) fn check() -> Vec<u8> {
    core(CHECK)
}

/// Returns a good plugin.
pub(super) fn packed() -> Vec<u8> {
    pack(Input::Core(&check()), &manifest(MANIFEST)).expect("a plugin")
}
