//! The abstract pickle machine: runs every opcode on values that stand for what loading would make,
//! and never makes any of it.
//!
//! Stack, marks and memo behave as in CPython's `_pickle.c`. What calls and states mean is judged in
//! `call.rs`, names in `imports.rs`; which bytes are a pickle at all is for `scan.rs`.
//!
//! # Invariants
//! Each opcode costs time bounded by the bytes it and the containers it closes hold; memory is bounded by
//! the heap's and memo's budgets and [`STACK`]; nothing recurses over the pickle's structure.

use std::collections::BTreeMap;

use crate::heap::{Heap, Kind, Value};
use crate::imports::Imports;
use crate::log::{self, Log};
use crate::memo::{Memo, Slot};
use crate::opcode::{Argument, Decoder, Halt, Opcode, Step, broken};
use crate::settings::Settings;
use crate::stream::Stream;

/// Values on the stack: picklers put down at most a thousand items at a time beside a tuple's.
const STACK: usize = 2 << 20;
/// Open marks: each is a level of nesting, of which Python's own pickler writes at most some thousands.
const MARKS: usize = 5_000;
/// How deep a value may be: beyond, comparing, copying or freeing it overflows Python's own stack.
const DEPTH: u16 = 20_000;
/// How many values a value may be, written out: beyond, it was made to exhaust memory.
const WEIGHT: f32 = 1e12;
/// How far a memo entry's number may be beyond what picklers write, which count from 0: Python's table has 16 bytes for each.
const FAR: u64 = 1 << 22;
/// Sizes of PyTorch storages kept for the legacy format.
const STORAGES: usize = 1 << 17;
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
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Memo,
    decoder: Decoder,
    proto: u8,
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
    strange: bool,
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
                let wanted = self
                    .stack
                    .last()
                    .is_some_and(|&top| self.is_torch_bytes(top));
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

    fn step(&mut self, opcode: Opcode, stream: &mut Stream<'_>) -> Step<()> {
        use Opcode as O;
        let argument = self.decoder.argument;
        match opcode {
            O::Mark => {
                if self.marks.len() >= MARKS {
                    return Err(Box::new(Halt::Limit(format!(
                        "more than {MARKS} levels of nesting"
                    ))));
                }
                self.marks.push(self.stack.len());
            }
            O::Stop | O::Frame => {}
            O::Proto => match argument {
                Argument::Integer(proto @ 0..=5) => {
                    self.proto = u8::try_from(proto).unwrap_or(0);
                    self.evidence.proto |= self.evidence.opcodes == 1;
                }
                _ => return broken("no such protocol"),
            },
            O::Pop => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            O::PopMark => {
                self.pop_mark()?;
            }
            O::Dup => {
                let top = self.top()?;
                self.push_again(top)?;
            }
            O::None => self.push(Value::None)?,
            O::NewTrue => self.push(Value::Bool(true))?,
            O::NewFalse => self.push(Value::Bool(false))?,
            O::Int
            | O::BinInt
            | O::BinInt1
            | O::BinInt2
            | O::Long
            | O::Long1
            | O::Long4
            | O::Float
            | O::BinFloat => {
                let value = match argument {
                    Argument::Integer(n) => self.heap.int(n),
                    Argument::Bool(b) => Value::Bool(b),
                    Argument::Float => Value::Float,
                    Argument::Magic => Value::Magic,
                    _ => Value::Huge,
                };
                self.push(value)?;
            }
            O::String
            | O::BinString
            | O::ShortBinString
            | O::Unicode
            | O::BinUnicode
            | O::ShortBinUnicode
            | O::BinUnicode8 => {
                self.evidence.telling += u32::from(opcode == O::String);
                let whole = argument == Argument::Text { whole: true };
                let value = self.heap.text(&self.decoder.text, whole);
                self.push(value)?;
            }
            O::BinBytes | O::ShortBinBytes | O::BinBytes8 | O::ByteArray8 => {
                self.push_bytes(argument)?
            }
            O::NextBuffer => self.push(Value::Buffer)?,
            O::ReadOnlyBuffer => {
                self.top()?;
            }
            O::EmptyTuple => self.push_container(Kind::Tuple, 0)?,
            O::Tuple1 => self.push_container(Kind::Tuple, 1)?,
            O::Tuple2 => self.push_container(Kind::Tuple, 2)?,
            O::Tuple3 => self.push_container(Kind::Tuple, 3)?,
            O::Tuple => self.close(Kind::Tuple)?,
            O::List => self.close(Kind::List)?,
            O::Dict => {
                let start = self.pop_mark_at()?;
                if (self.stack.len() - start) % 2 == 1 {
                    return broken("DICT with a key that has no value");
                }
                let dict = self.heap.container(Kind::Dict, &[]);
                self.fill_dict(dict, start);
                self.stack.truncate(start);
                self.push(dict)?;
            }
            O::FrozenSet => self.close(Kind::Set)?,
            O::EmptyList => self.push_container(Kind::List, 0)?,
            O::EmptyDict => self.push_container(Kind::Dict, 0)?,
            O::EmptySet => self.push_container(Kind::Set, 0)?,
            O::Append => {
                self.add_items(self.stack.len().saturating_sub(1), Kind::List, "APPEND")?
            }
            O::Appends => {
                let start = self.pop_mark_at()?;
                self.add_items(start, Kind::List, "APPENDS")?;
            }
            O::AddItems => {
                let start = self.pop_mark_at()?;
                self.add_items(start, Kind::Set, "ADDITEMS")?;
            }
            O::SetItem => {
                self.add_items(self.stack.len().saturating_sub(2), Kind::Dict, "SETITEM")?
            }
            O::SetItems => {
                let start = self.pop_mark_at()?;
                self.add_items(start, Kind::Dict, "SETITEMS")?;
            }
            O::Put | O::BinPut | O::LongBinPut => {
                let top = self.top()?;
                match argument {
                    Argument::Integer(n) if n >= 0 => {
                        let n = n.unsigned_abs();
                        if n > self.evidence.opcodes.saturating_add(FAR) {
                            self.note(log::OVER_LIMIT, format!("memo entry {n}: Python sets aside memory for all entries below it"));
                        }
                        self.memo.put(n, top);
                    }
                    _ => return broken("PUT with a negative number"),
                }
                self.evidence.telling += u32::from(opcode == O::Put);
            }
            O::Memoize => {
                let top = self.top()?;
                self.memo.push(top);
            }
            O::Get | O::BinGet | O::LongBinGet => {
                let Argument::Integer(n) = argument else {
                    return broken("GET without a number");
                };
                self.evidence.telling += u32::from(opcode == O::Get);
                match u64::try_from(n).map_or(Slot::Empty, |n| self.memo.get(n)) {
                    Slot::Known(value) => self.push_again(value)?,
                    Slot::Lost => self.push(Value::Forgotten)?,
                    Slot::Empty => return broken(format!("memo entry {n} was never stored")),
                }
            }
            O::Global => self.global(argument, "GLOBAL")?,
            O::StackGlobal => self.stack_global()?,
            O::Inst => {
                let start = self.pop_mark_at()?;
                let arguments = self.heap.container(Kind::Tuple, &self.stack[start..]);
                self.stack.truncate(start);
                self.global(argument, "INST")?;
                let class = self.pop()?;
                let made = self.call("INST", class, arguments)?;
                self.push(made)?;
            }
            O::Obj => {
                let start = self.pop_mark_at()?;
                let Some((&class, arguments)) = self.stack[start..].split_first() else {
                    return broken("OBJ without a class");
                };
                let arguments = self.heap.container(Kind::Tuple, arguments);
                self.stack.truncate(start);
                let made = self.call("OBJ", class, arguments)?;
                self.push(made)?;
            }
            O::Reduce | O::NewObj => {
                let arguments = self.pop()?;
                let callable = self.pop()?;
                if self
                    .heap
                    .kind(arguments)
                    .is_some_and(|kind| !matches!(kind, Kind::Tuple | Kind::Call))
                {
                    return broken(format!(
                        "{} with arguments that are no tuple",
                        opcode.name()
                    ));
                }
                let made = self.call(opcode.name(), callable, arguments)?;
                self.push(made)?;
            }
            O::NewObjEx => {
                let keywords = self.pop()?;
                let arguments = self.pop()?;
                let class = self.pop()?;
                let made = self.call_with_keywords(class, arguments, keywords)?;
                self.push(made)?;
            }
            O::Build => {
                let state = self.pop()?;
                let target = self.top()?;
                self.evidence.calls +=
                    u32::from(matches!(target, Value::Instance(_) | Value::Global(_)));
                if let Some(wrapper) = self.build(target, state) {
                    self.skip_array(&wrapper, stream)?;
                }
            }
            O::PersId => self.push(Value::Persistent)?,
            O::BinPersId => {
                let id = self.pop()?;
                self.persistent(id);
                self.push(Value::Persistent)?;
            }
            O::Ext1 | O::Ext2 | O::Ext4 => {
                let Argument::Integer(code @ 1..) = argument else {
                    return broken("an extension code below 1");
                };
                let message = format!(
                    "extension code {code} ({}): the loading process decides what it stands for",
                    opcode.name()
                );
                self.note(log::EXTENSION_CODE, message);
                self.push(Value::Extension)?;
            }
        }
        Ok(())
    }

    /// Notes a finding at the opcode at hand.
    pub(crate) fn note(&mut self, rule: modelhost_check::Rule, message: impl Into<String>) {
        self.log
            .add(rule, self.context.member, self.offset, message);
    }

    /// Shows a value.
    pub(crate) fn show(&self, value: Value) -> String {
        self.heap.show(value, &|at| self.imports.get(at).full())
    }

    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    #[inline]
    fn pop(&mut self) -> Step<Value> {
        if self.stack.len() <= self.fence() {
            return broken("the stack is empty");
        }
        self.stack
            .pop()
            .map_or_else(|| broken("the stack is empty"), Ok)
    }

    #[inline]
    fn top(&self) -> Step<Value> {
        match self.stack.last() {
            Some(&value) if self.stack.len() > self.fence() => Ok(value),
            _ => broken("the stack is empty"),
        }
    }

    #[inline]
    fn push(&mut self, value: Value) -> Step<()> {
        if self.stack.len() >= STACK {
            return Err(Box::new(Halt::Limit(format!(
                "more than {STACK} values on the stack"
            ))));
        }
        self.stack.push(value);
        Ok(())
    }

    /// Pushes a value that was there before.
    fn push_again(&mut self, value: Value) -> Step<()> {
        if let Value::Global(at) = value {
            self.imports.get_mut(at).pushes += 1;
        }
        self.push(value)
    }

    fn pop_mark_at(&mut self) -> Step<usize> {
        self.marks
            .pop()
            .map_or_else(|| broken("no mark is open"), Ok)
    }

    fn pop_mark(&mut self) -> Step<()> {
        let start = self.pop_mark_at()?;
        self.stack.truncate(start);
        Ok(())
    }

    fn close(&mut self, kind: Kind) -> Step<()> {
        let start = self.pop_mark_at()?;
        self.push_container(kind, self.stack.len() - start)
    }

    /// Makes a container of the top `count` values.
    fn push_container(&mut self, kind: Kind, count: usize) -> Step<()> {
        if self.stack.len() < self.fence() + count {
            return broken("the stack is empty");
        }
        let start = self.stack.len() - count;
        let container = self.heap.container(kind, &self.stack[start..]);
        self.stack.truncate(start);
        self.check_extent(container);
        self.push(container)
    }

    /// Says once where a value is deeper or larger than loading it can bear.
    fn check_extent(&mut self, value: Value) {
        let (depth, weight) = self.heap.extent(value);
        if !self.strange && depth > DEPTH {
            self.strange = true;
            self.note(log::OVER_LIMIT, format!("values nest more than {DEPTH} deep: comparing or freeing them overflows the stack"));
        }
        if !self.strange && weight > WEIGHT {
            self.strange = true;
            self.note(log::OVER_LIMIT, "values share values so that, written out, they are more than 10^12: printing or copying them never ends");
        }
    }

    /// Adds the values from `start` on to the container below them.
    fn add_items(&mut self, start: usize, kind: Kind, opcode: &'static str) -> Step<()> {
        if start <= self.fence() || start > self.stack.len() {
            return broken(format!("{opcode} without a container"));
        }
        let container = self.stack[start - 1];
        if kind == Kind::Dict && (self.stack.len() - start) % 2 == 1 {
            return broken(format!("{opcode} with a key that has no value"));
        }
        match container {
            Value::Node(_) | Value::Lost(_) => match self.heap.kind(container) {
                Some(Kind::Call) => {}
                found
                    if found == Some(kind) || (found == Some(Kind::List) && kind == Kind::Dict) => {
                }
                _ if start == self.stack.len() => {}
                _ => return broken(format!("{opcode} on {}", self.show(container))),
            },
            Value::Instance(_)
            | Value::Attribute
            | Value::Persistent
            | Value::Extension
            | Value::Forgotten => {}
            Value::Global(_) => {
                let message = format!(
                    "{opcode} changes `{}`, which is no object of this pickle",
                    self.show(container)
                );
                self.note(log::UNSAFE_CALL, message);
            }
            _ => return broken(format!("{opcode} on {}", self.show(container))),
        }
        if kind == Kind::Dict {
            self.fill_dict(container, start);
        } else {
            self.heap.extend(container, &self.stack[start..]);
        }
        self.check_extent(container);
        self.stack.truncate(start);
        Ok(())
    }

    /// Puts keys and values from `start` on into a dict, watching for keys that change what loading does.
    fn fill_dict(&mut self, dict: Value, start: usize) {
        for at in (start..self.stack.len()).step_by(2) {
            let key = self.stack[at];
            if self.is_odd_key(key) {
                self.heap.mark_key(dict, key);
            }
        }
        self.heap.extend(dict, &self.stack[start..]);
    }

    fn push_bytes(&mut self, argument: Argument) -> Step<()> {
        let Argument::Bytes { start, length } = argument else {
            return broken("bytes expected");
        };
        let wanted = self.context.capture && self.top().is_ok_and(|top| self.is_torch_bytes(top));
        let value = if wanted && self.decoder.captured.len() as u64 == length {
            self.nested
                .push(Nested::Captured(std::mem::take(&mut self.decoder.captured)));
            self.heap.bytes(u64::MAX, length, &[])
        } else {
            let head = self.decoder.text.len().min(crate::opcode::KEPT_BYTES);
            self.heap.bytes(start, length, &self.decoder.text[..head])
        };
        self.push(value)
    }

    fn is_torch_bytes(&self, value: Value) -> bool {
        matches!(value, Value::Global(at) if self.imports.get(at).is("torch.storage", "_load_from_bytes"))
    }

    fn global(&mut self, argument: Argument, opcode: &'static str) -> Step<()> {
        if argument != (Argument::Names { whole: true }) {
            self.note(
                log::COMPUTED_GLOBAL,
                format!("{opcode} with a name too long to be one"),
            );
            return self.push(Value::Attribute);
        }
        let module = String::from_utf8_lossy(&self.decoder.module).into_owned();
        let name = String::from_utf8_lossy(&self.decoder.text).into_owned();
        let value = self.import(&module, &name, opcode)?;
        self.push(value)
    }

    fn stack_global(&mut self) -> Step<()> {
        let name = self.pop()?;
        let module = self.pop()?;
        if let (Some(m), Some(n)) = (self.heap.as_text(module), self.heap.as_text(name)) {
            let (module_name, name_text) = (
                String::from_utf8_lossy(m).into_owned(),
                String::from_utf8_lossy(n).into_owned(),
            );
            let value = self.import(&module_name, &name_text, "STACK_GLOBAL")?;
            self.heap.keep_name(module);
            self.heap.keep_name(name);
            return self.push(value);
        }
        let message = format!(
            "STACK_GLOBAL takes its name from {} and {}, which are no literal strings",
            self.show(module),
            self.show(name)
        );
        let computed = |value| {
            !matches!(
                value,
                Value::None
                    | Value::Bool(_)
                    | Value::Int(_)
                    | Value::Wide(_)
                    | Value::Huge
                    | Value::Float
            )
        };
        if !computed(module) || !computed(name) {
            return broken(message);
        }
        self.note(log::COMPUTED_GLOBAL, message);
        self.push(Value::Attribute)
    }

    /// Names a global.
    pub(crate) fn import(&mut self, module: &str, name: &str, opcode: &'static str) -> Step<Value> {
        let Some(at) = self
            .imports
            .add(module, name, self.offset, opcode, self.context.settings)
        else {
            return Err(Box::new(Halt::Limit(format!(
                "more than {} globals",
                self.imports.len()
            ))));
        };
        let identifier = |text: &str| {
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || !c.is_ascii() || "_.-<>".contains(c))
                && !text.is_empty()
        };
        self.evidence.named += u32::from(identifier(module) && identifier(name));
        self.evidence.known +=
            u32::from(self.imports.get(at).tier != crate::globals::Tier::Unlisted);
        Ok(Value::Global(at))
    }

    /// Notes a storage of PyTorch: `("storage", type, key, location, count, …)`.
    fn persistent(&mut self, id: Value) {
        let Some((Kind::Tuple, _, items)) = self.heap.items(id) else {
            return;
        };
        let [kind, class, key, _, count, ..] = items else {
            return;
        };
        if self.heap.as_text(*kind) != Some(b"storage") || self.storages.len() >= STORAGES {
            return;
        }
        let size = match class {
            Value::Global(at) => crate::torch::item_size(&self.imports.get(*at).name),
            _ => 1,
        };
        let count = self
            .heap
            .as_int(*count)
            .and_then(|count| u64::try_from(count).ok());
        if let (Some(key), Some(count)) = (self.heap.as_text(*key), count) {
            self.storages
                .insert(key.to_vec(), size.saturating_mul(count));
        }
    }
}
