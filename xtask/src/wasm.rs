//! A Rust that can build for `wasm32-unknown-unknown`: found, or set up.
//!
//! It owns the choice between the ways; `debian.rs` owns the longest of them, and building
//! the plugins is left to `plugins.rs`.

mod apt;
mod debian;
mod library;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};

use crate::workspace::Workspace;
use crate::{command, term};

/// The target of the bundled plugins.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The variable that forces one way.
const VARIABLE: &str = "MODELHOST_WASM_TOOLCHAIN";

/// How long `rustup target add` may take: 30 MB on a slow line. Where its server is walled off,
/// connections often hang instead of failing.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// A way to build for the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The toolchain in use has the target's standard library.
    Sysroot,
    /// Rustup adds it.
    Rustup,
    /// Debian's packages, unpacked beside the build.
    Debian,
}

impl Way {
    /// Reads the name that forces a way.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "sysroot" => Some(Self::Sysroot),
            "rustup" => Some(Self::Rustup),
            "debian" => Some(Self::Debian),
            _ => None,
        }
    }
}

/// A toolchain that builds for the target.
#[derive(Debug)]
pub(crate) struct WasmToolchain {
    /// The compiler, where it is not the one cargo would take.
    rustc: Option<PathBuf>,
    /// The linker, where it is not the one the compiler would take.
    linker: Option<PathBuf>,
    /// The folder of the compiler's libraries, so that its name can be kept out of the plugins.
    pub(crate) sysroot: PathBuf,
}

impl WasmToolchain {
    /// Makes a cargo call use this toolchain.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Some(rustc) = &self.rustc {
            command.env("RUSTC", rustc);
        }
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }

    /// Returns whether cargo's other tools (clippy) see the target too.
    pub(crate) fn is_in_use(&self) -> bool {
        self.rustc.is_none()
    }
}

/// Makes sure that something builds for the target, setting it up where it is missing.
///
/// # Errors
/// When no way works; the message names them, and the way out.
pub(crate) fn ensure(workspace: &Workspace) -> Result<WasmToolchain> {
    match std::env::var(VARIABLE) {
        Ok(value) => {
            let way = Way::parse(&value).with_context(|| {
                format!("{VARIABLE} is {value:?}; it takes sysroot, rustup or debian")
            })?;
            term::note(&format!("{VARIABLE}={value}: no other way is tried"));
            take(way, workspace)
        }
        Err(_) => first_that_works(workspace),
    }
}

/// Tries the ways from the cheapest to the dearest.
fn first_that_works(workspace: &Workspace) -> Result<WasmToolchain> {
    if let Some(found) = in_sysroot()? {
        term::note(&format!("{TARGET}: the toolchain in use has it"));
        return Ok(found);
    }
    if let Some(found) = debian::installed(workspace)? {
        term::note(&format!("{TARGET}: Debian's Rust in {}", debian::shown(workspace)));
        return Ok(found);
    }
    let rustup = match take(Way::Rustup, workspace) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    term::note(&format!("rustup can't: {rustup:#}"));
    term::note("so Debian's packages, which hold a compiler and the library's sources:");
    let debian = match take(Way::Debian, workspace) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    Err(anyhow!(
        "nothing here builds for {TARGET}\n  \
         rustup: {rustup:#}\n  \
         debian: {debian:#}\n  \
         way out: let `rustup target add {TARGET}` succeed once (it needs rustup's server or a \
         mirror named by RUSTUP_DIST_SERVER), or use a toolchain that brings the target"
    ))
}

/// Takes one way and no other.
fn take(way: Way, workspace: &Workspace) -> Result<WasmToolchain> {
    match way {
        Way::Sysroot => in_sysroot()?
            .with_context(|| format!("the toolchain in use has no library for {TARGET}")),
        Way::Rustup => by_rustup(),
        Way::Debian => match debian::installed(workspace)? {
            Some(found) => {
                term::note(&format!("already unpacked in {}", debian::shown(workspace)));
                Ok(found)
            }
            None => debian::install(workspace),
        },
    }
}

/// Returns the toolchain in use if it has the target's library.
fn in_sysroot() -> Result<Option<WasmToolchain>> {
    let libraries = rustc_prints(&["--print", "target-libdir", "--target", TARGET])?;
    if !has_std(Path::new(&libraries)) {
        return Ok(None);
    }
    let sysroot = rustc_prints(&["--print", "sysroot"])?.into();
    Ok(Some(WasmToolchain { rustc: None, linker: None, sysroot }))
}

/// Returns whether a folder holds a standard library.
fn has_std(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

/// Lets rustup add the target to the toolchain in use.
fn by_rustup() -> Result<WasmToolchain> {
    if !command::exists("rustup") {
        bail!("there is no rustup here");
    }
    term::note(&format!("rustup target add {TARGET}: fetches the standard library for plugins"));
    // In the environment that cargo set for us, so it is the toolchain in use that gets it.
    command::run_within(Command::new("rustup").args(["target", "add", TARGET]), RUSTUP_LIMIT)?;
    in_sysroot()?.with_context(|| {
        "rustup added the target to another toolchain than the `rustc` found first in PATH"
            .to_owned()
    })
}

/// Returns what the compiler in use prints, without the line's end.
fn rustc_prints(arguments: &[&str]) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = command::capture(Command::new(rustc).args(arguments))?;
    Ok(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_library_has_none() {
        assert!(!has_std(Path::new("/nonexistent")));
        assert!(!has_std(Path::new(env!("CARGO_MANIFEST_DIR"))));
    }

    #[test]
    fn only_the_three_ways_have_names() {
        for (text, expected) in [
            ("sysroot", Some(Way::Sysroot)),
            ("rustup", Some(Way::Rustup)),
            ("debian", Some(Way::Debian)),
            ("Debian", None),
            ("", None),
        ] {
            assert_eq!(Way::parse(text), expected, "{text:?}");
        }
    }
}
