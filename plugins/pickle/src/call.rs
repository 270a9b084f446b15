//! Judges what a pickle does with globals: calls and new objects; states are judged in `state.rs`.
//!
//! The order of opcodes is `machine.rs`'s, the lists of names are in `globals.rs`.

use crate::globals::{Tier, Use, judge};
use crate::heap::{Dtype, Kind, Sort, Value};
use crate::log;
use crate::machine::{Machine, Nested};
use crate::npy;
use crate::opcode::{Step, broken};

/// Text encodings of `_codecs.encode`: what Python 2 style bytes use. Others are looked up by importing code.
const ENCODINGS: &[&str] = &["latin1", "latin-1", "iso-8859-1", "utf-8", "utf8", "ascii"];
/// Classes that `copyreg._reconstructor` may be told to build on: the static types of CPython.
const BASES: &[&str] = &[
    "object",
    "dict",
    "list",
    "set",
    "frozenset",
    "tuple",
    "int",
    "float",
    "str",
    "bytes",
    "bytearray",
    "complex",
];

/// Public methods of estimators that others refer to; further ones may save to files.
const METHODS: &[&str] = &[
    "decision_function",
    "fit",
    "fit_predict",
    "fit_transform",
    "forward",
    "inverse_transform",
    "partial_fit",
    "predict",
    "predict_log_proba",
    "predict_proba",
    "score",
    "step",
    "transform",
];

/// Methods of `str` that serve as tokenizers.
const TEXT_METHODS: &[&str] =
    &["casefold", "lower", "lstrip", "rstrip", "split", "splitlines", "strip", "title", "upper"];

impl Machine<'_> {
    /// Judges a call, and returns what stands for its result.
    pub(crate) fn call(
        &mut self,
        opcode: &'static str,
        callable: Value,
        arguments: Value,
    ) -> Step<Value> {
        self.evidence.calls += 1;
        if !matches!(callable, Value::Global(_)) && self.log.full(log::UNSAFE_CALL) {
            // Showing a million calls that are not kept would cost more than running them.
            return Ok(self.heap.container(Kind::Call, &[callable, arguments]));
        }
        match callable {
            Value::Global(at) => Ok(self.call_global(opcode, at, arguments)),
            Value::Node(_) | Value::Lost(Kind::Call)
                if self.heap.kind(callable) == Some(Kind::Call) =>
            {
                let made = self.heap.container(Kind::Call, &[callable, arguments]);
                let message = format!(
                    "calls `{}` when unpickled ({opcode}): what is called was itself made by a call",
                    self.show(made)
                );
                self.note(log::UNSAFE_CALL, message);
                Ok(made)
            }
            Value::Instance(_)
            | Value::Dtype(_)
            | Value::Attribute
            | Value::Persistent
            | Value::Extension
            | Value::Lost(_) => {
                let made = self.heap.container(Kind::Call, &[callable, arguments]);
                let message = format!(
                    "calls `{}` when unpickled ({opcode}): no framework calls an object while loading",
                    self.show(made)
                );
                self.note(log::UNSAFE_CALL, message);
                Ok(made)
            }
            Value::Forgotten | Value::Shape(_) => {
                self.note(log::OVER_LIMIT, "the memo holds more entries than can be followed, and one that was not is called");
                Ok(Value::Forgotten)
            }
            other => broken(format!("{opcode} calls {}, which can't be called", self.show(other))),
        }
    }

    /// Judges NEWOBJ_EX.
    pub(crate) fn call_with_keywords(
        &mut self,
        class: Value,
        arguments: Value,
        keywords: Value,
    ) -> Step<Value> {
        if !matches!(self.heap.kind(keywords), Some(Kind::Dict | Kind::Call)) {
            return broken("NEWOBJ_EX with keywords that are no dict");
        }
        self.call("NEWOBJ_EX", class, arguments)
    }

    fn call_global(&mut self, opcode: &'static str, at: u32, arguments: Value) -> Value {
        if self.imports.get(at).is("builtins", "getattr")
            && let Some(value) = self.harmless_attribute(at, arguments)
        {
            return value;
        }
        if self.imports.get(at).is("builtins", "type") && self.is_type_of_none(arguments) {
            self.imports.get_mut(at).excused += 1;
            return Value::Attribute;
        }
        if matches!(self.imports.get(at).module.as_str(), "functools" | "_functools")
            && self.imports.get(at).name == "partial"
            && let Some(value) = self.harmless_partial(at, arguments)
        {
            return value;
        }
        let Some(allowed) = self.imports.get(at).allowed() else {
            let made = self.heap.container(Kind::Call, &[Value::Global(at), arguments]);
            let shown = self.imports.unshown(at).then(|| self.show(made));
            self.imports.called(at, opcode, shown);
            return made;
        };
        // What is named to be called here is not handed to another that would call it.
        self.imports.get_mut(at).excused += 1;
        let new = matches!(opcode, "NEWOBJ" | "NEWOBJ_EX");
        let empty =
            arguments == Value::Shape(0) || matches!(self.heap.items(arguments), Some((_, 0, _)));
        let fits = match allowed.how {
            Use::Value => false,
            Use::Instance => new || empty,
            Use::Class => new || self.fits(allowed.arguments, arguments),
            Use::Function if new => false,
            Use::Function => match allowed.arguments.strip_prefix('!') {
                Some(rule) => match self.special(opcode, at, rule, arguments) {
                    Some(value) => return value,
                    None => false,
                },
                None => self.fits(allowed.arguments, arguments),
            },
        };
        if !fits {
            let shown = format!(
                "{}{}",
                self.imports.get(at).full(),
                self.heap.show_arguments(arguments, &|at| self.imports.get(at).full())
            );
            let why = match allowed.how {
                Use::Value => "it may be named, but loading never calls it",
                Use::Instance => "loading makes it empty and never calls it with arguments",
                _ => {
                    "no framework calls it with such arguments; another package may have taken the name"
                }
            };
            self.note(
                log::UNSAFE_CALL,
                format!("calls `{shown}` when unpickled ({opcode}): {why}"),
            );
            return self.heap.container(Kind::Call, &[Value::Global(at), arguments]);
        }
        let made = self.imports.get(at);
        if made.is("numpy", "dtype") {
            return self.dtype(arguments);
        }
        // A range is small and what is made of one may exhaust memory: no container is made of it.
        if made.is("builtins", "range") {
            return Value::Persistent;
        }
        Value::Instance(at)
    }

    /// `getattr(object of an allowed class, "name")`: how methods are pickled. It only reaches what the class has.
    fn harmless_attribute(&mut self, at: u32, arguments: Value) -> Option<Value> {
        let &[object, name] = self.heap.tuple(arguments)? else {
            return None;
        };
        let name = String::from_utf8_lossy(self.heap.as_text(name)?).into_owned();
        let value = match object {
            Value::Instance(of) => {
                let allowed = self.imports.get(of).allowed()?;
                let known = name.starts_with('_') && !name.starts_with("__")
                    || METHODS.contains(&name.as_str());
                let plain = allowed.how == Use::Instance && known && !name.contains('.');
                plain.then_some(Value::Attribute)?
            }
            // Below protocol 4, a name with dots is written so.
            Value::Global(of) => {
                let class = self.imports.get(of);
                if class.is("builtins", "str") && TEXT_METHODS.contains(&name.as_str()) {
                    self.imports.get_mut(at).excused += 1;
                    return Some(Value::Attribute);
                }
                let (module, dotted) = (class.module.clone(), format!("{}.{name}", class.name));
                match judge(&module, &dotted) {
                    Tier::Allowed(_) => self.import(&module, &dotted, "getattr").ok()?,
                    _ => return None,
                }
            }
            _ => return None,
        };
        self.imports.get_mut(at).excused += 1;
        Some(value)
    }

    /// `partial(function)` of an allowed global: it is made, not called, and what its state names is judged by itself.
    fn harmless_partial(&mut self, at: u32, arguments: Value) -> Option<Value> {
        let &[Value::Global(function), ..] = self.heap.tuple(arguments)? else {
            return None;
        };
        let allowed = self.imports.get(function).allowed()?;
        if allowed.arguments.starts_with('!') {
            return None;
        }
        self.imports.get_mut(at).excused += 1;
        Some(Value::Instance(at))
    }

    /// `type(None)` and its like: how the types of the constants are pickled.
    fn is_type_of_none(&self, arguments: Value) -> bool {
        match self.heap.tuple(arguments) {
            Some(&[Value::None]) => true,
            Some(&[Value::Global(of)]) => {
                let of = self.imports.get(of);
                of.module == "builtins" && matches!(of.name.as_str(), "Ellipsis" | "NotImplemented")
            }
            _ => matches!(arguments, Value::Shape(shape) if shape == Sort::None as u32),
        }
    }

    /// Compares arguments with the letters of `globals/allowed.tsv`.
    fn fits(&self, letters: &str, arguments: Value) -> bool {
        if letters == "-" {
            return true;
        }
        if letters.starts_with('!') {
            return self.heap.tuple(arguments).is_some();
        }
        let Some((sorts, count)) = self.heap.sorts(arguments) else {
            return false;
        };
        let (mut letters, mut taken) = (letters.chars().peekable(), 0);
        while let Some(letter) = letters.next() {
            let mark = letters.next_if(|&next| matches!(next, '?' | '*'));
            if mark == Some('*') {
                return sorts[taken.min(sorts.len())..].iter().all(|&sort| is_of(letter, sort));
            }
            match sorts.get(taken) {
                Some(&sort) if is_of(letter, sort) => taken += 1,
                None if mark == Some('?') => {}
                _ => return false,
            }
        }
        taken == count
    }

    /// Judges calls that have a rule of their own; `None` where the rule is broken.
    fn special(
        &mut self,
        opcode: &'static str,
        at: u32,
        rule: &str,
        arguments: Value,
    ) -> Option<Value> {
        let items = self.heap.tuple(arguments)?.to_vec();
        match (rule, items.as_slice()) {
            ("encode", &[_]) => Some(Value::Persistent),
            ("encode", &[what, encoding]) => {
                let known = self
                    .heap
                    .as_text(encoding)
                    .is_some_and(|name| ENCODINGS.iter().any(|known| known.as_bytes() == name));
                (known && is_of('s', self.heap.sort(what))).then_some(Value::Buffer)
            }
            ("reconstructor", &[class, base, state]) => {
                let (Value::Global(class), Value::Global(base)) = (class, base) else {
                    return None;
                };
                let base = self.imports.get(base);
                let plain = base.module == "builtins" && BASES.contains(&base.name.as_str());
                let object = base.name == "object" && base.module == "builtins";
                if !plain || (object && state != Value::None) {
                    return None;
                }
                self.made_by(opcode, class, arguments)
            }
            ("newobj", &[Value::Global(class), ..]) => self.made_by(opcode, class, arguments),
            ("rebuild", &[Value::Global(function), _, inner, ..]) => {
                self.evidence.calls += 1;
                Some(self.call_global(opcode, function, inner))
            }
            // It calls `__new__` of the class, with keywords that the pickle chooses.
            ("own", &[Value::Global(class), ..]) => {
                let package = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
                let same = package(&self.imports.get(class).module)
                    == package(&self.imports.get(at).module);
                same.then_some(Value::Instance(at))
            }
            // The second argument is called with the first.
            ("ctor", &[] | &[_]) => Some(Value::Instance(at)),
            ("ctor", &[_, Value::Global(second)]) => {
                let import = self.imports.get_mut(second);
                let plain = import.is("numpy.random._pickle", "__bit_generator_ctor");
                import.excused += u32::from(plain);
                plain.then_some(Value::Instance(at))
            }
            ("torch-bytes", &[bytes]) => {
                let (start, length) = self.heap.as_bytes(bytes)?;
                if start != u64::MAX {
                    if self.context.capture {
                        return None;
                    }
                    self.nested.push(Nested::At { start, length });
                }
                Some(Value::Persistent)
            }
            ("dtype", &[what, ..])
                if is_of('s', self.heap.sort(what)) || matches!(what, Value::Global(_)) =>
            {
                Some(self.dtype(arguments))
            }
            ("import", &[module, name]) => {
                let module = String::from_utf8_lossy(self.heap.as_text(module)?).into_owned();
                let name = String::from_utf8_lossy(self.heap.as_text(name)?).into_owned();
                self.import(&module, &name, opcode).ok()
            }
            _ => None,
        }
    }

    /// What a class makes of itself without its `__init__`.
    fn made_by(&mut self, opcode: &'static str, class: u32, arguments: Value) -> Option<Value> {
        match self.imports.get(class).allowed() {
            Some(allowed) if matches!(allowed.how, Use::Class | Use::Instance) => {
                Some(Value::Instance(class))
            }
            Some(_) => None,
            None => {
                let made = self.heap.container(Kind::Call, &[Value::Global(class), arguments]);
                let shown = self.imports.unshown(class).then(|| self.show(made));
                self.imports.called(class, opcode, shown);
                Some(made)
            }
        }
    }

    fn dtype(&mut self, arguments: Value) -> Value {
        let first = self.heap.items(arguments).and_then(|(_, _, items)| items.first().copied());
        let known = first.and_then(|first| self.heap.as_text(first)).map(npy::item);
        let known = known.unwrap_or(Dtype { size: None, object: false });
        self.heap.dtype(known)
    }
}

/// Compares a sort with a letter of `globals/allowed.tsv`. What a call made may be text or bytes: `_codecs.encode`
/// makes bytes below protocol 3.
fn is_of(letter: char, sort: Sort) -> bool {
    match letter {
        's' => sort == Sort::Text,
        'b' => matches!(sort, Sort::Bytes | Sort::Made),
        'S' => matches!(sort, Sort::Text | Sort::Bytes | Sort::Made),
        'i' => sort == Sort::Integer,
        'N' => matches!(sort, Sort::Integer | Sort::Float | Sort::Made),
        'x' => matches!(sort, Sort::Integer | Sort::None),
        'g' => sort == Sort::Global,
        't' => sort == Sort::Tuple,
        'd' => matches!(sort, Sort::Dict | Sort::Made),
        'c' => matches!(sort, Sort::Tuple | Sort::List | Sort::Dict | Sort::Made),
        'o' => !matches!(sort, Sort::Text | Sort::Bytes | Sort::Integer),
        _ => true,
    }
}
