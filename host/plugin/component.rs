//! The outside of a component, read from its bytes: what it asks for, what it
//! offers, which manifest it carries ([`Outline::read`]); and whether it keeps
//! to the WebAssembly that modelhost takes ([`validate`]).
//!
//! Leaves the manifest's text to `manifest`, and compiling to `engine`.
//!
//! # Invariants
//! Only the component's top level is read: nested modules and components are
//! stepped over by their length, so the work is bounded by the number of
//! top-level sections and of imports in them.

use std::ops::Range;

use wasmparser::{Chunk, ComponentExternalKind, Parser, Payload, WasmFeatures};

use super::contract::{Asked, EXPORT, LINE, PACKAGE, check_version, is_spoken};
use crate::domain::plugin::Imports;
use crate::domain::text::GuestText;

pub use super::sniff::Kind;

/// The custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "modelhost:manifest";

/// The most bytes of a name from a component that are shown.
const MAX_NAME: usize = 200;

/// Returns the WebAssembly that a plugin may use: what the supported toolchains
/// emit, and nothing else.
///
/// The engine has the same set and multi-memory beside it: wasmtime joins two
/// nested components by code of its own that uses two memories. So a guest's
/// use of it is refused here, by [`validate`], before the engine sees a byte.
pub const fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
        .union(WasmFeatures::SIGN_EXTENSION)
        .union(WasmFeatures::MULTI_VALUE)
        .union(WasmFeatures::BULK_MEMORY)
        .union(WasmFeatures::REFERENCE_TYPES)
        .union(WasmFeatures::EXTENDED_CONST)
        .union(WasmFeatures::FLOATS)
        .union(WasmFeatures::COMPONENT_MODEL)
}

/// Why some bytes are no component that can be a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// They are something else.
    #[error("it is {0}, not a WebAssembly component")]
    Other(Kind),
    /// They end within a section.
    #[error("it is cut off: it ends at byte {0}, within a section")]
    CutOff(usize),
    /// They are not laid out as a component is.
    #[error("it is no well-formed component: {message} (at byte {offset})")]
    Malformed {
        /// What is wrong.
        message: GuestText,
        /// Where.
        offset: usize,
    },
    /// They use WebAssembly that modelhost does not take, or break its rules.
    #[error("it does not validate: {message} (at byte {offset})")]
    Invalid {
        /// What is wrong.
        message: GuestText,
        /// Where.
        offset: usize,
    },
    /// It exports no check, of any line.
    #[error("it exports no check (`{PACKAGE}{EXPORT}@{LINE}.x`)")]
    NoCheck,
    /// It exports a check of a line that this modelhost does not speak.
    #[error("it exports `{0}`, and this modelhost speaks line {LINE} of the contract")]
    OtherLine(GuestText),
    /// It exports more than one check.
    #[error("it exports a check more than once")]
    ManyChecks,
    /// It carries no manifest.
    #[error("it has no manifest (no custom section `{MANIFEST_SECTION}`)")]
    NoManifest,
    /// It carries several manifests.
    #[error(
        "it has {0} manifests (custom sections `{MANIFEST_SECTION}`), and exactly one is taken"
    )]
    ManyManifests(usize),
}

impl ComponentError {
    /// Returns what a person can do about it.
    pub const fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Other(kind) => return kind.help(),
            Self::CutOff(_) | Self::Malformed { .. } => "fetch or build the file again",
            Self::Invalid { .. } => {
                "build the plugin without SIMD, threads, exceptions, garbage collection, tail calls, \
                 memory64 and multi-memory"
            }
            Self::NoCheck => "build the plugin with the SDK, and call its `export_check!`",
            Self::OtherLine(_) => {
                "build the plugin with the SDK of that line, or take another modelhost"
            }
            Self::ManyChecks => "export one check",
            Self::NoManifest | Self::ManyManifests(_) => {
                "pack it: `modelhost plugin pack --manifest plugin.toml --component FILE -o OUT.wasm`"
            }
        })
    }
}

/// The outside of one component.
#[derive(Debug)]
pub struct Outline<'a> {
    /// What it imports.
    pub imports: Imports,
    /// The contents of its manifest sections; exactly one in a plugin.
    manifests: Vec<&'a [u8]>,
    /// Each check it exports, by its full name.
    checks: Vec<&'a str>,
}

impl<'a> Outline<'a> {
    /// Reads the top level of the component `bytes`.
    ///
    /// # Errors
    /// Says what `bytes` are where they are no component, or where they break.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ComponentError> {
        let mut asked = Asked::default();
        let mut manifests = Vec::new();
        let mut checks = Vec::new();
        for section in Sections::of(bytes)? {
            match section?.payload {
                Payload::CustomSection(custom) if custom.name() == MANIFEST_SECTION => {
                    manifests.push(custom.data());
                }
                Payload::ComponentImportSection(imports) => {
                    for import in imports {
                        asked.add(&import.map_err(malformed)?);
                    }
                }
                Payload::ComponentExportSection(exports) => {
                    for export in exports {
                        let export = export.map_err(malformed)?;
                        let is_interface = export.kind == ComponentExternalKind::Instance;
                        if is_interface && check_version(export.name.name).is_some() {
                            checks.push(export.name.name);
                        }
                    }
                }
                _ => {}
            }
        }
        let contract = match checks.as_slice() {
            [check] => check_version(check).filter(|version| is_spoken(version)),
            _ => None,
        };
        Ok(Self {
            imports: asked.into_imports(contract),
            manifests,
            checks,
        })
    }

    /// Returns the content of the one manifest section.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn manifest(&self) -> Result<&'a [u8], ComponentError> {
        match self.manifests.as_slice() {
            [] => Err(ComponentError::NoManifest),
            [one] => Ok(one),
            many => Err(ComponentError::ManyManifests(many.len())),
        }
    }

    /// Makes sure that the component exports a check that this modelhost can
    /// call.
    ///
    /// # Errors
    /// Says what it exports instead.
    pub fn require_check(&self) -> Result<(), ComponentError> {
        match self.checks.as_slice() {
            [] => Err(ComponentError::NoCheck),
            [_] if self.imports.contract.is_some() => Ok(()),
            [other] => Err(ComponentError::OtherLine(GuestText::new(other, MAX_NAME))),
            _ => Err(ComponentError::ManyChecks),
        }
    }
}

/// Validates `bytes` as WebAssembly under [`features`], every function body of
/// it. Compiling what does not pass is unsafe for the host's progress: wasmtime
/// may panic on it.
///
/// # Errors
/// Says what does not validate, and where.
pub fn validate(bytes: &[u8]) -> Result<(), ComponentError> {
    match Kind::of(bytes) {
        Kind::Component => {}
        other => return Err(ComponentError::Other(other)),
    }
    let mut validator = wasmparser::Validator::new_with_features(features());
    match validator.validate_all(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(ComponentError::Invalid {
            message: GuestText::new(error.message(), 2 * MAX_NAME),
            offset: error.offset(),
        }),
    }
}

/// One section at the top level of a component.
pub(super) struct Section<'a> {
    /// What is in it; of a nested module or component no more than its place.
    pub(super) payload: Payload<'a>,
    /// Where it is in the component, its id and length included.
    pub(super) range: Range<usize>,
}

/// The sections at the top level of a component, in their order.
pub(super) struct Sections<'a> {
    bytes: &'a [u8],
    parser: Parser,
    at: usize,
    done: bool,
}

impl<'a> Sections<'a> {
    /// Starts at the front of `bytes`, which must be a component by its header.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, ComponentError> {
        match Kind::of(bytes) {
            Kind::Component => Ok(Self {
                bytes,
                parser: Parser::new(0),
                at: 0,
                done: false,
            }),
            other => Err(ComponentError::Other(other)),
        }
    }

    fn step(&mut self) -> Result<Section<'a>, ComponentError> {
        let cut_off = ComponentError::CutOff(self.bytes.len());
        let rest = self.bytes.get(self.at..).ok_or_else(|| cut_off.clone())?;
        // Not told that the end is near, the parser tells "cut off" from "wrong".
        let (mut consumed, payload) = match self
            .parser
            .parse(rest, rest.is_empty())
            .map_err(malformed)?
        {
            Chunk::NeedMoreData(_) => return Err(cut_off),
            Chunk::Parsed { consumed, payload } => (consumed, payload),
        };
        if let Payload::ModuleSection {
            unchecked_range: inner,
            ..
        }
        | Payload::ComponentSection {
            unchecked_range: inner,
            ..
        } = &payload
        {
            // Stepping over what is nested, instead of into it.
            consumed = inner
                .end
                .checked_sub(self.at)
                .ok_or_else(|| cut_off.clone())?;
        }
        let end = self
            .at
            .checked_add(consumed)
            .filter(|end| *end <= self.bytes.len())
            .ok_or(cut_off)?;
        let range = std::mem::replace(&mut self.at, end)..end;
        Ok(Section { payload, range })
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<Section<'a>, ComponentError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let section = self.step();
        self.done = match &section {
            Ok(section) => matches!(section.payload, Payload::End(_)),
            Err(_) => true,
        };
        Some(section)
    }
}

fn malformed(error: wasmparser::Error) -> ComponentError {
    ComponentError::Malformed {
        message: GuestText::new(error.message(), 2 * MAX_NAME),
        offset: error.offset(),
    }
}
