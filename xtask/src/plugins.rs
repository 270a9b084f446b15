//! The bundled plugins: compiled to core wasm, packed into components, laid into
//! `target/plugins`.
//!
//! It leaves finding a compiler to `wasm.rs`, and what a component is to `modelhost plugin pack`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::term::{self, Steps};
use crate::wasm::{self, WasmToolchain};
use crate::workspace::{Plugin, Workspace, cargo_home};
use crate::{command, setup};

/// The profile in the root manifest that plugins are built with.
const PROFILE: &str = "plugin";

/// A plugin's compiled core module, not yet a component.
#[derive(Debug)]
pub(crate) struct Core {
    plugin: Plugin,
    file: PathBuf,
}

/// Runs `cargo xtask plugins`.
///
/// # Errors
/// When a step fails.
pub(crate) fn command(workspace: &Workspace) -> Result<()> {
    let ready = setup::run(workspace, &mut Steps::new(setup::STEPS))?;
    for plugin in &workspace.plugins {
        let file = packed(workspace, plugin);
        let size = fs::metadata(&file)?.len().div_ceil(1024);
        term::line(format!("{:<40} {size:>6} KiB", workspace.shown(&file)));
    }
    term::line(format!("{:<40} embeds them", workspace.shown(&ready.host)));
    Ok(())
}

/// Compiles every plugin in one cargo call, so that what they share is built once.
///
/// # Errors
/// When they don't build.
pub(crate) fn build(workspace: &Workspace, toolchain: &WasmToolchain) -> Result<Vec<Core>> {
    let packages: Vec<&str> = workspace.plugins.iter().map(|plugin| &*plugin.package).collect();
    let folder = compile(workspace, toolchain, &packages)?;
    let cores = workspace.plugins.iter().map(|plugin| Core {
        plugin: plugin.clone(),
        file: folder.join(format!("{}.wasm", plugin.library)),
    });
    Ok(cores.collect())
}

/// Compiles packages to core wasm, and returns the folder that it lies in.
///
/// # Errors
/// When they don't build.
pub(crate) fn compile(
    workspace: &Workspace,
    toolchain: &WasmToolchain,
    packages: &[&str],
) -> Result<PathBuf> {
    let mut build = command::cargo();
    build.current_dir(&workspace.root).args(["build", "--lib", "--profile", PROFILE]);
    build.args(["--target", wasm::TARGET]).arg("--target-dir").arg(workspace.wasm_target());
    for package in packages {
        build.args(["--package", package]);
    }
    toolchain.apply(&mut build);
    build.env("CARGO_ENCODED_RUSTFLAGS", flags(workspace, toolchain)?.join("\u{1f}"));
    command::run(&mut build).context("the plugins do not build")?;
    Ok(workspace.wasm_target().join(wasm::TARGET).join(PROFILE))
}

/// Returns the compiler's flags: the same sources give the same bytes, wherever they lie. They
/// replace what the user's own RUSTFLAGS say.
fn flags(workspace: &Workspace, toolchain: &WasmToolchain) -> Result<Vec<String>> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    // The last that matches wins, and any of these may lie within the one before.
    Ok(vec![
        remap(&cargo_home()?, "/cargo"),
        remap(&workspace.root, "/modelhost"),
        remap(&toolchain.sysroot, "/rust"),
        "-Cstrip=symbols".to_owned(),
    ])
}

/// Packs the compiled plugins with the host's own command, and returns whether anything in
/// `target/plugins` changed. A file is replaced only if its bytes differ, since the host's build
/// script watches the folder.
///
/// # Errors
/// When a plugin can't be packed.
pub(crate) fn pack(workspace: &Workspace, host: &Path, cores: &[Core]) -> Result<bool> {
    let folder = workspace.packed();
    fs::create_dir_all(&folder)?;
    let mut changed = remove_strangers(workspace)?;
    for Core { plugin, file } in cores {
        let manifest = workspace.root.join("plugins").join(&plugin.name).join("plugin.toml");
        let fresh = workspace.wasm_target().join(format!("{}.packed", plugin.name));
        pack_one(host, &manifest, file, &fresh)
            .with_context(|| format!("plugins/{} could not be packed", plugin.name))?;
        changed |= replace_if_different(&fresh, &packed(workspace, plugin))?;
    }
    Ok(changed)
}

/// Makes a component of a core module, as a plugin's author does.
///
/// # Errors
/// When it can't be packed.
pub(crate) fn pack_one(host: &Path, manifest: &Path, core: &Path, packed: &Path) -> Result<()> {
    let mut pack = Command::new(host);
    pack.args(["plugin", "pack", "--manifest"]).arg(manifest);
    pack.arg("--core").arg(core).arg("-o").arg(packed);
    command::capture(&mut pack).map(drop)
}

/// Returns where a packed plugin lies.
fn packed(workspace: &Workspace, plugin: &Plugin) -> PathBuf {
    workspace.packed().join(format!("{}.wasm", plugin.name))
}

/// Removes packed plugins whose sources are gone: the host would embed them.
fn remove_strangers(workspace: &Workspace) -> Result<bool> {
    let ours: BTreeSet<_> = workspace.plugins.iter().map(|p| packed(workspace, p)).collect();
    let mut changed = false;
    for entry in fs::read_dir(workspace.packed())? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "wasm") && !ours.contains(&path) {
            fs::remove_file(&path)?;
            changed = true;
        }
    }
    Ok(changed)
}

/// Moves a file over another unless they have the same bytes, and returns whether it did.
fn replace_if_different(fresh: &Path, old: &Path) -> Result<bool> {
    let bytes = fs::read(fresh)
        .with_context(|| format!("`modelhost plugin pack` wrote no {}", fresh.display()))?;
    if fs::read(old).is_ok_and(|previous| previous == bytes) {
        fs::remove_file(fresh)?;
        return Ok(false);
    }
    fs::rename(fresh, old)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_bytes_replace_a_file() {
        let folder = std::env::temp_dir().join(format!("xtask-plugins-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (fresh, old) = (folder.join("fresh"), folder.join("old"));
        for (bytes, expected) in [("one", true), ("one", false), ("two", true)] {
            fs::write(&fresh, bytes).unwrap();
            assert_eq!(replace_if_different(&fresh, &old).unwrap(), expected, "{bytes}");
            assert_eq!(fs::read(&old).unwrap(), bytes.as_bytes());
            assert!(!fresh.exists());
        }
        assert!(replace_if_different(&fresh, &old).is_err(), "nothing was written");
        fs::remove_dir_all(&folder).unwrap();
    }
}
