//! Makes and fills containers on the machine's stack, within the fence of the last mark.
//!
//! Opcodes are told apart in `step.rs`; what containers remember, in `heap.rs`.

use crate::heap::{Kind, Value};
use crate::log;
use crate::machine::{DEPTH, Machine, WEIGHT};
use crate::opcode::{Step, broken};

/// The attribute of scipy's distributions whose text `rv_generic.__setstate__` runs by `exec`.
const TEMPLATE: &[u8] = b"_parse_arg_template";

/// Says whether a text is scipy's template (`parse_arg_template` in scipy/stats/_distn_infrastructure.py) with names and
/// numbers filled in.
fn is_template(text: &[u8]) -> bool {
    const LINES: [(&str, &str); 6] = [
        ("def _parse_args(self,", "):"),
        ("return (", ""),
        ("def _parse_args_rvs(self,", ", size=None):"),
        ("return self._argcheck_rvs(", ", size=size)"),
        ("def _parse_args_stats(self,", ", moments='mv'):"),
        ("return (", ", moments"),
    ];
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let names = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_,=. ".contains(c));
    lines.len() == LINES.len()
        && lines.iter().zip(LINES).all(|(line, (start, end))| {
            line.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).is_some_and(|rest| {
                // `return (shapes), location, scale`
                names(&if start == "return (" {
                    rest.replacen(')', "", 1)
                } else {
                    rest.to_owned()
                })
            })
        })
}

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
            Value::Instance(at)
                if kind == Kind::Dict && {
                    let import = self.imports.get(at);
                    import.module.starts_with("torch._") && import.name.starts_with("_rebuild")
                } =>
            {
                self.note(
                    log::UNSAFE_CALL,
                    format!("{opcode} writes into a tensor while loading, which no framework does"),
                );
            }
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

    /// Notes a key that changes what loading does when it becomes an attribute: of an object whose attributes are its
    /// items, it is one at once.
    fn odd_item(&mut self, container: Value, key: Value) {
        let own = match container {
            Value::Instance(at) => {
                let import = self.imports.get(at);
                import.module != "collections" && import.module != "builtins"
            }
            _ => false,
        };
        if own {
            let message = format!(
                "sets the item {} of {}, whose items serve as attributes: what it holds is called by the next BUILD",
                self.show(key),
                self.show(container)
            );
            self.note(log::UNSAFE_BUILD, message);
        } else {
            self.heap.mark_key(container, key);
        }
    }

    /// Compares the text that scipy's distributions run when unpickled with the one that scipy writes.
    fn template(&mut self, text: Option<Value>) {
        let known = text.and_then(|text| self.heap.as_text(text)).is_some_and(is_template);
        if !known {
            let message = format!(
                "the state has `_parse_arg_template`, which scipy runs as code when unpickled, and it is {}",
                text.map_or_else(String::new, |text| self.show(text))
            );
            self.note(log::UNSAFE_BUILD, message);
        }
    }

    /// Puts keys and values from `start` on into a dict, watching for keys that change what loading does.
    pub(crate) fn fill_dict(&mut self, dict: Value, start: usize) {
        for at in (start..self.stack.len()).step_by(2) {
            let (key, value) = (self.stack[at], self.stack.get(at + 1).copied());
            if self.is_odd_key(key) {
                self.odd_item(dict, key);
            }
            if self.heap.as_text(key) == Some(TEMPLATE) {
                self.template(value);
            }
        }
        self.heap.extend(dict, &self.stack[start..]);
    }
}
