//! The files that are measured on, under `target/bench`: made once, kept for the next time.
//!
//! It owns the folders and the commands over them. Timing those commands is left to `measure.rs`.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command;
use crate::examples::{Tensor, header};
use crate::term::Bar;
use crate::workspace::Workspace;

/// One mebibyte.
const MIB: u64 = 1 << 20;

/// How much of a weights file is made at a time.
const BLOCK: usize = 1 << 20;

/// How many small files there are, and how long each is.
pub(super) const MANY: usize = 500;
const SMALL: u64 = 10_240;

/// How many files the weights of the sharded model are in, of 128 MiB each.
pub(super) const SHARDS: usize = 8;

/// What the folders that need no other policy say.
const CONFIGURATION: &str = "\
version = 1

[[model]]
name = \"model\"
path = \"model\"
";

/// Returns the name of a file of the sharded model.
pub(super) fn shard_name(shard: usize) -> String {
    format!("model-{:05}-of-{SHARDS:05}.safetensors", shard + 1)
}

/// The folders, and the host to run in them.
#[derive(Debug)]
pub(super) struct Fixture {
    host: PathBuf,
    folder: PathBuf,
    plugins: Option<PathBuf>,
}

impl Fixture {
    /// Makes what is missing, and locks every model with the plugins of this build.
    ///
    /// # Errors
    /// When a file can't be written or a model can't be locked.
    pub(super) fn make(
        workspace: &Workspace,
        host: &Path,
        plugins: Option<PathBuf>,
    ) -> Result<Self> {
        let folder = workspace.root.join("target/bench");
        let fixture = Self { host: host.to_owned(), folder, plugins };
        fixture.weights("large", 1024 * MIB)?;
        fixture.weights("small", 16 * MIB)?;
        fixture.sharded()?;
        fixture.many()?;
        fixture.tiny(&workspace.root.join("examples/clean-safetensors"))?;
        fs::create_dir_all(fixture.warm_cache())?;
        for name in ["large", "small", "sharded", "many", "tiny"] {
            let mut lock = fixture.modelhost(name, &fixture.warm_cache());
            command::capture(lock.arg("lock"))
                .with_context(|| format!("target/bench/{name} could not be locked"))?;
        }
        Ok(fixture)
    }

    /// Returns the folder of plugins that only benchmarks use, if they were built.
    pub(super) fn plugins(&self) -> Option<&Path> {
        self.plugins.as_deref()
    }

    /// Returns a repository's folder.
    pub(super) fn repository(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the compiled-code cache that every measurement but one shares.
    pub(super) fn warm_cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// Returns a compiled-code cache that is empty.
    ///
    /// # Errors
    /// When the one before can't be removed.
    pub(super) fn empty_cache(&self) -> Result<PathBuf> {
        let folder = self.folder.join("cache-empty");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Returns the host, in a repository and with a cache.
    pub(super) fn modelhost(&self, name: &str, cache: &Path) -> Command {
        let mut command = Command::new(&self.host);
        command.current_dir(self.repository(name)).env("MODELHOST_CACHE_DIR", cache);
        // What CI changes is not what is measured.
        command.env_remove("CI").env("NO_COLOR", "1");
        command
    }

    /// Returns `modelhost run`.
    pub(super) fn gate(&self, name: &str, cache: &Path) -> Command {
        let mut command = self.modelhost(name, cache);
        command.arg("run");
        command
    }

    /// Makes a repository with one safetensors file of some length.
    fn weights(&self, name: &str, length: u64) -> Result<()> {
        let model = self.repository_with_model(name)?;
        make_weights(&model.join("model.safetensors"), length, 16 * MIB)
    }

    /// Makes a repository with weights in several files.
    fn sharded(&self) -> Result<()> {
        let model = self.repository_with_model("sharded")?;
        for shard in 0..SHARDS {
            make_weights(&model.join(shard_name(shard)), 128 * MIB, 16 * MIB)?;
        }
        Ok(())
    }

    /// Makes a repository with many small safetensors files.
    fn many(&self) -> Result<()> {
        let model = self.repository_with_model("many")?;
        let mut bar = None;
        for number in 0..MANY {
            let path = model.join(format!("shard-{number:03}.safetensors"));
            if !path.exists() {
                make_weights(&path, SMALL, SMALL)?;
                bar.get_or_insert_with(|| Bar::new("500 small files", MANY as u64, false))
                    .advance(1);
            }
        }
        Ok(())
    }

    /// Makes a repository like an example's.
    fn tiny(&self, example: &Path) -> Result<()> {
        let folder = self.repository("tiny");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        copy(example, &folder)
    }

    /// Makes a repository and returns its model's folder.
    fn repository_with_model(&self, name: &str) -> Result<PathBuf> {
        let model = self.repository(name).join("model");
        fs::create_dir_all(&model)?;
        fs::write(self.repository(name).join("modelhost.toml"), CONFIGURATION)?;
        Ok(model)
    }
}

/// Makes a safetensors file whose tensors together have `length` bytes, in equal parts.
fn make_weights(path: &Path, length: u64, part: u64) -> Result<()> {
    let tensor = |number| Tensor {
        name: format!("layers.{number}.weight"),
        dtype: "U8",
        shape: vec![part],
        length: part,
    };
    let tensors: Vec<_> = (0..length / part).map(tensor).collect();
    let header = header(&tensors);
    let whole = header.len() as u64 + length;
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == whole) {
        return Ok(());
    }
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial)?;
    file.write_all(&header)?;
    let mut bar =
        (length > MIB).then(|| Bar::new(&format!("{} MiB of weights", length / MIB), length, true));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut block = vec![0; BLOCK];
    let mut left = length;
    while left > 0 {
        numbers.fill(&mut block);
        let now = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        file.write_all(&block[..now])?;
        left -= now as u64;
        if let Some(bar) = &mut bar {
            bar.advance(now as u64);
        }
    }
    drop(file);
    fs::rename(&partial, path)?;
    Ok(())
}

/// Numbers without a pattern that a tool could take a short cut by (xorshift).
struct Numbers(u64);

impl Numbers {
    fn fill(&mut self, block: &mut [u8]) {
        for chunk in block.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            chunk.copy_from_slice(&self.0.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
