//! Runs the pickles that bytes hold: tells them from texts, follows one after another, and looks at what is between.
//!
//! What one pickle does is for `machine.rs`; how bytes came here, for `scan.rs`.

use std::collections::BTreeMap;

use crate::heap::Value;
use crate::log::{self, Log};
use crate::machine::{Context, End, Evidence, Machine, Nested};
use crate::opcode::{Halt, Opcode};
use crate::scan::{Claim, Content, DEPTH, Doubt, HEAD, Scanner};
use crate::source::{Fault, Window};
use crate::stream::Stream;

/// Pickles one after another; PyTorch's legacy format has five.
const PICKLES: u32 = 100_000;
/// Pickles tried one after another before bytes are taken for something else.
const TRIED: u32 = 4;
/// What one run left behind.
pub(crate) struct Ran {
    pub(crate) end: End,
    pub(crate) seen: Evidence,
    pub(crate) dangerous: bool,
    pub(crate) magic: bool,
    pub(crate) storages: BTreeMap<Vec<u8>, u64>,
    pub(crate) nested: Vec<Nested>,
}

/// Runs one pickle.
pub(crate) fn run(context: Context<'_>, log: &mut Log, stream: &mut Stream<'_>) -> Ran {
    let mut machine = Machine::new(context, log);
    let end = machine.run(stream);
    Ran {
        end,
        seen: machine.evidence,
        dangerous: machine.imports.dangerous(),
        magic: machine.result == Value::Magic,
        storages: std::mem::take(&mut machine.storages),
        nested: std::mem::take(&mut machine.nested),
    }
}

impl Ran {
    /// Says whether it did what no text or weights do by chance: call what it named, or name what does harm.
    pub(crate) fn acts(&self) -> bool {
        self.dangerous || (self.seen.calls > 0 && self.seen.named > 0) || self.seen.known > 1
    }

    /// Says whether it broke as a cut pickle of protocol 0 does rather than as a text.
    fn looks_cut(&self) -> bool {
        let others = self.seen.opcodes.saturating_sub(u64::from(self.seen.named));
        (self.seen.opcodes >= 6 && self.seen.telling >= 2) || (self.seen.named > 0 && others > 5)
    }
}

impl Scanner<'_> {
    pub(crate) fn context<'c>(
        &'c self,
        member: &'c str,
        capture: bool,
        opcodes: u64,
    ) -> Context<'c> {
        Context { settings: self.settings, member, joblib: true, capture, opcodes }
    }

    /// Looks for pickles at the start of bytes that have no other format's magic number.
    pub(crate) fn pickles(
        &mut self,
        content: Content<'_>,
        head: &[u8],
        member: &str,
        doubt: Doubt,
    ) -> Result<Claim, Fault> {
        if head.first().is_none_or(|&byte| Opcode::from_byte(byte).is_none()) {
            return Ok(Claim::Nothing);
        }
        // Where no opcode follows, nothing would be loaded: safetensors begins so with a
        // header of 128 bytes, and the byte alone is an empty map of MessagePack.
        let begins = match head {
            [0x80, 0..=5, next, ..] => Opcode::from_byte(*next).is_some(),
            [0x80, 0..=5] => true,
            _ => false,
        };
        let magic = doubt == Doubt::Open && begins;
        if !magic && !self.trial(&content, head, member, doubt)? {
            return Ok(Claim::Nothing);
        }
        if let Content::Packed(..) = content {
            match self.hold(&content, member) {
                Ok(bytes) => {
                    let plain = Content::Plain(&bytes);
                    let done = plain.stream().and_then(|stream| {
                        self.limited(plain, stream, member, doubt, content.packed())
                    });
                    self.budget.held += bytes.held();
                    return done.map(|()| Claim::Pickle);
                }
                Err(Fault::TooLarge(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        let stream = content.stream()?;
        self.series(content, stream, member, doubt)?;
        Ok(Claim::Pickle)
    }

    /// Runs the start as a pickle without believing it, and says whether it is one.
    fn trial(
        &mut self,
        content: &Content<'_>,
        head: &[u8],
        member: &str,
        doubt: Doubt,
    ) -> Result<bool, Fault> {
        let open = doubt == Doubt::Open;
        let mut stream = content.stream()?;
        // A harmless one may come before the one that matters.
        for _ in 0..TRIED {
            let mut log = self.log.fork();
            let opcodes = self.budget.trials.min(self.budget.opcodes);
            let at = stream.position();
            let ran = run(self.context(member, false, opcodes), &mut log, &mut stream);
            self.budget.trials = self.budget.trials.saturating_sub(ran.seen.opcodes);
            self.pay(content, stream.position() - at)?;
            let (first, acts) = (at == 0, ran.acts());
            match &ran.end {
                End::Halt(Halt::Fault(fault @ Fault::Unreadable(_)), _) => {
                    return Err(fault.clone());
                }
                End::Stop if acts => return Ok(true),
                End::Stop if open => {
                    let next = stream.peek(2)?;
                    let pickle = next.is_empty() || matches!(next, [0x80, 0..=5]);
                    if pickle
                        || ran.seen.named > 0
                        || (ran.seen.opcodes >= 4 && ran.seen.telling > 0)
                    {
                        return Ok(true);
                    }
                }
                End::Stop => return Ok(ran.seen.proto && ran.seen.opcodes >= 8),
                End::Halt(Halt::Limit(_), _) => {
                    return Ok(acts || (open && ran.seen.opcodes > 1000));
                }
                End::Halt(..) => {
                    return Ok(acts || (open && first && (ran.looks_cut() || endless_name(head))));
                }
            }
        }
        Ok(false)
    }

    /// Runs the pickles that follow each other in a stream.
    pub(crate) fn series(
        &mut self,
        content: Content<'_>,
        stream: Stream<'_>,
        member: &str,
        doubt: Doubt,
    ) -> Result<(), Fault> {
        self.limited(content, stream, member, doubt, content.packed())
    }

    /// As `series`, for bytes that were decoded from `packed` ones.
    fn limited(
        &mut self,
        content: Content<'_>,
        mut stream: Stream<'_>,
        member: &str,
        doubt: Doubt,
        packed: Option<u64>,
    ) -> Result<(), Fault> {
        let start = stream.position();
        let most = self.budget.opcodes_for(packed);
        let mut left = most;
        let (mut count, mut arrays, mut objects, mut legacy) = (0u32, 0u32, 0u32, false);
        let mut storages = BTreeMap::new();
        let mut nested = Vec::new();
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
            let starts = matches!(first, [0x80, 0..=5] | [0x80]);
            if count > 0 && !starts && Opcode::from_byte(byte).is_none() {
                self.trailing(content, at, member, doubt)?;
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
            let mut ran = run(self.context(member, capture, left), &mut log, &mut stream);
            left = left.saturating_sub(ran.seen.opcodes);
            arrays += ran.seen.arrays;
            objects += ran.seen.objects;
            nested.append(&mut ran.nested);
            let doubtful = count > 0 && !starts && !ran.acts();
            match ran.end {
                End::Stop => {
                    self.log.merge(log);
                    count += 1;
                    legacy |= count == 1 && ran.magic;
                    storages.append(&mut ran.storages);
                    if legacy && count == 5 {
                        self.storages(&storages, &mut stream, member)?;
                    }
                    continue;
                }
                End::Halt(Halt::Fault(fault @ Fault::Unreadable(_)), _) => return Err(fault),
                // What follows a whole pickle need not be one.
                End::Halt(..) if doubtful => self.trailing(content, at, member, doubt)?,
                End::Halt(Halt::Limit(why) | Halt::Fault(Fault::TooLarge(why)), offset) => {
                    self.log.merge(log);
                    self.log.add(
                        log::OVER_LIMIT,
                        member,
                        offset,
                        format!("{why}: what follows was not judged"),
                    );
                }
                End::Halt(Halt::Broken(why) | Halt::Fault(Fault::Corrupt(why)), offset) => {
                    self.log.merge(log);
                    if doubt == Doubt::Open {
                        let message =
                            format!("the pickle is broken: {why}; loading runs what comes before");
                        self.log.add(log::MALFORMED, member, offset, message);
                    }
                }
            }
            break;
        }
        self.budget.opcodes = self.budget.opcodes.saturating_sub(most - left);
        self.pay(&content, stream.position())?;
        self.declared = storages;
        if arrays > 0 {
            self.without_arrays(content, start, member, objects)?;
        }
        self.nested(content, nested, member)
    }

    /// Runs a pickle that holds joblib's raw arrays as `pickle.load` would, which takes them for opcodes.
    fn without_arrays(
        &mut self,
        content: Content<'_>,
        start: u64,
        member: &str,
        objects: u32,
    ) -> Result<(), Fault> {
        let mut stream = content.stream()?;
        stream.skip(start)?;
        let mut log = self.log.fork();
        let capture = matches!(content, Content::Packed(..));
        let context =
            Context { joblib: false, ..self.context(member, capture, self.budget.opcodes) };
        let ran = run(context, &mut log, &mut stream);
        // An array of objects has a memo of its own, so that its opcodes name nonsense here, which fails to import:
        // then only what is known to do harm counts.
        if objects == 0 || ran.dangerous {
            self.log.merge(log);
        }
        self.budget.opcodes = self.budget.opcodes.saturating_sub(ran.seen.opcodes);
        match ran.end {
            End::Halt(Halt::Fault(fault @ Fault::Unreadable(_)), _) => Err(fault),
            _ => Ok(()),
        }
    }

    /// Looks at files of `torch.save` within bytes arguments.
    fn nested(
        &mut self,
        content: Content<'_>,
        nested: Vec<Nested>,
        member: &str,
    ) -> Result<(), Fault> {
        for (n, nested) in nested.into_iter().enumerate() {
            let name = if member.is_empty() {
                format!("<bytes {n}>")
            } else {
                format!("{member}/<bytes {n}>")
            };
            let claim = match (nested, content) {
                (Nested::Captured(bytes), _) => {
                    self.content(Content::Plain(&bytes), &name, DEPTH - 1, Doubt::Open)?
                }
                (Nested::At { start, length }, Content::Plain(source)) => {
                    let window = Window::new(source, start, length);
                    self.content(Content::Plain(&window), &name, DEPTH - 1, Doubt::Open)?
                }
                (Nested::At { .. }, Content::Packed(..)) => Claim::Nothing,
            };
            if claim == Claim::Nothing {
                self.log.add(log::UNREADABLE_CONTENT, &name, 0, "bytes that are loaded as a file of torch.save, and are none that can be judged here");
            }
        }
        Ok(())
    }
}

/// Says whether the first line begins as GLOBAL does and goes on past any name.
fn endless_name(head: &[u8]) -> bool {
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    head.len() >= HEAD && head[0] == b'c' && head.iter().all(name)
}
