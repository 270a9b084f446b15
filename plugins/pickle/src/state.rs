//! Judges the states that BUILD sets.
//!
//! Calls are judged in `call.rs`; the arrays that follow a state of joblib's are passed over in `joblib.rs`.

use crate::heap::{Dtype, Kind, Value};
use crate::joblib::Wrapper;
use crate::log;
use crate::machine::Machine;

/// Keys with underscores around them that states of real frameworks hold, and that change nothing while loading.
const HARMLESS_KEYS: &[&str] = &[
    "__dict__",
    "__doc__",
    "__fields_set__",
    "__module__",
    "__name__",
    "__orig_class__",
    "__private_attribute_values__",
    "__qualname__",
    "__version__",
];
impl Machine<'_> {
    /// Says whether a key of an object's state changes what loading does.
    pub(crate) fn is_odd_key(&self, key: Value) -> bool {
        match key {
            Value::LostText(_) => {
                self.heap.has_underscores(key) && self.heap.as_text(key).is_none_or(is_odd_name)
            }
            Value::Text(_) => {
                self.heap.as_text(key).is_some_and(|name| is_odd_name(name) || name == b"__dict__")
            }
            Value::Instance(at) => self.imports.get(at).is("builtins", "str"),
            _ => false,
        }
    }

    /// Judges BUILD; returns the wrapper if an array of joblib follows in the stream.
    pub(crate) fn build(&mut self, target: Value, state: Value) -> Option<Wrapper> {
        let parts: Vec<Value> = match self.heap.items(state) {
            Some((Kind::Tuple, 2, items)) => items.to_vec(),
            _ => vec![state],
        };
        // What stands under `__dict__` becomes the attributes themselves: in pydantic's states, and among slots.
        let within = parts.iter().filter_map(|&part| self.heap.entry(part, "__dict__"));
        let all = parts.iter().copied().chain(within).enumerate();
        let odd = all.filter_map(|(n, part)| Some((n, self.heap.odd_key(part)?)));
        let slots = |n: usize| parts.len() == 2 && n == 1;
        if let Some((_, key)) = { odd }.find(|&(n, key)| slots(n) || !self.is_dict_key(key)) {
            let message = format!(
                "BUILD gives {} the attribute {}, which changes what loading does next",
                self.show(target),
                self.show(key)
            );
            self.note(log::UNSAFE_BUILD, message);
        }
        match target {
            Value::Instance(at)
                if self.imports.get(at).name.ends_with("NDArrayWrapper")
                    && self.is_elsewhere(state) =>
            {
                let message = format!(
                    "{} reads the file {} when unpickled, which is not beside this one",
                    self.show(target),
                    self.heap
                        .entry(state, "filename")
                        .map_or_else(String::new, |name| self.show(name))
                );
                self.note(log::UNSAFE_BUILD, message);
                None
            }
            Value::Instance(at)
                if self.imports.get(at).is("joblib.numpy_pickle", "NumpyArrayWrapper")
                    && self.context.joblib =>
            {
                let dtype =
                    self.heap.entry(state, "dtype").and_then(|dtype| self.heap.as_dtype(dtype));
                let shape =
                    self.heap.entry(state, "shape").and_then(|shape| self.heap.tuple(shape));
                let count = shape.and_then(|shape| {
                    shape.iter().try_fold(1u64, |count, &n| {
                        count.checked_mul(u64::try_from(self.heap.as_int(n)?).ok()?)
                    })
                });
                let aligned = self
                    .heap
                    .entry(state, "numpy_array_alignment_bytes")
                    .is_some_and(|bytes| bytes != Value::None);
                Some(Wrapper { dtype, count, aligned })
            }
            Value::Forgotten => {
                self.note(log::OVER_LIMIT, "the memo holds more entries than can be followed, and one that was not is built");
                None
            }
            Value::Instance(_) | Value::Lost(_) | Value::Persistent => None,
            Value::Dtype(_) => {
                self.build_dtype(target, state);
                None
            }
            Value::Node(_) if self.heap.kind(target) == Some(Kind::Call) => None,
            Value::Global(_) => {
                let message = format!(
                    "BUILD sets attributes of `{}`, a class, function or module of the loading program",
                    self.show(target)
                );
                self.note(log::UNSAFE_BUILD, message);
                None
            }
            other => {
                let message = format!(
                    "BUILD sets attributes of {}, which is no object that this pickle made",
                    self.show(other)
                );
                self.note(log::UNSAFE_BUILD, message);
                None
            }
        }
    }

    /// Says whether this is the text `__dict__`, which is harmless as a key of a plain state.
    fn is_dict_key(&self, key: Value) -> bool {
        self.heap.as_text(key) == Some(b"__dict__")
    }

    /// Says whether joblib's older wrapper names a file in another folder.
    fn is_elsewhere(&self, state: Value) -> bool {
        self.heap
            .entry(state, "filename")
            .and_then(|name| self.heap.as_text(name))
            .is_some_and(|name| name.iter().any(|byte| matches!(byte, b'/' | b'\\' | b':')))
    }

    /// The state of a dtype: version, byte order, subarray, names, fields, size, alignment, flags.
    fn build_dtype(&mut self, target: Value, state: Value) {
        let (Some(known), Some((Kind::Tuple, _, items))) =
            (self.heap.as_dtype(target), self.heap.items(state))
        else {
            return;
        };
        let &[_, _, _, _, _, size, _, ref rest @ ..] = items else {
            return;
        };
        let size = self.heap.as_int(size).and_then(|size| u64::try_from(size).ok()).or(known.size);
        // Flag 1 is NPY_ITEM_REFCOUNT: items are references to Python objects.
        let object = known.object
            || rest
                .first()
                .and_then(|&flags| self.heap.as_int(flags))
                .is_some_and(|flags| flags & 1 == 1);
        self.heap.set_dtype(target, Dtype { size, object });
    }
}

/// Says whether an attribute of this name may change what loading does.
fn is_odd_name(name: &[u8]) -> bool {
    let special = name.len() > 4 && name.starts_with(b"__") && name.ends_with(b"__");
    special
        && !name.starts_with(b"__pydantic_")
        && !HARMLESS_KEYS.iter().any(|known| known.as_bytes() == name)
}
