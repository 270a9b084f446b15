//! The outside of a component, read from its bytes: what it asks for, what it
//! offers, which manifest it carries ([`Outline::read`]).
//!
//! Leaves the manifest's text to `manifest`, and the code to `validate`.
//!
//! # Invariants
//! Only the component's top level is read: nested modules and components are
//! stepped over by their length, so the work is bounded by the number of
//! top-level sections and of imports in them.

use std::ops::Range;

use wasmparser::{Chunk, ComponentExternalKind, Parser, Payload};

use super::contract::{Asked, EXPORT, LINE, PACKAGE, check_version, is_spoken};
use crate::domain::plugin::Imports;
use crate::domain::text::GuestText;

pub use super::sniff::Kind;
pub use super::validate::{features, validate};

/// The custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "modelhost:manifest";

/// The most bytes of a name from a component that are shown.
const MAX_NAME: usize = 200;
/// The most bytes of a message about a hostile component.
pub(super) const MAX_MESSAGE: usize = 400;

/// Why some bytes are no component that can be a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// They are something else.
    #[error("it is {0}, not a component")]
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
                "modelhost takes no SIMD, threads, exceptions, garbage collection, tail calls, memory64 \
                 or multi-memory: build the plugin without them"
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
        Ok(Self { imports: asked.into_imports(contract), manifests, checks })
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
            Kind::Component => Ok(Self { bytes, parser: Parser::new(0), at: 0, done: false }),
            other => Err(ComponentError::Other(other)),
        }
    }

    fn step(&mut self) -> Result<Section<'a>, ComponentError> {
        let cut_off = ComponentError::CutOff(self.bytes.len());
        let rest = self.bytes.get(self.at..).ok_or_else(|| cut_off.clone())?;
        // Not told that the end is near, the parser tells "cut off" from "wrong".
        let (mut consumed, payload) =
            match self.parser.parse(rest, rest.is_empty()).map_err(malformed)? {
                Chunk::NeedMoreData(_) => return Err(cut_off),
                Chunk::Parsed { consumed, payload } => (consumed, payload),
            };
        if let Payload::ModuleSection { unchecked_range: inner, .. }
        | Payload::ComponentSection { unchecked_range: inner, .. } = &payload
        {
            // Stepping over what is nested, instead of into it.
            consumed = inner.end.checked_sub(self.at).ok_or_else(|| cut_off.clone())?;
        }
        let end =
            self.at.checked_add(consumed).filter(|end| *end <= self.bytes.len()).ok_or(cut_off)?;
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
        message: GuestText::new(error.message(), MAX_MESSAGE),
        offset: error.offset(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capability::Capability;
    use crate::plugin::testing::{assemble, packed};

    #[test]
    fn reads_what_a_plugin_asks_for_and_offers() {
        let bytes = packed();
        let outline = Outline::read(&bytes).expect("a component");
        assert_eq!(outline.imports.capabilities, [Capability::Clock, Capability::Files]);
        assert_eq!(outline.imports.unknown, [""; 0]);
        assert_eq!(outline.imports.contract.as_deref(), Some("0.1.0"));
        assert_eq!(outline.require_check(), Ok(()));
        assert!(outline.manifest().expect("one").starts_with(b"{\"plugin\":"));
        assert_eq!(validate(&bytes), Ok(()));
    }

    #[test]
    fn tells_the_contract_from_everything_else() {
        let instance = |name: &str| format!("(component (import \"{name}\" (instance)))");
        let rows = [
            (instance("modelhost:check/log@0.1.0"), "log", ""),
            (instance("modelhost:check/documents@0.1.99"), "documents", ""),
            (instance("modelhost:check/types@0.1.0"), "", ""),
            (
                "(component (import \"modelhost:check/log@0.1.0\" (instance)) \
                 (import \"modelhost:check/log@0.1.1\" (instance)))"
                    .to_owned(),
                "log",
                "",
            ),
            (
                instance("modelhost:check/files@0.2.0"),
                "",
                "modelhost:check/files@0.2.0 (this modelhost speaks line 0.1 of the contract)",
            ),
            (
                instance("modelhost:check/types@99.0.0"),
                "",
                "modelhost:check/types@99.0.0 (this modelhost speaks line 0.1 of the contract)",
            ),
            (
                instance("modelhost:check/files"),
                "",
                "modelhost:check/files (this modelhost speaks line 0.1 of the contract)",
            ),
            (
                instance("modelhost:check/net@0.1.0"),
                "",
                "modelhost:check/net@0.1.0 (there is no such capability)",
            ),
            (
                instance("modelhost:check/model-check@0.1.0"),
                "",
                "modelhost:check/model-check@0.1.0 (there is no such capability)",
            ),
            (
                instance("wasi:cli/environment@0.2.0"),
                "",
                "wasi:cli/environment@0.2.0 (WASI is not part of the contract)",
            ),
            (instance("acme:scan/db@1.0.0"), "", "acme:scan/db@1.0.0"),
            (
                "(component (import \"run\" (func)))".to_owned(),
                "",
                "run (a func, not an interface)",
            ),
            (
                "(component (import \"modelhost:check/log@0.1.0\" (component)))".to_owned(),
                "",
                "modelhost:check/log@0.1.0 (a component, not an interface)",
            ),
            (
                "(component (import \"handle\" (type (sub resource))))".to_owned(),
                "",
                "handle (a type, not an interface)",
            ),
            ("(component (type $t u32) (import \"t\" (type (eq $t))))".to_owned(), "", ""),
            // What is within does not ask for anything.
            (
                "(component (component (import \"wasi:cli/run@0.2.0\" (instance))))".to_owned(),
                "",
                "",
            ),
        ];
        for (wat, capabilities, unknown) in rows {
            let bytes = assemble(&wat);
            let outline = Outline::read(&bytes).expect("a component");
            let names: Vec<_> = outline.imports.capabilities.iter().map(|c| c.name()).collect();
            assert_eq!(names.join(" "), capabilities, "{wat}");
            assert_eq!(outline.imports.unknown.join(" | "), unknown, "{wat}");
            assert_eq!(outline.imports.contract, None);
        }
    }

    #[test]
    fn names_a_bounded_number_of_unknown_imports() {
        let imports: String =
            (0..1000).map(|i| format!("(import \"acme:scan/db{i}@1.0.0\" (instance))")).collect();
        let bytes = assemble(&format!("(component {imports})"));
        let unknown = Outline::read(&bytes).expect("a component").imports.unknown;
        assert_eq!(unknown.len(), MAX_UNKNOWN_SHOWN + 1);
        assert_eq!(unknown.last().map(String::as_str), Some("and 968 more"));
    }
    const MAX_UNKNOWN_SHOWN: usize = 32;

    #[test]
    fn wants_one_check_of_its_line() {
        let export = |names: &[&str]| {
            let exports: String =
                names.iter().map(|name| format!("(export \"{name}\" (instance $i))")).collect();
            assemble(&format!("(component (instance $i) {exports})"))
        };
        let other = |name: &str| Err(ComponentError::OtherLine(GuestText::capped(name)));
        let rows: [(&[&str], Result<(), ComponentError>); 7] = [
            (&["modelhost:check/model-check@0.1.0"], Ok(())),
            (&["modelhost:check/model-check@0.1.4", "acme:scan/extra@1.0.0"], Ok(())),
            (&[], Err(ComponentError::NoCheck)),
            (&["modelhost:check/model-checks@0.1.0"], Err(ComponentError::NoCheck)),
            (&["modelhost:check/model-check@0.2.0"], other("modelhost:check/model-check@0.2.0")),
            (&["modelhost:check/model-check"], other("modelhost:check/model-check")),
            (
                &["modelhost:check/model-check@0.1.0", "modelhost:check/model-check@0.1.1"],
                Err(ComponentError::ManyChecks),
            ),
        ];
        for (names, expected) in rows {
            let bytes = export(names);
            assert_eq!(
                Outline::read(&bytes).expect("a component").require_check(),
                expected,
                "{names:?}"
            );
        }
        let function = assemble(
            "(component (component $c) (export \"modelhost:check/model-check@0.1.0\" (component $c)))",
        );
        assert_eq!(
            Outline::read(&function).expect("a component").require_check(),
            Err(ComponentError::NoCheck)
        );
    }

    #[test]
    fn wants_one_manifest_at_the_top() {
        let rows = [
            ("(component (@custom \"modelhost:manifest\" \"x\"))", Ok("x".as_bytes())),
            ("(component)", Err(ComponentError::NoManifest)),
            (
                "(component (component (@custom \"modelhost:manifest\" \"x\")))",
                Err(ComponentError::NoManifest),
            ),
            (
                "(component (@custom \"modelhost:manifest\" \"x\") (@custom \"modelhost:manifest\" \"x\"))",
                Err(ComponentError::ManyManifests(2)),
            ),
        ];
        for (wat, expected) in rows {
            let bytes = assemble(wat);
            assert_eq!(Outline::read(&bytes).expect("a component").manifest(), expected, "{wat}");
        }
    }

    #[test]
    fn sections_cover_the_component_without_gaps() {
        let bytes = packed();
        let mut at = 0;
        for section in Sections::of(&bytes).expect("a component") {
            let range = section.expect("a section").range;
            assert_eq!(range.start, at);
            at = range.end;
        }
        assert_eq!(at, bytes.len());
    }

    #[test]
    fn nested_lengths_may_lie() {
        for length in [[0xff, 0xff, 0xff, 0xff, 0x0f], [0x80, 0x80, 0x80, 0x80, 0x04]] {
            for id in [1, 4] {
                let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
                bytes.push(id);
                bytes.extend(length);
                let error = Outline::read(&bytes).expect_err("cut off");
                let told =
                    matches!(error, ComponentError::CutOff(14) | ComponentError::Malformed { .. });
                assert!(told, "{error:?}");
            }
        }
    }
}
