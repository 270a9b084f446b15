//! Owns what TensorFlow 2 puts behind the numbers of a checkpoint's shard: the graph of
//! the objects that the numbers belong to, a tensor of one text. Leaves the numbers to
//! `numbers`. Form: `tensorflow/core/protobuf/trackable_object_graph.proto`, and
//! `WriteStringTensor` of `tensorflow/core/util/tensor_bundle`: the text's length, a sum
//! over it of four bytes, the text.

use crate::found::Stop;
use crate::proto::{self, Value};
use crate::source::{Cursor, Source};

/// The longest graph that is looked for: some hundred bytes for each variable.
const MAX_GRAPH: u64 = 4 << 20;
/// How many bytes the sum over the lengths takes.
const SUM: u64 = 4;

/// Returns where the numbers end and the graph begins; none where none is at the end.
///
/// # Errors
/// Fails where the file can't be read.
pub fn start(source: &dyn Source) -> Result<Option<u64>, Stop> {
    let size = source.size();
    let first = size.saturating_sub(MAX_GRAPH).next_multiple_of(4);
    let length = usize::try_from(size.saturating_sub(first)).unwrap_or(0);
    let tail = source.read_at(first, length)?;
    for at in (0..length).step_by(4) {
        let Some(graph) = text_at(&tail, at) else { continue };
        // Its first field is a node.
        if tail.get(graph) == Some(&0x0a) && is_graph(source, first + graph as u64) {
            return Ok(Some(first + at as u64));
        }
    }
    Ok(None)
}

/// Returns where the text of a string tensor begins that is at `at` and reaches to the
/// end.
fn text_at(tail: &[u8], at: usize) -> Option<usize> {
    let mut length = 0_u64;
    for (place, byte) in tail.get(at..)?.iter().take(4).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let text = at as u64 + place as u64 + 1 + SUM;
            return (text + length == tail.len() as u64).then_some(usize::try_from(text).ok()?);
        }
    }
    None
}

/// Tells whether the bytes from `at` to the end are nodes with the fields of one.
fn is_graph(source: &dyn Source, at: u64) -> bool {
    let mut cursor = Cursor::new(source, at);
    let odd = |at| Err(Stop::malformed(at, "no field of an object graph"));
    proto::each(&mut cursor, source.size(), &mut |cursor, node| {
        let Value::Bytes { end } = node.value else { return odd(node.at) };
        if node.number != 1 {
            return odd(node.at);
        }
        proto::each(cursor, end, &mut |_, part| match (part.number, part.value) {
            (1..=5, Value::Bytes { .. }) => Ok(()),
            _ => odd(part.at),
        })
    })
    .is_ok()
}
