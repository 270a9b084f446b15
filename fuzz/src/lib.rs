//! The fuzz targets of modelhost: functions that take any bytes and panic where
//! something that must hold does not.
//!
//! `cargo xtask fuzz` runs them under libFuzzer and AddressSanitizer; `tests/mutations.rs`
//! runs them on stable Rust. Leaves what they start from to `seeds`.

mod attestation;
mod audit;
mod checks;
mod host;
mod import;
mod report;
pub mod seeds;
mod signatures;

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
    /// How many seconds the long tests run it: a parser of model files, which are
    /// all that an attacker has to offer, longer than the rest.
    pub seconds: u32,
}

const fn host(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, seconds: 60 }
}

const fn parser(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, seconds: 600 }
}

/// All of them, those of the host first.
pub const TARGETS: &[Target] = &[
    host("policy", host::policy),
    host("lock", host::lock),
    host("import", import::import),
    host("audit", audit::audit),
    host("manifest", host::manifest),
    host("component", host::component),
    host("frame", host::frame),
    host("escape", host::escape),
    host("report", report::report),
    host("attestation", attestation::attestation),
    parser("pickle", checks::pickle),
    parser("archive", checks::pickle),
    parser("compressed", checks::pickle),
    parser("array", checks::pickle),
    parser("safetensors", checks::formats),
    parser("gguf", checks::formats),
    parser("onnx", checks::formats),
    parser("keras", checks::formats),
    parser("tensorflow", checks::formats),
    parser("companion", checks::formats),
    parser("repository", checks::code),
    parser("template", checks::template),
    parser("license", checks::license),
    parser("card", checks::card),
    parser("document", checks::document),
    parser("gguf-metadata", checks::gguf_metadata),
    parser("provenance", signatures::provenance),
    parser("payload", signatures::payload),
    parser("chain", signatures::chain),
];

/// Returns the target `name`.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
