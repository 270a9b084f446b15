//! Small files beside the compiled components, under the same key: what a later run
//! may rely on as if it had found it out itself.
//!
//! Leaves what is in them to whoever keeps it.
//!
//! # Invariants
//! - What is returned is, byte for byte, what this user wrote under that name.
//! - An odd file is deleted. Nothing here fails a run.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use hmac::Mac as _;

use super::{Cache, MAC, UNFINISHED, open_entry};

/// Starts what the MAC is over, so that no compiled code can stand in for such a file
/// nor the reverse.
const LABEL: &[u8] = b"modelhost sealed file\0";

/// How the name of such a file ends.
pub(super) const ENDING: &str = ".sealed";

impl Cache {
    /// Returns what was last kept under `name`, of at most `most` bytes; none where
    /// there is nothing, or nothing sound.
    pub fn unseal(&self, name: &str, most: u64) -> Option<Vec<u8>> {
        let path = self.sealed_path(name);
        let refuse = |why: &str| {
            tracing::warn!("{} is not used and made anew: {why}", path.display());
            let _ = std::fs::remove_file(&path);
        };
        let read = || -> io::Result<Vec<u8>> {
            let (file, size) = open_entry(&path)?;
            if size > most.saturating_add(MAC as u64) {
                return Err(io::Error::other("it is too large"));
            }
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            file.take(size).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let mut bytes = match read() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                refuse(&error.to_string());
                return None;
            }
        };
        let payload = bytes.len().checked_sub(MAC);
        let sound = payload
            .and_then(|payload| bytes.split_at_checked(payload))
            .is_some_and(|(payload, mac)| self.seal_of(name, payload).verify_slice(mac).is_ok());
        if !sound {
            refuse("it is damaged, or not ours");
            return None;
        }
        bytes.truncate(payload.unwrap_or(0));
        Some(bytes)
    }

    /// Keeps `payload` under `name` in place of what was kept there. Failing to is no
    /// error: a later run does without.
    pub fn seal(&self, name: &str, payload: &[u8]) {
        let write = || -> io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder)?;
            file.write_all(payload)?;
            file.write_all(&self.seal_of(name, payload).finalize().into_bytes())?;
            file.as_file().sync_all()?;
            file.persist(self.sealed_path(name)).map_err(|error| error.error)?;
            std::fs::File::open(&self.folder)?.sync_all()
        };
        if let Err(error) = write() {
            tracing::warn!("{name} can't be kept in {}: {error}", self.folder.display());
        }
    }

    fn seal_of(&self, name: &str, payload: &[u8]) -> hmac::Hmac<sha2::Sha256> {
        let mut mac = self.mac(LABEL);
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(payload);
        mac
    }

    fn sealed_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{ENDING}"))
    }
}
