//! The memo of the pickle machine: values by number, dense where pickles are, sparse where they lie.
//!
//! What is stored and fetched is for `machine.rs`.

use std::collections::BTreeMap;

use crate::heap::Value;

/// Entries kept in order; picklers number them from 0 on.
const DENSE: usize = 4 << 20;
/// Entries kept elsewhere: a hostile pickle numbers them as it likes.
const SPARSE: usize = 1 << 16;

/// What the memo says of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The value stored there.
    Known(Value),
    /// A value was stored there or may have been, but the budget did not hold it.
    Lost,
    /// Nothing was stored there.
    Empty,
}

/// Holds values by number within a budget.
#[derive(Debug, Default)]
pub struct Memo {
    dense: Vec<Value>,
    sparse: BTreeMap<u64, Value>,
    /// How many entries did not fit.
    lost: u64,
}

impl Memo {
    /// Stores a value.
    #[inline]
    pub fn put(&mut self, index: u64, value: Value) {
        match usize::try_from(index) {
            Ok(index) if index < self.dense.len() => self.dense[index] = value,
            Ok(index)
                if index == self.dense.len()
                    && index < DENSE
                    && !self.sparse.contains_key(&(index as u64)) =>
            {
                self.dense.push(value);
            }
            _ if self.sparse.len() < SPARSE || self.sparse.contains_key(&index) => {
                self.sparse.insert(index, value);
            }
            _ => self.lost += 1,
        }
    }

    /// Stores a value under the next number, as MEMOIZE does: the count of entries.
    #[inline]
    pub fn push(&mut self, value: Value) {
        self.put(self.dense.len() as u64 + self.sparse.len() as u64 + self.lost, value);
    }

    /// Fetches what is stored.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Slot {
        let dense = usize::try_from(index).ok().and_then(|index| self.dense.get(index));
        match dense.or_else(|| self.sparse.get(&index)) {
            Some(&value) => Slot::Known(value),
            None if self.lost > 0 => Slot::Lost,
            None => Slot::Empty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_entries_as_cpython_does() {
        let mut memo = Memo::default();
        memo.put(5, Value::None);
        memo.push(Value::Int(1));
        assert_eq!(memo.get(1), Slot::Known(Value::Int(1)));
        memo.put(0, Value::Int(2));
        memo.push(Value::Int(3));
        assert_eq!(memo.get(3), Slot::Known(Value::Int(3)));
        memo.put(5, Value::Int(4));
        memo.push(Value::Int(6));
        assert_eq!(
            (memo.get(4), memo.get(5), memo.get(6)),
            (Slot::Known(Value::Int(6)), Slot::Known(Value::Int(4)), Slot::Empty)
        );
    }

    #[test]
    fn forgets_beyond_its_budget_and_says_so() {
        let mut memo = Memo::default();
        for n in 0..200_000u64 {
            memo.put(n * 1000 + 7, Value::None);
        }
        assert_eq!(memo.get(199_999 * 1000 + 7), Slot::Lost);
        assert_eq!(memo.get(7), Slot::Known(Value::None));
        assert!(memo.sparse.len() <= SPARSE);
    }
}
