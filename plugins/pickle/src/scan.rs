//! Tells by content what bytes are, and opens what may hold pickles: arrays, compressed streams, archives.
//!
//! Pickles are run in `series.rs`, members of archives visited in `members.rs`; each format's own structure is
//! read in its own file.

use std::collections::BTreeMap;

use crate::budget::{Budget, HELD};
use crate::compressed::{self, Method};
use crate::config;
use crate::log::{self, Log};
use crate::npy;
use crate::settings::Settings;
use crate::source::{Blocks, Fault, Source, Window};
use crate::stream::Stream;
use crate::{sevenz, tar, zip};

/// How deep containers within containers are opened.
pub(crate) const DEPTH: u32 = 6;
/// Only where the content tells nothing does a name decide: a file of such a name that is empty, or whose only byte is
/// what pickles begin with and what MessagePack has for an empty map, is a failed download.
const MODEL_ENDINGS: &[&str] = &[
    ".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".npy", ".npz", ".dill", ".sav",
    ".mar", ".nemo", ".skops",
];
/// What is looked at to tell what bytes are.
pub(crate) const HEAD: usize = 1024;
/// Arrays one after another in one file.
const ARRAYS: u32 = 100_000;
/// zlib behind joblib's own header: "ZF" and the length in 19 characters, before joblib 0.10.
const OLD_JOBLIB: u64 = 21;

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
pub(crate) enum Doubt {
    /// It may be one: a magic number suffices.
    Open,
    /// It should be raw numbers, which may look like anything: only a pickle that does something counts.
    Numbers,
}

/// Bytes to be looked at: at hand, or behind a decoder.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    Plain(&'a dyn Source),
    Packed(&'a dyn Source, Method),
}

impl<'a> Content<'a> {
    /// Reads them from the start.
    pub(crate) fn stream(&self) -> Result<Stream<'a>, Fault> {
        Ok(match *self {
            Content::Plain(source) => Stream::over(source, 0),
            Content::Packed(source, method) => Stream::new(compressed::open(source, method)?, 0),
        })
    }

    /// Returns how many compressed bytes there are, where they are compressed.
    pub(crate) fn packed(&self) -> Option<u64> {
        match self {
            Content::Plain(_) => None,
            Content::Packed(source, _) => Some(source.size()),
        }
    }
}

/// Looks for pickles in one file.
pub struct Scanner<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) log: &'a mut Log,
    pub(crate) budget: Budget,
    /// Sizes of PyTorch's storages by key, as the pickles read last name them.
    pub(crate) declared: BTreeMap<Vec<u8>, u64>,
}

impl<'a> Scanner<'a> {
    /// Makes a scanner that writes into `log`.
    #[must_use]
    pub fn new(settings: &'a Settings, log: &'a mut Log) -> Self {
        Self { settings, log, budget: Budget::new(0), declared: BTreeMap::new() }
    }

    /// Looks at a whole file.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn file(&mut self, source: &dyn Source, path: &str) -> Result<Claim, Fault> {
        if source.size() <= 1 && MODEL_ENDINGS.iter().any(|ending| path.ends_with(ending)) {
            let what = match source.bytes(0, 1)?.as_deref() {
                None => Some("is empty"),
                Some([0x80]) => Some("ends after its first byte"),
                Some(_) => None,
            };
            if let Some(what) = what {
                let message =
                    format!("the file {what}, though its name says that it holds a model");
                self.log.add(log::MALFORMED, "", 0, message);
                return Ok(Claim::Pickle);
            }
        }
        self.budget = Budget::new(source.size());
        self.content(Content::Plain(source), "", 0, Doubt::Open)
    }

    /// Looks at bytes; `member` names them within the file.
    pub(crate) fn content(
        &mut self,
        content: Content<'_>,
        member: &str,
        depth: u32,
        doubt: Doubt,
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
        match self.look(content, member, depth, doubt) {
            Err(Fault::Corrupt(why)) => {
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
        content: Content<'_>,
        member: &str,
        depth: u32,
        doubt: Doubt,
    ) -> Result<Claim, Fault> {
        let head = content.stream()?.peek(HEAD)?.to_vec();
        self.pay(&content, head.len() as u64)?;
        let front = head.starts_with(b"PK\x03\x04");
        let archive = match content {
            // An archive at the end may follow anything: PyTorch reads the start of a file, `zipfile` its end.
            Content::Plain(source) if doubt == Doubt::Open || head.starts_with(b"PK") => {
                match zip::ends_in_archive(source)? {
                    Some(end) => !(tar::recognise(&head) && tar::covers(source, end)?),
                    None => false,
                }
            }
            _ => false,
        };
        let mut claim = Claim::Nothing;
        if archive || front {
            let Content::Plain(source) = content else {
                return self.unpacked(content, member, depth, doubt);
            };
            claim = if archive {
                self.zip(source, member, depth)?
            } else {
                self.headless(source, member, depth)?
            };
            if head.starts_with(b"PK") {
                return Ok(claim);
            }
        }
        let rest = if head.starts_with(npy::MAGIC) {
            self.npy(content, member)?
        } else if tar::recognise(&head) {
            match content {
                Content::Plain(source) => self.tar(source, member, depth)?,
                Content::Packed(..) => self.unpacked(content, member, depth, doubt)?,
            }
        } else {
            if doubt == Doubt::Open
                && let Some(claim) = self.opaque(content, &head, member, depth)?
            {
                return Ok(claim);
            }
            match compressed::recognise(&head).filter(|_| doubt == Doubt::Open) {
                Some(method) => self.compressed(content, method, &head, member, depth)?,
                None if head.starts_with(b"ZF0x") => self.old_joblib(content, member, depth)?,
                None => match self.pickles(content, &head, member, doubt)? {
                    Claim::Nothing => self.config(content, &head, member, depth)?,
                    claim => claim,
                },
            }
        };
        Ok(if rest == Claim::Pickle { rest } else { claim })
    }

    /// Opens 7z archives, and says of formats that can't be looked into that they can't.
    fn opaque(
        &mut self,
        content: Content<'_>,
        head: &[u8],
        member: &str,
        depth: u32,
    ) -> Result<Option<Claim>, Fault> {
        if head.starts_with(sevenz::MAGIC) {
            return match content {
                Content::Plain(source) => self.seven_zip(source, member, depth).map(Some),
                Content::Packed(..) => self.unpacked(content, member, depth, Doubt::Open).map(Some),
            };
        }
        let Some(format) = compressed::opaque(head) else {
            return Ok(None);
        };
        let message = format!("{format} can't be looked into here: pack it as zip, tar or gzip");
        self.log.add(log::UNREADABLE_CONTENT, member, 0, message);
        Ok(Some(Claim::Pickle))
    }

    /// Pays for bytes that were decoded.
    pub(crate) fn pay(&mut self, content: &Content<'_>, bytes: u64) -> Result<(), Fault> {
        if let Content::Packed(..) = content {
            if self.budget.inflated < bytes {
                return Err(Fault::TooLarge(
                    "more is decompressed than a file of this size can need".to_owned(),
                ));
            }
            self.budget.inflated -= bytes;
        }
        Ok(())
    }

    /// Decodes into memory and looks again; what doesn't fit there is said to be too large.
    fn unpacked(
        &mut self,
        content: Content<'_>,
        member: &str,
        depth: u32,
        doubt: Doubt,
    ) -> Result<Claim, Fault> {
        let bytes = self.hold(&content, member)?;
        let claim = self.content(Content::Plain(&bytes), member, depth, doubt);
        self.budget.held += bytes.held();
        claim
    }

    /// Decodes into memory; the caller gives back what is held.
    pub(crate) fn hold(&mut self, content: &Content<'_>, member: &str) -> Result<Blocks, Fault> {
        let mut stream = content.stream()?;
        let mut bytes = Blocks::default();
        loop {
            let chunk = match stream.chunk(u64::MAX) {
                Ok(chunk) => chunk,
                // What was decoded before the break is still judged: loaders run it before they notice.
                Err(Fault::Corrupt(why)) if bytes.held() > 0 => {
                    self.log.add(log::UNREADABLE_CONTENT, member, 0, why);
                    break;
                }
                Err(fault) => return Err(fault),
            };
            if chunk.is_empty() {
                break;
            }
            if bytes.held() + chunk.len() > self.budget.held {
                return Err(Fault::TooLarge(format!(
                    "more than {} MiB when decompressed",
                    HELD >> 20
                )));
            }
            bytes.extend(chunk);
        }
        self.pay(content, bytes.size())?;
        self.budget.held -= bytes.held();
        Ok(bytes)
    }

    fn compressed(
        &mut self,
        content: Content<'_>,
        method: Method,
        head: &[u8],
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        let Content::Plain(source) = content else {
            let bytes = self.hold(&content, member)?;
            let claim = self.compressed(Content::Plain(&bytes), method, head, member, depth);
            self.budget.held += bytes.held();
            return claim;
        };
        let packed = Content::Packed(source, method);
        let start = packed.stream().and_then(|mut stream| stream.peek(1).map(<[u8]>::len));
        match start {
            // Two bytes of a text or of weights may look like zlib's.
            Err(Fault::Corrupt(_)) if method == Method::Zlib => {
                self.pickles(content, head, member, Doubt::Open)
            }
            _ => self.content(packed, member, depth + 1, Doubt::Open),
        }
    }

    fn old_joblib(
        &mut self,
        content: Content<'_>,
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        let Content::Plain(source) = content else {
            return Ok(Claim::Nothing);
        };
        let window = Window::new(source, OLD_JOBLIB, u64::MAX);
        self.content(Content::Packed(&window, Method::Zlib), member, depth + 1, Doubt::Open)
    }

    /// Looks for names in a text within an archive: configurations may say what is called. Texts beside it are another
    /// check's.
    fn config(
        &mut self,
        content: Content<'_>,
        head: &[u8],
        member: &str,
        depth: u32,
    ) -> Result<Claim, Fault> {
        let small = match content {
            Content::Plain(source) | Content::Packed(source, _) => source.size() <= config::SIZE,
        };
        let text = head.iter().all(|&byte| byte >= b' ' || byte.is_ascii_whitespace());
        if depth == 0 || !small || !text || head.is_empty() {
            return Ok(Claim::Nothing);
        }
        let bytes = self.hold(&content, member)?;
        self.budget.held += bytes.held();
        let bytes = bytes.up_to(0, bytes.held())?;
        let text = String::from_utf8_lossy(&bytes);
        let text = config::unescaped(&text);
        if !config::may_name(text.as_bytes()) {
            return Ok(Claim::Nothing);
        }
        let mut log = self.log.fork();
        let schema = config::judge(&text, member, self.settings, &mut log);
        let sound = log.is_empty();
        self.log.merge(log);
        Ok(if schema || !sound { Claim::Pickle } else { Claim::Nothing })
    }

    /// Reads numpy arrays, which may stand one after another in a file.
    fn npy(&mut self, content: Content<'_>, member: &str) -> Result<Claim, Fault> {
        let mut stream = content.stream()?;
        for _ in 0..ARRAYS {
            let at = stream.position();
            match self.array(&mut stream, member)? {
                Next::Objects => self.series(content, stream, member, Doubt::Open)?,
                Next::Array => {
                    let next = stream.peek(npy::MAGIC.len())?;
                    if next == npy::MAGIC {
                        continue;
                    }
                    if !next.is_empty() {
                        let at = stream.position();
                        self.behind(content, at, member)?;
                    }
                }
                Next::Nothing(why) => self.log.add(log::MALFORMED, member, at, why),
            }
            return Ok(Claim::Pickle);
        }
        self.log.add(
            log::OVER_LIMIT,
            member,
            stream.position(),
            format!("more than {ARRAYS} arrays one after another"),
        );
        Ok(Claim::Pickle)
    }

    /// Reads one array's header, and passes over its items unless they are objects.
    fn array(&mut self, stream: &mut Stream<'_>, member: &str) -> Result<Next, Fault> {
        let head = stream.peek(12)?.to_vec();
        let Some((start, length)) = npy::header_span(&head) else {
            return Ok(Next::Nothing(
                "the header of a numpy array has an unknown version or a length past all sense"
                    .to_owned(),
            ));
        };
        stream.skip(start as u64)?;
        let mut text = Vec::new();
        while text.len() < length {
            let chunk = stream.chunk((length - text.len()) as u64)?;
            if chunk.is_empty() {
                return Ok(Next::Nothing(
                    "the header of a numpy array goes past the end".to_owned(),
                ));
            }
            text.extend_from_slice(chunk);
        }
        let header = match npy::header(&text) {
            Ok(header) if header.object => return Ok(Next::Objects),
            Ok(header) => header,
            Err(why) => {
                return Ok(Next::Nothing(format!("the header of a numpy array is wrong: {why}")));
            }
        };
        let Some(bytes) = header.bytes else {
            return Ok(Next::Nothing("the items of a numpy array can't be measured".to_owned()));
        };
        let at = stream.position();
        // Behind a decoder, passing over items means decoding them all: what follows an array in an archive is
        // not worth that, and no loader reads it.
        if stream.left().is_some() && !stream.skip(bytes)? {
            self.log.add(
                log::MALFORMED,
                member,
                at,
                "a numpy array has fewer items than its header says",
            );
        }
        Ok(Next::Array)
    }
}

/// What comes after a numpy header.
enum Next {
    Objects,
    Array,
    Nothing(String),
}
