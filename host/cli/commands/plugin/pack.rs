//! `modelhost plugin pack`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use modelhost::domain::diagnostic::{Diagnostic, SourceFile};
use modelhost::domain::digest::Digest;
use modelhost::domain::plugin::Manifest;
use modelhost::domain::text::GuestText;
use modelhost::plugin::manifest;
use modelhost::plugin::pack::{Input, pack};
use modelhost::plugin::source::file;

use super::{print, refuse, refuse_plugin, refuse_text, say};
use crate::exit::Exit;

const EXAMPLES: &str = "\
Examples:
  Pack a plugin written in Rust with the SDK:
    cargo build --release --target wasm32-unknown-unknown
    modelhost plugin pack --manifest plugin.toml \\
        --core target/wasm32-unknown-unknown/release/my_check.wasm -o my-check.wasm

  Pack a component that another toolchain made:
    modelhost plugin pack --manifest plugin.toml --component check.wasm -o my-check.wasm

  Look at the result:
    modelhost plugin inspect my-check.wasm

The same inputs give the same bytes, so the digest that is printed can be
compared between machines. What the plugin imports is what it asks for; a
plugin that imports anything outside of the contract is refused here.";

/// Pack what a build made, and a plugin.toml, into a plugin
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PackArgs {
    /// The plugin's manifest: its id, rules, files and settings
    #[arg(long, value_name = "PLUGIN.TOML", default_value = "plugin.toml")]
    manifest: PathBuf,
    #[command(flatten)]
    input: InputArgs,
    /// Where to write the plugin
    #[arg(short, long, value_name = "OUT.wasm")]
    out: PathBuf,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct InputArgs {
    /// A core module, built for wasm32-unknown-unknown with the SDK
    #[arg(long, value_name = "CORE.wasm")]
    core: Option<PathBuf>,
    /// A component that another toolchain made
    #[arg(long, value_name = "COMPONENT.wasm")]
    component: Option<PathBuf>,
}

pub(crate) fn run(args: &PackArgs) -> anyhow::Result<Exit> {
    let manifest = match read_manifest(&args.manifest) {
        Ok(manifest) => manifest,
        Err(exit) => return Ok(exit),
    };
    let (path, is_core) = match (&args.input.core, &args.input.component) {
        (Some(core), _) => (core, true),
        (None, Some(component)) => (component, false),
        (None, None) => anyhow::bail!("neither --core nor --component is given"),
    };
    let bytes = match file::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(refuse_plugin(&error)),
    };
    let input = if is_core {
        Input::Core(&bytes)
    } else {
        Input::Component(&bytes)
    };
    let packed = match pack(input, &manifest) {
        Ok(packed) => packed,
        Err(error) => {
            say(&format!("error: can't pack `{}`", shown(path)));
            return Ok(refuse(&error, error.help()));
        }
    };
    if let Err(error) = write(&args.out, &packed) {
        say(&format!(
            "error: can't write `{}`: {error}",
            shown(&args.out)
        ));
        return Ok(Exit::Fault);
    }
    print(&format!(
        "packed {} {} into {}: {} bytes, {}\n",
        manifest.id,
        manifest.version,
        shown(&args.out),
        packed.len(),
        Digest::of(&packed),
    ))
}

fn read_manifest(path: &Path) -> Result<Manifest, Exit> {
    let bytes = file::read(path).map_err(|error| refuse_plugin(&error))?;
    let name = shown(path).as_str().into();
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let upto = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).as_ref().into();
            let source = SourceFile { path: name, text };
            return Err(refuse_text(&[Diagnostic::new(
                &source,
                upto..upto,
                "the file is not UTF-8",
            )]));
        }
    };
    let source = SourceFile {
        path: name,
        text: text.into(),
    };
    manifest::from_toml(&source).map_err(|mistakes| refuse_text(&mistakes))
}

fn shown(path: &Path) -> GuestText {
    GuestText::capped(&path.to_string_lossy())
}

/// Writes `bytes` to `path` at once: nobody sees a part of them.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any other file that a build writes: the umask takes its part away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".modelhost-pack-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}
