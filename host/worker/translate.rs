//! Values of the engine and the domain as rows of frames, and back.
//!
//! Leaves checking what a worker says to `trust`.

use std::sync::Arc;
use std::time::Duration;

use super::protocol::{
    BaseRow, ChunkRow, DoneRow, EndingRow, EntryRow, FileRow, FindingRow, Load, LockHead,
    LockedBaseRow, LockedRow, ReadRow, RegisteredRow, SaidRow, SetRow, StopRow, TaskRow,
};
use crate::domain::capability::{Capability, Grant, Grants, Limit, Limits};
use crate::domain::digest::{Blake3, Digest, TreeDigest};
use crate::domain::event::LogLevel;
use crate::domain::evidence::Content;
use crate::domain::finding::{Confidence, Severity};
use crate::domain::lineage::{Base, LockedBase};
use crate::domain::model::{Definition, FilePath, LockEntry, LockNotes, LockedFile, ModelName};
use crate::domain::parts::Parts;
use crate::domain::registry::{RegisteredFile, RegistryEntry, RegistrySet, Standing};
use crate::domain::verdict::FailureCode;
use crate::engine::abi::raw::{RawAnswer, RawFact, RawFailure, RawFinding, RawLocation};
use crate::engine::{Cause, Ending, Ran, View};
use crate::model::chunk::ChunkDigest;
use crate::model::reader::ChunkLog;
use crate::model::{FileHandle, ReadError};

const LEVELS: [LogLevel; 5] =
    [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
const CONFIDENCES: [Confidence; 3] = [Confidence::Low, Confidence::Medium, Confidence::High];

/// The failures that a guest may name.
const SAID: [(SaidRow, FailureCode); 4] = [
    (SaidRow::InvalidSettings, FailureCode::InvalidSettings),
    (SaidRow::Unreadable, FailureCode::Unreadable),
    (SaidRow::Unsupported, FailureCode::Unsupported),
    (SaidRow::Internal, FailureCode::Internal),
];

fn stop_row(code: FailureCode) -> StopRow {
    match code {
        FailureCode::Limit(limit) => StopRow::Limit(place(&Limit::ALL, &limit)),
        _ => StopRow::Trap,
    }
}

fn stop_code(row: StopRow) -> Option<FailureCode> {
    match row {
        StopRow::Trap => Some(FailureCode::Trap),
        StopRow::Limit(place) => {
            Limit::ALL.get(usize::from(place)).map(|limit| FailureCode::Limit(*limit))
        }
    }
}

fn place<T: PartialEq>(all: &[T], value: &T) -> u8 {
    all.iter()
        .position(|other| other == value)
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

/// Writes `grants` and `documents` for a worker.
pub(super) fn load(
    code: u64,
    grants: &Grants,
    documents: &[(String, u64)],
    settings: &str,
    limits: &Limits,
) -> Load {
    Load {
        code,
        grants: grants.capabilities().map(|capability| capability.name().to_owned()).collect(),
        documents: documents.to_vec(),
        settings: settings.to_owned(),
        limits: Limit::ALL.map(|limit| limits.get(limit)).to_vec(),
    }
}

/// Reads the granted capabilities.
pub(super) fn grants(names: &[String]) -> Grants {
    let mut grants = Grants::default();
    for capability in Capability::ALL {
        grants.remove(&Grant::Capability(capability));
    }
    for capability in names.iter().filter_map(|name| name.parse().ok()) {
        grants.add(Grant::Capability(capability));
    }
    grants
}

/// Reads limits.
pub(super) fn limits(row: &[u64]) -> Limits {
    let mut limits = Limits::default();
    for (limit, amount) in Limit::ALL.into_iter().zip(row) {
        limits.set(limit, *amount);
    }
    limits
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Writes the head of a lock entry.
pub(super) fn lock_head(entry: &LockEntry) -> LockHead {
    LockHead {
        source: entry.source.clone(),
        revision: entry.revision.clone(),
        tree: *entry.tree.digest().as_bytes(),
        license: entry.notes.license.clone(),
        signer: entry.notes.signer.clone(),
    }
}

/// Reads a lock entry without its files; what no guest sees of it is left out.
pub(super) fn lock_entry(head: LockHead) -> LockEntry {
    LockEntry {
        source: head.source,
        revision: head.revision,
        notes: LockNotes { license: head.license, signer: head.signer, ..LockNotes::default() },
        tree: tree(head.tree),
        line: 0,
        files: Vec::new(),
    }
}

fn tree(bytes: [u8; 32]) -> TreeDigest {
    TreeDigest::from_digest(Digest::from_bytes(bytes))
}

/// Writes what a model was made from.
pub(super) fn base_row(base: &Base) -> BaseRow {
    BaseRow {
        source: base.source.clone(),
        revision: base.revision.clone(),
        below: base.below,
        locked: base.locked.as_ref().map(|locked| {
            let LockedBase { name, tree, license, stated_license } = locked.clone();
            let tree = *tree.digest().as_bytes();
            LockedBaseRow { name: name.to_string(), tree, license, stated_license }
        }),
    }
}

/// Reads what a model was made from.
pub(super) fn base(row: BaseRow) -> Base {
    Base {
        source: row.source,
        revision: row.revision,
        below: row.below,
        locked: row.locked.map(|locked| LockedBase {
            name: ModelName::new(&locked.name),
            tree: tree(locked.tree),
            license: locked.license,
            stated_license: locked.stated_license,
        }),
    }
}

/// Writes which edition of the trusted registry it is.
pub(super) fn set_row(set: &RegistrySet) -> SetRow {
    SetRow { sequence: set.sequence, digest: *set.digest.as_bytes(), signed: set.signed }
}

/// Reads which edition of the trusted registry it is.
pub(super) fn set(row: SetRow) -> RegistrySet {
    RegistrySet {
        sequence: row.sequence,
        digest: Digest::from_bytes(row.digest),
        signed: row.signed,
    }
}

/// Writes an entry of the trusted registry, without its files.
pub(super) fn entry_row(entry: &RegistryEntry) -> EntryRow {
    EntryRow {
        name: entry.name.to_string(),
        source: entry.source.clone(),
        revision: entry.revision.clone(),
        tree: entry.tree.map(|tree| *tree.digest().as_bytes()),
        license: entry.license.clone(),
        standing: place(&Standing::ALL, &entry.standing),
        reason: entry.reason.clone(),
        superseded_by: entry.superseded_by.as_ref().map(ToString::to_string),
        date: entry.date.clone(),
        reviewer: entry.reviewer.clone(),
        digest: *entry.digest.as_bytes(),
    }
}

/// Reads an entry of the trusted registry; none where it has no such standing.
pub(super) fn entry(row: EntryRow) -> Option<RegistryEntry> {
    Some(RegistryEntry {
        name: ModelName::new(&row.name),
        source: row.source,
        revision: row.revision,
        tree: row.tree.map(tree),
        license: row.license,
        standing: *Standing::ALL.get(usize::from(row.standing))?,
        reason: row.reason,
        superseded_by: row.superseded_by.as_deref().map(ModelName::new),
        date: row.date,
        reviewer: row.reviewer,
        digest: Digest::from_bytes(row.digest),
        files: Vec::new(),
    })
}

/// Writes a file of an entry.
pub(super) fn registered_row(file: &RegisteredFile) -> RegisteredRow {
    RegisteredRow { path: file.path.to_string(), size: file.size, digest: *file.digest.as_bytes() }
}

/// Reads a file of an entry.
pub(super) fn registered_file(row: RegisteredRow) -> RegisteredFile {
    RegisteredFile {
        path: FilePath::from_written(row.path),
        size: row.size,
        digest: Digest::from_bytes(row.digest),
    }
}

/// Writes a locked file.
pub(super) fn locked_row(file: &LockedFile) -> LockedRow {
    LockedRow {
        path: file.path.to_string(),
        size: file.size,
        digest: *file.digest.as_bytes(),
        blake3: file.blake3.map(|digest| *digest.as_bytes()),
        parts: file.parts.as_ref().map(|parts| parts.kept().to_vec()),
    }
}

/// Reads a locked file; what no guest sees of it is left out.
pub(super) fn locked_file(row: LockedRow) -> LockedFile {
    let path = FilePath::from_written(row.path);
    LockedFile {
        blake3: row.blake3.map(Blake3::from_bytes),
        parts: row.parts.and_then(|kept| Parts::from_kept(row.size, kept)),
        ..LockedFile::new(path, row.size, Digest::from_bytes(row.digest))
    }
}

/// Writes a file of a view.
pub(super) fn file_row(file: &FileHandle) -> FileRow {
    let hashed = file.hashed().map(|hashed| match hashed {
        Ok((digest, _)) => Ok(*digest.as_bytes()),
        Err(error) => Err(read_row(error)),
    });
    FileRow { path: file.path().to_string(), size: file.size(), hashed }
}

/// Reads what is known of a file's digest. Its kind of content is nothing that
/// a guest sees.
pub(super) fn hashed(row: Result<[u8; 32], ReadRow>) -> Result<(Digest, Content), ReadError> {
    row.map(|digest| (Digest::from_bytes(digest), Content::Other)).map_err(read_error)
}

/// Writes why bytes could not be had.
pub(super) fn read_row(error: &ReadError) -> ReadRow {
    match error {
        ReadError::OutOfRange => ReadRow::OutOfRange,
        ReadError::Changed => ReadRow::Changed,
        ReadError::Io(text) => ReadRow::Io(text.clone()),
    }
}

/// Reads why bytes could not be had.
pub(super) fn read_error(row: ReadRow) -> ReadError {
    match row {
        ReadRow::OutOfRange => ReadError::OutOfRange,
        ReadRow::Changed => ReadError::Changed,
        ReadRow::Io(text) => ReadError::Io(text),
    }
}

/// Writes a task, without its lock entry and with the last of its `files`; the
/// descriptors of those in `handed` go beside it.
pub(super) fn task_row(view: &View, files: &[Arc<FileHandle>], handed: Vec<u32>) -> TaskRow {
    let definition = view.definition.as_ref();
    TaskRow {
        name: view.name.to_string(),
        definition: definition
            .map(|found| (found.source.clone(), found.revision.clone(), found.license.clone())),
        now: view.now,
        files: files.iter().map(|file| file_row(file)).collect(),
        handed,
        key: *view.key.as_bytes(),
    }
}

/// Reads what the policy says of a model.
pub(super) fn definition(row: (Option<String>, Option<String>, Option<String>)) -> Definition {
    Definition { source: row.0, revision: row.1, license: row.2, ..Definition::default() }
}

/// Writes the chunks that were read.
pub(super) fn chunk_rows(log: ChunkLog) -> impl Iterator<Item = ChunkRow> {
    log.into_iter().map(|((file, chunk), digest)| ChunkRow {
        file,
        chunk,
        digest: digest.map(|ChunkDigest(digest)| digest),
    })
}

/// Writes how a guest ended.
pub(super) fn done_row(ran: Ran) -> DoneRow {
    DoneRow {
        ending: ending_row(ran.ending),
        seen: ran.seen,
        fuel: ran.usage.fuel,
        memory: ran.usage.memory,
        table_elements: ran.usage.table_elements,
        host_calls: ran.usage.host_calls,
        handles: ran.usage.handles,
        bytes_read: ran.usage.bytes_read,
        log: ran
            .log
            .into_iter()
            .map(|(level, text)| (place(&LEVELS, &level), text.to_string()))
            .collect(),
        log_dropped: ran.log_dropped,
        instantiate_ns: nanos(ran.instantiate),
        check_ns: nanos(ran.check),
    }
}

fn ending_row(ending: Ending) -> EndingRow {
    match ending {
        Ending::Returned(Ok(RawAnswer::NotApplicable(reason))) => EndingRow::NotApplicable(reason),
        Ending::Returned(Ok(RawAnswer::Checked { findings, facts })) => EndingRow::Checked {
            findings: findings.into_iter().map(finding_row).collect(),
            facts: facts.into_iter().map(|fact| (fact.key, fact.value)).collect(),
        },
        Ending::Returned(Err(RawFailure { code, said })) => {
            let row = SAID
                .iter()
                .find(|(_, other)| *other == code)
                .map_or(SaidRow::Internal, |(row, _)| *row);
            EndingRow::Said { code: row, text: said }
        }
        Ending::Stopped(Cause { code, message, crashed }) => {
            EndingRow::Stopped { code: stop_row(code), message, crashed }
        }
    }
}

fn finding_row(finding: RawFinding) -> FindingRow {
    let RawLocation { file, member, offset, line } = finding.location;
    FindingRow {
        rule: finding.rule,
        severity: place(&Severity::ALL, &finding.severity),
        confidence: place(&CONFIDENCES, &finding.confidence),
        message: finding.message,
        file,
        member,
        offset,
        line,
        help: finding.help,
    }
}

/// Reads how a guest ended; none where there is no such value.
pub(super) fn ending(row: EndingRow) -> Option<Ending> {
    Some(match row {
        EndingRow::NotApplicable(reason) => Ending::Returned(Ok(RawAnswer::NotApplicable(reason))),
        EndingRow::Checked { findings, facts } => Ending::Returned(Ok(RawAnswer::Checked {
            findings: findings.into_iter().map(finding).collect::<Option<_>>()?,
            facts: facts.into_iter().map(|(key, value)| RawFact { key, value }).collect(),
        })),
        EndingRow::Said { code, text } => {
            let (_, code) = SAID.iter().find(|(row, _)| *row == code)?;
            Ending::Returned(Err(RawFailure { code: *code, said: text }))
        }
        EndingRow::Stopped { code, message, crashed } => {
            Ending::Stopped(Cause { code: stop_code(code)?, message, crashed })
        }
    })
}

fn finding(row: FindingRow) -> Option<RawFinding> {
    Some(RawFinding {
        rule: row.rule,
        severity: *Severity::ALL.get(usize::from(row.severity))?,
        confidence: *CONFIDENCES.get(usize::from(row.confidence))?,
        message: row.message,
        location: RawLocation {
            file: row.file,
            member: row.member,
            offset: row.offset,
            line: row.line,
        },
        help: row.help,
    })
}

/// Reads how loud a line is.
pub(super) fn level(row: u8) -> Option<LogLevel> {
    LEVELS.get(usize::from(row)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_and_entries_come_back_as_they_went() {
        let locked = LockedBase {
            name: ModelName::new("b"),
            tree: tree([7; 32]),
            license: Some("MIT".to_owned()),
            stated_license: None,
        };
        let bases = [
            Base { source: "s".to_owned(), revision: None, below: None, locked: Some(locked) },
            Base {
                source: "t".to_owned(),
                revision: Some("r".to_owned()),
                below: Some(0),
                locked: None,
            },
        ];
        for sent in bases {
            assert_eq!(base(base_row(&sent)), sent);
        }
        for standing in Standing::ALL {
            let sent = RegistryEntry {
                name: ModelName::new("n"),
                source: Some("s".to_owned()),
                revision: Some("r".to_owned()),
                tree: Some(tree([9; 32])),
                license: Some("MIT".to_owned()),
                standing,
                reason: Some("why".to_owned()),
                superseded_by: Some(ModelName::new("o")),
                date: "2026-07-24".to_owned(),
                reviewer: "who".to_owned(),
                digest: Digest::of(b"e"),
                files: Vec::new(),
            };
            assert_eq!(entry(entry_row(&sent)), Some(sent));
        }
        let path = FilePath::from_bytes(b"w");
        let kept = vec![[1; 8], [2; 8]];
        let locked = LockedFile {
            blake3: Some(Blake3::from_bytes([5; 32])),
            parts: Parts::from_kept(2 << 20, kept),
            ..LockedFile::new(path, 2 << 20, Digest::of(b"w"))
        };
        assert!(locked.parts.is_some());
        assert_eq!(locked_file(locked_row(&locked)), locked);
        let file = RegisteredFile {
            path: FilePath::from_bytes(b"a\xff"),
            size: 3,
            digest: Digest::of(b"abc"),
        };
        assert_eq!(registered_file(registered_row(&file)), file);
        let set = RegistrySet { sequence: 4, digest: Digest::of(b"set"), signed: true };
        assert_eq!(super::set(set_row(&set)), set);
    }

    #[test]
    fn an_entry_of_no_standing_is_none() {
        let row = EntryRow {
            name: "n".to_owned(),
            source: None,
            revision: None,
            tree: None,
            license: None,
            standing: 3,
            reason: None,
            superseded_by: None,
            date: String::new(),
            reviewer: String::new(),
            digest: [0; 32],
        };
        assert_eq!(entry(row), None);
    }
}
