//! Owns the check that tensors cover a file's data exactly once: no byte twice, no
//! byte for nothing. Leaves each format's own bounds to the format.

use crate::found::{Defect, Found};
use crate::rules;

/// Where a tensor's bytes lie, counted from the start of the data.
pub struct Stretch<'a> {
    /// The tensor's name.
    pub name: &'a str,
    /// Its first byte.
    pub begin: u64,
    /// The byte after its last one, within the data.
    pub end: u64,
}

/// The part of a file that holds the tensors.
pub struct Data {
    /// Where it begins in the file.
    pub start: u64,
    /// Its length.
    pub length: u64,
    /// What each tensor's first byte is aligned to; padding up to there is no hole.
    pub align: u64,
}

/// Reports overlaps, holes and trailing bytes.
pub fn check(mut stretches: Vec<Stretch<'_>>, data: Data, found: &mut Found) {
    stretches.sort_unstable_by_key(|stretch| (stretch.begin, stretch.end));
    let padded = |end: u64| end.checked_next_multiple_of(data.align.max(1)).unwrap_or(end);
    let mut covered = 0;
    let mut last = "";
    for Stretch { name, begin, end } in stretches {
        if begin < covered {
            found.add(rules::OVERLAP, None, || {
                let message = format!("the bytes [{begin}, {end}) begin inside tensor `{last}`");
                Defect::new(rules::OVERLAP, message).member(name)
            });
        } else if begin > padded(covered) {
            found.add(rules::HOLE, None, || {
                let bytes = begin - covered;
                let message = format!("{bytes} bytes before tensor `{name}` belong to none");
                Defect::new(rules::HOLE, message).offset(data.start + covered)
            });
        }
        if end >= covered {
            (covered, last) = (end, name);
        }
    }
    if padded(covered) < data.length {
        let rest = data.length - covered;
        let message = format!("{rest} bytes after the last tensor belong to none");
        found.push(Defect::new(rules::TRAILING_DATA, message).offset(data.start + covered));
    }
}
