//! `modelhost plugin pack`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use modelhost::domain::diagnostic::{Diagnostic, SourceFile};
use modelhost::domain::digest::Digest;
use modelhost::domain::plugin::Manifest;
use modelhost::domain::text::GuestText;
use modelhost::plugin::PluginError;
use modelhost::plugin::manifest;
use modelhost::plugin::pack::{Input, pack};
use modelhost::plugin::source::file;

use crate::args::GlobalArgs;
use crate::commands::print;
use crate::exit::Exit;
use crate::{render, say};

const EXAMPLES: &str = "\
Examples:
  Pack a plugin that was built with the Rust SDK:
    cargo build --release --target wasm32-unknown-unknown
    modelhost plugin pack --core target/wasm32-unknown-unknown/release/my_check.wasm \\
        -o my-check.wasm

  Pack a component that another toolchain made:
    modelhost plugin pack --component check.wasm -o my-check.wasm

  Look at what came out, then run it:
    modelhost plugin inspect my-check.wasm
    modelhost run --plugins . models/

The same inputs give the same bytes, so anyone can pack a plugin again and
compare the digest that is printed. What a plugin imports is what it asks for:
one that imports anything outside of the contract, such as WASI, is refused.";

/// Pack what a build made, and a plugin.toml, into a plugin.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PackArgs {
    /// The plugin's manifest: its id, rules, files and settings.
    #[arg(long, value_name = "FILE", default_value = "plugin.toml")]
    manifest: PathBuf,

    #[command(flatten)]
    input: InputArgs,

    /// Where to write the plugin. What is there is replaced at once.
    #[arg(short, long, value_name = "OUT.wasm")]
    out: PathBuf,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct InputArgs {
    /// A core module that was built for wasm32-unknown-unknown with the SDK.
    #[arg(long, value_name = "CORE.wasm")]
    core: Option<PathBuf>,

    /// A component that another toolchain made, or a plugin to pack anew.
    #[arg(long, value_name = "COMPONENT.wasm")]
    component: Option<PathBuf>,
}

pub(crate) fn run(args: &PackArgs, global: &GlobalArgs) -> anyhow::Result<Exit> {
    let manifest = match read_manifest(&args.manifest)? {
        Ok(manifest) => manifest,
        Err(mistakes) => {
            let mut stderr = io::stderr().lock();
            let color = say::has_color(global, &stderr);
            // Where nobody reads stderr, there is nobody to tell.
            let _ = render::diagnostics(&mistakes, color, &mut stderr);
            return Ok(Exit::Usage);
        }
    };
    let (path, is_core) = match (&args.input.core, &args.input.component) {
        (Some(core), _) => (core, true),
        (None, Some(component)) => (component, false),
        (None, None) => anyhow::bail!("neither --core nor --component is given"),
    };
    let bytes = file::read(path)?;
    let input = if is_core { Input::Core(&bytes) } else { Input::Component(&bytes) };
    let packed = match pack(input, &manifest) {
        Ok(packed) => packed,
        Err(error) => {
            let help = error.help();
            let context = format!("`{}` can't be packed", shown(path));
            let exit = say::error(&anyhow::Error::new(error).context(context), global);
            if let Some(help) = help {
                say::line(&format!("  = help: {help}"));
            }
            return Ok(exit);
        }
    };
    if let Err(error) = write(&args.out, &packed) {
        let context = format!("`{}` can't be written", shown(&args.out));
        say::error(&anyhow::Error::new(error).context(context), global);
        return Ok(Exit::Fault);
    }
    let told = format!(
        "packed {} {} into {}: {} bytes, {}\n",
        manifest.id,
        manifest.version,
        shown(&args.out),
        packed.len(),
        Digest::of(&packed),
    );
    if global.quiet { Ok(Exit::Allow) } else { print(told.as_bytes()) }
}

fn read_manifest(path: &Path) -> Result<Result<Manifest, Vec<Diagnostic>>, PluginError> {
    let bytes = file::read(path)?;
    let name = shown(path).as_str().into();
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let upto = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).as_ref().into();
            let source = SourceFile { path: name, text };
            return Ok(Err(vec![Diagnostic::new(
                &source,
                upto..upto,
                "the file is not UTF-8 from here on",
            )]));
        }
    };
    let source = SourceFile { path: name, text: text.into() };
    Ok(manifest::from_toml(&source))
}

fn shown(path: &Path) -> GuestText {
    GuestText::capped(&path.to_string_lossy())
}

/// Writes `bytes` to `path` at once: nobody sees a part of them.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any other file that a build writes: the umask takes its part away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let prefix = builder.prefix(".modelhost-pack-");
    let mut file = prefix.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}
