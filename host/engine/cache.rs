//! Compiled components on disk, so that the next run needn't compile them.
//!
//! Leaves compiling to `compile`, looking through the folder to `upkeep`, and what
//! else is kept beside them to `sealed`.
//!
//! # Invariants
//! - An entry is native code. It is loaded only if its MAC, under a key that
//!   lives outside of the cache folder, matches every byte of it.
//! - An entry is read whole into memory, verified there, and loaded from that
//!   memory: what was verified is what is loaded.
//! - An entry names what it is for (component, engine, build, who compiled it)
//!   inside the MAC, so that no entry can stand in for another.
//! - An odd entry is deleted and compiled again. Nothing here fails a run.

#![expect(clippy::disallowed_methods, reason = "the cache owns its folder and its key")]

mod sealed;
pub mod upkeep;

use std::fs::{File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use super::engine::Engine;
use crate::domain::digest::Digest;

/// Starts each entry; the digit is the version of this layout.
const MAGIC: &[u8; 8] = b"MHCODE1\n";

/// Where the payload starts: magic, identity, length.
const HEADER: usize = 8 + 32 + 8;

/// Length of the MAC at an entry's end.
const MAC: usize = 32;

/// The largest entry that is read: compiled code is a few times its component,
/// which is bounded itself.
const MAX_ENTRY: u64 = 1 << 30;

/// Length of the key in bytes.
const KEY: usize = 32;

/// How many hex digits of a build stand in an entry's name.
const BUILD: usize = 16;

/// How much of a worker's code is held at a time.
const CHUNK: usize = 256 << 10;

/// How the name of a file starts that an entry is written to before it has its
/// own.
const UNFINISHED: &str = ".entry-";

/// How the name of an entry ends.
const ENDING: &str = ".code";

/// Who compiled the code: what one isolation compiled, no other loads.
#[derive(Clone, Copy)]
enum Compiler {
    InProcess,
    Worker,
}

/// A folder of compiled components, and the key to them.
pub struct Cache {
    folder: PathBuf,
    key: [u8; KEY],
}

/// Why there is no cache to use.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A folder or the key can't be made or read.
    #[error("{what} {} can't be used", path.display())]
    Io {
        /// What it is.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Somebody else owns it, or may write to it.
    #[error("{what} {} must belong to the user who runs modelhost, and nobody else may have access to it", path.display())]
    Exposed {
        /// What it is.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
    },
    /// The key has a wrong length.
    #[error("the key {} does not have {KEY} bytes; delete it, and a new one is made", .0.display())]
    Key(PathBuf),
}

impl Cache {
    /// Opens the cache in `folder`, with the key in the file `key`; makes both
    /// where they are missing.
    ///
    /// # Errors
    /// Says what can't be made or read, or who else could write to it.
    pub fn open(folder: &Path, key: &Path) -> Result<Self, CacheError> {
        private_folder(folder, "the cache folder")?;
        if let Some(parent) = key.parent() {
            private_folder(parent, "the folder of the cache key")?;
        }
        Ok(Self { folder: folder.to_owned(), key: read_key(key)? })
    }

    /// Opens the cache in `folder` under a key derived from `secret`, for CI
    /// caches that several machines share.
    ///
    /// # Errors
    /// Says what can't be made or read, or who else could write to it.
    pub fn with_secret(folder: &Path, secret: &[u8]) -> Result<Self, CacheError> {
        private_folder(folder, "the cache folder")?;
        let key = Sha256::new()
            .chain_update(b"modelhost compiled-code cache\0")
            .chain_update(secret)
            .finalize();
        Ok(Self { folder: folder.to_owned(), key: key.into() })
    }

    /// Returns whether there is an entry for the component of that digest.
    pub fn has(&self, engine: &Engine, component: Digest) -> bool {
        [Compiler::InProcess, Compiler::Worker]
            .into_iter()
            .any(|by| self.path(&identity(engine, component, by)).exists())
    }

    /// Loads the component of that digest; none where there is no sound entry.
    pub(super) fn load(&self, engine: &Engine, component: Digest) -> Option<Component> {
        let identity = identity(engine, component, Compiler::InProcess);
        let path = self.path(&identity);
        let entry = match read_entry(&path) {
            Ok(entry) => entry,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.discard(&path, &error.to_string());
                return None;
            }
        };
        let Some(code) = self.verified(&entry, &identity) else {
            self.discard(&path, "it is damaged, or not ours");
            return None;
        };
        match deserialize(engine, code) {
            Ok(component) => Some(component),
            Err(error) => {
                self.discard(&path, &format!("{error:#}"));
                None
            }
        }
    }

    /// Keeps a compiled component. Failing to is no error: it is compiled again
    /// the next time.
    pub(super) fn store(&self, engine: &Engine, component: Digest, compiled: &Component) {
        let identity = identity(engine, component, Compiler::InProcess);
        let code = match compiled.serialize() {
            Ok(code) => code,
            Err(error) => {
                tracing::warn!("compiled code can't be kept: {error:#}");
                return;
            }
        };
        self.keep(&identity, &mut code.as_slice(), code.len() as u64);
    }

    /// Copies the code that a worker compiled of the component of that digest
    /// to `code`, without looking at it; says whether it is sound. Where it is
    /// not, what was copied must not be used.
    pub(crate) fn load_code(
        &self,
        engine: &Engine,
        component: Digest,
        code: &mut dyn Write,
    ) -> bool {
        let identity = identity(engine, component, Compiler::Worker);
        let path = self.path(&identity);
        match self.copy(&path, &identity, code) {
            Ok(true) => true,
            Ok(false) => {
                self.discard(&path, "it is damaged, or not ours");
                false
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => {
                self.discard(&path, &error.to_string());
                false
            }
        }
    }

    /// Keeps `length` bytes of code that a worker compiled, for workers alone.
    pub(crate) fn store_code(
        &self,
        engine: &Engine,
        component: Digest,
        code: &mut dyn Read,
        length: u64,
    ) {
        self.keep(&identity(engine, component, Compiler::Worker), code, length);
    }

    fn keep(&self, identity: &Identity, code: &mut dyn Read, length: u64) {
        if let Err(error) = self.write(identity, code, length) {
            tracing::warn!("compiled code can't be kept in {}: {error}", self.folder.display());
        }
    }

    fn write(&self, identity: &Identity, code: &mut dyn Read, length: u64) -> io::Result<()> {
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&identity.of_entry);
        header.extend_from_slice(&length.to_le_bytes());
        let mut mac = self.mac(&header);
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder)?;
        file.write_all(&header)?;
        chunks(code, length, &mut |chunk| {
            mac.update(chunk);
            file.write_all(chunk)
        })?;
        file.write_all(&mac.finalize().into_bytes())?;
        file.as_file().sync_all()?;
        file.persist(self.path(identity)).map_err(|error| error.error)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Copies the code in the entry at `path`, and says whether every byte of the
    /// entry is what we wrote for `identity`.
    fn copy(&self, path: &Path, identity: &Identity, code: &mut dyn Write) -> io::Result<bool> {
        let (mut file, size) = open_entry(path)?;
        let mut header = [0; HEADER];
        let Some(length) = size.checked_sub((HEADER + MAC) as u64) else { return Ok(false) };
        file.read_exact(&mut header)?;
        let sound = header.starts_with(MAGIC)
            && header[8..40] == identity.of_entry
            && header[40..] == length.to_le_bytes();
        if !sound {
            return Ok(false);
        }
        let mut mac = self.mac(&header);
        chunks(&mut file, length, &mut |chunk| {
            mac.update(chunk);
            code.write_all(chunk)
        })?;
        let mut found = [0; MAC];
        file.read_exact(&mut found)?;
        Ok(mac.verify_slice(&found).is_ok())
    }

    /// Returns the code in `entry` if every byte of it is what we wrote for
    /// `identity`.
    fn verified<'a>(&self, entry: &'a [u8], identity: &Identity) -> Option<&'a [u8]> {
        let (signed, mac) = entry.split_at_checked(entry.len().checked_sub(MAC)?)?;
        self.mac(signed).verify_slice(mac).ok()?;
        let (header, code) = signed.split_at_checked(HEADER)?;
        let length = u64::from_le_bytes(header.get(40..48)?.try_into().ok()?);
        let sound = header.starts_with(MAGIC)
            && header.get(8..40)? == identity.of_entry
            && length == code.len() as u64;
        sound.then_some(code)
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(bytes);
        mac
    }

    fn path(&self, identity: &Identity) -> PathBuf {
        let Identity { build, of_entry } = identity;
        self.folder.join(format!("{build}-{}{ENDING}", Digest::from_bytes(*of_entry).hex()))
    }

    fn discard(&self, path: &Path, why: &str) {
        tracing::warn!("compiled code in {} is not used and compiled again: {why}", path.display());
        let _ = std::fs::remove_file(path);
    }
}

/// What an entry is for: the component, the engine's settings and version, this
/// build of modelhost, and who compiled.
fn identity(engine: &Engine, component: Digest, by: Compiler) -> Identity {
    let of_build = build(engine);
    let of_entry = Sha256::new()
        .chain_update(of_build)
        .chain_update(component.as_bytes())
        .chain_update(match by {
            Compiler::InProcess => "in-process",
            Compiler::Worker => "worker",
        })
        .finalize();
    Identity { build: build_name(&of_build), of_entry: of_entry.into() }
}

/// What an entry is for, all of it in `of_entry`.
struct Identity {
    /// The engine and this build of modelhost, for the entry's name.
    build: String,
    of_entry: [u8; 32],
}

/// The engine's settings and version, and this build of modelhost.
fn build(engine: &Engine) -> [u8; 32] {
    let mut state = HashToSha(Sha256::new());
    engine.wasmtime.precompile_compatibility_hash().hash(&mut state);
    state.0.chain_update(concat!("modelhost ", env!("CARGO_PKG_VERSION"))).finalize().into()
}

/// Returns what the names of a build's entries start with. It is no proof of
/// anything: what an entry is for is told inside of it.
fn build_name(build: &[u8; 32]) -> String {
    Digest::from_bytes(*build).hex().chars().take(BUILD).collect()
}

/// Feeds what wasmtime hashes into SHA-256, which no two settings share.
struct HashToSha(Sha256);

impl Hasher for HashToSha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0 // never asked for: the state itself is what is wanted
    }
}

#[expect(unsafe_code, reason = "wasmtime can't check native code; the MAC does")]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is exactly what `Component::serialize` of this build gave:
    // its MAC was verified under a key that only this user has, in this memory.
    unsafe { Component::deserialize(&engine.wasmtime, code) }
}

/// Hands `length` bytes of `from` to `take`, a chunk at a time.
fn chunks(
    from: &mut dyn Read,
    length: u64,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    let mut left = length;
    while left > 0 {
        let step = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let chunk = &mut buffer[..step];
        from.read_exact(chunk)?;
        take(chunk)?;
        left -= step as u64;
    }
    Ok(())
}

fn read_entry(path: &Path) -> io::Result<Vec<u8>> {
    let (file, size) = open_entry(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(MAX_ENTRY).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file of ours alone; also says how many bytes it has.
fn open_entry(path: &Path) -> io::Result<(File, u64)> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file =
        OpenOptions::new().read(true).custom_flags(nofollow.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    let foreign = !metadata.is_file()
        || metadata.uid() != rustix::process::geteuid().as_raw()
        || metadata.mode() & 0o022 != 0;
    if foreign || metadata.len() > MAX_ENTRY {
        return Err(io::Error::other("it is not a file of ours alone"));
    }
    Ok((file, metadata.len()))
}

/// Makes `path` where it is missing, for nobody but us, and checks that it is
/// ours alone.
fn private_folder(path: &Path, what: &'static str) -> Result<(), CacheError> {
    let failed = |source| CacheError::Io { what, path: path.to_owned(), source };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).map_err(failed)?;
    let nofollow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::DIRECTORY;
    let folder = OpenOptions::new()
        .read(true)
        .custom_flags(nofollow.bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    let metadata = folder.metadata().map_err(failed)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(CacheError::Exposed { what, path: path.to_owned() });
    }
    if metadata.mode() & 0o077 != 0 {
        // Made by an earlier tool or umask, but ours: take the others' rights away.
        let mut permissions = metadata.permissions();
        permissions.set_mode(0o700);
        folder.set_permissions(permissions).map_err(failed)?;
    }
    Ok(())
}

fn read_key(path: &Path) -> Result<[u8; KEY], CacheError> {
    const WHAT: &str = "the cache key";
    let failed = |source| CacheError::Io { what: WHAT, path: path.to_owned(), source };
    match read_entry(path) {
        Ok(bytes) => {
            // Readable by others: they could sign entries.
            let exposed = OpenOptions::new().read(true).open(path).and_then(|file| file.metadata());
            if exposed.map_err(failed)?.mode() & 0o077 != 0 {
                return Err(CacheError::Exposed { what: WHAT, path: path.to_owned() });
            }
            bytes.try_into().map_err(|_| CacheError::Key(path.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

/// Makes a key; where another process made one meanwhile, takes that.
fn make_key(path: &Path) -> io::Result<[u8; KEY]> {
    let mut key = [0; KEY];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".key-").tempfile_in(folder)?;
    file.write_all(&key)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            read_entry(path)?.try_into().map_err(|_| io::Error::other("it has a wrong length"))
        }
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests;
