//! The parts that a signer cut files into: what they are called, and that of each file none
//! is missing.

use std::collections::BTreeMap;

use super::{Part, Refusal, Signed, malformed, safe};

/// Adds the part that a resource names, of files that are cut every `shard` bytes.
pub(super) fn add(
    files: &mut BTreeMap<Vec<u8>, Signed>,
    name: &str,
    digest: Vec<u8>,
    shard: u64,
) -> Result<(), Refusal> {
    let Some((path, start, end)) = range(name) else {
        return malformed(format!("`{name}` is no part of a file (`path:start:end`)"));
    };
    let length = end.checked_sub(start).filter(|length| (1..=shard).contains(length));
    if length.is_none() || !start.is_multiple_of(shard) {
        return malformed(format!(
            "`{name}` is not one of the parts that files are cut into by {shard} bytes"
        ));
    }
    let parts = files.entry(safe(path)?).or_insert_with(|| Signed::Parts(Vec::new()));
    if let Signed::Parts(parts) = parts {
        parts.push(Part { start, end, digest });
    }
    Ok(())
}

/// Takes the last two numbers off a name; what is before may hold colons too.
fn range(name: &str) -> Option<(&str, u64, u64)> {
    let (rest, end) = name.rsplit_once(':')?;
    let (path, start) = rest.rsplit_once(':')?;
    Some((path, decimal(start)?, decimal(end)?))
}

/// Reads a number in the one way to write it in decimal.
fn decimal(text: &str) -> Option<u64> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// Puts the parts of a file into order, and checks that none is missing.
pub(super) fn complete(path: &[u8], signed: &mut Signed, shard: u64) -> Result<(), Refusal> {
    let Signed::Parts(parts) = signed else {
        return Ok(());
    };
    parts.sort_unstable_by_key(|part| (part.start, part.end));
    let mut expected = 0;
    for (index, part) in parts.iter().enumerate() {
        let name = || format!("{}:{}:{}", String::from_utf8_lossy(path), part.start, part.end);
        if part.start < expected {
            return Err(Refusal::Duplicate(name()));
        }
        let is_last = index + 1 == parts.len();
        if part.start > expected || (part.end - part.start < shard && !is_last) {
            return malformed(format!("the parts of a file have a gap at `{}`", name()));
        }
        expected = part.end;
    }
    Ok(())
}
