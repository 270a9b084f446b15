//! The bounded memory that the abstract values of a pickle live in.
//!
//! Values know what they are made of only as far as judging and showing them needs. What doesn't fit
//! any more becomes a value of which only the kind is known: a pickle of a million strings stays judged,
//! while a name or a callable taken from such a value is a finding in `machine.rs`.

use std::collections::BTreeMap;

pub use crate::value::{Dtype, Kind, Sort, Value};

/// Bytes of text kept: enough for every name, not for every vocabulary.
const TEXT_BYTES: usize = 16 << 20;
/// Texts kept.
const TEXTS: usize = 1 << 20;
/// Containers and calls kept.
const NODES: usize = 1 << 20;
/// Items of containers kept.
const ITEMS: usize = 2 << 20;
/// Bytes arguments, wide integers and array types kept, each.
const RARE: usize = 1 << 17;
/// Items of one container kept: an array's state has 8, a code object's arguments are shown up to here.
const SHOWN_ITEMS: usize = 16;
/// Items kept of a list, set or dict, whose room is set aside when the first arrives.
const GROWING_ITEMS: usize = 16;
/// Of the texts that no longer fit, so many are kept, the newest: names are used right after they are read.
const RECENT: usize = 4096;
/// In the number of a text that isn't kept: it begins with two underscores.
const UNDERSCORES: u32 = 1 << 31;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    kind: Kind,
    kept: u8,
    depth: u16,
    /// How many values it would be if everything shared were written out.
    weight: f32,
    count: u32,
    first: u32,
    /// The key, if there is one, that changes what loading does when this is an object's state.
    odd_key: Option<Value>,
}

/// Holds what values refer to.
#[derive(Debug, Default)]
pub struct Heap {
    text: Vec<u8>,
    texts: Vec<(u32, u32)>,
    bytes: Vec<(u64, u64, u32, u32)>,
    wide: Vec<i64>,
    nodes: Vec<Node>,
    items: Vec<Value>,
    dtypes: Vec<Dtype>,
    /// The newest of the texts that aren't kept, and those of them that were used as names.
    recent: Vec<(u32, Vec<u8>)>,
    names: BTreeMap<u32, Vec<u8>>,
    unkept: u32,
    /// Whether a container that isn't kept was given a key that changes what loading does.
    pub lost_key: bool,
    /// Whether one was given `__dict__`, which matters where what stands under it has such a key.
    lost_dict: bool,
    /// Whether any container was given such a key.
    odd_keys: bool,
}

/// Marks in a text's length that it is longer than what is kept.
const CUT: u32 = 1 << 31;

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("the heap's budgets are below 2^32")
}

impl Heap {
    /// Makes an integer.
    #[inline]
    pub fn int(&mut self, n: i64) -> Value {
        if let Ok(n) = i32::try_from(n) {
            return Value::Int(n);
        }
        if self.wide.len() >= RARE {
            return Value::Huge;
        }
        self.wide.push(n);
        Value::Wide(number(self.wide.len() - 1))
    }

    /// Makes a string; `whole` says whether `text` is all of it.
    #[inline]
    pub fn text(&mut self, text: &[u8], whole: bool) -> Value {
        if self.texts.len() >= TEXTS || self.text.len() + text.len() > TEXT_BYTES {
            return self.recent_text(text, whole);
        }
        let length = number(text.len()) | if whole { 0 } else { CUT };
        self.texts.push((number(self.text.len()), length));
        self.text.extend_from_slice(text);
        Value::Text(number(self.texts.len() - 1))
    }

    fn recent_text(&mut self, text: &[u8], whole: bool) -> Value {
        self.unkept = (self.unkept + 1) & !UNDERSCORES;
        let number = self.unkept | if text.starts_with(b"__") { UNDERSCORES } else { 0 };
        let at = self.unkept as usize % RECENT;
        if self.recent.len() <= at {
            self.recent.resize(at + 1, (0, Vec::new()));
        }
        let slot = &mut self.recent[at];
        slot.1.clear();
        if whole {
            slot.0 = number;
            slot.1.extend_from_slice(text);
        } else {
            slot.0 = 0;
        }
        Value::LostText(number)
    }

    /// Remembers a text that was used as a name: picklers name a module once and fetch it from the memo later.
    pub fn keep_name(&mut self, value: Value) {
        if let Value::LostText(number) = value
            && self.names.len() < RECENT
            && let Some(text) = self.as_text(value).map(<[u8]>::to_vec)
        {
            self.names.insert(number, text);
        }
    }

    /// Says whether a text begins with two underscores, kept or not.
    #[must_use]
    pub fn has_underscores(&self, value: Value) -> bool {
        match value {
            Value::LostText(number) => number & UNDERSCORES != 0,
            _ => self.as_text(value).is_some_and(|text| text.starts_with(b"__")),
        }
    }

    /// Makes bytes that lie at `start` of the stream and begin with `head`.
    pub fn bytes(&mut self, start: u64, length: u64, head: &[u8]) -> Value {
        if self.bytes.len() >= RARE || self.text.len() + head.len() > TEXT_BYTES {
            return Value::LostBytes;
        }
        self.bytes.push((start, length, number(self.text.len()), number(head.len())));
        self.text.extend_from_slice(head);
        Value::Bytes(number(self.bytes.len() - 1))
    }

    /// Makes a description of numpy's items.
    pub fn dtype(&mut self, dtype: Dtype) -> Value {
        if self.dtypes.len() >= RARE {
            return Value::Persistent;
        }
        self.dtypes.push(dtype);
        Value::Dtype(number(self.dtypes.len() - 1))
    }

    /// Returns what is known of numpy's items.
    #[must_use]
    pub fn as_dtype(&self, value: Value) -> Option<Dtype> {
        match value {
            Value::Dtype(at) => Some(self.dtypes[at as usize]),
            _ => None,
        }
    }

    /// Changes what is known of numpy's items.
    pub fn set_dtype(&mut self, value: Value, dtype: Dtype) {
        if let Value::Dtype(at) = value {
            self.dtypes[at as usize] = dtype;
        }
    }

    /// Makes a container of `items`.
    pub fn container(&mut self, kind: Kind, items: &[Value]) -> Value {
        let growing = matches!(kind, Kind::List | Kind::Dict | Kind::Set);
        let kept = items.len().min(SHOWN_ITEMS);
        let room = if growing && !items.is_empty() { GROWING_ITEMS } else { kept };
        // What grows takes at most half of the room: arguments are tuples, and matter more.
        let most = if growing { ITEMS / 2 } else { ITEMS };
        if self.nodes.len() >= NODES || self.items.len() + room > most {
            return match kind {
                Kind::Tuple => self.shape(items),
                kind => Value::Lost(kind),
            };
        }
        let (depth, weight) = self.extents(items);
        let first = number(self.items.len());
        self.items.extend_from_slice(&items[..kept]);
        self.items.resize(first as usize + room, Value::None);
        self.nodes.push(Node {
            kind,
            kept: u8::try_from(kept).expect("SHOWN_ITEMS is below 256"),
            depth: depth.saturating_add(1),
            weight: weight + 1.0,
            count: u32::try_from(items.len()).unwrap_or(u32::MAX),
            first,
            odd_key: None,
        });
        Value::Node(number(self.nodes.len() - 1))
    }

    /// Sums up a tuple of up to eight items.
    fn shape(&self, items: &[Value]) -> Value {
        if items.len() > 8 {
            return Value::Lost(Kind::Tuple);
        }
        let nibbles =
            items.iter().rev().fold(0, |shape, &item| shape << 4 | self.sort(item) as u32);
        Value::Shape(nibbles)
    }

    /// Tells what sort of value it is.
    #[must_use]
    pub fn sort(&self, value: Value) -> Sort {
        match value {
            Value::None => Sort::None,
            Value::Bool(_) | Value::Int(_) | Value::Wide(_) | Value::Huge | Value::Magic => {
                Sort::Integer
            }
            Value::Float => Sort::Float,
            Value::Text(_) | Value::LostText(_) => Sort::Text,
            Value::Bytes(_) | Value::LostBytes | Value::Buffer => Sort::Bytes,
            Value::Global(_) | Value::Attribute => Sort::Global,
            Value::Shape(_) => Sort::Tuple,
            Value::Node(_) | Value::Lost(_) => match self.kind(value) {
                Some(Kind::Tuple) => Sort::Tuple,
                Some(Kind::List | Kind::Set) => Sort::List,
                Some(Kind::Dict) => Sort::Dict,
                _ => Sort::Made,
            },
            Value::Instance(_) => Sort::Made,
            Value::Dtype(_) | Value::Persistent | Value::Extension | Value::Forgotten => {
                Sort::Other
            }
        }
    }

    /// Returns the sorts of a tuple's items and how many there are, as far as they are known.
    #[must_use]
    pub fn sorts(&self, tuple: Value) -> Option<(Vec<Sort>, usize)> {
        match tuple {
            Value::Shape(shape) => {
                let sorts: Vec<Sort> =
                    (0..8).map_while(|at| Sort::from_number(shape >> (at * 4) & 0xf)).collect();
                let count = sorts.len();
                Some((sorts, count))
            }
            _ => match self.items(tuple) {
                Some((Kind::Tuple, count, items)) => {
                    Some((items.iter().map(|&item| self.sort(item)).collect(), count as usize))
                }
                _ => None,
            },
        }
    }

    /// Returns how deep a value is and how many values it would be written out.
    #[must_use]
    pub fn extent(&self, value: Value) -> (u16, f32) {
        match value {
            Value::Node(at) => (self.nodes[at as usize].depth, self.nodes[at as usize].weight),
            _ => (0, 1.0),
        }
    }

    /// Returns how deep the deepest of these values is, and how many values they would be written out.
    fn extents(&self, items: &[Value]) -> (u16, f32) {
        #[expect(clippy::cast_precision_loss, reason = "a weight is an estimate")]
        let (mut depth, mut weight) = (0, items.len() as f32);
        for item in items {
            if let Value::Node(at) = item {
                let node = &self.nodes[*at as usize];
                depth = depth.max(node.depth);
                weight += node.weight;
            }
        }
        (depth, weight)
    }

    /// Adds items to a container.
    pub fn extend(&mut self, container: Value, items: &[Value]) {
        let Value::Node(at) = container else { return };
        if !matches!(self.nodes[at as usize].kind, Kind::List | Kind::Dict | Kind::Set) {
            return;
        }
        let (depth, weight) = self.extents(items);
        if self.nodes[at as usize].count == 0 && !items.is_empty() {
            if self.items.len() + GROWING_ITEMS > ITEMS / 2 {
                self.nodes[at as usize].kept = u8::MAX;
            } else {
                self.nodes[at as usize].first = number(self.items.len());
                self.items.resize(self.items.len() + GROWING_ITEMS, Value::None);
            }
        }
        let node = &mut self.nodes[at as usize];
        node.depth = node.depth.max(depth.saturating_add(1));
        node.weight += weight;
        let room = GROWING_ITEMS.saturating_sub(usize::from(node.kept));
        let taken = items.len().min(room);
        if node.kept != u8::MAX {
            let start = node.first as usize + usize::from(node.kept);
            node.kept += u8::try_from(taken).expect("GROWING_ITEMS is below 256");
            self.items[start..start + taken].copy_from_slice(&items[..taken]);
        }
        node.count = node.count.saturating_add(u32::try_from(items.len()).unwrap_or(u32::MAX));
    }

    /// Returns a container's kind, how many items it has, and the first of them.
    #[must_use]
    pub fn items(&self, value: Value) -> Option<(Kind, u32, &[Value])> {
        match value {
            Value::Node(at) => {
                let node = self.nodes[at as usize];
                let kept = if node.kept == u8::MAX { 0 } else { usize::from(node.kept) };
                Some((
                    node.kind,
                    node.count,
                    &self.items[node.first as usize..node.first as usize + kept],
                ))
            }
            _ => None,
        }
    }

    /// Returns the kind of a container, kept or not.
    #[must_use]
    pub fn kind(&self, value: Value) -> Option<Kind> {
        match value {
            Value::Node(at) => Some(self.nodes[at as usize].kind),
            Value::Lost(kind) => Some(kind),
            Value::Shape(_) => Some(Kind::Tuple),
            _ => None,
        }
    }

    /// Returns the items of a tuple if all of them are kept.
    #[must_use]
    pub fn tuple(&self, value: Value) -> Option<&[Value]> {
        match self.items(value) {
            Some((Kind::Tuple, count, items)) if count as usize == items.len() => Some(items),
            _ => None,
        }
    }

    /// Remembers of a dict that it has a key that changes what loading does.
    pub fn mark_key(&mut self, dict: Value, key: Value) {
        match dict {
            Value::Node(at) => {
                // One that is odd everywhere outweighs `__dict__`, which is so among slots.
                let plain = self.as_text(key) == Some(b"__dict__");
                self.odd_keys |= !plain;
                let node = &mut self.nodes[at as usize];
                if !(plain && node.odd_key.is_some()) {
                    node.odd_key = Some(key);
                }
            }
            _ if self.as_text(key) == Some(b"__dict__") => self.lost_dict = true,
            _ => self.lost_key = true,
        }
    }

    /// Returns such a key of a dict, if it has one.
    #[must_use]
    pub fn odd_key(&self, dict: Value) -> Option<Value> {
        match dict {
            Value::Node(at) => self.nodes[at as usize].odd_key,
            Value::Lost(_) if self.lost_key || (self.lost_dict && self.odd_keys) => {
                Some(Value::LostText(UNDERSCORES))
            }
            _ => None,
        }
    }

    /// Returns the value of a key among the first of a dict.
    #[must_use]
    pub fn entry(&self, dict: Value, key: &str) -> Option<Value> {
        let (Kind::Dict, _, items) = self.items(dict)? else {
            return None;
        };
        items
            .chunks_exact(2)
            .find(|pair| self.as_text(pair[0]) == Some(key.as_bytes()))
            .map(|pair| pair[1])
    }

    /// Returns a string that is wholly kept.
    #[must_use]
    pub fn as_text(&self, value: Value) -> Option<&[u8]> {
        let at = match value {
            Value::Text(at) => at,
            Value::LostText(number) => {
                let slot = self.recent.get((number & !UNDERSCORES) as usize % RECENT);
                let recent = slot.filter(|slot| slot.0 == number).map(|slot| slot.1.as_slice());
                return recent.or_else(|| self.names.get(&number).map(Vec::as_slice));
            }
            _ => return None,
        };
        let (start, length) = self.texts[at as usize];
        (length & CUT == 0).then(|| &self.text[start as usize..(start + length) as usize])
    }

    /// Returns an integer.
    #[must_use]
    pub fn as_int(&self, value: Value) -> Option<i64> {
        match value {
            Value::Int(n) => Some(i64::from(n)),
            Value::Wide(at) => Some(self.wide[at as usize]),
            _ => None,
        }
    }

    /// Returns what is kept of a string, and whether that is all of it.
    pub(crate) fn kept_text(&self, at: u32) -> (&[u8], bool) {
        let (start, length) = self.texts[at as usize];
        let text = &self.text[start as usize..start as usize + (length & !CUT) as usize];
        (text, length & CUT == 0)
    }

    /// Returns what is kept of bytes, and how many they are.
    pub(crate) fn kept_bytes(&self, at: u32) -> (&[u8], u64) {
        let (_, length, start, kept) = self.bytes[at as usize];
        (&self.text[start as usize..(start + kept) as usize], length)
    }

    /// Returns where in the stream bytes lie, and how many they are.
    #[must_use]
    pub fn as_bytes(&self, value: Value) -> Option<(u64, u64)> {
        match value {
            Value::Bytes(at) => Some((self.bytes[at as usize].0, self.bytes[at as usize].1)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_values_as_python_does() {
        let mut heap = Heap::default();
        let name = |_: u32| "os.system".to_owned();
        let a = heap.text(b"echo", true);
        let b = heap.int(1 << 40);
        let list = heap.container(Kind::List, &[]);
        heap.extend(list, &[a, b]);
        let dict = heap.container(Kind::Dict, &[]);
        heap.extend(dict, &[a, list]);
        let tuple = heap.container(Kind::Tuple, &[dict]);
        assert_eq!(heap.show(tuple, &name), "({'echo': ['echo', 1099511627776]},)");
        let call = heap.container(Kind::Call, &[Value::Global(0), tuple]);
        assert_eq!(heap.show(call, &name), "os.system({'echo': ['echo', 1099511627776]})");
        assert_eq!(heap.entry(dict, "echo"), Some(list));
        assert_eq!(heap.extent(call).0, 4);
    }

    #[test]
    fn long_containers_keep_their_first_items() {
        let mut heap = Heap::default();
        let list = heap.container(Kind::List, &[]);
        for n in 0..100 {
            heap.extend(list, &[Value::Int(n)]);
        }
        let (kind, count, items) = heap.items(list).expect("a list");
        assert_eq!((kind, count, items.len()), (Kind::List, 100, GROWING_ITEMS));
        assert!(heap.show(list, &|_| String::new()).ends_with("15, …]"));
        assert!(heap.tuple(list).is_none());
    }

    #[test]
    fn budgets_make_values_unknown_not_memory_large() {
        let mut heap = Heap::default();
        for _ in 0..TEXTS {
            heap.text(b"x", true);
        }
        let (module, other) = (heap.text(b"os", true), heap.text(b"__a__", true));
        assert_eq!(heap.as_text(module), Some(&b"os"[..]), "the newest are known");
        heap.keep_name(module);
        for _ in 0..RECENT {
            heap.text(b"x", true);
        }
        assert_eq!(heap.as_text(module), Some(&b"os"[..]), "names are kept");
        assert_eq!(heap.as_text(other), None);
        assert!(heap.has_underscores(other) && !heap.has_underscores(module));
        for _ in 0..NODES + 10 {
            heap.container(Kind::List, &[]);
        }
        let lost = heap.container(Kind::Tuple, &[module, Value::None, Value::Float]);
        assert!(matches!(lost, Value::Shape(_)));
        assert_eq!(heap.sorts(lost), Some((vec![Sort::Text, Sort::None, Sort::Float], 3)));
        assert_eq!(heap.kind(lost), Some(Kind::Tuple));
    }
}
