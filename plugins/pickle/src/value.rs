//! The abstract values of a pickle: what loading would make, as far as judging and showing it needs.
//!
//! What values refer to lives in `heap.rs`.

/// A container's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A tuple.
    Tuple,
    /// A list.
    List,
    /// A dict: keys and values by turns.
    Dict,
    /// A set or frozenset.
    Set,
    /// What a call of something unlisted made: the callable and its arguments.
    Call,
}

/// An abstract value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i32),
    /// An integer of up to 64 bits.
    Wide(u32),
    /// An integer of more bits, or one that isn't kept.
    Huge,
    /// PyTorch's magic number.
    Magic,
    /// A floating-point number.
    Float,
    /// A string.
    Text(u32),
    /// A string that isn't kept for good; its number, and whether it begins with two underscores.
    LostText(u32),
    /// Bytes.
    Bytes(u32),
    /// Bytes that aren't kept.
    LostBytes,
    /// A global, by its number in the table of `imports.rs`.
    Global(u32),
    /// What calling an allowed global made.
    Instance(u32),
    /// A container or a call.
    Node(u32),
    /// A container that isn't kept.
    Lost(Kind),
    /// A tuple that isn't kept: what its items are, four bits each, the first lowest.
    Shape(u32),
    /// What the memo no longer holds.
    Forgotten,
    /// numpy's description of an array's items.
    Dtype(u32),
    /// An attribute of an instance of an allowed class.
    Attribute,
    /// What the loader gave for a persistent id.
    Persistent,
    /// A buffer kept outside the pickle.
    Buffer,
    /// What an extension code stands for.
    Extension,
}

/// What sort of value it is, as far as the arguments of calls are judged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Sort {
    None = 1,
    Integer,
    Float,
    Text,
    Bytes,
    Global,
    Tuple,
    List,
    Dict,
    Made,
    Other,
}

impl Sort {
    const ALL: [Self; 11] = [
        Self::None,
        Self::Integer,
        Self::Float,
        Self::Text,
        Self::Bytes,
        Self::Global,
        Self::Tuple,
        Self::List,
        Self::Dict,
        Self::Made,
        Self::Other,
    ];

    /// Returns the sort of this number.
    #[must_use]
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }
}

/// What is known of numpy's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dtype {
    /// Bytes of one item; `None` if it can't be told.
    pub size: Option<u64>,
    /// Whether items are Python objects, which are pickled.
    pub object: bool,
}
