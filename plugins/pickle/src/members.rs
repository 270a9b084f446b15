//! Visits the members of archives.
//!
//! Where archives are read differently by different readers is found in `zip.rs` and `tar.rs`; what members hold is
//! told in `scan.rs`.

use crate::compressed::Method;
use crate::log;
use crate::scan::{Claim, Content, Doubt, Scanner};
use crate::source::{Fault, Source, Window};
use crate::{tar, torch, zip};

/// Members up to this size have their checksum verified where they are claimed: pickles, not weights.
const VERIFIED: u64 = 16 << 20;

impl Scanner<'_> {
    /// Visits the members of a zip archive.
    pub(crate) fn zip(
        &mut self,
        source: &dyn Source,
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        if !self.open(source, member) {
            return Ok(Claim::Pickle);
        }
        let mut log = self.log.fork();
        let Some(archive) = zip::read(source, member, &mut log)? else {
            return Ok(Claim::Nothing);
        };
        if archive.prefix > 0 {
            let message = format!(
                "{} bytes stand before the zip archive: readers that start at the front see another file",
                archive.prefix
            );
            log.add(log::ARCHIVE_MISMATCH, member, 0, message);
        }
        let sound = log.is_empty();
        self.log.merge(log);
        let claim = self.members(source, &archive, member, depth)?;
        Ok(if sound { claim } else { Claim::Pickle })
    }

    /// Visits the members of a zip archive that has no directory.
    pub(crate) fn headless(
        &mut self,
        source: &dyn Source,
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        if self.open(source, member) {
            let archive = zip::read_headless(source, member, self.log)?;
            self.members(source, &archive, member, depth)?;
        }
        Ok(Claim::Pickle)
    }

    fn open(&mut self, source: &dyn Source, member: &str) -> bool {
        let paid = self.budget.open(source.size());
        if !paid {
            self.log.add(log::OVER_LIMIT, member, 0, "too many archives within archives");
        }
        paid
    }

    fn members(
        &mut self,
        source: &dyn Source,
        archive: &zip::Archive,
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        let root = torch::root(archive.entries.iter().map(|entry| entry.name.as_str()));
        let mut claim = Claim::Nothing;
        for entry in &archive.entries {
            if self.budget.members == 0 {
                self.log.add(log::OVER_LIMIT, member, entry.data, "too many members");
                return Ok(Claim::Pickle);
            }
            self.budget.members -= 1;
            if entry.packed == 0 {
                continue;
            }
            let name = within(member, &entry.name);
            let storage = root.as_deref().is_some_and(|root| torch::is_storage(root, &entry.name));
            let window = Window::new(source, entry.data, entry.packed);
            let content = match entry.method {
                0 => Content::Plain(&window),
                8 => Content::Packed(&window, Method::Deflate),
                12 => Content::Packed(&window, Method::Bzip2),
                14 => Content::Packed(&window, Method::ZipLzma),
                method => {
                    let message = format!("compression method {method} can't be read here");
                    self.log.add(log::UNREADABLE_CONTENT, &name, 0, message);
                    claim = Claim::Pickle;
                    continue;
                }
            };
            let doubt = if storage { Doubt::Numbers } else { Doubt::Open };
            if self.content(content, &name, depth + 1, doubt)? == Claim::Pickle {
                claim = Claim::Pickle;
                self.verify(&content, entry, &name)?;
                if storage {
                    self.log.add(log::HIDDEN_PICKLE, &name, 0, "a tensor's storage is a pickle");
                }
            }
        }
        Ok(claim)
    }

    /// Compares a member's content with its declared checksum and size: PyTorch does not, so that what other
    /// readers refuse it loads.
    fn verify(
        &mut self,
        content: &Content<'_>,
        entry: &zip::Entry,
        name: &str,
    ) -> Result<(), Fault> {
        if entry.packed > VERIFIED || entry.size > VERIFIED {
            return Ok(());
        }
        let mut hasher = crc32fast::Hasher::new();
        let mut size = 0u64;
        let mut stream = content.stream()?;
        loop {
            match stream.chunk(u64::MAX) {
                Ok([]) | Err(Fault::Corrupt(_)) => break,
                Ok(chunk) => {
                    hasher.update(chunk);
                    size += chunk.len() as u64;
                }
                Err(fault) => return Err(fault),
            }
            if size > entry.size {
                break;
            }
        }
        if self.pay(content, size).is_err() {
            return Ok(());
        }
        let crc = hasher.finalize();
        if size != entry.size || crc != entry.crc {
            let message = format!(
                "the content does not fit its checksum ({crc:08x}, declared {:08x}) or size: PyTorch loads it all the same",
                entry.crc
            );
            self.log.add(log::ARCHIVE_MISMATCH, name, 0, message);
        }
        Ok(())
    }

    /// Visits the members of a tar archive.
    pub(crate) fn tar(
        &mut self,
        source: &dyn Source,
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        if !self.open(source, member) {
            return Ok(Claim::Pickle);
        }
        let mut log = self.log.fork();
        let entries = tar::read(source, member, &mut log)?;
        let mut claim = if log.is_empty() { Claim::Nothing } else { Claim::Pickle };
        self.log.merge(log);
        for entry in entries {
            let window = Window::new(source, entry.data, entry.size);
            let name = within(member, &entry.name);
            if self.content(Content::Plain(&window), &name, depth + 1, Doubt::Open)?
                == Claim::Pickle
            {
                claim = Claim::Pickle;
            }
        }
        Ok(claim)
    }
}

fn within(member: &str, name: &str) -> String {
    if member.is_empty() { name.to_owned() } else { format!("{member}/{name}") }
}
