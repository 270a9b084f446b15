//! Where things are: the root, the target folders, the plugin crates, the stated Rust version.
//!
//! It reads `cargo metadata` and leaves building to others.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command;

/// One crate under `plugins/`.
#[derive(Debug, Clone)]
pub(crate) struct Plugin {
    /// The folder's name, which is the plugin's id.
    pub(crate) name: String,
    /// The package's name in Cargo.
    pub(crate) package: String,
    /// The library's name in Cargo, which is the stem of the built file.
    pub(crate) library: String,
}

/// The paths of this workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Where cargo puts the host.
    pub(crate) host_target: PathBuf,
    /// The oldest Rust the workspace builds with.
    pub(crate) rust_version: Version,
    /// The plugin crates, sorted by name.
    pub(crate) plugins: Vec<Plugin>,
}

impl Workspace {
    /// Finds the workspace that this tool belongs to.
    ///
    /// # Errors
    /// When cargo can't read the workspace's manifests.
    pub(crate) fn load() -> Result<Self> {
        // Cargo names the folder when it runs us; run by hand, it is the one we were built in.
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own.parent().context("xtask has no folder above it")?.to_owned();
        let text = command::capture(command::cargo().current_dir(&root).args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
        ]))
        .context("the workspace's manifests could not be read")?;
        let metadata: Metadata =
            serde_json::from_str(&text).context("`cargo metadata` wrote something unexpected")?;
        Self::new(root, metadata)
    }

    fn new(root: PathBuf, metadata: Metadata) -> Result<Self> {
        let folder = root.join("plugins");
        let mut rust_version = None;
        let mut plugins = Vec::new();
        for package in metadata.packages {
            if package.name == "xtask" {
                rust_version = package.rust_version.as_deref().and_then(Version::parse);
            }
            let Some(parent) = package.manifest_path.parent() else {
                continue;
            };
            if parent.parent() != Some(&folder) {
                continue;
            }
            let name = parent.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let library = package
                .targets
                .iter()
                .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
                .map(|target| target.name.replace('-', "_"))
                .with_context(|| format!("plugins/{name} has no `crate-type = [\"cdylib\", …]`"))?;
            plugins.push(Plugin { name, package: package.name, library });
        }
        plugins.sort_by(|a, b| a.name.cmp(&b.name));
        let rust_version = rust_version.context("Cargo.toml states no `rust-version`")?;
        Ok(Self { root, host_target: metadata.target_directory, rust_version, plugins })
    }

    /// Returns the built host.
    pub(crate) fn host_binary(&self) -> PathBuf {
        let name = format!("modelhost{}", std::env::consts::EXE_SUFFIX);
        self.host_target.join("release").join(name)
    }

    /// Returns the folder with the packed plugins, which the host's build script embeds.
    pub(crate) fn packed(&self) -> PathBuf {
        self.root.join("target/plugins")
    }

    /// Returns the target folder of the plugins' own builds.
    pub(crate) fn wasm_target(&self) -> PathBuf {
        self.root.join("target/wasm")
    }

    /// Returns a path as a person at the root would write it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// Returns cargo's own folder, where crates' sources lie.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    Ok(std::env::home_dir().context("there is no home folder")?.join(".cargo"))
}

/// A version of Rust, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Reads the first two numbers of a version: `1.95`, `1.96.0+dfsg1-1~deb12u2`, `1:1.85`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.rsplit_once(':').map_or(text, |(_, version)| version);
        let mut numbers = text.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What is read of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    rust_version: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        let v = |major, minor| Some(Version { major, minor });
        for (text, expected) in [
            ("1.95", v(1, 95)),
            ("1.95.0", v(1, 95)),
            ("1.96.0+dfsg1-1~deb12u2", v(1, 96)),
            ("1:22.1.8-1~deb12u1", v(22, 1)),
            ("", None),
            ("1", None),
            ("x.y", None),
        ] {
            assert_eq!(Version::parse(text), expected, "{text}");
        }
        assert!(Version::parse("1.100") > Version::parse("1.95"));
    }

    #[test]
    fn only_crates_right_under_plugins_are_plugins() {
        let text = r#"{
            "target_directory": "/w/target",
            "packages": [
                {"name": "xtask", "manifest_path": "/w/xtask/Cargo.toml", "rust_version": "1.95",
                 "targets": [{"name": "xtask", "crate_types": ["bin"]}]},
                {"name": "p-b", "manifest_path": "/w/plugins/b/Cargo.toml", "rust_version": null,
                 "targets": [{"name": "p-b", "crate_types": ["cdylib", "rlib"]}]},
                {"name": "p-a", "manifest_path": "/w/plugins/a/Cargo.toml", "rust_version": null,
                 "targets": [{"name": "p_a", "crate_types": ["cdylib", "rlib"]},
                             {"name": "t", "crate_types": ["bin"]}]}
            ]
        }"#;
        let metadata = serde_json::from_str(text).unwrap();
        let workspace = Workspace::new("/w".into(), metadata).unwrap();
        let names: Vec<_> = workspace.plugins.iter().map(|p| (&*p.name, &*p.library)).collect();
        assert_eq!(names, [("a", "p_a"), ("b", "p_b")]);
        assert_eq!(workspace.rust_version.to_string(), "1.95");
        assert_eq!(workspace.shown(Path::new("/w/target/plugins")), "target/plugins");
    }
}
