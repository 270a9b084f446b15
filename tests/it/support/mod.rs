//! What the tests share: one builder for the command line, guests as plugins,
//! models, writers that change them.

pub(crate) mod command;
pub(crate) mod component;
pub(crate) mod git;
pub(crate) mod model;
pub(crate) mod writer;

use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether the long tests are asked for, by `cargo xtask test --long`.
pub(crate) fn is_long() -> bool {
    std::env::var_os("MODELHOST_LONG_TESTS").is_some()
}

/// The folder of data that the project does not carry; without it, says that a
/// test is skipped.
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let folder = root().parent()?.join("shared").join(part);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: ../shared/{part} not present");
    None
}

/// The bundled plugins as `cargo xtask plugins` built them; without them, says
/// what to do.
pub(crate) fn built_plugins() -> PathBuf {
    let folder = root().join("target/plugins");
    assert!(
        folder.join("pickle.wasm").is_file(),
        "the plugins are not built: run `cargo xtask plugins`, or the tests by `cargo xtask test`"
    );
    folder
}
