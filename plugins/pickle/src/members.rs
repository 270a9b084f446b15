//! Visits the members of archives.
//!
//! Where archives are read differently by different readers is found in `zip.rs` and `tar.rs`; what members hold is
//! told in `scan.rs`.

use std::collections::BTreeMap;

use crate::compressed::Method;
use crate::log;
use crate::scan::{Claim, Content, Doubt, Scanner};
use crate::source::{Fault, Source, Window};
use crate::{compressed, sevenz, tar, torch, zip};

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
        let comment = Window::new(source, archive.end, u64::MAX);
        if comment.size() > 0
            && self.content(
                Content::Plain(&comment),
                &within(member, "<comment>"),
                depth + 1,
                Doubt::Open,
            )? == Claim::Pickle
        {
            self.log.add(
                log::TRAILING_DATA,
                member,
                archive.end,
                "the comment of the zip archive, or what follows it, holds a pickle or an archive",
            );
            return Ok(Claim::Pickle);
        }
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
        let mut declared = BTreeMap::new();
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
            self.declared = BTreeMap::new();
            let found = self.content(content, &name, depth + 1, doubt)?;
            if root
                .as_deref()
                .is_some_and(|root| entry.name.strip_prefix(root) == Some("/data.pkl"))
            {
                declared = std::mem::take(&mut self.declared);
            }
            if found == Claim::Pickle {
                claim = Claim::Pickle;
                self.verify(&content, entry, &name)?;
                if storage {
                    self.log.add(log::HIDDEN_PICKLE, &name, 0, "a tensor's storage is a pickle");
                }
            }
        }
        if let Some(root) = root {
            self.storage_sizes(archive, &root, &declared, member);
        }
        Ok(claim)
    }

    /// Compares storages with the sizes that `data.pkl` names: a loader that trusts it reads or writes past the end.
    fn storage_sizes(
        &mut self,
        archive: &zip::Archive,
        root: &str,
        declared: &BTreeMap<Vec<u8>, u64>,
        member: &str,
    ) {
        for entry in &archive.entries {
            let key = entry.name.strip_prefix(root).and_then(|rest| rest.strip_prefix("/data/"));
            let Some(&bytes) = key.and_then(|key| declared.get(key.as_bytes())) else {
                continue;
            };
            if entry.size < bytes {
                let message = format!(
                    "the storage has {} bytes where the pickle says {bytes}: loading reads past its end",
                    entry.size
                );
                self.log.add(log::MALFORMED, &within(member, &entry.name), 0, message);
            }
        }
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
        let (entries, end) = tar::read(source, member, &mut log)?;
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
        if let Some(at) = compressed::behind(source, end)? {
            let message =
                "bytes follow the end of the tar archive: some readers take them for more of it";
            self.log.add(log::TRAILING_DATA, member, at, message);
            let rest = Window::new(source, at, u64::MAX);
            let name = within(member, "<behind the end>");
            self.content(Content::Plain(&rest), &name, depth + 1, Doubt::Open)?;
            claim = Claim::Pickle;
        }
        Ok(claim)
    }

    /// Visits the files of a 7z archive.
    pub(crate) fn seven_zip(
        &mut self,
        source: &dyn Source,
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        if !self.open(source, member) {
            return Ok(Claim::Pickle);
        }
        let folders = match sevenz::read(source, &mut |packed| self.budget.inflated.min(packed)) {
            Ok(folders) => folders,
            Err(fault @ Fault::Unreadable(_)) => return Err(fault),
            Err(Fault::Corrupt(why) | Fault::TooLarge(why)) => {
                self.log.add(log::UNREADABLE_CONTENT, member, 0, format!("a 7z archive: {why}"));
                return Ok(Claim::Pickle);
            }
        };
        let mut claim = Claim::Nothing;
        if let Some(end) = sevenz::end(source)?
            && let Some(at) = compressed::behind(source, end)?
        {
            let message =
                "bytes follow the end of the 7z archive: they belong to none of its files";
            self.log.add(log::TRAILING_DATA, member, at, message);
            let rest = Window::new(source, at, u64::MAX);
            self.content(
                Content::Plain(&rest),
                &within(member, "<behind the end>"),
                depth + 1,
                Doubt::Open,
            )?;
            claim = Claim::Pickle;
        }
        for folder in folders {
            let (bytes, why) = match sevenz::unpack(source, &folder) {
                Ok(bytes) => (bytes, None),
                Err(fault @ Fault::Unreadable(_)) => return Err(fault),
                Err(Fault::Corrupt(why) | Fault::TooLarge(why)) => (Vec::new(), Some(why)),
            };
            if let Some(why) = why {
                let name = within(member, folder.files.first().map_or("", |file| &file.name));
                self.log.add(log::UNREADABLE_CONTENT, &name, folder.start, why);
                claim = Claim::Pickle;
                continue;
            }
            let size = bytes.len();
            if self.budget.inflated < size as u64 || self.budget.held < size {
                let message = "more is decompressed than a file of this size can need";
                self.log.add(log::OVER_LIMIT, member, folder.start, message);
                return Ok(Claim::Pickle);
            }
            self.budget.inflated -= size as u64;
            self.budget.held -= size;
            let mut at = 0;
            for file in &folder.files {
                if self.budget.members == 0 {
                    self.log.add(log::OVER_LIMIT, member, folder.start, "too many members");
                    return Ok(Claim::Pickle);
                }
                self.budget.members -= 1;
                let name = within(member, &file.name);
                if let Some(why) = zip::leads_elsewhere(&file.name) {
                    self.log.add(
                        log::ARCHIVE_PATH,
                        member,
                        folder.start,
                        format!("member {} {why}", zip::shown(&file.name)),
                    );
                    claim = Claim::Pickle;
                }
                let window = Window::new(&bytes, at, file.size);
                at += file.size;
                if file.size > 0
                    && self.content(Content::Plain(&window), &name, depth + 1, Doubt::Open)?
                        == Claim::Pickle
                {
                    claim = Claim::Pickle;
                }
            }
            self.budget.held += size;
        }
        Ok(claim)
    }
}

fn within(member: &str, name: &str) -> String {
    if member.is_empty() { name.to_owned() } else { format!("{member}/{name}") }
}
