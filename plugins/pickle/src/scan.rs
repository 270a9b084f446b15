//! Tells by content what bytes are, and looks for pickles in them: raw, in archives, behind compression.
//!
//! Each format's own structure is read elsewhere (`zip.rs`, `tar.rs`, `npy.rs`, …); what pickles do, in `machine.rs`.

use std::cell::Cell;

use modelhost_check::{Confidence, Severity};

use crate::compressed::{self, Method};
use crate::log::{self, Log};
use crate::machine::{Context, End, Evidence, FREE_OPCODES, Machine, Nested};
use crate::npy;
use crate::opcode::{Halt, Opcode};
use crate::settings::Settings;
use crate::source::{Fault, Source, Window};
use crate::stream::Stream;
use crate::tar;
use crate::torch;
use crate::zip;

/// How deep archives within archives are opened.
const DEPTH: u32 = 5;
/// Decompressed bytes held in memory at a time; a check has 256 MiB, the machine takes its share.
const HELD: usize = 32 << 20;
/// Opcodes that decompressed data may have for each compressed byte, beside [`FREE_EXPANDED`]: real pickles pack
/// to a tenth at best.
const EXPANSION: u64 = 200;
/// See [`EXPANSION`].
const FREE_EXPANDED: u64 = 4_000_000;
/// Pickles one after another; PyTorch's legacy format has five.
const PICKLES: u32 = 100_000;
/// Only where there is no content does a name decide: an empty file of such a name is a failed download.
const MODEL_ENDINGS: &[&str] = &[
    ".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".npy", ".npz", ".dill", ".sav",
    ".mar", ".nemo",
];
/// A text of one line that begins as GLOBAL does and is longer than any name: no text, an endless name.
const ENDLESS: usize = 4096;

/// What the bytes turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Pickles, or a container of them: judged.
    Pickle,
    /// Nothing that this plugin reads.
    Nothing,
}

/// How sure it must be that bytes are a pickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It may be one: a magic number suffices.
    Open,
    /// It should be raw numbers, which may look like anything: only a pickle that does something counts.
    Numbers,
}

/// Bytes to be looked at: at hand, or behind a decoder.
enum Content<'a> {
    Plain(&'a dyn Source),
    Packed(&'a dyn Source, Method),
}

impl Content<'_> {
    fn stream(&self) -> Result<Stream<'_>, Fault> {
        Ok(match self {
            Content::Plain(source) => Stream::over(*source, 0),
            Content::Packed(source, method) => Stream::new(compressed::open(*source, *method)?, 0),
        })
    }
}

/// Looks for pickles in one file.
pub struct Scanner<'a> {
    settings: &'a Settings,
    log: &'a mut Log,
    /// Decompressed bytes that may still be held.
    held: Cell<usize>,
    /// Opcodes that trials may still run.
    trials: u64,
}

impl<'a> Scanner<'a> {
    /// Makes a scanner that writes into `log`.
    #[must_use]
    pub fn new(settings: &'a Settings, log: &'a mut Log) -> Self {
        Self {
            settings,
            log,
            held: Cell::new(HELD),
            trials: FREE_EXPANDED,
        }
    }

    /// Looks at a whole file.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn file(&mut self, source: &dyn Source, path: &str) -> Result<Claim, Fault> {
        if source.size() == 0 && MODEL_ENDINGS.iter().any(|ending| path.ends_with(ending)) {
            self.log.add(
                log::MALFORMED,
                "",
                0,
                "the file is empty, though its name says that it holds a model",
            );
            return Ok(Claim::Pickle);
        }
        self.trials = self.trials.saturating_add(source.size());
        self.content(&Content::Plain(source), "", 0, Doubt::Open)
    }

    /// Looks at bytes; `member` names them within the file.
    fn content(
        &mut self,
        content: &Content<'_>,
        member: &str,
        depth: u32,
        doubt: Doubt,
    ) -> Result<Claim, Fault> {
        match self.look(content, member, depth, doubt) {
            Err(Fault::Corrupt(why)) if !member.is_empty() || self.log.worst().is_some() => {
                self.log.add(log::UNREADABLE_CONTENT, member, 0, why);
                Ok(Claim::Pickle)
            }
            Err(Fault::TooLarge(why)) => {
                self.log.add(log::OVER_LIMIT, member, 0, why);
                Ok(Claim::Pickle)
            }
            other => other,
        }
    }

    fn look(
        &mut self,
        content: &Content<'_>,
        member: &str,
        depth: u32,
        doubt: Doubt,
    ) -> Result<Claim, Fault> {
        let mut stream = content.stream()?;
        let head = stream.peek(1024)?.to_vec();
        let mut claim = Claim::Nothing;
        // An archive at the end may follow anything: PyTorch reads the start of a file, `zipfile` its end.
        let archive = match content {
            Content::Plain(source) if depth == 0 || head.starts_with(b"PK") => {
                zip::ends_in_archive(*source)?
            }
            Content::Plain(_) => false,
            Content::Packed(..) => head.starts_with(b"PK\x03\x04"),
        };
        if archive || head.starts_with(b"PK\x03\x04") {
            if let Content::Packed(..) = content {
                return self.unpacked(content, member, depth, doubt);
            }
        }
        if let Content::Plain(source) = content {
            if archive {
                claim = self.zip(*source, member, depth)?;
                if head.starts_with(b"PK") {
                    return Ok(claim);
                }
            } else if head.starts_with(b"PK\x03\x04") {
                return self.headless(*source, member, depth);
            }
        }
        let rest = if head.starts_with(npy::MAGIC) {
            self.npy(content, member)?
        } else if tar::recognise(&head) {
            match content {
                Content::Plain(source) => self.tar(*source, member, depth)?,
                Content::Packed(..) => self.unpacked(content, member, depth, doubt)?,
            }
        } else if let Some(method) = compressed::recognise(&head).filter(|_| doubt == Doubt::Open) {
            self.compressed(content, method, member, depth)?
        } else {
            self.pickles(content, &head, member, depth, doubt)?
        };
        Ok(if rest == Claim::Pickle { rest } else { claim })
    }

    /// Decodes into memory and looks again; what doesn't fit there is said to be too large.
    fn unpacked(
        &mut self,
        content: &Content<'_>,
        member: &str,
        depth: u32,
        doubt: Doubt,
    ) -> Result<Claim, Fault> {
        let bytes = self.hold(content)?;
        let length = bytes.len();
        let claim = self.content(&Content::Plain(&bytes), member, depth, doubt);
        self.held.set(self.held.get() + length);
        claim
    }

    /// Decodes into memory; the caller gives back what it held.
    fn hold(&self, content: &Content<'_>) -> Result<Vec<u8>, Fault> {
        let mut stream = content.stream()?;
        let mut bytes = Vec::new();
        loop {
            let chunk = match stream.chunk(u64::MAX) {
                Ok(chunk) => chunk,
                // What was decoded before the break is still judged: loaders run it before they notice.
                Err(Fault::Corrupt(_)) if !bytes.is_empty() => break,
                Err(fault) => return Err(fault),
            };
            if chunk.is_empty() {
                break;
            }
            if bytes.len() + chunk.len() > self.held.get() {
                return Err(Fault::TooLarge(format!(
                    "more than {} MiB when decompressed",
                    HELD >> 20
                )));
            }
            bytes.extend_from_slice(chunk);
        }
        self.held.set(self.held.get() - bytes.len());
        Ok(bytes)
    }

    fn compressed(
        &mut self,
        content: &Content<'_>,
        method: Method,
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        if depth >= DEPTH {
            self.log.add(
                log::OVER_LIMIT,
                member,
                0,
                format!("more than {DEPTH} containers within each other"),
            );
            return Ok(Claim::Pickle);
        }
        let inner = |scanner: &mut Self, source: &dyn Source| {
            let packed = Content::Packed(source, method);
            let readable = packed
                .stream()
                .and_then(|mut stream| stream.peek(1).map(|_| ()));
            match readable {
                // Two bytes of a text or of weights may look like zlib's.
                Err(Fault::Corrupt(_)) if method == Method::Zlib => scanner.pickles(
                    &Content::Plain(source),
                    &source.up_to(0, 1024)?,
                    member,
                    depth,
                    Doubt::Open,
                ),
                Err(Fault::Corrupt(why)) => {
                    scanner.log.add(log::UNREADABLE_CONTENT, member, 0, why);
                    Ok(Claim::Pickle)
                }
                _ => scanner.content(&packed, member, depth + 1, Doubt::Open),
            }
        };
        match content {
            Content::Plain(source) => inner(self, *source),
            Content::Packed(..) => {
                let bytes = self.hold(content)?;
                let claim = inner(self, &bytes);
                self.held.set(self.held.get() + bytes.len());
                claim
            }
        }
    }

    fn npy(&mut self, content: &Content<'_>, member: &str) -> Result<Claim, Fault> {
        let mut stream = content.stream()?;
        let head = stream.peek(12)?.to_vec();
        let Some((start, length)) = npy::header_span(&head) else {
            self.log.add(
                log::MALFORMED,
                member,
                0,
                "the header of a numpy array has an unknown version or a length past all sense",
            );
            return Ok(Claim::Pickle);
        };
        stream.skip(start as u64)?;
        let mut text = Vec::new();
        while text.len() < length {
            let chunk = stream.chunk((length - text.len()) as u64)?;
            if chunk.is_empty() {
                break;
            }
            text.extend_from_slice(chunk);
        }
        if text.len() < length {
            self.log.add(
                log::MALFORMED,
                member,
                start as u64,
                "the header of a numpy array goes past the end",
            );
            return Ok(Claim::Pickle);
        }
        match npy::header(&text) {
            Err(why) => self.log.add(
                log::MALFORMED,
                member,
                start as u64,
                format!("the header of a numpy array is wrong: {why}"),
            ),
            Ok(header) if header.object => {
                self.series(content, stream, member, false)?;
            }
            Ok(header) => {
                if let Some(bytes) = header.bytes
                    && stream.left().is_some_and(|left| left < bytes)
                {
                    self.log.add(
                        log::MALFORMED,
                        member,
                        stream.position(),
                        "a numpy array has fewer items than its header says",
                    );
                }
            }
        }
        Ok(Claim::Pickle)
    }

    /// Looks for pickles at the start of bytes that have no other format's magic number.
    fn pickles(
        &mut self,
        content: &Content<'_>,
        head: &[u8],
        member: &str,
        depth: u32,
        doubt: Doubt,
    ) -> Result<Claim, Fault> {
        if head
            .first()
            .is_none_or(|&byte| Opcode::from_byte(byte).is_none())
        {
            return Ok(Claim::Nothing);
        }
        let magic = doubt == Doubt::Open && matches!(head, [0x80, 0..=5, ..]);
        if !magic && !self.trial(content, head, member, doubt)? {
            return Ok(Claim::Nothing);
        }
        if let Content::Packed(..) = content {
            match self.unpacked_pickles(content, member, depth) {
                Err(Fault::TooLarge(_)) => {}
                other => return other,
            }
        }
        let stream = content.stream()?;
        self.series(content, stream, member, doubt == Doubt::Numbers)?;
        Ok(Claim::Pickle)
    }

    fn unpacked_pickles(
        &mut self,
        content: &Content<'_>,
        member: &str,
        _depth: u32,
    ) -> Result<Claim, Fault> {
        let Content::Packed(packed, _) = content else {
            return Ok(Claim::Nothing);
        };
        let bytes = self.hold(content)?;
        let limit = FREE_EXPANDED
            .saturating_add(packed.size().saturating_mul(EXPANSION))
            .min(FREE_OPCODES);
        let plain = Content::Plain(&bytes);
        let done = plain
            .stream()
            .and_then(|stream| self.series_within(&plain, stream, member, false, limit));
        self.held.set(self.held.get() + bytes.len());
        done.map(|()| Claim::Pickle)
    }

    /// Runs the start as a pickle without believing it, and says whether it is one.
    fn trial(
        &mut self,
        content: &Content<'_>,
        head: &[u8],
        member: &str,
        doubt: Doubt,
    ) -> Result<bool, Fault> {
        let mut log = self.log.fork();
        let context = Context {
            settings: self.settings,
            member,
            joblib: true,
            capture: false,
            opcodes: self.trials.min(FREE_OPCODES),
        };
        let mut machine = Machine::new(context, &mut log);
        let mut stream = content.stream()?;
        let end = machine.run(&mut stream);
        let (seen, dangerous) = (machine.evidence, machine.imports.dangerous());
        drop(machine);
        self.trials = self.trials.saturating_sub(seen.opcodes);
        Ok(match end {
            End::Halt(Halt::Fault(Fault::Unreadable(why)), _) => {
                return Err(Fault::Unreadable(why));
            }
            End::Stop => {
                let whole = stream.peek(1)?.is_empty();
                match doubt {
                    Doubt::Open => {
                        whole || acts(&seen, dangerous) || (seen.opcodes >= 4 && seen.telling > 0)
                    }
                    Doubt::Numbers => acts(&seen, dangerous) || (seen.proto && seen.opcodes >= 8),
                }
            }
            End::Halt(Halt::Limit(_), _) => doubt == Doubt::Open && seen.opcodes > 1000,
            End::Halt(..) => {
                acts(&seen, dangerous)
                    || (doubt == Doubt::Open && (looks_cut(&seen) || endless_name(head)))
            }
        })
    }

    /// Runs the pickles that follow each other in a stream.
    fn series(
        &mut self,
        content: &Content<'_>,
        stream: Stream<'_>,
        member: &str,
        numbers: bool,
    ) -> Result<(), Fault> {
        let limit = match content {
            Content::Plain(source) => source.size().saturating_add(FREE_OPCODES),
            Content::Packed(packed, _) => FREE_EXPANDED
                .saturating_add(packed.size().saturating_mul(EXPANSION))
                .min(FREE_OPCODES),
        };
        self.series_within(content, stream, member, numbers, limit)
    }

    fn series_within(
        &mut self,
        content: &Content<'_>,
        mut stream: Stream<'_>,
        member: &str,
        numbers: bool,
        limit: u64,
    ) -> Result<(), Fault> {
        let start = stream.position();
        let mut opcodes = limit;
        let (mut count, mut arrays, mut legacy) = (0u32, 0u32, false);
        let mut storages = std::collections::BTreeMap::new();
        let mut nested: Vec<Nested> = Vec::new();
        if stream.peek(1)?.is_empty() {
            self.log.add(
                log::MALFORMED,
                member,
                start,
                "a pickle is expected here, and there are no bytes",
            );
        }
        loop {
            let at = stream.position();
            let first = stream.peek(2)?;
            let Some(&byte) = first.first() else { break };
            let starts = matches!(first, [0x80, 0..=5, ..] | [0x80]);
            if count > 0
                && !starts
                && (byte == b'\n' || byte == 0 || Opcode::from_byte(byte).is_none())
            {
                self.trailing(content, &mut stream, member, numbers)?;
                break;
            }
            if count >= PICKLES {
                self.log.add(
                    log::OVER_LIMIT,
                    member,
                    at,
                    format!("more than {PICKLES} pickles one after another"),
                );
                break;
            }
            let mut log = self.log.fork();
            let capture = matches!(content, Content::Packed(..));
            let context = Context {
                settings: self.settings,
                member,
                joblib: true,
                capture,
                opcodes,
            };
            let mut machine = Machine::new(context, &mut log);
            let end = machine.run(&mut stream);
            let seen = machine.evidence;
            nested.append(&mut machine.nested);
            let dangerous = machine.imports.dangerous();
            let magic = machine.result == crate::heap::Value::Magic;
            let mut found = std::mem::take(&mut machine.storages);
            drop(machine);
            opcodes = opcodes.saturating_sub(seen.opcodes);
            arrays += seen.arrays;
            match end {
                End::Stop => {
                    self.log.merge(log);
                    count += 1;
                    legacy |= count == 1 && magic;
                    storages.append(&mut found);
                    if legacy && count == 5 {
                        self.storages(&storages, &mut stream, member)?;
                    }
                }
                End::Halt(Halt::Fault(fault @ Fault::Unreadable(_)), _) => return Err(fault),
                // What follows a whole pickle need not be one.
                End::Halt(..) if count > 0 && !starts && !acts(&seen, dangerous) => {
                    let mut again = content.stream()?;
                    again.skip(at)?;
                    self.trailing(content, &mut again, member, numbers)?;
                    break;
                }
                End::Halt(Halt::Limit(why), offset) => {
                    self.log.merge(log);
                    let message = format!("{why}: what follows was not judged");
                    self.log.add(log::OVER_LIMIT, member, offset, message);
                    break;
                }
                End::Halt(Halt::Fault(Fault::TooLarge(why)), offset) => {
                    self.log.merge(log);
                    self.log.add(log::OVER_LIMIT, member, offset, why);
                    break;
                }
                End::Halt(Halt::Broken(why) | Halt::Fault(Fault::Corrupt(why)), offset) => {
                    self.log.merge(log);
                    if !numbers {
                        let message =
                            format!("the pickle is broken: {why}; loading runs what comes before");
                        self.log.add(log::MALFORMED, member, offset, message);
                    }
                    break;
                }
            }
        }
        if arrays > 0 {
            self.without_arrays(content, start, member, limit)?;
        }
        self.nested(content, nested, member)
    }

    /// Runs a pickle that holds joblib's raw arrays as `pickle.load` would, which takes them for opcodes.
    fn without_arrays(
        &mut self,
        content: &Content<'_>,
        start: u64,
        member: &str,
        opcodes: u64,
    ) -> Result<(), Fault> {
        let mut stream = content.stream()?;
        stream.skip(start)?;
        let context = Context {
            settings: self.settings,
            member,
            joblib: false,
            capture: matches!(content, Content::Packed(..)),
            opcodes,
        };
        match Machine::new(context, self.log).run(&mut stream) {
            End::Halt(Halt::Fault(fault @ Fault::Unreadable(_)), _) => Err(fault),
            _ => Ok(()),
        }
    }

    /// Passes over the storages of PyTorch's legacy format: a count and the items of each.
    fn storages(
        &mut self,
        storages: &std::collections::BTreeMap<Vec<u8>, u64>,
        stream: &mut Stream<'_>,
        member: &str,
    ) -> Result<(), Fault> {
        // The order is that of the keys in the fifth pickle; the sizes are what matters, each checked by its own count.
        let mut sizes: Vec<u64> = storages.values().copied().collect();
        for _ in 0..storages.len() {
            let at = stream.position();
            let Some(count) = stream.array::<8>()? else {
                self.log
                    .add(log::MALFORMED, member, at, "a storage is missing");
                return Ok(());
            };
            let count = u64::from_le_bytes(count);
            // A storage of `count` items takes as many bytes as one that the pickle described.
            let fitting = [8, 4, 2, 1, 16].iter().find_map(|size| {
                let bytes = count.checked_mul(*size)?;
                sizes.iter().position(|&known| known == bytes)
            });
            let Some(fitting) = fitting else {
                self.log.add(
                    log::MALFORMED,
                    member,
                    at,
                    "a storage has another size than the pickle says",
                );
                return Ok(());
            };
            let bytes = sizes.swap_remove(fitting);
            if !stream.skip(bytes)? {
                self.log
                    .add(log::MALFORMED, member, at, "a storage goes past the end");
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks at what follows the last pickle: padding, or bytes in which further pickles may hide.
    fn trailing(
        &mut self,
        content: &Content<'_>,
        stream: &mut Stream<'_>,
        member: &str,
        numbers: bool,
    ) -> Result<(), Fault> {
        let start = stream.position();
        let mut meaningful = 0u64;
        let mut candidates = Vec::new();
        let mut previous = 0;
        loop {
            let at = stream.position();
            let chunk = stream.chunk(u64::MAX)?;
            if chunk.is_empty() {
                break;
            }
            for (n, &byte) in chunk.iter().enumerate() {
                meaningful += u64::from(!matches!(byte, 0 | b' ' | b'\n' | b'\r' | b'\t'));
                if previous == 0x80 && byte <= 5 {
                    candidates.push((at + n as u64).saturating_sub(1));
                }
                previous = byte;
            }
            if candidates.len() > 1 << 20 {
                self.log.add(
                    log::OVER_LIMIT,
                    member,
                    start,
                    "too many places behind the pickle where another could begin",
                );
                break;
            }
        }
        if meaningful == 0 || numbers {
            return Ok(());
        }
        let message = format!(
            "{meaningful} bytes that are no pickle follow the last one: a loader that expects them reads what was not judged"
        );
        self.log.add_as(
            log::TRAILING_DATA,
            Severity::High,
            Confidence::Medium,
            member,
            start,
            message,
        );
        let Content::Plain(source) = content else {
            return Ok(());
        };
        let mut past = 0;
        for at in candidates {
            if at < past {
                continue;
            }
            let mut log = self.log.fork();
            let context = Context {
                settings: self.settings,
                member,
                joblib: true,
                capture: false,
                opcodes: self.trials,
            };
            let mut machine = Machine::new(context, &mut log);
            let mut stream = Stream::over(*source, at);
            let end = machine.run(&mut stream);
            let (seen, dangerous) = (machine.evidence, machine.imports.dangerous());
            drop(machine);
            self.trials = self.trials.saturating_sub(seen.opcodes);
            if self.trials == 0 {
                self.log.add(
                    log::OVER_LIMIT,
                    member,
                    at,
                    "looking for further pickles behind the last one took too long",
                );
                break;
            }
            if acts(&seen, dangerous) {
                self.log.merge(log);
            }
            if end == End::Stop {
                past = stream.position();
            }
        }
        Ok(())
    }

    /// Looks at files of `torch.save` within bytes arguments.
    fn nested(
        &mut self,
        content: &Content<'_>,
        nested: Vec<Nested>,
        member: &str,
    ) -> Result<(), Fault> {
        for (n, nested) in nested.into_iter().enumerate() {
            let name = if member.is_empty() {
                format!("<bytes {n}>")
            } else {
                format!("{member}/<bytes {n}>")
            };
            match (nested, content) {
                (Nested::Captured(bytes), _) => {
                    self.content(&Content::Plain(&bytes), &name, DEPTH - 1, Doubt::Open)?;
                }
                (Nested::At { start, length }, Content::Plain(source)) => {
                    let window = Window::new(*source, start, length);
                    self.content(&Content::Plain(&window), &name, DEPTH - 1, Doubt::Open)?;
                }
                (Nested::At { start, .. }, Content::Packed(..)) => {
                    self.log.add(
                        log::OVER_LIMIT,
                        member,
                        start,
                        "a pickle within the pickle is too large to be held",
                    );
                }
            }
        }
        Ok(())
    }

    fn headless(&mut self, source: &dyn Source, member: &str, depth: u32) -> Result<Claim, Fault> {
        let mut log = self.log.fork();
        let archive = zip::read_headless(source, member, &mut log)?;
        self.log.merge(log);
        self.members(source, &archive, member, depth)?;
        Ok(Claim::Pickle)
    }

    fn zip(&mut self, source: &dyn Source, member: &str, depth: u32) -> Result<Claim, Fault> {
        let mut log = self.log.fork();
        let Some(archive) = zip::read(source, member, &mut log)? else {
            return Ok(Claim::Nothing);
        };
        let sound = log.is_empty();
        self.log.merge(log);
        if archive.prefix > 0 {
            let message = format!(
                "{} bytes stand before the zip archive: readers that start at the front see another file",
                archive.prefix
            );
            self.log.add(log::ARCHIVE_MISMATCH, member, 0, message);
        }
        let claim = self.members(source, &archive, member, depth)?;
        Ok(if sound { claim } else { Claim::Pickle })
    }

    fn members(
        &mut self,
        source: &dyn Source,
        archive: &zip::Archive,
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        if depth >= DEPTH {
            self.log.add(
                log::OVER_LIMIT,
                member,
                0,
                format!("more than {DEPTH} containers within each other"),
            );
            return Ok(Claim::Pickle);
        }
        let root = torch::root(archive.entries.iter().map(|entry| entry.name.as_str()));
        let mut claim = Claim::Nothing;
        for entry in &archive.entries {
            if entry.packed == 0 {
                continue;
            }
            let name = if member.is_empty() {
                entry.name.clone()
            } else {
                format!("{member}/{}", entry.name)
            };
            let storage = root
                .as_deref()
                .is_some_and(|root| torch::is_storage(root, &entry.name));
            let doubt = if storage || entry.hidden {
                Doubt::Numbers
            } else {
                Doubt::Open
            };
            let window = Window::new(source, entry.data, entry.packed);
            let content = match entry.method {
                0 => Content::Plain(&window),
                8 => Content::Packed(&window, Method::Deflate),
                12 => Content::Packed(&window, Method::Bzip2),
                14 => Content::Packed(&window, Method::ZipLzma),
                method => {
                    self.log.add(
                        log::UNREADABLE_CONTENT,
                        &name,
                        entry.data,
                        format!("compression method {method} can't be read here"),
                    );
                    claim = Claim::Pickle;
                    continue;
                }
            };
            if self.content(&content, &name, depth + 1, doubt)? == Claim::Pickle {
                claim = Claim::Pickle;
                if storage {
                    self.log.add(
                        log::HIDDEN_PICKLE,
                        &name,
                        0,
                        "a tensor's storage is a pickle",
                    );
                }
            }
        }
        Ok(claim)
    }

    fn tar(&mut self, source: &dyn Source, member: &str, depth: u32) -> Result<Claim, Fault> {
        if depth >= DEPTH {
            self.log.add(
                log::OVER_LIMIT,
                member,
                0,
                format!("more than {DEPTH} containers within each other"),
            );
            return Ok(Claim::Pickle);
        }
        let mut log = self.log.fork();
        let entries = tar::read(source, member, &mut log)?;
        let mut claim = if log.is_empty() {
            Claim::Nothing
        } else {
            Claim::Pickle
        };
        self.log.merge(log);
        for entry in entries {
            let name = if member.is_empty() {
                entry.name
            } else {
                format!("{member}/{}", entry.name)
            };
            let window = Window::new(source, entry.data, entry.size);
            if self.content(&Content::Plain(&window), &name, depth + 1, Doubt::Open)?
                == Claim::Pickle
            {
                claim = Claim::Pickle;
            }
        }
        Ok(claim)
    }
}

/// Says whether a run did what no text or weights do by chance: call what it named, or name what does harm.
fn acts(seen: &Evidence, dangerous: bool) -> bool {
    dangerous || (seen.calls > 0 && seen.named > 0) || seen.known > 1
}

/// Says whether a run that broke looks like the start of a pickle of protocol 0 rather than like a text.
fn looks_cut(seen: &Evidence) -> bool {
    seen.opcodes >= 6 && seen.telling >= 2
}

/// Says whether the first line begins as GLOBAL does and goes on past any name.
fn endless_name(head: &[u8]) -> bool {
    head.len() >= 1024.min(ENDLESS)
        && head[0] == b'c'
        && head
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}
