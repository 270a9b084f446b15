//! The abstract pickle machine: runs every opcode on values that stand for what loading would make,
//! and never makes any of it.
//!
//! Stack, marks and memo behave as in CPython's `_pickle.c`. What calls and states mean is judged in
//! `call.rs`, names in `imports.rs`; which bytes are a pickle at all is for `scan.rs`.
//!
//! # Invariants
//! Each opcode costs time bounded by the bytes it and the containers it closes hold; memory is bounded by
//! the heap's and memo's budgets and `STACK`; nothing recurses over the pickle's structure.

use std::collections::BTreeMap;

use crate::decode::Decoder;
use crate::heap::{Heap, Value};
use crate::imports::Imports;
use crate::log::Log;
use crate::memo::Memo;
use crate::opcode::{Halt, Opcode, Step, broken};
use crate::settings::Settings;
use crate::stream::Stream;

/// Values on the stack: picklers put down at most a thousand items at a time beside a tuple's.
const STACK: usize = 2 << 20;
/// Open marks: each is a level of nesting, of which Python's own pickler writes at most some thousands.
pub(crate) const MARKS: usize = 5_000;
/// How deep a value may be: beyond, comparing, copying or freeing it overflows Python's own stack.
pub(crate) const DEPTH: u16 = 20_000;
/// How many values a value may be, written out: beyond, it was made to exhaust memory.
pub(crate) const WEIGHT: f32 = 1e12;
/// How far a memo entry's number may be beyond what picklers write, which count from 0: Python's table has 16 bytes for each.
pub(crate) const FAR: u64 = 1 << 22;
/// Sizes of PyTorch storages kept for the legacy format.
pub(crate) const STORAGES: usize = 1 << 17;
/// Bytes kept of pickles within pickles, where the file can't be read twice.
const CAPTURE: usize = 16 << 20;

/// What a machine is told.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The archive member, or nothing.
    pub member: &'a str,
    /// Whether to pass over the raw arrays that joblib writes into the stream, as its loader does.
    pub joblib: bool,
    /// Whether bytes arguments are to be kept because the stream can't be read again.
    pub capture: bool,
    /// How many opcodes may be run.
    pub opcodes: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// STOP.
    Stop,
    /// No further opcode could be read or run; where.
    Halt(Halt, u64),
}

/// What a run did: from it, `scan.rs` tells a pickle from a text that happens to begin like one.
#[derive(Debug, Default, Clone, Copy)]
pub struct Evidence {
    /// Opcodes run.
    pub opcodes: u64,
    /// Calls of globals: REDUCE, INST, OBJ, NEWOBJ, NEWOBJ_EX, BUILD.
    pub calls: u32,
    /// Globals named that are known, allowed or not.
    pub known: u32,
    /// Globals named whose name could be one.
    pub named: u32,
    /// Opcodes that no other format writes by chance: quoted strings, memo entries by number.
    pub telling: u32,
    /// Whether PROTO came first.
    pub proto: bool,
    /// Raw arrays passed over.
    pub arrays: u32,
    /// Those of them whose items are objects: pickles with a memo of their own.
    pub objects: u32,
}

/// Bytes within the stream that are a file of `torch.save`.
#[derive(Debug)]
pub enum Nested {
    /// They lie there.
    At {
        /// The offset of the first byte.
        start: u64,
        /// How many bytes.
        length: u64,
    },
    /// They are these.
    Captured(Vec<u8>),
}

/// Runs one pickle.
pub struct Machine<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) log: &'a mut Log,
    pub(crate) heap: Heap,
    pub(crate) imports: Imports,
    pub(crate) stack: Vec<Value>,
    pub(crate) marks: Vec<usize>,
    pub(crate) memo: Memo,
    pub(crate) decoder: Decoder,
    pub(crate) proto: u8,
    /// Where the opcode at hand begins.
    pub(crate) offset: u64,
    /// What was done so far.
    pub evidence: Evidence,
    /// PyTorch's storages by key: bytes of each.
    pub storages: BTreeMap<Vec<u8>, u64>,
    /// Files of `torch.save` within bytes arguments.
    pub nested: Vec<Nested>,
    /// What STOP returned.
    pub result: Value,
    pub(crate) strange: bool,
}

impl<'a> Machine<'a> {
    /// Makes a machine that writes into `log`.
    #[must_use]
    pub fn new(context: Context<'a>, log: &'a mut Log) -> Self {
        Self {
            context,
            log,
            heap: Heap::default(),
            imports: Imports::default(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            decoder: Decoder::default(),
            proto: 0,
            offset: 0,
            evidence: Evidence::default(),
            storages: BTreeMap::new(),
            nested: Vec::new(),
            result: Value::None,
            strange: false,
        }
    }

    /// Runs the pickle that begins at the stream's position, up to its STOP or break, and logs what it would do.
    pub fn run(&mut self, stream: &mut Stream<'_>) -> End {
        let end = match self.run_on(stream) {
            Ok(()) => End::Stop,
            Err(halt) => End::Halt(*halt, self.offset),
        };
        // What still lies on the stack was handed to nobody.
        for value in &self.stack {
            if let Value::Global(at) = *value {
                self.imports.get_mut(at).idle += 1;
            }
        }
        self.imports.report(self.context.member, self.log);
        end
    }

    fn run_on(&mut self, stream: &mut Stream<'_>) -> Step<()> {
        loop {
            self.offset = stream.position();
            if self.evidence.opcodes >= self.context.opcodes {
                return Err(Box::new(Halt::Limit(format!(
                    "more than {} opcodes",
                    self.context.opcodes
                ))));
            }
            self.evidence.opcodes += 1;
            if self.context.capture {
                let wanted = self.stack.last().is_some_and(|&top| self.is_torch_bytes(top));
                self.decoder.capture = if wanted { CAPTURE } else { 0 };
            }
            match self.decoder.next(stream)? {
                Some(Opcode::Stop) => {
                    self.result = self.pop()?;
                    return Ok(());
                }
                Some(opcode) => self.step(opcode, stream)?,
                None => return broken("the bytes end before STOP"),
            }
            if self.decoder.unended {
                return broken("the name of a global has no end");
            }
        }
    }

    /// Notes a finding at the opcode at hand.
    pub(crate) fn note(&mut self, rule: modelhost_check::Rule, message: impl Into<String>) {
        self.log.add(rule, self.context.member, self.offset, message);
    }

    /// Shows a value.
    pub(crate) fn show(&self, value: Value) -> String {
        self.heap.show(value, &|at| self.imports.get(at).full())
    }

    pub(crate) fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Step<Value> {
        if self.stack.len() <= self.fence() {
            return broken("the stack is empty");
        }
        self.stack.pop().map_or_else(|| broken("the stack is empty"), Ok)
    }

    #[inline]
    pub(crate) fn top(&self) -> Step<Value> {
        match self.stack.last() {
            Some(&value) if self.stack.len() > self.fence() => Ok(value),
            _ => broken("the stack is empty"),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: Value) -> Step<()> {
        if self.stack.len() >= STACK {
            return Err(Box::new(Halt::Limit(format!("more than {STACK} values on the stack"))));
        }
        self.stack.push(value);
        Ok(())
    }

    /// Pushes a value that was there before.
    pub(crate) fn push_again(&mut self, value: Value) -> Step<()> {
        if let Value::Global(at) = value {
            self.imports.get_mut(at).pushes += 1;
        }
        self.push(value)
    }

    pub(crate) fn pop_mark_at(&mut self) -> Step<usize> {
        self.marks.pop().map_or_else(|| broken("no mark is open"), Ok)
    }

    pub(crate) fn pop_mark(&mut self) -> Step<()> {
        let start = self.pop_mark_at()?;
        self.stack.truncate(start);
        Ok(())
    }

    /// Names a global.
    pub(crate) fn import(&mut self, module: &str, name: &str, opcode: &'static str) -> Step<Value> {
        let Some(at) = self.imports.add(module, name, self.offset, opcode, self.context.settings)
        else {
            return Err(Box::new(Halt::Limit(format!("more than {} globals", self.imports.len()))));
        };
        let identifier = |text: &str| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || !c.is_ascii() || "_.-<>".contains(c))
                && !text.is_empty()
        };
        self.evidence.named += u32::from(identifier(module) && identifier(name));
        self.evidence.known +=
            u32::from(self.imports.get(at).tier != crate::globals::Tier::Unlisted);
        Ok(Value::Global(at))
    }
}
