//! Debian's Rust, unpacked into `target/wasm-toolchain`, with a standard library built for wasm.
//!
//! Debian packages a newer compiler under names that conflict with rustup when installed, and no
//! library for `wasm32-unknown-unknown`, but its sources. So nothing is installed: the packages
//! are unpacked into a folder, and the library is built from the sources once. Which packages these
//! are is `apt.rs`'s affair, how the library is built `library.rs`'s.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{TARGET, WasmToolchain, apt, has_std, library};
use crate::workspace::Workspace;
use crate::{command, term};

/// The file that is written last: its presence says that the folder is complete, its text from
/// what and which way it was made.
const READY: &str = "ready";

/// The first line of that file; another recipe makes the folder anew.
const RECIPE: &str = "recipe 1";

/// The folders of this way.
pub(super) struct Layout {
    /// Everything below is in here.
    pub(super) folder: PathBuf,
    /// The packages' files, kept for the next time.
    packages: PathBuf,
    /// What they hold.
    root: PathBuf,
    /// The script that starts the compiler with its own libraries.
    pub(super) rustc: PathBuf,
}

impl Layout {
    fn new(workspace: &Workspace) -> Self {
        let folder = workspace.root.join("target/wasm-toolchain");
        Self {
            packages: folder.join("packages"),
            root: folder.join("root"),
            rustc: folder.join("rustc"),
            folder,
        }
    }

    /// Returns the compiler's folder of libraries.
    pub(super) fn sysroot(&self) -> PathBuf {
        self.root.join("usr")
    }

    /// Returns where the compiler looks for the target's library.
    pub(super) fn std(&self) -> PathBuf {
        self.sysroot().join("lib/rustlib").join(TARGET).join("lib")
    }
}

/// Returns the folder's name for messages.
pub(super) fn shown(workspace: &Workspace) -> String {
    workspace.shown(&Layout::new(workspace).folder)
}

/// Returns the toolchain if an earlier run completed it.
///
/// # Errors
/// When it is there, but no linker is.
pub(super) fn installed(workspace: &Workspace) -> Result<Option<WasmToolchain>> {
    let layout = Layout::new(workspace);
    let ready = fs::read_to_string(layout.folder.join(READY)).unwrap_or_default();
    if ready.lines().next() != Some(RECIPE) || !has_std(&layout.std()) {
        return Ok(None);
    }
    toolchain(&layout).map(Some)
}

/// Fetches and unpacks the packages and builds the library.
///
/// # Errors
/// When a step fails; the message says what it takes.
pub(super) fn install(workspace: &Workspace) -> Result<WasmToolchain> {
    for program in ["apt-get", "apt-cache", "dpkg"] {
        if !command::exists(program) {
            bail!("there is no {program}: this is no Debian");
        }
    }
    let layout = Layout::new(workspace);
    let linker = library::linker()?;
    let packages = fetch(workspace, &layout)?;
    unpack(&layout, &packages)?;
    write_rustc(&layout)?;
    library::build(&layout, &linker)?;
    let names: Vec<_> = packages.iter().map(apt::Package::pinned).collect();
    fs::write(layout.folder.join(READY), format!("{RECIPE}\n{}\n", names.join("\n")))?;
    toolchain(&layout)
}

fn toolchain(layout: &Layout) -> Result<WasmToolchain> {
    Ok(WasmToolchain {
        rustc: Some(layout.rustc.clone()),
        linker: Some(library::linker()?),
        sysroot: layout.sysroot(),
    })
}

/// Fetches the packages that are not there yet.
fn fetch(workspace: &Workspace, layout: &Layout) -> Result<Vec<apt::Package>> {
    let least = workspace.rust_version;
    fs::create_dir_all(&layout.packages)?;
    let mut updated = false;
    loop {
        let found = apt::resolve(least)?;
        let outcome = match &found {
            Some(packages) => download(layout, packages),
            None => Err(anyhow::anyhow!("apt knows no Rust {least} or newer")),
        };
        match (outcome, found) {
            (Ok(()), Some(packages)) => return Ok(packages),
            (Err(error), _) if updated => return Err(error),
            // Lists that are missing or old are the usual reason, on a fresh machine above all.
            (Err(error), _) => {
                term::note(&format!("{error:#}; renewing apt's lists (apt-get update)"));
                let update = apt_get().arg("update").arg("--quiet").output()?;
                if !update.status.success() {
                    let said = String::from_utf8_lossy(&update.stderr);
                    bail!(
                        "{error:#}, and `apt-get update` failed ({}); run `sudo apt-get update`, \
                         then this again",
                        said.lines().next().unwrap_or("it says nothing")
                    );
                }
                updated = true;
            }
            (Ok(()), None) => bail!("apt knows no Rust {least} or newer"),
        }
    }
}

/// Downloads packages into their folder, except those that are there.
fn download(layout: &Layout, packages: &[apt::Package]) -> Result<()> {
    let missing: Vec<_> = packages.iter().filter(|p| file(layout, p).is_none()).cloned().collect();
    if missing.is_empty() {
        term::note(&format!("{} packages: downloaded earlier", packages.len()));
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|package| &*package.name).collect();
    term::note(&format!(
        "downloading {} MB of Debian packages ({}); installing none of them",
        apt::size(&missing) / 1_000_000,
        names.join(", ")
    ));
    let mut download = apt_get();
    download.current_dir(&layout.packages).args(["download", "--quiet=2"]);
    download.args(missing.iter().map(apt::Package::pinned));
    command::capture(&mut download)?;
    Ok(())
}

/// Returns an `apt-get` that gives up on a dead line, and does not change users: the unprivileged
/// one can't write into a build folder.
fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("LC_ALL", "C").args(["-o", "APT::Sandbox::User=root"]);
    command.args(["-o", "Acquire::http::Timeout=30", "-o", "Acquire::Retries=2"]);
    command
}

/// Returns the downloaded file of a package. Apt writes it under another name until it is whole.
fn file(layout: &Layout, package: &apt::Package) -> Option<PathBuf> {
    // The name holds the version, with the epoch's colon written as %3a.
    let start = format!("{}_{}_", package.name, package.version.replace(':', "%3a"));
    let entries = fs::read_dir(&layout.packages).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&start) && name.ends_with(".deb")
    })
}

/// Unpacks the packages into an empty folder.
fn unpack(layout: &Layout, packages: &[apt::Package]) -> Result<()> {
    term::note("unpacking them into target/wasm-toolchain");
    remove(&layout.folder.join(READY))?;
    remove(&layout.root)?;
    fs::create_dir_all(&layout.root)?;
    for package in packages {
        let file = file(layout, package)
            .with_context(|| format!("{} was not downloaded", package.pinned()))?;
        command::capture(Command::new("dpkg").arg("-x").arg(file).arg(&layout.root))?;
    }
    Ok(())
}

/// Writes the script that starts the unpacked compiler with the libraries it came with. It finds
/// them from its own place, so that the workspace may be moved.
fn write_rustc(layout: &Layout) -> Result<()> {
    let libraries = libraries(&layout.sysroot().join("lib"))
        .context("the packages hold no rustc_driver library")?;
    let libraries = libraries.strip_prefix(&layout.folder)?.display().to_string();
    let script = format!(
        "#!/bin/sh\n\
         # Starts Debian's unpacked rustc; written by `cargo xtask`.\n\
         here=$(CDPATH= cd -- \"$(dirname -- \"$0\")\" && pwd)\n\
         LD_LIBRARY_PATH=\"$here/{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n\
         export LD_LIBRARY_PATH\n\
         exec \"$here/root/usr/bin/rustc\" \"$@\"\n"
    );
    fs::write(&layout.rustc, script)?;
    make_executable(&layout.rustc)?;
    let version = command::capture(Command::new(&layout.rustc).arg("--version"))
        .context("the unpacked compiler does not start")?;
    term::note(&format!("unpacked: {}", version.trim_end()));
    Ok(())
}

/// Returns the folder below `lib` (or `lib` itself) that holds the compiler's driver.
fn libraries(lib: &Path) -> Option<PathBuf> {
    let below = fs::read_dir(lib).ok()?.flatten().map(|entry| entry.path());
    std::iter::once(lib.to_owned()).chain(below).find(|folder| {
        let Ok(entries) = fs::read_dir(folder) else {
            return false;
        };
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with("librustc_driver"))
    })
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    bail!("Debian's packages run on Debian only")
}

/// Removes a file or a folder, if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} could not be removed", path.display()))
        }
        _ => Ok(()),
    }
}
