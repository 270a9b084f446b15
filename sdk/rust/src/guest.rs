//! The host as a guest sees it: handles and calls of the generated bindings, with the
//! crate's own types on this side of them.
//!
//! `testing::double` offers the same functions natively; `model` is written
//! against either. What the values mean stands in `model` and `finding`.

use crate::answer::{Answer, Fact, Failure, Observations};
use crate::bindings::exports::modelhost::check::model_check;
use crate::bindings::modelhost::check as wit;
use crate::check::Check;
use crate::file::{Algorithm, ReadError};
use crate::finding::{Confidence, Finding, Location, Severity};
use crate::model::{
    Base, Datetime, Definition, Level, LockEntry, LockedBase, LockedFile, LockedParts, Model,
};
use crate::registry::{RegisteredFile, Registry, RegistryEntry, Standing};

/// Runs `C` for the export: generated types in, generated types out.
///
/// # Errors
///
/// What the check could not do, or why its settings can't be used.
#[doc(hidden)]
pub fn call<C: Check>(
    model: &model_check::Model,
    settings: &str,
) -> Result<model_check::Answer, model_check::Failure> {
    match crate::check::run::<C>(&Model::new(ModelHandle(model)), settings) {
        Ok(answer) => Ok(lower_answer(answer)),
        Err(failure) => Err(lower_failure(failure)),
    }
}

#[derive(Clone, Copy)]
pub(crate) struct ModelHandle<'a>(&'a wit::files::Model);

impl ModelHandle<'_> {
    pub(crate) fn name(self) -> String {
        self.0.name()
    }

    pub(crate) fn count(self) -> u32 {
        self.0.count()
    }

    pub(crate) fn file(self, index: u32) -> FileHandle {
        FileHandle(self.0.file(index))
    }

    pub(crate) fn definition(self) -> Option<Definition> {
        let defined = wit::definition::defined()?;
        Some(Definition {
            source: defined.source,
            revision: defined.revision,
            license: defined.license,
        })
    }

    pub(crate) fn lock(self) -> Option<LockEntry> {
        let locked = wit::definition::locked()?;
        Some(LockEntry {
            source: locked.source,
            revision: locked.revision,
            tree: digest_bytes(locked.tree),
            count: locked.count,
            license: locked.license,
            signer: locked.signer,
            handle: LockHandle,
        })
    }

    pub(crate) fn lineage(self) -> Vec<Base> {
        wit::definition::lineage().into_iter().map(lift_base).collect()
    }

    pub(crate) fn registry(self) -> Option<Registry> {
        let trusted = wit::definition::trusted()?;
        Some(Registry {
            sequence: trusted.sequence,
            digest: digest_bytes(trusted.digest),
            signed: trusted.signed,
            entries: wit::definition::registered().into_iter().map(lift_entry).collect(),
            handle: RegistryHandle,
        })
    }

    pub(crate) fn document(self, name: &str) -> Option<DocumentHandle> {
        wit::documents::open(name).map(DocumentHandle)
    }

    pub(crate) fn now(self) -> Datetime {
        let now = wit::clock::now();
        Datetime { seconds: now.seconds, nanoseconds: now.nanoseconds }
    }

    pub(crate) fn log(self, level: Level, message: &str) {
        let level = match level {
            Level::Trace => wit::log::Level::Trace,
            Level::Debug => wit::log::Level::Debug,
            Level::Info => wit::log::Level::Info,
            Level::Warn => wit::log::Level::Warn,
            Level::Error => wit::log::Level::Error,
        };
        wit::log::line(level, message);
    }
}

pub(crate) struct FileHandle(wit::files::File);

impl FileHandle {
    pub(crate) fn path(&self) -> String {
        self.0.path()
    }

    pub(crate) fn size(&self) -> u64 {
        self.0.size()
    }

    pub(crate) fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        self.0.read(offset, length).map_err(lift_read_error)
    }

    pub(crate) fn digest(
        &self,
        algorithm: Algorithm,
        range: Option<(u64, u64)>,
    ) -> Result<Vec<u8>, ReadError> {
        let algorithm = match algorithm {
            Algorithm::Sha256 => wit::digest::Algorithm::Sha256,
            Algorithm::Sha512 => wit::digest::Algorithm::Sha512,
            Algorithm::Blake2b512 => wit::digest::Algorithm::Blake2b512,
            Algorithm::Blake3 => wit::digest::Algorithm::Blake3,
            Algorithm::GitBlobSha1 => wit::digest::Algorithm::GitBlobSha1,
        };
        let range = range.map(|(offset, length)| wit::digest::Range { offset, length });
        wit::digest::of(&self.0, algorithm, range).map_err(lift_read_error)
    }
}

pub(crate) struct DocumentHandle(wit::documents::Document);

impl DocumentHandle {
    pub(crate) fn size(&self) -> u64 {
        self.0.size()
    }

    pub(crate) fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        self.0.read(offset, length).map_err(lift_read_error)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LockHandle;

impl LockHandle {
    pub(crate) fn file(&self, index: u32) -> LockedFile {
        let file = wit::definition::locked_file_at(index);
        LockedFile {
            path: file.path,
            size: file.size,
            sha256: digest_bytes(file.sha256),
            blake3: file.blake3.map(digest_bytes),
        }
    }

    pub(crate) fn parts(&self, index: u32) -> Option<LockedParts> {
        let parts = wit::definition::locked_parts_at(index)?;
        let (digests, rest) = parts.digests.as_chunks();
        assert!(rest.is_empty(), "the contract says that these are 8 bytes each");
        Some(LockedParts { size: parts.size, digests: digests.to_vec() })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegistryHandle;

impl RegistryHandle {
    pub(crate) fn file(&self, entry: u32, index: u32) -> RegisteredFile {
        let file = wit::definition::registered_file_at(entry, index);
        RegisteredFile { path: file.path, size: file.size, sha256: digest_bytes(file.sha256) }
    }
}

fn lift_base(base: wit::definition::Base) -> Base {
    Base {
        source: base.source,
        revision: base.revision,
        below: base.below,
        locked: base.locked.map(|locked| LockedBase {
            name: locked.name,
            tree: digest_bytes(locked.tree),
            license: locked.license,
            stated_license: locked.stated_license,
        }),
    }
}

fn lift_entry(entry: wit::definition::RegistryEntry) -> RegistryEntry {
    RegistryEntry {
        name: entry.name,
        source: entry.source,
        revision: entry.revision,
        tree: entry.tree.map(digest_bytes),
        license: entry.license,
        standing: match entry.standing {
            wit::definition::Standing::Approved => Standing::Approved,
            wit::definition::Standing::Revoked => Standing::Revoked,
            wit::definition::Standing::Superseded => Standing::Superseded,
        },
        reason: entry.reason,
        superseded_by: entry.superseded_by,
        date: entry.date,
        reviewer: entry.reviewer,
        digest: digest_bytes(entry.digest),
        count: entry.count,
    }
}

fn digest_bytes(bytes: Vec<u8>) -> [u8; 32] {
    bytes.try_into().expect("the contract says that these are 32 bytes")
}

fn lift_read_error(error: wit::files::ReadError) -> ReadError {
    match error {
        wit::files::ReadError::OutOfRange => ReadError::OutOfRange,
        wit::files::ReadError::Changed => ReadError::Changed,
        wit::files::ReadError::Io(text) => ReadError::Io(text),
    }
}

fn lower_answer(answer: Answer) -> wit::types::Answer {
    match answer {
        Answer::Checked(observations) => wit::types::Answer::Checked(lower(observations)),
        Answer::NotApplicable(reason) => wit::types::Answer::NotApplicable(reason),
    }
}

fn lower_failure(failure: Failure) -> wit::types::Failure {
    match failure {
        Failure::InvalidSettings(text) => wit::types::Failure::InvalidSettings(text),
        Failure::Unreadable(text) => wit::types::Failure::Unreadable(text),
        Failure::Unsupported(text) => wit::types::Failure::Unsupported(text),
        Failure::Internal(text) => wit::types::Failure::Internal(text),
    }
}

fn lower(observations: Observations) -> wit::types::Observations {
    let (findings, facts) = observations.into_parts();
    wit::types::Observations {
        findings: findings.into_iter().map(lower_finding).collect(),
        facts: facts.into_iter().map(lower_fact).collect(),
    }
}

fn lower_fact(fact: Fact) -> wit::types::Fact {
    wit::types::Fact { key: fact.key, value: fact.value }
}

fn lower_finding(finding: Finding) -> wit::types::Finding {
    wit::types::Finding {
        rule: finding.rule.name().to_owned(),
        severity: match finding.severity {
            Severity::Info => wit::types::Severity::Info,
            Severity::Low => wit::types::Severity::Low,
            Severity::Medium => wit::types::Severity::Medium,
            Severity::High => wit::types::Severity::High,
            Severity::Critical => wit::types::Severity::Critical,
        },
        confidence: match finding.confidence {
            Confidence::Low => wit::types::Confidence::Low,
            Confidence::Medium => wit::types::Confidence::Medium,
            Confidence::High => wit::types::Confidence::High,
        },
        message: finding.message,
        location: lower_location(finding.location),
        help: finding.help,
    }
}

fn lower_location(location: Location) -> wit::types::Location {
    wit::types::Location {
        file: location.file,
        member: location.member,
        offset: location.offset,
        line: location.line,
    }
}
