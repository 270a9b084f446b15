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

use std::collections::BTreeSet;
use std::ops::Range;

use wasmparser::{
    Chunk, ComponentExternalKind, ComponentTypeRef, Parser, Payload, TypeBounds, WasmFeatures,
};

use crate::domain::plugin::Imports;
use crate::domain::text::GuestText;

pub use super::sniff::Kind;

/// The custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "modelhost:manifest";

/// The package of the contract.
const PACKAGE: &str = "modelhost:check/";
/// The interface that a check exports.
const EXPORT: &str = "model-check";
/// The interface that holds types alone: importing it asks for nothing.
const TYPES: &str = "types";
/// The line of the contract that this modelhost speaks.
const LINE: &str = "0.1";
/// How many imports outside of the contract are named; a hostile component may
/// have a million.
const MAX_UNKNOWN: usize = 32;
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
        let mut seen = Seen::default();
        let mut manifests = Vec::new();
        let mut checks = Vec::new();
        for section in Sections::of(bytes)? {
            match section?.payload {
                Payload::CustomSection(custom) if custom.name() == MANIFEST_SECTION => {
                    manifests.push(custom.data());
                }
                Payload::ComponentImportSection(imports) => {
                    for import in imports {
                        let import = import.map_err(malformed)?;
                        seen.import(&import);
                    }
                }
                Payload::ComponentExportSection(exports) => {
                    for export in exports {
                        let export = export.map_err(malformed)?;
                        let check = export.name.name.strip_prefix(PACKAGE);
                        let check = check.and_then(|name| name.strip_prefix(EXPORT));
                        let is_check =
                            check.is_some_and(|rest| rest.starts_with('@') || rest.is_empty());
                        if is_check && export.kind == ComponentExternalKind::Instance {
                            checks.push(export.name.name);
                        }
                    }
                }
                _ => {}
            }
        }
        let contract = match checks.as_slice() {
            [check] => check
                .split_once('@')
                .map(|(_, version)| version)
                .filter(|v| is_spoken(v)),
            _ => None,
        };
        Ok(Self {
            imports: seen.finish(contract),
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

/// The imports seen so far.
#[derive(Default)]
struct Seen {
    capabilities: BTreeSet<crate::domain::capability::Capability>,
    unknown: BTreeSet<String>,
    /// How many more unknown ones there were than are kept.
    more: usize,
}

impl Seen {
    fn import(&mut self, import: &wasmparser::ComponentImport<'_>) {
        let name = import.name.name;
        match import.ty {
            ComponentTypeRef::Instance(_) => {}
            // A name for a type that is known otherwise: nothing is asked for.
            ComponentTypeRef::Type(TypeBounds::Eq(_)) => return,
            other => {
                return self.unknown(
                    name,
                    &format!("a {}, not an interface", other.kind().desc()),
                );
            }
        }
        let Some((interface, version)) = name
            .strip_prefix(PACKAGE)
            .map(|rest| rest.split_once('@').unwrap_or((rest, "")))
        else {
            let why = if name.starts_with("wasi:") {
                "WASI is not part of the contract"
            } else {
                ""
            };
            return self.unknown(name, why);
        };
        if !is_spoken(version) {
            return self.unknown(
                name,
                &format!("this modelhost speaks line {LINE} of the contract"),
            );
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
        self.unknown.insert(if why.is_empty() {
            name.to_string()
        } else {
            format!("{name} ({why})")
        });
    }

    fn finish(self, contract: Option<&str>) -> Imports {
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

/// Whether `version` is of the line this modelhost speaks: `0.1.` and a number,
/// nothing before or after it. A pre-release is not semver-compatible.
fn is_spoken(version: &str) -> bool {
    let patch = version
        .strip_prefix(LINE)
        .and_then(|rest| rest.strip_prefix('.'));
    patch.is_some_and(|patch| {
        (1..=9).contains(&patch.len())
            && patch.bytes().all(|byte| byte.is_ascii_digit())
            && (patch == "0" || !patch.starts_with('0'))
    })
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
