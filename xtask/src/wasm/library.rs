//! The standard library for wasm, built from a compiler's own sources and laid where that compiler
//! looks for it; and the linker for what is built with it.
//!
//! It leaves getting the compiler and the sources to `debian.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::TARGET;
use super::debian::{Layout, remove};
use crate::{command, term};

/// Builds the standard library from the unpacked sources and lays it where the compiler looks.
pub(super) fn build(layout: &Layout, linker: &Path) -> Result<()> {
    term::note(&format!("building the standard library for {TARGET} from its sources, once"));
    let folder = layout.folder.join("std-build");
    remove(&folder)?;
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "#![no_std]\n")?;
    // A workspace of its own: the folder lies within ours.
    let manifest = "[package]\nname = \"std-build\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), manifest)?;
    let sources = layout.sysroot().join("lib/rustlib/src/rust");
    let flags = [
        // As in the library that rustup ships, so that no path of this machine gets into plugins.
        format!("--remap-path-prefix={}=/rust", layout.sysroot().display()),
        format!("--remap-path-prefix={}=/rust", sources.canonicalize()?.display()),
        format!("--remap-path-prefix={}=/cargo", crate::workspace::cargo_home()?.display()),
    ];
    let mut build = command::cargo();
    build
        .current_dir(&folder)
        .args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET])
        .arg("--target-dir")
        .arg(folder.join("target"))
        .env("RUSTC", &layout.rustc)
        // -Zbuild-std is not stable; it is needed for this one build.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    command::run(&mut build)?;
    let built = folder.join("target").join(TARGET).join("release/deps");
    fs::create_dir_all(layout.std())?;
    for entry in fs::read_dir(built)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_owned();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with("libstd_build-") {
            fs::copy(&path, layout.std().join(name))?;
        }
    }
    // The sources and the build are 1.5 GB that nobody needs again.
    remove(&folder)?;
    remove(&layout.sysroot().join("src"))?;
    Ok(())
}

/// Returns the linker for wasm: the one of the Rust in use, or one that is installed. Debian's
/// compiler brings none.
pub(super) fn linker() -> Result<PathBuf> {
    let sysroot = PathBuf::from(super::rustc_prints(&["--print", "sysroot"])?);
    let verbose = super::rustc_prints(&["--version", "--verbose"])?;
    let host = verbose.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    // Not the `gcc-ld/wasm-ld` beside it, which does not take the flavour that rustc names.
    let lld = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    if lld.is_file() {
        return Ok(lld);
    }
    for name in ["rust-lld", "lld"] {
        if command::exists(name) {
            return Ok(name.into());
        }
    }
    bail!("there is no linker for wasm: neither {} nor an installed `lld`", lld.display())
}
