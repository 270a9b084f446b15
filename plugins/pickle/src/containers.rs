//! Makes and fills containers on the machine's stack, within the fence of the last mark.
//!
//! Opcodes are told apart in `step.rs`; what containers remember, in `heap.rs`.

use crate::heap::{Kind, Value};
use crate::log;
use crate::machine::{DEPTH, Machine, WEIGHT};
use crate::opcode::{Step, broken};

impl Machine<'_> {
    pub(crate) fn close(&mut self, kind: Kind) -> Step<()> {
        let start = self.pop_mark_at()?;
        self.push_container(kind, self.stack.len() - start)
    }

    /// Makes a container of the top `count` values.
    pub(crate) fn push_container(&mut self, kind: Kind, count: usize) -> Step<()> {
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
    pub(crate) fn check_extent(&mut self, value: Value) {
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
    pub(crate) fn add_items(&mut self, start: usize, kind: Kind, opcode: &'static str) -> Step<()> {
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
    pub(crate) fn fill_dict(&mut self, dict: Value, start: usize) {
        for at in (start..self.stack.len()).step_by(2) {
            let key = self.stack[at];
            if self.is_odd_key(key) {
                self.heap.mark_key(dict, key);
            }
        }
        self.heap.extend(dict, &self.stack[start..]);
    }
}
