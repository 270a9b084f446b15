//! What each opcode does to the stack, as in CPython's `_pickle.c`.
//!
//! The machine itself is in `machine.rs`; calls and states are judged in `call.rs` and `state.rs`.

use crate::heap::{Kind, Value};
use crate::log;
use crate::machine::{FAR, MARKS, Machine, Nested, STORAGES};
use crate::memo::Slot;
use crate::opcode::{Argument, Halt, Opcode, Step, broken};
use crate::stream::Stream;

impl Machine<'_> {
    /// Runs one opcode.
    pub(crate) fn step(&mut self, opcode: Opcode, stream: &mut Stream<'_>) -> Step<()> {
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
                    return broken(format!("{} with arguments that are no tuple", opcode.name()));
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

    pub(crate) fn push_bytes(&mut self, argument: Argument) -> Step<()> {
        let Argument::Bytes { start, length } = argument else {
            return broken("bytes expected");
        };
        let wanted = self.context.capture && self.top().is_ok_and(|top| self.is_torch_bytes(top));
        let value = if wanted && self.decoder.captured.len() as u64 == length {
            self.nested.push(Nested::Captured(std::mem::take(&mut self.decoder.captured)));
            self.heap.bytes(u64::MAX, length, &[])
        } else {
            let head = self.decoder.text.len().min(crate::decode::KEPT_BYTES);
            self.heap.bytes(start, length, &self.decoder.text[..head])
        };
        self.push(value)
    }

    pub(crate) fn is_torch_bytes(&self, value: Value) -> bool {
        matches!(value, Value::Global(at) if self.imports.get(at).is("torch.storage", "_load_from_bytes"))
    }

    pub(crate) fn global(&mut self, argument: Argument, opcode: &'static str) -> Step<()> {
        if argument != (Argument::Names { whole: true }) {
            self.note(log::COMPUTED_GLOBAL, format!("{opcode} with a name too long to be one"));
            return self.push(Value::Attribute);
        }
        let module = String::from_utf8_lossy(&self.decoder.module).into_owned();
        let name = String::from_utf8_lossy(&self.decoder.text).into_owned();
        let value = self.import(&module, &name, opcode)?;
        self.push(value)
    }

    pub(crate) fn stack_global(&mut self) -> Step<()> {
        let name = self.pop()?;
        let module = self.pop()?;
        if let (Some(m), Some(n)) = (self.heap.as_text(module), self.heap.as_text(name)) {
            let (module_name, name_text) =
                (String::from_utf8_lossy(m).into_owned(), String::from_utf8_lossy(n).into_owned());
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

    /// Notes a storage of PyTorch: `("storage", type, key, location, count, …)`.
    pub(crate) fn persistent(&mut self, id: Value) {
        let Some((Kind::Tuple, _, items)) = self.heap.items(id) else {
            return;
        };
        let [kind, class, key, place, count, ..] = items else {
            return;
        };
        // Tensors of the device `meta` have no bytes.
        if self.heap.as_text(*place) == Some(b"meta") {
            return;
        }
        if self.heap.as_text(*kind) != Some(b"storage") || self.storages.len() >= STORAGES {
            return;
        }
        let size = match class {
            Value::Global(at) => crate::torch::item_size(&self.imports.get(*at).name),
            _ => 1,
        };
        let count = self.heap.as_int(*count).and_then(|count| u64::try_from(count).ok());
        if let (Some(key), Some(count)) = (self.heap.as_text(*key), count) {
            self.storages.insert(key.to_vec(), size.saturating_mul(count));
        }
    }
}
