//! Embeds the bundled plugins: writes `bundled.rs`, an array of (name, bytes, digest),
//! which `host/plugin/source/bundled.rs` includes.
//!
//! They are taken from the first of these folders that there is:
//! `$MODELHOST_BUNDLED_DIR`; `host/bundled`, which the published package has;
//! `target/plugins`, where `cargo xtask plugins` builds them. Where that holds
//! no plugin, modelhost is built without.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads the environment and folders that cargo names"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest as _, Sha256};

const VARIABLE: &str = "MODELHOST_BUNDLED_DIR";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut array = String::from("static BUNDLED: &[(&str, &[u8], [u8; 32])] = &[\n");
    if let Some(folder) = folder(&root)? {
        // An absolute path, since `include_bytes!` is relative to the file it stands in.
        let folder = folder
            .canonicalize()
            .map_err(|error| io::Error::other(format!("{}: {error}", folder.display())))?;
        println!("cargo::rerun-if-changed={}", folder.display());
        for path in plugins(&folder)? {
            println!("cargo::rerun-if-changed={}", path.display());
            let name = path.file_stem().and_then(|name| name.to_str());
            let name =
                name.ok_or_else(|| io::Error::other(format!("{path:?}: its name is not UTF-8")))?;
            let path = path.to_str();
            let path =
                path.ok_or_else(|| io::Error::other(format!("{folder:?}: its name is not UTF-8")))?;
            // Here once, and not at the start of every run.
            let digest = Sha256::digest(fs::read(path)?);
            writeln!(array, "    ({name:?}, include_bytes!({path:?}), {:?}),", &digest[..])
                .expect("a String takes it");
        }
    }
    array.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("bundled.rs"), array)
}

/// Returns the folder to take plugins from.
fn folder(root: &Path) -> io::Result<Option<PathBuf>> {
    if let Some(folder) = env::var_os(VARIABLE) {
        return Ok(Some(root.join(folder)));
    }
    let packaged = root.join("host/bundled");
    if packaged.is_dir() {
        return Ok(Some(packaged));
    }
    let target = root.join("target");
    if !target.is_dir() {
        return Ok(None);
    }
    // Cargo runs this script at every build while a path that it watches is missing.
    let built = target.join("plugins");
    fs::create_dir_all(&built)?;
    Ok(Some(built))
}

/// Returns the plugins in `folder`, sorted.
fn plugins(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
