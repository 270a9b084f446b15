//! Where a file differs from the locked one: the ranges of bytes whose parts have
//! other digests, and the tensors that lie in them.
//!
//! It leaves to others: that the file differs at all ([`crate::compare`]), the words
//! ([`crate::report`]).

use std::ops::Range;

use modelhost_check::{Algorithm, File, LockedParts, ReadError, gguf};
use serde_json::Value;

/// The longest header of a safetensors file that is read: those of the largest models
/// have some 10 MiB in one file, and it takes several times its size in memory.
const MAX_HEADER: u64 = 16 << 20;

/// The most tensors that are looked through.
const MAX_TENSORS: u64 = 200_000;

/// Where a file differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Where {
    /// The ranges of bytes, in order and apart. Outside of them the file is the locked
    /// one, as far as digests cut to 8 bytes tell.
    pub ranges: Vec<Range<u64>>,
    /// Whether the ranges reach into the header, before all tensors.
    pub header: bool,
    /// The tensors that lie in them, wholly or in part, in the order of their bytes.
    pub tensors: Vec<String>,
}

/// Finds where `file`, which has the locked size, differs from the locked one; none
/// where the parts don't tell.
///
/// # Errors
/// Says that the file can't be read.
pub fn narrow(file: &File, parts: &LockedParts) -> Result<Option<Where>, ReadError> {
    let size = file.size();
    if parts.size == 0 || parts.digests.len() as u64 != size.div_ceil(parts.size) {
        return Ok(None);
    }
    let mut ranges: Vec<Range<u64>> = Vec::new();
    let mut start = 0;
    for kept in &parts.digests {
        let end = size.min(start + parts.size);
        let digest = file.digest_range(Algorithm::Blake3, start, end - start)?;
        if !digest.starts_with(kept) {
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => ranges.push(start..end),
            }
        }
        start = end;
    }
    if ranges.is_empty() {
        return Ok(None);
    }
    let mut found = Where { ranges, ..Where::default() };
    if let Some(tensors) = tensors(file) {
        let first = tensors.first().map_or(size, |(range, _)| range.start);
        found.header = found.ranges.iter().any(|range| range.start < first);
        found.tensors = tensors
            .into_iter()
            .filter(|(tensor, _)| touches(&found.ranges, tensor))
            .map(|(_, name)| name)
            .collect();
    }
    Ok(Some(found))
}

/// Tells whether a range has a byte of any of `ranges`, which are in order.
fn touches(ranges: &[Range<u64>], range: &Range<u64>) -> bool {
    let next = ranges.partition_point(|other| other.end <= range.start);
    ranges.get(next).is_some_and(|other| other.start < range.end)
}

/// Returns the tensors of a file with their ranges of bytes, in order; none for a file
/// of no such format, or a damaged one.
fn tensors(file: &File) -> Option<Vec<(Range<u64>, String)>> {
    let start = file.read(0, 8).ok()?;
    if start.starts_with(gguf::MAGIC) {
        let tensors = gguf::tensors(file, MAX_TENSORS).ok()??;
        let ends = tensors.iter().skip(1).map(|next| next.start).chain([file.size()]);
        let ends: Vec<u64> = ends.collect();
        let ranges = tensors.into_iter().zip(ends);
        return Some(ranges.map(|(tensor, end)| (tensor.start..end, tensor.name)).collect());
    }
    let length = u64::from_le_bytes(start.try_into().ok()?);
    if length > MAX_HEADER || length > file.size().saturating_sub(8) {
        return None;
    }
    let header = file.read_exact_at(8, usize::try_from(length).ok()?).ok()?;
    let data = 8 + length;
    let Value::Object(header) = serde_json::from_slice(&header).ok()? else { return None };
    let mut tensors = Vec::new();
    for (name, value) in header {
        let Some(Value::Array(offsets)) = value.get("data_offsets") else { continue };
        let [from, to] = offsets.as_slice() else { return None };
        let range = data.checked_add(from.as_u64()?)?..data.checked_add(to.as_u64()?)?;
        tensors.push((range, name));
    }
    tensors.sort_by(|(a, x), (b, y)| (a.start, a.end, x).cmp(&(b.start, b.end, y)));
    Some(tensors)
}
