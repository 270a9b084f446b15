//! Runs the pickles that bytes hold: tells them from texts, follows one after another, and looks at what is between.
//!
//! What one pickle does is for `machine.rs`; how bytes came here, for `scan.rs`.

use std::collections::BTreeMap;

use modelhost_check::{Confidence, Severity};

use crate::heap::Value;
use crate::log::{self, Log};
use crate::machine::{Context, End, Evidence, Machine, Nested};
use crate::opcode::{Halt, Opcode};
use crate::scan::{Claim, Content, DEPTH, Doubt, HEAD, Scanner};
use crate::source::{Fault, Window};
use crate::stream::Stream;

/// Pickles one after another; PyTorch's legacy format has five.
const PICKLES: u32 = 100_000;
/// Places behind a pickle where another could begin.
const PLACES: usize = 1 << 18;

/// What one run left behind.
struct Ran {
    end: End,
    seen: Evidence,
    dangerous: bool,
    magic: bool,
    storages: BTreeMap<Vec<u8>, u64>,
    nested: Vec<Nested>,
}

/// Runs one pickle.
fn run(context: Context<'_>, log: &mut Log, stream: &mut Stream<'_>) -> Ran {
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
    fn acts(&self) -> bool {
        self.dangerous || (self.seen.calls > 0 && self.seen.named > 0) || self.seen.known > 1
    }

    /// Says whether it broke as a cut pickle of protocol 0 does rather than as a text.
    fn looks_cut(&self) -> bool {
        self.seen.opcodes >= 6 && self.seen.telling >= 2
    }
}

impl Scanner<'_> {
    fn context<'c>(&'c self, member: &'c str, capture: bool, opcodes: u64) -> Context<'c> {
        Context {
            settings: self.settings,
            member,
            joblib: true,
            capture,
            opcodes,
        }
    }

    /// Looks for pickles at the start of bytes that have no other format's magic number.
    pub(crate) fn pickles(
        &mut self,
        content: Content<'_>,
        head: &[u8],
        member: &str,
        doubt: Doubt,
    ) -> Result<Claim, Fault> {
        if head
            .first()
            .is_none_or(|&byte| Opcode::from_byte(byte).is_none())
        {
            return Ok(Claim::Nothing);
        }
        let magic = doubt == Doubt::Open && matches!(head, [0x80, 0..=5, ..] | [0x80]);
        if !magic && !self.trial(&content, head, member, doubt)? {
            return Ok(Claim::Nothing);
        }
        if let Content::Packed(..) = content {
            match self.hold(&content) {
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
        let mut log = self.log.fork();
        let mut stream = content.stream()?;
        let opcodes = self.budget.trials.min(self.budget.opcodes);
        let ran = run(self.context(member, false, opcodes), &mut log, &mut stream);
        self.budget.trials = self.budget.trials.saturating_sub(ran.seen.opcodes);
        self.pay(content, stream.position())?;
        let open = doubt == Doubt::Open;
        Ok(match &ran.end {
            End::Halt(Halt::Fault(fault @ Fault::Unreadable(_)), _) => return Err(fault.clone()),
            End::Stop if open => {
                let whole = stream.peek(1)?.is_empty();
                whole
                    || ran.acts()
                    || ran.seen.named > 0
                    || (ran.seen.opcodes >= 4 && ran.seen.telling > 0)
            }
            End::Stop => ran.acts() || (ran.seen.proto && ran.seen.opcodes >= 8),
            End::Halt(Halt::Limit(_), _) => ran.acts() || (open && ran.seen.opcodes > 1000),
            End::Halt(..) => ran.acts() || (open && (ran.looks_cut() || endless_name(head))),
        })
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
        let (mut count, mut arrays, mut legacy) = (0u32, 0u32, false);
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
        if arrays > 0 {
            self.without_arrays(content, start, member)?;
        }
        self.nested(content, nested, member)
    }

    /// Runs a pickle that holds joblib's raw arrays as `pickle.load` would, which takes them for opcodes.
    fn without_arrays(
        &mut self,
        content: Content<'_>,
        start: u64,
        member: &str,
    ) -> Result<(), Fault> {
        let mut stream = content.stream()?;
        stream.skip(start)?;
        let mut log = self.log.fork();
        let capture = matches!(content, Content::Packed(..));
        let context = Context {
            joblib: false,
            ..self.context(member, capture, self.budget.opcodes)
        };
        let ran = run(context, &mut log, &mut stream);
        self.log.merge(log);
        self.budget.opcodes = self.budget.opcodes.saturating_sub(ran.seen.opcodes);
        match ran.end {
            End::Halt(Halt::Fault(fault @ Fault::Unreadable(_)), _) => Err(fault),
            _ => Ok(()),
        }
    }

    /// Passes over the storages of PyTorch's legacy format: a count and the items of each.
    fn storages(
        &mut self,
        storages: &BTreeMap<Vec<u8>, u64>,
        stream: &mut Stream<'_>,
        member: &str,
    ) -> Result<(), Fault> {
        // Their order is that of the keys in the fifth pickle; here their sizes matter, and how many of each there are.
        let mut sizes: BTreeMap<u64, u32> = BTreeMap::new();
        for &size in storages.values() {
            *sizes.entry(size).or_default() += 1;
        }
        for _ in 0..storages.len() {
            let at = stream.position();
            let Some(count) = stream.array::<8>()?.map(u64::from_le_bytes) else {
                self.log
                    .add(log::MALFORMED, member, at, "a storage is missing");
                return Ok(());
            };
            let fitting = [4, 2, 8, 1, 16]
                .iter()
                .filter_map(|size| count.checked_mul(*size))
                .find(|bytes| sizes.contains_key(bytes));
            let Some(bytes) = fitting else {
                self.log.add(
                    log::MALFORMED,
                    member,
                    at,
                    "a storage has another size than the pickle says",
                );
                return Ok(());
            };
            if let Some(number) = sizes.get_mut(&bytes) {
                *number -= 1;
                if *number == 0 {
                    sizes.remove(&bytes);
                }
            }
            if !stream.skip(bytes)? {
                self.log
                    .add(log::MALFORMED, member, at, "a storage goes past the end");
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks at what follows the arrays of a file: nothing belongs there.
    pub(crate) fn behind(
        &mut self,
        content: Content<'_>,
        start: u64,
        member: &str,
    ) -> Result<(), Fault> {
        if let Content::Plain(source) = content {
            let window = Window::new(source, start, u64::MAX);
            if self.content(Content::Plain(&window), member, DEPTH - 1, Doubt::Open)?
                == Claim::Nothing
            {
                self.trailing(content, start, member, Doubt::Open)?;
            }
        }
        Ok(())
    }

    /// Looks at what follows the last pickle: padding, or bytes in which further pickles may hide.
    fn trailing(
        &mut self,
        content: Content<'_>,
        start: u64,
        member: &str,
        doubt: Doubt,
    ) -> Result<(), Fault> {
        let mut stream = content.stream()?;
        stream.skip(start)?;
        let mut meaningful = 0u64;
        let mut places = Vec::new();
        let mut previous = 0;
        loop {
            let at = stream.position();
            let chunk = match stream.chunk(u64::MAX) {
                Ok([]) | Err(Fault::Corrupt(_)) => break,
                other => other?,
            };
            for (n, &byte) in chunk.iter().enumerate() {
                meaningful += u64::from(!matches!(byte, 0 | b' ' | b'\n' | b'\r' | b'\t'));
                if previous == 0x80 && byte <= 5 && places.len() <= PLACES {
                    places.push((at + n as u64).saturating_sub(1));
                }
                previous = byte;
            }
        }
        if meaningful == 0 || doubt == Doubt::Numbers {
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
        for at in places {
            if at < past {
                continue;
            }
            let mut log = self.log.fork();
            let mut stream = Stream::over(source, at);
            let ran = run(
                self.context(member, false, self.budget.trials),
                &mut log,
                &mut stream,
            );
            self.budget.trials = self.budget.trials.saturating_sub(ran.seen.opcodes);
            if self.budget.trials == 0 {
                self.log.add(
                    log::OVER_LIMIT,
                    member,
                    at,
                    "looking for further pickles behind the last one took too long",
                );
                break;
            }
            if ran.acts() {
                self.log.merge(log);
            }
            if ran.end == End::Stop {
                past = stream.position();
            }
        }
        Ok(())
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
